"""Sorting, selection, search and counting against PyTorch and NumPy."""

import fastgrad
import numpy as np
import pytest

from tests.gradients import check_gradients, inputs_for
from tests.ops.oracle import check, random_array, torch

DTYPES = ["float32", "float64", "int64", "int32", "uint8", "bool"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("descending", [False, True])
def test_sort(dtype, descending):
    """Stable: equal elements keep their order, so places are determined."""
    for shape in ((), (1,), (6,), (3, 4), (2, 3, 4), (3, 60), (300,), (0,), (3, 0), (70, 3)):
        for dim in (0, -1):
            x = random_array(shape, dtype)
            check(lambda m, t: m.sort(t, dim=dim, descending=descending, stable=True), x, label=(dtype, shape, dim))
            check(lambda m, t: m.argsort(t, dim=dim, descending=descending, stable=True), x, label=(dtype, shape, dim))
        check(lambda m, t: m.msort(t) if t.ndim else m.tensor(0.0), x)


@pytest.mark.parametrize("descending", [False, True])
def test_sort_at_every_size(descending):
    rng = np.random.default_rng(0)
    for n in [*range(71), 300, 5000]:
        for dtype in (np.float32, np.float64, np.int64, np.int16, np.int8):
            x = (rng.standard_normal(n) * 50).astype(dtype)
            values, places = fastgrad.from_numpy(x).sort(descending=descending)
            order = np.argsort(-x.astype(np.float64) if descending else x, kind="stable")
            np.testing.assert_array_equal(places.tolist(), order)
            np.testing.assert_array_equal(np.array(values.tolist(), dtype), x[order])


def test_nan_is_largest_and_zeros_are_equal():
    x = np.array([3.0, np.nan, -0.0, 0.0, -np.inf, np.inf, -1.0, np.nan, 0.0, -0.0])
    for descending in (False, True):
        check(lambda m, t: t.sort(stable=True, descending=descending), x)
        check(lambda m, t: t.topk(4, largest=descending)[0], x)
    check(lambda m, t: (t.median(), t.nanmedian(), t.kthvalue(10)[0]), x)


def test_topk():
    for shape in ((5,), (3, 200), (4, 3, 2)):
        for dtype in DTYPES[:-1]:
            for dim in (0, -1):
                for k in (0, 1, 2, 100):
                    for largest in (True, False):
                        check(lambda m, t: t.topk(k, dim, largest)[0], random_array(shape, dtype), label=(shape, dtype, k))
    x = random_array((3, 200), "float32")
    check(lambda m, t: t.topk(70), x)
    check(lambda m, t: t.topk(7, largest=False), x)


@pytest.mark.parametrize("name", ["median", "nanmedian", "mode", "kthvalue"])
def test_selection(name):
    for shape in ((), (1,), (5,), (3, 4), (2, 3, 6)):
        for dtype in ("float32", "int64"):
            for dim in (0, -1, 5):
                for keepdim in (False, True):
                    def call(m, t):
                        return (t.kthvalue(1, dim, keepdim) if name == "kthvalue" else getattr(t, name)(dim, keepdim))[0]

                    check(call, random_array(shape, dtype), label=(name, shape, dtype, dim))
    check(lambda m, t: t.median(), random_array((4, 5), "float32"))


def test_the_place_that_was_selected_holds_the_value():
    x = np.random.default_rng(0).permutation(60).reshape(3, 20).astype(np.float64)
    check(lambda m, t: (t.median(1), t.kthvalue(7, 1), t.mode(1), t.nanmedian(0)), x)


def test_searchsorted():
    sequence = np.array([1.0, 3.0, 3.0, 5.0, 7.0])
    values = np.array([[0.0, 1.0, 3.0], [4.0, 7.0, np.nan]])
    for right in (False, True):
        check(lambda m, s, v: m.searchsorted(s, v, right=right), sequence, values)
        check(lambda m, s, v: m.bucketize(v, s, right=right, out_int32=True), sequence, values)
        check(lambda m, s: m.searchsorted(s, 3.0, right=right), sequence)
    check(lambda m, s, v: m.searchsorted(s, v, side="right"), np.sort(random_array((3, 9), "float64")), random_array((3, 4), "float64", 1))
    check(lambda m, s, v, o: m.searchsorted(s, v, sorter=o), np.array([5.0, 1.0, 3.0]), np.array([2.0, 6.0]), np.array([1, 2, 0]))
    with pytest.raises(RuntimeError, match="out of range"):
        fastgrad.searchsorted(fastgrad.tensor([1.0, 2.0]), fastgrad.tensor([1.0]), sorter=fastgrad.tensor([0, 7]))


def test_unique():
    for x in (random_array((40,), "int64"), random_array((4, 5), "float32").round(), np.zeros((0,)), np.array(3.0)):
        for flags in ({}, {"return_inverse": True}, {"return_counts": True}, {"return_inverse": True, "return_counts": True}):
            check(lambda m, t: t.unique(**flags), x, label=flags)
            check(lambda m, t: t.unique_consecutive(**flags), x, label=flags)
    rows = np.random.default_rng(0).integers(0, 2, (9, 3, 2))
    for dim in (0, 1, -1):
        check(lambda m, t: m.unique(t, dim=dim, return_inverse=True, return_counts=True), rows, label=dim)
        check(lambda m, t: m.unique_consecutive(t, dim=dim, return_inverse=True, return_counts=True), rows, label=dim)


def test_counts():
    check(lambda m, t: (m.bincount(t), m.bincount(t, minlength=9)), np.array([1, 0, 3, 3]))
    check(lambda m, t, w: m.bincount(t, w), np.array([1, 0, 3, 3]), np.array([0.5, 1.0, 2.0, 3.0]))
    check(lambda m, t: m.bincount(t), np.array([1, -1]))
    check(lambda m, t: m.bincount(t), np.array([1.0]))
    check(lambda m, t: (m.histc(t, 5), m.histc(t, 4, -1, 1), m.histc(t, 3, 9, 9)), random_array((50,), "float32"))
    for shape in ((), (4,), (3, 4), (2, 3, 4), (0, 3)):
        x = random_array(shape, "int64")
        check(lambda m, t: (t.nonzero(), m.nonzero(t, as_tuple=True), t.count_nonzero()), x, label=shape)


@pytest.mark.parametrize("call, error, text", [
    (lambda m: m.tensor([1.0]).topk(5), RuntimeError, "selected index k out of range"),
    (lambda m: m.tensor([1.0]).kthvalue(5), RuntimeError, "selected number k out of range for dimension 0"),
    (lambda m: m.tensor([]).median(0), IndexError, r"median\(\): Expected reduction dim 0 to have non-zero size"),
    (lambda m: m.tensor([True]).topk(1), RuntimeError, "topk does not support bool"),
    (lambda m: m.tensor([1.0]).sort(2), IndexError, "Dimension out of range"),
    (lambda m: m.histc(m.tensor([1.0]), 0), RuntimeError, "bins must be > 0"),
])
def test_errors(call, error, text):
    if "dtype" not in text:
        with pytest.raises(error):
            call(torch)
    with pytest.raises(error, match=text):
        call(fastgrad)


def test_gradients():
    for dim in (0, -1):
        for call in (lambda x: x.sort(dim)[0], lambda x: x.sort(dim, True)[0], lambda x: x.topk(2, dim)[0],
                     lambda x: x.kthvalue(2, dim)[0], lambda x: x.median(dim, True)[0], lambda x: x.mode(dim)[0], lambda x: x.median()):
            check_gradients(lambda x: call(x) * call(x), inputs_for([(3, 4)]))
