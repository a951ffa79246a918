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
    "Categorical": lambda d, t, k: d.Categorical(t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]) + k),
    "Cauchy": lambda d, t, k: d.Cauchy(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "ContinuousBernoulli": lambda d, t, k: d.ContinuousBernoulli(t([0.3, 0.5]) + 0.2 * k),
    "Dirichlet": lambda d, t, k: d.Dirichlet(t([[1.3, 2.6, 0.4], [1.0, 2.0, 3.0]]) + k),
    "Exponential": lambda d, t, k: d.Exponential(t([1.3, 2.6]) + k),
    "Gamma": lambda d, t, k: d.Gamma(t([1.3, 2.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "Geometric": lambda d, t, k: d.Geometric(t([0.3, 0.6]) + 0.1 * k),
    "Gumbel": lambda d, t, k: d.Gumbel(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "HalfNormal": lambda d, t, k: d.HalfNormal(t([0.8, 3.0]) + 0.5 * k),
    "Independent": lambda d, t, k: d.Independent(d.Normal(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k), 1),
    "Laplace": lambda d, t, k: d.Laplace(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "LowRankMultivariateNormal": lambda d, t, k: d.LowRankMultivariateNormal(t([0.3, 1.2]) + k, t([[2.0], [0.3]]) - k, t([0.5, 0.7]) + k),
    "MultivariateNormal": lambda d, t, k: d.MultivariateNormal(t([0.3, 1.2]) + k, t([[2.0, 0.3], [0.3, 1.0]]) + k * t([[1.0, 0.0], [0.0, 1.0]])),
    "Normal": lambda d, t, k: d.Normal(t([0.3, 0.6]) + k, t([0.8, 3.0]) + 0.5 * k),
    "OneHotCategorical": lambda d, t, k: d.OneHotCategorical(t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]]) + k),
    "Pareto": lambda d, t, k: d.Pareto(t([[0.3, 0.9], [0.4, 0.5]]) + 0.1 * k, t([[2.8, 3.0], [1.5, 0.7]]) + 0.5 * k),
    "Poisson": lambda d, t, k: d.Poisson(t([0.3, 4.6]) + k),
    "Uniform": lambda d, t, k: d.Uniform(t([0.1, 0.4]) - k, t([0.5, 0.9]) + k),
    "TransformedDistribution": lambda d, t, k: d.LogNormal(t([0.3, 0.6]) + k, t([0.8, 3.0])),
}
PAIRS = sorted((p.__name__, q.__name__) for p, q in _KL_REGISTRY if p.__name__ in MADE and q.__name__ in MADE)


@pytest.mark.parametrize("shift", [1.0, 0.0])
@pytest.mark.parametrize("p, q", PAIRS)
def test_divergences_are_pytorch_s(p, q, shift):
    theirs, ours = (divergence_and_gradients(lib, p, q, shift) for lib in (torch, fg))
    for our, their in zip(ours, theirs, strict=True):
        assert our.shape == their.shape
        np.testing.assert_allclose(our, their, rtol=1e-8, atol=1e-11)


def divergence_and_gradients(lib, p, q, shift):
    """kl_divergence, and the gradients of its finite elements, 0 where there is none."""
    leaves = []

    def leaf(data):
        leaves.append(lib.tensor(data, requires_grad=True))
        return leaves[-1]

    result = lib.distributions.kl_divergence(MADE[p](lib.distributions, leaf, 0.0), MADE[q](lib.distributions, leaf, shift))
    finite = result[lib.isfinite(result)]
    gradients = lib.autograd.grad(finite.sum(), leaves, allow_unused=True) if finite.requires_grad else [None] * len(leaves)
    return [result.detach().numpy(), *((lib.zeros_like(x) if g is None else g).numpy() for x, g in zip(leaves, gradients))]


def test_every_registered_pair_is_made():
    assert {name for pair in _KL_REGISTRY for name in (pair[0].__name__, pair[1].__name__)} - set(MADE) == {"ExponentialFamily"}


def waiting(lib):
    """Exponential distributions of a number of stages, as a program may state them: natural parameters alone."""
    class Waiting(lib.distributions.ExponentialFamily):
        arg_constraints = {"rate": lib.distributions.constraints.positive}

        def __init__(self, rate, stages):
            self.rate = rate
            super().__init__(rate.shape[:-1] if stages else rate.shape, rate.shape[-1:] if stages else rate.shape[:0])

        @property
        def _natural_params(self):
            return (-self.rate,)

        def _log_normalizer(self, x):
            each = -(-x).log()
            return each.sum(-1) if self.event_shape else each

        _mean_carrier_measure = 0
    return Waiting


@pytest.mark.parametrize("rates", [([0.5, 3.0], [2.0, 1.0]), ([[0.5, 3.0], [1.0, 1.5]], [[2.0, 1.0], [0.1, 0.2]])], ids=("numbers", "vectors"))
def test_exponential_families_stated_by_natural_parameters(rates):
    found = []
    for lib in (torch, fg):
        one, other = (lib.tensor(rate, requires_grad=True) for rate in rates)
        make = waiting(lib)
        p, q = (make(rate, rate.ndim == 2) for rate in (one, other))
        result, entropy = lib.distributions.kl_divergence(p, q), p.entropy()
        found.append([x.detach().numpy() for x in (result, *lib.autograd.grad(result.sum(), (other,)), entropy)])
    for theirs, ours in zip(*found):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    a, b = map(np.array, rates)
    closed = np.log(a / b) + b / a - 1
    np.testing.assert_allclose(found[1][0], closed.sum(-1) if a.ndim == 2 else closed, rtol=1e-12)


def test_exponential_families_of_two_types():
    for lib in (torch, fg):
        p, q = waiting(lib), waiting(lib)
        with pytest.raises(NotImplementedError):
            lib.distributions.kl_divergence(p(lib.ones(2), False), q(lib.ones(2), False))


NONE = ["Multinomial", "RelaxedOneHotCategorical", "OneHotCategorical", "Categorical", "StudentT", "VonMises"]


@pytest.mark.parametrize("p, q", [(p, q) for p in NONE for q in NONE if p != q or p not in MADE])
def test_pairs_without_a_divergence(p, q):
    """Nothing is taken for a relative of which there is one."""
    make = {**{name: MADE[name] for name in NONE if name in MADE},
            "Multinomial": lambda d, t, k: d.Multinomial(3, t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
            "RelaxedOneHotCategorical": lambda d, t, k: d.RelaxedOneHotCategorical(t(0.5), t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
            "StudentT": lambda d, t, k: d.StudentT(t([3.0, 4.0])), "VonMises": lambda d, t, k: d.VonMises(t([0.3, 0.6]), t([1.0, 2.0]))}
    for lib in (torch, fg):
        with pytest.raises(NotImplementedError):
            lib.distributions.kl_divergence(make[p](lib.distributions, lib.tensor, 0.0), make[q](lib.distributions, lib.tensor, 0.0))


def wisharts(lib):
    t = lib.tensor
    p = lib.distributions.Wishart(t([4.5, 3.5]), t([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 1.5]]))
    return p, [lib.distributions.Wishart(t(df), t([[1.0, 0.2, 0.0], [0.2, 1.2, 0.3], [0.0, 0.3, 0.8]])) for df in ([4.5, 3.5], [5.0, 6.0])]


def test_wisharts():
    """PyTorch's, which comes of the family's normalizer, is right for one number of degrees of freedom; else it can be negative."""
    (p, (q, other)), (torch_p, (torch_q, torch_other)) = wisharts(fg), wisharts(torch)
    expected = torch.distributions.kl_divergence(torch_p, torch_q).detach().numpy()
    np.testing.assert_allclose(fg.distributions.kl_divergence(p, q).numpy(), expected, rtol=1e-8)
    torch.manual_seed(0)
    draws = torch_p.sample((40000,))
    differences = torch_p.log_prob(draws) - torch_other.log_prob(draws)
    error = fg.distributions.kl_divergence(p, other).numpy() - differences.mean(0).numpy()
    assert (abs(error) < 4 * differences.std(0).numpy() / 200).all()


def test_binomials_of_different_counts():
    p, q = fg.distributions.Binomial(3, fg.tensor(0.3)), fg.distributions.Binomial(5, fg.tensor(0.3))
    with pytest.raises(NotImplementedError):
        fg.distributions.kl_divergence(p, q)
    assert math.isinf(fg.distributions.kl_divergence(q, p).item())
