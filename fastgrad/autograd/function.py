"""Function: operations of one's own, with a forward and a backward in Python.  The engine makes the node (src/core/function.pxi)."""

import inspect
import warnings
from functools import wraps

import fastgrad as fg
from fastgrad._engine import FunctionCtx, Tensor, _apply_function

__all__ = ["BackwardCFunction", "Function", "FunctionCtx", "FunctionMeta", "InplaceFunction", "once_differentiable"]

mapper = None       # in a vmap: answers for arguments that are batched (fastgrad/func/batching.py)
pusher = None       # in a level of forward mode: calls forward, then jvp (forward_rules.py)


class BackwardCFunction(FunctionCtx):
    """What `ctx` is: each Function has a class of its own, called after it."""


class FunctionMeta(type):
    """Gives each Function the class of its contexts."""

    def __init__(cls, name, bases, members):
        super().__init__(name, bases, members)
        cls._backward_cls = type(name + "Backward", (BackwardCFunction,), {"_forward_cls": cls, "__module__": "torch.autograd.function"})


class Function(metaclass=FunctionMeta):
    """A differentiable operation written in Python: subclass it, and call the subclass's `apply`.

    Example:
        >>> class Cube(Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         ctx.save_for_backward(x)
        ...         return x * x * x
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         x, = ctx.saved_tensors
        ...         return 3 * x * x * grad
        >>> Cube.apply(fastgrad.tensor(2.0, requires_grad=True))
        tensor(8., grad_fn=<CubeBackward>)
    """

    generate_vmap_rule = False

    def __init__(self, *args, **kwargs):
        warnings.warn(f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
                      "invoke them on the class itself. Instantiating an autograd function will raise an error in a future version of "
                      "PyTorch.", DeprecationWarning, stacklevel=2)

    def __call__(self, *args, **kwargs):
        raise RuntimeError("Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
                           "function with static forward method.")

    @staticmethod
    def forward(*args, **kwargs):
        """The values: forward(ctx, *args), or forward(*args) beside a setup_context."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx, inputs, output):
        """Keep what backward needs; called after a forward that takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx, *grad_outputs):
        """The gradient of each argument of forward, None where there is none."""
        raise NotImplementedError("You must implement either the backward or vjp method for your custom autograd.Function to use it "
                                  "with backward mode AD.")

    vjp = backward

    @staticmethod
    def jvp(ctx, *grad_inputs):
        """Forward mode: the tangent of each output, of the tangents of forward's arguments (zeros for a tensor without one)."""
        raise NotImplementedError("You must implement the jvp function for custom autograd.Function to use it with forward mode AD.")

    @classmethod
    def apply(cls, *args, **kwargs):
        """Compute the outputs and record the operation."""
        separate = cls.setup_context is not Function.setup_context
        if separate:
            args = with_defaults(cls.forward, args, kwargs)
        elif kwargs:
            args = inspect.signature(cls.forward).bind(None, *args, **kwargs).args[1:]
        if mapper is not None:
            return mapper(cls, lambda *given: (pusher or _apply_function)(cls, given, separate), args)
        return (pusher or _apply_function)(cls, args, separate)


BackwardCFunction._no_backward = Function.backward


class InplaceFunction(Function):
    """A Function of older programs, whose instances said whether they work in place."""

    def __init__(self, inplace=False):
        super().__init__()
        self.inplace = inplace


def with_defaults(forward, args, kwargs):
    """The arguments of a call, in order, with forward's defaults filled in."""
    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


class _Refusal(Function):
    """The identity, with a backward that raises."""

    @staticmethod
    def forward(ctx, message, *tensors):
        ctx.message = message
        return tuple(t.detach() for t in tensors)

    @staticmethod
    def backward(ctx, *grads):
        raise RuntimeError(ctx.message)


def once_differentiable(backward):
    """Decorates a backward whose result must not be differentiated again: doing so raises RuntimeError."""

    @wraps(backward)
    def decorated(ctx, *grads):
        with fg.no_grad():
            results = backward(ctx, *grads)
        if not fg.is_grad_enabled() or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return results
        single = not isinstance(results, tuple)
        results = [results] if single else list(results)
        places = [i for i, r in enumerate(results) if isinstance(r, Tensor) and (r.dtype.is_floating_point or r.dtype.is_complex)]
        leaves = [results[i].detach().requires_grad_() for i in places]
        refused = _Refusal.apply("trying to differentiate twice a function that was marked with @once_differentiable", *leaves)
        for i, r in zip(places, refused):
            results[i] = r
        return results[0] if single else tuple(results)

    return decorated
