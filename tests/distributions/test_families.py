"""Every family: draws for a seed, log-probabilities, moments, gradients, expand, support and texts are PyTorch's."""

import math

import numpy as np
import pytest
import torch

import fastgrad as fg

pytestmark = pytest.mark.usefixtures("doubles")

CASES = {
    "LogNormal": lambda d, t: d.LogNormal(t([0.3, -0.2]), t([0.5, 1.5])),
    "LogisticNormal": lambda d, t: d.LogisticNormal(t([[0.3, -0.2], [0.1, 0.2]]), t([0.5, 1.5])),
    "Gumbel": lambda d, t: d.Gumbel(t([0.3, -0.2]), t([0.5, 1.5])),
    "Gumbel of numbers": lambda d, t: d.Gumbel(1.0, 2.0),
    "Pareto": lambda d, t: d.Pareto(t([0.3, 1.2]), t([0.5, 2.5])),
    "Weibull": lambda d, t: d.Weibull(t([0.3, 1.2]), t([0.5, 2.5])),
    "Kumaraswamy": lambda d, t: d.Kumaraswamy(t([0.3, 2.2]), t([0.5, 2.5])),
    "TransformedDistribution": lambda d, t: d.TransformedDistribution(
        d.Uniform(t([0.0, 0.0]), t([1.0, 1.0])), [d.SigmoidTransform().inv, d.AffineTransform(t([1.0, 2.0]), t([-2.0, 3.0]))]),
    "TransformedDistribution of events": lambda d, t: d.TransformedDistribution(
        d.Normal(t([[0.0, 0.0, 1.0]]), t([[1.0, 1.0, 2.0]])), d.StickBreakingTransform()),
    "HalfNormal": lambda d, t: d.HalfNormal(t([0.3, 1.2])),
    "HalfCauchy": lambda d, t: d.HalfCauchy(t([0.3, 1.2])),
    "Cauchy": lambda d, t: d.Cauchy(t([0.3, 1.2]), t([1.0, 2.0])),
    "Geometric": lambda d, t: d.Geometric(t([0.3, 0.7, 1.0])),
    "Geometric logits": lambda d, t: d.Geometric(logits=t([0.3, -0.7])),
    "RelaxedBernoulli": lambda d, t: d.RelaxedBernoulli(t(0.7), probs=t([0.3, 0.6])),
    "RelaxedOneHotCategorical": lambda d, t: d.RelaxedOneHotCategorical(t(0.7), probs=t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
    "OneHotCategorical": lambda d, t: d.OneHotCategorical(probs=t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
    "OneHotCategoricalStraightThrough": lambda d, t: d.OneHotCategoricalStraightThrough(logits=t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
    "Multinomial": lambda d, t: d.Multinomial(7, probs=t([[0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])),
    "MixtureSameFamily": lambda d, t: d.MixtureSameFamily(d.Categorical(t([0.2, 0.3, 0.5])), d.Normal(t([0.0, 1.0, 2.0]), t([1.0, 2.0, 0.5]))),
    "MixtureSameFamily of events": lambda d, t: d.MixtureSameFamily(
        d.Categorical(t([[0.2, 0.8], [0.5, 0.5]])), d.Independent(d.Normal(t([[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]]), t(1.5)), 1)),
    "GeneralizedPareto": lambda d, t: d.GeneralizedPareto(t([0.3, 1.2, 0.0, 0.0]), t([1.0, 2.0, 0.5, 1.0]), t([0.1, -0.3, 0.0, 0.7])),
    "Gamma": lambda d, t: d.Gamma(t([0.3, 1.2]), t([0.5, 2.5])),
    "Chi2": lambda d, t: d.Chi2(t([0.3, 5.2])),
    "InverseGamma": lambda d, t: d.InverseGamma(t([0.9, 3.2]), t([0.5, 2.5])),
    "Beta": lambda d, t: d.Beta(t([0.9, 3.2]), t([0.5, 2.5])),
    "Dirichlet": lambda d, t: d.Dirichlet(t([[0.9, 3.2, 2.0], [0.3, 0.5, 0.2]])),
    "StudentT": lambda d, t: d.StudentT(t([0.9, 1.5, 3.2]), t(1.0), t([0.5, 2.5, 1.0])),
    "FisherSnedecor": lambda d, t: d.FisherSnedecor(t([1.9, 3.2]), t([1.5, 5.5])),
    "Poisson": lambda d, t: d.Poisson(t([0.0, 2.5, 30.0])),
    "Binomial": lambda d, t: d.Binomial(12, t([0.0, 0.3, 1.0])),
    "Binomial logits": lambda d, t: d.Binomial(t([3.0, 8.0]), logits=t([0.4, -0.3])),
    "NegativeBinomial": lambda d, t: d.NegativeBinomial(t([3.0, 8.5]), t([0.4, 0.3])),
    "MultivariateNormal tril": lambda d, t: d.MultivariateNormal(t([[0.3, 1.2], [0.1, 0.0]]), scale_tril=t([[1.0, 0.0], [0.5, 2.0]])),
    "MultivariateNormal covariance": lambda d, t: d.MultivariateNormal(t([0.3, 1.2]), t([[[2.0, 0.3], [0.3, 1.0]], [[3.0, -0.3], [-0.3, 1.0]]])),
    "MultivariateNormal precision": lambda d, t: d.MultivariateNormal(t([0.3, 1.2]), precision_matrix=t([[2.0, 0.3], [0.3, 1.0]])),
    "LowRankMultivariateNormal": lambda d, t: d.LowRankMultivariateNormal(
        t([0.3, 1.2, 0.0]), t([[[2.0], [0.3], [0.1]], [[0.0], [1.3], [0.5]]]), t([0.5, 0.7, 0.2])),
    "ContinuousBernoulli": lambda d, t: d.ContinuousBernoulli(t([0.1, 0.4995, 0.7])),
    "ContinuousBernoulli logits": lambda d, t: d.ContinuousBernoulli(logits=t([0.1, 0.001, -3.0])),
    "VonMises": lambda d, t: d.VonMises(t([0.3, -2.0]), t([0.8, 20.0])),
    "Wishart": lambda d, t: d.Wishart(t([3.5, 7.0]), t([[2.0, 0.3], [0.3, 1.0]])),
    "Wishart precision": lambda d, t: d.Wishart(t(4.0), precision_matrix=t([[2.0, 0.3, 0.1], [0.3, 1.0, 0.0], [0.1, 0.0, 1.5]])),
    "Wishart tril": lambda d, t: d.Wishart(5, scale_tril=t([[1.0, 0.0], [0.5, 2.0]])),
    "LKJCholesky": lambda d, t: d.LKJCholesky(3, t([0.5, 2.0])),
}
BETTER = {("Kumaraswamy", "mode")}      # PyTorch's formula takes the logarithm of a negative number: nan wherever there is a mode
NEEDS = {"Weibull": "lgamma", "Kumaraswamy": "digamma", "LogNormal": "erfinv", "HalfNormal": "erfinv", "Multinomial": "lgamma",
         **dict.fromkeys(["Gamma", "Chi2", "InverseGamma", "Beta", "Dirichlet", "StudentT", "FisherSnedecor", "NegativeBinomial"], "digamma"),
         **dict.fromkeys(["LKJCholesky", "Poisson", "Binomial", "Binomial logits"], "lgamma"),
         "VonMises": "special.i1e"}     # special functions that fastgrad does not have yet: these run when it does


def has(path):
    found = fg
    for name in path.split("."):
        found = getattr(found, name, None)
    return found is not None


def made(name, batch=None):
    theirs, ours = CASES[name](torch.distributions, torch.tensor), CASES[name](fg.distributions, fg.tensor)
    if batch is not None:
        theirs, ours = theirs.expand(batch + tuple(theirs.batch_shape)), ours.expand(batch + tuple(ours.batch_shape))
    return theirs, ours


def result(function):
    try:
        return function()
    except NotImplementedError:
        return NotImplementedError


def assert_same(theirs, ours, what="", rtol=2e-10):
    theirs, ours = result(theirs), result(ours)
    if theirs is NotImplementedError or ours is NotImplementedError:
        assert theirs is ours, what
        return
    theirs, ours = theirs.detach().numpy(), ours.detach().numpy()
    assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype), what
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol / 100, err_msg=what)


@pytest.mark.parametrize("name", CASES)
def test_draws_are_pytorch_s_and_use_as_many_numbers(name):
    theirs, ours = made(name)
    for seed, shape in ((0, ()), (3, (5,)), (7, (20, 3))):
        for kind in ("sample", "rsample"):
            torch.manual_seed(seed)
            fg.manual_seed(seed)
            assert_same(lambda: getattr(theirs, kind)(torch.Size(shape)), lambda: getattr(ours, kind)(shape), f"{kind} {shape}")
            assert_same(lambda: torch.rand(2), lambda: fg.rand(2), "generator")
    assert bool(ours.has_rsample) == bool(theirs.has_rsample)


@pytest.mark.parametrize("batch", [None, (3,)])
@pytest.mark.parametrize("name", CASES)
def test_values_and_moments_are_pytorch_s(name, batch):
    if name in NEEDS and not has(NEEDS[name]):
        pytest.skip(f"needs {NEEDS[name]}")
    theirs, ours = made(name, batch)
    assert repr(ours) == repr(theirs)
    assert (tuple(ours.batch_shape), tuple(ours.event_shape)) == (tuple(theirs.batch_shape), tuple(theirs.event_shape))
    rtol = 2e-5 if name == "VonMises" else 2e-10        # PyTorch has I0 and I1 to 7 digits there, and subtracts
    torch.manual_seed(1)
    x = theirs.sample((6,))
    y = fg.tensor(x.numpy().copy())
    u = np.random.default_rng(0).uniform(0.05, 0.95, (4,) + tuple(theirs.batch_shape) + tuple(theirs.event_shape))
    assert_same(lambda: theirs.log_prob(x), lambda: ours.log_prob(y), "log_prob", rtol)
    assert_same(lambda: theirs.cdf(x), lambda: ours.cdf(y), "cdf")
    assert_same(lambda: theirs.icdf(torch.tensor(u)), lambda: ours.icdf(fg.tensor(u)), "icdf")
    for what in ("mean", "mode", "variance", "stddev"):
        if (name, what) not in BETTER:
            assert_same(lambda: getattr(theirs, what), lambda: getattr(ours, what), what, rtol)
    if name == "Multinomial":           # PyTorch's entropy fails after expand
        assert_same(lambda: made(name)[0].entropy().expand(theirs.batch_shape), ours.entropy, "entropy")
    else:
        assert_same(theirs.entropy, ours.entropy, "entropy")
    assert_same(theirs.enumerate_support, ours.enumerate_support, "enumerate_support")
    assert repr(result(lambda: ours.support)) == repr(result(lambda: theirs.support))


def test_mode_of_kumaraswamy_is_where_the_density_is_largest():
    ours = fg.distributions.Kumaraswamy(fg.tensor([2.2, 0.5]), fg.tensor([2.5, 2.0]))
    grid = fg.linspace(0.001, 0.999, 9999)
    density = fg.distributions.Kumaraswamy(fg.tensor(2.2), fg.tensor(2.5)).log_prob(grid)
    assert ours.mode[0].item() == pytest.approx(grid[density.argmax()].item(), abs=2e-4)
    assert math.isnan(ours.mode[1].item())


GRADIENTS = {
    "LogNormal": [0.3, 0.5], "Gumbel": [0.3, 0.5], "Pareto": [0.3, 2.5], "Weibull": [0.3, 2.5], "Kumaraswamy": [1.3, 2.5],
    "HalfCauchy": [0.4], "Cauchy": [0.3, 1.2], "GeneralizedPareto": [0.3, 1.2, 0.2], "RelaxedBernoulli": [0.7, 0.3],
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_through_draws_and_log_probabilities(name):
    grads = []
    for lib in (torch, fg):
        arguments = [lib.tensor(a, requires_grad=True) for a in GRADIENTS[name]]
        distribution = getattr(lib.distributions, name)(*arguments)
        lib.manual_seed(5)
        draw = distribution.rsample((4,))
        (draw.sum() + distribution.log_prob(draw.detach()).sum()).backward()
        grads.append([a.grad.item() for a in arguments])
    assert grads[1] == pytest.approx(grads[0], rel=1e-10)


@pytest.mark.parametrize("batch", [None, (3,)])
@pytest.mark.parametrize("name", [name for name in CASES if "MultivariateNormal" in name or "Wishart" in name])
def test_matrices_of_multivariate_normals(name, batch):
    theirs, ours = made(name, batch)
    for what in ("covariance_matrix", "precision_matrix", "scale_tril"):
        assert_same(lambda: getattr(theirs, what), lambda: getattr(ours, what), what)


def test_gradient_of_a_multivariate_log_probability():
    grads = []
    for lib in (torch, fg):
        loc = lib.tensor([0.3, 1.2], requires_grad=True)
        covariance = lib.tensor([[2.0, 0.3], [0.3, 1.0]], requires_grad=True)
        distribution = lib.distributions.MultivariateNormal(loc, covariance)
        lib.manual_seed(5)
        draw = distribution.rsample((4,))
        (draw.sum() + distribution.log_prob(draw.detach()).sum() + distribution.entropy()).backward()
        grads.append((loc.grad.numpy(), covariance.grad.numpy()))
    np.testing.assert_allclose(grads[1][0], grads[0][0], rtol=1e-10)
    np.testing.assert_allclose(grads[1][1], grads[0][1], rtol=1e-10)


@pytest.mark.parametrize("value", [[0.2, 0.7, 0.1], [0.0, 1.0, 0.0], [3.0, 3.0, 0.0]])
def test_one_hot_reads_the_largest(value):
    """Also of what is not one-hot, as relaxed draws are, where arguments are not validated."""
    def observe(lib):
        made = lib.distributions.OneHotCategorical(lib.tensor([[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]), validate_args=False)
        return made.log_prob(lib.tensor(value)).tolist()

    assert observe(fg) == pytest.approx(observe(torch))
