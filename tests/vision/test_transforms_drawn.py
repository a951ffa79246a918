"""Transforms that draw: PyTorch's generator, started from the same seed and asked in the same order, foretells each result."""

import math
import random

import numpy as np
import pytest

import fastgrad
from fastgrad.vision import transforms as T
from fastgrad.vision.transforms import functional as F

Image = pytest.importorskip("PIL.Image")
torch = pytest.importorskip("torch")

PIXELS = np.random.default_rng(0).integers(0, 256, (17, 23, 3), np.uint8)
IMAGE = Image.fromarray(PIXELS)
TENSOR = fastgrad.from_numpy(PIXELS.transpose(2, 0, 1).copy()).float() / 255


def seed(value):
    fastgrad.manual_seed(value)
    torch.manual_seed(value)


def same_state():
    """True if both generators have given as many numbers."""
    return fastgrad.rand(1).item() == torch.rand(1).item()


def uniform(low, high):
    return torch.empty(1).uniform_(low, high).item()


def below(stop, start=0):
    return torch.randint(start, stop, (1,)).item()


@pytest.mark.parametrize("value", range(6))
@pytest.mark.parametrize(("transform", "change"), [
    (T.RandomHorizontalFlip(), lambda i: i[:, ::-1]),
    (T.RandomVerticalFlip(0.3), lambda i: i[::-1]),
    (T.RandomInvert(0.8), lambda i: 255 - i),
    (T.RandomPosterize(2, 0.5), lambda i: i & 0b11000000),
    (T.RandomSolarize(200, 0.5), lambda i: np.where(i >= 200, 255 - i, i)),
], ids=lambda value: type(value).__name__)
def test_chance(transform, change, value):
    seed(value)
    got = np.asarray(transform(IMAGE))
    assert np.array_equal(got, change(PIXELS) if torch.rand(1).item() < transform.p else PIXELS) and same_state()


@pytest.mark.parametrize("value", range(3))
def test_grayscale(value):
    seed(value)
    got = np.asarray(T.RandomGrayscale(0.5)(IMAGE))
    assert np.array_equal(got, np.asarray(IMAGE.convert("L").convert("RGB")) if torch.rand(1).item() < 0.5 else PIXELS)


@pytest.mark.parametrize("value", range(3))
def test_crop(value):
    seed(value)
    got = np.asarray(T.RandomCrop((9, 14), padding=2)(IMAGE))
    framed = np.pad(PIXELS, ((2, 2), (2, 2), (0, 0)))
    top = below(17 + 4 - 9 + 1)
    left = below(23 + 4 - 14 + 1)
    assert np.array_equal(got, framed[top : top + 9, left : left + 14]) and same_state()


def test_crop_of_the_whole_draws_nothing():
    seed(0)
    assert np.array_equal(np.asarray(T.RandomCrop((17, 23))(IMAGE)), PIXELS) and same_state()
    with pytest.raises(ValueError, match="larger than input"):
        T.RandomCrop(20)(IMAGE)
    assert T.RandomCrop(30, pad_if_needed=True)(IMAGE).size == (30, 30)


@pytest.mark.parametrize("value", range(4))
@pytest.mark.parametrize("options", [{}, {"scale": (0.4, 0.6), "ratio": (1.0, 2.0)}, {"scale": (0.9, 1.0), "ratio": (8.0, 9.0)}], ids=str)
def test_resized_crop(value, options):
    seed(value)
    got = np.asarray(T.RandomResizedCrop(8, **options)(IMAGE))
    scale, ratio = options.get("scale", (0.08, 1.0)), options.get("ratio", (3 / 4, 4 / 3))
    low, high = torch.log(torch.tensor(ratio)).tolist()
    for _ in range(10):
        area = 17 * 23 * uniform(*scale)
        aspect = torch.exp(torch.empty(1).uniform_(low, high)).item()
        width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < width <= 23 and 0 < height <= 17:
            top = below(17 - height + 1)
            left = below(23 - width + 1)
            break
    else:
        width, height = 23, round(23 / ratio[0])
        left, top = 0, (17 - height) // 2
    expected = IMAGE.crop((left, top, left + width, top + height)).resize((8, 8), Image.Resampling.BILINEAR)
    assert np.array_equal(got, np.asarray(expected)) and same_state()


@pytest.mark.parametrize("value", range(3))
def test_rotation(value):
    seed(value)
    got = T.RandomRotation(30, expand=True)(IMAGE)
    assert np.array_equal(np.asarray(got), np.asarray(IMAGE.rotate(uniform(-30, 30), expand=True))) and same_state()


@pytest.mark.parametrize("value", range(3))
def test_affine(value):
    seed(value)
    got = T.RandomAffine(15, translate=(0.1, 0.2), scale=(0.8, 1.2), shear=(-5, 5, -3, 3))(IMAGE)
    angle = uniform(-15, 15)
    moves = [round(uniform(-x, x)) for x in (0.1 * 23, 0.2 * 17)]
    scale = uniform(0.8, 1.2)
    shear = [uniform(-5, 5), uniform(-3, 3)]
    assert np.array_equal(np.asarray(got), np.asarray(F.affine(IMAGE, angle, moves, scale, shear, fill=0))) and same_state()


@pytest.mark.parametrize("value", range(4))
def test_perspective(value):
    seed(value)
    got = T.RandomPerspective(0.5)(IMAGE)
    if torch.rand(1).item() >= 0.5:
        assert got is IMAGE and same_state()
        return
    across, down = int(0.5 * 11) + 1, int(0.5 * 8) + 1
    places = [[below(across), below(down)], [below(23, 23 - across), below(down)]]
    places += [[below(23, 23 - across), below(17, 17 - down)], [below(across), below(17, 17 - down)]]
    expected = F.perspective(IMAGE, [[0, 0], [22, 0], [22, 16], [0, 16]], places, fill=0)
    assert np.array_equal(np.asarray(got), np.asarray(expected)) and same_state()


@pytest.mark.parametrize("value", range(3))
def test_colour_jitter(value):
    seed(value)
    got = T.ColorJitter(0.4, (0.5, 1.5), 0.2, 0.1)(IMAGE)
    order = torch.randperm(4).tolist()
    factors = [uniform(0.6, 1.4), uniform(0.5, 1.5), uniform(0.8, 1.2), uniform(-0.1, 0.1)]
    expected = IMAGE
    for i in order:
        expected = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)[i](expected, factors[i])
    assert np.array_equal(np.asarray(got), np.asarray(expected)) and same_state()
    assert T.ColorJitter().brightness is None
    with pytest.raises(ValueError, match="hue"):
        T.ColorJitter(hue=0.7)


@pytest.mark.parametrize("value", range(4))
@pytest.mark.parametrize("fill", [0, "random", [0.1, 0.2, 0.3]], ids=str)
def test_erasing(value, fill):
    seed(value)
    got = T.RandomErasing(0.8, value=fill)(TENSOR)
    expected = torch.from_numpy(TENSOR.numpy().copy())
    if torch.rand(1).item() < 0.8:
        low, high = torch.log(torch.tensor((0.3, 3.3))).tolist()
        while True:
            area = 17 * 23 * uniform(0.02, 0.33)
            aspect = torch.exp(torch.empty(1).uniform_(low, high)).item()
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if height < 17 and width < 23:
                break
        values = torch.empty(3, height, width).normal_() if fill == "random" else torch.tensor(fill if fill else [0.0])[:, None, None]
        top = below(17 - height + 1)
        left = below(23 - width + 1)
        expected[:, top : top + height, left : left + width] = values
    assert np.allclose(got.numpy(), expected.numpy(), atol=1e-6) and same_state()


def test_blur():
    seed(4)
    got = T.GaussianBlur(3, (0.5, 2.0))(IMAGE)
    assert np.array_equal(np.asarray(got), np.asarray(F.gaussian_blur(IMAGE, 3, uniform(0.5, 2.0)))) and same_state()


@pytest.mark.parametrize("value", range(4))
def test_several(value):
    flips = [T.RandomHorizontalFlip(1.0), T.RandomVerticalFlip(1.0)]
    flipped = [PIXELS[:, ::-1], PIXELS[::-1]]
    seed(value)
    got = np.asarray(T.RandomApply(flips, 0.6)(IMAGE))
    assert np.array_equal(got, PIXELS if 0.6 < torch.rand(1).item() else PIXELS[::-1, ::-1])
    random.seed(value)
    got = np.asarray(T.RandomChoice(flips, p=[1, 3])(IMAGE))
    random.seed(value)
    assert np.array_equal(got, random.choices(flipped, weights=[1, 3])[0])
    names = []
    notes = [T.Lambda(lambda image, name=name: names.append(name) or image) for name in "abc"]
    random.seed(value)
    T.RandomOrder(notes)(IMAGE)
    random.seed(value)
    order = [0, 1, 2]
    random.shuffle(order)
    assert names == ["abc"[i] for i in order]


def test_repr():
    assert repr(T.RandomResizedCrop(8)) == (
        "RandomResizedCrop(size=(8, 8), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, antialias=True)")
    assert repr(T.RandomHorizontalFlip(0.3)) == "RandomHorizontalFlip(p=0.3)"
    assert repr(T.RandomRotation(5)) == "RandomRotation(degrees=[-5.0, 5.0], interpolation=nearest, expand=False, fill=0)"
