"""torch.utils.hooks: the handle that registering a hook returns."""

from fastgrad.nn.modules.handle import RemovableHandle

__all__ = ["RemovableHandle"]
