"""Muon against PyTorch, within the rounding of its bfloat16 iterations; SparseAdam is refused."""

import pytest

import fastgrad
from tests.nn.both import assert_same, assert_same_error


@pytest.mark.parametrize("kwargs", [{}, {"lr": 0.1, "nesterov": False, "momentum": 0.5}, {"adjust_lr_fn": "match_rms_adamw", "weight_decay": 0.0},
                                    {"ns_steps": 3, "adjust_lr_fn": "original", "lr": 0.05}], ids=str)
def test_path(kwargs):
    def observe(lib):
        lib.manual_seed(0)
        params = [lib.nn.Parameter(lib.randn(4, 6)), lib.nn.Parameter(lib.randn(5, 3))]
        optimizer = lib.optim.Muon(params, **kwargs)
        for step in range(200):
            for p in params:                      # not of the parameters, so that roundings do not feed back
                p.grad = lib.sin(lib.arange(p.numel()).reshape(p.shape) * 0.7 + step * 0.3) + 0.1
            optimizer.step()
        return [p.detach() for p in params]

    # The iterations round as PyTorch's do. Where sums in another order fall on the other side of a rounding, one step differs by a few units of
    # the last of bfloat16's 8 bits, of elements that are at most 1; in 200 steps that happens a few times.
    assert_same(observe, rtol=0, atol=4 * 2**-7 * kwargs.get("lr", 1e-3))


@pytest.mark.parametrize("kwargs", [{"lr": -1.0}, {"momentum": -1.0}, {"weight_decay": -1.0}, {"adjust_lr_fn": "x"}], ids=str)
def test_errors(kwargs):
    assert_same_error(lambda lib: lib.optim.Muon([lib.ones(2, 2)], **kwargs))


def test_matrices_only():
    assert_same_error(lambda lib: lib.optim.Muon([lib.ones(2)]))


@pytest.mark.parametrize("kwargs", [{"lr": -1.0}, {"beta2_decay": 1.0}, {"eps": (-1.0, 0.1)}, {"eps": (None, -1.0)}, {"d": 0.5},
                                    {"weight_decay": -1.0}], ids=str)
def test_errors_of_adafactor(kwargs):
    assert_same_error(lambda lib: lib.optim.Adafactor([lib.ones(2, 2)], **kwargs))


def test_sparse_adam_is_refused():
    with pytest.raises(NotImplementedError, match="SparseAdam"):
        fastgrad.optim.SparseAdam([fastgrad.ones(2)])
