# Draws of the gamma, Poisson and binomial distributions in PyTorch's order of random numbers, and how a gamma or beta variable moves
# with its parameter when its probability stays.
#
# Source: Marsaglia and Tsang, A Simple Method for Generating Gamma Variables, 2000; Hormann, The Transformed Rejection Method for
# Generating Poisson Random Variables (algorithm PTRS) and The Generation of Binomial Random Variates (BTRS), 1993; Figurnov, Mohamed
# and Mnih, Implicit Reparameterization Gradients, 2018.
from libc.math cimport lgamma as c_lgamma, pow as c_pow, floor as c_floor, sqrt as c_sqrt, fabs as c_abs, INFINITY as c_inf, NAN as c_nan

cdef double gamma_sample(Generator g, double alpha, bint narrow) noexcept nogil:
    """narrow: alpha is of float32, and its arithmetic rounds there."""
    cdef double scale = 1, d, c, x, y, v, u
    if not 0 < alpha < c_inf:           # what is below would go on for ever
        return alpha if alpha == 0 or alpha == c_inf else c_nan
    if alpha < 1:
        scale = c_pow(1 - uniform_f64(g), <double>(<float>1 / <float>alpha) if narrow else 1 / alpha)      # Gamma(a) = Gamma(a + 1) U^(1/a)
        alpha = <double>(<float>alpha + <float>1) if narrow else alpha + 1
    d = <double>(<float>alpha - <float>1 / <float>3) if narrow else alpha - <double>(<float>1 / <float>3)
    c = 1 / c_sqrt(9 * d)
    while True:
        y = 0
        while y <= 0:
            x = normal_sample(g)
            y = 1 + c * x
        v = y * y * y
        u = 1 - uniform_f64(g)
        if u < 1 - <double><float>0.0331 * x * x * x * x:
            return scale * d * v
        if c_log(u) < 0.5 * x * x + d * (1 - v + c_log(v)):
            return scale * d * v


cdef double poisson_sample(Generator g, double rate) noexcept nogil:
    cdef double root, b, a, inverse, tight, u, v, us, k, product
    if rate == 0:
        return 0
    if rate < 10:                       # uniforms multiplied until they fall below exp(-rate)
        inverse, product, k = c_exp(-rate), 1, 0
        while True:
            product *= uniform_f64(g)
            if product <= inverse:
                return k
            k += 1
    root = c_sqrt(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse = 1.1239 + 1.1328 / (b - 3.4)
    tight = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform_f64(g) - 0.5
        v = uniform_f64(g)
        us = 0.5 - c_abs(u)
        k = c_floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        if c_log(v) + c_log(inverse) - c_log(a / (us * us) + b) <= -rate + k * c_log(rate) - c_lgamma(k + 1):
            return k


cdef double stirling_rest(double k) noexcept nogil:
    """log k! less Stirling's formula at k + 1/2."""
    cdef double square
    if k <= 9:
        return c_lgamma(k + 1) - (0.91893853320467274178 + (k + 0.5) * c_log(k + 1) - (k + 1))
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


cdef double binomial_small(Generator g, double count, double p) noexcept nogil:
    """Successes in `count` trials, p <= 1/2."""
    cdef double log_q, b, a, c, tight, r, alpha, deviation, middle, u, v, us, k, total = 0
    if count * p < 10:                  # geometric waiting times until they are over count
        log_q, k = c_log1p(-p), 0
        while True:
            total += c_ceil(c_log(uniform_f64(g)) / log_q)
            if total > count:
                return k
            k += 1
    deviation = c_sqrt(count * p * (1 - p))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * p
    c = count * p + 0.5
    tight = 0.92 - 4.2 / b
    r = p / (1 - p)
    alpha = (2.83 + 5.1 / b) * deviation
    middle = c_floor((count + 1) * p)
    while True:
        u = uniform_f64(g) - 0.5
        v = uniform_f64(g)
        us = 0.5 - c_abs(u)
        k = c_floor((2 * a / us + b) * u + c)
        if us >= 0.07 and v <= tight:
            return k
        if k < 0 or k > count:
            continue
        v = c_log(v * alpha / (a / (us * us) + b))
        if v <= ((middle + 0.5) * c_log((middle + 1) / (r * (count - middle + 1)))
                 + (count + 1) * c_log((count - middle + 1) / (count - k + 1))
                 + (k + 0.5) * c_log(r * (count - k + 1) / (k + 1))
                 + stirling_rest(middle) + stirling_rest(count - middle) - stirling_rest(k) - stirling_rest(count - k)):
            return k


cdef double binomial_sample(Generator g, double count, double p) noexcept nogil:
    if count != count or p != p:
        return c_nan
    if count <= 0 or p <= 0:
        return 0
    if p >= 1:
        return count
    if p <= 0.5:
        return binomial_small(g, count, p)
    return count - binomial_small(g, count, 1 - p)


cdef enum:
    LONGEST_SERIES = 1000000


cdef double psi(double x) noexcept nogil:
    """Digamma of x > 0: its recurrence up to 10, there the asymptotic series."""
    cdef double shift = 0, z
    while x < 10:
        shift -= 1 / x
        x += 1
    z = 1 / (x * x)
    return shift + c_log(x) - 0.5 / x - z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (
        1.0 / 132 - z * (691.0 / 32760 - z / 12))))))


cdef double gamma_slope(double a, double x) noexcept nogil:
    """dx/da where the probability of less than x stays: -(dP/da) / density.

    Below a few deviations over a from the series of P, beyond that from Q's integral; prefactors of P and the density cancel.
    """
    cdef double total, slope, term, harmonic, n = 0, h = 0.03125, u, s, weight, f, width
    cdef int i
    if not (0 < a < c_inf and x < c_inf):
        return c_nan
    if x <= 0:
        return 0
    if a > 1e8:                         # a normal variable: x = a + z sqrt(a), to within 1 / a
        return 0.5 + 0.5 * x / a
    if x < a + 3 * c_sqrt(a) + 1:
        term = 1 / a
        harmonic = 1 / a
        total, slope = term, -term * harmonic
        while term > 1e-18 * total:
            n += 1
            term *= x / (a + n)
            harmonic += 1 / (a + n)
            total += term
            slope -= term * harmonic
        return -x * ((c_log(x) - psi(a)) * total + slope)
    total = slope = 0                   # of exp(-x s) (1 + s)^(a - 1), and times log(1 + s), over s > 0: doubly exponential trapezoids
    width = 1 / (x - a + 1)
    for i in range(-140, 141):
        u = i * h
        s = c_exp(u - c_exp(-u))
        weight = s * (1 + c_exp(-u)) * h * width
        s *= width
        f = weight * c_exp((a - 1) * c_log1p(s) - x * s)
        total += f
        slope += f * c_log1p(s)
    return x * ((c_log(x) - psi(a)) * total + slope)


cdef double beta_slope(double x, double a, double b) noexcept nogil:
    """dx/da of a beta variable of parameters a and b where the probability of less than x stays, over 1 - x; NaN where the series
    needs more than LONGEST_SERIES terms."""
    cdef double y = 1 - x, term, total, slope, first = 0, second = 0, n = 0
    cdef double trend
    if not (0 < a < c_inf and 0 < b < c_inf and x == x):
        return c_nan
    if not 0 < x < 1:
        return 0
    trend = c_log(x) - psi(a) + psi(a + b)
    if x <= a / (a + b):
        term = 1 / a
        first = 1 / a
        total, slope = term, -term * first
        while term > 1e-18 * total and n < LONGEST_SERIES:
            term *= (a + b + n) / (a + 1 + n) * x
            second += 1 / (a + b + n)
            n += 1
            first += 1 / (a + n)
            total += term
            slope += term * (second - first)
        return -x * (trend * total + slope) if n < LONGEST_SERIES else c_nan
    term = 1 / b
    total, slope = term, 0
    while term > 1e-18 * total and n < LONGEST_SERIES:
        term *= (a + b + n) / (b + 1 + n) * y
        second += 1 / (a + b + n)
        n += 1
        total += term
        slope += term * second
    return x * (trend * total + slope) if n < LONGEST_SERIES else c_nan


cdef Tensor in_double(Tensor t):
    """Contiguous values in double."""
    return contiguous_copy(converted(<Tensor>op_detach(t), FLOAT64))


cdef object _gamma_draws_rule(Tensor input, object generator):
    """Standard gamma numbers of these shapes, at least the dtype's smallest normal number."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor alpha = in_double(input)
    cdef bint narrow = input.a.dtype != FLOAT64
    cdef double* x = <double*>alpha.a.data
    cdef double low = 1.1754943508222875e-38 if narrow else 2.2250738585072014e-308
    cdef int64_t i
    require_floating("gamma", input)
    for i in range(alpha.a.numel):
        x[i] = gamma_sample(g, x[i], narrow)
        if x[i] < low:
            x[i] = low
    return converted(alpha, input.a.dtype)


cdef object poisson_rule(Tensor input, object generator):
    """Counts of the rates in `input`."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor rate = in_double(input)
    cdef double* x = <double*>rate.a.data
    cdef int64_t i
    require_floating("poisson_cpu", input)
    for i in range(rate.a.numel):
        if not x[i] >= 0:
            raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
        x[i] = poisson_sample(g, x[i])
    return converted(rate, input.a.dtype)


cdef object binomial_rule(Tensor count, Tensor prob, object generator):
    """Successes in `count` trials of probability `prob`."""
    cdef Generator g = generator_argument(generator)
    cdef Tensor n, p
    cdef double* x
    cdef double* y
    cdef int64_t i
    require_floating("binomial_cpu", count)
    if count.a.dtype != prob.a.dtype:
        raise RuntimeError(f"Found dtype {scalar_name(prob.a.dtype)} but expected {scalar_name(count.a.dtype)}")
    both = op_broadcast_tensors([op_detach(count), op_detach(prob)])
    n, p = in_double(<Tensor>both[0]), in_double(<Tensor>both[1])
    x, y = <double*>n.a.data, <double*>p.a.data
    for i in range(n.a.numel):
        x[i] = binomial_sample(g, x[i], y[i])
    return converted(n, count.a.dtype)


cdef object _standard_gamma_grad_rule(Tensor input, Tensor output):
    """How the draw `output` moves with its concentration `input`."""
    both = op_broadcast_tensors([op_detach(input), op_detach(output)])
    cdef Tensor a = in_double(<Tensor>both[0]), x = in_double(<Tensor>both[1]), out = empty_as(FLOAT64, &a.a)
    cdef int64_t i
    for i in range(a.a.numel):
        (<double*>out.a.data)[i] = gamma_slope((<double*>a.a.data)[i], (<double*>x.a.data)[i])
    return converted(out, input.a.dtype)


cdef object _dirichlet_grad_rule(Tensor x, Tensor alpha, Tensor total):
    """How an element of a Dirichlet draw moves with its own concentration, over 1 - x."""
    both = op_broadcast_tensors([op_detach(x), op_detach(alpha), op_detach(total)])
    cdef Tensor v = in_double(<Tensor>both[0]), a = in_double(<Tensor>both[1]), s = in_double(<Tensor>both[2]), out = empty_as(FLOAT64, &v.a)
    cdef int64_t i
    cdef double c
    for i in range(v.a.numel):
        c = (<double*>a.a.data)[i]
        (<double*>out.a.data)[i] = beta_slope((<double*>v.a.data)[i], c, (<double*>s.a.data)[i] - c)
    return converted(out, x.a.dtype)
