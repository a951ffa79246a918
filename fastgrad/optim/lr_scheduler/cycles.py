"""Schedulers that restart (CosineAnnealingWarmRestarts) or run in cycles, with the momentum against the rate (CyclicLR, OneCycleLR).

The momentum is a group's "momentum", or the first of its "betas".
"""

import math
import types

from .base import DeclaredLR, LRScheduler, check_optimizer, per_group, set_rate

__all__ = ["CosineAnnealingWarmRestarts", "CyclicLR", "OneCycleLR"]


def set_momentum(group, value):
    if "betas" in group:
        group["betas"] = (value, *group["betas"][1:])
    else:
        group["momentum"] = value


class _WithMomentum(LRScheduler):
    """What starts the groups' momentum, and refuses an optimizer without."""

    def _start_momentum(self, optimizer, lowest, highest, is_start):
        """(lowest, highest) for each group; the groups begin at the highest."""
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        lowest, highest = per_group("base_momentum", optimizer, lowest), per_group("max_momentum", optimizer, highest)
        if is_start:
            for group, low, high in zip(optimizer.param_groups, lowest, highest):
                set_momentum(group, high)
                group["max_momentum"] = high
                group["base_momentum"] = low
        return lowest, highest


class CyclicLR(_WithMomentum):
    """Up from base_lr to max_lr and down again, in straight lines, over and over.

    Args:
        base_lr, max_lr: numbers, or one for each group.
        step_size_up, step_size_down: epochs (mostly: batches) up, and down; as many down as up if None.
        mode: "triangular"; "triangular2", half as high each cycle; "exp_range", gamma^epoch times as high.
        scale_fn: a function in place of those, of the cycle (from 1) or the epoch, as scale_mode "cycle" or "iterations" says.
        cycle_momentum: let the momentum go from max_momentum down to base_momentum while the rate goes up.

    Source: Smith 2015, Cyclical Learning Rates for Training Neural Networks.
    """

    def __init__(self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular", gamma=1.0, scale_fn=None,
                 scale_mode="cycle", cycle_momentum=True, base_momentum=0.8, max_momentum=0.9, last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, base_lrs):
                set_rate(group, rate)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            moments = self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
            self.base_momentums, self.max_momentums = moments
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x):
        """The height of cycle x, or at epoch x."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / 2.0 ** (x - 1)
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self):
        """The groups' next learning rates; sets their momentum. Only `step` calls it."""
        self._warn_outside_step()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums):
                set_momentum(group, high - (high - low) * height * scale)
        return [low + (high - low) * height * scale for low, high in zip(self.base_lrs, self.max_lrs)]

    def state_dict(self):
        """What the scheduler remembers; of a scale_fn only the attributes of a callable object."""
        state = super().state_dict()
        custom = state.pop("_scale_fn_custom")
        is_object = custom is not None and not isinstance(custom, types.FunctionType)
        state["_scale_fn_custom"] = custom.__dict__.copy() if is_object else None
        return state

    def load_state_dict(self, state_dict):
        """Take what `state_dict()` gave; save a scale_fn yourself."""
        super().load_state_dict({key: value for key, value in state_dict.items() if key != "_scale_fn_custom"})
        if state_dict["_scale_fn_custom"] is not None:
            self._scale_fn_custom.__dict__.update(state_dict["_scale_fn_custom"])


class CosineAnnealingWarmRestarts(DeclaredLR):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi T_cur / T_i)) / 2, T_cur epochs after the last restart of T_i.

    Args:
        T_0: epochs to the first restart.
        T_mult: how many times longer each stretch is than the one before.

    Source: Loshchilov and Hutter 2016, SGDR: Stochastic Gradient Descent with Warm Restarts.
    """

    _settings = lambda optimizer, T_0, T_mult=1, eta_min=0.0, last_epoch=-1: locals()

    def _construct(self, T_0, T_mult, eta_min, **rest):
        for name, value in (("positive integer T_0", T_0), ("integer T_mult >= 1", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"Expected {name}, but got {value}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        super()._construct(T_0=T_0, T_i=T_0, T_mult=T_mult, eta_min=eta_min, T_cur=rest["last_epoch"], **rest)

    def get_lr(self):
        """The groups' next learning rates. Only `step` calls it."""
        self._warn_outside_step()
        low, wave = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (base - low) * wave / 2 for base in self.base_lrs]

    def step(self, epoch=None):
        """Go to the next epoch, or to the one given, which may be a fraction."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        elif epoch is not None and epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        else:
            epoch = epoch or 0
            self._find_stretch(epoch)
        self.last_epoch = math.floor(epoch)
        with self._stepping():
            self._set_rates(self.get_lr())

    def _find_stretch(self, epoch):
        if epoch < self.T_0:
            self.T_i, self.T_cur = self.T_0, epoch
        elif self.T_mult == 1:
            self.T_cur = epoch % self.T_0
        else:
            restarts = int(math.log(epoch / self.T_0 * (self.T_mult - 1) + 1, self.T_mult))
            self.T_cur = epoch - self.T_0 * (self.T_mult**restarts - 1) / (self.T_mult - 1)
            self.T_i = self.T_0 * self.T_mult**restarts


def _cos_between(start, end, fraction):
    wave = math.cos(math.pi * fraction) + 1
    return end + (start - end) / 2.0 * wave


def _line_between(start, end, fraction):
    return (end - start) * fraction + start


def _phase(end_step, start_lr, end_lr, start_momentum, end_momentum):
    return {"end_step": end_step, "start_lr": start_lr, "end_lr": end_lr, "start_momentum": start_momentum, "end_momentum": end_momentum}


class OneCycleLR(_WithMomentum):
    """Up from max_lr / div_factor to max_lr, and down far below where it started, once.

    Args:
        max_lr: a number, or one for each group.
        total_steps: how often `step` will be called; or epochs and steps_per_epoch.
        pct_start: the part of the steps that goes up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: let the momentum go from max_momentum down to base_momentum while the rate goes up, and back.
        div_factor: the first rate is max_lr / div_factor.
        final_div_factor: the last rate is the first one / final_div_factor.
        three_phase: go down to the first rate as slowly as up, and then to the last.

    Source: Smith and Topin 2017, Super-Convergence.
    """

    def __init__(self, optimizer, max_lr, total_steps=None, epochs=None, steps_per_epoch=None, pct_start=0.3, anneal_strategy="cos",
                 cycle_momentum=True, base_momentum=0.85, max_momentum=0.95, div_factor=25.0, final_div_factor=1e4, three_phase=False,
                 last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        if total_steps is None and (epochs is None or steps_per_epoch is None):
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        given = {"total_steps": total_steps} if total_steps is not None else {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        for name, value in given.items():
            if value <= 0 or not isinstance(value, int):
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        self.total_steps = math.prod(given.values())
        if pct_start < 0 or pct_start > 1 or not isinstance(pct_start, float):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = self._phases(pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        max_lrs = per_group("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for group, highest in zip(optimizer.param_groups, max_lrs):
                group["initial_lr"] = highest / div_factor
                group["max_lr"] = highest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._start_momentum(optimizer, base_momentum, max_momentum, last_epoch == -1)
        super().__init__(optimizer, last_epoch)

    def _phases(self, up, three_phase):
        total = self.total_steps
        first = _phase(float(up * total) - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
        if not three_phase:
            return [first, _phase(total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        second = _phase(float(2 * up * total) - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
        return [first, second, _phase(total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")]

    def get_lr(self):
        """The groups' next learning rates; sets their momentum. Only `step` calls it."""
        self._warn_outside_step()
        if self.last_epoch > self.total_steps:
            raise ValueError(f"Tried to step {self.last_epoch} times. The specified number of total steps is {self.total_steps}")
        start = 0.0
        for phase in self._schedule_phases[:-1]:
            if self.last_epoch <= phase["end_step"]:
                break
            start = phase["end_step"]
        else:
            phase = self._schedule_phases[-1]
        fraction = (self.last_epoch - start) / (phase["end_step"] - start)
        between = _cos_between if self._anneal_func_type == "cos" else _line_between
        values = []
        for group in self.optimizer.param_groups:
            values.append(between(group[phase["start_lr"]], group[phase["end_lr"]], fraction))
            if self.cycle_momentum:
                set_momentum(group, between(group[phase["start_momentum"]], group[phase["end_momentum"]], fraction))
        return values
