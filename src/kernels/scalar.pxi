# Scalar functions of rows that are not transcendental: division rules, minima, bit operations.  As in vmath.pxi, without
# branches where that lets a loop vectorize; integer divisors are checked for zero before a kernel runs.

cdef inline number vfloordiv(number a, number b) noexcept nogil:
    """Quotient rounded towards minus infinity."""
    cdef number q
    if number is f32 or number is f64:
        return floordiv_real(a, b)
    else:
        if b == 0:
            return 0
        if b == <number>-1:
            return <number>(0 - a)
        q = a // b
        return <number>(q - 1) if (a % b != 0) and ((a < 0) != (b < 0)) else q


cdef inline real floordiv_real(real a, real b) noexcept nogil:
    """Python's floor division: from the remainder, so that a == b * q + r holds as nearly as it can."""
    cdef real r, q, f
    if b == 0:
        return a / b
    r = vfmod(a, b)
    q = (a - r) / b
    if r != 0 and (b < 0) != (r < 0):
        q -= 1
    if q == 0:
        return vcopysign(<real>0, a / b)
    f = vfloor(q)
    return f + 1 if q - f > <real>0.5 else f


cdef inline number vremainder(number a, number b) noexcept nogil:
    """The remainder with the divisor's sign."""
    cdef number r
    if number is f32 or number is f64:
        r = vfmod(a, b)
        return r + b if r != 0 and (r < 0) != (b < 0) else r
    else:
        if b == 0 or b == <number>-1:
            return 0
        r = a % b
        return <number>(r + b) if r != 0 and (r < 0) != (b < 0) else r


cdef inline number vminimum(number a, number b) noexcept nogil:
    """The smaller; NaN if either is."""
    return a if a < b or a != a else b


cdef inline number vmaximum(number a, number b) noexcept nogil:
    return a if a > b or a != a else b
