"""Softmax and log_softmax: against PyTorch, at every small size, at extreme inputs; their gradients."""

import fastgrad
import numpy as np
import pytest

from tests.gradients import check_gradients, inputs_for
from tests.ops.oracle import check, random_array, torch


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_values(name):
    for shape in ((), (1,), (5,), (3, 4), (2, 3, 4), (7, 300), (300, 7), (0,), (3, 0), (0, 3)):
        for dim in (0, -1, 3):
            for dtype in ("float32", "float64"):
                check(lambda m, x: getattr(x, name)(dim), random_array(shape, dtype), label=(name, shape, dim))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_every_small_size(name):
    for n in [*range(1, 71), 255, 256, 257, 513]:
        for shape, dim in (((3, n), 1), ((n, 3), 0), ((2, n, 3), 1)):
            check(lambda m, x: getattr(x, name)(dim), random_array(shape, "float32"), label=(name, shape))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_extreme_inputs(name):
    for x in ([1000.0, 999.0, -1000.0], [-np.inf, 0.0, 1.0], [np.inf, 1.0], [np.nan, 1.0], [-np.inf, -np.inf], [1e-30, 0.0]):
        check(lambda m, t: getattr(t, name)(0), np.array(x), rtol=1e-12, label=(name, x))
        check(lambda m, t: getattr(t, name)(0), np.repeat(np.array(x)[:, None], 3, 1), rtol=1e-12, label=(name, x))


def test_dtype_and_errors():
    check(lambda m, t: m.softmax(t, 0, dtype=m.float64), random_array((4,), "int64"), rtol=1e-12)
    check(lambda m, t: m.log_softmax(t, dim=0, dtype=m.float32), random_array((4,), "float64"))
    for library in (torch, fastgrad):
        with pytest.raises(NotImplementedError, match="not implemented for 'Long'"):
            library.tensor([1, 2]).softmax(0)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_gradients(name):
    for shape in ((5,), (3, 4), (2, 3, 4)):
        for dim in range(len(shape)):
            check_gradients(lambda x: getattr(x, name)(dim), inputs_for([shape]), name=f"{name} {shape} {dim}")


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_long_gradients(name):
    """Rows and columns longer than a block."""
    for shape, dim in (((2, 600), 1), ((600, 2), 0), ((3, 300), 0)):
        x, w = random_array(shape, "float64"), random_array(shape, "float64", seed=1)
        grads = []
        for library in (fastgrad, torch):
            t = library.tensor(x, requires_grad=True)
            (getattr(t, name)(dim) * library.tensor(w)).sum().backward()
            grads.append(np.array(t.grad.tolist()))
        np.testing.assert_allclose(*grads, rtol=1e-12, atol=1e-14)
