"""Adafactor: the second moment of a matrix kept as its rows' and columns' means."""

import fastgrad as fg
from fastgrad import _ops as _e

from .adam import make_step_tensor
from .optimizer import Optimizer, check_one_element

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Steps relative to the size of the parameter, by a second moment of rank one for each matrix.

    r = lerp(r, mean over columns of g^2, t^beta2_decay), c likewise over rows;  v = r c / mean(r), a vector's v is not factored
    u = g / sqrt(v);  p = p - max(eps2, rms(p)) min(lr, 1 / sqrt(t)) u / max(1, rms(u) / d)

    Args:
        params: iterable of tensors, of (name, tensor) pairs, or of dicts that define parameter groups.
        lr: learning rate.
        beta2_decay: as in the formula.
        eps: (least sqrt(v), None for the dtype's eps; eps2).
        d: clipping threshold.
        weight_decay: p = p - lr weight_decay p first.
        foreach: a hint about speed.
        maximize: go up instead of down.

    Raises: ValueError for a value out of range.
    Source: Shazeer and Stern 2018, Adafactor: Adaptive Learning Rates with Sublinear Memory Cost.
    """

    later_defaults = {"foreach": None}

    def __init__(self, params, lr=1e-2, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0, *, foreach=None, maximize=False):
        check_one_element(lr, "lr")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not beta2_decay <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0 but is: {beta2_decay}")
        if eps[0] is not None and not eps[0] >= 0.0:
            raise ValueError(f"epsilon1 should be >= 0 but is: {eps[0]}")
        if not eps[1] >= 0.0:
            raise ValueError(f"epsilon2 should be >= 0 but is: {eps[1]}")
        if not d >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1 but is: {d}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight_decay should be >= 0 but is: {weight_decay}")
        super().__init__(params, dict(lr=lr, beta2_decay=beta2_decay, eps=eps, d=d, weight_decay=weight_decay, foreach=foreach,
                                      maximize=maximize))

    def _step_group(self, index, group):
        with fg.no_grad():
            for param, grad in zip(*_e.with_grads(group["params"])):
                state = self.state[param]
                if not state:
                    self._begin(param, state)
                make_step_tensor(state)
                state["step"].add_(1)
                self._move(param, -grad if group["maximize"] else grad, state, group, state["step"].item())

    def _begin(self, param, state):
        state["step"] = fg.tensor(0.0, dtype=fg.float32)
        if param.dim() > 1:
            rows, columns = list(param.shape), list(param.shape)
            rows[-1], columns[-2] = 1, 1
            state["row_var"], state["col_var"] = param.new_zeros(rows), param.new_zeros(columns)
        else:
            state["variance"] = fg.zeros_like(param)

    def _move(self, param, grad, state, group, step):
        lr, least = float(group["lr"]), group["eps"][0]
        least = fg.finfo(param.dtype).eps if least is None else least
        take = step ** group["beta2_decay"]
        size = max(group["eps"][1], param.norm(2).item() / param.numel() ** 0.5) * min(lr, 1 / step**0.5)
        if group["weight_decay"] != 0:
            param.mul_(1 - lr * group["weight_decay"])
        if param.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(grad.norm(dim=-1, keepdim=True).square_().div_(grad.size(-1)), take)
            columns.lerp_(grad.norm(dim=-2, keepdim=True).square_().div_(grad.size(-2)), take)
            estimate = (rows @ columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=least))
        else:
            state["variance"].lerp_(grad.square(), take)
            estimate = state["variance"].clone()
        update = estimate.clamp_(min=least * least).rsqrt_().mul_(grad)
        too_large = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        param.add_(update, alpha=-size / too_large)
