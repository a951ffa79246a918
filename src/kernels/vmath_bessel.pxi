# Rare functions: Bessel's, spherical, modified, scaled, and Airy's (part of vmath.pxi).  In double throughout, as vmath_normal.pxi
# says; the oscillating ones are accurate absolutely, near their zeros.

cdef extern from * nogil:
    """
    #include <math.h>
    #if defined(_MSC_VER)
    #  define FG_J(name) _##name
    #else
    #  define FG_J(name) name
    #endif
    """
    f64 c_j0 "FG_J(j0)"(f64 x)
    f64 c_j1 "FG_J(j1)"(f64 x)
    f64 c_y0 "FG_J(y0)"(f64 x)
    f64 c_y1 "FG_J(y1)"(f64 x)


# --- modified, of the first kind: Chebyshev's series of (1 + x) exp(-x) I0(x) and (2 + x)^2 exp(-x) I1(x) / x on [0, 8], of
# sqrt(x) exp(-x) I(x) beyond. Within 2.6 ulp, scaled 2.4.

cdef f64 i0e_wide(f64 x) noexcept nogil:
    x = c_fabs_f64(x)
    return series_i0e_near(0.25 * x - 1) / (1 + x) if x <= 8 else series_i0e_far(16 / x - 1) / vsqrt(x)


cdef f64 i1e_wide(f64 x) noexcept nogil:
    cdef f64 a = c_fabs_f64(x)
    return x * series_i1e_near(0.25 * a - 1) / ((2 + a) * (2 + a)) if a <= 8 else c_copysign_f64(series_i1e_far(16 / a - 1) / vsqrt(a), x)


cdef f64 unscaled(f64 scaled, f64 x) noexcept nogil:
    """scaled exp(x), which may be finite where exp(x) is not."""
    return scaled * c_exp(x) if x < 700 else scaled * c_exp(0.5 * x) * c_exp(0.5 * x)


cdef f64 i0_small(f64 quarter) noexcept nogil:
    """I0(x) from x^2 / 4 <= 1/4: its power series."""
    cdef f64 sum = 1
    cdef int k
    for k in range(10, 0, -1):
        sum = 1 + sum * quarter / (k * k)
    return sum


# --- modified, of the second kind: power series up to 1, beyond it Chebyshev's series of sqrt(x) exp(x) K(x) ----------------------

cdef f64 k0_small(f64 x) noexcept nogil:
    """-(log(x/2) + gamma) I0(x) + the sum of H(k) (x^2/4)^k / k!^2, H the harmonic numbers."""
    cdef f64 quarter = 0.25 * x * x, term = 1, harmonic = 0, sum = 0
    cdef int k
    for k in range(1, 11):
        term *= quarter / (k * k)
        harmonic += 1.0 / k
        sum += term * harmonic
    return sum - (c_log(0.5 * x) + 0.5772156649015329) * i0_small(quarter)


cdef f64 k1_small(f64 x) noexcept nogil:
    """1/x + log(x/2) I1(x) - x/4 times the sum of (psi(k+1) + psi(k+2)) (x^2/4)^k / (k! (k+1)!)."""
    cdef f64 quarter = 0.25 * x * x, term = 0.5 * x, psi = -0.5772156649015329, sum = 0
    cdef f64 log_half = c_log(0.5 * x)
    cdef int k
    for k in range(1, 11):
        sum += term * (log_half - psi - 0.5 / k)
        term *= quarter / (k * (k + 1))
        psi += 1.0 / k
    return 1 / x + sum


cdef f64 k0e_wide(f64 x) noexcept nogil:
    if not x > 0:
        return INF_F64 if x == 0 else NAN_F64
    return k0_small(x) * c_exp(x) if x <= 1 else series_k0e(2 / x - 1) / vsqrt(x)


cdef f64 k1e_wide(f64 x) noexcept nogil:
    if not x > 0:
        return INF_F64 if x == 0 else NAN_F64
    return k1_small(x) * c_exp(x) if x <= 1 else series_k1e(2 / x - 1) / vsqrt(x)


# --- Airy's: Chebyshev's series on [-6, 1], of the exponential's factor to the right, of cosine's and sine's to the left -----------

cdef f64 airy_wide(f64 x) noexcept nogil:
    cdef f64 zeta, root, inverse
    if -6 <= x <= 1:
        return series_airy_near((2 * x + 5) / 7)
    root = vsqrt(c_fabs_f64(x))
    zeta = 0.6666666666666666 * c_fabs_f64(x) * root
    if x > 1:
        return c_exp(-zeta) * series_airy_right(1.3333333333333333 / zeta - 1) * 0.28209479177387814 / vsqrt(root)
    if x == -INF_F64:
        return 0
    inverse = 1 / (zeta * zeta)
    return 0.5641895835477563 / vsqrt(root) * (c_cos(zeta - 0.7853981633974483) * series_airy_cos(192 * inverse - 1) +
                                               c_sin(zeta - 0.7853981633974483) * series_airy_sin(192 * inverse - 1) / zeta)


cdef inline real vi0(real x) noexcept nogil:
    return <real>unscaled(i0e_wide(x), c_fabs_f64(x))


cdef inline real vi0e(real x) noexcept nogil:
    return <real>i0e_wide(x)


cdef inline real vi1(real x) noexcept nogil:
    return <real>unscaled(i1e_wide(x), c_fabs_f64(x))


cdef inline real vi1e(real x) noexcept nogil:
    return <real>i1e_wide(x)


cdef inline real vbessel_j0(real x) noexcept nogil:
    return <real>c_j0(x)


cdef inline real vbessel_j1(real x) noexcept nogil:
    return <real>c_j1(x)


cdef inline real vbessel_y0(real x) noexcept nogil:
    return <real>(c_y0(x) if x > 0 else -INF_F64 if x == 0 else NAN_F64)


cdef inline real vbessel_y1(real x) noexcept nogil:
    return <real>(c_y1(x) if x > 0 else -INF_F64 if x == 0 else NAN_F64)


cdef inline real vmodified_bessel_k0(real x) noexcept nogil:
    return <real>(unscaled(k0e_wide(x), -<f64>x) if x > 1 or not x > 0 else k0_small(x))


cdef inline real vmodified_bessel_k1(real x) noexcept nogil:
    return <real>(unscaled(k1e_wide(x), -<f64>x) if x > 1 or not x > 0 else k1_small(x))


cdef inline real vscaled_modified_bessel_k0(real x) noexcept nogil:
    return <real>k0e_wide(x)


cdef inline real vscaled_modified_bessel_k1(real x) noexcept nogil:
    return <real>k1e_wide(x)


cdef inline real vspherical_bessel_j0(real x) noexcept nogil:
    """sin(x) / x."""
    return <real>(1 if x == 0 else 0 if visinf(x) else c_sin(x) / x)


cdef inline real vairy_ai(real x) noexcept nogil:
    return <real>airy_wide(x)
