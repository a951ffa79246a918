"""Configured: modules that only keep their constructor's arguments."""

from fastgrad._declared import Declared

from .module import Module

__all__ = ["Configured"]


class Configured(Module, Declared):
    """A module of settings (_declared.py). `_shown` names those that are in its text; `inplace` is there where it is True.

    Module comes first: instances are made as its are, which pickling and copying ask of the first base.
    """

    _shown = ()

    __init__ = Declared.__init__

    def _construct(self, **settings):
        Module.__init__(self)
        self._configure(**settings)

    def extra_repr(self):
        names = self._shown
        if "inplace" not in names and getattr(self, "inplace", False):
            names = (*names, "inplace")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
