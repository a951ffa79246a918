"""Random images, for trying out a program without data."""

from ... import get_rng_state, int64, manual_seed, randint, randn, set_rng_state
from .base import VisionDataset

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of normal noise with random labels, the same whenever the same index is asked for.

    Args:
        size: how many.
        image_size: shape of an image, (channels, height, width).
        num_classes: labels are below it.
        transform, target_transform: called with the PIL image, with the label.
        random_offset: added to the index to give the seed of an image.

    Raises:
        IndexError: index outside the size.
    """

    def __init__(self, size=1000, image_size=(3, 224, 224), num_classes=10, transform=None, target_transform=None, random_offset=0):
        super().__init__(None, transform=transform, target_transform=target_transform)
        self.size, self.num_classes, self.image_size, self.random_offset = size, num_classes, image_size, random_offset

    def __getitem__(self, index):
        from ..transforms.functional import to_pil_image

        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range")
        state = get_rng_state()
        manual_seed(index + self.random_offset)
        image = randn(*self.image_size)
        target = randint(0, self.num_classes, size=(1,), dtype=int64)[0]
        set_rng_state(state)
        image, target = self.transformed(to_pil_image(image), target)
        return image, target.item() if hasattr(target, "item") else target

    def __len__(self):
        return self.size
