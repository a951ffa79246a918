"""Quantiles, histogram, integrals, covariances, dist and renorm against PyTorch; gradients against finite differences."""

import numpy as np
import pytest
import torch

import fastgrad as fg
from tests.gradients import check_gradients


def both(*shape, seed=0):
    a = np.random.default_rng(seed).normal(size=shape)
    return torch.from_numpy(a), fg.from_numpy(a)


def same(result, expected):
    assert tuple(result.shape) == tuple(expected.shape)
    np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
@pytest.mark.parametrize("dim, keepdim", [(None, False), (None, True), (1, True), (0, False)])
def test_quantiles(name, interpolation, dim, keepdim):
    a, x = both(5, 4)
    for t in (a, x):
        t[2, 1] = float("nan")
        t[:, 3] = float("nan")
    q = [0.0, 0.3, 0.5, 1.0]
    for p in (0.4, q):
        options = {"dim": dim, "keepdim": keepdim, "interpolation": interpolation}
        given = (p if isinstance(p, float) else torch.tensor(p, dtype=torch.float64), p if isinstance(p, float) else fg.tensor(p, dtype=fg.float64))
        same(getattr(x, name)(given[1], **options), getattr(a, name)(given[0], **options))


@pytest.mark.parametrize("options", [{}, {"density": True}, {"range": (-1.0, 1.0)}, {"weight": True}])
@pytest.mark.parametrize("edges", [False, True])
def test_histogram(options, edges):
    (a, x), (w, v) = both(6, 5), both(6, 5, seed=1)
    if edges and "range" in options:
        with pytest.raises(TypeError):
            fg.histogram(x, fg.tensor([0.0, 1.0], dtype=fg.float64), **options)
        return
    ours, theirs = (dict(options, weight=t) if "weight" in options else options for t in (v, w))
    e = [-1.0, 0.0, 0.5, 2.0]
    result = fg.histogram(x, fg.tensor(e, dtype=fg.float64) if edges else 7, **ours)
    expected = torch.histogram(a, torch.tensor(e, dtype=torch.float64) if edges else 7, **theirs)
    same(result.hist, expected.hist)
    same(result.bin_edges, expected.bin_edges)


@pytest.mark.parametrize("name", ["trapezoid", "cumulative_trapezoid"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_integrals(name, dim):
    (a, x), (b, y) = both(4, 4), both(4, 4, seed=1)
    same(getattr(fg, name)(x, dim=dim), getattr(torch, name)(a, dim=dim))
    same(getattr(fg, name)(x, dx=0.3, dim=dim), getattr(torch, name)(a, dx=0.3, dim=dim))
    same(getattr(fg, name)(x, y, dim=dim), getattr(torch, name)(a, b, dim=dim))
    same(getattr(fg, name)(x, y[0], dim=dim), getattr(torch, name)(a, b[0], dim=dim))


def test_covariance():
    (a, x), (w, v) = both(3, 6), both(6, seed=1)
    f = [1, 2, 0, 3, 1, 1]
    same(fg.cov(x), torch.cov(a))
    same(fg.cov(x[0], correction=0), torch.cov(a[0], correction=0))
    same(fg.cov(x, fweights=fg.tensor(f), aweights=v.abs()), torch.cov(a, fweights=torch.tensor(f), aweights=w.abs()))
    same(fg.corrcoef(x), torch.corrcoef(a))


@pytest.mark.parametrize("p", [1.0, 2.0, float("inf")])
def test_renorm_and_dist(p):
    (a, x), (b, y) = both(3, 4, 2), both(3, 4, 2, seed=1)
    np.testing.assert_allclose(fg.renorm(x, p, 1, 1.5).numpy(), torch.renorm(a, p, 1, 1.5).numpy(), rtol=1e-9)
    same(fg.dist(x, y, p), torch.dist(a, b, p))


@pytest.mark.parametrize("function", [
    lambda x: fg.quantile(x, 0.3, 1), lambda x: fg.nanquantile(x, 0.7), fg.cov, fg.corrcoef, lambda x: fg.renorm(x, 2, 0, 0.5),
    lambda x: fg.trapezoid(x, x * x), lambda x: fg.cumulative_trapezoid(x),
])
def test_gradients(function):
    check_gradients(function, [both(3, 4)[1].requires_grad_()], rtol=1e-7)


@pytest.mark.parametrize("call, message", [
    (lambda m: m.quantile(m.ones(3), 1.5), "range"), (lambda m: m.quantile(m.ones(0), 0.5), "non-empty"), (lambda m: m.quantile(m.ones(3).long(), 0.5), "float or double"),
    (lambda m: m.quantile(m.ones(3), 0.5, interpolation="x"), "interpolation"), (lambda m: m.cov(m.ones(1, 1, 1)), "two or fewer"),
    (lambda m: m.renorm(m.ones(2, 2), -1, 0, 1), "non-positive"), (lambda m: m.renorm(m.ones(2), 2, 0, 1), "at least 2 dimensions"),
])
def test_refusals(call, message):
    for module in (torch, fg):
        with pytest.raises(RuntimeError, match=message):
            call(module)
