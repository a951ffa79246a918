"""What functional.py does to PIL images, through Pillow. Names and arguments as there, checked there."""

from .._pillow import pillow


def modules():
    return pillow("transforms")


def dimensions(img):
    """(channels, height, width)."""
    return [{"RGB": 3, "HSV": 3, "YCbCr": 3, "LAB": 3, "RGBA": 4, "CMYK": 4, "LA": 2}.get(img.mode, 1), img.height, img.width]


def hflip(img):
    Image, _ = modules()
    return img.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def vflip(img):
    Image, _ = modules()
    return img.transpose(Image.Transpose.FLIP_TOP_BOTTOM)


def crop(img, top, left, height, width):
    return img.crop((left, top, left + width, top + height))


def resize(img, height, width, interpolation, antialias):
    return img.resize((width, height), interpolation.pillow())


def pad(img, left, top, right, bottom, fill, mode):
    _, ImageOps = modules()
    if mode == "constant":
        if img.mode == "P":
            palette = img.getpalette()
            padded = ImageOps.expand(img, border=(left, top, right, bottom), fill=colour(img, fill))
            padded.putpalette(palette)
            return padded
        return ImageOps.expand(img, border=(left, top, right, bottom), fill=colour(img, fill))
    import numpy as np

    array = np.asarray(img)
    sides = ((top, bottom), (left, right)) + ((0, 0),) * (array.ndim - 2)
    # What a negative side cuts off, np.pad does not.
    cut = tuple(slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(sides, array.shape))
    array = np.pad(array[cut], tuple((max(a, 0), max(b, 0)) for a, b in sides), NUMPY_MODES[mode])
    return type_of(img, array)


NUMPY_MODES = {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}


def type_of(img, array):
    """A PIL image of `array`, of the mode that `img` has."""
    Image, _ = modules()
    if img.mode == "P":
        result = Image.fromarray(array)
        result.putpalette(img.getpalette())
        return result
    return Image.fromarray(array) if img.mode != "1" else Image.fromarray(array).convert("1")


def colour(img, fill):
    """A fill value as Pillow takes it for this image: one number for each band, or one for all."""
    bands = len(img.getbands())
    if fill is None:
        fill = 0
    if isinstance(fill, (list, tuple)):
        fill = tuple(fill) * bands if len(fill) == 1 else tuple(fill)
        if bands > 1 and len(fill) != bands:
            raise ValueError(f"The number of elements in 'fill' does not match the number of channels of the image ({len(fill)} != {bands})")
        fill = fill if bands > 1 else fill[0]
    elif bands > 1:
        fill = (fill,) * bands
    if img.mode == "F":
        return fill
    return tuple(int(value) for value in fill) if isinstance(fill, tuple) else int(fill)


def enhancer(name):
    from PIL import ImageEnhance

    return getattr(ImageEnhance, name)


def adjust_brightness(img, factor):
    return enhancer("Brightness")(img).enhance(factor)


def adjust_contrast(img, factor):
    return enhancer("Contrast")(img).enhance(factor)


def adjust_saturation(img, factor):
    return enhancer("Color")(img).enhance(factor)


def adjust_sharpness(img, factor):
    return enhancer("Sharpness")(img).enhance(factor)


def adjust_hue(img, factor):
    import numpy as np

    Image, _ = modules()
    mode = img.mode
    if mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = (np.array(hue, dtype=np.int64) + int(factor * 255)) % 256  # the hue is a circle of 256 steps
    hue = Image.fromarray(turned.astype(np.uint8))
    return Image.merge("HSV", (hue, saturation, value)).convert(mode)


def adjust_gamma(img, gamma, gain):
    mode = img.mode
    table = [int((255 + 1 - 1e-3) * gain * pow(value / 255.0, gamma)) for value in range(256)] * 3
    return img.convert("RGB").point(table).convert(mode)


def to_grayscale(img, channels):
    import numpy as np

    Image, _ = modules()
    gray = img.convert("L")
    return gray if channels == 1 else Image.fromarray(np.stack([np.array(gray, dtype=np.uint8)] * 3, axis=2))


def invert(img):
    return modules()[1].invert(img)


def posterize(img, bits):
    return modules()[1].posterize(img, bits)


def solarize(img, threshold):
    return modules()[1].solarize(img, threshold)


def autocontrast(img):
    return modules()[1].autocontrast(img)


def equalize(img):
    return modules()[1].equalize(img)


def rotate(img, angle, interpolation, expand, center, fill):
    return img.rotate(angle, interpolation.pillow(), expand, center, fillcolor=colour(img, fill))


def affine(img, matrix, interpolation, fill):
    Image, _ = modules()
    return img.transform(img.size, Image.Transform.AFFINE, matrix, interpolation.pillow(), fillcolor=colour(img, fill))


def perspective(img, coefficients, interpolation, fill):
    Image, _ = modules()
    return img.transform(img.size, Image.Transform.PERSPECTIVE, coefficients, interpolation.pillow(), fillcolor=colour(img, fill))
