"""The optimizers of one rule an element, and Adafactor: paths and state of 200 steps are PyTorch's; state dicts go both ways."""

import pytest
import torch

import fastgrad
from tests.nn.both import assert_same
from tests.optim.test_numbers import parameters, set_grads, train

CASES = [
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, "momentum": 0.7, "weight_decay": 0.1}),
    ("RMSprop", {"centered": True, "eps": 1e-2, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.5, "maximize": True}),
    ("Adadelta", {}),
    ("Adadelta", {"lr": 0.5, "rho": 0.7, "eps": 1e-4, "weight_decay": 0.1, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"lr": 0.1, "betas": (0.5, 0.9), "weight_decay": 0.1, "maximize": True}),
    ("RAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Rprop", {}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (1e-3, 2), "maximize": True}),
    ("NAdam", {}),
    ("NAdam", {"lr": 0.1, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adafactor", {}),
    ("Adafactor", {"lr": 0.1, "beta2_decay": -0.5, "eps": (1e-3, 0.01), "d": 1.5, "weight_decay": 0.1, "maximize": True}),
    ("ASGD", {}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 20, "weight_decay": 0.1, "maximize": True}),
]


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_200_steps(name, kwargs):
    def observe(lib):
        params = parameters(lib, "float64")
        return train(lib, getattr(lib.optim, name)(params, **kwargs), params, steps=200)

    assert_same(observe, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_state_from_torch(name, kwargs):
    """Ten steps in PyTorch, then ten here from its state, end where those do that PyTorch takes from it."""
    theirs = parameters(torch, "float64")
    optimizer = getattr(torch.optim, name)(theirs, **kwargs)
    train(torch, optimizer, theirs, steps=10)
    ours = [fastgrad.nn.Parameter(fastgrad.from_numpy(p.detach().numpy().copy())) for p in theirs]
    state = optimizer.state_dict()
    state["state"] = {
        i: {k: fastgrad.from_numpy(v.numpy().copy()) for k, v in one.items()} for i, one in state["state"].items()
    }
    mine = getattr(fastgrad.optim, name)(ours, **kwargs)
    mine.load_state_dict(state)
    optimizer.load_state_dict(optimizer.state_dict())       # takes states in the parameters' dtype, where eta is float32
    for step in range(10):
        set_grads(torch, theirs, step)
        optimizer.step()
        set_grads(fastgrad, ours, step)
        mine.step()
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(torch.from_numpy(a.detach().numpy()), b.detach(), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", ["RMSprop", "Adagrad", "Adadelta", "Adamax", "RAdam"])
@pytest.mark.parametrize("kwargs", [{"lr": -1.0}, {"eps": -1.0}, {"weight_decay": -1.0}], ids=str)
def test_errors(name, kwargs):
    with pytest.raises(ValueError) as theirs:
        getattr(torch.optim, name)([torch.ones(1)], **kwargs)
    with pytest.raises(ValueError, match="Invalid") as ours:
        getattr(fastgrad.optim, name)([fastgrad.ones(1)], **kwargs)
    assert str(ours.value) == str(theirs.value)
