"""fastgrad.func: PyTorch's torch.func: functions of functions. grad, vjp, jvp, jacobians, vmap, and calls of modules as functions.

Reverse mode is the engine's graph, one for all levels: a transform walks from what a function returned to fresh views of what it was
given, which nobody else can see, so nested transforms do not mix. jvp is the derivative of a vjp, which is linear in its cotangent.
"""

from .batch_norms import replace_all_batch_norm_modules_
from .calls import functional_call, stack_module_state
from .transforms import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp
from .vmapping import vmap

__all__ = ["functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
           "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap"]


def functionalize(func, *, remove="mutations"):
    """func itself: it computes what func computes, and there is no graph of operations to keep free of writes.

    Args:
        remove: "mutations" or "mutations_and_views".
    """
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(f"functionalize(f, remove='mutations'): received invalid argument for remove={remove}, expected 'mutations' or "
                           "'mutations_and_views'")
    return func
