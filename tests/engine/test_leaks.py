"""No storage, tensor or node outlives its last use.  In a build with FASTGRAD_DEBUG=1 the engine counts them exactly; each scenario of
tests/robustness/leaks.py runs in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad
from fastgrad import _engine

SCRIPT = Path(__file__).parents[1] / "robustness" / "leaks.py"
ROOT = Path(fastgrad.__file__).parents[1]


def run(*arguments):
    return subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


x = fastgrad.tensor([1.0])
counts = any(_engine.live_objects().values())
del x
SCENARIOS = run().stdout.split() if counts else []


@pytest.mark.skipif(not counts, reason="this build does not count live objects: FASTGRAD_DEBUG=1 does")
@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_left(name):
    done = run(name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_memory_is_used_again():
    """Without counters: a thousand steps of a small network take no new memory from the system after the first few."""
    resource = pytest.importorskip("resource")
    w = fastgrad.tensor([[0.1] * 50] * 50, requires_grad=True)
    v = fastgrad.tensor([[1.0] * 50] * 50)

    def steps(n):
        for _ in range(n):
            loss = ((v @ w).tanh() * v).sum()
            loss.backward()
            w.data = w.data - 0.01 * w.grad.data
            w.grad = None

    steps(20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    steps(1000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 4096
