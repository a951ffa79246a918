"""fastgrad.types: names for annotations; torch.types."""

import builtins
import os
from typing import IO, Union

from fastgrad import Size, Tensor, UntypedStorage as Storage, device, dtype, layout

__all__ = ["Device", "FileLike", "Number", "Storage"]

_int, _float, _bool = builtins.int, builtins.float, builtins.bool
_dtype, _device, _layout, _size = dtype, device, layout, Union[Size, list, tuple]
Number = Union[_int, _float, _bool]
Device = Union[device, str, _int, None]
FileLike = Union[str, os.PathLike, IO[bytes]]
_TensorOrTensors = Union[Tensor, tuple]
