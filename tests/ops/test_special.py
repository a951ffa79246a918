"""Special functions: edges, arguments and errors, against PyTorch; their accuracy is in tests/kernels/test_vmath_special.py."""

import fastgrad as fg
import numpy as np
import pytest
import torch

from tests.gradients import check_gradients

INF, NAN = np.inf, np.nan


def same(found, expected, rtol=1e-7):
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=1e-12)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc", "zeta"])
def test_edges_of_two_arguments(name):
    a, b = (m.ravel() for m in np.meshgrid([-1.0, 0.0, 1.0, 2.0, 2.5, 3.0], [-2.0, -1.5, 0.0, 0.5, INF, NAN]))
    same(getattr(fg.special, name)(fg.from_numpy(a), fg.from_numpy(b)), getattr(torch.special, name)(torch.from_numpy(a), torch.from_numpy(b)))


@pytest.mark.parametrize("name", [
    "digamma", "gammaln", "erfinv", "erfc", "erfcx", "ndtr", "ndtri", "log_ndtr", "i0", "i0e", "i1", "i1e", "entr", "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "spherical_bessel_j0", "psi", "expit"])
def test_edges(name):
    x = np.array([0.0, -0.0, 1.0, -1.0, 2.0, INF, NAN, 1e-300, 30.0])
    same(getattr(fg.special, name)(fg.from_numpy(x)), getattr(torch.special, name)(torch.from_numpy(x)))


@pytest.mark.parametrize("name", ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"])
def test_edges_of_bessel_functions(name):
    x = np.array([0.0, -0.0, 1.0, -1.0, NAN, 1e-300, 30.0])
    same(getattr(fg.special, name)(fg.from_numpy(x)), getattr(torch.special, name)(torch.from_numpy(x)))
    assert getattr(fg.special, name)(fg.tensor([INF])).item() == 0      # PyTorch: NaN


@pytest.mark.parametrize("name", [n for n in dir(torch.special) if "polynomial" in n])
def test_polynomials(name):
    x, n = (m.ravel() for m in np.meshgrid([-1.3, -1.0, -0.4, 0.0, 0.7, 1.0, 2.0], [-1.0, 0.0, 1.0, 2.0, 2.9, 5.0, 9.0]))
    same(getattr(fg.special, name)(fg.from_numpy(x), fg.from_numpy(n)), getattr(torch.special, name)(torch.from_numpy(x), torch.from_numpy(n)))
    assert getattr(fg.special, name)(fg.tensor([0.3]), 3).shape == (1,)


def test_degrees_without_end():
    for name, x, exact in (("t", 1.0, 1.0), ("u", 1.0, 1e6 + 1), ("v", -1.0, 2e6 + 1), ("w", 1.0, 2e6 + 1), ("t", 0.0, 1.0)):
        f = getattr(fg.special, f"chebyshev_polynomial_{name}")
        np.testing.assert_allclose(f(fg.tensor([x], dtype=fg.float64), 1e6).numpy(), [exact], rtol=1e-9)
    assert np.isnan(fg.special.legendre_polynomial_p(fg.tensor([0.5]), 1e12).numpy()).all()


def test_far_from_the_origin():
    """Arguments for which a series would not end: far below 0, and large a."""
    x = fg.tensor([-1e9 - 0.25, -12345.5], dtype=fg.float64)
    np.testing.assert_allclose(fg.polygamma(1, x).numpy(), [np.pi ** 2 / np.sin(0.25 * np.pi) ** 2, np.pi ** 2], rtol=1e-4)
    scipy = pytest.importorskip("scipy.special")
    a = np.array([1e5 + 1, 1e6, 3e7, 1e5 + 1, 1e9])
    b = a + np.sqrt(a) * np.array([0.3, -1.0, 2.0, 4.0, -3.0])
    np.testing.assert_allclose(fg.special.gammainc(fg.from_numpy(a), fg.from_numpy(b)).numpy(), scipy.gammainc(a, b), rtol=1e-9)
    np.testing.assert_allclose(fg.special.gammaincc(fg.from_numpy(a), fg.from_numpy(b)).numpy(), scipy.gammaincc(a, b), rtol=1e-9)


def test_polygamma_and_mvlgamma():
    x = np.array([0.3, 1.7, 4.0])
    for n in range(5):
        same(fg.polygamma(n, fg.from_numpy(x)), torch.polygamma(n, torch.from_numpy(x)))
        same(fg.from_numpy(x.copy()).polygamma_(n), torch.from_numpy(x.copy()).polygamma_(n))
    for p in (1, 2, 3):
        same(fg.mvlgamma(fg.from_numpy(x + 2), p), torch.mvlgamma(torch.from_numpy(x + 2), p))
        same(fg.special.multigammaln(fg.tensor([3, 5]), p), torch.special.multigammaln(torch.tensor([3, 5]), p), 1e-5)
    check_gradients(lambda t: fg.polygamma(1, t), [fg.tensor(x, dtype=fg.float64, requires_grad=True)])
    check_gradients(lambda t: fg.mvlgamma(t, 3), [fg.tensor(x + 2, dtype=fg.float64, requires_grad=True)])
    with pytest.raises(RuntimeError, match="negative n"):
        fg.polygamma(-1, fg.ones(2))
    with pytest.raises(RuntimeError, match="greater than or equal to 1"):
        fg.mvlgamma(fg.ones(2), 0)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_the_order_of_an_incomplete_gamma_has_no_derivative(name):
    a, x = fg.tensor([1.5], requires_grad=True), fg.tensor([2.0], requires_grad=True)
    with pytest.raises(NotImplementedError, match=f"the derivative for .{name}. with respect to its argument 1"):
        getattr(fg, name)(a, x).sum().backward()
    getattr(fg, name)(a.detach(), x).sum().backward()
    assert x.grad is not None


def test_no_scipy_is_loaded():
    import subprocess
    import sys

    code = "import sys, fastgrad as fg; fg.special.erfinv(fg.ones(2)); fg.polygamma(2, fg.ones(2)); assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
