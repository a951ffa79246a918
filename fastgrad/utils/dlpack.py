"""fastgrad.utils.dlpack: tensors from and to other libraries without a copy."""

from fastgrad import from_dlpack

__all__ = ["from_dlpack", "to_dlpack"]


def to_dlpack(tensor):
    """A DLPack capsule of the tensor's memory."""
    return tensor.__dlpack__()
