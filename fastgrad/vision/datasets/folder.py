"""Data sets that are folders: one subfolder a class."""

import os
from pathlib import Path

from .base import VisionDataset
from .._pillow import pillow

__all__ = ["DatasetFolder", "IMG_EXTENSIONS", "ImageFolder", "default_loader", "find_classes", "make_dataset"]

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


def has_file_allowed_extension(filename, extensions):
    """True if the name ends, in either case, with one of the extensions."""
    return filename.lower().endswith(extensions if isinstance(extensions, str) else tuple(extensions))


def is_image_file(filename):
    """True if the name ends as an image's does."""
    return has_file_allowed_extension(filename, IMG_EXTENSIONS)


def pil_loader(path):
    """The image of a file, in three colours."""
    Image, _ = pillow("pil_loader")
    with open(path, "rb") as file:
        return Image.open(file).convert("RGB")


default_loader = pil_loader


def find_classes(directory):
    """The sorted names of the subfolders, and the number of each.

    Raises:
        FileNotFoundError: there are none.
    """
    classes = sorted(entry.name for entry in os.scandir(directory) if entry.is_dir())
    if not classes:
        raise FileNotFoundError(f"Couldn't find any class folder in {directory}.")
    return classes, {name: i for i, name in enumerate(classes)}


def make_dataset(directory, class_to_idx=None, extensions=None, is_valid_file=None, allow_empty=False):
    """The files of the classes' folders, however deep, as (path, class) in sorted order.

    Args:
        directory: folder of the classes' folders.
        class_to_idx: the classes and their numbers; by default all subfolders.
        extensions: names must end with one of them; or
        is_valid_file: called with a path.
        allow_empty: a class without files is no error.

    Raises:
        ValueError: both or neither of extensions and is_valid_file; no class.
        FileNotFoundError: a class without files.
    """
    directory = os.path.expanduser(directory)
    if class_to_idx is None:
        class_to_idx = find_classes(directory)[1]
    elif not class_to_idx:
        raise ValueError("'class_to_index' must have at least one entry to collect any samples.")
    if (extensions is None) == (is_valid_file is None):
        raise ValueError("Both extensions and is_valid_file cannot be None or not None at the same time")
    valid = is_valid_file or (lambda path: has_file_allowed_extension(path, extensions))
    samples, empty = [], []
    for name in sorted(class_to_idx):
        found = [
            (path, class_to_idx[name])
            for folder, _, files in sorted(os.walk(os.path.join(directory, name), followlinks=True))
            for path in (os.path.join(folder, file) for file in sorted(files))
            if valid(path)
        ]
        samples += found
        if not found:
            empty.append(name)
    if empty and not allow_empty:
        wanted = f" Supported extensions are: {extensions if isinstance(extensions, str) else ', '.join(extensions)}" if extensions else ""
        raise FileNotFoundError(f"Found no valid file for the classes {', '.join(empty)}.{wanted}")
    return samples


class DatasetFolder(VisionDataset):
    """Samples in folders: root/class/file, however deep.

    Args:
        root: folder of the classes' folders.
        loader: called with a path, gives the sample.
        extensions, is_valid_file: which files count; one of the two.
        transform, target_transform: called with the sample, with the class's number.
        allow_empty: a class without files is no error.

    Attributes: classes, class_to_idx, samples (path and class), targets.
    """

    def __init__(
        self, root, loader, extensions=None, transform=None, target_transform=None, is_valid_file=None, allow_empty=False
    ):
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.classes, self.class_to_idx = self.find_classes(self.root)
        self.samples = self.make_dataset(self.root, self.class_to_idx, extensions, is_valid_file, allow_empty)
        self.loader, self.extensions = loader, extensions
        self.targets = [target for _, target in self.samples]

    @staticmethod
    def make_dataset(directory, class_to_idx, extensions=None, is_valid_file=None, allow_empty=False):
        return make_dataset(directory, class_to_idx, extensions, is_valid_file, allow_empty)

    def find_classes(self, directory):
        return find_classes(directory)

    def __getitem__(self, index):
        path, target = self.samples[index]
        return self.transformed(self.loader(path), target)

    def __len__(self):
        return len(self.samples)


class ImageFolder(DatasetFolder):
    """Images in folders: root/class/image.png, however deep. Arguments as of DatasetFolder.

    Example:
        torchvision.datasets.ImageFolder("photographs", transform=torchvision.transforms.ToTensor())
    """

    def __init__(
        self, root, transform=None, target_transform=None, loader=default_loader, is_valid_file=None, allow_empty=False
    ):
        extensions = IMG_EXTENSIONS if is_valid_file is None else None
        super().__init__(Path(root), loader, extensions, transform, target_transform, is_valid_file, allow_empty)
        self.imgs = self.samples
