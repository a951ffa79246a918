"""How a Python function of tensors becomes an operation: the decorator of fastgrad/composites, fastgrad.linalg and their like."""

from collections import namedtuple

from fastgrad._engine import Tensor
from fastgrad._ops import _install_inplace, _install_method, _python_operation

FUNCTIONS = {}      # what fastgrad itself offers
RESULTS = {}        # the types of named results


def check_tensors(name, **given):
    """Refuse arguments that are neither Tensors nor None."""
    for argument, value in given.items():
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}")


def composite(name=None, *, function=True, method=False, inplace=False, aliases=(), variadic=None, out=True):
    """Make an operation of a function that is written in terms of other operations.

    A parameter annotated as Tensor, int, bool or float must be one.  The operation accepts `axis`, `keepdims`, `x` and `self` for `dim`, `keepdim` and `input`, as every operation does.

    Args:
        name: the operation's name, where it differs from the function's.
        function: whether it is `fastgrad.name`.
        method: whether it is `Tensor.name`; the first argument is then the tensor.
        inplace: whether `Tensor.name_` writes the result over the tensor.
        aliases: other names of the operation.
        variadic: the parameter that may be given as several positional arguments, or as one list.
        out: whether it takes `out=`.
    Returns:
        A decorator that gives the operation back.
    Example:
        >>> @composite(method=True)
        ... def double(input: Tensor):
        ...     return input + input
    """

    def define(body):
        own = name or body.__name__
        operations = {spelling: _python_operation(body, spelling, variadic, out) for spelling in (own, *aliases)}
        for spelling, operation in operations.items():
            if function:
                FUNCTIONS[spelling] = operation
            if method:
                _install_method(spelling, operation)
            if inplace:
                _install_inplace(spelling, operation)
        return operations[own]

    return define


def _named_again(name, items):
    """What a pickled named result becomes."""
    return RESULTS[name](*items)


def named_result(name, fields):
    """The type of a result with fields: a tuple that shows its names.

    Args:
        fields: their names, in order, parted by spaces.
    """

    def text(self):
        return f"torch.return_types.{name}(\n" + ",\n".join(f"{field}={value!r}" for field, value in zip(self._fields, self)) + ")"

    def reduced(self):
        return _named_again, (name, tuple(self))

    base = namedtuple(name, fields)
    RESULTS[name] = type(name, (base,), {"__slots__": (), "__repr__": text, "__reduce__": reduced, "__module__": "torch.return_types"})
    return RESULTS[name]
