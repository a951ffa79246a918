"""The handwritten digits that come with fastgrad, as tensors: images (1797, 1, 8, 8) in 0..1 and labels (1797,)."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch


def load():
    path = Path(find_spec("fastgrad").origin).parent / "data_files" / "digits.npz"
    with np.load(path) as file:
        images = torch.from_numpy(file["images"].astype(np.float32)).reshape(-1, 1, 8, 8) / 16
        return images, torch.from_numpy(file["labels"].astype(np.int64))
