"""Convolution kernels at all small sizes against plain loops; gradients against finite differences; threads; large blocks."""

import itertools

import numpy as np
import pytest
import torch

import fastgrad as fg
from tests.gradients import check_gradients, inputs_for

F = fg.nn.functional


def plain(x, w, bias, stride, padding, dilation, groups):
    """The definition, in float64: x (N, C, S...), w (O, C / groups, T...)."""
    n = x.ndim - 2
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    size = [(s - d * (t - 1) - 1) // a + 1 for s, d, t, a in zip(x.shape[2:], dilation, w.shape[2:], stride)]
    out = np.zeros((x.shape[0], w.shape[0], *size))
    each, per = w.shape[0] // groups, w.shape[1]
    for g in range(groups):
        for tap in itertools.product(*map(range, w.shape[2:])):
            seen = x[(slice(None), slice(g * per, (g + 1) * per),
                      *[slice(t * d, t * d + (q - 1) * a + 1, a) for t, d, q, a in zip(tap, dilation, size, stride)])]
            out[:, g * each:(g + 1) * each] += np.einsum("nc...,oc->no...", seen, w[(slice(g * each, (g + 1) * each), slice(None), *tap)])
    return out + bias.reshape(-1, *[1] * n)


def bound(function, *arrays, **how):
    """The plain value, and the size of the terms it is summed from."""
    return function(*arrays, **how), function(*map(np.abs, arrays), **how)


def check(shape, weight, stride, padding, dilation, groups, dtype, rng):
    n = len(shape) - 2
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in (shape, weight, (weight[0],)))
    how = dict(stride=(stride,) * n, padding=(padding,) * n, dilation=(dilation,) * n, groups=groups)
    found = getattr(F, f"conv{n}d")(*map(fg.from_numpy, (x, w, b)), **how).numpy()
    expected, size = bound(plain, x.astype(np.float64), w.astype(np.float64), b.astype(np.float64), **how)
    assert found.shape == expected.shape and found.dtype == dtype
    allowed = (np.prod(weight[1:]) + 2) * np.finfo(dtype).eps * size
    assert (np.abs(found - expected) <= allowed).all(), (shape, weight, how)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", range(1, 40))
def test_every_width(width, dtype):
    """Rows shorter and longer than a vector, with windows inside and outside of them."""
    rng = np.random.default_rng(width)
    for taps, stride, padding, dilation in itertools.product((1, 2, 3, 5), (1, 2, 3), (0, 1, 3), (1, 2)):
        if width + 2 * padding >= dilation * (taps - 1) + 1:
            for channels, outputs, groups in ((1, 1, 1), (3, 5, 1), (4, 4, 4), (2, 4, 2)):
                check((2, channels, width), (outputs, channels // groups, taps), stride, padding, dilation, groups, dtype, rng)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_planes_and_volumes(dtype):
    rng = np.random.default_rng(0)
    for size, taps, stride, padding, dilation in itertools.product((3, 4, 7, 16), (1, 2, 3), (1, 2), (0, 1, 2), (1, 2)):
        if size + 2 * padding >= dilation * (taps - 1) + 1:
            check((3, 2, size, size + 1), (3, 2, taps, taps), stride, padding, dilation, 1, dtype, rng)
            check((2, 4, size, size), (8, 1, taps, taps), stride, padding, dilation, 4, dtype, rng)
            if size < 8:
                check((2, 2, size, size, size + 1), (3, 2, taps, taps, taps), stride, padding, dilation, 1, dtype, rng)


BLOCKS = [    # more places, channels or images than a block holds; few places and many channels; one row longer than a block
    (2, (2, 20, 40, 40), (18, 20, 3, 3), {"padding": 1}), (2, (3, 500, 3, 3), (30, 500, 3, 3), {"padding": 1}),
    (2, (90, 3, 4, 4), (5, 3, 3, 3), {"padding": 1}), (2, (40, 6, 1, 1), (300, 6, 1, 1), {}), (1, (2, 3, 1500), (4, 3, 9), {"stride": 2}),
    (2, (2, 70, 16, 16), (300, 70, 1, 1), {}), (2, (5, 64, 7, 7), (20, 64, 1, 1), {"stride": 2}), (1, (1, 1, 2000), (8, 1, 100), {"stride": 4}),
    (2, (2, 40, 9, 500), (40, 1, 3, 3), {"padding": 1, "groups": 40}), (3, (1, 4, 9, 10, 11), (6, 4, 3, 3, 3), {"padding": 1}),
    (2, (16, 2, 30, 30), (9, 2, 4, 4), {"stride": 3, "dilation": 2, "padding": 4}), (1, (2, 2, 400), (4, 1, 70), {"groups": 2, "padding": 5}),
    # images side by side: a batch and a few more, taps outside of the image, several blocks of channels, no place at some taps
    (2, (64, 10, 12, 12), (20, 10, 5, 5), {}), (2, (70, 1, 20, 20), (10, 1, 5, 5), {}), (2, (33, 7, 9, 8), (6, 7, 3, 2), {"padding": 2, "stride": 2}),
    (2, (16, 100, 8, 8), (61, 100, 3, 3), {"padding": 1}), (1, (20, 30, 50), (5, 30, 4), {"stride": 3, "dilation": 2, "padding": 5}),
    (3, (31, 4, 5, 4, 6), (9, 4, 3, 2, 2), {"padding": 1}), (2, (100, 20, 6, 6), (40, 20, 6, 6), {"padding": 5, "dilation": 2}),
    (2, (32, 300, 12, 12), (8, 300, 2, 2), {"stride": 2}),
]


def values(lib, n, shape, weight, options, dtype, transposed=False):
    """Value and gradients of a convolution, or of the transposed one over the same sizes."""
    rng = np.random.default_rng(0)
    x, w = (rng.standard_normal(s).astype(dtype) for s in (shape, weight))
    x, w = (lib.from_numpy(a).requires_grad_() for a in (x, w))
    out = getattr(lib.nn.functional, f"conv{n}d")(x, w, **options)
    if transposed:
        y = lib.from_numpy(rng.standard_normal(tuple(out.shape)).astype(dtype)).requires_grad_()
        bias = lib.from_numpy(rng.standard_normal(shape[1]).astype(dtype)).requires_grad_()
        out, x = getattr(lib.nn.functional, f"conv_transpose{n}d")(y, w, bias, **options), y
    g = lib.from_numpy(rng.standard_normal(tuple(out.shape)).astype(dtype))
    return [t.detach().numpy() for t in (out, *lib.autograd.grad(out, (x, w), g))]


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dtype, tolerance", [(np.float32, 2e-5), (np.float64, 1e-13)])
@pytest.mark.parametrize("n, shape, weight, options", BLOCKS)
def test_past_the_blocks(n, shape, weight, options, dtype, tolerance, transposed):
    expected, found = (values(lib, n, shape, weight, options, dtype, transposed) for lib in (torch, fg))
    for e, f in zip(expected, found, strict=True):
        assert e.shape == f.shape
        np.testing.assert_allclose(f, e, rtol=0, atol=tolerance * np.abs(e).max())


@pytest.mark.parametrize("n, shape, weight, options", BLOCKS)
def test_threads_change_no_bit(n, shape, weight, options):
    before = fg.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            fg.set_num_threads(threads)
            results.append(values(fg, n, shape, weight, options, np.float32))
    finally:
        fg.set_num_threads(before)
    for result in results[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(results[0], result, strict=True))


@pytest.mark.parametrize("shape, weight, options", [
    ((2, 3, 5, 6), (4, 3, 3, 2), {"stride": 2, "padding": 1}), ((2, 4, 5, 5), (4, 1, 3, 3), {"padding": 1, "groups": 4}),
    ((2, 2, 6, 6), (4, 1, 3, 3), {"padding": 2, "dilation": 2, "groups": 2}), ((1, 3, 4, 4), (2, 3, 1, 1), {})])
def test_gradients(shape, weight, options):
    check_gradients(lambda x, w, b: F.conv2d(x, w, b, **options), inputs_for([shape, weight, (weight[0],)]))
    turned = (shape[0], weight[0], *shape[2:])
    check_gradients(lambda x, w: F.conv_transpose2d(x, w, **options), inputs_for([turned, weight]))


def test_nothing():
    for lib in (torch, fg):
        assert tuple(lib.nn.functional.conv2d(lib.ones(0, 2, 4, 4), lib.ones(3, 2, 2, 2)).shape) == (0, 3, 3, 3)
        x, w = lib.ones(0, 2, 4, 4).requires_grad_(), lib.ones(3, 2, 2, 2).requires_grad_()
        lib.nn.functional.conv2d(x, w).sum().backward()
        assert not w.grad.any()


@pytest.mark.parametrize("dtype", ["int64", "float16", "bfloat16"])
def test_other_dtypes(dtype):
    found = []
    for lib in (torch, fg):
        x = lib.arange(32).reshape(1, 2, 4, 4).to(getattr(lib, dtype))
        w = lib.arange(16).reshape(2, 2, 2, 2).to(getattr(lib, dtype))
        out = lib.nn.functional.conv2d(x, w)
        assert str(out.dtype) == f"torch.{dtype}"
        found.append(out.double().tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("name, wide", [("conv2d", (2, 3, 5, 6)), ("conv_transpose2d", (2, 4, 5, 6))])
@pytest.mark.parametrize("mapped", [(0, None, None), (None, 0, None), (0, 0, 0), (0, 0, None)])
def test_vmap(name, wide, mapped):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal((3, *s)) for s in (wide, (4, 3, 3, 3), (4 if name == "conv2d" else 3,))]
    found = []
    for lib in (fg, torch):
        given = [lib.from_numpy(a if d == 0 else a[0].copy()) for a, d in zip(arrays, mapped)]
        found.append(lib.vmap(lambda x, w, b: getattr(lib.nn.functional, name)(x, w, b, padding=1), in_dims=mapped)(*given).numpy())
    np.testing.assert_allclose(*found, rtol=1e-10, atol=1e-10)


def test_windows_wider_than_numbers():
    """Extents whose product has no room in 64 bits: of each image one element is seen, by one tap."""
    rng = np.random.default_rng(0)
    x, w = (fg.tensor(rng.normal(size=s), dtype=fg.float32, requires_grad=True) for s in ((256, 4, 8, 8), (4, 4, 2, 2)))
    out = F.conv2d(x, w, stride=2**31, padding=2**31, dilation=2**31 - 1)
    expected = np.zeros((256, 4, 2, 2))
    expected[:, :, 1, 1] = x.detach().numpy()[:, :, 0, 0] @ w.detach().numpy()[:, :, 0, 0].T
    np.testing.assert_allclose(out.detach().numpy(), expected, rtol=1e-5, atol=1e-5)
    out.sum().backward()
    np.testing.assert_allclose(x.grad.numpy()[:, :, 0, 0], np.tile(w.detach().numpy()[:, :, 0, 0].sum(0), (256, 1)), rtol=1e-5, atol=1e-5)
    assert x.grad.count_nonzero() == 256 * 4 and w.grad.count_nonzero() == 16
