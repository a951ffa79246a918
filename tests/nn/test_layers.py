"""Layers and losses against PyTorch's: repr, output, gradient, legacy arguments, errors; and functional.py's compositions."""

import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error

RTOL = 2e-6  # float32: results of a few operations, each within 2 ulp

VALUES = [[-30.0, -1.5, -0.5, -0.0], [0.0, 0.25, 2.0, 30.0], [-2.0, 1.0, 6.0, 0.5]]

LAYERS = {
    "Identity()": lambda n: n.Identity(),
    "Identity(1, a=2)": lambda n: n.Identity(1, a=2),
    "Flatten()": lambda n: n.Flatten(),
    "Flatten(0)": lambda n: n.Flatten(0, -1),
    "Unflatten(1, (2, 2))": lambda n: n.Unflatten(1, (2, 2)),
    "Linear(4, 2)": lambda n: n.Linear(4, 2),
    "Linear(4, 2, bias=False)": lambda n: n.Linear(4, 2, bias=False),
    "Dropout() in eval": lambda n: n.Dropout().eval(),
    "Dropout(0.3)": lambda n: n.Dropout(0.3),
    "Dropout(0.0)": lambda n: n.Dropout(0.0),
    "Dropout(1.0)": lambda n: n.Dropout(1.0),
    "Sigmoid()": lambda n: n.Sigmoid(),
    "LogSigmoid()": lambda n: n.LogSigmoid(),
    "ReLU()": lambda n: n.ReLU(),
    "LeakyReLU()": lambda n: n.LeakyReLU(),
    "LeakyReLU(0.2)": lambda n: n.LeakyReLU(0.2),
    "ELU()": lambda n: n.ELU(),
    "ELU(0.5)": lambda n: n.ELU(0.5),
    "GELU()": lambda n: n.GELU(),
    "GELU('tanh')": lambda n: n.GELU("tanh"),
    "SiLU()": lambda n: n.SiLU(),
    "Softplus()": lambda n: n.Softplus(),
    "Softplus(2, 3)": lambda n: n.Softplus(beta=2, threshold=3),
    "Hardtanh()": lambda n: n.Hardtanh(),
    "Hardtanh(-2, 0.5)": lambda n: n.Hardtanh(-2, 0.5),
    "Hardtanh(min_value=-3)": lambda n: n.Hardtanh(min_value=-3, max_value=3),
    "ReLU6()": lambda n: n.ReLU6(),
    "Tanh()": lambda n: n.Tanh(),
    "Softmax(1)": lambda n: n.Softmax(1),
    "Softmax(dim=0)": lambda n: n.Softmax(dim=0),
    "Softmax()": lambda n: n.Softmax(),
    "LogSoftmax(-1)": lambda n: n.LogSoftmax(-1),
    "LogSoftmax()": lambda n: n.LogSoftmax(),
    "Softmin(1)": lambda n: n.Softmin(1),
    "Softmin()": lambda n: n.Softmin(),
    "Threshold(0.1, 20)": lambda n: n.Threshold(0.1, 20),
}


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_layer(make):
    def observe(lib):
        lib.manual_seed(0)
        layer = make(lib.nn)
        x = lib.tensor(VALUES, requires_grad=True)
        y = layer(x)
        weights = lib.arange(y.numel(), dtype=lib.float32).reshape(y.shape)
        (y * weights).sum().backward()
        return repr(layer), y, x.grad, [p.grad for p in layer.parameters()]

    assert_same(observe, rtol=RTOL, atol=2e-6)       # gradients are sums that cancel, of terms up to 12


INPLACE = {
    "ReLU": lambda n: n.ReLU(inplace=True),
    "ReLU6": lambda n: n.ReLU6(inplace=True),
    "LeakyReLU": lambda n: n.LeakyReLU(0.2, True),
    "ELU": lambda n: n.ELU(inplace=True),
    "SiLU": lambda n: n.SiLU(inplace=True),
    "Hardtanh": lambda n: n.Hardtanh(inplace=True),
    "Threshold": lambda n: n.Threshold(1.0, 9.0, inplace=True),
    "Dropout": lambda n: n.Dropout(0.4, inplace=True),
}


@pytest.mark.parametrize("make", INPLACE.values(), ids=INPLACE)
def test_layer_in_place(make):
    def observe(lib):
        lib.manual_seed(0)
        layer, leaf = make(lib.nn), lib.tensor(VALUES, requires_grad=True)
        x = leaf * 1
        y = layer(x)
        y.sum().backward()
        return repr(layer), y is x, x, leaf.grad

    assert_same(observe, rtol=RTOL, atol=1e-7)


LAYER_ERRORS = {
    "Dropout(2)": lambda n: n.Dropout(2),
    "Dropout(-0.1)": lambda n: n.Dropout(-0.1),
    "Unflatten int": lambda n: n.Unflatten(1, 4),
    "Unflatten floats": lambda n: n.Unflatten(1, (2, 2.0)),
    "Hardtanh(1, 0)": lambda n: n.Hardtanh(1, 0),
    "Linear without sizes": lambda n: n.Linear(),
    "HuberLoss('1')": lambda n: n.HuberLoss(delta="1"),
}


@pytest.mark.parametrize("make", LAYER_ERRORS.values(), ids=LAYER_ERRORS)
def test_layer_errors(make):
    assert_same_error(lambda lib: make(lib.nn))


@pytest.mark.parametrize("sizes", [(1, 1), (3, 5), (64, 32), (0, 2), (2, 0)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_has_pytorchs_weights(sizes, bias):
    def observe(lib):
        lib.manual_seed(3)
        layer = lib.nn.Linear(*sizes, bias=bias)
        return list(layer.parameters()), lib.rand(2)

    assert_same(observe)


def test_linear_dtype_and_device():
    assert_same(lambda lib: lib.nn.Linear(2, 3, dtype=lib.float64, device="cpu").weight.dtype)
    assert_same(lambda lib: (lib.manual_seed(0), lib.nn.Linear(2, 3, dtype=lib.float64).weight)[1])


def test_linear_reset_parameters_draws_again():
    assert_same(lambda lib: (lib.manual_seed(0), layer := lib.nn.Linear(2, 3), layer.reset_parameters(), layer.bias)[3])


LOSSES = {
    "MSELoss": (lambda n, **k: n.MSELoss(**k), "same"),
    "L1Loss": (lambda n, **k: n.L1Loss(**k), "same"),
    "SmoothL1Loss": (lambda n, **k: n.SmoothL1Loss(**k), "same"),
    "SmoothL1Loss(beta=0.5)": (lambda n, **k: n.SmoothL1Loss(beta=0.5, **k), "same"),
    "SmoothL1Loss(beta=0)": (lambda n, **k: n.SmoothL1Loss(beta=0.0, **k), "same"),
    "HuberLoss": (lambda n, **k: n.HuberLoss(**k), "same"),
    "HuberLoss(delta=0.5)": (lambda n, **k: n.HuberLoss(delta=0.5, **k), "same"),
    "BCELoss": (lambda n, **k: n.BCELoss(**k), "probability"),
    "BCEWithLogitsLoss": (lambda n, **k: n.BCEWithLogitsLoss(**k), "probability"),
    "NLLLoss": (lambda n, **k: n.NLLLoss(**k), "class"),
    "NLLLoss(ignore_index=1)": (lambda n, **k: n.NLLLoss(ignore_index=1, **k), "class"),
    "CrossEntropyLoss": (lambda n, **k: n.CrossEntropyLoss(**k), "class"),
    "CrossEntropyLoss(ignore_index=1)": (lambda n, **k: n.CrossEntropyLoss(ignore_index=1, **k), "class"),
    "CrossEntropyLoss(smoothed)": (lambda n, **k: n.CrossEntropyLoss(label_smoothing=0.1, **k), "class"),
    "CrossEntropyLoss(distribution)": (lambda n, **k: n.CrossEntropyLoss(**k), "probability"),
}
WEIGHTED = ["BCELoss", "BCEWithLogitsLoss", "NLLLoss", "CrossEntropyLoss"]


def loss_data(lib, target):
    x = lib.tensor([[0.2, 0.7, 0.1], [0.9, 0.05, 0.3], [0.4, 0.6, 0.5], [0.01, 0.99, 0.3]], requires_grad=True)
    targets = {
        "same": lambda: lib.tensor([[0.0, 2.0, 0.1], [0.9, -1.0, 0.0], [1.0, 0.6, 0.2], [5.0, 0.0, 0.3]]),
        "probability": lambda: lib.tensor([[0.0, 1.0, 0.1], [0.9, 0.3, 0.0], [1.0, 0.6, 0.2], [0.5, 0.0, 0.3]]),
        "class": lambda: lib.tensor([0, 2, 1, 1]),
    }
    return x, targets[target]()


def observe_loss(lib, loss, target):
    x, y = loss_data(lib, target)
    value = loss(x, y)
    value.sum().backward()
    return repr(loss), loss.reduction, dict(loss.state_dict()), value, x.grad


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("make", "target"), LOSSES.values(), ids=LOSSES)
def test_loss(make, target, reduction):
    assert_same(lambda lib: observe_loss(lib, make(lib.nn, reduction=reduction), target), rtol=RTOL, atol=1e-7)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", WEIGHTED)
def test_weighted_loss(name, reduction):
    make, target = LOSSES[name]
    assert_same(
        lambda lib: observe_loss(lib, make(lib.nn, weight=lib.tensor([0.5, 2.0, 0.1]), reduction=reduction), target),
        rtol=RTOL,
        atol=1e-7,
    )


def test_bce_with_logits_pos_weight():
    assert_same(
        lambda lib: observe_loss(lib, lib.nn.BCEWithLogitsLoss(pos_weight=lib.tensor([1.0, 3.0, 0.5])), "probability"),
        rtol=RTOL,
        atol=1e-7,
    )


@pytest.mark.parametrize("reduce", [None, True, False])
@pytest.mark.parametrize("size_average", [None, True, False])
@pytest.mark.parametrize("name", ["MSELoss", "SmoothL1Loss", "NLLLoss", "CrossEntropyLoss", "BCELoss", "BCEWithLogitsLoss"])
def test_legacy_reduction(name, size_average, reduce):
    """The old flags mean what they did, and warn."""
    assert_same(lambda lib: getattr(lib.nn, name)(size_average=size_average, reduce=reduce).reduction)


POSITIONAL = {
    "MSELoss": lambda n, t: n.MSELoss(False, True),
    "CrossEntropyLoss": lambda n, t: n.CrossEntropyLoss(t([1.0, 2.0, 3.0]), None, 1, None, "sum", 0.1),
    "NLLLoss": lambda n, t: n.NLLLoss(t([1.0, 2.0, 3.0]), None, 1, None, "sum"),
    "BCEWithLogitsLoss": lambda n, t: n.BCEWithLogitsLoss(None, None, None, "sum", t([1.0])),
    "SmoothL1Loss": lambda n, t: n.SmoothL1Loss(None, None, "sum", 0.5),
    "HuberLoss": lambda n, t: n.HuberLoss("sum", 0.5),
}


@pytest.mark.parametrize("make", POSITIONAL.values(), ids=POSITIONAL)
def test_positional_arguments(make):
    hidden = ("ignore_index", "label_smoothing", "beta", "delta")

    def observe(lib):
        loss = make(lib.nn, lib.tensor)
        return loss.reduction, [getattr(loss, name, None) for name in hidden], dict(loss.state_dict())

    assert_same(observe)


FUNCTIONS = {
    "relu_": lambda F, x: F.relu_(x),
    "elu_": lambda F, x: F.elu_(x, 0.5),
    "leaky_relu_": lambda F, x: F.leaky_relu_(x, 0.3),
    "hardtanh_": lambda F, x: F.hardtanh_(x, -2.0, 2.0),
    "relu6": lambda F, x: F.relu6(x),
    "relu6 in place": lambda F, x: F.relu6(x, inplace=True),
    "threshold": lambda F, x: F.threshold(x, 0.3, -1.0),
    "threshold_": lambda F, x: F.threshold_(x, 0.3, -1.0),
    "softmax": lambda F, x: F.softmax(x, 1),
    "softmax without dim": lambda F, x: F.softmax(x),
    "softmin": lambda F, x: F.softmin(x, dim=0),
    "log_softmax": lambda F, x: F.log_softmax(x, dim=0),
    "normalize": lambda F, x: F.normalize(x),
    "normalize(p=1, dim=0)": lambda F, x: F.normalize(x, p=1.0, dim=0),
    "normalize(eps=100)": lambda F, x: F.normalize(x, eps=100.0),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_function(function):
    def observe(lib):
        leaf = lib.tensor(VALUES, requires_grad=True)
        y = function(lib.nn.functional, leaf * 1)
        (y * y).sum().backward()
        return y, leaf.grad

    assert_same(observe, rtol=4e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2), (1, 2, 3, 2)])
def test_implicit_softmax_dim(name, shape):
    assert_same(lambda lib: getattr(lib.nn.functional, name)(lib.ones(shape)), rtol=RTOL)


@pytest.mark.parametrize("name", ["softmax", "softmin", "log_softmax"])
def test_softmax_dtype(name):
    assert_same(lambda lib: getattr(lib.nn.functional, name)(lib.tensor([1, 2]), dim=0, dtype=lib.float64), rtol=1e-14)


def test_threshold_keeps_nan():
    assert_same(lambda lib: lib.nn.functional.threshold(lib.tensor([float("nan"), 0.0, 2.0]), 1.0, 5.0))


def test_normalize_out():
    out = fastgrad.zeros(2, 2)
    result = nn.functional.normalize(fastgrad.tensor([[3.0, 4.0], [0.0, 2.0]]), out=out)
    assert result is out
    assert out.flatten().tolist() == pytest.approx([0.6, 0.8, 0.0, 1.0])
