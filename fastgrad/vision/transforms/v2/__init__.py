"""torchvision.transforms.v2 for images: the names of v1, and those that v2 added for conversion.

Boxes, masks and videos, which v2 transforms along with an image, are not there.
"""

from .... import float32
from ....nn import Module
from .. import deterministic as _deterministic, drawn as _drawn
from ..deterministic import *
from ..drawn import *
from ..functional import InterpolationMode
from . import functional

__all__ = [
    *_deterministic.__all__, *_drawn.__all__, "Identity", "InterpolationMode", "RGB", "ToDtype", "ToImage", "ToPureTensor", "functional"]


class ToImage(Module):
    """A PIL image or an array as a tensor (channels, height, width) of the values it has; tensors as they are."""

    def forward(self, image):
        return functional.to_image(image)


class ToPureTensor(Module):
    """The tensor as it is: all tensors are pure here."""

    def forward(self, image):
        return image


class Identity(Module):
    """The image as it is."""

    def forward(self, image):
        return image


class ToDtype(Module):
    """The tensor in another dtype; with `scale` as functional.convert_image_dtype."""

    def __init__(self, dtype, scale=False):
        super().__init__()
        self.dtype, self.scale = dtype, scale

    def forward(self, image):
        return functional.to_dtype(image, self.dtype, self.scale)


class ConvertImageDtype(ToDtype):
    """ToDtype with scale=True."""

    def __init__(self, dtype=float32):
        super().__init__(dtype, scale=True)


class RGB(Module):
    """The image with three channels."""

    def forward(self, image):
        return functional.grayscale_to_rgb(image)
