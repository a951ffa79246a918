"""Functions of elements and their neighbours that no hot loop calls: ldexp, frexp, gradient; and tensors of given strides."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite, named_result
from fastgrad._engine import Tensor


@composite(method=True, inplace=True)
def ldexp(input: Tensor, other: Tensor):
    """input * 2 ** other."""
    if input.dtype.is_floating_point and not other.dtype.is_floating_point and not other.dtype.is_complex:
        other = other.to(input.dtype)
    return input * _ops.pow(2.0, other)


Frexp = named_result("frexp", "mantissa exponent")


@composite(method=True)
def frexp(input: Tensor):
    """(mantissa, exponent): input = mantissa * 2 ** exponent, with 0.5 <= |mantissa| < 1 where input is neither 0, infinite nor NaN.

    Raises: RuntimeError: input is not floating point.
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError(f"torch.frexp() only supports floating-point dtypes, got {input.dtype}")
    exponent = _ops._exponent(input.detach())
    half = _ops.trunc(exponent / 2)                     # 2 ** -exponent may be out of range
    mantissa = input * _ops.pow(2.0, -half).to(input.dtype) * _ops.pow(2.0, half - exponent).to(input.dtype)
    return Frexp(mantissa, exponent.to(fastgrad.int32))


def _along(x, dim, places, edge_order):
    """The derivative along a dimension; places: the distance of neighbours, or their coordinates as a tensor."""
    n = x.shape[dim]

    def at(start, length):
        return x.narrow(dim, start, length)

    if isinstance(places, Tensor):
        shape = [-1] + [1] * (x.ndim - 1 - dim)
        h = (places[1:] - places[:-1]).reshape(shape)
        before, after = h[:-1], h[1:]
        inner = ((at(2, n - 2) * before / after) - (at(0, n - 2) * after / before)) / (before + after)
        inner = inner + at(1, n - 2) * (after - before) / (before * after)
        first, last = h[:1], h[-1:]
        if edge_order == 1:
            ends = (at(1, 1) - at(0, 1)) / first, (at(n - 1, 1) - at(n - 2, 1)) / last
        else:
            a, b, c, d = h[:1], h[1:2], h[-2:-1], h[-1:]
            ends = (-(2 * a + b) / (a * (a + b)) * at(0, 1) + (a + b) / (a * b) * at(1, 1) - a / (b * (a + b)) * at(2, 1),
                    d / (c * (c + d)) * at(n - 3, 1) - (d + c) / (c * d) * at(n - 2, 1) + (2 * d + c) / (d * (c + d)) * at(n - 1, 1))
        return _ops.cat([ends[0], inner, ends[1]], dim)
    inner = (at(2, n - 2) - at(0, n - 2)) / (2 * places)
    if edge_order == 1:
        ends = (at(1, 1) - at(0, 1)) / places, (at(n - 1, 1) - at(n - 2, 1)) / places
    else:
        ends = ((-1.5 * at(0, 1) + 2 * at(1, 1) - 0.5 * at(2, 1)) / places,
                (1.5 * at(n - 1, 1) - 2 * at(n - 2, 1) + 0.5 * at(n - 3, 1)) / places)
    return _ops.cat([ends[0], inner, ends[1]], dim)


@composite(out=False)
def gradient(input: Tensor, *, spacing=1, dim=None, edge_order: int = 1):
    """The derivative of a function given by its values, along dimensions: central differences, one-sided at the ends.

    Args:
        spacing: the distance of neighbours, one for all or one for each dimension; or their coordinates, a tensor for each.
        dim: one dimension, several, or None for all.
        edge_order: 1 or 2, of the differences at the ends.
    Returns:
        A tuple with a tensor for each dimension.
    Raises:
        RuntimeError: fewer than edge_order + 1 elements along a dimension, or arguments that do not go together.
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = list(range(input.ndim)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    if any(not -input.ndim <= d < input.ndim for d in dims):
        raise IndexError(f"gradient: dimension out of range, expected {-input.ndim} to {input.ndim - 1}, got {dims}")
    dims = [d % input.ndim for d in dims]
    if len(set(dims)) < len(dims):
        raise RuntimeError(f"dim {next(d for d in dims if dims.count(d) > 1)} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    spacings = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * (1 if isinstance(spacing, Tensor) else len(dims))
    if len(spacings) != len(dims):
        raise RuntimeError(f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = "
                           f"{input.ndim}' or the number of dims, but got {len(spacings)} for {len(dims)} dims")
    if input.dtype in (fastgrad.uint8, fastgrad.bool):
        raise RuntimeError(f"torch.gradient does not support {input.dtype} input.")
    for d, places in zip(dims, spacings):
        if input.shape[d] <= edge_order:
            raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")
        if isinstance(places, Tensor) and (places.ndim != 1 or places.shape[0] != input.shape[d]):
            raise RuntimeError(f"torch.gradient expected each spacing tensor to have the size of its dimension, {input.shape[d]}, got "
                               f"{list(places.shape)}")
    return tuple(_along(input, d, places, edge_order) for d, places in zip(dims, spacings))


@composite(out=False)
def empty_permuted(size, physical_layout, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory: bool = False):
    """An uninitialized tensor whose dimensions lie in memory in the order of physical_layout, the slowest first."""
    order = list(physical_layout)
    if sorted(order) != list(range(len(size))):
        raise RuntimeError(f"Duplicate or missing dim in physical_layout={tuple(physical_layout)} for size {tuple(size)}")
    made = _ops.empty([size[d] for d in order], dtype=dtype, layout=layout, device=device, pin_memory=pin_memory)
    return made.permute([order.index(d) for d in range(len(order))]).requires_grad_(requires_grad)


@composite(function=False, method=True)
def new_empty_strided(input: Tensor, size, stride, *, dtype=None, layout=None, device=None, requires_grad=False, pin_memory: bool = False):
    """An uninitialized tensor of given strides, in input's dtype."""
    dtype = input.dtype if dtype is None else dtype
    return _ops.empty_strided(size, stride, dtype=dtype, layout=layout, device=device, pin_memory=pin_memory).requires_grad_(requires_grad)


@composite(method=True, inplace=True)
def index_reduce(input: Tensor, dim: int, index: Tensor, source: Tensor, reduce, *, include_self: bool = True):
    """source's slices along a dimension reduced into input's at index: "prod", "mean", "amax" or "amin".

    Args:
        include_self: whether input's own elements take part.
    """
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    if index.ndim > 1:
        raise IndexError(f"index_reduce_(): Index is supposed to be a vector, but got dim: {index.ndim} with type: {index.dtype}")
    flat, parts = (input, source) if input.ndim else (input.reshape(1), source.reshape(1))
    d = dim % max(input.ndim, 1)
    if index.numel() != parts.shape[d]:
        raise IndexError(f"index_reduce_(): Number of indices ({index.numel()}) should be equal to source.size(dim): ({parts.shape[d]}), "
                         f"for dim: {dim}")
    places = index.reshape([-1] + [1] * (flat.ndim - 1 - d)).to(fastgrad.int64).expand(parts.shape)
    return _ops.scatter_reduce(flat, d, places, parts, reduce, include_self=include_self).reshape(input.shape)


@composite(out=False)
def pdist(input: Tensor, p: float = 2.0):
    """The p-norm distances of all pairs of rows, as torch.nn.functional.pdist gives them.

    Raises: RuntimeError: input is not (N, D), or p is negative.
    """
    if input.ndim != 2:
        raise RuntimeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    if not input.dtype.is_floating_point:
        raise RuntimeError("pdist only supports floating-point dtypes")
    if p < 0:
        raise RuntimeError("pdist only supports non-negative p values")
    input = _ops._tied(input)
    first, second = _ops.triu_indices(input.shape[0], input.shape[0], 1)
    between = input.index_select(0, first) - input.index_select(0, second)
    distances = _ops.norm(between, p, -1)
    return _ops._linked(distances, between[:, 0]) if p == 0 and input.shape[1] else distances        # a count: its gradient is zero
