"""nn.utils.rnn against PyTorch: packing, padding, their inverses, gradients, errors."""

import fastgrad
import numpy as np
import pytest
import torch


def both(observe):
    return observe(torch), observe(fastgrad)


def sequences(lib, lengths=(2, 4, 1)):
    return [lib.arange(3.0 * n).reshape(n, 3) + 10 * n for n in lengths]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_pad_and_unpad(batch_first, side):
    def observe(lib):
        rnn = lib.nn.utils.rnn
        padded = rnn.pad_sequence(sequences(lib), batch_first, -1.0, side)
        shown = padded.tolist()  # PyTorch's unpad_sequence transposes its argument in place
        back = rnn.unpad_sequence(padded, lib.tensor([2, 4, 1]), batch_first)
        return shown, [b.tolist() for b in back]

    wanted, found = both(observe)
    assert found == wanted


def test_pack_and_unpack():
    def observe(lib):
        rnn = lib.nn.utils.rnn
        packed = rnn.pack_sequence(sequences(lib), enforce_sorted=False)
        padded, lengths = rnn.pad_packed_sequence(packed, True, 7.0, 6)
        return [f.tolist() for f in packed], padded.tolist(), lengths.tolist(), [s.tolist() for s in rnn.unpack_sequence(packed)]

    wanted, found = both(observe)
    assert found == wanted


def test_gradient():
    def observe(lib):
        rnn = lib.nn.utils.rnn
        x = lib.from_numpy(np.arange(24.0).reshape(4, 3, 2)).requires_grad_()
        padded, _ = rnn.pad_packed_sequence(rnn.pack_padded_sequence(x, [4, 2, 1]))
        (padded**2).sum().backward()
        return x.grad.tolist()

    wanted, found = both(observe)
    assert found == wanted


def test_conversions():
    packed = fastgrad.nn.utils.rnn.pack_sequence(sequences(fastgrad), enforce_sorted=False)
    assert packed.double().data.dtype == fastgrad.float64
    assert packed.float() is packed and packed.cpu() is packed and not packed.is_cuda
    assert fastgrad.equal(packed.sorted_indices[packed.unsorted_indices], fastgrad.arange(3))


@pytest.mark.parametrize("call", [
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2, 1), [1, 3]),
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2, 1), [1, 0]),
    lambda lib: lib.nn.utils.rnn.pack_padded_sequence(lib.zeros(3, 2, 1), [3, 2, 1]),
    lambda lib: lib.nn.utils.rnn.pad_sequence([]),
    lambda lib: lib.nn.utils.rnn.pad_sequence([lib.zeros(1)], padding_side="top"),
    lambda lib: lib.nn.utils.rnn.pad_packed_sequence(lib.nn.utils.rnn.pack_sequence([lib.zeros(3)]), total_length=2),
])
def test_errors(call):
    with pytest.raises(Exception) as wanted:  # noqa: PT011
        call(torch)
    with pytest.raises(wanted.type) as found:
        call(fastgrad)
    assert str(found.value).split()[0] == str(wanted.value).split()[0]
