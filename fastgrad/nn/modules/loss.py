"""Losses as modules: each keeps the arguments of the function of its name in functional.py and calls it.

All take `reduction`: "mean", "sum" or "none"; most take its old forms `size_average` and `reduce` too. The positions of the
arguments are PyTorch's.
"""

from .. import functional as F
from .._reduction import legacy_get_string
from .configured import Configured

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "HuberLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "SmoothL1Loss",
]


class _Loss(Configured):
    """A function of two tensors, reduced as `reduction` says; `_buffers_given` names the settings that are part of the state."""

    _settings = lambda size_average=None, reduce=None, reduction="mean": locals()
    _buffers_given = ()

    def _configure(self, reduction, size_average=None, reduce=None, **settings):
        old_form = size_average is not None or reduce is not None
        self.reduction = legacy_get_string(size_average, reduce) if old_form else reduction
        for name in self._buffers_given:
            self.register_buffer(name, settings.pop(name))
        super()._configure(**settings)


class _WeightedLoss(_Loss):
    _settings = lambda weight=None, size_average=None, reduce=None, reduction="mean": locals()
    _buffers_given = ("weight",)


class L1Loss(_Loss):
    """|x - y|."""

    def forward(self, input, target):
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """(x - y)^2."""

    def forward(self, input, target):
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """0.5 (x - y)^2 / beta where |x - y| < beta, else |x - y| - 0.5 beta.

    Source: Girshick 2015, Fast R-CNN.
    """

    _settings = lambda size_average=None, reduce=None, reduction="mean", beta=1.0: locals()

    def forward(self, input, target):
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """0.5 (x - y)^2 where |x - y| <= delta, else delta (|x - y| - 0.5 delta).

    Source: Huber 1964, Robust Estimation of a Location Parameter.
    """

    _settings = lambda reduction="mean", delta=1.0: locals()

    def _configure(self, delta, **settings):
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super()._configure(delta=delta, **settings)

    def forward(self, input, target):
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    """-weight[y] x[y], with x log-probabilities; the mean is weighted.

    Args:
        weight: shape (C), one weight per class.
        ignore_index: a class that counts nowhere.

    Shape: input (N, C, *) or (C), target (N, *) or () of int64 classes.
    """

    _settings = lambda weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean": locals()

    def forward(self, input, target):
        return F.nll_loss(
            input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction
        )


class CrossEntropyLoss(_WeightedLoss):
    """-weight[y] log softmax(x)[y]; the mean is weighted.

    Args:
        weight: shape (C), one weight per class.
        ignore_index: a class that counts nowhere.
        label_smoothing: the part of the target, in [0, 1], that is spread evenly over all classes.

    Shape: input (N, C, *) or (C); target (N, *) or () of int64 classes, or the input's shape for probabilities.
    Example:
        >>> fastgrad.nn.CrossEntropyLoss()(fastgrad.zeros(3, 2), fastgrad.tensor([0, 1, 1]))
        tensor(0.6931)
    """

    _settings = lambda weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean", label_smoothing=0.0: locals()

    def forward(self, input, target):
        return F.cross_entropy(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
                               label_smoothing=self.label_smoothing)


class BCELoss(_WeightedLoss):
    """-weight (y log x + (1 - y) log(1 - x)), with x probabilities; the logarithms are at least -100."""

    def forward(self, input, target):
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_Loss):
    """-weight (pos_weight y log sigmoid(x) + (1 - y) log(1 - sigmoid(x))).

    Args:
        weight: broadcasts to the input's shape.
        pos_weight: broadcasts to the input's shape; weight of the positive examples.
    """

    _settings = lambda weight=None, size_average=None, reduce=None, reduction="mean", pos_weight=None: locals()
    _buffers_given = ("weight", "pos_weight")

    def forward(self, input, target):
        return F.binary_cross_entropy_with_logits(
            input, target, self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )
