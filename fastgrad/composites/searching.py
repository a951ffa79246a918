"""Where elements are, and which: isin, argwhere, nonzero_static, unravel_index; histogramdd."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite, named_result
from fastgrad._engine import Tensor


@composite(method=True, out=False)
def argwhere(input: Tensor):
    """The indices of the elements that are not zero, a row for each."""
    return _ops.nonzero(input)


@composite()
def isin(elements, test_elements, *, assume_unique: bool = False, invert: bool = False):
    """Whether each element is among test_elements: those are sorted, and searched.

    Args:
        elements, test_elements: tensors, or a number for one of them.
        assume_unique: a hint, of no effect.
        invert: whether it is not among them.
    Raises:
        TypeError: both are numbers.
    Example:
        >>> fastgrad.isin(fastgrad.tensor([1, 2, 3]), fastgrad.tensor([2, 5]))
        tensor([False,  True, False])
    """
    if not isinstance(elements, Tensor) and not isinstance(test_elements, Tensor):
        raise TypeError("isin(): one of elements and test_elements must be a Tensor, not " + type(elements).__name__)
    elements, among = fastgrad.as_tensor(elements), fastgrad.as_tensor(test_elements).reshape(-1)
    if fastgrad.bool in (elements.dtype, among.dtype):
        raise RuntimeError("isin: Unsupported input type encountered for isin(): Bool")
    if not among.numel():
        return fastgrad.full(elements.shape, invert, dtype=fastgrad.bool)
    common = fastgrad.promote_types(elements.dtype, among.dtype)
    elements, among = elements.detach().to(common), _ops.sort(among.detach().to(common))[0]
    place = _ops.searchsorted(among, elements.reshape(-1)).clamp(max=among.numel() - 1)
    found = (among[place] == elements.reshape(-1)).reshape(elements.shape)
    return ~found if invert else found


@composite(method=True)
def nonzero_static(input: Tensor, *, size: int = 0, fill_value: int = -1):
    """nonzero, cut or filled up to `size` rows."""
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    found = _ops.nonzero(input)[:size]
    return _ops.cat([found, found.new_full((size - found.shape[0], input.ndim), fill_value)])


@composite(out=False)
def unravel_index(indices: Tensor, shape):
    """The index in each dimension of `shape` of flat indices.

    Raises: ValueError: an index outside shape, a negative size, indices that are no integers.
    """
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if indices.dtype.is_floating_point or indices.dtype == fastgrad.bool:
        raise ValueError(f"expected 'indices' to be integer dtype, but got {indices.dtype}")
    if not all(isinstance(n, int) for n in shape):
        raise TypeError(f"expected 'shape' to be int or sequence of ints, but got {type(shape)}")
    if min(shape, default=0) < 0:
        raise ValueError(f"'shape' cannot have negative values, but got {shape}")
    found = []
    for n in reversed(shape):
        found.append(indices % n if n else indices)
        indices = _ops.div(indices, n, rounding_mode="floor") if n else indices
    return tuple(reversed(found))


HistogramDD = named_result("histogramdd", "hist bin_edges")


@composite()
def histogramdd(input: Tensor, bins, range=None, weight=None, density: bool = False):
    """Counts of points in bins of each coordinate.

    Args:
        input: (..., D): points of D coordinates.
        bins: the edges of each coordinate, as tensors; or their numbers, or one number for all.
        range: the lowest and the highest edge of each coordinate, one after the other, instead of the extremes.
        weight: of each point, in the shape of input without the last dimension.
        density: divide by the sum of all, and by the bins' volumes.
    Returns:
        (hist, bin_edges)
    """
    if input.ndim < 2:
        raise RuntimeError(f"torch.histogramdd(): input tensor should have at least 2 dimensions, but got {input.ndim}")
    count = input.shape[-1]
    points = input.reshape(-1, count)
    bins = [bins] * count if isinstance(bins, int) else list(bins)
    if len(bins) != count:
        raise RuntimeError(f"torch.histogramdd(): The size of bins must be equal to the innermost dimension of the input: {count}, got {len(bins)}")
    if all(isinstance(b, Tensor) for b in bins):
        edges = [b.contiguous() for b in bins]
    else:
        edges = []
        for d, n in enumerate(bins):
            low, high = (range[2 * d], range[2 * d + 1]) if range is not None else (
                (float(points[:, d].min()), float(points[:, d].max())) if points.shape[0] else (0.0, 1.0))
            if low == high:
                low, high = low - 0.5, high + 0.5
            edges.append(_ops.linspace(low, high, n + 1, dtype=input.dtype))
    place, inside, total = 0, None, 1
    for d, e in enumerate(edges):
        n = e.shape[0] - 1
        x = points[:, d].contiguous()
        within = (x >= e[0]) & (x <= e[-1])
        inside = within if inside is None else inside & within
        place = place * n + (_ops.searchsorted(e, x, right=True) - 1).clamp(0, n - 1)
        total *= n
    worth = input.new_ones(points.shape[0]) if weight is None else weight.reshape(-1)
    hist = input.new_zeros(total).index_add(0, place[inside], worth[inside].to(input.dtype)).reshape([e.shape[0] - 1 for e in edges])
    if density:
        hist = hist / hist.sum()
        for d, e in enumerate(edges):
            hist = hist / (e[1:] - e[:-1]).reshape([-1] + [1] * (count - 1 - d))
    return HistogramDD(hist, tuple(edges))
