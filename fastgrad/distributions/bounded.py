"""The continuous Bernoulli distribution, von Mises' on the circle, and LKJ's of Cholesky factors of correlation matrices."""

import math

import fastgrad as fg

from . import constraints
from .distribution import ExponentialFamily
from .family import Family, checked, method, quantity
from .gammas import Beta
from .probs import ProbsOrLogits, clamp_probs, cross_entropy, logit

__all__ = ["ContinuousBernoulli", "LKJCholesky", "VonMises"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """Density proportional to probs^x (1 - probs)^(1 - x) in [0, 1]; inside `lims`, where it is flat, by its series about 1/2.

    Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli: fixing a pervasive error in variational autoencoders, 2019.
    """

    arg_constraints = ProbsOrLogits.arg_constraints
    arguments = ("probs", "logits", "lims")
    defaults = {**ProbsOrLogits.defaults, "lims": (0.499, 0.501)}
    support = constraints.unit_interval
    has_rsample = True

    def _take(self, probs, logits, lims):
        self.lims = lims
        return super()._take(probs, logits)

    _steep = quantity(lambda probs, lims: (probs <= lims[0]) | (probs > lims[1]))
    _p = quantity(lambda probs, lims, _steep: clamp_probs(probs).where(_steep, lims[0]))          # where the closed forms hold
    _odds = quantity(lambda _p: logit(_p))
    _slope = quantity(lambda _p: 2 * _p - 1)
    _off = quantity(lambda probs: probs - 0.5)

    @quantity
    def _log_norm(_steep, _odds, _slope, _off):
        square = _off**2
        return (_odds / _slope).log().where(_steep, math.log(2) + (4 / 3 + 104 / 45 * square) * square)

    @quantity
    def mean(_steep, _p, _odds, _slope, _off):
        return (_p / _slope - 1 / _odds).where(_steep, 0.5 + (1 / 3 + 16 / 45 * _off**2) * _off)

    @quantity
    def variance(_steep, _p, _odds, _slope, _off):
        square = _off**2
        return (1 / _odds**2 - _p * (1 - _p) / _slope**2).where(_steep, 1 / 12 - (1 / 15 - 128 / 945 * square) * square)

    log_prob = checked(lambda value, logits, _log_norm: _log_norm - cross_entropy(logits, value))
    entropy = method(lambda logits, mean, _log_norm: cross_entropy(logits, mean) - _log_norm)

    @checked
    def cdf(value, _steep, _p, _odds, _slope):
        inside = ((1 - _p) * (value * _odds).expm1() / _slope).where(_steep, value)
        return inside.masked_fill(value <= 0, 0).masked_fill(value >= 1, 1)

    @method
    def icdf(value, _steep, _p, _odds, _slope):
        return ((value * _slope / (1 - _p)).log1p() / _odds).where(_steep, value)


class VonMises(Family):
    """Density exp(concentration cos(x - loc)) / (2 pi I0(concentration)) of an angle.

    Source: Best and Fisher, Efficient simulation of the von Mises distribution, 1979.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    mean = mode = quantity(lambda loc: loc)
    variance = quantity(lambda concentration: 1 - fg.special.i1e(concentration) / fg.special.i0e(concentration))

    @checked
    def log_prob(value, loc, concentration):
        below_peak = concentration * ((value - loc).cos() - 1)
        return below_peak - fg.special.i0e(concentration).log() - math.log(2 * math.pi)

    def _draw(self, shape):
        """By rejection from a wrapped Cauchy distribution, in float64; as many rounds as the unluckiest draw needs."""
        k = self.concentration.double()
        tau = 1 + (1 + 4 * k**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * k)
        r = ((1 + rho**2) / (2 * rho)).where(k >= 1e-5, 1 / k + k)
        angle, done = fg.zeros(shape, dtype=k.dtype), fg.zeros(shape, dtype=fg.bool)
        while not done.all():
            u1, u2, u3 = fg.rand((3, *shape), dtype=k.dtype)
            z = fg.cos(math.pi * u1)
            cosine = (1 + r * z) / (r + z)
            c = k * (r - cosine)
            accepted = (c * (2 - c) > u2) | ((c / u2).log() + 1 >= c)
            angle = fg.where(accepted, (u3 - 0.5).sign() * cosine.acos(), angle)
            done = done | accepted
        turned = angle + self.loc.double() + math.pi
        return (turned % (2 * math.pi) - math.pi).to(self.loc.dtype)


class LKJCholesky(Family):
    """Lower Cholesky factors of correlation matrices R of density proportional to det(R)^(concentration - 1).

    Source: Lewandowski, Kurowicka and Joe, Generating random correlation matrices based on vines and extended onion method, 2009.
    """

    arguments, defaults = ("dim", "concentration"), {"concentration": 1.0}
    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def _take(self, dim, concentration):
        if dim < 2:
            raise ValueError(f"dim must be at least 2, got {dim}")
        self.dim = dim
        return super()._take(concentration=concentration)[0], (dim, dim)

    def _draw(self, shape):
        """Each row a direction of the sphere times the root of a beta variable; what is left of length 1 is its diagonal element."""
        most, like = self.concentration.unsqueeze(-1) + (self.dim / 2 - 1), self.concentration
        half_row = (fg.arange(self.dim, dtype=like.dtype) - 1).clamp(min=0) / 2         # the first row has no choice: any will do
        part = Beta(2 * half_row + 0.5, most - half_row, False)._draw(shape[:-1]).unsqueeze(-1)
        direction = fg.randn(shape, dtype=like.dtype).tril(-1)
        length = direction.norm(dim=-1, keepdim=True)
        w = part.sqrt() * (direction / length).where(length > 0, 0.0)
        left = (1 - w.square().sum(-1)).clamp(min=fg.finfo(w.dtype).tiny)
        return w + left.sqrt().diag_embed()

    @checked
    def log_prob(value, concentration, dim):
        """Row i of the factor has the density's share diagonal_i^(dim - i + 2 (concentration - 1)), i from 2."""
        n, diagonal = dim - 1, value.diagonal(dim1=-2, dim2=-1)[..., 1:]
        power = 2 * concentration.unsqueeze(-1) - 2 + fg.arange(n - 1, -1, -1, dtype=concentration.dtype)
        alpha = concentration + n / 2
        below = alpha.unsqueeze(-1) - fg.arange(1, n + 1, dtype=concentration.dtype) / 2
        log_norm = n * (n + 1) / 4 * math.log(math.pi) + fg.lgamma(below).sum(-1) - n * fg.lgamma(alpha)
        return (power * diagonal.log()).sum(-1) - log_norm
