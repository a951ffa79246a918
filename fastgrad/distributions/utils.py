"""What families of distributions that others write take from `torch.distributions.utils`."""

import fastgrad as fg

from ._transform import sum_rightmost as _sum_rightmost  # noqa: F401
from .family import broadcast_all
from .probs import clamp_probs, logit

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits", "tril_matrix_to_vec", "vec_to_tril_matrix"]


class lazy_property:
    """A decorator: a property that is worked out at its first use, with a graph even in no_grad, and an attribute from then on."""

    def __init__(self, wrapped):
        self.wrapped, self.__name__, self.__doc__ = wrapped, wrapped.__name__, wrapped.__doc__

    def __get__(self, instance, owner=None):
        if instance is None:
            return property(self.wrapped, doc=self.__doc__)
        with fg.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.__name__, value)
        return value


def _standard_normal(shape, dtype, device):
    return fg.randn(shape, dtype=dtype, device=device)


def logits_to_probs(logits, is_binary=False):
    """Probabilities: of 1 if is_binary, else of the categories in the last dimension."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


def probs_to_logits(probs, is_binary=False):
    """The other way round; probabilities are kept away from 0 and 1."""
    probs = clamp_probs(probs)
    return logit(probs) if is_binary else probs.log()


def tril_matrix_to_vec(mat, diag=0):
    """The entries on and below a diagonal of square matrices, row after row, (..., n, n) -> (..., m)."""
    size = mat.shape[-1]
    if not -size <= diag < size:
        raise ValueError(f"diag ({diag}) provided is outside [{-size}, {size - 1}].")
    rows, columns = fg.tril_indices(size, size, diag)
    return mat[..., rows, columns]


def vec_to_tril_matrix(vec, diag=0):
    """The other way round, with zeros above the diagonal.

    Raises: ValueError where no square matrix has so many entries there.
    """
    length = vec.shape[-1]
    for size in range(1, length + abs(diag) + 2):
        rows, columns = fg.tril_indices(size, size, diag)
        if len(rows) == length:
            result = vec.new_zeros((*vec.shape[:-1], size, size))
            result[..., rows, columns] = vec
            return result
    raise ValueError(f"The size of last dimension is {length} which cannot be expressed as the lower triangular part of a square D x D matrix.")
