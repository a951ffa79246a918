# Rare functions: Bessel's, spherical, modified, scaled, and Airy's (part of vmath.pxi).  In double throughout, as vmath_normal.pxi
# says; the oscillating ones are accurate absolutely, near their zeros.

cdef extern from * nogil:
    """
    #include <math.h>
    #if defined(_MSC_VER)
    #  define FG_J(name) _##name
    #else
    #  define FG_J(name) name
    #endif
    """
    f64 c_j0 "FG_J(j0)"(f64 x)
    f64 c_j1 "FG_J(j1)"(f64 x)
    f64 c_y0 "FG_J(y0)"(f64 x)
    f64 c_y1 "FG_J(y1)"(f64 x)


# --- modified, of the first kind: Chebyshev's series of (1 + x) exp(-x) I0(x) and (2 + x)^2 exp(-x) I1(x) / x on [0, 8], of
# sqrt(x) exp(-x) I(x) beyond.

cdef two root_scaled(two series, f64 x) noexcept nogil:
    return two_over(series, two_root(two_of(x, 0)))


cdef two i0e_wide(f64 x) noexcept nogil:
    return two_over(series_i0e_near(0.25 * x - 1), two_sum(1, x)) if x <= 8 else root_scaled(series_i0e_far(16 / x - 1), x)


cdef two i1e_wide(f64 x) noexcept nogil:
    cdef two divisor = two_sum(2, x)
    if x <= 8:
        return two_over(two_scale(series_i1e_near(0.25 * x - 1), x), two_times(divisor, divisor))
    return root_scaled(series_i1e_far(16 / x - 1), x)


cdef f64 times_exp_of(two scaled, f64 x) noexcept nogil:
    """scaled exp(x); NaN where x is infinite and scaled 0, as PyTorch has it."""
    return times_exp(scaled, two_of(x, 0)) if x < INF_F64 else NAN_F64


# --- of the second kind: power series up to 1, for which `quarter` is x^2 / 4; modified ones beyond it by Chebyshev's series of
# sqrt(x) exp(x) K(x). With -x^2 / 4 the same series give -pi/2 Y0 and pi/2 Y1.

cdef extern from * nogil:
    """
    /* of k = 2, 3, ...: 1 / k^2, 1 / (k (k - 1)), and the harmonic number */
    static const double FG_SQUARES[] = {1. / 4, 1. / 9, 1. / 16, 1. / 25, 1. / 36, 1. / 49, 1. / 64, 1. / 81, 1. / 100};
    static const double FG_PRONIC[] = {1. / 2, 1. / 6, 1. / 12, 1. / 20, 1. / 30, 1. / 42, 1. / 56, 1. / 72, 1. / 90};
    static const double FG_HARMONIC[] = {3. / 2, 11. / 6, 25. / 12, 137. / 60, 49. / 20, 363. / 140, 761. / 280, 7129. / 2520, 7381. / 2520};
    """
    const f64* FG_SQUARES
    const f64* FG_PRONIC
    const f64* FG_HARMONIC

cdef enum:
    SMALL_TERMS = 9


cdef two log_half(f64 x) noexcept nogil:
    """log(x/2) + gamma."""
    return two_add(two_log_near(0.5 * x), two_of(0.5772156649015329, -4.942915152430645e-18))


cdef two k0_small(f64 x, f64 quarter) noexcept nogil:
    """-(log(x/2) + gamma) I0(x) + the sum of H(k) (x^2/4)^k / k!^2, H the harmonic numbers; I0(x) the sum without them."""
    cdef f64 term = quarter, sum = 0, i0 = 0
    cdef int k
    for k in range(SMALL_TERMS):
        term *= quarter * FG_SQUARES[k]
        i0 += term
        sum += term * FG_HARMONIC[k]
        if c_fabs_f64(term) < 1e-18:
            break
    return two_plus(two_plus(two_times(log_half(x), two_minus(two_plus(two_sum(1, quarter), i0))), quarter), sum)


cdef two k1_small(f64 x, f64 quarter) noexcept nogil:
    """1/x, less than nothing for -x^2 / 4, + log(x/2) I1(x) - x/4 times the sum of (psi(k+1) + psi(k+2)) (x^2/4)^k / (k! (k+1)!)."""
    cdef f64 term = 0.5 * x, sum = 0
    cdef two log = log_half(x), first = two_scale(two_plus(log, -0.5), term)
    cdef int k
    for k in range(SMALL_TERMS):
        term *= quarter * FG_PRONIC[k]
        sum += term * (log.head - FG_HARMONIC[k] + 0.5 / (k + 2))
        if c_fabs_f64(term) < 1e-18:
            break
    return two_add(two_inverse(two_of(-x if quarter < 0 else x, 0)), two_plus(first, sum))


cdef two k0e_far(f64 x) noexcept nogil:
    return root_scaled(series_k0e(2 / x - 1), x)


cdef two k1e_far(f64 x) noexcept nogil:
    return root_scaled(series_k1e(2 / x - 1), x)


# --- Airy's: Chebyshev's series on [-6, 1], of the exponential's factor to the right, of cosine's and sine's to the left -----------

cdef f64 airy_left(f64 x) noexcept nogil:
    """-x >= 6: the angle is in two parts."""
    cdef f64 root = vsqrt(-x), zeta, inverse, c, s, tail_c = 1, tail_s
    cdef two angle
    if x < -1e150:
        return 0
    angle = two_times(two_scale(two_root(two_of(-x, 0)), -x), two_of(0.6666666666666666, 3.700743415417188e-17))
    zeta = angle.head
    angle = two_add(angle, two_of(-0.7853981633974483, -3.061616997868383e-17))
    c, s = c_cos(angle.head), c_sin(angle.head)
    tail_s = angle.tail
    if c_fabs_f64(tail_s) > 1e-9:
        tail_c, tail_s = c_cos(tail_s), c_sin(tail_s)
    inverse = 1 / (zeta * zeta)
    return 0.5641895835477563 / vsqrt(root) * ((c * tail_c - s * tail_s) * series_airy_cos(192 * inverse - 1).head +
                                               (s * tail_c + c * tail_s) * series_airy_sin(192 * inverse - 1).head / zeta)


cdef f64 airy_wide(f64 x) noexcept nogil:
    cdef two root, zeta
    if x < -6:
        return airy_left(x)
    if x < 0:
        return rounded(series_airy_first(x + 5) if x < -4 else series_airy_second(x + 3) if x < -2 else series_airy_third(x + 1))
    if x <= 1:
        return times_exp(series_airy_near(2 * x - 1), two_of(-x, 0))
    if not x < 200:
        return 0 if x == x else x
    root = two_root(two_of(x, 0))
    zeta = two_times(two_scale(root, x), two_of(-0.6666666666666666, -3.700743415417188e-17))
    return times_exp(two_over(two_times(series_airy_right(-1.3333333333333333 / zeta.head - 1),
                                        two_of(0.28209479177387814, 3.83386490329147e-18)), two_root(root)), zeta)


# --- the values -----------------------------------------------------------------------------------------------------------------

cdef f64 of_the_second_kind(f64 x, two (*small)(f64, f64) noexcept nogil, two (*far)(f64) noexcept nogil, bint scaled) noexcept nogil:
    """K, or exp(x) K."""
    if not x > 0:
        return INF_F64 if x == 0 else NAN_F64
    if x <= 1:
        return times_exp(small(x, 0.25 * x * x), two_of(x if scaled else 0, 0))
    return rounded(far(x)) if scaled else times_exp_of(far(x), -x)


cdef f64 y0_wide(f64 x) noexcept nogil:
    """From 3 on libm's, which is 2.1 ulp off near 2."""
    if not 0 < x < 3:
        return c_y0(x) if x > 0 else -INF_F64 if x == 0 else NAN_F64
    if x > 1:
        return rounded(series_y0(x - 2))
    return rounded(two_times(k0_small(x, -0.25 * x * x), two_of(-0.6366197723675814, 3.935735335036497e-17)))


cdef f64 y1_wide(f64 x) noexcept nogil:
    if not 1e-150 < x < 1:
        return c_y1(x) if x > 0 else -INF_F64 if x == 0 else NAN_F64
    return rounded(two_times(k1_small(x, -0.25 * x * x), two_of(0.6366197723675814, -3.935735335036497e-17)))


cdef inline real vi0(real x) noexcept nogil:
    return <real>times_exp_of(i0e_wide(c_fabs_f64(x)), c_fabs_f64(x))


cdef inline real vi0e(real x) noexcept nogil:
    return <real>rounded(i0e_wide(c_fabs_f64(x)))


cdef inline real vi1(real x) noexcept nogil:
    return <real>c_copysign_f64(times_exp_of(i1e_wide(c_fabs_f64(x)), c_fabs_f64(x)), x)


cdef inline real vi1e(real x) noexcept nogil:
    return <real>c_copysign_f64(rounded(i1e_wide(c_fabs_f64(x))), x)


cdef inline real vbessel_j0(real x) noexcept nogil:
    return <real>c_j0(x)


cdef inline real vbessel_j1(real x) noexcept nogil:
    return <real>c_j1(x)


cdef inline real vbessel_y0(real x) noexcept nogil:
    return <real>y0_wide(x)


cdef inline real vbessel_y1(real x) noexcept nogil:
    return <real>y1_wide(x)


cdef inline real vmodified_bessel_k0(real x) noexcept nogil:
    return <real>of_the_second_kind(x, k0_small, k0e_far, False)


cdef inline real vmodified_bessel_k1(real x) noexcept nogil:
    return <real>of_the_second_kind(x, k1_small, k1e_far, False)


cdef inline real vscaled_modified_bessel_k0(real x) noexcept nogil:
    return <real>of_the_second_kind(x, k0_small, k0e_far, True)


cdef inline real vscaled_modified_bessel_k1(real x) noexcept nogil:
    return <real>of_the_second_kind(x, k1_small, k1e_far, True)


cdef inline real vspherical_bessel_j0(real x) noexcept nogil:
    """sin(x) / x."""
    return <real>(1 if x == 0 else 0 if visinf(x) else c_sin(x) / x)


cdef inline real vairy_ai(real x) noexcept nogil:
    return <real>airy_wide(x)
