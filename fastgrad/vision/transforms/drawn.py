"""Transforms that draw random numbers: from the default generator, in the order in which torchvision draws them."""

import math
import numbers
import random

from ... import empty, float32, log, rand, randint, randperm, tensor
from ...nn import Module, ModuleList
from . import functional as F
from .deterministic import Compose, Transform
from .functional import InterpolationMode, pair

__all__ = [
    "ColorJitter", "GaussianBlur", "RandomAdjustSharpness", "RandomAffine", "RandomApply", "RandomAutocontrast", "RandomChoice",
    "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip", "RandomInvert", "RandomOrder",
    "RandomPerspective", "RandomPosterize", "RandomResizedCrop", "RandomRotation", "RandomSolarize", "RandomVerticalFlip"]


def uniform(low, high):
    """A number between the two, drawn as a float32 tensor is filled."""
    return empty(1).uniform_(float(low), float(high)).item()


def below(stop, start=0):
    """A whole number from start to below stop."""
    return int(randint(start, stop, size=(1,)).item())


def interval(value, name, size=2):
    """A sequence of `size` numbers from itself, or from one positive number x as (-x, x).

    Raises:
        ValueError: a negative number, or another number of values.
    """
    if isinstance(value, numbers.Number):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be positive.")
        return [-float(value), float(value)]
    if len(value) not in (size if isinstance(size, tuple) else (size,)):
        raise ValueError(f"{name} should be a sequence of length {size}, got {len(value)}.")
    return [float(number) for number in value]


class Chance(Transform):
    """Base of what happens with probability p: `change` does it."""

    shown = ("p",)

    def __init__(self, p=0.5):
        super().__init__()
        self.p = p

    def forward(self, img):
        return self.change(img) if rand(1).item() < self.p else img


class RandomHorizontalFlip(Chance):
    """functional.hflip with probability p."""

    def change(self, img):
        return F.hflip(img)


class RandomVerticalFlip(Chance):
    """functional.vflip with probability p."""

    def change(self, img):
        return F.vflip(img)


class RandomInvert(Chance):
    """functional.invert with probability p."""

    def change(self, img):
        return F.invert(img)


class RandomAutocontrast(Chance):
    """functional.autocontrast with probability p."""

    def change(self, img):
        return F.autocontrast(img)


class RandomEqualize(Chance):
    """functional.equalize with probability p."""

    def change(self, img):
        return F.equalize(img)


class RandomGrayscale(Chance):
    """functional.rgb_to_grayscale, the number of channels kept, with probability p."""

    def __init__(self, p=0.1):
        super().__init__(p)

    def change(self, img):
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class RandomPosterize(Chance):
    """functional.posterize to `bits` with probability p."""

    shown = ("bits", "p")

    def __init__(self, bits, p=0.5):
        super().__init__(p)
        self.bits = bits

    def change(self, img):
        return F.posterize(img, self.bits)

    def __repr__(self):
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(Chance):
    """functional.solarize from `threshold` on with probability p."""

    def __init__(self, threshold, p=0.5):
        super().__init__(p)
        self.threshold = threshold

    def change(self, img):
        return F.solarize(img, self.threshold)

    def __repr__(self):
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(Chance):
    """functional.adjust_sharpness by the factor with probability p."""

    def __init__(self, sharpness_factor, p=0.5):
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def change(self, img):
        return F.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self):
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"


class RandomCrop(Transform):
    """A rectangle of this size from anywhere in the image.

    Args:
        size: (height, width), or the side of a square.
        padding: a frame first, as of functional.pad.
        pad_if_needed: a further frame, of the whole lack on both sides, where the image is too small.
        fill, padding_mode: of the frame.

    Raises:
        ValueError: the image is smaller than the size.
    """

    shown = ("size", "padding")

    def __init__(self, size, padding=None, pad_if_needed=False, fill=0, padding_mode="constant"):
        super().__init__()
        self.size, self.padding, self.pad_if_needed = pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    @staticmethod
    def get_params(img, output_size):
        """(top, left, height, width) drawn for this image."""
        _, height, width = F.get_dimensions(img)
        wanted_height, wanted_width = output_size
        if height < wanted_height or width < wanted_width:
            raise ValueError(f"Required crop size {(wanted_height, wanted_width)} is larger than input image size {(height, width)}")
        if (height, width) == (wanted_height, wanted_width):
            return 0, 0, height, width
        top = below(height - wanted_height + 1)
        return top, below(width - wanted_width + 1), wanted_height, wanted_width

    def forward(self, img):
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = F.get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            img = F.pad(img, [self.size[1] - width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = F.pad(img, [0, self.size[0] - height], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))


class RandomResizedCrop(Module):
    """A rectangle of random area and proportions, brought to this size.

    Args:
        size: (height, width), or the side of a square.
        scale: between which parts of the image's area.
        ratio: between which ratios of width to height.
        interpolation, antialias: as of functional.resize.
    """

    def __init__(
        self, size, scale=(0.08, 1.0), ratio=(3.0 / 4.0, 4.0 / 3.0), interpolation=InterpolationMode.BILINEAR, antialias=True
    ):
        super().__init__()
        self.size, self.scale, self.ratio = pair(size), scale, ratio
        self.interpolation, self.antialias = F.interpolation_mode(interpolation), antialias

    @staticmethod
    def get_params(img, scale, ratio):
        """(top, left, height, width) drawn for this image; after ten misses the middle."""
        _, height, width = F.get_dimensions(img)
        low, high = log(tensor(ratio)).tolist()
        for _ in range(10):
            area = height * width * uniform(*scale)
            aspect = empty(1).uniform_(low, high).exp().item()
            w, h = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if 0 < w <= width and 0 < h <= height:
                top = below(height - h + 1)
                return top, below(width - w + 1), h, w
        aspect = min(max(width / height, min(ratio)), max(ratio))
        w = width if aspect >= width / height else int(round(height * aspect))
        h = height if aspect <= width / height else int(round(width / aspect))
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img):
        return F.resized_crop(img, *self.get_params(img, self.scale, self.ratio), self.size, self.interpolation, self.antialias)

    def __repr__(self):
        scale, ratio = (tuple(round(value, 4) for value in values) for values in (self.scale, self.ratio))
        ending = f", interpolation={self.interpolation.value}, antialias={self.antialias})"
        return f"{type(self).__name__}(size={self.size}, scale={scale}, ratio={ratio}{ending}"


class RandomRotation(Transform):
    """functional.rotate by an angle between the two `degrees`, or up to one number either way."""

    def __init__(self, degrees, interpolation=InterpolationMode.NEAREST, expand=False, center=None, fill=0):
        super().__init__()
        self.degrees, self.interpolation = interval(degrees, "degrees"), F.interpolation_mode(interpolation)
        self.expand, self.center, self.fill = expand, center, fill

    @staticmethod
    def get_params(degrees):
        """The angle drawn."""
        return uniform(*degrees)

    def forward(self, img):
        return F.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, filling(img, self.fill))

    def __repr__(self):
        shown = f"degrees={self.degrees}, interpolation={self.interpolation.value}, expand={self.expand}"
        shown += "" if self.center is None else f", center={self.center}"
        return f"{type(self).__name__}({shown}" + ("" if self.fill is None else f", fill={self.fill}") + ")"


def filling(img, fill):
    """`fill` as one number for each channel of a tensor."""
    channels = F.get_image_num_channels(img)
    if not hasattr(img, "requires_grad"):
        return fill
    return [float(fill)] * channels if isinstance(fill, numbers.Number) else [float(value) for value in fill]


class RandomAffine(Module):
    """functional.affine with angle, translation, scale and shear drawn.

    Args:
        degrees: between which angles, or up to one number either way.
        translate: greatest parts of width and height.
        scale: between which factors.
        shear: between which angles along x, or along x and y.
        interpolation, fill, center: as of functional.affine.
    """

    def __init__(self, degrees, translate=None, scale=None, shear=None, interpolation=InterpolationMode.NEAREST, fill=0, center=None):
        super().__init__()
        self.degrees = interval(degrees, "degrees")
        if translate is not None and not all(0.0 <= part <= 1.0 for part in translate):
            raise ValueError("translation values should be between 0 and 1")
        if scale is not None and not all(factor > 0 for factor in scale):
            raise ValueError("scale values should be positive")
        self.translate, self.scale, self.center = translate, scale, center
        self.shear = None if shear is None else interval(shear, "shear", (2, 4))
        self.interpolation, self.fill = F.interpolation_mode(interpolation), fill

    @staticmethod
    def get_params(degrees, translate, scale_ranges, shears, img_size):
        """(angle, translations, scale, shear) drawn; img_size is [width, height]."""
        angle = uniform(*degrees)
        moves = (0, 0)
        if translate is not None:
            reach = [float(part * size) for part, size in zip(translate, img_size)]
            moves = tuple(int(round(uniform(-x, x))) for x in reach)
        scale = 1.0 if scale_ranges is None else uniform(*scale_ranges)
        shear = [0.0, 0.0]
        if shears is not None:
            shear[0] = uniform(*shears[:2])
            if len(shears) == 4:
                shear[1] = uniform(*shears[2:])
        return angle, moves, scale, tuple(shear)

    def forward(self, img):
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))
        return F.affine(img, *drawn, interpolation=self.interpolation, fill=filling(img, self.fill), center=self.center)

    def __repr__(self):
        shown = [f"degrees={self.degrees}"]
        shown += [f"{name}={value}" for name, value in (("translate", self.translate), ("scale", self.scale), ("shear", self.shear)) if value is not None]
        if self.interpolation != InterpolationMode.NEAREST:
            shown.append(f"interpolation={self.interpolation.value}")
        shown += [f"fill={self.fill}"] * (self.fill != 0) + [f"center={self.center}"] * (self.center is not None)
        return f"{type(self).__name__}({', '.join(shown)})"


class RandomPerspective(Transform):
    """functional.perspective with probability p, the corners moved inwards by up to `distortion_scale` of half the sides."""

    shown = ("p",)

    def __init__(self, distortion_scale=0.5, p=0.5, interpolation=InterpolationMode.BILINEAR, fill=0):
        super().__init__()
        self.distortion_scale, self.p = distortion_scale, p
        self.interpolation, self.fill = F.interpolation_mode(interpolation), fill

    @staticmethod
    def get_params(width, height, distortion_scale):
        """(corners, where they come to lie) drawn."""
        across, down = int(distortion_scale * (width // 2)) + 1, int(distortion_scale * (height // 2)) + 1
        top_left = [below(across), below(down)]
        top_right = [below(width, width - across), below(down)]
        bottom_right = [below(width, width - across), below(height, height - down)]
        bottom_left = [below(across), below(height, height - down)]
        corners = [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]]
        return corners, [top_left, top_right, bottom_right, bottom_left]

    def forward(self, img):
        fill = filling(img, self.fill)
        if rand(1) >= self.p:
            return img
        _, height, width = F.get_dimensions(img)
        return F.perspective(img, *self.get_params(width, height, self.distortion_scale), self.interpolation, fill)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed, in random order.

    Args:
        brightness, contrast, saturation: x draws the factor between 1 - x (at least 0) and 1 + x; or (low, high).
        hue: x up to 0.5 draws between -x and x; or (low, high).

    Raises:
        ValueError: a negative number, or one outside the range.
    """

    shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(self, brightness=0, contrast=0, saturation=0, hue=0):
        super().__init__()
        self.brightness, self.contrast, self.saturation = (
            between(value, name)
            for value, name in ((brightness, "brightness"), (contrast, "contrast"), (saturation, "saturation"))
        )
        self.hue = between(hue, "hue", center=0.0, low=-0.5, high=0.5)

    @staticmethod
    def get_params(brightness, contrast, saturation, hue):
        """(order of the four, their factors) drawn; a factor of None for what stays."""
        order = randperm(4)
        return (order, *(None if bounds is None else uniform(*bounds) for bounds in (brightness, contrast, saturation, hue)))

    def forward(self, img):
        order, *factors = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        change = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            if factors[i] is not None:
                img = change[i](img, factors[i])
        return img


def between(value, name, center=1.0, low=0.0, high=math.inf):
    """(least, greatest) factor; None if it is always `center`."""
    if isinstance(value, numbers.Number):
        if value < 0:
            raise ValueError(f"If {name} is a single number, it must be non negative.")
        value = (max(center - float(value), 0.0) if low == 0.0 else center - float(value), center + float(value))
    value = tuple(float(v) for v in value)
    if len(value) != 2 or not low <= value[0] <= value[1] <= high:
        raise ValueError(f"{name} values should be between {low} and {high}, but got {value}.")
    return None if value == (center, center) else value


class RandomErasing(Module):
    """A rectangle of a tensor overwritten, with probability p.

    Args:
        scale: between which parts of the area.
        ratio: between which ratios of height to width.
        value: a number, one for each channel, or "random" for normal noise.
        inplace: change the tensor itself.
    """

    def __init__(self, p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False):
        super().__init__()
        if not isinstance(value, (numbers.Number, str, tuple, list)):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        if not 0 <= p <= 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p, self.scale, self.ratio, self.value, self.inplace = p, scale, ratio, value, inplace

    @staticmethod
    def get_params(img, scale, ratio, value=None):
        """(top, left, height, width, values) drawn; after ten misses the whole image as it is. `value` None is noise."""
        channels, height, width = img.shape[-3:]
        low, high = log(tensor(ratio)).tolist()
        for _ in range(10):
            area = height * width * uniform(*scale)
            aspect = empty(1).uniform_(low, high).exp().item()
            h, w = int(round(math.sqrt(area * aspect))), int(round(math.sqrt(area / aspect)))
            if h < height and w < width:
                values = empty([channels, h, w], dtype=float32).normal_() if value is None else tensor(value)[:, None, None]
                top = below(height - h + 1)
                return top, below(width - w + 1), h, w, values
        return 0, 0, height, width, img

    def forward(self, img):
        if rand(1) >= self.p:
            return img
        value = None if isinstance(self.value, str) else [float(v) for v in (self.value if isinstance(self.value, (list, tuple)) else [self.value])]
        if value is not None and len(value) not in (1, img.shape[-3]):
            raise ValueError(f"If value is a sequence, it should have either a single value or {img.shape[-3]} (number of input channels)")
        return F.erase(img, *self.get_params(img, self.scale, self.ratio, value), self.inplace)

    def __repr__(self):
        shown = f"p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, inplace={self.inplace}"
        return f"{type(self).__name__}({shown})"


class GaussianBlur(Module):
    """functional.gaussian_blur with a deviation drawn between two, or this one."""

    def __init__(self, kernel_size, sigma=(0.1, 2.0)):
        super().__init__()
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.sigma = [float(sigma)] * 2 if isinstance(sigma, numbers.Number) else [float(value) for value in sigma]
        if not 0.0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"sigma values should be positive and of the form (min, max). Got {sigma}")

    @staticmethod
    def get_params(sigma_min, sigma_max):
        """The deviation drawn."""
        return uniform(sigma_min, sigma_max)

    def forward(self, img):
        sigma = self.get_params(*self.sigma)
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def __repr__(self):
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={tuple(self.sigma)})"


class Several(Compose):
    """Base of what chooses among transforms."""

    def __init__(self, transforms):
        if not isinstance(transforms, (list, tuple)):
            raise TypeError("Argument transforms should be a sequence")
        super().__init__(transforms)


class RandomChoice(Several):
    """One of the transforms, by weights `p` if given; drawn by Python's `random`."""

    def __init__(self, transforms, p=None):
        super().__init__(transforms)
        self.p = p

    def __call__(self, *args):
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self):
        return f"{super().__repr__()}(p={self.p})"


class RandomOrder(Several):
    """All of the transforms in random order; drawn by Python's `random`."""

    def __call__(self, img):
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomApply(Module):
    """All of the transforms with probability p, otherwise none. `transforms` is a list or a ModuleList."""

    def __init__(self, transforms, p=0.5):
        super().__init__()
        if not isinstance(transforms, (list, tuple, ModuleList)):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms, self.p = transforms, p

    def forward(self, img):
        if self.p < rand(1):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self):
        return "\n".join([f"{type(self).__name__}(", f"    p={self.p}", *(f"    {transform}" for transform in self.transforms), ")"])
