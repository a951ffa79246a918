"""Layers that lay elements out anew: upsampling, pixel and channel shuffling, windows as columns and back."""

from .. import functional as F
from .configured import Configured

__all__ = ["ChannelShuffle", "Fold", "PixelShuffle", "PixelUnshuffle", "Unfold", "Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Configured):
    """Interpolates the spatial dimensions to `size`, or by `scale_factor`.

    Args:
        mode: "nearest", "linear", "bilinear", "bicubic" or "trilinear".
        align_corners: whether the corners of input and output are at the same place; for the modes that are not "nearest".
        recompute_scale_factor: compute the factor anew from the sizes.
    """

    _settings = lambda size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None: locals()

    def _configure(self, scale_factor, **settings):
        self.name = type(self).__name__
        factors = tuple(map(float, scale_factor)) if isinstance(scale_factor, tuple) else float(scale_factor) if scale_factor else None
        super()._configure(scale_factor=factors, **settings)

    def forward(self, input):
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                             recompute_scale_factor=self.recompute_scale_factor)

    def extra_repr(self):
        how = f"scale_factor={self.scale_factor!r}" if self.scale_factor is not None else f"size={self.size!r}"
        return f"{how}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Upsample by nearest neighbours."""

    _settings = lambda size=None, scale_factor=None: locals()

    def _configure(self, **settings):
        super()._configure(**settings, mode="nearest", align_corners=None, recompute_scale_factor=None)


class UpsamplingBilinear2d(Upsample):
    """Upsample by bilinear interpolation with aligned corners."""

    _settings = lambda size=None, scale_factor=None: locals()

    def _configure(self, **settings):
        super()._configure(**settings, mode="bilinear", align_corners=True, recompute_scale_factor=None)


class PixelShuffle(Configured):
    """(*, C r^2, H, W) -> (*, C, H r, W r): channels become pixels.

    Source: Shi et al. 2016, Real-Time Single Image and Video Super-Resolution.
    """

    _settings = lambda upscale_factor: locals()
    _shown = ("upscale_factor",)

    def forward(self, input):
        return F.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Configured):
    """(*, C, H r, W r) -> (*, C r^2, H, W): undoes PixelShuffle."""

    _settings = lambda downscale_factor: locals()
    _shown = ("downscale_factor",)

    def forward(self, input):
        return F.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Configured):
    """Takes the channels of (N, C, *) from `groups` groups in turn.

    Source: Zhang et al. 2018, ShuffleNet.
    """

    _settings = lambda groups: locals()
    _shown = ("groups",)

    def forward(self, input):
        return F.channel_shuffle(input, self.groups)


class Unfold(Configured):
    """Windows of (N, C, H, W) as the columns of (N, C KH KW, L)."""

    _settings = lambda kernel_size, dilation=1, padding=0, stride=1: locals()
    _shown = ("kernel_size", "dilation", "padding", "stride")

    def forward(self, input):
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Configured):
    """Columns of (N, C KH KW, L) added up as windows of (N, C, *output_size)."""

    _settings = lambda output_size, kernel_size, dilation=1, padding=0, stride=1: locals()
    _shown = ("output_size", "kernel_size", "dilation", "padding", "stride")

    def forward(self, input):
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)
