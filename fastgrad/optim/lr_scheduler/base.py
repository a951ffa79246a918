"""LRScheduler, the base class of learning rate schedulers, and Formula, the base of those that treat each group alone.

A scheduler counts epochs and writes every group's "lr"; a rate that is a tensor is filled in place, so whoever holds it sees the
change. Everything a scheduler remembers is in its `__dict__`, which is its state dict.
"""

import functools
import warnings
import weakref
from contextlib import contextmanager

from fastgrad._declared import Declared
from fastgrad._engine import Tensor

from ..optimizer import Optimizer

__all__ = ["DeclaredLR", "Formula", "LRScheduler", "check_optimizer", "per_group", "rates", "set_rate", "warn_of_epoch"]

DETAILS = "See more details at https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"


def copied(value):
    return value.clone() if isinstance(value, Tensor) else value


def rates(optimizer, key="lr"):
    """The groups' values of `key`, not shared with them."""
    return [copied(group[key]) for group in optimizer.param_groups]


def set_rate(group, value):
    """Write a group's learning rate."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(value)
    else:
        group["lr"] = value


def per_group(name, optimizer, value):
    """One value for each group: a sequence of that many, or a single value for all."""
    groups = optimizer.param_groups
    if not isinstance(value, (list, tuple)):
        value = [value] * len(groups)
    if len(value) != len(groups):
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, param_groups has {len(groups)}."
        )
    return [copied(one) for one in value]


def check_optimizer(optimizer):
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def warn_of_epoch(stacklevel=3):
    warnings.warn(
        "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
        "Please use `scheduler.step()` to step the scheduler. If an epoch is given, the closed form is used where there is one.",
        UserWarning,
        stacklevel=stacklevel,
    )


def note_steps(optimizer):
    """Make the optimizer remember, as `_opt_called`, that it was stepped."""
    step = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    owner, function = weakref.ref(optimizer), getattr(step, "__func__", None)

    @functools.wraps(step)
    def noted_step(*args, **kwargs):
        optimizer = owner()
        optimizer._opt_called = True
        return step(*args, **kwargs) if function is None else function(optimizer, *args, **kwargs)

    noted_step._wrapped_by_lr_sched = True
    if function is not None:  # a bound method would keep the optimizer alive
        noted_step.__wrapped__ = function
        step = None
    optimizer.step = noted_step


class LRScheduler:
    """Base class of learning rate schedulers: a subclass defines `get_lr`, and calls __init__ when that can be called.

    Args:
        optimizer: the Optimizer whose groups' "lr" is set.
        last_epoch: the epoch before the next one; -1 to start. To go on at a later epoch the groups need an "initial_lr".

    Raises: TypeError if `optimizer` is none; KeyError for a missing "initial_lr".
    Example:
        >>> scheduler = fastgrad.optim.lr_scheduler.StepLR(optimizer, step_size=30)
        >>> for epoch in range(100):
        ...     train(model, optimizer)
        ...     scheduler.step()
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer, last_epoch=-1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copied(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with last_epoch >= 0. "
                    "Load the optimizer's state dict first, or start with last_epoch=-1."
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        note_steps(optimizer)
        self._initial_step()

    def _initial_step(self):
        """The step that sets the first epoch's rate."""
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def state_dict(self):
        """What the scheduler remembers, without the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict):
        """Take what `state_dict()` gave."""
        self.__dict__.update(state_dict)

    def get_last_lr(self):
        """The groups' learning rates, as last set."""
        return self._last_lr

    def get_lr(self):
        """The groups' next learning rates. Only `step` calls it."""
        raise NotImplementedError

    def step(self, epoch=None):
        """Go to the next epoch, or (deprecated) to the one given."""
        if self._step_count == 1:
            self._warn_of_order()
        self._step_count += 1
        if epoch is not None:
            warn_of_epoch()
        self._update_lr(epoch)

    def _warn_of_order(self):
        if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
            text = (
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                f"Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. {DETAILS}"
            )
        elif not getattr(self.optimizer, "_opt_called", False):
            text = (
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. Call them in the opposite order: "
                f"otherwise the first value of the learning rate schedule is skipped. {DETAILS}"
            )
        else:
            return
        warnings.warn(text, UserWarning, stacklevel=3)

    def _update_lr(self, epoch=None):
        with self._stepping():
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
            self._set_rates(self.get_lr() if closed is None else closed())

    def _set_rates(self, values):
        groups = self.optimizer.param_groups
        values = list(values)
        for group, value in zip(groups, values):
            set_rate(group, value)
        if len(values) != len(groups):
            raise ValueError(f"{type(self).__name__}: {len(values)} learning rates for {len(groups)} parameter groups")
        self._last_lr = rates(self.optimizer)

    @contextmanager
    def _stepping(self):
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_outside_step(self, stacklevel=3):
        if not self._get_lr_called_within_step:
            warnings.warn(
                "To get the last learning rate computed by the scheduler, please use `get_last_lr()`.", UserWarning, stacklevel=stacklevel
            )


class _LRScheduler(LRScheduler):
    """Old name of LRScheduler."""


class DeclaredLR(Declared, LRScheduler):
    """A scheduler of settings (_declared.py), the optimizer and last_epoch among them."""

    def _construct(self, optimizer, last_epoch, **settings):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self._configure(**settings)
        LRScheduler.__init__(self, optimizer, last_epoch)


class Formula(DeclaredLR):
    """A scheduler that computes each group's rate from the group's rate before, and its first one, alone."""

    def next_rate(self, rate, base):
        """The rate of this epoch from the one before."""
        raise NotImplementedError

    def get_lr(self):
        """The groups' next learning rates. Only `step` calls it."""
        self._warn_outside_step()
        groups = self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(f"{type(self).__name__}: made for {len(self.base_lrs)} parameter groups, but there are {len(groups)}")
        return [self.next_rate(copied(group["lr"]), base) for group, base in zip(groups, self.base_lrs)]
