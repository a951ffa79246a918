"""Convolutions and transposed convolutions of one to three dimensions, made of slices and matrix products.

A window's taps are strided slices of the padded input, stacked; the product with the weight does the rest. All of it is
operations with gradients of their own, so any order of gradient follows.
"""

import itertools
import math

import fastgrad as fg

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"]


def sizes(name, argument, value, n):
    """n ints from an int or a sequence of one or n."""
    values = (value,) if isinstance(value, int) else tuple(value)
    if len(values) == 1:
        values *= n
    if len(values) != n or not all(isinstance(v, int) for v in values):
        raise RuntimeError(f"{name}: expected {argument} to be a single integer value or a list of {n} values, got {value}")
    return values


def placed(input, n, before, total, step=None, fill=0.0):
    """Input in a larger tensor of `fill`: its last n dimensions start at `before`, have `total` elements and steps between them."""
    step = step or (1,) * n
    lead = tuple(input.shape)[: input.dim() - n]
    spatial = tuple(input.shape)[input.dim() - n :]
    if tuple(total) == spatial and not any(before):
        return input
    out = input.new_full((*lead, *total), fill)
    kept, taken = [], []
    for size, b, t, s in zip(spatial, before, total, step):
        first = -(b // s) if b < 0 else 0  # elements before the start, or past the end, are cropped
        last = min(size, (t - 1 - b) // s + 1)
        if last <= first:
            return out + 0 * input.sum()
        taken.append(slice(first, last))
        kept.append(slice(b + first * s, b + (last - 1) * s + 1, s))
    out[(..., *kept)] = input[(..., *taken)]
    return out


def windows(input, n, kernel, stride, dilation, out):
    """(..., taps, *out): what each tap of the window sees, in the order of the kernel's elements."""
    taps = []
    for tap in itertools.product(*(range(k) for k in kernel)):
        where = [slice(t * d, t * d + (o - 1) * s + 1, s) for t, d, o, s in zip(tap, dilation, out, stride)]
        taps.append(input[(..., *where)])
    return fg.stack(taps, dim=input.dim() - n)


def _check(name, input, weight, bias, n, groups, channels):
    for argument, value in (("input", input), ("weight", weight)):
        if not isinstance(value, fg.Tensor):
            raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(value).__name__}")
    if weight.dim() != n + 2:
        raise RuntimeError(f"{name}: expected {n + 2}-dimensional weight, got weight of size {list(weight.shape)}")
    if input.dim() not in (n + 1, n + 2):
        raise RuntimeError(
            f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: {list(input.shape)}"
        )
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if weight.shape[0] % groups or weight.shape[0] < groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, and weight to be divisible by "
            f"{groups} at dimension 0, but got weight of size {list(weight.shape)} instead"
        )
    if input.dtype != weight.dtype:
        raise RuntimeError(f"Input type ({input.dtype}) and weight type ({weight.dtype}) should be the same")
    expected, found = channels
    if found != expected:
        raise RuntimeError(
            f"Given groups={groups}, weight of size {list(weight.shape)}, expected input{list(input.shape)} to have {expected} "
            f"channels, but got {found} channels instead"
        )


def _check_bias(weight, bias, outputs, input):
    if bias is None:
        return
    if tuple(bias.shape) != (outputs,):
        raise RuntimeError(
            f"Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {outputs} elements, but got bias of "
            f"size {list(bias.shape)} instead"
        )
    if bias.dtype != input.dtype:
        raise RuntimeError(f"Input type ({input.dtype}) and bias type ({bias.dtype}) should be the same")


def _product(input, weight, bias, n, stride, dilation, groups):
    """The convolution of a batch that has its padding already."""
    kernel = tuple(weight.shape)[2:]
    spatial = tuple(input.shape)[2:]
    out = [(s - d * (k - 1) - 1) // step + 1 for s, d, k, step in zip(spatial, dilation, kernel, stride)]
    batch, channels, outputs = input.shape[0], input.shape[1], weight.shape[0]
    inner, count = channels // groups * math.prod(kernel), math.prod(out)
    columns = windows(input, n, kernel, stride, dilation, out)
    if groups == 1:
        result = weight.reshape(outputs, inner) @ columns.reshape(batch, inner, count)
    else:
        result = weight.reshape(groups, outputs // groups, inner) @ columns.reshape(batch, groups, inner, count)
    result = result.reshape(batch, outputs, *out)
    return result if bias is None else result + bias.reshape(outputs, *[1] * n)


def _conv(n, input, weight, bias, stride, padding, dilation, groups):
    name = f"conv{n}d"
    _check(name, input, weight, bias, n, groups, (weight.shape[1] * groups if weight.dim() > 1 else -1,
                                                  input.shape[-n - 1] if input.dim() > n else -1))
    _check_bias(weight, bias, weight.shape[0], input)
    stride, dilation = sizes(name, "stride", stride, n), sizes(name, "dilation", dilation, n)
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    kernel = tuple(weight.shape)[2:]
    batched = input.dim() == n + 2
    x = input if batched else input.unsqueeze(0)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        if padding == "same" and max(stride) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        total = [d * (k - 1) if padding == "same" else 0 for d, k in zip(dilation, kernel)]
        before = [t // 2 for t in total]
    else:
        before = sizes(name, "padding", padding, n)
        if min(before) < 0:
            raise RuntimeError("negative padding is not supported")
        total = [2 * p for p in before]
    spatial = [s + t for s, t in zip(tuple(x.shape)[2:], total)]
    if any(s < d * (k - 1) + 1 for s, d, k in zip(spatial, dilation, kernel)):
        padded, reach = " x ".join(map(str, spatial)), " x ".join(str(d * (k - 1) + 1) for d, k in zip(dilation, kernel))
        raise RuntimeError(
            f"Calculated padded input size per channel: ({padded}). Kernel size: ({reach}). Kernel size can't be greater than actual "
            "input size"
        )
    out = _product(placed(x, n, before, spatial), weight, bias, n, stride, dilation, groups)
    return out if batched else out.squeeze(0)


def _conv_transpose(n, input, weight, bias, stride, padding, output_padding, groups, dilation):
    name = f"conv_transpose{n}d"
    _check(name, input, weight, bias, n, groups, (weight.shape[0], input.shape[-n - 1] if input.dim() > n else -1))
    _check_bias(weight, bias, weight.shape[1] * groups, input)
    stride, dilation = sizes(name, "stride", stride, n), sizes(name, "dilation", dilation, n)
    padding, extra = sizes(name, "padding", padding, n), sizes(name, "output_padding", output_padding, n)
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation)):
        raise RuntimeError(
            f"output padding must be smaller than either stride or dilation, but got output_padding: {extra} stride: {stride} "
            f"dilation: {dilation}"
        )
    kernel = tuple(weight.shape)[2:]
    batched = input.dim() == n + 2
    x = input if batched else input.unsqueeze(0)
    spatial = tuple(x.shape)[2:]
    # the convolution of the input, spread by the stride, with the weight turned around
    before = [d * (k - 1) - p for d, k, p in zip(dilation, kernel, padding)]
    total = [(s - 1) * step + 1 + 2 * b + e for s, step, b, e in zip(spatial, stride, before, extra)]
    if any(t < d * (k - 1) + 1 for t, d, k in zip(total, dilation, kernel)):
        raise RuntimeError(f"Given input size per channel: {list(spatial)}. Calculated output size is too small")
    outputs, rows = weight.shape[1], weight.shape[0] // groups
    turned = weight.reshape(groups, rows, outputs, *kernel).transpose(1, 2).reshape(groups * outputs, rows, *kernel)
    turned = turned.flip(list(range(2, n + 2)))
    out = _product(placed(x, n, before, total, stride), turned, bias, n, (1,) * n, dilation, groups)
    return out if batched else out.squeeze(0)


def conv1d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution: input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O) or None; padding: ints, 'same' or 'valid'."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution: input (N, C, H, W) or (C, H, W), weight (O, C / groups, KH, KW); other arguments as for conv1d."""
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Convolution: input (N, C, D, H, W) or (C, D, H, W), weight (O, C / groups, KD, KH, KW); other arguments as for conv1d."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution, the input gradient of conv1d: weight (C, O / groups, K)."""
    return _conv_transpose(1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution, the input gradient of conv2d: weight (C, O / groups, KH, KW)."""
    return _conv_transpose(2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution, the input gradient of conv3d: weight (C, O / groups, KD, KH, KW)."""
    return _conv_transpose(3, input, weight, bias, stride, padding, output_padding, groups, dilation)
