"""Singular and degenerate matrices: values, gradients and tangents as torch's, and by the definition where torch's are not that."""

import fastgrad as fg
import numpy as np
import pytest
import torch

MATRICES = {
    "rank one": np.outer([1.0, 2, 3], [1.0, 0, 2]), "zero": np.zeros((3, 3)), "ones": np.ones((3, 3)), "block": np.diag([1.0, 1, 0]),
    "upper": np.triu(np.arange(9.0).reshape(3, 3)), "lower": np.tril(np.arange(9.0).reshape(3, 3)), "batch": np.stack([np.eye(3), np.zeros((3, 3))]),
}
RIGHT = np.arange(9.0).reshape(3, 3) + 1
SAME = {
    "slogdet": lambda t, a, b: t.linalg.slogdet(a).logabsdet, "logdet": lambda t, a, b: t.logdet(a), "inv_ex": lambda t, a, b: t.linalg.inv_ex(a).inverse,
    "solve_ex": lambda t, a, b: t.linalg.solve_ex(a, b).result, "upper": lambda t, a, b: t.linalg.solve_triangular(a, b, upper=True),
    "lower": lambda t, a, b: t.linalg.solve_triangular(a, b, upper=False), "lu_solve": lambda t, a, b: t.linalg.lu_solve(*t.linalg.lu_factor_ex(a)[:2], b),
    "pinv": lambda t, a, b: t.linalg.pinv(a), "hermitian pinv": lambda t, a, b: t.linalg.pinv(a + a.mT, hermitian=True),
}


def computed(lib, name, matrix):
    """Value, gradient and tangent, a row for each matrix; one that is not finite throughout is NaN: LAPACK's builds leave infinities or NaN."""
    a, b = (lib.tensor(x.tolist(), dtype=lib.float64) for x in (MATRICES[matrix], RIGHT))
    leaf = a.clone().requires_grad_()
    value = SAME[name](lib, leaf, b)
    gradient, = lib.autograd.grad(value, leaf, lib.ones_like(value))
    tangent = lib.func.jvp(lambda x: SAME[name](lib, x, b), (a,), (a.cos(),))[1]
    rows = [np.array(t.detach().tolist()).reshape(a[..., 0, 0].numel(), -1) for t in (value, gradient, tangent)]
    return [np.where(np.isfinite(one).all(1, keepdims=True), one, np.nan) for one in rows]


@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize("name", SAME)
def test_same_as_torch(name, matrix):
    for mine, theirs in zip(computed(fg, name, matrix), computed(torch, name, matrix), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("matrix", MATRICES)
def test_determinant(matrix):
    """Its gradient is made of the minors, also where it is 0."""
    a = MATRICES[matrix].reshape(-1, 3, 3)
    expected = np.array([[[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(one, i, 0), j, 1)) for j in range(3)] for i in range(3)] for one in a])
    x = fg.tensor(a.tolist(), dtype=fg.float64)
    np.testing.assert_allclose(fg.func.grad(lambda x: fg.linalg.det(x).sum())(x).tolist(), expected, atol=1e-9)
    v = np.cos(a)
    tangent = fg.func.jvp(fg.linalg.det, (x,), (fg.tensor(v.tolist(), dtype=fg.float64),))[1]
    np.testing.assert_allclose(tangent.tolist(), (expected * v).sum((1, 2)), atol=1e-9)


@pytest.mark.parametrize("function", [lambda t, a, b: t.linalg.solve(a, b), lambda t, a, b: t.linalg.inv(a),
                                      lambda t, a, b: t.linalg.solve_ex(a, b, check_errors=True)])
def test_still_refused(function):
    for lib in (fg, torch):
        with pytest.raises(lib.linalg.LinAlgError, match="singular"):
            function(lib, lib.zeros(2, 2), lib.ones(2, 2))


NAN = float("nan")


@pytest.mark.parametrize("matrix", [[[NAN, 1.0], [1, 2]], [[2.0, 0], [0, NAN]], [[2.0, 0.5, 1], [1, 2, 1], [1, NAN, 3]], [[[2.0, 0.5], [1, NAN]], [[2, 1], [1, 3]]]])
@pytest.mark.parametrize("function", [lambda t, a: t.linalg.inv(a), lambda t, a: t.linalg.inv_ex(a).inverse, lambda t, a: t.linalg.solve(a, a.abs()),
                                      lambda t, a: t.linalg.slogdet(a).sign, lambda t, a: t.linalg.slogdet(a).logabsdet])
def test_matrices_with_a_nan(function, matrix):
    found, expected = (function(t, t.tensor(matrix, dtype=t.float64)).tolist() for t in (fg, torch))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("matrix", [
    [[4.0, 2, 1], [2, -3, 1], [1, 1, 5]], [[-3.0, 2], [2, 5]], [[4.0, 2, 1], [2, 3, 1], [1, 1, -5]], [[NAN, 1], [1, 2]], [[2, 1], [1, NAN]],
    [[[4.0, 2], [2, 3]], [[4, 2], [2, 0]]], [[4, 2 + 1j, 1], [2 - 1j, 0, 1], [1, 1, 3]]])
def test_factors_of_indefinite_matrices(matrix, upper):
    """The part of Cholesky's factor before the minor that is not positive, its gradient, and the message that names the minor."""
    found = []
    for t in (fg, torch):
        a = t.tensor(matrix, dtype=t.complex128 if "j" in str(matrix) else t.float64, requires_grad=True)
        factor, info = t.linalg.cholesky_ex(a, upper=upper)
        gradient, = t.autograd.grad(factor.abs().sum(), a)
        with pytest.raises(t.linalg.LinAlgError) as error:
            t.linalg.cholesky(a, upper=upper)
        found.append((factor.tolist(), info.tolist(), (gradient + gradient.mH).tolist(), str(error.value)))
    (factor, info, gradient, message), expected = found
    np.testing.assert_allclose(factor, expected[0], rtol=1e-12)
    if not np.isnan(factor).any():               # how far a NaN spreads is the order of LAPACK's solvers
        np.testing.assert_allclose(gradient, expected[2], rtol=1e-9, atol=1e-12)
    assert (info, message) == (expected[1], expected[3])
