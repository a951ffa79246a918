"""What does importing cost, and how large is the package?"""
import os
import subprocess
import sys

import fastgrad


def run(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def test_python(benchmark):
    benchmark.pedantic(run, ("pass",), rounds=5, warmup_rounds=1)


def test_numpy(benchmark):
    benchmark.pedantic(run, ("import numpy",), rounds=5, warmup_rounds=1)


def test_fastgrad(benchmark):
    """The difference to numpy is fastgrad's own."""
    benchmark.pedantic(run, ("import numpy, fastgrad",), rounds=5, warmup_rounds=1)


def test_size(benchmark):
    """Bytes of the installed package, in extra_info."""
    folder = os.path.dirname(fastgrad.__file__)
    benchmark.extra_info["bytes"] = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(folder) for f in files
                                        if not d.endswith("__pycache__"))
    benchmark(lambda: None)
