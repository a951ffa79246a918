"""Losses against PyTorch: values, gradients of both inputs, fused and differentiable, second order, every reduction; errors."""

import itertools
import warnings

import fastgrad as fg
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.ops.rows import ours, theirs, values

REDUCTIONS = ["mean", "sum", "none"]
SHAPES = [(), (5,), (3, 4), (0,), (300,)]
DIFFERENCES = {
    "mse_loss": [{}], "l1_loss": [{}], "smooth_l1_loss": [{}, {"beta": 0.5}, {"beta": 0.0}], "huber_loss": [{}, {"delta": 0.5}],
}
CLASS_SHAPES = [(5,), (4, 5), (1, 1), (7, 3), (2, 5, 3), (2, 3, 4, 5), (3, 2000), (130, 10), (0, 4), (2, 70, 3), (1, 3, 150)]


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def normal(shape, dtype, seed, scale=1.0):
    return np.array(np.random.default_rng(seed).normal(size=shape) * scale, dtype)


def uniform(shape, dtype, seed, low=0.05, high=0.95):
    return np.array(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def tensors(make, arrays, wanted, options):
    made = [make(a) for a in arrays]
    for t, want in zip(made, wanted, strict=True):
        if want:
            t.requires_grad_()
    return made, {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


def close(got, expected, what):
    """Both sides round in their own order: a few ulps of the largest element."""
    assert got.shape == expected.shape and got.dtype == expected.dtype, what
    if got.size:
        eps = np.finfo(got.dtype).eps
        scale = max(np.nanmax(np.abs(expected)), 1 / expected.size)
        np.testing.assert_allclose(got, expected, rtol=64 * eps, atol=16 * eps * scale, err_msg=what)


def compare(name, arrays, wanted, **options):
    """Value, gradients (fused, then differentiable), and for float64 the second order along a random direction."""
    theirs_in, theirs_options = tensors(theirs, arrays, wanted, options)
    ours_in, ours_options = tensors(ours, arrays, wanted, options)
    expected = getattr(F, name)(*theirs_in, **theirs_options)
    got = getattr(fg.nn.functional, name)(*ours_in, **ours_options)
    close(values(got), values(expected), f"{name} value")
    theirs_in = [t for t in theirs_in if t.requires_grad]
    ours_in = [t for t in ours_in if t.requires_grad]
    if not theirs_in:
        return
    weight = normal(values(expected).shape, values(expected).dtype, 9)
    first = torch.autograd.grad(expected, theirs_in, theirs(weight), create_graph=True)
    fused = fg.autograd.grad(got, ours_in, ours(weight), retain_graph=True)
    graph = fg.autograd.grad(got, ours_in, ours(weight), create_graph=True)
    for e, f, g in zip(first, fused, graph, strict=True):
        e = e.detach().clone().numpy(force=True)
        close(values(f), e, f"{name} gradient")
        close(values(g), e, f"{name} differentiable gradient")
    directions = [normal(tuple(e.shape), np.float64, 10 + i) for i, e in enumerate(first)]
    if values(expected).dtype == np.float64 and any(e.requires_grad for e in first):
        second_order(first, theirs_in, graph, ours_in, directions, name)


def second_order(first, theirs_in, graph, ours_in, directions, name):
    pairs = [(e, g, d) for e, g, d in zip(first, graph, directions, strict=True) if e.requires_grad and g.requires_grad]
    if not pairs:
        return
    expected = torch.autograd.grad([e for e, _, _ in pairs], theirs_in, [theirs(d) for _, _, d in pairs], allow_unused=True)
    got = fg.autograd.grad([g for _, g, _ in pairs], ours_in, [ours(d) for _, _, d in pairs], allow_unused=True)
    for e, g, t in zip(expected, got, theirs_in, strict=True):
        zero = np.zeros(tuple(t.shape))
        e = zero if e is None else e.numpy(force=True)
        g = zero if g is None else values(g)
        np.testing.assert_allclose(g, e, rtol=1e-7, atol=1e-12, err_msg=f"{name} second order")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences(name, dtype, shape):
    x, y = normal(shape, dtype, 1, 2.0), normal(shape, dtype, 2)
    for reduction, options, wanted in itertools.product(REDUCTIONS, DIFFERENCES[name], [(1, 0), (0, 1), (1, 1)]):
        compare(name, [x, y], wanted, reduction=reduction, **options)
    if name != "smooth_l1_loss":
        for reduction in REDUCTIONS:
            compare(name, [x, y], (1, 1), reduction=reduction, weight=uniform(shape, dtype, 3, 0.5, 2))


def test_at_the_kinks():
    x = np.array([0.0, 1.0, -1.0, 0.5, -0.5, 2.0, np.inf, -np.inf, np.nan])
    for name, options in [("l1_loss", {}), ("smooth_l1_loss", {"beta": 0.5}), ("huber_loss", {"delta": 0.5})]:
        arrays = [x, np.zeros_like(x)]
        theirs_in, ours_in = theirs(arrays[0]).requires_grad_(), ours(arrays[0]).requires_grad_()
        getattr(F, name)(theirs_in, theirs(arrays[1]), reduction="sum", **options).backward()
        getattr(fg.nn.functional, name)(ours_in, ours(arrays[1]), reduction="sum", **options).backward()
        np.testing.assert_array_equal(values(ours_in.grad)[:8], values(theirs_in.grad)[:8], err_msg=name)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_binary(name, dtype, shape):
    logits = name.endswith("logits")
    x = normal(shape, dtype, 1, 2.0) if logits else uniform(shape, dtype, 1)
    y, weight = uniform(shape, dtype, 2), uniform(shape, dtype, 3, 0.5, 2)
    for reduction, wanted in itertools.product(REDUCTIONS, [(1, 0), (0, 1), (1, 1)]):
        compare(name, [x, y], wanted, reduction=reduction)
    for reduction in REDUCTIONS:
        compare(name, [x, y], (1, 0), reduction=reduction, weight=weight)
        if logits:
            compare(name, [x, y], (1, 1), reduction=reduction, pos_weight=weight)
            compare(name, [x, y], (1, 0), reduction=reduction, pos_weight=weight, weight=weight)


def test_binary_at_the_ends():
    """The logarithms stop at -100, and the gradient stays finite (float32: no second order there)."""
    x, y = np.array([0, 1, 0, 1], np.float32), np.array([0, 0, 1, 1], np.float32)
    compare("binary_cross_entropy", [x, y], (1, 0), reduction="none")
    compare("binary_cross_entropy_with_logits", [x * 2000 - 1000, y], (1, 0), reduction="none")


def class_case(shape, dtype):
    classes = shape[0] if len(shape) == 1 else shape[1]
    rows = () if len(shape) == 1 else (shape[0], *shape[2:])
    rng = np.random.default_rng(sum(shape))
    target = np.array(rng.integers(0, classes, rows))
    return normal(shape, dtype, 4, 3.0), target, uniform((classes,), dtype, 5, 0.5, 2)


@pytest.mark.parametrize("shape", CLASS_SHAPES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_classes(name, dtype, shape):
    x, target, weight = class_case(shape, dtype)
    smoothings = [{}, {"label_smoothing": 0.1}, {"label_smoothing": 1.0}] if name == "cross_entropy" else [{}]
    for reduction, options, smoothing in itertools.product(REDUCTIONS, [{}, {"weight": weight}, {"ignore_index": 0}], smoothings):
        some_ignored = target.copy()
        some_ignored.flat[: target.size // 2] = options.get("ignore_index", -100)
        for classes in (target, some_ignored):
            compare(name, [x, classes], (1, 0), reduction=reduction, **options, **smoothing)


@pytest.mark.parametrize("shape", [s for s in CLASS_SHAPES if 0 not in s])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_probabilities(dtype, shape):
    x, _, weight = class_case(shape, dtype)
    target = uniform(shape, dtype, 6, 0, 1)
    target /= target.sum(0 if len(shape) == 1 else 1, keepdims=True)
    options = [{}, {"weight": weight}, {"label_smoothing": 0.1}, {"weight": weight, "label_smoothing": 0.1}]
    for reduction, option, wanted in itertools.product(REDUCTIONS, options, [(1, 0), (1, 1)]):
        compare("cross_entropy", [x, target.astype(dtype)], wanted, reduction=reduction, **option)


def test_all_rows_ignored():
    x, target = normal((3, 4), "float64", 1), np.full(3, -100)
    compare("cross_entropy", [x, target], (1, 0), reduction="sum")
    leaf = ours(x).requires_grad_()
    loss = fg.nn.functional.cross_entropy(leaf, ours(target))
    loss.backward()
    assert np.isnan(values(loss)) and not values(leaf.grad).any()


def test_other_layouts():
    x, y = normal((4, 6), "float64", 1), normal((6, 4), "float64", 2)
    expected = F.mse_loss(theirs(x).T, theirs(y))
    np.testing.assert_allclose(values(fg.nn.functional.mse_loss(fg.from_numpy(x.T), ours(y))), values(expected), rtol=1e-14)
    target = np.array([0, 3, 1, 2, 0, 1])
    expected = F.cross_entropy(theirs(x).T, theirs(target))
    np.testing.assert_allclose(values(fg.nn.functional.cross_entropy(fg.from_numpy(x.T), ours(target))), values(expected), rtol=1e-14)


def test_mse_rounds_as_pytorch():
    """Gradients have PyTorch's bits: scale * (input - target) * grad, in that order; the forward's sum has its own order."""
    for n in (1, 2, 3, 5, 7):
        x, y = normal((n, 1), "float32", n), normal((n, 1), "float32", n + 50)
        theirs_in, ours_in = theirs(x).requires_grad_(), ours(x).requires_grad_()
        expected, got = F.mse_loss(theirs_in, theirs(y)), fg.nn.functional.mse_loss(ours_in, ours(y))
        expected.backward()
        got.backward()
        np.testing.assert_array_equal(values(ours_in.grad), values(theirs_in.grad))
        np.testing.assert_allclose(values(got), values(expected), rtol=4 * np.finfo(np.float32).eps)


@pytest.mark.parametrize("average, reduce", itertools.product([None, True, False], repeat=2))
def test_old_reductions(average, reduce):
    x, y = normal((4, 3), "float64", 1), normal((4, 3), "float64", 2)
    compare("mse_loss", [x, y], (1, 0), size_average=average, reduce=reduce)


X = normal((3, 4), "float32", 1)
WRONG = [
    ("cross_entropy", (X, np.array([0, 1])), {}),
    ("cross_entropy", (X, np.array([0, 1, 4])), {}),
    ("cross_entropy", (X, np.array([0, 1, -1])), {}),
    ("nll_loss", (X, np.array([0, 1, 4])), {}),
    ("cross_entropy", (X, np.array([0, 1, 2], np.int32)), {}),
    ("cross_entropy", (X, np.array([[0, 1, 2]])), {}),
    ("cross_entropy", (X, np.array([0, 1, 2])), {"weight": np.ones(3, np.float32)}),
    ("cross_entropy", (X, np.array([0, 1, 2])), {"weight": np.ones(4)}),
    ("cross_entropy", (X, np.array([0, 1, 2])), {"label_smoothing": 2.0}),
    ("cross_entropy", (X, X[:2]), {}),
    ("cross_entropy", (X, X[:, 0]), {}),
    ("cross_entropy", (X, np.array(1)), {}),
    ("cross_entropy", (X[0], np.array([0, 1])), {}),
    ("nll_loss", (normal((2, 4, 3), "float32", 1), np.zeros((2, 4), int)), {}),
    *[(name, (X, X), {"reduction": "x"}) for name in (*DIFFERENCES, "binary_cross_entropy_with_logits")],
    *[(name, (X.astype(int), X.astype(int)), {}) for name in DIFFERENCES],
    ("mse_loss", (X, X[:2]), {}),
    ("mse_loss", (X, X), {"weight": np.ones(3, np.float32)}),
    ("huber_loss", (X, X), {"delta": 0.0}),
    ("smooth_l1_loss", (X, X), {"beta": -1.0}),
    ("binary_cross_entropy", (abs(X) + 2, abs(X)), {}),
    ("binary_cross_entropy", (abs(X), abs(X[:2])), {}),
    ("binary_cross_entropy_with_logits", (X, X[:2]), {}),
]


@pytest.mark.parametrize("name, arrays, options", WRONG)
def test_errors(name, arrays, options):
    with pytest.raises(Exception) as expected:
        inputs, options_ = tensors(theirs, arrays, (0, 0), options)
        getattr(F, name)(*inputs, **options_)
    with pytest.raises(expected.type):
        inputs, options_ = tensors(ours, arrays, (0, 0), options)
        getattr(fg.nn.functional, name)(*inputs, **options_)
