"""The state of an optimizer, a dict of dicts that counts its changes.

An optimizer keeps flat lists of the tensors in its state, ready for the engine, and asks `version` whether they still hold.
Invariants: whatever way a dict in here is written, the one Version they share goes up; what is stored is never copied.
"""

from collections import defaultdict

from fastgrad._ops import Version


def _counted(cls):
    """Make every method of the dict subclass that writes count."""

    def counting(name):
        write = getattr(cls, name)

        def method(self, *args, **kwargs):
            self.version.count += 1
            return write(self, *args, **kwargs)

        method.__name__ = name
        return method

    for name in ("__setitem__", "__delitem__", "__ior__", "clear", "pop", "popitem", "setdefault", "update"):
        setattr(cls, name, counting(name))
    return cls


@_counted
class ParameterState(dict):
    """The state of one parameter."""

    __slots__ = ("version",)

    def __init__(self, version, values=()):
        super().__init__(values)
        self.version = version

    def __reduce_ex__(self, protocol):
        return dict, (), None, None, iter(self.items())


@_counted
class OptimizerState(defaultdict):
    """From parameter to its state; a parameter that is not there gets an empty one."""

    def __init__(self, states=()):
        super().__init__(dict)
        self.version = Version()
        for key, state in dict(states).items():
            self[key] = ParameterState(self.version, state) if isinstance(state, dict) else state

    def __missing__(self, key):
        self[key] = state = ParameterState(self.version)
        return state

    def __reduce_ex__(self, protocol):
        return defaultdict, (dict,), None, None, iter(self.items())
