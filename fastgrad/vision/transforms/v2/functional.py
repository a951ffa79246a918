"""torchvision.transforms.v2.functional: v1's functions, and those that v2 added or named anew."""

import numpy as np

from .... import Tensor, float32
from ..._pillow import is_image
from .. import functional as _v1
from ..functional import *
from ..functional import convert_image_dtype, get_dimensions, hflip, pil_to_tensor, vflip

__all__ = [
    *_v1.__all__, "get_size", "grayscale_to_rgb", "horizontal_flip", "normalize_image", "resize_image", "to_dtype", "to_dtype_image",
    "to_image", "vertical_flip"]

horizontal_flip, vertical_flip = hflip, vflip
normalize_image, resize_image = _v1.normalize, _v1.resize


def to_image(inpt):
    """A PIL image or an array as a tensor (channels, height, width) of the values it has; tensors as they are.

    Raises:
        TypeError: none of these.
    """
    if isinstance(inpt, Tensor):
        return inpt
    if isinstance(inpt, np.ndarray):
        from .... import from_numpy

        return from_numpy(np.atleast_3d(inpt).copy()).permute(2, 0, 1).contiguous()
    if is_image(inpt):
        return pil_to_tensor(inpt)
    raise TypeError(f"Input can either be a pure Tensor, a numpy array, or a PIL image, but got {type(inpt)} instead.")


def to_dtype(inpt, dtype=float32, scale=False):
    """A tensor in another dtype; with `scale` as convert_image_dtype."""
    return convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


to_dtype_image = to_dtype


def get_size(inpt):
    """[height, width]."""
    return get_dimensions(inpt)[1:]


def grayscale_to_rgb(inpt):
    """The image with three channels."""
    if is_image(inpt):
        return inpt.convert("RGB")
    return inpt.expand(*inpt.shape[:-3], 3, *inpt.shape[-2:]) if inpt.shape[-3] == 1 else inpt
