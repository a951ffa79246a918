"""embedding_bag: rows of a table added up, averaged or maximised over bags; composed of the engine's operations."""

import fastgrad as fg
from fastgrad._each_example import each_example
from fastgrad._ops import embedding


@each_example
def embedding_bag(input, weight, offsets=None, max_norm=None, norm_type=2, scale_grad_by_freq=False, mode="mean", sparse=False,
                  per_sample_weights=None, include_last_offset=False, padding_idx=None):
    """Sums, means or maxima of bags of rows of weight.

    Args:
        input: (bags, n) indices; or (n), cut into bags by offsets.
        weight: (rows, features).
        offsets: where each bag starts; the first is 0.
        mode: "sum", "mean" or "max".
        per_sample_weights: factors of the rows, of the shape of input; for sums only.
        include_last_offset: whether offsets end with the place where the last bag ends.
        padding_idx: a row left out of every bag.
        max_norm, norm_type, scale_grad_by_freq: as for embedding; sparse=True is not supported.
    """
    if weight.dtype == fg.int64 and input.is_floating_point():  # PyTorch's old order
        input, weight = weight, input
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the same "
                         f"shape as the input ({input.shape})")
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError("if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                             f"sequences. However, found offsets of type {type(offsets)}")
        count, length = input.shape
        starts, ends = [i * length for i in range(count)], [(i + 1) * length for i in range(count)]
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    elif input.dim() == 1:
        if offsets is None or offsets.dim() != 1:
            raise ValueError("offsets has to be a 1D Tensor" + (" but got None" if offsets is None else ""))
        starts = offsets.tolist()
        if starts and starts[0] != 0:
            raise RuntimeError("offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
                               f"However, got {starts[0]}")
        if starts and starts[-1] > input.numel():
            raise RuntimeError(f"offsets[-1] can not be greater than input's length {input.numel()} but got offsets[-1] of {starts[-1]}")
        if include_last_offset and not starts:
            raise RuntimeError("include_last_offset: number of offset should be at least 1")
        if include_last_offset:                 # what follows the last bag is in none
            input = input[:starts[-1]]
            per_sample_weights = None if per_sample_weights is None else per_sample_weights[:starts[-1]]
        starts, ends = (starts[:-1], starts[1:]) if include_last_offset else (starts, [*starts[1:], input.numel()])
    else:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if sparse:
        if mode == "max":
            raise ValueError("max mode does not support sparse weights")
        raise NotImplementedError("embedding_bag: sparse=True is not supported. Gradients are dense tensors; leave sparse=False.")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
                                  f"(got mode='{mode}'). Please open a feature request on GitHub.")
    if padding_idx is not None:
        if not -weight.size(0) <= padding_idx < weight.size(0):
            raise RuntimeError("padding_idx must be within the number of embeddings")
        padding_idx %= weight.size(0)
    rows = embedding(input, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq)
    if any(end < start for start, end in zip(starts, ends)):
        raise RuntimeError(f"embedding_bag: offsets must not decrease, got {starts}")
    lengths = fg.tensor([end - start for start, end in zip(starts, ends)], dtype=fg.int64)
    kept = fg.ones_like(input, dtype=fg.bool) if padding_idx is None else input != padding_idx
    if mode == "max":
        return greatest(rows, kept, fg.tensor(starts, dtype=fg.int64), lengths)
    if per_sample_weights is not None:
        rows = rows * per_sample_weights.unsqueeze(1)
    if padding_idx is not None:
        rows = rows.masked_fill(~kept.unsqueeze(1), 0)
    bag = fg.arange(len(starts)).repeat_interleave(lengths)
    sums = rows.new_zeros((len(starts), weight.size(1))).index_add(0, bag, rows)
    if mode == "sum":
        return sums
    counts = fg.zeros(len(starts), dtype=rows.dtype).index_add(0, bag, kept.to(rows.dtype))
    return sums / counts.clamp(min=1).unsqueeze(1)


def greatest(rows, kept, starts, lengths):
    """The maximum of each bag, 0 for an empty one; the gradient goes to one row."""
    width = int(lengths.max()) if lengths.numel() else 0
    if width == 0:
        return rows.new_zeros((lengths.numel(), rows.size(1))) + 0 * rows.sum()
    place = fg.arange(width)
    inside = place < lengths.unsqueeze(1)
    at = fg.where(inside, starts.unsqueeze(1) + place, 0)
    inside = inside & kept[at]
    top = rows[at].masked_fill(~inside.unsqueeze(2), -float("inf")).max(1)[0]
    return top.masked_fill(~inside.any(1, keepdim=True), 0)
