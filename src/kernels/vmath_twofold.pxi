# exp and log of numbers in two parts, from which the rare functions are made (part of vmath.pxi).  The parts and their arithmetic
# are twofold.h's; errors here are within a tenth of a unit in the last place of the head, and of the result after the last step.

cdef extern from "twofold.h" nogil:
    ctypedef struct two:
        f64 head
        f64 tail
    two two_of(f64 head, f64 tail)
    two two_sum(f64 a, f64 b)
    two two_normal(f64 a, f64 b)            # a + b where a is 0 or the larger
    two two_product(f64 a, f64 b)
    two two_minus(two a)
    two two_plus(two a, f64 b)
    two two_add(two a, two b)
    two two_gather(two a, two b)            # as two_add, for the terms of a long sum
    two two_scale(two a, f64 b)
    two two_times(two a, two b)
    two two_over(two a, two b)
    two two_inverse(two a)
    two two_root(two a)
    f64 rounded(two a)

ctypedef struct Exponential:
    two fraction        # in [0.7, 1.42]
    uint64_t power      # the exponent of two, plus twice the bias


cdef Exponential exponential(two x) noexcept nogil:
    """exp(x), as exp_scaled_f64 finds it, before its parts are joined."""
    cdef Exponential result
    cdef f64 clamped = select_f64(x.head > 1400, 1400, x.head), shifted, n
    cdef two r
    clamped = select_f64(clamped < -1400, -1400, clamped)
    shifted = fma_f64(clamped, 1.4426950408889634, 6755399441055744.0)
    n = shifted - 6755399441055744.0
    r = two_sum(fma_f64(n, -0.6931471805598903, clamped), n * -5.497923018708371e-14)
    r = two_normal(r.head, r.tail + select_f64(clamped == x.head, x.tail, 0))
    result.fraction = two_normal(1, r.head)
    result.fraction.tail += fma_f64(r.head * r.head, exp_poly_f64(r.head), r.tail * (1 + r.head))
    result.power = bits_f64(shifted) - (0x4338000000000000ULL - 2 * EXP_BIAS_F64)
    return result


cdef f64 times_exp(two factor, two x) noexcept nogil:
    """factor exp(x), rounded once: finite also where exp(x) alone is not."""
    cdef Exponential e = exponential(x)
    cdef uint64_t half = e.power >> 1
    return (rounded(two_times(factor, e.fraction)) * from_bits_f64(half << 52)) * from_bits_f64((e.power - half) << 52)


cdef two two_exp(two x) noexcept nogil:
    """exp(x) where it is neither infinite nor denormal."""
    cdef Exponential e = exponential(x)
    cdef f64 scale = from_bits_f64((e.power - EXP_BIAS_F64) << 52)
    return two_normal(e.fraction.head * scale, e.fraction.tail * scale)


cdef two two_log(two x) noexcept nogil:
    """log(x) for 0 < x < inf, to 66 bits: k ln2 + 2 atanh(s), see pow_f64."""
    cdef uint64_t b = bits_f64(scale_denormal_f64(x.head)), e = exponent_f64(b)
    cdef f64 k = power_f64(e, x.head)
    cdef two f = two_normal(fraction_f64(b, e), x.tail * from_bits_f64((<uint64_t>2047 - e) << 52)), s, z
    s = two_over(f, two_plus(f, 2))
    z = two_times(s, s)
    z = two_plus(two_times(z, two_of(0.3333333333333333, 1.850371707708594e-17)), z.head * z.head * atanh_rest_f64(z.head))
    s = two_add(s, two_times(s, z))
    return two_add(two_add(two_product(k, 0.6931471805599453), two_of(k * 2.3190468138462996e-17, 0)), two_of(2 * s.head, 2 * s.tail))


cdef two two_log_near(f64 x) noexcept nogil:
    """log(x) for 0 < x < inf, within 2^-56: faster."""
    cdef uint64_t b = bits_f64(scale_denormal_f64(x)), e = exponent_f64(b)
    cdef f64 k = power_f64(e, x), tail, head = log_parts_f64(fraction_f64(b, e), k, k * 5.497923018708371e-14, &tail)
    return two_normal(head, tail)


cdef two sine_of_turns(f64 x, two* cosine) noexcept nogil:
    """sin(pi x) up to its sign, and beside it cos(pi x), of x less the nearest whole number."""
    cdef f64 r = x - c_rint_f64(x), a = c_fabs_f64(r), z
    cdef bint other = a > 0.25
    cdef two angle = two_scale(two_of(3.141592653589793, 1.2246467991473532e-16), 0.5 - a if other else a), sine
    z = angle.head * angle.head
    sine = two_normal(angle.head, sin_rest_f64(angle.head, angle.tail, z))
    angle = two_normal(1 - 0.5 * z, cos_rest_f64(angle.head, angle.tail, z))
    cosine[0] = sine if other else angle
    if other:
        sine = angle
    return sine if r > 0 else two_minus(sine)
