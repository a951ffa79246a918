"""Configured: modules that keep their constructor's arguments, and need no constructor for it."""

import inspect

from .module import Module

__all__ = ["Configured"]


class _OfSettings:
    """The signature of a class that has no constructor of its own."""

    def __get__(self, instance, owner):
        if instance is not None:
            raise AttributeError("__signature__")       # of an instance: forward's
        return inspect.signature(owner._settings) if owner.__init__ is Configured.__init__ else None


class Configured(Module):
    """A module whose `_settings` is a function of the constructor's arguments that gives them by name; each becomes an attribute.

    `_shown` names those that are in its text; `inplace` is there where it is True.
    """

    _shown = ()
    __signature__ = _OfSettings()

    def __init__(self, *values, **named):
        given = type(self)._settings(*values, **named)
        super().__init__()
        self._configure(**given)

    def _configure(self, **settings):
        """Sets the attributes; a subclass that checks or changes one takes it out of `settings`."""
        for name, value in settings.items():
            setattr(self, name, value)

    def extra_repr(self):
        names = self._shown
        if "inplace" not in names and getattr(self, "inplace", False):
            names = (*names, "inplace")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
