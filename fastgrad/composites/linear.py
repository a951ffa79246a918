"""Linear algebra: torch.linalg and its names in torch.  Checks, shapes and combinations; what LAPACK does is in decompositions.py."""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite, named_result
from fastgrad._engine import Tensor
from fastgrad.composites import decompositions as of
from fastgrad.composites.decompositions import LinAlgError, square

INV_EX = named_result("linalg_inv_ex", "inverse info")
SOLVE_EX = named_result("linalg_solve_ex", "result info")
CHOLESKY_EX = named_result("linalg_cholesky_ex", "L info")
SLOGDET, OLD_SLOGDET = named_result("linalg_slogdet", "sign logabsdet"), named_result("slogdet", "sign logabsdet")
QR, OLD_QR = named_result("linalg_qr", "Q R"), named_result("qr", "Q R")
SVD, OLD_SVD = named_result("linalg_svd", "U S Vh"), named_result("svd", "U S V")
EIG = named_result("linalg_eig", "eigenvalues eigenvectors")
EIGH = named_result("linalg_eigh", "eigenvalues eigenvectors")
LSTSQ = named_result("linalg_lstsq", "solution residuals rank singular_values")
TRIANGULAR = named_result("triangular_solve", "solution cloned_coefficient")
SINGULAR = "because the input matrix is singular."


def linalg(body):
    """An operation of fastgrad.linalg.  Where other code here calls the body itself, its name ends in an underscore."""
    return composite("linalg_" + body.__name__.rstrip("_"), function=False)(body)


def no_info(a):
    return _ops.zeros(a.shape[:-2], dtype=fastgrad.int32)


def failures(a, failed):
    """For each matrix, the least k for which its part of k columns fails, else 0; `failed(matrix, k)` says so."""
    flat = a.detach().reshape(-1, *a.shape[-2:])
    info = [next((k for k in range(1, a.shape[-1] + 1) if failed(x, k)), 0) for x in flat]
    return _ops.tensor(info, dtype=fastgrad.int32).reshape(a.shape[:-2])


def singular(a, k):
    return int(matrix_rank_(a[:, :k])) < k


# ---- inverses and systems of equations

def inv_(A: Tensor):
    """The inverse of square matrices (..., n, n).

    Raises:
        LinAlgError: a matrix is singular.
    """
    square("inv", A)
    return of.Inverse.apply(A, f"linalg.inv: A diagonal element is zero, the inversion could not be completed {SINGULAR}")


inv = linalg(inv_)


@composite(method=True)
def inverse(input: Tensor):
    """The inverse of square matrices (..., n, n)."""
    return inv_(input)


@linalg
def inv_ex(A: Tensor, *, check_errors: bool = False):
    """The inverse, and for each matrix 0, or the place of the pivot that is zero."""
    square("inv_ex", A)
    try:
        return INV_EX(inv_(A), no_info(A))
    except LinAlgError:
        if check_errors:
            raise
        return INV_EX(of.Inverse.apply(A, ""), failures(A, singular))


def is_vector(A, B):
    return B.ndim == 1 or (B.ndim == A.ndim - 1 and B.shape == A.shape[:-1])


def solve_(A: Tensor, B: Tensor, *, left: bool = True):
    """X with A X = B, or X A = B.

    Args:
        A: (..., n, n).
        B: (..., n) where that is what `A` without a dimension has, else (..., n, k).
        left: whether A stands on the left.
    Raises:
        LinAlgError: a matrix is singular.
    """
    return solved(A, B, left, f"torch.linalg.solve: The solver failed {SINGULAR}")


def solved(A, B, left=True, message=""):
    """The same; without a message, singular matrices give infinities and NaN."""
    square("solve", A)
    of.floating("solve", A, B)
    vector = is_vector(A, B)
    if vector and not left:
        raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve "
                           "is equivalent to B / A.squeeze(-1)")
    right = B[..., None] if vector else B
    if right.ndim < 2 or right.shape[-2 if left else -1] != A.shape[-1]:
        equation = "AX = B" if left else "XA = B"
        raise RuntimeError(f"linalg.solve: Incompatible shapes of A and B for the equation {equation} "
                           f"({A.shape[-2]}x{A.shape[-1]} and {'x'.join(map(str, right.shape[-2:]))})")
    batch = _ops.broadcast_shapes(A.shape[:-2], right.shape[:-2])
    a, b = _ops.broadcast_to(A, batch + A.shape[-2:]), _ops.broadcast_to(right, batch + right.shape[-2:])
    x = of.Solve.apply(a, b, message) if left else of.Solve.apply(a.mT, b.mT, message).mT
    return x[..., 0] if vector else x


solve = linalg(solve_)


@linalg
def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False):
    """What solve gives, and for each matrix 0, or the place of the pivot that is zero."""
    try:
        return SOLVE_EX(solve_(A, B, left=left), no_info(A))
    except LinAlgError:
        if check_errors:
            raise
        return SOLVE_EX(solved(A, B, left), failures(A, singular))


def triangle(A, upper, unitriangular):
    part = (_ops.triu if upper else _ops.tril)(A, (1 if upper else -1) if unitriangular else 0)
    return part + of.identity(A, A.shape[-1]) if unitriangular else part


@linalg
def solve_triangular(A: Tensor, B: Tensor, *, upper: bool = None, left: bool = True, unitriangular: bool = False):
    """X with A X = B, or X A = B, for a triangular A, of which the other triangle is not read.

    Args:
        upper: whether A is upper triangular.
        unitriangular: whether to take the diagonal for ones.
    """
    if upper is None:
        raise TypeError('linalg_solve_triangular() missing 1 required keyword-only arguments: "upper"')
    square("solve_triangular", A)
    return solved(triangle(A, upper, unitriangular), matrices_for(A, B), left)


def matrices_for(A, B):
    """B with A's dimensions: what has fewer is a matrix for each of the batch, not a batch of vectors as in solve."""
    return B[(None,) * (A.dim() - B.dim())] if 2 <= B.dim() < A.dim() else B


@composite(method=True)
def triangular_solve(b: Tensor, A: Tensor, upper: bool = True, transpose: bool = False, unitriangular: bool = False):
    """X with A X = b for a triangular A, and A; `transpose` solves with A transposed."""
    square("triangular_solve", A)
    a = triangle(A, upper, unitriangular)
    return TRIANGULAR(solved(a.mT if transpose else a, matrices_for(a, b)), A.clone())


# ---- determinants

def det_(A: Tensor):
    """The determinant of square matrices (..., n, n)."""
    square("det", A)
    return of.Determinant.apply(A)


det = linalg(det_)


@composite("det", method=True, out=False)
def old_det(input: Tensor):
    """The determinant of square matrices (..., n, n)."""
    return det_(input)


def slogdet_(A: Tensor):
    """The sign of the determinant, and the logarithm of its absolute value."""
    square("slogdet", A)
    return SLOGDET(*of.LogDeterminant.apply(A))


slogdet = linalg(slogdet_)


@composite("slogdet", method=True)
def old_slogdet(input: Tensor):
    """The sign of the determinant, and the logarithm of its absolute value."""
    return OLD_SLOGDET(*slogdet_(input))


@composite(method=True, out=False)
def logdet(input: Tensor):
    """The logarithm of the determinant: nan where that is negative."""
    square("logdet", input)
    sign, logarithm = of.LogDeterminant.apply(input)
    return logarithm + sign.log() if input.dtype.is_complex else _ops.where(sign == -1, float("nan"), logarithm)


# ---- decompositions

def factored(A, upper, check):
    """The Cholesky factor and where it fails; `check` refuses that."""
    factor, info = of.Cholesky.apply(A.mH if upper else A)
    orders = info.reshape(-1).tolist() if check else ()
    if any(orders):
        batch = next(i for i, order in enumerate(orders) if order)
        where = f"(Batch element {batch}): " if info.ndim else ""
        raise LinAlgError(f"linalg.cholesky: {where}The factorization could not be completed because the input is not positive-definite "
                          f"(the leading minor of order {orders[batch]} is not positive-definite).")
    return factor.mH if upper else factor, info


def cholesky_(A: Tensor, *, upper: bool = False):
    """The triangular L with positive diagonal and L L' = A; `upper` gives L', and reads the upper triangle.

    Raises:
        LinAlgError: a matrix is not positive-definite.
    """
    square("cholesky", A)
    return factored(A, upper, True)[0]


cholesky = linalg(cholesky_)


@composite("cholesky", method=True)
def old_cholesky(input: Tensor, upper: bool = False):
    """The Cholesky factor of positive-definite matrices."""
    return cholesky_(input, upper=upper)


@linalg
def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False):
    """The Cholesky factor, and for each matrix 0, or the order of the leading minor that is not positive, where its factor ends."""
    square("cholesky_ex", A)
    return CHOLESKY_EX(*factored(A, upper, check_errors))


def factor_of(L, upper):
    """`L` with zeros in the triangle that is not read, which still gets a gradient, as in PyTorch."""
    return L + (triangle(L, upper, False) - L).detach()


@composite(method=True)
def cholesky_solve(B: Tensor, L: Tensor, upper: bool = False):
    """X with A X = B, from the Cholesky factor of A."""
    square("cholesky_solve", L)
    if B.ndim < 2:
        raise RuntimeError(f"b should have at least 2 dimensions, but has {B.ndim} dimensions instead")
    factor = factor_of(L, upper)
    factor = factor.mH if upper else factor
    return solved(factor.mH, solved(factor, B))


@composite(method=True)
def cholesky_inverse(L: Tensor, upper: bool = False):
    """The inverse of A, from its Cholesky factor."""
    square("cholesky_inverse", L)
    factor = factor_of(L, upper)
    half = inv_(factor)
    return half @ half.mH if upper else half.mH @ half


def qr_(A: Tensor, mode="reduced"):
    """Q with orthonormal columns and R upper triangular, with Q R = A.

    Args:
        mode: "reduced"; "complete" makes Q square; "r" gives R alone.
    """
    of.matrices("qr", A)
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'")
    if mode == "reduced" or mode == "complete" and A.shape[-2] <= A.shape[-1]:
        return QR(*of.QR.apply(A))
    if A.requires_grad and fastgrad.is_grad_enabled():
        refuse_backward = "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, mode='reduced') " \
            "if you are going to require gradients." if mode == "r" else \
            "The QR decomposition is not differentiable when mode='complete' and nrows > ncols."
        from fastgrad.autograd.function import _Refusal

        return QR(*_Refusal.apply(refuse_backward, *[x.clone() + 0 * A.sum() for x in qr_(A.detach(), mode)]))
    if mode == "r":
        return QR(A.new_empty(0), of.values("qr", "", A, mode="r"))
    return QR(*of.values("qr", "", A, mode="complete"))


qr = linalg(qr_)


@composite("qr", method=True)
def old_qr(input: Tensor, some: bool = True):
    """Q and R of the QR decomposition; `some` False makes Q square."""
    return OLD_QR(*qr_(input, "reduced" if some else "complete"))


def svd_(A: Tensor, full_matrices: bool = True, *, driver=None):
    """U, S and Vh with A = U diag(S) Vh: orthonormal columns, singular values in descending order, orthonormal rows.

    Args:
        full_matrices: whether U and Vh are square.
        driver: None; PyTorch has others on GPUs alone.
    """
    of.matrices("svd", A)
    if driver is not None:
        raise RuntimeError("torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.")
    return SVD(*of.SVD.apply(A, full_matrices))


svd = linalg(svd_)


@composite("svd", method=True)
def old_svd(input: Tensor, some: bool = True, compute_uv: bool = True):
    """U, S and V of the singular value decomposition; `some` False makes U and V square, `compute_uv` False zeros."""
    if not compute_uv:
        m, n = input.shape[-2:]
        return OLD_SVD(input.new_zeros(*input.shape[:-2], m, m), svdvals_(input), input.new_zeros(*input.shape[:-2], n, n))
    u, s, vh = svd_(input, not some)
    return OLD_SVD(u, s, vh.mH)


def svdvals_(A: Tensor, *, driver=None):
    """The singular values, in descending order."""
    return svd_(A, False, driver=driver).S


svdvals = linalg(svdvals_)


def eigh_(A: Tensor, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending, and the eigenvectors as columns.

    Args:
        UPLO: which triangle is read: "L" or "U".
    """
    square("eigh", A)
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return EIGH(*of.Eigh.apply(A, UPLO.upper()))


eigh = linalg(eigh_)


@linalg
def eigvalsh(A: Tensor, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh_(A, UPLO).eigenvalues


@linalg
def eig(A: Tensor):
    """Eigenvalues and eigenvectors, complex numbers, of general matrices."""
    square("eig", A)
    return EIG(*of.Eig.apply(A))


@linalg
def eigvals(A: Tensor):
    """Eigenvalues, complex numbers, of general matrices."""
    square("eigvals", A)
    return of.Eig.apply(A)[0]


# ---- rank, pseudo-inverse, least squares

def least_value(A, largest, atol, rtol):
    """Up to what a singular value counts as zero."""
    if rtol is None:
        absolute = _ops.as_tensor(0.0 if atol is None else atol)
        rtol = _ops.where(absolute > 0, 0.0, max(A.shape[-2:]) * fastgrad.finfo(A.dtype).eps)
    relative, absolute = (_ops.as_tensor(x, dtype=A.dtype.to_real()) for x in (rtol, 0.0 if atol is None else atol))
    return _ops.maximum(absolute, relative * largest)


def sizes(A, hermitian):
    """Singular values, descending."""
    return _ops.sort(_ops.abs(eigh_(A).eigenvalues), -1, descending=True).values if hermitian else svdvals_(A)


def largest_of(s):
    return _ops.amax(s, -1) if s.shape[-1] else s.new_zeros(s.shape[:-1])


def matrix_rank_(A: Tensor, tol=None, *, atol=None, rtol=None, hermitian: bool = False):
    """How many singular values are above max(atol, rtol * the largest).

    Args:
        tol: an old name of `atol`.
        rtol: if neither is given, the larger size times the dtype's eps.
        hermitian: whether the matrices are symmetric.
    """
    of.matrices("matrix_rank", A)
    atol, rtol = (tol, 0.0) if tol is not None else (atol, rtol)
    s = sizes(A.detach(), hermitian)
    return _ops.sum(s > least_value(A, largest_of(s), atol, rtol)[..., None], -1)


matrix_rank = linalg(matrix_rank_)


def pinv_(A: Tensor, rcond=None, *, atol=None, rtol=None, hermitian: bool = False):
    """The Moore-Penrose inverse of (..., m, n): (..., n, m).

    Args:
        atol, rtol: singular values up to max(atol, rtol * the largest) count as zero; rcond is an old name of rtol.
        hermitian: whether the matrices are symmetric.
    """
    of.matrices("pinv", A)
    if not A.numel():
        return A.mT.clone()
    s = sizes(A.detach(), hermitian)
    least = least_value(A, largest_of(s), atol, rcond if rtol is None else rtol)
    return of.PseudoInverse.apply(A, least, hermitian)


pinv = linalg(pinv_)


@composite(method=True, out=False)
def pinverse(input: Tensor, rcond: float = 1e-15):
    """The Moore-Penrose inverse."""
    return pinv_(input, rcond)


@linalg
def lstsq(A: Tensor, B: Tensor, rcond: float = None, *, driver=None):
    """X that makes |A X - B| least, and of those is the smallest.

    Args:
        A: (..., m, n).
        B: (..., m, k), or (..., m) where that is what `A` without a dimension has.
        rcond: singular values up to this times the largest count as zero; the dtype's eps times the larger size by default.
        driver: "gels", "gelsy", "gelsd" or "gelss"; None is "gelsy". All compute by the singular values here,
            which "gelsd" and "gelss" give back.
    Returns:
        solution, residuals (empty unless m > n and the rank is full; "gelsy" has none), rank, singular_values.
    """
    of.matrices("lstsq", A)
    of.floating("lstsq", A, B)
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError("torch.linalg.lstsq: parameter `driver` should be one of (gels, gelsy, gelsd, gelss)")
    if not 0 <= A.ndim - B.ndim <= 1:
        raise RuntimeError("torch.linalg.lstsq: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, got "
                           f"{A.ndim} and {B.ndim}")
    vector = A.ndim > B.ndim
    right = B[..., None] if vector else B
    if right.shape[-2] != A.shape[-2] or vector and B.shape != A.shape[:-1]:
        raise RuntimeError("torch.linalg.lstsq: input.size(-2) should match other.size(-2)")
    m, n = A.shape[-2:]
    s = svdvals_(A.detach())
    ranks = _ops.sum(s > least_value(A, largest_of(s), None, rcond)[..., None], -1)
    solution = pinv_(A, rcond) @ right
    residuals = _ops.reshape(solution, (-1,))[:0].real
    if m > n and driver not in (None, "gelsy") and bool((ranks == n).all()):
        rest = A @ solution - right
        residuals = _ops.sum((rest * rest.conj()).real, -2)
    empty = _ops.zeros(0, dtype=fastgrad.int64)
    return LSTSQ(solution[..., 0] if vector else solution, residuals, empty if driver == "gels" else ranks,
                 s if driver in ("gelsd", "gelss") else A.new_empty(0, dtype=s.dtype))
