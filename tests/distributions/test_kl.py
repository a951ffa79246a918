"""kl_divergence of every pair is PyTorch's, infinite where the supports say so."""

import math

import numpy as np
import pytest
import torch
from torch.distributions.kl import _KL_REGISTRY

import fastgrad as fg

pytestmark = pytest.mark.usefixtures("doubles")

MADE = {
    "Bernoulli": lambda d, t, k: d.Bernoulli(t([0.3, 0.6]) + 0.1 * k),
    "Beta": lambda d, t, k: d.Beta(t([1.3, 2.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "Binomial": lambda d, t, k: d.Binomial(7, t([0.3, 0.6]) + 0.1 * k),
    "Cauchy": lambda d, t, k: d.Cauchy(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "Dirichlet": lambda d, t, k: d.Dirichlet(t([[1.3, 2.6, 0.4], [1.0, 2.0, 3.0]]) + k),
    "Exponential": lambda d, t, k: d.Exponential(t([1.3, 2.6]) + k),
    "Gamma": lambda d, t, k: d.Gamma(t([1.3, 2.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "Geometric": lambda d, t, k: d.Geometric(t([0.3, 0.6]) + 0.1 * k),
    "Gumbel": lambda d, t, k: d.Gumbel(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "HalfNormal": lambda d, t, k: d.HalfNormal(t([0.8, 3.0]) + 0.5 * k),
    "Laplace": lambda d, t, k: d.Laplace(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "LowRankMultivariateNormal": lambda d, t, k: d.LowRankMultivariateNormal(t([0.3, 1.2]) + k, t([[2.0], [0.3]]) - k, t([0.5, 0.7]) + k),
    "MultivariateNormal": lambda d, t, k: d.MultivariateNormal(t([0.3, 1.2]) + k, t([[2.0, 0.3], [0.3, 1.0]]) + k * t([[1.0, 0.0], [0.0, 1.0]])),
    "Normal": lambda d, t, k: d.Normal(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "OneHotCategorical": lambda d, t, k: d.OneHotCategorical(t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]) + k),
    "Pareto": lambda d, t, k: d.Pareto(t([0.3, 0.9]) + 0.1 * k, t([2.8, 3.0]) + 0.5 * k),
    "Poisson": lambda d, t, k: d.Poisson(t([0.3, 4.6]) + k),
    "Uniform": lambda d, t, k: d.Uniform(t([0.1, 0.4]) - k, t([0.5, 0.9]) + k),
    "TransformedDistribution": lambda d, t, k: d.LogNormal(t([0.3, 0.6]) + k, t([0.8, 3.0])),
}
PAIRS = sorted((p.__name__, q.__name__) for p, q in _KL_REGISTRY if p.__name__ in MADE and q.__name__ in MADE)
GAMMAS = {"Beta", "Gamma", "Dirichlet"}


@pytest.mark.parametrize("shift", [1.0, 0.0])
@pytest.mark.parametrize("p, q", PAIRS)
def test_divergences_are_pytorch_s(p, q, shift):
    if not hasattr(fg, "digamma") and (GAMMAS & {p, q} or (p, q) == ("Gumbel", "Gumbel")):
        pytest.skip("needs digamma and lgamma")
    results = []
    for lib in (torch, fg):
        first, second = MADE[p](lib.distributions, lib.tensor, 0.0), MADE[q](lib.distributions, lib.tensor, shift)
        results.append(lib.distributions.kl_divergence(first, second).numpy())
    assert results[1].shape == results[0].shape
    np.testing.assert_allclose(results[1], results[0], rtol=1e-9, atol=1e-12)


def test_binomials_of_different_counts():
    p, q = fg.distributions.Binomial(3, fg.tensor(0.3)), fg.distributions.Binomial(5, fg.tensor(0.3))
    with pytest.raises(NotImplementedError):
        fg.distributions.kl_divergence(p, q)
    assert math.isinf(fg.distributions.kl_divergence(q, p).item())
