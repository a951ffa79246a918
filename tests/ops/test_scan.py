"""Scans against PyTorch: values in every layout, NaN and infinity, gradients."""

import fastgrad
import numpy as np
import pytest

from tests.gradients import check_gradients, inputs_for
from tests.ops.oracle import check, random_array, torch

SHAPES = [(), (1,), (7,), (3, 4), (2, 3, 4), (5, 300), (0,), (3, 0), (0, 3)]


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool", "uint8"])
def test_values(name, dtype):
    if name == "logcumsumexp" and not dtype.startswith("float"):
        return
    for shape in SHAPES:
        for dim in [0, -1] if 0 in shape else [0, -1, 3]:
            check(lambda m, x: getattr(x, name)(dim), random_array(shape, dtype), rtol=1e-5, label=(name, shape, dim))


def test_nan_and_infinity():
    for x in ([1.0, np.nan, 2.0, 0.0], [-np.inf, -np.inf, 1.0, np.inf, 2.0], [3.0, 3.0, 1.0, 3.0]):
        for name in ("cumsum", "cummax", "cummin", "logcumsumexp"):
            check(lambda m, t: getattr(t, name)(0), np.array(x), rtol=1e-12, label=(name, x))


def test_long_float32_sums_run_in_float64():
    x = np.full(1 << 18, 0.1, np.float32)
    exact = np.cumsum(x.astype(np.float64))
    for t, dim in ((fastgrad.from_numpy(x), 0), (fastgrad.from_numpy(np.repeat(x[:, None], 3, 1)), 0)):
        got = np.array(t.cumsum(dim).tolist())
        np.testing.assert_allclose(got.T[-1] if got.ndim > 1 else got, exact, rtol=1e-7)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"])
def test_gradients(name):
    for shape in ((5,), (3, 4), (2, 3, 4)):
        for dim in (0, -1):
            def call(x):
                result = getattr(x, name)(dim)
                return result if isinstance(result, fastgrad.Tensor) else result[0]

            check_gradients(call, inputs_for([shape]), name=f"{name} {shape} {dim}")


def test_gradient_of_products_with_zeros():
    for x in ([2.0, 0.0, 3.0, 4.0], [0.0, 2.0, 0.0, 5.0], [0.0, 0.0, 0.0]):
        ours, theirs = fastgrad.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        (ours.cumprod(0) * ours).sum().backward()
        (theirs.cumprod(0) * theirs).sum().backward()
        np.testing.assert_allclose(ours.grad.tolist(), theirs.grad.tolist(), rtol=1e-6)
