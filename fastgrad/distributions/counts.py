"""Poisson, binomial and negative binomial distributions: counts."""

import fastgrad as fg
from fastgrad.nn.functional import logsigmoid

from . import constraints
from .continuous import _shape_of
from .distribution import ExponentialFamily, ProbsOrLogits, broadcast_all
from .gammas import Gamma

__all__ = ["Binomial", "NegativeBinomial", "Poisson"]


class Poisson(ExponentialFamily):
    """rate^k exp(-rate) / k!."""

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate, validate_args=None):
        (self.rate,) = broadcast_all(rate)
        super().__init__(_shape_of(rate), validate_args=validate_args)

    @property
    def mean(self):
        return self.rate

    @property
    def mode(self):
        return self.rate.floor()

    @property
    def variance(self):
        return self.rate

    def sample(self, sample_shape=()):
        with fg.no_grad():
            return fg.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return value.xlogy(rate) - rate - fg.lgamma(value + 1)


class _Trials(ProbsOrLogits):
    """Counts with a `total_count` for each distribution of the batch."""

    def _take(self, total_count, probs, logits, validate_args):
        self._give(probs, logits)
        self.total_count, self._param = broadcast_all(total_count, self._param)
        self.total_count = self.total_count.to(self._param.dtype)
        self.__dict__["logits" if probs is None else "probs"] = self._param
        ProbsOrLogits.__init__(self, self._param.shape, validate_args=validate_args)


class Binomial(_Trials):
    """The successes in `total_count` trials of probability `probs`."""

    arg_constraints = {"total_count": constraints.nonnegative_integer, "probs": constraints.unit_interval, "logits": constraints.real}
    has_enumerate_support = True

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        self._take(total_count, probs, logits, validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self):
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self):
        return self.total_count * self.probs

    @property
    def mode(self):
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        shape = self._extended_shape(sample_shape)
        with fg.no_grad():
            return fg.binomial(self.total_count.expand(shape), self.probs.expand(shape))

    def log_prob(self, value):
        self._validate_sample(value)
        n, logits = self.total_count, self.logits
        norm = n * logits.clamp(min=0) + n * fg.log1p(fg.exp(-logits.abs())) - fg.lgamma(n + 1)
        return value * logits - fg.lgamma(value + 1) - fg.lgamma(n - value + 1) - norm

    def entropy(self):
        self._only_count("entropy")
        log_prob = self.log_prob(self.enumerate_support(False))
        return -(fg.exp(log_prob) * log_prob).sum(0)

    def enumerate_support(self, expand=True):
        return self._for_batch(fg.arange(1 + self._only_count("enumerate_support"), dtype=self._param.dtype), expand)

    def _only_count(self, method):
        """The total count, which `method` needs to be the same in all of the batch."""
        total = int(self.total_count.max())
        if not self.total_count.min() == total:
            raise NotImplementedError(f"Inhomogeneous total count not supported by `{method}`.")
        return total


class NegativeBinomial(_Trials):
    """The successes of probability `probs` before `total_count` failures."""

    arg_constraints = {"total_count": constraints.greater_than_eq(0), "probs": constraints.half_open_interval(0.0, 1.0),
                       "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, total_count, probs=None, logits=None, validate_args=None):
        self._take(total_count, probs, logits, validate_args)

    @property
    def mean(self):
        return self.total_count * fg.exp(self.logits)

    @property
    def mode(self):
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self):
        return self.mean / fg.sigmoid(-self.logits)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            rate = Gamma(self.total_count, fg.exp(-self.logits), validate_args=False).sample(sample_shape)
            return fg.poisson(rate)

    def log_prob(self, value):
        self._validate_sample(value)
        unnormalized = self.total_count * logsigmoid(-self.logits) + value * logsigmoid(self.logits)
        norm = -fg.lgamma(self.total_count + value) + fg.lgamma(1.0 + value) + fg.lgamma(self.total_count)
        return unnormalized - norm.masked_fill(self.total_count + value == 0.0, 0.0)
