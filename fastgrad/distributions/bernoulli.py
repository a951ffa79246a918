"""Bernoulli: 1 with probability p, else 0."""

import math

import fastgrad as fg
from fastgrad.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .distribution import Distribution, broadcast_all, clamp_probs

__all__ = ["Bernoulli"]


class Bernoulli(Distribution):
    """1 with probability `probs`, the sigmoid of `logits`; exactly one of both is given."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = logits if probs is None else probs
        (self._param,) = broadcast_all(given)
        self.__dict__["logits" if probs is None else "probs"] = self._param
        super().__init__(self._param.shape if isinstance(given, fg.Tensor) else (), validate_args=validate_args)

    def __getattr__(self, name):        # the one that was not given, worked out at the first use
        if name == "logits" and "probs" in self.__dict__:
            p = clamp_probs(self.probs)
            value = p.log() - (-p).log1p()
        elif name == "probs" and "logits" in self.__dict__:
            value = self.logits.sigmoid()
        else:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        self.__dict__[name] = value
        return value

    def expand(self, batch_shape, _instance=None):
        new = super().expand(batch_shape, _instance)
        new._param = self._param.expand(tuple(batch_shape))
        return new

    @property
    def param_shape(self):
        return self._param.size()

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        mode = (self.probs >= 0.5).to(self.probs.dtype)
        return mode.masked_fill(self.probs == 0.5, math.nan)

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            return fg.bernoulli(self.probs.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value):
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -binary_cross_entropy_with_logits(logits, value, reduction="none")

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand=True):
        values = fg.arange(2, dtype=self._param.dtype).view((-1,) + (1,) * len(self._batch_shape))
        return values.expand((-1,) + tuple(self._batch_shape)) if expand else values
