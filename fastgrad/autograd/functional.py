"""Derivatives of functions: vjp, jvp, jacobian, hessian, vhp, hvp.

All are walks of reverse mode. jvp differentiates a vjp, which is linear in its cotangent u: J v = d/du <J' u, v>.
"""

import fastgrad as fg
from fastgrad._engine import Tensor, grad

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def as_tuple(given, what, name):
    """(a tuple, whether it was one)."""
    if isinstance(given, Tensor):
        return (given,), False
    if not isinstance(given, tuple):
        raise TypeError(f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the given {what} has type "
                        f"{type(given)}.")
    for i, one in enumerate(given):
        if not isinstance(one, Tensor):
            raise TypeError(f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the value at index {i} "
                            f"has type {type(one)}.")
    return given, True


def fresh(tensors, keep_graph, wanted=True):
    """The inputs as func gets them: connected with what made them, or leaves."""
    return tuple(t.view_as(t) if keep_graph and t.requires_grad else t.detach().requires_grad_(wanted) for t in tensors)


def evaluated(func, inputs, name):
    return as_tuple(func(*inputs), "outputs of the user-provided function", name)


def checked_vector(v, like, is_tuple, what, name):
    """v as a tuple of tensors of the shapes of `like`; None stands for one of a single element."""
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:
            raise RuntimeError(f"The vector v can only be None if the {what}.")
        return (fg.ones_like(like[0]),)
    v, _ = as_tuple(v, "v", name)
    if len(v) != len(like):
        if is_tuple:
            raise RuntimeError(f"v is a tuple of invalid length: should be {len(like)} but got {len(v)}.")
        raise RuntimeError("The given v should contain a single Tensor.")
    for i, (one, t) in enumerate(zip(v, like)):
        if one.shape != t.shape:
            entry = f"Entry {i} in " if is_tuple else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {t.shape} but got {one.shape}.")
    return v


def pulled(outputs, inputs, v, create_graph):
    """The gradients of <outputs, v>; None where there is none."""
    live = [(o, u) for o, u in zip(outputs, v) if o.requires_grad]
    if not live:
        return (None,) * len(inputs)
    return grad([o for o, _ in live], inputs, [u for _, u in live], retain_graph=True, create_graph=create_graph, allow_unused=True)


def check_outputs(outputs, strict):
    if strict:
        for i, o in enumerate(outputs):
            if not o.requires_grad:
                raise RuntimeError(f"Output {i} of the user-provided function does not require gradients. The outputs must be computed "
                                   "in a differentiable manner from the input when running in strict mode.")


HESSIAN = ("While computing the hessian, found that the jacobian of the user-provided function with respect to input {i} is independent "
           "of the input. This is not allowed in strict mode. You should ensure that your function is twice differentiable and that the "
           "jacobian depends on the inputs (this would be violated by a linear function for example).")
OUTPUT = "The output of the user-provided function is independent of input {i}. This is not allowed in strict mode."
JACOBIAN = ("The {what} of the user-provided function is independent of input {i}. This is not allowed in strict mode when "
            "create_graph=True.")


def filled(grads, like, strict, create_graph, what="jacobian", message=OUTPUT):
    """Zeros where there is no gradient; in strict mode that is an error."""
    for i, g in enumerate(grads):
        if strict and g is None:
            raise RuntimeError(message.format(i=i))
        if strict and create_graph and not g.requires_grad:
            raise RuntimeError(JACOBIAN.format(what=what, i=i))
    return tuple(fg.zeros_like(t) if g is None else g for g, t in zip(grads, like))


def finished(tensors, is_tuple, create_graph):
    tensors = tensors if create_graph else tuple(t.detach() for t in tensors)
    return tensors if is_tuple else tensors[0]


def vjp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), the product of v with the Jacobian of func at inputs).

    Args:
        func: a function of tensors; returns a tensor or a tuple of them.
        inputs: a tensor or a tuple of them.
        v: the cotangent, of the outputs' shapes; may be left out where func returns a single element.
        create_graph: make both results differentiable.
        strict: raise where an input does not matter, instead of giving zeros.
    """
    with fg.enable_grad():
        inputs, many = as_tuple(inputs, "inputs", "vjp")
        inputs = fresh(inputs, create_graph)
        outputs, many_out = evaluated(func, inputs, "vjp")
        check_outputs(outputs, strict)
        v = checked_vector(v, outputs, many_out, "user-provided function returns a single Tensor with a single element", "vjp")
        result = filled(pulled(outputs, inputs, v, create_graph), inputs, strict, create_graph)
    return finished(outputs, many_out, create_graph), finished(result, many, create_graph)


def pushed(outputs, inputs, v, strict, create_graph, what="jacobian"):
    """J v, by the derivative of J' u with respect to u."""
    u = tuple(fg.ones_like(o, requires_grad=True) for o in outputs)
    backward = filled(pulled(outputs, inputs, u, True), inputs, strict, False)
    return filled(pulled(backward, u, v, create_graph), outputs, strict, create_graph, what)


def jvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), the product of the Jacobian of func at inputs with v).  Args: as vjp; v has the inputs' shapes."""
    with fg.enable_grad():
        inputs, many = as_tuple(inputs, "inputs", "jvp")
        inputs = fresh(inputs, create_graph)
        v = checked_vector(v, inputs, many, "input to the user-provided function is a single Tensor with a single element", "jvp")
        outputs, many_out = evaluated(func, inputs, "jvp")
        check_outputs(outputs, strict)
        result = pushed(outputs, inputs, v, strict, create_graph)
    return finished(outputs, many_out, create_graph), finished(result, many_out, create_graph)


FORWARD = "Computing Jacobian using forward-AD or forward-over-reverse Hessian is only implemented for `vectorize=True`."


def jacobian(func, inputs, create_graph=False, strict=False, vectorize=False, strategy="reverse-mode"):
    """The Jacobian of func at inputs: for each output and input a tensor of the output's shape followed by the input's.

    Args: as vjp; besides
        vectorize: accepted; the results are the same.
        strategy: "reverse-mode", or "forward-mode" (with vectorize=True): a pass for each element of the inputs.
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
                             'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".')
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError('torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not '
                                  'supported together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.')
    if strategy == "forward-mode" and strict:
        raise RuntimeError('torch.autograd.functional.jacobian: `strict=True` and `strategy="forward-mode"` are not supported together '
                           '(yet). Please either set `strict=False` or `strategy="reverse-mode"`.')
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError(FORWARD)
    with fg.enable_grad():
        inputs, many = as_tuple(inputs, "inputs", "jacobian")
        create_graph = create_graph or (strategy == "forward-mode" and any(t.requires_grad for t in inputs))        # nothing is cut off there
        inputs = fresh(inputs, create_graph)
        outputs, many_out = evaluated(func, inputs, "jacobian")
        check_outputs(outputs, strict)
        if strict and vectorize:
            raise RuntimeError("torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please "
                               "either set `strict=False` or `vectorize=False`.")
        blocks = columns(outputs, inputs, create_graph) if strategy == "forward-mode" else rows(outputs, inputs, strict, create_graph)
    blocks = tuple(finished(row, many, create_graph) for row in blocks)
    return blocks if many_out else blocks[0]


def units(t):
    """For each element of t a tensor that is 1 there and 0 elsewhere."""
    return fg.eye(t.numel(), dtype=t.dtype).reshape((t.numel(),) + tuple(t.shape)).unbind(0) if t.numel() else ()


def rows(outputs, inputs, strict, create_graph):
    """For each output, the blocks of its Jacobian, a walk for each of its elements."""
    result = []
    for i, o in enumerate(outputs):
        message = f"Output {i} of the user-provided function is independent of input {{i}}. This is not allowed in strict mode."
        found = [filled(pulled((o,), inputs, (u,), create_graph), inputs, strict, create_graph, message=message) for u in units(o)]
        result.append(tuple(
            (fg.stack([g[k] for g in found]) if found else t.new_zeros((0,) + tuple(t.shape))).reshape(tuple(o.shape) + tuple(t.shape))
            for k, t in enumerate(inputs)))
    return tuple(result)


def columns(outputs, inputs, create_graph):
    """The same by pushing forward each element of the inputs."""
    u = tuple(fg.ones_like(o, requires_grad=True) for o in outputs)
    backward = filled(pulled(outputs, inputs, u, True), inputs, False, False)
    blocks = []
    for k, t in enumerate(inputs):
        found = [filled(pulled((backward[k],), u, (v,), create_graph), outputs, False, False) for v in units(t)]
        blocks.append([(fg.stack([f[i] for f in found], -1) if found else o.new_zeros(tuple(o.shape) + (0,)))
                       .reshape(tuple(o.shape) + tuple(t.shape)) for i, o in enumerate(outputs)])
    return tuple(zip(*blocks))


def single(func, inputs, name, strict):
    """func's one output of one element."""
    output, is_tuple = evaluated(func, inputs, name)
    check_outputs(output, strict)
    if is_tuple:
        raise RuntimeError(f"The function given to {name} should return a single Tensor")
    if output[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
    return output[0]


def hessian(func, inputs, create_graph=False, strict=False, vectorize=False, outer_jacobian_strategy="reverse-mode"):
    """The Hessian of func, which returns a single element: for each pair of inputs a tensor of both shapes.  Args: as jacobian."""
    inputs, many = as_tuple(inputs, "inputs", "hessian")
    if outer_jacobian_strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')

    def gradients(*given):
        output = single(func, given, "hessian", strict)
        found = filled(pulled((output,), given, (fg.ones_like(output),), True), given, False, False)
        for i, g in enumerate(found):
            if strict and not g.requires_grad:
                raise RuntimeError(HESSIAN.format(i=i))
        return found

    blocks = jacobian(gradients, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return blocks if many else blocks[0][0]


def product(name, func, inputs, v, create_graph, strict, transposed):
    with fg.enable_grad():
        inputs, many = as_tuple(inputs, "inputs", name)
        inputs = fresh(inputs, create_graph)
        v = checked_vector(v, inputs, many, "input to the user-provided function is a single Tensor with a single element", name)
        output = single(func, inputs, name, strict)
        first = filled(pulled((output,), inputs, (fg.ones_like(output),), True), inputs, strict, False)
        for i, g in enumerate(first):
            if strict and not g.requires_grad:
                raise RuntimeError(HESSIAN.format(i=i))
        if transposed:
            result = filled(pulled(first, inputs, v, create_graph), inputs, strict, create_graph, "hessian")
        else:
            result = pushed(first, inputs, v, strict, create_graph, "hessian")
    return finished((output,), False, create_graph), finished(result, many, create_graph)


def vhp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), the product of v with the Hessian of func, which returns a single element).  Args: as jvp."""
    return product("vhp", func, inputs, v, create_graph, strict, True)


def hvp(func, inputs, v=None, create_graph=False, strict=False):
    """(func(*inputs), the product of the Hessian of func, which returns a single element, with v).  Args: as jvp."""
    return product("hvp", func, inputs, v, create_graph, strict, False)
