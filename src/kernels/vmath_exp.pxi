# exp and the functions built on it: vexp, vexp2, vexpm1, vsigmoid (part of vmath.pxi).
#
# Shared method: n = rint(x / ln2) by adding and subtracting 1.5 * 2^(mantissa bits), whose low bits then hold n as an integer;
# r = x - n ln2 in two parts, the first of so few bits that n times it is exact without fma; a polynomial in r; scaling by 2^n in
# two steps, so that overflow and denormal results round once.

cdef enum:
    EXP_BIAS_F32 = 127
    EXP_BIAS_F64 = 1023


cdef inline f32 exp_poly_f32(f32 r) noexcept nogil:
    """p of exp(r) = 1 + r + r^2 p(r), |r| <= ln2/2."""
    cdef f32 p
    p = fma_f32(0.00138700916, r, 0.00837046932)
    p = fma_f32(p, r, 0.0416674986)
    p = fma_f32(p, r, 0.166665047)
    p = fma_f32(p, r, 0.49999997)
    return p


cdef inline f32 exp_scaled_f32(f32 x, uint32_t power) noexcept nogil:
    """2^power exp(x): degree-6 polynomial on |r| <= ln2/2."""
    cdef f32 clamped, shifted, n, r, p
    cdef uint32_t m, m1
    clamped = select_f32(x > 90, 90, x)
    clamped = select_f32(clamped < -105, -105, clamped)
    shifted = fma_f32(clamped, 1.44269502, 12582912.0)
    n = shifted - <f32>12582912.0
    r = fma_f32(n, -0.693145752, clamped)
    r = fma_f32(n, -1.42860677e-06, r)
    p = fma_f32(r * r, exp_poly_f32(r), r) + 1
    # m = n + 2 bias, split into the biased exponents of two powers of two
    m = bits_f32(shifted) - (0x4B400000U - 2 * EXP_BIAS_F32) + power
    m1 = m >> 1
    return (p * from_bits_f32(m1 << 23)) * from_bits_f32((m - m1) << 23)


cdef inline f64 exp_poly_f64(f64 r) noexcept nogil:
    """p of exp(r) = 1 + r + r^2 p(r), |r| <= ln2/2."""
    cdef f64 p
    p = fma_f64(2.5087307597982954e-08, r, 2.763292175688761e-07)
    p = fma_f64(p, r, 2.755731404988739e-06)
    p = fma_f64(p, r, 2.4801486636840784e-05)
    p = fma_f64(p, r, 0.00019841269807824194)
    p = fma_f64(p, r, 0.0013888888948406129)
    p = fma_f64(p, r, 0.008333333333356775)
    p = fma_f64(p, r, 0.04166666666652016)
    p = fma_f64(p, r, 0.16666666666666627)
    p = fma_f64(p, r, 0.500000000000001)
    return p


cdef inline f64 exp_scaled_f64(f64 x, uint64_t power) noexcept nogil:
    """2^power exp(x): degree-11 polynomial on |r| <= ln2/2."""
    cdef f64 clamped, shifted, n, r, p, head
    cdef uint64_t m, m1
    clamped = select_f64(x > 711, 711, x)
    clamped = select_f64(clamped < -746, -746, clamped)
    shifted = fma_f64(clamped, 1.4426950408889634, 6755399441055744.0)
    n = shifted - 6755399441055744.0
    r = fma_f64(n, -0.6931471805598903, clamped)
    r = fma_f64(n, -5.497923018708371e-14, r)
    # 1 + r with its rounding error, so that only the last addition rounds at full size
    head = 1 + r
    p = head + fma_f64(r * r, exp_poly_f64(r), r - (head - 1))
    m = bits_f64(shifted) - (0x4338000000000000ULL - 2 * EXP_BIAS_F64) + power
    m1 = m >> 1
    return (p * from_bits_f64(m1 << 52)) * from_bits_f64((m - m1) << 52)


cdef inline f32 exp_f32(f32 x) noexcept nogil:
    return exp_scaled_f32(x, 0)


cdef inline f64 exp_f64(f64 x) noexcept nogil:
    return exp_scaled_f64(x, 0)


cdef inline f32 exp_near_f32(f32 x) noexcept nogil:
    """exp(x) as exp_f32 gives it, for |x| < 87: a single power of two."""
    cdef f32 shifted, n, r, p
    shifted = fma_f32(x, 1.44269502, 12582912.0)
    n = shifted - <f32>12582912.0
    r = fma_f32(n, -0.693145752, x)
    r = fma_f32(n, -1.42860677e-06, r)
    p = fma_f32(r * r, exp_poly_f32(r), r) + 1
    return p * from_bits_f32((bits_f32(shifted) - (0x4B400000U - EXP_BIAS_F32)) << 23)


cdef inline f32 exp_below_f32(f32 x) noexcept nogil:
    """exp(x) as exp_f32 gives it, for x < 43: denormal results are rounded by a last factor of 2^-64.  Where it is 0, no product
    underflows: that costs more than all the rest, and masked scores are -inf."""
    cdef f32 clamped, shifted, n, r, p
    cdef f32 down = 5.421010862427522e-20
    clamped = select_f32(x < -104, 0, x)
    shifted = fma_f32(clamped, 1.44269502, 12582976.0)       # as exp's, with 64 added
    n = shifted - <f32>12582976.0
    r = fma_f32(n, -0.693145752, clamped)
    r = fma_f32(n, -1.42860677e-06, r)
    p = fma_f32(r * r, exp_poly_f32(r), r) + 1
    p = p * from_bits_f32((bits_f32(shifted) - (0x4B400000U - EXP_BIAS_F32)) << 23) * down
    return select_f32(x < -104, 0, p)


cdef inline f64 exp_below_f64(f64 x) noexcept nogil:
    """exp(x) as exp_f64 gives it, without an underflow where it is 0."""
    return select_f64(x < -746, 0, exp_f64(select_f64(x < -746, 0, x)))


cdef inline f32 exp2_poly_f32(f32 r) noexcept nogil:
    """2^r, |r| <= 1/2."""
    cdef f32 p
    p = fma_f32(0.00015469997, r, 0.00134103082)
    p = fma_f32(p, r, 0.00961802993)
    p = fma_f32(p, r, 0.0555029623)
    p = fma_f32(p, r, 0.240226507)
    p = fma_f32(p, r, 0.693147242)
    return fma_f32(p, r, 1)


cdef inline f32 exp2_f32(f32 x) noexcept nogil:
    """2^x = 2^n 2^r, r = x - n exact, |r| <= 1/2."""
    cdef f32 clamped, shifted, r, p
    cdef uint32_t m, m1
    clamped = select_f32(x > 130, 130, x)
    clamped = select_f32(clamped < -151, -151, clamped)
    shifted = clamped + <f32>12582912.0
    r = clamped - (shifted - <f32>12582912.0)
    p = exp2_poly_f32(r)
    m = bits_f32(shifted) - (0x4B400000U - 2 * EXP_BIAS_F32)
    m1 = m >> 1
    return (p * from_bits_f32(m1 << 23)) * from_bits_f32((m - m1) << 23)


cdef inline f64 exp2_f64(f64 x) noexcept nogil:
    cdef f64 clamped, shifted, r, p
    cdef uint64_t m, m1
    clamped = select_f64(x > 1026, 1026, x)
    clamped = select_f64(clamped < -1076, -1076, clamped)
    shifted = clamped + 6755399441055744.0
    r = clamped - (shifted - 6755399441055744.0)
    p = fma_f64(4.434718150119656e-10, r, 7.073859097831922e-09)
    p = fma_f64(p, r, 1.0178200583543005e-07)
    p = fma_f64(p, r, 1.321543486777283e-06)
    p = fma_f64(p, r, 1.5252733489035012e-05)
    p = fma_f64(p, r, 0.00015403530457882238)
    p = fma_f64(p, r, 0.0013333558146780683)
    p = fma_f64(p, r, 0.009618129107593566)
    p = fma_f64(p, r, 0.05550410866482005)
    p = fma_f64(p, r, 0.24022650695910133)
    p = fma_f64(p, r, 0.6931471805599453)
    p = fma_f64(p, r, 1)
    m = bits_f64(shifted) - (0x4338000000000000ULL - 2 * EXP_BIAS_F64)
    m1 = m >> 1
    return (p * from_bits_f64(m1 << 52)) * from_bits_f64((m - m1) << 52)


cdef inline f32 expm1_f32(f32 x) noexcept nogil:
    """expm1(x) = 2^n expm1(r) + (2^n - 1), formed at half scale so that n = 128 does not overflow early."""
    cdef f32 clamped, shifted, n, r, p, half, tail
    clamped = select_f32(x > 89, 89, x)
    clamped = select_f32(clamped < -20, -20, clamped)
    shifted = fma_f32(clamped, 1.44269502, 12582912.0)
    n = shifted - <f32>12582912.0
    r = fma_f32(n, -0.693145752, clamped)
    r = fma_f32(n, -1.42860677e-06, r)
    p = fma_f32(0.00138905167, r, 0.00836744439)
    p = fma_f32(p, r, 0.0416670851)
    p = fma_f32(p, r, 0.166665345)
    p = fma_f32(p, r, 0.5)
    tail = r * r * p
    half = from_bits_f32((bits_f32(shifted) - (0x4B400000U - EXP_BIAS_F32 + 1)) << 23)
    # the large terms first: where they cancel (n = 1, r < 0) they do so exactly
    p = 2 * fma_f32(half, tail, fma_f32(half, r, half - <f32>0.5))
    p = select_f32(n == 0, r + tail, p)
    return c_copysign_f32(p, x)


cdef inline f64 expm1_f64(f64 x) noexcept nogil:
    """expm1(x), as expm1_f32 with a degree-12 polynomial."""
    cdef f64 clamped, shifted, n, r, p, half, tail
    clamped = select_f64(x > 710, 710, x)
    clamped = select_f64(clamped < -40, -40, clamped)
    shifted = fma_f64(clamped, 1.4426950408889634, 6755399441055744.0)
    n = shifted - 6755399441055744.0
    r = fma_f64(n, -0.6931471805598903, clamped)
    r = fma_f64(n, -5.497923018708371e-14, r)
    p = fma_f64(2.0875185912844415e-09, r, 2.510919493348477e-08)
    p = fma_f64(p, r, 2.755740372461603e-07)
    p = fma_f64(p, r, 2.7557243804899515e-06)
    p = fma_f64(p, r, 2.4801587170543475e-05)
    p = fma_f64(p, r, 0.00019841269886476182)
    p = fma_f64(p, r, 0.0013888888888963754)
    p = fma_f64(p, r, 0.008333333333321515)
    p = fma_f64(p, r, 0.041666666666666505)
    p = fma_f64(p, r, 0.16666666666666677)
    p = fma_f64(p, r, 0.5)
    tail = r * r * p
    half = from_bits_f64((bits_f64(shifted) - (0x4338000000000000ULL - EXP_BIAS_F64 + 1)) << 52)
    # the large terms first: where they cancel (n = 1, r < 0) they do so exactly
    p = 2 * fma_f64(half, tail, fma_f64(half, r, half - 0.5))
    p = select_f64(n == 0, r + tail, p)
    return c_copysign_f64(p, x)


cdef inline f32 sigmoid_f32(f32 x) noexcept nogil:
    """1 / (1 + exp(-x)) as c / (c + exp(r)), c = 2^-n.  `large` is 2^28 c: one power of two holds every c, small results round
    once, at the end.  The low part of c + 1 counts where c is as small as its rounding.
    """
    cdef f32 clamped, shifted, n, r, p, large, one
    cdef f32 down = 3.7252903e-09          # 2^-28
    clamped = select_f32(x > 18, 18, x)
    clamped = select_f32(clamped < -105, -105, clamped)
    shifted = fma_f32(clamped, 1.44269502, 12583067.0)       # as exp's, with 127 + 28 added: the exponent of `large`
    n = shifted - <f32>12583067.0
    r = fma_f32(n, 0.693145752, -clamped)
    r = fma_f32(n, 1.42860677e-06, r)
    p = fma_f32(r * r, exp_poly_f32(r), r)
    large = from_bits_f32(bits_f32(shifted) << 23)
    one = fma_f32(large, down, 1)
    return large / (one + (p + fma_f32(large, down, <f32>1 - one))) * down


cdef inline f64 sigmoid_f64(f64 x) noexcept nogil:
    """As sigmoid_f32, with `large` 2^64 c."""
    cdef f64 clamped, shifted, n, r, p, large, one
    cdef f64 down = 5.421010862427522e-20  # 2^-64
    clamped = select_f64(x > 38, 38, x)
    clamped = select_f64(clamped < -746, -746, clamped)
    shifted = fma_f64(clamped, 1.4426950408889634, 6755399441056831.0)
    n = shifted - 6755399441056831.0
    r = fma_f64(n, 0.6931471805598903, -clamped)
    r = fma_f64(n, 5.497923018708371e-14, r)
    p = fma_f64(r * r, exp_poly_f64(r), r)
    large = from_bits_f64(bits_f64(shifted) << 52)
    one = fma_f64(large, down, 1)
    return large / (one + (p + fma_f64(large, down, 1 - one))) * down


cdef inline real vexp(real x) noexcept nogil:
    """exp(x), any x. Max ulp 1.00 / 0.83."""
    return exp_f32(x) if real is f32 else exp_f64(x)


cdef inline real vexp_below(real x) noexcept nogil:
    """exp(x), x < 43, as vexp."""
    return exp_below_f32(x) if real is f32 else exp_below_f64(x)


cdef inline real vexp2(real x) noexcept nogil:
    """2^x, any x. Max ulp 1.19 / 1.25."""
    return exp2_f32(x) if real is f32 else exp2_f64(x)


cdef inline real vexpm1(real x) noexcept nogil:
    """exp(x) - 1, any x. Max ulp 1.32 / 1.46."""
    return expm1_f32(x) if real is f32 else expm1_f64(x)


cdef inline real vsigmoid(real x) noexcept nogil:
    """1 / (1 + exp(-x)), any x. Max ulp 1.70 / 1.72."""
    return sigmoid_f32(x) if real is f32 else sigmoid_f64(x)
