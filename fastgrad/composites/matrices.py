"""Norms, powers and products of matrices: what torch.linalg has beside solvers and decompositions."""

from math import inf, prod

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor
from fastgrad.composites import decompositions as of
from fastgrad.composites.contractions import dimension
from fastgrad.composites.linear import inv_, linalg, solve_, svdvals_


@linalg
def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1):
    """The diagonal of matrices, as a view.

    Args:
        offset: which one: above the main one if positive.
        dim1, dim2: the dimensions of the matrices.
    """
    return _ops.diagonal(A, offset, dim1, dim2)


# ---- norms

def vector_norm_(x: Tensor, ord=2, dim=None, keepdim: bool = False, *, dtype=None):
    """The p-norm, (sum |x|^p)^(1/p), of all elements or over dimensions.

    Args:
        ord: p: any number, inf and -inf among them; 0 counts what is not zero.
        dim: a dimension, several, or None for all.
        dtype: what to convert to before.
    """
    if not x.dtype.is_floating_point and not x.dtype.is_complex:
        raise RuntimeError(f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.type()[6:-6]}")
    if dtype is not None and not dtype.is_floating_point and not dtype.is_complex:
        raise RuntimeError(f"linalg.vector_norm: dtype should be floating point or complex. Got {dtype}")
    if isinstance(dim, (list, tuple)) and not len(dim):
        dim = None
    return _ops.norm(x, float(ord), tuple(range(x.ndim)) if dim is None and x.ndim else dim, keepdim, dtype=dtype)


vector_norm = linalg(vector_norm_)


def matrix_norm_(A: Tensor, ord="fro", dim=(-2, -1), keepdim: bool = False, *, dtype=None):
    """A norm of matrices.

    Args:
        ord: "fro" (of the elements), "nuc" (the sum of the singular values), 2 or -2 (the largest or smallest of them), 1 or -1 (largest
            or smallest sum of a column), inf or -inf (of a row).
        dim: the two dimensions.
    """
    of.matrices("matrix_norm", A)
    if len(dim) != 2:
        raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    row, column = [dimension(d, A.ndim) for d in dim]
    if row == column:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if ord == "fro":
        return vector_norm_(A, 2, (row, column), keepdim, dtype=dtype)
    if dtype is not None:
        A = A.to(dtype)
    if ord == "nuc" or abs_is(ord, 2):
        s = svdvals_(_ops.movedim(A, (row, column), (-2, -1)))
        result = _ops.sum(s, -1) if ord == "nuc" else extreme(s, -1, ord)
        return _ops.unsqueeze(_ops.unsqueeze(result, min(row, column)), max(row, column)) if keepdim else result
    if not (abs_is(ord, 1) or abs_is(ord, inf)):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    along, over = (row, column) if abs_is(ord, 1) else (column, row)
    sums = _ops.sum(_ops.abs(A), along, keepdim=True)
    result = extreme(sums, over, ord, True)
    return result if keepdim else _ops.squeeze(result, (row, column))


def extreme(x, dim, ord, keepdim=False):
    """The largest along dim, 0 of none, or for a negative order the least."""
    if ord > 0 and not x.shape[dim]:
        return _ops.sum(x, dim, keepdim=keepdim)
    return (_ops.amax if ord > 0 else _ops.amin)(x, dim, keepdim=keepdim)


def abs_is(ord, n):
    return not isinstance(ord, str) and ord in (n, -n)


matrix_norm = linalg(matrix_norm_)


def norm_(A: Tensor, ord=None, dim=None, keepdim: bool = False, *, dtype=None):
    """The norm of a vector or of matrices.

    Args:
        ord: as in vector_norm, or as in matrix_norm where two dimensions are given or `A` has two; None is the 2-norm of the elements.
        dim: one dimension (vectors), two (matrices), or None.
    """
    if not A.dtype.is_floating_point and not A.dtype.is_complex:
        raise RuntimeError(f"linalg.norm: Expected a floating point or complex tensor as input. Got {A.type()[6:-6]}")
    if ord is None or isinstance(dim, int) or dim is not None and len(dim) == 1 and not isinstance(ord, str):
        return vector_norm_(A, 2 if ord is None else ord, dim, keepdim, dtype=dtype)
    if dim is not None and len(dim) != 2:
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dim)}")
    if dim is None and A.ndim not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.ndim}D.")
    if dim is None and A.ndim == 1 and not isinstance(ord, str):
        return vector_norm_(A, ord, dim, keepdim, dtype=dtype)
    return matrix_norm_(A, ord, (-2, -1) if dim is None else dim, keepdim, dtype=dtype)


norm = linalg(norm_)


@linalg
def cond(A: Tensor, p=None):
    """The condition number: the norm of A times that of its inverse; for p None or 2, the ratio of the largest to the smallest singular value.

    Args:
        p: the norm, as in matrix_norm; inf where a matrix is singular.
    """
    of.matrices("cond", A)
    if isinstance(p, str):
        of.square("cond", A)
    if not A.numel():
        return A.new_zeros(A.shape[:-2], dtype=A.dtype.to_real())
    if p is None or abs_is(p, 2):
        s = svdvals_(A)
        return s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    of.square("cond", A)
    try:
        return matrix_norm_(A, p) * matrix_norm_(inv_(A), p)
    except of.LinAlgError:
        each = [cond(x, p) if bool(of.Determinant.apply(x) != 0) else x.new_full((), inf) for x in A.reshape(-1, *A.shape[-2:])] if A.ndim > 2 else None
        return A.new_full((), inf) if each is None else _ops.stack(each).reshape(A.shape[:-2])


# ---- powers and series

def matrix_power_(A: Tensor, n: int):
    """A multiplied with itself: n factors; a negative n takes the inverse, 0 gives the identity."""
    of.square_shapes("matrix_power", A)
    if n == 0:
        return _ops.where(fastgrad.tensor(False), A, of.identity(A, A.shape[-1]))     # the gradient is zeros
    power = inv_(A) if n < 0 else A
    n, result = abs(n), None
    while True:
        if n & 1:
            result = power if result is None else result @ power
        n >>= 1
        if not n:
            return result.clone() if result is A else result
        power = power @ power


matrix_power = linalg(matrix_power_)


@composite("matrix_power", method=True)
def old_matrix_power(input: Tensor, n: int):
    """A matrix multiplied with itself."""
    return matrix_power_(input, n)


def matrix_exp_(A: Tensor):
    """The exponential of square matrices, sum A^k / k!: by Taylor's series of A / 2^s, squared s times.

    Source:
        Moler and Van Loan, Nineteen dubious ways to compute the exponential of a matrix, 2003.
    """
    of.square("matrix_exp", A)
    if not A.numel():
        return A.clone()
    largest = float(_ops.amax(_ops.sum(_ops.abs(A.detach()), -2)))
    halvings = 0
    terms, limit = (18, 1.0) if A.dtype == fastgrad.float64 else (14, 1.5)
    while limit < largest < inf:
        largest, halvings = largest / 2, halvings + 1
    x = A / 2.0 ** halvings
    eye = of.identity(A, A.shape[-1])
    result = eye + x / terms
    for k in range(terms - 1, 0, -1):       # Horner
        result = eye + (x @ result) / k
    for _ in range(halvings):
        result = result @ result
    return result


matrix_exp = linalg(matrix_exp_)


@composite("matrix_exp", method=True, out=False)
def old_matrix_exp(input: Tensor):
    """The exponential of square matrices."""
    return matrix_exp_(input)


@linalg
def vander(x: Tensor, *, N: int = None):
    """The powers 0 to N-1 of each element: (..., n, N)."""
    x = x if x.ndim else x.reshape(1)
    count = x.shape[-1] if N is None else N
    if count <= 1:
        raise RuntimeError("linalg.vander: N must be greater than 1.")
    if not x.dtype.is_floating_point and not x.dtype.is_complex:
        x = x.to(fastgrad.int64)
    powers = _ops.cumprod(_ops.broadcast_to(x[..., None], (*x.shape, count - 1)), -1)
    return _ops.cat([_ops.ones_like(x[..., None]), powers], -1)


@composite("vander", out=False)
def old_vander(x: Tensor, N: int = None, increasing: bool = False):
    """The powers of the elements of a vector, the highest first unless `increasing`."""
    if x.ndim != 1:
        raise RuntimeError("x must be a one-dimensional tensor.")
    count = x.shape[0] if N is None else N
    if count < 0:
        raise RuntimeError(f"vander: N must be non-negative, got {count}.")
    powers = vander(x, N=max(count, 2))[:, :count]
    return powers if increasing else _ops.flip(powers, (-1,))


# ---- products

@linalg
def cross(input: Tensor, other: Tensor, *, dim: int = -1):
    """The cross product of 3-vectors along a dimension; the other dimensions broadcast."""
    if input.ndim != other.ndim:
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    d = dimension(dim, input.ndim)
    if input.shape[d] != 3 or other.shape[d] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[d]} and {other.shape[d]}")
    return _ops.cross(*_ops.broadcast_tensors(input, other), d)


@linalg
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1):
    """The dot products of vectors along a dimension; the others broadcast."""
    return _ops.sum(x.conj() * y, dim)


def chain(shapes):
    """How to multiply matrices of these sizes at least cost: nested pairs of positions."""
    n = len(shapes) - 1
    best = {(i, i): (0, i) for i in range(n)}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            best[i, j] = min(((best[i, k][0] + best[k + 1, j][0] + shapes[i] * shapes[k + 1] * shapes[j + 1], (best[i, k][1], best[k + 1, j][1]))
                              for k in range(i, j)), key=lambda x: x[0])
    return best[0, n - 1][1]


def product_in(order, matrices):
    """The product by pairs: an order is a matrix's number or a pair of orders."""
    if isinstance(order, int):
        return matrices[order]
    return _ops.mm(product_in(order[0], matrices), product_in(order[1], matrices))


def multi_dot_(tensors):
    """The product of matrices, in the order that costs least; the first may be a row vector and the last a column.

    Source:
        Cormen et al., Introduction to Algorithms, 15.2.
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    for i, x in enumerate(tensors):
        if not x.ndim == 2 and not (x.ndim == 1 and i in (0, len(tensors) - 1)):
            raise RuntimeError(f"multi_dot(): tensor {i} must be {'1D or ' if i in (0, len(tensors) - 1) else ''}2D but got {x.ndim}D")
        if x.dtype != tensors[0].dtype:
            raise RuntimeError(f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {tensors[0].dtype} and tensor {i} {x.dtype}")
    first, last = tensors[0].ndim == 1, tensors[-1].ndim == 1
    tensors[0] = tensors[0][None] if first else tensors[0]
    tensors[-1] = tensors[-1][:, None] if last else tensors[-1]
    for i, (a, b) in enumerate(zip(tensors, tensors[1:])):
        if a.shape[1] != b.shape[0]:
            raise RuntimeError(f"multi_dot(): tensors {i} and {i + 1} with shapes {list(a.shape)} and {list(b.shape)} cannot be multiplied")
    result = product_in(chain([x.shape[0] for x in tensors] + [tensors[-1].shape[1]]), tensors)
    return _ops.reshape(result, result.shape[int(first):2 - int(last)])


multi_dot = linalg(multi_dot_)


@composite(variadic="matrices")
def chain_matmul(matrices):
    """The product of matrices, in the order that costs least."""
    if len(matrices) == 0:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    for i, x in enumerate(matrices):
        if not isinstance(x, Tensor):
            raise TypeError(f"chain_matmul(): expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
    return matrices[0] if len(matrices) == 1 else multi_dot_(matrices)


@linalg
def tensorinv(A: Tensor, ind: int = 2):
    """The inverse of `A` as a map from its last dimensions to its first `ind`: tensordot(tensorinv(A), A, ind) is the identity."""
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    rows, columns = A.shape[:ind], A.shape[ind:]
    if prod(rows) != prod(columns):
        raise RuntimeError(f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got {prod(columns)} "
                           f"!= {prod(rows)}")
    return _ops.reshape(inv_(_ops.reshape(A, (prod(rows), prod(columns)))), columns + rows)


@linalg
def tensorsolve(A: Tensor, B: Tensor, dims=None):
    """X with tensordot(A, X, X.ndim) = B; `dims` of A are moved to its end first."""
    if dims is not None:
        A = _ops.movedim(A, tuple(dims), tuple(range(A.ndim - len(dims), A.ndim)))
    shape = A.shape[B.ndim:]
    if prod(shape) != B.numel() or A.numel() != prod(shape) * B.numel():
        raise RuntimeError("Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got "
                           f"{prod(shape)} != {prod(A.shape[:B.ndim])}")
    return _ops.reshape(solve_(_ops.reshape(A, (B.numel(), prod(shape))), _ops.reshape(B, (-1,))), shape)


def householder_product_(A: Tensor, tau: Tensor):
    """The first columns of the product of the reflections I - tau_i v_i v_i^H, v_i the i-th column of A below a 1 on the diagonal.

    Args:
        A: (..., m, n) with m >= n.
        tau: (..., k) with k <= n.
    Returns:
        (..., m, n), with orthonormal columns where every reflection is one.
    Raises:
        RuntimeError: more reflections than columns, or more columns than rows.
    Source: Golub and Van Loan, Matrix Computations, 5.1.
    """
    if A.dim() < 2:
        raise RuntimeError("linalg.householder_product: input must have at least 2 dimensions.")
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError("linalg.householder_product: input.shape[-2] must be greater than or equal to input.shape[-1]")
    if tau.shape[-1] > n:
        raise RuntimeError("linalg.householder_product: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    eye = _ops.eye(m, n, dtype=A.dtype)
    columns = A.tril(-1) + eye
    product = _ops._linked(eye.expand(*A.shape[:-2], m, n), A)
    for i in reversed(range(tau.shape[-1])):
        v = columns[..., i:i + 1]
        product = product - tau[..., i, None, None] * (v @ (v.mH @ product))
    return product


householder_product = linalg(householder_product_)


@composite(method=True)
def orgqr(input: Tensor, input2: Tensor):
    """linalg.householder_product under its old name."""
    return householder_product_(input, input2)
