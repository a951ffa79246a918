"""How a case is timed, what a result is, and how results are printed and saved.  No case lives here.

A case is the same work on several libraries.  Rounds go from library to library, so that a drift of the machine's speed hits
all alike: the figure is the best round's, the ratio to fastgrad the median over the rounds.
"""

import gc
import json
import statistics
import time
from dataclasses import asdict, dataclass, field

BASE = "fastgrad"


@dataclass
class Case:
    name: str
    work: dict                  # library -> function that sets up and returns the work, a function without arguments
    per: float = 1              # how many units (steps, nodes) one call of the work is
    unit: str = "us"            # or "GFLOP/s": then `per` is the floating point operations of a call


@dataclass
class Result:
    question: str
    case: str
    unit: str
    values: dict = field(default_factory=dict)      # library -> figure
    ratios: dict = field(default_factory=dict)      # library -> how many times fastgrad is better
    missing: dict = field(default_factory=dict)     # library -> why it has no figure


def timed(work, times):
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


def prepare(case, libraries, seconds):
    """library -> (work, calls a round) of those that can do the case, and why others cannot."""
    ready, missing = {}, {}
    for name in libraries:
        if name not in case.work:
            continue
        try:
            work = case.work[name]()
            for _ in range(3):
                work()
            ready[name] = work, max(1, int(seconds / max(timed(work, 1), 1e-7)))
        except Exception as error:      # a peer that fails is a gap in the table, not the end of the run
            missing[name] = f"{type(error).__name__}: {error}"
    return ready, missing


def measure(question, case, libraries, rounds, seconds):
    ready, missing = prepare(case, libraries, seconds)
    times = {name: [] for name in ready}
    gc.collect()
    for _ in range(rounds):
        for name, (work, calls) in ready.items():
            times[name].append(timed(work, calls))
    result = Result(question, case.name, case.unit, missing=missing)
    for name, each in times.items():
        result.values[name] = case.per / min(each) / 1e9 if case.unit == "GFLOP/s" else min(each) / case.per * 1e6
        if BASE in times:
            result.ratios[name] = statistics.median(t / b for b, t in zip(times[BASE], each))
    return result


def head(question, doc, libraries):
    print(f"\n{question}: {doc}\n{'':44s}" + "".join(f"{name:>20s}" for name in libraries))


def show(result, libraries):
    cells = []
    for name in libraries:
        if name not in result.values:
            cells.append(f"{'-':>20s}")
            continue
        ratio = f"{result.ratios[name]:6.2f}x" if name in result.ratios else ""
        cells.append(f"{result.values[name]:12.2f}{ratio:>8s}")
    print(f"{result.case:34s}{result.unit:>10s}" + "".join(cells), flush=True)
    for name, why in result.missing.items():
        print(f"    {name}: {why.splitlines()[0][:140]}")


def save(path, machine, results):
    with open(path, "w") as f:
        json.dump({"machine": machine, "results": [asdict(r) for r in results]}, f, indent=1)
