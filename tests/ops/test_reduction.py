"""Reductions against PyTorch and NumPy: every layout, dtype and dimension; edge shapes, errors, accuracy, gradients."""

import fastgrad
import numpy as np
import pytest

from tests.gradients import check_gradients, inputs_for
from tests.ops.oracle import check, random_array, torch

SHAPES = [(), (1,), (5,), (3, 4), (4, 1), (2, 3, 4), (70, 9), (9, 300), (0,), (0, 3), (3, 0), (2, 5, 3, 4)]
DTYPES = ["float32", "float64", "int64", "bool", "int32", "uint8"]
MANY = ["sum", "mean", "nansum", "nanmean", "amax", "amin", "any", "all"]     # take several dimensions
ONE = ["prod", "argmax", "argmin", "max", "min"]


def dims_of(shape):
    dims = [None, 0, -1, 4]
    if len(shape) > 1:
        dims += [1, (0, 1), (0, 0)]
    if len(shape) > 2:
        dims += [2, (0, 2), (0, -1)]
    if len(shape) > 3:
        dims += [(1, 3), (0, 2, 3)]
    return dims


@pytest.mark.parametrize("name", MANY + ONE)
@pytest.mark.parametrize("dtype", DTYPES)
def test_values(name, dtype):
    for shape in SHAPES:
        for dim in dims_of(shape):
            if (name in ONE and isinstance(dim, tuple)) or (dim == (0, 0) and 0 in shape):
                continue
            for keepdim in (False, True):
                def call(library, x):
                    return getattr(x, name)() if dim is None else getattr(library, name)(x, dim, keepdim)

                check(call, random_array(shape, dtype), rtol=1e-5, label=(name, dtype, shape, dim, keepdim))


@pytest.mark.parametrize("name", ["var", "std", "var_mean", "std_mean"])
def test_variance(name):
    for shape in SHAPES:
        for dim in dims_of(shape):
            for correction in (0, 1, 2):
                def call(library, x):
                    return getattr(library, name)(x, dim=dim, correction=correction, keepdim=True)

                check(call, random_array(shape, "float64"), rtol=1e-12, label=(name, shape, dim, correction))


def test_variance_legacy_forms():
    x = random_array((3, 4), "float64")
    for call in (lambda m, t: t.var(False), lambda m, t: t.var(0, False), lambda m, t: t.std(1, True, True),
                 lambda m, t: t.std(unbiased=False), lambda m, t: m.var(t, 0, keepdim=True), lambda m, t: t.long().var()
                 if hasattr(t, "long") else m.tensor([1]).var()):
        check(call, x, rtol=1e-12)


@pytest.mark.parametrize("p", ["fro", None, 2, 1, 0, 3, 0.5, -1, float("inf"), -float("inf")])
def test_norm(p):
    for shape in SHAPES:
        for dim in dims_of(shape):
            check(lambda m, x: x.norm(p, dim, True), random_array(shape, "float64"), rtol=1e-12, label=(p, shape, dim))


def test_logsumexp():
    for shape in SHAPES:
        for dim in dims_of(shape)[1:]:
            check(lambda m, x: x.logsumexp(dim), random_array(shape, "float64") * 300, rtol=1e-12, label=(shape, dim))
    check(lambda m, x: x.logsumexp(0), np.array([-np.inf, -np.inf]))
    check(lambda m, x: x.logsumexp(0), np.array([np.inf, 1.0]))
    check(lambda m, x: x.logsumexp(0), np.array([np.nan, 1.0]))


@pytest.mark.parametrize("layout", ["rows", "columns", "strided"])
def test_every_small_size(layout):
    """The kernels' blocks, lanes and tails, at every length."""
    rng = np.random.default_rng(0)
    for n in [*range(71), 127, 128, 129, 255, 256, 257, 600, 5000]:
        for dtype in (np.float32, np.float64):
            flat = rng.standard_normal((n, 6)).astype(dtype) if layout != "rows" else rng.standard_normal((6, n)).astype(dtype)
            x = flat[:, ::2] if layout == "strided" else flat
            axis = 1 if layout == "rows" else 0
            t = fastgrad.from_numpy(flat)
            if layout == "strided":
                t = fastgrad.from_numpy(np.lib.stride_tricks.as_strided(flat, x.shape, x.strides))
            exact = x.astype(np.float64).sum(axis)
            bound = np.finfo(dtype).eps * np.abs(x.astype(np.float64)).sum(axis) * (4 + np.log2(n + 1))
            assert (np.abs(np.array(t.sum(axis).tolist()) - exact) <= bound).all(), n
            if n:
                np.testing.assert_array_equal(np.array(t.amax(axis).tolist(), dtype), x.max(axis))
                np.testing.assert_array_equal(t.argmin(axis).tolist(), x.argmin(axis))
                np.testing.assert_array_equal(np.array(t.max(axis)[0].tolist(), dtype), x.max(axis))
                np.testing.assert_allclose(t.std(axis, unbiased=False).tolist(), x.std(axis), rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(t.norm(2, axis).tolist(), np.linalg.norm(x, axis=axis), rtol=1e-5)


def test_wide_columns():
    """More columns than a tile holds."""
    x = random_array((67, 1000), "float32")
    t = fastgrad.from_numpy(x)
    np.testing.assert_allclose(t.sum(0).tolist(), x.astype(np.float64).sum(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(t.max(0).indices.tolist(), x.argmax(0))
    np.testing.assert_allclose(t.var(0).tolist(), x.astype(np.float64).var(0, ddof=1), rtol=1e-5)


def test_float32_sums_do_not_drift():
    """A million times 0.1: in order, the error would be 1e-2 of the sum."""
    x = fastgrad.from_numpy(np.full((1 << 20, 3), 0.1, np.float32))
    exact = np.float64(np.float32(0.1)) * (1 << 20)
    np.testing.assert_allclose(x.sum(0).tolist(), exact, rtol=1e-6)
    assert x.sum().item() == pytest.approx(3 * exact, rel=1e-6)


def test_nan_wins_extremes():
    for x in ([1.0, np.nan, 3.0, np.nan], [np.nan] + [1.0] * 100, [1.0] * 100 + [np.nan]):
        for name in ("max", "min", "amax", "amin", "argmax", "argmin"):
            check(lambda m, t: getattr(t, name)(), np.array(x), label=(name, x))
        check(lambda m, t: t.max(0), np.array(x))
        check(lambda m, t: t.expand(3, len(x)).t().max(0) if hasattr(fastgrad.Tensor, "expand") else t.max(0), np.array(x))


def test_ties_take_the_first():
    x = np.array([[1.0, 3.0, 3.0], [3.0, 3.0, 1.0]])
    for dim in (0, 1):
        check(lambda m, t: (t.max(dim), t.argmax(dim), t.min(dim), t.argmin(dim)), x)


def test_named_results():
    x = fastgrad.tensor([[1.0, 5.0], [7.0, 2.0]])
    result = x.max(0)
    values, indices = result
    assert result.values is values and result.indices is indices and result[0] is values and len(result) == 2
    assert repr(result) == f"torch.return_types.max(\nvalues={values!r},\nindices={indices!r})"
    smallest, largest = fastgrad.aminmax(x)
    assert (smallest.item(), largest.item()) == (1, 7) and fastgrad.aminmax(x).max.item() == 7


@pytest.mark.parametrize("call, error, text", [
    (lambda m: m.tensor([]).max(), RuntimeError, r"max\(\): Expected reduction dim to be specified for input.numel\(\) == 0"),
    (lambda m: m.tensor([]).max(0), IndexError, r"max\(\): Expected reduction dim 0 to have non-zero size"),
    (lambda m: m.tensor([]).amax(), RuntimeError, r"amax\(\): Expected reduction dim to be specified"),
    (lambda m: m.tensor([]).argmax(), IndexError, r"argmax\(\): Expected reduction dim to be specified"),
    (lambda m: m.tensor([]).aminmax(), RuntimeError, "aminmax"),
    (lambda m: m.tensor([1]).mean(), RuntimeError, r"mean\(\): could not infer output dtype.*Got: Long"),
    (lambda m: m.tensor([1]).var(), RuntimeError, "std and var only support floating point"),
    (lambda m: m.tensor([1]).norm(), RuntimeError, "Expected a floating point or complex tensor as input. Got Long"),
    (lambda m: m.tensor([1.0]).sum(1), IndexError, r"Dimension out of range \(expected to be in range of \[-1, 0\], but got 1\)"),
    (lambda m: m.tensor([[1.0]]).sum((0, 0)), RuntimeError, "appears multiple times in the list of dims"),
    (lambda m: m.tensor([1.0]).sum("a"), TypeError, ""),
    (lambda m: m.tensor([1.0]).sum(1.5), TypeError, ""),
    (lambda m: m.tensor([1.0]).max(0, 1), TypeError, "keepdim"),
    (lambda m: m.tensor([1.0]).trace(), RuntimeError, "expected a matrix"),
    (lambda m: m.tensor([True]).argmax(), RuntimeError, "does not support bool input"),
    (lambda m: m.tensor([[1.0]]).prod((0, 1)), TypeError, "dim"),
    (lambda m: m.tensor([[1.0]]).sum_to_size(3, 1), RuntimeError, "not expandable to size"),
])
def test_errors(call, error, text):
    with pytest.raises(error):
        call(torch)
    with pytest.raises(error, match=text):
        call(fastgrad)


def test_dtype_argument():
    x = random_array((3, 4), "float32")
    for name in ("float64", "int32", "bool"):
        check(lambda m, t: m.sum(t, 0, dtype=getattr(m, name)), x, label=name)
        check(lambda m, t: m.prod(t, dtype=getattr(m, name)), x, label=name)
    check(lambda m, t: m.mean(t, dtype=m.float64), random_array((3,), "int64"))


GRADIENTS = {
    "sum": lambda x, d, k: x.sum(d, k), "mean": lambda x, d, k: x.mean(d, k), "amax": lambda x, d, k: x.amax(d, k),
    "logsumexp": lambda x, d, k: x.logsumexp(d, k), "var": lambda x, d, k: x.var(d, keepdim=k),
    "std": lambda x, d, k: x.std(d, keepdim=k, correction=0), "norm2": lambda x, d, k: x.norm(2, d, k),
    "norm3": lambda x, d, k: x.norm(3, d, k), "norm1": lambda x, d, k: x.norm(1, d, k), "norminf": lambda x, d, k: x.norm(np.inf, d, k),
    "prod": lambda x, d, k: x.prod(d, k) if isinstance(d, int) else x.prod(), "nanmean": lambda x, d, k: x.nanmean(d, k),
    "max": lambda x, d, k: x.max(d, k)[0] if isinstance(d, int) else x.max(),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(name):
    for shape in ((4,), (3, 4), (2, 3, 4)):
        for dim in [0, -1, tuple(range(len(shape)))]:
            for keepdim in (False, True):
                check_gradients(lambda x: GRADIENTS[name](x, dim, keepdim), inputs_for([shape]), name=f"{name} {shape} {dim}")


def test_gradient_of_a_product_with_zeros():
    for zeros in (0, 1, 2):
        x = np.array([2.0, 3.0, -4.0, 5.0])
        x[:zeros] = 0
        ours, theirs = fastgrad.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        ours.prod().backward()
        theirs.prod().backward()
        assert ours.grad.tolist() == theirs.grad.tolist()


def test_ties_share_a_gradient():
    x = fastgrad.tensor([1.0, 3.0, 3.0, 3.0], requires_grad=True)
    x.amax().backward()
    np.testing.assert_allclose(x.grad.tolist(), [0, 1 / 3, 1 / 3, 1 / 3], rtol=1e-6)


def test_norm_of_zeros_has_a_gradient_of_zeros():
    for p in (1, 2, 3):
        x = fastgrad.tensor([0.0, 0.0, 0.0], requires_grad=True)
        x.norm(p).backward()
        assert x.grad.tolist() == [0, 0, 0], p


def test_broadcasting_has_second_order_gradients():
    check_gradients(lambda x, y: (x * y) * x, inputs_for([(3, 1), (2, 1, 4)]))


def test_names_of_nodes():
    """PyTorch numbers the forms of a function."""
    for call in (lambda x: x.sum(), lambda x: x.sum(0), lambda x: x.mean(), lambda x: x.mean(1), lambda x: x.prod(0), lambda x: x.max(),
                 lambda x: x.max(0)[0], lambda x: x.amax(), lambda x: x.var(), lambda x: x.std(), lambda x: x.norm()):
        ours, theirs = (call(m.tensor([[1.0, 2.0]], requires_grad=True)).grad_fn.name() for m in (fastgrad, torch))
        assert ours == theirs


def test_types_of_results_are_importable():
    from fastgrad import return_types

    assert isinstance(fastgrad.tensor([1.0]).sort(), return_types.sort)


def test_integers_of_every_width():
    for dtype in (np.int8, np.int16, np.int32, np.uint8):
        x = np.array([[100, 27, 100], [3, 5, 9]], dtype)
        check(lambda m, t: (t.sum(), t.sum(0), t.prod(1), t.amax(0), t.max(1), t.cumsum(1), t.argmin(), t.any(), t.count_nonzero()), x)
