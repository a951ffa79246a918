"""Pooling to an output of given size: output i of o sees the inputs from floor(i L / o) to ceil((i + 1) L / o).

Windows of one size are a reshaped view; where sizes differ, the elements of every window are taken by index, shorter windows
filled up and masked.
"""

import math

import fastgrad as fg
from fastgrad import _ops

__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
           "adaptive_max_pool3d"]


def _output_size(name, input, n, output_size):
    """n sizes; None stands for the input's own."""
    if not isinstance(input, fg.Tensor):
        raise TypeError(f"{name}(): argument 'input' must be Tensor, not {type(input).__name__}")
    if n > 1 and not isinstance(output_size, int) and input.dim() <= len(output_size):
        raise ValueError(f"{name}: Input dimension should be at least {len(output_size) + 1}, got {list(input.shape)}")
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(f"{name}(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input.shape)}")
    if not input.is_floating_point():
        raise NotImplementedError(f'"{name}" not implemented for \'{input.dtype}\'')
    spatial = tuple(input.shape)[-n:]
    if 0 in spatial:
        raise RuntimeError(f"{name}(): Expected input to have non-zero size for non-batch dimensions, but input has sizes "
                           f"{list(input.shape)} with dimension {input.dim() - n + spatial.index(0)} being empty")
    given = (output_size,) * n if isinstance(output_size, int) else tuple(output_size)
    if len(given) != n:
        raise RuntimeError(f"{name}: output_size must be {n}, got {len(given)} sizes")
    if not all(size is None or isinstance(size, int) for size in given):
        raise TypeError(f"{name}(): argument 'output_size' must be tuple of ints, got {output_size}")
    given = [size if size is not None else own for size, own in zip(given, spatial)]
    if min(given) < 0:
        raise RuntimeError(f"{name}: elements of output_size must be greater than or equal to 0 but received {given}")
    return given


def _edges(length, out):
    """First element and end of each window of one dimension."""
    place = fg.arange(out)
    return place * length // out, -(-(place + 1) * length // out)


def _windows(input, n, out):
    """(taps, inside, places): the elements of each window, (..., *out, elements); which of them are inside it, None for all; and
    where they are in the flattened last n dimensions."""
    spatial = tuple(input.shape)[-n:]
    lead = tuple(input.shape)[:-n]
    places, inside, block = fg.zeros(1, 1, dtype=fg.int64), fg.ones(1, 1, dtype=fg.bool), []
    for length, size in zip(spatial, out):
        first, end = _edges(length, size)
        width = int((end - first).max()) if size else 1
        block.append(width)
        place = first.unsqueeze(1) + fg.arange(width)                     # (size, width)
        places = places[:, None, :, None] * length + place.clamp(max=length - 1)[:, None, :]
        places = places.flatten(2, 3).flatten(0, 1)
        inside = (inside[:, None, :, None] & (place < end.unsqueeze(1))[:, None, :]).flatten(2, 3).flatten(0, 1)
    elements = math.prod(block)
    if all(size and size * width == length for length, size, width in zip(spatial, out, block)):
        split = input.reshape(*lead, *(s for pair in zip(out, block) for s in pair))
        order = [*range(len(lead)), *range(len(lead), len(lead) + 2 * n, 2), *range(len(lead) + 1, len(lead) + 2 * n, 2)]
        return split.permute(order).reshape(*lead, *out, elements), None, places
    taps = input.flatten(-n).index_select(-1, places.reshape(-1))
    return taps.reshape(*lead, *out, elements), inside.reshape(*out, elements), places


def _adaptive_avg(n, input, output_size):
    out = _output_size(f"adaptive_avg_pool{n}d", input, n, output_size)
    if set(out) == {1}:                      # a mean, whose gradient does not know of the input in PyTorch either
        return input.mean(list(range(-n, 0)), keepdim=True)
    taps, inside, _ = _windows(_ops._tied(input), n, out)
    means = taps.mean(-1) if inside is None else taps.masked_fill(~inside, 0).sum(-1) / inside.sum(-1)
    return _ops._laid_out_as(means, input) if n == 2 else means


def _adaptive_max(n, input, output_size, return_indices):
    out = _output_size(f"adaptive_max_pool{n}d", input, n, output_size)
    taps, inside, places = _windows(_ops._tied(input), n, out)
    if inside is not None:
        taps = taps.masked_fill(~inside, -math.inf)
    values, chosen = taps.max(-1)
    if n == 2:
        _ops._laid_out_as(values, input)
    if not return_indices:
        return values
    places = places.reshape(*out, -1).expand(taps.shape)
    return values, places.gather(-1, chosen.unsqueeze(-1)).squeeze(-1)


def adaptive_avg_pool1d(input, output_size):
    """Means over output_size windows of the last dimension of (N, C, L) or (C, L)."""
    return _adaptive_avg(1, input, output_size)


def adaptive_avg_pool2d(input, output_size):
    """Means over windows of the last two dimensions of (N, C, H, W) or (C, H, W).

    Args:
        output_size: how many, (height, width) or one number for both; None leaves a dimension as it is.
    Raises: RuntimeError: wrong dimensions, an empty dimension, or a negative size.
    Example:
        >>> adaptive_avg_pool2d(fastgrad.arange(4.0).reshape(1, 2, 2), 1)
        tensor([[[1.5000]]])
    """
    return _adaptive_avg(2, input, output_size)


def adaptive_avg_pool3d(input, output_size):
    """Means over windows of the last three dimensions; arguments as for adaptive_avg_pool2d."""
    return _adaptive_avg(3, input, output_size)


def adaptive_max_pool1d(input, output_size, return_indices=False):
    """Maxima over output_size windows of the last dimension; with return_indices also where they are in it."""
    return _adaptive_max(1, input, output_size, return_indices)


def adaptive_max_pool2d(input, output_size, return_indices=False):
    """Maxima over windows of the last two dimensions; with return_indices also where they are in these, flattened."""
    return _adaptive_max(2, input, output_size, return_indices)


def adaptive_max_pool3d(input, output_size, return_indices=False):
    """Maxima over windows of the last three dimensions; with return_indices also where they are in these, flattened."""
    return _adaptive_max(3, input, output_size, return_indices)
