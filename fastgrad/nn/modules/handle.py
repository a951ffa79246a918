"""Registering a hook of a module or an optimizer; what it returns, the handle, is the engine's, as a tensor's hooks have it."""

from fastgrad._engine import RemovableHandle

__all__ = ["RemovableHandle", "add_hook"]


def add_hook(hooks, hook, prepend=False, flags=()):
    """Put hook into hooks, last or first, and its id into each dict of flags; the handle removes it from all."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle
