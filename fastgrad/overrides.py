"""`__torch_function__`: classes that have a say in operations on their instances.

A subclass of Tensor without one of its own keeps its class through operations. Defining such a class switches on the interposing
(src/core/override.pxi); programs without one pay nothing. An object that is no Tensor is asked only while such a class exists.
"""

import sys
import threading
from functools import wraps

from fastgrad import _engine
from fastgrad._engine import Tensor
from fastgrad._methods import disabled_torch_function

__all__ = ["DisableTorchFunctionSubclass", "TorchFunctionMode", "get_ignored_functions", "get_overridable_functions",
           "handle_torch_function", "has_torch_function", "has_torch_function_unary", "has_torch_function_variadic", "is_tensor_like",
           "is_tensor_method_or_property", "resolve_name", "wrap_torch_function"]

state = threading.local()


class DisableTorchFunctionSubclass:
    """In the block, operations ask no class."""

    def __enter__(self):
        self.before = getattr(state, "disabled", False)
        state.disabled = True

    def __exit__(self, *exception):
        state.disabled = self.before


class TorchFunctionMode:
    """In the block, every operation asks this object's __torch_function__(func, types, args, kwargs), the innermost block first.

    Operations that it calls itself ask the blocks around.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        raise NotImplementedError

    def __enter__(self):
        modes().append(self)
        _engine._interpose(True)
        _engine._override_all(True)
        return self

    def __exit__(self, *exception):
        _engine._override_all(False)
        _engine._interpose(False)
        modes().pop()


def modes():
    """This thread's modes, the outermost first."""
    if not hasattr(state, "modes"):
        state.modes = []
    return state.modes


def shown_to_mode(public_api, args, kwargs):
    """What the innermost mode gives."""
    stack = modes()
    mode = stack.pop()
    try:
        types = tuple(type(t) for t in overloaded((*args, *kwargs.values())))
        return mode.__torch_function__(public_api, types, args, kwargs)
    finally:
        stack.append(mode)


def overloaded(args):
    """The arguments whose class has a say: subclasses first, otherwise from left to right, one of a class."""
    found = []
    for one in args:
        for t in one if isinstance(one, (tuple, list)) else (one,):
            function = getattr(type(t), "__torch_function__", disabled_torch_function)
            if function is disabled_torch_function or type(t) is Tensor or any(type(t) is type(f) for f in found):
                continue
            place = next((i for i, f in enumerate(found) if issubclass(type(t), type(f))), len(found))
            found.insert(place, t)
    return found


def has_torch_function(relevant_args):
    """Whether a class of these arguments has a say."""
    return not getattr(state, "disabled", False) and bool(overloaded(relevant_args))


def handle_torch_function(public_api, relevant_args, *args, **kwargs):
    """What the first class to answer gives."""
    found = overloaded(relevant_args)
    types = tuple(type(t) for t in found)
    for t in found:
        result = type(t).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    raise TypeError(f"Multiple dispatch failed for '{getattr(public_api, '__name__', public_api)}'; all __torch_function__ handlers returned "
                    f"NotImplemented: {list(types)}")


def is_tensor_like(inp):
    """Whether it is a Tensor, or of a class with a __torch_function__."""
    return isinstance(inp, Tensor) or hasattr(type(inp), "__torch_function__")


def has_torch_function_unary(one):
    return has_torch_function((one,))


def has_torch_function_variadic(*relevant_args):
    return has_torch_function(relevant_args)


def wrap_torch_function(dispatcher):
    """Decorates a function: `dispatcher`, called with its arguments, gives those whose classes have a say in it."""
    def decorated(function):
        @wraps(function)
        def wrapped(*args, **kwargs):
            relevant = dispatcher(*args, **kwargs)
            if has_torch_function(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return function(*args, **kwargs)

        return wrapped

    return decorated


def get_overridable_functions():
    """{namespace: the functions in it that ask __torch_function__}."""
    import fastgrad as fg

    found = {}
    for space in (fg, fg.nn.functional, fg.linalg, fg.special, fg.fft, Tensor):
        names = vars(space) if space is Tensor else getattr(space, "__all__", None) or [n for n in dir(space) if n[0] != "_"]
        every = [getattr(space, name, None) for name in names]
        found[space] = [f for f in every if isinstance(f, _engine.Operation)]
    return found


def get_ignored_functions():
    """Functions of the namespace that ask no class: they take no tensors, or make them of numbers."""
    import fastgrad as fg

    names = ("arange as_tensor empty eye from_numpy full get_default_dtype is_grad_enabled is_tensor linspace logspace manual_seed ones rand "
             "randint randn randperm seed set_default_dtype tensor tril_indices triu_indices zeros").split()
    return {getattr(fg, name) for name in names if hasattr(fg, name)}


def is_tensor_method_or_property(func):
    """Whether it is a method, or a property's `__get__`, of Tensor."""
    return func in get_overridable_functions()[Tensor] or getattr(func, "__name__", "") == "__get__"


def resolve_name(f):
    """`torch.add` and the like: where a function is found; None for any other object."""
    import fastgrad as fg

    prefix = {fg: "torch", fg.nn.functional: "torch.nn.functional", fg.linalg: "torch.linalg", fg.special: "torch.special", fg.fft: "torch.fft",
              Tensor: "torch.Tensor"}
    for space, functions in get_overridable_functions().items():
        if any(f is g for g in functions):
            return f"{prefix[space]}.{f.__name__}"
    return None


def kept_class(result, cls):
    if type(result) is Tensor:
        return result.as_subclass(cls)
    if isinstance(result, (tuple, list)) and any(isinstance(one, Tensor) for one in result):
        parts = [kept_class(one, cls) for one in result]
        return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
    return result


def default_torch_function(cls, func, types, args=(), kwargs=None):
    """Tensor's own: the operation, whose results are of class cls."""
    if not all(issubclass(cls, t) for t in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        return result if cls is Tensor else kept_class(result, cls)


def dispatch(operation, args, kwargs):
    """Where a shown call goes: to a mode, to a class that has a say, to forward mode, to vmap, or on its plain way."""
    relevant = (*args, *kwargs.values())
    if getattr(state, "modes", None):
        result = shown_to_mode(getattr(Tensor, operation) if isinstance(operation, str) else operation, args, kwargs)
        if result is not NotImplemented:
            return result
    if has_torch_function(relevant):
        return handle_torch_function(getattr(Tensor, operation) if isinstance(operation, str) else operation, relevant, *args, **kwargs)
    forward = sys.modules.get("fastgrad.autograd.forward_rules")
    if forward is not None and forward.levels and not forward.pauses:
        result = forward.dispatch(operation, args, kwargs)
        if result is not NotImplemented:
            return result
    batching = sys.modules.get("fastgrad.func.batching")
    if batching is not None and batching.levels:
        return batching.dispatch(operation, args, kwargs)
    return _engine._call_plainly(operation, args, kwargs)
