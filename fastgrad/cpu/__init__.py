"""fastgrad.cpu: the one device, under the names that others have; torch.cpu."""

from contextlib import nullcontext

from .._lazy import submodule as _submodule

__all__ = ["current_device", "device_count", "is_available", "is_initialized", "set_device", "stream", "synchronize"]


def is_available():
    """True."""
    return True


is_initialized = is_available


def device_count():
    """1."""
    return 1


def current_device():
    """The name of the device."""
    return "cpu"


def set_device(device):
    """There is one device."""


def synchronize(device=None):
    """Nothing is pending."""


def stream(stream):
    """A block in which nothing is different."""
    return nullcontext()


def __getattr__(name):
    return _submodule(__name__, name, ("amp",))
