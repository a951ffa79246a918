"""Connectionist temporal classification: minus the log probability of a labelling, over all its alignments.

Source: Graves et al. 2006, Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks.
"""

import math

import fastgrad as fg
from fastgrad._each_example import each_example
from fastgrad.autograd.function import Function

__all__ = ["ctc_loss"]

IMPOSSIBLE = -1e30      # a log probability that keeps every difference finite


class _OfProbabilities(Function):
    """Nothing is added to the losses (N); to the gradient, that of all probabilities' sums, which a log_softmax before them makes 1.

    Where a probability is 0, or no alignment is possible and that is not to count as zero, the gradient is NaN.
    """

    @staticmethod
    def forward(ctx, loss, log_probs, live, undefined):
        ctx.save_for_backward(log_probs, live, undefined)
        return loss.clone()

    @staticmethod
    def backward(ctx, grad):
        log_probs, live, undefined = ctx.saved_tensors
        slope = (log_probs.exp() * live).masked_fill(undefined & live, math.nan)
        return grad, slope * grad.unsqueeze(1), None, None


def _lengths(name, lengths, count):
    if isinstance(lengths, fg.Tensor):
        if lengths.is_floating_point():
            raise RuntimeError(f"{name} must be integral")
        lengths = lengths.tolist()
    elif not isinstance(lengths, (tuple, list)) or not all(isinstance(n, int) for n in lengths):
        raise TypeError(f"ctc_loss(): argument '{name}' must be Tensor or tuple of ints, not {type(lengths).__name__}")
    if len(lengths) != count:
        raise RuntimeError(f"{name} must be of size batch_size")
    if min(lengths, default=0) < 0:
        raise RuntimeError(f"Expected {name} to have value at least 0, but got value {min(lengths)}")
    return list(lengths)


def _padded(targets, lengths):
    """Targets as a list of lists, from (N, S) or from all of them one after another."""
    if targets.ndim == 1:
        if sum(lengths) != targets.shape[0]:
            raise RuntimeError(f"ctc_loss: target_lengths add up to {sum(lengths)}, but there are {targets.shape[0]} targets")
        pieces, start = [], 0
        for n in lengths:
            pieces.append(targets[start:start + n].tolist())
            start += n
        return pieces
    if targets.ndim != 2 or targets.shape[0] != len(lengths):
        raise RuntimeError(f"ctc_loss: targets must be of one dimension, or (batch, labels), got {list(targets.shape)} for a batch of {len(lengths)}")
    if max(lengths, default=0) > targets.shape[1]:
        raise RuntimeError(f"Expected tensor to have size at least {max(lengths)} at dimension 1, but got size {list(targets.shape)} for "
                           "argument #2 'targets' (while checking arguments for ctc_loss_cpu)")
    return [row[:n] for row, n in zip(targets.tolist(), lengths)]


def _log_likelihood(log_probs, labels, input_lengths, blank):
    """(N): the log of the sum over alignments, by the forward recursion over the labels with blanks between them."""
    steps, n = log_probs.shape[0], log_probs.shape[1]
    states = 2 * max(map(len, labels), default=0) + 1
    extended = [[blank] * states for _ in labels]
    skips = [[False] * states for _ in labels]          # whether a state can be reached from two before it
    for row, skip, label in zip(extended, skips, labels):
        for k, c in enumerate(label):
            row[2 * k + 1] = c
            skip[2 * k + 1] = k > 0 and label[k - 1] != c
    extended, skips = fg.tensor(extended), fg.tensor(skips)
    emitted = log_probs.gather(2, extended.expand(steps, n, states)).clamp(min=IMPOSSIBLE)
    none = log_probs.new_full((n, 2), IMPOSSIBLE)
    start = fg.arange(states) < 2
    alpha = fg.where(start, emitted[0], IMPOSSIBLE)
    barred = fg.where(skips, 0.0, IMPOSSIBLE).to(log_probs.dtype)
    lengths = fg.tensor(input_lengths).unsqueeze(1)
    for t in range(1, steps):
        one, two = fg.cat([none[:, :1], alpha[:, :-1]], 1), fg.cat([none, alpha[:, :-2]], 1)[:, :states] + barred
        reached = fg.logsumexp(fg.stack([alpha, one, two]), 0) + emitted[t]
        alpha = fg.where(lengths > t, reached, alpha)
    ends = fg.tensor([[2 * len(label), max(2 * len(label) - 1, 0)] for label in labels])
    last = alpha.gather(1, ends)
    alone = fg.tensor([[False, not label] for label in labels])        # an empty labelling ends in its one blank alone
    likelihood = fg.logsumexp(last.masked_fill(alone, IMPOSSIBLE), 1)
    if min(input_lengths) > 0:
        return likelihood
    nothing = fg.tensor([-math.inf if n else 0.0 if not label else IMPOSSIBLE for n, label in zip(input_lengths, labels)], dtype=likelihood.dtype)
    return fg.where(nothing == -math.inf, likelihood, nothing)          # of no steps only the empty labelling comes


@each_example
def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
    """Minus the log probability of the targets.

    The gradient is PyTorch's, which takes log_probs for the output of a log_softmax.

    Args:
        log_probs: (T, N, C), or (T, C) for one sequence.
        targets: (N, S), or the labels of all sequences one after another; no blanks.
        input_lengths, target_lengths: of each sequence, as tensors or tuples.
        blank: the label of the blank.
        reduction: "mean" divides each loss by its target's length and takes the mean; "sum"; "none".
        zero_infinity: whether targets too long for their input, whose loss is infinite, count as zero.
    Raises:
        RuntimeError: lengths or targets that do not fit, a blank outside the classes.
        NotImplementedError: log_probs that are neither float32 nor float64.
    """
    for name, given in (("log_probs", log_probs), ("targets", targets)):
        if not isinstance(given, fg.Tensor):
            raise TypeError(f"ctc_loss(): argument '{name}' must be Tensor, not {type(given).__name__}")
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
        targets = targets.unsqueeze(0) if targets.ndim == 1 else targets
        input_lengths, target_lengths = (n.reshape(-1) if isinstance(n, fg.Tensor) else n for n in (input_lengths, target_lengths))
    if log_probs.ndim != 3:
        raise RuntimeError(f"ctc_loss: log_probs must be (time, batch, classes) or (time, classes), got {list(log_probs.shape)}")
    steps, n, classes = log_probs.shape
    if not log_probs.numel():
        raise RuntimeError("ctc_loss: log_probs must not be empty")
    if not 0 <= blank < classes:
        raise RuntimeError("blank must be in label range")
    if isinstance(input_lengths, fg.Tensor) != isinstance(target_lengths, fg.Tensor):
        raise TypeError("ctc_loss(): input_lengths and target_lengths must both be Tensors, or both tuples of ints")
    input_lengths, target_lengths = _lengths("input_lengths", input_lengths, n), _lengths("target_lengths", target_lengths, n)
    if max(input_lengths) > steps:
        raise RuntimeError(f"Expected input_lengths to have value at most {steps}, but got value {max(input_lengths)} (while checking "
                           "arguments for ctc_loss_cpu)")
    if log_probs.dtype not in (fg.float32, fg.float64):
        raise NotImplementedError(f"ctc_loss is not implemented for {log_probs.dtype}")
    labels = _padded(targets.long(), target_lengths)
    if any(not 0 <= c < classes for label in labels for c in label):
        raise RuntimeError(f"ctc_loss: targets must be below the number of classes, {classes}, and not negative")
    likelihood = _log_likelihood(log_probs, labels, input_lengths, blank)
    impossible = (likelihood < IMPOSSIBLE / 2).detach()
    loss = -likelihood
    if log_probs.requires_grad:
        live = (fg.arange(steps).unsqueeze(1) < fg.tensor(input_lengths)).unsqueeze(2)
        undefined, lost = log_probs.detach() == -math.inf, impossible.unsqueeze(1)
        loss = _OfProbabilities.apply(loss, log_probs, live, undefined & ~lost if zero_infinity else undefined | lost)
    if zero_infinity:
        loss = loss.masked_fill(impossible, 0.0)
    else:
        loss = loss + fg.zeros_like(loss).masked_fill(impossible, math.inf)
    if reduction == "mean":
        return (loss / fg.tensor(target_lengths).clamp(min=1)).mean()
    if reduction == "sum":
        return loss.sum()
    if reduction != "none":
        raise ValueError(f"{reduction} is not a valid value for reduction")
    return loss.squeeze(0) if single else loss
