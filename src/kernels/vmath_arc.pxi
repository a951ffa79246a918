# Inverse trigonometric functions: vasin, vacos, vatan, vatan2 (part of vmath.pxi).
#
# asin and acos: x + x^3 p(x^2) for |x| <= 1/2, else through asin(sqrt((1 - |x|) / 2)). atan: the same form on [-1, 1], after a
# reciprocal for larger x. Constants pi and pi/2 come in two parts; the order of the sums keeps the large ones exact.

cdef inline f32 asin_tail_f32(f32 s, f32 z) noexcept nogil:
    """asin(s) - s for z = s^2, |s| <= 1/2."""
    cdef f32 p
    p = fma_f32(0.0421663299, z, 0.024179507)
    p = fma_f32(p, z, 0.0454703756)
    p = fma_f32(p, z, 0.0749529749)
    p = fma_f32(p, z, 0.166667521)
    return s * z * p


cdef inline f64 asin_tail_f64(f64 s, f64 z) noexcept nogil:
    cdef f64 p, q, w
    w = z * z
    w = w * w
    q = fma_f64(0.03191151370847546, z, -0.016223037160331254)
    q = fma_f64(q, z, 0.019527414170760548)
    q = fma_f64(q, z, 0.006528315895876492)
    p = fma_f64(0.012169125588964276, z, 0.013885249762547834)
    p = fma_f64(p, z, 0.017359703184475436)
    p = fma_f64(p, z, 0.02237175816493171)
    p = fma_f64(p, z, 0.030381959131706143)
    p = fma_f64(p, z, 0.04464285682847129)
    p = fma_f64(p, z, 0.07500000000336814)
    p = fma_f64(p, z, 0.1666666666666541)
    p = fma_f64(q, w * w, p)
    return s * z * p


cdef inline f32 asin_f32(f32 x) noexcept nogil:
    cdef f32 a = c_fabs_f32(x), z, s, tail, head
    cdef bint small = a <= <f32>0.5
    z = select_f32(small, a * a, <f32>0.5 * (<f32>1 - a))
    s = select_f32(small, a, c_sqrt_f32(z))
    tail = asin_tail_f32(s, z)
    head = <f32>1.57079637 - (s + s)
    tail = select_f32(small, tail, ((<f32>1.57079637 - head) - (s + s)) - fma_f32(2, tail, 4.37113883e-08))
    s = select_f32(small, s, head) + tail
    return c_copysign_f32(s, x)


cdef inline f64 asin_f64(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), z, s, tail, head
    cdef bint small = a <= 0.5
    z = select_f64(small, a * a, 0.5 * (1 - a))
    s = select_f64(small, a, c_sqrt_f64(z))
    tail = asin_tail_f64(s, z)
    head = 1.5707963267948966 - 2 * s
    tail = select_f64(small, tail, ((1.5707963267948966 - head) - 2 * s) - fma_f64(2, tail, -6.123233995736766e-17))
    s = select_f64(small, s, head) + tail
    return c_copysign_f64(s, x)


cdef inline f32 acos_f32(f32 x) noexcept nogil:
    """acos(x): pi/2 - asin(x) for |x| <= 1/2, else 2 asin(s) or pi - 2 asin(s), s = sqrt((1 - |x|) / 2)."""
    cdef f32 a = c_fabs_f32(x), z, s, tail, middle, right
    cdef bint small = a <= <f32>0.5
    z = select_f32(small, a * a, <f32>0.5 * (<f32>1 - a))
    s = select_f32(small, x, c_sqrt_f32(z))
    tail = asin_tail_f32(s, z)
    middle = (<f32>1.57079637 - s) - (tail + <f32>4.37113883e-08)
    right = <f32>2 * (s + tail)
    right = select_f32(x < 0, (<f32>3.14159274 - (s + s)) - fma_f32(2, tail, 8.74227766e-08), right)
    return select_f32(small, middle, right)


cdef inline f64 acos_f64(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), z, s, tail, middle, right
    cdef bint small = a <= 0.5
    z = select_f64(small, a * a, 0.5 * (1 - a))
    s = select_f64(small, x, c_sqrt_f64(z))
    tail = asin_tail_f64(s, z)
    middle = (1.5707963267948966 - s) - (tail - 6.123233995736766e-17)
    right = 2 * (s + tail)
    right = select_f64(x < 0, (3.141592653589793 - 2 * s) - fma_f64(2, tail, -1.2246467991473532e-16), right)
    return select_f64(small, middle, right)


cdef inline f32 atan_tail_f32(f32 t) noexcept nogil:
    """atan(t) - t, |t| <= 1."""
    cdef f32 z = t * t, p
    p = fma_f32(-0.00179360539, z, 0.0109145055)
    p = fma_f32(p, z, -0.0311776027)
    p = fma_f32(p, z, 0.0579572842)
    p = fma_f32(p, z, -0.084034279)
    p = fma_f32(p, z, 0.109521769)
    p = fma_f32(p, z, -0.142642394)
    p = fma_f32(p, z, 0.199985474)
    p = fma_f32(p, z, -0.333332986)
    return z * t * p


cdef inline f64 atan_tail_f64(f64 t) noexcept nogil:
    cdef f64 z = t * t, p, q, w
    w = z * z
    w = w * w
    q = fma_f64(1.3225382358508863e-05, z, -0.00015216383903569324)
    q = fma_f64(q, z, 0.0008313350988313779)
    q = fma_f64(q, z, -0.002884954423824637)
    q = fma_f64(q, z, 0.0071965695942142445)
    q = fma_f64(q, z, -0.013900648263433223)
    q = fma_f64(q, z, 0.02198494010546394)
    q = fma_f64(q, z, -0.02990392265811592)
    q = fma_f64(q, z, 0.036641946652681084)
    q = fma_f64(q, z, -0.042191804373107974)
    q = fma_f64(q, z, 0.04722322659465256)
    q = fma_f64(q, z, -0.05253518640513186)
    p = fma_f64(0.05880527822847949, z, -0.06666404056631833)
    p = fma_f64(p, z, 0.07692279838823068)
    p = fma_f64(p, z, -0.09090907002911887)
    p = fma_f64(p, z, 0.11111111007018609)
    p = fma_f64(p, z, -0.14285714282574696)
    p = fma_f64(p, z, 0.19999999999951448)
    p = fma_f64(p, z, -0.3333333333333307)
    p = fma_f64(q, w * w, p)
    return z * t * p


cdef inline f32 atan_f32(f32 x) noexcept nogil:
    """atan(|x|) = pi/2 - atan(1/|x|) for |x| > 1."""
    cdef f32 a = c_fabs_f32(x), t, tail
    t = select_f32(a > 1, <f32>1 / a, a)
    tail = atan_tail_f32(t)
    t = select_f32(a > 1, (<f32>1.57079637 - t) - (tail + <f32>4.37113883e-08), t + tail)
    return c_copysign_f32(t, x)


cdef inline f64 atan_f64(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), t, tail
    t = select_f64(a > 1, 1 / a, a)
    tail = atan_tail_f64(t)
    t = select_f64(a > 1, (1.5707963267948966 - t) - (tail - 6.123233995736766e-17), t + tail)
    return c_copysign_f64(t, x)


cdef inline f32 atan2_f32(f32 y, f32 x) noexcept nogil:
    """Angle of (x, y): t = min / max of |x|, |y|, then pi/2 - and pi - by octant. Signs of zeros and infinities as in C."""
    cdef f32 a = c_fabs_f32(x), b = c_fabs_f32(y), large, small, t, tail, angle
    cdef f32 flat_base, base, turn
    cdef bint steep = b > a, left = c_copysign_f32(1, x) < 0
    large = select_f32(steep, b, a)
    small = select_f32(steep, a, b)
    t = small / large
    t = select_f32(small == large, 1, t)        # also inf / inf and, below, 0 / 0
    t = select_f32(small == 0, 0, t)
    tail = atan_tail_f32(t)
    # The angle is base + turn (t + tail), base 0, pi/2, pi/2 or pi in two parts, turn 1, -1, 1 or -1.
    flat_base = select_f32(left, 3.14159274, 0)
    base = select_f32(steep, 1.57079637, flat_base)
    turn = select_f32(left != steep, -1, 1)
    angle = (base + turn * t) + fma_f32(base, -2.78275342e-08, turn * tail)
    angle = select_f32((x != x) | (y != y), x + y, angle)
    return c_copysign_f32(angle, y)


cdef inline f64 atan2_f64(f64 y, f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), b = c_fabs_f64(y), large, small, t, tail, angle
    cdef f64 flat_base, base, turn
    cdef bint steep = b > a, left = c_copysign_f64(1, x) < 0
    large = select_f64(steep, b, a)
    small = select_f64(steep, a, b)
    t = small / large
    t = select_f64(small == large, 1, t)
    t = select_f64(small == 0, 0, t)
    tail = atan_tail_f64(t)
    # The angle is base + turn (t + tail), base 0, pi/2, pi/2 or pi in two parts, turn 1, -1, 1 or -1.
    flat_base = select_f64(left, 3.141592653589793, 0)
    base = select_f64(steep, 1.5707963267948966, flat_base)
    turn = select_f64(left != steep, -1, 1)
    # the low part of any base is the same part of it: 1.2246e-16 / 3.14159
    angle = (base + turn * t) + fma_f64(base, 3.8981718325193755e-17, turn * tail)
    angle = select_f64((x != x) | (y != y), x + y, angle)
    return c_copysign_f64(angle, y)


cdef inline real vasin(real x) noexcept nogil:
    """asin(x), |x| <= 1. Max ulp 1.15 / 1.25."""
    return asin_f32(x) if real is f32 else asin_f64(x)


cdef inline real vacos(real x) noexcept nogil:
    """acos(x), |x| <= 1. Max ulp 1.15 / 1.21."""
    return acos_f32(x) if real is f32 else acos_f64(x)


cdef inline real vatan(real x) noexcept nogil:
    """atan(x), any x. Max ulp 1.27 / 1.62."""
    return atan_f32(x) if real is f32 else atan_f64(x)


cdef inline real vatan2(real y, real x) noexcept nogil:
    """Angle of the point (x, y). Max ulp 1.63 / 1.67."""
    return atan2_f32(y, x) if real is f32 else atan2_f64(y, x)
