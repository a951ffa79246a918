"""Where PyTorch puts names, and its conventions at the edges: second derivatives of piecewise linear functions, norms, promotion."""

import itertools

import fastgrad as fg
import numpy as np
import pytest
import torch

import fastgrad.nn.functional as F
from tests.gradients import check_gradients
from tests.ops.rows import ours, theirs, values

MATRIX = np.random.default_rng(0).normal(size=(3, 4))


def test_top_level_holds_no_operation_that_pytorch_lacks():
    operations = [name for name, value in vars(fg).items() if type(value).__name__ == "Operation"]
    assert len(operations) > 200
    assert [name for name in operations if not hasattr(torch, name)] == []


def test_inplace_functions():
    for name in ("exp", "relu", "clamp", "sigmoid", "zero", "fill"):
        x = fg.tensor([-1.0, 2.0])
        arguments = {"clamp": (0,), "fill": (3,)}.get(name, ())
        expected = getattr(torch, name + "_")(torch.tensor([-1.0, 2.0]), *arguments)
        assert getattr(fg, name + "_")(x, *arguments) is x
        np.testing.assert_allclose(values(x), values(expected), rtol=1e-6)
    assert not hasattr(fg, "add_") and not hasattr(torch, "add_")


@pytest.mark.parametrize("name, arguments", [
    ("relu", ()), ("relu6", ()), ("leaky_relu", (0.1,)), ("hardtanh", ()), ("threshold", (0.1, 2.0)), ("hardsigmoid", ()),
    ("hardshrink", ()), ("softshrink", ())])
def test_second_derivative_of_lines_is_zero_not_none(name, arguments):
    x = fg.tensor([-2.0, -0.25, 0.25, 2.0], requires_grad=True)
    function = getattr(F, name, None) or getattr(fg._ops, name)
    (slope,) = fg.autograd.grad(function(x, *arguments).sum(), x, create_graph=True)
    slope.sum().backward()
    assert x.grad.tolist() == [0.0] * 4


def test_second_derivative_of_nll_loss_is_zero_not_none():
    x = fg.randn(3, 4, requires_grad=True)
    (slope,) = fg.autograd.grad(F.nll_loss(x, fg.tensor([0, 1, 3])), x, create_graph=True)
    slope.sum().backward()
    assert x.grad.tolist() == [[0.0] * 4] * 3


def test_a_quotient_rounded_down_has_no_gradient_but_as_a_division():
    for lib in (fg, torch):
        x = lib.tensor([1.5, -2.5], requires_grad=True)
        with pytest.raises(RuntimeError, match="floor_divide is not implemented"):
            (x // 2).sum().backward()
        lib.div(x, 2, rounding_mode="floor").sum().backward()
        assert x.grad.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("call", [
    lambda t: t.eq(2, t.ones(1)), lambda t: t.fmod(2, t.ones(1)), lambda t: t.pow(2, 3), lambda t: t.remainder(2, 3), lambda t: t.xlogy(2, 3),
    lambda t: t.clamp_min(2, t.ones(1)), lambda t: t.logaddexp(t.ones(1), 2), lambda t: t.copysign(1, t.ones(1)), lambda t: t.bitwise_and(2, 3)])
def test_functions_of_tensors_refuse_numbers(call):
    for lib in (fg, torch):
        with pytest.raises(TypeError):
            call(lib)


def test_numbers_alone_are_added_and_chosen():
    for call in (lambda t: t.add(2, 3), lambda t: t.mul(2, 3.0), lambda t: t.div(2, 4), lambda t: t.where(t.tensor([True, False]), 1.0, 2.0),
                 lambda t: t.add(2, 3, alpha=2), lambda t: t.div(7, 2, rounding_mode="trunc"), lambda t: t.pow(2, t.tensor([3.0]))):
        assert call(fg).tolist() == call(torch).tolist()


def test_gradient_of_a_step_has_no_graph():
    x = fg.tensor([1.5], requires_grad=True)
    (slope,) = fg.autograd.grad(x.floor(), x, create_graph=True)
    assert slope.tolist() == [0.0] and not slope.requires_grad


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_number_over_tensor_rounds_as_pytorch(dtype):
    x = np.random.default_rng(1).uniform(0.1, 9, 1000).astype(dtype)
    np.testing.assert_array_equal(values(0.7 / ours(x)), values(0.7 / theirs(x)))
    assert (3 / fg.ones(1, requires_grad=True)).grad_fn.name() == "MulBackward0"


@pytest.mark.parametrize("shape, dim, keepdim", [
    ((3, 4), None, False), ((4, 3), None, True), ((3, 3), (0, 1), False), ((2, 3, 4), (0, 2), False), ((2, 3, 4), (-1, 0), True),
    ((2, 0), None, False)])
def test_nuclear_norm(shape, dim, keepdim):
    array = np.random.default_rng(2).normal(size=shape)
    expected, got = theirs(array).requires_grad_(), ours(array).requires_grad_()
    out = torch.norm(expected, "nuc", dim, keepdim), fg.norm(got, "nuc", dim, keepdim)
    np.testing.assert_allclose(values(out[1]), values(out[0]), rtol=1e-13)
    out[0].sum().backward()
    out[1].sum().backward()
    np.testing.assert_allclose(values(got.grad), values(expected.grad), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 4), (4, 3), (3, 3)])
def test_nuclear_norm_second_gradient(shape):
    check_gradients(lambda x: fg.norm(x, "nuc") ** 2, [ours(np.random.default_rng(3).normal(size=shape)).requires_grad_()])


def test_norm_of_order_zero_has_no_gradient():
    x = ours(MATRIX).requires_grad_()
    assert fg.autograd.grad(fg.norm(x, 0), x, allow_unused=True) == (None,)


def test_index_fill_gradient_counts_a_repeated_row_once():
    value = fg.tensor(2.0, requires_grad=True)
    fg.zeros(5, 3).index_fill(1, fg.tensor([0, 0, 1]), value).sum().backward()
    assert value.grad.item() == 10.0


def test_take_along_dim_counts_from_the_end_in_gradients_too():
    x, index = np.arange(6.0).reshape(2, 3), np.array([[-1, 0, -3]])
    expected, got = theirs(x).requires_grad_(), ours(x).requires_grad_()
    torch.take_along_dim(expected, theirs(index), 1).square().sum().backward()
    fg.take_along_dim(got, ours(index), 1).square().sum().backward()
    np.testing.assert_array_equal(values(got.grad), values(expected.grad))


def test_as_strided_inplace():
    x = fg.arange(6.0)
    assert x.as_strided_((2, 2), (1, 3), 1) is x
    assert x.tolist() == torch.arange(6.0).as_strided_((2, 2), (1, 3), 1).tolist()
    assert x.stride() == (1, 3) and x.storage_offset() == 1


NAMES = ["bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64"]


@pytest.mark.parametrize("x, y", [*itertools.product(NAMES, NAMES)])
def test_promotion(x, y):
    mine, other = (getattr(fg, x), getattr(fg, y)), (getattr(torch, x), getattr(torch, y))
    assert str(fg.promote_types(*mine)) == str(torch.promote_types(*other)).replace("torch", str(mine[0]).split(".")[0])
    assert fg.can_cast(*mine) == torch.can_cast(*other)
    for shapes in (((2,), ()), ((), (2,)), ((), ())):
        got = fg.result_type(*(fg.ones(s, dtype=d) for s, d in zip(shapes, mine)))
        expected = torch.result_type(*(torch.ones(s, dtype=d) for s, d in zip(shapes, other)))
        assert str(got).split(".")[1] == str(expected).split(".")[1]


@pytest.mark.parametrize("call, error", [
    (lambda x: x - True, RuntimeError), (lambda x: True - x, RuntimeError), (lambda x: x.logical_and(1), TypeError),
    (lambda x: ~x, TypeError), (lambda x: x.bitwise_not(), NotImplementedError), (lambda x: +x.bool(), RuntimeError),
    (lambda x: x.norm("inf"), RuntimeError), (lambda x: x.double().norm(2, dtype=x.dtype), RuntimeError)])
def test_refused_as_in_pytorch(call, error):
    for library in (torch, fg):
        with pytest.raises(error):
            call(library.ones(2, 2))


# ---- three operations that were added by the recipe of CONTRIBUTING.md, as its measure


def test_sinc_at_zero():
    x = fg.tensor([0.0, -0.0, 1.0], dtype=fg.float64, requires_grad=True)
    y = fg.sinc(x)
    assert y[:2].tolist() == [1.0, 1.0] and abs(y[2].item()) < 1e-16
    y.sum().backward()
    np.testing.assert_allclose(x.grad.tolist(), [0.0, 0.0, -1.0], atol=1e-15)


@pytest.mark.parametrize("first, second, dim", [((3,), (3,), 0), ((2, 3), (2, 3), None), ((2, 3, 4), (1, 3, 4), 1), ((3, 5), (3, 5), -2),
                                                ((0, 3), (0, 3), 1)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int8"])
def test_cross(first, second, dim, dtype):
    rng = np.random.default_rng(5)
    x, y = (rng.integers(-5, 6, shape).astype(dtype) for shape in (first, second))
    expected = torch.cross(theirs(x), theirs(y), dim=1 if dim is None else dim)
    np.testing.assert_array_equal(values(fg.cross(ours(x), ours(y), dim)), values(expected))


@pytest.mark.parametrize("first, second", [((2, 3), (2, 3)), ((1, 3), (4, 3))])
def test_cross_gradients(first, second):
    rng = np.random.default_rng(6)
    x, y = (ours(rng.normal(size=shape)).requires_grad_() for shape in (first, second))
    check_gradients(lambda x, y: fg.cross(x, y, 1), [x, y])


@pytest.mark.parametrize("n", [0, 1, 2, 7])
@pytest.mark.parametrize("dtype", ["float64", "int32", "bool"])
def test_diff(n, dtype):
    x = np.random.default_rng(7).integers(0, 9, (3, 5)).astype(dtype)
    for dim in (0, -1):
        np.testing.assert_array_equal(values(fg.diff(ours(x), n, dim)), values(torch.diff(theirs(x), n, dim)))
    edge = x[:, :1]
    got = fg.diff(ours(x), n, prepend=ours(edge), append=ours(edge))
    np.testing.assert_array_equal(values(got), values(torch.diff(theirs(x), n, prepend=theirs(edge), append=theirs(edge))))


@pytest.mark.parametrize("call, error", [
    (lambda m: m.cross(m.ones(3), m.ones(2, 3)), RuntimeError), (lambda m: m.cross(m.ones(4), m.ones(4), 0), RuntimeError),
    (lambda m: m.cross(m.ones(2, 2), m.ones(2, 2)), RuntimeError), (lambda m: m.cross(m.ones(3), m.ones(3).double()), RuntimeError),
    (lambda m: m.cross(m.ones(3) > 0, m.ones(3) > 0), NotImplementedError), (lambda m: m.diff(m.tensor(1.0)), RuntimeError),
    (lambda m: m.diff(m.ones(3), -1), RuntimeError), (lambda m: m.diff(m.ones(3), dim=4), IndexError)])
def test_cross_and_diff_refuse(call, error):
    for library in (torch, fg):
        with pytest.raises(error):
            call(library)


def test_broadcast_shapes():
    assert fg.broadcast_shapes((2, 1), (3,), 1) == torch.broadcast_shapes((2, 1), (3,), 1) == (2, 3)
    assert fg.broadcast_shapes() == ()
    with pytest.raises(RuntimeError):
        fg.broadcast_shapes((2,), (3,))


@pytest.mark.parametrize("name", ["relu", "gelu", "embedding"])
def test_functions_are_copied_and_pickled_by_name(name):
    import copy
    import pickle

    function = getattr(fg.nn.functional, name)
    assert copy.deepcopy(function) is function
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("call", [
    lambda T, n: T.randint(0, n, (4,)), lambda T, n: T.randint(n, (4,)), lambda T, n: T.zeros(4).random_(n), lambda T, n: T.randint(-n, 1 << 40, (3,)),
    lambda T, n: T.nn.functional.max_pool2d(T.arange(16.0).reshape(1, 4, 4), n), lambda T, n: T.nn.MaxPool1d(n, stride=n)(T.arange(8.0).reshape(1, 8)),
    lambda T, n: T.nn.functional.conv2d(T.ones(1, 1, 4, 4), T.ones(1, 1, 2, 2), stride=n, padding=n),
    lambda T, n: T.nn.functional.unfold(T.arange(16.0).reshape(1, 1, 4, 4), n)])
def test_integers_of_numpy_where_ints_stand(call):
    torch.manual_seed(2), fg.manual_seed(2)
    assert call(fg, np.int64(2)).tolist() == call(torch, np.int64(2)).tolist()
