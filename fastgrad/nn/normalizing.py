"""The normalizations of nn.functional: batch, layer, group, instance, root mean square, local response; made of operations.

Halves are computed in float32, as in PyTorch; the result has the input's dtype.
"""

import fastgrad as fg

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "local_response_norm", "rms_norm"]


def _wide(input):
    return input.float() if input.dtype in (fg.float16, fg.bfloat16) else input


def _check_floating(name, input):
    if not input.dtype.is_floating_point:
        raise NotImplementedError(f'"{name}" not implemented for {input.dtype}')


def _scaled(result, weight, bias, shape):
    """result * weight + bias, either of them None, seen in a shape."""
    if weight is not None:
        result = result * weight.reshape(shape)
    return result if bias is None else result + bias.reshape(shape)


def _standardized(input, dims, eps):
    """(x - mean) / sqrt(var + eps) over dims, and mean and biased var, which keep their dimensions."""
    mean = input.mean(dims, keepdim=True)
    centered = input - mean
    var = (centered * centered).mean(dims, keepdim=True)
    return centered * (var + eps).rsqrt(), mean, var


def _check_normalized(name, input, normalized_shape, weight, bias=None):
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
    _check_floating(name, input)
    return tuple(range(-len(shape), 0))


def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-5):
    """(x - mean) / sqrt(var + eps) * weight + bias over the last dimensions, which have normalized_shape.

    Source: Ba et al. 2016, Layer Normalization.
    """
    dims = _check_normalized("LayerNormKernelImpl", input, normalized_shape, weight, bias)
    result, _, _ = _standardized(_wide(input), dims, eps)
    return _scaled(result, weight, bias, tuple(normalized_shape)).to(input.dtype)


def rms_norm(input, normalized_shape, weight=None, eps=None):
    """x / sqrt(mean(x^2) + eps) * weight over the last dimensions; eps=None is the dtype's own.

    Source: Zhang and Sennrich 2019, Root Mean Square Layer Normalization.
    """
    dims = _check_normalized("rms_norm", input, normalized_shape, weight)
    x = _wide(input)
    if eps is None:
        eps = fg.finfo(x.dtype).eps
    result = x * ((x * x).mean(dims, keepdim=True) + eps).rsqrt()
    return _scaled(result, weight, None, tuple(normalized_shape)).to(input.dtype)


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-5):
    """layer_norm over each of num_groups groups of channels (dimension 1); weight and bias have one number per channel.

    Source: Wu and He 2018, Group Normalization.
    """
    if input.dim() < 2:
        raise RuntimeError(f"Expected at least 2 dimensions for input tensor but received {input.dim()}")
    batch, channels = input.shape[0], input.shape[1]
    _check_more_than_one((batch * channels // num_groups if num_groups > 0 else 1, num_groups, *input.shape[2:]))
    if num_groups <= 0 or channels % num_groups:
        raise RuntimeError(f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
                           f"{list(input.shape)} and num_groups={num_groups}")
    for what, given in (("weight", weight), ("bias", bias)):
        if given is not None and tuple(given.shape) != (channels,):
            raise RuntimeError(f"Expected {what} to be a vector of size equal to the number of channels in input, but got {what} of "
                               f"shape {list(given.shape)} and input of shape {list(input.shape)}")
    _check_floating("GroupNormKernelImpl", input)
    if input.numel() == 0:
        return _scaled(input, weight, bias, (channels,) + (1,) * (input.dim() - 2))
    result, _, _ = _standardized(_wide(input).reshape(batch, num_groups, -1), (2,), eps)
    return _scaled(result.reshape(input.shape), weight, bias, (channels,) + (1,) * (input.dim() - 2)).to(input.dtype)


def _check_more_than_one(size):
    count = size[0]
    for one in size[2:]:
        count *= one
    if count == 1:
        raise ValueError(f"Expected more than 1 value per channel when training, got input size {fg.Size(size)}")


def _check_channels(channels, **given):
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
    if input.dim() < 2:
        raise RuntimeError(f"batch_norm: the input needs a batch and a channel dimension, got shape {tuple(input.shape)}")
    if training:
        _check_more_than_one(tuple(input.shape))
    elif running_mean is None or running_var is None:
        raise RuntimeError(f"running_{'mean' if running_mean is None else 'var'} must be defined in evaluation mode")
    channels = input.shape[1]
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    _check_floating("batch_norm", input)
    shape = (channels,) + (1,) * (input.dim() - 2)
    x = _wide(input)
    if not training:
        scale = (running_var + eps).rsqrt()
        return _scaled((x - running_mean.reshape(shape)) * scale.reshape(shape), weight, bias, shape).to(input.dtype)
    result, mean, var = _standardized(x, (0, *range(2, input.dim())), eps)
    count = input.numel() // max(channels, 1)
    with fg.no_grad():
        if running_mean is not None:
            running_mean.mul_(1 - momentum).add_(mean.detach().reshape(channels).to(running_mean.dtype), alpha=momentum)
        if running_var is not None:
            unbiased = var.detach().reshape(channels) * (count / max(count - 1, 1))
            running_var.mul_(1 - momentum).add_(unbiased.to(running_var.dtype), alpha=momentum)
    return _scaled(result, weight, bias, shape).to(input.dtype)


def instance_norm(input, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5):
    """batch_norm of each sample by itself; running statistics are the mean over the samples'.

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
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    channels = input.shape[1]
    _check_channels(channels, running_mean=running_mean, running_var=running_var, weight=weight, bias=bias)
    _check_floating("instance_norm", input)
    result, mean, var = _standardized(_wide(input), tuple(range(2, input.dim())), eps)
    with fg.no_grad():
        if running_mean is not None:
            means = mean.detach().reshape(input.shape[0], channels).mean(0)
            running_mean.mul_(1 - momentum).add_(means.to(running_mean.dtype), alpha=momentum)
        if running_var is not None:
            variances = var.detach().reshape(input.shape[0], channels).mean(0) * (count / (count - 1))
            running_var.mul_(1 - momentum).add_(variances.to(running_var.dtype), alpha=momentum)
    return _scaled(result, weight, bias, (channels,) + (1,) * (input.dim() - 2)).to(input.dtype)


def local_response_norm(input, size, alpha=1e-4, beta=0.75, k=1.0):
    """x / (k + alpha * mean of x^2 over size neighbouring channels) ^ beta; channels beyond the ends count as 0.

    Source: Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks.
    """
    if input.dim() < 3:
        raise ValueError(f"Expected 3D or higher dimensionality input (got {input.dim()} dimensions)")
    if input.numel() == 0:
        return input
    squares = (input * input).transpose(1, -1)
    padded = fg._ops.pad(squares, (size // 2, (size - 1) // 2))
    mean = padded.unfold(-1, size, 1).mean(-1).transpose(1, -1)
    return input / (mean * alpha + k) ** beta
