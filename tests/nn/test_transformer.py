"""Transformer layers and stacks against PyTorch: weights for a seed, values, gradients, masks, state dicts."""

import warnings

import fastgrad
import numpy as np
import pytest
import torch

pytestmark = pytest.mark.skipif(not hasattr(fastgrad.nn, "LayerNorm"), reason="transformer layers are made with nn.LayerNorm")

FORMS = {
    "plain": {},
    "norm first": {"norm_first": True, "activation": "gelu"},
    "batch first": {"batch_first": True, "bias": False},
}


def some(lib, seed, *shape):
    return lib.from_numpy(np.random.RandomState(seed).randn(*shape).astype("f")).requires_grad_()


def same(observe):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted, found = observe(torch), observe(fastgrad)
    for a, b in zip(wanted, found, strict=True):
        if isinstance(a, (str, list)):
            assert a == b
        else:
            np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["encoder", "decoder", "whole"])
def test_transformer(kind, form):
    def observe(lib):
        lib.manual_seed(0)
        n = lib.nn
        made = {"dropout": 0.0, "dim_feedforward": 16, **FORMS[form]}
        x, y = some(lib, 0, 4, 4, 8), some(lib, 1, 4, 4, 8)
        causal = n.Transformer.generate_square_subsequent_mask(4)
        if kind == "encoder":
            model = n.TransformerEncoder(n.TransformerEncoderLayer(8, 2, **made), 2, n.LayerNorm(8), enable_nested_tensor=False)
            out = model(x, mask=causal)
        elif kind == "decoder":
            model = n.TransformerDecoder(n.TransformerDecoderLayer(8, 2, **made), 2)
            out = model(x, y, tgt_mask=causal, tgt_is_causal=True)
        else:
            model = n.Transformer(8, 2, 1, 1, **made)
            out = model(x, y, tgt_mask=causal, src_key_padding_mask=lib.tensor([[False, False, True, False]] * 4))
        (out**3).sum().backward()
        return [repr(model), list(model.state_dict()), out, x.grad, *model.parameters(), *(p.grad for p in model.parameters())]

    same(observe)


def test_dropout_and_a_function_as_activation():
    layer = fastgrad.nn.TransformerEncoderLayer(8, 2, 16, dropout=1.0, activation=fastgrad.tanh, norm_first=True)
    x = fastgrad.randn(3, 2, 8)
    assert fastgrad.equal(layer(x), x)
    assert not fastgrad.equal(layer.eval()(x), x)


def test_state_goes_from_pytorch():
    made = (8, 2, 1, 1, 16, 0.0)
    theirs, ours = torch.nn.Transformer(*made), fastgrad.nn.Transformer(*made)
    ours.load_state_dict({name: fastgrad.from_numpy(value.numpy()) for name, value in theirs.state_dict().items()})
    x = np.random.RandomState(0).randn(4, 2, 8).astype("f")
    wanted, found = theirs(torch.from_numpy(x), torch.from_numpy(x)), ours(fastgrad.from_numpy(x), fastgrad.from_numpy(x))
    np.testing.assert_allclose(found.detach().numpy(), wanted.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("call", [
    lambda lib: lib.nn.TransformerEncoderLayer(8, 2, activation="x"),
    lambda lib: lib.nn.Transformer(8, 2, 1, 1)(lib.zeros(2, 1, 8), lib.zeros(2, 2, 8)),
    lambda lib: lib.nn.Transformer(8, 2, 1, 1)(lib.zeros(2, 1, 7), lib.zeros(2, 1, 7)),
])
def test_errors(call):
    with pytest.raises(Exception) as wanted:  # noqa: PT011
        call(torch)
    with pytest.raises(wanted.type) as found:
        call(fastgrad)
    assert str(found.value).split()[:3] == str(wanted.value).split()[:3]


PADDING = [[False, False, False, True], [False, False, True, True]]


@pytest.mark.parametrize("form", [
    {}, {"activation": "gelu"}, {"activation": "ReLU"}, {"norm_first": True}, {"bias": False}, {"nhead": 1}, {"layer_norm_eps": 1e-3},
    {"activation": "silu"}, {"padding": [[True, False, False, False], [False, False, True, True]]}, {"nested": False}, {"causal": True},
    {"train": True}, {"gradients": True}, {"frozen": True, "gradients": True}, {"norm": True},
], ids=str)
def test_padded_places_in_evaluation(form):
    def observe(lib):
        given = dict(form)
        lib.manual_seed(0)
        padding = lib.tensor(given.pop("padding", PADDING))
        nested, causal, train, gradients, frozen, norm = (given.pop(key, key == "nested") for key in (
            "nested", "causal", "train", "gradients", "frozen", "norm"))
        if given.get("activation") == "ReLU":
            given["activation"] = lib.nn.ReLU()
        elif given.get("activation") == "silu":
            given["activation"] = lib.nn.functional.silu
        layer = lib.nn.TransformerEncoderLayer(8, **{"nhead": 2, "dim_feedforward": 16, "dropout": 0.0, "batch_first": True, **given})
        model = lib.nn.TransformerEncoder(layer, 2, lib.nn.LayerNorm(8) if norm else None, enable_nested_tensor=nested).train(train)
        model.requires_grad_(not frozen)
        x = lib.randn(2, 4, 8)
        mask = lib.nn.Transformer.generate_square_subsequent_mask(4) if causal else None
        masks = {"mask": mask, "src_key_padding_mask": padding}
        with lib.set_grad_enabled(gradients):
            return [model(x, **masks), str(model.use_nested_tensor)]

    same(observe)


def test_padded_places_without_the_fused_form():
    def observe(lib):
        lib.manual_seed(0)
        model = lib.nn.TransformerEncoder(lib.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1).eval()
        switch, x = lib.backends.mha, lib.randn(2, 4, 8)
        states = [str(switch.get_fastpath_enabled())]
        switch.set_fastpath_enabled(False)
        try:
            with lib.no_grad():
                states += [str(switch.get_fastpath_enabled()), model(x, src_key_padding_mask=lib.tensor(PADDING))]
        finally:
            switch.set_fastpath_enabled(True)
        return states

    same(observe)
