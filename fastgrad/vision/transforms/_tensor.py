"""What functional.py does to tensors (..., channels, height, width). Names and arguments as there, checked there."""

import math

from ... import arange, cat, clamp, float32, floor, linspace, ones, round as round_, stack, tensor, uint8, where
from ...nn import functional as F


def dimensions(img):
    """(channels, height, width)."""
    return [1 if img.ndim == 2 else img.shape[-3], *img.shape[-2:]]


def bound(img):
    """The greatest value of a colour: 1 for floats, the dtype's own otherwise."""
    from ... import iinfo

    return 1 if img.is_floating_point() else iinfo(img.dtype).max


def as_float(img):
    return img if img.is_floating_point() else img.to(float32)


def as_dtype(values, img):
    """Computed values in the dtype of the image, whole numbers rounded to the nearest."""
    return values.to(img.dtype) if img.is_floating_point() else round_(values).to(img.dtype)


def batched(img):
    """The image as (n, channels, height, width), and the shape in front of the channels."""
    lead = img.shape[:-3]
    planes = img if img.ndim >= 3 else img.unsqueeze(0)
    return planes.reshape(-1, *planes.shape[-3:]), (lead if img.ndim >= 3 else None)


def unbatched(batch, lead):
    return batch[0, 0] if lead is None else batch.reshape(*lead, *batch.shape[-3:])


def hflip(img):
    return img.flip(-1)


def vflip(img):
    return img.flip(-2)


def crop(img, top, left, height, width):
    rows, columns = img.shape[-2:]
    inside = img[..., max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)]
    if left < 0 or top < 0 or left + width > columns or top + height > rows:
        sides = [
            max(-left + min(0, left + width), 0),
            max(left + max(width, 0) - max(columns, left), 0),
            max(-top + min(0, top + height), 0),
            max(top + max(height, 0) - max(rows, top), 0),
        ]
        return F.pad(inside, sides)
    return inside


def resize(img, height, width, interpolation, antialias):
    mode = interpolation.value
    if mode not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        raise ValueError(f"resize: a tensor's interpolation must be nearest, nearest-exact, bilinear or bicubic, got {mode}")
    smooth = mode in ("bilinear", "bicubic")
    batch, lead = batched(img)
    exact = not smooth or img.is_floating_point()
    options = {"align_corners": False, "antialias": bool(antialias)} if smooth else {}
    result = F.interpolate(batch if exact and img.is_floating_point() else batch.to(float32), size=[height, width], mode=mode, **options)
    if mode == "bicubic" and img.dtype == uint8:
        result = result.clamp(min=0, max=255)
    return unbatched(as_dtype(result, img), lead)


def pad(img, left, top, right, bottom, fill, mode):
    sides = [left, right, top, bottom]
    batch, lead = batched(img)
    if mode == "constant":
        if isinstance(fill, (list, tuple)):
            if len(fill) > 1:
                raise ValueError(f"pad: a tensor's fill must be one number, got {fill}")
            fill = fill[0]
        return unbatched(F.pad(batch, sides, value=fill or 0), lead)
    if mode == "symmetric":
        rows, columns = mirrored(img.shape[-2], top, bottom), mirrored(img.shape[-1], left, right)
        return unbatched(batch[:, :, rows][:, :, :, columns], lead)
    result = F.pad(as_float(batch), sides, mode={"edge": "replicate", "reflect": "reflect"}[mode])
    return unbatched(result.to(img.dtype), lead)


def mirrored(size, before, after):
    """The places to read when an edge is repeated by its mirror image, the edge included."""
    places = arange(-before, size + after) % (2 * size)
    return where(places < size, places, 2 * size - 1 - places)


def mix(img, other, factor):
    """factor * img + (1 - factor) * other, cut off at the ends of the range."""
    factor = float(factor)  # a whole number would keep the dtype of bytes, and overflow
    return (factor * img + (1.0 - factor) * other).clamp(0, bound(img)).to(img.dtype)


def gray(img):
    """One channel: the luminance of ITU-R 601."""
    red, green, blue = img.unbind(dim=-3)
    return (0.2989 * red + 0.587 * green + 0.114 * blue).to(img.dtype).unsqueeze(dim=-3)


def to_grayscale(img, channels):
    if dimensions(img)[0] == 3:
        one = gray(img)
    elif dimensions(img)[0] == 1:
        one = img
    else:
        raise TypeError(f"rgb_to_grayscale: needs 1 or 3 channels, got {dimensions(img)[0]}")
    return one.expand(*one.shape[:-3], channels, *one.shape[-2:]) if channels == 3 else one


def adjust_brightness(img, factor):
    from ... import zeros_like

    return mix(img, zeros_like(img), factor)


def adjust_contrast(img, factor):
    source = gray(img) if dimensions(img)[0] == 3 else img
    average = as_float(source).mean(dim=(-3, -2, -1), keepdim=True)
    return mix(img, average, factor)


def adjust_saturation(img, factor):
    return img if dimensions(img)[0] == 1 else mix(img, gray(img), factor)


def adjust_sharpness(img, factor):
    if img.shape[-1] <= 2 or img.shape[-2] <= 2:
        return img
    kernel = ones(3, 3)
    kernel[1, 1] = 5.0
    return mix(img, filtered(img, kernel / kernel.sum(), border="keep"), factor)


def filtered(img, kernel, border):
    """Every channel convolved with `kernel`; at the border reflected, or the image itself kept."""
    batch, lead = batched(img)
    channels = batch.shape[1]
    weights = kernel.to(as_float(batch).dtype).expand(channels, 1, *kernel.shape)
    source = as_float(batch)
    if border == "reflect":
        rows, columns = (size // 2 for size in kernel.shape)
        source = F.pad(source, [columns, columns, rows, rows], mode="reflect")
    result = as_dtype(F.conv2d(source, weights, groups=channels), img)
    if border == "keep":
        whole = batch.clone()
        whole[..., 1:-1, 1:-1] = result
        result = whole
    return unbatched(result, lead)


def adjust_hue(img, factor):
    if dimensions(img)[0] == 1:
        return img
    values = as_float(img) / (1 if img.is_floating_point() else bound(img))
    hue, saturation, value = rgb_to_hsv(values)
    turned = hsv_to_rgb((hue + factor) % 1.0, saturation, value)
    if img.is_floating_point():
        return turned
    return (turned * (bound(img) + 1.0 - 1e-3)).to(img.dtype)


def rgb_to_hsv(img):
    """Hue, saturation, value, each 0..1. Source: A. R. Smith, Color gamut transform pairs, 1978."""
    red, green, blue = img.unbind(dim=-3)
    high, low = img.max(dim=-3).values, img.min(dim=-3).values
    flat = high == low
    spread = high - low
    saturation = spread / where(flat, 1.0, high)
    divisor = where(flat, 1.0, spread)
    r, g, b = (high - red) / divisor, (high - green) / divisor, (high - blue) / divisor
    hue = where(high == red, b - g, where(high == green, 2.0 + r - b, 4.0 + g - r))
    return (hue / 6.0 + 1.0) % 1.0, saturation, high


def hsv_to_rgb(hue, saturation, value):
    sector = floor(hue * 6.0)
    rest = hue * 6.0 - sector
    low = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * rest)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - rest))).clamp(0.0, 1.0)
    sector = sector.long() % 6
    choices = ((value, rising, low), (falling, value, low), (low, value, rising), (low, falling, value), (rising, low, value), (value, low, falling))
    channels = []
    for i in range(3):
        channel = choices[5][i]
        for number in range(5):
            channel = where(sector == number, choices[number][i], channel)
        channels.append(channel)
    return stack(channels, dim=-3)


def adjust_gamma(img, gamma, gain):
    scale = 1 if img.is_floating_point() else bound(img)
    result = (gain * (as_float(img) / scale) ** gamma).clamp(0, 1)
    return result if img.is_floating_point() else (result * (scale + 1.0 - 1e-3)).to(img.dtype)


def invert(img):
    return bound(img) - img


def posterize(img, bits):
    if img.dtype != uint8:
        raise TypeError(f"posterize: a tensor must be uint8, got {img.dtype}")
    return img & -int(2 ** (8 - bits))


def solarize(img, threshold):
    if threshold > bound(img):
        raise TypeError("Threshold should be less than bound of img.")
    return where(img >= threshold, invert(img), img)


def autocontrast(img):
    top = bound(img)
    values = as_float(img)
    low, high = values.amin(dim=(-2, -1), keepdim=True), values.amax(dim=(-2, -1), keepdim=True)
    flat = low == high
    scale = where(flat, 1.0, top / where(flat, 1.0, high - low))
    return ((values - where(flat, 0.0, low)) * scale).clamp(0, top).to(img.dtype)


def equalize(img):
    if img.dtype != uint8:
        raise TypeError(f"equalize: a tensor must be uint8, got {img.dtype}")
    batch, lead = batched(img)
    planes = [equalized(plane) for image in batch for plane in image]
    return unbatched(stack(planes).reshape(batch.shape), lead)


def equalized(plane):
    """A plane whose values are spread so that each range of them is as frequent as another."""
    counts = plane.flatten().long().bincount(minlength=256)
    step = int((counts.sum() - counts[counts.nonzero()[-1]]) // 255)
    if step == 0:
        return plane
    before = cat([tensor([0]), counts.cumsum(0)[:-1]])
    table = clamp((before + step // 2) // step, 0, 255).to(uint8)
    return table[plane.long()]


def gaussian_blur(img, kernel_size, sigma):
    """Sides of the kernel and deviations as (horizontal, vertical)."""
    row, column = (gaussian(size, deviation) for size, deviation in zip(kernel_size, sigma))
    return filtered(img, column[:, None] @ row[None, :], border="reflect")


def gaussian(size, sigma):
    half = (size - 1) * 0.5
    weights = (-0.5 * (linspace(-half, half, steps=size) / sigma) ** 2).exp()
    return weights / weights.sum()


def rotate(img, angle, interpolation, expand, center, fill):
    _, height, width = dimensions(img)
    a, b = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    x, y = (0.0, 0.0) if center is None else (center[0] - width * 0.5, center[1] - height * 0.5)
    matrix = (a, -b, x - a * x + b * y, b, a, y - b * x - a * y)
    out_height, out_width = expanded_size(width, height, matrix) if expand else (height, width)
    return sampled(img, centred_places(matrix, out_height, out_width), interpolation, fill)


def expanded_size(width, height, matrix):
    """Height and width that hold the whole turned image, on the image's own raster of pixels."""
    a, b, c, d, e, f = matrix
    corners = [(sx * width / 2, sy * height / 2) for sx in (-1, 1) for sy in (-1, 1)]

    def extent(places):
        return math.ceil(round(max(places), 4)) - math.floor(round(min(places), 4))     # right angles leave dust of rounding

    return extent([d * x + e * y + f + height / 2 for x, y in corners]), extent([a * x + b * y + c + width / 2 for x, y in corners])


def affine(img, matrix, interpolation, fill):
    """`matrix` leads from a place of the result to one of the input, both counted from the image's corner."""
    _, height, width = dimensions(img)
    a, b, c, d, e, f = matrix
    half_x, half_y = width * 0.5, height * 0.5
    centred = (a, b, a * half_x + b * half_y + c - half_x, d, e, d * half_x + e * half_y + f - half_y)
    return sampled(img, centred_places(centred, height, width), interpolation, fill)


def centred_places(matrix, height, width):
    """Where each pixel of the result comes from: x and y from the middle of the image."""
    x = (arange(width) - (width - 1) * 0.5)[None, :]
    y = (arange(height) - (height - 1) * 0.5)[:, None]
    a, b, c, d, e, f = matrix
    return a * x + b * y + c, d * x + e * y + f


def perspective(img, coefficients, interpolation, fill):
    _, height, width = dimensions(img)
    a, b, c, d, e, f, g, h = coefficients
    x, y = (arange(width) + 0.5)[None, :], (arange(height) + 0.5)[:, None]
    depth = g * x + h * y + 1.0
    places = (a * x + b * y + c) / depth - width * 0.5, (d * x + e * y + f) / depth - height * 0.5
    return sampled(img, places, interpolation, fill)


def sampled(img, places, interpolation, fill):
    """The image read at places counted from its middle; `fill` outside."""
    if interpolation.value not in ("nearest", "bilinear"):
        raise ValueError(f"transforms: a tensor's interpolation must be nearest or bilinear, got {interpolation.value}")
    batch, lead = batched(img)
    height, width = batch.shape[-2:]
    grid = stack([places[0] / (0.5 * width), places[1] / (0.5 * height)], dim=-1).to(as_float(batch).dtype)
    grid = grid.expand(batch.shape[0], *grid.shape)
    source = as_float(batch)
    if fill is not None:
        source = cat([source, ones(batch.shape[0], 1, height, width, dtype=source.dtype)], dim=1)
    result = F.grid_sample(source, grid, mode=interpolation.value, padding_mode="zeros", align_corners=False)
    if fill is not None:
        result, mask = result[:, :-1], result[:, -1:]
        numbers = fill if isinstance(fill, (list, tuple)) else [float(fill)]
        background = tensor([float(value) for value in numbers], dtype=result.dtype).reshape(1, -1, 1, 1)
        if interpolation.value == "nearest":
            result = where(mask < 0.5, background, result)
        else:
            result = result * mask + (1.0 - mask) * background
    return unbatched(as_dtype(result, img), lead)


def erase(img, top, left, height, width, value, inplace):
    result = img if inplace else img.clone()
    result[..., top : top + height, left : left + width] = value
    return result
