"""Saving and loading a Module's state: `state_dict`, `load_state_dict` and their hooks.

A state dict is an OrderedDict from dotted names to tensors, in order parameters, buffers, extra state, children, with the
attribute `_metadata` from dotted module names to versions. Error texts are PyTorch's.
"""

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Mapping

import fastgrad as fg
from fastgrad._engine import Tensor

from ..parameter import Parameter, is_lazy
from .handle import add_hook
from .hooks import WrappedHook

EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    __slots__ = ()

    def __repr__(self):
        return super().__repr__() if any(self) else "<All keys matched successfully>"

    __str__ = __repr__


class ModuleState:
    """The state dict methods of Module."""

    _version = 1  # saved as metadata, for a subclass that must load states written by an older version of itself

    def _init_state_hooks(self):
        attributes = self.__dict__
        for kind in ("_state_dict_pre", "_state_dict", "_load_state_dict_pre", "_load_state_dict_post"):
            attributes[f"{kind}_hooks"] = OrderedDict()

    def get_extra_state(self):
        """What to put into the state dict besides tensors; a subclass that overrides it overrides set_extra_state too."""
        raise RuntimeError(f"get_extra_state: {type(self).__name__} does not implement it.")

    def set_extra_state(self, state):
        """Take back what get_extra_state gave."""
        raise RuntimeError(f"set_extra_state: {type(self).__name__} does not implement it.")

    def _overrides(self, name):
        return getattr(type(self), name) is not getattr(ModuleState, name)

    def _persistent_members(self):
        """(name, tensor) of parameters, then of persistent buffers, without the ones that are None."""
        for name, param in self._parameters.items():
            if param is not None:
                yield name, param
        for name, buffer in self._buffers.items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                yield name, buffer

    # Saving

    def state_dict(self, *args, destination=None, prefix="", keep_vars=False):
        """Name -> tensor of all parameters and persistent buffers of this module and the ones below it.

        Args:
            destination: dict to add to, instead of a new OrderedDict.
            prefix: put before every name.
            keep_vars: give the parameters themselves instead of detached tensors that share their memory.

        Example:
            >>> list(fastgrad.nn.Linear(2, 1).state_dict())
            ['weight', 'bias']
        """
        if args:
            warnings.warn("Positional args are being deprecated, use kwargs instead.", FutureWarning, stacklevel=2)
            given = dict(zip(("destination", "prefix", "keep_vars"), args))
            destination = given.get("destination") if destination is None else destination
            prefix = prefix or given.get("prefix", "")
            keep_vars = keep_vars or given.get("keep_vars", False)
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, child in self._modules.items():
            if child is not None:
                child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in self._state_dict_hooks.values():
            result = hook(self, destination, prefix, metadata)
            if result is None:
                continue
            if getattr(hook, "_from_public_api", False):
                raise RuntimeError("state_dict post-hook must return None")
            destination = result
        return destination

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        for name, tensor in self._persistent_members():
            destination[prefix + name] = tensor if keep_vars or is_lazy(tensor) else tensor.detach()
        if self._overrides("get_extra_state"):
            destination[prefix + EXTRA_STATE] = self.get_extra_state()

    # Loading

    def load_state_dict(self, state_dict, strict=True, assign=False):
        """Copy the tensors of a state dict into this module's and give the names that did not match.

        Args:
            state_dict: mapping from name to tensor, as `state_dict()` gives it.
            strict: raise if a name is missing or unexpected.
            assign: put the given tensors in the place of the module's instead of copying their values.

        Returns: a named tuple with the lists missing_keys and unexpected_keys.
        Raises: RuntimeError with all names that do not match, shapes that differ and copies that failed.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        load = _Load(state_dict, assign)
        load.module(self, load.state_dict, "")
        errors = load.error_msgs
        if strict:
            for keys, kind in ((load.unexpected_keys, "Unexpected"), (load.missing_keys, "Missing")):
                if keys:
                    names = ", ".join(f'"{key}"' for key in keys)
                    errors.insert(0, f"{kind} key(s) in state_dict: {names}. ")
        if errors:
            lines = "\n\t".join(errors)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{lines}")
        return load.incompatible_keys

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs
    ):
        """Load this module's own members, not its children's. Problems are added to the three lists."""
        for hook in self._load_state_dict_pre_hooks.values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        assign = local_metadata.get("assign_to_params_buffers", False)
        members = dict(self._persistent_members())
        for name, member in members.items():
            key = prefix + name
            if key in state_dict:
                problem = self._load_member(name, key, member, state_dict[key], assign)
                if problem:
                    error_msgs.append(problem)
            elif strict:
                missing_keys.append(key)

        extra_key = prefix + EXTRA_STATE
        if self._overrides("set_extra_state"):
            if extra_key in state_dict:
                self.set_extra_state(state_dict[extra_key])
            elif strict:
                missing_keys.append(extra_key)
        elif strict and extra_key in state_dict:
            unexpected_keys.append(extra_key)

        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra_key:
                    name, dot, _ = key[len(prefix) :].partition(".")
                    if name not in (self._modules if dot else members):
                        unexpected_keys.append(key)

    def _load_member(self, name, key, member, given, assign):
        """Copy or assign one tensor; gives the text of the problem, if there is one."""
        if not isinstance(given, Tensor):
            return (
                f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object '
                f"from checkpoint but received {type(given)}"
            )
        if is_lazy(member) and is_lazy(given):
            return None
        if member.dim() == 0 and tuple(given.shape) == (1,):
            given = given[0]  # states from before 0-dimensional tensors
        if given.shape != member.shape:
            return (
                f"size mismatch for {key}: copying a param with shape {given.shape} from checkpoint, "
                f"the shape in current model is {member.shape}."
            )
        try:
            with fg.no_grad():
                if not assign:
                    member.copy_(given)
                elif not isinstance(member, Parameter):
                    setattr(self, name, given)
                elif isinstance(given, Parameter):
                    setattr(self, name, given.requires_grad_(member.requires_grad))
                else:
                    setattr(self, name, Parameter(given, requires_grad=member.requires_grad))
        except Exception as error:
            return (
                f'While copying the parameter named "{key}", whose dimensions in the model are {member.size()} '
                f"and whose dimensions in the checkpoint are {given.size()}, an exception occurred : {error.args}."
            )
        return None

    # Hooks

    def register_state_dict_pre_hook(self, hook):
        """Call hook(module, prefix, keep_vars) before state_dict collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook):
        """Call hook(module, state_dict, prefix, local_metadata) after state_dict; it changes the dict in place."""
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook):
        if getattr(hook, "_from_public_api", False):
            raise RuntimeError("Cannot register the same function as the state dict post hook that was previously registered via "
                               "register_state_dict_post_hook")
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook):
        """Call hook(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        before this module's members are loaded."""
        return self._register_load_state_dict_pre_hook(hook, with_module=True)

    def _register_load_state_dict_pre_hook(self, hook, with_module=False):
        return add_hook(self._load_state_dict_pre_hooks, WrappedHook(hook, self if with_module else None))

    def register_load_state_dict_post_hook(self, hook):
        """Call hook(module, incompatible_keys) after loading; it may change the two lists in place."""
        return add_hook(self._load_state_dict_post_hooks, hook)


class _Load:
    """One load_state_dict: what is loaded, and what went wrong so far."""

    def __init__(self, state_dict, assign):
        self.metadata = getattr(state_dict, "_metadata", None)
        self.assign = assign
        self.state_dict = OrderedDict(state_dict)  # a copy, which hooks may change
        if self.metadata is not None:
            self.state_dict._metadata = self.metadata
        self.missing_keys, self.unexpected_keys, self.error_msgs = [], [], []
        self.incompatible_keys = _IncompatibleKeys(self.missing_keys, self.unexpected_keys)

    def module(self, module, state_dict, prefix):
        local_metadata = {} if self.metadata is None else dict(self.metadata.get(prefix[:-1], {}))
        if self.assign:
            local_metadata["assign_to_params_buffers"] = True
        module._load_from_state_dict(
            state_dict, prefix, local_metadata, True, self.missing_keys, self.unexpected_keys, self.error_msgs
        )
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                self.module(child, {key: value for key, value in state_dict.items() if key.startswith(below)}, below)
        for hook in module._load_state_dict_post_hooks.values():
            if hook(module, self.incompatible_keys) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )
