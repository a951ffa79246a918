"""Full backward hooks: the inputs and the outputs of a module pass through an identity that sees their gradients.

The gate at the outputs runs first in the backward: it runs the pre-hooks and keeps the gradients of the outputs. The gate
at the inputs then runs the hooks with both. Without an input that needs a gradient there is no second gate, and the hooks
run at the first with None for every input. As in PyTorch, an output without a gradient shows as None and an input without
one as zeros.
"""

import warnings

import fastgrad as fg
from fastgrad._engine import Tensor
from fastgrad.autograd import Function


class Gate(Function):
    """Identity whose gradients are those that on_backward returns for the gradients it gets."""

    @staticmethod
    def forward(ctx, on_backward, materialize, *tensors):
        ctx.on_backward = on_backward
        ctx.set_materialize_grads(materialize)
        ctx.mark_non_differentiable(*[tensor for tensor in tensors if not tensor.requires_grad])
        return tensors

    @staticmethod
    def backward(ctx, *grads):
        return (None, None, *ctx.on_backward(grads))


class BackwardHooks:
    """The backward hooks of one call of a module."""

    def __init__(self, module, hooks, pre_hooks):
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs = None
        self.inputs_watched = False

    def watch_inputs(self, args):
        self.n_inputs = len(args)
        watched, self.input_positions = self._gate(args, self._on_input_grads, materialize=True)
        self.inputs_watched = bool(self.input_positions)
        return watched

    def watch_outputs(self, result):
        if not isinstance(result, (Tensor, tuple)):
            warnings.warn(
                "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors "
                f"but received {type(result)}",
                stacklevel=5,
            )
        outputs = result if isinstance(result, tuple) else (result,)
        self.n_outputs = len(outputs)
        outputs, self.output_positions = self._gate(outputs, self._on_output_grads, materialize=False)
        return outputs if isinstance(result, tuple) else outputs[0]

    def _gate(self, values, on_backward, materialize):
        """The values, their tensors sent through a Gate, and the positions of these; no positions if no grad is needed."""
        positions = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (fg.is_grad_enabled() and any(values[i].requires_grad for i in positions)):
            return values, []
        gated = list(values)
        tensors = Gate.apply(on_backward, materialize, *(values[i] for i in positions))
        for i, tensor in zip(positions, tensors):
            gated[i] = tensor
        return (tuple(gated) if type(values) is tuple else type(values)(*gated)), positions

    def _on_output_grads(self, grads):
        self.grad_outputs = _spread(grads, self.output_positions, self.n_outputs)
        for hook in self.pre_hooks:
            new = hook(self.module, self.grad_outputs)
            if new is not None:
                _check_length(new, self.grad_outputs, "Backward pre hook returned an invalid number of grad_output")
                self.grad_outputs = new
        grad_outputs = self.grad_outputs
        if not self.inputs_watched:
            self._run_without_inputs()
        return [grad_outputs[i] for i in self.output_positions]

    def _run_without_inputs(self):
        warnings.warn(
            "Full backward hook is firing when gradients are computed with respect to module outputs since no inputs "
            "require gradients.",
            stacklevel=5,
        )
        for hook in self.hooks:
            new = hook(self.module, (None,) * self.n_inputs, self.grad_outputs)
            if new is not None and not (isinstance(new, tuple) and all(grad is None for grad in new)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None "
                    "or None for all gradients."
                )
        self.grad_outputs = None

    def _on_input_grads(self, grads):
        if self.grad_outputs is None:
            return grads
        grad_inputs = _spread(grads, self.input_positions, self.n_inputs)
        for hook in self.hooks:
            new = hook(self.module, grad_inputs, self.grad_outputs)
            if new is not None:
                _check_length(new, grad_inputs, "Backward hook returned an invalid number of grad_input")
                grad_inputs = new
        self.grad_outputs = None
        return [grad_inputs[i] for i in self.input_positions]


def _spread(grads, positions, size):
    spread = [None] * size
    for position, grad in zip(positions, grads):
        spread[position] = grad
    return tuple(spread)


def _check_length(new, old, problem):
    if len(new) != len(old):
        raise RuntimeError(f"{problem}, got {len(new)}, but expected {len(old)}")
