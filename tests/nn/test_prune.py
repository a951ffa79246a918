"""nn.utils.prune, fusion and skip_init against PyTorch: masks drawn for a seed, states, removal, errors."""

import pytest
import torch.nn.utils.prune  # noqa: F401  (torch.nn.utils does not import it)

import fastgrad
from tests.nn.both import assert_same, assert_same_error

METHODS = {
    "identity": lambda p, lib, m: p.identity(m, "weight"),
    "random": lambda p, lib, m: p.random_unstructured(m, "weight", 0.4),
    "l1": lambda p, lib, m: p.l1_unstructured(m, "weight", 5),
    "l1 by scores": lambda p, lib, m: p.l1_unstructured(m, "weight", 3, importance_scores=lib.arange(12.0).reshape(4, 3)),
    "random rows": lambda p, lib, m: p.random_structured(m, "weight", 2, 0),
    "random columns": lambda p, lib, m: p.random_structured(m, "weight", 0.4, 1),
    "l2 rows": lambda p, lib, m: p.ln_structured(m, "weight", 2, 2, 0),
    "l1 columns": lambda p, lib, m: p.ln_structured(m, "weight", 0.5, 1, -1),
    "mask": lambda p, lib, m: p.custom_from_mask(m, "bias", lib.tensor([0, 1, 1, 0])),
}


@pytest.mark.parametrize("make", METHODS.values(), ids=METHODS)
def test_methods(make):
    def observe(lib):
        lib.manual_seed(0)
        module = lib.nn.Linear(3, 4)
        prune = lib.nn.utils.prune
        make(prune, lib, module)
        x = lib.linspace(-1, 1, 6).reshape(2, 3)
        module(x).sum().backward()
        before = module.state_dict(), module.weight, [p.grad for p in module.parameters()], prune.is_pruned(module)
        prune.remove(module, "bias" if "bias_mask" in module.state_dict() else "weight")
        return before, module.state_dict(), module(x), prune.is_pruned(module)

    assert_same(observe, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("second", ["l1", "l2 rows", "random columns"])
@pytest.mark.parametrize("first", ["random", "l2 rows"])
def test_one_after_another(first, second):
    def observe(lib):
        lib.manual_seed(0)
        module = lib.nn.Linear(3, 4)
        prune = lib.nn.utils.prune
        METHODS[first](prune, lib, module)
        if first == "random" or second != "l1":
            prune.l1_unstructured(module, "weight", 1)
        METHODS[second](prune, lib, module)
        return module.state_dict(), [type(hook).__name__ for hook in module._forward_pre_hooks.values()]

    assert_same(observe)


def test_global():
    def observe(lib):
        lib.manual_seed(0)
        a, b = lib.nn.Linear(3, 4), lib.nn.Linear(4, 2)
        prune = lib.nn.utils.prune
        prune.l1_unstructured(a, "weight", 2)
        prune.global_unstructured([(a, "weight"), (b, "weight")], pruning_method=prune.L1Unstructured, amount=0.4)
        return a.state_dict(), b.state_dict()

    assert_same(observe)


def test_prune_of_a_tensor():
    def observe(lib):
        method = lib.nn.utils.prune.L1Unstructured(2)
        return method.prune(lib.tensor([3.0, -1.0, 2.0, 0.5])), method.prune(lib.tensor([3.0, -1.0, 2.0]), lib.tensor([0.0, 1.0, 1.0]))

    assert_same(observe)


ERRORS = {
    "not pruned": lambda p, m: p.remove(m, "weight"),
    "too many": lambda p, m: p.l1_unstructured(m, "weight", 13),
    "share": lambda p, m: p.l1_unstructured(m, "weight", 1.5),
    "negative": lambda p, m: p.random_unstructured(m, "weight", -1),
    "type": lambda p, m: p.l1_unstructured(m, "weight", "a"),
    "a vector": lambda p, m: p.ln_structured(m, "bias", 1, 2, 0),
    "rows": lambda p, m: p.ln_structured(m, "weight", 5, 2, 0),
    "dimension": lambda p, m: p.ln_structured(m, "weight", 1, 2, 5),
    "not a list": lambda p, m: p.global_unstructured(3, pruning_method=p.L1Unstructured, amount=0.4),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors(call):
    assert_same_error(lambda lib: call(lib.nn.utils.prune, lib.nn.Linear(3, 4)))


@pytest.mark.parametrize("kind", ["Conv2d", "ConvTranspose2d", "Linear"])
@pytest.mark.parametrize("bias", [True, False])
def test_fusion(kind, bias):
    def observe(lib):
        lib.manual_seed(0)
        layer = lib.nn.Linear(3, 4, bias=bias) if kind == "Linear" else getattr(lib.nn, kind)(3, 4, 3, bias=bias)
        bn = lib.nn.BatchNorm1d(4) if kind == "Linear" else lib.nn.BatchNorm2d(4)
        x = lib.linspace(-1, 2, 6).reshape(2, 3) if kind == "Linear" else lib.linspace(-1, 2, 150).reshape(2, 3, 5, 5)
        bn(layer(x))
        layer.eval(), bn.eval()
        fuse = lib.nn.utils.fuse_linear_bn_eval if kind == "Linear" else lib.nn.utils.fuse_conv_bn_eval
        fused = fuse(layer, bn, True) if kind == "ConvTranspose2d" else fuse(layer, bn)
        return repr(fused), fused(x), bn(layer(x)), fused.state_dict()

    assert_same(observe, rtol=1e-5, atol=1e-5)


def test_skip_init_draws_nothing():
    fastgrad.manual_seed(0)
    expected = fastgrad.rand(3)
    fastgrad.manual_seed(0)
    layer = fastgrad.nn.utils.skip_init(fastgrad.nn.Linear, 3, 2)
    assert layer.weight.shape == (2, 3)
    assert fastgrad.equal(fastgrad.rand(3), expected)
    with pytest.raises(RuntimeError, match="device"):
        fastgrad.nn.utils.skip_init(fastgrad.nn.ReLU)


def test_stateless():
    def observe(lib):
        layer = lib.nn.Linear(2, 1)
        return lib.nn.utils.stateless.functional_call(layer, {"weight": lib.ones(1, 2), "bias": lib.zeros(1)}, lib.tensor([[1.0, 2.0]]))

    assert_same(observe)
