# verf, and the normal distribution's function and density that gelu is made of (part of vmath.pxi).

cdef inline f32 erf_f32(f32 x) noexcept nogil:
    """erf(x) = x + x p(x^2) for |x| < 1, else 1 - exp(-p(|x|)), p = -log(erfc)."""
    cdef f32 a = c_fabs_f32(x), z, p, near
    z = a * a
    p = fma_f32(7.88886973e-05, z, -0.000802076131)
    p = fma_f32(p, z, 0.00518952543)
    p = fma_f32(p, z, -0.0268544387)
    p = fma_f32(p, z, 0.112836003)
    p = fma_f32(p, z, -0.37612626)
    p = fma_f32(p, z, 0.128379166)
    near = fma_f32(a, p, a)
    z = select_f32(a > 4, 4, a)
    p = fma_f32(-0.000186360994, z, 0.00294748368)
    p = fma_f32(p, z, -0.0218373816)
    p = fma_f32(p, z, 0.103105366)
    p = fma_f32(p, z, 0.6381464)
    p = fma_f32(p, z, 1.12708831)
    p = fma_f32(p, z, 0.000341737556)
    return c_copysign_f32(select_f32(a < 1, near, <f32>1 - exp_near_f32(-p)), x)


cdef inline f64 erf_near_f64(f64 z) noexcept nogil:
    """erf(x) / x - 1 of z = x^2 < 1."""
    cdef f64 p, q, w = z * z
    w = w * w
    q = fma_f64(-7.801097610697144e-10, z, 1.3722923789469154e-08)
    q = fma_f64(q, z, -1.6209162792634857e-07)
    q = fma_f64(q, z, 1.6447515808398152e-06)
    p = fma_f64(-1.4924744496066789e-05, z, 0.00012055295310736954)
    p = fma_f64(p, z, -0.0008548325989323684)
    p = fma_f64(p, z, 0.0052239776074143075)
    p = fma_f64(p, z, -0.026866170643274845)
    p = fma_f64(p, z, 0.11283791670945242)
    p = fma_f64(p, z, -0.3761263890318355)
    p = fma_f64(p, z, 0.12837916709551256)
    return fma_f64(q, w * w, p)


cdef inline f64 erf_f64(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), z, p, q, w, near
    near = fma_f64(a, erf_near_f64(a * a), a)
    z = select_f64(a > 6, 6, a)
    w = z * z
    w = w * w
    q = fma_f64(4.9277430333908235e-12, z, -2.044634227724834e-10)
    q = fma_f64(q, z, 3.933692422224037e-09)
    q = fma_f64(q, z, -4.6416869134378805e-08)
    q = fma_f64(q, z, 3.732589035298287e-07)
    q = fma_f64(q, z, -2.1354420284704454e-06)
    q = fma_f64(q, z, 8.666207941544688e-06)
    q = fma_f64(q, z, -2.28194952784845e-05)
    q = fma_f64(q, z, 2.025925190112316e-05)
    q = fma_f64(q, z, 0.0001350647545365666)
    p = fma_f64(-0.0007706652603143224, z, 0.0019159699195209524)
    p = fma_f64(p, z, -0.00041065281788774365)
    p = fma_f64(p, z, -0.0189901610774525)
    p = fma_f64(p, z, 0.10270343020408444)
    p = fma_f64(p, z, 0.636643631461967)
    p = fma_f64(p, z, 1.128374088721959)
    p = fma_f64(p, z, 5.029281080274179e-07)
    p = fma_f64(q, w * w, p)
    return c_copysign_f64(select_f64(a < 1, near, 1 - exp_f64(-p)), x)


cdef inline real verf(real x) noexcept nogil:
    """erf(x), any x. Max ulp 1.44 / 1.63."""
    return erf_f32(x) if real is f32 else erf_f64(x)


cdef inline f32 half_gauss_f32(f32 x) noexcept nogil:
    """exp(-x^2 / 2) to 1.2e-7, 0 from 13 on: 2^y, y = n + r, by exp2's polynomial; the rounding of y counts where the result is small."""
    cdef f32 t = c_fabs_f32(x), y, shifted, r, p
    t = select_f32(t > 13, 13, t)
    y = t * t * <f32>-0.72134752
    shifted = y + <f32>12582912.0
    r = y - (shifted - <f32>12582912.0)
    p = exp2_poly_f32(r) * from_bits_f32((bits_f32(shifted) - (0x4B400000U - EXP_BIAS_F32)) << 23)
    return select_f32(t >= 13, 0, p)


cdef inline f32 normal_cdf_f32(f32 x) noexcept nogil:
    """exp(-t^2 / 2) p(t), t = |x|, is the tail: p of degree 11, so that the product errs by 1e-7 at most, as 1 + erf does.

    It shares the exponential with the density where a gradient has both."""
    cdef f32 t = c_fabs_f32(x), p
    t = select_f32(t > 13, 13, t)
    p = fma_f32(-1.3616355e-07, t, 4.08937785e-06)
    p = fma_f32(p, t, -5.39835564e-05)
    p = fma_f32(p, t, 0.000419197138)
    p = fma_f32(p, t, -0.00217933813)
    p = fma_f32(p, t, 0.00827164017)
    p = fma_f32(p, t, -0.0246537123)
    p = fma_f32(p, t, 0.0613676049)
    p = fma_f32(p, t, -0.132590175)
    p = fma_f32(p, t, 0.24993065)
    p = fma_f32(p, t, -0.398937494)
    p = fma_f32(p, t, 0.49999994)
    p = p * half_gauss_f32(x)
    return select_f32(x < 0, p, <f32>1 - p)


cdef inline real vnormal_cdf(real x) noexcept nogil:
    """The normal distribution function, any x, to 1.3e-7 / 2.2e-16: the tail is no better than that of 1 + erf."""
    return normal_cdf_f32(x) if real is f32 else 0.5 * (1 + erf_f64(x * 0.7071067811865476))


cdef inline real vnormal_density(real x) noexcept nogil:
    """exp(-x^2 / 2) / sqrt(2 pi), any x."""
    return <f32>0.39894228 * half_gauss_f32(x) if real is f32 else 0.3989422804014327 * exp_f64(x * x * -0.5)
