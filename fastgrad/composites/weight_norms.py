"""Weights as a length and a direction: what nn.utils.weight_norm is made of."""

import fastgrad
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite(out=False)
def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0):
    """The norms of v's slices along dim, of v's number of dimensions; the norm of all of it where dim is -1.

    Args:
        pow: order of the norm.
    Example:
        >>> fastgrad.norm_except_dim(fastgrad.tensor([[3.0, 4.0], [0.0, 1.0]]))
        tensor([[5.],
                [1.]])
    """
    if dim == -1:
        return v.norm(pow)
    others = [d for d in range(v.dim()) if d != dim % v.dim()]
    return v.norm(pow, others, keepdim=True) if others else v.abs()


@composite()
def _weight_norm(v: Tensor, g: Tensor, dim: int = 0):
    """g v / norm_except_dim(v, 2, dim).

    Source: Salimans and Kingma 2016, Weight Normalization.
    """
    return v * (g / fastgrad.norm_except_dim(v, 2, dim))
