"""fastgrad.nn.utils: gradient clipping, parameters as one vector, and what changes how a module's parameters come about."""

from ..._lazy import submodule as _submodule
from . import rnn
from .clip_grad import clip_grad_norm, clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_, get_total_norm
from .convert_parameters import parameters_to_vector, vector_to_parameters

# names that live in a module that is loaded when one of them is asked for
_FROM = {name: module for module, names in {
    "fusion": ("fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"),
    "init": ("skip_init",),
    "memory_format": ("convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"),
    "old_norms": ("remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"),
}.items() for name in names}

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
    "parameters_to_vector",
    "rnn",
    "vector_to_parameters",
    *_FROM,
]


def __getattr__(name):
    if name in _FROM:
        value = globals()[name] = getattr(_submodule(__name__, _FROM[name], (_FROM[name],)), name)
        return value
    return _submodule(__name__, name, ("fusion", "init", "parametrizations", "parametrize", "prune", "stateless"))
