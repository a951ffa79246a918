# Scalar functions of rows that are not transcendental: division rules, minima, shifts, whole powers, rounding; and a few
# functions made of those in vmath.pxi.  As there, without branches where that lets a loop vectorize.  Integer divisors are checked
# for zero before a kernel runs; here they only must not trap.

cdef extern from "math.h" nogil:
    f32 c_hypot_f32 "hypotf"(f32 x, f32 y)
    f64 c_hypot_f64 "hypot"(f64 x, f64 y)
    f32 c_nextafter_f32 "nextafterf"(f32 x, f32 y)
    f64 c_nextafter_f64 "nextafter"(f64 x, f64 y)
    f64 c_frexp "frexp"(f64 x, int* exponent)
    f32 c_acosh_f32 "acoshf"(f32 x)
    f64 c_acosh_f64 "acosh"(f64 x)
    f32 c_asinh_f32 "asinhf"(f32 x)
    f64 c_asinh_f64 "asinh"(f64 x)
    f32 c_atanh_f32 "atanhf"(f32 x)
    f64 c_atanh_f64 "atanh"(f64 x)


# --- division --------------------------------------------------------------------------------------------------------------

cdef inline number vfloor_quotient(number a, number b) noexcept nogil:
    """Quotient rounded towards minus infinity."""
    cdef number q
    if number is f32:
        return floor_divide_real(a, b)
    elif number is f64:
        return floor_divide_real(a, b)
    elif number is u8:
        return 0 if b == 0 else <number>(a // b)
    else:
        if b == 0:
            return 0
        if b == -1:
            return <number>(0 - a)
        q = <number>(a // b)
        return <number>(q - 1) if (a % b != 0) and ((a < 0) != (b < 0)) else q


cdef inline real floor_divide_real(real a, real b) noexcept nogil:
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


cdef inline number vtrunc_divide(number a, number b) noexcept nogil:
    """Quotient rounded towards zero."""
    if number is f32:
        return vtrunc(a / b)
    elif number is f64:
        return vtrunc(a / b)
    elif number is u8:
        return 0 if b == 0 else <number>(a // b)
    else:
        return 0 if b == 0 else <number>(0 - a) if b == -1 else <number>(a // b)


cdef inline number vremainder(number a, number b) noexcept nogil:
    """The remainder with the divisor's sign."""
    cdef number r
    if number is f32:
        r = vfmod(a, b)
        return r + b if r != 0 and (r < 0) != (b < 0) else r
    elif number is f64:
        r = vfmod(a, b)
        return r + b if r != 0 and (r < 0) != (b < 0) else r
    elif number is u8:
        return 0 if b == 0 else <number>(a % b)
    else:
        if b == 0 or b == -1:
            return 0
        r = <number>(a % b)
        return <number>(r + b) if r != 0 and (r < 0) != (b < 0) else r


cdef inline integer vinteger_fmod(integer a, integer b) noexcept nogil:
    """The remainder with the dividend's sign."""
    if integer is u8:
        return 0 if b == 0 else <integer>(a % b)
    else:
        return 0 if b == 0 or b == -1 else <integer>(a % b)


cdef inline integer vinteger_pow(integer base, integer exponent) noexcept nogil:
    """Whole powers by squaring, modulo the width; a negative power is 0 unless the base is 1 or -1."""
    cdef integer result = 1
    if exponent < 0:
        return 1 if base == 1 else (-1 if exponent & 1 else 1) if base == <integer>-1 else 0
    while exponent:
        if exponent & 1:
            result = <integer>(result * base)
        base = <integer>(base * base)
        exponent >>= 1
    return result


cdef inline integer vgcd(integer a, integer b) noexcept nogil:
    """By Euclid; never negative, but for the number whose magnitude has no place."""
    cdef integer rest
    while b != 0:
        rest = 0 if integer is not u8 and b == <integer>-1 else <integer>(a % b)
        a, b = b, rest
    return a if integer is u8 else <integer>(0 - a) if a < 0 else a


cdef inline integer vlcm(integer a, integer b) noexcept nogil:
    cdef integer divisor = vgcd(a, b)
    if divisor == 0:
        return 0
    a = <integer>(vtrunc_divide(a, divisor) * b)
    return a if integer is u8 else <integer>(0 - a) if a < 0 else a


# --- order -----------------------------------------------------------------------------------------------------------------

# Two selections each: one on a condition of two comparisons keeps GCC from vectorizing where such functions are nested.

cdef inline number vminimum(number a, number b) noexcept nogil:
    """The smaller; NaN if either is."""
    cdef number least = a if a < b else b
    return a if a != a else least


cdef inline number vmaximum(number a, number b) noexcept nogil:
    cdef number largest = a if a > b else b
    return a if a != a else largest


cdef inline number vfmin(number a, number b) noexcept nogil:
    """The smaller; the other if one is NaN."""
    cdef number least = a if a < b else b
    return a if b != b else least


cdef inline number vfmax(number a, number b) noexcept nogil:
    cdef number largest = a if a > b else b
    return a if b != b else largest


cdef inline number vclamp(number x, number low, number high) noexcept nogil:
    """The smaller of high and the larger of low and x; NaN if any is."""
    x = low if low > x else x
    x = high if high < x else x
    return low + high if (low != low) | (high != high) else x


# --- bits ------------------------------------------------------------------------------------------------------------------

cdef inline integer vleft_shift(integer a, integer count) noexcept nogil:
    """Zero where the count is negative or not less than the width."""
    if count < 0 or count >= <i64>(8 * sizeof(integer)):
        return 0
    return <integer>(<u64>a << <int>count)


cdef inline integer vright_shift(integer a, integer count) noexcept nogil:
    """The sign where the count is negative or not less than the width."""
    if count < 0 or count >= <i64>(8 * sizeof(integer)):
        return <integer>(a >> (8 * sizeof(integer) - 1))  if integer is not u8 else 0
    return <integer>(a >> <int>count)


cdef inline bint vsignbit(real x) noexcept nogil:
    return bits_f32(x) >> 31 if real is f32 else bits_f64(x) >> 63


cdef inline real vnextafter(real x, real y) noexcept nogil:
    return c_nextafter_f32(x, y) if real is f32 else c_nextafter_f64(x, y)


cdef inline real vnext_half(real x, real y, real fraction) noexcept nogil:
    """The next number among those of float16 (10 bits of fraction) or bfloat16 (7), which x and y are."""
    cdef f32 size = <f32>vabs(x), least = from_bits_f32(0x33800000 if fraction == 10 else 0x10000)
    cdef f32 normal = from_bits_f32(0x38800000 if fraction == 10 else 0)         # below it, float16's are evenly spaced and float32's not
    cdef uint32_t step_ = <uint32_t>1 << (23 - <int>fraction)
    cdef bint up = (y > x) == (x > 0)
    if not (x < y or x > y):
        return y if x == x else x
    if x == 0:
        return -least if y < 0 else least
    if size < normal or (size == normal and not up):
        size = size + least if up else size - least
    elif size == INF_F32 and fraction == 10:
        size = 65504
    else:
        size = from_bits_f32(bits_f32(size) + step_ if up else bits_f32(size) - step_)
    return -size if x < 0 else size


cdef inline real vexponent(real x) noexcept nogil:
    """e of x = m * 2^e, 1/2 <= |m| < 1; 0 where there is none."""
    cdef int e
    if not vabs(x) < INF_F64:
        return 0
    c_frexp(x, &e)
    return <real>e


# --- functions made of others ------------------------------------------------------------------------------------------------

cdef inline real vasinh(real x) noexcept nogil:
    return c_asinh_f32(x) if real is f32 else c_asinh_f64(x)


cdef inline real vacosh(real x) noexcept nogil:
    return c_acosh_f32(x) if real is f32 else c_acosh_f64(x)


cdef inline real vacosh_slope(real x) noexcept nogil:
    """The derivative of acosh."""
    return 1 / vsqrt(x * x - 1)


cdef inline real vatanh(real x) noexcept nogil:
    return c_atanh_f32(x) if real is f32 else c_atanh_f64(x)


cdef inline real vhypot(real x, real y) noexcept nogil:
    """Through libm: the sum of squares would overflow."""
    return c_hypot_f32(x, y) if real is f32 else c_hypot_f64(x, y)


cdef inline real vxlogy(real x, real y) noexcept nogil:
    """x log(y); 0 where x is 0, NaN where y is."""
    return y if y != y else <real>0 if x == 0 else x * vlog(y)


cdef inline real vxlog1py(real x, real y) noexcept nogil:
    """x log(1 + y), likewise."""
    return y if y != y else <real>0 if x == 0 else x * vlog1p(y)


cdef inline real vreal(real x) noexcept nogil:
    """x itself: for expressions that complex numbers share."""
    return x


cdef inline real vno_gradient(real x) noexcept nogil:
    """The gradient of a step function: 0, whatever comes in."""
    return 0


cdef inline real v_linked(real x, real other) noexcept nogil:
    """x; in the differentiable form, `other` gets a gradient of zeros rather than none."""
    return x


cdef inline real v_power_one(real x) noexcept nogil:
    return x


cdef inline real vsquare(real x) noexcept nogil:
    return x * x


cdef inline real vsign(real x) noexcept nogil:
    return <real>((x > 0) - (x < 0))


cdef inline real vfma(real a, real b, real c) noexcept nogil:
    """a * b + c; fused where the CPU level has it, as PyTorch's vector code does."""
    return fma_f32(a, b, c) if real is f32 else fma_f64(a, b, c)
