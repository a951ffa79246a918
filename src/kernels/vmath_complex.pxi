# Functions of complex elements, from C's library: zexp, zlog, zpow, ... fused over complexes (c64, c128).  In a row's expression they stand
# for exp, log, pow, ...; zabs, zreal and zangle give a double.  Compiled once, not for every CPU level.

cdef extern from "complex_functions.h" nogil:
    void fg_exp_f32(f32* out, const f32* z)
    void fg_exp_f64(f64* out, const f64* z)
    void fg_log_f32(f32* out, const f32* z)
    void fg_log_f64(f64* out, const f64* z)
    void fg_sqrt_f32(f32* out, const f32* z)
    void fg_sqrt_f64(f64* out, const f64* z)
    void fg_sin_f32(f32* out, const f32* z)
    void fg_sin_f64(f64* out, const f64* z)
    void fg_cos_f32(f32* out, const f32* z)
    void fg_cos_f64(f64* out, const f64* z)
    void fg_tan_f32(f32* out, const f32* z)
    void fg_tan_f64(f64* out, const f64* z)
    void fg_sinh_f32(f32* out, const f32* z)
    void fg_sinh_f64(f64* out, const f64* z)
    void fg_cosh_f32(f32* out, const f32* z)
    void fg_cosh_f64(f64* out, const f64* z)
    void fg_tanh_f32(f32* out, const f32* z)
    void fg_tanh_f64(f64* out, const f64* z)
    void fg_asin_f32(f32* out, const f32* z)
    void fg_asin_f64(f64* out, const f64* z)
    void fg_acos_f32(f32* out, const f32* z)
    void fg_acos_f64(f64* out, const f64* z)
    void fg_atan_f32(f32* out, const f32* z)
    void fg_atan_f64(f64* out, const f64* z)
    void fg_asinh_f32(f32* out, const f32* z)
    void fg_asinh_f64(f64* out, const f64* z)
    void fg_acosh_f32(f32* out, const f32* z)
    void fg_acosh_f64(f64* out, const f64* z)
    void fg_atanh_f32(f32* out, const f32* z)
    void fg_atanh_f64(f64* out, const f64* z)
    void fg_pow_f32(f32* out, const f32* z, const f32* w)
    void fg_pow_f64(f64* out, const f64* z, const f64* w)

cdef extern from "math.h" nogil:
    f64 c_exp "exp"(f64 x)
    f64 c_expm1 "expm1"(f64 x)
    f64 c_log1p "log1p"(f64 x)
    f64 c_sin "sin"(f64 x)
    f64 c_cos "cos"(f64 x)
    f64 c_atan2 "atan2"(f64 y, f64 x)
    f32 c_atan2f "atan2f"(f32 y, f32 x)


cdef inline c64 z_c64(c64 z) noexcept nogil:
    return z


cdef inline c128 z_c128(c128 z) noexcept nogil:
    return z


cdef inline complexes zconj(complexes z) noexcept nogil:
    z.imag = -z.imag
    return z


cdef inline complexes scaled(complexes z, f64 by) noexcept nogil:
    """Part by part: a product of complex numbers would make NaN of infinities."""
    z.real, z.imag = z.real * by, z.imag * by
    return z


cdef inline f64 zabs(complexes z) noexcept nogil:
    return c_hypot_f32(z.real, z.imag) if complexes is c64 else c_hypot_f64(z.real, z.imag)


cdef inline f64 zangle(complexes z) noexcept nogil:
    return c_atan2f(z.imag, z.real) if complexes is c64 else c_atan2(z.imag, z.real)


cdef inline f64 zreal(complexes z) noexcept nogil:
    return z.real


cdef inline bint zisinf(complexes z) noexcept nogil:
    return visinf(<f64>z.real) or visinf(<f64>z.imag)


cdef inline bint zisfinite(complexes z) noexcept nogil:
    return visfinite(<f64>z.real) and visfinite(<f64>z.imag)


cdef inline complexes zfma(complexes a, complexes b, complexes c) noexcept nogil:
    return a * b + c


cdef inline complexes zpow(complexes z, complexes w) noexcept nogil:
    cdef complexes result
    if w == 0:
        return 1
    if complexes is c64:
        fg_pow_f32(<f32*>&result, <f32*>&z, <f32*>&w)
    else:
        fg_pow_f64(<f64*>&result, <f64*>&z, <f64*>&w)
    return result


cdef inline complexes zexp2(complexes z) noexcept nogil:
    return zexp(scaled(z, 0.6931471805599453))


cdef inline complexes zexpm1(complexes z) noexcept nogil:
    """exp(x) cos(y) - 1 as (exp(x) - 1) cos(y) - 2 sin(y / 2)^2, which loses nothing near 0."""
    cdef f64 x = z.real, y = z.imag, half = c_sin(y / 2)
    cdef complexes result
    result.real, result.imag = c_expm1(x) * c_cos(y) - 2 * half * half, c_exp(x) * c_sin(y)
    return result


cdef inline complexes zlog1p(complexes z) noexcept nogil:
    cdef f64 x = z.real, y = z.imag
    cdef complexes result
    if not zabs(z) < 0.5:
        return zlog(z + 1)
    result.real, result.imag = 0.5 * c_log1p(x * (2 + x) + y * y), c_atan2(y, 1 + x)
    return result


cdef inline complexes zlogaddexp(complexes z, complexes w) noexcept nogil:
    """The larger real part goes outside; infinite real parts that are equal stay as they are, or go through exp."""
    cdef complexes most = z, least = w
    if z.real != z.real or w.real != w.real or z.imag != z.imag or w.imag != w.imag:
        most.real = most.imag = z.real + z.imag + w.real + w.imag
        return most
    if z.real < w.real:
        most, least = w, z
    if most.real == least.real and visinf(<f64>most.real):
        return w if most.real < 0 else zlog(zexp(most) + zexp(least))
    return most + zlog1p(zexp(least - most))


cdef inline complexes znan_to_num(complexes z, complexes nan, complexes posinf, complexes neginf) noexcept nogil:
    """Part by part."""
    if z.real != z.real:
        z.real = nan.real
    elif visinf(<f64>z.real):
        z.real = posinf.real if z.real > 0 else neginf.real
    if z.imag != z.imag:
        z.imag = nan.real
    elif visinf(<f64>z.imag):
        z.imag = posinf.real if z.imag > 0 else neginf.real
    return z


cdef inline complexes zlog2(complexes z) noexcept nogil:
    return scaled(zlog(z), 1.4426950408889634)


cdef inline complexes zlog10(complexes z) noexcept nogil:
    return scaled(zlog(z), 0.4342944819032518)


cdef inline complexes zsigmoid(complexes z) noexcept nogil:
    return 1 / (1 + zexp(-z))


cdef inline complexes zexp(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_exp_f32(<f32*>&result, <f32*>&z)
    else:
        fg_exp_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zlog(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_log_f32(<f32*>&result, <f32*>&z)
    else:
        fg_log_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes z_linked(complexes z, complexes other) noexcept nogil:
    return z


cdef inline complexes z_power_one(complexes z) noexcept nogil:
    return z


cdef inline complexes zsquare(complexes z) noexcept nogil:
    return z * z


cdef inline complexes zsqrt(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_sqrt_f32(<f32*>&result, <f32*>&z)
    else:
        fg_sqrt_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zsin(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_sin_f32(<f32*>&result, <f32*>&z)
    else:
        fg_sin_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zcos(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_cos_f32(<f32*>&result, <f32*>&z)
    else:
        fg_cos_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes ztan(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_tan_f32(<f32*>&result, <f32*>&z)
    else:
        fg_tan_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zsinh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_sinh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_sinh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zcosh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_cosh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_cosh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes ztanh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_tanh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_tanh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zasin(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_asin_f32(<f32*>&result, <f32*>&z)
    else:
        fg_asin_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zacos(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_acos_f32(<f32*>&result, <f32*>&z)
    else:
        fg_acos_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zatan(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_atan_f32(<f32*>&result, <f32*>&z)
    else:
        fg_atan_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zasinh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_asinh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_asinh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zacosh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_acosh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_acosh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zatanh(complexes z) noexcept nogil:
    cdef complexes result
    if complexes is c64:
        fg_atanh_f32(<f32*>&result, <f32*>&z)
    else:
        fg_atanh_f64(<f64*>&result, <f64*>&z)
    return result


cdef inline complexes zacosh_slope(complexes z) noexcept nogil:
    """The derivative of acosh on its branch; the root of z * z - 1 would be on another."""
    return 1 / (zsqrt(z - 1) * zsqrt(z + 1))
