"""How long do the programs of examples/course take from start to end, the import of the library included?

Wall time of a whole process, at full size, on one thread and on two: the best of ROUNDS runs that alternate between the libraries.
"""

import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

from .harness import BASE, Result

PACKAGE = Path(importlib.util.find_spec("fastgrad").origin).parents[1]       # the digits are in the package, under PyTorch too
COURSE = Path(__file__).parents[1] / "examples" / "course"
RUNNERS = {"fastgrad": ("-m", "fastgrad"), "torch": ()}
THREADS = (1, 2)
ROUNDS = 3


def seconds(program, library, threads):
    """Of one run; RuntimeError with its last line if it fails."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "FASTGRAD_NUM_THREADS": str(threads),
                   "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(filter(None, (str(PACKAGE), os.environ.get("PYTHONPATH", ""))))}
    start = time.perf_counter()
    done = subprocess.run([sys.executable, *RUNNERS[library], program], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return time.perf_counter() - start


def best(program, libraries, threads, result):
    for _ in range(ROUNDS):
        for name in libraries:
            if name not in result.missing:
                try:
                    result.values[name] = min(result.values.get(name, float("inf")), seconds(program, name, threads))
                except RuntimeError as error:
                    result.missing[name] = str(error)


def results(libraries, wanted=""):
    libraries = [name for name in libraries if name in RUNNERS]
    for threads in THREADS:
        for program in sorted(COURSE.glob("[0-9]*.py")):
            result = Result("course", f"{program.stem}, {threads} thread{'s' * (threads > 1)}", "s")
            if wanted in result.case:
                best(program, libraries, threads, result)
                if BASE in result.values:
                    result.ratios = {name: value / result.values[BASE] for name, value in result.values.items()}
                yield result
