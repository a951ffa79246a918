"""L-BFGS: quasi-Newton steps from the last differences of gradients, with a line search that meets the strong Wolfe conditions."""

import fastgrad as fg

from .line_search import strong_wolfe
from .optimizer import Optimizer, check_one_element

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Limited-memory BFGS. One step runs up to max_iter iterations and calls its closure many times.

    Args:
        params: iterable of tensors; one group.
        lr: length of a step, or the first length that the line search tries.
        max_iter, max_eval: iterations and evaluations of the closure in one step; max_eval is 1.25 max_iter by default.
        tolerance_grad: ends where no element of the gradient is larger.
        tolerance_change: ends where neither parameters nor loss change more.
        history_size: how many differences of gradients are remembered.
        line_search_fn: None or "strong_wolfe".

    Raises: ValueError: a negative lr, or several groups.  RuntimeError (in step): another line_search_fn.
    Example:
        >>> optimizer = fastgrad.optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = criterion(model(x), y)
        ...     loss.backward()
        ...     return loss
        >>> optimizer.step(closure)
    Source: Nocedal and Wright 2006, Numerical Optimization, algorithms 7.4 and 7.5; Schmidt 2005, minFunc.
    """

    def __init__(self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9, history_size=100,
                 line_search_fn=None):
        check_one_element(lr, "lr")
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        max_eval = max_iter * 5 // 4 if max_eval is None else max_eval
        super().__init__(params, dict(lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
                                      tolerance_change=tolerance_change, history_size=history_size, line_search_fn=line_search_fn))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]

    def __setstate__(self, state):
        super().__setstate__(state)
        self._params = self.param_groups[0]["params"]

    def step(self, closure):
        """Run up to max_iter iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, and returns the loss.

        Returns: the loss before the step.
        """
        group = self.param_groups[0]
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        with fg.no_grad():
            return self._iterate(closure, group, self.state[self._params[0]])

    def _iterate(self, closure, group, state):
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = self._evaluate(closure)
        loss, grad, evaluations = float(first_loss), self._flat_grad(), 1
        state["func_evals"] += 1
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            self._find_direction(grad, state, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            lr, direction = group["lr"], state["d"]
            state["t"] = min(1.0, 1.0 / grad.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(direction)
            if slope > -group["tolerance_change"]:
                break
            last = iteration == group["max_iter"]
            loss, grad, count = self._move(closure, state, loss, grad, slope, last, group["max_eval"] - evaluations)
            evaluations += count
            state["func_evals"] += count
            if (last or evaluations >= group["max_eval"] or grad.abs().max() <= group["tolerance_grad"]
                    or direction.mul(state["t"]).abs().max() <= group["tolerance_change"]
                    or abs(loss - state["prev_loss"]) < group["tolerance_change"]):
                break
        return first_loss

    def _find_direction(self, grad, state, history_size):
        """Put at state["d"] minus the approximate inverse Hessian times grad: the recursion of two loops."""
        if state["n_iter"] == 1:
            state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
            return
        dirs, steps, inverses = state["old_dirs"], state["old_stps"], state["ro"]
        change, moved = grad.sub(state["prev_flat_grad"]), state["d"].mul(state["t"])
        curvature = change.dot(moved)
        if curvature > 1e-10:
            for history, value in ((dirs, change), (steps, moved), (inverses, 1.0 / curvature)):
                if len(history) == history_size:
                    history.pop(0)
                history.append(value)
            state["H_diag"] = curvature / change.dot(change)
        state.setdefault("al", [None] * history_size)
        factors, direction = state["al"], grad.neg()
        for i in reversed(range(len(dirs))):
            factors[i] = steps[i].dot(direction) * inverses[i]
            direction.add_(dirs[i], alpha=-factors[i].item())
        direction = direction.mul(state["H_diag"])
        for i in range(len(dirs)):
            direction.add_(steps[i], alpha=(factors[i] - dirs[i].dot(direction) * inverses[i]).item())
        state["d"] = direction

    def _move(self, closure, state, loss, grad, slope, last, most):
        """Go along the direction; (loss, gradient, evaluations) there. Without line search the last loss is not computed."""
        direction, length = state["d"], state["t"]
        if self.param_groups[0]["line_search_fn"] is None:
            self._add(direction, length)
            if last:
                return loss, grad, 0
            return float(self._evaluate(closure)), self._flat_grad(), 1
        start = [param.clone() for param in self._params]

        def at(t):
            self._add(direction, t)
            found = float(self._evaluate(closure)), self._flat_grad()
            for param, value in zip(self._params, start):
                param.copy_(value)
            return found

        loss, grad, state["t"], count = strong_wolfe(at, length, direction, loss, grad, slope, most)
        self._add(direction, state["t"])
        return loss, grad, count

    def _flat_grad(self):
        return fg.cat([(fg.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._params])

    def _add(self, direction, length):
        """params += length * direction."""
        parts = direction.split([p.numel() for p in self._params])
        for param, part in zip(self._params, parts):
            param.add_(part.view_as(param), alpha=float(length))
