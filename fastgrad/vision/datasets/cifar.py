"""CIFAR-10 and CIFAR-100 from the pickled batches of their authors."""

import pickle
from pathlib import Path

from .base import VisionDataset, missing_files
from .._pillow import pillow

__all__ = ["CIFAR10", "CIFAR100"]


class ArraysOnly(pickle.Unpickler):
    """Reads dictionaries, lists, strings and NumPy arrays; refuses every other global name."""

    def find_class(self, module, name):
        if module.partition(".")[0] == "numpy" and name in ("_reconstruct", "ndarray", "dtype", "_frombuffer", "scalar"):
            return super().find_class(module, name)
        if (module, name) == ("_codecs", "encode"):  # how protocol 2 writes bytes
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"CIFAR: a batch must hold arrays and lists alone, got {module}.{name}")


def read_batch(path):
    with open(path, "rb") as file:
        return ArraysOnly(file, encoding="latin1").load()


class CIFAR10(VisionDataset):
    """Colour photographs of ten classes, 32x32.

    Args:
        root: the files are in root/cifar-10-batches-py, as torchvision unpacks them.
        train: the 50,000 images to learn from, or the 10,000 to test with.
        transform, target_transform: called with the PIL image, with the label.
        download: accepted if the files are there. Their checksums are not computed.

    Raises:
        RuntimeError: the files are not there.
        pickle.UnpicklingError: a file holds anything but arrays and lists.
    Source: A. Krizhevsky, Learning multiple layers of features from tiny images, 2009.
    """

    base_folder = "cifar-10-batches-py"
    train_list = [f"data_batch_{i}" for i in range(1, 6)]
    test_list = ["test_batch"]
    meta_file, meta_key, label_key = "batches.meta", "label_names", "labels"

    def __init__(self, root, train=True, transform=None, target_transform=None, download=False):
        import numpy as np

        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        folder = Path(self.root) / self.base_folder
        files = [*self.train_list, *self.test_list, self.meta_file]
        if not all((folder / name).is_file() for name in files):
            raise missing_files(type(self).__name__, folder, files, download)
        batches = [read_batch(folder / name) for name in (self.train_list if train else self.test_list)]
        planes = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        self.targets = [label for batch in batches for label in batch[self.label_key]]
        self.classes = read_batch(folder / self.meta_file)[self.meta_key]
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}

    def __getitem__(self, index):
        Image, _ = pillow(type(self).__name__)
        return self.transformed(Image.fromarray(self.data[index]), self.targets[index])

    def __len__(self):
        return len(self.data)

    def extra_repr(self):
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """Colour photographs of a hundred classes, in root/cifar-100-python; otherwise as CIFAR10."""

    base_folder = "cifar-100-python"
    train_list, test_list = ["train"], ["test"]
    meta_file, meta_key, label_key = "meta", "fine_label_names", "fine_labels"
