"""Padding layers: constant, zero, reflection, replication and circular, over 1, 2 or 3 dimensions.

`padding` is one number for all sides, or a pair for each padded dimension, the last dimension's first.
"""

from .. import functional as F
from .module import Module

__all__ = [f"{kind}Pad{n}d" for kind in ("Circular", "Constant", "Reflection", "Replication", "Zero") for n in (1, 2, 3)]


def _sides(padding, dims):
    return tuple(padding) if hasattr(padding, "__iter__") else (padding,) * (2 * dims)


class _Pad(Module):
    _dims = 0
    _mode = "constant"

    def __init__(self, padding):
        super().__init__()
        self.padding = _sides(padding, self._dims)

    def forward(self, input):
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self):
        return f"{self.padding}"


class _ConstantPad(_Pad):
    def __init__(self, padding, value):
        super().__init__(padding)
        self.value = value

    def forward(self, input):
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self):
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding):
        super().__init__(padding, 0.0)

    def extra_repr(self):
        return f"{self.padding}"


class _CircularPad(_Pad):
    _mode = "circular"

    def forward(self, input):
        low, high = self._dims + 1, self._dims + 2
        if input.dim() not in (low, high):
            raise ValueError(f"expected {low}D or {high}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class _ReflectionPad(_Pad):
    _mode = "reflect"


class _ReplicationPad(_Pad):
    _mode = "replicate"



class CircularPad1d(_CircularPad):
    """The input repeated on all sides, as if the dimensions were rings."""

    _dims = 1


class CircularPad2d(_CircularPad):
    """The input repeated on all sides, as if the dimensions were rings."""

    _dims = 2


class CircularPad3d(_CircularPad):
    """The input repeated on all sides, as if the dimensions were rings."""

    _dims = 3


class ConstantPad1d(_ConstantPad):
    """The number `value` around the input."""

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """The number `value` around the input."""

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """The number `value` around the input."""

    _dims = 3


class ReflectionPad1d(_ReflectionPad):
    """The input mirrored at its first and last elements."""

    _dims = 1


class ReflectionPad2d(_ReflectionPad):
    """The input mirrored at its first and last elements."""

    _dims = 2


class ReflectionPad3d(_ReflectionPad):
    """The input mirrored at its first and last elements."""

    _dims = 3


class ReplicationPad1d(_ReplicationPad):
    """The first and last elements repeated."""

    _dims = 1


class ReplicationPad2d(_ReplicationPad):
    """The first and last elements repeated."""

    _dims = 2


class ReplicationPad3d(_ReplicationPad):
    """The first and last elements repeated."""

    _dims = 3


class ZeroPad1d(_ZeroPad):
    """Zeros around the input."""

    _dims = 1


class ZeroPad2d(_ZeroPad):
    """Zeros around the input."""

    _dims = 2


class ZeroPad3d(_ZeroPad):
    """Zeros around the input."""

    _dims = 3
