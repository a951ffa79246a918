"""Rearrangements of images' elements: pixel_shuffle, pixel_unshuffle, channel_shuffle."""

from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite()
def pixel_shuffle(input: Tensor, upscale_factor: int):
    """(*, C r^2, H, W) as (*, C, H r, W r): r^2 channels become the pixels of a block.

    Args:
        upscale_factor: r.
    Raises:
        RuntimeError: fewer than 3 dimensions, r < 1, or channels that r^2 does not divide.
    Source:
        Shi et al. 2016, Real-Time Single Image and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network.
    """
    r = upscale_factor
    if input.ndim < 3:
        raise RuntimeError(f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError("pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but "
                           f"input.size(-3)={channels} is not divisible by {r * r}")
    if r == 1:
        return input.clone()
    n = len(lead)
    split = input.reshape(*lead, channels // (r * r), r, r, height, width)
    out = split.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2).reshape(*lead, channels // (r * r), height * r, width * r)
    return _ops._laid_out_as(out, input)


@composite(out=False)
def pixel_unshuffle(input: Tensor, downscale_factor: int):
    """The inverse of pixel_shuffle: (*, C, H r, W r) as (*, C r^2, H, W).

    Args:
        downscale_factor: r.
    Raises:
        RuntimeError: fewer than 3 dimensions, r < 1, or a height or width that r does not divide.
    """
    r = downscale_factor
    if input.ndim < 3:
        raise RuntimeError(f"pixel_unshuffle expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)")
    if r <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {r}")
    *lead, channels, height, width = input.shape
    for name, size, place in (("height", height, -2), ("width", width, -1)):
        if size % r:
            raise RuntimeError(f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({place})={size} is not "
                               f"divisible by {r}")
    if r == 1:
        return input.clone()
    n = len(lead)
    split = input.reshape(*lead, channels, height // r, r, width // r, r)
    out = split.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3).reshape(*lead, channels * r * r, height // r, width // r)
    return _ops._laid_out_as(out, input)


@composite(out=False)
def channel_shuffle(input: Tensor, groups: int):
    """Channels (dimension 1) of `groups` groups dealt round.

    Raises:
        RuntimeError: fewer than 3 dimensions, groups < 1, or channels that groups does not divide.
    Source:
        Zhang et al. 2018, ShuffleNet.
    """
    if input.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    if input.shape[1] % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {input.shape[1]} channels and {groups} groups.")
    dealt = input.reshape(input.shape[0], groups, input.shape[1] // groups, *input.shape[2:]).transpose(1, 2).reshape(input.shape)
    return _ops._laid_out_as(dealt, input)
