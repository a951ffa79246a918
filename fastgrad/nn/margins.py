"""Losses of several classes by margins: multi_margin_loss, multilabel_margin_loss."""

import fastgrad as fg
from fastgrad._composite import check_tensors
from fastgrad._each_example import each_example

from .more_losses import reduced, reduction_named

__all__ = ["multi_margin_loss", "multilabel_margin_loss"]


def _checked(size_average, reduce, reduction, target):
    """The reduction, once it and the target's dtype are known to be right."""
    reduction = reduction_named(size_average, reduce, reduction)
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if target.dtype != fg.int64:
        raise RuntimeError(f"expected scalar type Long but found {target.type()[6:-6]}")
    return reduction


@each_example
def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, size_average=None, reduce=None, reduction="mean"):
    """The mean over the other classes of max(0, margin - x[target] + x[class]) ** p, times the target's weight.

    Args:
        input: (N, C) or (C).  target: (N) or one class.  p: 1 or 2.  weight: (C).
    Raises: ValueError: another p.  RuntimeError: shapes that do not fit.
    """
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    check_tensors("multi_margin_loss", input=input, target=target)
    if weight is not None and weight.ndim != 1:
        raise ValueError("weight must be one-dimensional")
    reduction = _checked(size_average, reduce, reduction, target)
    if input.ndim > 2 or 0 in input.shape[1:] or (input.ndim < 2 and not input.numel()):
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}")
    x = input if input.ndim == 2 else input.reshape(1, -1)
    if target.ndim > 1 or target.numel() != x.shape[0]:
        raise RuntimeError(f"inconsistent target size, expected {x.shape[0]} but got {list(target.shape)}")
    if weight is not None and weight.numel() != x.shape[1]:
        raise RuntimeError(f"inconsistent weight size, expected {x.shape[1]} but got {list(weight.shape)}")
    place = target.reshape(-1, 1)
    if place.numel() and not (0 <= int(place.min()) and int(place.max()) < x.shape[1]):
        raise IndexError("target out of range")
    loss = (margin - x.gather(1, place) + x).clamp(min=0) ** p
    loss = loss.scatter(1, place, 0.0)
    if weight is not None:
        loss = loss * weight[place]
    loss = loss.sum(1) / x.shape[1]
    return reduced(loss if input.ndim == 2 else loss.reshape(target.shape), reduction)


@each_example
def multilabel_margin_loss(input, target, size_average=None, reduce=None, reduction="mean"):
    """The sum over targets and other classes of max(0, 1 - (x[target] - x[class])), divided by the number of classes.

    Args:
        input: (N, C) or (C).  target: the same shape: the classes, those before the first -1.
    Raises: RuntimeError: shapes that do not fit, or a class out of range.
    """
    check_tensors("multilabel_margin_loss", input=input, target=target)
    reduction = _checked(size_average, reduce, reduction, target)
    if input.ndim > 2 or 0 in input.shape[1:] or (input.ndim < 2 and not input.numel()):
        raise RuntimeError(f"Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}")
    x, y = (t if t.ndim == 2 else t.reshape(1, -1) for t in (input, target))
    if x.shape != y.shape:
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    classes = x.shape[1]
    if y.numel() and not (-1 <= int(y.min()) and int(y.max()) < classes):
        raise RuntimeError("multilabel_margin_loss: target is out of range")
    given = (y < 0).cumsum(1) == 0
    place = y.clamp(min=0)
    is_target = fg.zeros_like(x.detach()).scatter_add(1, place, given.to(x.dtype)) > 0
    margins = 1 - (x.gather(1, place).unsqueeze(2) - x.unsqueeze(1))                  # (N, targets, classes)
    counted = given.unsqueeze(2) & ~is_target.unsqueeze(1)
    loss = (margins.clamp(min=0) * counted).sum((1, 2)) / classes
    return reduced(loss if input.ndim == 2 else loss.squeeze(0), reduction)
