"""Views as copies (view_copy, diagonal_copy, ...), and copies of a tensor in which a view of it is replaced (select_scatter, ...)."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


def own(view):
    """What a view shows, in memory of its own, row by row."""
    return view.clone(memory_format=fastgrad.contiguous_format)


# ---- views, copied

@composite()
def alias_copy(input: Tensor):
    """A copy."""
    return own(input)


@composite()
def as_strided_copy(input: Tensor, size, stride, storage_offset: int = None):
    """as_strided, copied."""
    return own(_ops.as_strided(input, size, stride, storage_offset))


@composite()
def diagonal_copy(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """diagonal, copied."""
    return own(_ops.diagonal(input, offset, dim1, dim2))


@composite()
def expand_copy(input: Tensor, size, *, implicit: bool = False):
    """expand, copied."""
    return own(input.expand(size))


@composite(method=True)
def narrow_copy(input: Tensor, dim: int, start: int, length: int):
    """narrow, copied."""
    if dim >= max(input.ndim, 1):
        raise RuntimeError(f"narrow_copy: the dimension must be below {max(input.ndim, 1)}, got {dim}")
    return own(_ops.narrow(input, dim, start, length))


@composite()
def permute_copy(input: Tensor, dims):
    """permute, copied."""
    return own(input.permute(dims))


@composite()
def select_copy(input: Tensor, dim: int, index: int):
    """select, copied."""
    return own(input.select(dim, index))


@composite()
def split_copy(input: Tensor, split_size: int, dim: int = 0):
    """split, each piece copied."""
    return tuple(own(piece) for piece in input.split(split_size, dim))


@composite()
def split_with_sizes_copy(input: Tensor, split_sizes, dim: int = 0):
    """split_with_sizes, each piece copied."""
    return tuple(own(piece) for piece in _ops.split_with_sizes(input, split_sizes, dim))


@composite()
def squeeze_copy(input: Tensor, dim=None):
    """squeeze, copied."""
    return own(input.squeeze() if dim is None else input.squeeze(dim))


@composite()
def t_copy(input: Tensor):
    """t, copied."""
    return own(input.t())


@composite()
def transpose_copy(input: Tensor, dim0: int, dim1: int):
    """transpose, copied."""
    return own(input.transpose(dim0, dim1))


@composite()
def unbind_copy(input: Tensor, dim: int = 0):
    """unbind, each index copied."""
    return tuple(own(piece) for piece in input.unbind(dim))


@composite()
def unfold_copy(input: Tensor, dimension: int, size: int, step: int):
    """unfold, copied."""
    return own(input.unfold(dimension, size, step))


@composite()
def unsqueeze_copy(input: Tensor, dim: int):
    """unsqueeze, copied."""
    return own(input.unsqueeze(dim))


@composite()
def detach_copy(input: Tensor):
    """A copy."""
    return own(input)


@composite()
def slice_copy(input: Tensor, dim: int = 0, start: int = None, end: int = None, step: int = 1):
    """Every `step`-th element from start to end along a dimension, copied."""
    size = input.shape[dim]
    if step <= 0:
        raise RuntimeError(f"slice_copy: step must be positive, got {step}")
    first, last, _ = slice(start, end, step).indices(size)
    return input.index_select(dim, fastgrad.arange(first, max(first, last), step))


@composite()
def view_as_real_copy(input: Tensor):
    """view_as_real, copied."""
    return own(_ops.view_as_real(input))


@composite()
def view_as_complex_copy(input: Tensor):
    """view_as_complex, copied."""
    return own(_ops.view_as_complex(input))


@composite()
def view_copy(input: Tensor, size):
    """view, copied."""
    return own(input.view(size))


@composite(method=True, out=False)
def unsafe_split_with_sizes(input: Tensor, split_sizes, dim: int = 0):
    """split_with_sizes, whose pieces may be written to apart from each other."""
    return input.split_with_sizes(split_sizes, dim)


@composite(method=True, out=False)
def unsafe_split(input: Tensor, split_size: int, dim: int = 0):
    """split, whose pieces may be written to apart from each other."""
    return input.split(split_size, dim)


@composite(method=True, out=False)
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0):
    """chunk, whose pieces may be written to apart from each other."""
    return input.chunk(chunks, dim)


# ---- a copy with another tensor where a view was

def _replaced(name, input, src, view):
    """A copy of input whose view(copy) is src."""
    out = input.clone()
    place = view(out)
    if place.shape != src.shape:
        raise RuntimeError(f"{name}: expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(place.shape)}")
    place.copy_(src)
    return out


@composite(method=True, out=False)
def diagonal_scatter(input: Tensor, src: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1):
    """A copy of input whose diagonal is src."""
    return _replaced("diagonal_scatter", input, src, lambda x: x.diagonal(offset, dim1, dim2))


@composite(method=True)
def select_scatter(input: Tensor, src: Tensor, dim: int, index: int):
    """A copy of input with src at an index of a dimension."""
    return _replaced("select_scatter", input, src, lambda x: x.select(dim, index))


@composite(method=True)
def slice_scatter(input: Tensor, src: Tensor, dim: int = 0, start: int = None, end: int = None, step: int = 1):
    """A copy of input with src in a slice of a dimension."""
    return _replaced("slice_scatter", input, src, lambda x: x.movedim(dim, 0)[start:end:step].movedim(0, dim))


@composite(method=True)
def as_strided_scatter(input: Tensor, src: Tensor, size, stride, storage_offset: int = None):
    """A copy of input with src at the elements of as_strided."""
    return _replaced("as_strided_scatter", input, src, lambda x: x.as_strided(size, stride, storage_offset))
