"""Accuracy and special values of the scalar math functions under every elementwise kernel, in units in the last place.

The oracle is NumPy in long double (for float32: in double), or mpmath where NumPy lacks the function; the bounds are the errors
measured over all float32 exponents and over 10^6 float64 values a range, rounded up. Both float widths, contiguous and strided.
"""
import numpy as np
import pytest

import fastgrad

HALF_PI = np.longdouble("1.57079632679489661923132169163975144")
needs_long_double = pytest.mark.skipif(np.finfo(np.longdouble).nmant < 63, reason="long double is no wider than double here")


def exact_sigmoid(x):
    return 1 / (1 + np.exp(-x))


def exact_logsigmoid(x):
    return np.where(x < 0, x, 0) - np.log1p(np.exp(-np.abs(x)))


def exact_erf(x):
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workprec(90):
        values = [mpmath.erf(mpmath.mpf(float(v))) for v in x]
        # as a head and a rest, for a long double does not come from an mpf directly; mpf has no -0
        heads = np.array([float(v) for v in values], x.dtype)
        return np.copysign(heads + np.array([float(v - float(v)) for v in values], x.dtype), x)


# name: (oracle, largest ulp in float32, in float64, ranges of the function's interest, points to crowd around)
UNARY = {
    "exp": (np.exp, (1.1, 0.9), [(-1, 1), (-88, 89), (-104, -87), (-745, 710), (-746, -700)],
            [0, 0.34657359, 88.722839, 709.782712893384]),
    "exp2": (np.exp2, (1.3, 1.3), [(-1, 1), (-150, 128), (-1075, 1024)], [0, 0.5, 128, 1024, -126, -1022]),
    "expm1": (np.expm1, (1.4, 1.5), [(-1, 1), (-40, 89), (-40, 710)], [0, 0.34657359, -0.34657359, 88.722839]),
    "log": (np.log, (1.0, 1.1), [(0, 2), (0, 1e6)], [1, 0.70710678, 1.41421356, 2]),
    "log2": (np.log2, (1.4, 1.6), [(0, 2), (0, 1e6)], [1, 0.70710678, 1.41421356, 2]),
    "log10": (np.log10, (1.4, 1.3), [(0, 2), (0, 1e6)], [1, 10, 0.1, 0.70710678, 1.41421356]),
    "log1p": (np.log1p, (1.5, 1.0), [(-1, 1), (-1, 1e6)], [0, -1, -0.29289322, 0.41421356]),
    "sigmoid": (exact_sigmoid, (1.8, 1.8), [(-1, 1), (-20, 40), (-110, -80), (-750, 50)], [0, 16.6, 36.7368, -88.722839, -709.78]),
    "tanh": (np.tanh, (1.4, 1.4), [(-1, 1), (-10, 10), (-25, 25)], [0, 0.6, 0.55]),
    "sinh": (np.sinh, (1.7, 1.7), [(-1, 1), (-5, 5), (-90, 90), (-711, 711)], [0, 1, 89.41598, 710.475860073944]),
    "cosh": (np.cosh, (1.5, 1.4), [(-1, 1), (-5, 5), (-90, 90), (-711, 711)], [0, 1, 89.41598, 710.475860073944]),
    "sin": (np.sin, (1.6, 0.9), [(-2, 2), (-100, 100), (-524288, 524288), (-1e7, 1e7), (-1e30, 1e30)],
            [float(k * HALF_PI) for k in (1, 2, 3, 4, 7, 1000, 333773, 5340356)]),
    "cos": (np.cos, (1.6, 0.9), [(-2, 2), (-100, 100), (-524288, 524288), (-1e7, 1e7), (-1e30, 1e30)],
            [float(k * HALF_PI) for k in (1, 2, 3, 4, 7, 1000, 333773, 5340356)]),
    "tan": (np.tan, (1.6, 1.4), [(-2, 2), (-100, 100), (-524288, 524288), (-1e7, 1e7), (-1e30, 1e30)],
            [float(k * HALF_PI) for k in (0.5, 1, 1.5, 2, 3, 1000, 333773, 5340356)]),
    "asin": (np.arcsin, (1.2, 1.3), [(-1, 1)], [0, 0.5, 1, -1]),
    "acos": (np.arccos, (1.2, 1.3), [(-1, 1)], [0, 0.5, -0.5, 1, -1]),
    "atan": (np.arctan, (1.4, 1.7), [(-2, 2), (-100, 100)], [0, 1, -1]),
    "sqrt": (np.sqrt, (0.5, 0.5), [(0, 2), (0, 1e6)], [0, 1]),
    "floor": (np.floor, (0, 0), [(-3, 3), (-1e7, 1e7)], [0, 1, -1, 0.5, 2 ** 23, 2 ** 52]),
    "ceil": (np.ceil, (0, 0), [(-3, 3), (-1e7, 1e7)], [0, 1, -1, 0.5, 2 ** 23, 2 ** 52]),
    "trunc": (np.trunc, (0, 0), [(-3, 3), (-1e7, 1e7)], [0, 1, -1, 0.5, 2 ** 23, 2 ** 52]),
    "round": (np.rint, (0, 0), [(-3, 3), (-1e7, 1e7)], [0, 0.5, 1.5, 2.5, -0.5, 2 ** 23, 2 ** 52]),
    "abs": (np.abs, (0, 0), [(-3, 3)], [0]),
    "logsigmoid": (exact_logsigmoid, (1.8, 1.9), [(-1, 1), (-30, 30), (-1000, 1000)], [0]),
    "erf": (exact_erf, (1.5, 1.7), [(-1, 1), (-7, 7)], [0, 1, 4, 6]),
}
BINARY = {
    "pow": (np.power, (0.6, 1.5)),
    "atan2": (np.arctan2, (1.7, 1.8)),
    "fmod": (np.fmod, (0, 0)),
    "copysign": (np.copysign, (0, 0)),
}
SLOW_ORACLE = {"erf"}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 1.5, 2.5, 16777217, 1e-30, 1e30, 5e-324, -5e-324,
           1e-45, -1e-45, 1.17549435e-38, 3.4028235e38, -3.4028235e38, 2.2250738585072014e-308, 1.7976931348623157e308, 1e-310]


def function(name):
    home = fastgrad.nn.functional if name == "logsigmoid" else fastgrad
    if not hasattr(home, name):
        pytest.skip(f"fastgrad has no {name}")
    return getattr(home, name)


def ulp_error(result, exact):
    """|result - exact| in units in the last place of exact; equal infinities, nans and signed zeros count as no error."""
    info = np.finfo(result.dtype)
    exact_there = exact.astype(result.dtype)
    assert np.array_equal(np.isnan(result), np.isnan(exact)), "nan in other places"
    zero = (exact == 0) & ~np.isnan(result)
    assert np.array_equal(np.signbit(result[zero]), np.signbit(exact[zero])), "a zero has the wrong sign"
    same = (result == exact_there) & ~np.isfinite(exact_there)
    finite = np.isfinite(result) & np.isfinite(exact) & ~same
    exponent = np.maximum(np.frexp(exact)[1] - 1, info.minexp)
    unit = np.ldexp(np.ones_like(exact), exponent - info.nmant)
    # an overflow where exact is within half a unit below it
    top = np.ldexp(exact.dtype.type(1), info.maxexp)
    overflowed = np.isinf(result) & ~same & ~np.isnan(exact)
    error = np.zeros(exact.shape, exact.dtype)
    error[finite] = np.abs(result[finite].astype(exact.dtype) - exact[finite]) / unit[finite]
    error[overflowed] = np.abs(np.copysign(top, result[overflowed]) - exact[overflowed]) / unit[overflowed]
    lost = ~np.isfinite(exact) & np.isfinite(result)
    error[lost] = np.abs(np.copysign(top, exact[lost]) - result[lost].astype(exact.dtype)) / np.ldexp(
        exact.dtype.type(1), info.maxexp - 1 - info.nmant) if lost.any() else 0
    return error


def inputs(dtype, ranges, points, count, seed=0):
    rng = np.random.default_rng(seed)
    unsigned = np.uint32 if dtype == np.float32 else np.uint64
    parts = [rng.integers(0, np.iinfo(unsigned).max, count, unsigned, endpoint=True).view(dtype)]        # every exponent
    parts += [rng.uniform(low, high, count).astype(dtype) for low, high in ranges]
    shrink = rng.choice([-1, 1], count) * 2.0 ** rng.uniform(-np.finfo(dtype).nmant - 1, -1, count)
    parts += [(point + max(abs(point), 1) * shrink).astype(dtype) for point in points]
    with np.errstate(over="ignore"):
        parts.append(np.array(SPECIAL).astype(dtype))
    return np.concatenate(parts)


def check(result, exact, bound, *arguments):
    assert result.dtype == arguments[0].dtype
    error = ulp_error(result, exact)
    worst = int(error.argmax())
    assert error[worst] <= bound, (f"{float(error[worst]):.3f} ulp at {[repr(a[worst]) for a in arguments]}: "
                                   f"{result[worst]!r}, exactly {exact[worst]!r}")


def wide(dtype):
    return np.float64 if dtype == np.float32 else np.longdouble


DTYPES = [np.float32, pytest.param(np.float64, marks=needs_long_double)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    f = function(name)
    oracle, bounds, ranges, points = UNARY[name]
    x = inputs(dtype, ranges, points, 1000 if name in SLOW_ORACLE else 50_000)
    with np.errstate(all="ignore"):
        exact = oracle(x.astype(wide(dtype)))
        check(f(fastgrad.from_numpy(x)).numpy(), exact, bounds[dtype == np.float64], x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    f = function(name)
    oracle, bounds = BINARY[name]
    # log-uniform bases with exponents that reach both ends of the range; whole numbers; everything with everything
    rng = np.random.default_rng(1)
    count = 100_000
    limit = 88 if dtype == np.float32 else 709
    base = np.exp(rng.uniform(-limit, limit, count)).astype(dtype)
    near = (1 + rng.uniform(-1, 1, count) * 2.0 ** rng.uniform(-24, -1, count)).astype(dtype)
    near[near == 1] = 2
    reach = 1.2 * limit * rng.uniform(-1, 1, count)
    with np.errstate(over="ignore"):
        special = np.array(SPECIAL).astype(dtype)
    pairs = [(inputs(dtype, [(-9, 9)], [], count), inputs(dtype, [(-9, 9)], [], count, seed=2)),
             (base, (reach / np.log(base.astype(np.float64))).astype(dtype)),
             (near, (reach / np.log(near.astype(np.float64))).astype(dtype)),
             (rng.integers(-20, 20, count).astype(dtype), rng.integers(-20, 20, count).astype(dtype)),
             tuple(np.ascontiguousarray(m.ravel()) for m in np.meshgrid(special, special))]
    for a, b in pairs:
        with np.errstate(all="ignore"):
            exact = oracle(a.astype(wide(dtype)), b.astype(wide(dtype)))
            check(f(fastgrad.from_numpy(a), fastgrad.from_numpy(b)).numpy(), exact, bounds[dtype == np.float64], a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite"])
def test_predicate(name, dtype):
    f = function(name)
    x = inputs(dtype, [(-1, 1)], [], 10_000)
    assert np.array_equal(f(fastgrad.from_numpy(x)).numpy(), getattr(np, name)(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", UNARY)
def test_same_bits_at_every_length(name, dtype):
    """The vector body, its remainder and a lone element compute the same number."""
    f = function(name)
    x = inputs(dtype, UNARY[name][2][:1], [], 35, seed=3)[35:105]
    whole = f(fastgrad.from_numpy(x)).numpy()
    for n in range(1, 71):
        assert np.array_equal(f(fastgrad.from_numpy(x[:n].copy())).numpy(), whole[:n], equal_nan=True), n
    strided = np.repeat(x, 3)[::3]
    assert np.array_equal(f(fastgrad.from_numpy(strided)).numpy(), whole, equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name, x, y", [
    ("cos", 0, 1), ("exp", 0, 1), ("exp2", 10, 1024), ("log", 1, 0), ("log2", 1024, 10), ("log10", 1000, 3), ("log10", 1e15, 15),
    ("sigmoid", 0, 0.5), ("cosh", 0, 1), ("acos", 1, 0)])
def test_exact(name, x, y, dtype):
    """Round values that users compare with ==."""
    assert function(name)(fastgrad.from_numpy(np.full(20, x, dtype))).numpy().tolist() == [y] * 20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_one_huge_argument(name, dtype):
    """An argument beyond the vector reduction, anywhere in the array, is right and spoils no other."""
    f = function(name)
    x = np.linspace(-3, 3, 1200, dtype=dtype)
    for position in (0, 513, 1199):
        x[position] = 1e22
    exact = UNARY[name][0](x.astype(wide(dtype)))
    check(f(fastgrad.from_numpy(x)).numpy(), exact, 2, x)
