"""Indexing by any mix of slices, integers, None, ellipsis, index arrays and masks: reads, writes and gradients as in NumPy."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from tests.property.strategies import fixed, index, laid_out, numbers, ours, shapes


def as_given(data, key):
    """The index with arrays as tensors, lists or arrays."""
    def one(item):
        if not isinstance(item, np.ndarray):
            return item
        form = data.draw(st.sampled_from(["tensor", "array", "list", "int32"]))
        if form == "int32" and item.dtype != bool:
            return fastgrad.from_numpy(item.astype("int32"))
        return item if form == "array" else item.tolist() if form == "list" and item.ndim else fastgrad.from_numpy(item)
    given_key = tuple(one(item) for item in key)
    return given_key[0] if len(given_key) == 1 and data.draw(st.booleans()) and not isinstance(given_key[0], list) else given_key


@fixed(900)
@given(st.data())
def test_read(data):
    array = data.draw(laid_out(data.draw(shapes(4)), data.draw(st.sampled_from(["float32", "int64", "bool"]))))
    key = data.draw(index(array.shape))
    expected = array[key]
    found = ours(array)[as_given(data, key)]
    assert tuple(found.shape) == np.shape(expected), key
    np.testing.assert_array_equal(found.numpy(), expected)


@fixed(900)
@given(st.data())
def test_write(data):
    """A tensor of a shape that broadcasts, or a number, is written to the same places; where indices repeat, one number is."""
    dtype = data.draw(st.sampled_from(["float32", "int64", "uint8"]))
    shape = data.draw(shapes(4))
    whole = numbers([n + 1 for n in shape], dtype, 1)
    cut = tuple(slice(1, None) for _ in shape)
    reference = whole.copy()
    key = data.draw(index(shape, writing=True))
    target = reference[cut][key]
    target = target if isinstance(target, np.ndarray) else np.array(target)
    numbered = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)[key]
    repeats = np.unique(numbered).size < np.size(numbered)
    if repeats or data.draw(st.booleans()):
        value = data.draw(st.sampled_from([7, 0, True]))
        given_value = value
    else:
        value = numbers([n if data.draw(st.booleans()) else 1 for n in np.shape(target)], dtype, 2, 0)
        given_value = ours(value)
    reference[(*cut, ...)][key] = value
    ours(whole)[(*cut, ...)][as_given(data, key)] = given_value
    np.testing.assert_array_equal(whole, reference, err_msg=str(key))


@fixed(400)
@given(st.data())
def test_gradient(data):
    """Each element's gradient is the sum of the weights of the places where the index put it."""
    shape = data.draw(shapes(4))
    leaf = fastgrad.zeros(shape, dtype=fastgrad.float64, requires_grad=True)
    key = data.draw(index(shape))
    numbered = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)[key]
    weight = numbers(np.shape(numbered), "float64", 3)
    (leaf[as_given(data, key)] * ours(weight)).sum().backward()
    expected = np.zeros(int(np.prod(shape, dtype=int)))
    np.add.at(expected, np.ravel(numbered), weight.ravel())
    np.testing.assert_array_equal(leaf.grad.numpy().ravel(), expected)


@fixed(300)
@given(st.data())
def test_refused(data):
    """An index out of range raises IndexError and changes nothing."""
    shape = data.draw(shapes(3).filter(lambda s: len(s) > 0))
    array = numbers(shape, "float32", 4)
    dim = data.draw(st.integers(0, len(shape) - 1))
    n = shape[dim]
    wrong = data.draw(st.sampled_from([n, n + 1, -n - 1, 2**31, 2**62, -2**63]))
    form = data.draw(st.sampled_from(["int", "array", "mask", "many"]))
    lead = (slice(None),) * dim
    key = {"int": (*lead, wrong), "array": (*lead, fastgrad.tensor([0, wrong] if n else [wrong])),
           "mask": (*lead, fastgrad.ones(n + 1, dtype=fastgrad.bool)), "many": (0,) * (len(shape) + 1)}[form]
    if form == "array" and 0 in shape[:dim] + shape[dim + 1:]:
        return                               # nothing is read: PyTorch and NumPy differ among themselves
    before = array.copy()
    tensor = ours(array)
    with pytest.raises(IndexError):
        tensor[key]
    with pytest.raises(IndexError):
        tensor[key] = 5
    np.testing.assert_array_equal(array, before)


@fixed(500)
@given(st.data())
def test_functions_of_one_dimension(data):
    """index_select, gather, take_along_dim, index_add, index_fill, scatter, scatter_add against loops over NumPy."""
    shape = data.draw(shapes(3).filter(lambda s: s and min(s) > 0))
    array = data.draw(laid_out(shape, data.draw(st.sampled_from(["float32", "int64"]))))
    dim = data.draw(st.integers(0, len(shape) - 1))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    line = rng.integers(0, shape[dim], data.draw(st.integers(0, 5)))
    x, at = ours(array), ours(line)
    selected = np.take(array, line, dim)
    np.testing.assert_array_equal(x.index_select(dim, at).numpy(), selected)
    full = rng.integers(0, shape[dim], [int(rng.integers(1, 4)) if d == dim else n for d, n in enumerate(shape)])
    np.testing.assert_array_equal(x.gather(dim, ours(full)).numpy(), np.take_along_axis(array, full, dim))
    np.testing.assert_array_equal(fastgrad.take_along_dim(x, ours(full), dim).numpy(), np.take_along_axis(array, full, dim))
    source = numbers(selected.shape, array.dtype.name, 5)
    added = array.copy()
    np.add.at(added, (slice(None),) * dim + (line,), source)
    np.testing.assert_array_equal(x.index_add(dim, at, ours(source)).numpy(), added)
    filled = array.copy()
    filled[(slice(None),) * dim + (line,)] = 9
    np.testing.assert_array_equal(x.index_fill(dim, at, 9).numpy(), filled)
    put, summed, values = array.copy(), array.copy(), numbers(full.shape, array.dtype.name, 6)
    for place in np.ndindex(*full.shape):
        target = (*place[:dim], full[place], *place[dim + 1:])
        put[target] = 9
        summed[target] += values[place]
    np.testing.assert_array_equal(x.scatter(dim, ours(full), 9).numpy(), put)
    np.testing.assert_array_equal(x.scatter_add(dim, ours(full), ours(values)).numpy(), summed)
