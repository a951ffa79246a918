"""Dropouts of channels and of self-normalizing networks: the numbers PyTorch draws for a seed, in place and not, and its errors."""

import pytest

from tests.nn.both import assert_same, assert_same_error

SHAPES = {"dropout1d": [(3, 4), (2, 3, 4), (0, 3, 4)], "dropout2d": [(2, 3), (3, 4, 2), (2, 3, 2, 2), (1, 2, 2, 2, 2)],
          "dropout3d": [(3,), (3, 2, 2), (3, 2, 2, 2), (2, 3, 2, 2, 2)], "alpha_dropout": [(), (5,), (2, 3, 4)],
          "feature_alpha_dropout": [(5, 7), (5, 7, 2)]}
CASES = [(name, shape) for name, shapes in SHAPES.items() for shape in shapes]


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(("name", "shape"), CASES, ids=str)
def test_numbers_and_gradient(name, shape, p, inplace):
    def observe(lib):
        lib.manual_seed(3)
        leaf = lib.linspace(-1, 2, max(1, lib.ones(shape).numel()))[: lib.ones(shape).numel()].reshape(shape).requires_grad_()
        x = leaf * 1
        y = getattr(lib.nn.functional, name)(x, p, True, inplace)
        (y * y).sum().backward()
        return y, leaf.grad, y is x

    assert_same(observe, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("layer", ["Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
def test_layer(layer):
    def observe(lib):
        lib.manual_seed(1)
        made = getattr(lib.nn, layer)(0.4)
        x = lib.ones(2, 3, 2, 2)[:, :, 0] if layer == "Dropout1d" else lib.ones(2, 3, 2, 2)
        return repr(made), made(x), made.eval()(x)

    assert_same(observe, rtol=1e-6)


@pytest.mark.parametrize("layer", ["Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
def test_probability_of_a_layer(layer):
    assert_same_error(lambda lib: getattr(lib.nn, layer)(1.5))


@pytest.mark.parametrize("name", SHAPES)
def test_errors(name):
    assert_same_error(lambda lib: getattr(lib.nn.functional, name)(lib.ones(2, 3, 2), -0.5, True))
    if name != "alpha_dropout":
        assert_same_error(lambda lib: getattr(lib.nn.functional, name)(lib.ones(()), 0.5, True))
