"""Categorical: one of K categories, as its index, as a one-hot vector, or as the counts of many draws."""

import math

import fastgrad as fg

from . import constraints
from .discrete import log_choose
from .family import checked, quantity
from .probs import OverCategories

__all__ = ["Categorical", "Multinomial", "OneHotCategorical", "OneHotCategoricalStraightThrough"]


def _of_index(index, logits):
    """The logits at an index."""
    index, logits = fg.broadcast_tensors(index.unsqueeze(-1), logits)
    return logits.gather(-1, index[..., :1]).squeeze(-1)


class Categorical(OverCategories):
    """An index 0 to K-1 in proportion to `probs`, or to exp(`logits`), along their last dimension; exactly one of both is given."""

    has_enumerate_support = True
    _shows_parameters = True

    def _shapes(self, shape):
        return shape[:-1], ()

    support = constraints.dependent_property(lambda self: constraints.integer_interval(0, self._num_events - 1), is_discrete=True, event_dim=0)
    mean = variance = quantity(lambda probs, batch_shape: fg.full(batch_shape, math.nan, dtype=probs.dtype))
    mode = quantity(lambda probs: probs.argmax(-1))

    log_prob = checked(lambda value, logits: _of_index(value.long(), logits))

    def sample(self, sample_shape=()):
        return self._draw_indices(self._extended_shape(sample_shape))

    def enumerate_support(self, expand=True):
        return self._for_batch(fg.arange(self._num_events), expand)


class OneHotCategorical(OverCategories):
    """A category as a vector with one 1."""

    support = constraints.one_hot
    has_enumerate_support = True

    mean = quantity(lambda probs: probs)
    variance = quantity(lambda probs: probs * (1 - probs))
    mode = property(lambda self: self._one_hot(self.probs.argmax(-1)))
    log_prob = checked(lambda value, logits: _of_index(value.argmax(-1), logits))

    def _one_hot(self, index):
        return fg.nn.functional.one_hot(index, self._num_events).to(self._dtype)

    def sample(self, sample_shape=()):
        return self._one_hot(self._draw_indices(self._extended_shape(sample_shape)[:-1]))

    def enumerate_support(self, expand=True):
        return self._for_batch(fg.eye(self._num_events, dtype=self._dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """Draws whose gradient is the probabilities'."""

    has_rsample = True

    def rsample(self, sample_shape=()):
        return self.sample(sample_shape) + (self.probs - self.probs.detach())


class Multinomial(OverCategories):
    """How often each category comes in `total_count` draws."""

    arguments = ("total_count", "probs", "logits")
    defaults = {"total_count": 1, **OverCategories.defaults}

    def _take(self, total_count, probs, logits):
        if not isinstance(total_count, int):
            raise NotImplementedError("Multinomial: total_count must be one int, of all the batch")
        self.total_count = total_count
        return super()._take(probs, logits)

    support = constraints.dependent_property(lambda self: constraints.multinomial(self.total_count), is_discrete=True, event_dim=1)
    mean = quantity(lambda total_count, probs: total_count * probs)
    variance = quantity(lambda mean, probs: mean * (1 - probs))

    def sample(self, sample_shape=()):
        *shape, k = self._extended_shape(sample_shape)
        drawn = self._draw_indices((self.total_count, *shape)).movedim(0, -1)
        return fg.zeros((*shape, k), dtype=self._dtype).scatter_add_(-1, drawn, fg.ones_like(drawn, dtype=self._dtype))

    @checked
    def log_prob(value, logits):
        log_ways = fg.lgamma(value.sum(-1) + 1) - fg.lgamma(value + 1).sum(-1)
        return log_ways + (value * logits).where(value != 0, 0).sum(-1)

    def entropy(self):
        """n H(category) - log n! + the expectation of every count's log k!, a binomial's."""
        n, p = self.total_count, self.probs
        k = fg.arange(1, n + 1, dtype=p.dtype).view(-1, *[1] * p.dim())
        weights = (log_choose(k.new_full((), n), k) + fg.xlogy(k, p) + fg.xlogy(n - k, 1 - p)).exp()
        return n * super().entropy() - math.lgamma(n + 1) + (weights * fg.lgamma(k + 1)).sum([0, -1])
