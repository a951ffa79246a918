"""Coefficients of the polynomials in vmath*.pxi and of the Chebyshev series in vmath_tables.h.

Run `python fit_vmath.py [name ...]` (needs mpmath) to print every table, or the named ones, with the largest weighted error
in units of 2^-24 (f32) or 2^-53 (f64). The kernels quote the output; nothing imports this file.

Method: Remez exchange in 60-digit arithmetic on a basis x^k, k = start, start+1, ..., minimising weight(x) * (g(x) - p(x)); for
the rare functions, interpolation at Chebyshev's nodes, whose series needs no other conditioning.
"""
import struct
import sys

import mpmath as mp

mp.mp.dps = 60
LN2 = mp.log(2)


def remez(g, weight, low, high, terms, start=0, rounds=12):
    """Coefficients of the best weighted polynomial with `terms` powers from x^start on, and its weighted error."""
    low, high = mp.mpf(low), mp.mpf(high)
    mid, half = (low + high) / 2, (high - low) / 2
    count = terms + 1
    grid_size = 24 * count
    grid = [mid - half * mp.cos(mp.pi * i / grid_size) for i in range(grid_size + 1)]
    values = [(x, g(x), weight(x)) for x in grid if x != 0]
    step = (len(values) - 1) / mp.mpf(count - 1)
    chosen = [values[int(i * step)] for i in range(count)]
    best = None
    for _ in range(rounds):
        rows = mp.matrix(count, count)
        right = mp.matrix(count, 1)
        for i, (x, y, w) in enumerate(chosen):
            for j in range(terms):
                rows[i, j] = w * x ** (start + j)
            rows[i, terms] = (-1) ** i
            right[i] = w * y
        solution = mp.lu_solve(rows, right)
        coefficients = [solution[j] for j in range(terms)]
        errors = [w * (y - x ** start * mp.polyval(coefficients[::-1], x)) for x, y, w in values]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (coefficients, worst)
        if worst <= abs(solution[terms]) * mp.mpf("1.001"):
            break
        # One extremum for each run of equal sign; drop the smaller end until the count fits.
        extrema = []
        for value, error in zip(values, errors):
            if extrema and (error > 0) == (extrema[-1][1] > 0):
                if abs(error) > abs(extrema[-1][1]):
                    extrema[-1] = (value, error)
            else:
                extrema.append((value, error))
        while len(extrema) > count:
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        if len(extrema) < count:
            break
        chosen = [value for value, _ in extrema]
    return best


def to_f32(c):
    return struct.unpack("f", struct.pack("f", float(c)))[0]


HALF_LN2 = LN2 / 2 * mp.mpf("1.002")
SQRT_HALF = mp.sqrt(mp.mpf("0.5"))
LOG_LOW, LOG_HIGH = SQRT_HALF - 1, mp.sqrt(2) - 1
S2_HIGH = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2


def exp_tail(r):
    return (mp.expm1(r) - r) / r ** 2


def log_tail(f):
    return (mp.log1p(f) - f + f ** 2 / 2) / f ** 3


def atanh_tail(z):
    """(2 atanh(s) - 2 s) / s of z = s^2, divided by z."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z)


def odd(bits, function, high, terms):
    """An odd function as x + x^3 p(x^2) on |x| <= high, by relative error."""
    def tail(z):
        x = mp.sqrt(z)
        return (function(x) - x) / (x * z)
    return bits, tail, lambda z: z * mp.sqrt(z) / function(mp.sqrt(z)), 0, mp.mpf(high) ** 2, terms


def after(bits, function, slope, low, high, terms):
    """function(0) = 0 as x (slope + p(x)), by relative error."""
    return bits, lambda x: function(x) / x - slope, lambda x: abs(x / function(x)), low, high, terms


def exp2m1(r):
    return mp.expm1(r * LN2)


def log2p1(f):
    return mp.log1p(f) / LN2


def log10p1(f):
    return mp.log1p(f) / mp.log(10)


def cos_tail(z):
    return (mp.cos(mp.sqrt(z)) - 1 + z / 2) / z ** 2


def erf_tail(z):
    """erf(x) / x - 1 of z = x^2."""
    return mp.erf(mp.sqrt(z)) / mp.sqrt(z) - 1


def minus_log_erfc(x):
    return -mp.log(mp.erfc(x))


def erfc_weight(x):
    """An error d of the exponent moves erf(x) by erfc(x) d."""
    return mp.erfc(x) / mp.erf(x)


def atanh_quarter_tail(z):
    """atanh(s) / s - 1 - z/3, divided by z^2."""
    s = mp.sqrt(z)
    return (mp.atanh(s) / s - 1 - z / 3) / z ** 2


# float32 finds n in float32, so r may pass pi/4 a little
QUARTER_PI = mp.pi / 4 * mp.mpf("1.06")
NEAR_QUARTER_PI = mp.pi / 4 * mp.mpf("1.0001")

# name: (precision, g, weight, low, high, number of terms)
FITS = {
    # exp(r) = 1 + r + r^2 p(r)
    "exp_f32": (32, exp_tail, lambda r: r ** 2 / mp.exp(r), -HALF_LN2, HALF_LN2, 5),
    "exp_f64": (64, exp_tail, lambda r: r ** 2 / mp.exp(r), -HALF_LN2, HALF_LN2, 10),
    "expm1_f32": (32, exp_tail, lambda r: abs(r ** 2 / mp.expm1(r)), -HALF_LN2, HALF_LN2, 5),
    "expm1_f64": (64, exp_tail, lambda r: abs(r ** 2 / mp.expm1(r)), -HALF_LN2, HALF_LN2, 11),
    # 2^r = 1 + r p(r)
    "exp2_f32": (32, lambda r: exp2m1(r) / r, lambda r: abs(r) / mp.exp(r * LN2), -0.501, 0.501, 6),
    "exp2_f64": (64, lambda r: exp2m1(r) / r, lambda r: abs(r) / mp.exp(r * LN2), -0.501, 0.501, 11),
    # odd functions: x + x^3 p(x^2)
    "sinh_f32": odd(32, mp.sinh, 1, 4),
    "sinh_f64": odd(64, mp.sinh, 1, 7),
    "tanh_f32": odd(32, mp.tanh, "0.6", 5),
    "tanh_f64": odd(64, mp.tanh, "0.6", 11),
    "sin_f32": odd(32, mp.sin, QUARTER_PI, 3),
    "sin_f64": odd(64, mp.sin, NEAR_QUARTER_PI, 6),
    "tan_f32": odd(64, mp.tan, QUARTER_PI, 7),
    "tan_f64": odd(64, mp.tan, NEAR_QUARTER_PI, 14),
    # cos(r) = 1 - z/2 + z^2 p(z), z = r^2
    "cos_f32": (32, cos_tail, lambda z: z ** 2, 0, QUARTER_PI ** 2, 3),
    "cos_f64": (64, cos_tail, lambda z: z ** 2, 0, QUARTER_PI ** 2, 6),
    "asin_f32": odd(32, mp.asin, "0.5", 5),
    "asin_f64": odd(64, mp.asin, "0.5", 12),
    "atan_f32": odd(32, mp.atan, 1, 9),
    "atan_f64": odd(64, mp.atan, 1, 20),
    # log(1 + f) = f - f^2/2 + f^3 p(f)
    "log_f32": (32, log_tail, lambda f: f ** 3 / mp.log1p(f), LOG_LOW, LOG_HIGH, 8),
    # log(1 + f) = f - s (f - s^2 p(s^2)), s = f / (2 + f)
    "log_f64": (64, atanh_tail, lambda z: z / 2, 0, S2_HIGH, 7),
    # log2(1 + f) = f (1 + p(f)), log10(1 + f) = f (1/2 + p(f))
    "log2_f32": after(32, log2p1, 1, LOG_LOW, LOG_HIGH, 10),
    "log10_f32": after(32, log10p1, mp.mpf("0.5"), LOG_LOW, LOG_HIGH, 10),
    # erf(x) = x + x p(x^2) for |x| < 1, else 1 - exp(-p(|x|))
    "erf_small_f32": (32, erf_tail, lambda z: 1, 0, 1, 7),
    "erf_small_f64": (64, erf_tail, lambda z: 1, 0, 1, 12),
    "erf_large_f32": (32, minus_log_erfc, erfc_weight, 1, 4, 7),
    "erf_large_f64": (64, minus_log_erfc, erfc_weight, 1, 6, 18),
    # pow in float32, in double arithmetic to about 40 bits: log2(1 + f) = f p(f), 2^r = 1 + r p(r)
    "pow_log2": after(64, log2p1, 0, LOG_LOW, LOG_HIGH, 13),
    "pow_exp2": (64, lambda r: exp2m1(r) / r, lambda r: abs(r) / mp.exp(r * LN2), -0.501, 0.501, 7),
    # pow in float64: atanh(s) = s (1 + z/3 + z^2 p(z))
    "pow_log_f64": (64, atanh_quarter_tail, lambda z: z ** 2, 0, S2_HIGH, 8),
}


# ---- Chebyshev series of rare functions --------------------------------------------------------------------------------

def chebyshev(f, nodes=96):
    """Coefficients of f's Chebyshev series on [-1, 1], up to the last that float64 can feel."""
    angles = [mp.pi * (2 * k + 1) / (2 * nodes) for k in range(nodes)]
    values = [f(mp.cos(a)) for a in angles]
    c = [2 * mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles)) / nodes for j in range(nodes)]
    c[0] /= 2
    while abs(c[-1]) < mp.mpf(2) ** -57 * max(map(abs, c)):
        c.pop()
    return c


def between(g, low, high):
    return lambda u: g((low + high) / mp.mpf(2) + u * (high - low) / mp.mpf(2))


def beyond(g, low):
    """g on [low, inf), in u = 2 low / x - 1."""
    return lambda u: g(2 * mp.mpf(low) / (1 + u))


DIGAMMA_ROOT = mp.findroot(mp.digamma, "1.4616")


def erfcx(x):
    return mp.exp(x * x) * mp.erfc(x)


def airy_scaled(zeta):
    """2 sqrt(pi) x^(1/4) exp(zeta) Ai(x) of zeta = 2/3 x^(3/2)."""
    x = (zeta * 3 / 2) ** (mp.mpf(2) / 3)
    return 2 * mp.sqrt(mp.pi) * x ** 0.25 * mp.exp(zeta) * mp.airyai(x)


def airy_pair(z):
    """The slowly varying factors of Ai(-t): of the cosine, and of the sine times zeta, at z = 1 / zeta^2."""
    zeta = 1 / mp.sqrt(z)
    t = (zeta * 3 / 2) ** (mp.mpf(2) / 3)
    angle, scale = zeta - mp.pi / 4, mp.sqrt(mp.pi) * t ** 0.25
    ai, bi = mp.airyai(-t), mp.airybi(-t)
    return scale * (ai * mp.cos(angle) - bi * mp.sin(angle)), scale * (ai * mp.sin(angle) + bi * mp.cos(angle)) * zeta


AIRY_ZETA = mp.mpf(2) / 3 * mp.mpf(6) ** 1.5

SERIES = {
    # (1 + 2x) erfcx(x), u = (x - 3.75) / (x + 3.75)
    "ERFCX": lambda u: (lambda x: erfcx(x) * (1 + 2 * x))(mp.mpf("3.75") * (1 + u) / (1 - u)),
    # exp(-x) I(x) on [0, 8], times a factor that keeps it level; sqrt(x) exp(-x) I(x) beyond
    "I0E_NEAR": between(lambda x: mp.exp(-x) * mp.besseli(0, x) * (1 + x), 0, 8),
    "I0E_FAR": beyond(lambda x: mp.exp(-x) * mp.besseli(0, x) * mp.sqrt(x), 8),
    "I1E_NEAR": between(lambda x: mp.exp(-x) * mp.besseli(1, x) / x * (2 + x) ** 2, 0, 8),
    "I1E_FAR": beyond(lambda x: mp.exp(-x) * mp.besseli(1, x) * mp.sqrt(x), 8),
    "Y0": between(lambda x: mp.bessely(0, x), 1, 3),
    # sqrt(x) exp(x) K(x) on [1, inf)
    "K0E_FAR": beyond(lambda x: mp.exp(x) * mp.besselk(0, x) * mp.sqrt(x), 1),
    "K1E_FAR": beyond(lambda x: mp.exp(x) * mp.besselk(1, x) * mp.sqrt(x), 1),
    # lgamma(x) / ((x - 1) (x - 2)) on [1, 3]; digamma(x) / (x - root) on [1, 2]
    "LGAMMA": between(lambda x: mp.loggamma(x) / ((x - 1) * (x - 2)), 1, 3),
    "DIGAMMA": between(lambda x: mp.digamma(x) / (x - DIGAMMA_ROOT), 1, 2),
    # Ai on [-6, 0], exp(x) Ai(x) on [0, 1], and what is left of it outside, in 1 / zeta and 1 / zeta^2
    "AIRY_FIRST": between(mp.airyai, -6, -4),
    "AIRY_SECOND": between(mp.airyai, -4, -2),
    "AIRY_THIRD": between(mp.airyai, -2, 0),
    "AIRY_NEAR": between(lambda x: mp.exp(x) * mp.airyai(x), 0, 1),
    "AIRY_RIGHT": beyond(airy_scaled, mp.mpf(2) / 3),
    "AIRY_COS": between(lambda z: airy_pair(z)[0], 0, 1 / AIRY_ZETA ** 2),
    "AIRY_SIN": between(lambda z: airy_pair(z)[1], 0, 1 / AIRY_ZETA ** 2),
}


def print_series(name):
    series = chebyshev(SERIES[name])
    numbers = [repr(float(c)) for c in [series[0] - float(series[0]), *series]]
    lines = [", ".join(numbers[i:i + 5]) for i in range(0, len(numbers), 5)]
    print(f"static const double {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n")


def main(names):
    for name in names or [*FITS, *SERIES]:
        if name in SERIES:
            print_series(name)
            continue
        bits, g, weight, low, high, terms = FITS[name]
        coefficients, error = remez(g, weight, low, high, terms)
        print(f"{name}: error {float(error * 2 ** (24 if bits == 32 else 53)):.4f}")
        for k, c in enumerate(coefficients):
            print(f"    c{k} = {to_f32(c):.9g}" if bits == 32 else f"    c{k} = {float(c)!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
