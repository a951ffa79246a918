"""gradcheck and gradgradcheck: gradients held against finite differences.

The numerical Jacobian is read column by column through NumPy: J[i, j] = (f_j(x + eps e_i) - f_j(x - eps e_i)) / 2 eps.
The analytical one is read row by row with `autograd.grad`, from one unit vector for each element of each output.
A complex tensor is checked as the pairs of its parts: PyTorch's gradient is that of the pair.
"""

import warnings

import numpy as np

import fastgrad as fg
from fastgrad._engine import Tensor, grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A gradient that is not what finite differences say."""


def gradcheck(func, inputs, *, eps=1e-6, atol=1e-5, rtol=1e-3, raise_exception=True, nondet_tol=0.0, check_undefined_grad=True,
              check_grad_dtypes=False, check_batched_grad=False, check_batched_forward_grad=False, check_forward_ad=False,
              check_backward_ad=True, fast_mode=False, masked=None):
    """Check the gradients of `func` by central differences.

    Args:
        func: a function of tensors; returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of arguments; those that require grad are checked and should be float64.
        eps: the step of the differences.
        atol, rtol: |analytical - numerical| <= atol + rtol |numerical| must hold.
        raise_exception: raise GradcheckError instead of returning False.
        nondet_tol: how much two backward passes may differ.
        check_undefined_grad: whether backward must accept an output without a gradient.
        check_grad_dtypes: whether a gradient must have its input's dtype.
        check_batched_grad: whether `grad` of a batch of cotangents is the gradients of each.
        check_forward_ad: compare forward mode with the differences as well.
        check_batched_forward_grad: whether forward mode under vmap, over tangents, is that of each.
        check_backward_ad: whether to compare reverse mode at all.
        fast_mode: compare one random projection of the Jacobian instead of all of it.
    Raises:
        GradcheckError: they differ.
        ValueError: no input requires grad.
        NotImplementedError: `masked` was asked for.
    Example:
        >>> x = fastgrad.tensor([0.1, 0.2], dtype=fastgrad.float64, requires_grad=True)
        >>> fastgrad.autograd.gradcheck(fastgrad.sin, x)
        True
    """
    if masked:
        raise NotImplementedError("gradcheck: masked is not supported")
    if not check_backward_ad and not check_forward_ad:
        raise AssertionError("Expected at least one of check_forward_ad and check_backward_ad to be True")
    if check_batched_grad and not check_backward_ad:
        raise AssertionError("Setting check_batched_grad=True requires check_backward_ad to be True")
    if check_batched_forward_grad and not check_forward_ad:
        raise AssertionError("Setting check_batched_forward_grad=True requires check_forward_ad to be True")
    func, inputs = in_pairs(func, (inputs,) if isinstance(inputs, Tensor) else tuple(inputs))
    try:
        if check_backward_ad:
            check(func, inputs, eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode)
        if check_batched_grad or check_forward_ad:
            from . import gradcheck_modes as modes

            if check_batched_grad:
                modes.check_batched(func, inputs, atol, rtol)
            if check_forward_ad:
                modes.check_forward(func, inputs, eps, atol, rtol, check_batched_forward_grad)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(func, inputs, grad_outputs=None, *, eps=1e-6, atol=1e-5, rtol=1e-3, gen_non_contig_grad_outputs=False,
                  raise_exception=True, nondet_tol=0.0, check_undefined_grad=True, check_grad_dtypes=False,
                  check_batched_grad=False, check_fwd_over_rev=False, check_rev_over_rev=True, fast_mode=False, masked=False):
    """Check second derivatives: gradcheck of the gradients of `func`, as functions of the inputs and of `grad_outputs`.

    Args: as gradcheck; besides
        grad_outputs: the cotangents of the outputs; drawn at random if None.
        check_fwd_over_rev, check_rev_over_rev: which mode differentiates the gradients; one or both.
    """
    if gen_non_contig_grad_outputs:
        raise NotImplementedError("gradgradcheck: gen_non_contig_grad_outputs is not supported")
    if not check_fwd_over_rev and not check_rev_over_rev:
        raise AssertionError("Expected at least one of check_fwd_over_rev and check_rev_over_rev to be True")
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        grad_outputs = tuple(like(rng.uniform(-1, 1, tuple(o.shape)), o).requires_grad_() for o in differentiable(func(*inputs)))
    elif isinstance(grad_outputs, Tensor):
        grad_outputs = (grad_outputs,)
    grad_outputs = tuple(grad_outputs)

    def gradients(*args):
        given, cotangents = args[: len(args) - len(grad_outputs)], args[len(args) - len(grad_outputs) :]
        outputs = differentiable(func(*given))
        wanted = [t for t in given if isinstance(t, Tensor) and t.requires_grad]
        found = grad(outputs, wanted, cotangents, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(gradients, inputs + grad_outputs, eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
                     nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
                     check_batched_grad=check_batched_grad, check_forward_ad=check_fwd_over_rev, check_backward_ad=check_rev_over_rev,
                     fast_mode=fast_mode, masked=masked or None)


def differentiable(outputs):
    """The outputs that have gradients, as a tuple."""
    outputs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    return tuple(o for o in outputs if isinstance(o, Tensor) and o.requires_grad)


def in_pairs(func, inputs):
    """The same function of real tensors: complex ones that want gradients, and complex results, are pairs."""
    paired = [isinstance(t, Tensor) and t.requires_grad and t.is_complex() for t in inputs]
    if not any(paired) and not any(o.is_complex() for o in differentiable(func(*inputs))):
        return func, inputs

    def as_pairs(output):
        return fg.view_as_real(output) if isinstance(output, Tensor) and output.is_complex() else output

    def of_pairs(*args):
        outputs = func(*(fg.view_as_complex(x) if p else x for p, x in zip(paired, args)))
        return as_pairs(outputs) if isinstance(outputs, Tensor) else tuple(map(as_pairs, outputs))

    return of_pairs, tuple(fg.view_as_real(t.detach()).clone().requires_grad_() if p else t for p, t in zip(paired, inputs))


def like(array, tensor):
    return fg.tensor(np.array(array, order="C"), dtype=tensor.dtype)


def values(tensor):
    return np.array(tensor.detach().tolist(), dtype=np.float64).reshape(tuple(tensor.shape))


def check(func, inputs, eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, fast_mode):
    places = [i for i, t in enumerate(inputs) if isinstance(t, Tensor) and t.requires_grad]
    if not places:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of them have "
                         "requires_grad=True.")
    if any(inputs[i].dtype != fg.float64 for i in places):
        warnings.warn("gradcheck: an input is not of double precision. The check will likely fail.", stacklevel=3)
    for i in places:
        if any(inputs[i].stride(d) == 0 and inputs[i].shape[d] > 1 for d in range(inputs[i].ndim)):
            raise RuntimeError(f"gradcheck: input {i} has elements that share memory. Call .contiguous() on it first.")
    outputs = differentiable(func(*inputs))
    if not outputs:
        check_constant(func, inputs, places, eps)
    for o, output in enumerate(outputs):
        for i in places:
            analytical = jacobian(output, inputs[i], check_grad_dtypes, fast_mode)
            if nondet_tol < np.inf and np.abs(analytical - jacobian(output, inputs[i], False, fast_mode)).max(initial=0) > nondet_tol:
                raise GradcheckError(f"Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                                     f"times gives different values, although analytical gradient matches numerical gradient. The "
                                     f"tolerance for nondeterminism was {nondet_tol}.")
            numerical = differences(func, inputs, i, o, eps)
            if fast_mode:
                numerical = numerical @ projection(numerical.shape[1])
            if not np.allclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(f"Jacobian mismatch for output {o} with respect to input {i},\n"
                                     f"numerical:{like(numerical, output)}\nanalytical:{like(analytical, output)}\n")
    if check_undefined_grad and len(outputs) > 1:
        grad(outputs[0], [inputs[i] for i in places], fg.tensor(np.ones(tuple(outputs[0].shape)), dtype=outputs[0].dtype),
             retain_graph=True, allow_unused=True)


def check_constant(func, inputs, places, eps):
    """Of a function without a differentiable output, the differences must be zero."""
    for o in range(len(floating(func(*inputs)))):
        for i in places:
            if differences(func, inputs, i, o, eps, floating).any():
                raise GradcheckError("Numerical gradient for function expected to be zero")


def floating(outputs):
    """The real floating-point outputs, as a tuple."""
    outputs = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    return tuple(o for o in outputs if isinstance(o, Tensor) and o.is_floating_point())


def projection(n):
    return np.random.default_rng(n).uniform(0.5, 1.5, n)


def jacobian(output, leaf, check_grad_dtypes, fast_mode):
    """(inputs' elements, outputs' elements), or its product with a random vector over the outputs."""
    n, shape = output.numel(), tuple(output.shape)
    result = np.zeros((leaf.numel(), n))
    cotangents = [projection(n)] if fast_mode else np.eye(n)
    for j, row in enumerate(cotangents):
        g, = grad(output, [leaf], like(row.reshape(shape), output), retain_graph=True, allow_unused=True)
        if g is None:
            continue
        if check_grad_dtypes and g.dtype != leaf.dtype:
            raise GradcheckError(f"Gradient has dtype {g.dtype}, but its input has {leaf.dtype}")
        if tuple(g.shape) != tuple(leaf.shape):
            raise GradcheckError(f"Analytical gradient has incorrect size: {tuple(g.shape)} instead of {tuple(leaf.shape)}")
        result[:, j] = values(g).reshape(-1)
    return result[:, 0] if fast_mode else result


def differences(func, inputs, place, output, eps, chosen=differentiable):
    """The numerical Jacobian of one of the chosen outputs with respect to one input, which may stand in several places."""
    point = values(inputs[place])
    columns = []
    for k in range(point.size):
        sides = []
        for step in (eps, -eps):
            moved = point.copy()
            moved.reshape(-1)[k] += step
            copies = {id(t): t.detach().requires_grad_(t.requires_grad) for t in inputs if isinstance(t, Tensor)}
            copies[id(inputs[place])] = like(moved, inputs[place]).requires_grad_()
            sides.append(values(chosen(func(*[copies.get(id(t), t) for t in inputs]))[output]).reshape(-1))
        columns.append((sides[0] - sides[1]) / (2 * eps))
    n = chosen(func(*inputs))[output].numel()
    return np.array(columns).reshape(point.size, n)
