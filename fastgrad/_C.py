"""Names that programs take from PyTorch's compiled module."""

from .linalg import LinAlgError as _LinAlgError

__all__ = ["_LinAlgError"]
