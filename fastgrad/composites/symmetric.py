"""A = L D L' of symmetric and Hermitian matrices that need not be definite, and systems of equations by it.

NumPy has no such routine; the exchanges of rows are those of Bunch and Kaufman (1977), packed as LAPACK packs them, a matrix at a
time.  As in PyTorch, no gradients.
"""

from math import prod

import fastgrad
from fastgrad import _ops
from fastgrad._composite import named_result
from fastgrad._engine import Tensor
from fastgrad.autograd.function import Function
from fastgrad.composites.decompositions import LinAlgError, square
from fastgrad.composites.linear import linalg

LDL_FACTOR, LDL_FACTOR_EX = named_result("linalg_ldl_factor", "LD pivots"), named_result("linalg_ldl_factor_ex", "LD pivots info")
GROWTH = (1 + 17 ** 0.5) / 8             # the bound on pivots under which elements grow least


def size(x):
    """Of complex numbers the sum of both parts' magnitudes, by which LAPACK chooses."""
    return abs(x.real) + abs(x.imag)


def pivot_of(a, k):
    """The row to bring to the pivot's place, and whether the pivot is one number or two by two."""
    diagonal = size(a[k, k])
    if k + 1 == len(a):
        return k, 1
    place = k + 1 + int(size(a[k + 1:, k]).argmax())
    below = size(a[place, k])
    if diagonal >= GROWTH * below:
        return k, 1
    row = size(a[place, k:])
    row[place - k] = 0
    beside = row.max()
    if diagonal >= GROWTH * below * (below / beside):
        return k, 1
    return place, 1 if size(a[place, place]) >= GROWTH * beside else 2


def factor(a, hermitian):
    """L below the diagonal and D on it and beside it; from 1, the exchanges, less than 0 in pairs for a pivot of two by two; the
    first pivot that is zero, or 0."""
    import numpy

    def turned(x):
        return x.conj() if hermitian else x

    a = numpy.tril(a)
    a = a + turned(numpy.tril(a, -1)).T                           # both triangles of what is left to do
    if hermitian:
        numpy.fill_diagonal(a, a.diagonal().real)
    n, k, info = len(a), 0, 0
    pivots, packed = numpy.empty(n, numpy.int32), numpy.zeros_like(a)
    while k < n:
        row, step = pivot_of(a, k) if (a[k:, k] != 0).any() else (k, 1)
        end, place = k + step, k + step - 1
        a[[place, row], k:] = a[[row, place], k:]
        a[k:, [place, row]] = a[k:, [row, place]]
        pivots[k:end] = row + 1 if step == 1 else -row - 1
        packed[k:end, k:end] = numpy.tril(a[k:end, k:end])
        if step == 1 and a[k, k] == 0:
            info = info or k + 1
        else:
            multiples = numpy.linalg.solve(a[k:end, k:end].T, a[end:, k:end].T).T
            packed[end:, k:end] = multiples
            a[end:, end:] -= multiples @ turned(a[end:, k:end]).T
        k = end
    return packed, pivots, info


def solve(packed, pivots, b, hermitian):
    """X with L D L' X = B, in the place of b."""
    import numpy

    def exchange(i, pivot):
        b[[i, pivot]] = b[[pivot, i]]

    n, k, steps = len(packed), 0, []
    while k < n:
        step = 1 if pivots[k] > 0 else 2
        steps.append((k, k + step, abs(int(pivots[k])) - 1))
        k += step
    for k, end, row in steps:
        exchange(end - 1, row)
        b[end:] -= packed[end:, k:end] @ b[k:end]
        block = packed[k:end, k:end].copy()
        if end - k == 2:
            block[0, 1] = block[1, 0].conj() if hermitian else block[1, 0]
        b[k:end] = numpy.linalg.solve(block, b[k:end])
    for k, end, row in reversed(steps):
        below = packed[end:, k:end]
        b[k:end] -= (below.conj() if hermitian else below).T @ b[end:]
        exchange(end - 1, row)


def by_columns(x):
    """The same matrices with their columns one after another, as LAPACK leaves them."""
    *lead, m, n = x.shape
    step, strides = max(m, 1) * max(n, 1), [1, max(m, 1)]
    for size in reversed(lead):
        strides.insert(0, step)
        step *= max(size, 1)
    return _ops.empty_strided(x.shape, strides, dtype=x.dtype).copy_(x)


class Factor(Function):
    @staticmethod
    def forward(ctx, a, hermitian):
        import numpy

        flat = a.detach().numpy().reshape(prod(a.shape[:-2]), *a.shape[-2:])
        found = [factor(x, hermitian and a.dtype.is_complex) for x in flat]
        packed, pivots, info = (numpy.array([x[i] for x in found], dtype) for i, dtype in enumerate((flat.dtype, numpy.int32, numpy.int32)))
        pivots, info = _ops.from_numpy(pivots).reshape(a.shape[:-1]), _ops.from_numpy(info).reshape(a.shape[:-2])
        ctx.mark_non_differentiable(pivots, info)
        return by_columns(_ops.from_numpy(packed).reshape(a.shape)), pivots, info

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError("derivative for linalg_ldl_factor_ex is not implemented")


class Solve(Function):
    @staticmethod
    def forward(ctx, packed, pivots, b, hermitian):
        shape = fastgrad.broadcast_shapes(packed.shape[:-2], b.shape[:-2])
        count, n = prod(shape), b.shape[-2]
        packed, pivots = packed.detach().expand(*shape, n, n).numpy(), pivots.expand(*shape, n).numpy()
        out = b.detach().expand(*shape, *b.shape[-2:]).numpy().copy().reshape(count, *b.shape[-2:])
        for one, rows, x in zip(packed.reshape(count, n, n), pivots.reshape(count, n), out):
            solve(one, rows, x, hermitian and b.dtype.is_complex)
        return by_columns(_ops.from_numpy(out).reshape(*shape, *b.shape[-2:]))

    @staticmethod
    def backward(ctx, grad):
        raise RuntimeError("derivative for linalg_ldl_solve is not implemented")


@linalg
def ldl_factor_ex(A: Tensor, *, hermitian: bool = False, check_errors: bool = False):
    """What ldl_factor gives, and for each matrix 0, or the place of the pivot that is zero."""
    square("ldl_factor_ex", A)
    result = LDL_FACTOR_EX(*Factor.apply(A, hermitian))
    if check_errors:
        refuse_zeros(result.info)
    return result


@linalg
def ldl_factor(A: Tensor, *, hermitian: bool = False):
    """L and D of A = L D L', in one matrix, and the exchanges of rows. Of A the lower triangle is read.

    Args:
        hermitian: whether a complex A is Hermitian, not symmetric.
    Raises:
        LinAlgError: D has a zero on its diagonal.
    """
    square("ldl_factor_ex", A)
    packed, pivots, info = Factor.apply(A, hermitian)
    refuse_zeros(info)
    return LDL_FACTOR(packed, pivots)


def refuse_zeros(info):
    if bool((info != 0).any()):
        raise LinAlgError(f"linalg.ldl_factor: the pivots must not be zero, got one at {info.reshape(-1).max().item()}. "
                          "linalg.ldl_factor_ex factorizes such a matrix all the same.")


@linalg
def ldl_solve(LD: Tensor, pivots: Tensor, B: Tensor, *, hermitian: bool = False):
    """X with A X = B, from the result of ldl_factor."""
    square("ldl_solve", LD)
    if B.ndim < 2:
        raise RuntimeError(f"linalg.ldl_solve: B must have at least 2 dimensions, got {B.ndim}")
    if LD.shape[-1] != B.shape[-2]:
        raise RuntimeError(f"linalg.ldl_solve: LD and B must have as many rows, got {LD.shape[-1]} and {B.shape[-2]}")
    if pivots.dtype.is_floating_point or pivots.dtype.is_complex or pivots.dtype == fastgrad.bool:
        raise RuntimeError(f"linalg.ldl_solve: pivots must be integers, got {pivots.dtype}")
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(f"linalg.ldl_solve: pivots must have the shape {list(LD.shape[:-1])}, got {list(pivots.shape)}")
    if B.dtype != LD.dtype:
        raise RuntimeError(f"linalg.ldl_solve: LD and B must have one dtype, got {LD.dtype} and {B.dtype}")
    return Solve.apply(LD, pivots, B, hermitian)
