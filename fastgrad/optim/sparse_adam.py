"""SparseAdam, which needs sparse gradients and therefore refuses to start."""

from .optimizer import Optimizer

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam for sparse gradients, of which there are none here.

    Raises: NotImplementedError, always.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, maximize=False):
        raise NotImplementedError("SparseAdam: gradients are dense tensors here. Use Adam, and leave sparse=False in Embedding.")
