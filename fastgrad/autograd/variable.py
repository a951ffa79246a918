"""Variable: PyTorch's name for a tensor before 0.4."""

from fastgrad._engine import Tensor

__all__ = ["Variable"]


class _VariableType(type):
    def __instancecheck__(cls, instance):
        return isinstance(instance, Tensor)


class Variable(metaclass=_VariableType):
    """`Variable(tensor)` gives a tensor over the same memory, outside any graph; `isinstance(x, Variable)` asks for a Tensor.

    Args:
        data: a tensor.
        requires_grad: whether gradients are accumulated in the result.
        volatile: what was no_grad once; only False is accepted.
    """

    def __new__(cls, data, requires_grad=False, volatile=False):
        if volatile:
            raise NotImplementedError("Variable: volatile=True is not supported. Use `with no_grad():` instead.")
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        return data.data.requires_grad_(requires_grad)
