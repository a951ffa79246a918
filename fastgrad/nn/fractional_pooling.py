"""Max pooling over windows whose places are drawn: fractional_max_pool2d and fractional_max_pool3d.

Source: Graham 2014, Fractional Max-Pooling.
"""

import fastgrad as fg
from fastgrad import _ops

from .windows import sizes

__all__ = ["fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d", "fractional_max_pool3d_with_indices"]


def _starts(sample, size, out, width):
    """(N, C, out): where each window begins, from one number in [0, 1) for each channel; the last ends with the input."""
    if out == 1:
        return fg.full((*sample.shape, 1), size - width)
    step = (sample * 0 + (size - width)) / (out - 1)                 # in the input's precision
    place = fg.arange(out, dtype=sample.dtype)
    starts = ((place + sample.unsqueeze(-1)) * step.unsqueeze(-1)).trunc() - (sample * step).trunc().unsqueeze(-1)
    starts = starts.to(fg.int64)
    starts[..., -1] = size - width
    return starts


def _fractional_max_pool(n, input, kernel_size, output_size, output_ratio, return_indices, samples):
    name = f"fractional_max_pool{n}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is not None and output_ratio is not None:
        raise ValueError(f"{name}: only one of output_size and output_ratio may be given")
    if input.ndim not in (n + 1, n + 2) or 0 in input.shape[-n - 1:]:
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor with non-zero size for non-batch dimensions, but got: "
                           f"{list(input.shape)}")
    kernel = sizes(name, "kernel_size", kernel_size, n)
    spatial = input.shape[-n:]
    if output_size is None:
        ratios = (output_ratio,) * n if isinstance(output_ratio, float) else tuple(output_ratio)
        output_size = [int(size * ratio) for size, ratio in zip(spatial, ratios)]
    out = sizes(name, "output_size", output_size, n)
    for size, o, k in zip(spatial, out, kernel):
        if o + k - 1 > size:
            raise RuntimeError(f"{name}(): pool size {k} and output size {o} are too large for input size {size}")
    x = _ops._tied(input if input.ndim == n + 2 else input.unsqueeze(0))
    if samples is None:
        samples = fg.rand(x.shape[0], x.shape[1], n, dtype=x.dtype)
    samples = samples[:x.shape[0]]                                   # PyTorch takes more than there are examples
    order = reversed(range(n)) if n == 2 else range(n)               # of the numbers: width first in two dimensions
    places = 0
    for d, (column, size, o, k) in enumerate(zip(order, spatial, out, kernel)):
        along = _starts(samples[..., column], size, o, k).unsqueeze(-1) + fg.arange(k)
        shape = [1] * (2 * n)
        shape[d], shape[n + d] = o, k
        places = places * size + along.reshape(*along.shape[:2], *shape)
    places = places.flatten(-n)                                      # (N, C, *out, taps)
    taps = x.flatten(2).gather(2, places.flatten(2)).reshape(places.shape)
    values, chosen = taps.max(-1)
    indices = places.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)
    if input.ndim == n + 1:
        values, indices = values.squeeze(0), indices.squeeze(0)
    return (values, indices) if return_indices else values


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """Largest element of each of output_size windows of (N, C, H, W), at places drawn for each channel.

    Args:
        kernel_size: of a window.  output_size: how many windows, or output_ratio: that as a part of the input's sizes.
        return_indices: also where the elements are in the flattened last two dimensions.
    Raises: ValueError: not one of output_size and output_ratio.  RuntimeError: sizes that do not fit.
    """
    return _fractional_max_pool(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """fractional_max_pool2d of (N, C, D, H, W)."""
    return _fractional_max_pool(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool2d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """fractional_max_pool2d with return_indices=True."""
    return fractional_max_pool2d(input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(input, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
    """fractional_max_pool3d with return_indices=True."""
    return fractional_max_pool3d(input, kernel_size, output_size, output_ratio, True, _random_samples)
