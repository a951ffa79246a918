"""fastgrad.utils: PyTorch's torch.utils: data, checkpoint, hooks.  Parts load at the first use."""

from importlib import import_module as _import_module

_LAZY = ("checkpoint", "data", "hooks", "tensorboard", "dlpack")


def __getattr__(name):
    if name in _LAZY:
        try:
            return _import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
