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


# hidden sizes on both sides of the kernels' blocks of 256, batches on both sides of what is laid out anew
SIZES = [(1, 1, 1), (2, 300, 3), (17, 20, 6), (3, 5, 1)]


@pytest.mark.parametrize("batch, hidden, steps", SIZES)
@pytest.mark.parametrize("kind", ["RNN tanh", "RNN relu", "LSTM", "LSTM projected", "GRU"])
@pytest.mark.parametrize("read", ["output", "state"])
def test_sizes(kind, batch, hidden, steps, read):
    """First gradients, by the kernels, where the output or the last states alone are read."""
    if kind == "LSTM projected" and hidden == 1:
        pytest.skip("a projection is smaller than the state")

    def run(lib):
        lib.manual_seed(0)
        name, _, more = kind.partition(" ")
        options = {"proj_size": hidden // 2} if more == "projected" else {"nonlinearity": more} if more else {}
        layer = getattr(lib.nn, name)(4, hidden, bidirectional=True, **options).double()
        data = np.random.RandomState(1)
        x = lib.from_numpy(data.randn(batch, steps, 4)).requires_grad_()
        y, last = layer(x.transpose(0, 1))
        loss = (y * lib.from_numpy(data.randn(*y.shape))).sum() if read == "output" else sum((s**3).sum() for s in states_of(last))
        loss.backward()
        return numbers([y, *states_of(last), x.grad, *(p.grad for p in layer.parameters())])

    for a, b in zip(run(fastgrad), run(torch), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("bfloat16", 3e-2)])
@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_dtypes(name, dtype, tolerance):
    def run(lib):
        lib.manual_seed(0)
        layer = getattr(lib.nn, name)(3, 20, 2).to(getattr(lib, dtype))
        x = lib.from_numpy(np.random.RandomState(1).randn(5, 18, 3).astype("f")).to(getattr(lib, dtype)).requires_grad_()
        y, last = layer(x)
        y.float().sum().backward()
        assert y.dtype == x.grad.dtype == getattr(lib, dtype)
        return numbers([t.float() for t in (y, *states_of(last), x.grad, layer.weight_hh_l0.grad, layer.bias_ih_l1.grad)])

    for a, b in zip(run(fastgrad), run(torch), strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_backward_reads_what_was_saved():
    layer = fastgrad.nn.RNN(3, 4)
    x = fastgrad.randn(2, 3, 3)
    y, _ = layer(x)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()
    h = fastgrad.zeros(1, 3, 4)
    y, _ = fastgrad.nn.GRU(3, 4)(x.requires_grad_(), h)
    h.add_(1)
    (g,) = fastgrad.autograd.grad(y.sum(), x, retain_graph=True)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        fastgrad.autograd.grad(y.sum(), x, create_graph=True)


def test_transforms_and_forward_mode():
    """vmap over examples, and the derivative along a direction, which needs the differentiable form."""
    layer = fastgrad.nn.GRU(3, 4).double()
    x, t = fastgrad.randn(2, 5, 3, dtype=fastgrad.float64), fastgrad.randn(2, 5, 3, dtype=fastgrad.float64)

    def f(one):
        return layer(one)[0]

    assert fastgrad.allclose(fastgrad.func.vmap(f)(x), fastgrad.stack([f(x[0]), f(x[1])]))
    y, along = fastgrad.func.jvp(f, (x[0],), (t[0],))
    step = 1e-5
    numeric = (f(x[0] + step * t[0]) - f(x[0] - step * t[0])) / (2 * step)
    assert fastgrad.allclose(along, numeric, rtol=1e-6, atol=1e-8)


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
