"""Containers of parameters: ParameterList, ParameterDict. They cannot be called.

A value is an attribute of the container, named by its position or key; so a tensor, made a Parameter, is registered and any
other value is kept as it is.
"""

from collections import OrderedDict
from collections.abc import Mapping

from fastgrad._engine import Tensor

from .._names import typename
from ..parameter import Parameter
from .container import pairs, position, require_iterable
from .module import Module

__all__ = ["ParameterDict", "ParameterList"]


def _as_member(value):
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


def _describe(value, kind):
    if not isinstance(value, Tensor):
        return f"Object of type: {type(value).__name__}"
    holder = "Parameter" if isinstance(value, Parameter) else "Tensor"
    size = "x".join(map(str, value.size()))
    return f"{holder} containing: [{kind(value)} of size {size}]"


class ParameterList(Module):
    """A list that registers the parameters in it; tensors become parameters, other values are kept as they are.

    Args:
        values: iterable of parameters, tensors or anything else.
    """

    def __init__(self, values=None):
        super().__init__()
        self._size = 0
        if values is not None:
            self.extend(values)

    def __len__(self):
        return self._size

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(self[i] for i in range(len(self))[index])
        return getattr(self, str(position(index, len(self))))

    def __setitem__(self, index, value):
        setattr(self, str(position(index, len(self))), _as_member(value))

    def __iadd__(self, values):
        return self.extend(values)

    def append(self, value):
        """Add a value at the end."""
        self._size += 1
        self[-1] = value
        return self

    def extend(self, values):
        """Add the values of an iterable at the end."""
        if isinstance(values, Tensor):
            raise TypeError(f"ParameterList.extend should be called with an iterable, but got {type(values).__name__}")
        require_iterable(values, "ParameterList.extend should be called with an iterable")
        for value in values:
            self.append(value)
        return self

    def extra_repr(self):
        return "\n".join(f"  ({i}): {_describe(value, lambda p: p.dtype)}" for i, value in enumerate(self))

    def __call__(self, *args, **kwargs):
        raise RuntimeError("ParameterList should not be called.")


class ParameterDict(Module):
    """A dict that registers the parameters in it; tensors become parameters, other values are kept as they are.

    Args:
        parameters: mapping from str to value, or iterable of such pairs.
    """

    def __init__(self, parameters=None):
        super().__init__()
        self._keys = {}
        if parameters is not None:
            self.update(parameters)

    def __getitem__(self, key):
        return getattr(self, self._checked(key))

    def __setitem__(self, key, value):
        setattr(self, self._checked(key), _as_member(value))
        self._keys[key] = None

    def __delitem__(self, key):
        del self._keys[key]
        delattr(self, key)

    @staticmethod
    def _checked(key):
        if not isinstance(key, str):
            raise TypeError(
                "Index given to ParameterDict cannot be used as a key as it is not a string "
                f"(type is '{type(key).__name__}')."
            )
        return key

    def __len__(self):
        return len(self._keys)

    def __iter__(self):
        return iter(self._keys)

    def __reversed__(self):
        return reversed(self._keys)

    def __contains__(self, key):
        return key in self._keys

    def copy(self):
        """A new ParameterDict with the same values."""
        return ParameterDict(OrderedDict(self.items()))

    def setdefault(self, key, default=None):
        """The value at key, after putting default there if there was none."""
        if key not in self:
            self[key] = default
        return self[key]

    def get(self, key, default=None):
        """The value at key, or default."""
        return self[key] if key in self else default

    def pop(self, key):
        """Remove the value at key and give it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self):
        """Remove the last (key, value) and give it."""
        key = next(reversed(self._keys))
        return key, self.pop(key)

    def clear(self):
        """Remove all values."""
        for key in list(self._keys):
            del self[key]

    def fromkeys(self, keys, default=None):
        """A new ParameterDict with default at each of keys."""
        return ParameterDict((key, default) for key in keys)

    def keys(self):
        return self._keys.keys()

    def items(self):
        return ((key, self[key]) for key in self._keys)

    def values(self):
        return (self[key] for key in self._keys)

    def update(self, parameters):
        """Add the values of a mapping, in sorted order unless it is an ordered one, or of an iterable of pairs."""
        require_iterable(parameters, "ParametersDict.update should be called with an iterable of key/value pairs")
        if isinstance(parameters, (OrderedDict, ParameterDict)):
            items = parameters.items()
        elif isinstance(parameters, Mapping):
            items = sorted(parameters.items())
        else:
            items = pairs(parameters, "ParameterDict")
        for key, value in items:
            self[key] = value

    def __or__(self, other):
        result = self.copy()
        result.update(other)
        return result

    def __ror__(self, other):
        result = other.copy()
        result.update(self)
        return result

    def __ior__(self, other):
        self.update(other)
        return self

    def extra_repr(self):
        return "\n".join(f"  ({key}): {_describe(value, typename)}" for key, value in self.items())

    def __call__(self, input):
        raise RuntimeError("ParameterDict should not be called.")
