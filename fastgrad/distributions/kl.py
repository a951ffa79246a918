"""kl_divergence: E_p[log p - log q], in closed form, for the pairs registered here or by the user."""

import math

import fastgrad as fg
from fastgrad.nn.functional import softplus

from ._transform import sum_rightmost
from .continuous import Exponential, Laplace, Normal, Uniform
from .discrete import Bernoulli
from .distribution import ExponentialFamily
from .independent import Independent

__all__ = ["kl_divergence", "register_kl"]

_REGISTRY = {}


def register_kl(type_p, type_q):
    """Decorator: the function gives kl_divergence of these types and what derives from them, where no nearer pair is registered."""

    def decorator(function):
        _REGISTRY[type_p, type_q] = function
        return function

    return decorator


def kl_divergence(p, q):
    """How far q is from p, for each distribution of the batch.

    Raises:
        NotImplementedError: no function is registered for the two types.
    """
    found = [pair for pair in _REGISTRY if isinstance(p, pair[0]) and isinstance(q, pair[1])]
    if not found:
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}")
    nearest = min(found, key=lambda pair: (type(p).__mro__.index(pair[0]), type(q).__mro__.index(pair[1])))
    return _REGISTRY[nearest](p, q)


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_exponential_family(p, q):
    """The Bregman divergence of the log-normalizer between the natural parameters (Nielsen and Nock 2010)."""
    if type(p) is not type(q):
        raise NotImplementedError(f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}: of exponential "
                                  "families they must be of one")
    natural, normalizer, means = p._natural_moments()
    inner = sum(sum_rightmost((b - a) * mean, len(q.event_shape)) for a, b, mean in zip(natural, q._natural_params, means))
    return q._log_normalizer(*q._natural_params) - normalizer - inner


@register_kl(Normal, Normal)
def _kl_normal(p, q):
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli(p, q):
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = fg.where(q.probs == 0, math.inf, one).masked_fill(p.probs == 0, 0)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = fg.where(q.probs == 1, math.inf, zero).masked_fill(p.probs == 1, 0)
    return one + zero


@register_kl(Exponential, Exponential)
def _kl_exponential(p, q):
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Laplace, Laplace)
def _kl_laplace(p, q):
    ratio, distance = p.scale / q.scale, (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Uniform, Uniform)
def _kl_uniform(p, q):
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return fg.where((q.low > p.low) | (q.high < p.high), math.inf, result)


@register_kl(Independent, Independent)
def _kl_independent(p, q):
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
