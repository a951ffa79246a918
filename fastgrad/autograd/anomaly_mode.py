"""Anomaly mode: which operation of the program has a backward that fails, or gives nan."""

import warnings

from fastgrad import _engine

__all__ = ["detect_anomaly", "set_detect_anomaly"]


class set_detect_anomaly:
    """Sets anomaly mode at once, and until the end of the block where it is used with `with`.

    Args:
        mode: whether operations remember where they were called and their gradients are checked.
        check_nan: whether a gradient with nan raises RuntimeError.
    """

    def __init__(self, mode, check_nan=True):
        self.before = _engine.is_anomaly_enabled(), _engine.is_anomaly_check_nan_enabled()
        _engine._set_anomaly(bool(mode), bool(check_nan))

    def __enter__(self):
        pass

    def __exit__(self, *exc):
        _engine._set_anomaly(*self.before)


class detect_anomaly:
    """Anomaly mode in a block.  It makes every operation slow: for finding faults only.

    Args:
        check_nan: whether a gradient with nan raises RuntimeError.
    Example:
        >>> with fastgrad.autograd.detect_anomaly():
        ...     loss.backward()
    """

    def __init__(self, check_nan=True):
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
                      "debugging.", stacklevel=2)

    def __enter__(self):
        self.before = _engine.is_anomaly_enabled(), _engine.is_anomaly_check_nan_enabled()
        _engine._set_anomaly(True, self.check_nan)

    def __exit__(self, *exc):
        _engine._set_anomaly(*self.before)
