"""Run the conformance samples in worker processes and report: `python -m tests.conformance.run --ops add,mul --report`.

A worker that dies or falls silent is replaced; the sample it was at counts as a crash and the operation goes on after it.
FASTGRAD_CONFORMANCE_LIB names the module under test (default fastgrad; `torch` must pass everything).
"""

import argparse
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DTYPES = ["float32", "float64", "int64", "bool"]
COMPLEX_DTYPES = ["complex64", "complex128"]  # of the operations in complex.txt
SAMPLES = 60
TIMEOUT = 60
START_TIMEOUT = 180  # a worker imports torch and its test tables
CRASHES_ALLOWED = 5


@dataclass
class Result:
    """One variant on one sample."""

    op: str
    label: str
    variant: str
    dtype: str
    kind: str
    index: int
    status: str
    message: str
    sample: str


class Worker:
    """A worker process and the watchdog that ends it when it falls silent."""

    def __init__(self, timeout, library=None):
        self.timeout = timeout
        self.environment = {**os.environ, **({"FASTGRAD_CONFORMANCE_LIB": library} if library else {})}
        self.process = None

    def start(self):
        self.errors = tempfile.TemporaryFile("w+", errors="replace")
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "tests.conformance.worker"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        self.silent = False

    def read(self, timeout=None):
        """The next message, or None if the worker has died or had to be ended."""

        def end():
            self.silent = True
            self.process.kill()

        watchdog = threading.Timer(timeout or self.timeout, end)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        return json.loads(line) if line.endswith("\n") else None

    def ask(self, request):
        """Send a request to a live worker; starts one if needed."""
        if self.process is None or self.process.poll() is not None:
            self.start()
            if self.read(START_TIMEOUT) is None:
                self.process.wait()
                self.errors.seek(0)
                raise RuntimeError(f"the worker does not start:\n{self.errors.read()[-2000:]}")
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def cause_of_death(self):
        code = self.process.wait()  # also makes sure that `ask` starts a new one
        return f"no answer within {self.timeout} s" if self.silent else f"the process ended with code {code}"

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def check_one(worker, op, dtypes, most):
    """All results of one operation, surviving the crashes of the library."""
    results, finished, crashes = [], [], 0

    def record(key, status, message, sample):
        results.append(Result(op, *key, status, message, sample))

    while True:
        worker.ask({"op": op, "dtypes": dtypes, "max_samples": most, "skip": finished})
        key, sample = None, ""
        while (message := worker.read()) is not None:
            if "begin" in message:
                key, sample = message["begin"], message["sample"]
            elif "end" in message:
                record(message["end"], message["status"], message["message"], sample)
                finished.append(message["end"])
            elif "skip" in message:
                finished.append(message["skip"])
            elif "done" in message:
                if "broken" in message:
                    record((op, "", "any", "harness", 0), "crash", message["broken"], "")
                return results
        record(key or (op, "", "any", "start", 0), "crash", worker.cause_of_death(), sample)
        finished.append(key)
        crashes += 1
        if key is None or crashes == CRASHES_ALLOWED:
            return results


def run(ops, dtypes=DTYPES, most=SAMPLES, workers=None, timeout=TIMEOUT, on_result=None, library=None):
    """Results of every operation, by name, in the order given."""
    waiting = queue.Queue()
    for op in ops:
        waiting.put(op)
    found, failures = {}, []

    def serve():
        worker = Worker(timeout, library)
        try:
            while True:
                op = waiting.get_nowait()
                found[op] = check_one(worker, op, dtypes, most)
                if on_result:
                    on_result(op, found[op])
        except queue.Empty:
            pass
        except RuntimeError as error:
            failures.append(error)
        finally:
            worker.stop()

    count = min(workers or os.cpu_count() or 1, len(ops))
    threads = [threading.Thread(target=serve) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return {op: found[op] for op in ops}


def listed(path):
    """Names in a text file: one a line, `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def pass_rate(results):
    return sum(result.status == "pass" for result in results) / max(1, len(results))


def by_kind(results):
    """Results of PyTorch's samples, of its reference inputs (values only) and of its error inputs."""
    kinds = defaultdict(list)
    for result in results:
        kinds[result.kind].append(result)
    return kinds


def summary_line(op, results):
    counts = Counter(result.status for result in results)
    failures = ", ".join(f"{status} {n}" for status, n in counts.most_common() if status != "pass")
    return f"{op:45} {counts['pass']:5} / {len(results):<5} {failures}"


def grouped(results):
    """Failing results by status and message, numbers and names blurred, most frequent first."""
    groups = defaultdict(list)
    for result in results:
        if result.status != "pass":
            blurred = re.sub(r"-?\d[\d.e+-]*|\bnan\b|\binf\b", "#", result.message)
            groups[result.status, re.sub(r"(#(, )?)+", "#", blurred)].append(result)
    return sorted(groups.items(), key=lambda item: -len(item[1]))


def report(results, examples=2):
    for (status, message), members in grouped(results):
        ops = Counter(member.op for member in members)
        print(f"\n{len(members)} x {status}: {message}")
        print("   ", ", ".join(f"{op} {n}" for op, n in ops.most_common(12)), "..." if len(ops) > 12 else "")
        for member in members[:examples]:
            key = f"{member.variant}, {member.dtype}, {member.kind} {member.index}"
            print(f"    {member.label} [{key}] {member.sample[:160]}")
            print(f"        {member.message[:240]}")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.run", description=__doc__.split("\n")[0])
    parser.add_argument("--ops", help="comma-separated names (default: claimed.txt); `all` for PyTorch's whole table")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    parser.add_argument("--max-samples", type=int, default=SAMPLES, help="per operation and dtype, evenly chosen")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help="seconds a sample may take")
    parser.add_argument("--json", help="write every result to this file")
    parser.add_argument("--report", action="store_true", help="group the failures by reason")
    parser.add_argument("--write-page", action="store_true", help="only write docs/differences.md")
    parser.add_argument("--quiet", action="store_true", help="only operations with failures")
    options = parser.parse_args()
    if options.write_page:
        from tests.conformance import page

        page.PAGE.write_text(page.text())
        return
    if options.ops == "all":
        from tests.conformance.operations import all_names

        ops = all_names()
    else:
        ops = options.ops.split(",") if options.ops else listed(HERE / "claimed.txt")

    def show(op, results):
        if not options.quiet or any(result.status != "pass" for result in results):
            print(summary_line(op, results), flush=True)

    found = run(ops, options.dtypes.split(","), options.max_samples, options.workers, options.timeout, show)
    results = [result for op in ops for result in found[op]]
    if options.report:
        report(results)
    if options.json:
        Path(options.json).write_text("\n".join(json.dumps(asdict(result)) for result in results) + "\n")
    print("\n" + summary_line("total", results))
    for kind, members in by_kind(results).items():
        print(f"{100 * pass_rate(members):7.2f}% of {len(members)} {kind} results")
    rates = [pass_rate(found[op]) for op in ops if found[op]]
    mean = sum(rates) / max(1, len(rates))
    print(f"{100 * mean:7.2f}% mean over {len(rates)} operations, {rates.count(1.0)} of them complete")


if __name__ == "__main__":
    main()
