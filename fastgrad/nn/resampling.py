"""Images at other sizes and other places: interpolate and its old names, grid_sample, affine_grid.

Resizing is separable: along each dimension an output element is a weighted sum of a few input elements (two for linear, four for cubic),
each of which is one index_select; with antialias, where windows grow, it is a product with a banded matrix. So gradients of any order
are those of index_select and products.
"""

import math
import warnings

import fastgrad as fg
from fastgrad.composites.grids import MODES, PADDINGS, cubic_far, cubic_near, cubic_weights

__all__ = ["affine_grid", "grid_sample", "interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

DIMENSIONS = {"linear": 3, "bilinear": 4, "trilinear": 5, "bicubic": 4}


# ---- along one dimension

def _scale(size, out, align_corners, factor):
    """How far apart the sources of two neighbours are."""
    if align_corners:
        return (size - 1) / (out - 1) if out > 1 else 0.0
    return 1 / factor if factor else size / out


def _sources(size, out, align_corners, factor, dtype):
    """Where each output element lies in the input, as a coordinate."""
    place, scale = fg.arange(out, dtype=dtype), _scale(size, out, align_corners, factor)
    return place * scale if align_corners else (place + 0.5) * scale - 0.5


def _nearest(x, dim, out, factor, exact):
    size = x.shape[dim]
    place = fg.arange(out, dtype=fg.float32)
    scale = fg.tensor(_scale(size, out, False, factor), dtype=fg.float32)
    index = ((place + 0.5) * scale if exact else place * scale).floor().to(fg.int64).clamp(max=size - 1)
    return x.index_select(dim, index)


def _blend(x, dim, taps):
    """The sum of weight * x[index] along dim."""
    shape = [-1] + [1] * (x.ndim - 1 - dim % x.ndim)
    return sum(x.index_select(dim, index) * weight.reshape(shape) for index, weight in taps)


def _linear(x, dim, out, align_corners, factor):
    size = x.shape[dim]
    at = _sources(size, out, align_corners, factor, x.dtype).clamp(min=0)
    low = at.floor().to(fg.int64).clamp(max=size - 1)
    weight = (at - low).clamp(0, 1)
    return _blend(x, dim, [(low, 1 - weight), ((low + 1).clamp(max=size - 1), weight)])


def _cubic(x, dim, out, align_corners, factor):
    size = x.shape[dim]
    at = _sources(size, out, align_corners, factor, x.dtype)
    low = at.floor()
    weights = cubic_weights(at - low)
    low = low.to(fg.int64)
    return _blend(x, dim, [((low + k - 1).clamp(0, size - 1), w) for k, w in enumerate(weights)])


def _antialiased(x, dim, out, align_corners, factor, cubic):
    """Linear or cubic, the kernel as wide as the distance between two output elements if that is more than one."""
    size = x.shape[dim]
    scale = _scale(size, out, align_corners, factor)
    stretch = max(scale, 1.0)
    support = (2.0 if cubic else 1.0) * stretch
    rows = []
    for i in range(out):
        center = scale * (i + 0.5)
        first = max(int(center - support + 0.5), 0)
        end = min(int(center + support + 0.5), size)
        t = ((fg.arange(first, end, dtype=fg.float64) - center + 0.5) / stretch).abs()
        if cubic:
            row = fg.where(t < 1, cubic_near(t, -0.5), fg.where(t < 2, cubic_far(t, -0.5), 0.0))
        else:
            row = (1 - t).clamp(min=0)
        rows.append(fg.zeros(size, dtype=fg.float64).slice_scatter(row / row.sum(), 0, first, end))
    matrix = fg.stack(rows).to(x.dtype)
    return (x.movedim(dim, -1) @ matrix.t()).movedim(-1, dim)


def _along(x, dim, out, align_corners, factor, cubic, antialias):
    if antialias:
        return _antialiased(x, dim, out, align_corners, factor, cubic)
    return (_cubic if cubic else _linear)(x, dim, out, align_corners, factor)


def _bytes(x, dim, out, *how):
    """Of uint8: weights are multiples of the least power of two with which all fit into 16 bits, and sums are rounded to bytes after each
    dimension, as in PyTorch's kernels.  Sums of such integers are exact in float64."""
    if x.shape[dim] == out:
        return x
    matrix = _along(fg.eye(x.shape[dim], dtype=fg.float64), 0, out, *how)
    most, bits = float(matrix.max()), 0
    while bits < 22 and int(0.5 + most * 2 ** (bits + 1)) < 2 ** 15:
        bits += 1
    weights = (matrix * 2 ** bits + fg.where(matrix < 0, -0.5, 0.5)).trunc()
    sums = x.movedim(dim, -1).to(fg.float64) @ weights.t()
    return ((sums + 2 ** (bits - 1)) / 2 ** bits).floor().clamp(0, 255).movedim(-1, dim).to(fg.uint8)


# ---- interpolate

def _for_each(input, given, what, letter):
    """One value for each spatial dimension of the input."""
    n = input.ndim - 2
    values = tuple(given) if isinstance(given, (list, tuple)) else (given,) * n
    if len(values) != n:
        raise ValueError(
            f"Input and {what} must have the same number of spatial dimensions, but got input with spatial dimensions of "
            f"{list(input.shape[2:])} and {what} of {given}. Please provide input tensor in (N, C, d1, d2, ...,dK) format and "
            f"{what} in ({letter}1, {letter}2, ...,{letter}K) format.")
    return values


def _output_size(input, size, scale_factor, recompute_scale_factor):
    """(sizes, factors or None for each) of the spatial dimensions."""
    n = input.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    if size is not None:
        if recompute_scale_factor:
            raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
        sizes = _for_each(input, size, "output size", "o")
        if any(isinstance(s, float) for s in sizes):
            raise TypeError(f"interpolate: size must be int or a tuple of ints, got {size}")
        return [int(s) for s in sizes], [None] * n
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    factors = _for_each(input, scale_factor, "scale_factor", "s")
    sizes = [math.floor(float(s) * f) for s, f in zip(input.shape[2:], factors)]
    return sizes, [None] * n if recompute_scale_factor else [float(f) for f in factors]


def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    """Resize the spatial dimensions of (N, C, ...).

    Args:
        input: 3 to 5 dimensions; "linear" takes 3, "bilinear" and "bicubic" 4, "trilinear" 5.
        size: the spatial sizes of the result, or one for all.
        scale_factor: instead of size, what to multiply the sizes by.
        mode: "nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear" or "area".
        align_corners: for the modes with "linear" or "cubic": whether the centres of corner elements, rather than their outer corners, meet.
        recompute_scale_factor: compute the scale from the sizes instead of from scale_factor.
        antialias: for "bilinear" and "bicubic": widen the kernel where the result is smaller.
    Raises:
        ValueError: arguments that do not go together.  NotImplementedError: dimensions that the mode does not take.
    Example:
        >>> interpolate(fastgrad.tensor([[[0.0, 1.0]]]), scale_factor=2, mode="linear")
        tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]])
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError("align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear")
    elif align_corners is None:
        align_corners = False
    sizes, factors = _output_size(input, size, scale_factor, recompute_scale_factor)
    if antialias and not (mode in ("bilinear", "bicubic") and input.ndim == 4):
        raise ValueError("Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input")
    if not 3 <= input.ndim <= 5 or mode not in ("nearest", "nearest-exact", "area", *DIMENSIONS):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.ndim}D) for the modes: nearest | linear | bilinear | "
            f"bicubic | trilinear | area | nearest-exact (got {mode})")
    if DIMENSIONS.get(mode, input.ndim) != input.ndim:
        raise NotImplementedError(f"Got {input.ndim}D input, but {mode} mode needs {DIMENSIONS[mode]}D input")
    if min(sizes) <= 0 or 0 in input.shape[1:]:
        raise RuntimeError(f"Input and output sizes should be greater than 0, but got input (size {list(input.shape)}) and output (size {sizes})")
    if input.dtype in (fg.float16, fg.bfloat16) and mode not in ("nearest", "nearest-exact"):       # rounded once
        if antialias:
            raise NotImplementedError(f"interpolate: antialias is not implemented for {input.dtype}")
        return interpolate(input.float(), size, scale_factor, mode, align_corners if mode != "area" else None, recompute_scale_factor).to(input.dtype)
    if mode == "area":
        from . import functional

        return getattr(functional, f"adaptive_avg_pool{input.ndim - 2}d")(input, sizes)
    if not input.is_floating_point() and (mode not in ("nearest", "nearest-exact", "bilinear", "bicubic") or input.dtype != fg.uint8):
        raise NotImplementedError(f'"{mode}" not implemented for \'{input.type().split(".")[-1].removesuffix("Tensor")}\'')
    out, blend = input, _bytes if input.dtype == fg.uint8 else _along
    for d in reversed(range(input.ndim - 2)) if antialias or blend is _bytes else range(input.ndim - 2):
        dim, count, factor = d + 2, sizes[d], factors[d]
        if mode in ("nearest", "nearest-exact"):
            out = _nearest(out, dim, count, factor, mode == "nearest-exact")
        else:
            out = blend(out, dim, count, align_corners, factor, mode == "bicubic", antialias)
    return fg._ops._laid_out_as(out.contiguous(), input)


def upsample(input, size=None, scale_factor=None, mode="nearest", align_corners=None):
    """interpolate, under its old name."""
    warnings.warn("`nn.functional.upsample` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input, size=None, scale_factor=None):
    """interpolate by the nearest element, under its old name."""
    warnings.warn("`nn.functional.upsample_nearest` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input, size=None, scale_factor=None):
    """Bilinear interpolate with aligned corners, under its old name."""
    warnings.warn("`nn.functional.upsample_bilinear` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)


# ---- grids

def affine_grid(theta, size, align_corners=None):
    """The grid that grid_sample needs to show an affine map of an image.

    Args:
        theta: (N, 2, 3) or (N, 3, 4), the maps.
        size: of the result, (N, C, H, W) or (N, C, D, H, W).
        align_corners: whether -1 and 1 are the centres of the corner elements rather than their outer corners.
    Returns:
        (N, H, W, 2) or (N, D, H, W, 3).
    Raises:
        ValueError: theta and size do not fit.
    Example:
        >>> affine_grid(fastgrad.tensor([[[1.0, 0, 0], [0, 1, 0]]]), (1, 1, 1, 2), align_corners=True)
        tensor([[[[-1.,  0.],
                  [ 1.,  0.]]]])
    """
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0.", stacklevel=2)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"Expected theta to have floating point type, but got {theta.dtype}")
    n = len(size) - 2
    if n not in (2, 3):
        raise NotImplementedError("affine_grid only supports 4D and 5D sizes, for 2D and 3D affine transforms, respectively. "
                                  f"Got size {tuple(size)}.")
    if theta.ndim != 3 or theta.shape[-2:] != (n, n + 1):
        raise ValueError(f"Expected a batch of {n}D affine matrices of shape Nx{n}x{n + 1} for size {tuple(size)}. Got {tuple(theta.shape)}.")
    if min(size) <= 0:
        raise ValueError(f"Expected non-zero, positive output size. Got {tuple(size)}")
    axes = []
    for length in size[2:]:
        axis = fg.linspace(-1, 1, length, dtype=theta.dtype) if length > 1 else fg.zeros(1, dtype=theta.dtype)
        axes.append(axis if align_corners else axis * ((length - 1) / length))
    meshes = fg.meshgrid(*axes, indexing="ij")
    base = fg.stack([*reversed(meshes), fg.ones_like(meshes[0])], -1).reshape(1, -1, n + 1)
    return (base @ theta.transpose(1, 2)).reshape(theta.shape[0], *size[2:], n)


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """input's values at the places of grid.

    Args:
        input: (N, C, H, W) or (N, C, D, H, W).
        grid: (N, H', W', 2) or (N, D', H', W', 3): the places, x first; -1 and 1 are the ends of the image.
        mode: "bilinear" (trilinear for 5 dimensions), "nearest", or "bicubic" (4 dimensions).
        padding_mode: what lies outside: "zeros", "border" or "reflection".
        align_corners: whether -1 and 1 are the centres of the corner elements rather than their outer corners.
    Returns:
        (N, C, H', W') or (N, C, D', H', W').
    Raises:
        ValueError: an unknown mode.  RuntimeError: shapes or dtypes that do not fit.
    """
    if mode not in MODES:
        raise ValueError(f"nn.functional.grid_sample(): expected mode to be 'bilinear', 'nearest' or 'bicubic', but got: '{mode}'")
    if padding_mode not in PADDINGS:
        raise ValueError("nn.functional.grid_sample(): expected padding_mode to be 'zeros', 'border', or 'reflection', but got: "
                         f"'{padding_mode}'")
    if align_corners is None:
        warnings.warn("Default grid_sample and affine_grid behavior has changed to align_corners=False since 1.3.0.", stacklevel=2)
        align_corners = False
    return fg.grid_sampler(input, grid, MODES.index(mode), PADDINGS.index(padding_mode), align_corners)
