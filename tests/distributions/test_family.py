"""What all families have of their base: constructors, lazily worked out parameters, expand, and what users derive from them."""

import inspect

import numpy as np
import pytest
import torch

import fastgrad as fg

pytestmark = pytest.mark.usefixtures("doubles")

NAMES = sorted(name for name in fg.distributions.__all__ if isinstance(getattr(fg.distributions, name), type)
               and issubclass(getattr(fg.distributions, name), fg.distributions.Distribution))


@pytest.mark.parametrize("name", NAMES)
def test_constructors_take_pytorch_s_arguments(name):
    def arguments(library):
        signature = inspect.signature(getattr(library.distributions, name))
        return [(p.name, p.kind, p.default) for p in signature.parameters.values()]

    assert arguments(fg) == arguments(torch)


@pytest.mark.parametrize("name", NAMES)
def test_types_are_as_related_as_pytorch_s(name):
    for base in ("ExponentialFamily", "TransformedDistribution", "OneHotCategorical", "Gamma"):
        assert (issubclass(getattr(fg.distributions, name), getattr(fg.distributions, base))
                == issubclass(getattr(torch.distributions, name), getattr(torch.distributions, base)))


@pytest.mark.parametrize("call", [
    lambda d: d.Normal(0.0), lambda d: d.Normal(0.0, 1.0, None, 3), lambda d: d.Normal(0.0, 1.0, loc=0.0), lambda d: d.Normal(0.0, std=1.0),
    lambda d: d.Bernoulli(0.5, p=0.5), lambda d: d.Pareto(scale=1.0)])
def test_other_arguments_are_refused(call):
    for library in (torch, fg):
        with pytest.raises(TypeError):
            call(library.distributions)


def test_arguments_by_name_and_in_order():
    pareto = fg.distributions.Pareto(alpha=2.0, scale=3.0)
    assert (pareto.alpha.item(), pareto.scale.item()) == (2.0, 3.0)
    unchecked = fg.distributions.Normal(0.0, -1.0, False)
    assert unchecked.scale.item() == -1.0
    assert fg.distributions.StudentT(3.0).scale.item() == 1.0


@pytest.mark.parametrize("use", [
    lambda d, x: d.Bernoulli(logits=x), lambda d, x: d.Categorical(logits=x), lambda d, x: d.OneHotCategorical(logits=x),
    lambda d, x: d.Bernoulli(probs=x.sigmoid()), lambda d, x: d.MultivariateNormal(x[0], x.mT @ x)],
    ids=["Bernoulli", "Categorical", "OneHotCategorical", "Bernoulli of probs", "MultivariateNormal"])
def test_what_a_sample_works_out_still_has_a_gradient(use):
    values = [[0.3, -1.0, 0.2], [0.1, 2.0, -0.4], [0.5, 0.1, 1.4]]
    grads = []
    for library in (torch, fg):
        x = library.tensor(values, requires_grad=True)
        distribution = use(library.distributions, x)
        with library.no_grad():
            distribution.sample()
        distribution.entropy().sum().backward()
        grads.append(x.grad.numpy())
    np.testing.assert_allclose(grads[1], grads[0], rtol=1e-10, atol=1e-14)


def test_a_user_s_family_and_a_user_s_distribution():
    def made(library):
        d = library.distributions

        class Around(d.Normal):
            def __init__(self, loc):
                super().__init__(loc, 2.0)

        class Squared(d.Distribution):
            arg_constraints = {"scale": d.constraints.positive}
            support = d.constraints.positive

            def __init__(self, scale, validate_args=None):
                self.scale = scale
                super().__init__(scale.shape, validate_args=validate_args)

            def expand(self, batch_shape, _instance=None):
                new = self._get_checked_instance(Squared, _instance)
                new.scale = self.scale.expand(batch_shape)
                super(Squared, new).__init__(batch_shape, validate_args=False)
                return new

            def log_prob(self, value):
                self._validate_sample(value)
                return -value / self.scale

        return Around(library.tensor([0.5, 1.0])), Squared(library.tensor([0.5, 1.0]))

    theirs, ours = made(torch), made(fg)
    for a, b in zip(theirs, ours):
        assert repr(a) == repr(b)
    value = np.array([[0.3, 1.2]])
    for a, b in [*zip(theirs, ours), (theirs[1].expand((3, 2)), ours[1].expand((3, 2)))]:
        np.testing.assert_allclose(b.log_prob(fg.tensor(value)).numpy(), a.log_prob(torch.tensor(value)).numpy(), rtol=1e-12)
    assert ours[0].expand((3, 2)).batch_shape == (3, 2)
    with pytest.raises(ValueError, match="Squared.* to satisfy the constraint"):
        type(ours[1])(fg.tensor([-1.0]))

    class Longer(type(ours[1])):
        def __init__(self):
            super().__init__(fg.tensor([1.0]))

    with pytest.raises(NotImplementedError, match="expand"):
        Longer().expand((2, 1))


def test_a_subclass_that_takes_the_parameters_itself():
    def made(lib):
        class Lazy(lib.distributions.MultivariateNormal):
            def __init__(self, mean):
                self.mine = mean
                super(lib.distributions.MultivariateNormal, self).__init__(mean.shape[:-1], mean.shape[-1:], validate_args=False)

            @property
            def mean(self):
                return self.mine

        class Plain(lib.distributions.Normal):
            def __init__(self, loc):
                self.loc, self.scale = loc, lib.ones_like(loc)
                super(lib.distributions.Normal, self).__init__(batch_shape=loc.shape)

        lazy, plain = Lazy(lib.ones(3, 2)), Plain(lib.zeros(4))
        return [tuple(lazy.batch_shape), tuple(lazy.event_shape), lazy.mean.tolist(), tuple(plain.batch_shape), plain.log_prob(lib.ones(4)).tolist()]

    assert made(fg) == made(torch)
