"""TransformedDistribution: a distribution of transformed draws; and the families that are a map of another one."""

import math

import fastgrad as fg

from . import constraints
from .continuous import Cauchy, Exponential, Normal, Uniform
from .distribution import Distribution
from .family import EULER, Family, checked, held_by, log_beta, method, quantity
from .gammas import Gamma
from .independent import Independent
from .transforms import (
    AbsTransform,
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    PowerTransform,
    StickBreakingTransform,
    Transform,
    sum_rightmost,
)

__all__ = ["Gumbel", "HalfCauchy", "HalfNormal", "InverseGamma", "Kumaraswamy", "LogNormal", "LogisticNormal", "Pareto",
           "TransformedDistribution", "Weibull"]


class TransformedDistribution(Distribution):
    """The distribution of y = transforms(x) for x drawn of `base_distribution`."""

    def __init__(self, base_distribution, transforms, validate_args=None):
        super().__init__(*self._lay_out(base_distribution, transforms), validate_args=validate_args)

    def _lay_out(self, base, transforms):
        """Keeps both, the base in the batch and with the events that the transforms need; returns the shapes of the batch and of an event."""
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(member, Transform) for member in self.transforms):
            raise ValueError(f"transforms must be a Transform or a list of Transforms, got {transforms}")
        chain, given, inner = self._chain, base._extended_shape(), len(base.event_shape)
        taken, made = chain.event_dims()
        if len(given) < taken:
            raise ValueError(f"base_distribution needs to have shape with size at least {taken}, but got {given}.")
        shape = tuple(chain.forward_shape(given))
        needed = tuple(chain.inverse_shape(shape))
        if needed != tuple(given):
            base = base.expand(needed[: len(needed) - inner])
        self.base_dist = Independent(base, taken - inner) if taken > inner else base
        cut = len(shape) - made - max(inner - taken, 0)
        return shape[:cut], shape[cut:]

    def expand(self, batch_shape, _instance=None):
        new = self._copy_into(_instance, batch_shape)
        shape = tuple(self._chain.inverse_shape(new._extended_shape()))
        new.base_dist = self.base_dist.expand(shape[: len(shape) - len(self.base_dist.event_shape)])
        return new

    _chain = property(lambda self: ComposeTransform(self.transforms))
    (has_rsample,) = held_by("base_dist", "has_rsample")

    @constraints.dependent_property(is_discrete=False)
    def support(self):
        region = self.transforms[-1].codomain if self.transforms else self.base_dist.support
        return constraints.widened(region, len(self.event_shape) - region.event_dim)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            return self._chain(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape=()):
        return self._chain(self.base_dist.rsample(sample_shape))

    def log_prob(self, value):
        """log p(x) - log |dy/dx|, along the values between y and x."""
        self._validate_sample(value)
        chain = self._chain
        values = chain.inv.values_from(value)[::-1]
        extra = len(self.base_dist.event_shape) - chain.event_dims()[0]
        log_det = sum_rightmost(chain.log_det_along(values), extra) if self.transforms else 0
        return self.base_dist.log_prob(values[0]) - log_det

    def _from_below(self, probability):
        """A cumulative probability of x as one of y, and the other way: from the other end where the map falls."""
        sign = self._chain.sign
        return probability if isinstance(sign, int) and sign == 1 else 0.5 + sign * (probability - 0.5)

    def cdf(self, value):
        x = self._chain.inv(value)
        if self._validate_args:
            self.base_dist._validate_sample(x)
        return self._from_below(self.base_dist.cdf(x))

    def icdf(self, value):
        return self._chain(self.base_dist.icdf(self._from_below(value)))


class _Mapped(Family, TransformedDistribution):
    """A family whose `_construction` of its parameters is (another distribution, its transforms)."""

    has_rsample = True

    def _take(self, **given):
        super()._take(**given)
        return self._lay_out(*self._construction())

    sample, rsample = TransformedDistribution.sample, TransformedDistribution.rsample


class LogNormal(_Mapped):
    """exp(x) for x normal."""

    arg_constraints = Normal.arg_constraints
    support = constraints.positive
    _shows_parameters = False

    mean = quantity(lambda loc, scale: (loc + scale.square() / 2).exp())
    mode = quantity(lambda loc, scale: (loc - scale.square()).exp())
    variance = quantity(lambda mean, scale: mean.square() * scale.square().expm1())
    entropy = method(lambda base_dist, loc: base_dist.entropy() + loc)

    def _construction(self):
        return Normal(self.loc, self.scale, False), ExpTransform()


class LogisticNormal(_Mapped):
    """Stick breaking of a normal vector: probabilities of one category more."""

    arg_constraints = Normal.arg_constraints
    support = constraints.simplex
    _shows_parameters = False

    def _construction(self):
        if not self.loc.dim():
            self.loc, self.scale = self.loc.expand(1), self.scale.expand(1)
        return Normal(self.loc, self.scale, False), StickBreakingTransform()


class Gumbel(_Mapped):
    """loc - scale log(-log u) for u uniform: the largest of many exponential tails."""

    arg_constraints = Normal.arg_constraints
    support = constraints.real

    mean = quantity(lambda loc, scale: EULER * scale + loc)
    mode = quantity(lambda loc: loc)
    stddev = quantity(lambda scale: math.pi / math.sqrt(6) * scale)
    variance = quantity(lambda stddev: stddev.square())
    entropy = method(lambda scale: 1 + EULER + scale.log())

    @checked
    def log_prob(value, loc, scale):
        below = (loc - value) / scale
        return below - below.exp() - scale.log()

    def _construction(self):
        finfo, minus_log = fg.finfo(self.loc.dtype), [ExpTransform().inv, AffineTransform(0, -1)]
        u = Uniform(fg.full_like(self.loc, finfo.tiny), fg.full_like(self.loc, 1 - finfo.eps), False)
        return u, [*minus_log, ExpTransform().inv, AffineTransform(self.loc, -self.scale)]


class Pareto(_Mapped):
    """Density alpha scale^alpha / x^(alpha + 1) for x > scale."""

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}
    arguments = ("scale", "alpha")
    support = constraints.dependent_property(lambda self: constraints.greater_than_eq(self.scale), is_discrete=False, event_dim=0)

    mode = quantity(lambda scale: scale)
    mean = quantity(lambda scale, alpha: scale + scale / (alpha - 1).clamp(min=0))          # infinite for alpha <= 1
    entropy = method(lambda scale, alpha: 1 + alpha.reciprocal() + (scale / alpha).log())

    @quantity
    def variance(scale, alpha):
        excess = (alpha - 2).clamp(min=0)           # infinite where this is 0
        return (scale / (excess + 1)).square() * (1 + 2 / excess)

    def _construction(self):
        return Exponential(self.alpha, False), [ExpTransform(), AffineTransform(0, self.scale)]


class Weibull(_Mapped):
    """scale * e^(1/concentration) for e exponential."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    concentration_reciprocal = quantity(lambda concentration: concentration.reciprocal())
    mean = quantity(lambda scale, concentration_reciprocal: scale * fg.lgamma(1 + concentration_reciprocal).exp())
    variance = quantity(lambda scale, mean, concentration_reciprocal: (
        scale.square() * fg.lgamma(1 + 2 * concentration_reciprocal).exp() - mean.square()))
    mode = quantity(lambda scale, concentration_reciprocal: scale * (1 - concentration_reciprocal) ** concentration_reciprocal)
    entropy = method(lambda scale, concentration_reciprocal: (
        1 + EULER * (1 - concentration_reciprocal) + (scale * concentration_reciprocal).log()))

    def _construction(self):
        return Exponential(fg.ones_like(self.scale), False), [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]


class Kumaraswamy(_Mapped):
    """Density a b x^(a-1) (1 - x^a)^(b-1) in (0, 1), a `concentration1` and b `concentration0`: (1 - u^(1/b))^(1/a) for u uniform."""

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}
    support = constraints.unit_interval

    def _moment(self, n):
        """E[x^n] = b B(1 + n/a, b)."""
        b = self.concentration0
        return b * log_beta(1 + n / self.concentration1, b).exp()

    mean = property(lambda self: self._moment(1))
    variance = quantity(lambda _moment, mean: _moment(2) - mean.square())

    @quantity
    def mode(concentration1, concentration0):
        a, b = concentration1, concentration0
        inside = (a >= 1) & (b >= 1) & (a * b != 1)
        return (((a - 1) / (a * b - 1)) ** a.reciprocal()).where(inside, math.nan)

    @method
    def entropy(concentration1, concentration0):
        a, b = concentration1, concentration0
        harmonic = fg.digamma(b + 1) + EULER
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - (a * b).log()

    def _construction(self):
        zero = fg.zeros_like(self.concentration0)
        inner, outer = (PowerTransform(a.reciprocal()) for a in (self.concentration0, self.concentration1))
        return Uniform(zero, zero + 1, False), [inner, AffineTransform(1.0, -1.0), outer]


class InverseGamma(_Mapped):
    """1 / x for x gamma."""

    arg_constraints = Gamma.arg_constraints
    support = constraints.positive
    _shows_parameters = False

    mode = quantity(lambda concentration, rate: rate / (1 + concentration))
    mean = quantity(lambda concentration, rate: (rate / (concentration - 1)).where(concentration > 1, math.inf))

    @quantity
    def variance(concentration, rate):
        value = (rate / (concentration - 1)) ** 2 / (concentration - 2)
        return value.where(concentration > 2, math.inf)

    @method
    def entropy(concentration, rate):
        return concentration + rate.log() + fg.lgamma(concentration) - (1 + concentration) * fg.digamma(concentration)

    def _construction(self):
        return Gamma(self.concentration, self.rate, False), PowerTransform(fg.full((), -1.0, dtype=self.rate.dtype))


class _Half(_Mapped):
    """|x| for x of a location-scale family about 0: twice its density."""

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    _shows_parameters = False
    _whole = None

    mode = quantity(lambda scale: fg.zeros_like(scale))
    entropy = method(lambda base_dist: base_dist.entropy() - math.log(2))
    cdf = checked(lambda value, base_dist: 2 * base_dist.cdf(value) - 1)
    icdf = method(lambda value, base_dist: base_dist.icdf(0.5 + value / 2))

    @checked
    def log_prob(value, base_dist, scale):
        value = fg.as_tensor(value, dtype=scale.dtype)
        return (base_dist.log_prob(value) + math.log(2)).where(value >= 0, -math.inf)

    def _construction(self):
        return self._whole(fg.zeros_like(self.scale), self.scale, False), AbsTransform()


class HalfNormal(_Half):
    """|x| for x normal about 0."""

    _whole = Normal
    mean = quantity(lambda scale: math.sqrt(2 / math.pi) * scale)
    variance = quantity(lambda scale: (1 - 2 / math.pi) * scale.square())


class HalfCauchy(_Half):
    """|x| for x of Cauchy's distribution about 0."""

    _whole = Cauchy
    mean = variance = quantity(lambda scale: fg.full_like(scale, math.inf))
