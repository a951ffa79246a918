"""Schedulers whose learning rate is a formula of the epoch: steps, lines, powers, half a cosine, any function.

`next_rate` gives a group's rate from the one before, so that other changes to the rate live on; `_get_closed_form_lr`, used where
step() is told the epoch, gives it from the first rate. Both are written in PyTorch's order of operations, for the same bits.
"""

import math
import types
from bisect import bisect_right
from collections import Counter

from .base import Formula

__all__ = [
    "ConstantLR", "CosineAnnealingLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "MultiplicativeLR", "PolynomialLR", "StepLR"]


class _FunctionLR(Formula):
    """A function of the epoch for each group. In the state dict stand the attributes of callable objects; functions are left out."""

    _settings = lambda optimizer, lr_lambda, last_epoch=-1: locals()

    def _configure(self, lr_lambda):
        groups = len(self.optimizer.param_groups)
        functions = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * groups
        if len(functions) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(functions)}")
        self.lr_lambdas = functions
        self._check_functions()

    def _check_functions(self):
        pass

    def state_dict(self):
        """What the scheduler remembers; of its functions only the attributes of callable objects."""
        state = super().state_dict()
        functions = state.pop("lr_lambdas")
        state["lr_lambdas"] = [None if isinstance(f, types.FunctionType) else f.__dict__.copy() for f in functions]
        return state

    def load_state_dict(self, state_dict):
        """Take what `state_dict()` gave; save the functions yourself."""
        saved = state_dict["lr_lambdas"]
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, saved):
            if attributes is not None:
                function.__dict__.update(attributes)


class LambdaLR(_FunctionLR):
    """The first rate times a function of the epoch: lr = base_lr f(epoch).

    Args:
        lr_lambda: a function of the epoch, or a list of one for each group.
    """

    def get_lr(self):
        self._warn_outside_step()
        return [base * function(self.last_epoch) for function, base in zip(self.lr_lambdas, self.base_lrs)]


class MultiplicativeLR(_FunctionLR):
    """The rate before times a function of the epoch: lr = lr f(epoch).

    Args:
        lr_lambda: a function of the epoch, or a list of one for each group.
    """

    def _check_functions(self):
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")

    def get_lr(self):
        self._warn_outside_step()
        groups = self.optimizer.param_groups
        if self._is_initial:
            return [group["lr"] for group in groups]
        return [group["lr"] * function(self.last_epoch) for function, group in zip(self.lr_lambdas, groups)]


class StepLR(Formula):
    """lr = gamma lr every step_size epochs."""

    _settings = lambda optimizer, step_size, gamma=0.1, last_epoch=-1: locals()

    def next_rate(self, rate, base):
        return rate if self.last_epoch == 0 or self.last_epoch % self.step_size else rate * self.gamma

    def _get_closed_form_lr(self):
        return [base * self.gamma ** (self.last_epoch // self.step_size) for base in self.base_lrs]


class MultiStepLR(Formula):
    """lr = gamma lr at every milestone.

    Args:
        milestones: epochs; one that is there twice counts twice.
    """

    _settings = lambda optimizer, milestones, gamma=0.1, last_epoch=-1: locals()

    def _configure(self, milestones, gamma):
        super()._configure(milestones=Counter(milestones), gamma=gamma)

    def next_rate(self, rate, base):
        times = self.milestones.get(self.last_epoch)
        return rate if times is None else rate * self.gamma**times

    def _get_closed_form_lr(self):
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return [base * self.gamma**passed for base in self.base_lrs]


class ConstantLR(Formula):
    """lr = factor base_lr for total_iters epochs, then base_lr."""

    _settings = lambda optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1: locals()

    def _configure(self, factor, total_iters):
        if not 0 <= factor <= 1:
            raise ValueError("Constant multiplicative factor expected to be between 0 and 1.")
        super()._configure(factor=factor, total_iters=total_iters)

    def next_rate(self, rate, base):
        if self.last_epoch == 0:
            return rate * self.factor
        return rate * (1.0 / self.factor) if self.last_epoch == self.total_iters else rate

    def _get_closed_form_lr(self):
        is_over = self.last_epoch >= self.total_iters
        return [base * (self.factor + is_over * (1 - self.factor)) for base in self.base_lrs]


class LinearLR(Formula):
    """From start_factor base_lr to end_factor base_lr in total_iters equal steps."""

    _settings = lambda optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1: locals()

    def _configure(self, start_factor, end_factor, total_iters):
        if not 0 < start_factor <= 1:
            raise ValueError("Starting multiplicative factor expected to be greater than 0 and less or equal to 1.")
        if not 0 <= end_factor <= 1:
            raise ValueError("Ending multiplicative factor expected to be between 0 and 1.")
        super()._configure(start_factor=start_factor, end_factor=end_factor, total_iters=total_iters)

    def next_rate(self, rate, base):
        epoch, rise = self.last_epoch, self.end_factor - self.start_factor
        if epoch == 0:
            return rate * self.start_factor
        if self._is_initial or epoch > self.total_iters:
            return rate
        return rate * (1.0 + rise / (self.total_iters * self.start_factor + (epoch - 1) * rise))

    def _get_closed_form_lr(self):
        start, rise, epoch = self.start_factor, self.end_factor - self.start_factor, min(self.total_iters, self.last_epoch)
        return [base * (start + rise * epoch / self.total_iters) for base in self.base_lrs]


class ExponentialLR(Formula):
    """lr = gamma lr every epoch."""

    _settings = lambda optimizer, gamma, last_epoch=-1: locals()

    def next_rate(self, rate, base):
        return rate if self._is_initial else rate * self.gamma

    def _get_closed_form_lr(self):
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class PolynomialLR(Formula):
    """lr = base_lr (1 - epoch / total_iters)^power, then 0."""

    _settings = lambda optimizer, total_iters=5, power=1.0, last_epoch=-1: locals()

    def next_rate(self, rate, base):
        epoch, total = self.last_epoch, self.total_iters
        if self._is_initial or epoch > total:
            return rate
        return rate * ((1.0 - epoch / total) / (1.0 - (epoch - 1) / total)) ** self.power

    def _get_closed_form_lr(self):
        epoch = min(self.total_iters, self.last_epoch)
        return [base * (1.0 - epoch / self.total_iters) ** self.power for base in self.base_lrs]


class CosineAnnealingLR(Formula):
    """lr = eta_min + (base_lr - eta_min) (1 + cos(pi epoch / T_max)) / 2.

    Args:
        T_max: epochs down to eta_min; as many more lead up again.

    Source: Loshchilov and Hutter 2016, SGDR: Stochastic Gradient Descent with Warm Restarts.
    """

    _settings = lambda optimizer, T_max, eta_min=0.0, last_epoch=-1: locals()

    def next_rate(self, rate, base):
        epoch, half, low = self.last_epoch, self.T_max, self.eta_min
        if self._is_initial:
            return rate
        if self._step_count == 1 and epoch > 0:
            return low + (base - low) * (1 + math.cos(epoch * math.pi / half)) / 2
        if (epoch - 1 - half) % (2 * half) == 0:  # the epoch before was at the bottom, where the quotient below is 0 / 0
            return rate + (base - low) * (1 - math.cos(math.pi / half)) / 2
        return (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half)) * (rate - low) + low

    def _get_closed_form_lr(self):
        low, wave = self.eta_min, 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [low + (base - low) * wave / 2 for base in self.base_lrs]
