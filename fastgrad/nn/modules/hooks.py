"""Hooks of a Module's forward and backward, and the call that runs them.

Registration (per module and global) and the call with hooks live here; the autograd side of backward hooks is in
backward_hooks.py, the hooks of state dicts in state.py.

Invariant: until the first hook of the process is registered, calling a module is calling its `forward`, without a Python
frame in between (ForwardCall, in C). Whatever registers a hook calls `use_hooked_calls` first.
"""

import functools
import warnings
import weakref
from collections import OrderedDict

from fastgrad._ops import ForwardCall, use_hooked_calls

from .handle import add_hook

forward_pre_hooks = OrderedDict()
forward_hooks = OrderedDict()
forward_hooks_with_kwargs = OrderedDict()
forward_hooks_always_called = OrderedDict()
backward_pre_hooks = OrderedDict()
backward_hooks = OrderedDict()
backward_kind = {"full": None}  # whether the global backward hooks are full ones; None before the first


HOOK_TABLES = (
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_pre_hooks",
    "_backward_hooks",
)


class WrappedHook:
    """A hook that gets a module put before its arguments, without keeping that module alive."""

    def __init__(self, hook, module=None):
        functools.update_wrapper(self, hook)
        self.hook = hook
        self.with_module = module is not None
        self.module = weakref.ref(module) if self.with_module else None

    def __call__(self, *args, **kwargs):
        if self.with_module:
            args = self.module(), *args
            if args[0] is None:
                raise RuntimeError("You are trying to call the hook of a dead Module!")
        return self.hook(*args, **kwargs)

    def __getstate__(self):
        return {"hook": self.hook, "with_module": self.with_module} | ({"module": self.module()} if self.with_module else {})

    def __setstate__(self, state):
        self.__init__(state["hook"], state.get("module"))


def register(hooks, hook, prepend=False, flags=()):
    use_hooked_calls()
    return add_hook(hooks, hook, prepend, flags)


def register_module_forward_pre_hook(hook):
    """Call hook(module, args) before the forward of every module; what it returns replaces args."""
    return register(forward_pre_hooks, hook)


def register_module_forward_hook(hook, *, with_kwargs=False, always_call=False):
    """Call hook(module, args, output) after the forward of every module; what it returns replaces output.

    Args:
        hook: called as hook(module, args, kwargs, output) if with_kwargs.
        always_call: call it, with output None, even if forward raised.
    """
    flags = [forward_hooks_with_kwargs] * with_kwargs + [forward_hooks_always_called] * always_call
    return register(forward_hooks, hook, flags=flags)


def register_module_full_backward_pre_hook(hook):
    """Call hook(module, grad_output) before the backward of every module; what it returns replaces grad_output."""
    return register(backward_pre_hooks, hook)


def register_module_full_backward_hook(hook):
    """Call hook(module, grad_input, grad_output) after the backward of every module; it may return a new grad_input."""
    _set_backward_kind(backward_kind, "full", True, "as a global Module hook")
    return register(backward_hooks, hook)


def register_module_backward_hook(hook):
    """Old form of register_module_full_backward_hook: sees the last operation of each module only."""
    _set_backward_kind(backward_kind, "full", False, "as a global Module hook")
    return register(backward_hooks, hook)


def _set_backward_kind(attributes, name, full, where):
    if attributes[name] is (not full):
        raise RuntimeError(
            f"Cannot use both regular backward hooks and full backward hooks {where}. Please use only one of them."
        )
    attributes[name] = full


class HookedModule(ForwardCall):
    """The hook methods of Module."""

    def _init_hooks(self):
        attributes = self.__dict__
        attributes["_is_full_backward_hook"] = None
        for name in HOOK_TABLES:
            attributes[name] = HookTable()

    def _adopt_hooks(self):
        """After unpickling: hooks in plain dicts, as files have them, go into tables."""
        attributes = self.__dict__
        for name in HOOK_TABLES:
            if type(attributes[name]) is not HookTable:
                attributes[name] = HookTable(attributes[name])

    def register_forward_pre_hook(self, hook, *, prepend=False, with_kwargs=False):
        """Call hook(module, args) before forward; what it returns, if anything, replaces args.

        Args:
            hook: called as hook(module, args, kwargs) if with_kwargs, and then returns None or (args, kwargs).
            prepend: run it before the hooks that are there already.
        """
        flags = [self._forward_pre_hooks_with_kwargs] * with_kwargs
        return register(self._forward_pre_hooks, hook, prepend, flags)

    def register_forward_hook(self, hook, *, prepend=False, with_kwargs=False, always_call=False):
        """Call hook(module, args, output) after forward; what it returns, if anything, replaces output.

        Args:
            hook: called as hook(module, args, kwargs, output) if with_kwargs.
            prepend: run it before the hooks that are there already.
            always_call: call it even if forward, or a hook before it, raised.
        """
        flags = [self._forward_hooks_with_kwargs] * with_kwargs + [self._forward_hooks_always_called] * always_call
        return register(self._forward_hooks, hook, prepend, flags)

    def register_full_backward_pre_hook(self, hook, prepend=False):
        """Call hook(module, grad_output) before the backward; what it returns, if anything, replaces grad_output."""
        return register(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook, prepend=False):
        """Call hook(module, grad_input, grad_output) after the backward; it may return a new grad_input."""
        _set_backward_kind(self.__dict__, "_is_full_backward_hook", True, "on a single Module")
        return register(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook):
        """Old form of register_full_backward_hook: sees the last operation of the module only."""
        _set_backward_kind(self.__dict__, "_is_full_backward_hook", False, "on a single Module")
        return register(self._backward_hooks, hook)

    def _call_impl(self, *args, **kwargs):
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or forward_hooks
            or forward_pre_hooks
            or backward_hooks
            or backward_pre_hooks
        ):
            return self.forward(*args, **kwargs)
        call = HookedCall(self, args, kwargs)
        try:
            return call.run()
        except Exception:
            call.run_always_called()
            raise


class HookTable(OrderedDict):
    """A module's hooks by handle id. Whoever writes one directly gets hooked calls too."""

    def __setitem__(self, key, hook):
        use_hooked_calls()
        super().__setitem__(key, hook)

    def __reduce_ex__(self, protocol):
        return OrderedDict, (), None, None, iter(self.items())  # so that PyTorch can read the file


class HookedCall:
    """One call of a module that has hooks, or runs while there are global ones."""

    def __init__(self, module, args, kwargs):
        self.module, self.args, self.kwargs = module, args, kwargs
        self.result = None
        self.called = set()

    def run(self):
        self._run_forward_pre_hooks()
        backward = self._backward_hooks()
        if backward is not None:
            self.args = backward.watch_inputs(self.args)
        self.result = self.module.forward(*self.args, **self.kwargs)
        for key, hook in (*forward_hooks.items(), *self.module._forward_hooks.items()):
            self.called.add(key)
            self._run_forward_hook(key, hook)
        if backward is not None:
            self.result = backward.watch_outputs(self.result)
        self._run_last_node_hooks()
        return self.result

    def _run_forward_pre_hooks(self):
        module = self.module
        for key, hook in (*forward_pre_hooks.items(), *module._forward_pre_hooks.items()):
            if key in module._forward_pre_hooks_with_kwargs:
                result = hook(module, self.args, self.kwargs)
                if result is None:
                    continue
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                    )
                self.args, self.kwargs = result
            else:
                result = hook(module, self.args)
                if result is not None:
                    self.args = result if isinstance(result, tuple) else (result,)

    def _run_forward_hook(self, key, hook):
        if key in self.module._forward_hooks_with_kwargs or key in forward_hooks_with_kwargs:
            result = hook(self.module, self.args, self.kwargs, self.result)
        else:
            result = hook(self.module, self.args, self.result)
        if result is not None:
            self.result = result

    def run_always_called(self):
        """After an error: run the hooks that asked for it and were not reached."""
        module = self.module
        for hooks, always, kind in (
            (forward_hooks, forward_hooks_always_called, "global module"),
            (module._forward_hooks, module._forward_hooks_always_called, "module"),
        ):
            for key, hook in hooks.items():
                if key not in always or key in self.called:
                    continue
                try:
                    self._run_forward_hook(key, hook)
                except Exception as error:
                    warnings.warn(
                        f"{kind} forward hook with ``always_call=True`` raised an exception that was silenced "
                        f"as another error was raised in forward: {error}",
                        stacklevel=4,
                    )

    def _hooks_of_kind(self, full):
        module = self.module
        hooks = list(backward_hooks.values()) if backward_kind["full"] is full else []
        if module._is_full_backward_hook is full:
            hooks += module._backward_hooks.values()
        return hooks

    def _backward_hooks(self):
        hooks = self._hooks_of_kind(full=True)
        pre_hooks = [*backward_pre_hooks.values(), *self.module._backward_pre_hooks.values()]
        if not hooks and not pre_hooks:
            return None
        from .backward_hooks import BackwardHooks  # needs autograd.Function, which a program without them need not load

        return BackwardHooks(self.module, hooks, pre_hooks)

    def _run_last_node_hooks(self):
        hooks = self._hooks_of_kind(full=False)
        if not hooks:
            return
        output = self.result
        while isinstance(output, (dict, list, tuple)):
            output = next(iter(output.values() if isinstance(output, dict) else output))
        if output.grad_fn is not None:
            warnings.warn(
                "A non-full backward hook sees the gradients of the module's last operation only. "
                "Please use register_full_backward_hook to get the documented behavior.",
                FutureWarning,
                stacklevel=4,
            )
            for hook in hooks:
                output.grad_fn.register_hook(WrappedHook(hook, self.module))
