"""`import torch` gives fastgrad: every promise of the redirect, each in an interpreter of its own.

A program is run by `python -m fastgrad` and, where the question is whether it can tell, by plain `python` as well.
"""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

PACKAGE_PARENT = Path(importlib.util.find_spec("fastgrad").origin).parents[1]


def python(*arguments, cwd, env=None, stdin=""):
    """Runs Python with fastgrad importable; returns the finished process."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("FASTGRAD_TORCH", "PYTHON"))}
    environment.update({"PYTHONPATH": str(PACKAGE_PARENT), **(env or {})})
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, timeout=120)


@pytest.fixture
def run(tmp_path):
    """Runs a program's text as a script on fastgrad; asserts that it ends well; returns what it printed, in lines."""

    def run(code, *arguments, files=None, env=None, runner=("-m", "fastgrad"), check=True):
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(textwrap.dedent(text))
        (tmp_path / "script.py").write_text(textwrap.dedent(code))
        done = python(*runner, "script.py", *arguments, cwd=tmp_path, env=env)
        if check:
            assert done.returncode == 0, done.stderr
            return done.stdout.splitlines()
        return done

    return run


# --- what is there ---


def test_modules_are_real(run):
    lines = run("""
        import sys, types
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        import torch.utils.data
        from torch.version import __version__ as text
        from torch.nn import functional
        import fastgrad
        assert all(isinstance(m, types.ModuleType) for m in (torch, nn, F, torch.utils.data))
        assert torch.nn is nn is sys.modules["torch.nn"] and F is functional is nn.functional is sys.modules["torch.nn.functional"]
        assert torch.Tensor is fastgrad.Tensor and nn.Linear is fastgrad.nn.Linear and F.relu is fastgrad.nn.functional.relu
        assert text == torch.__version__
        print(torch.__name__, nn.__name__, F.__name__, torch.utils.data.__name__)
        """)
    assert lines == ["torch torch.nn torch.nn.functional torch.utils.data"]


def test_submodules_are_there_after_import_torch_alone(run):
    assert run("import torch; print(torch.utils.checkpoint.checkpoint.__name__, torch.optim.SGD.__name__)") == ["checkpoint SGD"]


def test_names_at_the_places_of_pytorchs_files(run):
    run("""
        import torch
        from torch.nn.modules.linear import Linear
        from torch.nn.parameter import Parameter
        from torch.optim.adam import Adam
        from torch.optim.optimizer import Optimizer
        assert Linear is torch.nn.Linear and Parameter is torch.nn.Parameter
        assert Adam is torch.optim.Adam and Optimizer is torch.optim.Optimizer
        """)


def test_star_import_and_dict(run):
    run("""
        from torch import *
        import torch
        assert Tensor is torch.Tensor and manual_seed is torch.manual_seed
        assert torch.optim.__dict__["Adam"] is torch.optim.Adam
        assert {"Linear", "Module"} <= set(dir(torch.nn))
        """)


def test_version(run):
    run("""
        import importlib.metadata, importlib.util
        assert importlib.util.find_spec("torch").name == "torch"
        assert importlib.util.find_spec("torch.no_such_module") is None
        import torch
        assert importlib.util.find_spec("torch") is torch.__spec__
        version = torch.__version__
        assert isinstance(version, str) and version.endswith("+fastgrad") and version == importlib.metadata.version("torch")
        assert tuple(map(int, version.split("+")[0].split("."))) >= (2, 0, 0)
        assert version >= "2.4" and version > (1, 13) and not version < "1.9.1" and version == str(version)
        """)


def test_attributes_can_be_replaced(run):
    run("""
        import functools, torch
        torch.relu = functools.partial(torch.relu)
        assert isinstance(torch.relu, functools.partial)
        torch.brand_new = 3
        from torch import brand_new
        """)


# --- what is not there ---


def test_missing_name_is_imported_in_passing(run):
    run("""
        import typing
        from torch.nn import NoSuchLayer, NoSuchError
        from torch.no_such_module.deeper import thing
        def annotated(x: typing.Optional[NoSuchLayer], y: "NoSuchLayer | None" = None) -> NoSuchLayer[int]: ...
        NoSuchLayer | None
        assert not isinstance(3, NoSuchLayer) and not isinstance(3, (str, NoSuchLayer)) and not issubclass(int, NoSuchLayer)
        assert NoSuchLayer and NoSuchLayer != 3 and "torch.nn.NoSuchLayer" in repr(NoSuchLayer)
        try:
            1 / 0
        except NoSuchError:
            raise
        except ZeroDivisionError:
            pass
        """)


@pytest.mark.parametrize(
    "use, error",
    [
        ("Linaer(2, 3)", "NotImplementedError"),
        ("type('Mine', (Linaer, torch.nn.Module), {})", "NotImplementedError"),
        ("type('Mine', (torch.nn.Module, Linaer), {})", "NotImplementedError"),
        ("Linaer.in_features", "AttributeError"),
        ("3 * Linaer", "NotImplementedError"),
        ("Linaer + 3", "NotImplementedError"),
        ("float(Linaer)", "NotImplementedError"),
        ("list(Linaer)", "NotImplementedError"),
        ("Linaer.__enter__()", "NotImplementedError|AttributeError"),
        ("torch.nn.Linaer", "AttributeError"),
        ("torch.nn.Linaer(2, 3)", "AttributeError"),
    ],
)
def test_missing_name_fails_when_used(run, use, error):
    lines = run(f"""
        import torch
        from torch.nn import Linaer
        try:
            {use}
        except ({error.replace("|", ", ")}) as error:
            print(error)
        """)
    assert len(lines) == 1
    if "__enter__" not in use:
        assert "torch.nn.Linaer is not in fastgrad; near names: " in lines[0] and "torch.nn.Linear" in lines[0]


def test_near_names_are_public(run):
    [line] = run("""
        import torch
        try:
            torch.ethods, torch.laces
        except AttributeError as error:
            print(error)
        """)
    assert line.startswith("torch.ethods is not in fastgrad") and "._" not in line


def test_missing_module(run):
    lines = run("""
        import torch.no_such_module.deeper as deeper
        import torch
        assert deeper is torch.no_such_module.deeper
        try:
            deeper.function(3)
        except AttributeError as error:
            print(error)
        """)
    assert lines == ["torch.no_such_module.deeper.function is not in fastgrad: there is no module torch.no_such_module.deeper"]


def test_probes_are_answered_truthfully(run):
    lines = run("""
        import contextlib
        import torch
        assert not hasattr(torch, "no_such_name") and getattr(torch, "no_such_name", 5) == 5
        from torch import no_such_name
        assert not hasattr(torch, "no_such_name")
        try:
            from torch.nn import NoSuchLayer
        except ImportError as error:
            print(error.name, "NoSuchLayer" in str(error))
        try:
            if True:
                import torch.no_such_module
        except (ValueError, ModuleNotFoundError):
            print("no module")
        with contextlib.suppress(ImportError):
            from torch.nn import NoSuchLayer
            print("not reached")
        try:
            def later():
                from torch.nn import NoSuchLayer
                return NoSuchLayer
        except ImportError:
            pass
        print(later())
        try:
            pass
        except ImportError:
            from torch.nn import AnotherMissing
        """)
    assert lines == ["torch.nn True", "no module", "<torch.nn.NoSuchLayer, which is not in fastgrad>"]


def test_probe_in_code_without_a_file(tmp_path):
    code = "try:\n    import torch.no_such_module\nexcept ImportError:\n    print('none')\n"
    assert python("-m", "fastgrad", "-c", code, cwd=tmp_path).stdout == "none\n"


# --- switching on and off ---


def test_environment_switches_off(run):
    code = "try:\n    import torch\nexcept ImportError:\n    torch = None\nprint('fastgrad' in getattr(torch, '__version__', ''))"
    assert run(code) == ["True"]
    assert run(code, env={"FASTGRAD_TORCH": "0"}) == ["False"]


def test_torch_compat_for_good_and_for_a_block(run):
    code = """
        import sys
        before = list(sys.meta_path), {k: v for k, v in sys.modules.items()}
        import fastgrad
        import fastgrad.redirect
        assert "torch" not in sys.modules
        after = list(sys.meta_path)
        with fastgrad.torch_compat():
            import torch.nn
            assert torch.nn.Linear is fastgrad.nn.Linear
            with fastgrad.torch_compat():
                pass
            import torch.optim
            from torch.nn import NoSuchLayer
        assert sys.meta_path == after and not [name for name in sys.modules if name.partition(".")[0] == "torch"]
        fastgrad.torch_compat()
        fastgrad.torch_compat()
        import torch as again
        assert again.Tensor is fastgrad.Tensor
        assert len(sys.meta_path) == len(after) + 1
        """
    run(code, runner=())


def test_real_torch_comes_back(run):
    fake = {"elsewhere/torch/__init__.py": "__version__ = 'real'", "elsewhere/torch/nn.py": "real = True"}
    lines = run(
        """
        import sys, warnings
        sys.path.insert(0, "elsewhere")
        import torch, torch.nn
        import fastgrad
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with fastgrad.torch_compat():
                import torch as redirected
                assert redirected.Tensor is fastgrad.Tensor
        assert sys.modules["torch"] is torch and sys.modules["torch.nn"] is torch.nn
        [warning] = seen
        print(warning.category.__name__, warning.filename.endswith("script.py"), warning.message)
        """,
        files=fake,
        runner=(),
    )
    assert lines[0].startswith("RuntimeWarning True torch_compat: the real torch is imported already")


# --- libraries that probe ---

PROBE = """
    try:
        import torch
    except ImportError:
        torch = None

    def probe():
        try:
            import torch
            import torch.nn
        except ImportError:
            return None
        return torch.__version__

    def trusting():
        import sys
        if "torch" not in sys.modules:
            return None
        import torch
        return torch.Tensor
    """


def test_block_listed_library_does_not_see_the_redirect(run):
    lines = run(
        """
        import torch, torch.nn
        import scipy.part, mylib, other, scipy
        print(scipy.torch, scipy.probe(), scipy.part.torch, scipy.part.probe())
        print(mylib.torch, mylib.probe())
        print(other.torch is torch, other.probe() == torch.__version__)
        print(scipy.trusting() is torch.Tensor)
        import sys
        print(sys.modules["torch"] is torch, sys.modules["torch.nn"] is torch.nn)
        """,
        files={"scipy/__init__.py": PROBE, "scipy/part.py": PROBE, "mylib.py": PROBE, "other.py": PROBE},
        env={"FASTGRAD_TORCH_BLOCK": "mylib"},
        runner=("-S", "-c", RUN_WITHOUT_SITE),
    )
    assert lines == ["None None None None", "None None", "True True", "True", "True True"]


def test_what_serves_tensors_in_a_block_listed_library_sees_the_redirect(run):
    """As in array_api_compat: the package probes, and loads the module for torch's tensors when it is given one."""
    files = {
        "array_api_compat/__init__.py": textwrap.dedent(PROBE).partition("def probe")[2].join(["def probe", ""]).replace("def trusting", "def namespace(x):\n    from . import torch\n    return torch\n\ndef trusting"),
        "array_api_compat/torch/__init__.py": "from torch import *\nimport torch.linalg\nfrom . import more\n",
        "array_api_compat/torch/more.py": "import torch\n",
        "scipy/__init__.py": "", "scipy/array_api_compat/__init__.py": "", "scipy/array_api_compat/torch.py": "from torch import ones\n",
    }
    run(
        """
        import torch, array_api_compat, scipy.array_api_compat.torch
        assert array_api_compat.probe() is None
        space = array_api_compat.namespace(torch.ones(1))
        assert space.ones is torch.ones and space.torch is torch and space.more.torch is torch
        assert scipy.array_api_compat.torch.ones is torch.ones
        """,
        files=files,
        runner=("-S", "-c", RUN_WITHOUT_SITE),
    )


def test_block_listed_library_sees_the_real_torch(run):
    real = {
        "real/torch/__init__.py": "__version__ = 'real'\nfrom . import nn\ndef late():\n    import torch.nn as nn\n    return nn",
        "real/torch/nn.py": "import torch\nreal = True",
    }
    lines = run(
        """
        import sys
        sys.path.append("real")
        import torch
        import scipy
        print(torch.__version__ == "real", scipy.torch.__version__, scipy.probe(), scipy.torch.late() is scipy.torch.nn)
        import torch.nn
        print(sys.modules["torch"] is torch, torch.nn.__name__, hasattr(torch.nn, "real"))
        """,
        files={"scipy/__init__.py": PROBE, **real},
        runner=("-S", "-c", RUN_WITHOUT_SITE),
    )
    assert lines == ["False real real True", "True torch.nn False"]


# Runs a script with fastgrad and NumPy importable, but no installed torch. NumPy's folder may hold a real torch.
RUN_WITHOUT_SITE = f"""
import sys
from importlib.machinery import PathFinder
class Only:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("numpy", "typing_extensions"):
            return PathFinder.find_spec(name, [{str(Path(importlib.util.find_spec("numpy").origin).parents[1])!r}])
sys.meta_path.append(Only)
sys.path.insert(0, {str(PACKAGE_PARENT)!r})
from fastgrad.redirect import install
install()
sys.argv.pop(0)
sys.path[0] = ""
exec(compile(open(sys.argv[0]).read(), sys.argv[0], "exec"))
"""


# --- as under `python SCRIPT` ---

FACTS = """
    import os, sys, pickle
    class Thing: pass
    main = sys.modules["__main__"]
    print(__name__, main.__dict__ is globals(), sys.argv, main.__file__, sys.path[0])
    print(sorted(n for n in globals() if n[:2] == "__"), getattr(__spec__, "name", None), type(__loader__).__name__, type(__builtins__).__name__)
    print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, Thing.__module__)
    """


def test_a_script_cannot_tell(run, tmp_path):
    (tmp_path / "folder").mkdir()
    run(FACTS, files={"folder/inner.py": FACTS})
    for path in ("script.py", "folder/inner.py", "folder/../script.py", tmp_path / "script.py"):
        plain = python(path, "a", "--b", cwd=tmp_path)
        ours = python("-m", "fastgrad", path, "a", "--b", cwd=tmp_path)
        assert plain.returncode == 0 and ours.stdout == plain.stdout, ours.stderr


def test_links_modules_code_folders_and_stdin(run, tmp_path):
    run(FACTS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "link.py").symlink_to(tmp_path / "script.py")
    (tmp_path / "folder" / "__main__.py").write_text((tmp_path / "script.py").read_text())
    (tmp_path / "folder" / "__init__.py").write_text("")
    code = textwrap.dedent(FACTS).replace("main.__file__", "0")
    calls = [("folder/link.py",), ("folder",), ("-m", "script", "x"), ("-m", "folder", "x"), ("-c", code, "x")]
    for call in calls:
        plain, ours = python(*call, cwd=tmp_path), python("-m", "fastgrad", *call, cwd=tmp_path)
        assert plain.returncode == 0 and ours.stdout == plain.stdout, (call, ours.stderr)
    facts = textwrap.dedent(FACTS).replace("import os", "import torch, os")
    assert python("-m", "fastgrad", "-", "x", cwd=tmp_path, stdin=facts).stdout.startswith("__main__ True ['-', 'x'] <stdin>")


FAILURES = {
    "error": "def f():\n    1 / 0\nf()",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('bad') from e",
    "syntax": "x = = 3",
    "imported": "import broken",
    "exit": "import sys; sys.exit(3)",
    "exit text": "import sys; sys.exit('bye')",
    "exit none": "raise SystemExit",
    "hook": "import sys, traceback\nsys.excepthook = lambda *e: print('hook', e[0], len(traceback.extract_tb(e[2])))\n1 / 0",
    "interrupt": "raise KeyboardInterrupt",
    "formatted": "import traceback\ntry:\n    import broken\nexcept Exception:\n    traceback.print_exc()",
    "atexit": "import atexit; atexit.register(print, 'end'); [][1]",
    "hook fails": "import sys\ndef hook(*e): raise ValueError('in the hook')\nsys.excepthook = hook\n1 / 0",
    "no hook": "import sys\nsys.excepthook = None\n1 / 0",
    "hook deleted": "import sys\ndel sys.excepthook\n1 / 0",
    "hook exits": "import sys\nsys.excepthook = lambda *e: sys.exit(4)\n1 / 0",
    "recursion": "import sys\nsys.tracebacklimit = 2\ndef f(): f()\nf()",
}


@pytest.mark.parametrize("kind", FAILURES)
def test_tracebacks_and_exit_codes(run, kind, tmp_path):
    run(FAILURES[kind], files={"broken.py": "import json\nraise RuntimeError('broken')"}, check=False)
    ways = [("script.py",), ("-m", "script")] + ([("-c", FAILURES[kind])] if kind != "syntax" else [])
    for way in ways:
        plain, ours = python(*way, cwd=tmp_path), python("-m", "fastgrad", *way, cwd=tmp_path)
        assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr), way


def test_tracebacks_end_in_the_program(run):
    code = """
        import torch
        from torch.nn import functional as F
        def layer(x):
            return F.linear(x, torch.ones(4, 5))
        layer(torch.ones(2, 3))
        """
    error = run(code, check=False).stderr
    assert error.startswith("Traceback") and "RuntimeError: " in error
    frames = re.findall(r'File "(.*?)", line (\d+), in (\S+)', error)
    assert [(Path(file).name, line, function) for file, line, function in frames] == [("script.py", "6", "<module>"), ("script.py", "5", "layer")]


def test_missing_script_and_bad_options(tmp_path):
    plain, ours = python("nothing.py", cwd=tmp_path), python("-m", "fastgrad", "nothing.py", cwd=tmp_path)
    assert ours.returncode == plain.returncode == 2
    assert ours.stderr.split(": ", 1)[1] == plain.stderr.split(": ", 1)[1]
    plain, ours = python("-m", "nothing", cwd=tmp_path), python("-m", "fastgrad", "-m", "nothing", cwd=tmp_path)
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr)
    assert python("-m", "fastgrad", "--nonsense", cwd=tmp_path).returncode == 2
    assert "SCRIPT" in python("-m", "fastgrad", "--help", cwd=tmp_path).stdout
    assert re.match(r"fastgrad \d+\.\d+", python("-m", "fastgrad", "--version", cwd=tmp_path).stdout)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_a_script_as_python_does(tmp_path):
    (tmp_path / "script.py").write_text("import time\nprint('ready', flush=True)\ntime.sleep(60)")
    codes = []
    for runner in ((), ("-m", "fastgrad")):
        env = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
        command = [sys.executable, *runner, "script.py"]
        options = {"cwd": tmp_path, "env": env, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        # A job of a shell in the background inherits an ignored SIGINT; a terminal's does not.
        with subprocess.Popen(command, **options, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) as process:
            process.stdout.readline()
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            error = process.communicate(timeout=60)[1]
            codes.append((process.returncode, error))
    assert codes[0] == codes[1] and codes[0][0] == -signal.SIGINT


# --- child processes ---


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_child_processes_have_the_redirect(run, method):
    if os.name == "nt" and method != "spawn":
        pytest.skip("POSIX only")
    lines = run(
        """
        import multiprocessing, sys
        import torch
        from torch.nn import NoSuchLayer

        class Job:
            def __init__(self, n): self.n = n

        def work(job):
            import torch.nn
            return job.n + 1, torch.__version__.endswith("fastgrad"), torch.nn.__name__, type(job).__module__

        if __name__ == "__main__":
            with multiprocessing.get_context(sys.argv[1]).Pool(2) as pool:
                for result in pool.map(work, [Job(1), Job(2)]):
                    print(*result)
        """,
        method,
    )
    assert [line.rsplit(" ", 1)[0] for line in lines] == ["2 True torch.nn", "3 True torch.nn"]


def test_spawned_children_find_fastgrad_by_the_parents_path(tmp_path):
    (tmp_path / "script.py").write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(PACKAGE_PARENT)!r})
        if __name__ == "__main__":
            import fastgrad
            fastgrad.torch_compat(block=("mylib",))
        import torch
        def work(queue):
            from fastgrad.redirect import active
            queue.put((torch.__version__, "mylib" in active().blocked))
        if __name__ == "__main__":
            import multiprocessing
            context = multiprocessing.get_context("spawn")
            queue = context.SimpleQueue()
            process = context.Process(target=work, args=(queue,))
            process.start()
            print(queue.get())
            process.join()
        """)
    )
    done = python("script.py", cwd=tmp_path, env={"PYTHONPATH": ""})
    assert done.returncode == 0 and "fastgrad', True)" in done.stdout, done.stderr
