"""fastgrad.masked: reductions, scans and normalisations that leave elements out: those whose mask, broadcast to the input, is False.

What is left out is replaced by the number that changes nothing (0 for a sum, -inf for a largest), and the ordinary operation does the
rest; where all elements of a slice are left out, that number is the result.
"""

import fastgrad as fg

__all__ = ["amax", "amin", "argmax", "argmin", "cumprod", "cumsum", "log_softmax", "logaddexp", "logsumexp", "mean", "median", "norm",
           "normalize", "prod", "softmax", "softmin", "std", "sum", "var"]


def over(input, mask):
    """The mask in the input's shape, of booleans."""
    if mask.ndim > input.ndim:
        raise IndexError(f"masked: the mask must broadcast to the input's shape, got {list(mask.shape)} for {list(input.shape)}")
    return fg.broadcast_to(mask, input.shape).to(fg.bool)


def filled(input, mask, value):
    """input, with value where the mask is False."""
    return input if mask is None else fg.where(over(input, mask), input, fg.tensor(value, dtype=input.dtype))


def least(dtype):
    return -fg.inf if dtype.is_floating_point or dtype.is_complex else fg.iinfo(dtype).min


def greatest(dtype):
    return fg.inf if dtype.is_floating_point else fg.iinfo(dtype).max


def dimensions(dim, ndim):
    """Each dimension of dim once, counted from the first; all of them for None and ()."""
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = []
    n = max(ndim, 1)
    for d in (dim,) if isinstance(dim, int) else dim:
        if not -n <= d < n:
            raise IndexError(f"Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
        if d in dims:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        dims.append(d % n)
    return tuple(sorted(dims))


def summed(dtype):
    """The dtype in which elements of this one are added: int64 for integers."""
    return dtype if dtype.is_floating_point or dtype.is_complex else fg.int64


# ---- reductions

def sum(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The sum of the elements whose mask is True."""
    return fg.sum(filled(input, mask, 0), dimensions(dim, input.ndim), keepdim, dtype=dtype or summed(input.dtype))


def prod(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The product of the elements whose mask is True."""
    result = filled(input, mask, 1).to(dtype or summed(input.dtype))
    for d in reversed(dimensions(dim, input.ndim)):
        result = fg.prod(result, d, keepdim)
    return result


def amax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The largest of the elements whose mask is True."""
    return fg.amax(filled(input, mask, least(input.dtype) if mask is not None else 0), dimensions(dim, input.ndim), keepdim).to(dtype or input.dtype)


def amin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The smallest of the elements whose mask is True."""
    return fg.amin(filled(input, mask, greatest(input.dtype) if mask is not None else 0), dimensions(dim, input.ndim), keepdim).to(dtype or input.dtype)


def argmax(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the largest of the elements whose mask is True, in the input's dtype unless another is asked for."""
    return fg.argmax(filled(input, mask, least(input.dtype)), dim, keepdim).to(dtype or input.dtype)


def argmin(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The place of the smallest of the elements whose mask is True, in the input's dtype unless another is asked for."""
    return fg.argmin(filled(input, mask, greatest(input.dtype)), dim, keepdim).to(dtype or input.dtype)


def counted(input, dim, keepdim, mask):
    """How many elements count."""
    return sum(fg.ones(input.shape, dtype=fg.int64), dim, keepdim=keepdim, mask=mask)


def mean(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The mean of the elements whose mask is True.

    Raises: ValueError: dtype, or the input's, is none of floating point or complex numbers.
    """
    kind = dtype or input.dtype
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(f"mean(): Could not infer output dtype. {'Input' if dtype is None else 'Optional'} dtype must be either "
                         f"a floating point or complex dtype. Got: {kind}")
    return sum(input, dim, keepdim=keepdim, dtype=kind, mask=mask) / counted(input, dim, keepdim, mask)


def median(input, dim=-1, *, keepdim=False, dtype=None, mask=None):
    """The median along dim of the elements whose mask is True; NaN where there is none.

    Raises: ValueError: there is none, and the dtype has no NaN.
    """
    d, = dimensions(dim, input.ndim)
    if input.dtype.is_floating_point:
        return fg.nanmedian(filled(input, mask, fg.nan), d, keepdim).values
    result = fg.nanmedian(filled(input.to(fg.float32), mask, fg.nan), d, keepdim).values
    if bool(fg.isnan(result).any()):
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    return result.to(dtype or input.dtype)


def logsumexp(input, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The logarithm of the sum of the exponentials of the elements whose mask is True."""
    return fg.logsumexp(filled(input, mask, least(input.dtype)), dimensions(dim, input.ndim), keepdim).to(dtype or input.dtype)


def logaddexp(input, other, *, dtype=None, input_mask=None, other_mask=None):
    """logaddexp, where an element whose mask is False counts as -inf."""
    result = fg.logaddexp(filled(input, input_mask, least(input.dtype)), filled(other, other_mask, least(other.dtype)))
    return result.to(dtype or input.dtype)


def norm(input, ord=2.0, dim=None, *, keepdim=False, dtype=None, mask=None):
    """The vector norm of the elements whose mask is True."""
    input = filled(input, mask, fg.inf if ord == -fg.inf else 0)
    return fg.linalg.vector_norm(input, ord, dimensions(dim, input.ndim), keepdim, dtype=dtype or input.dtype)


def var(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The variance of the elements whose mask is True; `correction` is taken from their number (1 unless `unbiased` is False)."""
    assert unbiased is None or correction is None, "Only one of unbiased and correction may be given"
    if correction is None:
        correction = 0 if unbiased is False else 1
    kind = dtype or (input.dtype if input.dtype.is_floating_point or input.dtype.is_complex else fg.float32)
    centre = sum(input, dim, keepdim=True, dtype=kind, mask=mask) / counted(input, dim, True, mask)
    rest = input - centre
    total = sum(rest * rest.conj(), dim, keepdim=keepdim, dtype=kind, mask=mask)
    count = counted(input, dim, keepdim, mask)
    if correction:
        count = fg.clamp(count.to(kind.to_real()) - correction, min=0)
    return (total / count).to(kind)


def std(input, dim=None, unbiased=None, *, correction=None, keepdim=False, dtype=None, mask=None):
    """The square root of var."""
    return fg.sqrt(var(input, dim, unbiased, correction=correction, keepdim=keepdim, dtype=dtype, mask=mask))


# ---- along a dimension

def cumsum(input, dim, *, dtype=None, mask=None):
    """Sums of the elements so far, of those whose mask is True."""
    return fg.cumsum(filled(input, mask, 0), *dimensions(dim, input.ndim), dtype=dtype or input.dtype)


def cumprod(input, dim, *, dtype=None, mask=None):
    """Products of the elements so far, of those whose mask is True."""
    return fg.cumprod(filled(input, mask, 1), *dimensions(dim, input.ndim), dtype=dtype or input.dtype)


def softmax(input, dim, *, dtype=None, mask=None):
    """softmax over the elements whose mask is True; 0 for the others."""
    return fg.softmax(filled(input, mask, least(input.dtype)), *dimensions(dim, input.ndim), dtype=dtype or input.dtype)


def log_softmax(input, dim, *, dtype=None, mask=None):
    """log_softmax over the elements whose mask is True; -inf for the others."""
    return fg.log_softmax(filled(input, mask, least(input.dtype)), *dimensions(dim, input.ndim), dtype=dtype or input.dtype)


def softmin(input, dim, *, dtype=None, mask=None):
    """softmax of -input over the elements whose mask is True; 0 for the others."""
    return fg.nn.functional.softmin(filled(input, mask, greatest(input.dtype)), *dimensions(dim, input.ndim), dtype=dtype or input.dtype)


def normalize(input, ord, dim, *, eps=1e-12, dtype=None, mask=None):
    """The elements whose mask is True over their norm along dim, or over eps if that is larger; 0 for the others."""
    return filled(input, mask, 0) / fg.clamp(norm(input, ord, dim, keepdim=True, dtype=dtype, mask=mask), min=eps)
