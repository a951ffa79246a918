"""fastgrad.nn.functional: the engine's operations under the names of torch.nn.functional, and small compositions of them.

An operation that the engine offers with PyTorch's full signature is only re-exported, so calling it costs no Python frame.
"""

import warnings

import fastgrad as fg
from fastgrad import _ops as _e
from fastgrad._ops import (
    avg_pool1d,
    avg_pool2d,
    avg_pool3d,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    celu,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    cross_entropy,
    dropout,
    elu,
    embedding,
    gelu,
    hardshrink,
    hardsigmoid,
    hardtanh,
    hardswish,
    huber_loss,
    l1_loss,
    leaky_relu,
    linear,
    logsigmoid,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    mish,
    mse_loss,
    nll_loss,
    one_hot,
    pad,
    relu,
    selu,
    sigmoid,
    silu,
    smooth_l1_loss,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)

from fastgrad import bilinear, channel_shuffle, pdist, pixel_shuffle, pixel_unshuffle, prelu

from .adaptive_pooling import *
from .adaptive_pooling import __all__ as _adaptive
from .attention import multi_head_attention_forward, scaled_dot_product_attention
from .bags import embedding_bag
from .ctc import ctc_loss
from .dropouts import *
from .dropouts import __all__ as _dropouts
from .folding import *
from .folding import __all__ as _folding
from .fractional_pooling import *
from .fractional_pooling import __all__ as _fractional
from .gated import *
from .gated import __all__ as _gated
from .margins import multi_margin_loss, multilabel_margin_loss
from .more_losses import (
    cosine_embedding_loss,
    cosine_similarity,
    gaussian_nll_loss,
    hinge_embedding_loss,
    kl_div,
    linear_cross_entropy,
    margin_ranking_loss,
    multilabel_soft_margin_loss,
    pairwise_distance,
    poisson_nll_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .resampling import *
from .resampling import __all__ as _resampling
from .normalizing import batch_norm, group_norm, instance_norm, layer_norm, local_response_norm, rms_norm

__all__ = [
    *_adaptive,
    *_dropouts,
    *_folding,
    *_fractional,
    *_gated,
    *_resampling,
    "bilinear",
    "channel_shuffle",
    "ctc_loss",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "pdist",
    "pixel_shuffle",
    "pixel_unshuffle",
    "prelu",
    "conv_tbc",
    "max_pool1d_with_indices",
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
    "adaptive_max_pool1d_with_indices",
    "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d_with_indices",
    "native_channel_shuffle",
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "batch_norm",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "local_response_norm",
    "rms_norm",
    "celu",
    "celu_",
    "cross_entropy",
    "dropout",
    "elu",
    "elu_",
    "embedding",
    "embedding_bag",
    "gelu",
    "hardshrink",
    "hardsigmoid",
    "hardtanh",
    "hardswish",
    "hardtanh_",
    "huber_loss",
    "l1_loss",
    "leaky_relu",
    "leaky_relu_",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mish",
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "mse_loss",
    "multi_head_attention_forward",
    "nll_loss",
    "normalize",
    "cosine_embedding_loss",
    "cosine_similarity",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "kl_div",
    "linear_cross_entropy",
    "margin_ranking_loss",
    "multilabel_soft_margin_loss",
    "pairwise_distance",
    "poisson_nll_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
    "triplet_margin_with_distance_loss",
    "one_hot",
    "pad",
    "relu",
    "selu",
    "selu_",
    "relu6",
    "relu_",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
    "threshold_",
]


def _max_pool_with_indices(function):
    def pool(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        return function(input, kernel_size, stride, padding, dilation, ceil_mode, return_indices=True)

    return _named_with_indices(pool, function)


def _adaptive_with_indices(function):
    def pool(input, output_size, return_indices=False):
        return function(input, output_size, True)

    return _named_with_indices(pool, function)


def _named_with_indices(pool, function):
    """A pooling that gives the places of its maxima, too, whatever its last argument says."""
    pool.__name__ = pool.__qualname__ = function.__name__ + "_with_indices"
    pool.__doc__ = f"{function.__name__}'s maxima, and where they are."
    return pool


max_pool1d_with_indices, max_pool2d_with_indices, max_pool3d_with_indices = map(_max_pool_with_indices, (max_pool1d, max_pool2d, max_pool3d))
adaptive_max_pool1d_with_indices, adaptive_max_pool2d_with_indices, adaptive_max_pool3d_with_indices = map(
    _adaptive_with_indices, (adaptive_max_pool1d, adaptive_max_pool2d, adaptive_max_pool3d))


def native_channel_shuffle(input, groups):
    """channel_shuffle."""
    return channel_shuffle(input, groups)


def conv_tbc(input, weight, bias, pad=0):
    """A convolution over time of (time, batch, channels).

    Args:
        weight: (taps, channels, output channels).
        bias: (output channels).
        pad: zeros at both ends.
    Raises:
        RuntimeError: shapes that do not fit.
    """
    if input.dim() != 3 or weight.dim() != 3 or bias.dim() != 1:
        raise RuntimeError("conv_tbc: input and weight must have 3 dimensions, bias 1, got "
                           f"{input.dim()}, {weight.dim()} and {bias.dim()}")
    if input.shape[2] != weight.shape[1] or bias.shape[0] != weight.shape[2]:
        raise RuntimeError(f"conv_tbc: channels must match, got input {tuple(input.shape)}, weight {tuple(weight.shape)} and bias {tuple(bias.shape)}")
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad).permute(2, 0, 1).contiguous()


def relu_(input):
    """relu, written into input."""
    return relu(input, inplace=True)


def elu_(input, alpha=1.0, scale=1.0, input_scale=1.0):
    """elu, written into input; with scales, scale * x where x > 0, else scale * alpha * (exp(input_scale * x) - 1)."""
    if scale == input_scale == 1:
        return elu(input, alpha, inplace=True)
    x = input.clone()
    return input.copy_(fg.where(x > 0, x * scale, (x.clamp(max=0) * input_scale).expm1() * (alpha * scale)))


def celu_(input, alpha=1.0):
    """celu, written into input."""
    return celu(input, alpha, inplace=True)


def selu_(input):
    """selu, written into input."""
    return selu(input, inplace=True)


def leaky_relu_(input, negative_slope=0.01):
    """leaky_relu, written into input."""
    return leaky_relu(input, negative_slope, inplace=True)


def hardtanh_(input, min_val=-1.0, max_val=1.0):
    """hardtanh, written into input; max_val where that is below min_val."""
    return input.clamp_(min_val, max_val) if min_val > max_val else hardtanh(input, min_val, max_val, inplace=True)


def relu6(input, inplace=False):
    """min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


def threshold_(input, threshold_value, value):
    """threshold, written into input."""
    return threshold(input, threshold_value, value, inplace=True)


def _implicit_dim(name, ndim, stacklevel):
    warnings.warn(f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
                  stacklevel=stacklevel)
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input, dim=None, _stacklevel=3, dtype=None):
    """exp(x_i) / sum_j exp(x_j) along dim.

    Args:
        input: tensor of any shape.
        dim: the dimension whose elements sum to 1; None is deprecated.
        dtype: convert the input to it first.

    Example:
        >>> softmax(fastgrad.zeros(2), dim=0)
        tensor([0.5000, 0.5000])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim(), _stacklevel)
    return _e.softmax(input, dim, dtype=dtype)


def softmin(input, dim=None, _stacklevel=3, dtype=None):
    """exp(-x_i) / sum_j exp(-x_j) along dim; arguments as for softmax."""
    if dim is None:
        dim = _implicit_dim("softmin", input.dim(), _stacklevel)
    return _e.softmax(-input, dim, dtype=dtype)


def log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    """x_i - log sum_j exp(x_j) along dim; arguments as for softmax."""
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim(), _stacklevel)
    return _e.log_softmax(input, dim, dtype=dtype)


def normalize(input, p=2.0, dim=1, eps=1e-12, out=None):
    """x / max(norm_p(x), eps), the norm taken along dim.

    Args:
        input: tensor of any shape and floating dtype.
        p: order of the norm.
        dim: dimension, or dimensions, along which the norm is taken.
        eps: smallest divisor.
        out: tensor that takes the result.
    """
    divisor = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / divisor if out is None else fg.div(input, divisor, out=out)
