"""LBFGS: losses, evaluations and state are PyTorch's, step for step; state dicts go both ways.

In float64, on a problem whose iterations do not amplify rounding: L-BFGS is chaotic near a minimum.
"""

import pytest
import torch

import fastgrad
from tests.nn.both import assert_same, assert_same_error

SEARCHES = [None, "strong_wolfe"]


def problem(lib, search, **kwargs):
    """Rosenbrock's function, a valley with a bend, in four unknowns of two parameters and one that has no part in it."""
    params = [lib.nn.Parameter(lib.tensor(v, dtype=lib.float64)) for v in ([-1.2, 1.0], [[0.8], [0.3]], [0.5])]
    optimizer = lib.optim.LBFGS(params, line_search_fn=search, **kwargs)
    calls = []

    def closure():
        optimizer.zero_grad()
        x = lib.cat([params[0], params[1].reshape(-1)])
        loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum() / 100
        loss.backward()
        calls.append(1)
        return loss

    return params, optimizer, closure, calls


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kwargs", [{"lr": 0.1, "max_iter": 4}, {"lr": 0.3, "max_iter": 6, "history_size": 3}, {"max_iter": 5, "max_eval": 7},
                                    {"max_iter": 30, "tolerance_change": 1e-2}, {"tolerance_grad": 5.0}, {"lr": 5.0, "max_iter": 3}], ids=str)
def test_path(search, kwargs):
    def observe(lib):
        params, optimizer, closure, calls = problem(lib, search, **kwargs)
        history = []
        for _ in range(5):
            loss = optimizer.step(closure)
            history.append((loss.item(), len(calls), [p.detach().clone() for p in params]))
        state = optimizer.state_dict()["state"][0]
        return history, sorted(state), {k: state[k] for k in ("func_evals", "n_iter", "d", "prev_flat_grad")}

    assert_same(observe, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("search", SEARCHES)
def test_long_path(search):
    """A hundred steps down Rosenbrock's valley in 30 dimensions, short enough that PyTorch moved by one unit of the last place stays itself."""
    def observe(lib):
        x = lib.nn.Parameter((lib.arange(30, dtype=lib.float64) * 1.7).sin() * 1.5)
        optimizer = lib.optim.LBFGS([x], lr=0.05, max_iter=1, history_size=5, tolerance_grad=0, tolerance_change=0, line_search_fn=search)

        def closure():
            optimizer.zero_grad()
            loss = (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()
            loss.backward()
            return loss

        return [(optimizer.step(closure).detach(), x.detach().clone()) for _ in range(100)], optimizer.state_dict()["state"][0]["func_evals"]

    assert_same(observe, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("search", SEARCHES)
def test_state_from_torch(search):
    """Steps there, then steps here from the state that came of it, end where all steps there do."""
    theirs, optimizer, closure, _ = problem(torch, search, lr=0.1, max_iter=4)
    ours, mine, our_closure, _ = problem(fastgrad, search, lr=0.1, max_iter=4)
    for _ in range(2):
        optimizer.step(closure)

    def here(value):
        if isinstance(value, list):
            return [here(one) for one in value]
        return fastgrad.tensor(value.numpy()) if isinstance(value, torch.Tensor) else value

    saved = optimizer.state_dict()
    mine.load_state_dict({**saved, "state": {0: {k: here(v) for k, v in saved["state"][0].items()}}})
    with fastgrad.no_grad():
        for a, b in zip(ours, theirs):
            a.copy_(fastgrad.tensor(b.detach().numpy()))
    for _ in range(2):
        optimizer.step(closure)
        mine.step(our_closure)
    for a, b in zip(ours, theirs):
        torch.testing.assert_close(torch.from_numpy(a.detach().numpy()), b.detach(), rtol=1e-8, atol=1e-10)


def test_errors():
    assert_same_error(lambda lib: lib.optim.LBFGS([lib.ones(1)], lr=-1.0))
    assert_same_error(lambda lib: lib.optim.LBFGS([{"params": [lib.ones(1)]}, {"params": [lib.ones(1)]}]))

    def unknown_search(lib):
        _, optimizer, closure, _ = problem(lib, "wolf")
        optimizer.step(closure)

    assert_same_error(unknown_search)
