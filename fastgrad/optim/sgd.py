"""Stochastic gradient descent, with momentum and weight decay."""

from fastgrad import _ops as _e

from .optimizer import Optimizer, check_defaults

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent.

    g = grad + weight_decay p;  b = g at first, then momentum b + (1 - dampening) g
    p = p - lr b, or p - lr (g + momentum b) with nesterov, or p - lr g without momentum

    Args:
        params: iterable of tensors, of (name, tensor) pairs, or of dicts that define parameter groups.
        lr: learning rate, a number or a tensor of one element.
        momentum, dampening, weight_decay, nesterov: as in the formula.
        maximize: go up instead of down.
        foreach, fused: hints about speed; there is one implementation, the fast one.
        differentiable: not supported.

    Raises: ValueError for a negative lr, momentum or weight_decay; NotImplementedError for differentiable=True.
    Example:
        >>> optimizer = fastgrad.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> optimizer.zero_grad()
        >>> loss(model(x), y).backward()
        >>> optimizer.step()
    Source: Sutskever et al. 2013, On the importance of initialization and momentum in deep learning.
    """

    later_defaults = {"nesterov": False, "maximize": False, "foreach": None, "fused": False, "differentiable": False}

    def __init__(self, params, lr=1e-3, momentum=0, dampening=0, weight_decay=0, nesterov=False, *, maximize=False, foreach=None,
                 differentiable=False, fused=None):
        defaults = dict(lr=lr, momentum=momentum, dampening=dampening, weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
                        foreach=foreach, differentiable=differentiable, fused=fused)
        check_defaults(defaults)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, defaults)

    _step_group = _e.sgd_step

    def _state_lists(self, params, group):
        return ([self.state[param].get("momentum_buffer") for param in params],) if group["momentum"] != 0 else ()

    def _settle(self, plan):
        for buffers in plan.lists:
            for param, buffer in zip(plan.params, buffers):
                self.state[param]["momentum_buffer"] = buffer
        super()._settle(plan)
