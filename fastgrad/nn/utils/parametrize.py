"""Parametrizations: a module's tensor becomes a function of others; torch.nn.utils.parametrize.

A parametrized module gets a class of its own, derived from its class, whose property of the tensor's name computes it. What it is
computed from is in the module's `parametrizations`.
"""

from collections.abc import Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy

import fastgrad as fg
from fastgrad._engine import Tensor

from ..modules.container import ModuleDict, ModuleList
from ..modules.module import Module
from ..parameter import Parameter

__all__ = ["ParametrizationList", "cached", "is_parametrized", "register_parametrization", "remove_parametrizations",
           "transfer_parametrizations_and_params", "type_before_parametrizations"]

_cache = {}                 # (module's id, name) -> value, while `blocks` is not 0
_state = {"blocks": 0}
NO_PICKLE = ("Serialization of parametrized modules is only supported through state_dict(). See:\n"
             "https://pytorch.org/tutorials/beginner/saving_loading_models.html#saving-loading-a-general-checkpoint-for-inference-and-or-"
             "resuming-training")


@contextmanager
def cached():
    """A block in which parametrized tensors are computed once, at their first use."""
    _state["blocks"] += 1
    try:
        yield
    finally:
        _state["blocks"] -= 1
        if not _state["blocks"]:
            _cache.clear()


def _register(module, name, tensor):
    if isinstance(tensor, Parameter):
        module.register_parameter(name, tensor)
    else:
        module.register_buffer(name, tensor)


@fg.no_grad()
def _start(parametrizations, tensor):
    """What the parametrizations make `tensor` of; one without right_inverse leaves it as it is."""
    for module in reversed(parametrizations):
        with suppress(NotImplementedError):
            tensor = module.right_inverse(tensor) if hasattr(module, "right_inverse") else tensor
    return tensor


class ParametrizationList(ModuleList):
    """The parametrizations of one tensor, applied in order, and what they start from: `original`, or `original0`, `original1`, ...

    Args:
        modules: the parametrizations. original: the tensor. unsafe: shape and dtype may change.
    Raises: ValueError for parametrizations that do not fit the tensor.
    """

    def __init__(self, modules, original, unsafe=False):
        if not len(modules):
            raise ValueError("ParametrizationList requires one or more modules.")
        super().__init__(modules)
        self.unsafe = unsafe
        shape, dtype = original.shape, original.dtype
        new = _start(self, original)
        if not isinstance(new, (Tensor, Sequence)):
            raise ValueError(f"'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got {type(new).__name__}")
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = len(new) if not self.is_tensor else 1
        if self.is_tensor:
            if original.dtype != new.dtype:
                raise ValueError("When `right_inverse` outputs one tensor, it may not change the dtype.\n"
                                 f"original.dtype: {original.dtype}\nright_inverse(original).dtype: {new.dtype}")
            original.data = new.detach()
            _register(self, "original", original)
        else:
            for i, one in enumerate(new):
                if not isinstance(one, Tensor):
                    raise ValueError("'right_inverse' must return a Tensor or a Sequence of tensors (list, tuple...). Got element "
                                     f"{i} of the sequence with type {type(one).__name__}.")
                one = one.detach()
                _register(self, f"original{i}", Parameter(one, original.requires_grad) if isinstance(original, Parameter) else one)
        if not unsafe:
            _check_result(self(), shape, dtype)

    def right_inverse(self, value):
        """Change the originals so that the tensor becomes `value`."""
        with fg.no_grad():
            for module in reversed(self):
                if not hasattr(module, "right_inverse"):
                    raise RuntimeError(f"parametrization {type(module).__name__} does not implement right_inverse.")
                value = module.right_inverse(value)
            if self.is_tensor:
                if not isinstance(value, Tensor):
                    raise ValueError(f"`right_inverse` should return a tensor. Got {type(value).__name__}")
                self._assign("original", value)
                return
            if not isinstance(value, Sequence):
                raise ValueError(f"'right_inverse' must return a sequence of tensors. Got {type(value)}.")
            if len(value) != self.ntensors:
                raise ValueError(f"'right_inverse' must return a sequence of tensors of length {self.ntensors}. Got a sequence of length "
                                 f"{len(value)}.")
            for i, one in enumerate(value):
                if not isinstance(one, Tensor):
                    raise ValueError(f"`right_inverse` must return a sequence of tensors. Got element {i} of type {type(one).__name__}")
                self._assign(f"original{i}", one)

    def _assign(self, name, value):
        original = getattr(self, name)
        if original.dtype != value.dtype:
            raise ValueError(f"The tensor returned by `right_inverse` has dtype {value.dtype} while `{name}` has dtype {original.dtype}")
        original.data = value.detach()

    def forward(self):
        originals = (self.original,) if self.is_tensor else [getattr(self, f"original{i}") for i in range(self.ntensors)]
        value = self[0](*originals)
        for module in list(self)[1:]:
            value = module(value)
        return value


def _check_result(result, shape, dtype):
    if not isinstance(result, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
    if result.dtype != dtype:
        raise ValueError("Registering a parametrization may not change the dtype of the tensor, unless `unsafe` flag is enabled.\n"
                         f"unparametrized dtype: {dtype}\nparametrized dtype: {result.dtype}")
    if result.shape != shape:
        raise ValueError("Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is enabled.\n"
                         f"unparametrized shape: {shape}\nparametrized shape: {result.shape}")


def _check_kept(value, result, message, name, other):
    """The dtype and the shape of the module's tensor and of another agree; {what} in the texts stands for either."""
    for what in ("dtype", "shape"):
        before, after = getattr(value, what), getattr(result, what)
        if after != before:
            raise ValueError(f"{message.format(what=what)}, unless the `unsafe` flag is enabled.\nmodule.{name}.{what}: {before}\n"
                             f"{other.format(what=what)}: {after}")


def _check_addition(module, name, parametrization):
    """Another parametrization must keep what the module's tensor is."""
    value = getattr(module, name)
    result = parametrization(value)
    if not isinstance(result, Tensor):
        raise ValueError(f"A parametrization must return a tensor. Got {type(result).__name__}.")
    _check_kept(value, result, "Registering a parametrization may not change the {what} of the tensor", name, f"parametrization(module.{name}).{{what}}")
    if not hasattr(parametrization, "right_inverse"):
        return
    try:
        back = parametrization.right_inverse(result)
    except NotImplementedError:
        return
    if not isinstance(back, Tensor):
        raise ValueError(f"parametrization.right_inverse must return a tensor. Got: {type(back).__name__}")
    _check_kept(value, back, f"The tensor returned by parametrization.right_inverse must have the same {{what}} as module.{name}", name,
                "returned {what}")


def _own_class(module):
    """Give the module a class of its own, which can have properties."""
    cls = type(module)

    def refuse_pickle(self):
        raise RuntimeError(NO_PICKLE)

    def copy(self, memo):
        new = memo[id(self)] = type(self).__new__(type(self))
        new.__setstate__(deepcopy(Module.__getstate__(self), memo))
        return new

    members = {"__getstate__": refuse_pickle}
    if not hasattr(cls, "__deepcopy__"):
        members["__deepcopy__"] = copy
    module.__class__ = type(f"Parametrized{cls.__name__}", (cls,), members)


def _make_property(module, name):
    def get(self):
        if not _state["blocks"]:
            return self.parametrizations[name]()
        key = id(self), name
        if key not in _cache:
            _cache[key] = self.parametrizations[name]()
        return _cache[key]

    def set(self, value):
        self.parametrizations[name].right_inverse(value)

    setattr(type(module), name, property(get, set))


def register_parametrization(module, tensor_name, parametrization, *, unsafe=False):
    """Let module's parameter or buffer be what a parametrization makes of it.

    Args:
        module: the module. tensor_name: the attribute's name.
        parametrization: a module from the tensor to a tensor; `right_inverse`, if it has one, makes assigning possible.
        unsafe: do not check that shape and dtype are kept.

    Returns: module, which has a class of its own now.
    Raises: ValueError where the parametrization does not fit or there is no such tensor.
    Example:
        >>> class Symmetric(fastgrad.nn.Module):
        ...     def forward(self, x):
        ...         return x.triu() + x.triu(1).T
        >>> layer = fastgrad.nn.utils.parametrize.register_parametrization(fastgrad.nn.Linear(3, 3), "weight", Symmetric())
        >>> bool((layer.weight == layer.weight.T).all())
        True
    """
    parametrization.train(module.training)
    known = is_parametrized(module, tensor_name)
    if known and not unsafe:
        _check_addition(module, tensor_name, parametrization)
    if known:
        module.parametrizations[tensor_name].append(parametrization)
        module.parametrizations[tensor_name].unsafe |= unsafe
    elif tensor_name in module._buffers or tensor_name in module._parameters:
        parametrizations = ParametrizationList([parametrization], getattr(module, tensor_name), unsafe=unsafe)
        delattr(module, tensor_name)
        if not is_parametrized(module):
            _own_class(module)
            module.parametrizations = ModuleDict()
        _make_property(module, tensor_name)
        module.parametrizations[tensor_name] = parametrizations
    else:
        raise ValueError(f"Module '{module}' does not have a parameter, a buffer, or a parametrized element with name '{tensor_name}'")
    return module


def is_parametrized(module, tensor_name=None):
    """Whether the module has a parametrization, or one of that tensor."""
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, ModuleDict):
        return False
    return len(parametrizations) > 0 if tensor_name is None else tensor_name in parametrizations


def remove_parametrizations(module, tensor_name, leave_parametrized=True):
    """Take a tensor's parametrizations off; it keeps its value, or with leave_parametrized=False gets back its original.

    Returns: module, which has its old class again once nothing is parametrized.
    Raises: ValueError where nothing is parametrized, or the original is several tensors.
    """
    if not is_parametrized(module, tensor_name):
        raise ValueError(f"Module {module} does not have a parametrization on {tensor_name}")
    parametrizations = module.parametrizations[tensor_name]
    if parametrizations.is_tensor:
        original = parametrizations.original
        if leave_parametrized:
            with fg.no_grad():
                original.data = getattr(module, tensor_name).detach()
    elif leave_parametrized:
        value = getattr(module, tensor_name)
        original = Parameter(value.detach()) if value.requires_grad else value
    else:
        raise ValueError("Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a sequence of "
                         "tensors.")
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        delattr(module, "parametrizations")
        module.__class__ = type(module).__bases__[0]
    _register(module, tensor_name, original)
    return module


def type_before_parametrizations(module):
    """The class of the module without its parametrizations."""
    return type(module).__bases__[0] if is_parametrized(module) else type(module)


def transfer_parametrizations_and_params(from_module, to_module, tensor_name=None):
    """Give to_module the parametrizations of from_module, of one tensor or of all, and their originals' values.

    Raises: ValueError where from_module has no parametrization.
    """
    if not is_parametrized(from_module):
        return to_module
    names = from_module.parametrizations if tensor_name is None else [tensor_name]
    for name in names:
        theirs = from_module.parametrizations[name]
        if not hasattr(to_module, name):
            setattr(to_module, name, Parameter(getattr(from_module, name).detach()))
        for parametrization in theirs:
            register_parametrization(to_module, name, parametrization, unsafe=theirs.unsafe)
        mine = to_module.parametrizations[name]
        for key in ("original",) if theirs.is_tensor else [f"original{i}" for i in range(theirs.ntensors)]:
            setattr(mine, key, getattr(theirs, key))
    return to_module
