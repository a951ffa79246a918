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


def test_fewer_heads_for_keys():
    def observe(lib):
        q, k, v = some(lib, 0, 2, 4, 3, 6), some(lib, 1, 2, 2, 5, 6), some(lib, 2, 2, 2, 5, 6)
        y = lib.nn.functional.scaled_dot_product_attention(q, k, v, enable_gqa=True)
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
