"""LU decompositions and decompositions of low rank: what PyTorch's samples, which tests/conformance runs, leave open."""

import fastgrad as fg
import numpy as np
import pytest
import torch

from tests.gradients import check_gradients
from tests.ops.rows import ours, values

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (4, 3), (3, 5), (2, 1, 4, 2), (0, 3, 3), (1, 1)])
def test_factors_multiply_to_the_matrix(shape):
    array = RNG.normal(size=shape)
    p, lower, upper = fg.linalg.lu(ours(array))
    np.testing.assert_allclose(values(p @ lower @ upper), array, atol=1e-14)
    for got, expected in zip((p, lower, upper), torch.linalg.lu(torch.from_numpy(array)), strict=True):
        np.testing.assert_allclose(values(got), values(expected), atol=1e-13)


@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (4, 3), (3, 5)])
def test_gradients_of_the_factors(shape):
    check_gradients(lambda a: fg.linalg.lu(a)[1:], [ours(RNG.normal(size=shape)).requires_grad_()])


def test_a_pivot_of_zero_is_named():
    a = [[[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]]]
    assert fg.linalg.lu_factor_ex(fg.tensor(a)).info.tolist() == torch.linalg.lu_factor_ex(torch.tensor(a)).info.tolist() == [2, 1]
    for lib in (fg, torch):
        with pytest.raises(RuntimeError, match=r"\(Batch element 0\): U\[2,2\] is zero"):
            lib.linalg.lu_factor(lib.tensor(a))


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("adjoint", [True, False])
def test_systems_are_solved(left, adjoint):
    a, b = RNG.normal(size=(2, 3, 3)), RNG.normal(size=(2, 3, 4) if left else (2, 4, 3))
    x = values(fg.linalg.lu_solve(*fg.linalg.lu_factor(ours(a)), ours(b), left=left, adjoint=adjoint))
    a = a.swapaxes(1, 2) if adjoint else a
    np.testing.assert_allclose(a @ x if left else x @ a, b, atol=1e-13)


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (2, 6, 6)])
def test_low_rank(shape):
    """A matrix of rank 2 comes back from its 3 largest singular values."""
    array = RNG.normal(size=(*shape[:-1], 2)) @ RNG.normal(size=(*shape[:-2], 2, shape[-1]))
    u, s, v = fg.svd_lowrank(ours(array), q=3)
    np.testing.assert_allclose(values(u * s[..., None, :] @ v.mT), array, atol=1e-12)
    np.testing.assert_allclose(values(s)[..., :2], np.linalg.svd(array, compute_uv=False)[..., :2], rtol=1e-12)
    assert [t.shape for t in (u, s, v)] == [t.shape for t in torch.svd_lowrank(torch.from_numpy(array), q=3)]
    u, s, v = fg.pca_lowrank(ours(array), q=3)
    np.testing.assert_allclose(values(u * s[..., None, :] @ v.mT), array - array.mean(-2, keepdims=True), atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 5), (3, 4, 4), (2, 1, 1), (0, 3, 3), (2, 0, 0), (8, 8)])
@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_symmetric_factors_and_their_systems_are_lapacks(shape, hermitian, dtype):
    array = RNG.normal(size=shape).astype(dtype)
    array[..., range(shape[-1]), range(shape[-1])] *= 0.01                     # pivots of two by two
    right = RNG.normal(size=(*shape[:-1], 2)).astype(dtype)
    if dtype == np.complex128:
        array, right = array + 1j * RNG.normal(size=shape), right * 1j
    got, expected = (lib.linalg.ldl_factor_ex(lib.from_numpy(array), hermitian=hermitian) for lib in (fg, torch))
    for x, y in zip(got, expected, strict=True):
        np.testing.assert_allclose(values(x), values(y), rtol=1e-9, atol=1e-12)
        assert x.stride() == y.stride()
    got, expected = (lib.linalg.ldl_solve(f.LD, f.pivots, lib.from_numpy(right), hermitian=hermitian) for lib, f in ((fg, got), (torch, expected)))
    np.testing.assert_allclose(values(got), values(expected), rtol=1e-8, atol=1e-10)


def test_a_symmetric_factor_with_a_zero_has_its_place_and_no_gradient():
    a = [[0.0, 0.0], [0.0, 1.0]]
    assert fg.linalg.ldl_factor_ex(fg.tensor(a)).info.item() == torch.linalg.ldl_factor_ex(torch.tensor(a)).info.item() == 1
    for lib in (fg, torch):
        with pytest.raises(RuntimeError, match="linalg.ldl_factor"):
            lib.linalg.ldl_factor(lib.tensor(a))
        with pytest.raises(RuntimeError, match="not implemented"):
            lib.linalg.ldl_factor(lib.eye(2, requires_grad=True)).LD.sum().backward()


@pytest.mark.parametrize("shape", [(4, 3), (3, 4), (5, 5), (2, 6, 3)])
def test_low_rank_by_the_same_projections(shape):
    array = RNG.normal(size=shape)
    found = []
    for lib in (fg, torch):
        lib.manual_seed(0)
        u, s, v = lib.svd_lowrank(lib.from_numpy(array), q=2)
        found.append(values((u * s[..., None, :]) @ v.mT))
    np.testing.assert_allclose(*found, atol=1e-12)


def complex_array(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape) + 1j * rng.normal(size=shape)


COMPLEX = {
    "lu": (lambda t, a: tuple(t.linalg.lu(a)[1:]), [(3, 3)]), "lu, wide": (lambda t, a: tuple(t.linalg.lu(a)[1:]), [(2, 2, 3)]),
    "lu, tall": (lambda t, a: tuple(t.linalg.lu(a)[1:]), [(4, 2)]), "lu_factor": (lambda t, a: t.linalg.lu_factor(a)[0], [(2, 3, 3)]),
    "lu_factor, wide": (lambda t, a: t.linalg.lu_factor(a)[0], [(3, 5)]),
    "householder_product": (lambda t, a, tau: t.linalg.householder_product(a, tau), [(2, 4, 3), (2, 2)]),
} | {
    f"lu_solve, left={left}, adjoint={adjoint}": (
        lambda t, a, b, left=left, adjoint=adjoint: t.linalg.lu_solve(*t.linalg.lu_factor(a), b, left=left, adjoint=adjoint), [(2, 3, 3), (2, 3, 3)])
    for left in (True, False) for adjoint in (True, False)
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_values_gradients_and_tangents(name):
    function, shapes = COMPLEX[name]
    found = []
    for lib in (fg, torch):
        xs = [lib.from_numpy(complex_array(*shape, seed=i)).requires_grad_() for i, shape in enumerate(shapes)]
        out = function(lib, *xs)
        out = out if isinstance(out, tuple) else (out,)
        grads = lib.autograd.grad(out, xs, [lib.from_numpy(complex_array(*t.shape, seed=9 + i)) for i, t in enumerate(out)])
        tangents = lib.func.jvp(lambda *xs, lib=lib: function(lib, *xs), tuple(x.detach() for x in xs), tuple(x.detach().cos() for x in xs))[1]
        found.append([values(t.resolve_conj()) for t in (*out, *grads, *(tangents if isinstance(tangents, tuple) else (tangents,)))])
    for got, expected in zip(*found, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-9)
    assert fg.autograd.gradcheck(lambda *xs: function(fg, *xs), [fg.from_numpy(complex_array(*s, seed=i)).requires_grad_() for i, s in enumerate(shapes)])


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
def test_complex_reflections(left, transpose):
    arrays = complex_array(4, 3), complex_array(3, seed=1), complex_array(4, 4, seed=2)
    got, expected = (lib.ormqr(*map(lib.from_numpy, arrays), left, transpose) for lib in (fg, torch))
    np.testing.assert_allclose(values(got.resolve_conj()), values(expected.resolve_conj()), rtol=1e-10, atol=1e-10)
    assert fg.autograd.gradcheck(lambda *xs: fg.ormqr(*xs, left, transpose), [fg.from_numpy(x).requires_grad_() for x in arrays])
