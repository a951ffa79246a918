"""Convolution layers: Conv1d to Conv3d, ConvTranspose1d to ConvTranspose3d."""

import math

import fastgrad as fg

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]


def _each(value, n):
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


class _ConvNd(Module):
    """What convolutions share: arguments, parameters drawn from U(-k, k) with k = 1 / sqrt(fan in), text."""

    _n = 0
    _transposed = False

    def _set(self, in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias, padding_mode,
             device, dtype):
        n = self._n
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and any(s != 1 for s in _each(stride, n)):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(f"padding_mode must be one of ['zeros', 'reflect', 'replicate', 'circular'], but got padding_mode='{padding_mode}'")
        if padding_mode != "zeros":
            if self._transposed:
                raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride, self.dilation = _each(kernel_size, n), _each(stride, n), _each(dilation, n)
        self.padding = padding if isinstance(padding, str) else _each(padding, n)
        self.output_padding = _each(output_padding, n)
        self.transposed, self.padding_mode = self._transposed, padding_mode
        first, second = (in_channels, out_channels) if self._transposed else (out_channels, in_channels)
        self.weight = Parameter(fg.empty((first, second // groups, *self.kernel_size), device=device, dtype=dtype))
        self.register_parameter("bias", Parameter(fg.empty(out_channels, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self):
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
            if fan_in != 0:
                init.uniform_(self.bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

    def _padded(self, input):
        """The input with what padding_mode puts around it, and the padding that is left to do."""
        if self.padding_mode == "zeros":
            return input, self.padding
        around = []
        for d, k, p in reversed(list(zip(self.dilation, self.kernel_size, _each(self.padding, self._n)))):
            total = d * (k - 1) if self.padding == "same" else 0 if self.padding == "valid" else 2 * p
            around += [total // 2, total - total // 2]
        return F.pad(input, around, mode=self.padding_mode), 0

    def extra_repr(self):
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        n = self._n
        if self.padding != (0,) * n:
            text += f", padding={self.padding}" if not isinstance(self.padding, str) else f", padding={self.padding}"
        if self.dilation != (1,) * n:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros", device=None, dtype=None):
        super().__init__()
        self._set(in_channels, out_channels, kernel_size, stride, padding, 0, dilation, groups, bias, padding_mode, device, dtype)


class Conv1d(_Conv):
    """Convolution (N, C, L) -> (N, O, L'); weight (O, C / groups, K), bias (O) or None.

    Example:
        >>> fastgrad.nn.Conv1d(2, 3, 5)(fastgrad.zeros(1, 2, 8)).shape
        torch.Size([1, 3, 4])
    """

    _n = 1

    def forward(self, input):
        input, padding = self._padded(input)
        return F.conv1d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv2d(_Conv):
    """Convolution (N, C, H, W) -> (N, O, H', W'); weight (O, C / groups, KH, KW), bias (O) or None.

    Example:
        >>> fastgrad.nn.Conv2d(1, 4, 3)(fastgrad.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 4, 6, 6])
    """

    _n = 2

    def forward(self, input):
        input, padding = self._padded(input)
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv3d(_Conv):
    """Convolution (N, C, D, H, W) -> (N, O, D', H', W'); weight (O, C / groups, KD, KH, KW), bias (O) or None."""

    _n = 3

    def forward(self, input):
        input, padding = self._padded(input)
        return F.conv3d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class _ConvTranspose(_ConvNd):
    _transposed = True

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True,
                 dilation=1, padding_mode="zeros", device=None, dtype=None):
        super().__init__()
        self._set(in_channels, out_channels, kernel_size, stride, padding, output_padding, dilation, groups, bias, padding_mode, device,
                  dtype)

    def forward(self, input, output_size=None):
        function = getattr(F, f"conv_transpose{self._n}d")
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        return function(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)

    def _extra(self, input, output_size):
        """The output padding that gives output_size."""
        n = self._n
        wanted = list(output_size)
        if len(wanted) == input.dim() and len(wanted) != n:
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise ValueError(f"{type(self).__name__}: for {input.dim()}D input, output_size must have {n} or {n + 2} elements, "
                             f"got {len(output_size)}")
        least = [(size - 1) * s - 2 * p + d * (k - 1) + 1 for size, s, p, d, k in
                 zip(tuple(input.shape)[-n:], self.stride, self.padding, self.dilation, self.kernel_size)]
        most = [size + s - 1 for size, s in zip(least, self.stride)]
        if any(not low <= size <= high for low, size, high in zip(least, wanted, most)):
            raise ValueError(f"requested an output size of {output_size}, but valid sizes range from {least} to {most} (for an input of "
                             f"{tuple(input.shape)[-n:]})")
        return [size - low for size, low in zip(wanted, least)]


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution (N, C, L) -> (N, O, L'); weight (C, O / groups, K), bias (O) or None."""

    _n = 1


class ConvTranspose2d(_ConvTranspose):
    """Transposed convolution (N, C, H, W) -> (N, O, H', W'); weight (C, O / groups, KH, KW), bias (O) or None."""

    _n = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution (N, C, D, H, W) -> (N, O, D', H', W'); weight (C, O / groups, KD, KH, KW), bias (O) or None."""

    _n = 3
