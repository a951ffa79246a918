"""Every kernel at every length 0 to 70, on each CPU level that this machine and this build have; see levels.py."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad
from tests.kernels.levels import GROUPS

ROOT = Path(fastgrad.__file__).parents[1]
HERE = Path(__file__).parents[2]


def forced(level, *arguments):
    path = os.pathsep.join([str(HERE), str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run([sys.executable, *arguments], cwd=HERE, capture_output=True, text=True,
                          env={**os.environ, "FASTGRAD_CPU": level, "PYTHONPATH": path})


LEVELS = [level for level in ("v2", "v3", "v4", "generic") if forced(level, "-c", "import fastgrad").returncode == 0]


def test_a_level_can_be_forced():
    assert LEVELS
    done = forced("v9", "-c", "import fastgrad")
    assert done.returncode == 1 and "FASTGRAD_CPU" in done.stderr


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("level", LEVELS)
def test_kernels(level, group):
    done = forced(level, "-m", "tests.kernels.levels", group)
    assert done.returncode == 0, done.stderr[-3000:]
