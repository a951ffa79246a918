"""The programs of examples/course: each runs on PyTorch and on fastgrad, and prints the same words and, to 3 digits, the same numbers.

Training amplifies the last digit of a float, so the numbers are compared with a tolerance; the words are compared exactly.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

COURSE = Path(__file__).parents[2] / "examples" / "course"
PACKAGE_PARENT = Path(importlib.util.find_spec("fastgrad").origin).parents[1]
PROGRAMS = sorted(path.stem for path in COURSE.glob("[0-9]*.py"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?")


def start(name, *runner):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT), "PYTHONIOENCODING": "utf-8", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *runner, str(COURSE / f"{name}.py"), "--quick"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def output(process):
    out, errors = process.communicate(timeout=100)
    return out, errors, process.returncode


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_on_both(name):
    pytest.importorskip("torch")
    reference, ours = start(name), start(name, "-m", "fastgrad")
    (expected, errors, code), (printed, our_errors, our_code) = output(reference), output(ours)
    assert code == 0 and errors == "", errors
    assert our_code == 0 and our_errors == "", our_errors
    assert NUMBER.sub("0", printed).split() == NUMBER.sub("0", expected).split()
    got, want = ([float(n) for n in NUMBER.findall(text)] for text in (printed, expected))
    assert got == pytest.approx(want, rel=1e-3, abs=1e-3)


def test_the_list_names_every_program():
    assert len(PROGRAMS) >= 22
    listed = re.findall(r"^\| (\d\d_\w+) \|", (COURSE / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert PROGRAMS == listed
