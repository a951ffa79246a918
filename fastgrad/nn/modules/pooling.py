"""Pooling layers: of windows of one size, and to an output of given size (adaptive)."""

from .. import functional as F
from .configured import Configured

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
           "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d"]


class _Pool(Configured):
    _n = 0
    _shown = ("kernel_size", "stride", "padding")

    def _configure(self, kernel_size, stride, **settings):
        super()._configure(kernel_size=kernel_size, stride=kernel_size if stride is None else stride, **settings)


class _MaxPool(_Pool):
    _settings = lambda kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False: locals()
    _shown = (*_Pool._shown, "dilation", "ceil_mode")

    def forward(self, input):
        function = getattr(F, f"max_pool{self._n}d")
        return function(input, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices)


class MaxPool1d(_MaxPool):
    """Largest element of each window of the last dimension."""

    _n = 1


class MaxPool2d(_MaxPool):
    """Largest element of each window of the last two dimensions."""

    _n = 2


class MaxPool3d(_MaxPool):
    """Largest element of each window of the last three dimensions."""

    _n = 3


class AvgPool1d(_Pool):
    """Mean of each window of the last dimension."""

    _settings = lambda kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True: locals()

    def _configure(self, **settings):
        super()._configure(**settings)
        for name in self._shown:
            value = getattr(self, name)
            setattr(self, name, (value,) if isinstance(value, int) else tuple(value))

    def forward(self, input):
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class _AvgPool(_Pool):
    _settings = lambda kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None: locals()

    def forward(self, input):
        function = getattr(F, f"avg_pool{self._n}d")
        return function(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
                        self.divisor_override)


class AvgPool2d(_AvgPool):
    """Mean of each window of the last two dimensions."""

    _n = 2


class AvgPool3d(_AvgPool):
    """Mean of each window of the last three dimensions."""

    _n = 3


class _AdaptivePool(Configured):
    """Base class: a subclass names the function."""

    _settings = lambda output_size: locals()
    _shown = ("output_size",)


class AdaptiveAvgPool1d(_AdaptivePool):
    """Means of output_size windows of the last dimension."""

    def forward(self, input):
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptivePool):
    """Means of windows of the last two dimensions; output_size: one int or two, None for the input's own size."""

    def forward(self, input):
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptivePool):
    """Means of windows of the last three dimensions; output_size: one int or three, None for the input's own size."""

    def forward(self, input):
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptivePool):
    _settings = lambda output_size, return_indices=False: locals()


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Maxima of output_size windows of the last dimension; return_indices: give also where they are."""

    def forward(self, input):
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Maxima of windows of the last two dimensions; arguments as for AdaptiveAvgPool2d and AdaptiveMaxPool1d."""

    def forward(self, input):
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Maxima of windows of the last three dimensions; arguments as for AdaptiveAvgPool3d and AdaptiveMaxPool1d."""

    def forward(self, input):
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)
