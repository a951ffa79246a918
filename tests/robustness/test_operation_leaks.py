"""Every claimed operation, counted: in a build with FASTGRAD_DEBUG=1 no storage, tensor or node is left by any form of its call.

The samples are PyTorch's (tests/conformance).  The garbage collector is off: no form here may need it.  An error is a result too:
what a refused call had made must be gone.  Scenarios that belong to no operation are in leaks.py.
"""
import gc
import warnings

import pytest
import torch

import fastgrad
from fastgrad import _engine
from tests.conformance.convert import Unconvertible, build, tensors_in, unique
from tests.conformance.operations import operations
from tests.conformance.run import HERE, listed

one = fastgrad.tensor([1.0])
counts = any(_engine.live_objects().values())
del one
pytestmark = pytest.mark.skipif(not counts, reason="this build does not count live objects: FASTGRAD_DEBUG=1 does")

CLAIMED = listed(HERE / "claimed.txt")
SAMPLES = 6
DTYPES = (torch.float64, torch.int64, torch.bool)


def results(value):
    return [t for t in unique(tensors_in(value, fastgrad.Tensor)) if t.requires_grad]


def forward(f, x, args, kwargs):
    return f(x, *args, **kwargs)


def backward(f, x, args, kwargs):
    for t in results(f(x, *args, **kwargs)):
        t.sum().backward(retain_graph=True)


def twice(f, x, args, kwargs):
    """Both derivatives by autograd.grad: the first ones have a graph, and nothing leads back."""
    inputs = [t for t in unique(tensors_in((x, args, kwargs), fastgrad.Tensor)) if t.requires_grad]
    total = sum((t * t).sum() for t in results(f(x, *args, **kwargs)))
    first = fastgrad.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    second = sum((g * g).sum() for g in first if g is not None)
    fastgrad.autograd.grad(second, inputs, allow_unused=True)


def second_of_another_kind(f, x, args, kwargs):
    f(x, object(), *args[1:], **kwargs)


def second_of_another_shape(f, x, args, kwargs):
    f(x, fastgrad.zeros(3, 7, 2, 1, 5, requires_grad=True), *args[1:], **kwargs)


def second_of_another_dtype(f, x, args, kwargs):
    f(x, fastgrad.zeros(2, dtype=fastgrad.bool), *args[1:], **kwargs)


def last_of_another_kind(f, x, args, kwargs):
    f(x, *args[:-1], "x", **kwargs)


def first_in_a_list(f, x, args, kwargs):
    f([x, object()], *args, **kwargs)


def unknown_keyword(f, x, args, kwargs):
    f(x, *args, **kwargs, unknown=x)


def out_given(f, x, args, kwargs):
    with fastgrad.no_grad():
        made = f(x, *args, **kwargs)
        empty = fastgrad.empty_like(made) if isinstance(made, fastgrad.Tensor) else tuple(map(fastgrad.empty_like, made))
        f(x, *args, **kwargs, out=empty)


def out_of_another_shape(f, x, args, kwargs):
    with fastgrad.no_grad():
        f(x, *args, **kwargs, out=fastgrad.empty(3, 1, 2))


def out_with_a_graph(f, x, args, kwargs):
    f(x, *args, **kwargs, out=fastgrad.empty(3, requires_grad=True))


def out_of_another_dtype(f, x, args, kwargs):
    f(x, *args, **kwargs, out=fastgrad.empty(3, dtype=fastgrad.bool))


FORMS = [forward, backward, twice, second_of_another_kind, second_of_another_shape, second_of_another_dtype, last_of_another_kind,
         first_in_a_list, unknown_keyword, out_given, out_of_another_shape, out_with_a_graph, out_of_another_dtype]
OUT_FORMS = {out_given, out_of_another_shape, out_with_a_graph, out_of_another_dtype}


def once(form, function, sample, inplace):
    """Everything of one call; nothing of it may be alive afterwards."""
    x, args, kwargs = build(fastgrad, (sample.input, tuple(sample.args), dict(sample.kwargs)))
    if inplace and isinstance(x, fastgrad.Tensor):
        x = x.clone()
    try:
        form(function, x, args, kwargs)
    except Exception:
        return False
    return True


def samples_of(op):
    dtype = next((d for d in DTYPES if op.supports(d)), None)
    found = []
    for sample in op.samples(dtype) if dtype is not None else ():
        try:
            build(fastgrad, (sample.input, tuple(sample.args), dict(sample.kwargs)))
        except Unconvertible:
            continue
        found.append(sample)
    return found[:: max(1, len(found) // SAMPLES)][:SAMPLES]


def left_by(form, function, sample, inplace):
    """What two calls leave, after one that fills caches."""
    worked = once(form, function, sample, inplace)
    before = _engine.live_objects()
    once(form, function, sample, inplace)
    once(form, function, sample, inplace)
    after = _engine.live_objects()
    return worked, {kind: after[kind] - before[kind] for kind in before if after[kind] != before[kind]}


@pytest.fixture(autouse=True, scope="module")
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# names whose samples hold only shapes, or functions, which have no counterpart here
NO_TENSORS = {"broadcast_shapes", "nn.functional.triplet_margin_with_distance_loss"}


@pytest.mark.parametrize("name", [name for name in CLAIMED if name not in NO_TENSORS])
def test_nothing_is_left(name):
    worked = False
    failures = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for op in operations(name, fastgrad):
            for sample in samples_of(op):
                for variant in op.variants:
                    for form in FORMS:
                        if form in OUT_FORMS and variant.inplace:
                            continue
                        done, left = left_by(form, variant.ours, sample, variant.inplace)
                        worked = worked or done
                        if left:
                            failures.append(f"{op.label} {variant.name}, {form.__name__}: {left}")
    assert worked, "no call of it went through: nothing was tested"
    assert not failures, f"{len(failures)} leaks, the first: " + "; ".join(failures[:3])


def test_the_count_sees_a_leak():
    kept = []

    def keeps(x):
        kept.append(x * 2.0)
        return kept[-1]

    op = operations("neg", fastgrad)[0]
    sample = next(s for s in samples_of(op) if s.input.requires_grad)
    assert left_by(forward, keeps, sample, False)[1] == {"storages": 4, "tensors": 4, "nodes": 2}
