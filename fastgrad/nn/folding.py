"""Windows of images as columns, and back: unfold and fold; and what takes apart or restores poolings: max_unpool, lp_pool."""

import math

import fastgrad as fg
from fastgrad._each_example import each_example

from .windows import placed, sizes, windows

__all__ = ["fold", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_unpool1d", "max_unpool2d", "max_unpool3d", "unfold"]


def _plan(name, spatial, kernel_size, dilation, padding, stride):
    """The arguments as pairs, and how many windows fit each way."""
    kernel, dilation = sizes(name, "kernel_size", kernel_size, 2), sizes(name, "dilation", dilation, 2)
    padding, stride = sizes(name, "padding", padding, 2), sizes(name, "stride", stride, 2)
    for what, values, least in (("kernel size", kernel, 1), ("dilation", dilation, 1), ("padding", padding, 0), ("stride", stride, 1)):
        if min(values) < least:
            raise RuntimeError(f"{name}: {what} should be {'greater than zero' if least else 'non-negative'}, but got {values}")
    out = [(s + 2 * p - d * (k - 1) - 1) // st + 1 for s, k, d, p, st in zip(spatial, kernel, dilation, padding, stride)]
    return kernel, dilation, padding, stride, out


def _columns(input, kernel, dilation, padding, stride, out, fill=0):
    """(N, C, H, W) as (N, C, taps, windows)."""
    total = [s + 2 * p for s, p in zip(input.shape[2:], padding)]
    return windows(placed(input, 2, padding, total, fill=fill), 2, kernel, stride, dilation, out).flatten(3)


def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    """The windows of (N, C, H, W) as columns: (N, C * taps, windows); without N likewise.

    Raises: RuntimeError: other dimensions, arguments out of range, or no window that fits.
    Example:
        >>> unfold(fastgrad.arange(4.0).reshape(1, 1, 2, 2), 2)
        tensor([[[0.],
                 [1.],
                 [2.],
                 [3.]]])
    """
    if input.ndim not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError("Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
                           f"got: {list(input.shape)}")
    kernel, dilation, padding, stride, out = _plan("unfold", input.shape[-2:], kernel_size, dilation, padding, stride)
    if min(out) < 1:
        raise RuntimeError(f"Given input with spatial size {tuple(input.shape[-2:])}, kernel_size={kernel}, dilation={dilation}, "
                           f"padding={padding}, calculated shape of the array of sliding blocks as {tuple(out)}, but its components must be "
                           "at least one.")
    x = input if input.ndim == 4 else input.unsqueeze(0)
    columns = _columns(x, kernel, dilation, padding, stride, out).flatten(1, 2)
    return columns if input.ndim == 4 else columns.squeeze(0)


def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    """The sums of columns where unfold took them from: (N, C * taps, windows) to (N, C, H, W); without N likewise.

    Raises: RuntimeError: other dimensions, or sizes that are not those unfold would give.
    """
    height_width = sizes("fold", "output_size", output_size, 2)
    if input.ndim not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError("Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, "
                           f"but got: {list(input.shape)}")
    kernel, dilation, padding, stride, out = _plan("fold", height_width, kernel_size, dilation, padding, stride)
    taps = math.prod(kernel)
    if input.shape[-2] % taps:
        raise RuntimeError("Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                           f"input.size(1)={input.shape[-2]} and kernel_size={kernel}.")
    if min(out) < 1 or input.shape[-1] != math.prod(out):
        raise RuntimeError(f"Given output_size={height_width}, kernel_size={kernel}, dilation={dilation}, padding={padding}, stride={stride}, "
                           f"expected size of input's dimension 2 to match the calculated number of sliding blocks {out[0]} * {out[1]} = "
                           f"{math.prod(out)}, but got input.size(2)={input.shape[-1]}.")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    n, channels, elements = x.shape[0], x.shape[1] // taps, math.prod(height_width)
    places = _columns(fg.arange(elements).reshape(1, 1, *height_width), kernel, dilation, padding, stride, out, fill=elements)
    sums = x.new_zeros(n, channels, elements + 1).index_add(2, places.reshape(-1), x.reshape(n, channels, taps * x.shape[-1]))
    image = sums[..., :elements].contiguous().reshape(n, channels, *height_width)
    return image if input.ndim == 3 else image.squeeze(0)


# ---- poolings

def _lp_pool(n, input, norm_type, kernel_size, stride, ceil_mode):
    from . import functional

    kernel = sizes(f"lp_pool{n}d", "kernel_size", kernel_size, n)
    mean = getattr(functional, f"avg_pool{n}d")(input.pow(norm_type), kernel, stride, 0, ceil_mode)
    return (fg.sign(mean) * fg.relu(fg.abs(mean))).mul(math.prod(kernel)).pow(1.0 / norm_type)


def lp_pool1d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window, p = norm_type; where a power's sum is zero, the gradient is as PyTorch's."""
    return _lp_pool(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window of two dimensions."""
    return _lp_pool(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input, norm_type, kernel_size, stride=None, ceil_mode=False):
    """The p-norm of each window of three dimensions."""
    return _lp_pool(3, input, norm_type, kernel_size, stride, ceil_mode)


def _max_unpool(n, input, indices, kernel_size, stride, padding, output_size):
    name = f"max_unpool{n}d"
    kernel = sizes(name, "kernel_size", kernel_size, n)
    stride = kernel if stride is None else sizes(name, "stride", stride, n)
    padding = sizes(name, "padding", padding, n)
    if input.ndim not in (n + 1, n + 2):
        raise RuntimeError(f"Input to {name} should be a {n + 1}d or {n + 2}d Tensor, but got {input.ndim} dimensions")
    if indices.dtype != fg.int64:
        raise RuntimeError(f"elements in indices should be type int64 but got: {indices.dtype}")
    if indices.shape != input.shape:
        raise RuntimeError(f"Expected shape of indices to be same as that of the input tensor ({list(input.shape)}) but got indices tensor "
                           f"with shape: {list(indices.shape)}")
    spatial = input.shape[-n:]
    default = [(s - 1) * st - 2 * p + k for s, st, p, k in zip(spatial, stride, padding, kernel)]
    if output_size is None:
        out = default
    else:
        out = list(output_size)[-n:] if len(output_size) in (n, n + 2, n + 1) else list(output_size)
        if len(out) != n:
            raise ValueError(f"output_size should be a sequence containing {n} or {n + 2} elements, but it has a length of '{len(output_size)}'")
        for d, (size, base, st) in enumerate(zip(out, default, stride)):
            if not base - st < size < base + st:
                raise ValueError(f"invalid output_size {output_size} (dim {d} must be between {base - st} and {base + st})")
    total = math.prod(out)
    if indices.numel() and not (0 <= int(indices.min()) and int(indices.max()) < total):
        raise RuntimeError(f"Found an invalid max index: {int(indices.max())} (output volumes are of size {'x'.join(map(str, out))})")
    lead = input.shape[:-n]
    flat = input.new_zeros(*lead, total).scatter(-1, indices.flatten(-n), input.flatten(-n))
    return flat.reshape(*lead, *out)


@each_example
def max_unpool1d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Elements at the places max_pool1d says they came from, zeros elsewhere."""
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


@each_example
def max_unpool2d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Elements at the places max_pool2d says they came from, zeros elsewhere.

    Raises: ValueError: an output_size that the pooling could not have had.  RuntimeError: an index outside it.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


@each_example
def max_unpool3d(input, indices, kernel_size, stride=None, padding=0, output_size=None):
    """Elements at the places max_pool3d says they came from, zeros elsewhere."""
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
