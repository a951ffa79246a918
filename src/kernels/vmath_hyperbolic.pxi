# Hyperbolic functions: vsinh, vcosh, vtanh (part of vmath.pxi). Odd polynomials near zero, exp elsewhere.

cdef inline f32 sinh_f32(f32 x) noexcept nogil:
    """sinh(x) = x + x^3 p(x^2) for |x| < 1, else h - 1/(4h), h = exp(|x|)/2, which overflows only where sinh does."""
    cdef f32 a = c_fabs_f32(x), z, p, half
    z = x * x
    p = fma_f32(2.8169527e-06, z, 0.000198361595)
    p = fma_f32(p, z, 0.0083333496)
    p = fma_f32(p, z, 0.166666672)
    p = fma_f32(z * a, p, a)
    half = exp_scaled_f32(a, -1)
    return c_copysign_f32(select_f32(a < 1, p, half - <f32>0.25 / half), x)


cdef inline f64 sinh_f64(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x), z, p, half
    z = x * x
    p = fma_f64(7.758749663978037e-13, z, 1.6057259737477513e-10)
    p = fma_f64(p, z, 2.5052123137161502e-08)
    p = fma_f64(p, z, 2.7557319157068905e-06)
    p = fma_f64(p, z, 0.00019841269841431883)
    p = fma_f64(p, z, 0.008333333333333148)
    p = fma_f64(p, z, 0.16666666666666669)
    p = fma_f64(z * a, p, a)
    half = exp_scaled_f64(a, -1)
    return c_copysign_f64(select_f64(a < 1, p, half - 0.25 / half), x)


cdef inline f32 cosh_f32(f32 x) noexcept nogil:
    """cosh(x) = h + 1/(4h), h = exp(|x|)/2."""
    cdef f32 half = exp_scaled_f32(c_fabs_f32(x), -1)
    return half + <f32>0.25 / half


cdef inline f64 cosh_f64(f64 x) noexcept nogil:
    cdef f64 half = exp_scaled_f64(c_fabs_f64(x), -1)
    return half + 0.25 / half


cdef inline f32 tanh_f32(f32 x) noexcept nogil:
    """tanh(x) = x + x^3 p(x^2) for |x| < 0.6, else 1 - 2 / (1 + exp(2|x|))."""
    cdef f32 a = c_fabs_f32(x), z, p, far
    z = x * x
    p = fma_f32(-0.00589515874, z, 0.0207959805)
    p = fma_f32(p, z, -0.053783834)
    p = fma_f32(p, z, 0.133319244)
    p = fma_f32(p, z, -0.333332986)
    p = fma_f32(z * a, p, a)
    far = <f32>1 - <f32>2 / (<f32>1 + exp_near_f32(2 * select_f32(a > 10, 10, a)))
    return c_copysign_f32(select_f32(a < <f32>0.6, p, far), x)


cdef inline f64 tanh_f64(f64 x) noexcept nogil:
    """As tanh_f32, with 2 / (1 + exp(2|x|)) as 2 sigmoid(-2|x|)."""
    cdef f64 a = c_fabs_f64(x), z, p
    z = x * x
    p = fma_f64(-1.7178573549207538e-05, z, 7.931367916529337e-05)
    p = fma_f64(p, z, -0.00023039660417868612)
    p = fma_f64(p, z, 0.0005871883177212477)
    p = fma_f64(p, z, -0.0014552153400263633)
    p = fma_f64(p, z, 0.0035920373754375072)
    p = fma_f64(p, z, -0.008863226777036156)
    p = fma_f64(p, z, 0.02186948800253431)
    p = fma_f64(p, z, -0.05396825394929458)
    p = fma_f64(p, z, 0.1333333333329966)
    p = fma_f64(p, z, -0.33333333333333126)
    p = fma_f64(z * a, p, a)
    return c_copysign_f64(select_f64(a < 0.6, p, 1 - 2 * sigmoid_f64(-2 * select_f64(a > 40, 40, a))), x)


cdef inline real vsinh(real x) noexcept nogil:
    """sinh(x), any x. Max ulp 1.61 / 1.61."""
    return sinh_f32(x) if real is f32 else sinh_f64(x)


cdef inline real vcosh(real x) noexcept nogil:
    """cosh(x), any x. Max ulp 1.47 / 1.30."""
    return cosh_f32(x) if real is f32 else cosh_f64(x)


cdef inline real vtanh(real x) noexcept nogil:
    """tanh(x), any x. Max ulp 1.32 / 1.29."""
    return tanh_f32(x) if real is f32 else tanh_f64(x)
