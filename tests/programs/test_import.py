"""What importing fastgrad costs and touches: little time, and no thread, BLAS, NumPy or file but the package's own modules.

Each question is asked in an interpreter of its own.
"""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

PACKAGE = Path(importlib.util.find_spec("fastgrad").origin).parent


def python(code):
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)        # modules are compiled once, as where the package is installed
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("modules", ["fastgrad", "fastgrad.nn, fastgrad.optim, fastgrad.autograd"])
def test_numpy_is_not_loaded(modules):
    assert python(f"import sys, {modules}; print('numpy' in sys.modules)") == ["False"]


def test_only_modules_are_opened():
    opened = python("""
        import sys
        opened = []
        def watch(event, arguments):
            if event.startswith(("socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork")):
                print(event)
            if event == "open":
                opened.append(str(arguments[0]))
        sys.addaudithook(watch)
        import fastgrad
        fastgrad.ones(3) + 1
        print(*opened, sep="\\n")
        """)
    library = os.path.dirname(os.__file__)
    strangers = [path for path in opened if not path.startswith((str(PACKAGE), library))]
    assert opened and not strangers
    assert all(path.endswith((".py", ".pyc", ".so", ".pyd")) for path in opened)


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux's /proc")
def test_no_thread_and_no_blas():
    threads, *libraries = python("""
        import os, fastgrad
        fastgrad.ones(64, 64) @ fastgrad.ones(64, 64)
        print(len(os.listdir("/proc/self/task")))
        print(*{line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}, sep="\\n")
        """)
    assert threads == "1"
    names = [os.path.basename(path).lower() for path in libraries]
    assert any("_engine" in name for name in names)
    assert not [name for name in names if any(part in name for part in ("blas", "mkl", "omp", "lapack", "torch"))]


def test_no_module_appears_under_a_foreign_name():
    code = "import sys; before = set(sys.modules); import fastgrad; print(*sorted(set(sys.modules) - before), sep='\\n')"
    ours = [name for name in python(code) if "_kernels" in name or "_engine" in name or "_ops" in name]
    assert ours and all(name.startswith("fastgrad.") for name in ours)


def test_few_modules_are_loaded():
    """What takes time is loading modules; `python -m benchmarks` measures the time itself."""
    code = "import sys, numpy; before = set(sys.modules); import fastgrad; print(*sorted(set(sys.modules) - before), sep='\\n')"
    loaded = python(code)
    strangers = [name for name in loaded if name.split(".")[0] != "fastgrad"]
    assert "fastgrad._engine" in loaded
    late = ("distributions", "vision", "utils.data", "utils.tensorboard", "testing")
    assert not [name for name in loaded if name.startswith(tuple(f"fastgrad.{part}" for part in late))]
    assert not set(strangers) & {"asyncio", "unittest", "multiprocessing", "concurrent.futures", "inspect", "typing_extensions", "dataclasses"}
