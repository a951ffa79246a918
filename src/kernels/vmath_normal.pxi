# Rare functions about the normal distribution (part of vmath.pxi): erfc, erfcx, erfinv, ndtr, log_ndtr, ndtri.
#
# From here on (vmath_normal, vmath_gamma, vmath_bessel, vmath_orthogonal) functions compute in double for float32 too, with
# branches, loops and calls of libm: they are scalar code, one copy for both precisions, kept small. Method and range stand with each.
# In float32 all are within 0.51 ulp; in float64 within 2 to 4, and the polynomials, products of many steps, within more: the table
# in tests/kernels/test_vmath_special.py has the largest error of each, measured against mpmath.

cdef extern from "vmath_tables.h" nogil:
    f64 series_erfcx(f64 u)
    f64 series_i0e_near(f64 u)
    f64 series_i0e_far(f64 u)
    f64 series_i1e_near(f64 u)
    f64 series_i1e_far(f64 u)
    f64 series_k0e(f64 u)
    f64 series_k1e(f64 u)
    f64 series_digamma(f64 u)
    f64 series_airy_near(f64 u)
    f64 series_airy_right(f64 u)
    f64 series_airy_cos(f64 u)
    f64 series_airy_sin(f64 u)

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
    HALLEY_STEPS = 3            # each takes an error e to about e^3: from 2e-3 two would do


cdef f64 exp_minus_square(f64 x) noexcept nogil:
    """exp(-x^2), the square's rounding undone."""
    cdef f64 square = x * x
    if square > 1000:
        return 0
    return c_exp(-square) * (1 - product_error_f64(x, x, square))


cdef f64 erfcx_positive(f64 x) noexcept nogil:
    """x >= 0: Chebyshev's series of (1 + 2x) erfcx(x) in (x - 3.75) / (x + 3.75), which maps all of it to [-1, 1)."""
    cdef f64 divisor = 1 + 2 * x
    if x > 1e9:
        return 0.5641895835477563 / x
    return series_erfcx((x - 3.75) / (x + 3.75)) / divisor * (1 - (2 * x - (divisor - 1)) / divisor)


cdef f64 erfc_wide(f64 x) noexcept nogil:
    """1 - erf(x) up to 0.47, where that loses nothing; exp(-x^2) erfcx(x) to the right, 2 less that to the left."""
    cdef f64 a = c_fabs_f64(x), tail
    if x != x:
        return x
    if a < 0.47:
        return 1 - c_erf(x)
    tail = exp_minus_square(a) * erfcx_positive(a)
    return tail if x > 0 else 2 - tail


cdef f64 erfcx_wide(f64 x) noexcept nogil:
    """Below 0: 2 exp(x^2) - erfcx(-x), infinite from -26.7 on."""
    cdef f64 square = x * x
    if x >= 0:
        return erfcx_positive(x)
    if x < -26.7:
        return INF_F64
    return 2 * (c_exp(square) * (1 + product_error_f64(x, x, square))) - erfcx_positive(-x) if x == x else x


cdef f64 ndtr_wide(f64 x) noexcept nogil:
    """erfc(-x / sqrt(2)) / 2, corrected for what the quotient's rounding loses in the tail."""
    cdef f64 z = -x * 0.7071067811865476
    cdef f64 lost = -x * -4.833646656726457e-17 - product_error_f64(x, 0.7071067811865476, -z)
    if z < 1 or z > 40:
        return 0.5 * erfc_wide(z)
    return 0.5 * erfc_wide(z) - 0.5641895835477563 * exp_minus_square(z) * lost


cdef f64 log_ndtr_wide(f64 x) noexcept nogil:
    """log1p(-ndtr(-x)) from -1 on, and left of it by erfcx, which does not underflow."""
    if x < -1:
        return c_log(0.5 * erfcx_positive(-x * 0.7071067811865476)) - 0.5 * x * x
    return c_log1p(-ndtr_wide(-x))


cdef f64 erfinv_guess(f64 log_product) noexcept nogil:
    """erfinv(x) within 2e-3, from log(1 - x^2): the formula of Winitzki."""
    cdef f64 half = 4.330746750799873 + 0.5 * log_product
    return vsqrt(vsqrt(half * half - log_product * 6.802721088435375) - half)


cdef f64 erfinv_middle(f64 x) noexcept nogil:
    """0 <= x <= 0.85: Halley's iteration on erf(y) - x."""
    cdef f64 y = erfinv_guess(c_log1p(-x * x)), step
    cdef int i
    if x < 1e-8:
        return x * 0.8862269254527580
    for i in range(HALLEY_STEPS):
        step = (c_erf(y) - x) * 0.8862269254527580 * c_exp(y * y)
        y -= step / (1 + y * step)
    return y


cdef f64 normal_quantile_tail(f64 p) noexcept nogil:
    """The y > 0 with ndtr(-y) = p <= 0.1: Halley's iteration, scaled by the density, so that nothing underflows."""
    cdef f64 log_p = c_log(p), y, step
    cdef int i
    if p > 1e-7:
        y = 1.4142135623730951 * erfinv_guess(c_log(4 * p * (1 - p)))
    else:
        y = vsqrt(-2 * log_p)
        y = vsqrt(-2 * (log_p + 0.9189385332046727 + c_log(y)))
    for i in range(HALLEY_STEPS):
        step = c_exp(log_p + 0.5 * y * y + 0.9189385332046727) - 1.2533141373155003 * erfcx_positive(y * 0.7071067811865476)
        y -= step / (1 + 0.5 * y * step)
    return y


cdef f64 erfinv_wide(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x)
    if not a < 1:
        return c_copysign_f64(INF_F64, x) if a == 1 else NAN_F64
    return c_copysign_f64(erfinv_middle(a) if a < 0.8 else 0.7071067811865476 * normal_quantile_tail(0.5 * (1 - a)), x)


cdef f64 ndtri_wide(f64 p) noexcept nogil:
    cdef f64 q = p if p < 0.5 else 1 - p, y
    if not q > 0:
        return (-INF_F64 if p == 0 else INF_F64) if q == 0 else NAN_F64
    y = normal_quantile_tail(q) if q < 0.1 else 1.4142135623730951 * erfinv_middle(1 - 2 * q)
    return -y if p < 0.5 else y


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
