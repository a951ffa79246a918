# Logarithms: vlog, vlog2, vlog10, vlog1p, vsoftplus, vlogsigmoid (part of vmath.pxi).
#
# Shared method: x = 2^k m with m in [sqrt(1/2), sqrt(2)), taken from the bits; log(x) = k ln2 + log(1 + f), f = m - 1. The
# high part of ln2 has few enough bits that k times it is exact. Denormals are scaled up first.

cdef inline f32 log_core_f32(f32 f, f32 k) noexcept nogil:
    """k ln2 + log(1 + f) for f in [sqrt(1/2) - 1, sqrt(2) - 1]: f + f^2 (f p(f) - 1/2)."""
    cdef f32 p
    p = fma_f32(-0.0763490647, f, 0.127618328)
    p = fma_f32(p, f, -0.131601527)
    p = fma_f32(p, f, 0.142017215)
    p = fma_f32(p, f, -0.166233554)
    p = fma_f32(p, f, 0.200012282)
    p = fma_f32(p, f, -0.250008225)
    p = fma_f32(p, f, 0.333333313)
    p = fma_f32(p, f, -0.5)
    p = fma_f32(f * f, p, k * <f32>1.42860677e-06)
    return fma_f32(k, 0.693145752, f + p)


cdef inline f64 atanh_poly_f64(f64 z) noexcept nogil:
    """p of log(1 + f) = f - s (f - z p(z)), s = f / (2 + f), z = s^2: the series of 2 atanh(s)."""
    cdef f64 p
    p = fma_f64(0.14795969125955835, z, 0.15314049047053374)
    p = fma_f64(p, z, 0.18183564363486188)
    p = fma_f64(p, z, 0.2222219857298425)
    p = fma_f64(p, z, 0.28571428742383226)
    p = fma_f64(p, z, 0.39999999999414737)
    p = fma_f64(p, z, 0.6666666666666734)
    return p


cdef inline f64 log_parts_f64(f64 f, f64 k, f64 rest, f64* tail) noexcept nogil:
    """k ln2 + log(1 + f), see atanh_poly_f64, with a rest at least of what 0.6931471805598903 k lacks."""
    cdef f64 s = f / (2 + f), z, p, head, product
    z = s * s
    p = fma_f64(-s, fma_f64(-z, atanh_poly_f64(z), f), rest)
    # product is exact and at least |f| unless k = 0: the rounding error of head is f - (head - product)
    product = k * 0.6931471805598903
    head = product + f
    tail[0] = p + (f - (head - product))
    return head


cdef inline f64 log_core_f64(f64 f, f64 k, f64 rest) noexcept nogil:
    cdef f64 tail, head = log_parts_f64(f, k, rest, &tail)
    return head + tail


cdef inline f32 log_finish_f32(f32 result, f32 x) noexcept nogil:
    """The values of any logarithm outside (0, inf)."""
    result = select_f32(x < INF_F32, result, x)
    result = select_f32(x < 0, NAN_F32, result)
    return select_f32(x == 0, -INF_F32, result)


cdef inline f64 log_finish_f64(f64 result, f64 x) noexcept nogil:
    result = select_f64(x < INF_F64, result, x)
    result = select_f64(x < 0, NAN_F64, result)
    return select_f64(x == 0, -INF_F64, result)


cdef inline f32 scale_denormal_f32(f32 x) noexcept nogil:
    return select_f32(x < <f32>1.17549435e-38, x * 8388608, x)


cdef inline f64 scale_denormal_f64(f64 x) noexcept nogil:
    return select_f64(x < 2.2250738585072014e-308, x * 4503599627370496.0, x)


cdef inline uint32_t exponent_f32(uint32_t b) noexcept nogil:
    """k + 128 for the bits of x = 2^k m, m in [sqrt(1/2), sqrt(2))."""
    return (b + (0x40000000U - 0x3F3504F3)) >> 23


cdef inline uint64_t exponent_f64(uint64_t b) noexcept nogil:
    """k + 1024."""
    return (b + (0x4000000000000000ULL - 0x3FE6A09E667F3BCDULL)) >> 52


cdef inline f32 fraction_f32(uint32_t b, uint32_t e) noexcept nogil:
    """f = m - 1, exact."""
    return from_bits_f32(b + 0x40000000U - (e << 23)) - 1


cdef inline f64 fraction_f64(uint64_t b, uint64_t e) noexcept nogil:
    return from_bits_f64(b + 0x4000000000000000ULL - (e << 52)) - 1


cdef inline f32 power_f32(uint32_t e, f32 x) noexcept nogil:
    """k as a number, less the scaling of a denormal x."""
    return <f32><int>e - select_f32(x < <f32>1.17549435e-38, 151, 128)


cdef inline f64 power_f64(uint64_t e, f64 x) noexcept nogil:
    # e + 2^52 has e in its low bits: an integer conversion that every CPU level can vectorize
    return from_bits_f64(e | 0x4330000000000000ULL) - select_f64(x < 2.2250738585072014e-308, 4503599627371572.0,
                                                                          4503599627371520.0)


cdef inline f32 log_f32(f32 x) noexcept nogil:
    cdef uint32_t b = bits_f32(scale_denormal_f32(x)), e = exponent_f32(b)
    return log_finish_f32(log_core_f32(fraction_f32(b, e), power_f32(e, x)), x)


cdef inline f64 log_f64(f64 x) noexcept nogil:
    cdef uint64_t b = bits_f64(scale_denormal_f64(x)), e = exponent_f64(b)
    cdef f64 k = power_f64(e, x)
    return log_finish_f64(log_core_f64(fraction_f64(b, e), k, k * 5.497923018708371e-14), x)


cdef inline f32 log2_f32(f32 x) noexcept nogil:
    """log2(x) = k + f + f p(f)."""
    cdef uint32_t b = bits_f32(scale_denormal_f32(x)), e = exponent_f32(b)
    cdef f32 f = fraction_f32(b, e), p
    p = fma_f32(-0.109954618, f, 0.186178386)
    p = fma_f32(p, f, -0.191062361)
    p = fma_f32(p, f, 0.204600036)
    p = fma_f32(p, f, -0.239617378)
    p = fma_f32(p, f, 0.288567454)
    p = fma_f32(p, f, -0.360696644)
    p = fma_f32(p, f, 0.480898231)
    p = fma_f32(p, f, -0.721347332)
    p = fma_f32(p, f, 0.442695051)
    return log_finish_f32(fma_f32(f, p, f) + power_f32(e, x), x)


cdef inline f64 log2_f64(f64 x) noexcept nogil:
    """log2(x) = k + log(1 + f) / ln2, where f/ln2 is split as f + 0.44 f."""
    cdef uint64_t b = bits_f64(scale_denormal_f64(x)), e = exponent_f64(b)
    cdef f64 f = fraction_f64(b, e), s, z, p
    s = f / (2 + f)
    z = s * s
    p = s * fma_f64(-z, atanh_poly_f64(z), f)
    p = fma_f64(-1.4426950408889634, p, 0.4426950408889634 * f)
    return log_finish_f64((f + p) + power_f64(e, x), x)


cdef inline f32 log10_f32(f32 x) noexcept nogil:
    """log10(x) = k log10(2) + f/2 + f p(f); the large terms are added with their rounding error, so powers of ten are exact."""
    cdef uint32_t b = bits_f32(scale_denormal_f32(x)), e = exponent_f32(b)
    cdef f32 f = fraction_f32(b, e), k = power_f32(e, x), p, product, head
    p = fma_f32(-0.0330996364, f, 0.0560452789)
    p = fma_f32(p, f, -0.057515502)
    p = fma_f32(p, f, 0.061590746)
    p = fma_f32(p, f, -0.0721320137)
    p = fma_f32(p, f, 0.0868674517)
    p = fma_f32(p, f, -0.108580515)
    p = fma_f32(p, f, 0.144764796)
    p = fma_f32(p, f, -0.217147186)
    p = fma_f32(p, f, -0.0657055154)
    product = k * <f32>0.301025391
    head = fma_f32(f, 0.5, product)
    p = fma_f32(f, p, fma_f32(k, 4.60503907e-06, fma_f32(f, 0.5, -(head - product))))
    return log_finish_f32(head + p, x)


cdef inline f64 log10_f64(f64 x) noexcept nogil:
    cdef uint64_t b = bits_f64(scale_denormal_f64(x)), e = exponent_f64(b)
    cdef f64 f = fraction_f64(b, e), k = power_f64(e, x), s, z, p, product, head
    s = f / (2 + f)
    z = s * s
    p = s * fma_f64(-z, atanh_poly_f64(z), f)
    p = fma_f64(-0.4342944819032518, p, -0.06570551809674817 * f)
    product = k * 0.30102999566395283
    head = fma_f64(f, 0.5, product)
    p = p + fma_f64(k, 2.8363394551044964e-14, fma_f64(f, 0.5, -(head - product)))
    return log_finish_f64(head + p, x)


cdef inline f32 log1p_f32(f32 x) noexcept nogil:
    """log1p(x): log of u = 1 + x with the rounding error of u, scaled like u, added to f."""
    cdef f32 u = 1 + x, part = u - 1, error, result
    cdef uint32_t b = bits_f32(u), e = exponent_f32(b)
    cdef f32 f = fraction_f32(b, e)
    error = (<f32>1 - (u - part)) + (x - part)
    cdef f32 k = <f32><int>e - 128
    # error * 2^-k; where 2^-k would leave the range of the bit trick, the error is long negligible
    f = select_f32(x < <f32>1e18, fma_f32(error, from_bits_f32((<uint32_t>255 - e) << 23), f), f)
    result = log_core_f32(f, k)
    result = select_f32(x < INF_F32, result, x)
    result = select_f32(x < -1, NAN_F32, result)
    result = select_f32(x == -1, -INF_F32, result)
    return c_copysign_f32(result, x)


cdef inline f64 log1p_f64(f64 x) noexcept nogil:
    cdef f64 u = 1 + x, part = u - 1, error, result, s
    cdef uint64_t b = bits_f64(u), e = exponent_f64(b)
    cdef f64 f = fraction_f64(b, e)
    error = (1 - (u - part)) + (x - part)
    cdef f64 k = from_bits_f64(e | 0x4330000000000000ULL) - 4503599627371520.0
    error = select_f64(x < 1e30, error * from_bits_f64((<uint64_t>2047 - e) << 52), 0)
    # the error moves the logarithm by error / (1 + f), of which two figures do
    s = f / (2 + f)
    result = log_core_f64(f, k, fma_f64(k, 5.497923018708371e-14, error * (1 - 2 * s * (1 - s * (1 - s)))))
    result = select_f64(x < INF_F64, result, x)
    result = select_f64(x < -1, NAN_F64, result)
    result = select_f64(x == -1, -INF_F64, result)
    return c_copysign_f64(result, x)


cdef inline f32 log1p_exp_f32(f32 x) noexcept nogil:
    """log(1 + e), e = exp(-|x|) in [0, 1]: f is e, or (e - 1) / 2 with k = 1; no scaling by bits and no special value."""
    cdef f32 e = exp_f32(-c_fabs_f32(x))
    cdef bint upper = e > <f32>0.41421356
    return log_core_f32(select_f32(upper, <f32>0.5 * (e - <f32>1), e), select_f32(upper, 1, 0))


cdef inline f64 log1p_exp_f64(f64 x) noexcept nogil:
    cdef f64 e = exp_f64(-c_fabs_f64(x))
    cdef bint upper = e > 0.41421356
    return log_core_f64(select_f64(upper, 0.5 * (e - 1), e), select_f64(upper, 1, 0), select_f64(upper, 5.497923018708371e-14, 0))


cdef inline real vlog(real x) noexcept nogil:
    """Natural logarithm, x >= 0. Max ulp 0.95 / 0.97."""
    return log_f32(x) if real is f32 else log_f64(x)


cdef inline real vlog2(real x) noexcept nogil:
    """log2(x), x >= 0; exact at powers of two. Max ulp 1.32 / 1.47."""
    return log2_f32(x) if real is f32 else log2_f64(x)


cdef inline real vlog10(real x) noexcept nogil:
    """log10(x), x >= 0; exact at powers of ten. Max ulp 1.27 / 1.22."""
    return log10_f32(x) if real is f32 else log10_f64(x)


cdef inline real vlog1p(real x) noexcept nogil:
    """log(1 + x), x >= -1. Max ulp 1.46 / 0.87."""
    return log1p_f32(x) if real is f32 else log1p_f64(x)


cdef inline real vsoftplus(real x) noexcept nogil:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)). Max ulp 1.75 / 1.79."""
    if real is f32:
        return select_f32(x < 0, 0, x) + log1p_exp_f32(x)
    else:
        return select_f64(x < 0, 0, x) + log1p_exp_f64(x)


cdef inline real vlogsigmoid(real x) noexcept nogil:
    """log(sigmoid(x)) = min(x, 0) - log1p(exp(-|x|)). Max ulp 1.76 / 1.80."""
    if real is f32:
        return select_f32(x < 0, x, 0) - log1p_exp_f32(x)
    else:
        return select_f64(x < 0, x, 0) - log1p_exp_f64(x)
