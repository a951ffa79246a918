"""The table's elementwise rows as test cases: their inputs by dtype and domain, and their counterparts in PyTorch.

The table is imported from the sources by path, because it is not part of the built package.
"""

import sys
from pathlib import Path

import fastgrad as fg
import numpy as np
import torch
from fastgrad import _ops

SOURCES = Path(__file__).parents[2] / "src" / "ops"
sys.path.insert(0, str(SOURCES))
try:
    import row as table_row
    import table  # noqa: F401  (fills ROWS)
finally:
    sys.path.remove(str(SOURCES))

ROWS = {row.name: row for row in table_row.ROWS}
# rows of complex dtypes alone are in test_complex.py
ELEMENTWISE = {name: row for name, row in ROWS.items() if row.kind == "elementwise" and row.dtypes != "complex"}
PUBLIC = {name: row for name, row in ELEMENTWISE.items() if row.function and not name.startswith("_")}

DTYPES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64"]
FLOATS = ["float32", "float64"]

# arguments without which a function cannot be called
ARGUMENTS = {"threshold": (0.5, 2.0)}

# how to reach the rows that have no name of their own
HIDDEN = {
    "_add_scaled": lambda x, y: fg.add(x, y, alpha=0.7),
    "_sub_scaled": lambda x, y: fg.sub(x, y, alpha=0.7),
    "_trunc_divide": lambda x, y: fg.div(x, y, rounding_mode="trunc"),
    "_number_over": lambda x: 0.7 / x,
    "_cube": lambda x: x**3,
    "_power_one": lambda x: x**1,
    "_power_half": lambda x: x**0.5,
    "_power_minus_half": lambda x: x**-0.5,
    "_power_minus_one": lambda x: x**-1,
    "_power_minus_two": lambda x: x**-2,
    "_clamp_both": lambda x, low, high: fg.clamp(x, low, high),
    "_round_up_to": lambda x: fg.round(x, decimals=1),
    "_round_above": lambda x: fg.round(x, decimals=-1),
    "_logit_clamped": lambda x: fg.logit(x, 0.1),
    "_exponent": lambda x: fg.frexp(x).exponent,
    "_polygamma": lambda x: fg.polygamma(2, x),
    "_gelu_tanh": lambda x: _ops.gelu(x, approximate="tanh"),
    "_isclose": lambda x, y: fg.isclose(x, y),
}
# reached through the gradients of the losses or with halves, and tested there
IN_LOSSES = {name for name, row in ELEMENTWISE.items() if row.where.startswith("losses.py") and not row.function} | {"_nextafter_half"}


def callable_of(name):
    """The function of a row, with the arguments it needs."""
    if name in HIDDEN:
        return HIDDEN[name]
    function = getattr(fg if ROWS[name].function is True else fg.nn.functional, name, None) or getattr(_ops, name)
    return lambda *inputs: function(*inputs, *ARGUMENTS.get(name, ()))


def torch_function(name):
    for place in (torch, torch.nn.functional, torch.special):
        if hasattr(place, name):
            function = getattr(place, name)
            return lambda *inputs: function(*inputs, *ARGUMENTS.get(name, ()))
    raise LookupError(f"PyTorch has no {name}")


def domains(row):
    """(low, high) of each input."""
    domain = row.domain
    if not isinstance(domain[0], tuple):
        return [domain] * len(row.inputs)
    return list(domain)


def varied(row):
    """The inputs that have a gradient; all of a row that has none at all but for bools."""
    return [i for i in row.inputs if i not in row.bools and (row.grads.get(i) or not any(row.grads.values()))]


def arrays_for(row, dtype, shape, rng):
    """Random arrays: floats from the row's domain, small integers, bools; bool inputs are bool whatever the dtype."""
    arrays = []
    for name, (low, high) in zip(row.inputs, domains(row)):
        if name in row.bools or dtype == "bool":
            arrays.append(rng.integers(0, 2, shape).astype(bool))
        elif dtype in FLOATS:
            arrays.append(rng.uniform(low, high, shape).astype(dtype))
        else:
            arrays.append(rng.integers(1 if dtype == "uint8" else -4, 5, shape).astype(dtype))
    return arrays


def ours(array):
    return fg.from_numpy(np.array(array))


def theirs(array):
    return torch.from_numpy(np.array(array))


def values(tensor):
    """A tensor of either library as an array."""
    return np.array(tensor.data.numpy())
