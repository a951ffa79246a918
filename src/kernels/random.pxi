# Uniform numbers turned into normal ones, 16 at a time, in PyTorch's layout and roundings.
#
# Float32 has the logarithm and the sine and cosine of Moshier's Cephes library in single precision, fused where a product is added:
# with those, and on a CPU that has fma, the numbers are PyTorch's to the bit.  Float64 takes the C library's.
# Source: Box and Muller, A Note on the Generation of Random Normal Deviates, 1958; Moshier, Cephes Mathematical Library, 1989.

cdef extern from "math.h" nogil:
    double libm_log "log" (double x)
    double libm_cos "cos" (double x)
    double libm_sin "sin" (double x)


cdef inline f32 cephes_log(f32 x) noexcept nogil:
    """ln x of a normal number in (0, 1]: a polynomial over [sqrt(1/2), sqrt(2)) and the exponent's share."""
    cdef u32 b = bits_of(x)
    cdef f32 e = <f32>(<i32>(b >> 23) - 126), m = f32_of((b & <u32>0x007FFFFF) | <u32>0x3F000000), z, y
    cdef bint low = m < <f32>0.707106781186547524
    e = e - <f32>low
    m = m - <f32>1 + m * <f32>low
    z = m * m
    y = fma_f32(<f32>7.0376836292e-2, m, <f32>-1.1514610310e-1)
    y = fma_f32(y, m, <f32>1.1676998740e-1)
    y = fma_f32(y, m, <f32>-1.2420140846e-1)
    y = fma_f32(y, m, <f32>1.4249322787e-1)
    y = fma_f32(y, m, <f32>-1.6668057665e-1)
    y = fma_f32(y, m, <f32>2.0000714765e-1)
    y = fma_f32(y, m, <f32>-2.4999993993e-1)
    y = fma_f32(y, m, <f32>3.3333331174e-1)
    y = y * m
    y = fma_f32(y, z, e * <f32>-2.12194440e-4)
    y = fma_f32(z, <f32>-0.5, y)
    return fma_f32(e, <f32>0.693359375, m + y)


cdef inline void cephes_sincos(f32 x, f32* sine, f32* cosine) noexcept nogil:
    """Of an angle in [0, 2 pi): the nearest even octant is taken off in three parts."""
    cdef i32 octant = (<i32>(x * <f32>1.27323954473516) + 1) & ~1
    cdef f32 y = <f32>octant, z, s, c
    cdef u32 odd = 0 - <u32>((octant >> 1) & 1), bits_s, bits_c
    x = fma_f32(y, <f32>-0.78515625, x)
    x = fma_f32(y, <f32>-2.4187564849853515625e-4, x)
    x = fma_f32(y, <f32>-3.77489497744594108e-8, x)
    z = x * x
    c = fma_f32(<f32>2.443315711809948e-5, z, <f32>-1.388731625493765e-3)
    c = fma_f32(c, z, <f32>4.166664568298827e-2)
    c = c * z
    c = fma_f32(c, z, -(z * <f32>0.5)) + <f32>1
    s = fma_f32(<f32>-1.9515295891e-4, z, <f32>8.3321608736e-3)
    s = fma_f32(s, z, <f32>-1.6666654611e-1)
    s = fma_f32(s * z, x, x)
    bits_s = (bits_of(s) & ~odd) | (bits_of(c) & odd)
    bits_c = (bits_of(c) & ~odd) | (bits_of(s) & odd)
    sine[0] = f32_of(bits_s ^ (<u32>(octant & 4) << 29))
    cosine[0] = f32_of(bits_c ^ (<u32>(~(octant - 2) & 4) << 29))


cdef void normal_sixteens(real* x, const Launch* l, void* scratch) noexcept nogil:
    """Whole groups of 16 uniforms to normals in place: the first eight of a group with the cosine.  attrs: mean, deviation."""
    cdef i64 k, n = extent(l, 0)
    cdef int i
    cdef real mean = <real>l.attr[0].f, std = <real>l.attr[1].f, radius, angle, s = 0, c = 0
    for k in range(0, n - 15, 16):
        for i in range(8):
            if real is f32:
                radius = vsqrt(<f32>-2 * cephes_log(<f32>1 - x[k + i]))
                cephes_sincos(<f32>6.283185307179586 * x[k + i + 8], &s, &c)
            else:
                radius = vsqrt(-2 * libm_log(1 - x[k + i]))
                angle = 6.283185307179586 * x[k + i + 8]
                s = libm_sin(angle)
                c = libm_cos(angle)
            x[k + i] = vfma(radius * c, std, mean)
            x[k + i + 8] = vfma(radius * s, std, mean)
