"""Values of images between their elements: grid_sampler, for two and three spatial dimensions; the cubic kernel.

A place is looked up corner by corner, each corner one gather, so that gradients of any order are those of gathers and products.
"""

import fastgrad as fg
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor

MODES = ("bilinear", "nearest", "bicubic")              # by PyTorch's numbers
PADDINGS = ("zeros", "border", "reflection")


def cubic_near(t, a):
    """The cubic convolution kernel for |t| <= 1 (Keys 1981)."""
    return ((a + 2) * t - (a + 3)) * t * t + 1


def cubic_far(t, a):
    """The same for 1 < |t| < 2."""
    return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a


def cubic_weights(t, a=-0.75):
    """Weights of the elements at -1, 0, 1 and 2 for a place at t in [0, 1)."""
    return cubic_far(t + 1, a), cubic_near(t, a), cubic_near(1 - t, a), cubic_far(2 - t, a)


def _unnormalized(x, size, align_corners):
    return (x + 1) / 2 * (size - 1) if align_corners else ((x + 1) * size - 1) / 2


def _bounded(x, size):
    """Within [0, size - 1]; at the bounds, too, the gradient is 0.  NaN is the first place of an image, the last of a volume."""
    last = float(size - 1)
    if x.ndim == 3:
        return fg.where(x > 0, fg.where(x >= last, last, x), 0.0)
    return fg.where(x <= 0, 0.0, fg.where(x < last, x, last))


def _reflected(x, low, high):
    """Mirrored at low and high (twice their true value, which may end in .5) until it lies between."""
    if low == high:
        return x * 0
    span, start = (high - low) / 2, low / 2
    x = (x - start).abs()
    extra = fg.fmod(x, span)
    flips = (x / span).floor()
    return fg.where(flips % 2 == 0, extra + start, span - extra + start)


def _padded(x, size, padding_mode, align_corners):
    """Coordinates where the padding mode reads them; outside the image they mean zeros."""
    if padding_mode == "reflection":
        x = _reflected(x, 0, 2 * (size - 1)) if align_corners else _reflected(x, -1, 2 * size - 1)
    if padding_mode == "zeros":
        return x if x.ndim == 3 else fg.where(x.isfinite(), x, -2.0)       # NaN lies outside a volume, and nowhere in an image
    return _bounded(x, size)


def _picked(input, places):
    """input's elements (N, C, *spatial) at whole places, one tensor (N, *out) a dimension; zeros outside."""
    spatial = input.shape[2:]
    flat, inside = 0, None
    for place, size in zip(places, spatial):
        within = (place >= 0) & (place < size)
        inside = within if inside is None else inside & within
        flat = flat * size + fg.where(within, place, 0.0).to(fg.int64)
    n, channels, out = input.shape[0], input.shape[1], flat.shape[1:]
    taken = input.flatten(2).gather(2, flat.flatten(1).unsqueeze(1).expand(-1, channels, -1))
    return fg.where(inside.unsqueeze(1), taken.reshape(n, channels, *out), 0.0)


def _sample_linear(input, at):
    """The weighted sum over the 2^n corners around each place."""
    floors = [x.floor().detach() for x in at]
    out = 0
    for corner in range(2 ** len(at)):
        bits = [corner >> d & 1 for d in range(len(at))]
        weight = 1
        for x, low, bit in zip(at, floors, bits):
            weight = weight * (x - low if bit else low + 1 - x)
        out = out + _picked(input, [low + bit for low, bit in zip(floors, bits)]) * weight.unsqueeze(1)
    return out


def _none_of(grid):
    """0, of which grid's gradient is zeros, not None."""
    return _ops.where(fg.tensor(False), grid, 0.0).sum()


def _sample_cubic(input, at, padding_mode, align_corners):
    y, x = at
    y0, x0 = y.floor().detach(), x.floor().detach()
    wy, wx = cubic_weights(y - y0), cubic_weights(x - x0)
    out = 0
    for i in range(4):
        row = 0
        for j in range(4):
            places = [_padded(p, size, padding_mode, align_corners) for p, size in zip((y0 + i - 1, x0 + j - 1), input.shape[2:])]
            row = row + _picked(input, places) * wx[j].unsqueeze(1)
        out = out + row * wy[i].unsqueeze(1)
    return out


@composite()
def grid_sampler(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """input's values at the places of grid: nn.functional.grid_sample, with numbers for the modes.

    Args:
        interpolation_mode: 0 linear, 1 nearest, 2 cubic.  padding_mode: 0 zeros, 1 border, 2 reflection.
    Raises: RuntimeError: shapes or dtypes that do not fit.
    """
    mode, padding_mode = MODES[interpolation_mode], PADDINGS[padding_mode]
    n = input.ndim - 2
    if n not in (2, 3) or grid.ndim != input.ndim:
        raise RuntimeError(f"grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes "
                           f"{list(input.shape)} and grid with sizes {list(grid.shape)}")
    if grid.shape[0] != input.shape[0] or grid.shape[-1] != n:
        raise RuntimeError(f"grid_sampler(): expected grid to have size {n} in last dimension and the batch size of input, but got input "
                           f"with sizes {list(input.shape)} and grid with sizes {list(grid.shape)}")
    if input.dtype != grid.dtype:
        raise RuntimeError(f"grid_sampler(): expected input and grid to have same dtype, but input has {input.dtype} and grid has {grid.dtype}")
    if 0 in input.shape[2:]:
        raise RuntimeError(f"grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes {list(input.shape)}")
    if mode == "bicubic" and n == 3:
        raise RuntimeError("grid_sampler(): bicubic interpolation only supports 4D input")
    grid = _ops._tied(grid)
    at = [_unnormalized(grid[..., n - 1 - d], size, align_corners) for d, size in enumerate(input.shape[2:])]
    if mode == "bicubic":
        return _sample_cubic(input, at, padding_mode, align_corners)
    at = [_padded(x, size, padding_mode, align_corners) for x, size in zip(at, input.shape[2:])]
    if mode == "nearest":
        return _picked(input, [x.round() for x in at]) + _none_of(grid)
    return _sample_linear(input, at)


@composite()
def grid_sampler_2d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """grid_sampler of (N, C, H, W)."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)


@composite()
def grid_sampler_3d(input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool):
    """grid_sampler of (N, C, D, H, W)."""
    return grid_sampler(input, grid, interpolation_mode, padding_mode, align_corners)
