"""The example of fastgrad inside a Cython project: it builds against the package, runs, and its loop makes no Python call."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad

EXAMPLE = Path(__file__).parents[2] / "examples" / "embedding"
PYTHON_CALLS = re.compile(r"PyObject_Call|PyObject_Vectorcall|__Pyx_PyObject_FastCall|__Pyx_PyObject_Call|GetAttr|PyNumber_|PyTuple_New|"
                          r"PyFloat_FromDouble|PyLong_From|GetModuleGlobalName|GetBuiltinName|GetItem|PyObject_RichCompare")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedding")
    for name in ("setup.py", "fit.pyx"):
        shutil.copy(EXAMPLE / name, folder)
    run(folder, "setup.py", "-q", "build_ext", "--inplace")
    return folder


def run(folder, *arguments):
    root = str(Path(fastgrad.__file__).parents[1])
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True,
                          env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin:/usr/local/bin"})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_runs(built):
    loss, weights = eval(run(built, "-c", "import fit; print(fit.fit())"))
    assert loss < 1e-8
    assert abs(weights[0][0] - 0.5) < 1e-3 and abs(weights[1][0] + 0.25) < 1e-3


def body(text, name):
    """The C of one function."""
    start = re.search(rf"^static \w[^\n;]*__pyx_f_\w*{name}\([^;]*?\) {{$", text, re.M)
    assert start, name
    return text[start.start() : text.index("\n}\n", start.start())]


def test_the_loop_makes_no_python_call(built):
    text = (built / "fit.c").read_text()
    assert not PYTHON_CALLS.findall(body(text, "descend"))


def test_the_check_can_fail(built):
    text = (built / "fit.c").read_text()
    assert PYTHON_CALLS.findall(text)
