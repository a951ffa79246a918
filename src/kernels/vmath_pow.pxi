# vpow and vfmod (part of vmath.pxi).

cdef extern from "simd.h" nogil:
    f64 product_error_f64(f64 a, f64 b, f64 product)        # a * b - product, exact

cdef extern from "math.h" nogil:
    f64 c_fmod "fmod"(f64 x, f64 y)


# --- pow -------------------------------------------------------------------------------------------------------------------

cdef inline f64 pow_finish(f64 magnitude, f64 x, f64 y) noexcept nogil:
    """|x|^y with the sign and the exceptions of IEEE 754: x^0 = 1^y = 1, nan for a finite x < 0 and y not whole."""
    cdef f64 half = 0.5 * y
    cdef bint whole = c_rint_f64(y) == y
    cdef bint odd = whole & (c_rint_f64(half) != half)
    cdef f64 signed = c_copysign_f64(magnitude, select_f64(odd, x, 1))
    signed = select_f64((x < 0) & (x > -INF_F64) & (not whole), NAN_F64, signed)
    signed = select_f64((x != x) | (y != y), x + y, signed)
    return select_f64((x == 1) | (y == 0), 1, signed)


cdef inline f32 pow_f32(f32 base, f32 exponent) noexcept nogil:
    """x^y = 2^(y log2 x) in double, with log2 and 2^r to about 36 bits; x is normal in double and so is every result."""
    cdef f64 x = base, y = exponent, a = c_fabs_f64(x), f, k, p, t, shifted, r
    cdef uint64_t b = bits_f64(a), e = exponent_f64(b)
    f = fraction_f64(b, e)
    p = fma_f64(0.07736701130145827, f, -0.1428366151259122)
    p = fma_f64(p, f, 0.1447486213987053)
    p = fma_f64(p, f, -0.1431570461568766)
    p = fma_f64(p, f, 0.15876986856945074)
    p = fma_f64(p, f, -0.18030055759241986)
    p = fma_f64(p, f, 0.20617535155234712)
    p = fma_f64(p, f, -0.2404531668407205)
    p = fma_f64(p, f, 0.28853729377698206)
    p = fma_f64(p, f, -0.3606736748211227)
    p = fma_f64(p, f, 0.48089836139148323)
    p = fma_f64(p, f, -0.7213475208686563)
    p = fma_f64(p, f, 1.442695040868713)
    t = fma_f64(f, p, from_bits_f64(e | 0x4330000000000000ULL) - 4503599627371520.0)
    t = select_f64(a < INF_F64, t, a)
    t = y * select_f64(a == 0, -INF_F64, t)
    t = select_f64(a == 1, 0, t)                # (-1)^inf is 1
    t = select_f64(t > 140, 140, t)
    t = select_f64(t < -160, -160, t)
    shifted = t + 6755399441055744.0
    r = t - (shifted - 6755399441055744.0)
    p = fma_f64(1.5196057496824945e-05, r, 0.0001546700657933332)
    p = fma_f64(p, r, 0.0013333937440578548)
    p = fma_f64(p, r, 0.009618037414686934)
    p = fma_f64(p, r, 0.05550410360869971)
    p = fma_f64(p, r, 0.2402265107091886)
    p = fma_f64(p, r, 0.6931471807066031)
    p = fma_f64(p, r, 1) * from_bits_f64((bits_f64(shifted) - (0x4338000000000000ULL - EXP_BIAS_F64)) << 52)
    return <f32>pow_finish(p, x, y)


cdef inline f64 atanh_rest_f64(f64 z) noexcept nogil:
    """p of atanh(s) = s (1 + z/3 + z^2 p(z)), z = s^2."""
    cdef f64 p
    p = fma_f64(0.05994430457506857, z, 0.05837418437493746)
    p = fma_f64(p, z, 0.06668158253909355)
    p = fma_f64(p, z, 0.07692278447459419)
    p = fma_f64(p, z, 0.09090909434979606)
    p = fma_f64(p, z, 0.11111111108769707)
    p = fma_f64(p, z, 0.1428571428572255)
    p = fma_f64(p, z, 0.1999999999999999)
    return p


cdef inline f64 pow_f64(f64 x, f64 y) noexcept nogil:
    """x^y = 2^(y log2 x), log2 x as a sum high + low good to about 66 bits: |y log2 x| may reach 1075, and its error is the
    result's. log2(m) = 2/ln2 atanh(s), s = f / (2 + f), atanh(s) = s (1 + z/3 + z^2 p(z)), z = s^2; s, z and the first terms are
    in two parts.
    """
    cdef f64 a = c_fabs_f64(x), f, k, den, den_low, s, s_low, z, z_low, p, t, t_low, high, low, product, sum, shifted, r, clamped
    cdef uint64_t b = bits_f64(scale_denormal_f64(a)), e = exponent_f64(b), m, m1
    f = fraction_f64(b, e)
    k = power_f64(e, a)
    den = 2 + f
    den_low = f - (den - 2)
    s = f / den
    product = s * den
    s_low = (((f - product) - product_error_f64(s, den, product)) - s * den_low) / den
    z = s * s
    z_low = product_error_f64(s, s, z) + 2 * s * s_low
    p = atanh_rest_f64(z)
    # t = z/3 + z^2 p
    high = z * 0.3333333333333333
    low = product_error_f64(z, 0.3333333333333333, high) + (z * 1.850371707708594e-17 + z_low * 0.3333333333333333)
    product = z * z * p
    t = high + product
    t_low = low + (product - (t - high))
    # high + low = s (1 + t)
    product = s * t
    low = product_error_f64(s, t, product) + (s * t_low + s_low * t) + s_low
    high = s + product
    low = low + (product - (high - s))
    # times 2/ln2
    product = high * 2.8853900817779268
    low = product_error_f64(high, 2.8853900817779268, product) + (high * 4.0710547481862066e-17 + low * 2.8853900817779268)
    # plus k, which is zero or the larger
    sum = k + product
    low = low + (product - (sum - k))
    high = sum + low
    low = low - (high - sum)
    # times y: beyond 2^70 every result but 1 is 0 or inf already
    clamped = select_f64(y > 1e21, 1e21, y)
    clamped = select_f64(clamped < -1e21, -1e21, clamped)
    t = clamped * high
    t_low = product_error_f64(clamped, high, t) + clamped * low
    t = select_f64(a < INF_F64, t, y * a)
    t = select_f64(a == 0, -INF_F64 * y, t)
    t_low = select_f64(c_fabs_f64(t) < 2000, t_low, 0)
    t = select_f64(t > 1026, 1026, t)
    t = select_f64(t < -1080, -1080, t)
    shifted = t + 6755399441055744.0
    r = (t - (shifted - 6755399441055744.0)) + t_low
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
    p = (p * from_bits_f64(m1 << 52)) * from_bits_f64((m - m1) << 52)
    return pow_finish(p, x, y)


cdef inline real vpow(real x, real y) noexcept nogil:
    """x^y, any x and y. Max ulp 0.52 / 1.44."""
    return pow_f32(x, y) if real is f32 else pow_f64(x, y)


# --- fmod ------------------------------------------------------------------------------------------------------------------
#
# The remainder with the sign of x, exact. vfmod_core is branch-free and right unless vfmod_huge(x, y); vfmod is right everywhere,
# through libm where it must, and does not vectorize.

cdef inline bint vfmod_huge(real x, real y) noexcept nogil:
    """Whether the quotient is too large for vfmod_core (or, without fma in f64, the operands are near the ends of the range)."""
    cdef f64 a = c_fabs_f64(x), b = c_fabs_f64(y)
    if real is f32:
        return (a > 268435456 * b) & (a < INF_F64) & (b > 0)
    else:
        return ((a > 1125899906842624.0 * b) | (a < 1e-280) | (b < 1e-280) | (a > 1e290) | (b > 1e290)) & (a < INF_F64) & (b > 0)


cdef inline f64 fmod_core(f64 x, f64 y) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), b = c_fabs_f64(y), q, product, r
    q = c_trunc_f64(a / b)
    product = q * b
    r = (a - product) - product_error_f64(q, b, product)
    # the rounded quotient may have reached the next integer
    r = select_f64(r < 0, r + b, r)
    r = select_f64(a < b, a, r)
    r = select_f64((a < INF_F64) & (b > 0), r, NAN_F64)
    r = select_f64((x != x) | (y != y), x + y, r)
    return c_copysign_f64(r, x)


cdef inline real vfmod_core(real x, real y) noexcept nogil:
    """x - y trunc(x / y) unless vfmod_huge(x, y). Exact."""
    return <real>fmod_core(x, y)


cdef inline real vfmod(real x, real y) noexcept nogil:
    """x - y trunc(x / y), any x and y, not vectorized. Exact."""
    return <real>c_fmod(x, y) if vfmod_huge(x, y) else vfmod_core(x, y)
