"""Losses and distances as modules: each keeps the arguments of the function of its name and calls it."""

import math
import warnings
from dataclasses import dataclass

import fastgrad as fg

from .. import functional as F
from .configured import Configured
from .linear import Linear
from .loss import NLLLoss, _Loss, _WeightedLoss

__all__ = ["CTCLoss", "CosineEmbeddingLoss", "CosineSimilarity", "GaussianNLLLoss", "HingeEmbeddingLoss", "KLDivLoss",
           "LinearCrossEntropyLoss", "LinearCrossEntropyOptions", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss",
           "MultiMarginLoss", "NLLLoss2d", "PairwiseDistance", "PoissonNLLLoss", "SoftMarginLoss", "TripletMarginLoss",
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


class CTCLoss(_Loss):
    """Minus the log probability of a target sequence, summed over all its alignments with the input.

    Args:
        blank: the class that stands for no label.
        zero_infinity: 0 instead of an infinite loss and its gradient, where the input is too short.

    Source: Graves et al. 2006, Connectionist Temporal Classification.
    """

    _settings = lambda blank=0, reduction="mean", zero_infinity=False: locals()

    def forward(self, log_probs, targets, input_lengths, target_lengths):
        return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity)


class MultiLabelMarginLoss(_Loss):
    """sum over labels i and other classes j of max(0, 1 - (x_i - x_j)) / classes; targets list the labels and end with -1."""

    def forward(self, input, target):
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    """sum over other classes j of max(0, margin - x_target + x_j)^p / classes."""

    _settings = lambda p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean": locals()

    def _configure(self, p, weight, **settings):
        if p not in (1, 2):
            raise ValueError("only p == 1 and p == 2 supported")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        super()._configure(p=p, weight=weight, **settings)

    def forward(self, input, target):
        return F.multi_margin_loss(input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction)


class NLLLoss2d(NLLLoss):
    """Old name of NLLLoss."""

    def _configure(self, **settings):
        warnings.warn("`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead as a drop-in replacement and see "
                      "https://pytorch.org/docs/main/nn.html#torch.nn.NLLLoss for more details.", FutureWarning, stacklevel=3)
        super()._configure(**settings)


@dataclass
class LinearCrossEntropyOptions:
    """How LinearCrossEntropyLoss saves memory in PyTorch; here the loss is computed in one way, whatever they are."""

    allow_retain_graph: bool = False
    batch_chunk_size: int = None
    chunking_method: str = "auto"
    acc_policy: str = "auto"
    acc_dtype: fg.dtype = None


class LinearCrossEntropyLoss(_WeightedLoss):
    """Cross entropy of a Linear's outputs.

    Args:
        in_features, num_classes, bias: of the Linear.
        out_features: further dimensions of the targets, each position of which has classes of its own.
        weight, reduction, ignore_index, label_smoothing: as for CrossEntropyLoss.
        options: accepted; it does not change the result.

    Shape: (N, in_features) or (in_features), targets (N, *out_features) -> as CrossEntropyLoss.
    """

    _settings = lambda in_features, num_classes, *, out_features=(), bias=False, device=None, dtype=None, reduction="mean", weight=None, \
        ignore_index=None, label_smoothing=0.0, options=None: locals()

    def _configure(self, bias, device, dtype, out_features, **settings):
        super()._configure(out_features=tuple(out_features), **settings)
        self.linear = Linear(self.in_features, self.num_classes * math.prod(self.out_features), bias=bias, device=device, dtype=dtype)

    def forward(self, input, target):
        shape = (self.num_classes, *self.out_features)
        bias = self.linear.bias
        return F.linear_cross_entropy(input, self.linear.weight.reshape(*shape, self.linear.in_features), target,
                                      linear_bias=None if bias is None else bias.reshape(shape), weight=self.weight,
                                      reduction=self.reduction, ignore_index=self.ignore_index, label_smoothing=self.label_smoothing,
                                      options=self.options)

    def extra_repr(self):
        return (f"in_features={self.linear.in_features}, num_classes={self.num_classes}, out_features={self.out_features}, "
                f"bias={self.linear.bias is not None}, reduction={self.reduction}, ignore_index={self.ignore_index}, "
                f"label_smoothing={self.label_smoothing}, options={self.options}")
