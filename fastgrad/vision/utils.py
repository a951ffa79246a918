"""torchvision.utils: many images as one, written to a file."""

import math

from .. import Tensor, cat, no_grad, stack, uint8
from ._pillow import pillow

__all__ = ["make_grid", "save_image"]


@no_grad()
def make_grid(tensor, nrow=8, padding=2, normalize=False, value_range=None, scale_each=False, pad_value=0.0):
    """Images side by side as one image.

    Args:
        tensor: images, (n, channels, height, width), one image of 2 or 3 dimensions, or a list of images of one size. One channel
            becomes three.
        nrow: images in a row.
        padding: pixels between and around the images.
        normalize: shift and scale to 0..1, by `value_range` or by the least and greatest value there is.
        scale_each: by the values of each image.
        pad_value: value of the pixels between.

    Returns: a tensor (3, height, width); a single image without a frame.
    Raises:
        TypeError: neither a tensor nor a list of tensors; value_range is no pair.
    """
    images = as_batch(tensor)
    if normalize:
        if value_range is not None and not isinstance(value_range, tuple):
            raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
        images = images.clone()
        for part in images if scale_each else [images]:
            low, high = value_range or (float(part.min()), float(part.max()))
            part.clamp_(min=low, max=high).sub_(low).div_(max(high - low, 1e-5))
    if images.size(0) == 1:
        return images.squeeze(0)
    count, channels, height, width = images.shape
    columns = min(nrow, count)
    rows = math.ceil(count / columns)
    height, width = height + padding, width + padding
    grid = images.new_full((channels, height * rows + padding, width * columns + padding), pad_value)
    for i, image in enumerate(images):
        top, left = i // columns * height + padding, i % columns * width + padding
        grid[:, top : top + height - padding, left : left + width - padding] = image
    return grid


def as_batch(tensor):
    """The images as one tensor (n, channels, height, width), channels 3 where there was 1."""
    if not isinstance(tensor, Tensor):
        if not isinstance(tensor, (list, tuple)) or not all(isinstance(image, Tensor) for image in tensor):
            raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
        tensor = stack(list(tensor), dim=0)
    if tensor.dim() == 2:
        tensor = tensor.unsqueeze(0)
    if tensor.dim() == 3:
        tensor = (cat([tensor] * 3, 0) if tensor.size(0) == 1 else tensor).unsqueeze(0)
    elif tensor.dim() == 4 and tensor.size(1) == 1:
        tensor = cat([tensor] * 3, 1)
    return tensor


@no_grad()
def save_image(tensor, fp, format=None, **kwargs):
    """Writes an image, or a grid of images, with values of 0 to 1.

    Args:
        tensor: as of make_grid.
        fp: path or file.
        format: as of Pillow's `save`; by default the ending of the path tells.
        **kwargs: of make_grid.

    Raises:
        ImportError: Pillow is not installed.
    """
    Image, _ = pillow("save_image")
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add_(0.5).clamp_(0, 255).permute(1, 2, 0).to(dtype=uint8)
    Image.fromarray(pixels.numpy()).save(fp, format=format)
