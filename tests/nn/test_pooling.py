"""Pooling against PyTorch where rows are longer than a block, elements are special, and dtypes other than float64."""

import numpy as np
import pytest
import torch

import fastgrad as fg


def both(function, array):
    return [function(lib.nn.functional, lib.from_numpy(array.copy())) for lib in (torch, fg)]


@pytest.mark.parametrize("width", [*range(1, 40), 500, 520, 1100])
def test_every_width(width):
    x = np.random.default_rng(width).standard_normal((2, 3, width)).astype(np.float32)
    for kernel, stride, padding in ((1, 1, 0), (2, 2, 0), (3, 1, 1), (3, 2, 1), (5, 3, 2), (4, 4, 1)):
        if width + 2 * padding < kernel:
            continue
        for e, f in zip(*both(lambda F, t: F.max_pool1d(t, kernel, stride, padding, return_indices=True), x)):
            assert np.array_equal(e.numpy(), f.numpy())
        for pad in (False, True):
            e, f = both(lambda F, t: F.avg_pool1d(t, kernel, stride, padding, True, pad), x)
            np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("values", [[np.nan, 1, np.nan, 2], [-np.inf] * 4, [0.0, -0.0, 0.0, -0.0], [np.inf, np.nan, 3, 4], [1, 1, 1, 1]])
def test_special_elements(values):
    x = np.array(values * 4, np.float32).reshape(1, 1, 4, 4)
    for how in ((2,), (4,), (3, 1, 1), (2, 1)):
        for e, f in zip(*both(lambda F, t: F.max_pool2d(t, *how, return_indices=True), x)):
            np.testing.assert_array_equal(f.numpy(), e.numpy())


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("seed", range(25))
def test_any_window(n, seed):
    """Ties, NaN and infinities, windows that overlap, leave gaps or reach over the edges, planes of many rows at a time."""
    rng = np.random.default_rng([n, seed])
    spatial = [int(rng.integers(4, 12 if n == 3 else 45)) for _ in range(n)]
    kernel, stride, dilation = ([int(rng.integers(1, most)) for _ in range(n)] for most in (5, 5, 3))
    padding = [int(rng.integers(0, k // 2 + 1)) if d == 1 else 0 for k, d in zip(kernel, dilation)]
    if any(d * (k - 1) + 1 > s for d, k, s in zip(dilation, kernel, spatial)):
        dilation = [1] * n
    x = rng.integers(-3, 4, (2, 3, *spatial)).astype(rng.choice([np.float32, np.float64]))
    x[rng.random(x.shape) < 0.1] = rng.choice([np.nan, -np.inf, 2])
    for e, f in zip(*both(lambda F, t: getattr(F, f"max_pool{n}d")(t, kernel, stride, padding, dilation, bool(seed % 2), return_indices=True), x)):
        np.testing.assert_array_equal(f.numpy(), e.numpy())


@pytest.mark.parametrize("size, kernel, stride, padding", [
    (9001, 2, 2, 0), (20000, 5, 3, 2), (20000, 700, 50, 100), (9000, 4500, 1, 0),      # rows in parts, windows longer than a block
    ((3, 5000), (3, 2), (1, 2), (1, 1)), ((700, 700), (600, 600), 40, 0)])               # the last one is more than scratch memory holds
def test_long_rows_and_large_windows(size, kernel, stride, padding):
    n = 1 if isinstance(size, int) else 2
    array = np.random.default_rng(5).integers(-9, 10, (2, 1, *np.atleast_1d(size))).astype(np.float64)
    array.reshape(-1)[::4001] = np.nan
    for dtype in (np.float32, np.float64):
        found, expected = both(lambda F, t: getattr(F, f"max_pool{n}d")(t, kernel, stride, padding, return_indices=True), array.astype(dtype))
        for x, y in zip(found, expected):
            np.testing.assert_array_equal(x.numpy(), y.numpy())


def test_a_window_that_sees_nothing():
    """Its gradient goes nowhere."""
    x = fg.ones(1, 1, 4, requires_grad=True)
    y = fg.nn.functional.max_pool2d(x, (2, 1), (1, 4), (1, 0), (2, 2))
    y.sum().backward()
    assert y.tolist() == [[[-np.inf]]] and x.grad.tolist() == [[[0, 0, 0, 0]]]


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint8, np.float16])
def test_dtypes(dtype):
    x = np.random.default_rng(0).integers(0, 100, (2, 3, 6, 7)).astype(dtype)
    for e, f in zip(*both(lambda F, t: F.max_pool2d(t, 3, 2, 1, return_indices=True), x)):
        assert str(f.dtype) == str(e.dtype) and np.array_equal(e.numpy(), f.numpy())


@pytest.mark.parametrize("name", ["max_pool2d", "avg_pool2d"])
def test_vmap_and_views(name):
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 7, 6))
    for function in (lambda lib, t: lib.vmap(lambda s: getattr(lib.nn.functional, name)(s, 2))(t),
                     lambda lib, t: lib.vmap(lambda s: getattr(lib.nn.functional, name)(s[0], 2))(t),
                     lambda lib, t: getattr(lib.nn.functional, name)(t[0].transpose(-1, -2), (3, 2))):
        e, f = (function(lib, lib.from_numpy(x)) for lib in (torch, fg))
        np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=1e-12, atol=1e-12)
