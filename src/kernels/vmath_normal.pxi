# Rare functions about the normal distribution (part of vmath.pxi): erfc, erfcx, erfinv, ndtr, log_ndtr, ndtri.
#
# From here on (vmath_normal, vmath_gamma, vmath_bessel, vmath_orthogonal) functions compute in double for float32 too, with
# branches, loops and calls of libm: they are scalar code, one copy for both precisions, kept small. Method and range stand with each.
# The last steps are in two parts (vmath_twofold.pxi), so that float64 is within 2 ulp and float32 within 0.51: the table in
# tests/kernels/test_vmath_special.py has the largest error of each, measured against mpmath.

cdef extern from "vmath_tables.h" nogil:
    two series_erfcx(f64 u)
    two series_i0e_near(f64 u)
    two series_i0e_far(f64 u)
    two series_i1e_near(f64 u)
    two series_i1e_far(f64 u)
    two series_y0(f64 u)
    two series_k0e(f64 u)
    two series_k1e(f64 u)
    two series_lgamma(f64 u)
    two series_digamma(f64 u)
    two series_airy_first(f64 u)
    two series_airy_second(f64 u)
    two series_airy_third(f64 u)
    two series_airy_near(f64 u)
    two series_airy_right(f64 u)
    two series_airy_cos(f64 u)
    two series_airy_sin(f64 u)

cdef extern from "math.h" nogil:
    f64 c_erf "erf"(f64 x)
    f64 c_exp "exp"(f64 x)
    f64 c_expm1 "expm1"(f64 x)
    f64 c_log "log"(f64 x)
    f64 c_log1p "log1p"(f64 x)
    f64 c_pow "pow"(f64 x, f64 y)
    f64 c_sin "sin"(f64 x)
    f64 c_cos "cos"(f64 x)
    f64 c_tan "tan"(f64 x)
    f64 c_acos "acos"(f64 x)
    f64 c_lgamma "lgamma"(f64 x)
    f64 c_tgamma "tgamma"(f64 x)

cdef enum:
    HALLEY_STEPS = 2            # each takes an error e to about e^3, from 2e-3


cdef two erfcx_positive(f64 x) noexcept nogil:
    """x >= 0: up to 0.5 from erf; Chebyshev's series of (1 + 2x) erfcx(x) in (x - 3.75) / (x + 3.75), which maps all of it to [-1, 1)."""
    cdef two near
    if x > 1e9:
        return two_of(0.5641895835477563 / x, 0)
    if x < 0.5:
        near = two_plus(two_sum(1, -x), -x * erf_near_f64(x * x))
        return two_times(near, two_exp(two_product(x, x)))
    return two_over(series_erfcx((x - 3.75) / (x + 3.75)), two_sum(1, 2 * x))


cdef two minus_square(f64 x) noexcept nogil:
    """-x^2, unless that is beyond the range of exp, where a tail may not exist."""
    return two_minus(two_product(x, x)) if c_fabs_f64(x) < 40 else two_of(-1600, 0)


cdef f64 erfc_wide(f64 x) noexcept nogil:
    """1 - erf(x) up to 0.47, where that loses nothing; exp(-x^2) erfcx(x) to the right, 2 less that to the left."""
    cdef f64 a = c_fabs_f64(x), tail
    if x != x:
        return x
    if a < 0.47:
        return 1 - c_erf(x)
    tail = times_exp(erfcx_positive(a), minus_square(a))
    return tail if x > 0 else 2 - tail


cdef f64 erfcx_wide(f64 x) noexcept nogil:
    """Below 0: 2 exp(x^2) - erfcx(-x), infinite from -26.7 on."""
    cdef two e
    if not x < 0:
        return rounded(erfcx_positive(x)) if x == x else x
    if x < -26.7:
        return INF_F64
    if x < -6:
        return times_exp(two_of(2, 0), two_product(x, x))
    e = two_exp(two_product(x, x))
    return rounded(two_add(two_of(2 * e.head, 2 * e.tail), two_minus(erfcx_positive(-x))))


cdef two normal_ratio(f64 y) noexcept nogil:
    """ndtr(-y) exp(y^2 / 2) for y >= 0: erfcx(y / sqrt(2)) / 2, the quotient's tail brought in by the derivative."""
    cdef two z = two_scale(two_of(0.7071067811865476, -4.833646656726457e-17), y), e = erfcx_positive(z.head)
    if y < 1e9:
        e = two_plus(e, z.tail * (2 * z.head * e.head - 1.1283791670955126))
    return two_of(0.5 * e.head, 0.5 * e.tail)


cdef two minus_half_square(f64 x) noexcept nogil:
    cdef two square = two_product(x, x) if c_fabs_f64(x) < 60 else two_of(x * x, 0)
    return two_of(-0.5 * square.head, -0.5 * square.tail)


cdef f64 ndtr_wide(f64 x) noexcept nogil:
    """By erf in the middle, and by erfcx and the density in the tails."""
    cdef f64 a = c_fabs_f64(x), tail
    if not a >= 0.66:
        return 0.5 + 0.5 * c_erf(x * 0.7071067811865476)
    tail = times_exp(normal_ratio(a), minus_half_square(a))
    return tail if x < 0 else 1 - tail


cdef f64 log_ndtr_wide(f64 x) noexcept nogil:
    """Near 0 from erf; left of that from the logarithm of erfcx, which does not underflow; to the right from that of 1 - ndtr(-x)."""
    cdef two tail, z
    if c_fabs_f64(x) < 0.66:
        z = two_scale(two_of(0.7071067811865476, -4.833646656726457e-17), 0.5 * x)
        return rounded(two_log(two_plus(two_sum(0.5, z.head), z.tail + z.head * erf_near_f64(0.5 * x * x))))
    if x < -1e9:
        return -0.5 * x * x
    if x < 0:
        return rounded(two_add(two_log(normal_ratio(-x)), minus_half_square(x)))
    if not x < 37:
        return -times_exp(normal_ratio(x), minus_half_square(x)) if x == x else x
    tail = two_times(normal_ratio(x), two_exp(minus_half_square(x)))
    return c_log1p(-tail.head) - tail.tail / (1 - tail.head)


cdef f64 erfinv_guess(f64 log_product) noexcept nogil:
    """erfinv(x) within 2e-3, from log(1 - x^2): the formula of Winitzki."""
    cdef f64 half = 4.330746750799873 + 0.5 * log_product
    return vsqrt(vsqrt(half * half - log_product * 6.802721088435375) - half)


cdef two erfinv_middle(two x) noexcept nogil:
    """0 <= x <= 0.7: Halley's iteration on erf(y) - x, whose leading terms cancel without rounding: see erf_near_f64."""
    cdef f64 y, step = 0
    cdef int i
    if x.head < 1e-8:
        return two_times(two_of(0.886226925452758, -3.8332932499128993e-17), x)
    y = erfinv_guess(c_log1p(-x.head * x.head))
    for i in range(HALLEY_STEPS):
        y -= step
        step = (((y - x.head) - x.tail) + y * erf_near_f64(y * y)) * 0.8862269254527580 * c_exp(y * y)
        step /= 1 + y * step
    return two_normal(y, -step)


cdef two normal_quantile_tail(f64 p) noexcept nogil:
    """The y > 0 with ndtr(-y) = p <= 0.15: Halley's iteration, scaled by the density, so that nothing underflows."""
    cdef two log_p = two_log_near(p), ratio, difference
    cdef f64 y, step = 0
    cdef int i
    if p > 1e-7:
        y = 1.4142135623730951 * erfinv_guess(c_log(4 * p * (1 - p)))
    else:
        y = vsqrt(-2 * log_p.head)
        y = vsqrt(-2 * (log_p.head + 0.9189385332046727 + c_log(y)))
    log_p = two_add(log_p, two_of(0.9189385332046728, -3.8782941580672414e-17))
    for i in range(HALLEY_STEPS):
        y -= step
        ratio = two_times(normal_ratio(y), two_of(2.5066282746310007, -1.8328579980459167e-16))
        difference = two_add(two_exp(two_add(log_p, two_minus(minus_half_square(y)))), two_minus(ratio))
        step = difference.head / (1 + 0.5 * y * difference.head)
    return two_normal(y, -step)


cdef f64 erfinv_wide(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x)
    cdef two y
    if not a < 1:
        return c_copysign_f64(INF_F64, x) if a == 1 else NAN_F64
    if a < 0.7:
        y = erfinv_middle(two_of(a, 0))
    else:
        y = two_times(normal_quantile_tail(0.5 * (1 - a)), two_of(0.7071067811865476, -4.833646656726457e-17))
    return c_copysign_f64(rounded(y), x)


cdef f64 ndtri_wide(f64 p) noexcept nogil:
    cdef f64 q = p if p < 0.5 else 1 - p
    cdef two y
    if not q > 0:
        return (-INF_F64 if p == 0 else INF_F64) if q == 0 else NAN_F64
    if q < 0.15:
        y = normal_quantile_tail(q)
    else:
        y = two_times(erfinv_middle(two_sum(1, -2 * q)), two_of(1.4142135623730951, -9.667293313452913e-17))
    return -rounded(y) if p < 0.5 else rounded(y)


cdef inline real verfc(real x) noexcept nogil:
    return <real>erfc_wide(x)


cdef inline real verfcx(real x) noexcept nogil:
    return <real>erfcx_wide(x)


cdef inline real verfinv(real x) noexcept nogil:
    return <real>erfinv_wide(x)


cdef inline real vndtr(real x) noexcept nogil:
    return <real>ndtr_wide(x)


cdef inline real vlog_ndtr(real x) noexcept nogil:
    return <real>log_ndtr_wide(x)


cdef inline real vndtri(real x) noexcept nogil:
    return <real>ndtri_wide(x)
