"""MixtureSameFamily: draws of one of several distributions of a family, which one a Categorical says."""

import fastgrad as fg

from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """Component k of `component_distribution`, whose last batch dimension is k, with the probabilities of `mixture_distribution`."""

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        for name, value, kind in (("mixture", mixture_distribution, Categorical), ("component", component_distribution, Distribution)):
            if not isinstance(value, kind):
                raise ValueError(f"{name}_distribution must be a {kind.__name__}, got {type(value).__name__}")
        weighted, (*batch, count) = tuple(mixture_distribution.batch_shape), component_distribution.batch_shape
        if any(a != b and 1 not in (a, b) for a, b in zip(weighted[::-1], batch[::-1])):
            raise ValueError(f"`mixture_distribution.batch_shape` ({weighted}) is not compatible with "
                             f"`component_distribution.batch_shape` without its last dimension ({tuple(batch)})")
        categories = mixture_distribution.logits.shape[-1]
        if categories != count:
            raise ValueError(f"mixture_distribution has {categories} categories, the last batch dimension of "
                             f"component_distribution is {count}")
        self.mixture_distribution, self.component_distribution = mixture_distribution, component_distribution
        super().__init__(batch, component_distribution.event_shape, validate_args)

    def expand(self, batch_shape, _instance=None):
        new = self._copy_into(_instance, batch_shape)
        new.mixture_distribution = self.mixture_distribution.expand(batch_shape)
        new.component_distribution = self.component_distribution.expand((*batch_shape, self.mixture_distribution._num_events))
        return new

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self.component_distribution.support)

    @property
    def _of_components(self):
        """The dimension of the components in values that have one."""
        return -1 - len(self._event_shape)

    def _expected(self, values):
        """The sum over components of their probability times `values` (*batch, components, *event)."""
        probs = self.mixture_distribution.probs
        return (probs[(..., *[None] * len(self._event_shape))] * values).sum(self._of_components)

    @property
    def mean(self):
        return self._expected(self.component_distribution.mean)

    @property
    def variance(self):
        """The mean of the components' variances and the variance of their means."""
        means = self.component_distribution.mean
        apart = means - self.mean.unsqueeze(self._of_components)
        return self._expected(self.component_distribution.variance + apart.square())

    def _of_each(self, name, value):
        self._validate_sample(value)
        return getattr(self.component_distribution, name)(value.unsqueeze(self._of_components))

    def cdf(self, x):
        return (self.mixture_distribution.probs * self._of_each("cdf", x)).sum(-1)

    def log_prob(self, x):
        return (self.mixture_distribution.logits.log_softmax(-1) + self._of_each("log_prob", x)).logsumexp(-1)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            chosen = self.mixture_distribution.sample(sample_shape)
            draws, dim = self.component_distribution.sample(sample_shape), chosen.dim()
            index = chosen[(..., *[None] * (1 + len(self._event_shape)))].expand((*chosen.shape, 1, *self._event_shape))
            return draws.gather(dim, index).squeeze(dim)

    def __repr__(self):
        return f"{type(self).__name__}(\n  {self.mixture_distribution},\n  {self.component_distribution})"
