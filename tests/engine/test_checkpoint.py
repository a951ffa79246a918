"""checkpoint: how often and how far a function runs again, as PyTorch has it."""

from contextlib import nullcontext
from importlib import import_module

import pytest
import torch

import fastgrad


def checkpoint_module(lib):
    return import_module(lib.__name__ + ".utils.checkpoint")


@pytest.mark.parametrize("argument, context, longer", [(argument, context, longer) for argument in (True, False)
                                                        for context in (None, True, False) for longer in (True, False)])
def test_a_checkpoint_stops_where_all_that_was_saved_is_there(argument, context, longer):
    """What a function does beyond the last tensor that is asked for, backward need not do again."""
    def outcome(lib):
        module, runs = checkpoint_module(lib), []

        def function(x):
            runs.append("begun")
            y = x.sin()
            if longer and len(runs) > 2:
                y = y.exp()
            runs.append("ended")
            return y * 2

        x = lib.ones(3, requires_grad=True)
        with nullcontext() if context is None else module.set_checkpoint_early_stop(context):
            y = module.checkpoint(function, x, use_reentrant=False, early_stop=argument)
        try:
            y.sum().backward()
        except module.CheckpointError:
            runs.append("another number")
        return runs

    assert outcome(fastgrad) == outcome(torch)


def test_a_checkpoint_whose_second_run_fails_runs_again():
    def outcome(lib):
        runs = []

        def function(x):
            runs.append(1)
            y = x.sin().exp()
            if len(runs) == 2:
                raise KeyError("once")
            return y.exp()

        x = lib.ones(3, requires_grad=True)
        y = checkpoint_module(lib).checkpoint(function, x, use_reentrant=False).sum()
        with pytest.raises(KeyError):
            y.backward(retain_graph=True)
        y.backward()
        return x.grad.tolist(), len(runs)

    found, wanted = outcome(fastgrad), outcome(torch)
    assert found[1] == wanted[1] and found[0] == pytest.approx(wanted[0], rel=1e-6)


@pytest.mark.parametrize("lib", [fastgrad, torch])
def test_a_reentrant_checkpoint_needs_a_whole_backward(lib):
    checkpoint = checkpoint_module(lib).checkpoint
    x = lib.ones(2, requires_grad=True)
    for backward in (lambda y: lib.autograd.grad(y, x), lambda y: y.backward(inputs=[x])):
        with pytest.raises(RuntimeError, match="use_reentrant=True, torch.utils.checkpoint is incompatible"):
            backward(checkpoint(lib.sin, x, use_reentrant=True).sum())
        backward(checkpoint(lib.sin, x, use_reentrant=False).sum())
    checkpoint(lib.sin, x, use_reentrant=True).sum().backward()
    with pytest.raises(ValueError, match="determinism_check should be one of"):
        checkpoint(lib.sin, x, use_reentrant=False, determinism_check="some")
