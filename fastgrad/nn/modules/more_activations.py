"""More activation functions as modules: each keeps the arguments of the function of its name and calls it."""

import fastgrad as fg

from .. import functional as F
from ..parameter import Parameter
from .activation import ELU, _InplaceActivation
from .configured import Configured
from .module import Module

__all__ = ["CELU", "GLU", "Hardshrink", "Hardsigmoid", "Hardswish", "Mish", "PReLU", "RReLU", "SELU", "Softmax2d", "Softshrink",
           "Softsign", "Tanhshrink"]


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


class GLU(Configured):
    """a sigmoid(b), where a and b are the halves of the input along dim.

    Source: Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks.
    """

    _settings = lambda dim=-1: locals()
    _shown = ("dim",)

    def forward(self, input):
        return F.glu(input, self.dim)


class PReLU(Module):
    """max(0, x) + weight min(0, x), the weight learned: one, or one for each channel.

    Source: He et al. 2015, Delving Deep into Rectifiers.
    """

    def __init__(self, num_parameters=1, init=0.25, device=None, dtype=None):
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(fg.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self):
        with fg.no_grad():
            self.weight.fill_(self.init)

    def forward(self, input):
        return F.prelu(input, self.weight)

    def extra_repr(self):
        return f"num_parameters={self.num_parameters}"


class RReLU(Configured):
    """leaky_relu whose slope is drawn from U(lower, upper) in training, and their mean otherwise.

    Source: Xu et al. 2015, Empirical Evaluation of Rectified Activations in Convolutional Network.
    """

    _settings = lambda lower=1.0 / 8, upper=1.0 / 3, inplace=False: locals()
    _shown = ("lower", "upper")

    def forward(self, input):
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Softmax2d(Module):
    """Softmax over the channels of (N, C, H, W) or (C, H, W)."""

    def forward(self, input):
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return F.softmax(input, -3)
