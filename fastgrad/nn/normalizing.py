"""The normalizations of nn.functional: batch, layer, group, instance, root mean square, local response; checks and running statistics.

The arithmetic is that of fused operations (src/ops/norms.pxi). Halves are computed in float32, as in PyTorch; the result has the
input's dtype.
"""

import math

import fastgrad as fg
from fastgrad import _ops
from fastgrad._composite import check_tensors

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def _check_floating(name, input):
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}')


def _check_dtypes(input, *given):
    """Parameters and statistics have the input's dtype; those of a half may all be float32 instead."""
    common = input.dtype
    for x in given:
        if x is not None and x.dtype is not common:
            break
    else:
        return
    dtypes = [x.dtype for x in given if x is not None]
    if dtypes[0] == input.dtype:
        other = next(x for x in given if x is not None and x.dtype != input.dtype)
        raise RuntimeError(f"expected scalar type {input.type()[6:-6]} but found {other.type()[6:-6]}")
    if any(dtype != fg.float32 for dtype in dtypes):
        raise RuntimeError(f"mixed dtype (CPU): expect parameter to have scalar type of Float, got {dtypes} and an input of {input.dtype}")
    if input.dtype not in (fg.float16, fg.bfloat16):
        raise RuntimeError(f"mixed dtype (CPU): all inputs must share same datatype, got {dtypes} and an input of {input.dtype}")


def _check_normalized(name, input, normalized_shape, weight, bias=None):
    check_tensors(name, input=input, weight=weight, bias=bias)
    shape = tuple(normalized_shape)
    if not shape:
        raise RuntimeError(f"Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got "
                           f"normalized_shape = {list(shape)}")
    for what, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != shape:
            raise RuntimeError(f"Expected {what} to be of same shape as normalized_shape, but got {what} of shape {list(given.shape)} "
                               f"and normalized_shape = {list(shape)}")
    if tuple(input.shape)[max(input.dim() - len(shape), 0):] != shape:
        wanted = "".join(f", {size}" for size in shape)
        raise RuntimeError(f"Given normalized_shape={list(shape)}, expected input with shape [*{wanted}], but got input of size"
                           f"{list(input.shape)}")
    if not (name == "rms_norm" and input.is_complex()):
        _check_floating(name, input)
    return math.prod(shape)


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, which have normalized_shape.

    Source: Ba et al. 2016, Layer Normalization.
    """
    count = _check_normalized("layer_norm", input, normalized_shape, weight, bias)
    _check_dtypes(input, weight, bias)
    return _ops._layer_norm(input, weight, bias, None, count, eps)[0]


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions; eps=None is the dtype's own.

    Source: Zhang and Sennrich 2019, Root Mean Square Layer Normalization.
    """
    count = _check_normalized("rms_norm", input, normalized_shape, weight)
    if eps is None:
        eps = fg.finfo(fg.float32 if input.dtype in (fg.float16, fg.bfloat16) else input.dtype).eps
    if input.is_complex():                       # of the squares, not of the magnitudes
        mean = (input * input).mean(tuple(range(-len(normalized_shape), 0)), keepdim=True)
        result = input / (mean + eps).sqrt()
        return result if weight is None else result * weight
    return _ops._rms_norm(input, weight, None, None, count, eps)[0]


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """layer_norm over each of num_groups groups of channels (dimension 1); weight and bias have one number per channel.

    Source: Wu and He 2018, Group Normalization.
    """
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    _check_more_than_one((input.shape[0] * input.shape[1] // num_groups, num_groups, *input.shape[2:]))
    return fg.group_norm(input, num_groups, weight, bias, eps)


def group_norm_of_any_batch(input, num_groups, weight, bias, eps):
    """group_norm, also of a single number a channel: the body of torch.group_norm, which sees to it that num_groups is an int."""
    check_tensors("group_norm", weight=weight, bias=bias)
    if num_groups <= 0:
        raise RuntimeError(f"Expected num groups to be greater than 0, got {num_groups}")
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    channels = input.shape[1]
    if channels % num_groups:
        raise RuntimeError(f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
                           f"{list(input.shape)} and num_groups={num_groups}")
    for what, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != (channels,):
            raise RuntimeError(f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                               f"shape {list(given.shape)} and input of shape {list(input.shape)}")
    _check_floating("GroupNormKernelImpl", input)
    _check_dtypes(input, weight, bias)
    return _ops._group_norm(input, weight, bias, None, num_groups, eps)[0]


def _check_more_than_one(size):
    count = size[0]
    for one in size[2:]:
        count *= one
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {fg.Size(size)}")


def _check_channels(name, channels, **given):
    check_tensors(name, **given)
    for what, values in given.items():
        if values is not None and values.numel() != channels:
            raise RuntimeError(f"{what} should contain {channels} elements not {values.numel()}")


def batch_norm(input, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias for each channel (dimension 1).

    Args:
        training: take the batch's own mean and var, and move the running ones, where they are given, towards them by momentum
            (var unbiased); else take the running ones.
    Source: Ioffe and Szegedy 2015, Batch Normalization.
    """
    check_tensors("batch_norm", input=input)
    if input.dim() < 2:
        raise RuntimeError(f"batch_norm: the input needs a batch and a channel dimension, got shape {tuple(input.shape)}")
    if training:
        _check_more_than_one(tuple(input.shape))
    if eps < 0 or training and eps == 0:
        raise ValueError(f"batch_norm eps must be {'positive during training' if training else 'non-negative'}, but got {eps}")
    if not training and (running_mean is None or running_var is None):
        raise RuntimeError(f"running_{'mean' if running_mean is None else 'var'} must be defined in evaluation mode")
    channels = input.shape[1]
    _check_channels("batch_norm", channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    _check_floating("batch_norm", input)
    _check_dtypes(input, weight, bias, running_mean, running_var)
    if not training:
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    result, stats = _ops._batch_norm(input, weight, bias, None, 0, eps)
    if input.numel():                    # nothing moves towards an empty batch
        _follow(running_mean, running_var, stats, input.numel() // channels, momentum)
    return result


def _by_running(input, running_mean, running_var, weight, bias, eps):
    with fg.no_grad():
        given = fg.stack([running_mean.double(), (running_var.double() + eps).rsqrt(), running_var.double()], dim=1)
    return _ops._batch_norm(input, weight, bias, given, 0, eps)[0]


def _follow(running_mean, running_var, stats, count, momentum):
    """Move the running statistics, where there are any, towards those of a batch of `count` elements a channel; var unbiased."""
    with fg.no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(stats[:, 0].to(running_mean.dtype), alpha=momentum)
        if running_var is not None:
            running_var.mul_(1 - momentum).add_((stats[:, 2] * (count / max(count - 1, 1))).to(running_var.dtype), alpha=momentum)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    """batch_norm of each sample by itself; running statistics, of any dtype, are the mean over the samples'.

    Source: Ulyanov et al. 2016, Instance Normalization.
    """
    if use_input_stats:
        count = 1
        for size in input.shape[2:]:
            count *= size
        if count == 1:
            raise ValueError(f"Expected more than 1 spatial element when training, got input size {input.size()}")
    elif running_mean is None or running_var is None:
        raise RuntimeError("Expected running_mean and running_var to be defined when use_input_stats is false")
    channels = input.shape[1]
    _check_channels("instance_norm", channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    _check_floating("instance_norm", input)
    _check_dtypes(input, weight, bias)
    if not use_input_stats:
        return _by_running(input, running_mean, running_var, weight, bias, eps)
    result, stats = _ops._group_norm(input.contiguous(), weight, bias, None, channels, eps)
    if input.numel():
        _follow(running_mean, running_var, stats.reshape(input.shape[0], channels, 3).mean(0), count, momentum)
    return result


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha * mean of x^2 over size neighbouring channels) ^ beta; channels beyond the ends count as 0.

    Source: Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks.
    """
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    if size < 1:
        raise RuntimeError(f"local_response_norm: the size should be greater than zero, got {size}")
    squares = (input * input).transpose(1, -1)
    padded = fg._ops.pad(squares, (size // 2, (size - 1) // 2))
    mean = _ops.div(padded.unfold(-1, size, 1).sum(-1), size, rounding_mode=None if input.is_floating_point() else "trunc").transpose(1, -1)
    return input / (mean * alpha + k) ** beta
