"""Activation functions of neural networks.  `inplace=True`, where a function takes it, writes over its input."""
from row import elementwise, structured

elementwise("sigmoid(input)", "sigmoid(input)", "1 / (1 + exp(-input)).", grad="grad * (1 - result) * result", complex=True, domain=(-6, 6))
elementwise("logit(input, eps: option = None)", "log(input / (1 - input))",
            "log(input / (1 - input)), input clamped to [eps, 1 - eps] if eps is given.", entry="logit_entry", domain=(0.1, 0.9),
            grad="grad / (input * (1 - input) if (input >= 0) & (input <= 1) else 1e999 - 1e999)")
elementwise("_logit_clamped(input, eps: float)",
            "log((eps if input < eps else 1 - eps if input > 1 - eps else input) "
            "/ (1 - (eps if input < eps else 1 - eps if input > 1 - eps else input)))",
            "logit of input clamped to [eps, 1 - eps].", domain=(0.2, 0.8), node="Logit", function=False, method=False, inplace=False,
            grad="grad / where((input >= eps) & (input <= 1 - eps), input * (1 - input), 1) if (input >= eps) & (input <= 1 - eps) else 0")
DECAY = "exp(input if input < 0 else -input)"            # of |input|, with a derivative at 0
elementwise("logsigmoid(input)", "minimum(input, 0) - log1p(exp(-abs(input)))", "log(sigmoid(input)).", rule="SAME",
            function="functional", method=False, inplace=False, node="LogSigmoid", domain=(-6, 6),
            grad=f"grad * (1 - {DECAY} / (1 + {DECAY})) if input < 0 else grad * ({DECAY} / (1 + {DECAY}))")

# ---- pieces of straight lines: their slope is constant, and its derivative zero rather than none

structured("_linked(input, other)", "input; the gradient of other, which has its shape, is zero.", method=False,
           grad={"input": "grad", "other": "no_gradient(grad)"}, out="NONE")

structured("_tied(input)", "input as a view; its gradient depends on it, by zero, as PyTorch's gradients of piecewise linear functions do.",
           rule="alias_rule", grad="_linked(grad, input)", method=False)

elementwise("relu(input, inplace: option = False)", "0 if input <= 0 else input", "max(input, 0).", rule="SAME", dtypes="number",
            grad="0 if result <= 0 else _linked(grad, result)", domain=(0.1, 3), out="NONE")
elementwise("leaky_relu(input, negative_slope: float = 0.01, inplace: option = False)",
            "input if input > 0 else input * negative_slope", "input if positive, else negative_slope * input.", rule="SAME",
            grad="_linked(grad, input) if input > 0 else grad * negative_slope", function="functional", method=False, inplace=False, domain=(0.1, 3),
            out="NONE")
elementwise("hardtanh(input, min_val: number = -1.0, max_val: number = 1.0, inplace: option = False)",
            "minimum(maximum(input, min_val), max_val)", "input within [min_val, max_val].", rule="SAME", check="check_limits", dtypes="number",
            grad="_linked(grad, input) if (input > min_val) & (input < max_val) else 0", function="functional", method=False, inplace=False, domain=(-0.9, 0.9),
            out="NONE")
elementwise("relu6(input, inplace: option = False)", "minimum(maximum(input, 0), 6)", "min(max(input, 0), 6).", rule="SAME",
            dtypes="number", grad="_linked(grad, input) if (input > 0) & (input < 6) else 0", node="Hardtanh", function="functional", method=False, inplace=False,
            domain=(0.1, 5), out="NONE")
elementwise("threshold(input, threshold: number, value: number, inplace: option = False)", "value if input <= threshold else input",
            "input if it exceeds threshold, else value.", rule="SAME", dtypes="number",
            grad="0 if input <= threshold else _linked(grad, input)", method=False, inplace=False, domain=(0.1, 3))
elementwise("hardsigmoid(input, inplace: option = False)", "minimum(maximum(input + 3, 0), 6) / 6", "min(max(input + 3, 0), 6) / 6.",
            rule="SAME", grad="_linked(grad, input) * 0.16666666666666666 if (input > -3) & (input < 3) else 0", function="functional", method=False, inplace=False, domain=(-2.9, 2.9),
            out="NONE")
elementwise("hardswish(input, inplace: option = False)", "input * minimum(maximum(input + 3, 0), 6) / 6", "input * hardsigmoid(input).",
            rule="SAME", grad="0 if input <= -3 else grad if input >= 3 else grad * (minimum(maximum(input, -3), 3) / 3 + 0.5)", function="functional", method=False, inplace=False,
            domain=(-2.9, 2.9), out="NONE")
elementwise("hardshrink(input, lambd: number = 0.5)", "0 if (input >= -lambd) & (input <= lambd) else input",
            "input outside [-lambd, lambd], else 0.", rule="SAME", grad="_linked(grad, input) if (input > lambd) | (input < -lambd) else 0",
            inplace=False, domain=(0.6, 3))
elementwise("softshrink(input, lambd: number = 0.5)",
            "input - lambd if input > lambd else input + lambd if input < -lambd else input * 0",
            "input moved towards 0 by lambd, at most to 0.", rule="SAME", check="check_lambd",
            grad="_linked(grad, input) if (input > lambd) | (input < -lambd) else 0", function="functional", method=False, inplace=False, domain=(0.6, 3))

# ---- exponential ones

elementwise("elu(input, alpha: float = 1.0, inplace: option = False)", "expm1(input) * alpha if input <= 0 else input",
            "input if positive, else alpha * (exp(input) - 1).", rule="SAME",
            grad="grad if input > 0 else grad * alpha * exp((0 if input >= 0 else input))", function="functional", method=False, inplace=False, domain=(-3, -0.1),
            out="NONE")
elementwise("selu(input, inplace: option = False)",
            "expm1(input) * 1.7580993408473766 if input <= 0 else input * 1.0507009873554805",
            "scale * elu(input, alpha), with the alpha and scale that keep mean 0 and variance 1.", rule="SAME",
            grad="grad * 1.0507009873554805 if input > 0 else grad * 1.7580993408473766 * exp((0 if input >= 0 else input))", method=False,
            inplace=False, node="Elu", domain=(-3, -0.1), out="NONE")
elementwise("celu(input, alpha: float = 1.0, inplace: option = False)", "expm1(input * (1 / alpha)) * alpha if input <= 0 else input",
            "input if positive, else alpha * (exp(input / alpha) - 1).", rule="SAME", check="check_celu",
            grad="grad if input > 0 else grad * (1 / alpha) * alpha * exp((0 if input >= 0 else input) * (1 / alpha))", method=False, inplace=False,
            domain=(-3, -0.1), out="NONE")
elementwise("silu(input, inplace: option = False)", "input * sigmoid(input)", "input * sigmoid(input).", rule="SAME",
            grad="grad * sigmoid(input) * (1 + input * (1 - sigmoid(input)))", function="functional", method=False, inplace=False,
            complex=True, domain=(-6, 6), out="NONE")
elementwise("mish(input, inplace: option = False)", "input * tanh(log1p(exp(input)) if input < 20 else input)",
            "input * tanh(softplus(input)).", rule="SAME", function="functional", method=False, inplace=False, domain=(-6, 6),
            grad="grad * (tanh(softplus(input)) + input * sigmoid(input) * (1 - tanh(softplus(input)) * tanh(softplus(input))))",
            out="NONE")
SOFTPLUS_POWER = "exp(where(input * beta > threshold, 0, input * beta))"
elementwise("softplus(input, beta: float = 1.0, threshold: float = 20.0)",
            "input if input * beta > threshold else log1p(exp(input * beta)) / beta",
            "log(1 + exp(beta * input)) / beta, and input itself where beta * input > threshold.", rule="SAME", function="functional", method=False,
            inplace=False, domain=(-6, 6),
            grad=f"grad if input * beta > threshold else grad * {SOFTPLUS_POWER} / ({SOFTPLUS_POWER} + 1)")
elementwise("softsign(input)", "input / (abs(input) + 1)", "input / (1 + |input|).", entry="softsign_entry", function="functional", method=False, inplace=False, domain=(0.1, 3),
            grad="grad / (abs(input) + 1) - grad * (result / (abs(input) + 1)) * sign(input)", out="NONE")
elementwise("tanhshrink(input)", "input - tanh(input)", "input - tanh(input).", check="refuse_bool_tensor", complex=True, function="functional", method=False, inplace=False, domain=(-3, 3),
            grad="grad * (tanh(input) * tanh(input))", out="NONE")

# ---- the Gaussian error linear unit

INNER = "(0.7978845608028654 * (input + 0.044715 * (input * input * input)))"
elementwise("gelu(input, *, approximate: option = 'none')", "input * normal_cdf(input)",
            "input times the normal distribution function of input; approximate='tanh' for its approximation.", rule="SAME",
            entry="gelu_entry", function="functional", method=False, inplace=False, domain=(-4, 4),
            grad="grad * (normal_cdf(input) + input * normal_density(input))")
elementwise("_gelu_tanh(input)", f"0.5 * input * (1 + tanh({INNER}))", "gelu by way of tanh.", rule="SAME", node="Gelu",
            function=False, method=False, inplace=False, domain=(-4, 4),
            grad=f"grad * (0.5 * (1 + tanh({INNER})) + 0.5 * input * (1 - tanh({INNER}) * tanh({INNER})) "
                 "* (0.7978845608028654 * (1 + 0.134145 * input * input)))")
