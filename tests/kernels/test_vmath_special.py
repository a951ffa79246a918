"""Accuracy of the special functions (vmath_normal, vmath_gamma, vmath_bessel, vmath_orthogonal), in units in the last place.

The oracle is mpmath, at 30 digits; the bounds are the errors measured over several times as many values, with and without fma,
rounded up: none above 2. The functions compute in double for float32 too, so that half a unit is all they may lose there (xlog1py is
made of the vector functions). Where a function has zeros that no double hits (the oscillating ones, those of the gamma family below
0, polynomials), a unit is at least that of a value of `scale`: near them the error is absolute, as it is in every library.
"""
import math

import numpy as np
import pytest
import torch

import fastgrad
from fastgrad import special

mpmath = pytest.importorskip("mpmath")
mp = mpmath.mp

COUNT = 150


def ndtr(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def polygamma(n):
    return lambda x: mp.polygamma(n, x)


def exact_xlog1py(x, y):
    return x * mp.log1p(y)


def zeta(s, q):
    """Euler and Maclaurin's formula, from far enough on; mpmath's own is wrong for some large q."""
    a = q + 40
    rest = a ** (1 - s) / (s - 1) + a ** -s / 2
    for k in range(1, 16):
        rest += mp.bernoulli(2 * k) / mp.factorial(2 * k) * mp.rf(s, 2 * k - 1) * a ** (1 - s - 2 * k)
    return mp.fsum((q + k) ** -s for k in range(40)) + rest


def scaled_k(order):
    return lambda x: mp.exp(x) * mp.besselk(order, x)


# name: (function, oracle, largest ulp in float64, ranges, scale of what counts as near a zero)
UNARY = {
    "erfc": (special.erfc, mp.erfc, 1.1, [(-6, 0.5), (0.5, 4), (4, 26)], 0),
    "erfcx": (special.erfcx, erfcx, 0.9, [(-26, 0), (-1, 1), (0, 3), (3, 1e4)], 0),
    "erfinv": (special.erfinv, mp.erfinv, 1.5, [(-1, 1), (-1e-3, 1e-3), (0.6, 0.8), (0.99999, 1)], 0),
    "ndtr": (special.ndtr, ndtr, 1.1, [(-3, 3), (-37, -3)], 0),
    "log_ndtr": (special.log_ndtr, lambda x: mp.log(ndtr(x)), 1.6, [(-1, 6), (-30, -1)], 0),
    "ndtri": (special.ndtri, lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), 1.1, [(0.001, 0.45), (0.45, 1), (1e-12, 1e-3)], 0),
    "lgamma": (special.gammaln, mp.loggamma, 1.9, [(0.01, 1), (0.9, 2.1), (2, 10), (10, 100), (100, 1e5)], 0),
    "lgamma, below 0": (special.gammaln, lambda x: mp.log(abs(mp.gamma(x))), 0.7, [(-5, 0), (-50, -5)], 1),
    "digamma": (special.digamma, mp.digamma, 0.9, [(0.01, 1), (1, 4), (4, 100)], 0),
    "digamma, below 0": (special.digamma, mp.digamma, 1.2, [(-5, 0), (-50, -5)], 1),
    "trigamma": (lambda x: special.polygamma(1, x), polygamma(1), 1.2, [(0.01, 4), (4, 100), (-3, 0)], 0),
    "tetragamma": (lambda x: special.polygamma(2, x), polygamma(2), 1.2, [(0.01, 4), (4, 100)], 0),
    "tetragamma, below 0": (lambda x: special.polygamma(2, x), polygamma(2), 2, [(-3, 0)], 10),
    "polygamma 7": (lambda x: special.polygamma(7, x), polygamma(7), 1.3, [(0.01, 4), (4, 100)], 0),
    "polygamma 30": (lambda x: special.polygamma(30, x), polygamma(30), 1.5, [(0.01, 4), (4, 100)], 0),
    "i0": (special.i0, lambda x: mp.besseli(0, x), 0.9, [(-8, 8), (8, 713)], 0),
    "i0e": (special.i0e, lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), 0.9, [(-8, 8), (8, 1000)], 0),
    "i1": (special.i1, lambda x: mp.besseli(1, x), 1, [(-8, 8), (8, 713)], 0),
    "i1e": (special.i1e, lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), 0.8, [(-8, 8), (8, 1000)], 0),
    "j0": (special.bessel_j0, mp.j0, 1.7, [(-10, 10), (10, 100)], 0.5),
    "j1": (special.bessel_j1, mp.j1, 2, [(-10, 10), (1.5, 3.5), (10, 100)], 0.5),
    "y0": (special.bessel_y0, lambda x: mp.bessely(0, x), 1.5, [(0.01, 1), (1, 10), (10, 100)], 0.5),
    "y1": (special.bessel_y1, lambda x: mp.bessely(1, x), 1.9, [(0.01, 1), (1, 10), (10, 100)], 0.5),
    "k0": (special.modified_bessel_k0, lambda x: mp.besselk(0, x), 1, [(0.01, 1), (1, 100), (100, 700)], 0),
    "k1": (special.modified_bessel_k1, lambda x: mp.besselk(1, x), 1, [(0.01, 1), (1, 100), (100, 700)], 0),
    "scaled k0": (special.scaled_modified_bessel_k0, scaled_k(0), 0.9, [(0.01, 1), (1, 100)], 0),
    "scaled k1": (special.scaled_modified_bessel_k1, scaled_k(1), 0.9, [(0.01, 1), (1, 100)], 0),
    "spherical j0": (special.spherical_bessel_j0, mp.sinc, 1.5, [(-3, 3), (3, 100)], 0.01),
    "airy, below 0": (special.airy_ai, mp.airyai, 1.7, [(-6, 0), (-12, -6), (-100, -12)], 0.5),
    "airy": (special.airy_ai, mp.airyai, 0.9, [(0, 1), (1, 20), (20, 100)], 0),
}
BINARY = {
    "zeta": (special.zeta, zeta, 1.3, [((1.1, 8), (0.01, 4)), ((1.1, 60), (1, 100))], 0),
    "gammainc": (special.gammainc, lambda a, x: mp.gammainc(a, 0, x, regularized=True), 1,
                 [((0.1, 4), (0.1, 4)), ((4, 80), (4, 100)), ((80, 1000), (80, 1000))], 0),
    "gammaincc": (special.gammaincc, lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), 1.2,
                  [((0.1, 4), (0.1, 4)), ((4, 80), (4, 100)), ((80, 1000), (80, 1000))], 0),
    "xlog1py": (special.xlog1py, exact_xlog1py, 1.7, [((-3, 3), (-0.9, 3))], 0),
    "chebyshev t": (special.chebyshev_polynomial_t, lambda x, n: mp.chebyt(int(n), x), 0.6, [((-1.2, 1.2), (0, 12))], 0.1),
    "chebyshev u": (special.chebyshev_polynomial_u, lambda x, n: mp.chebyu(int(n), x), 0.6, [((-1.2, 1.2), (0, 12))], 0.1),
    "hermite": (special.hermite_polynomial_h, lambda x, n: mp.hermite(int(n), x), 0.6, [((-3, 3), (0, 9))], 0.1),
    "laguerre": (special.laguerre_polynomial_l, lambda x, n: mp.laguerre(int(n), 0, x), 0.6, [((-3, 6), (0, 9))], 0.1),
    "legendre": (special.legendre_polynomial_p, lambda x, n: mp.legendre(int(n), x), 0.6, [((-1.2, 1.2), (0, 12))], 0.1),
}


def worst(function, oracle, arrays, scale):
    """The largest error in ulp, and where."""
    found = function(*map(fastgrad.from_numpy, arrays)).numpy()
    info = np.finfo(found.dtype)
    largest, where = 0.0, None
    with mp.workdps(30):
        for i, point in enumerate(zip(*arrays)):
            exact = oracle(*(mp.mpf(float(v)) for v in point))
            if abs(exact) > float(info.max):
                assert np.isinf(found[i]), (point, found[i])
                continue
            size = max(abs(exact), scale, float(info.tiny))
            unit = mp.mpf(2) ** (math.frexp(float(size))[1] - 1 - info.nmant)
            error = float(abs(mp.mpf(float(found[i])) - exact) / unit)
            if not error <= largest:
                largest, where = error, (point, found[i])
    return largest, where


def check(dtype, function, oracle, bound, ranges, scale):
    rng = np.random.default_rng(0)
    for limits in ranges:
        columns = [np.array(rng.uniform(low, high, COUNT), dtype) for low, high in (limits if isinstance(limits[0], tuple) else [limits])]
        largest, where = worst(function, oracle, columns, scale)
        assert largest <= (0.51 if dtype == np.float32 and oracle is not exact_xlog1py else bound), (limits, largest, where)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    check(dtype, *UNARY[name])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    check(dtype, *BINARY[name])


@pytest.mark.parametrize("name", ["i0", "i1", "i0e", "i1e"])
def test_bessel_functions_far_out(name):
    x = [1e3, 1e78, 1e100, 1e300, float("inf"), -1e100, -1e300]
    expected = getattr(torch.special, name)(torch.tensor(x, dtype=torch.float64))
    np.testing.assert_allclose(getattr(special, name)(fastgrad.tensor(x, dtype=fastgrad.float64)).numpy(), expected.numpy(), rtol=1e-14)
