"""vmap against torch's: rules, batches of none, draws, Functions; what has a rule is not looped over."""

import numpy as np
import pytest
import torch

import fastgrad as fg
from fastgrad.func import batching

I3 = [[0, 2], [1, 1], [2, 0]]
PROGRAMS = {
    "mse": lambda t, x, y, i: t.nn.functional.mse_loss(x, y), "l1": lambda t, x, y, i: t.nn.functional.l1_loss(x, y, reduction="sum"),
    "smooth l1": lambda t, x, y, i: t.nn.functional.smooth_l1_loss(x, y, beta=0.3, reduction="none"),
    "bce": lambda t, x, y, i: t.nn.functional.binary_cross_entropy_with_logits(x, y.sigmoid()),
    "cross entropy": lambda t, x, y, i: t.nn.functional.cross_entropy(x, i, label_smoothing=0.1),
    "nll ignoring": lambda t, x, y, i: t.nn.functional.nll_loss(x, i, ignore_index=1, reduction="sum"),
    "constant index": lambda t, x, y, i: x[t.tensor([1, 0, 1])], "second dimension": lambda t, x, y, i: x[:, t.tensor([2, 0])],
    "number and tensor": lambda t, x, y, i: x[1, t.tensor([2, 0])], "constant mask": lambda t, x, y, i: x[t.tensor([True, False])],
    "index of each": lambda t, x, y, i: y[:, 0][i % 2], "pairs": lambda t, x, y, i: x[t.tensor([0, 1]), i],
    "row of each": lambda t, x, y, i: t.arange(6.0).reshape(3, 2)[i], "gather": lambda t, x, y, i: x.gather(1, i[:, None]),
    "index_select": lambda t, x, y, i: x.index_select(1, t.tensor([2, 1])), "new_zeros": lambda t, x, y, i: filled(x),
    "max": lambda t, x, y, i: tuple(x.max(0)), "topk": lambda t, x, y, i: tuple(x.topk(2)), "sort": lambda t, x, y, i: tuple(x.sort(0)),
    "var": lambda t, x, y, i: (x.var(), x.std(0), x.var(1, keepdim=True)), "chunk": lambda t, x, y, i: tuple(x.chunk(2)),
    "split": lambda t, x, y, i: tuple(x.split(2, 1)), "flatten": lambda t, x, y, i: x.flatten(), "movedim": lambda t, x, y, i: x.movedim(0, 1),
    "roll": lambda t, x, y, i: x.roll(1, 1), "tril": lambda t, x, y, i: x.tril(), "pad": lambda t, x, y, i: t.nn.functional.pad(x, (1, 2)),
    "where": lambda t, x, y, i: t.where(x > 0, x, 0.0 * y), "masked_fill": lambda t, x, y, i: x.masked_fill(x > 0, 2.0),
    "clamp": lambda t, x, y, i: x.clamp(-0.5, 0.5), "promotion": lambda t, x, y, i: x * y.float(), "to": lambda t, x, y, i: x.to(t.float32),
}


def filled(x):
    z = x.new_zeros(2, 5)
    z[:, 1:4] = x
    return z


def inputs(lib, size=3):
    rng = np.random.default_rng(0)
    x, y = (lib.tensor(rng.uniform(-1, 1, (3, 2, 3)).tolist(), dtype=lib.float64)[:size] for _ in range(2))
    return x, y, lib.tensor(I3)[:size]


def arrays(result):
    return [np.array(t.tolist()).reshape(tuple(t.shape)) for t in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("size", [3, 1, 0])
@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name, size):
    found = [arrays(lib.vmap(lambda x, y, i: PROGRAMS[name](lib, x, y, i))(*inputs(lib, size))) for lib in (fg, torch)]
    for mine, theirs in zip(*found, strict=True):
        assert mine.shape == theirs.shape
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


BATCH = {
    "sum": lambda t, x: x.sum(-3), "several": lambda t, x: x.sum((0, -3)), "softmax": lambda t, x: x.softmax(-3), "flip": lambda t, x: x.flip(-3),
    "cat": lambda t, x: t.cat([x, x], -3), "cat of numbers": lambda t, x: t.cat([x[0, 0], x[0, 0]], -1), "stack": lambda t, x: t.stack([x, x], -4),
    "unsqueeze": lambda t, x: x.unsqueeze(-4), "transpose": lambda t, x: x.transpose(0, -3), "permute": lambda t, x: x.permute(-3, 1),
    "movedim": lambda t, x: x.movedim(0, -3), "flatten": lambda t, x: x.flatten(-3), "gather": lambda t, x: x.gather(-3, t.tensor([[0]])),
    "index_select": lambda t, x: x.index_select(-3, t.tensor([0])), "sort": lambda t, x: x.sort(-3)[0], "unbind": lambda t, x: x.unbind(-3)[0],
    "var": lambda t, x: x.var(-3), "roll": lambda t, x: x.roll(1, -3), "select": lambda t, x: x.select(-3, 0),
    "unsqueeze_": lambda t, x: x.clone().unsqueeze_(-4), "transpose_": lambda t, x: x.clone().transpose_(0, -3),
    "squeeze_": lambda t, x: x[:1].clone().squeeze_(-3), "transpose_ of a number": lambda t, x: x[0, 0].clone().transpose_(0, 5),
}


@pytest.mark.parametrize("name", BATCH)
def test_the_batch_is_no_dimension_of_an_example(name):
    classes = []
    for lib in (fg, torch):
        with pytest.raises((IndexError, RuntimeError)) as caught:
            lib.vmap(lambda x: BATCH[name](lib, x))(inputs(lib)[0])
        classes.append(caught.type)
    assert classes[0] is classes[1]


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_loop(name, monkeypatch):
    def refuse(call, name, level, args, kwargs):
        raise AssertionError(f"{name} looped")

    if name == "new_zeros":
        pytest.skip("a write into a part is a loop")
    monkeypatch.setattr(batching, "one_by_one", refuse)
    fg.vmap(lambda x, y, i: PROGRAMS[name](fg, x, y, i))(*inputs(fg))


@pytest.mark.parametrize("name", ["cross entropy", "pairs", "gather", "max", "sort", "var"])
def test_gradient(name):
    found = []
    for lib in (fg, torch):
        x, y, i = inputs(lib)
        x.requires_grad_()
        out = lib.vmap(lambda x, y, i: PROGRAMS[name](lib, x, y, i))(x, y, i)
        sum((t * t).sum() for t in (out if isinstance(out, tuple) else (out,)) if t.requires_grad).backward()
        found.append(np.array(x.grad.tolist()))
    np.testing.assert_allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("draw", [lambda: fg.randint(1000, (20,)), lambda: fg.randperm(50), lambda: fg.rand(20)])
def test_randomness(draw):
    x = fg.zeros(3)
    with pytest.raises(RuntimeError, match="randomness error mode"):
        fg.vmap(lambda t: draw() + t)(x)
    same = fg.vmap(lambda t: draw() + t, randomness="same")(x)
    assert (same[0] == same[1]).all() and (same[0] == same[2]).all()
    other = fg.vmap(lambda t: draw() + t, randomness="different")(x)
    assert (other[0] != other[1]).any() and (other[1] != other[2]).any()
    nested = fg.vmap(lambda u: fg.vmap(lambda t: draw() + t, randomness="same")(u), randomness="different")(fg.zeros(2, 3))
    assert (nested[:, 0] == nested[:, 2]).all() and (nested[0] != nested[1]).any()
    draw()


def function(lib, **members):
    def forward(x, k):
        return x ** k

    def setup_context(ctx, given, output):
        ctx.save_for_backward(given[0])
        ctx.k = given[1]

    def backward(ctx, g):
        return g * ctx.k * ctx.saved_tensors[0] ** (ctx.k - 1), None

    parts = {"forward": forward, "setup_context": setup_context, "backward": backward} | {
        key: m for key, m in members.items() if callable(m)}
    return type("Power", (lib.autograd.Function,), {key: staticmethod(m) for key, m in parts.items()} | {
        key: m for key, m in members.items() if not callable(m)})


@pytest.mark.parametrize("lib", [fg, torch], ids=["fastgrad", "torch"])
def test_functions(lib):
    x = lib.arange(6.0).reshape(2, 3)
    with pytest.raises(RuntimeError, match="does not have vmap support"):
        lib.vmap(lambda r: function(lib).apply(r, 2))(x)
    generated = function(lib, generate_vmap_rule=True)
    assert lib.vmap(lib.func.grad(lambda r: generated.apply(r, 3).sum()))(x).tolist() == (3 * x * x).tolist()
    seen = []

    def rule(info, in_dims, values, k):
        seen.append((info.batch_size, info.randomness, in_dims, tuple(values.shape)))
        return values.T * k, 1

    own = function(lib, vmap=rule)
    assert lib.vmap(lambda r: own.apply(r, 5))(x).tolist() == (5 * x).tolist()
    assert seen == [(2, "error", (0, None), (2, 3))]


@pytest.mark.parametrize("mapped", [(0, None), (None, 0), (0, 0)])
def test_convolution(mapped):
    rng = np.random.default_rng(0)
    x, w = (rng.uniform(-1, 1, shape) for shape in ((2, 3, 4, 5), (2, 6, 4, 3)))
    found = []
    for lib in (fg, torch):
        given = [lib.tensor((a if d == 0 else a[0]).tolist()) for a, d in zip((x, w), mapped)]
        found.append(lib.vmap(lambda x, w: lib.nn.functional.conv1d(x, w, padding=1), in_dims=mapped)(*given).tolist())
    np.testing.assert_allclose(*found, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("write", [
    lambda t, x, a: x.scatter_(0, t.tensor([0]), a), lambda t, x, a: x.scatter_reduce_(0, t.tensor([0]), a[:1], "sum"),
    lambda t, x, a: x.index_put_((t.tensor([0]),), a[:1]), lambda t, x, a: x.masked_scatter_(x > 0, a)])
def test_a_batch_is_not_written_into_one_tensor(write):
    for t in (fg, torch):
        x = t.ones(3)
        with pytest.raises(RuntimeError, match="is not possible because there exists a Tensor"):
            t.vmap(lambda a: write(t, x, a))(t.rand(2, 3))
        if t is fg:
            assert x.tolist() == [1, 1, 1]
