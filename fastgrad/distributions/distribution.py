"""Distribution: the base of all; the checks of arguments and values, shapes, and what follows from others' methods."""

import fastgrad as fg
from fastgrad import Size, Tensor

__all__ = ["Distribution", "ExponentialFamily", "ProbsOrLogits", "broadcast_all", "clamp_probs"]


def broadcast_all(*values):
    """Numbers and tensors as tensors of one shape; numbers take the tensors' dtype."""
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError("Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__.")
    tensors = [value for value in values if isinstance(value, Tensor)]
    dtype = tensors[0].dtype if tensors else fg.get_default_dtype()
    return fg.broadcast_tensors(*(value if isinstance(value, Tensor) else fg.tensor(value, dtype=dtype) for value in values))


def clamp_probs(probs):
    """Kept away from 0 and 1 by the dtype's eps, so that logarithms are finite."""
    eps = fg.finfo(probs.dtype).eps
    return probs.clamp(eps, 1 - eps)


class Distribution:
    """A batch of distributions.

    Invariants: a sample's shape is sample_shape + batch_shape + event_shape; `arg_constraints` names the tensors that `expand` expands.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints = {}
    support = None
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value):
        """Whether arguments and values are checked, where a distribution is not told."""
        if value not in (True, False):
            raise ValueError
        Distribution._validate_args = value

    def __init__(self, batch_shape=(), event_shape=(), validate_args=None):
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self.arg_constraints.items():
            if name not in self.__dict__:       # derived from another argument
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution {self!r} to satisfy "
                    f"the constraint {constraint!r}, but found invalid values:\n{value}")

    @property
    def batch_shape(self):
        return self._batch_shape

    @property
    def event_shape(self):
        return self._event_shape

    @property
    def mean(self):
        raise NotImplementedError

    @property
    def mode(self):
        raise NotImplementedError(f"{self.__class__} does not implement mode")

    @property
    def variance(self):
        raise NotImplementedError

    @property
    def stddev(self):
        return self.variance.sqrt()

    def sample(self, sample_shape=()):
        """Draws without a gradient."""
        with fg.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape=()):
        """Draws that are differentiable in the parameters."""
        raise NotImplementedError

    def log_prob(self, value):
        raise NotImplementedError

    def entropy(self):
        raise NotImplementedError

    def cdf(self, value):
        raise NotImplementedError

    def icdf(self, value):
        raise NotImplementedError

    def enumerate_support(self, expand=True):
        raise NotImplementedError

    def _for_batch(self, values, expand):
        """values (n, *event_shape) with dimensions for the batch after the first, expanded to the batch's if `expand`."""
        first, event = tuple(values.shape[:1]), tuple(values.shape[1:])
        values = values.view(first + (1,) * len(self._batch_shape) + event)
        return values.expand(first + tuple(self._batch_shape) + event) if expand else values

    def perplexity(self):
        return self.entropy().exp()

    def expand(self, batch_shape, _instance=None):
        """The same distributions in a larger batch."""
        batch_shape = Size(batch_shape)
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new.__dict__.update(self.__dict__)
        for name, constraint in self.arg_constraints.items():
            if name in self.__dict__:
                value = self.__dict__[name]
                new.__dict__[name] = value.expand(batch_shape + tuple(value.shape[value.dim() - constraint.event_dim:]))
        new._batch_shape = batch_shape
        return new

    def _extended_shape(self, sample_shape=()):
        return Size(tuple(sample_shape) + tuple(self._batch_shape) + tuple(self._event_shape))

    def _validate_sample(self, value):
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        shape = tuple(self._batch_shape) + tuple(self._event_shape)
        event = len(self._event_shape)
        if event and tuple(value.shape)[value.dim() - event:] != tuple(self._event_shape):
            raise ValueError(f"The right-most size of value must match event_shape: {tuple(value.shape)} vs {tuple(self._event_shape)}.")
        for size, given in zip(reversed(shape), reversed(tuple(value.shape))):
            if size != 1 and given != 1 and size != given:
                raise ValueError(f"Value is not broadcastable with batch_shape+event_shape: {tuple(value.shape)} vs {shape}.")
        if not self.support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the support "
                f"({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}")

    def __repr__(self):
        names = [name for name in self.arg_constraints if name in self.__dict__]
        values = (self.__dict__[name] for name in names)
        return type(self).__name__ + "(" + ", ".join(
            f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in zip(names, values)) + ")"


class ExponentialFamily(Distribution):
    """Distributions whose log-density is linear in functions of the value; the type says so, entropies are in closed form."""


class ProbsOrLogits(Distribution):
    """Parametrised by `probs` or by its logit; subclasses call `_give` before anything else."""

    def _give(self, probs, logits):
        """Keeps the one that is given; returns the batch's shape."""
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")
        given = logits if probs is None else probs
        (self._param,) = broadcast_all(given)
        self.__dict__["logits" if probs is None else "probs"] = self._param
        return self._param.shape if isinstance(given, Tensor) else ()

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
