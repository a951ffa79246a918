"""Declared: classes that state their constructor's arguments and need no constructor to keep them."""

import inspect

__all__ = ["Declared"]


class _OfSettings:
    """The signature of a class that has no constructor of its own."""

    def __get__(self, instance, owner):
        if instance is not None:
            raise AttributeError("__signature__")       # of an instance: that of its __call__
        return inspect.signature(owner._settings) if owner.__init__ is Declared.__init__ else None


class Declared:
    """A class whose `_settings` is a function of the constructor's arguments that gives them by name:

        _settings = lambda beta=1.0, threshold=20.0: locals()

    `_construct` gets them; by `_configure` each becomes an attribute. A subclass that checks or changes one takes it out there.
    """

    __signature__ = _OfSettings()

    def __init__(self, *values, **named):
        self._construct(**type(self)._settings(*values, **named))

    def _configure(self, **settings):
        for name, value in settings.items():
            setattr(self, name, value)
