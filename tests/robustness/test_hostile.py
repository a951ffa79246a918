"""Every operation with arguments that nobody should pass: see hostile.py."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad

HERE = Path(__file__).parents[2]
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_no_argument_ends_the_process(part):
    path = os.pathsep.join([str(HERE), str(Path(fastgrad.__file__).parents[1])])
    done = subprocess.run([sys.executable, "-m", "tests.robustness.hostile", str(part), str(PARTS)], cwd=HERE, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": path}, timeout=300)
    assert done.returncode == 0, done.stderr[-1500:]
