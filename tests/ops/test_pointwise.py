"""What is particular to some elementwise operations: special powers, errors of bools and integers, options, reflected operators."""

import fastgrad as fg
import numpy as np
import pytest
import torch
from fastgrad import _ops

from tests.ops.rows import ours, theirs, values

X = np.random.default_rng(0).uniform(0.1, 3, 37)
BOOL, INT = np.array([True, False]), np.array([3, -4])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("exponent", [2, 3, -1, -2, 1, 2.0])
def test_special_powers_are_exact(exponent, dtype):
    """The same bits as PyTorch, forward and gradient: x ** 2 is x * x."""
    x = X.astype(dtype)
    a, b = theirs(x).requires_grad_(), ours(x).requires_grad_()
    expected, got = a**exponent, b**exponent
    np.testing.assert_array_equal(values(got), values(expected))
    weight = np.linspace(-1, 1, x.size).astype(dtype)
    expected.backward(theirs(weight))
    got.backward(ours(weight))
    np.testing.assert_allclose(values(b.grad), values(a.grad), rtol=2 * np.finfo(dtype).eps)


def test_power_of_a_half_is_the_square_root():
    """Correctly rounded, as NumPy's is; PyTorch's vectorized square root is not on every machine."""
    np.testing.assert_array_equal(values(ours(X) ** 0.5), np.sqrt(X))


def test_powers_of_integers():
    for base, exponent in [(INT, 2), (INT, 3.0), (BOOL, 2), (INT, INT), (INT, np.array([0, 5]))]:
        other = exponent if not isinstance(exponent, np.ndarray) else theirs(exponent)
        expected = values(theirs(base) ** other)
        got = values(ours(base) ** (exponent if not isinstance(exponent, np.ndarray) else ours(exponent)))
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


REFUSED = {
    "bool - bool": lambda make: make(BOOL) - make(BOOL),
    "bool - 1": lambda make: make(BOOL) - 1,
    "1 - bool": lambda make: 1 - make(BOOL),
    "-bool": lambda make: -make(BOOL),
    "+bool": lambda make: make(BOOL).positive(),
    "int // 0": lambda make: make(INT) // 0,
    "int % 0": lambda make: make(INT) % make(np.array([1, 0])),
    "int ** -1": lambda make: make(INT) ** -1,
    "bool ** bool": lambda make: make(BOOL) ** make(BOOL),
    "float & float": lambda make: make(X) & make(X),
    "~float": lambda make: ~make(X),
    "int += 1.5": lambda make: make(INT).add_(1.5),
    "int /= 2": lambda make: make(INT).div_(2),
    "bool += 1": lambda make: make(BOOL).add_(1),
    "alpha": lambda make: make(INT).add(1, alpha=1.5),
    "bool alpha": lambda make: make(INT).add(make(INT), alpha=True),
    "rounding": lambda make: make(INT).div(2, rounding_mode="up"),
    "no bounds": lambda make: make(X).clamp(),
    "addcdiv of ints": lambda make: make(INT).addcdiv(make(INT), make(INT)),
    "lerp of dtypes": lambda make: make(X).lerp(make(X.astype(np.float32)), 0.5),
    "decimals of ints": lambda make: make(INT).round(decimals=1),
    "x + None": lambda make: make(X) + None,
    "x < 'a'": lambda make: make(X) < "a",
    "shapes": lambda make: make(X) + make(X[:5]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_errors(name):
    with pytest.raises((RuntimeError, TypeError)) as expected:
        REFUSED[name](theirs)
    with pytest.raises(expected.type):
        REFUSED[name](ours)


def test_comparison_with_something_else():
    assert (ours(X) == None) is False  # noqa: E711
    assert (ours(X) != "a") is True


REFLECTED = [
    lambda x: 2 - x, lambda x: 2 / x, lambda x: 2**x, lambda x: 2 // x, lambda x: 2 % x, lambda x: 2 * x, lambda x: 2 + x,
    lambda x: torch_or_ours(x).rsub(x, 2), lambda x: torch_or_ours(x).rsub(x, 2, alpha=0.5), lambda x: torch_or_ours(x).where(x > 1, x, 0.0),
    lambda x: x.where(x > 1, 0.0), lambda x: x.clip(max=1), lambda x: x.clamp(min=0.5, max=1.5),
    lambda x: x.round(decimals=2), lambda x: x.addcmul(x, x, value=0.3), lambda x: x.addcdiv(x, x, value=0.3),
    lambda x: x.lerp(x * 2, 0.3), lambda x: x.lerp(x * 2, 0.7), lambda x: x.add(x, alpha=0.3), lambda x: x.sub(x, alpha=3),
    lambda x: x.float_power(2), lambda x: x.nan_to_num(nan=1.0), lambda x: x.div(0.7, rounding_mode="floor"),
]


def torch_or_ours(x):
    return torch if isinstance(x, torch.Tensor) else fg


@pytest.mark.parametrize("function", REFLECTED)
def test_operators_and_options(function):
    np.testing.assert_allclose(values(function(ours(X))), values(function(theirs(X))), rtol=4e-16, atol=1e-15)


@pytest.mark.parametrize("name, arguments", [
    ("relu", ()), ("leaky_relu", (0.1,)), ("elu", (0.7,)), ("silu", ()), ("hardtanh", (-0.5, 0.5)), ("celu", (0.7,)), ("selu", ()),
    ("mish", ()), ("relu6", ()), ("hardswish", ()), ("hardsigmoid", ()), ("threshold", (0.1, 0.2)),
])
def test_inplace_option(name, arguments):
    x = X - 1.5
    reference, result = theirs(x), ours(x)
    getattr(torch.nn.functional, name)(reference, *arguments, inplace=True)
    function = getattr(_ops, name)
    assert function(result, *arguments, inplace=True) is result
    np.testing.assert_allclose(values(result), values(reference), rtol=1e-14, atol=1e-15)
    assert function(result, *arguments, inplace=False) is not result


def test_in_place_over_its_own_memory():
    """An operand that shares memory with what is written, at another place, is read before it changes."""
    for other in (slice(0, -1), 0):
        memory = np.arange(1.0, 41.0)
        expected = memory[1:] * memory[other]
        x, y = fg.from_numpy(memory[1:]), fg.from_numpy(memory[:-1] if other != 0 else memory[1:2].reshape(()))
        if other == 0:
            expected = memory[1:] * memory[1]
        x.mul_(y)
        np.testing.assert_array_equal(memory[1:], expected)


def test_close_and_equal():
    x, y = X, X * (1 + 1e-9)
    assert fg.allclose(ours(x), ours(y)) is True and fg.equal(ours(x), ours(y)) is False
    assert fg.allclose(ours(x), ours(x + 1)) is False and fg.equal(ours(x), ours(x)) is True
    nan = np.array([np.nan, 1.0, np.inf])
    for equal_nan in (False, True):
        expected = torch.isclose(theirs(nan), theirs(nan), equal_nan=equal_nan)
        np.testing.assert_array_equal(values(fg.isclose(ours(nan), ours(nan), equal_nan=equal_nan)), values(expected))
