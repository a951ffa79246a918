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


cdef f64 digamma_wide(f64 x) noexcept nogil:
    """Reflection below 0; Chebyshev's series over x less the root on [1, 2], one step below it, up to eight above it; from 10 on
    the asymptotic series. Absolute error near the root and below 0."""
    cdef f64 sum = 0, z, power
    cdef int k
    if x == 0:
        return c_copysign_f64(INF_F64, -x)
    if x < 0:
        if x == c_floor_f64(x):
            return NAN_F64
        sum = -3.141592653589793 / c_tan(3.141592653589793 * (x - c_rint_f64(x)))
        x = 1 - x
    if x < 1:
        sum -= 1 / x
        return sum + (x - 0.46163214496836236 + 1.5522348162858677e-17) * series_digamma(2 * x - 1)
    if x < 10:
        while x > 2:
            x -= 1
            sum += 1 / x
        return sum + (x - 1.4616321449683622 - 9.549995429965697e-17) * series_digamma(2 * x - 3)
    z, power = 1 / (x * x), 0
    for k in range(DIGAMMA_TERMS - 1, -1, -1):
        power = (power + FG_DIGAMMA_TERMS[k]) * z
    return sum + (c_log(x) - 0.5 / x - power)


cdef f64 zeta_positive(f64 s, f64 q) noexcept nogil:
    """The sum of (q + k)^-s, k = 0, 1, ..., for s > 1 and q > 0: ten terms, and the rest by Euler and Maclaurin."""
    cdef f64 sum = 0, a = q, power, factor, term
    cdef int k
    for k in range(ZETA_DIRECT):
        power = c_pow(a, -s)
        sum += power
        if power < 1e-17 * sum:
            return sum
        a += 1
    power = c_pow(a, -s)
    sum += power * (a / (s - 1) + 0.5)
    factor = s / a
    for k in range(EULER_MACLAURIN_TERMS):
        term = FG_EULER_MACLAURIN[k] * factor * power
        sum += term
        if c_fabs_f64(term) < 1e-17 * sum:
            break
        factor *= (s + 2 * k + 1) / a * ((s + 2 * k + 2) / a)
    return sum


cdef f64 zeta_wide(f64 s, f64 q) noexcept nogil:
    """Hurwitz's zeta. Below q = 0, for a whole s, the terms left of 0 are those of 1 - q and 1 - frac(q), sign by sign."""
    cdef f64 fraction, left
    if not s > 1 or q != q:
        return INF_F64 if s == 1 else NAN_F64
    if q > 0:
        return zeta_positive(s, q)
    if q == c_floor_f64(q):
        return INF_F64
    if s != c_floor_f64(s):
        return NAN_F64
    fraction = q - c_floor_f64(q)
    left = zeta_positive(s, c_ceil_f64(q) - q) - zeta_positive(s, 1 - q)
    return zeta_positive(s, fraction) + (left if c_floor_f64(0.5 * s) == 0.5 * s else -left)


cdef f64 polygamma_wide(f64 x, f64 n) noexcept nogil:
    """(-1)^(n + 1) n! zeta(n + 1, x)."""
    if n == 0:
        return digamma_wide(x)
    return (-1 if c_floor_f64(0.5 * n) == 0.5 * n else 1) * c_tgamma(n + 1) * zeta_wide(n + 1, x)


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


cdef f64 gamma_density(f64 a, f64 x) noexcept nogil:
    """x^a exp(-x) / gamma(a + 1)."""
    cdef f64 z
    if a < 10:
        return c_pow(x, a) * c_exp(-x) / c_tgamma(a + 1)
    z = 1 / (a * a)
    z = (0.08333333333333333 - z * (0.002777777777777778 - z * (0.0007936507936507937 - z * (0.0005952380952380953 -
         z * 0.0008417508417508417)))) / a
    return c_exp(-a * excess((x - a) / a) - z) / vsqrt(6.283185307179586 * a)


cdef f64 lower_series(f64 a, f64 x) noexcept nogil:
    """P(a, x) for x up to about a + 1: the density times 1 + x/(a+1) + x^2/((a+1)(a+2)) + ..."""
    cdef f64 term = 1, sum = 1
    cdef int k
    for k in range(1, GAMMA_STEPS):
        term *= x / (a + k)
        sum += term
        if term < 1e-17 * sum:
            break
    return sum * gamma_density(a, x)


cdef f64 upper_near_zero(f64 a, f64 x) noexcept nogil:
    """Q(a, x) for x up to about 1, where 1 - P would lose all: its power series, the leading terms joined in an expm1."""
    cdef f64 log_lead = a * c_log(x) - c_lgamma(1 + a), term = 1, sum = 0
    cdef int k
    for k in range(1, 60):
        term *= -x / k
        sum += term / (a + k)
        if c_fabs_f64(term) < 1e-17 * c_fabs_f64(sum):
            break
    return -c_expm1(log_lead) - c_exp(log_lead) * a * sum


cdef f64 upper_fraction(f64 a, f64 x) noexcept nogil:
    """Q(a, x) for x from about a + 1 on: Legendre's continued fraction, by the method of Lentz."""
    cdef f64 b = x + 1 - a, c = 1e300, d = 1 / b, product = d, step
    cdef int k
    for k in range(1, GAMMA_STEPS):
        step = -k * (k - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        product *= c * d
        if c_fabs_f64(c * d - 1) < 1e-16:
            break
    return product * a * gamma_density(a, x)


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
    return 1 - upper_fraction(a, x) if x > 1 and x > a + 1 else lower_series(a, x)


cdef f64 gammaincc_wide(f64 a, f64 x) noexcept nogil:
    cdef f64 edge = gamma_edge(a, x)
    if edge != 2:
        return 1 - edge
    if a > UNIFORM_FROM:
        return upper_uniform(a, x)
    if x > 1.1 and x > a + 1:
        return upper_fraction(a, x)
    return upper_near_zero(a, x) if x <= 1.1 and a < 1.5 else 1 - lower_series(a, x)


cdef inline real vlgamma(real x) noexcept nogil:
    """log(|gamma(x)|), from libm."""
    return <real>c_lgamma(x)


cdef inline real vdigamma(real x) noexcept nogil:
    return <real>digamma_wide(x)


cdef inline real v_polygamma(real x, real n) noexcept nogil:
    return <real>polygamma_wide(x, n)


cdef inline real vzeta(real s, real q) noexcept nogil:
    return <real>zeta_wide(s, q)


cdef inline real vigamma(real a, real x) noexcept nogil:
    return <real>gammainc_wide(a, x)


cdef inline real vigammac(real a, real x) noexcept nogil:
    return <real>gammaincc_wide(a, x)
