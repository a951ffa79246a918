"""Optimizers whose step is a few tensor operations for each parameter: RMSprop, Adagrad, Adadelta, Adamax, RAdam,
ASGD, Rprop.

`PerParameter` has what they share: checks, state, step count, maximize, weight decay. A subclass says how its state starts
and how a parameter moves. The operations are in PyTorch's order, so that the paths are its own.
"""

import math

import fastgrad as fg
from fastgrad import _ops as _e
from fastgrad._engine import Tensor

from .optimizer import Optimizer, check_one_element, refuse_unsupported

__all__ = ["ASGD", "Adadelta", "Adagrad", "Adamax", "RAdam", "RMSprop", "Rprop"]


class PerParameter(Optimizer):
    """Base class: a subclass defines `_start(param, state, group)` and `_move(param, grad, state, group, step)`."""

    zeros = ()

    def __init__(self, params, **defaults):
        lr, eps = defaults["lr"], defaults.get("eps", 0.0)
        check_one_element(lr, "lr")
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps >= 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        for i, beta in enumerate(defaults.get("betas", ())):
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
        if not defaults.get("weight_decay", 0) >= 0.0:
            raise ValueError(f"Invalid weight_decay value: {defaults['weight_decay']}")
        refuse_unsupported(differentiable=defaults["differentiable"], capturable=defaults.get("capturable", False))
        super().__init__(params, defaults)

    def __setstate__(self, state):
        super().__setstate__(state)
        for group in self.param_groups:
            for name in ("maximize", "differentiable"):
                group.setdefault(name, False)
            group.setdefault("foreach", None)

    def _step_group(self, index, group):
        params, grads = _e.with_grads(group["params"])
        decay = group.get("weight_decay", 0)
        decoupled = group.get("decoupled_weight_decay", False)
        with fg.no_grad():
            for param, grad in zip(params, grads):
                state = self.state[param]
                if not state:
                    self._begin(param, state, group)
                if not isinstance(state["step"], Tensor):
                    state["step"] = fg.tensor(float(state["step"]), dtype=fg.float32)
                state["step"].add_(1)
                if group["maximize"]:
                    grad = -grad
                if decay and decoupled:
                    param.mul_(1 - float(group["lr"]) * decay)
                elif decay:
                    grad = grad.add(param, alpha=decay)
                self._move(param, grad, state, group, state["step"].item())

    def _begin(self, param, state, group):
        state["step"] = fg.tensor(0.0, dtype=fg.float32)
        for name in self.zeros:
            state[name] = fg.zeros_like(param)
        self._start(param, state, group)

    def _start(self, param, state, group):
        """What the state holds besides the step and `zeros`."""

    def _move(self, param, grad, state, group, step):
        """Change param by grad, which has weight decay in it; this is its step number `step`."""
        raise NotImplementedError


class RMSprop(PerParameter):
    """v = alpha v + (1 - alpha) g^2;  p = p - lr g / (sqrt(v) + eps), with a momentum buffer if momentum > 0.

    Args:
        params, lr, eps, weight_decay, maximize: as for Adam.
        alpha: smoothing of v.
        momentum: b = momentum b + g / (sqrt(v) + eps), and p moves by -lr b.
        centered: the running mean of g, squared, is taken off v.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Tieleman and Hinton 2012, Lecture 6.5 of Neural Networks for Machine Learning.
    """

    zeros = ("square_avg",)

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, capturable=False,
                 foreach=None, maximize=False, differentiable=False):
        if not momentum >= 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if not alpha >= 0.0:
            raise ValueError(f"Invalid alpha value: {alpha}")
        super().__init__(params, lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay,
                         capturable=capturable, foreach=foreach, maximize=maximize, differentiable=differentiable)

    def _start(self, param, state, group):
        if group["momentum"] > 0:
            state["momentum_buffer"] = fg.zeros_like(param)
        if group["centered"]:
            state["grad_avg"] = fg.zeros_like(param)

    def _move(self, param, grad, state, group, step):
        alpha, square = group["alpha"], state["square_avg"]
        square.mul_(alpha).addcmul_(grad, grad, value=1 - alpha)
        if group["centered"]:
            mean = state["grad_avg"]
            mean.lerp_(grad, 1 - alpha)
            scale = square.addcmul(mean, mean, value=-1).sqrt_().add_(group["eps"])
        else:
            scale = square.sqrt().add_(group["eps"])
        if group["momentum"] > 0:
            buffer = state["momentum_buffer"]
            buffer.mul_(group["momentum"]).addcdiv_(grad, scale)
            param.add_(buffer, alpha=-float(group["lr"]))
        else:
            param.addcdiv_(grad, scale, value=-float(group["lr"]))


class Adagrad(PerParameter):
    """s = s + g^2;  p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    Args:
        params, lr, eps, weight_decay, maximize: as for Adam.
        lr_decay: as in the formula. initial_accumulator_value: what s starts from.
        foreach, fused: hints about speed. differentiable: not supported.

    Source: Duchi et al. 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, *,
                 maximize=False, differentiable=False, fused=None):
        if not lr_decay >= 0.0:
            raise ValueError(f"Invalid lr_decay value: {lr_decay}")
        if not initial_accumulator_value >= 0.0:
            raise ValueError(f"Invalid initial_accumulator_value value: {initial_accumulator_value}")
        if fused and foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        super().__init__(params, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, fused=fused)
        for group in self.param_groups:
            for param in group["params"]:
                self._begin(param, self.state[param], group)

    def _start(self, param, state, group):
        state["sum"] = fg.full_like(param, group["initial_accumulator_value"])

    def _move(self, param, grad, state, group, step):
        rate = float(group["lr"]) / (1 + (step - 1) * group["lr_decay"])
        total = state["sum"]
        total.addcmul_(grad, grad, value=1)
        param.addcdiv_(grad, total.sqrt().add_(group["eps"]), value=-rate)


class Adadelta(PerParameter):
    """v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d^2;  p = p - lr d.

    Args:
        params, lr, weight_decay, maximize: as for Adam. rho, eps: as in the formula.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Zeiler 2012, ADADELTA: An Adaptive Learning Rate Method.
    """

    zeros = ("square_avg", "acc_delta")

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False, maximize=False,
                 differentiable=False):
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize, capturable=capturable,
                         foreach=foreach, differentiable=differentiable)

    def _move(self, param, grad, state, group, step):
        rho, eps, square, moved = group["rho"], group["eps"], state["square_avg"], state["acc_delta"]
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        delta = moved.add(eps).sqrt_().div_(square.add(eps).sqrt_()).mul_(grad)
        moved.mul_(rho).addcmul_(delta, delta, value=1 - rho)
        param.add_(delta, alpha=-float(group["lr"]))


class Adamax(PerParameter):
    """m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + eps);  p = p - lr / (1 - beta1^t) m / u.

    Args: as for Adam. foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Kingma and Ba 2014, Adam: A Method for Stochastic Optimization.
    """

    zeros = ("exp_avg", "exp_inf")

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *, maximize=False,
                 differentiable=False, capturable=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, capturable=capturable)

    def _move(self, param, grad, state, group, step):
        beta1, beta2 = group["betas"]
        state["exp_avg"].lerp_(grad, 1 - beta1)
        largest = state["exp_inf"]
        largest.copy_(fg.maximum(largest * beta2, grad.abs().add_(group["eps"])))
        param.addcdiv_(state["exp_avg"], largest, value=-float(group["lr"]) / (1 - beta1**step))


class RAdam(PerParameter):
    """Adam whose step is rectified while the second moment is uncertain, and goes without it at first.

    Args: as for Adam. decoupled_weight_decay: as in AdamW. foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Liu et al. 2019, On the Variance of the Adaptive Learning Rate and Beyond.
    """

    zeros = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *,
                 foreach=None, maximize=False, capturable=False, differentiable=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize, foreach=foreach,
                         capturable=capturable, decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable)

    def _move(self, param, grad, state, group, step):
        beta1, beta2 = group["betas"]
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        mean.lerp_(grad, 1 - beta1)
        square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        correction = 1 - beta2**step
        change = mean / (1 - beta1**step) * float(group["lr"])
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / correction
        if length > 5.0:
            rectify = math.sqrt((length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length))
            change = change * (math.sqrt(correction) / square.sqrt().add_(group["eps"])) * rectify
        param.sub_(change)


class ASGD(PerParameter):
    """Averaged gradient descent: p = (1 - lambd eta) p - eta g;  a = a + mu (p - a), the average, which starts at step t0.

    eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0) are those of the step before; at first lr and 1.

    Args:
        params, lr, weight_decay, maximize: as for Adam. lambd, alpha, t0: as in the formula.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging.
    """

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None, maximize=False,
                 differentiable=False, capturable=False):
        super().__init__(params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, foreach=foreach,
                         maximize=maximize, differentiable=differentiable, capturable=capturable)

    def _start(self, param, state, group):
        state["eta"] = fg.tensor(float(group["lr"]))
        state["mu"] = fg.ones(())
        state["ax"] = fg.zeros_like(param)

    def _move(self, param, grad, state, group, step):
        lr, eta, mu = float(group["lr"]), state["eta"].item(), state["mu"].item()
        param.mul_(1 - group["lambd"] * eta).add_(grad, alpha=-eta)
        average = state["ax"]
        if mu == 1:
            average.copy_(param)
        else:
            average.add_(param.sub(average).mul_(mu))
        state["eta"].copy_(fg.tensor(lr / (1 + group["lambd"] * lr * step) ** group["alpha"]))
        state["mu"].copy_(fg.tensor(1 / max(1, step - group["t0"])))


class Rprop(PerParameter):
    """Resilient back-propagation: every element has a step size of its own, and only the sign of its gradient counts.

    The step size grows by etas[1] where the sign is as before and shrinks by etas[0] where it has changed; there the element rests once.

    Args:
        params, maximize: as for Adam. lr: the first step size. etas: (factor below 1, factor above 1).
        step_sizes: (smallest, largest) step size.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Riedmiller and Braun 1993, A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm.
    """

    zeros = ("prev",)

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False, foreach=None, maximize=False,
                 differentiable=False):
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, capturable=capturable)

    def _start(self, param, state, group):
        state["step_size"] = fg.full_like(param, float(group["lr"]))

    def _move(self, param, grad, state, group, step):
        (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
        agreement, size = grad * state["prev"], state["step_size"]
        factor = fg.ones_like(grad).masked_fill_(agreement > 0, grow).masked_fill_(agreement < 0, shrink)
        size.mul_(factor).clamp_(smallest, largest)
        grad = grad.masked_fill(agreement < 0, 0)
        param.addcmul_(grad.sign(), size, value=-1)
        state["prev"].copy_(grad)
