"""Binary operations over every mix of dtypes, layouts, 0-d tensors and Python numbers: PyTorch's dtype, shape, values, or refusal."""
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from tests.property.strategies import DTYPES, broadcastable, fixed, laid_out, shapes

torch = pytest.importorskip("torch")

BINARY = ["add", "sub", "mul", "div", "true_divide", "floor_divide", "remainder", "fmod", "pow", "maximum", "minimum", "fmax", "fmin", "eq", "ne",
          "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "atan2",
          "copysign", "hypot", "bitwise_left_shift", "bitwise_right_shift", "xlogy", "logaddexp", "heaviside", "nextafter", "gcd", "lcm",
          "float_power", "dist", "isclose", "allclose", "equal"]
OPERATORS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "lshift", "rshift", "eq", "ne", "lt", "le",
             "gt", "ge"]
IN_PLACE = ["iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "iand", "ior", "ixor"]


def called(function, *arguments):
    try:
        with np.errstate(all="ignore"):
            return function(*arguments)
    except (RuntimeError, TypeError, ValueError, ZeroDivisionError, NotImplementedError, OverflowError) as error:
        return error


def compare(found, wanted, label):
    if isinstance(wanted, TypeError) and ("must be Tensor" in str(wanted) or "invalid combination" in str(wanted)):
        return                              # a number where PyTorch's function wants a tensor may be taken
    if isinstance(wanted, Exception) or isinstance(found, Exception):
        assert isinstance(wanted, Exception) and isinstance(found, type(wanted)), f"{label}: {found!r}, PyTorch: {wanted!r}"
        return
    if not isinstance(wanted, torch.Tensor):
        assert type(found) is type(wanted) and found == wanted, label
        return
    assert str(found.dtype).rpartition(".")[2] == str(wanted.dtype).rpartition(".")[2], f"{label}: {found.dtype}, PyTorch: {wanted.dtype}"
    assert tuple(found.shape) == tuple(wanted.shape), label
    a, b = found.numpy(), wanted.numpy()
    if b.dtype.kind == "f":
        np.testing.assert_allclose(a, b, rtol=8 * np.finfo(b.dtype).eps, err_msg=label)
    else:
        np.testing.assert_array_equal(a, b, err_msg=label)


def operand(data, shape):
    """(NumPy array or Python number, label)"""
    kind = data.draw(st.sampled_from(["tensor"] * 5 + ["number"]))
    if kind == "number":
        return data.draw(st.sampled_from([True, False, 0, 1, 2, -3, 2.5, -0.5, 300, 0.0]))
    return data.draw(laid_out(data.draw(broadcastable(shape)), data.draw(st.sampled_from(DTYPES))))


def tensor_of(library, value):
    return library.from_numpy(value) if isinstance(value, np.ndarray) else value


def describe(name, *operands):
    return f"{name}({', '.join(f'{v.dtype}{v.shape}{v.tolist()}' if isinstance(v, np.ndarray) else repr(v) for v in operands)})"


def undefined(name, a, b):
    """What C leaves open, and each library's machine code answers in its own way: shifts past the width, whole numbers divided by 0
    in place of an error, whole numbers out of a float's or a narrower dtype's range."""
    if "shift" in name or name in ("lcm", "gcd"):
        values = np.asarray(b)
        return values.size > 0 and ((values < 0).any() or (values > 7).any()) or np.asarray(a).dtype.kind == "f"
    if name in ("pow", "ipow"):
        return np.asarray(b).dtype.kind in "iu" and np.asarray(b).size > 0 and (np.asarray(b) < 0).any() and np.asarray(a).dtype.kind in "iub"
    return isinstance(b, int) and b == 300 or isinstance(a, int) and a == 300


@fixed(1500)
@given(st.data())
def test_functions(data):
    name = data.draw(st.sampled_from([n for n in BINARY if hasattr(fastgrad, n)]))
    shape = data.draw(shapes(4, 3))
    a, b = operand(data, shape), operand(data, shape)
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) or undefined(name, a, b):
        return
    found = called(getattr(fastgrad, name), tensor_of(fastgrad, a), tensor_of(fastgrad, b))
    wanted = called(getattr(torch, name), tensor_of(torch, a), tensor_of(torch, b))
    compare(found, wanted, describe(name, a, b))


@fixed(1200)
@given(st.data())
def test_operators(data):
    name = data.draw(st.sampled_from(OPERATORS))
    shape = data.draw(shapes(4, 3))
    a, b = operand(data, shape), operand(data, shape)
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) or undefined(name, a, b):
        return
    function = getattr(operator, name)
    compare(called(function, tensor_of(fastgrad, a), tensor_of(fastgrad, b)), called(function, tensor_of(torch, a), tensor_of(torch, b)),
            describe(name, a, b))


@fixed(1000)
@given(st.data())
def test_in_place(data):
    """Values, dtype, and what is refused; a refused write changes nothing."""
    name = data.draw(st.sampled_from(IN_PLACE))
    shape = data.draw(shapes(3, 3))
    a = np.array(data.draw(laid_out(shape, data.draw(st.sampled_from(DTYPES)))))
    b = operand(data, shape) if data.draw(st.booleans()) else data.draw(laid_out((2, *shape), "int64"))
    if undefined(name, a, b):
        return
    mine, theirs = a.copy(), a.copy()
    function = getattr(operator, name)
    found = called(function, fastgrad.from_numpy(mine), tensor_of(fastgrad, b))
    wanted = called(function, torch.from_numpy(theirs), tensor_of(torch, b))
    compare(found, wanted, describe(name, a, b))
    if isinstance(found, Exception):
        np.testing.assert_array_equal(mine, a)


@fixed(500)
@given(st.data())
def test_where(data):
    shape = data.draw(shapes(3, 3))
    a, b = operand(data, shape), operand(data, shape)
    condition = data.draw(laid_out(data.draw(broadcastable(shape)), "bool"))
    if not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) or undefined("where", a, b):
        return
    arguments = [[tensor_of(library, v) for v in (condition, a, b)] for library in (fastgrad, torch)]
    compare(called(fastgrad.where, *arguments[0]), called(torch.where, *arguments[1]), describe("where", condition, a, b))


@fixed(300)
@given(st.data())
def test_three_operands(data):
    """addcmul, addcdiv, lerp, clamp with tensors: three shapes and three dtypes broadcast together."""
    name = data.draw(st.sampled_from(["addcmul", "addcdiv", "clamp", "lerp"]))
    shape = data.draw(shapes(3, 3))
    dtypes = st.sampled_from(["float32", "float64", "int64", "uint8"] if name == "clamp" else ["float32", "float64", "float32", "int32"])
    same = data.draw(dtypes)
    arrays = [data.draw(laid_out(data.draw(broadcastable(shape)), same if data.draw(st.integers(0, 3)) else data.draw(dtypes)))
              for _ in range(3)]
    found, wanted = (called(getattr(library, name), *[library.from_numpy(a) for a in arrays]) for library in (fastgrad, torch))
    compare(found, wanted, describe(name, *arrays))


@fixed(300)
@given(st.data())
def test_shapes_that_do_not_broadcast(data):
    a, b = (np.zeros(data.draw(shapes(4, 3)), "float32") for _ in range(2))
    try:
        expected = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        for function in (operator.add, operator.lt, fastgrad.atan2, fastgrad.true_divide):
            with pytest.raises(RuntimeError):
                function(fastgrad.from_numpy(a), fastgrad.from_numpy(b))
        return
    assert tuple((fastgrad.from_numpy(a) + fastgrad.from_numpy(b)).shape) == expected
