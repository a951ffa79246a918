# Logarithms: vlog, vlog1p (part of vmath.pxi).
#
# Shared method: x = 2^k m with m in [sqrt(1/2), sqrt(2)), taken from the bits; log(x) = k ln2 + log(1 + f), f = m - 1. LN2_HIGH has
# few enough bits that k * LN2_HIGH is exact. Denormals are scaled up first.

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


cdef inline f64 log_core_f64(f64 f, f64 k) noexcept nogil:
    """k ln2 + log(1 + f): f - s (f - s^2 p(s^2)), s = f / (2 + f), the series of 2 atanh(s)."""
    cdef f64 s = f / (2 + f), z, p
    z = s * s
    p = fma_f64(0.14795969125955835, z, 0.15314049047053374)
    p = fma_f64(p, z, 0.18183564363486188)
    p = fma_f64(p, z, 0.2222219857298425)
    p = fma_f64(p, z, 0.28571428742383226)
    p = fma_f64(p, z, 0.39999999999414737)
    p = fma_f64(p, z, 0.6666666666666734)
    p = fma_f64(-s, fma_f64(-z, p, f), k * -1.7239444525614835e-13)
    return fma_f64(k, 0.6931471805601177, f + p)


cdef inline f32 log_f32(f32 x) noexcept nogil:
    cdef bint tiny = x < <f32>1.17549435e-38
    cdef f32 scaled = select_f32(tiny, x * 8388608, x), result
    cdef uint32_t u = bits_f32(scaled) + (0x40000000U - 0x3F3504F3)        # biased so that the exponent rounds
    cdef uint32_t e = u >> 23                                                       # k + 128
    cdef f32 f = from_bits_f32(bits_f32(scaled) + 0x40000000U - (e << 23)) - 1
    result = log_core_f32(f, <f32><int>e - select_f32(tiny, 151, 128))
    result = select_f32(x < INF_F32, result, x)
    result = select_f32(x < 0, NAN_F32, result)
    return select_f32(x == 0, -INF_F32, result)


cdef inline f64 log_f64(f64 x) noexcept nogil:
    cdef bint tiny = x < 2.2250738585072014e-308
    cdef f64 scaled = select_f64(tiny, x * 4503599627370496.0, x), result
    cdef uint64_t u = bits_f64(scaled) + (0x4000000000000000ULL - 0x3FE6A09E667F3BCDULL)
    cdef uint64_t e = u >> 52                                                       # k + 1024
    cdef f64 f = from_bits_f64(bits_f64(scaled) + 0x4000000000000000ULL - (e << 52)) - 1
    # e + 2^52 as a double has e in its low bits: an integer conversion every level has
    result = log_core_f64(f, from_bits_f64(e | 0x4330000000000000ULL) - select_f64(tiny, 4503599627371572.0, 4503599627371520.0))
    result = select_f64(x < INF_F64, result, x)
    result = select_f64(x < 0, NAN_F64, result)
    return select_f64(x == 0, -INF_F64, result)


cdef inline f32 log1p_f32(f32 x) noexcept nogil:
    """log1p(x): log of u = 1 + x with the rounding error of u, scaled like u, added to f."""
    cdef f32 u = 1 + x, part = u - 1, error, result
    cdef uint32_t e, b
    error = (1 - (u - part)) + (x - part)
    b = bits_f32(u)
    e = (b + (0x40000000U - 0x3F3504F3)) >> 23
    cdef f32 f = from_bits_f32(b + 0x40000000U - (e << 23)) - 1
    cdef f32 k = <f32><int>e - 128
    # error * 2^-k; where 2^-k would leave the range of the bit trick, the error is long negligible
    f = select_f32(x < <f32>1e18, fma_f32(error, from_bits_f32((<uint32_t>255 - e) << 23), f), f)
    result = log_core_f32(f, k)
    result = select_f32(x < INF_F32, result, x)
    result = select_f32(x < -1, NAN_F32, result)
    result = select_f32(x == -1, -INF_F32, result)
    return c_copysign_f32(result, x)


cdef inline f64 log1p_f64(f64 x) noexcept nogil:
    cdef f64 u = 1 + x, part = u - 1, error, result
    cdef uint64_t e, b
    error = (1 - (u - part)) + (x - part)
    b = bits_f64(u)
    e = (b + (0x4000000000000000ULL - 0x3FE6A09E667F3BCDULL)) >> 52
    cdef f64 f = from_bits_f64(b + 0x4000000000000000ULL - (e << 52)) - 1
    cdef f64 k = from_bits_f64(e | 0x4330000000000000ULL) - 4503599627371520.0
    f = select_f64(x < 1e30, fma_f64(error, from_bits_f64((<uint64_t>2047 - e) << 52), f), f)
    result = log_core_f64(f, k)
    result = select_f64(x < INF_F64, result, x)
    result = select_f64(x < -1, NAN_F64, result)
    result = select_f64(x == -1, -INF_F64, result)
    return c_copysign_f64(result, x)


cdef inline real vlog(real x) noexcept nogil:
    return log_f32(x) if real is f32 else log_f64(x)


cdef inline real vlog1p(real x) noexcept nogil:
    return log1p_f32(x) if real is f32 else log1p_f64(x)
