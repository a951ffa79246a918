"""Tensors among Python objects: copies, pickles, construction, NumPy and DLPack; and data that lies about itself."""
import copy
import pickle

import fastgrad
import numpy as np
import pytest

torch = pytest.importorskip("torch")


def test_pickles_keep_shared_memory():
    base = fastgrad.arange(6.0)
    a, b = pickle.loads(pickle.dumps((base[1:4], base.reshape(2, 3).t())))
    assert a.tolist() == [1, 2, 3] and b.tolist() == [[0, 3], [1, 4], [2, 5]] and b.stride() == (1, 3)
    a[0] = 9
    assert b[1, 0] == 9 and base[1] == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_of_every_dtype(protocol):
    for dtype in (fastgrad.float32, fastgrad.float64, fastgrad.float16, fastgrad.bfloat16, fastgrad.int64, fastgrad.uint8, fastgrad.bool):
        x = fastgrad.tensor([[1, 0], [2, 3]]).to(dtype)
        y = pickle.loads(pickle.dumps(x, protocol))
        assert y.dtype is dtype and y.tolist() == x.tolist()
    x = pickle.loads(pickle.dumps(fastgrad.ones(2, requires_grad=True), protocol))
    assert x.requires_grad and x.is_leaf


def test_a_forged_pickle_cannot_read_outside():
    function, arguments = fastgrad.ones(4).__reduce_ex__(2)
    storage, dtype, _, _, _, grad = arguments
    for offset, shape, stride in ((0, (5,), (1,)), (4, (1,), (1,)), (0, (2,), (4,)), (-1, (1,), (1,)), (0, (2,), (-1,))):
        with pytest.raises(RuntimeError):
            function(storage, dtype, offset, shape, stride, grad)


def test_deepcopy():
    x = fastgrad.ones(3, requires_grad=True)
    (x * 2).sum().backward()
    x.note = [1]
    y, view = copy.deepcopy((x, x.detach()[1:]))
    assert y.requires_grad and y.grad.tolist() == [2, 2, 2] and y.note == [1] and y.note is not x.note
    view[0] = 5
    assert y.tolist() == [1, 5, 1] and x.tolist() == [1, 1, 1]
    with pytest.raises(RuntimeError, match="graph leaves"):
        copy.deepcopy(x * 2)


def test_copy_shares_memory():
    x = fastgrad.zeros(2)
    y = copy.copy(x)
    y[0] = 1
    assert x[0] == 1 and y is not x


class Marked(fastgrad.Tensor):
    pass


def test_subclasses():
    x = fastgrad.Tensor._make_subclass(Marked, fastgrad.ones(2), True)
    assert type(x) is Marked and x.requires_grad and x.is_leaf and type(x * 2) is Marked
    assert type(pickle.loads(pickle.dumps(x))) is Marked and type(copy.deepcopy(x)) is Marked
    assert Marked([1.0, 2.0]).tolist() == [1, 2] and Marked().shape == (0,)
    y = fastgrad.ones(2, requires_grad=True)
    (y * 3).as_subclass(Marked).sum().backward()
    assert y.grad.tolist() == [3, 3]


def test_numpy_shares_memory():
    a = np.arange(6.0).reshape(2, 3)
    t = fastgrad.from_numpy(a)
    t[0, 0] = 7
    assert a[0, 0] == 7 and np.shares_memory(t.numpy(), a) and fastgrad.from_numpy(a.T).stride() == (1, 3)
    assert isinstance(np.sin(t), fastgrad.Tensor) and isinstance(np.greater(t, 1), fastgrad.Tensor)


def test_dlpack_both_ways():
    t = fastgrad.arange(6.0).reshape(2, 3).t()
    theirs = torch.from_dlpack(t)
    theirs[0, 1] = 9
    assert t[0, 1] == 9 and tuple(theirs.stride()) == t.stride()
    source = torch.arange(4, dtype=torch.bfloat16)
    ours = fastgrad.from_dlpack(source)
    ours[0] = 3
    assert source[0] == 3 and ours.dtype is fastgrad.bfloat16
    assert fastgrad.from_dlpack(np.arange(3.0)).tolist() == [0, 1, 2]
    assert np.from_dlpack(fastgrad.ones(2)).tolist() == [1, 1]
    capsule = fastgrad.ones(1).__dlpack__()
    fastgrad.from_dlpack(capsule)
    with pytest.raises(RuntimeError, match="once"):
        fastgrad.from_dlpack(capsule)
    with pytest.raises(BufferError):
        fastgrad.ones(1, requires_grad=True).__dlpack__()
    del capsule, ours
    fastgrad.ones(3).__dlpack__()


class Liar:
    """A sequence whose length is not what it says twice."""

    def __init__(self, lengths):
        self.lengths = iter(lengths)

    def __len__(self):
        return next(self.lengths, 10**6)

    def __getitem__(self, index):
        if index > 50:
            raise IndexError(index)
        return 1.0


class Shrinking(float):
    def __float__(self):
        DATA.clear()
        return 1.0


DATA = []


def test_data_that_lies():
    for lengths in ((3, 100), (100, 3), (3, 3, 3, 100), (0, 5)):
        try:                         # either answer will do, as long as nothing is written outside the tensor
            made = fastgrad.tensor([Liar(lengths), [1.0, 2.0, 3.0]])
        except (ValueError, IndexError, TypeError):
            continue
        assert made.tolist() == [[1.0] * 3, [1.0, 2.0, 3.0]]
    DATA[:] = [Shrinking(1), *[1.0] * 100]
    try:
        fastgrad.tensor(DATA)
    except (ValueError, TypeError):
        pass
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError):
        fastgrad.tensor(loop)
    for shape in ((2**40, 2**40), (2**62,), (2**31, 2**31, 4)):
        with pytest.raises((RuntimeError, MemoryError)):
            fastgrad.zeros(shape)
    with pytest.raises((RuntimeError, MemoryError)):
        fastgrad.ones(2**20, 1).expand(2**20, 2**44).contiguous()


def test_as_strided_stays_inside():
    for size, stride, offset in (((2, 3), (0, 1), 0), ((1,), (1,), 0)):
        with pytest.raises(RuntimeError):
            fastgrad.from_numpy(np.zeros((0, 3))).as_strided(size, stride, offset)
    with pytest.raises(RuntimeError):
        fastgrad.zeros(4).as_strided((2,), (2**61,), 0)
    with pytest.raises(RuntimeError):
        fastgrad.zeros(4).as_strided((2**60, 2**60), (1, 1), 0)


def test_what_is_copied_or_pickled_keeps_its_wish_for_a_gradient():
    for lib in (fastgrad, torch):
        y = lib.ones(3, requires_grad=True) * 2
        for copied in (copy.copy(y), pickle.loads(pickle.dumps(y))):
            assert copied.requires_grad and copied.is_leaf and copied.tolist() == [2.0] * 3


@pytest.mark.parametrize("call", [lambda x: x.sort(), lambda x: x.max(0), lambda x: x.topk(1), lambda x: fastgrad.linalg.slogdet(x)])
def test_named_results_are_pickled_and_copied(call):
    result = call(fastgrad.eye(2))
    for again in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert type(again) is type(result) and [one.tolist() for one in again] == [one.tolist() for one in result]


def test_arrays_of_a_tensor_have_numpys_own_dtypes():
    for dtype in ("int64", "int32", "float32", "bool"):
        assert type(fastgrad.ones(1, dtype=getattr(fastgrad, dtype)).numpy()[0]) is np.dtype(dtype).type
