"""Optimizer: groups, errors, repr, state dicts, hooks, closures, copying."""

import copy
import gc
import importlib
import pickle
import weakref
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
import torch

import fastgrad
from fastgrad import nn, optim
from tests.nn.both import assert_equal, assert_same, assert_same_error, plain

MAKERS = {
    "SGD": lambda lib, p: lib.optim.SGD(p, lr=0.1),
    "SGD with momentum": lambda lib, p: lib.optim.SGD(p, lr=0.1, momentum=0.9),
    "Adam": lambda lib, p: lib.optim.Adam(p),
    "Adam with amsgrad": lambda lib, p: lib.optim.Adam(p, amsgrad=True),
    "AdamW": lambda lib, p: lib.optim.AdamW(p),
}
every_optimizer = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def optimizer_module(lib):
    return importlib.import_module(f"{lib.__name__}.optim.optimizer")


def parameters(lib, n=3):
    return [lib.nn.Parameter(lib.arange(1.0, i + 2)) for i in range(n)]


def step(lib, optimizer, times=1):
    for _ in range(times):
        for group in optimizer.param_groups:
            for p in group["params"]:
                p.grad = p.detach() * 0.5
        optimizer.step()


@every_optimizer
def test_repr(make):
    assert_same(lambda lib: repr(make(lib, parameters(lib))))
    assert_same(lambda lib: repr(make(lib, [{"params": parameters(lib), "lr": 0.5}, {"params": parameters(lib)}])))


@every_optimizer
def test_defaults_and_groups(make):
    def observe(lib):
        optimizer = make(lib, parameters(lib))
        group = {key: value for key, value in optimizer.param_groups[0].items() if key != "params"}
        return optimizer.defaults, group, len(optimizer.state), isinstance(optimizer.state, defaultdict)

    assert_same(observe)


@every_optimizer
def test_groups_keep_the_given_dict(make):
    group = {"params": parameters(fastgrad), "mine": 3}
    optimizer = make(fastgrad, [group])
    assert optimizer.param_groups[0] is group and group["mine"] == 3 and "lr" in group


def test_named_parameters():
    def observe(lib):
        model = lib.nn.Linear(1, 1)
        optimizer = lib.optim.SGD(model.named_parameters(), lr=0.1)
        optimizer.add_param_group({"params": [("more", lib.nn.Parameter(lib.ones(1)))]})
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        return [group["param_names"] for group in optimizer.param_groups], state

    assert_same(observe)


ERRORS = {
    "no parameters": lambda lib, p: lib.optim.SGD([]),
    "a tensor": lambda lib, p: lib.optim.SGD(p[0]),
    "an int": lambda lib, p: lib.optim.SGD([3]),
    "a str among them": lambda lib, p: lib.optim.SGD([p[0], "p"]),
    "a set in a group": lambda lib, p: lib.optim.SGD([{"params": set(p)}]),
    "a group that is none": lambda lib, p: lib.optim.SGD([{"params": p}, p[0]]),
    "a group twice": lambda lib, p: lib.optim.SGD([{"params": p[:2]}, {"params": p[1:]}]),
    "a non-leaf": lambda lib, p: lib.optim.SGD([p[0] * 2]),
    "some names": lambda lib, p: lib.optim.SGD([("a", p[0]), p[1]]),
    "groups with and without names": lambda lib, p: lib.optim.SGD([{"params": [("a", p[0])]}, {"params": [p[1]]}]),
    "groups without and with names": lambda lib, p: lib.optim.SGD([{"params": [p[1]]}, {"params": [("a", p[0])]}]),
    "add_param_group list": lambda lib, p: lib.optim.SGD(p[:1]).add_param_group(p[1:]),
    "SGD lr": lambda lib, p: lib.optim.SGD(p, lr=-1),
    "SGD momentum": lambda lib, p: lib.optim.SGD(p, lr=1, momentum=-0.1),
    "SGD weight_decay": lambda lib, p: lib.optim.SGD(p, lr=1, weight_decay=-0.1),
    "SGD nesterov": lambda lib, p: lib.optim.SGD(p, lr=1, nesterov=True),
    "SGD nesterov dampening": lambda lib, p: lib.optim.SGD(p, lr=1, nesterov=True, momentum=0.9, dampening=0.1),
    "SGD lr of two": lambda lib, p: lib.optim.SGD(p, lr=lib.ones(2)),
    "SGD fused and foreach": lambda lib, p: lib.optim.SGD(p, lr=1, fused=True, foreach=True),
    "SGD unknown": lambda lib, p: lib.optim.SGD(p, speed=1),
    "Adam lr": lambda lib, p: lib.optim.Adam(p, lr=-1),
    "Adam lr NaN": lambda lib, p: lib.optim.Adam(p, lr=float("nan")),
    "Adam eps": lambda lib, p: lib.optim.Adam(p, eps=-1),
    "Adam beta1": lambda lib, p: lib.optim.Adam(p, betas=(1.0, 0.9)),
    "Adam beta2": lambda lib, p: lib.optim.Adam(p, betas=(0.9, -0.1)),
    "Adam betas mixed": lambda lib, p: lib.optim.Adam(p, betas=(0.9, lib.tensor(0.9))),
    "Adam betas int": lambda lib, p: lib.optim.Adam(p, betas=(0, 0)),
    "Adam weight_decay": lambda lib, p: lib.optim.Adam(p, weight_decay=-1),
    "Adam lr of two": lambda lib, p: lib.optim.Adam(p, lr=lib.ones(2)),
    "Adam lr tensor foreach": lambda lib, p: lib.optim.Adam(p, lr=lib.tensor(0.1), foreach=True),
    "Adam fused and foreach": lambda lib, p: lib.optim.Adam(p, fused=True, foreach=True),
    "AdamW lr": lambda lib, p: lib.optim.AdamW(p, lr=-1),
    "step of the base": lambda lib, p: lib.optim.Optimizer(p, {}).step(),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS)
def test_errors(act):
    assert_same_error(lambda lib: act(lib, parameters(lib)))


def test_required_hyperparameters():
    def act(lib):
        required = optimizer_module(lib).required
        lib.optim.Optimizer(parameters(lib), {"lr": required, "shown": repr(required)})

    assert_same_error(act)


def test_duplicate_parameters_warn():
    def observe(lib):
        p = parameters(lib)[0]
        return len(lib.optim.SGD([p, p], lr=0.1).param_groups[0]["params"])

    assert_same(observe)


@pytest.mark.parametrize("flag", ["differentiable", "capturable"])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_what_is_not_supported_is_refused(name, flag):
    if name == "SGD" and flag == "capturable":
        return
    with pytest.raises(NotImplementedError, match=flag):
        getattr(optim, name)(parameters(fastgrad), **{flag: True})


@every_optimizer
@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(make, set_to_none):
    def observe(lib):
        p = parameters(lib)
        optimizer = make(lib, p)
        for q in p[:2]:
            (q * 2).sum().backward()
        optimizer.zero_grad(set_to_none)
        return [q.grad for q in p]

    assert_same(observe)


def test_zero_grad_keeps_the_gradient_tensor_when_filling():
    p = parameters(fastgrad)[0]
    p.grad = grad = fastgrad.ones(1)
    optim.SGD([p], lr=0.1).zero_grad(set_to_none=False)
    assert p.grad is grad and grad.tolist() == [0.0]


@every_optimizer
def test_closure(make):
    """It runs once a step, with gradients on, and its loss is given back."""

    def observe(lib):
        p = parameters(lib)
        optimizer, seen = make(lib, p), []

        def closure():
            optimizer.zero_grad()
            loss = sum((q * q).sum() for q in p)
            loss.backward()
            seen.append(lib.is_grad_enabled())
            return loss

        with lib.no_grad():
            losses = [optimizer.step(closure), optimizer.step(closure)]
            seen.append(lib.is_grad_enabled())
        return losses, seen, p

    assert_same(observe, rtol=1e-6)


@every_optimizer
def test_state_dict(make):
    def observe(lib):
        p = parameters(lib, 4)
        optimizer = make(lib, [{"params": p[:2], "lr": 0.5}, {"params": p[2:]}])
        empty = optimizer.state_dict()
        step(lib, optimizer, 2)
        return empty, optimizer.state_dict()

    assert_same(observe, rtol=1e-6)


@every_optimizer
def test_state_dict_goes_on_where_it_was(make):
    """Saved, loaded into another optimizer, trained on: the same as without."""

    def observe(lib):
        p, q = parameters(lib), parameters(lib)
        first = make(lib, p)
        step(lib, first, 3)
        with lib.no_grad():
            for a, b in zip(q, p):
                a.copy_(b)
        second = make(lib, q)
        second.load_state_dict(copy.deepcopy(first.state_dict()))
        step(lib, first, 3)
        step(lib, second, 3)
        assert [a.tolist() for a in p] == [b.tolist() for b in q]
        return q, second.state_dict()

    assert_same(observe, rtol=1e-6)


def to_fastgrad(value):
    if isinstance(value, torch.Tensor):
        return fastgrad.tensor(value.numpy())
    if isinstance(value, dict):
        return {key: to_fastgrad(entry) for key, entry in value.items()}
    return [to_fastgrad(entry) for entry in value] if isinstance(value, list) else value


@every_optimizer
def test_a_state_dict_of_pytorch_loads(make):
    theirs_p, ours_p = parameters(torch), parameters(fastgrad)
    theirs, ours = make(torch, theirs_p), make(fastgrad, ours_p)
    step(torch, theirs, 3)
    with fastgrad.no_grad():
        for a, b in zip(ours_p, theirs_p):
            a.copy_(fastgrad.tensor(b.detach().numpy()))
    ours.load_state_dict(to_fastgrad(theirs.state_dict()))
    step(torch, theirs, 3)
    step(fastgrad, ours, 3)
    assert_equal(plain(ours_p), plain(theirs_p), rtol=1e-6)
    assert_equal(plain(ours.state_dict()), plain(theirs.state_dict()), rtol=1e-6)


def test_saved_state_holds_plain_dicts():
    p = parameters(fastgrad)
    optimizer = optim.Adam(p)
    step(fastgrad, optimizer)
    state = optimizer.state_dict()["state"]
    assert type(state) is dict and type(state[0]) is dict
    assert state[0]["exp_avg"] is optimizer.state[p[0]]["exp_avg"]


def test_loading_casts_state_to_the_parameters_dtype():
    def observe(lib):
        p = [lib.nn.Parameter(lib.ones(2, dtype=lib.float64))]
        optimizer = lib.optim.Adam(p)
        other = lib.optim.Adam([lib.nn.Parameter(lib.ones(2))])
        step(lib, other)
        optimizer.load_state_dict(other.state_dict())
        return optimizer.state_dict()

    assert_same(observe, rtol=1e-6)


def test_step_counts_of_other_kinds_are_understood():
    """Numbers, as old PyTorch saved them, and float64 tensors."""
    for count in (3, 3.0, fastgrad.tensor(3.0, dtype=fastgrad.float64)):
        p = parameters(fastgrad)
        optimizer, reference = optim.Adam(p), optim.Adam(q := parameters(fastgrad))
        step(fastgrad, reference, 3)
        saved = copy.deepcopy(reference.state_dict())
        for state in saved["state"].values():
            state["step"] = count
        with fastgrad.no_grad():
            for a, b in zip(p, q):
                a.copy_(b)
        optimizer.load_state_dict(saved)
        step(fastgrad, optimizer)
        step(fastgrad, reference)
        assert [a.tolist() for a in p] == [b.tolist() for b in q]
        assert optimizer.state[p[0]]["step"].item() == 4


def test_state_of_unknown_parameters_is_kept():
    def observe(lib):
        optimizer = lib.optim.SGD(parameters(lib), lr=0.1)
        state = optimizer.state_dict()
        state["state"]["shared"] = {"count": 3}
        optimizer.load_state_dict(state)
        return optimizer.state_dict()

    assert_same(observe)


LOAD_ERRORS = {
    "fewer groups": lambda lib, o: o.load_state_dict({"state": {}, "param_groups": []}),
    "fewer parameters": lambda lib, o: o.load_state_dict({"state": {}, "param_groups": [{"params": [0]}]}),
}


@pytest.mark.parametrize("act", LOAD_ERRORS.values(), ids=LOAD_ERRORS)
def test_load_errors(act):
    assert_same_error(lambda lib: act(lib, lib.optim.SGD(parameters(lib), lr=0.1)))


def test_a_failed_load_changes_nothing():
    optimizer = optim.SGD(parameters(fastgrad), lr=0.1, momentum=0.9)
    step(fastgrad, optimizer)
    before = plain(optimizer.state_dict())
    with pytest.raises(ValueError):
        optimizer.load_state_dict({"state": {}, "param_groups": [{"params": [0], "lr": 7}]})
    assert_equal(plain(optimizer.state_dict()), before)


def test_order_of_hooks():
    def observe(lib):
        log = []

        def note(name, result=None):
            def hook(optimizer, *args):
                log.append([name, type(optimizer).__name__, len(args), [type(arg).__name__ for arg in args]])
                return result

            return hook

        optimizer = lib.optim.SGD(parameters(lib), lr=0.1)
        handles = [
            optimizer_module(lib).register_optimizer_step_pre_hook(note("global pre")),
            optimizer_module(lib).register_optimizer_step_post_hook(note("global post")),
        ]
        optimizer.register_step_pre_hook(note("pre"))
        post = optimizer.register_step_post_hook(note("post"))
        optimizer.register_state_dict_pre_hook(note("save pre 1"))
        optimizer.register_state_dict_pre_hook(note("save pre 2"), prepend=True)
        optimizer.register_state_dict_post_hook(note("save post 1"))
        optimizer.register_state_dict_post_hook(note("save post 2"), prepend=True)
        optimizer.register_load_state_dict_pre_hook(note("load pre 1"))
        optimizer.register_load_state_dict_pre_hook(note("load pre 2"), prepend=True)
        optimizer.register_load_state_dict_post_hook(note("load post 1"))
        optimizer.register_load_state_dict_post_hook(note("load post 2"), prepend=True)
        try:
            optimizer.step()
            optimizer.step(closure=lambda: 3)
            optimizer.load_state_dict(optimizer.state_dict())
            post.remove()
            optimizer.step(lambda: 4)
        finally:
            for handle in handles:
                handle.remove()
        optimizer.step()
        return log

    assert_same(observe)


def test_what_hooks_return_replaces():
    def observe(lib):
        optimizer = lib.optim.SGD(parameters(lib), lr=0.1)
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: "replaced"), {}))
        optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
        optimizer.register_load_state_dict_pre_hook(lambda o, state: {**state, "param_groups": saved})
        saved = copy.deepcopy(optimizer.state_dict()["param_groups"])
        saved[0]["lr"] = 9.0
        state = optimizer.state_dict()
        optimizer.load_state_dict(state)
        return optimizer.step(), state, optimizer.param_groups[0]["lr"]

    assert_same(observe)


def test_pre_hook_must_return_a_pair():
    optimizer = optim.SGD(parameters(fastgrad), lr=0.1)
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"):
        optimizer.step()


def test_hooks_reach_a_step_that_was_taken_before():
    """As learning rate schedulers do: they keep optimizer.step and put a wrapper in its place."""
    calls = []
    optimizer = optim.SGD(parameters(fastgrad), lr=0.1)
    kept = optimizer.step
    optimizer.register_step_post_hook(lambda *args: calls.append(1))
    kept()
    assert calls == [1]


def test_an_optimizer_of_ones_own():
    """A subclass in PyTorch's idiom: state by parameter, hooks around its step, pickling."""

    def observe(lib):
        class Signed(lib.optim.Optimizer):
            def __init__(self, params, lr=0.1):
                super().__init__(params, {"lr": lr})

            def step(self, closure=None):
                for group in self.param_groups:
                    for p in group["params"]:
                        state = self.state[p]
                        if len(state) == 0:
                            state["count"] = 0
                            state["sum"] = lib.zeros_like(p)
                        state["count"] += 1
                        state["sum"].add_(p.grad.sign())
                        p.data.add_(state["sum"], alpha=-group["lr"])

        p, calls = parameters(lib), []
        optimizer = Signed(p)
        optimizer.register_step_post_hook(lambda *args: calls.append(1))
        step(lib, optimizer, 3)
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        step(lib, optimizer)
        return p, optimizer.state_dict(), calls, repr(optimizer)

    assert_same(observe, rtol=1e-6)


@every_optimizer
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_go_on_where_the_optimizer_was(make, duplicate):
    p = parameters(fastgrad)
    optimizer = make(fastgrad, p)
    step(fastgrad, optimizer, 2)
    twin = duplicate(optimizer)
    step(fastgrad, optimizer, 2)
    step(fastgrad, twin, 2)
    for a, b in zip(p, twin.param_groups[0]["params"]):
        assert a is not b
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
    assert repr(twin) == repr(optimizer)


@every_optimizer
def test_an_optimizer_is_freed_with_its_last_reference(make):
    gc.collect()
    gc.disable()
    try:
        p = parameters(fastgrad)
        optimizer = make(fastgrad, p)
        step(fastgrad, optimizer, 2)
        dead, dead_parameter = weakref.ref(optimizer), weakref.ref(p[0])
        del optimizer, p
        assert dead() is None and dead_parameter() is None
    finally:
        gc.enable()


def test_state_notices_every_way_of_writing():
    """The lists that Adam keeps are dropped whenever the state is written, however that is done."""
    writes = [
        lambda s, p: s[p].__setitem__("exp_avg", fastgrad.ones(1)),
        lambda s, p: s[p].update(exp_avg=fastgrad.ones(1)),
        lambda s, p: s[p].__ior__({"exp_avg": fastgrad.ones(1)}),
        lambda s, p: (s[p].pop("exp_avg"), s[p].setdefault("exp_avg", fastgrad.ones(1))),
        lambda s, p: s.update({p: {**s[p], "exp_avg": fastgrad.ones(1)}}),
        lambda s, p: s.__setitem__(p, {**s[p], "exp_avg": fastgrad.ones(1)}),
        lambda s, p: (s.pop(p), s[p].update(step=fastgrad.tensor(2.0), exp_avg=fastgrad.ones(1), exp_avg_sq=fastgrad.ones(1))),
    ]
    for write in writes:
        p = parameters(fastgrad, 1)[0]
        optimizer = optim.Adam([p], betas=(0.5, 0.9))
        step(fastgrad, optimizer, 2)
        write(optimizer.state, p)
        p.grad = fastgrad.zeros(1)
        optimizer.step()
        assert optimizer.state[p]["exp_avg"].tolist() == [0.5]


def test_a_state_dict_written_by_the_user_is_never_kept():
    p = parameters(fastgrad, 1)[0]
    optimizer = optim.Adam([p], betas=(0.5, 0.9))
    step(fastgrad, optimizer)
    mine = dict(optimizer.state[p])
    optimizer.state[p] = mine
    step(fastgrad, optimizer)
    mine["exp_avg"] = fastgrad.ones(1)
    p.grad = fastgrad.zeros(1)
    optimizer.step()
    assert mine["exp_avg"].tolist() == [0.5]


def test_ordered_state_is_listed_in_the_order_of_first_use():
    def observe(lib):
        p = parameters(lib)
        optimizer = lib.optim.SGD(p, lr=0.1, momentum=0.9)
        p[2].grad = p[2].detach()
        optimizer.step()
        step(lib, optimizer)
        return list(optimizer.state_dict()["state"])

    assert_same(observe)


def test_model_and_optimizer_share_parameters():
    model = nn.Sequential(OrderedDict(a=nn.Linear(2, 2)))
    optimizer = optim.Adam(model.parameters())
    model.double()
    model(fastgrad.ones(1, 2, dtype=fastgrad.float64)).sum().backward()
    before = model.a.weight.detach().clone()
    optimizer.step()
    assert not (before == model.a.weight).any()
