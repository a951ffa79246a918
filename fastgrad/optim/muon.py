"""Muon: momentum whose matrix is made orthogonal before the step."""

import math

import fastgrad as fg
from fastgrad import _ops as _e

from .optimizer import Optimizer, check_one_element

__all__ = ["Muon"]

EPS = 1e-7


def orthogonalized(matrix, coefficients, steps, eps):
    """Nearly the orthogonal factor of a matrix: Newton-Schulz iterations, in bfloat16."""
    x = matrix.bfloat16()
    wide = x.size(0) <= x.size(1)
    x = x if wide else x.T
    x = x / x.norm().clamp(min=eps)
    a, b, c = coefficients
    for _ in range(steps):
        gram = x @ x.T
        x = fg.addmm(x, fg.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if wide else x.T


def scaled_rate(lr, how, shape):
    """The learning rate for a matrix of a shape."""
    rows, columns = shape
    if how in (None, "original"):
        return lr * math.sqrt(max(1, rows / columns))
    return lr * 0.2 * math.sqrt(max(rows, columns))


class Muon(Optimizer):
    """b = momentum b + (1 - momentum) g;  u = the orthogonal factor of b, or of g + momentum (b - g) with nesterov
    p = p - lr weight_decay p - lr s(shape) u

    Args:
        params: iterable of matrices; other parameters belong to another optimizer.
        lr, weight_decay, momentum, nesterov: as in the formula.
        ns_coefficients, ns_steps, eps: of the Newton-Schulz iterations.
        adjust_lr_fn: None or "original", s = sqrt(max(1, rows / columns)); or "match_rms_adamw", s = 0.2 sqrt(max(rows, columns)).

    Raises: ValueError for a parameter that is no matrix and for values out of range.
    Source: Jordan et al. 2024, Muon: An optimizer for hidden layers in neural networks; Liu et al. 2025, Muon is Scalable for LLM
    Training (match_rms_adamw).
    """

    def __init__(self, params, lr=1e-3, weight_decay=0.1, momentum=0.95, nesterov=True, ns_coefficients=(3.4445, -4.775, 2.0315), eps=EPS,
                 ns_steps=5, adjust_lr_fn=None):
        check_one_element(lr, "lr")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, dict(lr=lr, weight_decay=weight_decay, momentum=momentum, nesterov=nesterov,
                                      ns_coefficients=ns_coefficients, eps=eps, ns_steps=ns_steps, adjust_lr_fn=adjust_lr_fn))
        for group in self.param_groups:
            for param in group["params"]:
                if param.dim() != 2:
                    raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {param.size()}")

    def _step_group(self, index, group):
        lr, momentum = float(group["lr"]), group["momentum"]
        with fg.no_grad():
            for param, grad in zip(*_e.with_grads(group["params"])):
                state = self.state[param]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = fg.zeros_like(grad)
                buffer = state["momentum_buffer"].lerp_(grad, 1 - momentum)
                update = grad.lerp(buffer, momentum) if group["nesterov"] else buffer
                update = orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
                param.mul_(1 - lr * group["weight_decay"])
                param.add_(update.to(param.dtype), alpha=-scaled_rate(lr, group["adjust_lr_fn"], param.shape))
