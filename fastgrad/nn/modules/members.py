"""MemberTable: a module's parameters, buffers or children by name; and the global hooks on their registration.

A table writes every member into its module's `__dict__` as well, so `self.weight` is an ordinary attribute: it takes 20 ns
where a search through the tables from `__getattr__` takes 400, and a small network reads a dozen of them in a step.

Invariants:
1. The table is the truth: whoever writes it directly (`module._parameters["weight"] = w`) moves the attribute too.  Whoever
   deletes the attribute from `__dict__` himself does not see the member through it again until the table is written.
2. It holds its module weakly, so a module is freed with its last reference, without the cycle collector.
3. It is pickled and copied as a plain dict; `Module.__setstate__` makes it a table again.
"""

import weakref
from collections import OrderedDict

from .handle import add_hook

TABLES = ("_parameters", "_buffers", "_modules")


class MemberTable(dict):
    __slots__ = ("_owner",)

    def __init__(self, owner, members=()):
        self._owner = weakref.ref(owner)
        self.update(members)

    def _attributes(self):
        owner = self._owner()
        return {} if owner is None else owner.__dict__

    def _hide(self, name, member):
        # The attribute may be something else by now: object.__setattr__ can put a value over the member.
        attributes = self._attributes()
        if attributes.get(name, self) is member:
            del attributes[name]

    def __setitem__(self, name, member):
        super().__setitem__(name, member)
        self._attributes()[name] = member

    def __delitem__(self, name):
        self._hide(name, self[name])
        super().__delitem__(name)

    def pop(self, name, *default):
        if name in self:
            self._hide(name, self[name])
        return super().pop(name, *default)

    def popitem(self):
        name, member = super().popitem()
        self._hide(name, member)
        return name, member

    def clear(self):
        for name, member in self.items():
            self._hide(name, member)
        super().clear()

    def setdefault(self, name, default=None):
        if name not in self:
            self[name] = default
        return self[name]

    def update(self, *args, **kwargs):
        for name, member in dict(*args, **kwargs).items():
            self[name] = member

    def __ior__(self, other):
        self.update(other)
        return self

    def release(self):
        """Give up the module: another table takes this one's place, which keeps its members."""
        for name, member in self.items():
            self._hide(name, member)
        self._owner = _no_owner

    def __reduce_ex__(self, protocol):
        return dict, (), None, None, iter(self.items())


def _no_owner():
    return None


buffer_registration_hooks = OrderedDict()
module_registration_hooks = OrderedDict()
parameter_registration_hooks = OrderedDict()


def register_module_buffer_registration_hook(hook):
    """Call hook(module, name, buffer) when a buffer is registered in any module; what it returns is registered."""
    return add_hook(buffer_registration_hooks, hook)


def register_module_module_registration_hook(hook):
    """Call hook(module, name, child) when a child is registered in any module; what it returns is registered."""
    return add_hook(module_registration_hooks, hook)


def register_module_parameter_registration_hook(hook):
    """Call hook(module, name, parameter) when a parameter is registered in any module; what it returns is registered."""
    return add_hook(parameter_registration_hooks, hook)


def run_registration_hooks(hooks, module, name, value):
    """The value that is registered after each hook had its say."""
    for hook in hooks.values():
        result = hook(module, name, value)
        if result is not None:
            value = result
    return value
