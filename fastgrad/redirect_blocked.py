"""Libraries for which the redirect does not exist.

A library that probes (`try: import torch`) would take fastgrad's modules for PyTorch itself. So the modules of a block-listed
top-level package are run with builtins of their own, whose `__import__` hides the redirect while it imports torch: they get
the real torch where it is installed, ImportError where not. Nobody else's import statements pay for it. Not covered: a
block-listed library that was imported before the redirect was switched on sees fastgrad once the program has imported torch.
"""

import builtins
import os
import sys
from importlib.machinery import SourceFileLoader
from types import ModuleType

from .redirect_missing import expects_import_error

__all__ = ["blocked_packages", "blocked_spec", "blocking_builtins"]

# Libraries that look for torch without having been asked to. Those that serve it (einops, tensorboardX) must not be here.
DEFAULT = """
    IPython PIL _pytest array_api_compat array_api_extra cloudpickle cupy dask dill h5py hypothesis ipykernel jax jaxlib joblib
    keras matplotlib mlx networkx numba numpy pandas polars psutil pyarrow pydantic pytest rich scipy seaborn sklearn sparse
    statsmodels sympy tensorflow tqdm xarray
"""


def blocked_packages(extra=()):
    """The names of the top-level packages left alone: the defaults, FASTGRAD_TORCH_BLOCK (a comma between names), `extra`."""
    named = os.environ.get("FASTGRAD_TORCH_BLOCK", "").replace(",", " ").split()
    return {*DEFAULT.split(), *named, *extra}


def blocking_builtins(finder):
    """The builtins for a blocked module: Python's, with an `__import__` that hides what `finder` redirects."""

    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        if level or not finder.redirects(name):
            return builtins.__import__(name, globals, locals, fromlist, level)
        try:
            with finder.hidden():
                return builtins.__import__(name, globals, locals, fromlist, level)
        except ModuleNotFoundError as error:
            if not finder.redirects(error.name or "") or not trusts_sys_modules(sys._getframe(1)):
                raise
        return builtins.__import__(name, globals, locals, fromlist, level)

    return {**vars(builtins), "__import__": __import__}


def trusts_sys_modules(frame):
    """True for an import in a function with no `except ImportError`: such code found "torch" in sys.modules before (as
    array_api_compat does) and would crash if it were told that there is none."""
    return "torch" in sys.modules and frame.f_code.co_name != "<module>" and not expects_import_error(frame)


class BlockedLoader(SourceFileLoader):
    """Loads a module from source as usual, with the given builtins."""

    def __init__(self, fullname, path, module_builtins):
        super().__init__(fullname, path)
        self.module_builtins = module_builtins

    def create_module(self, spec):
        module = ModuleType(spec.name)
        module.__dict__["__builtins__"] = self.module_builtins
        return module


def blocked_spec(finder, fullname, path):
    """The spec another finder has for `fullname`, with our loader where it is plain Python source; None if there is none.

    Other loaders (extension modules, pytest's rewritten modules) stay as they are."""
    spec = spec_elsewhere(finder, fullname, path)
    if spec is not None and type(spec.loader) is SourceFileLoader:
        spec.loader = BlockedLoader(spec.loader.name, spec.loader.path, finder.module_builtins)
    return spec


def spec_elsewhere(finder, fullname, path):
    """What the finders other than ours say to `fullname`."""
    others = (other for other in sys.meta_path if other is not finder and hasattr(other, "find_spec"))
    return next(filter(None, (other.find_spec(fullname, path) for other in others)), None)
