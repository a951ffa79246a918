"""fastgrad.compiler: torch.compile, which gives back what it gets: there is no compiler, and no need of one."""

import functools

from ._once import warn_once

__all__ = ["allow_in_graph", "assume_constant_result", "compile", "cudagraph_mark_step_begin", "disable", "is_compiling", "is_dynamo_compiling",
           "is_exporting", "list_backends", "reset", "set_stance"]


def compile(model=None, *, fullgraph=False, dynamic=None, backend="inductor", mode=None, options=None, disable=False):
    """The function or module itself.  The arguments are accepted and have no effect; the first call warns.

    Example:
        >>> fastgrad.compile(abs, disable=True) is abs
        True
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if model is None:
        return functools.partial(compile, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options, disable=disable)
    if not callable(model):
        raise TypeError(f"compile: expected a function or a module, got {type(model).__name__}")
    if not disable:
        warn_once("torch.compile: fastgrad runs functions and modules as they are; nothing is compiled.")
    return model


def disable(fn=None, recursive=True, *, reason=None):
    """The function itself."""
    return (lambda function: function) if fn is None else fn


def _itself(fn):
    """The function itself."""
    return fn


allow_in_graph = assume_constant_result = _itself


def is_compiling():
    """False."""
    return False


is_dynamo_compiling = is_exporting = is_compiling


def list_backends(exclude_tags=("debug", "experimental")):
    """No backend."""
    return []


def reset():
    """Nothing to forget."""


cudagraph_mark_step_begin = reset


def set_stance(stance="default", *, skip_guard_eval_unsafe=False, force_backend=None):
    """Accepted; nothing is compiled."""
