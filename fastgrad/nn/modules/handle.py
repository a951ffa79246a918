"""RemovableHandle: what registering a hook returns, so that the hook can be taken away again; and the registering."""

import weakref
from collections import OrderedDict


class RemovableHandle:
    """Removes one hook from the dict it was put into. Usable in a `with` statement.

    Args:
        hooks_dict: the OrderedDict that holds the hook under this handle's `id`; held weakly.
        extra_dict: a dict, or a list of dicts, that hold something more about the hook under the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=()):
        extras = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or ()
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.extra_dict_ref = tuple(weakref.ref(extra) for extra in extras)
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self):
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple(ref() for ref in self.extra_dict_ref)

    def __setstate__(self, state):
        hooks_dict, self.id, extras = state
        self.hooks_dict_ref = weakref.ref(OrderedDict() if hooks_dict is None else hooks_dict)
        self.extra_dict_ref = tuple(weakref.ref(extra) for extra in extras if extra is not None)
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


def add_hook(hooks, hook, prepend=False, flags=()):
    """Put hook into hooks, last or first, and its id into each dict of flags; the handle removes it from all."""
    handle = RemovableHandle(hooks, extra_dict=list(flags))
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle
