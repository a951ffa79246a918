"""Parameters as one vector, and back."""

import fastgrad as fg
from fastgrad._engine import Tensor

from .._names import typename


def parameters_to_vector(parameters):
    """All elements of the parameters, in order, as one 1-dimensional tensor; differentiable."""
    return fg.cat([parameter.view(-1) for parameter in parameters])


def vector_to_parameters(vec, parameters):
    """Make the parameters views of successive pieces of vec.

    Args:
        vec: shape (n), n the number of all elements.
        parameters: iterable of tensors.
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {typename(vec)}")
    start = 0
    for parameter in parameters:
        end = start + parameter.numel()
        parameter.data = vec[start:end].view_as(parameter).data
        start = end
