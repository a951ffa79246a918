"""Functions of the elements: exponentials, logarithms, trigonometry, rounding, classification."""
from row import composite, elementwise

# ---- exponentials and logarithms

elementwise("exp(input)", "exp(input)", "e to the power of input.", grad="grad * result", complex=True, domain=(-3, 3))
elementwise("exp2(input)", "exp2(input)", "2 to the power of input.", grad="grad * result * 0.6931471805599453", complex=True, domain=(-3, 3))
elementwise("expm1(input)", "expm1(input)", "exp(input) - 1, accurate near 0.", grad="grad * (result + 1)", complex=True, domain=(-3, 3))
elementwise("log(input)", "log(input)", "Natural logarithm.", grad="grad / input", complex=True, domain=(0.1, 5))
elementwise("log1p(input)", "log1p(input)", "log(1 + input), accurate near 0.", grad="grad / (input + 1)", node="Log1P", complex=True, domain=(-0.5, 5))
elementwise("log2(input)", "log2(input)", "Logarithm to base 2.", grad="grad / (input * 0.6931471805599453)", complex=True, domain=(0.1, 5))
elementwise("log10(input)", "log10(input)", "Logarithm to base 10.", grad="grad / (input * 2.3025850929940456)", complex=True, domain=(0.1, 5))
elementwise("logaddexp(input: tensor, other: tensor)",
            "input if (input == other) & isinf(input) else maximum(input, other) + log1p(exp(-abs(input - other)))",
            "log(exp(input) + exp(other)).", rule="SAME", inplace=False, complex=True, by_dtype={"complex": "logaddexp(input, other)"},
            domain=(-3, 3), grad={
                "input": "grad / (1 + exp(other - input))", "other": "grad / (1 + exp(input - other))"})
elementwise("logaddexp2(input: tensor, other: tensor)",
            "input if (input == other) & isinf(input) else maximum(input, other) + log1p(exp2(-abs(input - other))) * 1.4426950408889634",
            "log2(2 ** input + 2 ** other).", rule="SAME", inplace=False, domain=(-3, 3), grad={
                "input": "grad / (1 + exp2(other - input))", "other": "grad / (1 + exp2(input - other))"})
elementwise("_exponent(input)", "exponent(input)", "The power of two of frexp.", rule="SAME", function="functional",
            method=False, inplace=False, domain=(0.1, 3))

# ---- trigonometry

elementwise("sin(input)", "sin(input)", "Sine.", grad="grad * cos(input)", complex=True, domain=(-3, 3))
elementwise("cos(input)", "cos(input)", "Cosine.", grad="grad * -sin(input)", complex=True, domain=(-3, 3))
elementwise("tan(input)", "tan(input)", "Tangent.", grad="grad * (1 + result * result)", complex=True, domain=(-1, 1))
elementwise("asin(input)", "asin(input)", "Inverse sine.", grad="grad * (1 / sqrt(-input * input + 1))", complex=True, domain=(-0.9, 0.9),
            aliases=("arcsin",))
elementwise("acos(input)", "acos(input)", "Inverse cosine.", grad="grad * -(1 / sqrt(-input * input + 1))", complex=True, domain=(-0.9, 0.9),
            aliases=("arccos",))
elementwise("atan(input)", "atan(input)", "Inverse tangent.", grad="grad / (input * input + 1)", complex=True, domain=(-3, 3),
            aliases=("arctan",))
elementwise("atan2(input: tensor, other: tensor)", "atan2(input, other)", "The angle of the point (other, input).", domain=((-3, 3), (0.5, 3)),
            aliases=("arctan2",), grad={
                "input": "where(input * input + other * other == 0, 0, grad * other * (1 / (input * input + other * other)))",
                "other": "where(input * input + other * other == 0, 0, grad * -input * (1 / (input * input + other * other)))"})
elementwise("sinc(input)", "1 if input == 0 else sin(input * 3.141592653589793) / (input * 3.141592653589793)",
            "sin(pi input) / (pi input); 1 at 0.", complex=True, domain=(0.1, 3),
            grad="0 if input == 0 else grad * ((cos(input * 3.141592653589793) - result) / where(input == 0, 1, input))")
elementwise("sinh(input)", "sinh(input)", "Hyperbolic sine.", grad="grad * cosh(input)", complex=True, domain=(-3, 3))
elementwise("cosh(input)", "cosh(input)", "Hyperbolic cosine.", grad="grad * sinh(input)", complex=True, domain=(-3, 3))
elementwise("tanh(input)", "tanh(input)", "Hyperbolic tangent.", grad="grad * (1 - result * result)", complex=True, domain=(-3, 3))
elementwise("asinh(input)", "asinh(input)", "Inverse hyperbolic sine.", grad="grad * (1 / sqrt(input * input + 1))",
            complex=True, domain=(-3, 3), aliases=("arcsinh",))
elementwise("acosh(input)", "acosh(input)", "Inverse hyperbolic cosine.", grad="grad * acosh_slope(input)",
            complex=True, domain=(1.2, 3), aliases=("arccosh",))
elementwise("atanh(input)", "atanh(input)", "Inverse hyperbolic tangent.", grad="grad * (1 / (1 - input * input))",
            complex=True, domain=(-0.8, 0.8), aliases=("arctanh",))
elementwise("rad2deg(input)", "input * 57.29577951308232", "Degrees from radians.", node="Rad2Deg", grad="grad * 57.29577951308232", domain=(-3, 3))
elementwise("deg2rad(input)", "input * 0.017453292519943295", "Radians from degrees.", grad="grad * 0.017453292519943295", node="Deg2Rad",
            domain=(-180, 180))
elementwise("hypot(input: tensor, other: tensor)", "hypot(input, other)", "sqrt(input ** 2 + other ** 2).", rule="SAME", domain=(0.3, 3),
            grad={"input": "grad * (input / result)", "other": "grad * (other / result)"})

# ---- the normal distribution

elementwise("erf(input)", "erf(input)", "2 / sqrt(pi) times the integral of exp(-t * t) from 0 to input.",
            grad="1.1283791670955126 * exp(-(input * input)) * grad", domain=(-3, 3))

# ---- rounding

WHOLE = {"int": "input"}
elementwise("floor(input)", "floor(input)", "The largest whole number not above input.", rule="SAME", dtypes="number",
            by_dtype=WHOLE, grad="no_gradient(grad)", domain=(0.1, 0.9))
elementwise("ceil(input)", "ceil(input)", "The smallest whole number not below input.", rule="SAME", dtypes="number",
            by_dtype=WHOLE, grad="no_gradient(grad)", domain=(0.1, 0.9))
elementwise("trunc(input)", "trunc(input)", "input without its fraction.", rule="SAME", dtypes="number", by_dtype=WHOLE,
            grad="no_gradient(grad)", aliases=("fix",), domain=(0.1, 0.9))
elementwise("round(input, *, decimals: option = 0)", "rint(input)", "The nearest whole number, halves to even; or that many decimals.",
            rule="SAME", dtypes="number", by_dtype=WHOLE, entry="round_entry", grad="no_gradient(grad)", domain=(0.1, 0.4))
elementwise("_round_up_to(input, scale: float)", "rint(input * scale) / scale", "input to so many decimals.", rule="SAME",
            grad="no_gradient(grad)", node="RoundBackward1", function=False, method=False, inplace=False, domain=(0.01, 0.04))
elementwise("_round_above(input, scale: float)", "rint(input / scale) * scale", "input to a power of ten.", rule="SAME",
            grad="no_gradient(grad)", node="RoundBackward1", function=False, method=False, inplace=False, domain=(0.01, 0.04))
elementwise("frac(input)", "input - trunc(input)", "The fraction of input.", rule="SAME", grad="grad", domain=(0.1, 0.9), out="EXACT")

# ---- signs and classes

elementwise("copysign(input: tensor, other)", "copysign(input, other)", "The magnitude of input with the sign of other.",
            domain=((0.1, 3), (-3, -0.1)), grad={
                "input": "grad * where(input == 0, 0, result / where(input == 0, 1, input))", "other": "no_gradient(grad)"})
NEXT = {"rule": "SAME", "domain": (-3, 3), "grad": {"input": "where(input == other, 0, grad)", "other": "no_gradient(grad)"}}
elementwise("nextafter(input: tensor, other: tensor)", "nextafter(input, other)", "The next number from input towards other.",
            entry="nextafter_entry", **NEXT)
elementwise("_nextafter_half(input: tensor, other: tensor, fraction: float)", "next_half(input, other, fraction)",
            "nextafter among the numbers of float16 or bfloat16, whose fraction has that many bits.", node="NextafterBackward0",
            function=False, method=False, inplace=False, **NEXT)
elementwise("heaviside(input, values)", "values if input == 0 else input > 0", "0 below 0, 1 above, values at 0.", rule="SAME",
            dtypes="all", entry="heaviside_entry", domain=(-3, 3))
elementwise("signbit(input)", "signbit(input)", "Whether the sign bit is set.", rule="PREDICATE", dtypes="all",
            by_dtype={"integral": "input < 0"}, inplace=False, domain=(-3, 3))
elementwise("isnan(input)", "input != input", "Whether input is NaN.", rule="PREDICATE", dtypes="all", inplace=False, complex=True, domain=(-3, 3),
            out="NONE")
elementwise("isinf(input)", "isinf(input)", "Whether input is infinite.", rule="PREDICATE", dtypes="all",
            by_dtype={"integral": "input != input"}, inplace=False, complex=True, domain=(-3, 3), out="NONE")
elementwise("isfinite(input)", "isfinite(input)", "Whether input is neither infinite nor NaN.", rule="PREDICATE", dtypes="all",
            by_dtype={"integral": "input == input"}, inplace=False, complex=True, domain=(-3, 3), out="NONE")
elementwise("isposinf(input)", "isinf(input) & (input > 0)", "Whether input is +inf.", rule="PREDICATE", dtypes="all",
            by_dtype={"integral": "input != input"}, inplace=False, domain=(-3, 3))
elementwise("isneginf(input)", "isinf(input) & (input < 0)", "Whether input is -inf.", rule="PREDICATE", dtypes="all",
            by_dtype={"integral": "input != input"}, inplace=False, domain=(-3, 3))
elementwise("nan_to_num(input, nan: number = None, posinf: number = None, neginf: number = None)",
            "nan if input != input else (posinf if input > 0 else neginf) if isinf(input) else input",
            "NaN and infinities replaced; by 0 and the dtype's largest and smallest values unless given.", rule="SAME",
            dtypes="all", complex=True, by_dtype={"integral": "input", "complex": "nan_to_num(input, nan, posinf, neginf)"},
            entry="nan_to_num_entry", grad="grad if isfinite(input) else 0",
            domain=(-3, 3))
