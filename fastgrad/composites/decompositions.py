"""The decompositions and solvers that NumPy (LAPACK) computes, with their gradients as formulas of tensors.

`values` is the only door to NumPy: batches of matrices in, tensors without a graph out.  Each Function keeps its result rather than
computing it again, and its backward is made of operations, so that it can be differentiated.  Checks of arguments are in linear.py.
Formulas: Giles, Collected matrix derivative results, 2008; Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2018.
"""

from math import prod

import fastgrad
from fastgrad import _engine, _ops
from fastgrad.autograd.function import Function


class LinAlgError(RuntimeError):
    """A matrix has not the property that an operation needs: it is singular, not positive-definite, or does not converge."""


def values(function, message, *tensors, **kwargs):
    """`function` of NumPy's linalg, given by name: a tensor, or a tuple of them."""
    import numpy

    try:
        result = getattr(numpy.linalg, function)(*[t.detach().numpy() for t in tensors], **kwargs)
    except numpy.linalg.LinAlgError:
        raise LinAlgError(message) from None
    if isinstance(result, tuple):
        return tuple(_ops.from_numpy(numpy.ascontiguousarray(r).reshape(r.shape)) for r in result)
    return _ops.from_numpy(numpy.ascontiguousarray(result).reshape(result.shape))


def eliminate(a):
    """Gaussian elimination with row exchanges, in place in the array a (batch, m, n): pivots, from 1, and the first that is zero, or 0."""
    import numpy

    batch, m, n = a.shape
    every, k = numpy.arange(batch), min(m, n)

    def size(column):                            # of complex numbers as LAPACK compares them
        return abs(column.real) + abs(column.imag) if numpy.iscomplexobj(column) else abs(column)

    pivots, info = numpy.empty((batch, k), numpy.int32), numpy.zeros(batch, numpy.int32)
    for j in range(k):
        row = j + size(a[:, j:, j]).argmax(1)
        pivots[:, j] = row + 1
        a[every, j], a[every, row] = a[every, row], a[every, j]
        pivot = a[:, j, j].copy()
        info[(pivot == 0) & (info == 0)] = j + 1
        pivot[pivot == 0] = 1                    # the column below is zero as well
        a[:, j + 1:, j] /= pivot[:, None]
        a[:, j + 1:, j + 1:] -= a[:, j + 1:, j, None] * a[:, j, None, j + 1:]
    return pivots, info


def through_zeros(a, b):
    """X with a X = b for arrays of one singular matrix: what dividing by its pivots of zero gives, infinities and NaN, as in LAPACK."""
    import numpy

    if numpy.tril(a, -1).any() and not numpy.triu(a, 1).any():            # lower triangular: from the first row on
        return through_zeros(a[::-1, ::-1], b[::-1])[::-1]
    packed, x = numpy.array(a[None], order="C"), numpy.array(b, order="C")
    pivots, _ = eliminate(packed)
    for j, row in enumerate(pivots[0] - 1):
        x[[j, row]] = x[[row, j]]
    with numpy.errstate(all="ignore"):
        for j in range(len(a)):
            x[j + 1:] -= packed[0, j + 1:, j, None] * x[j]
        for j in reversed(range(len(a))):
            x[j] /= packed[0, j, j]
            x[:j] -= packed[0, :j, j, None] * x[j]
    return x


def unchecked(a, b):
    """X with A X = B, whatever the pivots."""
    try:
        return values("solve", "", a, b)
    except LinAlgError:
        import numpy
    left, right = (t.detach().numpy().reshape(-1, *t.shape[-2:]) for t in (a, b))
    result = numpy.empty_like(right, order="C")
    for i, (one, other) in enumerate(zip(left, right)):
        try:
            result[i] = numpy.linalg.solve(one, other)
        except numpy.linalg.LinAlgError:
            result[i] = through_zeros(one, other)
    return _ops.from_numpy(result).reshape(b.shape)


def present(*grads):
    return any(g is not None for g in grads)


def identity(x, n):
    return _ops.eye(n, dtype=x.dtype)


def on_diagonal(vector):
    return _ops.diag_embed(vector)


def undefined(a, x):
    """x, the solution or inverse of a, but NaN throughout for a matrix with a NaN; elimination leaves what its order makes of it."""
    if not bool(_ops.isnan(x).any()):
        return x
    return _ops.where(_ops.isnan(a).any(-1).any(-1)[..., None, None], float("nan"), x)


class Solve(Function):
    """X with A X = B, all (..., n, n) and (..., n, k), batches broadcast before; without a message, of singular matrices too."""

    @staticmethod
    def forward(ctx, a, b, message):
        x = undefined(a, values("solve", message, a, b)) if message else unchecked(a, b)
        ctx.save_for_backward(a, x)
        return x

    @staticmethod
    def backward(ctx, grad):
        a, x = ctx.saved_tensors
        grad_b = Solve.apply(a.mH, grad, "")
        return -grad_b @ x.mH if ctx.needs_input_grad[0] else None, grad_b, None


class Inverse(Function):
    """As Solve."""

    @staticmethod
    def forward(ctx, a, message):
        x = undefined(a, values("inv", message, a)) if message else unchecked(a, identity(a, a.shape[-1]).expand(a.shape))
        ctx.save_for_backward(x)
        return x

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        return -(x.mH @ grad @ x.mH), None


def cofactors(a):
    """The derivative of the determinant, conjugated."""
    det = Determinant.apply(a)
    if bool((det.detach() != 0).all()):
        return det.conj()[..., None, None] * Inverse.apply(a, "").mH
    u, s, vh = SVD.apply(a, False)
    n = a.shape[-1]
    others = _ops.where(identity(a, n) != 0, 1, s[..., None, :].expand(*s.shape, n))
    return (Determinant.apply(u) * Determinant.apply(vh)).conj()[..., None, None] * ((u * _ops.prod(others, -1)[..., None, :]) @ vh)


class Determinant(Function):
    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        return values("det", "", a)

    @staticmethod
    def backward(ctx, grad):
        return grad[..., None, None] * cofactors(ctx.saved_tensors[0])


class LogDeterminant(Function):
    """The sign and the logarithm of the absolute determinant."""

    @staticmethod
    def forward(ctx, a):
        ctx.save_for_backward(a)
        sign, logarithm = values("slogdet", "", a)
        ctx.turning = a.dtype.is_complex
        if not ctx.turning:
            sign = _ops.where(_ops.isnan(logarithm), 0, sign)
        return sign, logarithm

    @staticmethod
    def backward(ctx, grad_sign, grad):
        if ctx.turning:           # the sign is exp(i theta), and i theta the imaginary part of the logarithm of the determinant
            sign, _ = LogDeterminant.apply(ctx.saved_tensors[0])
            grad = grad - 1j * (grad_sign.conj() * sign).imag
        return grad[..., None, None] * Inverse.apply(ctx.saved_tensors[0], "").mH


def factor_until(a):
    """The Cholesky factors of an array (batch, n, n) in place, a column at a time; for each the order of the first leading minor that is
    not positive, where its factorization ends as LAPACK's does, or 0."""
    import numpy

    info = numpy.zeros(len(a), numpy.int32)
    for i, x in enumerate(a):
        for j in range(len(x)):
            x[j, j] = pivot = (x[j, j] - x[j, :j] @ x[j, :j].conj()).real
            if not pivot > 0:                    # nor a NaN
                info[i] = j + 1
                break
            x[j, j] = pivot ** 0.5
            x[j + 1:, j] = (x[j + 1:, j] - x[j + 1:, :j] @ x[j, :j].conj()) / x[j, j]
    return info


class Cholesky(Function):
    """L, lower, with L L' = A, and where that fails; reads the lower triangle."""

    @staticmethod
    def forward(ctx, a):
        import numpy

        info = _ops.zeros(a.shape[:-2], dtype=fastgrad.int32)
        try:
            factor = values("cholesky", "", a)
        except LinAlgError:
            factor = None
        if factor is None or bool(_ops.isnan(_ops.diagonal(factor, 0, -2, -1)).any()):
            array = numpy.tril(a.detach().numpy()).reshape(prod(a.shape[:-2]), *a.shape[-2:])
            with numpy.errstate(all="ignore"):
                info = _ops.from_numpy(factor_until(array)).reshape(a.shape[:-2])
            factor = _ops.from_numpy(array).reshape(a.shape)
        ctx.save_for_backward(factor)
        ctx.mark_non_differentiable(info)
        return factor, info

    @staticmethod
    def backward(ctx, grad, _):
        factor, = ctx.saved_tensors
        middle = _ops.tril(factor.mH @ grad)
        middle = mirrored(middle) / 2
        half = Solve.apply(factor.mH, middle, "")
        return Solve.apply(factor.mH, half.mH, "").mH


def mirrored(lower):
    """The Hermitian matrix with this lower triangle; of its diagonal the real part."""
    below = _ops.tril(lower, -1)
    return below + below.mH + on_diagonal(_ops.diagonal(lower, 0, -2, -1).real)


def kept(ctx, *parts):
    """The parts of a decomposition, saved; the gradient of one that nobody used stays None."""
    ctx.save_for_backward(*parts)
    ctx.set_materialize_grads(False)
    return parts


class QR(Function):
    """Q and R of the reduced decomposition."""

    @staticmethod
    def forward(ctx, a):
        q, r = values("qr", "", a)
        return kept(ctx, q, r)

    @staticmethod
    def backward(ctx, grad_q, grad_r):
        if not present(grad_q, grad_r):
            return None
        q, r = ctx.saved_tensors
        grad_q = _ops.zeros_like(q) if grad_q is None else grad_q
        grad_r = _ops.zeros_like(r) if grad_r is None else grad_r
        m, n = q.shape[-2], r.shape[-1]
        if m >= n:
            return tall(q, r, grad_q, grad_r)
        left, right = r[..., :m], r[..., m:]
        grad_right = grad_r[..., m:]
        return _ops.cat([tall(q, left, grad_q + (q @ right) @ grad_right.mH, grad_r[..., :m]), q @ grad_right], -1)


def tall(q, r, grad_q, grad_r):
    middle = r @ grad_r.mH - grad_q.mH @ q
    middle = mirrored(middle)
    return Solve.apply(r, (grad_q + q @ middle).mH, "").mH


class SVD(Function):
    @staticmethod
    def forward(ctx, a, full):
        u, s, vh = values("svd", "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values.", a,
                          full_matrices=full)
        return kept(ctx, u, s, vh)

    @staticmethod
    def backward(ctx, grad_u, grad_s, grad_vh):
        if not present(grad_u, grad_s, grad_vh):
            return None, None
        u, s, vh = ctx.saved_tensors
        k, m, n = s.shape[-1], u.shape[-2], vh.shape[-1]
        u, v = u[..., :k], vh[..., :k, :].mH
        middle, total = None, None
        if grad_s is not None:
            middle = on_diagonal(grad_s.to(u.dtype))
        if present(grad_u, grad_vh):
            column, row = s[..., None, :], s[..., :, None]
            eye = identity(s, k)
            gaps = (column - row) * (column + row) + eye                # s_j^2 - s_i^2, and 1 on the diagonal
            if grad_u is not None:
                grad_u = grad_u[..., :k]
                turned = u.mH @ grad_u
                middle = add(middle, (turned - turned.mH) * (1 - eye) / gaps * column)
                if u.dtype.is_complex:            # what turns a pair of vectors by one angle changes nothing: half of it belongs to either
                    middle = middle + on_diagonal(1j * _ops.diagonal(turned, 0, -2, -1).imag / s)
                if m > k:
                    total = ((grad_u - u @ turned) / column) @ v.mH
            if grad_vh is not None:
                grad_v = grad_vh[..., :k, :].mH
                turned = v.mH @ grad_v
                middle = add(middle, row * ((turned - turned.mH) * (1 - eye) / gaps))
                if n > k:
                    total = add(total, u @ ((grad_v - v @ turned) / column).mH)
        return add(total, u @ middle @ v.mH), None


def add(a, b):
    return b if a is None else a + b


class Eigh(Function):
    """Eigenvalues, ascending, and eigenvectors of a symmetric matrix."""

    @staticmethod
    def forward(ctx, a, uplo):
        w, v = values("eigh", "linalg.eigh: The algorithm failed to converge because the input matrix is ill-conditioned.", a, UPLO=uplo)
        return kept(ctx, w, v)

    @staticmethod
    def backward(ctx, grad_w, grad_v):
        if not present(grad_w, grad_v):
            return None, None
        w, v = ctx.saved_tensors
        middle = None if grad_w is None else on_diagonal(grad_w.to(v.dtype))
        if grad_v is not None:
            n = w.shape[-1]
            eye = identity(w, n)
            middle = add(middle, (v.mH @ grad_v) / (w[..., None, :] - w[..., :, None] + eye) * (1 - eye))
        return v @ middle @ v.mH, None


class Eig(Function):
    """Eigenvalues and eigenvectors of length 1."""

    @staticmethod
    def forward(ctx, a):
        w, v = values("eig", "linalg.eig: The algorithm failed to converge because the input matrix contained non-finite values.", a)
        w, v = w.to(a.dtype.to_complex()), v.to(a.dtype.to_complex())
        return kept(ctx, w, v)

    @staticmethod
    def backward(ctx, grad_w, grad_v):
        if not present(grad_w, grad_v):
            return None
        w, v = ctx.saved_tensors
        middle = None if grad_w is None else on_diagonal(grad_w)
        if grad_v is not None:
            eye, turned = identity(w.real, w.shape[-1]), v.mH @ grad_v
            turned = turned - v.mH @ v @ on_diagonal(_ops.diagonal(turned, 0, -2, -1).real.to(v.dtype))
            gaps = (w[..., None, :] - w[..., :, None]).conj() + eye
            middle = add(middle, turned / gaps * (1 - eye))
        return Solve.apply(v.mH, middle @ v.mH, "")


class PseudoInverse(Function):
    """The pseudo-inverse; singular values, of Hermitian matrices eigenvalues, up to `least` (...) count as zeros."""

    @staticmethod
    def forward(ctx, a, least, hermitian):
        message = "linalg.pinv: The algorithm failed to converge because the input matrix contained non-finite values."
        if hermitian:
            s, v = values("eigh", message, a)
            left, right = v, v.mH
        else:
            u, s, vh = values("svd", message, a, full_matrices=False)
            left, right = vh.mH, u.mH
        p = (left * _ops.where(_ops.abs(s) > least[..., None], 1 / s, 0)[..., None, :]) @ right
        ctx.save_for_backward(a, p)
        return p

    @staticmethod
    def backward(ctx, grad):
        a, p = ctx.saved_tensors
        left, right = grad.mH @ p, p @ grad.mH
        if a.shape[-2] <= a.shape[-1]:
            outer = left @ p.mH
            total = outer - (a @ p) @ outer + (p.mH @ p) @ (grad.mH - left @ a)
        else:
            outer = p.mH @ right
            total = outer - (outer @ p) @ a + (grad.mH - a @ right) @ p @ p.mH
        return total - p.mH @ grad @ p.mH, None, None


def floating(name, *tensors):
    """Refuse what LAPACK has no routine for."""
    for x in tensors:
        if not isinstance(x, _engine.Tensor):
            raise TypeError(f"linalg_{name}(): arguments must be Tensors, not {type(x).__name__}")
        if not x.dtype.is_floating_point and not x.dtype.is_complex:
            raise RuntimeError(f"linalg.{name}: Expected a floating point or complex tensor as input. Got {x.type()[6:-6]}")
        if x.dtype.itemsize < 4:
            raise RuntimeError(f"linalg.{name}: Low precision dtypes not supported. Got {x.dtype}")
        if x.dtype != tensors[0].dtype:
            raise RuntimeError(f"linalg.{name}: Expected inputs to have the same dtype, but got {tensors[0].dtype} and {x.dtype} instead")


def matrices(name, *tensors):
    floating(name, *tensors)
    matrix_shapes(name, *tensors)


def matrix_shapes(name, *tensors):
    for x in tensors:
        if x.ndim < 2:
            raise RuntimeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions.")


def square(name, *tensors):
    floating(name, *tensors)
    square_shapes(name, *tensors)


def square_shapes(name, *tensors):
    matrix_shapes(name, *tensors)
    for x in tensors:
        if x.shape[-1] != x.shape[-2]:
            raise RuntimeError(f"linalg.{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} matrices")
