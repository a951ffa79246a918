"""torchvision.transforms.functional: each function takes a PIL image or a tensor (..., channels, height, width)."""

import math
import numbers
from enum import Enum

from ... import Tensor, as_tensor, float32, float64, from_numpy, get_default_dtype, iinfo, int16, int32, int64, tensor, uint8
from .._pillow import is_image, pillow
from . import _image, _tensor

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation", "adjust_sharpness",
    "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "equalize", "erase", "five_crop", "gaussian_blur",
    "get_dimensions", "get_image_num_channels", "get_image_size", "hflip", "invert", "normalize", "pad", "perspective", "pil_to_tensor",
    "posterize", "resize", "resized_crop", "rgb_to_grayscale", "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image",
    "to_tensor", "vflip"]


class InterpolationMode(Enum):
    """How a value between pixels is found."""

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"

    def pillow(self):
        """Pillow's number for it."""
        return PILLOW_NUMBERS[self.value]


PILLOW_NUMBERS = {"nearest": 0, "nearest-exact": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}


def interpolation_mode(value):
    """An InterpolationMode from one, or from Pillow's number.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, int):
        return next(mode for mode in InterpolationMode if mode.pillow() == value)
    if not isinstance(value, InterpolationMode):
        raise TypeError(f"Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, got {value!r}")
    return value


def backend(img):
    """The module that works on this kind of image.

    Raises:
        TypeError: it is neither a PIL image nor a tensor.
    """
    if isinstance(img, Tensor):
        return _tensor
    if is_image(img):
        return _image
    raise TypeError(f"img should be PIL Image or Tensor. Got {type(img)}")


# --- conversion ---


def to_tensor(pic):
    """An image, or an array (height, width[, channels]), as a tensor (channels, height, width); bytes become 0..1.

    Raises:
        TypeError: neither image nor array.
    """
    import numpy as np

    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
    elif is_image(pic):
        array = image_array(pic)
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    result = from_numpy(array.copy()).permute(2, 0, 1).contiguous()
    return result.to(get_default_dtype()).div(255) if result.dtype == uint8 else result


def image_array(pic):
    """The pixels of a PIL image as an array (height, width, channels)."""
    import numpy as np

    kind = {"I": np.int32, "I;16": np.int16, "F": np.float32}.get(pic.mode, np.uint8)
    array = np.array(pic, dtype=kind)
    if pic.mode == "1":
        array = 255 * array
    return array.reshape(pic.size[1], pic.size[0], -1)


def pil_to_tensor(pic):
    """A PIL image as a tensor (channels, height, width) of the values it has.

    Raises:
        TypeError: no PIL image.
    """
    import numpy as np

    if not is_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    array = np.array(pic)
    array = array[:, :, None] if array.ndim == 2 else array
    return from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def to_pil_image(pic, mode=None):
    """A tensor (channels, height, width) or an array (height, width, channels) as a PIL image; floats 0..1 become bytes.

    Args:
        mode: Pillow's name of the colour space; by default from dtype and channels.

    Raises:
        TypeError: neither tensor nor array, or a dtype Pillow has no mode for.
        ValueError: the number of dimensions or channels, or a mode that does not fit.
    """
    import numpy as np

    Image, _ = pillow("to_pil_image")
    if isinstance(pic, Tensor):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        pic = pic.unsqueeze(0) if pic.ndim == 2 else pic
        if pic.shape[-3] > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {pic.shape[-3]} channels.")
        if pic.is_floating_point() and mode != "F":
            pic = pic.mul(255).to(uint8)
        array = pic.permute(1, 2, 0).contiguous().detach().numpy()
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        array = pic[:, :, None] if pic.ndim == 2 else pic
        if array.shape[-1] > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {array.shape[-1]} channels.")
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    channels = array.shape[2]
    modes = {1: {"uint8": ("L",), "int16": ("I;16",), "int32": ("I",), "float32": ("F",)}.get(str(array.dtype), ())}
    modes |= {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}
    if array.dtype != np.uint8 and channels > 1 or not modes[channels]:
        raise TypeError(f"Input type {array.dtype} is not supported")
    if mode is not None and mode not in modes[channels]:
        raise ValueError(f"Only modes {modes[channels]} are supported for {channels} channels, got {mode}")
    mode = mode or modes[channels][0]
    return frombytes(Image, mode, array[:, :, 0] if channels == 1 else array)


def frombytes(Image, mode, array):
    """A PIL image of this mode whose pixels are the array's."""
    import numpy as np

    return Image.frombytes(mode, array.shape[1::-1], np.ascontiguousarray(array).tobytes())


def convert_image_dtype(image, dtype=float32):
    """A tensor in another dtype, its range scaled: floats are 0..1, whole numbers 0..the greatest there is.

    Raises:
        RuntimeError: floats to whole numbers that need more digits than the floats have.
    """
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        if (image.dtype == float32 and dtype in (int32, int64)) or (image.dtype == float64 and dtype == int64):
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        return image.mul(iinfo(dtype).max + 1 - 1e-3).to(dtype)
    highest = iinfo(image.dtype).max
    if dtype.is_floating_point:
        return image.to(dtype) / highest
    wanted = iinfo(dtype).max
    if highest > wanted:
        return (image // ((highest + 1) // (wanted + 1))).to(dtype)
    return image.to(dtype) * ((wanted + 1) // (highest + 1))


def normalize(tensor, mean, std, inplace=False):
    """(tensor - mean) / std for each channel.

    Args:
        tensor: floats, (..., channels, height, width).
        mean, std: a number for each channel.
        inplace: change the tensor itself.

    Raises:
        TypeError: no tensor of floats.
        ValueError: fewer than 3 dimensions, or a deviation of 0.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}")
    mean, std = (as_tensor(values, dtype=tensor.dtype) for values in (mean, std))
    if (std == 0).any():
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    mean, std = (values.reshape(-1, 1, 1) if values.ndim == 1 else values for values in (mean, std))
    return (tensor if inplace else tensor.clone()).sub_(mean).div_(std)


# --- sizes ---


def get_dimensions(img):
    """[channels, height, width]."""
    return backend(img).dimensions(img)


def get_image_size(img):
    """[width, height]."""
    return get_dimensions(img)[:0:-1]


def get_image_num_channels(img):
    """The number of channels."""
    return get_dimensions(img)[0]


def pair(size, name="size"):
    """(height, width) of one number for both, or of two.

    Raises:
        ValueError: neither.
    """
    if isinstance(size, numbers.Number):
        return int(size), int(size)
    size = tuple(size)
    if len(size) == 1:
        return size * 2
    if len(size) != 2:
        raise ValueError(f"{name} must have 1 or 2 values, got {len(size)}")
    return size


def resized_size(height, width, size, max_size=None):
    """(height, width) of an image brought to `size`: two numbers, or one for the shorter side.

    Raises:
        ValueError: max_size beside two numbers, or not above the shorter side.
    """
    if not isinstance(size, int) and len(size) == 2:
        if max_size is not None:
            raise ValueError("max_size should only be passed if size specifies the length of the smaller edge, i.e. size should be an int")
        return tuple(size)
    short, long = sorted((height, width))
    wanted = size if isinstance(size, int) or size is None else size[0]
    if wanted is None:
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short, new_long = wanted, int(wanted * long / short)
        if max_size is not None:
            if max_size <= wanted:
                raise ValueError(f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge size = {size}")
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def resize(img, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True):
    """The image in another size.

    Args:
        size: (height, width), or one number for the shorter side.
        interpolation: how values between pixels are found.
        max_size: the longer side is at most this.
        antialias: smooth while shrinking; PIL images always are.
    """
    _, height, width = get_dimensions(img)
    wanted = resized_size(height, width, size, max_size)
    if wanted == (height, width):
        return img
    return backend(img).resize(img, *wanted, interpolation_mode(interpolation), antialias)


def pad(img, padding, fill=0, padding_mode="constant"):
    """The image with a frame.

    Args:
        padding: one number, (left and right, top and bottom), or (left, top, right, bottom).
        fill: colour of the frame, for "constant".
        padding_mode: "constant", "edge", "reflect" or "symmetric".

    Raises:
        ValueError: another number of numbers, or another mode.
    """
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    sides = [padding] if isinstance(padding, numbers.Number) else list(padding)
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    left, top, right, bottom = (sides * 4)[:4]
    return backend(img).pad(img, left, top, right, bottom, fill, padding_mode)


def crop(img, top, left, height, width):
    """A rectangle of the image; what lies outside is 0."""
    return backend(img).crop(img, top, left, height, width)


def center_crop(img, output_size):
    """The middle of the image, (height, width) or a square; a smaller image gets a frame of 0 first."""
    wanted_height, wanted_width = pair(output_size)
    _, height, width = get_dimensions(img)
    if wanted_width > width or wanted_height > height:
        spare = max(wanted_width - width, 0), max(wanted_height - height, 0)
        img = pad(img, [spare[0] // 2, spare[1] // 2, (spare[0] + 1) // 2, (spare[1] + 1) // 2])
        _, height, width = get_dimensions(img)
    return crop(img, int(round((height - wanted_height) / 2.0)), int(round((width - wanted_width) / 2.0)), wanted_height, wanted_width)


def resized_crop(img, top, left, height, width, size, interpolation=InterpolationMode.BILINEAR, antialias=True):
    """A rectangle of the image in another size."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img, size):
    """The four corners and the middle: top left, top right, bottom left, bottom right, centre.

    Raises:
        ValueError: the size exceeds the image.
    """
    crop_height, crop_width = pair(size)
    _, height, width = get_dimensions(img)
    if crop_width > width or crop_height > height:
        raise ValueError(f"Requested crop size {(crop_height, crop_width)} is bigger than input size {(height, width)}")
    bottom, right = height - crop_height, width - crop_width
    corners = [crop(img, top, left, crop_height, crop_width) for top in (0, bottom) for left in (0, right)]
    return (*corners, center_crop(img, [crop_height, crop_width]))


def ten_crop(img, size, vertical_flip=False):
    """five_crop of the image and of its mirror image."""
    return five_crop(img, size) + five_crop((vflip if vertical_flip else hflip)(img), size)


# --- turning ---


def hflip(img):
    """Left and right exchanged."""
    return backend(img).hflip(img)


def vflip(img):
    """Top and bottom exchanged."""
    return backend(img).vflip(img)


def rotate(img, angle, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=None):
    """The image turned.

    Args:
        angle: degrees, against the clock.
        expand: make room for the corners.
        center: (x, y) of the point that stays; the middle by default.
        fill: colour of what comes from outside; 0 by default.

    Raises:
        TypeError: angle is no number.
    """
    if not isinstance(angle, numbers.Number):
        raise TypeError("Argument angle should be int or float")
    return backend(img).rotate(img, angle, interpolation_mode(interpolation), expand, center, fill)


def affine_matrix(center, angle, translate, scale, shear):
    """The six numbers that lead from a place (x, y) of the result to one of the input.

    The image is sheared, turned and scaled about `center`, then moved; angles in degrees, with the clock.
    """
    turn, shear_x, shear_y = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    # turn and shear as one 2x2 matrix of determinant 1; its inverse has the entries exchanged
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    a, b, c, d = d / scale, -b / scale, -c / scale, a / scale
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    return [a, b, a * x + b * y + center[0], c, d, c * x + d * y + center[1]]


def affine(img, angle, translate, scale, shear, interpolation=InterpolationMode.NEAREST, fill=None, center=None):
    """The image turned, moved, scaled and sheared.

    Args:
        angle: degrees, with the clock.
        translate: pixels to the right and down.
        scale: factor.
        shear: degrees along x, or along x and y.
        interpolation, fill, center: as of rotate.

    Raises:
        TypeError: angle is no number.
        ValueError: translate has not two values, shear not one or two, or scale is not positive.
    """
    if not isinstance(angle, (int, float)):
        raise TypeError("Argument angle should be int or float")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    shear = [shear, 0.0] if isinstance(shear, numbers.Number) else [*shear, 0.0][:2] if len(shear) == 1 else list(shear)
    if len(shear) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    _, height, width = get_dimensions(img)
    if center is None:
        center = (width * 0.5, height * 0.5)
    matrix = affine_matrix(center, angle, translate, scale, shear)
    return backend(img).affine(img, matrix, interpolation_mode(interpolation), fill)


def perspective(img, startpoints, endpoints, interpolation=InterpolationMode.BILINEAR, fill=None):
    """The image seen so that four points of it, (x, y) each, come to lie at four others."""
    coefficients = perspective_coefficients(startpoints, endpoints)
    return backend(img).perspective(img, coefficients, interpolation_mode(interpolation), fill)


def perspective_coefficients(startpoints, endpoints):
    """The eight numbers of the projective map from endpoints to startpoints, by least squares."""
    from ... import linalg

    rows, values = [], []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return linalg.lstsq(tensor(rows, dtype=float64), tensor(values, dtype=float64)[:, None]).solution[:, 0].to(float32).tolist()


# --- colours ---


def adjust_brightness(img, brightness_factor):
    """Every colour times the factor."""
    return backend(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img, contrast_factor):
    """Away from the mean grey: 0 gives grey, 1 the image."""
    return backend(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img, saturation_factor):
    """Away from the grey image: 0 gives it, 1 the image."""
    return backend(img).adjust_saturation(img, saturation_factor)


def adjust_sharpness(img, sharpness_factor):
    """Away from the smoothed image: 0 gives it, 1 the image."""
    if sharpness_factor < 0:
        raise ValueError(f"sharpness_factor ({sharpness_factor}) is not non-negative.")
    return backend(img).adjust_sharpness(img, sharpness_factor)


def adjust_hue(img, hue_factor):
    """The hue turned by a part of the circle, -0.5 to 0.5."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return backend(img).adjust_hue(img, hue_factor)


def adjust_gamma(img, gamma, gain=1):
    """gain * img ** gamma, on colours of 0 to 1."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    return backend(img).adjust_gamma(img, gamma, gain)


def rgb_to_grayscale(img, num_output_channels=1):
    """Luminance, as one channel or as three that are equal."""
    if num_output_channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    return backend(img).to_grayscale(img, num_output_channels)


def to_grayscale(img, num_output_channels=1):
    """rgb_to_grayscale of a PIL image."""
    if not is_image(img):
        raise TypeError("Input should be PIL Image")
    return rgb_to_grayscale(img, num_output_channels)


def invert(img):
    """The greatest value minus each colour."""
    return backend(img).invert(img)


def posterize(img, bits):
    """Colours with the first bits alone."""
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    return backend(img).posterize(img, bits)


def solarize(img, threshold):
    """Colours from the threshold on inverted."""
    return backend(img).solarize(img, threshold)


def autocontrast(img):
    """Each channel stretched to its full range."""
    return backend(img).autocontrast(img)


def equalize(img):
    """Each channel with its values spread evenly."""
    return backend(img).equalize(img)


def gaussian_blur(img, kernel_size, sigma=None):
    """The image smoothed by a Gaussian.

    Args:
        kernel_size: odd sides (horizontal, vertical), or one for both.
        sigma: deviations, or one for both; by default 0.3 * ((size - 1) * 0.5 - 1) + 0.8.

    Raises:
        ValueError: an even or negative side, or a deviation that is not positive.
    """
    kernel_size = list(pair(kernel_size, "kernel_size"))
    if any(size % 2 == 0 or size < 0 for size in kernel_size):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in kernel_size]
    sigma = [float(sigma)] * 2 if isinstance(sigma, numbers.Number) else ([float(value) for value in sigma] * 2)[:2]
    if any(value <= 0.0 for value in sigma):
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    if backend(img) is _tensor:
        return _tensor.gaussian_blur(img, kernel_size, sigma)
    return to_pil_image(_tensor.gaussian_blur(pil_to_tensor(img), kernel_size, sigma), mode=img.mode)


def erase(img, i, j, h, w, v, inplace=False):
    """A tensor whose rectangle at row i and column j, h high and w wide, is `v`.

    Raises:
        TypeError: no tensor.
    """
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    return _tensor.erase(img, i, j, h, w, v, inplace)
