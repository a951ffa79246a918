"""What does importing cost beyond Python, and how large is the package on disk?"""

import importlib.util
import os
import subprocess
import sys
import time

from .harness import BASE, Result

ROUNDS = 5


def seconds(code):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def size_of(name):
    """Bytes of the files of an installed package."""
    folder = os.path.dirname(importlib.util.find_spec(name).origin)
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(folder) for f in files
               if "__pycache__" not in d and os.path.isfile(os.path.join(d, f)))


def results(libraries, wanted=""):
    times = {name: [] for name in ("python", *libraries)}
    for _ in range(ROUNDS):
        for name, each in times.items():
            each.append(seconds("pass" if name == "python" else f"import {name}"))
    imported = Result("startup", "import", "ms", {name: (min(times[name]) - min(times["python"])) * 1e3 for name in libraries})
    sizes = Result("startup", "size", "MB", {name: size_of(name) / 1e6 for name in libraries})
    for result in (imported, sizes):
        if wanted not in result.case:
            continue
        if BASE in result.values:
            result.ratios = {name: value / result.values[BASE] for name, value in result.values.items()}
        yield result
