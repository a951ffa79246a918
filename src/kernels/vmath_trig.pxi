# vsin, vcos, vtan (part of vmath.pxi).
#
# x = n pi/2 + r, |r| <= pi/4, with pi/2 in parts short enough that n times the first ones is exact without fma; then a polynomial
# for sin(r) and one for cos(r), of which the low bits of n choose one and its sign. float32 forms r in double.
# The reduction is good for |x| <= a bound only: v*_core are the branch-free functions for such arguments and vtrig_huge tells the
# others. vsin, vcos, vtan choose between core and libm, so they are right everywhere but do not vectorize: a kernel tests a
# block with vtrig_huge and, nearly always, runs the v*_core loop.

cdef extern from "math.h" nogil:
    f64 c_sin "sin"(f64 x)
    f64 c_cos "cos"(f64 x)
    f64 c_tan "tan"(f64 x)


cdef inline bint vtrig_huge(real x) noexcept nogil:
    """Whether x is finite and beyond the reduction of the core functions, |x| > 2^19 (f32), 2^23 (f64)."""
    if real is f32:
        return (c_fabs_f32(x) > 524288) & (c_fabs_f32(x) < INF_F32)
    else:
        return (c_fabs_f64(x) > 8388608) & (c_fabs_f64(x) < INF_F64)


cdef inline f32 quadrant_f32(f32 x) noexcept nogil:
    """1.5 * 2^23 + n: n itself by subtraction, its low bits from the bits."""
    return fma_f32(x, 0.636619747, 12582912.0)


cdef inline f64 quadrant_f64(f64 x) noexcept nogil:
    return fma_f64(x, 0.6366197723675814, 6755399441055744.0)


cdef inline f64 reduce_f32(f32 x, f32 n) noexcept nogil:
    """r = x - n pi/2."""
    cdef f64 r = fma_f64(n, -1.5707963267341256, <f64>x)
    return fma_f64(n, -6.077100506506192e-11, r)


cdef inline f64 reduce_f64(f64 x, f64 n, f64* tail) noexcept nogil:
    """r = x - n pi/2 and its rounding error. Each step is exact where r cancels; elsewhere its rounding goes to the tail."""
    cdef f64 first, second, third, product, r
    first = fma_f64(n, -1.570796325802803, x)
    second = fma_f64(n, -9.920935791635221e-10, first)
    product = n * 5.17018297889025e-19
    third = second - product
    tail[0] = fma_f64(n, -9.920935791635221e-10, first - second) + ((second - third) - product)
    tail[0] = fma_f64(n, -2.9038559739793605e-28, tail[0])
    r = third + tail[0]
    tail[0] -= r - third
    return r


cdef inline f32 sin_poly_f32(f32 r, f32 z) noexcept nogil:
    cdef f32 p
    p = fma_f32(-0.000194750595, z, 0.00833185203)
    p = fma_f32(p, z, -0.166666493)
    return fma_f32(z * r, p, r)


cdef inline f32 cos_poly_f32(f32 z) noexcept nogil:
    cdef f32 p, half = <f32>0.5 * z, head = 1 - half
    p = fma_f32(2.4393923e-05, z, -0.00138869707)
    p = fma_f32(p, z, 0.0416666381)
    return head + fma_f32(z * z, p, (<f32>1 - head) - half)


cdef inline f64 sin_rest_f64(f64 r, f64 tail, f64 z) noexcept nogil:
    """sin(r + tail) - r, with cos(r) near enough 1 - z/2."""
    cdef f64 p
    p = fma_f64(1.589619590321078e-10, z, -2.5050747195887644e-08)
    p = fma_f64(p, z, 2.7557313617953376e-06)
    p = fma_f64(p, z, -0.00019841269829580347)
    p = fma_f64(p, z, 0.008333333333322108)
    p = fma_f64(p, z, -0.1666666666666663)
    return fma_f64(z * r, p, fma_f64(-0.5 * z, tail, tail))


cdef inline f64 cos_rest_f64(f64 r, f64 tail, f64 z) noexcept nogil:
    """cos(r + tail) - (1 - z/2 rounded)."""
    cdef f64 p, half = 0.5 * z, head = 1 - half
    p = fma_f64(-1.134601565613117e-11, z, 2.087545353721736e-09)
    p = fma_f64(p, z, -2.7557312324145836e-07)
    p = fma_f64(p, z, 2.4801587282329127e-05)
    p = fma_f64(p, z, -0.0013888888888862504)
    p = fma_f64(p, z, 0.04166666666666653)
    return fma_f64(z * z, p, fma_f64(-r, tail, (1 - head) - half))


cdef inline f32 sin_quarter_f32(f32 x, uint32_t quarter) noexcept nogil:
    """sin(x + quarter pi/2)."""
    cdef f32 shifted = quadrant_f32(x), r, z
    cdef uint32_t q = bits_f32(shifted) + quarter
    r = <f32>reduce_f32(x, shifted - <f32>12582912.0)
    z = r * r
    r = select_f32((q & 1) == 0, sin_poly_f32(r, z), cos_poly_f32(z))
    return from_bits_f32(bits_f32(r) ^ ((q & 2) << 30))


cdef inline f64 sin_quarter_f64(f64 x, uint64_t quarter) noexcept nogil:
    cdef f64 shifted = quadrant_f64(x), r, tail, z
    cdef uint64_t q = bits_f64(shifted) + quarter
    r = reduce_f64(x, shifted - 6755399441055744.0, &tail)
    z = r * r
    r = select_f64((q & 1) == 0, r + sin_rest_f64(r, tail, z), (1 - 0.5 * z) + cos_rest_f64(r, tail, z))
    return from_bits_f64(bits_f64(r) ^ ((q & 2) << 62))


cdef inline f32 tan_core_f32(f32 x) noexcept nogil:
    """tan(x) = t = r + r^3 p(r^2) for even n, -1/t for odd n; t in double, for the reciprocal doubles its error."""
    cdef f32 shifted = quadrant_f32(x), t
    cdef f64 r, z, p
    r = reduce_f32(x, shifted - <f32>12582912.0)
    z = r * r
    p = fma_f64(0.005107104450870751, z, -0.0014429465501914138)
    p = fma_f64(p, z, 0.012085414102259153)
    p = fma_f64(p, z, 0.02078430703584734)
    p = fma_f64(p, z, 0.05415937968479244)
    p = fma_f64(p, z, 0.133317592593021)
    p = fma_f64(p, z, 0.3333337675425895)
    t = <f32>fma_f64(z * r, p, r)
    return select_f32((bits_f32(shifted) & 1) == 0, t, <f32>-1 / t)


cdef inline f64 tan_core_f64(f64 x) noexcept nogil:
    """As tan_core_f32, with the rounding errors of r and t carried to the end instead."""
    cdef f64 shifted = quadrant_f64(x), r, tail, z, p, q, w, t, inverse
    r = reduce_f64(x, shifted - 6755399441055744.0, &tail)
    z = r * r
    w = z * z
    w = w * w
    q = fma_f64(2.086138788189037e-05, z, -4.48688111347885e-05)
    q = fma_f64(q, z, 8.943799998446492e-05)
    q = fma_f64(q, z, -2.6370502945405026e-05)
    q = fma_f64(q, z, 0.00013651428531258168)
    q = fma_f64(q, z, 0.00022238542401671702)
    p = fma_f64(0.0005950627518433002, z, 0.0014547584682657359)
    p = fma_f64(p, z, 0.0035922889913284567)
    p = fma_f64(p, z, 0.00886321917451264)
    p = fma_f64(p, z, 0.021869489608229726)
    p = fma_f64(p, z, 0.05396825392670225)
    p = fma_f64(p, z, 0.13333333333414546)
    p = fma_f64(p, z, 0.33333333333332776)
    p = fma_f64(q, w * w, p)
    p = z * r * p + fma_f64(z, tail, tail)
    t = r + p
    tail = p - (t - r)
    inverse = -1 / t
    return select_f64((bits_f64(shifted) & 1) == 0, t, fma_f64(inverse * inverse, tail, inverse))


cdef inline real vsin_core(real x) noexcept nogil:
    """sin(x) unless vtrig_huge(x). Max ulp 1.56 / 0.78."""
    if real is f32:
        return select_f32(x == 0, x, sin_quarter_f32(x, 0))
    else:
        return select_f64(x == 0, x, sin_quarter_f64(x, 0))


cdef inline real vcos_core(real x) noexcept nogil:
    """cos(x) unless vtrig_huge(x). Max ulp 1.57 / 0.82."""
    return sin_quarter_f32(x, 1) if real is f32 else sin_quarter_f64(x, 1)


cdef inline real vtan_core(real x) noexcept nogil:
    """tan(x) unless vtrig_huge(x). Max ulp 1.54 / 1.44."""
    if real is f32:
        return select_f32(x == 0, x, tan_core_f32(x))
    else:
        return select_f64(x == 0, x, tan_core_f64(x))


cdef inline real vsin(real x) noexcept nogil:
    """sin(x), any x, not vectorized. Max ulp 1.56 / 0.78."""
    return <real>c_sin(x) if vtrig_huge(x) else vsin_core(x)


cdef inline real vcos(real x) noexcept nogil:
    """cos(x), any x, not vectorized. Max ulp 1.57 / 0.82."""
    return <real>c_cos(x) if vtrig_huge(x) else vcos_core(x)


cdef inline real vtan(real x) noexcept nogil:
    """tan(x), any x, not vectorized. Max ulp 1.54 / 1.44."""
    return <real>c_tan(x) if vtrig_huge(x) else vtan_core(x)
