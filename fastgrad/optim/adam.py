"""Adam, and AMSGrad; with decoupled weight decay it is AdamW (adamw.py)."""

import fastgrad as fg
from fastgrad import _ops as _e
from fastgrad._engine import Tensor

from .optimizer import Optimizer, check_one_element, refuse_unsupported

__all__ = ["Adam"]


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

    def __init__(
        self,
        params,
        lr=1e-3,
        betas=(0.9, 0.999),
        eps=1e-8,
        weight_decay=0,
        amsgrad=False,
        *,
        foreach=None,
        maximize=False,
        capturable=False,
        differentiable=False,
        fused=None,
        decoupled_weight_decay=False,
    ):
        tensor_args = [("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])]
        for name, value in tensor_args:
            if isinstance(value, Tensor) and foreach and not capturable:
                raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
            check_one_element(value, name)
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(betas[:2]):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not weight_decay >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if not any(isinstance(betas[0], kind) and isinstance(betas[1], kind) for kind in (float, Tensor)):
            raise ValueError("betas must be either both floats or both Tensors")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        refuse_unsupported(differentiable=differentiable, capturable=capturable)
        defaults = {
            "lr": lr,
            "betas": tuple(betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("amsgrad", "maximize", "capturable", "differentiable", "decoupled_weight_decay"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)
            group.setdefault("fused", None)

    _step_group = _e.adam_step

    def _state_lists(self, params, amsgrad):
        """(exp_avgs, exp_avg_sqs, max_exp_avg_sqs or None, steps) of params, whose first step this may be."""
        states = [self.state[param] for param in params]
        for param, state in zip(params, states):
            if not state:
                state["step"] = fg.tensor(0.0, dtype=fg.float32)
                state["exp_avg"] = fg.zeros_like(param)
                state["exp_avg_sq"] = fg.zeros_like(param)
                if amsgrad:
                    state["max_exp_avg_sq"] = fg.zeros_like(param)
            step = state["step"]
            if not isinstance(step, Tensor) or step.dtype is not fg.float32:
                state["step"] = fg.tensor(float(step), dtype=fg.float32)
        return (
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [state["max_exp_avg_sq"] for state in states] if amsgrad else None,
            [state["step"] for state in states],
        )
