"""Pooling over windows, made of strided slices: max and avg, of one to three dimensions."""

import math

import fastgrad as fg

from .convolution import placed, sizes, windows

__all__ = ["avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool2d", "max_pool3d"]


def _plan(name, input, n, kernel, stride, padding, dilation, ceil_mode):
    """The arguments as tuples, the output's sizes, and how large the padded input is."""
    if not isinstance(input, fg.Tensor):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(f"{name}: expected {n + 1}D or {n + 2}D input, got input of size {list(input.shape)}")
    kernel = sizes(name, "kernel_size", kernel, n)
    stride = kernel if stride is None or stride == () else sizes(name, "stride", stride, n)
    padding, dilation = sizes(name, "padding", padding, n), sizes(name, "dilation", dilation, n)
    for argument, values in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(values) <= 0:
            raise RuntimeError(f"{name}: {argument} should be greater than zero, got {values}")
    if min(padding) < 0:
        raise RuntimeError(f"{name}: pad must be non-negative, got {padding}")
    if any(2 * p > k for p, k in zip(padding, kernel)):
        raise RuntimeError(f"{name}: pad should be at most half of effective kernel size, got pad={padding} and kernel_size={kernel}")
    spatial, out, total = tuple(input.shape)[-n:], [], []
    for size, k, s, p, d in zip(spatial, kernel, stride, padding, dilation):
        reach = d * (k - 1) + 1
        count = (size + 2 * p - reach + (s - 1 if ceil_mode else 0)) // s + 1
        if ceil_mode and (count - 1) * s >= size + p:
            count -= 1  # a window must start inside the input or the padding before it
        if count < 1:
            raise RuntimeError(f"Given input size: {list(spatial)}. Calculated output size is too small for {name}")
        out.append(count)
        total.append(max(size + 2 * p, (count - 1) * s + reach))
    return kernel, stride, padding, dilation, out, total


def _max_pool(n, input, kernel, stride, padding, dilation, ceil_mode, return_indices):
    kernel, stride, padding, dilation, out, total = _plan(f"max_pool{n}d", input, n, kernel, stride, padding, dilation, ceil_mode)
    spatial = tuple(input.shape)[-n:]
    low = -math.inf if input.dtype.is_floating_point else fg.iinfo(input.dtype).min
    taps = windows(placed(input, n, padding, total, fill=low), n, kernel, stride, dilation, out)
    dim = input.dim() - n
    values, chosen = fg.max(taps, dim)
    if not return_indices:
        return values
    places = placed(fg.arange(math.prod(spatial)).reshape(spatial), n, padding, total, fill=-1)
    places = windows(places, n, kernel, stride, dilation, out).expand(taps.shape)
    return values, places.gather(dim, chosen.unsqueeze(dim)).squeeze(dim)


def _avg_pool(n, input, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    name = f"avg_pool{n}d"
    kernel, stride, padding, dilation, out, total = _plan(name, input, n, kernel, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise RuntimeError("divisor must be not zero")
    taps = windows(placed(input, n, padding, total), n, kernel, stride, dilation, out).sum(input.dim() - n)
    if divisor_override is not None:
        return taps / divisor_override
    spatial = tuple(input.shape)[-n:]
    if not any(padding) and tuple(total) == spatial:
        return taps / math.prod(kernel)
    inside, before = spatial, padding
    if count_include_pad:
        inside, before = [s + 2 * p for s, p in zip(spatial, padding)], (0,) * n
    count = placed(fg.ones(tuple(inside), dtype=input.dtype), n, before, total)
    return taps / windows(count, n, kernel, stride, dilation, out).sum(0)


def max_pool1d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window; with return_indices also its place in the input's last dimension."""
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window; with return_indices also its place in the flattened last two dimensions."""
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    """Largest element of each window; with return_indices also its place in the flattened last three dimensions."""
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """Mean of each window; count_include_pad: whether padding counts in the divisor."""
    return _avg_pool(1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)


def avg_pool2d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Mean of each window; divisor_override: divide the sum by this instead."""
    return _avg_pool(2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


def avg_pool3d(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    """Mean of each window; arguments as for avg_pool2d."""
    return _avg_pool(3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
