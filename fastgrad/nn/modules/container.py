"""Containers of modules: Sequential, ModuleList, ModuleDict. Those of parameters are in parameter_container.py.

The modules of a list are children named "0", "1", ...; those of a dict have their keys for names. Only Sequential can be
called.
"""

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from itertools import chain

from .module import Module, indent

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]


def position(index, size):
    """The index counted from the front."""
    index = operator.index(index)
    if not -size <= index < size:
        raise IndexError(f"index {index} is out of range")
    return index % size


def require_iterable(value, where):
    if not isinstance(value, Iterable):
        raise TypeError(f"{where}, but got {type(value).__name__}")


def pairs(items, name):
    """The elements of items, checked to be (key, value) pairs."""
    for i, item in enumerate(items):
        if not isinstance(item, Iterable):
            raise TypeError(f"{name} update sequence element #{i} should be Iterable; is {type(item).__name__}")
        if len(item) != 2:
            raise ValueError(f"{name} update sequence element #{i} has length {len(item)}; 2 is required")
        yield item[0], item[1]


class _ModuleSequence(Module):
    """What Sequential and ModuleList share: children by position."""

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules.values())

    def __setitem__(self, index, module):
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index):
        names = list(self._modules)
        for name in names[index] if isinstance(index, slice) else [self._name_at(index)]:
            delattr(self, name)
        self._modules = {str(i): module for i, module in enumerate(self)}

    def _name_at(self, index):
        return list(self._modules)[position(index, len(self))]

    def append(self, module):
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def pop(self, key):
        """Remove the module, or the slice of modules, at key and give it."""
        removed = self[key]
        del self[key]
        return removed

    def _insert(self, index, module):
        for i in range(len(self), index, -1):
            self._modules[str(i)] = self._modules[str(i - 1)]
        self._modules[str(index)] = module


class Sequential(_ModuleSequence):
    """Modules called one after another, each with the output of the one before.

    Args:
        args: modules, or one OrderedDict from name to module.

    Example:
        >>> fastgrad.nn.Sequential(fastgrad.nn.Linear(2, 3), fastgrad.nn.ReLU())
        Sequential(
          (0): Linear(in_features=2, out_features=3, bias=True)
          (1): ReLU()
        )
    """

    def __init__(self, *args):
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            members = args[0].items()
        else:
            members = ((str(i), module) for i, module in enumerate(args))
        for name, module in members:
            self.add_module(name, module)

    def forward(self, input):
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __add__(self, other):
        return Sequential(*self, *self._checked(other))

    def __iadd__(self, other):
        return self.extend(list(self._checked(other)))

    @staticmethod
    def _checked(other):
        if not isinstance(other, Sequential):
            raise ValueError(f"add operator supports only objects of Sequential class, but {type(other)} is given.")
        return other

    def __mul__(self, times):
        return Sequential(*list(self) * self._checked_factor(times))

    __rmul__ = __mul__

    def __imul__(self, times):
        return self.extend(list(self) * (self._checked_factor(times) - 1))

    def _checked_factor(self, times):
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return times

    def insert(self, index, module):
        """Put a module before position index."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        size = len(self)
        if not -size <= index <= size:
            raise IndexError(f"Index out of range: {index}")
        self._insert(index + size if index < 0 else index, module)
        return self

    def extend(self, sequential):
        """Add the modules of an iterable at the end."""
        for module in sequential:
            self.append(module)
        return self


class ModuleList(_ModuleSequence):
    """A list of modules that registers them.

    Args:
        modules: iterable of modules.

    Example:
        >>> fastgrad.nn.ModuleList(fastgrad.nn.Tanh() for _ in range(3))
        ModuleList(
          (0-2): 3 x Tanh()
        )
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index):
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name_at(index)]

    def __add__(self, other):
        return ModuleList(chain(self, other))

    def __iadd__(self, modules):
        return self.extend(modules)

    def insert(self, index, module):
        """Put a module before position index."""
        self._insert(index, module)

    def extend(self, modules):
        """Add the modules of an iterable at the end."""
        require_iterable(modules, "ModuleList.extend should be called with an iterable")
        for module in list(modules):
            self.append(module)
        return self

    def __repr__(self):
        runs = []  # [first, last, repr] of equal neighbours
        for i, text in enumerate(map(repr, self)):
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        if not runs:
            return self._get_name() + "()"
        lines = []
        for first, last, text in runs:
            head = f"({first}): " if first == last else f"({first}-{last}): {last - first + 1} x "
            lines.append(indent(head + text))
        return self._get_name() + "(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dict of modules that registers them.

    Args:
        modules: mapping from str to module, or iterable of such pairs.
    """

    def __init__(self, modules=None):
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key):
        return self._modules[key]

    def __setitem__(self, key, module):
        self.add_module(key, module)

    def __delitem__(self, key):
        del self._modules[key]

    def __len__(self):
        return len(self._modules)

    def __iter__(self):
        return iter(self._modules)

    def __contains__(self, key):
        return key in self._modules

    def clear(self):
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key):
        """Remove the module at key and give it."""
        return self._modules.pop(key)

    def keys(self):
        return self._modules.keys()

    def items(self):
        return self._modules.items()

    def values(self):
        return self._modules.values()

    def update(self, modules):
        """Add the modules of a mapping or of an iterable of pairs; later ones replace earlier ones."""
        require_iterable(modules, "ModuleDict.update should be called with an iterable of key/value pairs")
        is_mapping = isinstance(modules, (ModuleDict, Mapping))
        for key, module in modules.items() if is_mapping else pairs(modules, "ModuleDict"):
            self[key] = module


class Container(Module):
    """Old name of a Module that gets its children as keyword arguments."""

    def __init__(self, **kwargs):
        super().__init__()
        warnings.warn("`nn.Container` is deprecated. All of its functionality is now implemented in `nn.Module`. Subclass that instead.",
                      FutureWarning, stacklevel=2)
        for name, module in kwargs.items():
            self.add_module(name, module)
