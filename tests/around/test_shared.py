"""Memory that processes share: writes of a child are seen here, by fork and by spawn, and nothing is copied on the way."""

import multiprocessing
import os
import pickle

import pytest

import fastgrad as fg
from fastgrad import multiprocessing as mp

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="files in memory without a name are needed")


def add(tensor, amount):
    with fg.no_grad():
        tensor.add_(amount)


def train(model):
    optimizer = fg.optim.SGD(model.parameters(), lr=1.0)
    model(fg.ones(1, 2)).sum().backward()
    optimizer.step()


def echo(inbox, outbox):
    tensor = inbox.get(timeout=60)
    tensor[0] = 7.0
    outbox.put(tensor)
    inbox.get(timeout=60)                   # keeps the tensor until it has arrived


def run(method, function, *args):
    process = mp.get_context(method).Process(target=function, args=args)
    process.start()
    process.join(60)
    assert process.exitcode == 0


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_writes_of_a_child_are_seen(method):
    tensor = fg.arange(6.0).reshape(2, 3).t()
    assert not tensor.is_shared()
    assert tensor.share_memory_() is tensor and tensor.is_shared() and tensor[1:].is_shared() and tensor.untyped_storage().is_shared()
    assert (tensor.tolist(), tensor.stride()) == ([[0, 3], [1, 4], [2, 5]], (1, 3))
    run(method, add, tensor, 10)
    assert tensor.tolist() == [[10, 13], [11, 14], [12, 15]]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_model_is_trained_in_a_child(method):
    model = fg.nn.Linear(2, 1)
    model.tied = model.weight
    before = model.weight.detach().clone()
    assert model.share_memory() is model and all(p.is_shared() for p in model.parameters())
    run(method, train, model)
    assert fg.allclose(model.weight, before - 1)


def test_a_tensor_goes_through_a_queue_and_comes_back():
    context = mp.get_context("spawn")
    inbox, outbox = context.Queue(), context.Queue()
    process = context.Process(target=echo, args=(inbox, outbox))
    process.start()
    tensor = fg.zeros(3).share_memory_()
    inbox.put(tensor[1:])
    back = outbox.get(timeout=60)
    inbox.put(None)
    process.join(60)
    assert tensor.tolist() == [0, 7, 0] and back.tolist() == [7, 0]
    back[1] = 5.0
    assert tensor.tolist() == [0, 7, 5]


def test_what_is_not_shared_is_copied():
    sent = bytes(multiprocessing.reduction.ForkingPickler.dumps(fg.nn.Parameter(fg.ones(2))))
    assert pickle.loads(sent).tolist() == [1, 1]
    assert not fg.zeros(0).share_memory_().is_shared()


def test_memory_is_given_back():
    from fastgrad import _shared

    open_before, known = len(os.listdir("/proc/self/fd")), len(_shared.by_address)
    tensors = [fg.ones(5).share_memory_() for _ in range(4)]
    assert len(_shared.by_address) == known + 4
    del tensors
    assert (len(_shared.by_address), len(os.listdir("/proc/self/fd"))) == (known, open_before)
