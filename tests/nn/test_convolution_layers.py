"""Convolutions and pooling against PyTorch: values, first and second gradients, initial weights, texts, errors."""

import numpy as np
import pytest
import torch

import fastgrad as fg

from .both import assert_same, outcome

CONVOLUTIONS = [
    (1, (2, 4, 9), (6, 4, 3), {}),
    (1, (2, 4, 9), (6, 2, 4), {"stride": 2, "padding": 3, "groups": 2}),
    (1, (4, 9), (6, 4, 4), {"padding": "same"}),
    (2, (2, 3, 7, 8), (4, 3, 3, 2), {}),
    (2, (2, 3, 7, 8), (4, 3, 3, 2), {"padding": "same", "dilation": (1, 2)}),
    (2, (2, 3, 7, 8), (4, 3, 3, 3), {"padding": "valid"}),
    (2, (2, 4, 7, 9), (4, 1, 3, 3), {"stride": 2, "padding": (1, 2), "groups": 4}),
    (2, (4, 6, 6), (8, 2, 1, 1), {"stride": (2, 1), "groups": 2}),
    (3, (2, 2, 5, 4, 6), (3, 2, 2, 3, 3), {"padding": 1, "stride": (1, 2, 1), "dilation": (2, 1, 1)}),
]
TRANSPOSED = [
    (1, (2, 4, 5), (4, 3, 3), {}),
    (1, (4, 5), (4, 2, 4), {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2}),
    (2, (2, 3, 4, 5), (3, 2, 3, 2), {"stride": 2, "padding": 1, "output_padding": 1}),
    (2, (2, 4, 4, 5), (4, 2, 3, 3), {"stride": (1, 2), "padding": 2, "dilation": (2, 3), "groups": 2}),
    (2, (1, 2, 5, 5), (2, 2, 1, 1), {"padding": 1, "stride": 2}),
    (3, (1, 2, 3, 2, 3), (2, 2, 2, 3, 2), {"stride": 2, "output_padding": (1, 0, 1)}),
]
CASES = [(f"conv{n}d", shape, weight, weight[0], options) for n, shape, weight, options in CONVOLUTIONS]
CASES += [(f"conv_transpose{n}d", shape, weight, weight[1] * options.get("groups", 1), options)
          for n, shape, weight, options in TRANSPOSED]


def gradients(lib, function, arrays):
    """The function's values, the gradients of their sum of cubes, and the gradients of those gradients' squares."""
    leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in arrays]
    out = function(lib, *leaves)
    first = lib.autograd.grad((out ** 3).sum(), leaves, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), leaves)
    return [t.detach().numpy() for t in (out, *first, *second)]


def compare(function, arrays, rtol=1e-9):
    expected, found = gradients(torch, function, arrays), gradients(fg, function, arrays)
    for e, f in zip(expected, found, strict=True):
        assert e.shape == f.shape
        np.testing.assert_allclose(f, e, rtol=rtol, atol=rtol * max(np.abs(e).max(), 1))


def normal(*shapes):
    rng = np.random.default_rng(sum(map(sum, shapes)))
    return [rng.standard_normal(shape) for shape in shapes]


@pytest.mark.parametrize("name, shape, weight, outputs, options", CASES)
def test_convolution(name, shape, weight, outputs, options):
    arrays = normal(shape, weight, (outputs,))
    compare(lambda lib, x, w, b: getattr(lib.nn.functional, name)(x, w, b, **options), arrays)
    compare(lambda lib, x, w: getattr(lib.nn.functional, name)(x, w, **options), arrays[:2])


def test_float32():
    x, w, b = (a.astype(np.float32) for a in normal((3, 5, 9, 9), (7, 5, 3, 3), (7,)))
    assert_same(lambda lib: lib.nn.functional.conv2d(*map(lib.from_numpy, (x, w, b)), padding=1), rtol=1e-5, atol=1e-5)


POOLS = [
    ("max_pool1d", (2, 3, 9), (3,), {}),
    ("max_pool1d", (3, 9), (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    ("max_pool2d", (2, 3, 8, 9), (2,), {}),
    ("max_pool2d", (2, 3, 8, 9), ((3, 2),), {"stride": 2, "padding": 1, "dilation": (1, 2)}),
    ("max_pool2d", (3, 8, 9), (3,), {"stride": 2, "ceil_mode": True}),
    ("max_pool3d", (1, 2, 5, 6, 5), (2,), {"stride": (1, 2, 2), "padding": 1}),
    ("avg_pool1d", (2, 3, 9), (3,), {"stride": 2, "padding": 1}),
    ("avg_pool2d", (2, 3, 8, 9), (2,), {}),
    ("avg_pool2d", (2, 3, 8, 9), (3,), {"stride": 2, "padding": 1, "ceil_mode": True}),
    ("avg_pool2d", (3, 8, 9), (3,), {"stride": 2, "padding": 1, "ceil_mode": True, "count_include_pad": False}),
    ("avg_pool2d", (2, 3, 8, 9), (3,), {"divisor_override": 5}),
    ("avg_pool3d", (1, 2, 5, 6, 5), (2,), {"padding": 1, "ceil_mode": True}),
]


@pytest.mark.parametrize("name, shape, arguments, options", POOLS)
def test_pooling(name, shape, arguments, options):
    arrays = normal(shape)
    compare(lambda lib, x: getattr(lib.nn.functional, name)(x, *arguments, **options), arrays)
    if name.startswith("max"):
        assert_same(lambda lib: getattr(lib.nn.functional, name)(lib.from_numpy(arrays[0]), *arguments, return_indices=True, **options))


@pytest.mark.parametrize("make", [
    lambda lib: lib.nn.Conv1d(2, 4, 3, padding=1, bias=False),
    lambda lib: lib.nn.Conv2d(2, 4, 3, stride=2, groups=2),
    lambda lib: lib.nn.Conv2d(2, 4, (3, 5), padding="same", dilation=2),
    lambda lib: lib.nn.Conv3d(1, 2, 3, padding=(1, 0, 1)),
    lambda lib: lib.nn.ConvTranspose1d(2, 3, 4, 2),
    lambda lib: lib.nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2),
    lambda lib: lib.nn.ConvTranspose3d(1, 2, 2, bias=False),
    lambda lib: lib.nn.MaxPool1d(3), lambda lib: lib.nn.MaxPool2d(2, 1, ceil_mode=True), lambda lib: lib.nn.MaxPool3d((1, 2, 2)),
    lambda lib: lib.nn.AvgPool1d(3), lambda lib: lib.nn.AvgPool2d(2, 1), lambda lib: lib.nn.AvgPool3d((1, 2, 2)),
])
def test_layers(make):
    def build(lib):
        lib.manual_seed(3)
        layer = make(lib)
        n = int(type(layer).__name__[-2])
        x = lib.from_numpy(normal((2, getattr(layer, "in_channels", 3), *range(6, 6 + n)))[0].astype(np.float32))
        return [layer, layer.state_dict(), layer(x)]

    assert_same(build, rtol=1e-5, atol=1e-5)


def test_output_size():
    def sized(lib):
        lib.manual_seed(0)
        return lib.nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)(lib.ones(1, 2, 4, 4), output_size=(8, 7))

    assert_same(sized, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("wrong", [
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 4, 3, 3)),
    lambda lib: lib.nn.functional.conv2d(lib.ones(3, 4), lib.ones(2, 3, 3, 3)),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 2, 2), lib.ones(2, 3, 3, 3)),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 3, 3, 3), lib.ones(3)),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 3, 3, 3), stride=0),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 3, 3, 3), padding=-1),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4), lib.ones(2, 3, 3, 3), padding="same", stride=2),
    lambda lib: lib.nn.functional.conv2d(lib.ones(1, 3, 4, 4).double(), lib.ones(2, 3, 3, 3)),
    lambda lib: lib.nn.functional.conv_transpose2d(lib.ones(1, 2, 4, 4), lib.ones(2, 3, 3, 3), output_padding=1),
    lambda lib: lib.nn.functional.max_pool2d(lib.ones(1, 2, 4, 4), 2, padding=2),
    lambda lib: lib.nn.functional.max_pool2d(lib.ones(1, 2, 1, 1), 2),
    lambda lib: lib.nn.functional.avg_pool2d(lib.ones(1, 2, 4, 4), 2, divisor_override=0),
    lambda lib: lib.nn.Conv2d(3, 4, 3, groups=2),
    lambda lib: lib.nn.Conv2d(2, 4, 3, padding="x"),
    lambda lib: lib.nn.ConvTranspose2d(2, 4, 3, padding_mode="reflect"),
])
def test_errors(wrong):
    expected, found = (outcome(wrong, lib)["result"] for lib in (torch, fg))
    assert isinstance(expected, dict) and isinstance(found, dict), (expected, found)
    assert found["raised"] == expected["raised"], (expected, found)
