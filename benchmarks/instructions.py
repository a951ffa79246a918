"""Where do the instructions of a small step go?  `python -m benchmarks.instructions [CASE ...]` counts them, with valgrind.

A count is repeatable to some tens, whatever else the machine does.  The difference of a short and a long run is the step's own; what a
function took goes to the source file that defines it (with what the compiler put inline into it), the interpreter's to the interpreter.
Functions have their names in a working copy: `python setup.py build_ext --inplace`.
"""

import argparse
import gc
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path

from .networks import Network, with_modules
from .training import lesson

ROOT = Path(__file__).parents[1]
SHORT, LONG = 200, 1200                     # steps; the first ones fill free lists
NAME = re.compile(r"(?:__pyx_\w*?fastgrad_\d+_(engine|ops)_)?(?:\d+[A-Z][a-z]+_)?(?:\d+)?(\w+)")


def additions(steps):
    import fastgrad
    x, w = fastgrad.tensor([2.0]), fastgrad.tensor([1.0], requires_grad=True)
    for _ in range(steps):
        y = x + w                           # noqa: F841: a step ends with the release of the one before


def additions_backward(steps):
    import fastgrad
    x, w = fastgrad.tensor([2.0]), fastgrad.tensor([1.0], requires_grad=True)
    for _ in range(steps):
        (x + w).backward()


def repeated(make):
    def run(steps):
        step = make()
        for _ in range(steps):
            step()
    return run


CASES = {
    "y = x + w": additions,
    "(x + w).backward()": additions_backward,
    "epoch of the lesson": repeated(lambda: lesson(importlib.import_module("fastgrad"))),
    "step of 2-16-1": repeated(lambda: with_modules("fastgrad", Network((2, 16, 1), 4, "sigmoid"))),
}


@cache
def definitions():
    """(module, function) -> the source file that defines it, and file -> its first line, which says what it is for."""
    found, purpose = {}, {}
    for module, folder in ("engine", "core"), ("ops", "ops"):
        for path in sorted((ROOT / "src" / folder).glob("*.pxi")):
            text, name = path.read_text(), f"{folder}/{path.name}"
            purpose[name] = text.split("\n", 1)[0].lstrip("# ").split(":")[0].rstrip(".")
            for function in re.findall(r"^ *(?:cdef|cpdef|def)\b[^(\n=]*?(\w+)\(", text, re.M):
                found.setdefault((module, function), name)
    return found, purpose


def counted(case, steps, folder):
    """(shared object, function) -> instructions of a process that does so many steps."""
    out = os.path.join(folder, f"{steps}.out")
    subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", sys.executable, "-m", "benchmarks.instructions",
                    "--run", str(steps), case], check=True, cwd=ROOT, capture_output=True,
                   env={**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1",     # whose other threads wait busily
                        "FASTGRAD_CPU": os.environ.get("FASTGRAD_CPU", "v3")})             # what valgrind knows
    printed = subprocess.run(["callgrind_annotate", "--threshold=100", out], check=True, capture_output=True, text=True).stdout
    found = Counter()
    for count, function, shared in re.findall(r"^ *([\d,]+) \(.*?\) +\S*?:([^\s:]+)(?: \[(.*)\])?$", printed, re.M):
        found[os.path.basename(shared), function.partition("'")[0].partition(".")[0]] += int(count.replace(",", ""))
    return found


def part(shared, function, where):
    """The line of the table that a function belongs to."""
    if shared.startswith("_kernels"):
        return "kernels"
    if not shared.startswith(("_engine", "_ops")):
        return "interpreter and C library"
    module, name = NAME.match(function).groups()
    module = module or shared.split(".")[0].lstrip("_")
    return where.get((module, name)) or ("generated from the table" if module == "ops" else "Cython's own")


def table(case):
    """[(part, instructions a step)], largest first."""
    with tempfile.TemporaryDirectory() as folder:
        long, short = (counted(case, steps, folder) for steps in (LONG, SHORT))
    long.subtract(short)
    where, parts = definitions()[0], Counter()
    for (shared, function), count in long.items():
        parts[part(shared, function, where)] += count / (LONG - SHORT)
    return parts.most_common()


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"{', '.join(CASES)}; none: all")
    parser.add_argument("--run", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.cases) - set(CASES):
        parser.error(f"unknown cases: {', '.join(sorted(unknown))}")
    if given.run:
        gc.disable()                        # a full collection in the longer run alone would look like part of its steps
        return CASES[given.cases[0]](given.run)
    if not shutil.which("valgrind"):
        parser.error("valgrind is not installed")
    purpose = definitions()[1]
    for case in given.cases or CASES:
        rows = table(case)
        whole = sum(count for _, count in rows)
        print(f"\n| {case} | {whole:,.0f} instructions | % |\n|---|---:|---:|")
        for name, count in rows:
            if count >= whole / 100:
                print(f"| {name}{': ' + purpose[name] if name in purpose else ''} | {count:,.0f} | {100 * count / whole:.0f} |")


if __name__ == "__main__":
    main()
