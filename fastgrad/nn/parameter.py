"""Parameter and Buffer: tensors that a Module registers when they are assigned to it.

A Parameter is a Python subclass of Tensor that shares the storage of the tensor it is made from; operations on it give
plain Tensors. A Buffer, and a Parameter made from a tensor of a user's own subclass, keep their class and carry a mark in
their attributes; `isinstance` sees the mark.
"""

from collections import OrderedDict

import fastgrad as fg
from fastgrad import _engine
from fastgrad._engine import Tensor
from fastgrad._methods import disabled_torch_function

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]

# What a tensor without a shape still can do.
WITHOUT_SHAPE = {"half", "float", "double", "char", "short", "int", "long", "bfloat16", "bool", "to", "cpu", "cuda", "size", "copy_"}


class _MarkedType(type(Tensor)):
    def __instancecheck__(cls, instance):
        if super().__instancecheck__(instance):
            return True
        mark = cls.__dict__.get("_mark")  # not inherited: a subclass of Parameter has instances of its own only
        return mark is not None and isinstance(instance, Tensor) and mark in instance.__dict__


class Parameter(Tensor, metaclass=_MarkedType):
    """A tensor that is a parameter of the module it is assigned to.

    Args:
        data: tensor of any shape and floating dtype; its memory is shared. None means an empty float tensor.
        requires_grad: whether gradients are accumulated in it.

    Example:
        >>> fastgrad.nn.Parameter(fastgrad.zeros(2))
        Parameter containing:
        tensor([0., 0.], requires_grad=True)
    """

    _mark = "_is_param"
    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, requires_grad=True):
        if not isinstance(requires_grad, bool):
            raise TypeError(f"Parameter(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")
        if data is None:
            data = fg.empty(0)
        if type(data) is Tensor or type(data) is Parameter:
            return Tensor._make_subclass(cls, data, requires_grad)
        marked = data.detach().requires_grad_(requires_grad)
        if type(marked) is not type(data):
            raise RuntimeError(
                f"Parameter: detach() of a {type(data).__name__} must return a {type(data).__name__}, "
                f"got a {type(marked).__name__}."
            )
        marked._is_param = True
        return marked

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.data.clone(), self.requires_grad)
        return memo[id(self)]

    def __repr__(self):
        return "Parameter containing:\n" + super().__repr__()

    def __reduce_ex__(self, protocol):
        parts = (self.data, self.requires_grad, OrderedDict())
        attributes = dict(self.__dict__)
        if attributes:
            return _rebuild_parameter_with_state, (*parts, attributes)
        return _rebuild_parameter, parts


def _rebuild_parameter(data, requires_grad, backward_hooks):
    # The third argument, always empty, keeps the form in which PyTorch pickles a parameter.
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, backward_hooks, state):
    parameter = _rebuild_parameter(data, requires_grad, backward_hooks)
    parameter.__dict__.update(state)
    return parameter


class Buffer(Tensor, metaclass=_MarkedType):
    """A tensor that is a buffer of the module it is assigned to: part of its state, not of its parameters.

    Args:
        data: tensor of any shape and dtype; its memory is shared. None means an empty float tensor.
        persistent: whether it appears in the module's `state_dict`.

    Example:
        >>> module.running_mean = fastgrad.nn.Buffer(fastgrad.zeros(3))
    """

    _mark = "_is_buffer"
    __torch_function__ = disabled_torch_function

    def __new__(cls, data=None, *, persistent=True):
        if data is None:
            data = fg.empty(0)
        buffer = data.detach().requires_grad_(data.requires_grad)
        buffer.persistent = persistent
        buffer._is_buffer = True
        return buffer


class UninitializedTensorMixin:
    """A parameter or buffer whose shape is not known yet: `materialize` gives it one, and its ordinary class.

    While one is about, operations show their arguments, and one among them is refused.
    """

    _becomes = None

    def materialize(self, shape, device=None, dtype=None):
        """Take memory for a shape; the values are arbitrary."""
        self.data = fg.empty(shape, device=device or self.device, dtype=dtype or self.data.dtype)
        self.__del__()
        self.__class__ = self._becomes

    def __del__(self):
        if self.__dict__.pop("_refuses", False):
            _engine._interpose(False)

    @property
    def shape(self):
        raise RuntimeError("Can't access the shape of an uninitialized parameter or buffer. This error usually happens in `load_state_dict` "
                           "when trying to load an uninitialized parameter into an initialized one. Call `forward` to initialize the "
                           "parameters before accessing their attributes.")

    def numel(self):
        return refuse_uninitialized(Tensor.numel, (type(self),), (self,))

    def share_memory_(self):
        raise RuntimeError("Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters before "
                           "calling `module.share_memory()`.")

    def __deepcopy__(self, memo):
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, dtype=self.data.dtype)
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        return type(self), (self.requires_grad, self.data.device, self.data.dtype)

    def __repr__(self):
        return f"<{type(self).__name__}>"


def refuse_uninitialized(func, types, args=(), kwargs=None):
    """The __torch_function__ of tensors without a shape."""
    name = getattr(func, "__name__", str(func))
    if name in WITHOUT_SHAPE:
        from fastgrad.overrides import DisableTorchFunctionSubclass

        with DisableTorchFunctionSubclass():
            result = func(*args, **(kwargs or {}))
        converted = type(result) is Tensor and is_lazy(args[0])
        return type(args[0])(args[0].requires_grad, dtype=result.dtype) if converted else result
    raise ValueError(f"Attempted to use an uninitialized parameter in {name}. This error happens when you are using a `LazyModule` or explicitly "
                     f"manipulating `torch.nn.parameter.{types[0].__name__}` objects. When using LazyModules Call `forward` with a dummy batch "
                     "to initialize the parameters before calling torch functions")


def is_lazy(param):
    """Whether a parameter or buffer has no shape yet."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter of a lazy module, before its first input."""

    _becomes = Parameter

    def __new__(cls, requires_grad=True, device=None, dtype=None):
        return without_shape(cls, requires_grad, device, dtype)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A buffer of a lazy module, before its first input."""

    _becomes = Buffer

    def __new__(cls, requires_grad=False, device=None, dtype=None, persistent=True):
        buffer = without_shape(cls, requires_grad, device, dtype)
        buffer.persistent = persistent
        return buffer


def without_shape(cls, requires_grad, device, dtype):
    tensor = Tensor._make_subclass(cls, fg.empty(0, device=device, dtype=dtype), requires_grad)
    _engine._interpose(True)
    tensor._refuses = True
    return tensor


# Set here, since a class defined with a say in operations has it for good.
UninitializedParameter.__torch_function__ = UninitializedBuffer.__torch_function__ = refuse_uninitialized
