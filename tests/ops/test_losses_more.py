"""Losses, distances and activations that are made of operations, against PyTorch: values, gradients twice, errors, modules."""

import fastgrad
import pytest
import torch

from tests.gradients import check_gradients, inputs_for
from tests.nn.both import assert_same, assert_same_error
from tests.ops.oracle import random_array

X = (3, 4)
SIGNS = [[1, -1, 1, 1], [-1, -1, 1, -1], [1, 1, -1, 1]]


def signs(m, dtype="float64"):
    return m.tensor(SIGNS, dtype=getattr(m, dtype))


# name -> function of (library's functional, library, x, y, **arguments), x and y of shape X
LOSSES = {
    "KLDivLoss": lambda f, m, x, y, **k: f.kl_div(x, y.abs(), **k),
    "KLDivLoss log": lambda f, m, x, y, **k: f.kl_div(x, y, log_target=True, **k),
    "PoissonNLLLoss": lambda f, m, x, y, **k: f.poisson_nll_loss(x, y, **k),
    "PoissonNLLLoss full": lambda f, m, x, y, **k: f.poisson_nll_loss(x.abs(), y.abs(), log_input=False, full=True, **k),
    "GaussianNLLLoss": lambda f, m, x, y, **k: f.gaussian_nll_loss(x, y, y * y + 0.5, full=True, **k),
    "MarginRankingLoss": lambda f, m, x, y, **k: f.margin_ranking_loss(x, y, signs(m), 0.3, **k),
    "HingeEmbeddingLoss": lambda f, m, x, y, **k: f.hinge_embedding_loss(x * y, signs(m), 0.7, **k),
    "CosineEmbeddingLoss": lambda f, m, x, y, **k: f.cosine_embedding_loss(x, y, signs(m)[:, 0], -0.9, **k),
    "SoftMarginLoss": lambda f, m, x, y, **k: f.soft_margin_loss(x + y, signs(m), **k),
    "MultiLabelSoftMarginLoss": lambda f, m, x, y, **k: f.multilabel_soft_margin_loss(x, (signs(m) + 1) / 2, signs(m) + 2, **k),
    "TripletMarginLoss": lambda f, m, x, y, **k: f.triplet_margin_loss(x, y, x * y + 0.3, 2.0, swap=True, **k),
    "TripletMarginWithDistanceLoss": lambda f, m, x, y, **k: f.triplet_margin_with_distance_loss(
        x, y, x * y, distance_function=lambda a, b: ((a - b) ** 2).sum(-1), margin=9.0, **k),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, reduction):
    x, y = random_array(X, "float64"), random_array(X, "float64", seed=1)

    def run(m):
        s, t = m.tensor(x, requires_grad=True), m.tensor(y, requires_grad=True)
        loss = LOSSES[name](m.nn.functional, m, s, t, reduction=reduction)
        loss.sum().backward()
        return [loss, s.grad]

    assert_same(run, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", [name for name in LOSSES if "Hinge" not in name and "full" not in name])
def test_gradients(name):
    check_gradients(lambda x, y: LOSSES[name](fastgrad.nn.functional, fastgrad, x, y), inputs_for([X, X]), name=name)


def test_batchmean():
    x, y = random_array(X, "float64"), abs(random_array(X, "float64", seed=1))
    assert_same(lambda m: m.nn.functional.kl_div(m.tensor(x), m.tensor(y), reduction="batchmean"), rtol=1e-12)


def test_distances():
    x, y = random_array(X, "float64"), random_array(X, "float64", seed=1)
    for p in (1.0, 2.0, 3.0):
        assert_same(lambda m: m.nn.PairwiseDistance(p, keepdim=True)(m.tensor(x), m.tensor(y)), rtol=1e-10)
    for dim in (0, 1):
        assert_same(lambda m: m.nn.CosineSimilarity(dim)(m.tensor(x), m.tensor(y)), rtol=1e-10)
    assert_same(lambda m: m.nn.functional.cosine_similarity(m.zeros(2, 3), m.ones(2, 3)))
    assert_same(lambda m: m.nn.functional.cosine_similarity(m.tensor(x)[None], m.tensor(y)[:, None], dim=-2), rtol=1e-10)


@pytest.mark.parametrize("kind", ["SELU", "CELU", "Mish", "Hardswish", "Hardsigmoid", "Hardshrink", "Softshrink", "Softsign", "Tanhshrink"])
def test_activations(kind):
    x = random_array((5, 7), "float64") * 3
    assert_same(lambda m: getattr(m.nn, kind)())
    assert_same(lambda m: getattr(m.nn, kind)()(m.tensor(x)), rtol=1e-11, atol=1e-13)
    if kind in ("SELU", "CELU", "Mish", "Hardswish", "Hardsigmoid"):
        assert_same(lambda m: getattr(m.nn, kind)(inplace=True))

        def written(m):
            t = m.tensor(x)
            getattr(m.nn, kind)(inplace=True)(t)
            return t
        assert_same(written, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("function", [
    lambda m: m.nn.TripletMarginLoss(0.0),
    lambda m: m.nn.functional.gaussian_nll_loss(m.zeros(2, 3), m.zeros(2, 3), -m.ones(2, 3)),
    lambda m: m.nn.functional.gaussian_nll_loss(m.zeros(2, 3), m.zeros(2, 3), m.ones(3, 3)),
    lambda m: m.nn.functional.kl_div(m.zeros(2), m.zeros(2), reduction="other")])
def test_errors(function):
    assert_same_error(function)


def test_margin_ranking_dimensions():
    for m in (torch, fastgrad):
        with pytest.raises(RuntimeError, match="same dimension"):
            m.nn.functional.margin_ranking_loss(m.zeros(2), m.zeros(2, 2), m.ones(2))
