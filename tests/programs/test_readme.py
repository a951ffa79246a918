"""The README's program does what it says, on fastgrad and, with its imports put back, on both libraries."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "README.md"
PACKAGE_PARENT = Path(importlib.util.find_spec("fastgrad").origin).parents[1]


def program():
    return re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL).group(1)


def printed(code, folder, *runner):
    (folder / "program.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    command = [sys.executable, *runner, "program.py"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    loss, outputs = re.match(r"loss (\S+), outputs (.*)", done.stdout).groups()
    return float(loss), outputs.split()


def learned(loss, outputs):
    return loss < 1e-10 and outputs == ["0.00", "1.00", "1.00", "0.00"]


def test_program_learns(tmp_path):
    assert learned(*printed(program(), tmp_path))


@pytest.mark.parametrize("runner", [(), ("-m", "fastgrad")])
def test_program_with_torch_left_as_it_is(runner, tmp_path):
    pytest.importorskip("torch")
    code = program().replace("import fastgrad as torch", "import torch").replace("from fastgrad", "from torch")
    assert "fastgrad" not in code.replace("python -m fastgrad", "")
    assert learned(*printed(code, tmp_path, *runner))
