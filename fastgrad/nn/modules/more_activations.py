"""More activation functions as modules: each keeps the arguments of the function of its name and calls it."""

from .. import functional as F
from .activation import ELU, _InplaceActivation
from .configured import Configured
from .module import Module

__all__ = ["CELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Mish", "SELU", "Softshrink", "Softsign", "Tanhshrink"]


class SELU(_InplaceActivation):
    """scale * elu(x, alpha), with the scale and alpha that keep mean 0 and variance 1."""

    def forward(self, input):
        return F.selu(input, self.inplace)


class CELU(Configured):
    """x if x > 0, else alpha (exp(x / alpha) - 1)."""

    _settings, _shown = ELU._settings, ELU._shown

    def forward(self, input):
        return F.celu(input, self.alpha, self.inplace)


class Mish(_InplaceActivation):
    """x tanh(softplus(x))."""

    def forward(self, input):
        return F.mish(input, self.inplace)


class Hardswish(_InplaceActivation):
    """x hardsigmoid(x)."""

    def forward(self, input):
        return F.hardswish(input, self.inplace)

    def extra_repr(self):
        return ""


class Hardsigmoid(_InplaceActivation):
    """min(max(x + 3, 0), 6) / 6."""

    def forward(self, input):
        return F.hardsigmoid(input, self.inplace)

    def extra_repr(self):
        return ""


class _Shrink(Configured):
    _settings = lambda lambd=0.5: locals()

    def extra_repr(self):
        return str(self.lambd)


class Hardshrink(_Shrink):
    """x outside [-lambd, lambd], else 0."""

    def forward(self, input):
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """x moved towards 0 by lambd, at most to 0."""

    def forward(self, input):
        return F.softshrink(input, self.lambd)


class Softsign(Module):
    """x / (1 + |x|)."""

    def forward(self, input):
        return F.softsign(input)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, input):
        return F.tanhshrink(input)
