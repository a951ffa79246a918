"""fastgrad.linalg and its names in fastgrad itself: values against PyTorch and NumPy, gradients against finite differences, refusals."""

import numpy as np
import pytest
import torch

import fastgrad as fg
from tests.gradients import check_gradients

L, T = fg.linalg, torch.linalg


def matrix(*shape, seed=0, definite=False):
    a = np.random.default_rng(seed).normal(size=shape)
    return a @ a.swapaxes(-1, -2) + 2 * np.eye(shape[-1]) if definite else a


def both(a, dtype=np.float64):
    return torch.from_numpy(a.astype(dtype)), fg.from_numpy(a.astype(dtype))


# deprecated in PyTorch, as here
pytestmark = pytest.mark.filterwarnings("ignore:torch.*deprecated:UserWarning")


def same(result, expected, rtol=1e-9):
    assert tuple(result.shape) == tuple(expected.shape) and str(result.dtype) == str(expected.dtype)
    np.testing.assert_allclose(result.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=1e-10)


@pytest.mark.parametrize("name", ["inv", "det", "svdvals", "matrix_exp", "cond", "pinv", "matrix_rank", "cholesky", "eigvalsh"])
@pytest.mark.parametrize("shape", [(3, 3), (2, 1, 4, 4)])
def test_of_one_matrix(name, shape):
    a, x = both(matrix(*shape, definite=True))
    same(getattr(L, name)(x), getattr(T, name)(a))


@pytest.mark.parametrize("name", ["inverse", "det", "logdet", "pinverse", "matrix_exp", "cholesky"])
def test_names_outside_linalg(name):
    a, x = both(matrix(3, 3, definite=True))
    same(getattr(fg, name)(x), getattr(torch, name)(a))
    same(getattr(x, name)(), getattr(a, name)())


@pytest.mark.parametrize("m, n", [(3, 3), (4, 2), (2, 4)])
def test_decompositions_give_the_matrix_back(m, n):
    a, x = both(matrix(2, m, n))
    for full in (False, True):
        u, s, vh = L.svd(x, full)
        expected = T.svd(a, full)
        assert [tuple(t.shape) for t in (u, s, vh)] == [tuple(t.shape) for t in expected]
        same(s, expected.S)
        k = s.shape[-1]
        same(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a)
    for mode in ("reduced", "complete"):
        q, r = L.qr(x, mode)
        assert q.shape == T.qr(a, mode).Q.shape
        same(q @ r, a)
        same(q.mT @ q, torch.eye(q.shape[-1], dtype=torch.float64).expand(q.mT.shape[0], -1, -1))
    assert L.qr(x, "r").Q.shape == (0,) and L.qr(x, "r").R.shape == T.qr(a, "r").R.shape
    w, v = L.eigh(x @ x.mT)
    same(v * w[..., None, :] @ v.mT, a @ a.mT)


@pytest.mark.parametrize("b", [(3,), (3, 2), (2, 3, 2), (2, 3)])
@pytest.mark.parametrize("left", [True, False])
def test_solve(b, left):
    (a, x), (b, y) = both(matrix(2, 3, 3)), both(matrix(*b, seed=1))
    try:
        expected = T.solve(a, b, left=left)
    except RuntimeError:
        with pytest.raises(RuntimeError, match="solve"):
            L.solve(x, y, left=left)
    else:
        same(L.solve(x, y, left=left), expected)


@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("left", [True, False])
def test_triangular(upper, unit, left):
    (a, x), (b, y) = both(matrix(3, 3)), both(matrix(3, 3, seed=1))
    same(L.solve_triangular(x, y, upper=upper, left=left, unitriangular=unit), T.solve_triangular(a, b, upper=upper, left=left, unitriangular=unit))
    same(fg.triangular_solve(y, x, upper, left, unit).solution, torch.triangular_solve(b, a, upper, left, unit).solution)
    if unit:
        factor = T.cholesky(a @ a.mT, upper=upper)
        same(fg.cholesky_solve(y, fg.from_numpy(factor.numpy()), upper), torch.cholesky_solve(b, factor, upper))
        same(fg.cholesky_inverse(fg.from_numpy(factor.numpy()), upper), torch.cholesky_inverse(factor, upper))


@pytest.mark.parametrize("ord", ["fro", "nuc", 1, -1, 2, -2, float("inf"), -float("inf")])
@pytest.mark.parametrize("keepdim", [True, False])
def test_matrix_norm(ord, keepdim):
    a, x = both(matrix(2, 3, 4))
    same(L.matrix_norm(x, ord, keepdim=keepdim), T.matrix_norm(a, ord, keepdim=keepdim))
    same(L.norm(x, ord, (2, 0), keepdim), T.norm(a, ord, (2, 0), keepdim))
    same(L.cond(x[:, :, :3], ord), T.cond(a[:, :, :3], ord))


@pytest.mark.parametrize("ord, dim", [(None, None), (3, 0), (0, 1), (float("inf"), None), (-1.5, 1), (2, (0, 1))])
def test_vector_norm(ord, dim):
    a, x = both(matrix(3, 4))
    same(L.vector_norm(x, 2 if ord is None else ord, dim), T.vector_norm(a, 2 if ord is None else ord, dim))
    same(L.norm(x, ord, dim), T.norm(a, ord, dim))


def test_products():
    (a, x), (b, y), (c, z), (d, w) = (both(matrix(*s, seed=i)) for i, s in enumerate([(4,), (4, 3), (3, 5), (5,)]))
    same(L.multi_dot([x, y, z, w]), T.multi_dot([a, b, c, d]))
    same(fg.chain_matmul(y, z), b @ c)
    (a, x), (b, y) = both(matrix(2, 3, 3)), both(matrix(1, 3, 3, seed=1))
    same(L.cross(x, y, dim=1), T.cross(a, b, dim=1))
    same(L.vecdot(x, y), T.vecdot(a, b))
    for n in (-2, 0, 1, 5):
        same(L.matrix_power(x, n), T.matrix_power(a, n))
    (a, x), (b, y) = both(matrix(2, 3, 6)), both(matrix(2, 3, seed=1))
    same(L.tensorinv(x), T.tensorinv(a))
    same(L.tensorsolve(x, y), T.tensorsolve(a, b))
    same(L.vander(y, N=4), T.vander(b, N=4))
    same(fg.vander(y[0], 3, True), torch.vander(b[0], 3, True))


@pytest.mark.parametrize("n", [None, 0, 1, 2, 5])
@pytest.mark.parametrize("values", [[1.5, -2.0, 3.0], [2, 3], [True, False], []])
def test_vander_of_a_vector(values, n):
    expected, result = torch.vander(torch.tensor(values), n), fg.vander(fg.tensor(values), n)
    assert result.shape == expected.shape and result.tolist() == expected.tolist() and str(result.dtype) == str(expected.dtype)


def test_vander_gradient():
    check_gradients(lambda x: fg.vander(x, 4), [fg.tensor([0.5, -1.5, 2.0], dtype=fg.float64, requires_grad=True)])


@pytest.mark.parametrize("n", [-1, 1 << 60])
def test_vander_refuses(n):
    with pytest.raises((RuntimeError, MemoryError)):
        fg.vander(fg.ones(2), n)


@pytest.mark.parametrize("m, n", [(5, 3), (3, 5), (4, 4)])
@pytest.mark.parametrize("driver", ["gels", "gelsd", None])
def test_least_squares(m, n, driver):
    (a, x), (b, y) = both(matrix(m, n)), both(matrix(m, 2, seed=1))
    result, expected = L.lstsq(x, y, driver=driver), T.lstsq(a, b, driver=driver)
    same(result.solution, expected.solution)
    same(result.rank, expected.rank)
    same(result.singular_values, expected.singular_values)


def test_rank_deficient():
    a, x = both(matrix(4, 2) @ matrix(2, 5, seed=1))
    same(L.pinv(x), T.pinv(a), 1e-7)
    same(L.pinv(x @ x.mT, hermitian=True), T.pinv(a @ a.mT, hermitian=True), 1e-6)
    assert int(L.matrix_rank(x)) == 2 == int(L.matrix_rank(x @ x.mT, hermitian=True))
    assert int(L.matrix_rank(x, atol=1e3)) == 0
    (a, b), x = [x.clone().requires_grad_() for x in (a, a)], x.clone().requires_grad_()
    v = torch.randn(5, 4, dtype=torch.float64)
    T.pinv(a, rtol=1e-8).backward(v)
    L.pinv(x, rtol=1e-8).backward(fg.from_numpy(v.numpy()))
    np.testing.assert_allclose(x.grad.numpy(), a.grad.numpy(), rtol=1e-6, atol=1e-8)


def symmetric(f):
    return lambda x: f(x @ x.mT + 2 * fg.eye(3, dtype=fg.float64))


@pytest.mark.parametrize("function, shape", [
    (L.inv, (2, 3, 3)), (L.det, (2, 3, 3)), (lambda x: L.slogdet(x).logabsdet, (3, 3)), (symmetric(L.cholesky), (3, 3)), (L.svdvals, (3, 4)),
    (lambda x: abs(L.svd(x, False).U), (4, 3)), (lambda x: abs(L.svd(x, False).Vh), (3, 4)), (lambda x: L.qr(x).Q, (4, 3)),
    (lambda x: L.qr(x).R, (3, 4)), (lambda x: L.qr(x).Q, (2, 3)), (symmetric(L.eigvalsh), (3, 3)), (symmetric(lambda x: abs(L.eigh(x).eigenvectors)), (3, 3)),
    (L.pinv, (4, 2)), (L.pinv, (2, 4)), (L.matrix_exp, (3, 3)), (lambda x: L.matrix_power(x, -3), (3, 3)), (lambda x: L.matrix_norm(x, 2), (3, 2)),
    (L.cond, (3, 2)), (lambda x: L.lstsq(x[:, :2], x[:, 2:]).solution, (4, 3)), (lambda x: L.solve(x[:, :3], x[:, 3]), (3, 4)),
    (lambda x: fg.cholesky_solve(x[:, 3:], fg.tril(x[:, :3])), (3, 5)),
])
def test_gradients(function, shape):
    check_gradients(function, [fg.from_numpy(matrix(*shape)).requires_grad_()], rtol=1e-6)


def test_gradient_of_a_determinant_of_zero():
    a, x = (t.requires_grad_() for t in both(matrix(3, 2) @ matrix(2, 3, seed=1)))
    T.det(a).backward()
    L.det(x).backward()
    np.testing.assert_allclose(x.grad.numpy(), a.grad.numpy(), rtol=1e-8)


@pytest.mark.parametrize("call, error, message", [
    (lambda: L.inv(fg.ones(2, 2)), L.LinAlgError, "singular"), (lambda: L.solve(fg.zeros(2, 2), fg.ones(2)), L.LinAlgError, "singular"),
    (lambda: L.cholesky(-fg.eye(2)), L.LinAlgError, "not positive-definite"), (lambda: L.inv(fg.ones(2, 3)), RuntimeError, "2 by 3 matrices"),
    (lambda: L.det(fg.ones(3)), RuntimeError, "at least 2 dimensions"), (lambda: L.inv(fg.ones(2, 2, dtype=fg.int64)), RuntimeError, "Got Long"),
    (lambda: L.eig(fg.ones(2, 3)), RuntimeError, "square"), (lambda: L.eigvals(fg.ones(2, 3)), RuntimeError, "square"),
    (lambda: L.svd(fg.full((2, 2), float("nan"))), L.LinAlgError, "non-finite"), (lambda: L.qr(fg.ones(2, 2), "x"), RuntimeError, "unrecognized mode"),
    (lambda: L.multi_dot([fg.ones(2, 3), fg.ones(2, 3)]), RuntimeError, "cannot be multiplied"),
])
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_info_instead_of_an_error():
    a, x = both(np.stack([np.eye(3), np.diag([1.0, 0, 1]), np.diag([1.0, 1, -1])]))
    assert L.inv_ex(x).info.tolist() == T.inv_ex(a).info.tolist() == [0, 2, 0]
    assert L.cholesky_ex(x).info.tolist() == T.cholesky_ex(a).info.tolist() == [0, 2, 3]
    with pytest.raises(L.LinAlgError):
        L.inv_ex(x, check_errors=True)
    assert repr(L.slogdet(fg.eye(2))).startswith("torch.return_types.linalg_slogdet(\nsign=tensor(1.)")
