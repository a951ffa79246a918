"""Views of random arrays: every chain of views reads and writes what the same chain reads and writes in NumPy, the base included."""
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from tests.property.strategies import DTYPES, fixed, laid_out, numbers, ours, shapes, take, take_ours, view_step


def same(tensor, array):
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_array_equal(tensor.numpy(), array)


@fixed(300)
@given(st.data())
def test_any_layout_arrives_and_leaves(data):
    """Shape, strides, elements and memory of an array, as a tensor; copies of it in every form."""
    dtype = data.draw(st.sampled_from(DTYPES))
    array = data.draw(laid_out(data.draw(shapes()), dtype))
    tensor = ours(array)
    same(tensor, array)
    assert tensor.numel() == array.size and tensor.ndim == array.ndim and str(tensor.dtype).endswith(dtype)
    assert tensor.tolist() == array.tolist()
    if array.size:
        assert all(s == t // array.itemsize for s, t, n in zip(tensor.stride(), array.strides, array.shape) if n > 1)
        assert tensor.data_ptr() == array.__array_interface__["data"][0]
        assert tensor.is_contiguous() == array.flags.c_contiguous
    for copied in (tensor.clone(), tensor.contiguous(), fastgrad.tensor(array), fastgrad.tensor(array.tolist(), dtype=tensor.dtype)):
        np.testing.assert_array_equal(copied.numpy().ravel(), array.ravel())


@fixed(100)
@given(st.data())
def test_negative_strides(data):
    """What has no stride of PyTorch's kind is refused where memory would be shared, and copied elsewhere."""
    array = data.draw(laid_out(data.draw(shapes().filter(bool)), "float32"))
    turned = np.flip(array, data.draw(st.integers(0, array.ndim - 1)))
    if turned.size and min(turned.strides) < 0:
        with pytest.raises(ValueError, match="negative"):
            fastgrad.from_numpy(turned)
        with pytest.raises(ValueError, match="negative"):
            fastgrad.from_numpy(turned[...])
    same(fastgrad.tensor(turned), turned)


def chain(data, array, tensor, most=5):
    """Both at the end of the same random chain of views."""
    for _ in range(data.draw(st.integers(1, most))):
        step = data.draw(view_step(array.shape))
        array, tensor = take(array, step), take_ours(tensor, step)
        assert tuple(tensor.shape) == array.shape, step
        if array.size > 500:
            break
    return array, tensor


@fixed(700)
@given(st.data())
def test_chain_of_views_reads(data):
    dtype = data.draw(st.sampled_from(["float32", "int64", "uint8", "bool"]))
    base = data.draw(laid_out(data.draw(shapes()), dtype))
    array, tensor = chain(data, base, ours(base))
    same(tensor, array)
    if array.size and np.shares_memory(array, base):
        assert tensor.data_ptr() == array.__array_interface__["data"][0], "a view must not have copied"
        assert all(s == t // array.itemsize for s, t, n in zip(tensor.stride(), array.strides, array.shape) if n > 1)
    np.testing.assert_array_equal((tensor == tensor).numpy(), np.ones(array.shape, bool))
    same(tensor.clone(), array)


def overlaps_surely(array):
    return array.size > 0 and any(n > 1 and s == 0 for n, s in zip(array.shape, array.strides))


def may_overlap(array):
    """Whether some element may be reachable twice."""
    return len({p for p in places(array)}) < array.size


def places(array):
    offsets = np.zeros(array.shape, np.int64)
    for d, stride in enumerate(array.strides):
        offsets += (np.arange(array.shape[d]) * stride).reshape([-1 if i == d else 1 for i in range(array.ndim)])
    return offsets.ravel().tolist()


WRITES = {
    "add_": lambda t, v: t.add_(v), "sub_": lambda t, v: t.sub_(v), "mul_": lambda t, v: t.mul_(v), "copy_": lambda t, v: t.copy_(v),
    "setitem": lambda t, v: t.__setitem__(Ellipsis, v), "iadd": lambda t, v: t.__iadd__(v),
}
IN_NUMPY = {
    "add_": lambda a, v: np.add(a, v, out=a), "sub_": lambda a, v: np.subtract(a, v, out=a), "mul_": lambda a, v: np.multiply(a, v, out=a),
    "copy_": lambda a, v: np.copyto(a, v), "setitem": lambda a, v: np.copyto(a, v), "iadd": lambda a, v: np.add(a, v, out=a),
}


@fixed(700)
@given(st.data())
def test_chain_of_views_writes(data):
    """A write through the end of the chain changes the base where NumPy's does, and nothing else."""
    dtype = data.draw(st.sampled_from(["float32", "float64", "int64", "int16"]))
    shape = data.draw(shapes())
    whole = numbers(shape, dtype, data.draw(st.integers(0, 99)))
    reference = whole.copy()
    base = ours(whole)
    array, tensor = chain(data, reference, base)
    values = numbers([n if data.draw(st.booleans()) else 1 for n in array.shape], dtype, 7)
    name = data.draw(st.sampled_from(list(WRITES)))
    if overlaps_surely(array):
        with pytest.raises(RuntimeError, match="single memory location"):
            WRITES[name](tensor, ours(values))
        np.testing.assert_array_equal(whole, reference)
        return
    if may_overlap(array):
        array[...] = 3
        tensor.fill_(3)
    else:
        IN_NUMPY[name](array, values)
        WRITES[name](tensor, ours(values))
    np.testing.assert_array_equal(whole, reference)
    same(tensor, array)
    if array.size and np.shares_memory(array, reference):
        assert base._version == tensor._version > 0


@fixed(300)
@given(st.data())
def test_gradient_of_a_chain(data):
    """The gradient of a view puts each element's weight where the element lies: NumPy's add.at over the element numbers."""
    shape = data.draw(shapes())
    count = int(np.prod(shape, dtype=int))
    leaf = fastgrad.zeros(shape, dtype=fastgrad.float64, requires_grad=True)
    numbered, view = chain(data, np.arange(count).reshape(shape), leaf)
    weight = numbers(numbered.shape, "float64", 3)
    (view * ours(weight)).sum().backward()
    expected = np.zeros(count)
    np.add.at(expected, numbered.ravel(), weight.ravel())
    assert leaf.grad is not None and tuple(leaf.grad.shape) == shape
    np.testing.assert_array_equal(leaf.grad.numpy().ravel(), expected)
