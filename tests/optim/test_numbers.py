"""Twenty steps of every optimizer with many arguments: the parameters and the state are PyTorch's after each."""

import math

import pytest

import fastgrad
from fastgrad import optim
from tests.nn.both import assert_same

TOLERANCE = {"float32": {"rtol": 1.3e-6, "atol": 1e-6}, "float64": {"rtol": 1e-12, "atol": 1e-13}}

SGD = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "momentum": 0.9},
    {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"lr": 0.1, "weight_decay": 0.2},
    {"lr": 0.1, "weight_decay": 0.2, "momentum": 0.5, "dampening": 0.1},
    {"lr": 0.01, "maximize": True},
    {"lr": 0.01, "maximize": True, "momentum": 0.9, "nesterov": True, "weight_decay": 0.2},
    {"lr": 1, "foreach": True},
    {"lr": 0, "momentum": 0.9},
]
ADAM = [
    {},
    {"lr": 0.1},
    {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3},
    {"lr": 0.1, "betas": (0.0, 0.0)},
    {"lr": 0.1, "weight_decay": 0.2},
    {"lr": 0.1, "amsgrad": True},
    {"lr": 0.1, "maximize": True},
    {"lr": 0.1, "amsgrad": True, "maximize": True, "weight_decay": 0.2},
    {"lr": 0.1, "foreach": False},
    {"lr": 0.1, "eps": 0},
]
CASES = (
    [("SGD", kwargs) for kwargs in SGD]
    + [("Adam", kwargs) for kwargs in ADAM]
    + [("AdamW", kwargs) for kwargs in ADAM]
    + [("Adam", {"lr": 0.1, "weight_decay": 0.3, "decoupled_weight_decay": True})]
)


def parameters(lib, dtype="float32"):
    """Shapes around vector lengths, and one parameter that never gets a gradient."""
    lib.manual_seed(0)
    shapes = [(), (1,), (7,), (3, 5), (33,), (2, 3, 4)]
    made = [lib.nn.Parameter(lib.randn(shape, dtype=getattr(lib, dtype))) for shape in shapes]
    return [*made, lib.nn.Parameter(lib.ones(2, dtype=getattr(lib, dtype)))]


def set_grads(lib, params, step):
    """Gradients of a loss whose curvature differs from element to element; written as arithmetic on detached values."""
    for i, p in enumerate(params[:-1]):
        values = p.detach()
        slope = lib.arange(1, p.numel() + 1, dtype=p.dtype).reshape(p.shape) / (i + 2)
        p.grad = values * slope + (step % 3) - 1


def train(lib, optimizer, params, steps=20):
    history = []
    for step in range(steps):
        set_grads(lib, params, step)
        optimizer.step()
        history.append([p.detach().clone() for p in params])
    return history, optimizer.state_dict()


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_twenty_steps(name, kwargs, dtype):
    def observe(lib):
        params = parameters(lib, dtype)
        return train(lib, getattr(lib.optim, name)(params, **kwargs), params)

    assert_same(observe, **TOLERANCE[dtype])


@pytest.mark.parametrize(("name", "kwargs"), [("SGD", {"momentum": 0.9}), ("Adam", {}), ("AdamW", {})])
def test_lr_may_be_a_tensor(name, kwargs):
    def observe(lib):
        params = parameters(lib)
        return train(lib, getattr(lib.optim, name)(params, lr=lib.tensor(0.05), **kwargs), params)

    assert_same(observe, **TOLERANCE["float32"])


def test_betas_may_be_tensors():
    def observe(lib):
        params = parameters(lib)
        betas = (lib.tensor(0.8), lib.tensor(0.9))
        optimizer = lib.optim.Adam(params, lr=0.05, betas=betas)
        return train(lib, optimizer, params)[0]

    assert_same(observe, **TOLERANCE["float32"])


@pytest.mark.parametrize(("name", "kwargs"), [("SGD", {"momentum": 0.9}), ("Adam", {"amsgrad": True})])
def test_groups_hyperparameters_and_gradients_that_change_between_steps(name, kwargs):
    """What an optimizer keeps from step to step must notice all of it."""

    def observe(lib):
        params = parameters(lib)
        optimizer = getattr(lib.optim, name)(
            [{"params": params[:2], "lr": 0.1}, {"params": params[2:4], "weight_decay": 0.1}], lr=0.01, **kwargs
        )
        history = []
        for step in range(20):
            set_grads(lib, params, step)
            if step == 3:
                optimizer.add_param_group({"params": params[4:], "lr": 0.2})
            if step == 5:
                optimizer.param_groups[0]["lr"] = 0.5
            if step in (6, 7, 8):
                params[step - 6].grad = None
            if step == 9:
                del optimizer.state[params[1]]
            if step == 10:
                del optimizer.state[optimizer.param_groups[1]["params"].pop()]
            if step == 11:
                optimizer.load_state_dict(optimizer.state_dict())
            if step == 12:
                for state in optimizer.state.values():
                    for key in state:
                        if key != "step":
                            state[key] = lib.ones_like(state[key])
            if step == 13:
                optimizer.state.clear()
            if step == 15:
                optimizer.state = new_state(optimizer)
            if step == 17:
                optimizer.param_groups[0]["params"][0] = params[3]
            optimizer.step()
            history.append([p.detach().clone() for p in params])
        return history, [dict(optimizer.state[p]) for p in params]

    assert_same(observe, **TOLERANCE["float32"])


def new_state(optimizer):
    """A defaultdict of the user's own, in the place of the optimizer's."""
    from collections import defaultdict

    return defaultdict(dict, {key: dict(value) for key, value in optimizer.state.items()})


def test_momentum_may_be_switched_on_later():
    def observe(lib):
        params = parameters(lib)
        optimizer = lib.optim.SGD(params, lr=0.1)
        train(lib, optimizer, params, 3)
        optimizer.param_groups[0]["momentum"] = 0.9
        return train(lib, optimizer, params, 3)

    assert_same(observe, **TOLERANCE["float32"])


def test_training_a_network():
    """XOR from the same seed: losses and weights follow PyTorch's for 50 steps of every optimizer."""

    def observe(lib, name, lr):
        lib.manual_seed(1)
        model = lib.nn.Sequential(lib.nn.Linear(2, 16), lib.nn.Tanh(), lib.nn.Linear(16, 1))
        x = lib.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=lib.float64)
        y = lib.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=lib.float64)
        model.double()
        optimizer, loss_fn = getattr(lib.optim, name)(model.parameters(), lr=lr), lib.nn.MSELoss()
        losses = []
        for _ in range(50):
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]
        return [lib.tensor(losses, dtype=lib.float64)], dict(model.state_dict())

    for name, lr in (("SGD", 0.1), ("Adam", 0.01), ("AdamW", 0.01)):
        assert_same(lambda lib: observe(lib, name, lr), rtol=1e-10, atol=1e-12)


def test_bias_correction_is_exact_after_many_steps():
    """The step count is a float32 tensor; the correction of step 1000 must still be computed in double."""

    def observe(lib):
        p = lib.nn.Parameter(lib.tensor([1.0], dtype=lib.float64))
        optimizer = lib.optim.Adam([p], lr=0.01)
        for step in range(1000):
            p.grad = lib.tensor([math.sin(step)], dtype=lib.float64)
            optimizer.step()
        return p.detach()

    assert_same(observe, rtol=1e-12)


def test_step_leaves_no_graph():
    p = fastgrad.nn.Parameter(fastgrad.ones(2))
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9, weight_decay=0.1)
    p.grad = fastgrad.ones(2)
    optimizer.step()
    assert p.is_leaf and p.grad_fn is None and p.requires_grad
    assert not optimizer.state[p]["momentum_buffer"].requires_grad
    assert optimizer.state[p]["momentum_buffer"].data_ptr() != p.grad.data_ptr()
