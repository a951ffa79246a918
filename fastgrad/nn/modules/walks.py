"""Walks over a Module's members: modules, parameters and buffers, with and without their dotted names.

The order is PyTorch's: a module before its children, members in the order they were set, each once unless duplicates are
asked for.
"""


class ModuleWalks:
    """The walking methods of Module."""

    def named_modules(self, memo=None, prefix="", remove_duplicate=True):
        """(dotted name, module) of this module and all below it, each module once unless remove_duplicate is False."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self._modules.items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate=True):
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self):
        """(name, child) of the modules directly below this one, each once."""
        seen = set()
        for name, child in self._modules.items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self):
        """The modules directly below this one."""
        for _, child in self.named_children():
            yield child

    def _named_members(self, get_members_fn, prefix="", recurse=True, remove_duplicate=True):
        """(dotted name, member) over the (name, member) pairs that get_members_fn gives for each module."""
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, member in get_members_fn(module):
                if member is None or member in seen:
                    continue
                if remove_duplicate:
                    seen.add(member)
                yield (f"{path}.{name}" if path else name), member

    def named_parameters(self, prefix="", recurse=True, remove_duplicate=True):
        """(dotted name, parameter) of this module's parameters and, with recurse, of those below it."""
        yield from self._named_members(lambda module: module._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse=True):
        """The parameters that named_parameters names."""
        yield from self._parameter_list(recurse)

    def _parameter_list(self, recurse=True):
        if type(self).named_parameters is not ModuleWalks.named_parameters:
            return [parameter for _, parameter in self.named_parameters(recurse=recurse)]
        found = {}  # in order, each once
        for module in self._tree({}) if recurse else (self,):
            found.update(dict.fromkeys(module._parameters.values()))
        found.pop(None, None)
        return list(found)

    def _tree(self, found):
        """The keys of the result are the modules that modules() gives, without the cost of their names."""
        found[self] = None
        for child in self._modules.values():
            if child is not None and child not in found:
                child._tree(found)
        return found

    def named_buffers(self, prefix="", recurse=True, remove_duplicate=True):
        """(dotted name, buffer) of this module's buffers and, with recurse, of those below it."""
        yield from self._named_members(lambda module: module._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse=True):
        """The buffers that named_buffers names."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def apply(self, fn):
        """Call fn(module) on every module below this one and then on this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self
