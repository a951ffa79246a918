"""Relaxed Bernoulli and one-hot distributions: continuous draws near 0 and 1, differentiable in the probabilities."""

import math

import fastgrad as fg

from . import constraints
from .family import broadcast_all, checked, held_by
from .probs import OverCategories, ProbsOrLogits, clamp_probs, logit
from .transformed import TransformedDistribution
from .transforms import ExpTransform, SigmoidTransform

__all__ = ["ExpRelaxedCategorical", "LogitRelaxedBernoulli", "RelaxedBernoulli", "RelaxedOneHotCategorical"]


class _AtTemperature(ProbsOrLogits):
    """Softer the higher the `temperature` is."""

    support = constraints.real
    has_rsample = True

    def _take(self, temperature, probs, logits):
        self.temperature = temperature
        return super()._take(probs, logits)


class LogitRelaxedBernoulli(_AtTemperature):
    """The logit of a relaxed Bernoulli variable: (logit(probs) + logit(u)) / temperature for u uniform."""

    arguments = ("temperature", "probs", "logits")

    def _draw(self, shape):
        u = clamp_probs(fg.rand(shape, dtype=self._dtype))
        return (logit(u) + logit(clamp_probs(self.probs))) / self.temperature

    @checked
    def log_prob(value, logits, temperature):
        """Of a logistic variable about `logits`, in its distance from them."""
        distance = logits - value * temperature
        return distance - 2 * distance.exp().log1p() + temperature.log()


class ExpRelaxedCategorical(_AtTemperature, OverCategories):
    """The logarithm of a relaxed one-hot vector: the log-softmax of (logits + Gumbel noise) / temperature."""

    arguments = ("temperature", "probs", "logits")
    support = constraints.real_vector

    def _draw(self, shape):
        u = clamp_probs(fg.rand(shape, dtype=self._dtype))
        return ((self.logits - (-u.log()).log()) / self.temperature).log_softmax(-1)

    @checked
    def log_prob(value, logits, temperature):
        logits, value = broadcast_all(logits, value)
        k = value.size(-1)
        scores = (logits - value * temperature).log_softmax(-1)
        return scores.sum(-1) + math.lgamma(k) + (k - 1) * temperature.log()


class _BetweenZeroAndOne(TransformedDistribution):
    """What a relaxed distribution of logits or logarithms, `_inner`, becomes by `_map`."""

    has_rsample = True

    def __init__(self, temperature, probs=None, logits=None, validate_args=None):
        super().__init__(self._inner(temperature, probs, logits, validate_args), self._map(), validate_args)

    temperature, probs, logits = held_by("base_dist", "temperature", "probs", "logits")


class RelaxedBernoulli(_BetweenZeroAndOne):
    """In (0, 1), nearer to the ends the lower `temperature` is."""

    arg_constraints, support = ProbsOrLogits.arg_constraints, constraints.unit_interval
    _inner, _map = LogitRelaxedBernoulli, SigmoidTransform


class RelaxedOneHotCategorical(_BetweenZeroAndOne):
    """A vector of probabilities, nearer to one-hot the lower `temperature` is."""

    arg_constraints, support = OverCategories.arg_constraints, constraints.simplex
    _inner, _map = ExpRelaxedCategorical, ExpTransform
