"""Every learning rate scheduler, step for step, against PyTorch: rates, momentum, state dicts, errors."""

import io
import warnings

import pytest

from tests.nn.both import assert_same, outcome

import fastgrad
import torch

MAKERS = {
    "LambdaLR": lambda s, o: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (1 + e)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda e: 0.9 + e / 100),
    "StepLR": lambda s, o: s.StepLR(o, 3),
    "MultiStepLR": lambda s, o: s.MultiStepLR(o, [2, 4, 4]),
    "ConstantLR": lambda s, o: s.ConstantLR(o),
    "LinearLR": lambda s, o: s.LinearLR(o, 0.2, 0.7, 6),
    "ExponentialLR": lambda s, o: s.ExponentialLR(o, 0.9),
    "PolynomialLR": lambda s, o: s.PolynomialLR(o, 6, 2.0),
    "CosineAnnealingLR": lambda s, o: s.CosineAnnealingLR(o, 4, 0.01),
    "WarmRestarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2),
    "CyclicLR": lambda s, o: s.CyclicLR(o, 0.1, [0.5, 0.7], 3, 4),
    "CyclicLR triangular2": lambda s, o: s.CyclicLR(o, 0.1, 0.5, 3, mode="triangular2"),
    "CyclicLR exp_range": lambda s, o: s.CyclicLR(o, 0.1, 0.5, 3, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "OneCycleLR": lambda s, o: s.OneCycleLR(o, 0.1, 20),
    "OneCycleLR three": lambda s, o: s.OneCycleLR(o, [0.1, 0.3], epochs=4, steps_per_epoch=5, three_phase=True, anneal_strategy="linear"),
    "SequentialLR": lambda s, o: s.SequentialLR(o, [s.ConstantLR(o), s.ExponentialLR(o, 0.9), s.LinearLR(o)], [3, 6]),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler([s.ConstantLR(o), s.ExponentialLR(o, 0.9)]),
}
every_scheduler = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def optimizer(lib, name="SGD", **kwargs):
    params = [lib.nn.Parameter(lib.ones(2)) for _ in range(2)]
    kwargs = kwargs or ({"momentum": 0.9} if name == "SGD" else {})
    return getattr(lib.optim, name)([{"params": params[:1]}, {"params": params[1:], "lr": 0.5}], lr=0.1, **kwargs)


def seen(optimizer):
    return [(g["lr"], g.get("momentum"), g.get("betas")) for g in optimizer.param_groups]


@every_scheduler
@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_step_for_step(make, name):
    def observe(lib):
        o = optimizer(lib, name)
        scheduler = make(lib.optim.lr_scheduler, o)
        history = [seen(o)]
        for _ in range(18):
            o.step()
            scheduler.step()
            history.append((seen(o), scheduler.get_last_lr()))
        return history, scheduler.state_dict()

    assert_same(observe, rtol=0, atol=0)


@every_scheduler
def test_state_dict_goes_on_where_it_was(make):
    def observe(lib):
        o = optimizer(lib)
        scheduler = make(lib.optim.lr_scheduler, o)
        for _ in range(5):
            o.step()
            scheduler.step()
        other = optimizer(lib)
        resumed = make(lib.optim.lr_scheduler, other)
        other.load_state_dict(o.state_dict())
        resumed.load_state_dict(scheduler.state_dict())
        other.step()
        resumed.step()
        return seen(other), resumed.last_epoch if hasattr(resumed, "last_epoch") else None

    assert_same(observe)


def run_on(o, scheduler, steps):
    history = []
    for _ in range(steps):
        o.step()
        scheduler.step()
        history.append((seen(o), scheduler.get_last_lr()))
    return history


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "OneCycleLR" and name != "OneCycleLR three"])      # those end after 20 steps
@pytest.mark.parametrize("writer, reader", [(torch, fastgrad), (fastgrad, torch)], ids=["from torch", "to torch"])
@pytest.mark.filterwarnings("ignore")
def test_files_are_gone_on_with_by_the_other(name, writer, reader):
    """A hundred steps, a file, a hundred more in the other library: the rates of two hundred there."""
    o = optimizer(writer)
    scheduler = MAKERS[name](writer.optim.lr_scheduler, o)
    run_on(o, scheduler, 100)
    file = io.BytesIO()
    writer.save((o.state_dict(), scheduler.state_dict()), file)
    expected = run_on(o, scheduler, 100)
    file.seek(0)
    states = reader.load(file, weights_only=False)                  # a state may hold functions, or sets
    other = optimizer(reader)
    resumed = MAKERS[name](reader.optim.lr_scheduler, other)
    other.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    assert run_on(other, resumed, 100) == expected


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateau(mode, threshold_mode):
    def observe(lib):
        o = optimizer(lib)
        scheduler = lib.optim.lr_scheduler.ReduceLROnPlateau(o, mode, 0.5, 1, 0.01, threshold_mode, 1, [0.02, 0.3])
        history = []
        for value in [3, 2, 2.1, 2.2, 2.3, 2.4, 1, 1.5, 1.5, 1.5, 1.5, 5, 5, 5, 5]:
            scheduler.step(lib.tensor(float(value)))
            history.append((seen(o), scheduler.get_last_lr(), scheduler.num_bad_epochs, scheduler.in_cooldown))
        return history, scheduler.state_dict()

    assert_same(observe)


def test_the_order_of_steps_is_warned_of():
    def observe(lib):
        scheduler = lib.optim.lr_scheduler.StepLR(optimizer(lib), 3)
        scheduler.step()
        scheduler.get_lr()
        scheduler.step(7)
        return scheduler.get_last_lr()

    assert_same(observe)


ERRORS = {
    "no optimizer": lambda s, o: s.StepLR(3, 3),
    "resuming": lambda s, o: s.StepLR(o, 3, last_epoch=2),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda e: 1.0]),
    "constant": lambda s, o: s.ConstantLR(o, 2.0),
    "linear": lambda s, o: s.LinearLR(o, 0.0),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 0),
    "cycle": lambda s, o: s.CyclicLR(o, [0.1], 0.2),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.1),
    "strategy": lambda s, o: s.OneCycleLR(o, 0.1, 10, anneal_strategy="x"),
    "plateau": lambda s, o: s.ReduceLROnPlateau(o, factor=1.0),
    "plateau mode": lambda s, o: s.ReduceLROnPlateau(o, "x"),
    "milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 3)], [2]),
    "nothing to chain": lambda s, o: s.ChainedScheduler([]),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS)
def test_errors(act):
    ours, theirs = [outcome(lambda lib: act(lib.optim.lr_scheduler, optimizer(lib)), lib)["result"] for lib in (fastgrad, torch)]
    assert ours["raised"] == theirs["raised"]


def test_rates_that_are_tensors():
    def observe(lib):
        o = lib.optim.SGD([lib.nn.Parameter(lib.ones(2))], lr=lib.tensor(0.5))
        rate = o.param_groups[0]["lr"]
        scheduler = lib.optim.lr_scheduler.ExponentialLR(o, 0.9)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            scheduler.step()
        return rate is o.param_groups[0]["lr"], rate

    assert_same(observe, rtol=1e-6)
