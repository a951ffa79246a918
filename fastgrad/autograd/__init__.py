"""fastgrad.autograd: PyTorch's torch.autograd: backward, grad, custom functions, checks of gradients.

The work is the engine's; here are the names, and what is best said in Python.
"""

from fastgrad._engine import backward, grad

from . import anomaly_mode, function, grad_mode, graph, variable
from .anomaly_mode import detect_anomaly, set_detect_anomaly
from .function import Function
from .grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from .variable import Variable

__all__ = ["Function", "Variable", "anomaly_mode", "backward", "detect_anomaly", "enable_grad", "forward_ad", "function", "functional", "grad",
           "grad_mode",
           "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad", "set_detect_anomaly", "set_grad_enabled",
           "variable"]


def __getattr__(name):
    if name in ("gradcheck", "gradgradcheck"):
        from importlib import import_module

        module = import_module(f"{__name__}.gradcheck")  # the functions take the module's place
        globals().update(gradcheck=module.gradcheck, gradgradcheck=module.gradgradcheck)
        return globals()[name]
    if name in ("forward_ad", "functional", "profiler"):
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
