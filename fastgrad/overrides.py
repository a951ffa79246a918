"""`__torch_function__`: classes that have a say in operations on their instances.

A subclass of Tensor without one of its own keeps its class through operations. Defining such a class switches on the interposing
(src/core/override.pxi); programs without one pay nothing. An object that is no Tensor is asked only while such a class exists.
"""

import sys
import threading

from fastgrad import _engine
from fastgrad._engine import Tensor
from fastgrad._methods import disabled_torch_function

__all__ = ["DisableTorchFunctionSubclass", "handle_torch_function", "has_torch_function", "is_tensor_like"]

state = threading.local()


class DisableTorchFunctionSubclass:
    """In the block, operations ask no class."""

    def __enter__(self):
        self.before = getattr(state, "disabled", False)
        state.disabled = True

    def __exit__(self, *exception):
        state.disabled = self.before


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
    """Where a shown call goes: to a class that has a say, to forward mode, to vmap, or on its plain way."""
    relevant = (*args, *kwargs.values())
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
