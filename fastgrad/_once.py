"""Warnings that are given once a process."""

import warnings

given = set()


def warn_once(text, stacklevel=3):
    """Warn of something the first time it is said."""
    if text not in given:
        given.add(text)
        warnings.warn(text, UserWarning, stacklevel=stacklevel)
