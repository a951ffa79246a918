"""gradcheck of forward mode, and of batches of cotangents and tangents."""

from importlib import import_module

import numpy as np

import fastgrad as fg
from fastgrad._engine import Tensor, grad

from . import forward_ad

__all__ = ["check_batched", "check_forward"]

base = import_module("fastgrad.autograd.gradcheck")      # the package has a function of that name


def leaves(inputs):
    return [t.detach().requires_grad_(t.requires_grad) if isinstance(t, Tensor) else t for t in inputs]


def random_like(t, n=None):
    shape = tuple(t.shape) if n is None else (n, *t.shape)
    return base.like(np.random.default_rng(len(shape)).uniform(-1, 1, shape), t)


def check_batched(func, inputs, atol, rtol):
    """grad(is_grads_batched=True) against a gradient for each cotangent."""
    wanted = [t for t in inputs if isinstance(t, Tensor) and t.requires_grad]
    for o, output in enumerate(base.differentiable(func(*inputs))):
        batch = random_like(output, 2)
        together = grad(output, wanted, batch, retain_graph=True, allow_unused=True, is_grads_batched=True)
        for k in range(2):
            alone = grad(output, wanted, batch[k], retain_graph=True, allow_unused=True)
            for i, (a, b) in enumerate(zip(alone, together)):
                if (a is None) != (b is None) or (a is not None and not np.allclose(base.values(a), base.values(b[k]), rtol=rtol, atol=atol)):
                    raise base.GradcheckError(f"While computing batched gradients, got different values for output {o} and input {i} than "
                                              "from a gradient for each cotangent")


def pushed(func, inputs, place, tangent):
    """The tangents of the outputs, as tensors; the input at `place` has this one."""
    args = leaves(inputs)
    args[place] = forward_ad.make_dual(args[place], tangent)
    outputs = base.differentiable(func(*args))
    tangents = [forward_ad.unpack_dual(o).tangent for o in outputs]
    return tuple(fg.zeros_like(o.detach()) if t is None else t.detach() for o, t in zip(outputs, tangents))


def check_forward(func, inputs, eps, atol, rtol, batched):
    """Forward mode against finite differences, column by column."""
    for i, t in enumerate(inputs):
        if not isinstance(t, Tensor) or not t.requires_grad:
            continue
        columns = []
        for unit in np.eye(t.numel()):
            with forward_ad.dual_level():
                columns.append([base.values(c).reshape(-1) for c in pushed(func, inputs, i, base.like(unit.reshape(tuple(t.shape)), t))])
        for o, output in enumerate(base.differentiable(func(*leaves(inputs)))):
            numerical = base.differences(func, inputs, i, o, eps)
            analytical = np.array([c[o] for c in columns]).reshape(t.numel(), output.numel())
            if not np.allclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True):
                raise base.GradcheckError(f"Jacobian computed with forward mode mismatch for output {o} with respect to input {i},\n"
                                          f"numerical:{base.like(numerical, output)}\nanalytical:{base.like(analytical, output)}\n")
        if batched:
            check_batched_forward(func, inputs, i, atol, rtol)


def check_batched_forward(func, inputs, place, atol, rtol):
    batch = random_like(inputs[place], 2)
    with forward_ad.dual_level():
        together = fg.vmap(lambda v: pushed(func, inputs, place, v))(batch)
    for k in range(2):
        with forward_ad.dual_level():
            alone = pushed(func, inputs, place, batch[k])
        for o, (a, b) in enumerate(zip(alone, together)):
            if not np.allclose(base.values(a), base.values(b[k]), rtol=rtol, atol=atol):
                raise base.GradcheckError(f"While computing batched forward gradients, got different values for output {o} and input "
                                          f"{place} than from a pass for each tangent")
