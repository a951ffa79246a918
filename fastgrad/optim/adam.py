"""Adam, and AMSGrad; with decoupled weight decay it is AdamW (adamw.py)."""

import fastgrad as fg
from fastgrad import _ops as _e
from fastgrad._engine import Tensor

from .optimizer import Optimizer, check_defaults, check_one_element

__all__ = ["Adam"]


def make_step_tensor(state):
    """Let the step count be a float32 tensor, whatever an older version has saved."""
    step = state["step"]
    if not isinstance(step, Tensor) or step.dtype is not fg.float32:
        state["step"] = fg.tensor(float(step), dtype=fg.float32)


class Adam(Optimizer):
    """Adaptive moment estimation.

    g = grad + weight_decay p;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
    p = p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)

    Args:
        params: iterable of tensors, of (name, tensor) pairs, or of dicts that define parameter groups.
        lr: learning rate, a number or a tensor of one element.
        betas: (beta1, beta2), two floats or two tensors of one element.
        eps: added to the denominator.
        weight_decay: as in the formula.
        amsgrad: use the largest v so far instead of v.
        maximize: go up instead of down.
        decoupled_weight_decay: p = p - lr weight_decay p instead of adding weight_decay p to the gradient.
        foreach, fused: hints about speed; there is one implementation, the fast one.
        capturable, differentiable: not supported.

    Raises: ValueError for a value out of range; NotImplementedError for what is not supported.
    Example:
        >>> optimizer = fastgrad.optim.Adam(model.parameters(), lr=1e-3)
        >>> optimizer.zero_grad()
        >>> loss(model(x), y).backward()
        >>> optimizer.step()
    Source: Kingma and Ba 2014, Adam: A Method for Stochastic Optimization; Reddi et al. 2018, On the Convergence of Adam
    and Beyond.
    """

    later_defaults = {"amsgrad": False, "maximize": False, "foreach": None, "capturable": False, "differentiable": False, "fused": None,
                      "decoupled_weight_decay": False}

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, foreach=None, maximize=False,
                 capturable=False, differentiable=False, fused=None, decoupled_weight_decay=False):
        for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(value, Tensor) and foreach and not capturable:
                raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
            check_one_element(value, name)
        if not any(isinstance(betas[0], kind) and isinstance(betas[1], kind) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        defaults = dict(lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize, foreach=foreach,
                        capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=decoupled_weight_decay)
        check_defaults(defaults)
        super().__init__(params, defaults)

    _step_group = _e.adam_step

    def _state_lists(self, params, group):
        """(exp_avgs, exp_avg_sqs, max_exp_avg_sqs or None, steps) of params."""
        amsgrad = group["amsgrad"]
        states = [self.state[param] for param in params]
        for param, state in zip(params, states):
            if not state:
                state["step"] = fg.tensor(0.0, dtype=fg.float32)
                state["exp_avg"] = fg.zeros_like(param)
                state["exp_avg_sq"] = fg.zeros_like(param)
                if amsgrad:
                    state["max_exp_avg_sq"] = fg.zeros_like(param)
            make_step_tensor(state)
        return (
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [state["max_exp_avg_sq"] for state in states] if amsgrad else None,
            [state["step"] for state in states],
        )
