"""Warnings that are given once a process."""

import warnings

from fastgrad._settings import state

given = set()


def warn_once(text, stacklevel=3):
    """Warn of something the first time it is said, or always if set_warn_always says so."""
    if state["warn_always"] or text not in given:
        given.add(text)
        warnings.warn(text, UserWarning, stacklevel=stacklevel)
