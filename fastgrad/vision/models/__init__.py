"""torchvision.models: networks with torchvision's parameter names and, for a seed, its initial weights. None comes trained."""

from . import alexnet as _alexnet, densenet as _densenet, googlenet as _googlenet, mobilenetv2 as _mobilenet, resnet as _resnet, vgg as _vgg
from .alexnet import *
from .densenet import *
from .googlenet import *
from .mobilenetv2 import *
from .resnet import *
from .vgg import *

# In PyTorch's package the functions hide the modules of the same name in just this way, but for `from ... import`.
__all__ = [*_alexnet.__all__, *_densenet.__all__, *_googlenet.__all__, *_mobilenet.__all__, *_resnet.__all__, *_vgg.__all__]
BUILDERS = {name: value for name, value in globals().items() if name in __all__ and name.islower()}


def list_models(module=None, include=None, exclude=None):
    """The names of the models there are.

    Args:
        module: accepted as None alone.
        include, exclude: patterns, or lists of patterns, as of a shell.
    """
    from fnmatch import fnmatch

    if module is not None:
        raise NotImplementedError(f"list_models: module must be None, got {module!r}")
    included, excluded = ([p] if isinstance(p, str) else list(p or ()) for p in (include, exclude))
    names = [n for n in BUILDERS if not included or any(fnmatch(n, pattern) for pattern in included)]
    return sorted(n for n in names if not any(fnmatch(n, pattern) for pattern in excluded))


def get_model_builder(name):
    """The function that builds the model of this name.

    Raises:
        ValueError: there is none.
    """
    if name.lower() not in BUILDERS:
        raise ValueError(f"Unknown model {name.lower()}")
    return BUILDERS[name.lower()]


def get_model(name, **config):
    """The model of this name, built with the keywords of its builder."""
    return get_model_builder(name)(**config)
