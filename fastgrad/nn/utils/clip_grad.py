"""Gradient clipping by norm and by value. Gradients change in place; `foreach` is a hint about speed that is not needed."""

import types
import warnings

import fastgrad as fg
from fastgrad._engine import Tensor


def _as_list(tensors):
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _grads(parameters):
    return [parameter.grad for parameter in parameters if parameter.grad is not None]


def get_total_norm(tensors, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """The norm of all elements of all tensors together.

    Args:
        tensors: tensor or iterable of tensors.
        norm_type: order of the norm; float("inf") for the largest absolute value.
        error_if_nonfinite: raise RuntimeError if the norm is NaN or infinite.
    """
    norm_type = float(norm_type)
    with fg.no_grad():
        norms = [tensor.norm(norm_type) for tensor in _as_list(tensors)]
        total_norm = fg.stack(norms).norm(norm_type) if norms else fg.tensor(0.0)
    if error_if_nonfinite and not total_norm.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be clipped. "
            "To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    return total_norm


def clip_grads_with_norm_(parameters, max_norm, total_norm, foreach=None):
    """Scale the gradients by max_norm / total_norm if that is below 1."""
    grads = _grads(_as_list(parameters))
    if not grads:
        return
    with fg.no_grad():
        factor = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(factor)


def clip_grad_norm_(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Scale the gradients so that their norm, of all together, is at most max_norm; gives the norm before.

    Args:
        parameters: tensor or iterable of tensors; those without a gradient are passed over.
        max_norm: largest norm allowed.
        norm_type: order of the norm; float("inf") for the largest absolute value.
        error_if_nonfinite: raise RuntimeError if the norm is NaN or infinite.

    Example:
        >>> fastgrad.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    """
    is_generator = isinstance(parameters, types.GeneratorType)
    parameters = _as_list(parameters)
    if is_generator and not parameters:
        warnings.warn("`parameters` is an empty generator, no gradient clipping will occur.", stacklevel=2)
    total_norm = get_total_norm(_grads(parameters), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(parameters, max_norm, total_norm)
    return total_norm


def clip_grad_norm(parameters, max_norm, norm_type=2.0, error_if_nonfinite=False, foreach=None):
    """Old name of clip_grad_norm_."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


def clip_grad_value_(parameters, clip_value, foreach=None):
    """Clamp every element of the gradients to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    with fg.no_grad():
        for grad in _grads(_as_list(parameters)):
            grad.clamp_(min=-clip_value, max=clip_value)
