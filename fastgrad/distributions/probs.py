"""ProbsOrLogits: families of the probabilities of two outcomes, or of K, one of `probs` and `logits` given and the other worked out."""

import fastgrad as fg
from fastgrad.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .distribution import Distribution
from .family import Family, broadcast_all, derived, method

__all__ = ["OverCategories", "ProbsOrLogits", "clamp_probs", "cross_entropy"]


def clamp_probs(probs):
    """Kept away from 0 and 1 by the dtype's eps, so that logarithms are finite."""
    eps = fg.finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


def logit(probs):
    return probs.log() - (-probs).log1p()


def cross_entropy(logits, target):
    """-target log p - (1 - target) log(1 - p) for p = sigmoid(logits), of the broadcast shape."""
    return binary_cross_entropy_with_logits(*broadcast_all(logits, target), reduction="none")


def _the_given(probs, logits):
    """(its name, value) of the one that is given.

    Raises:
        ValueError: none is, or both are.
    """
    given = [(name, value) for name, value in (("probs", probs), ("logits", logits)) if value is not None]
    if len(given) != 1:
        raise ValueError("Either `probs` or `logits` must be specified, but not both.")
    return given[0]


class ProbsOrLogits(Family):
    """Parametrised by `probs` or by `logits`, their logit; exactly one of both is given, as `_param`."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    defaults = {"probs": None, "logits": None}

    probs = derived(lambda logits, _to_probs: _to_probs(logits))
    logits = derived(lambda probs, _to_logits: _to_logits(probs))
    param_shape = property(lambda self: self._param.size())

    _to_probs = staticmethod(fg.sigmoid)
    _to_logits = staticmethod(lambda probs: logit(clamp_probs(probs)))

    def _take(self, probs, logits, **others):
        self._kind, given = _the_given(probs, logits)
        *values, self._param = broadcast_all(*others.values(), given)
        vars(self).update(zip(others, values), **{self._kind: self._param})
        return self._shapes(tuple(self._param.shape))

    def _shapes(self, shape):
        """The shapes of the batch and of an event, from that of the parameter."""
        return shape, ()

    def expand(self, batch_shape, _instance=None):
        new = Distribution.expand(self, batch_shape, _instance)         # with what has been worked out
        new._param = vars(new)[self._kind]
        return new

    @property
    def _dtype(self):
        return self._param.dtype


class OverCategories(ProbsOrLogits):
    """Of K categories, in proportion to `probs`, or to exp(`logits`), along their last dimension; events are vectors of K elements."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    _shows_parameters = False

    _to_probs = staticmethod(lambda logits: logits.softmax(-1))
    _to_logits = staticmethod(lambda probs: clamp_probs(probs).log())

    def _take(self, probs, logits):
        kind, given = _the_given(probs, logits)
        if given.dim() < 1:
            raise ValueError(f"`{kind}` parameter must be at least one-dimensional.")
        if kind == "probs":
            return super()._take(given / given.sum(-1, keepdim=True), None)
        return super()._take(None, given - given.logsumexp(-1, keepdim=True))

    def _shapes(self, shape):
        return shape[:-1], shape[-1:]

    _num_events = property(lambda self: self._param.size(-1))

    entropy = method(lambda probs, logits: -(logits.clamp(min=fg.finfo(logits.dtype).min) * probs).sum(-1))

    def _draw_indices(self, shape):
        """The index of a category for each element of `shape`, which ends with the batch's."""
        rows = self.probs.reshape(-1, self._num_events)
        drawn = fg.multinomial(rows, fg.Size(shape).numel() // max(rows.size(0), 1), True)
        return drawn.t().reshape(shape)
