"""How nn and optim name an object's type in their error messages."""

from fastgrad._engine import Tensor


def typename(value):
    """The name PyTorch's messages give a value's type, such as `torch.FloatTensor` or `collections.OrderedDict`."""
    if isinstance(value, Tensor):
        return value.type()
    name = getattr(value, "__qualname__", None) or type(value).__name__
    module = getattr(value, "__module__", None)
    return name if module in (None, "builtins") else f"{module}.{name}"
