"""Losses and distances of nn.functional that are made of operations.

`reduction` and its old forms `size_average` and `reduce` mean what they do in the other losses.
"""

import math
import warnings

import fastgrad as fg
from fastgrad._composite import check_tensors

from ._reduction import legacy_get_string

__all__ = ["cosine_embedding_loss", "cosine_similarity", "gaussian_nll_loss", "hinge_embedding_loss", "kl_div", "linear_cross_entropy", "margin_ranking_loss",
           "multilabel_soft_margin_loss", "pairwise_distance", "poisson_nll_loss", "soft_margin_loss", "triplet_margin_loss",
           "triplet_margin_with_distance_loss"]


def reduced(loss, reduction):
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction != "none":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return loss


def reduction_named(size_average, reduce, reduction):
    return reduction if size_average is None and reduce is None else legacy_get_string(size_average, reduce)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """norm_p(x1 - x2 + eps) along the last dimension."""
    return (x1 - x2 + eps).norm(p, -1, keepdim=keepdim)


def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim."""
    common = fg.result_type(x1, x2)
    x1, x2 = (x.to(common) for x in fg.broadcast_tensors(x1, x2))        # dim counts in the common shape
    lengths = [x.norm(2, dim, keepdim=True).clamp_min(eps) for x in (x1, x2)]
    return ((x1 / lengths[0]) * (x2 / lengths[1])).sum(dim)


def kl_div(input, target, size_average=None, reduce=None, reduction="mean", log_target=False):
    """target (log target - input), 0 where target is 0; with log_target, exp(target) (target - input).

    Args:
        reduction: besides the usual, "batchmean": the sum divided by the size of dimension 0.
    """
    how = reduction_named(size_average, reduce, reduction)
    if input.is_complex() or target.is_complex() or not (input.is_floating_point() and target.is_floating_point()):
        kind = "Complex" if input.is_complex() or target.is_complex() else "Integral"
        raise RuntimeError(f"kl_div: {kind} inputs not supported.")
    if how == "mean":
        warnings.warn("kl_div: 'mean' divides by the number of elements; 'batchmean' divides by the batch size alone, which is the KL "
                      "divergence of the mathematical definition.", stacklevel=2)
    loss = target.exp() * (target - input) if log_target else fg.xlogy(target, target) - target * input
    if how == "batchmean":
        return loss.sum() / input.shape[0] if input.dim() else loss.sum()
    return reduced(loss, how)


def poisson_nll_loss(input, target, log_input=True, full=False, size_average=None, eps=1e-8, reduce=None, reduction="mean"):
    """exp(input) - target input, or without log_input: input - target log(input + eps); full adds Stirling's term for target > 1."""
    how = reduction_named(size_average, reduce, reduction)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, how)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log var + (input - target)^2 / var) / 2, with var at least eps; full adds log(2 pi) / 2."""
    if isinstance(var, (int, float)):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = fg.full_like(input, float(var))
    elif bool((var < 0).any()):
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if tuple(input.shape[:-1]) == tuple(var.shape):
            var = var.unsqueeze(-1)
        elif var.dim() != input.dim() or [have for want, have in zip(input.shape, var.shape) if have != want] != [1]:
            raise ValueError("var is of incorrect size")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not valid")
    var = var + (var.detach().clamp(min=eps) - var.detach())           # clamped, with the gradient of var itself
    loss = 0.5 * (var.log() + (input - target) ** 2 / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def margin_ranking_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """max(0, -target (input1 - input2) + margin)."""
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(f"margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: {input1.size()}, "
                           f"input2: {input2.size()}, target: {target.size()} ")
    return reduced((-target * (input1 - input2) + float(margin)).clamp_min(0), reduction_named(size_average, reduce, reduction))


def hinge_embedding_loss(input, target, margin=1.0, size_average=None, reduce=None, reduction="mean"):
    """input where target is 1, max(0, margin - input) where it is -1."""
    far = (margin - input).clamp_min(0)
    zero = fg.zeros_like(far)
    loss = fg.where(target != 1, far, zero) + fg.where(target != -1, input, zero)
    return reduced(loss, reduction_named(size_average, reduce, reduction))


def cosine_embedding_loss(input1, input2, target, margin=0, size_average=None, reduce=None, reduction="mean"):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1.

    Args:
        input1, input2: (N, D), or (D) with one target.  target: (N) or ().
    """
    check_tensors("cosine_embedding_loss", input1=input1, input2=input2, target=target)
    if target.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    if (input1.ndim, input2.ndim) != (target.ndim + 1,) * 2:
        raise RuntimeError(f"{target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found inputs with sizes "
                           f"{list(input1.shape)} and {list(input2.shape)}.")
    tiny = 1e-12
    norms = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cos = (input1 * input2).sum(-1) / norms.sqrt()
    zero = fg.zeros_like(cos)
    loss = fg.where(target == 1, 1 - cos, zero) + fg.where(target == -1, (cos - margin).clamp_min(0), zero)
    return reduced(loss, reduction_named(size_average, reduce, reduction))


def soft_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """log(1 + exp(-target input))."""
    return reduced((-target * input).exp().log1p(), reduction_named(size_average, reduce, reduction))


def multilabel_soft_margin_loss(input, target, weight=None, size_average=None, reduce=None, reduction="mean"):
    """Binary cross entropy of sigmoid(input), the mean over the classes (last dimension)."""
    loss = -(target * fg._ops.logsigmoid(input) + (1 - target) * fg._ops.logsigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return reduced(loss.sum(input.dim() - 1) / input.shape[-1], reduction_named(size_average, reduce, reduction))


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2, eps=1e-6, swap=False, size_average=None, reduce=None,
                        reduction="mean"):
    """max(0, margin + d(anchor, positive) - d(anchor, negative)); swap: or d(positive, negative), if smaller.

    Source: Balntas et al. 2016, Learning Shallow Convolutional Feature Descriptors with Triplet Losses.
    """
    def distance(x, y):
        return pairwise_distance(x, y, p, eps)

    check_tensors("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    return triplet_margin_with_distance_loss(anchor, positive, negative, distance_function=distance, margin=margin, swap=swap,
                                             reduction=reduction_named(size_average, reduce, reduction))


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False, reduction="mean"):
    """triplet_margin_loss with any distance: a function of two tensors."""
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError("The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor "
                           f"{anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = fg.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp_min(0), reduction)


def linear_cross_entropy(input, linear_weight, target, *, linear_bias=None, weight=None, reduction="mean", ignore_index=None,
                         label_smoothing=0.0, options=None):
    """cross_entropy(linear(input, linear_weight, linear_bias), target, ...).

    Args:
        linear_weight: (C, *d, in_features), d further dimensions of the target. linear_bias: (C, *d).
        ignore_index: None stands for -100 where the target has class indices.
        options: accepted; it does not change the result.
    """
    *shape, features = linear_weight.shape
    logits = fg._ops.linear(input, linear_weight.reshape(-1, features), None if linear_bias is None else linear_bias.reshape(-1))
    logits = logits.reshape(*input.shape[:-1], *shape)
    return fg._ops.cross_entropy(logits, target, weight, ignore_index=-100 if ignore_index is None else ignore_index, reduction=reduction,
                                 label_smoothing=label_smoothing)
