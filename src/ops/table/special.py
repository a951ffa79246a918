"""Special functions: torch.special, and what of it has a name at the top level.  Kernels: ../../kernels/vmath_normal.pxi and on."""
from row import elementwise

SPECIAL = {"function": "functional", "method": False, "inplace": False}        # in fastgrad.special alone
SQRT_2PI = "2.5066282746310007"

# ---- the normal distribution

elementwise("erfc(input)", "erfc(input)", "1 - erf(input).", grad="-1.1283791670955126 * exp(-(input * input)) * grad",
            domain=(-3, 3))
elementwise("erfinv(input)", "erfinv(input)", "The inverse of erf, on (-1, 1).",
            grad="0.886226925452758 * exp(result * result) * grad", domain=(-0.9, 0.9))
elementwise("erfcx(input)", "erfcx(input)", "exp(input ** 2) * erfc(input).", node="SpecialErfcx", domain=(-2, 3),
            grad="grad * (2 * result * input - 1.1283791670955126)", **SPECIAL)
elementwise("ndtr(input)", "ndtr(input)", "The normal distribution function.", node="SpecialNdtr", domain=(-3, 3),
            grad=f"grad * exp(-0.5 * input * input) / {SQRT_2PI}", **SPECIAL)
elementwise("ndtri(input)", "ndtri(input)", "The inverse of the normal distribution function, on (0, 1).", node="SpecialNdtri",
            grad=f"grad * {SQRT_2PI} * exp(0.5 * result * result)", domain=(0.05, 0.95), **SPECIAL)
elementwise("log_ndtr(input)", "log_ndtr(input)", "log of the normal distribution function.", node="SpecialLogNdtr", domain=(-3, 3),
            grad="grad / erfcx(input * -0.7071067811865476) * 0.7978845608028654", **SPECIAL)

# ---- gamma, and zeta

elementwise("lgamma(input)", "lgamma(input)", "log(|gamma(input)|).", grad="grad * digamma(input)", domain=(0.2, 6))
elementwise("digamma(input)", "digamma(input)", "The derivative of lgamma.", grad="grad * _polygamma(input, 1)", domain=(0.2, 6))
elementwise("_polygamma(input, n: float)", "_polygamma(input, n)", "The n-th derivative of digamma.", node="Polygamma",
            grad="grad * _polygamma(input, n + 1)", domain=(0.5, 6), **SPECIAL)
elementwise("zeta(input, other)", "zeta(input, other)", "Hurwitz's zeta: the sum of (k + other) ** -input from k = 0 on.",
            node="SpecialZeta", domain=((2, 5), (0.5, 4)),
            grad={"input": None, "other": "grad * -input * zeta(input + 1, other)"}, **SPECIAL)
for name, doc, sign in (("igamma", "lower", ""), ("igammac", "upper", "-")):
    elementwise(f"{name}(input: tensor, other: tensor)", f"{name}(input, other)", f"The regularized {doc} incomplete gamma function.", rule="SAME",
                domain=((0.5, 6), (0.3, 8)), grad={
                    "input": None, "other": f"{sign}grad * exp((input - 1) * log(other) - other - lgamma(input))"})

# ---- products with logarithms

elementwise("xlogy(input, other)", "xlogy(input, other)", "input * log(other); 0 where input is 0.", domain=((-3, 3), (0.1, 3)), grad={
                "input": "where((input == 0) & (other <= 0), 0, xlogy(grad, where((input == 0) & (other <= 0), 1, other)))", "other": "grad * input / other"})
elementwise("xlog1py(input, other)", "xlog1py(input, other)", "input * log1p(other); 0 where input is 0.", node="SpecialXlog1Py", domain=((-3, 3), (-0.5, 3)), **SPECIAL, grad={
                "input": "where((input == 0) & (other <= -1), 0, xlog1py(grad, where((input == 0) & (other <= -1), 0, other)))", "other": "grad * input / (other + 1)"})
elementwise("entr(input)", "input if input != input else -input * log(input) if input > 0 else 0 if input == 0 else -1e999",
            "-input * log(input); 0 at 0, -inf below.", node="SpecialEntr", grad="grad * (-log(input) - 1)", domain=(0.1, 3), **SPECIAL)

# ---- Bessel functions

elementwise("i0(input)", "i0(input)", "The modified Bessel function of the first kind, order 0.", grad="grad * i1(input)",
            domain=(-3, 3))
elementwise("i0e(input)", "i0e(input)", "exp(-|input|) * i0(input).", node="SpecialI0E", domain=(0.1, 3),
            grad="grad * (i1e(input) - sign(input) * result)", **SPECIAL)
elementwise("i1(input)", "i1(input)", "The modified Bessel function of the first kind, order 1.", node="SpecialI1", domain=(0.1, 3),
            grad="grad * 0.5 if input == 0 else grad * (i0(input) - result / where(input == 0, 1, input))", **SPECIAL)
elementwise("i1e(input)", "i1e(input)", "exp(-|input|) * i1(input).", node="SpecialI1E", domain=(0.1, 3),
            grad="grad * 0.5 if input == 0 else grad * (i0e(input) - result * (sign(input) + 1 / where(input == 0, 1, input)))", **SPECIAL)
for name, doc, domain in (
        ("bessel_j0", "The Bessel function of the first kind, order 0.", (-6, 6)),
        ("bessel_j1", "The Bessel function of the first kind, order 1.", (-6, 6)),
        ("bessel_y0", "The Bessel function of the second kind, order 0.", (0.3, 6)),
        ("bessel_y1", "The Bessel function of the second kind, order 1.", (0.3, 6)),
        ("modified_bessel_k0", "The modified Bessel function of the second kind, order 0.", (0.3, 6)),
        ("modified_bessel_k1", "The modified Bessel function of the second kind, order 1.", (0.3, 6)),
        ("scaled_modified_bessel_k0", "exp(input) * modified_bessel_k0(input).", (0.3, 6)),
        ("scaled_modified_bessel_k1", "exp(input) * modified_bessel_k1(input).", (0.3, 6)),
        ("spherical_bessel_j0", "sin(input) / input.", (-6, 6)),
        ("airy_ai", "Airy's function Ai.", (-6, 3))):
    elementwise(f"{name}(input)", f"{name}(input)", doc, domain=domain, **SPECIAL)

# ---- orthogonal polynomials

for name, doc in (
        ("chebyshev_polynomial_t", "Chebyshev's polynomial of the first kind"),
        ("chebyshev_polynomial_u", "Chebyshev's polynomial of the second kind"),
        ("chebyshev_polynomial_v", "Chebyshev's polynomial of the third kind"),
        ("chebyshev_polynomial_w", "Chebyshev's polynomial of the fourth kind"),
        ("shifted_chebyshev_polynomial_t", "Chebyshev's polynomial of the first kind at 2 * input - 1"),
        ("shifted_chebyshev_polynomial_u", "Chebyshev's polynomial of the second kind at 2 * input - 1"),
        ("shifted_chebyshev_polynomial_v", "Chebyshev's polynomial of the third kind at 2 * input - 1"),
        ("shifted_chebyshev_polynomial_w", "Chebyshev's polynomial of the fourth kind at 2 * input - 1"),
        ("hermite_polynomial_h", "Hermite's polynomial, of physics"),
        ("hermite_polynomial_he", "Hermite's polynomial, of probability"),
        ("laguerre_polynomial_l", "Laguerre's polynomial"),
        ("legendre_polynomial_p", "Legendre's polynomial")):
    elementwise(f"{name}(input, n)", f"{name}(input, n)", f"{doc}, of degree n.", domain=((-1, 1), (0, 6)), **SPECIAL)
