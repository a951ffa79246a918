"""Distributions of a number of successes, failures or events: Bernoulli, geometric, Poisson, binomial, negative binomial."""

import math

import fastgrad as fg
from fastgrad.nn.functional import logsigmoid

from . import constraints
from .distribution import ExponentialFamily
from .family import Family, checked, method, quantity
from .gammas import gamma_draws
from .probs import ProbsOrLogits, cross_entropy

__all__ = ["Bernoulli", "Binomial", "Geometric", "NegativeBinomial", "Poisson", "log_choose"]


def log_choose(n, k):
    """The logarithm of the binomial coefficient."""
    return fg.lgamma(n + 1) - fg.lgamma(k + 1) - fg.lgamma(n - k + 1)


class Bernoulli(ProbsOrLogits, ExponentialFamily):
    """1 with probability `probs`, the sigmoid of `logits`, else 0; exactly one of both is given."""

    support = constraints.boolean
    has_enumerate_support = True

    mean = quantity(lambda probs: probs)
    variance = quantity(lambda probs: probs * (1 - probs))
    mode = quantity(lambda probs: (probs > 0.5).to(probs.dtype).masked_fill(probs == 0.5, math.nan))
    log_prob = checked(lambda value, logits: -cross_entropy(logits, value))
    entropy = method(lambda logits, probs: cross_entropy(logits, probs))

    def _draw(self, shape):
        return fg.bernoulli(self.probs.expand(shape))

    def enumerate_support(self, expand=True):
        return self._for_batch(fg.arange(2, dtype=self._dtype), expand)


class Geometric(ProbsOrLogits):
    """The number of failures before the first success: (1 - probs)^k probs."""

    support = constraints.nonnegative_integer

    mean = quantity(lambda probs: 1 / probs - 1)
    variance = quantity(lambda probs, mean: mean / probs)
    mode = quantity(lambda probs: fg.zeros_like(probs))
    entropy = method(lambda logits, probs: cross_entropy(logits, probs) / probs)

    @checked
    def log_prob(value, probs):
        in_failures = probs.where(value != 0, 0)            # of no failures the probability is 1, also where probs is 1
        return value * (-in_failures).log1p() + probs.log()

    def _draw(self, shape):
        u = fg.empty(shape, dtype=self.probs.dtype).uniform_(fg.finfo(self.probs.dtype).tiny, 1)
        return (u.log() / (-self.probs).log1p()).floor()

    def _validate_parameters(self):
        super()._validate_parameters()
        given = vars(self).get("probs")
        if given is not None and not (given > 0).all():
            raise ValueError(f"Expected parameter probs of distribution {self!r} to be positive but found invalid values:\n{given}")


class Poisson(Family, ExponentialFamily):
    """rate^k exp(-rate) / k!."""

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    mean = variance = quantity(lambda rate: rate)
    mode = quantity(lambda rate: rate.floor())
    log_prob = checked(lambda value, rate: fg.xlogy(value, rate) - fg.lgamma(value + 1) - rate)

    def _draw(self, shape):
        return fg.poisson(self.rate.expand(shape))


class _Trials(ProbsOrLogits):
    """Counts with a `total_count` for each distribution of the batch."""

    def _take(self, total_count, probs, logits):
        shapes = super()._take(probs, logits, total_count=total_count)
        self.total_count = self.total_count.to(self._dtype)
        return shapes


class Binomial(_Trials):
    """The successes in `total_count` trials of probability `probs`."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, **ProbsOrLogits.arg_constraints}
    defaults = {"total_count": 1, **ProbsOrLogits.defaults}
    has_enumerate_support = True

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    mean = quantity(lambda total_count, probs: total_count * probs)
    variance = quantity(lambda mean, probs: mean * (1 - probs))
    mode = quantity(lambda total_count, probs: ((total_count + 1) * probs).floor().clamp(max=total_count))
    log_prob = checked(lambda value, total_count, logits: (
        log_choose(total_count, value) + value * logits + total_count * logsigmoid(-logits)))

    def entropy(self):
        log_prob = self.log_prob(self._counts("entropy", False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        return self._counts("enumerate_support", expand)

    def _counts(self, name, expand):
        """All values, where the total count is the same in all of the batch, as the method `name` needs."""
        most = self.total_count.max()
        if (self.total_count != most).any():
            raise NotImplementedError(f"{name}: total_count must be the same in all of the batch")
        return self._for_batch(fg.arange(1 + int(most), dtype=self._dtype), expand)

    def _draw(self, shape):
        return fg.binomial(self.total_count.expand(shape), self.probs.expand(shape))


class NegativeBinomial(_Trials):
    """The successes of probability `probs` before `total_count` failures."""

    arg_constraints = {"total_count": constraints.greater_than_eq(0), **ProbsOrLogits.arg_constraints,
                       "probs": constraints.half_open_interval(0.0, 1.0)}
    support = constraints.nonnegative_integer

    mean = quantity(lambda total_count, logits: total_count * logits.exp())
    variance = quantity(lambda mean, logits: mean * (1 + logits.exp()))
    mode = quantity(lambda total_count, logits: ((total_count - 1) * logits.exp()).floor().clamp(min=0.0))

    @checked
    def log_prob(value, total_count, logits):
        log_ways = fg.lgamma(total_count + value) - fg.lgamma(value + 1) - fg.lgamma(total_count)
        log_ways = log_ways.masked_fill(total_count + value == 0, 0)
        return log_ways + total_count * logsigmoid(-logits) + value * logsigmoid(logits)

    def _draw(self, shape):
        """Poisson, of a rate that is a gamma variable."""
        return fg.poisson(gamma_draws(self.total_count, fg.exp(-self.logits), shape))
