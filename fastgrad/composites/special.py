"""Special functions made of others: derivatives of digamma by order, the multivariate gamma function."""

import math

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite("polygamma", function=False, method=True, inplace=True)
def polygamma_method(input: Tensor, n: int):
    """The n-th derivative of digamma."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n: got {n}")
    return _ops.digamma(input) if n == 0 else _ops._polygamma(input, n)


@composite()
def polygamma(n: int, input: Tensor):
    """The n-th derivative of digamma at input.

    Args:
        n: a whole number, 0 for digamma itself.
        input: any shape; integers are converted to the default dtype.
    Raises:
        RuntimeError: n is negative.
    Example:
        >>> fastgrad.polygamma(1, fastgrad.tensor(1.0))
        tensor(1.6449)
    """
    return polygamma_method(input, n)


@composite(method=True, inplace=True)
def mvlgamma(input: Tensor, p: int):
    """log of the multivariate gamma function: p (p - 1) / 4 log(pi) + the sum of lgamma(input - j / 2), j = 0 ... p - 1.

    Args:
        p: the dimension, at least 1.
    Raises:
        RuntimeError: p is less than 1.
    """
    if p < 1:
        raise RuntimeError(f"mvlgamma: p has to be greater than or equal to 1, got {p}")
    if input.dtype == fastgrad.bool:
        raise RuntimeError("mvlgamma: a bool tensor is not supported")
    terms = _ops.lgamma(_ops.unsqueeze(input, -1) - _ops.arange(p, dtype=_ops.lgamma(input[:0] if input.ndim else input).dtype) / 2)
    return _ops.sum(terms, -1) + p * (p - 1) / 4 * math.log(math.pi)
