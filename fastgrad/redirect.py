"""`import torch` gives fastgrad: `python -m fastgrad SCRIPT`, `fastgrad.torch_compat()`.

A finder at the head of sys.meta_path answers for `torch` and `torchvision`. It makes a real module object for each of PyTorch's
modules, which mirrors fastgrad's module of that name, or an empty one where there is none.

A missing name: `torch.nn.Foo` raises AttributeError, so hasattr is truthful; `from torch.nn import Foo` gives a stand-in that
fails on use. Python tells the two apart for us: for a from-import of a name the module lacks it asks for a submodule
`torch.nn.Foo`, ignores that there is none if sys.modules has an entry of that name, and last looks that entry up. So
`find_spec` leaves the stand-in there, and no module ever has it as an attribute. An import that stands in a `try` with
`except ImportError` is a question: it fails. FASTGRAD_TORCH=0 switches all this off.
"""

import os
import sys
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from threading import local
from types import ModuleType

from .redirect_blocked import blocked_packages, blocked_spec, blocking_builtins, spec_elsewhere
from .redirect_missing import MissingAttribute, expects_import_error, importing_frame, stand_in
from .redirect_spawn import SPAWN_MODULES, SpawnLoader, patch_if_loaded

__all__ = ["active", "install", "torch_compat", "uninstall"]

PACKAGE = __name__.partition(".")[0]
TREES = {"torch": PACKAGE, "torchvision": PACKAGE + ".vision"}

# fastgrad's own, no part of PyTorch
NOT_TORCH = {"demo", "redirect", "redirect_blocked", "redirect_metadata", "redirect_missing", "redirect_spawn", "torch_compat"}

# PyTorch's files whose names fastgrad may keep a level higher: `from torch.nn.modules.linear import Linear`.
FLATTENED = {
    "torch.nn.modules": "nn",
    "torch.nn.parameter": "nn",
    "torch._tensor": "",
    "torch.functional": "",
    "torch.random": "",
    "torch.serialization": "",
}
FLAT_PACKAGES = {"torch.autograd", "torch.distributions", "torch.nn.utils", "torch.optim", "torch.utils.data", "torchvision.io"}

# array_api_compat, and the copies of it in other libraries, load this for a tensor alone.
SERVES_TORCH = ".array_api_compat.torch"

# Values a module may set anew while the program runs, so they are looked up every time. The rest is copied once.
LIVE = (bool, int, str, type(None), ModuleType)
MISSING = object()


class Finder:
    """The redirect, while it is on: an entry of sys.meta_path and the loader of what it finds.

    Invariants:
    1. `mirrors` holds the one module object there is for each name of PyTorch's; sys.modules has it unless hidden.
    2. `real` holds the real torch's modules, which are in sys.modules only while this thread is in `hidden()`.
    """

    def __init__(self, block=()):
        self.blocked = blocked_packages(block)
        self.mirrors = {}
        self.real = {}
        self.thread = local()
        self.module_builtins = blocking_builtins(self)

    def redirects(self, name):
        """True if `name` is a module of PyTorch's, or of a package that goes with it."""
        return name.partition(".")[0] in TREES

    # --- finding ---

    def find_spec(self, fullname, path=None, target=None):
        if fullname in SPAWN_MODULES:
            spec = spec_elsewhere(self, fullname, path)
            if spec is not None:
                spec.loader = SpawnLoader(spec.loader.name, spec.loader.path)
            return spec
        hiding = getattr(self.thread, "hiding", False)
        root = fullname.partition(".")[0]
        if hiding or self.blocks(fullname):  # while it hides, what gets loaded belongs to the real torch
            return blocked_spec(self, fullname, path)
        if root in TREES:
            return self.find_torch(fullname, *importing_frame())
        return None

    def find_torch(self, fullname, frame, functions):
        """The spec of one of PyTorch's modules, for an import in `frame` through the import system's `functions`."""
        parent, _, name = fullname.rpartition(".")
        asking = "find_spec" in functions  # importlib.util.find_spec
        if self.comes_from_blocked(frame):
            if asking:
                return None
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        from_import = "_handle_fromlist" in functions
        target = self.target_of(fullname, from_import)
        if target is None:
            if asking or (frame is not None and expects_import_error(frame)):
                return None
            if from_import:  # see this file's header
                sys.modules[fullname] = stand_in(fullname, names_of(self.target_above(fullname)))
                raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return ModuleSpec(fullname, self, origin=getattr(target, "__file__", None), loader_state=target, is_package=True)

    def comes_from_blocked(self, frame):
        return frame is not None and self.blocks(frame.f_globals.get("__name__", ""))

    def blocks(self, name):
        """True for a module of a blocked package, unless it is there to serve torch's tensors, once it was given one."""
        return name.partition(".")[0] in self.blocked and SERVES_TORCH not in f".{name}"

    def target_above(self, fullname):
        """fastgrad's object for the module that the module `fullname` is in."""
        return self.mirrors[fullname.rpartition(".")[0]].__spec__.loader_state

    def target_of(self, fullname, from_import):
        """fastgrad's object for one of PyTorch's modules, None if it has none. The module above must have been found."""
        parent, _, name = fullname.rpartition(".")
        if not parent:
            return import_module(TREES[fullname])
        target = lookup(self.target_above(fullname), name)
        if target is not MISSING:
            return target
        return None if from_import else self.flat_target(fullname)

    def flat_target(self, fullname):
        """fastgrad's module that has, a level higher, the names of one of PyTorch's files; None for most modules."""
        for prefix, place in FLATTENED.items():
            if fullname == prefix or fullname.startswith(prefix + "."):
                return import_module(f"{PACKAGE}.{place}".rstrip("."))
        return self.target_above(fullname) if fullname.rpartition(".")[0] in FLAT_PACKAGES else None

    # --- loading ---

    def create_module(self, spec):
        if spec.name not in self.mirrors:
            self.mirrors[spec.name] = self.mirror(spec.name, spec.loader_state)
        return self.mirrors[spec.name]

    def exec_module(self, module):
        pass

    def mirror(self, fullname, target):
        """A module that has the names of `target`, a module or any object with attributes; of none if it is None."""
        module = ModuleType(fullname, getattr(target, "__doc__", None))
        if isinstance(target, ModuleType):
            values = vars(target).items()
            module.__dict__.update({name: value for name, value in values if name[:2] != "__" and not isinstance(value, LIVE)})
            module.__file__ = getattr(target, "__file__", None)
            self.keep_hidden_modules(fullname, target)
        for name in NOT_TORCH:
            module.__dict__.pop(name, None)

        def __getattr__(name):
            if name == "__all__":
                return getattr(target, "__all__", None) or sorted(n for n in names_of(target) or () if n[:1] != "_")
            value = lookup(target, name)
            if value is MISSING and not name.startswith("__"):
                value = lookup(self.flat_target(fullname), name)
            if value is MISSING:
                raise MissingAttribute(f"{fullname}.{name}", names_of(target))
            if isinstance(value, ModuleType):
                value = self.mirror_of(value)
            if not isinstance(value, LIVE):
                module.__dict__[name] = value
            return value

        module.__getattr__ = __getattr__
        module.__dir__ = lambda: sorted({*module.__dict__, *(names_of(target) or ())} - {"__getattr__", "__dir__"})
        if fullname == "torch":
            from .torch_version import __version__

            module.__version__ = __version__
        return module

    def keep_hidden_modules(self, fullname, package):
        """Mirrors the modules of a package that something else in it hides by its name, as the function `models.alexnet` does.

        They go into sys.modules now: an import of one would make it the attribute.
        """
        for name, value in vars(package).items():
            hidden = sys.modules.get(f"{package.__name__}.{name}")
            if hidden is not None and hidden is not value and not isinstance(value, ModuleType):
                spec = ModuleSpec(f"{fullname}.{name}", self, origin=hidden.__file__, loader_state=hidden, is_package=True)
                sys.modules[spec.name] = module_from_spec(spec)

    def mirror_of(self, module):
        """The module under PyTorch's name for one of fastgrad's public modules; other modules are what they are."""
        for root, target in sorted(TREES.items(), key=lambda item: -len(item[1])):
            if module.__name__ == target or module.__name__.startswith(target + "."):
                rest = module.__name__[len(target) :]
                return module if "._" in rest else import_module(root + rest)
        return module

    # --- the real torch ---

    def take_out(self):
        """Removes from sys.modules, and returns, what goes by PyTorch's names."""
        return {name: sys.modules.pop(name) for name in list(sys.modules) if self.redirects(name)}

    @contextmanager
    def hidden(self):
        """In this block the calling thread imports torch as if there were no redirect."""
        if getattr(self.thread, "hiding", False):
            yield
            return
        self.thread.hiding, ours = True, self.take_out()
        sys.modules.update(self.real)
        try:
            yield
        finally:
            self.real = self.take_out()
            sys.modules.update(ours)
            self.thread.hiding = False

    def find_distributions(self, context):
        """For importlib.metadata: `version("torch")` is the version that torch.__version__ gives."""
        if context.name != "torch" or self.comes_from_blocked(importing_frame()[0]):
            return []
        from .redirect_metadata import TorchDistribution

        return [TorchDistribution()]

    def invalidate_caches(self):
        pass


def exists(fullname):
    """True if there is such a module of fastgrad's; does not import it."""
    parent = sys.modules.get(fullname.rpartition(".")[0])
    return fullname in sys.modules or PathFinder.find_spec(fullname, parent.__path__) is not None


def lookup(target, name):
    """What fastgrad has under `name` in `target`: an attribute, or a module not imported yet; MISSING if nothing."""
    if target is None or name in NOT_TORCH:
        return MISSING
    value = getattr(target, name, MISSING)
    if value is MISSING and hasattr(target, "__path__") and not name.startswith("_"):
        submodule = f"{target.__name__}.{name}"
        if exists(submodule):
            return import_module(submodule)
    return value


def names_of(target):
    """The public names there are, for a message; None if the module itself is missing."""
    if target is None:
        return None
    return [name for name in dir(target) if not name.startswith("__") and name not in NOT_TORCH]


def active():
    """The redirect that is on, None if it is off."""
    return next((finder for finder in sys.meta_path if isinstance(finder, Finder)), None)


def install(block=()):
    """Switches the redirect on, unless it is on already or FASTGRAD_TORCH=0; returns the new finder, or None."""
    if os.environ.get("FASTGRAD_TORCH") == "0":
        return None
    finder = active()
    if finder is not None:
        finder.blocked.update(block)
        return None
    finder = Finder(block)
    finder.real = finder.take_out()
    if "torch" in finder.real:
        import warnings

        warnings.warn(
            "torch_compat: the real torch is imported already. From now on `import torch` gives fastgrad, inside the real torch too,"
            " which may then fail. Switch the redirect on first, or run the program with `python -m fastgrad`.",
            RuntimeWarning,
            stacklevel=3,
        )
    sys.meta_path.insert(0, finder)
    patch_if_loaded()
    name_tensor("torch.Tensor")
    return finder


def uninstall(finder):
    """Switches the redirect off: sys.meta_path and sys.modules are as before `install`."""
    sys.meta_path.remove(finder)
    finder.take_out()
    sys.modules.update(finder.real)
    name_tensor(f"{PACKAGE}.Tensor")


def name_tensor(name):
    """What `print(type(x))` calls a tensor's type."""
    import_module(f"{PACKAGE}._engine")._set_type_name(name)


class torch_compat:
    """`import torch` gives fastgrad, from the call on, or within a `with` block.

    Args:
        block: top-level packages that shall not see the redirect, besides those of the default list and of the
            environment variable FASTGRAD_TORCH_BLOCK.

    With FASTGRAD_TORCH=0 in the environment it does nothing. Where it is on already, a `with` block leaves it on.

    Example:
        fastgrad.torch_compat()
        import torch
    """

    def __init__(self, block=()):
        self.finder = install(block)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.finder is not None:
            uninstall(self.finder)
