"""fastgrad.nn: modules, parameters, losses, initialization; PyTorch's torch.nn.

modules/ has the classes, functional.py the functions they call, init.py the ways to fill a parameter, utils/ gradient
clipping and the like. No arithmetic over elements lives here: that is the engine's.
"""

from .._lazy import submodule as _submodule
from . import functional, init, modules, utils
from .modules import *
from .parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "functional", "init", "utils", *modules.__all__]


def __getattr__(name):
    if name == "DataParallel":
        return __getattr__("parallel").DataParallel
    return _submodule(__name__, name, ("parallel",))
