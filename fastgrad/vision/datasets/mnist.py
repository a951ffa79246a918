"""MNIST and the data sets that share its file format, IDX: big-endian magic number, sizes, bytes."""

import gzip
import struct
from pathlib import Path

from .base import VisionDataset, missing_files
from .._pillow import pillow

__all__ = ["EMNIST", "FashionMNIST", "KMNIST", "MNIST", "read_idx"]

# The third byte of the magic number tells the type; the data sets here hold bytes.
UNSIGNED_BYTE = 0x08


def read_idx(path):
    """The array of an IDX file of bytes, packed with gzip or not, as a tensor.

    Raises:
        ValueError: it is no such file, or shorter than its sizes say.
    """
    import numpy as np

    from ... import from_numpy

    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    zeros, kind, dimensions = struct.unpack_from(">HBB", data) if len(data) >= 4 else (1, 0, 0)
    if zeros or kind != UNSIGNED_BYTE or len(data) < 4 + 4 * dimensions:
        raise ValueError(f"read_idx: {path} is not an IDX file of bytes")
    sizes = struct.unpack_from(f">{dimensions}I", data, 4)
    begin, count = 4 + 4 * dimensions, int(np.prod(sizes))
    if len(data) < begin + count:
        raise ValueError(f"read_idx: {path} must hold {count} values, got {len(data) - begin}")
    return from_numpy(np.frombuffer(data, np.uint8, count, begin).reshape(sizes).copy())


class MNIST(VisionDataset):
    """Handwritten digits, 28x28.

    Args:
        root: the files are in root/MNIST/raw, as torchvision leaves them, with or without `.gz`.
        train: the 60,000 images to learn from, or the 10,000 to test with.
        transform, target_transform: called with the PIL image, with the label.
        download: accepted if the files are there.

    Raises:
        RuntimeError: the files are not there.

    Example:
        train = torchvision.datasets.MNIST("data", transform=torchvision.transforms.ToTensor())
    Source: Y. LeCun, C. Cortes, C. Burges, The MNIST database of handwritten digits.
    """

    training_file, test_file = "training.pt", "test.pt"
    classes = [f"{i} - {name}" for i, name in enumerate("zero one two three four five six seven eight nine".split())]

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        prefix = self.prefix()
        files = [f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"]
        paths = [self.find(name) for name in files]
        if None in paths:
            raise missing_files(type(self).__name__, self.raw_folder, [name + ".gz" for name in files], download)
        self.data, targets = map(read_idx, paths)
        self.targets = targets.long()
        if self.data.ndim != 3 or self.targets.shape != self.data.shape[:1]:
            raise ValueError(f"{type(self).__name__}: sizes of images and labels must agree, got {tuple(self.data.shape)} and {tuple(targets.shape)}")

    def prefix(self):
        """How the names of the files begin."""
        return "train" if self.train else "t10k"

    def find(self, name):
        """The path of a file, packed or not; None if there is neither."""
        paths = [Path(self.raw_folder) / (name + ending) for ending in ("", ".gz")]
        return next((path for path in paths if path.is_file()), None)

    @property
    def raw_folder(self):
        return str(Path(self.root) / type(self).__name__ / "raw")

    @property
    def processed_folder(self):
        return str(Path(self.root) / type(self).__name__ / "processed")

    # names from before 0.2.2
    train_data = test_data = property(lambda self: self.data)
    train_labels = test_labels = property(lambda self: self.targets)

    @property
    def class_to_idx(self):
        return {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index):
        Image, _ = pillow(type(self).__name__)
        return self.transformed(Image.fromarray(self.data[index].numpy()), int(self.targets[index]))

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """Ten kinds of clothes in MNIST's format; root/FashionMNIST/raw. Arguments as of MNIST.

    Source: H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, 2017.
    """

    classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]


class KMNIST(MNIST):
    """Ten cursive Japanese letters in MNIST's format; root/KMNIST/raw. Arguments as of MNIST.

    Source: T. Clanuwat et al., Deep learning for classical Japanese literature, 2018.
    """

    classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"]


class EMNIST(MNIST):
    """Handwritten letters and digits in MNIST's format; root/EMNIST/raw/emnist-SPLIT-train-images-idx3-ubyte and so on.

    Args:
        root: as of MNIST.
        split: "byclass", "bymerge", "balanced", "letters", "digits" or "mnist".
        **kwargs: as of MNIST.

    Source: G. Cohen et al., EMNIST, 2017.
    """

    splits = ("byclass", "bymerge", "balanced", "letters", "digits", "mnist")
    # Letters whose small form looks like the large one are one class in the merged splits.
    _merged = set("cijklmopsuvwxyz")
    _all = [chr(code) for first, last in ("09", "AZ", "az") for code in range(ord(first), ord(last) + 1)]
    classes_split_dict = {
        "byclass": sorted(_all),
        "bymerge": sorted(set(_all) - _merged),
        "balanced": sorted(set(_all) - _merged),
        "letters": ["N/A", *"abcdefghijklmnopqrstuvwxyz"],
        "digits": list("0123456789"),
        "mnist": list("0123456789"),
    }

    def __init__(self, root, split, **kwargs):
        if split not in self.splits:
            raise ValueError(f"Unknown value '{split}' for argument split. Valid values are {self.splits}.")
        self.split, self.classes = split, self.classes_split_dict[split]
        super().__init__(root, **kwargs)

    def prefix(self):
        return f"emnist-{self.split}-{'train' if self.train else 'test'}"
