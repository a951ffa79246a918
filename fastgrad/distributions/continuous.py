"""Distributions of a number that is a shifted and stretched standard one, told by the standard one's formulas; uniform, exponential."""

import math

import fastgrad as fg

from . import constraints
from .distribution import ExponentialFamily
from .family import Family, checked, log_beta, method, quantity
from .gammas import gamma_draws

__all__ = ["Cauchy", "Exponential", "GeneralizedPareto", "Laplace", "LocationScale", "Normal", "StudentT", "Uniform"]


class LocationScale(Family):
    """loc + scale z. Subclasses say of z, as far as there is one, its log_density, distribution (cdf), its inverse `quantile`, `spread`
    (variance), `information` (entropy) and `_standard_draw`; z is symmetric about 0 where they do not say otherwise."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    mean = mode = quantity(lambda loc: loc)
    variance = quantity(lambda scale, spread: scale * scale * spread)
    entropy = method(lambda scale, information: scale.log() + information)
    distribution, quantile = constraints.absent("cdf"), constraints.absent("icdf")

    def standardized(self, value):
        return (value - self.loc) / self.scale

    def log_prob(self, value):
        self._validate_sample(value)
        return self.log_density(self.standardized(value)) - self.scale.log()

    def cdf(self, value):
        self._validate_sample(value)
        return self.distribution(self.standardized(value))

    def icdf(self, value):
        return self.quantile(value) * self.scale + self.loc

    def _draw(self, shape):
        return self._standard_draw(shape) * self.scale + self.loc

    def _standard_draw(self, shape):
        return self.quantile(fg.rand(shape, dtype=self.loc.dtype))


LOG_ROOT_OF_2_PI = math.log(math.sqrt(2 * math.pi))


class Normal(LocationScale, ExponentialFamily):
    """Density exp(-(x - loc)^2 / (2 scale^2)) / (scale sqrt(2 pi))."""

    stddev, spread, information = quantity(lambda scale: scale), 1, 0.5 + LOG_ROOT_OF_2_PI
    distribution = method(lambda value: 0.5 * (1 + fg.erf(value / math.sqrt(2))))
    quantile = method(lambda value: math.sqrt(2) * fg.erfinv(2 * value - 1))

    # the density in this order of operations: to the last bit PyTorch's
    log_prob = checked(lambda value, loc, scale: -((value - loc) ** 2) / (2 * scale**2) - scale.log() - LOG_ROOT_OF_2_PI)

    def _standard_draw(self, shape):
        return fg.randn(shape, dtype=self.loc.dtype)


class Laplace(LocationScale):
    """Density exp(-|x - loc| / scale) / (2 scale)."""

    spread, information = 2, 1 + math.log(2)
    log_density = method(lambda value: -value.abs() - math.log(2))
    distribution = method(lambda value: 0.5 - 0.5 * value.sign() * fg.expm1(-value.abs()))
    quantile = method(lambda value: _two_sided_exponential(2 * value - 1))

    def _standard_draw(self, shape):
        like = self.loc
        return _two_sided_exponential(fg.empty(shape, dtype=like.dtype).uniform_(fg.finfo(like.dtype).eps - 1, 1))


def _two_sided_exponential(u):
    """Of u uniform in (-1, 1)."""
    return -u.sign() * (-u.abs()).log1p()


class Cauchy(LocationScale):
    """Density 1 / (pi scale (1 + ((x - loc) / scale)^2))."""

    mean = quantity(lambda loc: fg.full_like(loc, math.nan))
    spread, information = math.inf, math.log(4 * math.pi)
    log_density = method(lambda value: -(value * value).log1p() - math.log(math.pi))
    distribution = method(lambda value: 0.5 + value.atan() / math.pi)
    quantile = method(lambda value: fg.tan(math.pi * (value - 0.5)))

    def _standard_draw(self, shape):
        return fg.empty(shape, dtype=self.loc.dtype).cauchy_()


class StudentT(LocationScale):
    """loc + scale z / sqrt(c / df) for z standard normal and c chi-squared of `df`."""

    arg_constraints = {"df": constraints.positive, **LocationScale.arg_constraints}
    defaults = {"loc": 0.0, "scale": 1.0}

    mean = quantity(lambda loc, df: loc.where(df > 1, math.nan))
    spread = quantity(lambda df: (df / (df - 2)).where(df > 2, math.inf).where(df > 1, math.nan))
    log_density = method(lambda value, df: -(df + 1) / 2 * (value * value / df).log1p() - df.log() / 2 - log_beta(df / 2, df.new_full((), 0.5)))

    @quantity
    def information(df):
        a, b = df / 2, df.new_full((), 0.5)
        return (a + b) * (fg.digamma(a + b) - fg.digamma(a)) + df.log() / 2 + log_beta(a, b)

    def _standard_draw(self, shape):
        z = fg.randn(shape, dtype=self.df.dtype)
        return z * (gamma_draws(self.df / 2, fg.full_like(self.df, 0.5), shape) / self.df).rsqrt()


class GeneralizedPareto(LocationScale):
    """Survival (1 + concentration z)^(-1/concentration) for z = (x - loc) / scale >= 0; exp(-z) where concentration is 0."""

    arg_constraints = {**LocationScale.arg_constraints, "concentration": constraints.real}

    _is_zero = quantity(lambda concentration: fg.isclose(concentration, fg.zeros_like(concentration)))
    _nonzero = quantity(lambda concentration, _is_zero: concentration.masked_fill(_is_zero, 1))

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self):
        bounded = self.concentration < 0
        return constraints.interval(self.loc, (self.loc - self.scale / self.concentration).where(bounded, math.inf))

    @method
    def _log_survival(value, _is_zero, _nonzero):
        return -value.where(_is_zero, (_nonzero * value).log1p() / _nonzero)

    def log_density(self, z):
        """The survival function to the power of 1 + concentration; without a power, at the far end too, where that is 0."""
        power = 1 + self.concentration
        return (power * self._log_survival(z)).masked_fill(power == 0, 0)

    def log_survival_function(self, value):
        """The logarithm of the probability of more than `value`."""
        return self._log_survival(self.standardized(value))

    def log_cdf(self, value):
        """The logarithm of cdf."""
        return (-self.log_survival_function(value).exp()).log1p()

    def cdf(self, value):
        return self.log_cdf(value).exp()

    @method
    def quantile(value, _is_zero, _nonzero):
        log_left = (-value).log1p()
        return (-log_left).where(_is_zero, (-_nonzero * log_left).expm1() / _nonzero)

    mean = quantity(lambda loc, scale, concentration: (loc + scale / (1 - concentration)).where(concentration < 1, math.nan))
    spread = quantity(lambda concentration: ((1 - concentration) ** -2 / (1 - 2 * concentration)).where(concentration < 0.5, math.nan))
    information = quantity(lambda concentration: 1 + concentration)


class Uniform(Family):
    """Density 1 / (high - low) in [low, high)."""

    arguments = ("low", "high")
    has_rsample = True

    arg_constraints = property(lambda self: {"low": constraints.less_than(self.high), "high": constraints.greater_than(self.low)})
    support = constraints.dependent_property(lambda self: constraints.interval(self.low, self.high), is_discrete=False, event_dim=0)

    _width = quantity(lambda low, high: high - low)
    mean = quantity(lambda low, high: (low + high) / 2)
    mode = quantity(lambda low: fg.full_like(low, math.nan))
    variance = quantity(lambda _width: _width**2 / 12)
    entropy = method(lambda _width: _width.log())
    log_prob = checked(lambda value, low, high, _width: ((low <= value) & (value < high)).to(low.dtype).log() - _width.log())
    cdf = checked(lambda value, low, _width: ((value - low) / _width).clamp(0, 1))
    icdf = method(lambda value, low, _width: value * _width + low)


class Exponential(Family, ExponentialFamily):
    """Density rate exp(-rate x) for x >= 0."""

    arg_constraints = {"rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    mean = stddev = quantity(lambda rate: rate.reciprocal())
    variance = quantity(lambda mean: mean**2)
    mode = quantity(lambda rate: fg.zeros_like(rate))
    entropy = method(lambda rate: 1 - rate.log())
    log_prob = checked(lambda value, rate: rate.log() - rate * value)
    cdf = checked(lambda value, rate: 1 - (-rate * value).exp())
    icdf = method(lambda value, rate: (-value).log1p() / -rate)

    def _draw(self, shape):
        return fg.empty(shape, dtype=self.rate.dtype).exponential_() / self.rate
