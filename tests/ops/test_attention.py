"""scaled_dot_product_attention and MultiheadAttention against PyTorch: values, gradients, second gradients, weights, errors."""

import fastgrad
import numpy as np
import pytest
import torch


def same(observe):
    for a, b in zip(observe(torch), observe(fastgrad), strict=True):
        if isinstance(a, (str, list)):
            assert a == b
        else:
            np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-9, atol=1e-11)


def some(lib, seed, *shape):
    return lib.from_numpy(np.random.RandomState(seed).randn(*shape)).requires_grad_()


MASKS = {
    "none": lambda lib: {},
    "causal": lambda lib: {"is_causal": True},
    "scale": lambda lib: {"scale": 0.3},
    "bool": lambda lib: {"attn_mask": lib.tensor([[True, False, True, True, False]] * 3 + [[False] * 5])},
    "float": lambda lib: {"attn_mask": lib.from_numpy(np.random.RandomState(5).randn(2, 1, 4, 5))},
}


@pytest.mark.parametrize("mask", MASKS)
def test_scaled_dot_product_attention(mask):
    def observe(lib):
        q, k, v = some(lib, 0, 2, 3, 4, 6), some(lib, 1, 2, 3, 5, 6), some(lib, 2, 2, 3, 5, 2)
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, **MASKS[mask](lib))
        first = lib.autograd.grad((y**2).sum(), [q, k, v], create_graph=True)
        return [y, *first, *lib.autograd.grad(sum((g**2).sum() for g in first), [q, k, v])]

    same(observe)


# lengths, keys and features on both sides of the kernel's blocks of 64 queries and 128 keys
SIZES = [(1, 1, 1, 1), (64, 128, 16, 16), (65, 129, 3, 5), (130, 300, 8, 2), (200, 40, 1, 7)]


@pytest.mark.parametrize("mask", ["none", "causal", "bool", "added", "vector"])
@pytest.mark.parametrize("length, keys, features, width", SIZES)
def test_blocks(length, keys, features, width, mask):
    """Gradients too; bool masks leave a query that sees nobody, and one that sees a key of the last block alone."""

    def observe(lib):
        q, k, v = some(lib, 0, 2, 2, length, features), some(lib, 1, 2, 2, keys, features), some(lib, 2, 2, 2, keys, width)
        data = np.random.RandomState(3)
        seen = data.rand(length, keys) < 0.5
        seen[0], seen[-1] = False, np.arange(keys) == keys - 1
        options = {"none": {}, "causal": {"is_causal": True}, "bool": {"attn_mask": lib.from_numpy(seen)},
                   "added": {"attn_mask": lib.from_numpy(data.randn(2, 1, length, keys))},
                   "vector": {"attn_mask": lib.from_numpy(data.rand(1, keys) < 0.7)}}[mask]
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, **options)
        return [y, *lib.autograd.grad((y * lib.from_numpy(data.randn(2, 2, length, width))).sum(), [q, k, v])]

    same(observe)


@pytest.mark.parametrize("causal", [False, True])
def test_heads_split_from_one_projection(causal):
    """Operands and gradients in the layout that programs use, in float32."""

    def observe(lib):
        x = some(lib, 0, 3, 70, 3 * 8).float().detach().requires_grad_()
        q, k, v = (t.view(3, 70, 2, 4).transpose(1, 2) for t in x.split(8, 2))
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        (y.transpose(1, 2).reshape(3, 70, 8) ** 2).sum().backward()
        return y, x.grad

    for a, b in zip(observe(torch), observe(fastgrad), strict=True):
        np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shapes", [((5, 4), (6, 4), (6, 3)), ((2, 5, 4), (2, 6, 4), (2, 6, 3)), ((2, 1, 3, 5, 4), (2, 3, 6, 4), (3, 6, 2))])
def test_dimensions_of_heads_broadcast(shapes):
    def observe(lib):
        q, k, v = (some(lib, i, *shape) for i, shape in enumerate(shapes))
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v)
        return [y, *lib.autograd.grad((y**2).sum(), [q, k, v])]

    same(observe)


def test_gradient_of_the_mask():
    def observe(lib):
        q, k, v, mask = some(lib, 0, 2, 3, 4), some(lib, 1, 2, 5, 4), some(lib, 2, 2, 5, 4), some(lib, 3, 3, 5)
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, mask)
        return lib.autograd.grad((y**2).sum(), [q, k, v, mask])

    same(observe)


@pytest.mark.parametrize("key_heads, value_heads", [(2, 2), (1, 2), (4, 1)])
@pytest.mark.parametrize("mask", [None, (3, 5), (1, 3, 5), (4, 3, 5)])
def test_fewer_heads_for_keys(key_heads, value_heads, mask):
    def observe(lib):
        q, k, v = some(lib, 0, 2, 4, 3, 6), some(lib, 1, 2, key_heads, 5, 6), some(lib, 2, 2, value_heads, 5, 6)
        given = None if mask is None else lib.from_numpy(np.random.RandomState(3).randn(*mask))
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, given, enable_gqa=True)
        (y**2).sum().backward()
        return y, q.grad, k.grad, v.grad

    same(observe)


def test_dropout_of_all_weights():
    q = fastgrad.randn(1, 2, 3, 4)
    assert not fastgrad.nn.functional.scaled_dot_product_attention(q, q, q, dropout_p=1.0).any()


HEADS = {
    "plain": {}, "without bias": {"bias": False}, "extra keys": {"add_bias_kv": True, "add_zero_attn": True}, "other sizes": {"kdim": 3, "vdim": 5},
    "batch first": {"batch_first": True},
}


@pytest.mark.parametrize("form", ["self", "masked", "two", "averaged", "unbatched"])
@pytest.mark.parametrize("name", HEADS)
def test_multihead_attention(name, form):
    options = HEADS[name]

    def observe(lib):
        lib.manual_seed(0)
        layer = lib.nn.MultiheadAttention(8, 2, **options).double()
        x, y, z = some(lib, 0, 4, 4, 8), some(lib, 1, 4, 4, layer.kdim), some(lib, 2, 4, 4, layer.vdim)
        given = {}
        if form == "self" and "kdim" not in options:
            y = z = x
        elif form == "unbatched":
            x, y, z = x[0], y[0], z[0]
        elif form == "masked":
            given = {"attn_mask": lib.ones(4, 4, dtype=lib.bool).triu(1), "key_padding_mask": lib.tensor([[False] * 3 + [True]] * 4)}
        elif form == "two":
            given = {"need_weights": False, "attn_mask": lib.from_numpy(np.random.RandomState(3).randn(8, 4, 4))}
        elif form == "averaged":
            given = {"average_attn_weights": False}
        out, weights = layer(x, y, z, **given)
        leaves = list(layer.parameters())
        first = lib.autograd.grad((out**2).sum(), leaves, create_graph=True)
        second = []
        if form != "two":  # PyTorch's fused attention has no second derivative
            second = lib.autograd.grad(sum((g**2).sum() for g in first), leaves)
        return [repr(layer), list(layer.state_dict()), out, *leaves, *first, *second, *([] if weights is None else [weights])]

    same(observe)


@pytest.mark.parametrize("call", [
    lambda lib: lib.nn.functional.scaled_dot_product_attention(lib.zeros(3), lib.zeros(3), lib.zeros(3)),
    lambda lib: lib.nn.functional.scaled_dot_product_attention(lib.zeros(3, 2), lib.zeros(3, 2).double(), lib.zeros(3, 2)),
    lambda lib: lib.nn.MultiheadAttention(5, 2),
    lambda lib: lib.nn.MultiheadAttention(0, 2),
    lambda lib: lib.nn.MultiheadAttention(4, 2)(*[lib.zeros(2, 1, 3)] * 3),
    lambda lib: lib.nn.MultiheadAttention(4, 2)(*[lib.zeros(2, 1, 4)] * 3, attn_mask=lib.zeros(3, 3)),
    lambda lib: lib.nn.MultiheadAttention(4, 2)(*[lib.zeros(2, 1, 4)] * 3, is_causal=True),
    lambda lib: lib.nn.MultiheadAttention(4, 2)(*[lib.zeros(4)] * 3),
])
def test_errors(call):
    with pytest.raises(Exception) as wanted:  # noqa: PT011
        call(torch)
    with pytest.raises(wanted.type):
        call(fastgrad)
