"""Averages of a model's weights over training: stochastic weight averaging and exponential moving averages; torch.optim.swa_utils.

Source: Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization; Polyak and Juditsky 1992.
"""

import itertools
import math
from copy import deepcopy

import fastgrad as fg

from ..nn import Module
from ..nn.modules.normalization import _BatchNorm
from .lr_scheduler import LRScheduler
from .lr_scheduler.base import check_optimizer, per_group

__all__ = ["AveragedModel", "SWALR", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn", "update_bn"]


def _check_decay(decay):
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_avg_fn(decay=0.999):
    """A function of (average, value, count) that gives decay average + (1 - decay) value."""
    _check_decay(decay)

    @fg.no_grad()
    def moved(average, value, count):
        return decay * average + (1 - decay) * value

    return moved


def get_swa_avg_fn():
    """A function of (average, value, count) that gives the mean of count + 1 values from that of count."""

    @fg.no_grad()
    def moved(average, value, count):
        return average + (value - average) / (count + 1)

    return moved


def _follow(averages, values, weight):
    """Move every average by `weight` of the way to its value, in place."""
    for average, value in zip(averages, values):
        if average.is_floating_point():
            average.lerp_(value.to(average.dtype), float(weight))
        else:
            average.copy_(average + (value - average) * weight)


def get_ema_multi_avg_fn(decay=0.999):
    """A function of (averages, values, count) that moves the averages as get_ema_avg_fn, in place."""
    _check_decay(decay)

    @fg.no_grad()
    def ema_update(ema_param_list, current_param_list, _):
        _follow(ema_param_list, current_param_list, 1 - decay)

    return ema_update


def get_swa_multi_avg_fn():
    """A function of (averages, values, count) that moves the averages as get_swa_avg_fn, in place."""

    @fg.no_grad()
    def swa_update(averaged_param_list, current_param_list, num_averaged):
        _follow(averaged_param_list, current_param_list, 1 / (float(num_averaged) + 1))

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages over training: of equal weight, or by avg_fn or multi_avg_fn.

    Args:
        model: what to average; `module` is a deep copy of it.
        device: the CPU or None.
        avg_fn: function of (average, value, count) that gives the next average of one parameter.
        multi_avg_fn: function of (averages, values, count) that changes the averages in place.
        use_buffers: average buffers too; otherwise they are copied.

    Example:
        >>> average = fastgrad.optim.swa_utils.AveragedModel(model)
        >>> optimizer.step()
        >>> average.update_parameters(model)
    """

    def __init__(self, model, device=None, avg_fn=None, multi_avg_fn=None, use_buffers=False):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", fg.tensor(0, dtype=fg.long, device=device))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args, **kwargs):
        return self.module(*args, **kwargs)

    def update_parameters(self, model):
        """Take the model's parameters into the average."""
        averages, values = self._tensors(self.module), self._tensors(model)
        with fg.no_grad():
            if self.n_averaged == 0:
                for average, value in zip(averages, values):
                    average.copy_(value)
            elif self.avg_fn is not None:
                for average, value in zip(averages, values):
                    average.copy_(self.avg_fn(average, value, self.n_averaged))
            else:
                (self.multi_avg_fn or get_swa_multi_avg_fn())(averages, values, self.n_averaged)
            if not self.use_buffers:
                for mine, theirs in zip(self.module.buffers(), model.buffers()):
                    mine.copy_(theirs)
            self.n_averaged += 1

    def _tensors(self, model):
        kept = itertools.chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()
        return [tensor.detach() for tensor in kept]


def update_bn(loader, model, device=None):
    """Compute the running statistics of a model's batch normalisations anew, over all batches of a loader.

    Args:
        loader: iterable of batches, or of tuples whose first item is the batch.
        model: it is called on every batch; its mode is as before in the end.
        device: where batches go: the CPU or None.
    """
    momenta = {norm: norm.momentum for norm in model.modules() if isinstance(norm, _BatchNorm)}
    if not momenta:
        return
    for norm in momenta:
        norm.reset_running_stats()
        norm.momentum = None                                    # a plain mean over the batches
    was_training = model.training
    with fg.no_grad():
        model.train()
        for batch in loader:
            batch = batch[0] if isinstance(batch, (list, tuple)) else batch
            model(batch if device is None else batch.to(device))
    for norm, momentum in momenta.items():
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Goes to the rate swa_lr within anneal_epochs, along a cosine or a line, and stays there.

    Args:
        optimizer: whose groups' rates are set.
        swa_lr: one rate, or one for each group.
        anneal_epochs, anneal_strategy: how long, and "cos" or "linear".
        last_epoch: as for LRScheduler.

    Raises: TypeError if `optimizer` is none; ValueError for other arguments out of range.
    """

    def __init__(self, optimizer, swa_lr, anneal_epochs=10, anneal_strategy="cos", last_epoch=-1):
        check_optimizer(optimizer)
        for group, rate in zip(optimizer.param_groups, per_group("swa_lr", optimizer, swa_lr)):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step):
        """How much of the way is gone after `step` epochs."""
        t = max(0, min(1, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self):
        """The groups' next learning rates. Only `step` calls it."""
        self._warn_outside_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        rates = []
        for group in self.optimizer.param_groups:
            target = group["swa_lr"]
            start = target if before == 1 else (group["lr"] - target * before) / (1 - before)
            rates.append(target * now + start * (1 - now))
        return rates
