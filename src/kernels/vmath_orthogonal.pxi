# Rare functions: orthogonal polynomials, by their three-term recurrences (part of vmath.pxi).  In double throughout, as
# vmath_normal.pxi says.  The degree is a whole number, given in floating point and cut to one: p_-1 = 0, p_0 = 1.

cdef extern from "math.h" nogil:
    f64 c_acosh "acosh"(f64 x)
    f64 c_cosh "cosh"(f64 x)
    f64 c_sinh "sinh"(f64 x)

cdef enum Polynomial:
    CHEBYSHEV_T
    CHEBYSHEV_U
    CHEBYSHEV_V
    CHEBYSHEV_W
    HERMITE_H
    HERMITE_HE
    LAGUERRE
    LEGENDRE

cdef enum:
    LARGEST_DEGREE = 100000     # by recurrence; beyond it Chebyshev's have closed forms, the others give NaN


cdef f64 chebyshev_closed(Polynomial kind, f64 x, f64 n) noexcept nogil:
    """Of the angle whose cosine is x; of the hyperbolic one for |x| > 1, where signs alternate left of -1."""
    cdef f64 angle, parity = 1 if c_floor_f64(0.5 * n) == 0.5 * n else -1
    if x < -1:
        return parity * chebyshev_closed(CHEBYSHEV_W if kind == CHEBYSHEV_V else CHEBYSHEV_V if kind == CHEBYSHEV_W else kind, -x, n)
    if x == 1 or x == -1:
        angle = 1 if kind == CHEBYSHEV_T else n + 1 if kind == CHEBYSHEV_U else 2 * n + 1
        if kind >= CHEBYSHEV_V and (kind == CHEBYSHEV_V) == (x > 0):
            angle = 1
        return angle if x > 0 else parity * angle
    if x > 1:
        angle = c_acosh(x)
        return (c_cosh(n * angle) if kind == CHEBYSHEV_T else c_sinh((n + 1) * angle) / c_sinh(angle) if kind == CHEBYSHEV_U else
                c_cosh((n + 0.5) * angle) / c_cosh(0.5 * angle) if kind == CHEBYSHEV_V else
                c_sinh((n + 0.5) * angle) / c_sinh(0.5 * angle))
    angle = c_acos(x)
    return (c_cos(n * angle) if kind == CHEBYSHEV_T else c_sin((n + 1) * angle) / c_sin(angle) if kind == CHEBYSHEV_U else
            c_cos((n + 0.5) * angle) / c_cos(0.5 * angle) if kind == CHEBYSHEV_V else
            c_sin((n + 0.5) * angle) / c_sin(0.5 * angle))


cdef f64 polynomial(Polynomial kind, f64 x, f64 degree) noexcept nogil:
    cdef f64 before = 1, p, following, n = c_trunc_f64(degree)
    cdef i64 k
    if not n >= 0:
        return 0
    if n == 0:
        return 1
    if n > LARGEST_DEGREE:
        return chebyshev_closed(kind, x, n) if kind <= CHEBYSHEV_W else NAN_F64
    p = (x if kind == CHEBYSHEV_T or kind == HERMITE_HE or kind == LEGENDRE else 2 * x - 1 if kind == CHEBYSHEV_V else
         2 * x + 1 if kind == CHEBYSHEV_W else 1 - x if kind == LAGUERRE else 2 * x)
    for k in range(1, <i64>n):
        if kind <= CHEBYSHEV_W:
            following = 2 * x * p - before
        elif kind == HERMITE_H:
            following = 2 * x * p - 2.0 * k * before
        elif kind == HERMITE_HE:
            following = x * p - k * before
        elif kind == LAGUERRE:
            following = ((2 * k + 1 - x) * p - k * before) / (k + 1)
        else:
            following = ((2 * k + 1) * x * p - k * before) / (k + 1)
        before, p = p, following
    return p


cdef inline real vchebyshev_polynomial_t(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_T, x, n)


cdef inline real vchebyshev_polynomial_u(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_U, x, n)


cdef inline real vchebyshev_polynomial_v(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_V, x, n)


cdef inline real vchebyshev_polynomial_w(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_W, x, n)


cdef inline real vshifted_chebyshev_polynomial_t(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_T, 2 * <f64>x - 1, n)


cdef inline real vshifted_chebyshev_polynomial_u(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_U, 2 * <f64>x - 1, n)


cdef inline real vshifted_chebyshev_polynomial_v(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_V, 2 * <f64>x - 1, n)


cdef inline real vshifted_chebyshev_polynomial_w(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_W, 2 * <f64>x - 1, n)


cdef inline real vhermite_polynomial_h(real x, real n) noexcept nogil:
    return <real>polynomial(HERMITE_H, x, n)


cdef inline real vhermite_polynomial_he(real x, real n) noexcept nogil:
    return <real>polynomial(HERMITE_HE, x, n)


cdef inline real vlaguerre_polynomial_l(real x, real n) noexcept nogil:
    return <real>polynomial(LAGUERRE, x, n)


cdef inline real vlegendre_polynomial_p(real x, real n) noexcept nogil:
    return <real>polynomial(LEGENDRE, x, n)
