"""Optimizers of one rule an element: RMSprop, Adagrad, Adadelta, Adamax, RAdam, NAdam, Rprop, ASGD.

What they share is `PerParameter`: a subclass says what its state is; the rule itself, one fused pass over a parameter, its
gradient and its state, is the engine's (src/ops/step_rules.pxi), in PyTorch's order of operations, so that the paths are its own.
"""

import fastgrad as fg
from fastgrad import _ops as _e

from .adam import make_step_tensor
from .optimizer import Optimizer, check_defaults

__all__ = ["ASGD", "Adadelta", "Adagrad", "Adamax", "NAdam", "RAdam", "RMSprop", "Rprop"]


class PerParameter(Optimizer):
    """Base class: a subclass names its state, in the order of its kernel's operands, and how else than with zeros it starts.

    Attributes:
        numbers: names of the state's 0-d tensors, besides the step. tensors: names of those of the parameter's shape.
    """

    numbers = ()
    tensors = ()
    later_defaults = {"maximize": False, "foreach": None, "differentiable": False, "capturable": False}

    def __init__(self, params, **defaults):
        check_defaults(defaults)
        super().__init__(params, defaults)

    _step_group = _e.rule_step

    def _names(self, group):
        """(numbers, tensors) of the state of a group's parameters."""
        return self.numbers, self.tensors

    def _state_lists(self, params, group):
        states = [self.state[param] for param in params]
        for param, state in zip(params, states):
            if not state:
                self._begin(param, state, group)
            make_step_tensor(state)
        numbers, tensors = self._names(group)
        return tuple([state[name] for state in states] for name in ("step", *numbers, *tensors))

    def _begin(self, param, state, group):
        numbers, tensors = self._names(group)
        state["step"] = fg.tensor(0.0, dtype=fg.float32)
        for name in numbers:
            state[name] = fg.ones(())
        for name in tensors:
            state[name] = fg.zeros_like(param)


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

    _rule = _e.step_rule("RMSprop")

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0, momentum=0, centered=False, capturable=False,
                 foreach=None, maximize=False, differentiable=False):
        super().__init__(params, lr=lr, momentum=momentum, alpha=alpha, eps=eps, centered=centered, weight_decay=weight_decay,
                         capturable=capturable, foreach=foreach, maximize=maximize, differentiable=differentiable)

    def _names(self, group):
        momentum = ("momentum_buffer",) if group["momentum"] > 0 else ()
        return (), ("square_avg", *momentum, *(("grad_avg",) if group["centered"] else ()))


class Adagrad(PerParameter):
    """s = s + g^2;  p = p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    Args:
        params, lr, eps, weight_decay, maximize: as for Adam.
        lr_decay: as in the formula. initial_accumulator_value: what s starts from.
        foreach, fused: hints about speed. differentiable: not supported.

    Source: Duchi et al. 2011, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization.
    """

    _rule = _e.step_rule("Adagrad")
    tensors = ("sum",)

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10, foreach=None, *,
                 maximize=False, differentiable=False, fused=None):
        super().__init__(params, lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
                         initial_accumulator_value=initial_accumulator_value, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, fused=fused)
        for group in self.param_groups:
            for param in group["params"]:
                self._begin(param, self.state[param], group)

    def _begin(self, param, state, group):
        super()._begin(param, state, group)
        state["sum"].fill_(group["initial_accumulator_value"])


class Adadelta(PerParameter):
    """v = rho v + (1 - rho) g^2;  d = sqrt(u + eps) / sqrt(v + eps) g;  u = rho u + (1 - rho) d^2;  p = p - lr d.

    Args:
        params, lr, weight_decay, maximize: as for Adam. rho, eps: as in the formula.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Zeiler 2012, ADADELTA: An Adaptive Learning Rate Method.
    """

    _rule = _e.step_rule("Adadelta")
    tensors = ("square_avg", "acc_delta")

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False, maximize=False,
                 differentiable=False):
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        super().__init__(params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize, capturable=capturable,
                         foreach=foreach, differentiable=differentiable)


class Adamax(PerParameter):
    """m = beta1 m + (1 - beta1) g;  u = max(beta2 u, |g| + eps);  p = p - lr / (1 - beta1^t) m / u.

    Args: as for Adam. foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Kingma and Ba 2014, Adam: A Method for Stochastic Optimization.
    """

    _rule = _e.step_rule("Adamax")
    tensors = ("exp_avg", "exp_inf")

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, foreach=None, *, maximize=False,
                 differentiable=False, capturable=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, capturable=capturable)


class RAdam(PerParameter):
    """Adam whose step is rectified while the second moment is uncertain, and goes without it at first.

    Args: as for Adam. decoupled_weight_decay: as in AdamW. foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Liu et al. 2019, On the Variance of the Adaptive Learning Rate and Beyond.
    """

    _rule = _e.step_rule("RAdam")
    tensors = ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, decoupled_weight_decay=False, *,
                 foreach=None, maximize=False, capturable=False, differentiable=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize, foreach=foreach,
                         capturable=capturable, decoupled_weight_decay=decoupled_weight_decay, differentiable=differentiable)


class ASGD(PerParameter):
    """Averaged gradient descent: p = (1 - lambd eta) p - eta g;  a = a + mu (p - a), the average, which starts at step t0.

    eta = lr / (1 + lambd lr t)^alpha and mu = 1 / max(1, t - t0) are those of the step before; at first lr and 1.

    Args:
        params, lr, weight_decay, maximize: as for Adam. lambd, alpha, t0: as in the formula.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Polyak and Juditsky 1992, Acceleration of Stochastic Approximation by Averaging.
    """

    _rule = _e.step_rule("ASGD")
    numbers, tensors = ("eta", "mu"), ("ax",)

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None, maximize=False,
                 differentiable=False, capturable=False):
        super().__init__(params, lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay, foreach=foreach,
                         maximize=maximize, differentiable=differentiable, capturable=capturable)

    def _begin(self, param, state, group):
        super()._begin(param, state, group)
        state["eta"].fill_(float(group["lr"]))


class NAdam(PerParameter):
    """Adam with Nesterov's momentum: the mean that the next step will see takes this step.

    mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2);  p = p - lr ((1 - mu_t) g / (1 - P_t) + mu_(t+1) m / (1 - P_(t+1))) / (sqrt(v) + eps),
    where P_t is the product of mu_1 to mu_t and v is corrected for its bias.

    Args: as for Adam. momentum_decay: as in the formula. decoupled_weight_decay: as in AdamW. foreach: a hint about speed.
        capturable, differentiable: not supported.

    Source: Dozat 2016, Incorporating Nesterov Momentum into Adam.
    """

    _rule = _e.step_rule("NAdam")
    numbers, tensors = ("mu_product",), ("exp_avg", "exp_avg_sq")

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3, decoupled_weight_decay=False,
                 *, foreach=None, maximize=False, capturable=False, differentiable=False):
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay,
                         decoupled_weight_decay=decoupled_weight_decay, maximize=maximize, foreach=foreach, capturable=capturable,
                         differentiable=differentiable)


class Rprop(PerParameter):
    """Resilient back-propagation: every element has a step size of its own, and only the sign of its gradient counts.

    The step size grows by etas[1] where the sign is as before and shrinks by etas[0] where it has changed; there the element rests once.

    Args:
        params, maximize: as for Adam. lr: the first step size. etas: (factor below 1, factor above 1).
        step_sizes: (smallest, largest) step size.
        foreach: a hint about speed. capturable, differentiable: not supported.

    Source: Riedmiller and Braun 1993, A Direct Adaptive Method for Faster Backpropagation Learning: The RPROP Algorithm.
    """

    _rule = _e.step_rule("Rprop")
    tensors = ("prev", "step_size")

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, capturable=False, foreach=None, maximize=False,
                 differentiable=False):
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, lr=lr, etas=etas, step_sizes=step_sizes, foreach=foreach, maximize=maximize,
                         differentiable=differentiable, capturable=capturable)

    def _begin(self, param, state, group):
        super()._begin(param, state, group)
        state["step_size"].fill_(float(group["lr"]))
