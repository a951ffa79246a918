"""Pooling layers beside maxima and means of windows: p-norms, windows of random size, and what undoes a MaxPool."""

from .. import functional as F
from .configured import Configured
from .conv import _each

__all__ = ["FractionalMaxPool2d", "FractionalMaxPool3d", "LPPool1d", "LPPool2d", "LPPool3d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d"]


class _LPPool(Configured):
    _settings = lambda norm_type, kernel_size, stride=None, ceil_mode=False: locals()
    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")


class LPPool1d(_LPPool):
    """(sum of x^norm_type)^(1 / norm_type) over each window of the last dimension."""

    def forward(self, input):
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """(sum of x^norm_type)^(1 / norm_type) over each window of the last two dimensions."""

    def forward(self, input):
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPool):
    """(sum of x^norm_type)^(1 / norm_type) over each window of the last three dimensions."""

    def forward(self, input):
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class _MaxUnpool(Configured):
    _n = 0
    _settings = lambda kernel_size, stride=None, padding=0: locals()
    _shown = ("kernel_size", "stride", "padding")

    def _configure(self, kernel_size, stride, padding):
        stride = kernel_size if stride is None else stride
        super()._configure(kernel_size=_each(kernel_size, self._n), stride=_each(stride, self._n), padding=_each(padding, self._n))


class MaxUnpool1d(_MaxUnpool):
    """Puts the maxima of MaxPool1d back where they were, zeros elsewhere; output_size decides where several sizes are possible."""

    _n = 1

    def forward(self, input, indices, output_size=None):
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """As MaxUnpool1d, for MaxPool2d."""

    _n = 2

    def forward(self, input, indices, output_size=None):
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpool):
    """As MaxUnpool1d, for MaxPool3d."""

    _n = 3

    def forward(self, input, indices, output_size=None):
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class _FractionalMaxPool(Configured):
    _n = 0
    _settings = lambda kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None: locals()

    def _configure(self, kernel_size, output_size, output_ratio, return_indices, _random_samples):
        n = self._n
        if output_size is None and output_ratio is None:
            raise ValueError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if output_ratio is not None and not all(0 < ratio < 1 for ratio in _each(output_ratio, n)):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")
        self.register_buffer("_random_samples", _random_samples)
        super()._configure(kernel_size=_each(kernel_size, n), return_indices=return_indices,
                           output_size=None if output_size is None else _each(output_size, n),
                           output_ratio=None if output_ratio is None else _each(output_ratio, n))


class FractionalMaxPool2d(_FractionalMaxPool):
    """Maxima of windows whose places are drawn at random, so that the output has any size.

    Source: Graham 2014, Fractional Max-Pooling.
    """

    _n = 2

    def forward(self, input):
        return F.fractional_max_pool2d(input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
                                       _random_samples=self._random_samples)


class FractionalMaxPool3d(_FractionalMaxPool):
    """As FractionalMaxPool2d, for (N, C, D, H, W)."""

    _n = 3

    def forward(self, input):
        return F.fractional_max_pool3d(input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
                                       _random_samples=self._random_samples)
