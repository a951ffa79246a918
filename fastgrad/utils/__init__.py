"""fastgrad.utils: PyTorch's torch.utils: data, checkpoint, hooks, benchmark, tensorboard.  Parts load at the first use."""

from fastgrad._lazy import submodule as _submodule

_LAZY = ("_pytree", "benchmark", "checkpoint", "data", "dlpack", "hooks", "model_zoo", "tensorboard")


def __getattr__(name):
    return _submodule(__name__, name, _LAZY)
