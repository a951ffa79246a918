"""swa_utils against PyTorch: averages, their state, batch statistics computed anew, the schedule."""

import pytest

from tests.nn.both import assert_same, assert_same_error

AVERAGES = {
    "equal": lambda u: {},
    "buffers": lambda u: {"use_buffers": True},
    "ema": lambda u: {"avg_fn": u.get_ema_avg_fn(0.8)},
    "swa": lambda u: {"avg_fn": u.get_swa_avg_fn()},
    "all ema": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.8)},
    "all swa": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
}


def trained(lib, average, **kwargs):
    lib.manual_seed(0)
    model = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.BatchNorm1d(4), lib.nn.Linear(4, 1))
    averaged = lib.optim.swa_utils.AveragedModel(model, **kwargs)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.01)
    x = lib.linspace(-1, 1, 24).reshape(8, 3)
    for _ in range(5):
        optimizer.zero_grad()
        (model(x) - 1).square().mean().backward()
        optimizer.step()
        averaged.update_parameters(model)
    return averaged, x


@pytest.mark.parametrize("make", AVERAGES.values(), ids=AVERAGES)
def test_averages(make):
    def observe(lib):
        averaged, x = trained(lib, True, **make(lib.optim.swa_utils))
        return repr(averaged), averaged.state_dict(), averaged.eval()(x)

    assert_same(observe, rtol=1e-5, atol=1e-6)


def test_update_bn():
    def observe(lib):
        averaged, x = trained(lib, True)
        averaged.eval()
        lib.optim.swa_utils.update_bn([(x, 1), [x * 2 + 1]], averaged)
        return averaged.state_dict(), averaged.training, averaged.module[1].momentum

    assert_same(observe, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kwargs", [{"swa_lr": 0.05}, {"swa_lr": [0.01, 0.2], "anneal_epochs": 4, "anneal_strategy": "linear"},
                                    {"swa_lr": 0.05, "anneal_epochs": 0}], ids=str)
def test_schedule(kwargs):
    def observe(lib):
        params = [lib.nn.Parameter(lib.ones(1)), lib.nn.Parameter(lib.ones(1))]
        optimizer = lib.optim.SGD([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.1)
        scheduler = lib.optim.swa_utils.SWALR(optimizer, **kwargs)
        path = []
        for _ in range(12):
            optimizer.step()
            scheduler.step()
            path.append(scheduler.get_last_lr())
        return path, sorted(scheduler.state_dict())

    assert_same(observe, rtol=1e-12)


@pytest.mark.parametrize("kwargs", [{"swa_lr": [0.1, 0.2]}, {"swa_lr": 0.1, "anneal_strategy": "x"}, {"swa_lr": 0.1, "anneal_epochs": -1}], ids=str)
def test_errors_of_the_schedule(kwargs):
    assert_same_error(lambda lib: lib.optim.swa_utils.SWALR(lib.optim.SGD([lib.ones(1)], lr=0.1), **kwargs))


def test_errors():
    assert_same_error(lambda lib: lib.optim.swa_utils.get_ema_avg_fn(2.0))
    assert_same_error(lambda lib: lib.optim.swa_utils.get_ema_multi_avg_fn(-1.0))
    assert_same_error(lambda lib: lib.optim.swa_utils.AveragedModel(lib.nn.Linear(1, 1), avg_fn=max, multi_avg_fn=max))
