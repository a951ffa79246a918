"""Forward mode: tensors that carry a tangent through operations.

y = f(make_dual(x, v)) gives unpack_dual(y).tangent = J v, one pass whatever the number of outputs.
"""

from typing import NamedTuple

from fastgrad import _engine
from fastgrad._engine import Tensor

from . import forward_rules as rules
from . import function

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """A dual's parts; tangent is None for a tensor that has none."""

    primal: Tensor
    tangent: Tensor | None


def enter_dual_level():
    """Begin a level; duals live until it ends. Returns its number, 0.

    Raises:
        RuntimeError: there is one already.
    """
    if rules.levels:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    rules.levels.append(rules.Level())
    _engine._interpose(True)
    _engine._set_grad_hook(rules.dual_grad)
    function.pusher = rules.push_function
    return 0


def exit_dual_level(*, level=None):
    """End the level: its duals lose their tangents.

    Raises:
        RuntimeError: there is none.
    """
    if not rules.levels:
        raise RuntimeError("Dual level must be a positive number.")
    if level not in (None, 0):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created. This is not supported.")
    function.pusher = None
    _engine._set_grad_hook(None)
    _engine._interpose(False)
    rules.levels.pop().clear()


class dual_level:
    """The block is a level of forward mode.

    Example:
        >>> x, v = fastgrad.tensor([1.0, 2.0]), fastgrad.tensor([1.0, 0.0])
        >>> with fastgrad.autograd.forward_ad.dual_level():
        ...     y = fastgrad.autograd.forward_ad.make_dual(x, v) ** 2
        ...     fastgrad.autograd.forward_ad.unpack_dual(y).tangent
        tensor([2., 0.])
    """

    def __enter__(self):
        return enter_dual_level()

    def __exit__(self, *exception):
        exit_dual_level()

    def __call__(self, func):
        from functools import wraps

        @wraps(func)
        def inside(*args, **kwargs):
            with type(self)():
                return func(*args, **kwargs)

        return inside


def make_dual(tensor, tangent, *, level=None):
    """A view of tensor with a tangent.

    Args:
        tensor, tangent: floating point, of one shape.
    Raises:
        RuntimeError: no level, other shapes, or tensor has a tangent already.
        ValueError: one is not floating point.
    """
    if not rules.levels:
        raise RuntimeError("Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first.")
    for what, t in (("primal", tensor), ("tangent", tangent)):
        if not t.dtype.is_floating_point and not t.dtype.is_complex:
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {t.dtype}")
    if rules.tangent_of(tensor) is not None:
        raise RuntimeError("Making a dual Tensor based on a Tensor that already has a forward gradient at the same level 0 is not supported.")
    if tensor.shape != tangent.shape:
        raise RuntimeError("Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
                           f"supported. Tensor is of size {list(tensor.shape)} while the given forward gradient is of size "
                           f"{list(tangent.shape)}.")
    dual = rules.attach(rules.below(Tensor.view_as, (tensor, tensor), {}), rules.laid(tangent.to(tensor.dtype), tensor))
    if dual.requires_grad:
        rules.levels[-1].roots.append(dual)
    return dual


def unpack_dual(tensor, *, level=None):
    """(primal, tangent) of a dual; tangent is None where there is none."""
    if not rules.levels:
        return UnpackedDualTensor(tensor, None)
    batching = rules.batching
    if type(tensor) is batching.Batched and rules.tangent_of(tensor) is None:
        primal, tangent = unpack_dual(tensor._value)
        return UnpackedDualTensor(batching.batched(primal, tensor._level), None if tangent is None else batching.batched(tangent, tensor._level))
    return UnpackedDualTensor(rules.below(Tensor.view_as, (tensor, tensor), {}), rules.tangent_of(tensor))
