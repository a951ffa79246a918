"""A warning is ascribed to the line of the program that caused it, as PyTorch ascribes it."""
import sys
import warnings

import pytest

import fastgrad
from tests.snippets import torch


def place_of_warnings(lib, source):
    """The lines of the program that warnings are ascribed to; any other file is 0."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(source, "program.py", "exec"), {"torch": lib, "F": lib.nn.functional, "__name__": "program"})
    return [w.lineno if w.filename == "program.py" else 0 for w in seen]


@pytest.mark.parametrize("source", [
    "x = torch.ones(2, requires_grad=True) * 2\n\nx.grad",
    "def f(x):\n    return x.grad\nf(torch.ones(2, requires_grad=True) * 2)",
    "x = torch.ones(2)\ny = torch.ones(3)\ntorch.add(x, x, out=y)",
    "x = torch.ones(3)\nx[torch.ones(3, dtype=torch.uint8)]",
    "\nF.mse_loss(torch.ones(2), torch.ones(2, 1))",
    "\nF.mse_loss(torch.ones(2), torch.ones(2), reduce=True)",
    "\n@torch.no_grad()\nclass A: pass",
    "b = b'1234'\ntorch.frombuffer(b, dtype=torch.uint8)",
    "class F1(torch.autograd.Function):\n    @staticmethod\n    def forward(ctx, x):\n        ctx.mark_dirty(y)\n        return x, y\n"
    "    @staticmethod\n    def backward(ctx, g, h): return g\ny = torch.ones(2)\nF1.apply(torch.ones(2, requires_grad=True) * 1)",
])
def test_as_in_pytorch(source):
    found, wanted = place_of_warnings(fastgrad, source), place_of_warnings(torch, source)
    assert found and 0 not in found
    # PyTorch gives some warnings once in a process, and ascribes some to its own files.
    assert not wanted or len(found) == len(wanted) and all(f == w or w == 0 for f, w in zip(found, wanted)), (found, wanted)


def test_what_failed_in_anomaly_mode_is_shown_without_what_ran_the_program():
    """The frames of `python -m fastgrad` are no part of the program."""
    source = "def forward(x):\n    return x.sqrt()\nx = torch.zeros(1, requires_grad=True)\nwith torch.autograd.set_detect_anomaly(True):\n" \
             "    y = forward(x) * 0\n    try:\n        y.backward()\n    except RuntimeError:\n        pass\n"
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        exec(compile(source, "program.py", "exec"), {"torch": fastgrad, "__name__": "program"})
        runner = {"__name__": "__main__", "__package__": "fastgrad", "run": lambda: None}
        exec("def run(program): program()", runner)
        runner["run"](lambda: exec(compile(source, "program.py", "exec"), {"torch": fastgrad, "__name__": "program"}))
    plain, run = [str(w.message) for w in seen]
    assert seen[0].lineno == 7 and seen[0].filename == "program.py"
    assert 'program.py", line 5' in plain and 'program.py", line 2, in forward' in plain and "test_warnings.py" in plain
    assert 'program.py", line 2, in forward' in run and "pytest" not in run
