"""torchvision.transforms: PIL images and tensors turned, cut, recoloured and converted.

Classes are in deterministic.py and drawn.py, by whether they draw random numbers; they call functional.py, which hands PIL
images to _image.py and tensors to _tensor.py.
"""

from . import deterministic as _deterministic, drawn as _drawn, functional
from .deterministic import *
from .drawn import *
from .functional import InterpolationMode

__all__ = [*_deterministic.__all__, *_drawn.__all__, "InterpolationMode", "functional"]


def __getattr__(name):
    from ..._lazy import submodule

    return submodule(__name__, name, ("v2",))
