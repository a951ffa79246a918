"""Optimizer: the base class of all optimizers. Parameter groups, state, hooks, saving and loading.

The arithmetic of a step is the engine's. Our optimizers define `_step_group`; a user's optimizer defines `step`, which is
wrapped, once, to run hooks around it. Semantics and error texts are PyTorch's.
"""

import functools
import warnings
from collections import OrderedDict
from collections.abc import Iterable
from copy import deepcopy

import fastgrad as fg
from fastgrad import _ops as _e
from fastgrad._engine import Tensor

from ..nn._names import typename
from ..nn.modules.handle import add_hook
from .state import OptimizerState, ParameterState

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

step_pre_hooks = OrderedDict()
step_post_hooks = OrderedDict()


class _RequiredParameter:
    """Default of a hyperparameter that every group must give."""

    def __repr__(self):
        return "<required parameter>"


required = _RequiredParameter()


def register_optimizer_step_pre_hook(hook):
    """Call hook(optimizer, args, kwargs) before every step of every optimizer; it may return new (args, kwargs)."""
    _e.use_hooked_steps()
    return add_hook(step_pre_hooks, hook)


def register_optimizer_step_post_hook(hook):
    """Call hook(optimizer, args, kwargs) after every step of every optimizer."""
    _e.use_hooked_steps()
    return add_hook(step_post_hooks, hook)


def _with_hooks(step):
    """The step a user's class defines, with hooks around it."""

    @functools.wraps(step)
    def step_with_hooks(self, *args, **kwargs):
        if self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or step_pre_hooks or step_post_hooks:
            return self._step_between_hooks(step, args, kwargs)
        return step(self, *args, **kwargs)

    step_with_hooks.hooked = True
    return step_with_hooks


def check_one_element(value, name):
    if isinstance(value, Tensor) and value.numel() != 1:
        raise ValueError(f"Tensor {name} must be 1-element")


def check_defaults(defaults):
    """Raise for a hyperparameter out of range, and for a flag that is set and not supported.

    Raises: ValueError, RuntimeError; NotImplementedError for differentiable and capturable.
    """
    check_one_element(defaults["lr"], "lr")
    for name, what in RANGES.items():
        if not defaults.get(name, 0) >= 0.0:
            raise ValueError(f"Invalid {what}: {defaults[name]}")
    for i, beta in enumerate(defaults.get("betas", ())):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    if defaults.get("fused") and defaults.get("foreach"):
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
    for name in ("differentiable", "capturable"):
        if defaults.get(name):
            raise NotImplementedError(f"optimizer: {name}=True is not supported.")


# hyperparameters that must not be negative, and what errors call them
RANGES = {"lr": "learning rate", "eps": "epsilon value", "weight_decay": "weight_decay value", "momentum": "momentum value",
          "alpha": "alpha value", "lr_decay": "lr_decay value", "initial_accumulator_value": "initial_accumulator_value value",
          "momentum_decay": "momentum_decay value"}

HOOK_TABLES = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class Optimizer:
    """Base class of all optimizers: a subclass calls __init__ with its defaults and defines `step`.

    Args:
        params: iterable of tensors, of (name, tensor) pairs, or of dicts: parameter groups, with the tensors at "params"
            and values that differ from the defaults.
        defaults: hyperparameter values for groups that do not give them.

    Attributes:
        param_groups: list of dicts, one per group; hyperparameters may be changed there at any time.
        later_defaults: what a state saved by a version that had no such hyperparameter has for it.
        state: dict from parameter to a dict of what the optimizer remembers about it.
    """

    later_defaults = {}

    def __init__(self, params, defaults):
        self.defaults = defaults
        self._init_runtime()
        if isinstance(params, Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {typename(params)}"
            )
        self.state = OptimizerState()
        self.param_groups = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def _init_runtime(self):
        """What is not part of a pickled optimizer: hooks and step plans."""
        for name in HOOK_TABLES:
            self.__dict__.setdefault(name, OrderedDict())
        self._plans = {}
        cls = type(self)
        if cls.step is not Optimizer.step and not getattr(cls.step, "hooked", False):
            cls.step = _with_hooks(cls.step)

    def __getstate__(self):
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.state = OptimizerState(self.state)
        self._init_runtime()
        self.defaults.setdefault("differentiable", False)
        for group in self.param_groups:
            for name, value in self.later_defaults.items():
                group.setdefault(name, value)

    def __repr__(self):
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            values = "".join(f"    {key}: {group[key]}\n" for key in sorted(group) if key != "params")
            text += f"\nParameter Group {i}\n{values}"
        return text + ")"

    # Steps

    step = _e.optimizer_step
    zero_grad = _e.zero_grad

    def _evaluate(self, closure):
        with fg.enable_grad():
            return closure()

    def _step_group(self, index, group):
        """Change the parameters of group number `index`."""
        raise NotImplementedError

    def _state_lists(self, params, group):
        """Tuple of flat lists of what the state holds for params of a group, of which this may be the first step."""
        raise NotImplementedError

    def _settle(self, plan):
        """Let the plan hold until the state changes, if the state can count its changes.  After the plan's first step."""
        state = self.state
        if isinstance(state, OptimizerState) and (
            not plan.lists or all(type(state[param]) is ParameterState for param in plan.params)
        ):
            plan.settle(state, state.version)

    # Parameter groups

    def add_param_group(self, param_group):
        """Add a group of parameters to be optimized.

        Args:
            param_group: dict with the tensors, or (name, tensor) pairs, at "params", and values that differ from the
                defaults.
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        self._unpack_params(param_group)
        self._check_params(param_group["params"])
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        self._check_against_groups(param_group)
        self.param_groups.append(param_group)

    @staticmethod
    def _unpack_params(group):
        """Make group["params"] a list of tensors, and put names, if there are any, at "param_names"."""
        params = group["params"]
        if isinstance(params, Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in sets "
                "will change between runs. Please use a list instead."
            )
        params = list(params)
        names = [param[0] for param in params if isinstance(param, tuple)]
        group["params"] = [param[1] if isinstance(param, tuple) else param for param in params]
        if names and len(names) != len(params):
            raise ValueError("all optimizer params should be with/without names. Some param names are missing")
        if names:
            group["param_names"] = names

    def _check_params(self, params):
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {typename(param)}")
            if not self.defaults.get("differentiable") and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        if len(params) != len(set(params)):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error",
                stacklevel=4,
            )

    def _check_against_groups(self, new_group):
        named = "param_names" in new_group
        taken = set()
        for group in self.param_groups:
            taken.update(group["params"])
            if named != ("param_names" in group):
                raise ValueError(
                    "all optimizer param groups should be with/without names. cannot add param group "
                    f"{'with' if named else 'without'} names to the optimizer"
                )
        if not taken.isdisjoint(new_group["params"]):
            raise ValueError("some parameters appear in more than one parameter group")

    # Saving and loading

    def state_dict(self):
        """{"state": ..., "param_groups": ...} with each parameter replaced by its position among all of them."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        index = {}
        for group in self.param_groups:
            for param in group["params"]:
                index.setdefault(param, len(index))
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            packed["params"] = [index[param] for param in group["params"]]
            groups.append(packed)
        state = {}
        for key, value in self.state.items():
            state[index[key] if isinstance(key, Tensor) else key] = dict(value) if isinstance(value, dict) else value
        result = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            changed = hook(self, result)
            result = result if changed is None else changed
        return result

    def load_state_dict(self, state_dict):
        """Take hyperparameters and state from what `state_dict()` gave; tensors get their parameters' dtypes."""
        state_dict = state_dict.copy()
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            changed = hook(self, state_dict)
            state_dict = state_dict if changed is None else changed
        saved_groups = deepcopy(state_dict["param_groups"])
        if len(self.param_groups) != len(saved_groups):
            raise ValueError("loaded state dict has a different number of parameter groups")
        param_of = {}
        for group, saved in zip(self.param_groups, saved_groups):
            if len(group["params"]) != len(saved["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
                )
            param_of.update(zip(saved["params"], group["params"]))
            saved["params"] = group["params"]
            if "param_names" in group:
                saved.setdefault("param_names", group["param_names"])
        state = {}
        for key, value in state_dict["state"].items():
            if key in param_of:
                state[param_of[key]] = _like_param(param_of[key], value)
            else:
                state[key] = value
        self.__setstate__({"state": state, "param_groups": saved_groups})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    # Hooks

    def _step_between_hooks(self, step, args, kwargs):
        args = (self, *args)
        for hook in (*step_pre_hooks.values(), *self._optimizer_step_pre_hooks.values()):
            changed = hook(self, args, kwargs)
            if changed is None:
                continue
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise RuntimeError(f"{step} must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
            args, kwargs = changed
        result = step(*args, **kwargs)
        for hook in (*self._optimizer_step_post_hooks.values(), *step_post_hooks.values()):
            hook(self, args, kwargs)
        return result

    def register_step_pre_hook(self, hook):
        """Call hook(optimizer, args, kwargs) before each step; it may return new (args, kwargs)."""
        _e.use_hooked_steps()
        return add_hook(self._optimizer_step_pre_hooks, hook)

    def register_step_post_hook(self, hook):
        """Call hook(optimizer, args, kwargs) after each step."""
        _e.use_hooked_steps()
        return add_hook(self._optimizer_step_post_hooks, hook)

    def register_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer) before state_dict."""
        return add_hook(self._optimizer_state_dict_pre_hooks, hook, prepend)

    def register_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) after state_dict; it may return another one."""
        return add_hook(self._optimizer_state_dict_post_hooks, hook, prepend)

    def register_load_state_dict_pre_hook(self, hook, prepend=False):
        """Call hook(optimizer, state_dict) before load_state_dict; it may return another one."""
        return add_hook(self._optimizer_load_state_dict_pre_hooks, hook, prepend)

    def register_load_state_dict_post_hook(self, hook, prepend=False):
        """Call hook(optimizer) after load_state_dict."""
        return add_hook(self._optimizer_load_state_dict_post_hooks, hook, prepend)


def _like_param(param, value, key=None):
    """The loaded value with its tensors, except step counts, in the dtype of a floating-point param."""
    if isinstance(value, Tensor):
        is_cast = key != "step" and param.is_floating_point()
        return value.to(dtype=param.dtype, device=param.device) if is_cast else value
    if isinstance(value, dict):
        return {key: _like_param(param, entry, key) for key, entry in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return type(value)(_like_param(param, entry) for entry in value)
    return value
