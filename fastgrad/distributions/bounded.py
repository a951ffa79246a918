"""The continuous Bernoulli distribution, von Mises' on the circle, and LKJ's of Cholesky factors of correlation matrices."""

import math

import fastgrad as fg
from fastgrad.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .continuous import _shape_of
from .distribution import Distribution, ProbsOrLogits, broadcast_all, clamp_probs
from .gammas import Beta

__all__ = ["ContinuousBernoulli", "LKJCholesky", "VonMises"]


class ContinuousBernoulli(ProbsOrLogits):
    """Density proportional to probs^x (1 - probs)^(1 - x) in [0, 1]; inside `lims`, where it is flat, by its series about 1/2.

    Source: Loaiza-Ganem and Cunningham, The continuous Bernoulli: fixing a pervasive error in variational autoencoders, 2019.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, probs=None, logits=None, lims=(0.499, 0.501), validate_args=None):
        shape = self._give(probs, logits)
        if probs is not None:
            if validate_args is not None and not constraints.unit_interval.check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(shape, validate_args=validate_args)

    def __getattr__(self, name):
        value = super().__getattr__(name)
        if name == "probs":
            value = self.__dict__["probs"] = clamp_probs(value)
        return value

    def _steep(self):
        """Where the closed forms hold, and probs with the lower limit elsewhere."""
        steep = (self.probs <= self._lims[0]) | (self.probs > self._lims[1])
        return steep, fg.where(steep, self.probs, self._lims[0])

    def _log_norm(self):
        steep, p = self._steep()
        closed = fg.log(fg.abs(fg.log1p(-p) - fg.log(p))) - fg.log(fg.abs(1 - 2 * p))
        square = (self.probs - 0.5).pow(2)
        return fg.where(steep, closed, math.log(2.0) + (4 / 3 + 104 / 45 * square) * square)

    @property
    def mean(self):
        steep, p = self._steep()
        x = self.probs - 0.5
        return fg.where(steep, p / (2 * p - 1) + 1 / (fg.log1p(-p) - fg.log(p)), 0.5 + (1 / 3 + 16 / 45 * x.pow(2)) * x)

    @property
    def variance(self):
        steep, p = self._steep()
        square = (self.probs - 0.5).pow(2)
        closed = p * (p - 1) / (1 - 2 * p).pow(2) + 1 / (fg.log1p(-p) - fg.log(p)).pow(2)
        return fg.where(steep, closed, 1 / 12 - (1 / 15 - 128 / 945 * square) * square)

    def rsample(self, sample_shape=()):
        return self.icdf(fg.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype))

    def log_prob(self, value):
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value):
        self._validate_sample(value)
        steep, p = self._steep()
        closed = (fg.pow(p, value) * fg.pow(1 - p, 1 - value) + p - 1) / (2 * p - 1)
        return fg.where(steep, closed, value).masked_fill(value <= 0, 0.0).masked_fill(value >= 1, 1.0)

    def icdf(self, value):
        steep, p = self._steep()
        log_q = fg.log1p(-p)
        return fg.where(steep, (fg.log1p(-p + value * (2 * p - 1)) - log_q) / (fg.log(p) - log_q), value)

    def entropy(self):
        log_q, log_p = fg.log1p(-self.probs), fg.log(self.probs)
        return self.mean * (log_q - log_p) - self._log_norm() - log_q


class VonMises(Distribution):
    """Density exp(concentration cos(x - loc)) / (2 pi I0(concentration)) of an angle.

    Source: Best and Fisher, Efficient simulation of the von Mises distribution, 1979.
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real

    def __init__(self, loc, concentration, validate_args=None):
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self):
        return self.loc

    mode = mean

    @property
    def variance(self):
        return 1 - fg.special.i1e(self.concentration) / fg.special.i0e(self.concentration)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            shape = self._extended_shape(sample_shape)
            loc, k = self.loc.double(), self.concentration.double()
            tau = 1 + (1 + 4 * k**2).sqrt()
            rho = (tau - (2 * tau).sqrt()) / (2 * k)
            r = fg.where(k < 1e-5, 1 / k + k, (1 + rho**2) / (2 * rho))
            x, done = fg.zeros(shape, dtype=fg.float64), fg.zeros(shape, dtype=fg.bool)
            while not done.all():       # as many rounds as the unluckiest draw needs
                u1, u2, u3 = fg.rand((3,) + tuple(shape), dtype=fg.float64).unbind()
                z = fg.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = k * (r - f)
                accepted = (c * (2 - c) - u2 > 0) | ((c / u2).log() + 1 - c >= 0)
                x = fg.where(accepted, (u3 - 0.5).sign() * f.acos(), x)
                done = done | accepted
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    def log_prob(self, value):
        self._validate_sample(value)
        k = self.concentration
        return k * (fg.cos(value - self.loc) - 1) - math.log(2 * math.pi) - fg.special.i0e(k).log()


class LKJCholesky(Distribution):
    """Lower Cholesky factors of correlation matrices R of density proportional to det(R)^(concentration - 1).

    Source: Lewandowski, Kurowicka and Joe, Generating random correlation matrices based on vines and extended onion method, 2009.
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim, concentration=1.0, validate_args=None):
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        row = fg.arange(dim - 1, dtype=self.concentration.dtype)
        row = fg.cat([row.new_zeros((1,)), row])
        self._beta = Beta(row + 0.5, (self.concentration + 0.5 * (dim - 2)).unsqueeze(-1) - 0.5 * row)
        super().__init__(_shape_of(concentration), (dim, dim), validate_args)

    def expand(self, batch_shape, _instance=None):
        new = super().expand(batch_shape, _instance)
        new._beta = self._beta.expand(tuple(batch_shape) + (self.dim,))
        return new

    def sample(self, sample_shape=()):
        """Each row a direction of the sphere times the root of a beta variable; what is left of length 1 is its diagonal element."""
        with fg.no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            direction = fg.randn(self._extended_shape(sample_shape), dtype=y.dtype).tril(-1)
            length = direction.square().sum(-1, keepdim=True).sqrt()
            w = y.sqrt() * fg.where(length > 0, direction / length, 0.0)
            left = (1 - w.square().sum(-1)).clamp(min=fg.finfo(w.dtype).tiny).sqrt()
            return w + left.diag_embed()

    def log_prob(self, value):
        self._validate_sample(value)
        n = self.dim - 1
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - fg.arange(2, self.dim + 1)
        alpha = self.concentration + 0.5 * n
        norm = 0.5 * n * math.log(math.pi) + n * (n - 1) / 4 * math.log(math.pi) - n * fg.lgamma(alpha)
        for i in range(n):              # the multivariate log-gamma function of alpha - 1/2
            norm = norm + fg.lgamma(alpha - 0.5 - 0.5 * i)
        return (order * diagonal.log()).sum(-1) - norm
