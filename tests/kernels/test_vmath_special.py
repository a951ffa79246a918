"""Accuracy of the special functions (vmath_normal, vmath_gamma, vmath_bessel, vmath_orthogonal), in units in the last place.

The oracle is mpmath, at 30 digits; the bounds are the errors measured over several times as many values, rounded up. The functions
compute in double for float32 too, so that half a unit is all they may lose there (xlog1py is made of the vector functions). Near a zero of an oscillating function, and of those of the
gamma family below 0, a unit is that of a value of `scale`.
"""
import math

import numpy as np
import pytest

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
    "erfc": (special.erfc, mp.erfc, 3.6, [(-6, 0.5), (0.5, 4), (4, 26)], 0),
    "erfcx": (special.erfcx, erfcx, 3, [(-9, 0), (0, 3), (3, 1e4)], 0),
    "erfinv": (special.erfinv, mp.erfinv, 2.6, [(-1, 1), (-1e-3, 1e-3), (0.99999, 1)], 0),
    "ndtr": (special.ndtr, ndtr, 4.5, [(-3, 3), (-37, -3)], 0),
    "log_ndtr": (special.log_ndtr, lambda x: mp.log(ndtr(x)), 5, [(-1, 6), (-30, -1)], 0),
    "ndtri": (special.ndtri, lambda p: mp.sqrt(2) * mp.erfinv(2 * p - 1), 3, [(0.001, 0.45), (0.55, 1), (1e-12, 1e-3)], 0.1),
    "lgamma": (special.gammaln, lambda x: mp.log(abs(mp.gamma(x))), 2.6, [(0.01, 4), (4, 100), (100, 1e5), (-5, 0)], 1),
    "digamma": (special.digamma, mp.digamma, 4.5, [(0.01, 1), (1, 4), (4, 100), (-5, 0)], 1),
    "trigamma": (lambda x: special.polygamma(1, x), polygamma(1), 5, [(0.01, 4), (4, 100), (-3, 0)], 0),
    "tetragamma": (lambda x: special.polygamma(2, x), polygamma(2), 24, [(0.01, 4), (4, 100), (-3, 0)], 10),
    "polygamma 7": (lambda x: special.polygamma(7, x), polygamma(7), 8, [(0.01, 4), (4, 100)], 0),
    "i0": (special.i0, lambda x: mp.besseli(0, x), 5, [(-8, 8), (8, 85)], 0),
    "i0e": (special.i0e, lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), 4, [(-8, 8), (8, 1000)], 0),
    "i1": (special.i1, lambda x: mp.besseli(1, x), 5, [(-8, 8), (8, 85)], 0),
    "i1e": (special.i1e, lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), 4, [(-8, 8), (8, 1000)], 0),
    "j0": (special.bessel_j0, mp.j0, 3, [(-10, 10), (10, 100)], 0.5),
    "j1": (special.bessel_j1, mp.j1, 3, [(-10, 10), (10, 100)], 0.5),
    "y0": (special.bessel_y0, lambda x: mp.bessely(0, x), 3, [(0.01, 10), (10, 100)], 0.5),
    "y1": (special.bessel_y1, lambda x: mp.bessely(1, x), 3, [(0.01, 10), (10, 100)], 0.5),
    "k0": (special.modified_bessel_k0, lambda x: mp.besselk(0, x), 4, [(0.01, 1), (1, 100)], 0),
    "k1": (special.modified_bessel_k1, lambda x: mp.besselk(1, x), 4, [(0.01, 1), (1, 100)], 0),
    "scaled k0": (special.scaled_modified_bessel_k0, scaled_k(0), 4, [(0.01, 1), (1, 100)], 0),
    "scaled k1": (special.scaled_modified_bessel_k1, scaled_k(1), 4.5, [(0.01, 1), (1, 100)], 0),
    "spherical j0": (special.spherical_bessel_j0, mp.sinc, 2, [(-3, 3), (3, 100)], 0.01),
    "airy": (special.airy_ai, mp.airyai, 20, [(-6, 1), (1, 20), (-12, -6)], 0.5),
}
BINARY = {
    "zeta": (special.zeta, zeta, 40, [((1.1, 8), (0.01, 4)), ((1.1, 60), (1, 100))], 0),
    "gammainc": (special.gammainc, lambda a, x: mp.gammainc(a, 0, x, regularized=True), 60, [((0.1, 4), (0.1, 4)), ((4, 80), (4, 100))], 1),
    "gammaincc": (special.gammaincc, lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True), 60, [((0.1, 4), (0.1, 4)), ((4, 80), (4, 100))], 1),
    "xlog1py": (special.xlog1py, exact_xlog1py, 2.3, [((-3, 3), (-0.9, 3))], 0),
    "chebyshev t": (special.chebyshev_polynomial_t, lambda x, n: mp.chebyt(int(n), x), 24, [((-1.2, 1.2), (0, 12))], 1),
    "chebyshev u": (special.chebyshev_polynomial_u, lambda x, n: mp.chebyu(int(n), x), 40, [((-1.2, 1.2), (0, 12))], 1),
    "hermite": (special.hermite_polynomial_h, lambda x, n: mp.hermite(int(n), x), 200, [((-3, 3), (0, 9))], 100),
    "laguerre": (special.laguerre_polynomial_l, lambda x, n: mp.laguerre(int(n), 0, x), 30, [((-3, 6), (0, 9))], 1),
    "legendre": (special.legendre_polynomial_p, lambda x, n: mp.legendre(int(n), x), 40, [((-1.2, 1.2), (0, 12))], 1),
}


def worst(function, oracle, arrays, scale):
    """The largest error in ulp, and where."""
    found = function(*map(fastgrad.from_numpy, arrays)).numpy()
    info = np.finfo(found.dtype)
    largest, where = 0.0, None
    with mp.workdps(30):
        for i, point in enumerate(zip(*arrays)):
            exact = oracle(*(mp.mpf(float(v)) for v in point))
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
