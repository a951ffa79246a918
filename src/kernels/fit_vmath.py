"""Minimax coefficients of the polynomials in vmath*.pxi.

Run `python fit_vmath.py [name ...]` (needs mpmath) to print every table, or the named ones, with the largest weighted error
in units of 2^-24 (f32) or 2^-53 (f64). The kernels quote the output; nothing imports this file.

Method: Remez exchange in 60-digit arithmetic on a basis x^k, k = start, start+1, ..., minimising weight(x) * (g(x) - p(x)).
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


def odd_tail(function):
    """(function(x) - x) / x^3 of z = x^2."""
    return lambda z: (function(mp.sqrt(z)) - mp.sqrt(z)) / (z * mp.sqrt(z))


# name: (precision, g, weight, low, high, number of terms)
FITS = {
    # exp(r) = 1 + r + r^2 p(r); relative to exp(r) (and, near enough, to expm1)
    "exp_f32": (32, exp_tail, lambda r: r ** 2 / mp.exp(r), -HALF_LN2, HALF_LN2, 5),
    "exp_f64": (64, exp_tail, lambda r: r ** 2 / mp.exp(r), -HALF_LN2, HALF_LN2, 10),
    "expm1_f32": (32, exp_tail, lambda r: abs(r ** 2 / mp.expm1(r)), -HALF_LN2, HALF_LN2, 5),
    "expm1_f64": (64, exp_tail, lambda r: abs(r ** 2 / mp.expm1(r)), -HALF_LN2, HALF_LN2, 11),
    # tanh(x) = x + x^3 p(x^2) for |x| <= 0.6
    "tanh_f64": (64, odd_tail(mp.tanh), lambda z: z, 0, mp.mpf("0.36"), 11),
    # log(1 + f) = f - f^2/2 + f^3 p(f)
    "log_f32": (32, log_tail, lambda f: f ** 3 / mp.log1p(f), LOG_LOW, LOG_HIGH, 8),
    # log(1 + f) = f - s (f - s^2 p(s^2)), s = f / (2 + f)
    "log_f64": (64, atanh_tail, lambda z: z / 2, 0, S2_HIGH, 7),
}


def main(names):
    for name in names or FITS:
        bits, g, weight, low, high, terms = FITS[name]
        coefficients, error = remez(g, weight, low, high, terms)
        print(f"{name}: error {float(error * 2 ** (24 if bits == 32 else 53)):.4f}")
        for k, c in enumerate(coefficients):
            print(f"    c{k} = {to_f32(c):.9g}" if bits == 32 else f"    c{k} = {float(c)!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
