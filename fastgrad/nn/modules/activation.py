"""Activation functions as modules: each keeps the arguments of the function of its name in functional.py and calls it."""

import warnings

from .. import functional as F
from .configured import Configured
from .module import Module

__all__ = [
    "ELU",
    "GELU",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Tanh",
    "Threshold",
]


class _InplaceActivation(Configured):
    """An activation with no other argument than inplace."""

    _settings = lambda inplace=False: locals()


class Threshold(Configured):
    """x if x > threshold, else value."""

    _settings = lambda threshold, value, inplace=False: locals()
    _shown = ("threshold", "value")

    def forward(self, input):
        return F.threshold(input, self.threshold, self.value, self.inplace)


class ReLU(_InplaceActivation):
    """max(x, 0)."""

    def forward(self, input):
        return F.relu(input, self.inplace)


class Hardtanh(Configured):
    """min(max(x, min_val), max_val)."""

    _settings = lambda min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None: locals()
    _shown = ("min_val", "max_val")

    def _configure(self, min_value=None, max_value=None, **settings):
        for old, value in (("min_value", min_value), ("max_value", max_value)):
            if value is not None:
                new = old[:-2]
                warnings.warn(f"keyword argument `{old}` is deprecated and renamed to `{new}`", FutureWarning, stacklevel=3)
                settings[new] = value
        low, high = settings["min_val"], settings["max_val"]
        if low >= high:
            raise AssertionError(f"max_val ({high}) must be greater than min_val ({low})")
        super()._configure(**settings)

    def forward(self, input):
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """min(max(x, 0), 6)."""

    _settings = lambda inplace=False: {"min_val": 0.0, "max_val": 6.0, "inplace": inplace}
    _shown = ()


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input):
        return F.sigmoid(input)


class LogSigmoid(Module):
    """log(1 / (1 + exp(-x)))."""

    def forward(self, input):
        return F.logsigmoid(input)


class Tanh(Module):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""

    def forward(self, input):
        return F.tanh(input)


class SiLU(_InplaceActivation):
    """x sigmoid(x).

    Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units.
    """

    def forward(self, input):
        return F.silu(input, self.inplace)


class ELU(Configured):
    """x if x > 0, else alpha (exp(x) - 1).

    Source: Clevert et al. 2015, Fast and Accurate Deep Network Learning by Exponential Linear Units.
    """

    _settings = lambda alpha=1.0, inplace=False: locals()
    _shown = ("alpha",)

    def forward(self, input):
        return F.elu(input, self.alpha, self.inplace)


class GELU(Configured):
    """x Phi(x), with Phi the distribution function of the standard normal.

    Args:
        approximate: "none", or "tanh" for 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).

    Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units.
    """

    _settings = lambda approximate="none": locals()

    def forward(self, input):
        return F.gelu(input, approximate=self.approximate)

    def extra_repr(self):
        return f"approximate={self.approximate!r}"


class LeakyReLU(Configured):
    """x if x > 0, else negative_slope x."""

    _settings = lambda negative_slope=0.01, inplace=False: locals()
    _shown = ("negative_slope",)

    def forward(self, input):
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class Softplus(Configured):
    """log(1 + exp(beta x)) / beta, and x where beta x > threshold."""

    _settings = lambda beta=1.0, threshold=20.0: locals()
    _shown = ("beta", "threshold")

    def forward(self, input):
        return F.softplus(input, self.beta, self.threshold)


class _AlongDim(Configured):
    """An activation along one dimension. None for it is deprecated, and means a dimension guessed from the input's."""

    _settings = lambda dim=None: locals()
    _shown = ("dim",)


class Softmax(_AlongDim):
    """exp(x_i) / sum_j exp(x_j) along dim."""

    def forward(self, input):
        return F.softmax(input, self.dim, _stacklevel=4)


class Softmin(_AlongDim):
    """exp(-x_i) / sum_j exp(-x_j) along dim."""

    def forward(self, input):
        return F.softmin(input, self.dim, _stacklevel=4)


class LogSoftmax(_AlongDim):
    """log(exp(x_i) / sum_j exp(x_j)) along dim."""

    def forward(self, input):
        return F.log_softmax(input, self.dim, _stacklevel=4)
