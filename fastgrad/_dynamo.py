"""Names that programs take from PyTorch's compiler: see compiler.py, which compiles nothing."""

from types import SimpleNamespace

from .compiler import disable, is_compiling, list_backends, reset

__all__ = ["config", "disable", "is_compiling", "list_backends", "reset"]

config = SimpleNamespace(cache_size_limit=8, recompile_limit=8, suppress_errors=False, verbose=False)       # of what is not there
