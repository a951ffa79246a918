"""Family: a distribution told by its formulas; what families do alike is here, once. Also the functions their formulas share.

A family states, as class attributes,

    arg_constraints, support    the parameters and the values; `arguments` where the constructor takes them in another order or takes more,
                                `defaults` for some of them
    quantity(formula)           a property:  mean = quantity(lambda rate: 1 / rate)
    derived(formula)            the same, worked out once, unless the constructor sets it
    method(formula)             a method:    icdf = method(lambda value, rate: -fg.log1p(-value) / rate)
    checked(formula)            the same, of a value that must be in the support:  log_prob = checked(lambda value, rate: ...)
    _draw(self, shape)          values of that shape, where draws are not icdf of uniform ones; `has_rsample` if they are differentiable

The arguments of a formula are the names of parameters, or of other attributes; `value` is what the method is called with.
"""

import inspect
from operator import attrgetter

import fastgrad as fg

from .distribution import Distribution

__all__ = ["EULER", "Family", "broadcast_all", "checked", "derived", "held_by", "log_beta", "method", "quantity"]

EULER = 0.57721566490153286060          # Euler's constant


def broadcast_all(*values):
    """Numbers and tensors as tensors of one shape; numbers take the tensors' dtype.

    Raises:
        ValueError: one is neither.
    """
    dtype = None
    for value in values:
        if isinstance(value, fg.Tensor):
            dtype = dtype or value.dtype
        elif not isinstance(value, (int, float)):
            raise ValueError(f"arguments must be numbers or tensors, got {type(value).__name__}")
    dtype = dtype or fg.get_default_dtype()
    return fg.broadcast_tensors(*[value if isinstance(value, fg.Tensor) else fg.tensor(value, dtype=dtype) for value in values])


def log_beta(a, b):
    """The logarithm of the beta function, Gamma(a) Gamma(b) / Gamma(a + b)."""
    return fg.lgamma(a) + fg.lgamma(b) - fg.lgamma(a + b)


# ---- formulas

def _arguments(formula):
    return formula.__code__.co_varnames[: formula.__code__.co_argcount]


def quantity(formula):
    """The property that `formula` gives of the attributes its arguments name."""
    names = _arguments(formula)
    return property(lambda self: formula(*[getattr(self, name) for name in names]))


class derived:
    """An attribute that `formula` gives at its first use, of the attributes its arguments name, unless it was given itself.

    With a graph even in a sample without one: later uses may want the gradient.
    """

    def __init__(self, formula):
        self.names, self.formula = _arguments(formula), formula

    def __set_name__(self, owner, name):
        self.name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        with fg.enable_grad():
            value = self.formula(*[getattr(instance, name) for name in self.names])
        vars(instance)[self.name] = value
        return value


def method(formula):
    """The method that `formula` gives of the attributes its arguments name, and of what is passed if the first one is `value`."""
    names = _arguments(formula)
    if names[:1] == ("value",):
        return lambda self, value: formula(value, *[getattr(self, name) for name in names[1:]])
    return lambda self: formula(*[getattr(self, name) for name in names])


def checked(formula):
    """`method`, of a value that is checked to be in the support."""
    evaluate = method(formula)

    def of_value(self, value):
        self._validate_sample(value)
        return evaluate(self, value)

    return of_value


def held_by(holder, *names):
    """A property for each of `names`, which the attribute `holder` has."""
    return [property(attrgetter(f"{holder}.{name}")) for name in names]


# ---- families

class Family(Distribution):
    """A distribution whose class says what this module's head lists.

    Invariant: `_take` makes a distribution of its parameters and nothing else; the constructor and `expand` go through it.
    """

    defaults = {}
    _shows_parameters = True            # whether repr has them: PyTorch leaves them out where it keeps them in another distribution

    def __init_subclass__(cls):
        super().__init_subclass__()
        if "__init__" in vars(cls):     # of the user's: the arguments are what it says
            cls.__signature__ = None
        elif vars(cls).keys() & {"arg_constraints", "arguments"}:
            cls.arguments = vars(cls).get("arguments") or tuple(cls.arg_constraints)
            cls._options = {**cls.defaults, "validate_args": None}
            cls._signature = cls.__signature__ = inspect.Signature(
                [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=cls._options.get(name, inspect.Parameter.empty))
                 for name in (*cls.arguments, "validate_args")])

    def __init__(self, *values, **named):
        if "batch_shape" in named or values and isinstance(values[0], tuple):       # from a constructor that took the parameters itself
            Distribution.__init__(self, *values, **named)
            return
        names = (*self.arguments, "validate_args")
        given = {**self._options, **dict(zip(names, values)), **named}
        if given.keys() != set(names) or len(values) > len(names) or named.keys() & set(names[:len(values)]):
            self._signature.bind(*values, **named)          # raises TypeError
        validate_args = given.pop("validate_args")
        Distribution.__init__(self, *self._take(**given), validate_args=validate_args)

    def _take(self, **given):
        """Keeps the parameters; returns the shapes of the batch and of an event."""
        values = broadcast_all(*given.values())
        vars(self).update(zip(given, values))
        return values[0].shape, ()

    def expand(self, batch_shape, _instance=None):
        new = self._copy_into(_instance, batch_shape)
        given = {name: getattr(self, name) for name in self.arguments}
        new._take(**{name: self._expanded(value, batch_shape) if name in self.arg_constraints else value for name, value in given.items()})
        return new

    def sample(self, sample_shape=()):
        with fg.no_grad():
            return self._draw(self._extended_shape(sample_shape))

    def rsample(self, sample_shape=()):
        if not self.has_rsample:
            raise NotImplementedError(f"{type(self).__name__}: draws are not differentiable, use sample")
        return self._draw(self._extended_shape(sample_shape))

    def _draw(self, shape):
        """By inversion: the quantile of a uniform number has the distribution."""
        return self.icdf(fg.rand(shape, dtype=self._dtype))

    @property
    def _dtype(self):
        return next(iter(self._own_parameters().values())).dtype

    def __repr__(self):
        return super().__repr__() if self._shows_parameters else type(self).__name__ + "()"
