"""`python -m fastgrad SCRIPT`: runs a PyTorch program on fastgrad.

The program must not be able to tell that it was not started by `python SCRIPT`: sys.argv, sys.path[0], `__main__`, exit codes
and tracebacks are as there. Without arguments the demonstration runs.
"""

import os
import sys
from importlib.machinery import BuiltinImporter, SourceFileLoader
from types import ModuleType

from .redirect import install
from .redirect_missing import SOURCES

USAGE = """\
usage: python -m fastgrad                      the demonstration: learns to read handwritten digits
       python -m fastgrad SCRIPT [ARGUMENTS]   runs a PyTorch program on fastgrad: `import torch` gives fastgrad
       python -m fastgrad -m MODULE [ARGUMENTS]
       python -m fastgrad -c CODE [ARGUMENTS]
       python -m fastgrad --version

environment: FASTGRAD_TORCH=0         `import torch` gives what it gives without fastgrad
             FASTGRAD_TORCH_BLOCK=a,b further packages that shall not see fastgrad as torch
"""


def main():
    arguments = sys.argv[1:]
    if not arguments:
        from .demo import main as demo

        return demo()
    first = arguments[0]
    if first in ("-h", "--help"):
        print(USAGE, end="")
    elif first in ("-V", "--version"):
        from .version import __version__, release

        print(f"fastgrad {release} (torch {__version__})")
    elif first in ("-m", "-c") and len(arguments) > 1:
        install()
        sys.argv = [first, *arguments[2:]]
        run_module(arguments[1]) if first == "-m" else run_code(arguments[1])
    elif first.startswith("-") and first != "-":
        print(f"python -m fastgrad: unknown or incomplete option {first}\n{USAGE}", end="", file=sys.stderr)
        return 2
    else:
        install()
        sys.argv = arguments
        return run_script(first)
    return 0


def run_module(name):
    """Runs a module as `python -m name`."""
    import runpy

    new_main(BuiltinImporter)
    run(lambda: runpy._run_module_as_main(name))


def run_code(code):
    """Runs code as `python -c code`."""
    set_first_path("")
    SOURCES["<string>"] = code
    run_source(code, "<string>", new_main(BuiltinImporter))


def run_script(path):
    """Runs a file, a folder or archive with a __main__.py, or standard input, as `python path`."""
    if path == "-":
        set_first_path("")
        code = SOURCES["<stdin>"] = sys.stdin.read()
        return run_source(code, "<stdin>", new_main(BuiltinImporter, "<stdin>"))
    absolute = os.path.abspath(path)
    if is_package_path(absolute):
        import runpy

        set_first_path(absolute)
        new_main(BuiltinImporter)
        return run(lambda: runpy._run_module_as_main("__main__", alter_argv=False))
    try:
        with open(path, "rb") as file:
            code = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {absolute!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        return 2
    set_first_path(os.path.dirname(os.path.realpath(path)))
    # As typed, like Python, which makes it absolute but does not tidy it.
    file = path if os.path.isabs(path) else os.path.join(os.getcwd(), path)
    return run_source(code, file, new_main(SourceFileLoader("__main__", file), file))


def is_package_path(path):
    """True for a folder or a zip archive: what Python runs by its __main__.py."""
    if os.path.isdir(path):
        return True
    from zipfile import is_zipfile

    return not path.endswith(".py") and os.path.isfile(path) and is_zipfile(path)


def set_first_path(path):
    """Sets sys.path[0], which `python -m` set to the current folder; with `python -P` or -I there is no such entry."""
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = path


def new_main(loader, file=None):
    """A fresh module `__main__`, with what Python puts in it."""
    import builtins

    module = sys.modules["__main__"] = ModuleType("__main__")
    module.__loader__, module.__builtins__ = loader, builtins
    if sys.version_info < (3, 14):
        module.__annotations__ = {}
    if file is not None:
        module.__file__ = file
        module.__cached__ = None
    return module


def run_source(code, file, module):
    run(lambda: exec(compile(code, file, "exec", dont_inherit=True), module.__dict__))


def run(program):
    """Calls `program`. An exception is reported as if its outermost frame were the program's, not ours.

    It is then raised on, with nothing left to report, for the interpreter's own exit code and its way to die of Ctrl-C.
    """
    failure = None
    try:
        program()
    except SystemExit:
        raise
    except BaseException as error:
        failure = error
    if failure is not None:  # out of the handler, so that what fails in a hook is not chained to it
        frames = failure.__traceback__
        while frames is not None and frames.tb_frame.f_globals is globals():
            frames = frames.tb_next
        cut_engine_frames(frames)
        report(failure.with_traceback(frames))
        sys.excepthook = lambda *reported: None
        raise failure


def report(error):
    """Shows an exception by sys.excepthook; where that is missing or fails itself, says so, in the interpreter's words."""
    if not hasattr(sys, "excepthook"):
        tell("sys.excepthook is missing")
        return show(error)
    try:
        return sys.excepthook(type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as failure:
        failed = failure.with_traceback(failure.__traceback__.tb_next)
    tell("Error in sys.excepthook:")
    show(failed)
    tell("\nOriginal exception was:")
    show(error)


def show(error):
    sys.__excepthook__(type(error), error, error.__traceback__)


def tell(line):
    if sys.stderr is not None:
        print(line, file=sys.stderr)


def cut_engine_frames(frames):
    """Ends a traceback at the last line that has a source to show: compiled frames say nothing to the program's author."""
    last = None
    while frames is not None:
        file, module = frames.tb_frame.f_code.co_filename, frames.tb_frame.f_globals.get("__name__", "")
        if not file.endswith((".pxi", ".pyx")) and not module.startswith(f"{__package__}.redirect"):
            last = frames
        frames = frames.tb_next
    if last is not None:
        last.tb_next = None


if __name__ == "__main__":
    sys.exit(main())
