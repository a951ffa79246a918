"""Generic tests over the elementwise rows of the table: values, gradients, in-place forms, layouts, against PyTorch and finite
differences.  A new row is tested here without a line of its own; what is particular to an operation is tested beside this file.
"""

import warnings

import fastgrad as fg
import numpy as np
import pytest
import torch
from fastgrad import _ops

from tests.gradients import Domain, check_gradients, inputs_for
from tests.ops import rows
from tests.ops.rows import ELEMENTWISE, HIDDEN, IN_LOSSES, PUBLIC, ROWS, arrays_for, callable_of, ours, theirs, values

# the largest difference from PyTorch in units in the last place, where it is more than the usual 4 (PyTorch's own error)
ULPS = {
    "float32": {"gelu": 4000, "erfc": 16, "mish": 16, "logit": 32, "logsigmoid": 8, "logaddexp": 16, "tan": 8, "silu": 8},
    "float64": {"gelu": 4000, "erfc": 16, "mish": 16, "logit": 32, "logsigmoid": 8, "logaddexp": 16, "tan": 8, "silu": 8},
}
# rare functions that PyTorch computes to 6 digits, or to 8, or otherwise at NaN: tests/ops/test_special.py has their edges,
# tests/kernels/test_vmath_special.py their accuracy
ROUGH = {name for name, row in PUBLIC.items() if row.where.startswith("special.py")} - {
    "erfc", "xlogy", "xlog1py", "entr", "erfinv", "erfcx", "ndtr", "ndtri", "lgamma", "i0", "i0e"}
for _dtype, _ulps in (("float32", 400), ("float64", 5e10)):
    ULPS[_dtype] |= dict.fromkeys(ROUGH, _ulps)
# PyTorch rounds 1/6 to float32 in float64 too; its trigamma has 9 digits
GRADIENT_ROUNDED = {"hardsigmoid", "digamma"}
DIFFERENTIABLE = [name for name, row in ELEMENTWISE.items() if any(row.grads.values()) and name not in {*IN_LOSSES, "floor_divide"}]
# limits that an unsigned dtype cannot hold are clamped to it; PyTorch refuses them
ACCEPTED = {("hardtanh", "uint8")}
# gradients that PyTorch lacks
NO_TORCH_GRADIENT = {"floor_divide", "heaviside"}


def rng_for(name):
    return np.random.default_rng(sum(map(ord, name)))


def assert_close(got, expected, name="", ulps=4):
    assert got.dtype == expected.dtype and got.shape == expected.shape, (name, got.dtype, expected.dtype, got.shape)
    if got.dtype.kind == "f":
        eps = np.finfo(got.dtype).eps
        np.testing.assert_allclose(got, expected, rtol=ulps * eps, atol=ulps * eps, err_msg=name)
    else:
        np.testing.assert_array_equal(got, expected, err_msg=name)


# ---- completeness


@pytest.mark.parametrize("name", ROWS)
def test_row_is_complete(name):
    row = ROWS[name]
    assert row.doc and row.doc.endswith(".") and "\n" not in row.doc
    assert "." in row.where or row.where
    if row.kind == "elementwise":
        assert row.domain is not None
        unknown = set(row.grads) - set(row.inputs)
        assert not unknown, f"gradients of {unknown}, which are no inputs"
        if any(row.grads.values()):
            assert set(row.grads) == set(row.inputs)


def test_every_hidden_row_is_reached():
    hidden = set(ELEMENTWISE) - set(PUBLIC)
    assert hidden == set(HIDDEN) | IN_LOSSES


@pytest.mark.parametrize("name", PUBLIC)
def test_names(name):
    row = PUBLIC[name]
    for spelling in (name, *row.aliases):
        assert hasattr(fg, spelling) == (row.function is True) == hasattr(torch, spelling)
        assert hasattr(fg.Tensor, spelling) == row.method or hasattr(torch.Tensor, spelling)
        assert not row.inplace or hasattr(fg.Tensor, spelling + "_")


# ---- values


@pytest.mark.parametrize("dtype", rows.DTYPES)
@pytest.mark.parametrize("name", PUBLIC)
def test_forward_against_pytorch(name, dtype):
    row = PUBLIC[name]
    arrays = arrays_for(row, dtype, (5, 9), rng_for(name))
    try:
        expected = rows.torch_function(name)(*map(theirs, arrays))
    except (RuntimeError, TypeError) as error:
        if (name, dtype) in ACCEPTED:
            pytest.skip("accepted here")
        with pytest.raises((RuntimeError, TypeError)):
            callable_of(name)(*map(ours, arrays))
        pytest.skip(f"PyTorch: {error}".split("\n")[0][:80])
    got = callable_of(name)(*map(ours, arrays))
    assert_close(values(got), values(expected), name, rows_ulps(name, dtype))


def rows_ulps(name, dtype):
    return ULPS.get(dtype, {}).get(name, 4)


@pytest.mark.parametrize("name", PUBLIC)
def test_lengths_offsets_and_strides(name):
    """Every length from 0 to 70 as a slice that starts anywhere, contiguous or not."""
    row = PUBLIC[name]
    rng = rng_for(name)
    function, reference = callable_of(name), rows.torch_function(name)
    dtype = "float32" if row.dtypes in ("float", "number", "all") else "int32"
    arrays = arrays_for(row, dtype, (300,), rng)
    whole = values(reference(*map(theirs, arrays)))
    for length in range(71):
        step, start = 1 + length % 4, length % 9
        cut = slice(start, start + step * length, step)
        got = values(function(*(fg.from_numpy(a[cut]) for a in arrays)))
        assert_close(got, whole[cut], f"{name} length {length} step {step}", rows_ulps(name, dtype))


@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if len(r.inputs) > 1])
def test_broadcasting(name):
    row = PUBLIC[name]
    dtype = "float64" if row.dtypes in ("float", "number", "all") else "int64"
    rng = rng_for(name)
    shapes = [(3, 1, 4), (5, 1), (4,)][: len(row.inputs)]
    arrays = [arrays_for(row, dtype, shape, rng)[i] for i, shape in enumerate(shapes)]
    got, expected = callable_of(name)(*map(ours, arrays)), rows.torch_function(name)(*map(theirs, arrays))
    assert_close(values(got), values(expected), name, rows_ulps(name, dtype))
    with pytest.raises(RuntimeError):
        callable_of(name)(*(ours(arrays_for(row, dtype, (2 + i,), rng)[i]) for i in range(len(row.inputs))))


@pytest.mark.parametrize("name", PUBLIC)
def test_non_contiguous(name):
    row = PUBLIC[name]
    dtype = "float64" if row.dtypes in ("float", "number", "all") else "int64"
    arrays = [a.T if i % 2 == 0 else a.T.copy() for i, a in enumerate(arrays_for(row, dtype, (6, 5), rng_for(name)))]
    expected = rows.torch_function(name)(*map(theirs, arrays))
    got = callable_of(name)(*(fg.from_numpy(a) for a in arrays))
    assert_close(values(got), values(expected), name, rows_ulps(name, dtype))


@pytest.mark.parametrize("dtype", ["int64", "float32", "bool"])
@pytest.mark.parametrize("number", [2, 1.5, True])
@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if len(r.inputs) == 2])
def test_number_as_operand(name, number, dtype):
    arrays = arrays_for(PUBLIC[name], dtype, (7,), rng_for(name))
    for order in (lambda f, x: f(x, number), lambda f, x: f(number, x)):
        try:
            expected = order(rows.torch_function(name), theirs(arrays[0]))
        except (RuntimeError, TypeError):
            continue  # PyTorch takes no number there; what we do is tested where it matters
        got = order(callable_of(name), ours(arrays[0]))
        assert_close(values(got), values(expected), f"{name} {number}", rows_ulps(name, dtype))


# ---- in place


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "bool"])
@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if r.inplace])
def test_in_place_equals_out_of_place(name, dtype):
    arrays = arrays_for(PUBLIC[name], dtype, (4, 6), rng_for(name))
    reference = theirs(arrays[0])
    arguments = rows.ARGUMENTS.get(name, ())
    x = ours(arrays[0])
    version = x._version
    method = getattr(torch.Tensor, name + "_", None)
    assert method is not None, f"PyTorch has no {name}_"
    try:
        method(reference, *map(theirs, arrays[1:]), *arguments)
    except (RuntimeError, TypeError):
        with pytest.raises((RuntimeError, TypeError)):
            getattr(x, name + "_")(*map(ours, arrays[1:]), *arguments)
        np.testing.assert_array_equal(values(x), arrays[0], err_msg="a refused write must change nothing")
        return
    assert getattr(x, name + "_")(*map(ours, arrays[1:]), *arguments) is x
    assert x._version > version
    assert_close(values(x), values(reference), name, rows_ulps(name, dtype))


@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if r.inplace and n in DIFFERENTIABLE])
def test_gradient_of_in_place(name):
    """Through x.clone-like y = x * 1; y.op_(...): the gradient is that of the operation out of place."""
    row = PUBLIC[name]
    arrays = arrays_for(row, "float64", (4, 3), rng_for(name))
    weight = rng_for(name).normal(size=(4, 3))
    arguments = rows.ARGUMENTS.get(name, ())
    found = []
    for inplace in (False, True):
        x, *others = [ours(a).requires_grad_(i in rows.varied(row)) for i, a in zip(row.inputs, arrays)]
        y = x * 1
        y = getattr(y, name + "_" if inplace else name)(*others, *arguments)
        y.backward(ours(weight))
        found.append([values(t.grad) for t in (x, *others) if t.grad is not None])
    for direct, written in zip(*found, strict=True):
        np.testing.assert_allclose(written, direct, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if r.inplace and n not in DIFFERENTIABLE])
def test_gradient_of_in_place_steps(name):
    """What has no gradient out of place: in place as in PyTorch, which may refuse."""
    arrays = arrays_for(PUBLIC[name], "float64", (4, 3), rng_for(name))
    found = []
    for make in theirs, ours:
        x, *others = [make(a).requires_grad_() for a in arrays]
        try:
            getattr(x * 1, name + "_")(*others).sum().backward()
            found.append([None if t.grad is None else values(t.grad).tolist() for t in (x, *others)])
        except (RuntimeError, NotImplementedError) as error:
            found.append(type(error))
    assert found[0] == found[1]


# ---- gradients


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients_by_finite_differences(name):
    row = ELEMENTWISE[name]
    taking = [d for i, d in zip(row.inputs, rows.domains(row)) if i in rows.varied(row)]
    inputs = inputs_for([(3, 4)] * len(taking), [Domain(low - 0.021, high + 0.021) for low, high in taking])
    function = callable_of(name)
    if len(taking) < len(row.inputs):
        assert rows.varied(row) == row.inputs[1:], "only the first input may be constant"
        first = np.arange(12).reshape(3, 4) % 3 == 0 if row.bools else arrays_for(row, "float64", (3, 4), rng_for(name))[0]
        plain, function = function, lambda *x: plain(ours(first), *x)
    check_gradients(function, inputs, name=name)


@pytest.mark.parametrize("dtype", rows.FLOATS)
@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if n in PUBLIC and n not in NO_TORCH_GRADIENT])
def test_gradients_against_pytorch(name, dtype):
    """The fused gradient against PyTorch's, and the differentiable form of the gradient against the fused one."""
    row = PUBLIC[name]
    rng = rng_for(name)
    arrays = arrays_for(row, dtype, (4, 5), rng)
    weight = rng.normal(size=(4, 5)).astype(dtype)

    def leaves(make):
        return [make(a).requires_grad_(i in rows.varied(row)) for i, a in zip(row.inputs, arrays)]

    expected = leaves(theirs)
    rows.torch_function(name)(*expected).backward(theirs(weight))
    got = leaves(ours)
    callable_of(name)(*got).backward(ours(weight))
    again = leaves(ours)
    wanting = [t for t in again if t.requires_grad]
    graph = fg.autograd.grad(callable_of(name)(*again), wanting, ours(weight), create_graph=True)
    eps = np.finfo(dtype).eps
    rtol = 1e-7 if name in GRADIENT_ROUNDED else 64 * eps
    for t, g in zip(expected, got, strict=True):
        assert (t.grad is None) == (g.grad is None)
        if t.grad is not None:
            np.testing.assert_allclose(values(g.grad), values(t.grad), rtol=rtol, atol=32 * eps)
    for fused, form in zip([t for t in got if t.requires_grad], graph, strict=True):
        np.testing.assert_allclose(values(form), values(fused.grad), rtol=16 * eps, atol=8 * eps)


SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, 3.0, -3.0, 6.0, 20.0, 88.0, -104.0])
# where PyTorch's vector and scalar code differ from each other, or its own error shows: the operation and the values
LEFT_OUT = {
    "gelu": np.isinf, "logit": lambda x: x == 0, "hardswish": np.isnan, "elu": np.isnan, "selu": np.isnan, "celu": np.isnan,
    "hardtanh": np.isnan, "relu6": np.isnan, "hardshrink": np.isnan, "softshrink": np.isnan,
}


@pytest.mark.parametrize("name", [n for n, r in PUBLIC.items() if r.dtypes in ("float", "number", "all") and n not in ROUGH])
def test_special_values(name):
    """Kinks, infinities, NaN and signed zeros, forward and gradient, every pair of them."""
    row = PUBLIC[name]
    left_out = LEFT_OUT.get(name)
    special = SPECIAL if left_out is None else SPECIAL[~left_out(SPECIAL)]
    grids = np.meshgrid(*[special] * min(len(row.inputs) - len(row.bools), 2))
    arrays = [np.resize(g.ravel(), grids[0].size) for g in grids]
    while len(arrays) < len(row.inputs):
        arrays.insert(0, arrays[0] > 0 if row.bools else arrays[0][::-1].copy())
    expected = [theirs(a).requires_grad_(i in rows.varied(row)) for i, a in zip(row.inputs, arrays)]
    got = [ours(a).requires_grad_(i in rows.varied(row)) for i, a in zip(row.inputs, arrays)]
    reference, result = rows.torch_function(name)(*expected), callable_of(name)(*got)
    assert_close(values(result), values(reference), name, rows_ulps(name, "float64"))
    if not reference.requires_grad or name in NO_TORCH_GRADIENT:
        return
    weight = np.linspace(0.5, 2, arrays[0].size)
    reference.backward(theirs(weight))
    result.backward(ours(weight))
    for t, g in zip(expected, got, strict=True):
        if t.grad is not None:
            np.testing.assert_allclose(values(g.grad), values(t.grad), rtol=1e-7 if name in GRADIENT_ROUNDED else 1e-12, atol=1e-13)


# ---- out=


@pytest.mark.parametrize("name", PUBLIC)
def test_out(name):
    row = PUBLIC[name]
    dtype = "float64" if row.dtypes in ("float", "number", "all") else "int64"
    arrays = arrays_for(row, dtype, (3, 4), rng_for(name))
    arguments = (*map(ours, arrays), *rows.ARGUMENTS.get(name, ()))
    function = getattr(_ops, name)
    plain = function(*arguments)
    out = ours(np.zeros((3, 4), values(plain).dtype))
    if row.out == "NONE":
        with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
            function(*arguments, out=out)
        return
    assert function(*arguments, out=out) is out
    np.testing.assert_array_equal(values(out), values(plain))


def test_out_is_checked():
    x = ours(np.ones(3))
    with pytest.raises(RuntimeError, match="can't be cast"):
        fg.exp(x, out=ours(np.zeros(3, np.int64)))
    with pytest.raises(TypeError, match="out"):
        fg.exp(x, out=np.zeros(3))
    with pytest.raises(RuntimeError, match="automatic differentiation"):
        fg.exp(ours(np.ones(3)).requires_grad_(), out=ours(np.zeros(3)))
    out = ours(np.zeros(2))
    with pytest.warns(UserWarning, match="resized"):
        fg.exp(x, out=out)
    np.testing.assert_array_equal(values(out), values(fg.exp(x)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = ours(np.zeros(0, np.float32))
        fg.exp(x, out=empty)
    assert_close(values(empty), np.exp(np.ones(3)).astype(np.float32))
