"""Methods that write elements into their tensor, as operations: so transforms, modes and subclasses see them; src/ops does the writing."""

from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite(function=False, method=True, out=False)
def scatter_(input: Tensor, dim: int, index: Tensor, src=None, *, value=None, reduce=None):
    """In-place version of scatter."""
    return _ops._scatter_into(input, dim, index, src, value=value, reduce=reduce)


@composite(function=False, method=True, out=False)
def scatter_reduce_(input: Tensor, dim: int, index: Tensor, src: Tensor, reduce, *, include_self: bool = True):
    """In-place version of scatter_reduce."""
    return _ops._scatter_reduce_into(input, dim, index, src, reduce, include_self=include_self)


@composite(function=False, method=True, out=False)
def index_put_(input: Tensor, indices, values: Tensor, accumulate: bool = False):
    """In-place version of index_put."""
    return _ops._index_put_into(input, indices, values, accumulate)


@composite(function=False, method=True, out=False)
def masked_scatter_(input: Tensor, mask: Tensor, source: Tensor):
    """In-place version of masked_scatter."""
    return _ops._masked_scatter_into(input, mask, source)
