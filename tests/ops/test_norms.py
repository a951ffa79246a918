"""Normalizations against PyTorch: values, running statistics, gradients twice, errors; the modules."""

import fastgrad
import numpy as np
import pytest
import torch

from tests.gradients import check_gradients, inputs_for
from tests.nn.both import assert_same, assert_same_error
from tests.ops.oracle import random_array

CASES = {
    "layer": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.layer_norm(x, (5,), w, b), 5),
    "rms": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.rms_norm(x, (5,), w) + b, 5),
    "group": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.group_norm(x, 2, w, b), 4),
    "batch": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.batch_norm(x, None, None, w, b, True), 4),
    "batch eval": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.batch_norm(x, m.tensor([0.3, -1, 0, 2], dtype=x.dtype),
                                                                  m.tensor([0.5, 1, 2, 3], dtype=x.dtype), w, b), 4),
    "instance": ((3, 4, 5), lambda m, x, w, b: m.nn.functional.instance_norm(x, None, None, w, b), 4),
    "local response": ((3, 6, 5), lambda m, x, w, b: m.nn.functional.local_response_norm(x, 3, 0.5) * w + b, 5),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients(name, dtype):
    shape, function, n = CASES[name]
    x, w, b = random_array(shape, dtype), random_array((n,), dtype, seed=1), random_array((n,), dtype, seed=2)

    def run(m):
        leaves = [m.tensor(a, requires_grad=True) for a in (x, w, b)]
        out = function(m, *leaves)
        (out * m.tensor(random_array(shape, dtype, seed=3))).sum().backward()
        return [out, *(leaf.grad for leaf in leaves if leaf.grad is not None)]

    assert_same(run, rtol=1e-4 if dtype == "float32" else 1e-10, atol=2e-5 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", CASES)
def test_gradients_of_gradients(name):
    shape, function, n = CASES[name]
    check_gradients(lambda x, w, b: function(fastgrad, x, w, b), inputs_for([shape, (n,), (n,)]), name=name)


@pytest.mark.parametrize("kind, arguments, shape", [
    ("BatchNorm1d", (4,), (5, 4)), ("BatchNorm1d", (4, 1e-3, None), (5, 4, 3)), ("BatchNorm2d", (4, 1e-5, 0.3), (2, 4, 3, 3)),
    ("BatchNorm3d", (4, 1e-5, 0.1, False), (2, 4, 2, 3, 2)), ("BatchNorm2d", (4, 1e-5, 0.1, True, False), (2, 4, 3, 3)),
    ("InstanceNorm1d", (4,), (5, 4, 3)), ("InstanceNorm2d", (4, 1e-5, 0.1, True, True), (2, 4, 3, 3)), ("InstanceNorm3d", (4,), (4, 2, 3, 2)),
    ("LayerNorm", (4,), (5, 4)), ("LayerNorm", ((3, 4), 1e-3, True, False), (5, 3, 4)), ("LayerNorm", (4, 1e-5, False), (5, 4)),
    ("GroupNorm", (2, 4), (5, 4, 3)), ("GroupNorm", (4, 4, 1e-3, False), (5, 4)), ("RMSNorm", (4,), (5, 4)),
    ("RMSNorm", ((3, 4), 1e-3, False), (5, 3, 4)), ("LocalResponseNorm", (2,), (5, 4, 3)), ("LocalResponseNorm", (3, 0.1, 0.5, 2.0), (5, 4, 3))])
def test_modules(kind, arguments, shape):
    x, y = random_array(shape, "float32"), random_array(shape, "float32", seed=1)
    assert_same(lambda m: getattr(m.nn, kind)(*arguments))

    def run(m):
        module = getattr(m.nn, kind)(*arguments)
        outputs = [module(m.from_numpy(x)), module(m.from_numpy(y))]
        states = dict(module.state_dict())
        module.eval()
        return [*outputs, module(m.from_numpy(x)), states]

    assert_same(run, rtol=1e-4, atol=1e-5)


def test_extreme_means():
    x = random_array((4, 300), "float32") + np.float32(1000)
    assert_same(lambda m: m.nn.functional.layer_norm(m.from_numpy(x.astype("float64")), (300,)), rtol=1e-8, atol=1e-9)
    assert_same(lambda m: m.nn.functional.batch_norm(m.from_numpy(x.T.astype("float64")), None, None, training=True), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("function", [
    lambda m: m.nn.functional.batch_norm(m.zeros(1, 3), None, None, training=True),
    lambda m: m.nn.functional.instance_norm(m.zeros(2, 3, 1)),
    lambda m: m.nn.GroupNorm(2, 3),
    lambda m: m.nn.BatchNorm2d(3)(m.zeros(2, 3)),
    lambda m: m.nn.BatchNorm1d(3)(m.zeros(2, 3, 4, 5)),
    lambda m: m.nn.InstanceNorm2d(3)(m.zeros(2, 3)),
    lambda m: m.nn.functional.layer_norm(m.zeros(2, 3), (4,))])
def test_errors(function):
    assert_same_error(function)


@pytest.mark.parametrize("function, key", [
    (lambda m: m.nn.functional.group_norm(m.zeros(2, 3, 4), 2), "divisible by num_groups"),
    (lambda m: m.nn.functional.batch_norm(m.zeros(2, 3), None, None), "running_mean must be defined in evaluation mode"),
    (lambda m: m.nn.functional.batch_norm(m.zeros(2, 3), m.zeros(4), m.ones(4)), "running_mean should contain 3 elements not 4"),
    (lambda m: m.nn.functional.layer_norm(m.zeros(2, 3), (3,), m.zeros(2)), "Expected weight to be of same shape as normalized_shape")])
def test_errors_by_key_words(function, key):
    for m in (torch, fastgrad):
        with pytest.raises(RuntimeError, match=key):
            function(m)
