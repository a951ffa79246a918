"""Quantiles, histograms with edges, integrals by trapezoids, covariances, distances and renorm."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import check_tensors, composite, named_result
from fastgrad._engine import Tensor
from fastgrad.composites.contractions import dimension

HISTOGRAM = named_result("histogram", "hist bin_edges")
INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def positions(q, count, interpolation):
    """The places below and above each quantile among `count` sorted values, and the weight of the one above.  `count` may be a tensor."""
    rank = q * (count - 1)
    below = _ops.floor(rank)
    if interpolation == "lower":
        return below, below, None
    above = _ops.ceil(rank)
    if interpolation == "higher":
        return above, above, None
    if interpolation == "nearest":
        nearest = _ops.round(rank)
        return nearest, nearest, None
    return below, above, _ops.full_like(rank, 0.5) if interpolation == "midpoint" else rank - below


def quantiles(input, q, dim, keepdim, interpolation, skip_nan):
    if not isinstance(q, Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"quantile() q must be in the range [0, 1] but got {q}")
        q = _ops.tensor(q, dtype=input.dtype)
    if input.dtype not in (fastgrad.float32, fastgrad.float64):
        raise RuntimeError("quantile() input tensor must be either float or double dtype")
    if not input.numel():
        raise RuntimeError("quantile() input tensor must be non-empty")
    if q.ndim > 1:
        raise RuntimeError("quantile() q must be a scalar or 1D tensor")
    if q.dtype != input.dtype:
        raise RuntimeError("quantile() q tensor must be same dtype as the input tensor")
    if interpolation not in INTERPOLATIONS:
        raise RuntimeError(f"quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}")
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError("quantile() q values must be in the range [0, 1]")
    flat = dim is None
    x = _ops.reshape(input, (-1,)) if flat else _ops.movedim(input, dim, -1) if input.ndim else _ops.reshape(input, (1,))
    x = _ops.sort(x, -1).values         # nan goes last
    bad = _ops.isnan(x)
    many = q if q.ndim else q[None]
    if skip_nan:
        count = _ops.sum(~bad, -1, keepdim=True)
        below, above, weight = positions(many, _ops.maximum(count, _ops.ones_like(count)).to(x.dtype), interpolation)
    else:
        below, above, weight = positions(many, x.shape[-1], interpolation)
        shape = (*x.shape[:-1], len(many))
        below, above, weight = (None if t is None else _ops.broadcast_to(t, shape) for t in (below, above, weight))
        bad = _ops.any(bad, -1, keepdim=True)
        below, above = (_ops.where(bad, x.shape[-1] - 1, t) for t in (below, above))
    low = _ops.gather(x, -1, below.to(fastgrad.int64))
    if weight is None:
        result = low
    else:
        high = _ops.gather(x, -1, above.to(fastgrad.int64))
        result = _ops.lerp(low, high, weight)
    if not q.ndim:
        result = result[..., 0]
    else:
        result = _ops.movedim(result, -1, 0)
    if keepdim and input.ndim:
        lead = (len(q),) if q.ndim else ()
        if flat:
            return _ops.reshape(result, lead + (1,) * input.ndim)
        return _ops.unsqueeze(result, len(lead) + dim % input.ndim)
    return result


@composite(method=True)
def quantile(input: Tensor, q, dim: int = None, keepdim: bool = False, *, interpolation="linear"):
    """The qth quantiles along a dimension, or of all elements; nan where there is a nan.

    Args:
        q: a number in [0, 1], or a vector of them, whose dimension comes first in the result.
        interpolation: between two values: "linear", "lower", "higher", "midpoint" or "nearest".
    """
    return quantiles(input, q, dim, keepdim, interpolation, False)


@composite(method=True)
def nanquantile(input: Tensor, q, dim: int = None, keepdim: bool = False, *, interpolation="linear"):
    """The qth quantiles of the elements that are not nan."""
    return quantiles(input, q, dim, keepdim, interpolation, True)


@composite(method=True)
def histogram(input: Tensor, bins=100, *, range=None, weight=None, density: bool = False):
    """How many elements fall in each bin, and the bins' edges; the last bin has its right edge too.

    Args:
        bins: how many bins of equal width, or a vector of edges.
        range: (least, largest); the elements' by default.
        weight: what each element counts.
        density: whether the integral over the bins is to be 1.
    """
    if not input.dtype.is_floating_point:
        raise RuntimeError(f'"histogram_cpu" not implemented for {input.type()[6:-6]!r}')
    flat = _ops.reshape(input.detach(), (-1,))
    if isinstance(bins, Tensor):
        if range is not None:
            raise TypeError("histogram() takes a range only where bins is a number")
        edges = bins.clone()
    else:
        if bins <= 0:
            raise RuntimeError(f"torch.histogramdd(): bins must be positive, got {bins}")
        low, high = range if range is not None else ((float(flat.min()), float(flat.max())) if len(flat) else (0.0, 1.0))
        if low > high:
            raise RuntimeError("torch.histogramdd(): min edge should not exceed max edge")
        if low == high:
            low, high = low - 0.5, high + 0.5
        edges = _ops.linspace(low, high, bins + 1, dtype=input.dtype)
    count = len(edges) - 1
    if weight is not None and weight.shape != input.shape:
        raise RuntimeError(f"torch.histogramdd(): if weight tensor is provided it should have the same shape as the input tensor excluding its "
                           f"innermost dimension, got {list(input.shape)} and {list(weight.shape)}")
    inside = (flat >= edges[0]) & (flat <= edges[-1])
    place = _ops.clamp(_ops.searchsorted(edges.contiguous(), flat, right=True) - 1, 0, count - 1)
    share = inside.to(input.dtype) if weight is None else _ops.where(inside, _ops.reshape(weight.detach(), (-1,)), 0)
    hist = _ops.index_add(_ops.zeros(count, dtype=input.dtype), 0, place, share)
    if density:
        hist = hist / (hist.sum() * (edges[1:] - edges[:-1]))
    return HISTOGRAM(hist, edges)


# ---- integrals

def strips(name, y, x, dx, dim):
    """The areas between neighbours along the last dimension, and that dimension."""
    if x is not None and dx is not None:
        raise TypeError(f"{name}() takes x or dx, not both")
    check_tensors(name, x=x)
    if y.dtype == fastgrad.bool:
        raise RuntimeError(f"{name}: received a bool input for `y`, but bool is not supported")
    dimension(dim, y.ndim)
    y = _ops.movedim(y, dim, -1)
    pairs = y[..., 1:] + y[..., :-1]
    if x is None:
        return pairs * (1 if dx is None else dx) / 2
    if x.dtype == fastgrad.bool:
        raise RuntimeError(f"{name}: received a bool input for `x`, but bool is not supported")
    x = x if x.ndim == 1 else _ops.movedim(x, dim if dim < 0 else dim - y.ndim, -1)
    if x.shape[-1] not in (1, y.shape[-1]) and x.ndim == 1:
        raise RuntimeError(f"{name}: There must be one `x` value for each sample point")
    return pairs * (x[..., 1:] - x[..., :-1]) / 2


@composite(aliases=("trapz",), out=False)
def trapezoid(y: Tensor, x=None, *, dx=None, dim: int = -1):
    """The integral of `y` along a dimension, by trapezoids.

    Args:
        x: where the values are; else they are `dx` (1) apart.
    """
    if y.dtype != fastgrad.bool and y.shape[dim] == 0:
        return _ops.zeros_like(_ops.sum(y, dim), dtype=y.dtype)
    if x is None and y.dtype != fastgrad.bool:                  # as PyTorch adds it up: integers overflow at the ends alone
        return (_ops.sum(y, dim) - (_ops.select(y, dim, 0) + _ops.select(y, dim, -1)) * 0.5) * (1 if dx is None else dx)
    return _ops.sum(strips("trapezoid", y, x, dx, dim), -1)


@composite(out=False)
def cumulative_trapezoid(y: Tensor, x=None, *, dx=None, dim: int = -1):
    """The integrals of `y` up to each of its values but the first, by trapezoids."""
    return _ops.movedim(_ops.cumsum(strips("cumulative_trapezoid", y, x, dx, dim), -1), -1, dim).contiguous()


# ---- covariance, distance, norm

@composite(method=True, out=False)
def cov(input: Tensor, *, correction: int = 1, fweights=None, aweights=None):
    """The covariances of variables: rows of (variables, observations), or one vector.

    Args:
        correction: what is taken off the number of observations in the divisor.
        fweights: how often each observation was made (integers).
        aweights: how much each observation counts.
    """
    if input.ndim > 2:
        raise RuntimeError(f"cov(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    if input.dtype == fastgrad.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    x = _ops.reshape(input, (1, -1)) if input.ndim < 2 else input
    x = x if x.dtype.is_floating_point or x.dtype.is_complex else x.to(fastgrad.get_default_dtype())
    n, weights = x.shape[1], None
    for name, w in (("fweights", fweights), ("aweights", aweights)):
        if w is None:
            continue
        if w.ndim > 1:
            raise RuntimeError(f"cov(): expected {name} to have one or fewer dimensions but got {name} with {w.ndim} dimensions")
        if w.dtype.is_floating_point != (name == "aweights"):
            raise RuntimeError(f"cov(): expected {name} to have {'floating point' if name == 'aweights' else 'integral'} dtype "
                               f"but got {name} with {w.dtype} dtype")
        if w.numel() != n:
            raise RuntimeError(f"cov(): expected {name} to have the same numel as there are observations in the input but got {w.numel()} != {n}")
        if n and bool((w < 0).any()):
            raise RuntimeError(f"cov(): {name} cannot be negative")
        w = _ops.reshape(w, (-1,))
        weights = w if weights is None else weights * w
    total = n if weights is None else weights.sum()
    if weights is not None and not bool(total != 0):
        raise RuntimeError("cov(): weights sum to zero, can't be normalized")
    mean = (x if weights is None else x * weights).sum(1, keepdim=True) / total
    if weights is None or aweights is None or correction == 0:
        divisor = total - correction
    else:
        divisor = total - correction * (weights * aweights.reshape(-1)).sum() / total
    if float(divisor) <= 0:
        divisor = 0
    centred = x - mean
    result = centred @ (centred if weights is None else centred * weights).mH / divisor
    return result.squeeze()


@composite(method=True, out=False)
def corrcoef(input: Tensor):
    """The correlations of variables, rows of (variables, observations), within [-1, 1]."""
    if input.ndim > 2:
        raise RuntimeError(f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions")
    c = cov(input)
    if not c.ndim:
        return c / c
    deviation = _ops.sqrt(_ops.diagonal(c).real)
    c = c / deviation[:, None] / deviation
    return fastgrad.complex(c.real.clamp(-1, 1), c.imag.clamp(-1, 1)) if c.dtype.is_complex else _ops.clamp(c, -1, 1)


@composite(method=True, out=False)
def dist(input: Tensor, other: Tensor, p=2):
    """The p-norm of input - other."""
    return _ops.norm(input - other, float(p))


@composite(method=True, inplace=True)
def renorm(input: Tensor, p, dim: int, maxnorm):
    """Each slice along `dim` scaled down so that its p-norm is at most `maxnorm`."""
    if p <= 0:
        raise RuntimeError("renorm: non-positive norm not supported")
    if input.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input.ndim} dimensions")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm}")
    dim = dimension(dim, input.ndim)
    others = [d for d in range(input.ndim) if d != dim]
    size = _ops.norm(input, float(p), others, True)
    return (input * _ops.where(size > maxnorm, maxnorm / (size + 1e-7), 1)).contiguous()
