"""Dropout, and its forms for channels and for self-normalizing networks."""

from fastgrad.composites.dropouts import check_probability

from .. import functional as F
from .configured import Configured

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Configured):
    """Base class: a subclass names the function."""

    _settings = lambda p=0.5, inplace=False: locals()
    _shown = ("p", "inplace")

    def _configure(self, p, inplace):
        check_probability(p)
        super()._configure(p=p, inplace=inplace)


class Dropout(_Dropout):
    """In training, sets each element to 0 with probability p and divides the others by 1 - p; else the identity.

    Args:
        p: probability of an element to be dropped, in [0, 1].
        inplace: write the result into the input.

    Raises: ValueError for a p outside [0, 1].
    Source: Hinton et al. 2012, Improving neural networks by preventing co-adaptation of feature detectors.
    """

    def forward(self, input):
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Dropout of whole channels of (N, C, L) or (C, L); arguments as for Dropout."""

    def forward(self, input):
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Dropout of whole channels of (N, C, H, W); arguments as for Dropout."""

    def forward(self, input):
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W); arguments as for Dropout."""

    def forward(self, input):
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Dropout that keeps the mean and variance of activations of selu; arguments as for Dropout.

    Source: Klambauer et al. 2017, Self-Normalizing Neural Networks.
    """

    def forward(self, input):
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """AlphaDropout of whole channels of (N, C, ...)."""

    def forward(self, input):
        return F.feature_alpha_dropout(input, self.p, self.training)
