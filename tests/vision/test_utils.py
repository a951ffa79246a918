"""Grids of images and image files: against NumPy and Pillow; and the way in, `import torchvision`."""

import io
import subprocess
import sys

import numpy as np
import pytest

import fastgrad
from fastgrad.vision import io as vision_io
from fastgrad.vision.utils import make_grid, save_image

Image = pytest.importorskip("PIL.Image")

BATCH = np.random.default_rng(0).random((7, 3, 4, 5)).astype(np.float32)


def pasted(images, columns, padding, background):
    rows = -(-len(images) // columns)
    channels, height, width = images[0].shape
    grid = np.full((channels, rows * (height + padding) + padding, columns * (width + padding) + padding), background, np.float32)
    for i, image in enumerate(images):
        top, left = (i // columns) * (height + padding) + padding, (i % columns) * (width + padding) + padding
        grid[:, top : top + height, left : left + width] = image
    return grid


@pytest.mark.parametrize(("columns", "padding", "background"), [(8, 2, 0.0), (3, 1, 0.5), (2, 0, 0.0)])
def test_grid(columns, padding, background):
    tensor = fastgrad.from_numpy(BATCH)
    expected = pasted(BATCH, min(columns, 7), padding, background)
    assert np.array_equal(make_grid(tensor, columns, padding, pad_value=background).numpy(), expected)
    assert np.array_equal(make_grid(list(tensor), columns, padding, pad_value=background).numpy(), expected)
    assert np.array_equal(tensor.numpy(), BATCH)


@pytest.mark.parametrize("options", [{}, {"value_range": (0.2, 0.7)}, {"scale_each": True}], ids=str)
def test_normalized_grid(options):
    low, high = options.get("value_range", (BATCH.min(), BATCH.max()))
    if options.get("scale_each"):
        low, high = BATCH.min((1, 2, 3), keepdims=True), BATCH.max((1, 2, 3), keepdims=True)
    expected = pasted((BATCH.clip(low, high) - low) / (high - low), 7, 2, 0.0)
    assert np.allclose(make_grid(fastgrad.from_numpy(BATCH), normalize=True, **options).numpy(), expected, atol=1e-6)


def test_single_images_and_gray_ones():
    tensor = fastgrad.from_numpy(BATCH)
    assert np.array_equal(make_grid(tensor[0]).numpy(), BATCH[0])
    assert np.array_equal(make_grid(tensor[0, 0]).numpy(), np.stack([BATCH[0, 0]] * 3))
    assert np.array_equal(make_grid(tensor[:, :1]).numpy(), pasted(BATCH[:, [0, 0, 0]], 7, 2, 0.0))
    with pytest.raises(TypeError, match="list of tensors expected"):
        make_grid(3)


def test_save_image(tmp_path):
    save_image(fastgrad.from_numpy(BATCH * 1.2), tmp_path / "grid.png", nrow=4)
    expected = (pasted(BATCH * 1.2, 4, 2, 0.0) * 255 + 0.5).clip(0, 255).astype(np.uint8)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "grid.png")), expected.transpose(1, 2, 0))
    file = io.BytesIO()
    save_image(fastgrad.zeros(3, 2, 2), file, format="png")
    assert file.getvalue()[1:4] == b"PNG"


def test_image_files(tmp_path):
    pixels = (BATCH[0] * 255).astype(np.uint8)
    vision_io.write_png(fastgrad.from_numpy(pixels), tmp_path / "a.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels.transpose(1, 2, 0))
    assert np.array_equal(vision_io.read_image(str(tmp_path / "a.png")).numpy(), pixels)
    gray = vision_io.read_image(tmp_path / "a.png", vision_io.ImageReadMode.GRAY)
    assert np.array_equal(gray.numpy()[0], np.asarray(Image.open(tmp_path / "a.png").convert("L")))
    assert vision_io.decode_image(vision_io.encode_jpeg(fastgrad.from_numpy(pixels)), "RGB_ALPHA").shape == (4, 4, 5)
    with pytest.raises(RuntimeError, match="bytes must be an image"):
        vision_io.decode_image(fastgrad.zeros(9, dtype=fastgrad.uint8))
    with pytest.raises(RuntimeError, match="encode_png: needs"):
        vision_io.encode_png(fastgrad.zeros(3, 2, 2))


PROGRAM = """
import torchvision, torch
import torchvision.transforms as transforms
import torchvision.transforms.functional as TF
from torchvision import datasets, models, utils
from torchvision.models.googlenet import Inception
from torchvision.models.resnet import BasicBlock
from torchvision.transforms.v2 import functional
import torchvision.models.alexnet
assert models.alexnet is torchvision.models.alexnet and callable(models.alexnet) and callable(models.googlenet)
assert Inception.__module__.endswith("googlenet") and issubclass(BasicBlock, torch.nn.Module)
try:
    from torchvision import ops
    ops.nms
except (ImportError, AttributeError) as error:
    print(type(error).__name__)
"""


def test_import_torchvision():
    done = subprocess.run([sys.executable, "-m", "fastgrad", "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "ImportError"


def test_pillow_is_asked_for_when_it_is_needed():
    code = "import sys; sys.modules['PIL'] = None\nfrom fastgrad.vision import transforms, utils\nimport fastgrad\n"
    code += "print(transforms.Normalize((0.5,), (0.5,))(fastgrad.zeros(1, 2, 2)).sum().item())\nutils.save_image(fastgrad.zeros(3, 2, 2), 'x.png')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "-4.0" and "ImportError: save_image: needs Pillow: pip install pillow" in done.stderr
