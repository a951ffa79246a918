"""PyTorch's own samples of its layers (module_db): outputs, gradients of inputs and parameters, repr and state are the same.

Each layer is built in both libraries from the same arguments and gets the same state; random layers draw from the same seed.
"""

import copy
import warnings

import pytest
import torch

import fastgrad
from tests.conformance.convert import Unconvertible, build, describe, tensors_in, to_torch

module_db = pytest.importorskip("torch.testing._internal.common_modules").module_db
INFOS = {info.name.removeprefix("nn."): info for info in module_db}
TOLERANCE = {"rtol": 1e-10, "atol": 1e-10}


def constructed(library, name, args, kwargs):
    library.manual_seed(0)
    return getattr(library.nn, name)(*args, **kwargs)


def run(library, layer, args, kwargs):
    """(repr, outputs, gradients of inputs, gradients of parameters, state) of one call, as PyTorch's tensors."""
    library.manual_seed(1)
    outputs = tensors_in(layer(*args, **kwargs), library.Tensor)
    total = sum((y * library.cos(library.arange(y.numel(), dtype=y.dtype)).reshape(y.shape)).sum() for y in outputs
                if y.is_floating_point() and y.requires_grad)
    wanted = [t for t in (*tensors_in((args, kwargs), library.Tensor), *layer.parameters()) if t.requires_grad and t.is_leaf]
    if isinstance(total, library.Tensor):
        total.backward()
    grads = [None if t.grad is None else to_torch(t.grad) for t in wanted]
    return repr(layer), [to_torch(y) for y in outputs], grads, {k: to_torch(v) for k, v in layer.state_dict().items()}


def rebuilt(library, sample):
    inner = sample.forward_input
    return build(library, (inner.args, inner.kwargs))


def compare(name, sample, training):
    """Raise unless both libraries do the same with a sample."""
    arguments = sample.constructor_input
    theirs, ours = (constructed(library, name, *build(library, (arguments.args, arguments.kwargs))) for library in (torch, fastgrad))
    if not any(isinstance(p, torch.nn.parameter.UninitializedParameter) for p in theirs.parameters()):
        state = copy.deepcopy(theirs.state_dict())
        for key, value in ours.state_dict().items():
            torch.testing.assert_close(to_torch(value), state[key], msg=lambda text, key=key: f"{key} at the start: {text}", **TOLERANCE)
    theirs.to(torch.float64).train(training), ours.to(fastgrad.float64).train(training)
    expected, got = run(torch, theirs, *rebuilt(torch, sample)), run(fastgrad, ours, *rebuilt(fastgrad, sample))
    assert got[0] == expected[0]
    for what, a, b in zip(("outputs", "gradients"), got[1:3], expected[1:3]):
        assert len(a) == len(b), what
        for x, y in zip(a, b):
            assert (x is None) == (y is None), what
            if y is not None:
                torch.testing.assert_close(x, y, equal_nan=True, msg=lambda text, what=what: f"{what}: {text}", **TOLERANCE)
    assert list(got[3]) == list(expected[3])
    for key, value in expected[3].items():
        torch.testing.assert_close(got[3][key], value, equal_nan=True, msg=lambda text, key=key: f"{key} after: {text}", **TOLERANCE)


def failures(name, training):
    """(number of samples, one line for each that differs)."""
    info = INFOS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=training)
        samples = samples[:: 1 + len(samples) // 200]        # one loss has 857
        lines = []
        for sample in samples:
            try:
                compare(name, sample, training)
            except Unconvertible:
                continue
            except Exception as error:
                arguments = describe((sample.constructor_input.args, sample.constructor_input.kwargs))
                lines.append(f"{arguments}: {type(error).__name__}: {str(error)[:300]}")
    return len(samples), lines


@pytest.mark.parametrize("name", INFOS)
def test_samples(name):
    for training in (True, False):
        count, lines = failures(name, training)
        assert not lines, f"{len(lines)} of {count} samples with training={training}:\n" + "\n".join(lines[:5])


def raised(library, name, sample):
    """The class of the error that a sample of wrong arguments raises."""
    inner, outer = sample.forward_input, sample.constructor_input
    try:
        layer = constructed(library, name, *build(library, (outer.args, outer.kwargs))).to(library.float64)
        if inner is not None:
            args, kwargs = build(library, (inner.args, inner.kwargs))
            layer(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return None


@pytest.mark.parametrize("name", [name for name, info in INFOS.items() if info.module_error_inputs_func])
def test_errors(name):
    for training in (True, False):
        for wrong in INFOS[name].module_error_inputs_func(INFOS[name], device="cpu", dtype=torch.float64, requires_grad=False, training=training):
            assert raised(fastgrad, name, wrong.module_error_input) == raised(torch, name, wrong.module_error_input), wrong.error_regex


def test_no_sample_is_left_out():
    """The arguments of every layer's samples can be rebuilt."""
    left_out = []
    for name, info in INFOS.items():
        for sample in info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=True, training=False):
            try:
                build(fastgrad, (sample.constructor_input.args, sample.constructor_input.kwargs))
                rebuilt(fastgrad, sample)
            except Unconvertible:
                left_out.append(name)
    assert not left_out
