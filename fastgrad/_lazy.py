"""Submodules that load when somebody asks for them: what a package's `__getattr__` calls."""

from importlib import import_module


def submodule(package, name, names):
    """The submodule `name` of `package`, imported now.

    Args:
        package: the package's full name.
        names: the submodules that load this way; one of them may not exist yet.
    Raises:
        AttributeError: it is not among them, or does not exist.
    """
    if name in names:
        try:
            return import_module(f"{package}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{package}.{name}":
                raise
    raise AttributeError(f"module {package!r} has no attribute {name!r}")
