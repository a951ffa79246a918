"""Independent: some batch dimensions of a distribution taken as one event."""

from . import constraints
from ._transform import sum_rightmost
from .distribution import Distribution
from .family import held_by

__all__ = ["Independent"]


class Independent(Distribution):
    """`base_distribution` with its last `reinterpreted_batch_ndims` batch dimensions in the event: their log-probabilities add up."""

    def __init__(self, base_distribution, reinterpreted_batch_ndims, validate_args=None):
        kept = len(base_distribution.batch_shape) - reinterpreted_batch_ndims
        if kept < 0:
            raise ValueError("Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), got "
                             f"{reinterpreted_batch_ndims} of {tuple(base_distribution.batch_shape)}")
        self.base_dist, self.reinterpreted_batch_ndims = base_distribution, reinterpreted_batch_ndims
        shape = base_distribution._extended_shape()
        super().__init__(shape[:kept], shape[kept:], validate_args)

    has_rsample, mean, mode, variance, sample, rsample = held_by("base_dist", "has_rsample", "mean", "mode", "variance", "sample", "rsample")
    has_enumerate_support = property(lambda self: not self.reinterpreted_batch_ndims and self.base_dist.has_enumerate_support)
    support = property(lambda self: constraints.widened(self.base_dist.support, self.reinterpreted_batch_ndims))

    def expand(self, batch_shape, _instance=None):
        new = self._copy_into(_instance, batch_shape)
        new.base_dist = self.base_dist.expand((*batch_shape, *self.event_shape[:self.reinterpreted_batch_ndims]))
        return new

    def _summed(self, term):
        return sum_rightmost(term, self.reinterpreted_batch_ndims)

    def log_prob(self, value):
        return self._summed(self.base_dist.log_prob(value))

    def entropy(self):
        return self._summed(self.base_dist.entropy())

    def enumerate_support(self, expand=True):
        if self.reinterpreted_batch_ndims:
            raise NotImplementedError("enumerate_support: all values of independent elements together are not listed")
        return self.base_dist.enumerate_support(expand)

    def __repr__(self):
        return f"{type(self).__name__}({self.base_dist}, {self.reinterpreted_batch_ndims})"
