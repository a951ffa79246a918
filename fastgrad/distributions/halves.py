"""Cauchy, the halves of the normal and of Cauchy's distribution, and the generalized Pareto distribution: tails."""

import math

import fastgrad as fg

from . import constraints
from .continuous import LocationScale, Normal, _shape_of
from .distribution import Distribution, broadcast_all
from .transformed import TransformedDistribution
from .transforms import AbsTransform

__all__ = ["Cauchy", "GeneralizedPareto", "HalfCauchy", "HalfNormal"]


class Cauchy(LocationScale):
    """Density 1 / (pi scale (1 + ((x - loc) / scale)^2))."""

    @property
    def mean(self):
        return fg.full(self._extended_shape(), math.nan, dtype=self.loc.dtype)

    @property
    def mode(self):
        return self.loc

    @property
    def variance(self):
        return fg.full(self._extended_shape(), math.inf, dtype=self.loc.dtype)

    def rsample(self, sample_shape=()):
        return self.loc + fg.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).cauchy_() * self.scale

    def log_prob(self, value):
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value):
        self._validate_sample(value)
        return fg.atan((value - self.loc) / self.scale) / math.pi + 0.5

    def icdf(self, value):
        return fg.tan(math.pi * (value - 0.5)) * self.scale + self.loc

    def entropy(self):
        return math.log(4 * math.pi) + self.scale.log()


class _Half(TransformedDistribution):
    """|x| for x of a distribution that is symmetric about 0."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    @property
    def scale(self):
        return self.base_dist.scale

    @property
    def mode(self):
        return fg.zeros_like(self.scale)

    def log_prob(self, value):
        self._validate_sample(value)
        value = fg.as_tensor(value, dtype=self.scale.dtype)
        return fg.where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value):
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob):
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self):
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """|x| for x normal about 0."""

    def __init__(self, scale, validate_args=None):
        super().__init__(Normal(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def mean(self):
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self):
        return self.scale.pow(2) * (1 - 2 / math.pi)


class HalfCauchy(_Half):
    """|x| for x of Cauchy's distribution about 0."""

    def __init__(self, scale, validate_args=None):
        super().__init__(Cauchy(0, scale, validate_args=False), AbsTransform(), validate_args=validate_args)

    @property
    def mean(self):
        return fg.full(self._extended_shape(), math.inf, dtype=self.scale.dtype)

    @property
    def variance(self):
        return self.base_dist.variance


class GeneralizedPareto(Distribution):
    """Survival (1 + concentration z)^(-1/concentration) for z = (x - loc) / scale >= 0; exp(-z) where concentration is 0."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True

    def __init__(self, loc, scale, concentration, validate_args=None):
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(_shape_of(loc, scale, concentration), validate_args=validate_args)

    def _nonzero(self):
        """Where the concentration is about 0, and the concentration with 1 there."""
        zero = fg.isclose(self.concentration, fg.zeros_like(self.concentration))
        return zero, fg.where(zero, 1.0, self.concentration)

    def rsample(self, sample_shape=()):
        return self.icdf(fg.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype))

    def log_prob(self, value):
        self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, c = self._nonzero()
        power = 1 / c + fg.ones_like(z)
        return -self.scale.log() - fg.where(zero, z, fg.where(power == 0, power, power * fg.log1p(c * z)))

    def log_survival_function(self, value):
        """The logarithm of the probability of more than `value`."""
        z = (value - self.loc) / self.scale
        zero, c = self._nonzero()
        return fg.where(zero, -z, -fg.log1p(c * z) / c)

    def log_cdf(self, value):
        """The logarithm of cdf."""
        return fg.log1p(-fg.exp(self.log_survival_function(value)))

    def cdf(self, value):
        return fg.exp(self.log_cdf(value))

    def icdf(self, value):
        zero, c = self._nonzero()
        log_left = fg.log1p(-value)
        return fg.where(zero, self.loc - self.scale * log_left, self.loc + self.scale / c * fg.expm1(-c * log_left))

    @property
    def mean(self):
        finite = self.concentration < 1
        return fg.where(finite, self.loc + self.scale / (1 - fg.where(finite, self.concentration, 0.5)), math.nan)

    @property
    def variance(self):
        finite = self.concentration < 0.5
        c = fg.where(finite, self.concentration, 0.25)
        return fg.where(finite, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.nan)

    @property
    def mode(self):
        return self.loc

    def entropy(self):
        return fg.broadcast_to(fg.log(self.scale) + self.concentration + 1, self._batch_shape)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        return constraints.interval(self.loc, fg.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf))
