"""Gamma and what is made of gamma variables: chi-squared, Dirichlet, beta, Fisher's F."""

import math

import fastgrad as fg

from . import constraints
from .distribution import ExponentialFamily
from .family import Family, checked, log_beta, method, quantity

__all__ = ["Beta", "Chi2", "Dirichlet", "FisherSnedecor", "Gamma", "gamma_draws"]


def gamma_draws(concentration, rate, shape):
    """Gamma variables of that shape; none is 0, where the density of some has no logarithm."""
    drawn = fg._standard_gamma(concentration.expand(shape)) / rate.expand(shape)
    drawn.detach().clamp_(min=fg.finfo(drawn.dtype).tiny)
    return drawn


class Gamma(Family, ExponentialFamily):
    """Density rate^concentration x^(concentration - 1) exp(-rate x) / Gamma(concentration)."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    mean = quantity(lambda concentration, rate: concentration / rate)
    mode = quantity(lambda concentration, rate: (concentration - 1).clamp(min=0) / rate)
    variance = quantity(lambda mean, rate: mean / rate)

    @checked
    def _log_prob(value, concentration, rate):
        log_norm = fg.xlogy(concentration, rate) - fg.lgamma(concentration)
        return log_norm + fg.xlogy(concentration - 1, value) - rate * value

    def log_prob(self, value):
        """Of a tensor or, alone among distributions as in PyTorch, a number."""
        return self._log_prob(fg.as_tensor(value, dtype=self.rate.dtype))

    @method
    def entropy(concentration, rate):
        return concentration + fg.lgamma(concentration) + (1 - concentration) * fg.digamma(concentration) - rate.log()

    cdf = checked(lambda value, concentration, rate: fg.special.gammainc(concentration, rate * value))

    def _draw(self, shape):
        return gamma_draws(self.concentration, self.rate, shape)


class Chi2(Gamma):
    """The sum of `df` squared standard normal variables."""

    arg_constraints = {"df": constraints.positive}
    _shows_parameters = False

    def _take(self, df):
        shapes = super()._take(df=df)
        self.concentration, self.rate = self.df / 2, fg.full_like(self.df, 0.5)
        return shapes


class Dirichlet(Family, ExponentialFamily):
    """Probabilities x of density proportional to the product of x^(concentration - 1)."""

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def _take(self, concentration):
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        *batch, k = concentration.shape
        return batch, (k,)

    _total = quantity(lambda concentration: concentration.sum(-1, True))
    _log_norm = quantity(lambda concentration, _total: (fg.lgamma(concentration).sum(-1) - fg.lgamma(_total.squeeze(-1))))

    mean = quantity(lambda concentration, _total: concentration / _total)
    mode = quantity(lambda concentration: _peak(concentration))
    variance = quantity(lambda mean, _total: mean * (1 - mean) / (1 + _total))
    log_prob = checked(lambda value, concentration, _log_norm: fg.xlogy(concentration - 1, value).sum(-1) - _log_norm)

    @method
    def entropy(concentration, _total, _log_norm):
        """-E[log density], as E[log x] = digamma(concentration) - digamma(total)."""
        return _log_norm - ((concentration - 1) * (fg.digamma(concentration) - fg.digamma(_total))).sum(-1)

    def _draw(self, shape):
        return fg._sample_dirichlet(self.concentration.expand(shape))


def _peak(concentration):
    """Where a Dirichlet density is largest: in a corner, if it grows towards all of them."""
    above = (concentration - 1).clamp(min=0)
    inner = above / above.sum(-1, True)
    corner = fg.nn.functional.one_hot(inner.argmax(-1), inner.shape[-1]).to(inner.dtype)
    return corner.where((concentration < 1).all(-1, True), inner)


class Beta(Family, ExponentialFamily):
    """Density proportional to x^(concentration1 - 1) (1 - x)^(concentration0 - 1) in (0, 1): the first of two Dirichlet probabilities."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval
    has_rsample = True
    _shows_parameters = False

    _both = quantity(lambda concentration1, concentration0: fg.stack([concentration1, concentration0], -1))
    _total = quantity(lambda concentration1, concentration0: concentration1 + concentration0)

    mean = quantity(lambda concentration1, _total: concentration1 / _total)
    mode = quantity(lambda _both: _peak(_both)[..., 0])
    variance = quantity(lambda mean, _total: mean * (1 - mean) / (1 + _total))

    @checked
    def log_prob(value, concentration1, concentration0):
        log_powers = fg.xlogy(concentration1 - 1, value) + fg.xlogy(concentration0 - 1, 1 - value)
        return log_powers - log_beta(concentration1, concentration0)

    @method
    def entropy(concentration1, concentration0, _total):
        shared = (concentration1 - 1) * fg.digamma(concentration1) + (concentration0 - 1) * fg.digamma(concentration0)
        return log_beta(concentration1, concentration0) - shared + (_total - 2) * fg.digamma(_total)

    def _draw(self, shape):
        return fg._sample_dirichlet(self._both.expand((*shape, 2)))[..., 0]


class FisherSnedecor(Family):
    """The ratio of two chi-squared variables over their degrees of freedom."""

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    mean = quantity(lambda df2: (df2 / (df2 - 2)).where(df2 > 2, math.nan))
    mode = quantity(lambda df1, df2: ((1 - 2 / df1) / (1 + 2 / df2)).where(df1 > 2, math.nan))

    @quantity
    def variance(df1, df2):
        value = 2 * (df2 / (df2 - 2)) ** 2 * (df1 + df2 - 2) / (df1 * (df2 - 4))
        return value.where(df2 > 4, math.nan)

    @checked
    def log_prob(value, df1, df2):
        """x (df1 / df2) is a beta variable's odds."""
        a, b, odds = df1 / 2, df2 / 2, value * (df1 / df2)
        return a * odds.log() - value.log() - (a + b) * odds.log1p() - log_beta(a, b)

    def _draw(self, shape):
        above, below = (gamma_draws(df / 2, df, shape) for df in (self.df1, self.df2))
        return (above / below).clamp(min=fg.finfo(below.dtype).tiny)
