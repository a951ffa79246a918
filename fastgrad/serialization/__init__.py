"""save and load in PyTorch's zip format: files go both ways between fastgrad and PyTorch.

A file is a zip archive of stored entries: data.pkl, which refers to storages by number, and data/<number>, their bytes.  The pickle names
PyTorch's functions and classes; `torch.x` in a file is `fastgrad.x` here.  With weights_only, which is the default, a file can call
nothing but what rebuilds tensors and containers: every opcode and every name that is not on a list is refused.
"""

from .reading import load
from .unpickling import add_safe_globals, clear_safe_globals, get_safe_globals, safe_globals
from .writing import save

__all__ = ["save", "load", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]
