"""What all data sets of images share: root, transforms and how they print; the message for files that are not there."""

from pathlib import Path

from ...utils.data import Dataset

__all__ = ["StandardTransform", "VisionDataset", "missing_files"]


class StandardTransform:
    """A transform of the image and one of the target, as one function of both."""

    def __init__(self, transform=None, target_transform=None):
        self.transform, self.target_transform = transform, target_transform

    def __call__(self, input, target):
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self):
        lines = [type(self).__name__]
        for title, function in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if function is not None:
                lines.append(indented(title, function))
        return "\n".join(lines)


def indented(title, value):
    """`title` and the repr of `value`, its further lines under the first."""
    return title + repr(value).replace("\n", "\n" + " " * len(title))


class VisionDataset(Dataset):
    """Base of the data sets of images.

    Args:
        root: folder of the files.
        transforms: called with image and target, gives both.
        transform: called with the image alone.
        target_transform: called with the target alone.

    Raises:
        ValueError: `transforms` beside one of the other two.
    """

    def __init__(self, root=None, transforms=None, transform=None, target_transform=None):
        separate = transform is not None or target_transform is not None
        if transforms is not None and separate:
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.root = str(Path(root).expanduser()) if root is not None else root
        self.transform, self.target_transform = transform, target_transform
        self.transforms = StandardTransform(transform, target_transform) if separate else transforms

    def __getitem__(self, index):
        raise NotImplementedError

    def __len__(self):
        raise NotImplementedError

    def transformed(self, image, target):
        """Image and target as the program gets them."""
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        if self.transforms is not None and not isinstance(self.transforms, StandardTransform):
            image, target = self.transforms(image, target)
        return image, target

    def extra_repr(self):
        return ""

    def __repr__(self):
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        return "\n".join([f"Dataset {type(self).__name__}", *(" " * 4 + entry for entry in body)])


def missing_files(name, folder, files, download):
    """The error for files that are not where they should be."""
    asked = " (download=True: nothing is downloaded here)" if download else ""
    return RuntimeError(f"{name}: the files are not there{asked}; put {', '.join(files)} into {folder}")
