"""fastgrad.utils: PyTorch's torch.utils: data, checkpoint, hooks.  Parts load at the first use."""

from fastgrad._lazy import submodule as _submodule

_LAZY = ("_pytree", "checkpoint", "data", "hooks", "tensorboard", "dlpack")


def __getattr__(name):
    return _submodule(__name__, name, _LAZY)
