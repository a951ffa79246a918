"""Sequences of different lengths: padded, packed step by step, and back."""

from collections import namedtuple

import fastgrad as fg

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
           "unpack_sequence", "unpad_sequence"]

_Fields = namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])


class PackedSequence(_Fields):
    """Sequences sorted by length, longest first, as the rows of one tensor, step after step.

    Made by pack_padded_sequence and pack_sequence, taken and given by the recurrent layers.

    Attributes:
        data: (sum of lengths, *), the elements of step 0, then those of step 1, ...
        batch_sizes: how many sequences each step has.
        sorted_indices: the permutation that sorted the sequences, or None.
        unsorted_indices: its inverse, or None.
    """

    def __new__(cls, data, batch_sizes=None, sorted_indices=None, unsorted_indices=None):
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not isinstance(data, (list, tuple)) or len(data) != 2:
                raise AssertionError("PackedSequence: expected data and batch_sizes")
            data, batch_sizes = data
        elif batch_sizes.device.type != "cpu":
            raise ValueError("batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. They "
                             "should be instantiated by functions like pack_sequence and pack_padded_sequences in nn.utils.rnn. "
                             "https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence")
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args, **kwargs):
        """The same sequences with data of another dtype; self where nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, self.batch_sizes, self.sorted_indices, self.unsorted_indices)

    def cpu(self, *args, **kwargs):
        return self.to("cpu", *args, **kwargs)

    def cuda(self, *args, **kwargs):
        return self.to("cuda", *args, **kwargs)

    def pin_memory(self):
        return self

    def double(self):
        return self.to(fg.float64)

    def float(self):
        return self.to(fg.float32)

    def half(self):
        return self.to(fg.float16)

    def long(self):
        return self.to(fg.int64)

    def int(self):
        return self.to(fg.int32)

    def short(self):
        return self.to(fg.int16)

    def char(self):
        return self.to(fg.int8)

    def byte(self):
        return self.to(fg.uint8)

    @property
    def is_cuda(self):
        return False

    def is_pinned(self):
        return False


def invert_permutation(permutation):
    """The permutation that undoes this one; None for None."""
    if permutation is None:
        return None
    return fg.empty_like(permutation).scatter_(0, permutation, fg.arange(permutation.numel()))


def pack_padded_sequence(input, lengths, batch_first=False, enforce_sorted=True):
    """Pack a padded batch.

    Args:
        input: (steps, batch, *), or (batch, steps, *) with batch_first.
        lengths: of each sequence, a list or a tensor.
        enforce_sorted: raise where the lengths do not decrease, instead of sorting them.

    Example:
        >>> pack_padded_sequence(fastgrad.tensor([[1, 2], [3, 0]]), [2, 1]).data
        tensor([1, 2, 3])
    """
    if not isinstance(lengths, fg.Tensor):
        lengths = fg.tensor(lengths, dtype=fg.int64)
    sorted_indices = None
    if not enforce_sorted:
        lengths, sorted_indices = fg.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, sorted_indices)
    if lengths.dim() != 1:
        raise RuntimeError(f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D cpu tensor")
    if batch_first:
        input = input.transpose(0, 1)
    counts = lengths.tolist()
    if not counts:
        raise RuntimeError("Cannot pack empty tensors.")
    if len(counts) != input.size(1):
        raise RuntimeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={input.size(1)})")
    if counts[-1] <= 0:
        raise RuntimeError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0")
    if any(a < b for a, b in zip(counts, counts[1:])):
        raise RuntimeError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
                           "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
                           "not need ONNX exportability.")
    if counts[0] > input.size(0):
        raise RuntimeError(f"Expected lengths of at most {input.size(0)}, the size of the padded dimension, got {counts[0]}")
    sizes = [sum(count > t for count in counts) for t in range(counts[0])]
    data = fg.cat([input[t, :size] for t, size in enumerate(sizes)])
    return PackedSequence(data, fg.tensor(sizes, dtype=fg.int64), sorted_indices, None)


def pad_packed_sequence(sequence, batch_first=False, padding_value=0.0, total_length=None):
    """The padded batch and its lengths, in the order that the sequences had before they were packed.

    Args:
        sequence: a PackedSequence.
        batch_first: whether the batch comes before the steps.
        padding_value: what stands after a sequence's end.
        total_length: how many steps to pad to.
    """
    data, batch_sizes, _, unsorted_indices = sequence
    sizes = batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(f"Expected total_length to be at least the length of the longest sequence in input, but got "
                         f"total_length={total_length} and max sequence length being {steps}")
    batch, rest = sizes[0], tuple(data.shape[1:])
    rows = []
    for part, size in zip(data.split(sizes), sizes):
        rows.append(part if size == batch else fg.cat([part, data.new_full((batch - size, *rest), padding_value)]))
    rows += [data.new_full((batch, *rest), padding_value)] * ((total_length or steps) - steps)
    padded = fg.stack(rows)
    lengths = fg.tensor([sum(size > i for size in sizes) for i in range(batch)], dtype=fg.int64)
    if batch_first:
        padded = padded.transpose(0, 1)
    if unsorted_indices is not None:
        return padded.index_select(0 if batch_first else 1, unsorted_indices), lengths[unsorted_indices]
    return padded, lengths


def pad_sequence(sequences, batch_first=False, padding_value=0.0, padding_side="right"):
    """Sequences of different lengths as one batch.

    Args:
        sequences: tensors (length, *), or one tensor of them.
        batch_first: whether the batch comes before the steps.
        padding_value: what fills up the shorter ones.
        padding_side: "right" or "left".

    Example:
        >>> pad_sequence([fastgrad.ones(2), fastgrad.ones(1)], batch_first=True)
        tensor([[1., 1.],
                [1., 0.]])
    """
    if isinstance(sequences, fg.Tensor):
        sequences = sequences.unbind(0)
    elif not hasattr(sequences, "__iter__"):
        raise RuntimeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    sequences = tuple(sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    longest = max(s.size(0) for s in sequences)
    rest = tuple(sequences[0].shape[1:])
    padded = []
    for s in sequences:
        filler = s.new_full((longest - s.size(0), *rest), padding_value)
        padded.append(s if s.size(0) == longest else fg.cat([s, filler] if padding_side == "right" else [filler, s]))
    return fg.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences, lengths, batch_first=False):
    """The sequences of a padded batch, as a list."""
    if not batch_first:
        padded_sequences = padded_sequences.transpose(0, 1)
    return [sequence[:length] for sequence, length in zip(padded_sequences, lengths.tolist())]


def pack_sequence(sequences, enforce_sorted=True):
    """Pack a list of sequences; enforce_sorted as for pack_padded_sequence."""
    lengths = fg.tensor([s.size(0) for s in sequences], dtype=fg.int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences):
    """The sequences of a PackedSequence, as a list."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
