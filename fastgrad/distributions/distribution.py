"""Distribution: the base of all; the checks of arguments and values, shapes, and what follows from others' methods.

Ours derive from Family (family.py), which needs little more than their formulas; users may derive from either.
"""

import warnings
from operator import attrgetter

import fastgrad as fg
from fastgrad import Size, Tensor

from ._transform import sum_rightmost
from .constraints import absent

__all__ = ["Distribution", "ExponentialFamily"]


def _told(value):
    return f"({type(value).__name__} of shape {tuple(value.shape)})"


class Distribution:
    """A batch of distributions.

    Invariants: a sample's shape is sample_shape + batch_shape + event_shape; `arg_constraints` names the parameters.
    """

    has_rsample = has_enumerate_support = False
    arg_constraints = {}
    support = None
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether arguments and values are checked, where a distribution is not told."""
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args: value must be a bool, got {value!r}")
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._validate_parameters()

    batch_shape, event_shape = property(attrgetter("_batch_shape")), property(attrgetter("_event_shape"))

    # ---- what a distribution may have
    mean, mode, variance = property(absent("mean")), property(absent("mode")), property(absent("variance"))
    rsample, log_prob, entropy, cdf, icdf = map(absent, ("rsample", "log_prob", "entropy", "cdf", "icdf"))
    enumerate_support = absent("enumerate_support")

    @property
    def stddev(self):
        return self.variance.sqrt()

    def perplexity(self):
        return self.entropy().exp()

    def sample(self, sample_shape=()):
        """Draws without a gradient; rsample's are differentiable in the parameters."""
        with fg.no_grad():
            return self.rsample(sample_shape)

    def sample_n(self, n):
        """sample((n,)); PyTorch says not to use it any longer."""
        warnings.warn("sample_n: use sample((n,))", FutureWarning, stacklevel=2)
        return self.sample((n,))

    # ---- shapes
    def _extended_shape(self, sample_shape=()):
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _copy_into(self, instance, batch_shape):
        """`instance`, a new one where it is None, with the attributes of this distribution and another batch shape."""
        new = object.__new__(type(self)) if instance is None else instance
        vars(new).update(vars(self), _batch_shape=Size(batch_shape))
        return new

    def expand(self, batch_shape, _instance=None):
        """The same distributions in a larger batch."""
        new = self._copy_into(_instance, batch_shape)
        for name, value in self._own_parameters().items():
            setattr(new, name, self._expanded(value, batch_shape))
        return new

    def _expanded(self, parameter, batch_shape):
        """A parameter, which begins with the batch's dimensions, for another batch."""
        return parameter.expand((*batch_shape, *parameter.shape[len(self._batch_shape):]))

    def _get_checked_instance(self, cls, _instance=None):
        """The instance that the `expand` of a user's class fills in; a class with a constructor of its own needs an `expand` of its own."""
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:
            raise NotImplementedError(f"{type(self).__name__} has a constructor, so it must have an expand method too")
        return object.__new__(type(self))

    def _for_batch(self, values, expand):
        """values (n, *event_shape) with dimensions for the batch after the first, expanded to the batch's if `expand`."""
        count, *event = values.shape
        values = values.view((count, *[1] * len(self._batch_shape), *event))
        return values.expand((count, *self._batch_shape, *event)) if expand else values

    # ---- checks
    def _own_parameters(self):
        """The parameters that are here as they were given, by name; others are worked out of these."""
        return {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}

    def _validate_parameters(self):
        for name, value in self._own_parameters().items():
            constraint = self.arg_constraints[name]
            if not constraint.check(value).all():
                raise ValueError(f"Expected parameter {name} {_told(value)} of distribution {self!r} to satisfy the constraint "
                                 f"{constraint!r}, but found invalid values:\n{value}")

    def _validate_sample(self, value):
        """Raises ValueError unless `value` is in the support and its shape broadcasts with samples'; nothing where checks are off."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError(f"The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        shape, wanted, event = tuple(value.shape), tuple(self._extended_shape()), tuple(self._event_shape)
        if event and shape[-len(event):] != event:
            raise ValueError(f"The right-most size of value must match event_shape: {shape} vs {event}.")
        if shape != wanted and not all(a == b or 1 in (a, b) for a, b in zip(shape[::-1], wanted[::-1])):
            raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {shape} vs {wanted}.")
        if not self.support.check(value).all():
            raise ValueError(f"Expected value argument {_told(value)} to be within the support ({self.support!r}) of the distribution "
                             f"{self!r}, but found invalid values:\n{value}")

    def __repr__(self):
        shown = (f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in self._own_parameters().items())
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """Distributions whose density is h(x) exp(<n, t(x)> - F(n)), of natural parameters n.

    A subclass may state `_natural_params` (n, a tuple of tensors), `_log_normalizer` (F, a function of them) and `_mean_carrier_measure`
    (the mean of log h); then it has an entropy, and a kl_divergence from others of its type: the gradient of F is the mean of t.

    Source: Nielsen and Nock, Entropies and cross-entropies of exponential families (2010).
    """

    @property
    def _natural_params(self):
        raise NotImplementedError

    def _log_normalizer(self, *natural_params):
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self):
        raise NotImplementedError

    def _natural_moments(self):
        """The natural parameters, F of them, and its gradients, differentiable."""
        natural = [n if n.requires_grad else n.detach().requires_grad_() for n in self._natural_params]
        normalizer = self._log_normalizer(*natural)
        return natural, normalizer, fg.autograd.grad(normalizer.sum(), natural, create_graph=True)

    def entropy(self):
        natural, normalizer, means = self._natural_moments()
        inner = sum(sum_rightmost(n * mean, len(self.event_shape)) for n, mean in zip(natural, means))
        return normalizer - inner - self._mean_carrier_measure
