"""Dropout."""

from .. import functional as F
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """In training, sets each element to 0 with probability p and divides the others by 1 - p; else the identity.

    Args:
        p: probability of an element to be dropped, in [0, 1].
        inplace: write the result into the input.

    Raises: ValueError for a p outside [0, 1].
    Source: Hinton et al. 2012, Improving neural networks by preventing co-adaptation of feature detectors.
    """

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input):
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self):
        return f"p={self.p}, inplace={self.inplace}"
