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


cdef f64 polynomial(Polynomial kind, two x, f64 degree) noexcept nogil:
    """The recurrence, with what its roundings lose carried along beside it."""
    cdef two before = two_of(1, 0), p = x, twice = two_of(2 * x.head, 2 * x.tail), factor, first, second, sum
    cdef f64 n = c_trunc_f64(degree), other
    cdef i64 k
    if not n >= 0:
        return 0
    if n == 0:
        return 1
    if n > LARGEST_DEGREE:
        return chebyshev_closed(kind, x.head, n) if kind <= CHEBYSHEV_W else NAN_F64
    if kind == CHEBYSHEV_U or kind == HERMITE_H:
        p = twice
    elif kind == CHEBYSHEV_V or kind == CHEBYSHEV_W:
        p = two_plus(twice, -1 if kind == CHEBYSHEV_V else 1)
    elif kind == LAGUERRE:
        p = two_plus(two_minus(x), 1)
    for k in range(1, <i64>n):
        factor = (two_plus(two_minus(x), 2 * k + 1) if kind == LAGUERRE else two_scale(x, 2 * k + 1) if kind == LEGENDRE else
                  x if kind == HERMITE_HE else twice)
        other = 1 if kind <= CHEBYSHEV_W else 2 * k if kind == HERMITE_H else k
        first, second = two_product(factor.head, p.head), two_product(other, before.head)
        sum = two_sum(first.head, -second.head)
        sum.tail += first.tail - second.tail + (factor.head * p.tail + factor.tail * p.head - other * before.tail)
        before, p = p, sum
        if kind >= LAGUERRE:
            p.head = sum.head / (k + 1)
            first = two_product(p.head, k + 1)
            p.tail = ((sum.head - first.head) - first.tail + sum.tail) / (k + 1)
    return rounded(p) if p.tail == p.tail else p.head           # beyond the range there is no tail


cdef inline real vchebyshev_polynomial_t(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_T, two_of(x, 0), n)


cdef inline real vchebyshev_polynomial_u(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_U, two_of(x, 0), n)


cdef inline real vchebyshev_polynomial_v(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_V, two_of(x, 0), n)


cdef inline real vchebyshev_polynomial_w(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_W, two_of(x, 0), n)


cdef inline real vshifted_chebyshev_polynomial_t(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_T, two_sum(2 * <f64>x, -1), n)


cdef inline real vshifted_chebyshev_polynomial_u(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_U, two_sum(2 * <f64>x, -1), n)


cdef inline real vshifted_chebyshev_polynomial_v(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_V, two_sum(2 * <f64>x, -1), n)


cdef inline real vshifted_chebyshev_polynomial_w(real x, real n) noexcept nogil:
    return <real>polynomial(CHEBYSHEV_W, two_sum(2 * <f64>x, -1), n)


cdef inline real vhermite_polynomial_h(real x, real n) noexcept nogil:
    return <real>polynomial(HERMITE_H, two_of(x, 0), n)


cdef inline real vhermite_polynomial_he(real x, real n) noexcept nogil:
    return <real>polynomial(HERMITE_HE, two_of(x, 0), n)


cdef inline real vlaguerre_polynomial_l(real x, real n) noexcept nogil:
    return <real>polynomial(LAGUERRE, two_of(x, 0), n)


cdef inline real vlegendre_polynomial_p(real x, real n) noexcept nogil:
    return <real>polynomial(LEGENDRE, two_of(x, 0), n)
