"""Arithmetic, comparison, logic, bits and selection."""
from row import composite, elementwise, kernel, structured

NONZERO = ((-3, 3), (0.5, 3))

# ---- sums, products, quotients

elementwise("add(input, other, *, alpha: option = 1)", "input + other", "input + alpha * other.", rule="SAME", dtypes="all",
            by_dtype={"b8": "input | other"}, entry="add_entry", grad={"input": "grad", "other": "grad"}, numbers=True, operator="+",
            complex=True, domain=(-3, 3))
elementwise("_add_scaled(input, other, alpha: number)", "fma(alpha, other, input)", "input + alpha * other.", numbers=True, rule="SAME", dtypes="all",
            by_dtype={"int": "input + alpha * other", "b8": "input | (other & (alpha != 0))"}, grad={"input": "grad", "other": "grad * alpha"}, node="Add",
            function=False, method=False, inplace=False, domain=(-3, 3))
elementwise("sub(input, other, *, alpha: option = 1)", "input - other", "input - alpha * other.", rule="SAME", dtypes="number",
            entry="sub_entry", grad={"input": "grad", "other": "-grad"}, numbers=True, operator="-", aliases=("subtract",), complex=True, domain=(-3, 3))
elementwise("_sub_scaled(input, other, alpha: number)", "fma(-alpha, other, input)", "input - alpha * other.", numbers=True, rule="SAME",
            dtypes="number", by_dtype={"int": "input - alpha * other"}, grad={"input": "grad", "other": "-grad * alpha"}, node="Sub",
            function=False, method=False, inplace=False, domain=(-3, 3))
composite("rsub(input, other: any, *, alpha: any = 1)", "other - alpha * input.", method=False, out="NONE")
elementwise("mul(input, other)", "input * other", "input * other.", rule="SAME", dtypes="all", by_dtype={"b8": "input & other"},
            grad={"input": "grad * other", "other": "grad * input"}, numbers=True, operator="*", aliases=("multiply",), complex=True, domain=(-3, 3))
elementwise("div(input, other, *, rounding_mode: option = None)", "input / other",
            "input / other, or that quotient rounded ('trunc', 'floor').", entry="div_entry",
            grad={"input": "grad / other", "other": "-grad * ((input / other) / other)"}, numbers=True, operator="/",
            aliases=("divide", "true_divide"), complex=True, domain=NONZERO)
elementwise("_trunc_divide(input, other)", "trunc_divide(input, other)", "input / other, rounded towards zero.", numbers=True, rule="SAME",
            dtypes="number", grad={"input": "no_gradient(grad)", "other": "no_gradient(grad)"}, node="DivBackward2", check="check_divisor",
            function=False, method=False, inplace=False, domain=NONZERO)
elementwise("floor_divide(input, other)", "floor_quotient(input, other)", "input / other, rounded towards minus infinity.",
            rule="SAME", dtypes="number", entry="floor_divide_entry",
            grad={"input": "no_gradient(grad)", "other": "no_gradient(grad)"}, numbers=True, operator="//", domain=NONZERO)
elementwise("remainder(input, other)", "remainder(input, other)", "The remainder of input / other, with the sign of other.",
            rule="SAME", number_form="other", dtypes="number", check="check_divisor",
            grad={"input": "grad", "other": "-grad * floor_quotient(input, other)"}, operator="%", domain=((-3, -0.1), (3.2, 4)))
elementwise("fmod(input: tensor, other)", "fmod(input, other)", "The remainder of input / other, with the sign of input.",
            rule="SAME", number_form="other", dtypes="number", by_dtype={"int": "integer_fmod(input, other)"}, check="check_divisor",
            grad={"input": "grad", "other": "-grad * trunc(input / other)"}, domain=((0.1, 0.9), (0.2, 0.22)))
elementwise("neg(input)", "-input", "-input.", rule="SAME", dtypes="number", check="check_neg", grad="-grad", operator="neg",
            aliases=("negative",), complex=True, domain=(-3, 3))
composite("positive(input)", "input itself.", out="NONE")
elementwise("abs(input)", "abs(input)", "The magnitude of input.", rule="SAME", dtypes="number",
            by_dtype={"int": "-input if input < 0 else input", "u8": "input"}, grad="grad * sign(input)", operator="abs", entry="abs_entry",
            aliases=("absolute",), domain=(0.1, 3))
elementwise("sign(input)", "(input > 0) - (input < 0)", "-1, 0 or 1.", rule="SAME", dtypes="all", by_dtype={"b8": "input"},
            grad="no_gradient(grad)", domain=(0.1, 3))
elementwise("addcmul(input, tensor1, tensor2, *, value: number = 1)", "fma(value * tensor1, tensor2, input)",
            "input + value * tensor1 * tensor2.", rule="SAME", dtypes="number", by_dtype={"int": "input + value * tensor1 * tensor2"}, entry="addc_entry", complex=True, domain=(-3, 3), grad={
                "input": "grad", "tensor1": "grad * (tensor2 * value)", "tensor2": "grad * (tensor1 * value)"})
elementwise("addcdiv(input, tensor1, tensor2, *, value: number = 1)", "input + value * tensor1 / tensor2",
            "input + value * tensor1 / tensor2.", rule="SAME", dtypes="float", entry="addc_entry",
            complex=True, domain=((-3, 3), (-3, 3), (0.5, 3)), grad={
                "input": "grad", "tensor1": "grad * (value / tensor2)",
                "tensor2": "-grad * (value * tensor1 / (tensor2 * tensor2))"})
elementwise("lerp(input, end, weight)", "fma(weight, end - input, input) if abs(weight) < 0.5 else fma(end - input, weight - 1, end)",
            "input + weight * (end - input).", rule="SAME", check="check_lerp", number_form="weight", complex=True, domain=(-3, 3), grad={
                "input": "grad * (1 - weight)", "end": "grad * weight", "weight": "grad * (end - input)"})
elementwise("gcd(input: tensor, other: tensor)", "gcd(input, other)", "The greatest common divisor of integers.", rule="SAME", dtypes="int",
            domain=(1, 9))
elementwise("lcm(input: tensor, other: tensor)", "lcm(input, other)", "The least common multiple of integers.", rule="SAME", dtypes="int",
            domain=(1, 9))

# ---- powers: each one's gradient is made of the next lower one, down to one whose slope is constant (`_linked`)

elementwise("pow(input, exponent)", "pow(input, exponent)", "input to the power of exponent.", rule="SAME", dtypes="all",
            by_dtype={"int": "integer_pow(input, exponent)", "b8": "input | (exponent == 0)"}, entry="pow_entry", operator="**", complex=True, domain=((0.5, 3), (-2, 2)), grad={
                "input": "where(exponent == 0, 0, grad * (exponent * pow(where(exponent == 0, 1, input), exponent - 1)))",
                "exponent": "grad * where((input == 0) & (real(exponent) >= 0), 0, result * log(where((input == 0) & (real(exponent) >= 0), 1, input)))"})
elementwise("square(input)", "input * input", "input ** 2.", rule="SAME", dtypes="number", grad="grad * (2 * _power_one(input))", node="Pow",
            entry="square_entry", complex=True, domain=(-3, 3))
elementwise("_cube(input)", "input * input * input", "input ** 3.", rule="SAME", grad="grad * (3 * square(input))", node="Pow",
            function=False, method=False, inplace=False, complex=True, domain=(-3, 3))
elementwise("_power_one(input)", "input", "input ** 1.", rule="SAME", grad="_linked(grad, input)", node="Pow", function=False,
            method=False, inplace=False, complex=True, domain=(-3, 3))
elementwise("_power_half(input)", "sqrt(input)", "input ** 0.5.", rule="SAME", grad="grad * (0.5 * (1 / sqrt(input)))", node="Pow",
            function=False, method=False, inplace=False, complex=True, domain=(0.5, 3))
elementwise("_power_minus_half(input)", "1 / sqrt(input)", "input ** -0.5.", rule="SAME",
            grad="grad * (-0.5 * pow(input, -1.5))", node="Pow", function=False, method=False, inplace=False, complex=True, domain=(0.5, 3))
elementwise("_power_minus_one(input)", "1 / input", "input ** -1.", rule="SAME", grad="grad * (-1 / (input * input))", node="Pow",
            function=False, method=False, inplace=False, complex=True, domain=(0.5, 3))
elementwise("_power_minus_two(input)", "1 / (input * input)", "input ** -2.", rule="SAME", grad="grad * (-2 * pow(input, -3))",
            node="Pow", function=False, method=False, inplace=False, complex=True, domain=(0.5, 3))
composite("float_power(input: any, exponent: any)", "input to the power of exponent, in float64.")
elementwise("sqrt(input)", "sqrt(input)", "Square root.", grad="grad / (2 * result)", complex=True, domain=(0.1, 3))
elementwise("rsqrt(input)", "1 / sqrt(input)", "1 / sqrt(input).", grad="-0.5 * grad * (result * result * result)",
            complex=True, domain=(0.1, 3))
elementwise("reciprocal(input)", "1 / input", "1 / input.", grad="-grad * (result * result)", complex=True, domain=(0.5, 3))

elementwise("_number_over(input, number: number)", "(1 / input) * number", "number / input, as PyTorch rounds it.", operator="r/", entry="number_over_entry",
            grad="-(grad * number) * ((1 / input) * (1 / input))", node="Mul", function=False, method=False, inplace=False,
            complex=True, domain=(0.5, 3))

# ---- order

# in place, the result is of input's dtype, and has a gradient: zero
STEP = {"inplace": "inplace_comparison", "number_form": "other"}
elementwise("eq(input: tensor, other)", "input == other", "input == other.", rule="PREDICATE", dtypes="all", operator="==", complex=True, domain=(-3, 3), **STEP)
elementwise("ne(input: tensor, other)", "input != other", "input != other.", rule="PREDICATE", dtypes="all", operator="!=",
            aliases=("not_equal",), complex=True, domain=(-3, 3), **STEP)
elementwise("lt(input: tensor, other)", "input < other", "input < other.", rule="PREDICATE", dtypes="all", operator="<", aliases=("less",),
            domain=(-3, 3), **STEP)
elementwise("le(input: tensor, other)", "input <= other", "input <= other.", rule="PREDICATE", dtypes="all", operator="<=",
            aliases=("less_equal",), domain=(-3, 3), **STEP)
elementwise("gt(input: tensor, other)", "input > other", "input > other.", rule="PREDICATE", dtypes="all", operator=">",
            aliases=("greater",), domain=(-3, 3), **STEP)
elementwise("ge(input: tensor, other)", "input >= other", "input >= other.", rule="PREDICATE", dtypes="all", operator=">=",
            aliases=("greater_equal",), domain=(-3, 3), **STEP)
elementwise("minimum(input: tensor, other: tensor)", "minimum(input, other)", "The smaller of the two; NaN if either is.", rule="SAME", dtypes="all",
            by_dtype={"b8": "input & other"}, inplace=False, domain=(-3, 3), grad={
                "input": "0 if input > other else grad / 2 if input == other else grad",
                "other": "0 if input < other else grad / 2 if input == other else grad"})
elementwise("maximum(input: tensor, other: tensor)", "maximum(input, other)", "The larger of the two; NaN if either is.", rule="SAME", dtypes="all",
            by_dtype={"b8": "input | other"}, inplace=False, domain=(-3, 3), grad={
                "input": "0 if input < other else grad / 2 if input == other else grad",
                "other": "0 if input > other else grad / 2 if input == other else grad"})
elementwise("fmin(input: tensor, other: tensor)", "fmin(input, other)", "The smaller of the two; a NaN only if both are.", rule="SAME",
            dtypes="all", by_dtype={"b8": "input & other"}, inplace=False, domain=(-3, 3), grad={
                "input": "grad if (input <= other) | (other != other) else 0",
                "other": "0 if (input <= other) | (other != other) else grad"})
elementwise("fmax(input: tensor, other: tensor)", "fmax(input, other)", "The larger of the two; a NaN only if both are.", rule="SAME",
            dtypes="all", by_dtype={"b8": "input | other"}, inplace=False, domain=(-3, 3), grad={
                "input": "grad if (input >= other) | (other != other) else 0",
                "other": "0 if (input >= other) | (other != other) else grad"})
elementwise("_clamp_both(input, min, max)", "clamp(input, min, max)", "input within [min, max].", rule="SAME",
            dtypes="number", node="Clamp", function=False, method=False, inplace=False, domain=((-3, 3), (-2, -1), (1, 2)), grad={
                "input": "grad if (input >= min) & (input <= max) else 0",
                "min": "grad if (min < max) & (input < min) else 0",
                "max": "grad if (input > max) | (max < min) else 0"})
elementwise("clamp_min(input: tensor, min)", "maximum(input, min)", "The larger of input and min.", rule="SAME", dtypes="all",
            by_dtype={"b8": "input | min"}, number_form="min", domain=(-3, 3), grad={"input": "grad if input >= min else 0", "min": "grad if input < min else 0"})
elementwise("clamp_max(input: tensor, max)", "minimum(input, max)", "The smaller of input and max.", rule="SAME", dtypes="all",
            by_dtype={"b8": "input & max"}, number_form="max", domain=(-3, 3), grad={"input": "grad if input <= max else 0", "max": "grad if input > max else 0"})
elementwise("_isclose(input, other, rtol: float, atol: float, equal_nan: float)",
            "(input == other) | ((equal_nan != 0) & (input != input) & (other != other)) "
            "| (isfinite(input - other) & (abs(input - other) <= atol + abs(rtol * other)))",
            "Whether |input - other| <= atol + rtol |other|.", rule="PREDICATE", function=False, method=False, inplace=False,
            domain=(-3, 3))
composite("clamp(input, min: any = None, max: any = None)", "input within [min, max]; either may be None.", aliases=("clip",), overlap="WHOLE", out="EXACT")
composite("clamp_(input, min: any = None, max: any = None)", "clamp, written into input.", aliases=("clip_",), function=False)
composite("isclose(input, other, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False)",
          "Whether |input - other| <= atol + rtol |other|.", out="NONE")
composite("allclose(input, other, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False)",
          "Whether all elements are close; a Python bool.", out="NONE")
composite("equal(input, other)", "Whether shapes and all elements agree; a Python bool.", out="NONE")

# ---- complex numbers

kernel("modulus_forward", "T", "complex", out="R", expression="abs(input)", cut="first")
kernel("angle_forward", "T", "complex", out="R", expression="angle(input)", cut="first")
structured("_modulus(input)", "The magnitude of complex numbers.", grad="grad * sgn(input)", conjugate=False, node="Abs", function=False,
           method=False)
structured("angle(input)", "The argument of complex numbers; of real ones 0, or pi below 0.", grad="angle_backward_of(grad, input)",
           conjugate=False)
elementwise("_direction(input)", "0 if input == 0 else input / abs(input)", "input / abs(input); 0 at 0.", rule="SAME", dtypes="complex",
            grad="0 if input == 0 else (grad - real(grad * conj(result)) * result) / abs(input)", conjugate=False, node="Sgn",
            function=False, method=False, inplace=False, domain=(-3, 3))
composite("sgn(input)", "sign(input); of complex numbers input / abs(input), and 0 at 0.")
elementwise("conj(input)", "conj(input)", "The conjugate; a real tensor itself.", rule="SAME", dtypes="complex", grad="conj(grad)",
            conjugate=False, entry="conj_entry", aliases=("conj_physical",), inplace=False, domain=(-3, 3))

# ---- logic and bits

elementwise("logical_and(input: tensor, other: tensor)", "(input != 0) & (other != 0)", "Whether both are nonzero.", rule="PREDICATE", dtypes="all",
            complex=True, domain=(-3, 3))
elementwise("logical_or(input: tensor, other: tensor)", "(input != 0) | (other != 0)", "Whether either is nonzero.", rule="PREDICATE", dtypes="all",
            complex=True, domain=(-3, 3))
elementwise("logical_xor(input: tensor, other: tensor)", "(input != 0) ^ (other != 0)", "Whether one is nonzero.", rule="PREDICATE", dtypes="all",
            complex=True, domain=(-3, 3))
elementwise("logical_not(input)", "input == 0", "Whether input is zero.", rule="PREDICATE", dtypes="all", complex=True, domain=(-3, 3))
elementwise("bitwise_and(input, other)", "input & other", "Bits set in both.", rule="SAME", dtypes="integral", operator="&",
            domain=(-3, 3))
elementwise("bitwise_or(input, other)", "input | other", "Bits set in either.", rule="SAME", dtypes="integral", operator="|",
            domain=(-3, 3))
elementwise("bitwise_xor(input, other)", "input ^ other", "Bits set in one.", rule="SAME", dtypes="integral", operator="^",
            domain=(-3, 3))
elementwise("bitwise_not(input)", "~input", "All bits flipped.", rule="SAME", dtypes="integral", by_dtype={"b8": "input == 0"},
            operator="~", check="check_bits", domain=(-3, 3))
elementwise("bitwise_left_shift(input, other)", "left_shift(input, other)", "input << other.", rule="SAME", dtypes="int",
            operator="<<", domain=(0, 3))
elementwise("bitwise_right_shift(input, other)", "right_shift(input, other)", "input >> other.", rule="SAME", dtypes="int",
            operator=">>", domain=(0, 3))

# ---- selection

elementwise("where(condition, input = None, other = None)", "input if condition else other",
            "input where condition holds, other elsewhere; of a condition alone, the indices where it holds.",
            numbers=True, rule="SAME", dtypes="all", bools=("condition",), inplace=False, method=False, entry="where_entry", complex=True, domain=(-3, 3),
            grad={"condition": None, "input": "where(condition, grad, 0)", "other": "where(condition, 0, grad)"}, out="EXACT")
composite("_where_method(input, condition, other: any)", "input where condition holds, other elsewhere.", function=False,
          aliases=("where",))

composite("diff(input, n: int = 1, dim: dim = -1, prepend: any = None, append: any = None)",
          "Differences of neighbours along a dimension, n times.", overlap="NONE")
