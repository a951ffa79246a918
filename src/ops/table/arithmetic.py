"""Arithmetic, comparison and selection."""
from row import elementwise

elementwise("add(input, other)", "input + other", "input + other.", rule="SAME", dtypes="all", by_dtype={"b8": "input | other"},
            grad={"input": "grad", "other": "grad"}, operator="+", domain=(-3, 3))
elementwise("sub(input, other)", "input - other", "input - other.", rule="SAME", dtypes="number",
            grad={"input": "grad", "other": "-grad"}, operator="-", domain=(-3, 3))
elementwise("mul(input, other)", "input * other", "input * other.", rule="SAME", dtypes="all", by_dtype={"b8": "input & other"},
            grad={"input": "grad * other", "other": "grad * input"}, operator="*", domain=(-3, 3))
elementwise("div(input, other)", "input / other", "input / other.", grad={
    "input": "grad / other", "other": "-grad * ((input / other) / other)"}, operator="/", domain=((-3, 3), (0.5, 3)))
elementwise("neg(input)", "-input", "-input.", rule="SAME", dtypes="number", grad="-grad", operator="neg", domain=(-3, 3))
elementwise("where(condition, input, other)", "input if condition else other", "input where condition holds, other elsewhere.",
            rule="SAME", dtypes="all", bools=("condition",), inplace=False,
            grad={"condition": None, "input": "where(condition, grad, 0)", "other": "where(condition, 0, grad)"})
elementwise("eq(input, other)", "input == other", "input == other.", rule="PREDICATE", dtypes="all", operator="==")
