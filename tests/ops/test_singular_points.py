"""Forward mode against torch's where a formula is singular: zeros of both signs, ties, infinities, borders of domains.

The derivative of a gradient in its cotangent is what forward mode goes by, and it must be finite where the gradient is.
"""

import itertools
import warnings

import fastgrad as fg
import numpy as np
import pytest
import torch
from fastgrad.autograd import forward_ad

from tests.ops.rows import ELEMENTWISE, HIDDEN, callable_of, torch_function

POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.0, 3.0, -3.0, float("inf"), -float("inf"), 1e-30, 1e30]
PLAIN = {
    "_cube": lambda x: x**3, "_power_one": lambda x: x**1, "_power_half": lambda x: x**0.5, "_power_minus_half": lambda x: x**-0.5,
    "_power_minus_one": lambda x: x**-1, "_power_minus_two": lambda x: x**-2, "_number_over": lambda x: 0.7 / x,
    "_logit_clamped": lambda x: torch.logit(x, 0.1), "_gelu_tanh": lambda x: torch.nn.functional.gelu(x, approximate="tanh"),
}
# Where torch's forward mode is not the transpose of its reverse mode, ours is: at ties, or in the order of two infinite terms.
OTHER_CONVENTION = {"fmax", "lerp", "clamp_min", "clamp_max"}
NO_FORWARD_MODE = {"zeta", "igamma", "igammac", "floor_divide"}
DIGITS = {"digamma", "log_ndtr"}                                    # of trigamma at poles, and of a quotient of infinities
NAMES = [name for name, row in ELEMENTWISE.items() if any(row.grads.values()) and len(row.inputs) < 3 and (name in PLAIN or name not in HIDDEN)
         and row.function and not name.startswith("_") or name in PLAIN]
NAMES = [name for name in NAMES if name not in OTHER_CONVENTION | NO_FORWARD_MODE | DIGITS]


def points(count):
    return [list(one) for one in zip(*itertools.product(POINTS, repeat=count))]


def pushed(lib, function, arrays, place):
    """The derivative in one argument."""
    tensors = [lib.tensor(a, dtype=lib.float64) for a in arrays]

    def of(t):
        return function(*tensors[:place], t, *tensors[place + 1:])

    return np.array(lib.func.jvp(of, (tensors[place],), (lib.ones_like(tensors[place]) * 2,))[1].tolist())


@pytest.mark.parametrize("name", NAMES)
def test_forward_mode_at_singular_points(name):
    row = ELEMENTWISE[name]
    arrays = points(len(row.inputs))
    for place, parameter in enumerate(row.inputs):
        if row.grads.get(parameter):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = pushed(torch, PLAIN.get(name) or torch_function(name), arrays, place)
            np.testing.assert_allclose(pushed(fg, callable_of(name), arrays, place), theirs, rtol=1e-6, atol=1e-12, err_msg=parameter)


# rows of one input whose second derivative PyTorch has, and whose first one is not singular at these points
SMOOTH = ["sigmoid", "logsigmoid", "tanh", "elu", "selu", "celu", "silu", "softplus", "gelu", "erf", "sin", "atan", "asinh", "softsign"]


@pytest.mark.parametrize("name", SMOOTH)
def test_second_derivatives_at_kinks(name):
    found = []
    for lib, function in ((fg, callable_of(name)), (torch, torch_function(name))):
        x = lib.tensor(POINTS, dtype=lib.float64, requires_grad=True)
        first, = lib.autograd.grad(function(x).sum(), x, create_graph=True)
        found.append(np.array(lib.autograd.grad(first.sum(), x)[0].tolist()))
    np.testing.assert_allclose(*found, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", ["xlogy", "xlog1py"])
def test_no_gradient_stays_none(name):
    """A cotangent of 0 is not multiplied with an infinite logarithm."""
    found = []
    for lib, function in ((fg, callable_of(name)), (torch, torch_function(name))):
        x, y = (lib.tensor(a, dtype=lib.float64, requires_grad=True) for a in ([1.0, 0.0, 2.0, 0.5], [0.0, 0.0, -1.0, float("inf")]))
        found.append(np.array([g.tolist() for g in lib.autograd.grad(function(x, y), (x, y), lib.zeros(4, dtype=lib.float64))]))
    np.testing.assert_array_equal(*found)


ZERO, ONES = [[0.0] * 3] * 2, [[1.0] * 3] * 2
REDUCTIONS = {
    "norm": lambda t, x: x.norm(), "norm of rows": lambda t, x: t.linalg.vector_norm(x, 3, 1), "half norm": lambda t, x: t.linalg.vector_norm(x, 1.5),
    "frobenius": lambda t, x: t.linalg.matrix_norm(x), "std": lambda t, x: x.std(), "std of rows": lambda t, x: x.std(1, keepdim=True),
    "var": lambda t, x: x.var(0), "dist": lambda t, x: t.dist(x, x * 1), "broadcast pow": lambda t, x: x ** t.zeros(1, dtype=t.float64),
    "broadcast copysign": lambda t, x: t.copysign(x, t.ones(3, dtype=t.float64)), "xlogy": lambda t, x: t.xlogy(x, x - x[0, 0]),
}


@pytest.mark.parametrize("values", [ZERO, ONES])
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, values):
    found = []
    for lib, ad in ((fg, forward_ad), (torch, torch.autograd.forward_ad)):
        x = lib.tensor(values, dtype=lib.float64)
        v = lib.arange(1.0, 7.0, dtype=lib.float64).reshape(2, 3)
        with ad.dual_level():
            dual = ad.unpack_dual(REDUCTIONS[name](lib, ad.make_dual(x, v))).tangent
        found.append([np.array(t.tolist()) for t in (dual, lib.func.jvp(lambda x: REDUCTIONS[name](lib, x), (x,), (v,))[1])])
    for mine, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-12)
