"""Products of tensors that are made of simpler ones."""

from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite(method=True)
def kron(input: Tensor, other: Tensor):
    """The Kronecker product: blocks of `other`, each scaled by an element of `input`.

    Args:
        input: (..., m, n).
        other: (..., p, q); the one of fewer dimensions gets leading ones.
    Returns:
        (..., m p, n q).
    Example:
        >>> fastgrad.kron(fastgrad.eye(2), fastgrad.ones(1, 2))
        tensor([[1., 1., 0., 0.],
                [0., 0., 1., 1.]])
    Source:
        Van Loan, The ubiquitous Kronecker product, 2000.
    """
    ndim = max(input.ndim, other.ndim)
    a = (1,) * (ndim - input.ndim) + input.shape
    b = (1,) * (ndim - other.ndim) + other.shape
    outer = _ops.reshape(input, [n for size in a for n in (size, 1)]) * _ops.reshape(other, [n for size in b for n in (1, size)])
    return _ops.reshape(outer, [m * n for m, n in zip(a, b)])
