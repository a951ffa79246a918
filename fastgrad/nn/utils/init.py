"""skip_init: a module whose parameters keep whatever is in memory; torch.nn.utils.skip_init."""

import inspect

import fastgrad as fg

from ..modules.module import Module

__all__ = ["skip_init"]


def skip_init(module_cls, *args, **kwargs):
    """Make a module without using random numbers: the values of its parameters are arbitrary.

    Args:
        module_cls: class of a Module that has the argument `device`. args, kwargs: its arguments.

    Raises: RuntimeError for another class.
    """
    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    state = fg.get_rng_state()
    try:
        return module_cls(*args, **kwargs)
    finally:
        fg.set_rng_state(state)
