"""Transforms without random numbers: PIL images against Pillow itself, tensors against NumPy and against the PIL images' results."""

import numpy as np
import pytest

import fastgrad
from fastgrad.vision import transforms as T
from fastgrad.vision.transforms import functional as F
from fastgrad.vision.transforms import v2

Image = pytest.importorskip("PIL.Image")
from PIL import ImageEnhance, ImageOps  # noqa: E402

PIXELS = np.random.default_rng(0).integers(0, 256, (17, 23, 3), np.uint8)
IMAGE, GRAY = Image.fromarray(PIXELS), Image.fromarray(PIXELS[:, :, 0])
BYTES = fastgrad.from_numpy(PIXELS.transpose(2, 0, 1).copy())


def array(result):
    """(height, width, channels) of an image or a tensor."""
    if isinstance(result, fastgrad.Tensor):
        return result.numpy().transpose(1, 2, 0)
    pixels = np.asarray(result)
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


# --- conversion ---


@pytest.mark.parametrize(("mode", "expected"), [("RGB", np.float32), ("L", np.float32), ("RGBA", np.float32), ("I", np.int32), ("F", np.float32)])
def test_to_tensor(mode, expected):
    image = (GRAY if mode in "LIF" else IMAGE).convert(mode)
    result = F.to_tensor(image)
    pixels = array(image)
    assert result.numpy().dtype == expected and result.is_contiguous()
    scale = 255 if mode in ("RGB", "L", "RGBA") else 1
    assert np.array_equal(array(result), (pixels / np.float32(scale)).astype(expected))


def test_to_tensor_of_arrays_and_bits():
    assert np.array_equal(array(F.to_tensor(PIXELS)), PIXELS / np.float32(255))
    doubles = np.random.default_rng(1).random((3, 4))
    assert np.array_equal(F.to_tensor(doubles).numpy()[0], doubles)
    bits = GRAY.convert("1")
    assert np.array_equal(array(F.to_tensor(bits))[:, :, 0], np.asarray(bits).astype(np.float32))
    assert np.array_equal(array(F.pil_to_tensor(IMAGE)), PIXELS)
    with pytest.raises(TypeError, match="pic should be PIL Image or ndarray"):
        F.to_tensor([1, 2])


def test_to_pil_image():
    assert np.array_equal(np.asarray(F.to_pil_image(BYTES)), PIXELS) and F.to_pil_image(BYTES).mode == "RGB"
    assert np.array_equal(np.asarray(F.to_pil_image(PIXELS)), PIXELS)
    floats = F.to_tensor(IMAGE)
    assert np.array_equal(np.asarray(T.ToPILImage()(floats)), (floats.numpy() * np.float32(255)).astype(np.uint8).transpose(1, 2, 0))
    assert F.to_pil_image(BYTES, mode="HSV").mode == "HSV" and F.to_pil_image(BYTES[:1]).mode == "L"
    numbers = fastgrad.arange(12, dtype=fastgrad.int32).reshape(3, 4)
    assert F.to_pil_image(numbers).mode == "I" and np.array_equal(np.asarray(F.to_pil_image(numbers)), numbers.numpy())
    for wrong, error in ((fastgrad.zeros(5, 2, 2), ValueError), (fastgrad.zeros(2), ValueError), (numbers.long(), TypeError), ("a", TypeError)):
        with pytest.raises(error):
            F.to_pil_image(wrong)
    with pytest.raises(ValueError, match="modes"):
        F.to_pil_image(BYTES, mode="L")


def test_convert_image_dtype():
    assert np.array_equal(F.convert_image_dtype(BYTES).numpy(), (BYTES.numpy() / np.float32(255)))
    there_and_back = F.convert_image_dtype(F.convert_image_dtype(BYTES), fastgrad.uint8)
    assert np.array_equal(there_and_back.numpy(), BYTES.numpy())
    assert F.convert_image_dtype(fastgrad.tensor([0, 255], dtype=fastgrad.uint8), fastgrad.int16).tolist() == [0, 255 * 128]
    assert F.convert_image_dtype(fastgrad.tensor([0, 255 * 128], dtype=fastgrad.int16), fastgrad.uint8).tolist() == [0, 255]
    with pytest.raises(RuntimeError, match="safely"):
        F.convert_image_dtype(F.to_tensor(IMAGE), fastgrad.int32)


def test_normalize():
    floats = F.to_tensor(IMAGE)
    mean, std = np.float32([0.1, 0.2, 0.3]), np.float32([0.4, 0.5, 0.6])
    result = T.Normalize((0.1, 0.2, 0.3), (0.4, 0.5, 0.6))(floats)
    assert np.allclose(array(result), (array(floats) - mean) / std, atol=1e-6) and result is not floats
    assert F.normalize(floats, [0.5], [0.5], inplace=True) is floats
    for wrong, error in ((BYTES, TypeError), (IMAGE, TypeError), (fastgrad.zeros(3, 3), ValueError)):
        with pytest.raises(error):
            F.normalize(wrong, [0.5], [0.5])
    with pytest.raises(ValueError, match="division by zero"):
        F.normalize(floats, [0.5], [0.0])


# --- sizes ---


@pytest.mark.parametrize(("size", "options", "expected"), [
    (10, {}, (13, 10)), (30, {}, (40, 30)), ((9, 11), {}, (11, 9)), ([10], {}, (13, 10)), (10, {"max_size": 12}, (12, 9)), (17, {}, (23, 17))])
def test_resize(size, options, expected):
    result = T.Resize(size, **options)(IMAGE)
    assert result.size == expected and np.array_equal(np.asarray(result), np.asarray(IMAGE.resize(expected, Image.Resampling.BILINEAR)))


@pytest.mark.parametrize("name", ["NEAREST", "BICUBIC", "LANCZOS", "BOX", "HAMMING"])
def test_interpolations(name):
    result = F.resize(IMAGE, [9, 11], interpolation=getattr(T.InterpolationMode, name))
    expected = IMAGE.resize((11, 9), getattr(Image.Resampling, name))
    assert np.array_equal(np.asarray(result), np.asarray(expected))
    assert np.array_equal(np.asarray(F.resize(IMAGE, [9, 11], interpolation=getattr(Image.Resampling, name))), np.asarray(expected))


def test_wrong_sizes():
    with pytest.raises(TypeError, match="Size should be"):
        T.Resize("a")
    with pytest.raises(ValueError, match="strictly greater"):
        F.resize(IMAGE, 10, max_size=10)
    with pytest.raises(ValueError, match="smaller edge"):
        F.resize(IMAGE, [10, 10], max_size=10)


MODES = {"constant": {}, "edge": {}, "reflect": {}, "symmetric": {}}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("padding", [3, (1, 4), (1, 2, 3, 4)], ids=str)
@pytest.mark.parametrize("image", [IMAGE, BYTES, GRAY], ids=["PIL", "tensor", "gray"])
def test_pad(image, padding, mode):
    sides = (padding,) * 4 if isinstance(padding, int) else padding * 2 if len(padding) == 2 else padding
    left, top, right, bottom = sides
    constant = {"constant_values": 7} if mode == "constant" else {}
    expected = np.pad(array(image), ((top, bottom), (left, right), (0, 0)), mode, **constant)
    assert np.array_equal(array(T.Pad(padding, fill=7, padding_mode=mode)(image)), expected)


def test_wrong_padding():
    with pytest.raises(ValueError, match="3 element"):
        F.pad(IMAGE, (1, 2, 3))
    with pytest.raises(ValueError, match="Padding mode"):
        F.pad(IMAGE, 1, padding_mode="round")


@pytest.mark.parametrize("image", [IMAGE, BYTES], ids=["PIL", "tensor"])
@pytest.mark.parametrize("box", [(2, 3, 5, 7), (-2, -3, 6, 8), (14, 20, 6, 9), (-1, -1, 20, 30)], ids=str)
def test_crop(image, box):
    top, left, height, width = box
    framed = np.pad(PIXELS, ((40, 40), (40, 40), (0, 0)))
    expected = framed[40 + top : 40 + top + height, 40 + left : 40 + left + width]
    assert np.array_equal(array(F.crop(image, *box)), expected)


@pytest.mark.parametrize("image", [IMAGE, BYTES], ids=["PIL", "tensor"])
def test_crops(image):
    assert np.array_equal(array(T.CenterCrop(9)(image)), PIXELS[4:13, 7:16])
    assert np.array_equal(array(F.center_crop(image, (21, 25))), np.pad(PIXELS, ((2, 2), (1, 1), (0, 0))))
    five = T.FiveCrop((4, 5))(image)
    expected = [PIXELS[:4, :5], PIXELS[:4, -5:], PIXELS[-4:, :5], PIXELS[-4:, -5:], PIXELS[6:10, 9:14]]
    assert all(np.array_equal(array(got), want) for got, want in zip(five, expected, strict=True))
    ten = T.TenCrop(6)(image)
    assert len(ten) == 10 and np.array_equal(array(ten[5]), PIXELS[:, ::-1][:6, :6])
    with pytest.raises(ValueError, match="bigger than"):
        F.five_crop(image, 18)


@pytest.mark.parametrize("image", [IMAGE, BYTES], ids=["PIL", "tensor"])
def test_flips_and_sizes(image):
    assert np.array_equal(array(F.hflip(image)), PIXELS[:, ::-1]) and np.array_equal(array(F.vflip(image)), PIXELS[::-1])
    assert F.get_dimensions(image) == [3, 17, 23] and F.get_image_size(image) == [23, 17] and F.get_image_num_channels(image) == 3


# --- colours ---

COLOURS = {
    "brightness": (lambda i: F.adjust_brightness(i, 1.4), lambda i: ImageEnhance.Brightness(i).enhance(1.4)),
    "contrast": (lambda i: F.adjust_contrast(i, 0.6), lambda i: ImageEnhance.Contrast(i).enhance(0.6)),
    "saturation": (lambda i: F.adjust_saturation(i, 1.7), lambda i: ImageEnhance.Color(i).enhance(1.7)),
    "sharpness": (lambda i: F.adjust_sharpness(i, 2), lambda i: ImageEnhance.Sharpness(i).enhance(2)),
    "gray": (lambda i: F.rgb_to_grayscale(i), lambda i: i.convert("L")),
    "three grays": (lambda i: F.rgb_to_grayscale(i, 3), lambda i: i.convert("L").convert("RGB")),
    "invert": (F.invert, ImageOps.invert),
    "posterize": (lambda i: F.posterize(i, 3), lambda i: ImageOps.posterize(i, 3)),
    "solarize": (lambda i: F.solarize(i, 100), lambda i: ImageOps.solarize(i, 100)),
    "autocontrast": (F.autocontrast, ImageOps.autocontrast),
    "equalize": (F.equalize, ImageOps.equalize),
}


@pytest.mark.parametrize("name", COLOURS)
def test_colours(name):
    ours, pillows = COLOURS[name]
    expected = array(pillows(IMAGE)).astype(int)
    assert np.array_equal(array(ours(IMAGE)), expected)
    assert np.abs(array(ours(BYTES)) - expected).max() <= 1  # a byte is cut off here and rounded there


def test_hue():
    """A third of the circle exchanges the colours; no turn leaves them."""
    for image in (IMAGE, BYTES, F.to_tensor(IMAGE)):
        scale = 255 if image is not IMAGE and image.is_floating_point() else 1
        near = 12 if image is IMAGE else 1  # Pillow's hue has 256 steps, each of 6 of a colour's 255
        turned = array(F.adjust_hue(image, 1 / 3)) * scale
        assert np.abs(turned - PIXELS[:, :, [2, 0, 1]].astype(float)).max() <= near
        assert np.abs(array(F.adjust_hue(image, 0.0)) * scale - PIXELS.astype(float)).max() <= near
    with pytest.raises(ValueError, match="hue_factor"):
        F.adjust_hue(IMAGE, 0.6)


def test_gamma():
    expected = (PIXELS / 255) ** 0.7 * 1.1 * 255
    for image in (IMAGE, BYTES):
        assert np.abs(array(F.adjust_gamma(image, 0.7, 1.1)) - expected.clip(0, 255)).max() <= 1.01


@pytest.mark.parametrize("sides", [5, [3, 5]], ids=str)
def test_gaussian_blur(sides):
    widths = [sides] * 2 if isinstance(sides, int) else sides
    lines = []
    for width in widths:
        sigma = 0.3 * ((width - 1) * 0.5 - 1) + 0.8
        line = np.exp(-0.5 * ((np.arange(width) - width // 2) / sigma) ** 2)
        lines.append(line / line.sum())
    framed = np.pad(PIXELS.astype(float), ((widths[1] // 2,) * 2, (widths[0] // 2,) * 2, (0, 0)), "reflect")
    expected = sum(
        lines[1][i] * lines[0][j] * framed[i : i + 17, j : j + 23] for i in range(widths[1]) for j in range(widths[0])
    )
    for image in (IMAGE, BYTES):
        assert np.abs(array(F.gaussian_blur(image, sides)) - expected).max() <= 0.51


# --- turning, as PIL images ---


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_right_angles(angle):
    for image in (IMAGE, BYTES):
        assert np.array_equal(array(F.rotate(image, angle, expand=True)), np.rot90(PIXELS, angle // 90))


@pytest.mark.parametrize("options", [{}, {"center": [5, 3]}, {"fill": [9]}])
@pytest.mark.parametrize("angle", [33, -70])
def test_tensors_turn_as_images_do(angle, options):
    of_image, of_bytes = (array(F.rotate(image, angle, **options)) for image in (IMAGE, BYTES))
    assert of_bytes.shape == of_image.shape and (of_bytes == of_image).mean() > 0.95     # ties between pixels are broken otherwise


def test_affine_moves_whole_pixels():
    moved = array(F.affine(IMAGE, 0, [3, -2], 1.0, [0.0, 0.0], fill=5))
    assert np.array_equal(moved[:15, 3:], PIXELS[2:, :20]) and (moved[15:] == 5).all() and (moved[:, :3] == 5).all()


def test_affine_scales_and_turns_about_the_middle():
    square = Image.fromarray(PIXELS[:16, :16])
    assert np.array_equal(array(F.affine(square, 90, [0, 0], 1.0, 0.0)), np.rot90(PIXELS[:16, :16], -1))
    doubled = array(F.affine(square, 0, [0, 0], 2.0, 0.0))
    assert np.array_equal(doubled, PIXELS[4:12, 4:12].repeat(2, 0).repeat(2, 1))


def test_perspective_keeps_corners_that_stay():
    corners = [[0, 0], [22, 0], [22, 16], [0, 16]]
    assert np.array_equal(array(F.perspective(IMAGE, corners, corners, T.InterpolationMode.NEAREST)), PIXELS)
    mirrored = [[23, 0], [0, 0], [0, 17], [23, 17]]
    whole = [[0, 0], [23, 0], [23, 17], [0, 17]]
    assert np.array_equal(array(F.perspective(IMAGE, whole, mirrored, T.InterpolationMode.NEAREST)), PIXELS[:, ::-1])


# --- classes ---


def test_compose_and_repr():
    pipeline = T.Compose([T.Resize(12), T.CenterCrop(8), T.ToTensor(), T.Normalize((0.5,), (0.5,))])
    assert pipeline(IMAGE).shape == (3, 8, 8)
    assert repr(pipeline).splitlines() == [
        "Compose(", "    Resize(size=12, interpolation=bilinear, max_size=None, antialias=True)", "    CenterCrop(size=(8, 8))", "    ToTensor()",
        "    Normalize(mean=(0.5,), std=(0.5,))", ")"]
    assert T.Lambda(lambda image: image.size)(IMAGE) == (23, 17)
    with pytest.raises(TypeError, match="lambd"):
        T.Lambda(3)


def test_linear_transformation():
    matrix, mean = np.random.default_rng(2).random((12, 12)).astype(np.float32), np.arange(12, dtype=np.float32)
    x = np.random.default_rng(3).random((3, 2, 2)).astype(np.float32)
    result = T.LinearTransformation(fastgrad.from_numpy(matrix), fastgrad.from_numpy(mean))(fastgrad.from_numpy(x))
    assert np.allclose(result.numpy(), ((x.ravel() - mean) @ matrix).reshape(3, 2, 2), atol=1e-4)


def test_neither_image_nor_tensor():
    with pytest.raises(TypeError, match="PIL Image or Tensor"):
        F.hflip(PIXELS)


def test_v2():
    pipeline = v2.Compose([v2.ToImage(), v2.ToDtype(fastgrad.float32, scale=True), v2.Normalize([0.5], [0.5])])
    assert np.allclose(array(pipeline(IMAGE)), (PIXELS / 255 - 0.5) / 0.5, atol=1e-6)
    assert np.array_equal(array(v2.functional.to_image(PIXELS)), PIXELS) and v2.functional.get_size(IMAGE) == [17, 23]
    assert array(v2.RGB()(BYTES[:1])).shape == (17, 23, 3) and v2.RGB()(GRAY).mode == "RGB"
    assert v2.ToDtype(fastgrad.float32)(BYTES).max() > 1
