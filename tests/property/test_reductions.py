"""Reductions over random sets of dimensions of tensors in any layout, empty ones included: NumPy's values, shapes, gradients."""
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from tests.property.strategies import fixed, laid_out, numbers, ours, shapes


def dims_of(data, ndim):
    """None, one dimension or several, some of them counted from the end; and the same for NumPy."""
    if not ndim or data.draw(st.integers(0, 4)) == 0:
        return None, None
    chosen = data.draw(st.lists(st.integers(0, ndim - 1), min_size=1, max_size=ndim, unique=True))
    signed = tuple(d - ndim if data.draw(st.booleans()) else d for d in chosen)
    return (signed[0], chosen[0]) if len(signed) == 1 else (signed, tuple(chosen))


MANY = {       # name: (NumPy's, dtypes); sums of small whole numbers are exact
    "sum": (np.sum, ["float32", "float64", "int64", "uint8", "bool", "int16"]),
    "mean": (np.mean, ["float64"]),
    "amax": (np.max, ["float32", "int64", "uint8", "bool"]), "amin": (np.min, ["float32", "int64", "uint8", "bool"]),
    "all": (np.all, ["float32", "int64", "bool"]), "any": (np.any, ["float32", "int64", "bool"]),
    "count_nonzero": (np.count_nonzero, ["float32", "int64", "bool"]),
    "var": (None, ["float64"]), "std": (None, ["float64"]), "logsumexp": (None, ["float64"]), "nansum": (np.nansum, ["float32"]),
}


@fixed(1500)
@given(st.data())
def test_over_any_dims(data):
    name = data.draw(st.sampled_from(list(MANY)))
    reference, dtypes = MANY[name]
    dtype = data.draw(st.sampled_from(dtypes))
    array = data.draw(laid_out(data.draw(shapes(5, 3)), dtype))
    dim, axis = dims_of(data, array.ndim)
    keep = data.draw(st.booleans())
    x = ours(array)
    function = getattr(fastgrad, name)
    if name == "count_nonzero":
        expected = reference(array, axis=axis)
        found = function(x) if dim is None else function(x, dim)
    elif name in ("var", "std"):
        correction = data.draw(st.integers(0, 1))
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = getattr(np, name)(array, axis=axis, ddof=correction, keepdims=keep)
            found = function(x, dim, correction=correction, keepdim=keep)
        count = array.size if axis is None else np.prod([array.shape[d] for d in np.atleast_1d(axis)], dtype=int)
        if count <= correction:             # 0/0, whatever the sum of squares
            expected = np.full_like(expected, np.nan)
    elif name == "logsumexp":
        dim, axis = (tuple(range(array.ndim)),) * 2 if dim is None else (dim, axis)
        with np.errstate(divide="ignore"):
            expected = np.log(np.sum(np.exp(array), axis=axis, keepdims=keep))
        found = function(x, dim, keepdim=keep)
    elif name in ("amax", "amin"):
        dim, axis = ((), None) if dim is None else (dim, axis)
        reduced = range(array.ndim) if axis is None else np.atleast_1d(axis)
        if any(array.shape[d] == 0 for d in reduced):
            with pytest.raises((RuntimeError, IndexError)):
                function(x, dim, keepdim=keep)
            return
        expected = reference(array, axis=axis, keepdims=keep)
        found = function(x, dim, keepdim=keep)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = reference(array, axis=axis, keepdims=keep)
        found = function(x) if dim is None and not keep else function(x, dim, keepdim=keep)
    assert tuple(found.shape) == np.shape(expected), (name, array.shape, dim, keep)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13, atol=1e-13, err_msg=f"{name} {array.shape} {dim}")


ONE = ["prod", "cumsum", "cumprod", "argmax", "argmin", "max", "min", "sort", "median", "softmax", "cummax", "flip", "logcumsumexp"]


@fixed(1000)
@given(st.data())
def test_over_one_dim(data):
    name = data.draw(st.sampled_from(ONE))
    array = data.draw(laid_out(data.draw(shapes(4).filter(lambda s: s and min(s) > 0)), "float64" if name in ("softmax", "logcumsumexp") else
                               data.draw(st.sampled_from(["float32", "int64"])), low=-2, high=3))
    dim = data.draw(st.integers(0, array.ndim - 1))
    x = ours(array)
    found = getattr(fastgrad, name)(x, (dim,) if name == "flip" else dim)
    if name in ("max", "min", "sort", "median", "cummax"):
        found, where = found
        if name == "sort":
            np.testing.assert_array_equal(np.take_along_axis(array, where.numpy(), dim), found.numpy())
        elif name == "cummax":
            np.testing.assert_array_equal(np.take_along_axis(array, where.numpy(), dim), found.numpy())
        else:
            at = np.expand_dims(where.numpy(), dim)
            np.testing.assert_array_equal(np.take_along_axis(array, at, dim).squeeze(dim), found.numpy())
    if name == "softmax":
        e = np.exp(array)
        expected = e / e.sum(dim, keepdims=True)
    elif name == "median":
        expected = np.sort(array, dim).take((array.shape[dim] - 1) // 2, dim)
    elif name == "cummax":
        expected = np.maximum.accumulate(array, dim)
    elif name == "logcumsumexp":
        expected = np.log(np.cumsum(np.exp(array), dim))
    else:
        expected = getattr(np, name)(array, dim)
    assert tuple(found.shape) == expected.shape
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-13, atol=1e-14)


@fixed(500)
@given(st.data())
def test_gradients(data):
    """Of sum and mean: the weight of the output that an element went into.  Of amax: it is shared among equals."""
    name = data.draw(st.sampled_from(["sum", "mean", "amax"]))
    array = data.draw(laid_out(data.draw(shapes(4, 3)), "float64"))
    dim, axis = dims_of(data, array.ndim)
    if dim is None:
        dim = axis = tuple(range(array.ndim))
    reduced = np.atleast_1d(np.array(axis, int))
    if name == "amax" and any(array.shape[d] == 0 for d in reduced):
        return
    x = ours(array.copy()).requires_grad_()
    out = getattr(fastgrad, name)(x, dim, keepdim=True)
    weight = numbers(tuple(out.shape), "float64", 2)
    out.backward(ours(weight))
    count = np.prod([array.shape[d] for d in reduced], dtype=int)
    expected = np.broadcast_to(weight, array.shape)
    if name == "mean":
        expected = expected / max(count, 1)
    if name == "amax":
        ties = array == array.max(axis=tuple(reduced), keepdims=True)
        expected = expected * ties / ties.sum(axis=tuple(reduced), keepdims=True)
    assert tuple(x.grad.shape) == array.shape
    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14)


@fixed(300)
@given(st.data())
def test_wrong_dims(data):
    shape = data.draw(shapes(3))
    x = fastgrad.zeros(shape)
    wrong = data.draw(st.sampled_from([len(shape) + (not shape), -len(shape) - 1 - (not shape), 100, -2**40]))
    for name in ("sum", "mean", "amax", "argmax", "cumsum", "softmax", "sort", "all", "prod", "logsumexp"):
        with pytest.raises(IndexError):
            getattr(fastgrad, name)(x, wrong)
    if shape:
        for name in ("sum", "mean", "amax", "var"):
            with pytest.raises(RuntimeError, match="multiple times|unique|more than once"):
                getattr(fastgrad, name)(x, (0, -len(shape)))
