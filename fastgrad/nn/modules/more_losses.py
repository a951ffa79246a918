"""Losses and distances as modules: each keeps the arguments of the function of its name and calls it."""

from .. import functional as F
from .configured import Configured
from .loss import _Loss, _WeightedLoss

__all__ = ["CosineEmbeddingLoss", "CosineSimilarity", "GaussianNLLLoss", "HingeEmbeddingLoss", "KLDivLoss", "MarginRankingLoss",
           "MultiLabelSoftMarginLoss", "PairwiseDistance", "PoissonNLLLoss", "SoftMarginLoss", "TripletMarginLoss",
           "TripletMarginWithDistanceLoss"]


class PairwiseDistance(Configured):
    """norm_p(x1 - x2 + eps) along the last dimension."""

    _settings = lambda p=2.0, eps=1e-6, keepdim=False: {"norm": p, "eps": eps, "keepdim": keepdim}

    def forward(self, x1, x2):
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Configured):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim."""

    _settings = lambda dim=1, eps=1e-8: locals()

    def forward(self, x1, x2):
        return F.cosine_similarity(x1, x2, self.dim, self.eps)


class KLDivLoss(_Loss):
    """target (log target - input); with log_target, exp(target) (target - input)."""

    _settings = lambda size_average=None, reduce=None, reduction="mean", log_target=False: locals()

    def forward(self, input, target):
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """exp(input) - target input, or without log_input: input - target log(input + eps)."""

    _settings = lambda log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean": locals()

    def forward(self, log_input, target):
        return F.poisson_nll_loss(log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction)


class GaussianNLLLoss(_Loss):
    """(log var + (input - target)^2 / var) / 2, with var at least eps."""

    _settings = lambda *, full=False, eps=1e-6, reduction="mean": locals()

    def forward(self, input, target, var):
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class _MarginLoss(_Loss):
    _settings = lambda margin=0.0, size_average=None, reduce=None, reduction="mean": locals()


class MarginRankingLoss(_MarginLoss):
    """max(0, -target (input1 - input2) + margin)."""

    def forward(self, input1, input2, target):
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(_MarginLoss):
    """input where target is 1, max(0, margin - input) where it is -1."""

    _settings = lambda margin=1.0, size_average=None, reduce=None, reduction="mean": locals()

    def forward(self, input, target):
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_MarginLoss):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1."""

    def forward(self, input1, input2, target):
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    """log(1 + exp(-target input))."""

    def forward(self, input, target):
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    """Binary cross entropy of sigmoid(input), the mean over the classes."""

    def forward(self, input, target):
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class _TripletLoss(_Loss):
    def _configure(self, margin, **settings):
        if margin <= 0:
            raise ValueError(f"{type(self).__name__}: expected margin to be greater than 0, got {margin} instead")
        super()._configure(margin=margin, **settings)


class TripletMarginLoss(_TripletLoss):
    """max(0, margin + d(anchor, positive) - d(anchor, negative))."""

    _settings = lambda margin=1.0, p=2.0, eps=1e-6, swap=False, size_average=None, reduce=None, reduction="mean": locals()

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_loss(anchor, positive, negative, margin=self.margin, p=self.p, eps=self.eps, swap=self.swap,
                                     reduction=self.reduction)


class TripletMarginWithDistanceLoss(_TripletLoss):
    """TripletMarginLoss with any distance: a function of two tensors."""

    _settings = lambda *, distance_function=None, margin=1.0, swap=False, reduction="mean": locals()

    def _configure(self, distance_function, **settings):
        super()._configure(distance_function=distance_function or PairwiseDistance(), **settings)

    def forward(self, anchor, positive, negative):
        return F.triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=self.distance_function,
                                                   margin=self.margin, swap=self.swap, reduction=self.reduction)
