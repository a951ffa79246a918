"""functional_call and stack_module_state against torch's, tied weights and errors among them; per-example gradients of networks."""

import fastgrad
import numpy as np
import pytest
import torch


def tied(t):
    class Tied(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = (t.nn.Linear(2, 2, bias=False) for _ in range(2))
            self.b.weight = self.a.weight
            self.register_buffer("scale", t.ones(2))

        def forward(self, x):
            return self.b(self.a(x)) * self.scale

    m = Tied()
    with t.no_grad():
        m.a.weight.copy_(t.tensor([[1.0, 2], [3, 4]]))
    return m


CALLS = {
    "one of two": lambda t, w, x: ({"a.weight": w},), "the other": lambda t, w, x: ({"b.weight": w},),
    "both the same": lambda t, w, x: ({"a.weight": w, "b.weight": w},), "both": lambda t, w, x: ({"a.weight": w, "b.weight": w * 2},),
    "several dicts": lambda t, w, x: (({"a.weight": w}, {"scale": x[0]}),), "a name twice": lambda t, w, x: ([{"a.weight": w}, {"a.weight": w}],),
    "unknown": lambda t, w, x: ({"c": w},), "no such module": lambda t, w, x: ({"c.weight": w},), "number": lambda t, w, x: ({"a.weight": 3},),
    "no dict": lambda t, w, x: (3,), "no dicts": lambda t, w, x: ((3,),),
}
OPTIONS = [{}, {"tie_weights": False}, {"strict": True}, {"strict": True, "tie_weights": False}]


def outcome(lib, run):
    try:
        return run(lib).tolist()
    except Exception as error:
        return type(error).__name__, str(error)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", CALLS)
def test_functional_call(name, options):
    def run(t):
        return t.func.functional_call(tied(t), *CALLS[name](t, t.full((2, 2), 5.0), t.tensor([[1.0, 2]])), (t.tensor([[1.0, 2]]),), **options)

    mine, theirs = outcome(fastgrad, run), outcome(torch, run)
    if name == "no such module":
        assert mine[0] == theirs[0]
    else:
        assert mine == theirs


@pytest.mark.parametrize("make", [
    lambda t: [], lambda t: [t.nn.Linear(2, 2), t.nn.Linear(2, 2).eval()], lambda t: [t.nn.Linear(2, 2), t.nn.ReLU()],
    lambda t: [t.nn.Linear(2, 2), t.nn.Linear(2, 2).requires_grad_(False)]])
def test_stacks_that_are_refused(make):
    classes = []
    for t in (fastgrad, torch):
        with pytest.raises(Exception) as caught:
            t.func.stack_module_state(make(t))
        classes.append(caught.type)
    assert classes[0] is classes[1]


def cnn(t):
    return t.nn.Sequential(t.nn.Conv2d(1, 3, 3, padding=1), t.nn.GroupNorm(1, 3), t.nn.ReLU(), t.nn.MaxPool2d(2), t.nn.Flatten(), t.nn.Linear(27, 2))


def recurrent(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.out = t.nn.LSTM(6, 4, batch_first=True), t.nn.Linear(4, 2)

        def forward(self, x):
            return self.out(self.lstm(x[:, 0])[0][:, -1])

    return Net()


def attention(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.out = t.nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True), t.nn.Linear(36, 2)

        def forward(self, x):
            return self.out(self.layer(x[:, 0]).flatten(1))

    return Net()


@pytest.mark.parametrize("make", [cnn, recurrent, attention])
def test_gradients_of_each_example(make):
    """One vmap gives what a loop of backwards does."""
    t = fastgrad
    t.manual_seed(0)
    m = make(t).double()
    x = t.tensor(np.random.default_rng(0).normal(size=(4, 1, 6, 6)).tolist(), dtype=t.float64)
    target = t.tensor([0, 1, 1, 0])
    params = {k: v.detach() for k, v in m.named_parameters()}

    def loss(p, x, y):
        return t.nn.functional.cross_entropy(t.func.functional_call(m, p, (x[None],)), y[None])

    each = t.vmap(t.func.grad(loss), in_dims=(None, 0, 0))(params, x, target)
    for i in range(4):
        m.zero_grad()
        t.nn.functional.cross_entropy(m(x[i:i + 1]), target[i:i + 1]).backward()
        for k, v in m.named_parameters():
            np.testing.assert_allclose(each[k][i].tolist(), v.grad.tolist(), rtol=1e-8, atol=1e-10, err_msg=k)
