"""What stands in for torchvision: data sets read from its own files, transforms, image grids, image files, models.

Reached as `torchvision` under `python -m fastgrad SCRIPT` and `torch_compat()`. Its modules load at the first use. Images are
PIL images, through Pillow (the extra `vision`), or tensors of shape (..., channels, height, width).
"""

from .._lazy import submodule as _submodule

__version__ = "0.28.0"  # the version whose behaviour is followed

_LAZY = ("datasets", "io", "models", "transforms", "utils")


def __getattr__(name):
    return _submodule(__name__, name, _LAZY)


def __dir__():
    return sorted({*globals(), *_LAZY})


def get_image_backend():
    """The library that loads images: always "PIL"."""
    return "PIL"


def set_image_backend(backend):
    """Choose the library that loads images: "PIL" is the one there is."""
    if backend != "PIL":
        raise ValueError(f"set_image_backend: the backend must be 'PIL', got {backend!r}")
