"""Geometric, one-hot and multinomial distributions, and a mixture of one family."""

import math

import fastgrad as fg
from fastgrad.nn.functional import binary_cross_entropy_with_logits

from . import constraints
from .categorical import Categorical
from .distribution import Distribution, ProbsOrLogits, broadcast_all

__all__ = ["Geometric", "MixtureSameFamily", "Multinomial", "OfCategories", "OneHotCategorical", "OneHotCategoricalStraightThrough"]


class Geometric(ProbsOrLogits):
    """The number of failures before the first success: (1 - probs)^k probs."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(self, probs=None, logits=None, validate_args=None):
        super().__init__(self._give(probs, logits), validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs > 0).all():
            value = self.probs
            raise ValueError(f"Expected parameter probs ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} "
                             f"to be positive but found invalid values:\n{value.detach()[value.detach() <= 0]}")

    @property
    def mean(self):
        return 1.0 / self.probs - 1.0

    @property
    def mode(self):
        return fg.zeros_like(self.probs)

    @property
    def variance(self):
        return (1.0 / self.probs - 1.0) / self.probs

    def sample(self, sample_shape=()):
        tiny = fg.finfo(self.probs.dtype).tiny
        with fg.no_grad():
            u = fg.empty(self._extended_shape(sample_shape), dtype=self.probs.dtype).uniform_(tiny, 1)
            return (u.log() / (-self.probs).log1p()).floor()

    def log_prob(self, value):
        self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        probs = probs.masked_fill((probs == 1) & (value == 0), 0)          # 0 failures: the factor is 1, not 0^0
        return value * (-probs).log1p() + self.probs.log()

    def entropy(self):
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class OfCategories(Distribution):
    """A vector with one element for each category of the Categorical `_categorical`."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def _take(self, categorical, validate_args):
        self._categorical = categorical
        super().__init__(categorical.batch_shape, categorical.param_shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        new = super().expand(batch_shape, _instance)
        new._categorical = self._categorical.expand(batch_shape)
        return new

    @property
    def probs(self):
        return self._categorical.probs

    @property
    def logits(self):
        return self._categorical.logits

    @property
    def param_shape(self):
        return self._categorical.param_shape


class OneHotCategorical(OfCategories):
    """A category as a vector with one 1."""

    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(self, probs=None, logits=None, validate_args=None):
        self._take(Categorical(probs, logits), validate_args)

    @property
    def mean(self):
        return self.probs

    @property
    def mode(self):
        return self._one_hot(self.probs.argmax(dim=-1))

    @property
    def variance(self):
        return self.probs * (1 - self.probs)

    def _one_hot(self, index):
        return fg.nn.functional.one_hot(index, self._event_shape[0]).to(self.probs.dtype)

    def sample(self, sample_shape=()):
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value):
        self._validate_sample(value)
        return self._categorical.log_prob(value.max(-1)[1])

    def entropy(self):
        return self._categorical.entropy()

    def enumerate_support(self, expand=True):
        return self._for_batch(fg.eye(self._event_shape[0], dtype=self._categorical._param.dtype), expand)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """Draws whose gradient is the probabilities'."""

    has_rsample = True

    def rsample(self, sample_shape=()):
        samples, probs = self.sample(sample_shape), self.probs
        return samples + (probs - probs.detach())


class Multinomial(OfCategories):
    """How often each category comes in `total_count` draws."""

    def __init__(self, total_count=1, probs=None, logits=None, validate_args=None):
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._take(Categorical(probs=probs, logits=logits), validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self):
        return constraints.multinomial(self.total_count)

    @property
    def mean(self):
        return self.probs * self.total_count

    @property
    def variance(self):
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape=()):
        drawn = self._categorical.sample((self.total_count,) + tuple(sample_shape)).movedim(0, -1)
        counts = fg.zeros(self._extended_shape(sample_shape), dtype=fg.int64)
        return counts.scatter_add_(-1, drawn, fg.ones_like(drawn)).to(self.probs.dtype)

    def log_prob(self, value):
        self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        logits = logits.masked_fill((value == 0) & (logits == -math.inf), 0)
        return fg.lgamma(value.sum(-1) + 1) - fg.lgamma(value + 1).sum(-1) + (logits * value).sum(-1)

    def entropy(self):
        """n H(category) - log n! + the expectation of every count's log k!, a binomial's."""
        n, p = self.total_count, self._categorical.probs
        k = fg.arange(1, n + 1, dtype=p.dtype).view((-1,) + (1,) * p.dim())
        log_n = math.lgamma(n + 1)
        choose = log_n - fg.lgamma(k + 1) - fg.lgamma(n - k + 1)
        weights = fg.exp(choose + fg.xlogy(k, p) + fg.xlogy(n - k, 1 - p))
        return n * self._categorical.entropy() - log_n + (weights * fg.lgamma(k + 1)).sum([0, -1])


class MixtureSameFamily(Distribution):
    """Component k of `component_distribution`, whose last batch dimension is k, with the probabilities of `mixture_distribution`."""

    def __init__(self, mixture_distribution, component_distribution, validate_args=None):
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ValueError("The Component distribution needs to be an instance of torch.distributions.Distribution")
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        mixture, batch = tuple(mixture_distribution.batch_shape), tuple(component_distribution.batch_shape)
        for a, b in zip(reversed(mixture), reversed(batch[:-1])):
            if a != 1 and b != 1 and a != b:
                raise ValueError(f"`mixture_distribution.batch_shape` ({mixture}) is not compatible with "
                                 f"`component_distribution.batch_shape`({batch[:-1]})")
        count = mixture_distribution.logits.shape[-1]
        if count != batch[-1]:
            raise ValueError(f"`mixture_distribution component` ({count}) does not equal `component_distribution.batch_shape[-1]` "
                             f"({batch[-1]})")
        self._num_component = count
        self._event_ndims = len(component_distribution.event_shape)
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args=validate_args)

    def expand(self, batch_shape, _instance=None):
        batch_shape = tuple(batch_shape)
        new = super().expand(batch_shape, _instance)
        new._component_distribution = self._component_distribution.expand(batch_shape + (self._num_component,))
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        return new

    @property
    def mixture_distribution(self):
        return self._mixture_distribution

    @property
    def component_distribution(self):
        return self._component_distribution

    @constraints.dependent_property
    def support(self):
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _weighted(self, values):
        """The sum over components of their probability times `values`."""
        probs = self._mixture_distribution.probs
        batch = len(self._mixture_distribution.batch_shape)
        extra = 0 if batch == 1 else len(self._batch_shape) - batch
        shape = tuple(probs.shape)
        probs = probs.reshape(shape[:-1] + (1,) * extra + shape[-1:] + (1,) * self._event_ndims)
        return (probs * values).sum(-1 - self._event_ndims)

    def _pad(self, x):
        return x.unsqueeze(-1 - self._event_ndims)

    @property
    def mean(self):
        return self._weighted(self._component_distribution.mean)

    @property
    def variance(self):
        components = self._component_distribution
        return self._weighted(components.variance) + self._weighted((components.mean - self._pad(self.mean)).pow(2.0))

    def cdf(self, x):
        return (self._component_distribution.cdf(self._pad(x)) * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x):
        self._validate_sample(x)
        log_prob = self._component_distribution.log_prob(self._pad(x))
        return fg.logsumexp(log_prob + fg.log_softmax(self._mixture_distribution.logits, dim=-1), dim=-1)

    def sample(self, sample_shape=()):
        with fg.no_grad():
            dim = len(sample_shape) + len(self._batch_shape)
            chosen = self._mixture_distribution.sample(sample_shape)
            draws = self._component_distribution.sample(sample_shape)
            chosen = chosen.reshape(tuple(chosen.shape) + (1,) * (self._event_ndims + 1)).expand(
                tuple(chosen.shape) + (1,) + tuple(self._event_shape))
            return draws.gather(dim, chosen).squeeze(dim)

    def __repr__(self):
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"
