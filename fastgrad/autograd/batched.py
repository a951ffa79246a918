"""autograd.grad with is_grads_batched: one graph, many cotangents."""

import fastgrad as fg
from fastgrad._engine import Tensor, grad

__all__ = ["batched_grad"]


def batched_grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads):
    """A walk for each cotangent; the gradients are stacked."""
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    given = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs or [None])
    found, n = [], -1
    for i, g in enumerate(given):
        if g is None:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if i < len(roots) and (g.dim() == 0 or g.shape[1:] != roots[i].shape):
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The sizes of "
                f"the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was detected: "
                f"grad_output[{i}] has a shape of {g.shape} and output[{i}] has a shape of {roots[i].shape}. If you only want some "
                "tensors in `grad_output` to be considered batched, consider using vmap.")
        if n >= 0 and g.shape[0] != n:
            raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {[n, g.shape[0]]} "
                             "for the mapped dimension")
        n = g.shape[0]
    keep = create_graph if retain_graph is None else bool(retain_graph)
    for k in range(n):
        found.append(grad(roots, inputs, [g[k] for g in given], keep or k < n - 1, create_graph, True, allow_unused, False,
                          materialize_grads))
    if not found:
        wanted = [inputs] if isinstance(inputs, Tensor) else inputs
        return tuple([t.new_empty((0,) + tuple(t.shape)) for t in wanted])
    return tuple([None if column[0] is None else fg.stack(column) for column in zip(*found)])
