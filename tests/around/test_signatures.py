"""Parameters: each that PyTorch's public functions, constructors and methods have, ours have under its name, in its order."""

import importlib
import inspect

import pytest

import fastgrad
import torch

SPACES = """nn nn.functional nn.attention nn.init nn.utils nn.utils.rnn nn.utils.prune nn.utils.parametrize nn.utils.parametrizations optim
    optim.lr_scheduler optim.swa_utils utils.data utils.data.distributed utils.checkpoint distributions serialization amp autograd
    autograd.functional autograd.forward_ad autograd.graph func profiler random distributed multiprocessing""".split()

# what has other names, and why
OTHERWISE = {
    "icdf": "the value, of every distribution; PyTorch calls it prob in two",
    "log_abs_det_jacobian": "of a Transform that is a function of its input alone, y goes unread",
    "support": "properties that PyTorch writes as objects of a class of its own",
    "domain": "likewise",
    "codomain": "likewise",
    "__call__": "decorators",
    "SpawnContext": "errors come through a queue, not files; spawn makes it",
    "register_hook": "of nodes, the hook",
    "register_prehook": "likewise",
}


def parameters(function):
    """The named parameters, and whether more are taken by name: None for what has no signature."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    return [p.name for p in found if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)], any(p.kind is p.VAR_KEYWORD for p in found)


def members(space):
    """(name, PyTorch's, ours) of what a namespace offers, and of the methods of its classes."""
    theirs, ours = importlib.import_module(f"torch.{space}"), importlib.import_module(f"fastgrad.{space}")
    for name, one in vars(theirs).items():
        if name.startswith("_") or not callable(one) or not (getattr(one, "__module__", None) or "").startswith("torch."):
            continue
        other = getattr(ours, name, None)
        if other is None or isinstance(one, type) and issubclass(one, torch.Tensor):
            continue
        yield name, one, other
        if isinstance(one, type):
            for method in dir(one):
                if not method.startswith("_") and callable(getattr(one, method)) and hasattr(other, method):
                    yield f"{name}.{method}", getattr(one, method), getattr(other, method)


@pytest.mark.parametrize("space", SPACES)
def test_parameters_are_pytorch_s(space):
    different = []
    for name, one, other in members(space):
        theirs, ours = parameters(one), parameters(other)
        if theirs is None or ours is None or name.split(".")[-1] in OTHERWISE:
            continue
        wanted = [p for p in theirs[0] if not p.startswith("_") and p != "self"]
        if not ours[1] and [p for p in ours[0] if p in wanted] != wanted:
            different.append((name, wanted, ours[0]))
    assert different == []


def test_what_is_compared_is_there():
    names = {name for space in SPACES for name, _, _ in members(space)}
    assert len(names) > 1500
    assert {"Linear", "Adam.step", "MultiheadAttention.forward", "cross_entropy", "DataLoader", "Normal.log_prob", "kaiming_normal_"} <= names


def test_refused_arguments_are_named():
    for call, name in [(lambda: fastgrad.ones(2, 2).dim_order(ambiguity_check=True), "ambiguity_check"),
                       (lambda: fastgrad.profiler.profile().key_averages(group_by_overload_name=True), "group_by_overload_name"),
                       (lambda: fastgrad.distributions.Wishart(fastgrad.tensor(3.0), fastgrad.eye(2)).rsample((), 5), "max_try_correction")]:
        with pytest.raises(NotImplementedError, match=name):
            call()
