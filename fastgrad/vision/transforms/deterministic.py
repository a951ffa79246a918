"""Transforms that draw no random numbers."""

from ... import float32, mm
from ...nn import Module
from . import functional as F
from .functional import InterpolationMode, pair

__all__ = [
    "CenterCrop", "Compose", "ConvertImageDtype", "FiveCrop", "Grayscale", "Lambda", "LinearTransformation", "Normalize", "PILToTensor",
    "Pad", "Resize", "TenCrop", "ToPILImage", "ToTensor"]


class Compose:
    """Transforms one after the other.

    Example:
        transforms.Compose([transforms.Resize(32), transforms.ToTensor()])
    """

    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, img):
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self):
        return "\n".join([f"{type(self).__name__}(", *(f"    {transform}" for transform in self.transforms), ")"])


class ToTensor:
    """functional.to_tensor."""

    def __call__(self, pic):
        return F.to_tensor(pic)

    def __repr__(self):
        return f"{type(self).__name__}()"


class PILToTensor(ToTensor):
    """functional.pil_to_tensor."""

    def __call__(self, pic):
        return F.pil_to_tensor(pic)


class ToPILImage:
    """functional.to_pil_image with this mode."""

    def __init__(self, mode=None):
        self.mode = mode

    def __call__(self, pic):
        return F.to_pil_image(pic, self.mode)

    def __repr__(self):
        return f"{type(self).__name__}({'' if self.mode is None else f'mode={self.mode}'})"


class Lambda:
    """A function as a transform.

    Raises:
        TypeError: it cannot be called.
    """

    def __init__(self, lambd):
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img):
        return self.lambd(img)

    def __repr__(self):
        return f"{type(self).__name__}()"


class Transform(Module):
    """Base of the transforms whose repr shows, as name=value, the attributes in `shown`."""

    shown = ()

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={display(getattr(self, name))}' for name in self.shown)})"


def display(value):
    return value.value if isinstance(value, InterpolationMode) else value


class ConvertImageDtype(Module):
    """functional.convert_image_dtype to this dtype."""

    def __init__(self, dtype=float32):
        super().__init__()
        self.dtype = dtype

    def forward(self, image):
        return F.convert_image_dtype(image, self.dtype)


class Normalize(Transform):
    """functional.normalize with this mean and deviation of each channel."""

    shown = ("mean", "std")

    def __init__(self, mean, std, inplace=False):
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def forward(self, tensor):
        return F.normalize(tensor, self.mean, self.std, self.inplace)


class Resize(Transform):
    """functional.resize to this size.

    Raises:
        TypeError: size is neither a number nor a sequence.
        ValueError: it has more than two values.
    """

    shown = ("size", "interpolation", "max_size", "antialias")

    def __init__(self, size, interpolation=InterpolationMode.BILINEAR, max_size=None, antialias=True):
        super().__init__()
        if not isinstance(size, (int, list, tuple)):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if not isinstance(size, int) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size, self.interpolation, self.max_size, self.antialias = size, F.interpolation_mode(interpolation), max_size, antialias

    def forward(self, img):
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """functional.center_crop to this size."""

    shown = ("size",)

    def __init__(self, size):
        super().__init__()
        self.size = pair(size)

    def forward(self, img):
        return F.center_crop(img, self.size)


class Pad(Transform):
    """functional.pad with these arguments."""

    shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding, fill=0, padding_mode="constant"):
        super().__init__()
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def forward(self, img):
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class FiveCrop(Transform):
    """functional.five_crop of this size: a tuple of five images."""

    shown = ("size",)

    def __init__(self, size):
        super().__init__()
        self.size = pair(size)

    def forward(self, img):
        return F.five_crop(img, self.size)


class TenCrop(Transform):
    """functional.ten_crop of this size: a tuple of ten images."""

    shown = ("size", "vertical_flip")

    def __init__(self, size, vertical_flip=False):
        super().__init__()
        self.size, self.vertical_flip = pair(size), vertical_flip

    def forward(self, img):
        return F.ten_crop(img, self.size, self.vertical_flip)


class Grayscale(Transform):
    """functional.rgb_to_grayscale to 1 or 3 channels."""

    shown = ("num_output_channels",)

    def __init__(self, num_output_channels=1):
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img):
        return F.rgb_to_grayscale(img, self.num_output_channels)


class LinearTransformation(Module):
    """(flattened image - mean_vector) @ transformation_matrix, in the image's shape: whitening.

    Args:
        transformation_matrix: square, of side channels * height * width.
        mean_vector: of that length.

    Raises:
        ValueError: sizes that do not fit together.
    """

    def __init__(self, transformation_matrix, mean_vector):
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(f"transformation_matrix should be square. Got {(rows, columns)} rectangular matrix.")
        if mean_vector.size(0) != rows:
            raise ValueError(f"mean_vector should have the same length {mean_vector.size(0)} as any one of the dimensions {(rows, columns)}")
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def forward(self, tensor):
        count = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
        if count != self.transformation_matrix.shape[0]:
            raise ValueError(f"Input tensor and transformation matrix have incompatible shape. Got {tuple(tensor.shape)}")
        return mm(tensor.reshape(-1, count) - self.mean_vector, self.transformation_matrix).reshape(tensor.shape)

    def __repr__(self):
        shown = f"transformation_matrix={self.transformation_matrix.tolist()}, mean_vector={self.mean_vector.tolist()}"
        return f"{type(self).__name__}({shown})"
