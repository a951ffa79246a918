# Rare functions around the gamma function (part of vmath.pxi): lgamma, digamma, zeta, polygamma, gammainc, gammaincc.  In double
# throughout, as vmath_normal.pxi says.

cdef extern from * nogil:
    """
    /* B(2k) / (2k), and B(2k) / (2k)!, of Bernoulli's numbers B */
    static const double FG_DIGAMMA_TERMS[] = {1. / 12, -1. / 120, 1. / 252, -1. / 240, 1. / 132, -691. / 32760, 1. / 12, -3617. / 8160};
    static const double FG_EULER_MACLAURIN[] = {
        1. / 12, -1. / 720, 3.3068783068783068e-05, -8.267195767195768e-07, 2.08767569878681e-08, -5.284190138687493e-10,
        1.3382536530684679e-11, -3.3896802963225829e-13, 8.586062056277845e-15, -2.174868698558062e-16, 5.5090028283602295e-18,
        -1.3954464685812523e-19};
    """
    const f64* FG_DIGAMMA_TERMS
    const f64* FG_EULER_MACLAURIN

cdef enum:
    DIGAMMA_TERMS = 8
    EULER_MACLAURIN_TERMS = 12
    ZETA_DIRECT = 10            # terms summed before the Euler-Maclaurin formula takes over
    GAMMA_STEPS = 5000          # largest number of terms of a series: enough below UNIFORM_FROM
    UNIFORM_FROM = 100000


cdef two digamma_positive(two x) noexcept nogil:
    """Chebyshev's series over x less the root on [1, 2], one step below it, up to eight above it; from 10 on the asymptotic series."""
    cdef two sum = two_of(0, 0)
    cdef f64 z, power = 0
    cdef int k
    if x.head < 10:
        while x.head > 2:
            x.head -= 1
            sum = two_gather(sum, two_inverse(x))
        if x.head < 1:
            sum = two_inverse(two_minus(x))
            x = two_plus(x, 1)
        return two_add(sum, two_times(two_add(x, two_of(-1.4616321449683622, -9.549995429965697e-17)), series_digamma(2 * x.head - 3)))
    z = 1 / (x.head * x.head)
    for k in range(DIGAMMA_TERMS - 1, -1, -1):
        power = (power + FG_DIGAMMA_TERMS[k]) * z
    return two_plus(two_log_near(x.head), x.tail / x.head - 0.5 / x.head - power)


cdef f64 digamma_wide(f64 x) noexcept nogil:
    """Reflected below 0."""
    cdef two sine, cosine
    if x == 0:
        return c_copysign_f64(INF_F64, -x)
    if not x < 0:
        return rounded(digamma_positive(two_of(x, 0))) if x < INF_F64 else x
    if x == c_floor_f64(x):
        return NAN_F64
    sine = sine_of_turns(x, &cosine)
    return rounded(two_add(digamma_positive(two_sum(1, -x)),
                           two_times(two_over(cosine, sine), two_of(-3.141592653589793, -1.2246467991473532e-16))))


cdef two inverse_power(two a, f64 s) noexcept nogil:
    """a^-s, of a's tail the first order."""
    cdef f64 power = c_pow(a.head, -s)
    return two_normal(power, -s * power * (a.tail / a.head)) if a.tail != 0 else two_of(power, 0)


cdef two zeta_positive(f64 s, two q) noexcept nogil:
    """The sum of (q + k)^-s, k = 0, 1, ..., for s > 1 and q > 0: ten terms, and the rest by Euler and Maclaurin."""
    cdef two sum = two_of(0, 0), a = q, power
    cdef f64 factor, term, rest = 0
    cdef int k
    for k in range(ZETA_DIRECT):
        power = inverse_power(a, s)
        sum = two_gather(sum, power)
        if power.head < 1e-17 * sum.head or sum.head == INF_F64:
            return sum
        a = two_plus(a, 1)
    factor = s / a.head
    for k in range(EULER_MACLAURIN_TERMS):
        term = FG_EULER_MACLAURIN[k] * factor
        rest += term
        if c_fabs_f64(term) < 1e-17:
            break
        factor *= (s + 2 * k + 1) / a.head * ((s + 2 * k + 2) / a.head)
    return two_add(sum, two_times(inverse_power(a, s), two_plus(two_over(a, two_sum(s, -1)), 0.5 + rest)))


cdef two zeta_wide(f64 s, f64 q) noexcept nogil:
    """Hurwitz's zeta. Below q = 0, for a whole s, the terms left of 0 are those of 1 - q and 1 - frac(q), sign by sign."""
    cdef two left
    if not s > 1 or q != q:
        return two_of(INF_F64 if s == 1 else NAN_F64, 0)
    if q > 0:
        return zeta_positive(s, two_of(q, 0))
    if q == c_floor_f64(q):
        return two_of(INF_F64, 0)
    if s != c_floor_f64(s):
        return two_of(NAN_F64, 0)
    left = two_add(zeta_positive(s, two_of(c_ceil_f64(q) - q, 0)), two_minus(zeta_positive(s, two_sum(1, -q))))
    if c_floor_f64(0.5 * s) != 0.5 * s:
        left = two_minus(left)
    return two_add(zeta_positive(s, two_sum(q, -c_floor_f64(q))), left)


cdef two factorial(f64 n) noexcept nogil:
    """n! of a whole n; infinite from 171 on."""
    cdef two product = two_of(1 if n <= 170 else INF_F64, 0)
    cdef int k
    for k in range(2, <int>n + 1 if n <= 170 else 0):
        product = two_scale(product, k)
    return product


cdef f64 polygamma_wide(f64 x, f64 n) noexcept nogil:
    """(-1)^(n + 1) n! zeta(n + 1, x)."""
    if n == 0:
        return digamma_wide(x)
    return (-1 if c_floor_f64(0.5 * n) == 0.5 * n else 1) * rounded(two_times(factorial(n), zeta_wide(n + 1, x)))


cdef f64 stirling_rest(f64 x) noexcept nogil:
    """Of lgamma(x), x >= 10, what (x - 1/2) log(x) - x + log(2 pi) / 2 leaves."""
    cdef f64 z = 1 / (x * x), sum = 0
    cdef int k
    for k in range(DIGAMMA_TERMS - 1, -1, -1):
        sum = sum * z + FG_DIGAMMA_TERMS[k] / (2 * k + 1)
    return sum / x


cdef two lgamma_positive(two x) noexcept nogil:
    """Chebyshev's series of lgamma(x) / ((x - 1) (x - 2)) on [1, 3], one step below it, up to seven above it; from 10 on Stirling's."""
    cdef two product = two_of(1, 0), result
    if not x.head < 10:
        result = two_add(two_times(two_plus(x, -0.5), two_log(x)), two_minus(x))
        return two_plus(two_add(result, two_of(0.9189385332046728, -3.8782941580672414e-17)), stirling_rest(x.head))
    if x.head < 1:
        product = two_inverse(x)
        x = two_plus(x, 1)
    while x.head > 3:
        x = two_plus(x, -1)
        product = two_times(product, x)
    result = two_times(two_times(two_plus(x, -1), two_plus(x, -2)), series_lgamma(x.head - 2))
    return result if product.head == 1 else two_add(result, two_log(product))


cdef f64 lgamma_wide(f64 x) noexcept nogil:
    """log(|gamma(x)|): reflected below 0; libm's, which is 2.1 ulp off about 10, and Stirling's series there."""
    cdef two sine, cosine
    if 10 < x < 100000:
        return rounded(two_add(two_times(two_sum(x, -0.5), two_plus(two_log_near(x), -1)),
                               two_sum(0.9189385332046728 - 0.5, stirling_rest(x) - 3.8782941580672414e-17)))
    if not -1e300 < x < -1e-20 or x == c_floor_f64(x):
        return c_lgamma(x)
    sine = sine_of_turns(x, &cosine)
    if sine.head < 0:
        sine = two_minus(sine)
    return rounded(two_add(two_log(two_over(two_of(3.141592653589793, 1.2246467991473532e-16), sine)),
                           two_minus(lgamma_positive(two_sum(1, -x)))))


# --- incomplete gamma functions ----------------------------------------------------------------------------------------------

cdef f64 excess(f64 mu) noexcept nogil:
    """mu - log(1 + mu), without cancellation near 0."""
    cdef f64 r = mu / (2 + mu), square, power, sum = 0
    cdef int k
    if not c_fabs_f64(mu) < 0.4:
        return mu - c_log1p(mu)
    square = r * r
    power = 2 * r * square
    for k in range(3, 60, 2):
        sum += power / k
        power *= square
        if c_fabs_f64(power) < 1e-18 * c_fabs_f64(sum):
            break
    return r * mu - sum


cdef two gamma_density(f64 a, f64 x, two* exponent) noexcept nogil:
    """x^a exp(-x) / gamma(a + 1) as a factor of the exponential of `exponent`."""
    if a < 10:
        exponent[0] = two_plus(two_add(two_scale(two_log(two_of(x, 0)), a), two_minus(lgamma_positive(two_sum(1, a)))), -x)
        return two_of(1, 0)
    exponent[0] = two_add(two_scale(two_log(two_over(two_of(x, 0), two_of(a, 0))), a), two_sum(a, -x))
    exponent[0] = two_plus(exponent[0], -stirling_rest(a))
    return two_over(two_of(0.3989422804014327, -2.4923272022777433e-17), two_root(two_of(a, 0)))


cdef f64 gamma_part(two sum, two exponent, bint rest) noexcept nogil:
    """sum exp(exponent), or what is left of it to 1."""
    if not rest:
        return times_exp(sum, exponent)
    return rounded(two_plus(two_minus(two_times(sum, two_exp(exponent))), 1)) if exponent.head > -700 else 1


cdef f64 lower_series(f64 a, f64 x, bint rest) noexcept nogil:
    """P(a, x) for x up to about a + 1: the density times 1 + x/(a+1) + x^2/((a+1)(a+2)) + ..."""
    cdef f64 ratio
    cdef two sum = two_of(1, 0), term = sum, divisor, product, exponent
    cdef int k
    for k in range(1, GAMMA_STEPS):
        divisor = two_sum(a, k)
        ratio = x / divisor.head
        product = two_product(ratio, divisor.head)
        product.tail = ratio * term.tail + term.head * (((x - product.head) - product.tail - ratio * divisor.tail) / divisor.head)
        term = two_product(term.head, ratio)
        term.tail += product.tail
        sum = two_gather(sum, term)
        if term.head < 1e-17 * sum.head:
            break
    return gamma_part(two_times(sum, gamma_density(a, x, &exponent)), exponent, rest)


cdef f64 upper_near_zero(f64 a, f64 x) noexcept nogil:
    """Q(a, x) for x up to about 1, where 1 - P would lose all: its power series, the leading terms joined in an expm1."""
    cdef two log_lead, term = two_of(1, 0), sum = two_of(0, 0), lead
    cdef int k
    for k in range(1, 60):
        term = two_over(two_scale(term, -x), two_of(k, 0))
        sum = two_add(sum, two_over(term, two_sum(a, k)))
        if c_fabs_f64(term.head) < 1e-17 * c_fabs_f64(sum.head):
            break
    log_lead = two_add(two_scale(two_log(two_of(x, 0)), a), two_minus(lgamma_positive(two_sum(1, a))))
    if log_lead.head < -700:
        return 1
    lead = two_exp(log_lead)
    sum = two_times(two_scale(sum, -a), lead)
    if c_fabs_f64(log_lead.head) > 0.4:
        return rounded(two_add(two_plus(two_minus(lead), 1), sum))
    return rounded(two_add(sum, two_normal(-c_expm1(log_lead.head), -log_lead.tail * lead.head)))


cdef f64 upper_fraction(f64 a, f64 x, bint rest) noexcept nogil:
    """Q(a, x) for x from about a + 1 on: Legendre's continued fraction. The method of Lentz tells how many of its steps count; from
    the last of them it is then evaluated in two parts."""
    cdef f64 b = x + 1 - a, c = 1e300, d = 1 / b, step
    cdef two first = two_plus(two_sum(x, -a), 1), value, exponent
    cdef int k, last
    for last in range(1, GAMMA_STEPS):
        step = -last * (last - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        if c_fabs_f64(c * d - 1) < 1e-16:
            break
    last += last // 4 + 2           # the steps after the last that changes a double: together several times as much as it
    value = two_plus(first, 2 * last)
    for k in range(last, 0, -1):
        value = two_add(two_plus(first, 2 * (k - 1)), two_over(two_scale(two_sum(a, -k), k), value))
    value = two_over(two_scale(gamma_density(a, x, &exponent), a), value)
    return gamma_part(value, exponent, rest)


cdef f64 upper_uniform(f64 a, f64 x) noexcept nogil:
    """Q(a, x) for large a: the leading terms of Temme's uniform expansion, whose rest is below 1e-14."""
    cdef f64 mu = (x - a) / a, phi = excess(mu), eta = c_copysign_f64(vsqrt(2 * phi), mu), c0, c1
    if c_fabs_f64(eta) < 0.02:
        c0 = -0.3333333333333333 + eta * (0.08333333333333333 + eta * (-0.014814814814814815 + eta * (0.0011574074074074073 +
             eta * (0.0003527336860670194 - eta * 0.00017875514403292181))))
        c1 = -0.001851851851851852 - eta * (0.003472222222222222 - eta * (0.0026455026455026454 - eta * 0.0009902263374485596))
    else:
        c0 = 1 / mu - 1 / eta
        c1 = 1 / (eta * eta * eta) - 1 / (mu * mu * mu) - 1 / (mu * mu) - 1 / (12 * mu)
    return 0.5 * erfc_wide(eta * vsqrt(0.5 * a)) + c_exp(-a * phi) / vsqrt(6.283185307179586 * a) * (c0 + c1 / a)


cdef f64 gamma_edge(f64 a, f64 x) noexcept nogil:
    """P(a, x) where a or x is 0, infinite, negative or NaN; 2 elsewhere."""
    if not (a >= 0 and x >= 0):
        return NAN_F64
    if a == 0:
        return 1 if x > 0 else NAN_F64
    if x == 0:
        return 0
    if a == INF_F64:
        return NAN_F64 if x == INF_F64 else 0
    return 1 if x == INF_F64 else 2


cdef f64 gammainc_wide(f64 a, f64 x) noexcept nogil:
    cdef f64 edge = gamma_edge(a, x)
    if edge != 2:
        return edge
    if a > UNIFORM_FROM:
        return 1 - upper_uniform(a, x)
    return upper_fraction(a, x, True) if x > 1 and x > a + 1 else lower_series(a, x, False)


cdef f64 gammaincc_wide(f64 a, f64 x) noexcept nogil:
    cdef f64 edge = gamma_edge(a, x)
    if edge != 2:
        return 1 - edge
    if a > UNIFORM_FROM:
        return upper_uniform(a, x)
    if x > 1.1 and x > a + 1:
        return upper_fraction(a, x, False)
    return upper_near_zero(a, x) if x <= 1.1 and a < 1.5 else lower_series(a, x, True)


cdef inline real vlgamma(real x) noexcept nogil:
    return <real>lgamma_wide(x)


cdef inline real vdigamma(real x) noexcept nogil:
    return <real>digamma_wide(x)


cdef inline real v_polygamma(real x, real n) noexcept nogil:
    return <real>polygamma_wide(x, n)


cdef inline real vzeta(real s, real q) noexcept nogil:
    return <real>rounded(zeta_wide(s, q))


cdef inline real vigamma(real a, real x) noexcept nogil:
    return <real>gammainc_wide(a, x)


cdef inline real vigammac(real a, real x) noexcept nogil:
    return <real>gammaincc_wide(a, x)
