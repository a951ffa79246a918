"""The lessons in examples/: the same program on PyTorch and on fastgrad, and the same digits printed.

Every lesson is run in an interpreter of its own. Where PyTorch is not installed, NumPy recomputes the one by hand.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PACKAGE_PARENT = Path(importlib.util.find_spec("fastgrad").origin).parents[1]


def output(lesson, *runner):
    """What a lesson prints, with `python` or with `python -m fastgrad`."""
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, *runner, str(EXAMPLES / f"lesson_{lesson}.py")]
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout


def on_fastgrad(lesson):
    return output(lesson, "-m", "fastgrad")


@pytest.mark.parametrize("lesson", ["by_hand", "module", "collapse"])
def test_same_digits_as_pytorch(lesson):
    pytest.importorskip("torch")
    assert on_fastgrad(lesson).splitlines() == output(lesson).splitlines()


def test_by_hand_in_numpy():
    one = np.float32
    w, lines = one(1), ["predict before training, x = 4: 4.0"]
    for epoch in range(100):
        for x, y in zip((one(1), one(2), one(3)), (one(2), one(4), one(6))):
            error = x * w - y
            grad = 2 * error * x
            lines.append(f"  x {x}  y {y}  grad {float(grad)}")
            w = w - one(0.01) * grad
        lines.append(f"epoch {epoch}  loss {float(error * error)}  w {float(w)}")
    lines.append(f"predict after training, x = 4: {float(4 * w)}")
    assert on_fastgrad("by_hand").splitlines() == lines


def test_network_learns():
    printed = on_fastgrad("network")
    assert "5-6-7-7-6-5 units, 193 weights" in printed
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+)", printed)]
    assert len(losses) == 11 and losses[0] > 0.6 and losses[-1] < 0.01
    assert "words right: 24 of 24" in printed.splitlines()[11]
    for sent, read in re.findall(r"sent (\[.*?\]).*read as (\[.*?\])", printed):
        assert sent == read


def test_collapse_shows_both_sides():
    printed = on_fastgrad("collapse")
    assert "193 weights and 31 biases are one map of 25 weights and 5 biases" in printed
    assert printed.count("the same to 1e-13") == 12
    [without] = re.findall(r"without sigmoids   ([\d.]+)%", printed)
    [with_sigmoids] = re.findall(r"with sigmoids      ([\d.]+)%", printed)
    assert float(without) == 0 and float(with_sigmoids) > 10
    without, with_sigmoids = printed.split("with sigmoids: the output")
    drawing = without.split("its own best affine map")[1]
    assert "." not in drawing and drawing.count("#") == 61  # the curve covers the affine map
    assert with_sigmoids.count(".") > 20 and with_sigmoids.count("#") == 61 + 1
