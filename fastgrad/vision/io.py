"""torchvision.io: images from files and to files, through Pillow. Video is refused."""

import io as _io
import sys
from enum import Enum
from pathlib import Path

from .. import Tensor, from_numpy, uint8
from ._pillow import pillow

__all__ = [
    "ImageReadMode", "decode_image", "decode_jpeg", "decode_png", "encode_jpeg", "encode_png", "read_file", "read_image", "write_file",
    "write_jpeg", "write_png"]

image = sys.modules[__name__]          # torchvision has these in a file of that name


class ImageReadMode(Enum):
    """Which channels an image is read with."""

    UNCHANGED, GRAY, GRAY_ALPHA, RGB, RGB_ALPHA = range(5)


MODES = {"UNCHANGED": None, "GRAY": "L", "GRAY_ALPHA": "LA", "RGB": "RGB", "RGB_ALPHA": "RGBA"}


def pixels(image, mode):
    """The uint8 tensor (channels, height, width) of a PIL image."""
    import numpy as np

    name = mode.upper() if isinstance(mode, str) else ImageReadMode(mode).name
    if name == "RGBA":
        name = "RGB_ALPHA"
    wanted = MODES[name]
    if wanted is None:
        wanted = "RGB" if image.mode == "P" else image.mode
    array = np.array(image.convert(wanted), dtype=np.uint8)
    return from_numpy(array[None] if array.ndim == 2 else np.ascontiguousarray(array.transpose(2, 0, 1)))


def read_image(path, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """An image file as a uint8 tensor (channels, height, width).

    Args:
        path: of the file; every format Pillow reads.
        mode: which channels, an ImageReadMode or its name.
        apply_exif_orientation: turn the image as its metadata say.

    Raises:
        ImportError: Pillow is not installed.
    """
    return decode_image(read_file(path), mode, apply_exif_orientation)


def decode_image(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """The image in the bytes of a file; `input` is a uint8 tensor of one dimension or a path. Otherwise as read_image.

    Raises:
        RuntimeError: the bytes are no image.
    """
    Image, ImageOps = pillow("decode_image")
    data = input.numpy().tobytes() if isinstance(input, Tensor) else Path(input).read_bytes()
    try:
        image = Image.open(_io.BytesIO(data))
    except OSError as error:
        raise RuntimeError(f"decode_image: the bytes must be an image, got {len(data)} bytes that are not") from error
    return pixels(ImageOps.exif_transpose(image) if apply_exif_orientation else image, mode)


def decode_png(input, mode=ImageReadMode.UNCHANGED, apply_exif_orientation=False):
    """As decode_image."""
    return decode_image(input, mode, apply_exif_orientation)


def decode_jpeg(input, mode=ImageReadMode.UNCHANGED, device="cpu", apply_exif_orientation=False):
    """As decode_image. `device` must be the CPU."""
    from .._places import check_cpu

    check_cpu(device)
    return decode_image(input, mode, apply_exif_orientation)


def encode(input, format, **options):
    import numpy as np

    Image, _ = pillow(f"encode_{format}")
    if input.dtype != uint8 or input.ndim != 3 or input.shape[0] not in (1, 3):
        raise RuntimeError(f"encode_{format}: needs a uint8 tensor (1 or 3, height, width), got {input.dtype} {tuple(input.shape)}")
    array = input.permute(1, 2, 0).contiguous().numpy()
    buffer = _io.BytesIO()
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(buffer, format, **options)
    return from_numpy(np.frombuffer(buffer.getvalue(), np.uint8).copy())


def encode_png(input, compression_level=6):
    """The bytes of a PNG file, as a uint8 tensor; `input` is uint8, (1 or 3, height, width)."""
    return encode(input, "png", compress_level=compression_level)


def encode_jpeg(input, quality=75):
    """The bytes of a JPEG file, as a uint8 tensor; `input` is uint8, (1 or 3, height, width)."""
    return encode(input, "jpeg", quality=quality)


def write_png(input, filename, compression_level=6):
    """Writes encode_png's bytes to a file."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input, filename, quality=75):
    """Writes encode_jpeg's bytes to a file."""
    write_file(filename, encode_jpeg(input, quality))


def read_file(path):
    """The bytes of a file as a uint8 tensor of one dimension."""
    import numpy as np

    return from_numpy(np.frombuffer(Path(path).read_bytes(), np.uint8).copy())


def write_file(filename, data):
    """Writes a uint8 tensor of one dimension to a file."""
    Path(filename).write_bytes(data.numpy().tobytes())
