"""fastgrad.jit: TorchScript's names. Scripting and tracing give back what they get; saving a program without its source is refused."""

import functools

from ._once import warn_once
from .nn import Module

__all__ = ["ScriptFunction", "ScriptModule", "annotate", "export", "fork", "freeze", "ignore", "is_scripting", "is_tracing", "isinstance", "load",
           "optimize_for_inference", "save", "script", "script_if_tracing", "trace", "trace_module", "unused", "wait"]

_isinstance = isinstance
AS_IT_IS = "torch.jit: fastgrad runs functions and modules as they are; script and trace give them back."


class ScriptModule(Module):
    """A Module that a program may derive from.  What `script` and `trace` give back is none: it has no program of its own."""


class ScriptFunction:
    """For isinstance: what no function is here."""


def script(obj, optimize=None, _frames_up=0, _rcb=None, example_inputs=None):
    """The function, module or class itself; the first call warns."""
    warn_once(AS_IT_IS)
    return obj


def trace(func, example_inputs=None, optimize=None, check_trace=True, check_inputs=None, check_tolerance=1e-5, strict=True, **more):
    """The function or module itself, once it has run with example_inputs; the first call warns."""
    warn_once(AS_IT_IS)
    if example_inputs is not None:
        func(*example_inputs) if _isinstance(example_inputs, (tuple, list)) else func(example_inputs)
    return func


def trace_module(mod, inputs, *args, **kwargs):
    """The module itself; the first call warns."""
    warn_once(AS_IT_IS)
    return mod


def _itself(fn):
    """The argument itself."""
    return fn


export = script_if_tracing = _itself


def ignore(drop=False, **kwargs):
    """The function itself, as a decorator with or without arguments."""
    return drop if callable(drop) else _itself


unused = _itself


def freeze(mod, preserved_attrs=None, optimize_numerics=True):
    """The module itself."""
    return mod


def optimize_for_inference(mod, other_methods=None):
    """The module itself."""
    return mod


def annotate(the_type, the_value):
    """The value."""
    return the_value


def isinstance(obj, target_type):
    """Whether obj is of the type, or of one of them."""
    return _isinstance(obj, tuple(target_type) if _isinstance(target_type, (list, tuple)) else target_type)


def is_scripting():
    """False."""
    return False


is_tracing = is_scripting


class _Done:
    """The result of `fork`, which has run its function already."""

    def __init__(self, value):
        self.result = value

    def value(self):
        return self.result

    wait = value


def fork(func, *args, **kwargs):
    """Run the function now; `wait` gives its result."""
    return _Done(func(*args, **kwargs))


def wait(future):
    """What the function given to `fork` returned."""
    return future.wait()


def _refuse(name):
    @functools.wraps(_refuse)
    def refused(*args, **kwargs):
        raise NotImplementedError(f"torch.jit.{name}: programs without their source are not supported. Save the state_dict, and keep the class.")

    refused.__name__ = refused.__qualname__ = name
    refused.__doc__ = "Refused: raises NotImplementedError."
    return refused


save, load = _refuse("save"), _refuse("load")
