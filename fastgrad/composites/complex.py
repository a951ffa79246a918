"""Complex tensors made of real ones."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


def pair(name, a, b):
    for x in (a, b):
        if x.dtype not in (fastgrad.float32, fastgrad.float64):
            raise RuntimeError(f"Expected both inputs to be Half, Float or Double tensors but got {a.type()[6:-6]} and {b.type()[6:-6]}")
    if a.dtype != b.dtype:
        raise RuntimeError(f"Expected object of scalar type {a.type()[6:-6]} but got scalar type {b.type()[6:-6]} for second argument: {name}")
    return _ops.broadcast_tensors(a, b)


@composite("complex")
def complex_(real: Tensor, imag: Tensor):
    """real + i imag."""
    return _ops.view_as_complex(_ops.stack(pair("complex", real, imag), -1))


@composite()
def polar(abs: Tensor, angle: Tensor):
    """abs * exp(i angle)."""
    size, angle = pair("polar", abs, angle)
    return _ops.view_as_complex(_ops.stack([size * angle.cos(), size * angle.sin()], -1))


@composite(method=True, out=False)
def isreal(input: Tensor):
    """Whether each element's imaginary part is 0."""
    return input.imag == 0 if input.dtype.is_complex else _ops.ones_like(input, dtype=fastgrad.bool)


@composite(out=False)
def resolve_conj(input: Tensor):
    """input itself: its conjugates are computed already."""
    return input


@composite(out=False)
def resolve_neg(input: Tensor):
    """input itself: its negatives are computed already."""
    return input
