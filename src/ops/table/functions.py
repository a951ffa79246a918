"""Functions of one variable: exponentials, trigonometry, activations."""
from row import elementwise

elementwise("exp(input)", "exp(input)", "e to the power of input.", grad="grad * result", domain=(-3, 3))
elementwise("log(input)", "log(input)", "Natural logarithm.", grad="grad / input", domain=(0.1, 5))
elementwise("tanh(input)", "tanh(input)", "Hyperbolic tangent.", grad="grad * (1 - result * result)", domain=(-3, 3))
elementwise("sigmoid(input)", "sigmoid(input)", "1 / (1 + exp(-input)).", grad="grad * (1 - result) * result", domain=(-6, 6))
elementwise("relu(input)", "0 if input <= 0 else input", "max(input, 0).", rule="SAME", dtypes="number",
            grad="grad if result > 0 else 0", domain=(-3, 3))
