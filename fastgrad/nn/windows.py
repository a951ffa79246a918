"""Windows of images by slices: sizes as tuples, padding by placement, and what each tap of a window sees.  For folding and its like."""

import itertools

import fastgrad as fg


def sizes(name, argument, value, n):
    """n ints from an int or a sequence of one or n."""
    values = (value.__index__(),) if hasattr(value, "__index__") else tuple(value)
    if len(values) == 1:
        values *= n
    if len(values) != n or not all(hasattr(v, "__index__") for v in values):
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
