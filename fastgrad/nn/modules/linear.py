"""Linear layers: Identity, Linear, Bilinear."""

import math

import fastgrad as fg

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["Bilinear", "Identity", "Linear"]


class Identity(Module):
    """Gives its input. Any arguments of the constructor are accepted and have no meaning."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def forward(self, input):
        return input


class Linear(Module):
    """Affine map of the last dimension: y = x A^T + b.

    Args:
        in_features: size of the input's last dimension.
        out_features: size of the output's last dimension.
        bias: whether there is a b.

    Attributes:
        weight: A, shape (out_features, in_features), drawn from U(-k, k) with k = 1 / sqrt(in_features).
        bias: b, shape (out_features), drawn likewise; or None.

    Shape: (*, in_features) -> (*, out_features).
    Example:
        >>> fastgrad.nn.Linear(2, 3)(fastgrad.zeros(5, 2)).shape
        torch.Size([5, 3])
    """

    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(fg.empty((out_features, in_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(fg.empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        # sqrt(5) gives the bound 1 / sqrt(in_features).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(self.in_features) if self.in_features > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input):
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class NonDynamicallyQuantizableLinear(Linear):
    """A Linear under the name that PyTorch shows for the output projection."""


class Bilinear(Module):
    """y_o = x1^T A_o x2 + b_o.

    Args:
        in1_features, in2_features: sizes of the last dimensions of x1 and x2.
        out_features: size of the output's last dimension.
        bias: whether there is a b.

    Attributes:
        weight: A, shape (out_features, in1_features, in2_features), drawn from U(-k, k) with k = 1 / sqrt(in1_features).
        bias: b, shape (out_features), drawn likewise; or None.

    Shape: (*, in1_features), (*, in2_features) -> (*, out_features).
    """

    def __init__(self, in1_features, in2_features, out_features, bias=True, device=None, dtype=None):
        super().__init__()
        if in1_features <= 0:
            raise ValueError(f"in1_features must be > 0, but got (in1_features={in1_features})")
        self.in1_features = in1_features
        self.in2_features = in2_features
        self.out_features = out_features
        self.weight = Parameter(fg.empty((out_features, in1_features, in2_features), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(fg.empty(out_features, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        bound = 1 / math.sqrt(self.in1_features)
        for parameter in self.parameters(recurse=False):
            init.uniform_(parameter, -bound, bound)

    def forward(self, input1, input2):
        return F.bilinear(input1, input2, self.weight, self.bias)

    def extra_repr(self):
        return (f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}, "
                f"bias={self.bias is not None}")
