"""LU decompositions, products of reflections, and decompositions of low rank by random projections.

NumPy's LAPACK does not give the factors of elimination away, so that they are computed here, a column at a time for a whole batch.
Formula of the gradient: Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2018.
"""

from math import prod

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite, named_result
from fastgrad._engine import Tensor
from fastgrad.autograd.function import Function
from fastgrad.composites import decompositions as of
from fastgrad.composites.decompositions import LinAlgError, matrices, square
from fastgrad.composites.linear import linalg, qr_, solved, svd_

LU, LU_FACTOR = named_result("linalg_lu", "P L U"), named_result("linalg_lu_factor", "LU pivots")
LU_FACTOR_EX, LU_UNPACK = named_result("linalg_lu_factor_ex", "LU pivots info"), named_result("lu_unpack", "P L U")
LU_WITH_INFO = named_result("_lu_with_info", "LU pivots info")
GEQRF = named_result("geqrf", "a tau")


def permutation(pivots, m):
    """Row numbers (..., m): where each row of A comes from after the exchanges of `pivots`, made one after another."""
    import numpy

    exchanges = pivots.numpy().reshape(prod(pivots.shape[:-1]), pivots.shape[-1]) - 1
    every = numpy.arange(len(exchanges))
    rows = numpy.tile(numpy.arange(m), (len(exchanges), 1))
    for j in range(exchanges.shape[1]):
        other = exchanges[:, j]
        rows[every, j], rows[every, other] = rows[every, other], rows[every, j]
    return _ops.from_numpy(rows).reshape(*pivots.shape[:-1], m)


def permuting(pivots, m, dtype):
    """P (..., m, m) with A = P L U."""
    return _ops.eye(m, dtype=dtype)[permutation(pivots, m)].mT.contiguous()


class Packed(Function):
    """L below the diagonal, where it has ones, and U, in one matrix; the exchanges of rows; and which pivot is zero, counted from 1."""

    @staticmethod
    def forward(ctx, a):
        import numpy

        packed = numpy.array(a.detach().numpy(), order="C").reshape(prod(a.shape[:-2]), *a.shape[-2:])
        pivots, info = (_ops.from_numpy(x) for x in of.eliminate(packed))
        packed, pivots, info = _ops.from_numpy(packed).reshape(a.shape), pivots.reshape(*a.shape[:-2], min(a.shape[-2:])), info.reshape(a.shape[:-2])
        ctx.save_for_backward(packed, pivots)
        ctx.mark_non_differentiable(pivots, info)
        return packed, pivots, info

    @staticmethod
    def backward(ctx, grad, *_):
        packed, pivots = ctx.saved_tensors
        lower, upper = factors(packed)
        m, n = packed.shape[-2:]
        k = min(m, n)
        grad_l, grad_u = _ops.tril(grad, -1)[..., :k], _ops.triu(grad)[..., :k, :]
        top, left = lower[..., :k, :], upper[..., :k]                    # square
        first, second = top.mH @ grad_l[..., :k, :], grad_u[..., :k] @ left.mH
        if m > n:
            second = second - lower[..., k:, :].mH @ grad_l[..., k:, :]
        elif m < n:
            first = first - grad_u[..., k:] @ upper[..., k:].mH
        middle = _ops.tril(first, -1) + _ops.triu(second)
        if m > n:
            total = _ops.cat([of.Solve.apply(top.mH, middle, ""), grad_l[..., k:, :]], -2)
            total = of.Solve.apply(left, total.mH, "").mH
        else:
            total = of.Solve.apply(left, middle.mH, "").mH
            total = of.Solve.apply(top.mH, total if m == n else _ops.cat([total, grad_u[..., k:]], -1), "")
        return permuting(pivots, m, grad.dtype) @ total


def factors(packed):
    """L (..., m, k) and U (..., k, n)."""
    m, n = packed.shape[-2:]
    k = min(m, n)
    packed = packed.contiguous()
    return _ops.tril(packed[..., :k], -1) + _ops.eye(m, k, dtype=packed.dtype), _ops.triu(packed[..., :k, :])


def eliminated(name, A, pivot):
    matrices(name, A)
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    return Packed.apply(A)


def refuse_zeros(info):
    if bool((info != 0).any()):
        place = info.reshape(-1).tolist()
        batch = next(i for i, x in enumerate(place) if x)
        where = f" (Batch element {batch}):" if info.ndim else ""
        raise LinAlgError(f"torch.linalg.lu_factor:{where} U[{place[batch]},{place[batch]}] is zero and using it on lu_solve would result in "
                          "a division by zero. linalg.lu and linalg.lu_factor_ex factorize such a matrix all the same.")


@linalg
def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False):
    """What lu_factor gives, and for each matrix 0, or the place of the pivot that is zero."""
    result = LU_FACTOR_EX(*eliminated("lu_factor_ex", A, pivot))
    if check_errors:
        refuse_zeros(result.info)
    return result


@linalg
def lu_factor(A: Tensor, *, pivot: bool = True):
    """L and U of A = P L U, packed into one matrix, and the exchanges of rows: row i with row pivots[i] - 1, one after another.

    Raises:
        LinAlgError: U has a zero on its diagonal.
    """
    packed, pivots, info = eliminated("lu_factor", A, pivot)
    refuse_zeros(info)
    return LU_FACTOR(packed, pivots)


def lu_(A: Tensor, *, pivot: bool = True):
    """P, L and U with A = P L U: a permutation, lower triangular with ones on the diagonal, upper triangular."""
    packed, pivots, _ = eliminated("lu", A, pivot)
    return LU(permuting(pivots, A.shape[-2], A.dtype), *factors(packed))


lu = linalg(lu_)


@composite("lu", method=True)
def old_lu(A: Tensor, pivot=True, get_infos=False):
    """L and U in one matrix and the exchanges of rows; with get_infos, also which pivot is zero."""
    packed, pivots, info = eliminated("lu_factor", A, pivot)
    if not get_infos:
        refuse_zeros(info)
    return LU_WITH_INFO(packed, pivots, info) if get_infos else (packed, pivots)


@composite()
def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True):
    """P, L and U of what lu_factor gives; what is not asked for is empty."""
    if LU_pivots.dtype != fastgrad.int32 and unpack_pivots:
        raise RuntimeError(f"torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype, got {LU_pivots.dtype}")
    empty = LU_data.new_empty(0)
    lower, upper = factors(LU_data) if unpack_data else (empty, empty)
    return LU_UNPACK(permuting(LU_pivots, LU_data.shape[-2], LU_data.dtype) if unpack_pivots else empty, lower, upper)


def lu_solve_(LU: Tensor, pivots: Tensor, B: Tensor, *, left: bool = True, adjoint: bool = False):
    """X with A X = B, or X A = B, from the decomposition that lu_factor gives of A; `adjoint` takes A transposed and conjugated."""
    square("lu_solve", LU)
    of.floating("lu_solve", LU, B)
    if pivots.dtype != fastgrad.int32:
        raise RuntimeError("linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32")
    n = LU.shape[-1]
    if pivots.ndim < 1 or pivots.shape[-1] != n:
        raise RuntimeError("linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix")
    if B.ndim < 2 or B.shape[-2 if left else -1] != n:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(f"linalg.lu_solve: Incompatible shapes of A and B for the equation {equation} "
                           f"({n}x{n} and {'x'.join(map(str, B.shape[-2:]))})")
    if not left:
        return lu_solve_(LU, pivots, B.mH, adjoint=not adjoint).mH.contiguous()
    lower, upper = factors(LU)
    p = permuting(pivots, n, LU.dtype)
    if adjoint:
        return p @ solve_matrices(lower.mH, solve_matrices(upper.mH, B))
    return solve_matrices(upper, solve_matrices(lower, p.mT @ B))


def solve_matrices(A, B):
    """solve, B always a batch of matrices, and no pivot checked."""
    return solved(A, B[(None,) * max(A.ndim - B.ndim, 0)])


lu_solve = linalg(lu_solve_)


@composite("lu_solve", method=True)
def old_lu_solve(b: Tensor, LU_data: Tensor, LU_pivots: Tensor):
    """X with A X = b, from the decomposition that lu_factor gives of A."""
    return lu_solve_(LU_data, LU_pivots, b)


# ---- reflections

@composite(method=True)
def geqrf(input: Tensor):
    """The QR decomposition as LAPACK leaves it: R, below it the vectors of the reflections, and their factors; without gradients."""
    if input.ndim < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    of.floating("geqrf", input)
    packed, factor = of.values("qr", "", input, mode="raw")
    return GEQRF(packed.mT, factor)


@composite(method=True)
def ormqr(input: Tensor, tau: Tensor, other: Tensor, left: bool = True, transpose: bool = False):
    """Q other, other Q, Q' other or other Q', for the product Q of the reflections that geqrf gives.

    Args:
        input: (..., m, k), the vectors below the diagonal.  tau: (..., k).
        left: whether Q stands on the left.  transpose: whether it is transposed and conjugated.
    """
    if min(input.ndim, other.ndim) < 2:
        raise RuntimeError(f"torch.ormqr: input and other must have at least 2 dimensions, got {input.ndim} and {other.ndim}")
    m, k = input.shape[-2], tau.shape[-1]
    side = "-2" if left else "-1"
    if other.shape[int(side)] < k:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be greater than or equal to tau.shape[-1]")
    if other.shape[int(side)] != m:
        raise RuntimeError(f"torch.ormqr: other.shape[{side}] must be equal to input.shape[-2]")
    if input.shape[-1] < k:
        raise RuntimeError("torch.ormqr: tau.shape[-1] must be less than or equal to input.shape[-1]")
    if k != min(other.shape[int(side)], input.shape[-1]):
        raise RuntimeError(f"torch.ormqr: tau.shape[-1] must be equal to min(other.shape[{side}], input.shape[-1]), got {k}")
    for what, x, ndim in (("tau", tau, input.ndim - 1), ("other", other, input.ndim)):
        if x.ndim != ndim or x.shape[:input.ndim - 2] != input.shape[:-2]:
            raise RuntimeError(f"torch.ormqr: Expected batch dimensions of {what} to be equal to input.shape[:-2], got {list(x.shape)} and "
                               f"{list(input.shape)}")
        if x.dtype != input.dtype:
            raise RuntimeError(f"torch.ormqr: Expected input and {what} to have the same dtype, but got {input.dtype} and {x.dtype}")
    if not left:
        return ormqr(input, tau, other.mH, True, not transpose).mH
    columns = input.tril(-1)[..., :k] + _ops.eye(m, k, dtype=input.dtype)
    other = other.clone()
    for i in range(k) if transpose else reversed(range(k)):
        v, factor = columns[..., i:i + 1], tau[..., i, None, None]
        other = other - (factor.conj() if transpose else factor) * (v @ (v.mH @ other))
    return other


# ---- low rank

def basis(A, q, niter):
    """An orthonormal basis (m, q) that holds most of A's image.  Source: Halko et al., Finding structure with randomness, 2009."""
    found = qr_(A @ _ops.randn(A.shape[-1], q, dtype=A.dtype)).Q
    for _ in range(niter):
        found = qr_(A @ qr_(A.mH @ found).Q).Q
    return found


@composite(out=False)
def svd_lowrank(A: Tensor, q=6, niter=2, M=None):
    """About the q largest singular values, and the vectors that belong to them: U (..., m, q), S, V (..., n, q).

    Args:
        niter: how many power iterations sharpen it.
        M: a matrix taken from A before, broadcast, or None.
    """
    m, n = A.shape[-2:]
    A = A if M is None else A - _ops.broadcast_to(M, A.shape)
    if m < n:
        right = basis(A.mH, q, niter)
        U, S, Vh = svd_(A @ right, False)
        return U, S, right @ Vh.mH
    left = basis(A, q, niter)
    U, S, Vh = svd_(left.mH @ A, False)
    return left @ U, S, Vh.mH


@composite(out=False)
def pca_lowrank(A: Tensor, q=None, center=True, niter=2):
    """svd_lowrank of A with the mean of its rows taken away; q is min(6, m, n) unless given.

    Raises:
        ValueError: q above m or n, or a negative number of iterations.
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
