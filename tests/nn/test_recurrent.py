"""Recurrent layers and cells against PyTorch: weights, values, gradients, second gradients, packed input, errors."""

import fastgrad
import numpy as np
import pytest
import torch

LAYERS = {
    "RNN": lambda n: n.RNN(3, 5),
    "RNN relu": lambda n: n.RNN(3, 5, 2, "relu"),
    "LSTM": lambda n: n.LSTM(3, 5),
    "LSTM projected": lambda n: n.LSTM(3, 5, num_layers=2, bidirectional=True, proj_size=2),
    "LSTM without bias": lambda n: n.LSTM(3, 5, bias=False, batch_first=True),
    "GRU": lambda n: n.GRU(3, 5),
    "GRU deep": lambda n: n.GRU(3, 5, num_layers=2, bidirectional=True, batch_first=True),
}


def states_of(h):
    return list(h) if isinstance(h, tuple) else [h]


def numbers(tensors):
    return [t.detach().numpy() for t in tensors]


def observe(lib, make, packed, given):
    lib.manual_seed(0)
    layer = make(lib.nn).double()
    data = np.random.RandomState(1)
    x = lib.from_numpy(data.randn(4, 4, 3)).requires_grad_()
    layers = layer.num_layers * (1 + layer.bidirectional)
    h = None
    if given:
        sizes = [layer.proj_size or 5] + ([5] if layer.mode == "LSTM" else [])
        h = tuple(lib.from_numpy(data.randn(layers, 4, size)).requires_grad_() for size in sizes)
        h = h if layer.mode == "LSTM" else h[0]
    leaves = [x, *layer.parameters(), *(states_of(h) if given else [])]
    if packed:
        sequence = lib.nn.utils.rnn.pack_padded_sequence(x, [2, 4, 1, 3], layer.batch_first, enforce_sorted=False)
        y, last = layer(sequence, h)
        y, _ = lib.nn.utils.rnn.pad_packed_sequence(y, layer.batch_first)
    else:
        y, last = layer(x, h)
    loss = (y**2).sum() + sum((s**3).sum() for s in states_of(last))
    first = lib.autograd.grad(loss, leaves, create_graph=True)
    second = lib.autograd.grad(sum((g**2).sum() for g in first), leaves)
    return repr(layer), list(layer.state_dict()), numbers([y, *states_of(last), *first, *second, *layer.parameters()])


@pytest.mark.parametrize("given", [False, True], ids=["zeros", "given"])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("name", LAYERS)
def test_layer(name, packed, given):
    wanted = observe(torch, LAYERS[name], packed, given)
    found = observe(fastgrad, LAYERS[name], packed, given)
    assert found[:2] == wanted[:2]
    for a, b in zip(found[2], wanted[2], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["RNNCell", "LSTMCell", "GRUCell"])
@pytest.mark.parametrize("batch", [(), (2,)])
def test_cell(name, batch):
    def run(lib):
        lib.manual_seed(0)
        cell = getattr(lib.nn, name)(3, 4)
        x = lib.from_numpy(np.random.RandomState(0).randn(*batch, 3).astype("f")).requires_grad_()
        h = cell(x)
        h = cell(x, h)
        states_of(h)[-1].sum().backward()
        return repr(cell), numbers([*states_of(h), x.grad, *(p.grad for p in cell.parameters())])

    wanted, found = run(torch), run(fastgrad)
    assert found[0] == wanted[0]
    for a, b in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_without_a_batch():
    layer = fastgrad.nn.GRU(3, 4)
    x = fastgrad.randn(5, 3)
    y, h = layer(x)
    z, g = layer(x.unsqueeze(1))
    assert y.shape == (5, 4) and h.shape == (1, 4)
    assert fastgrad.equal(y, z[:, 0]) and fastgrad.equal(h, g[:, 0])


def test_dropout_between_layers():
    layer = fastgrad.nn.GRU(3, 4, num_layers=2, dropout=1.0)
    x = fastgrad.randn(5, 2, 3)
    dropped, whole = layer(x)[0], layer.eval()(x)[0]
    layer.dropout = 0.0
    assert fastgrad.equal(layer.train()(x)[0], whole) and not fastgrad.equal(dropped, whole)


@pytest.mark.parametrize("call", [
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2, 3, 5)),
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2)),
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2, 2, 3), lib.zeros(1, 3, 4)),
    lambda lib: lib.nn.GRU(3, 4)(lib.zeros(2, 2, 3), lib.zeros(2, 4)),
    lambda lib: lib.nn.RNN(3, 4, nonlinearity="x"),
    lambda lib: lib.nn.LSTM(3, 4, proj_size=4),
    lambda lib: lib.nn.GRU(3, 0),
    lambda lib: lib.nn.GRUCell(3, 4)(lib.zeros(2, 5)),
])
def test_errors(call):
    with pytest.raises(Exception) as wanted:  # noqa: PT011
        call(torch)
    with pytest.raises(wanted.type) as found:
        call(fastgrad)
    assert str(found.value).split()[0] == str(wanted.value).split()[0]
