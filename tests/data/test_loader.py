"""Datasets, samplers and DataLoader against PyTorch's: the same order and the same draws for a seed, workers, errors."""

import os
import signal
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest
import torch
import torch.utils.data as torch_data

import fastgrad as fg
import fastgrad.utils.data as data

X = np.random.RandomState(0).rand(53, 3).astype("f")
Y = np.arange(53)
Point = namedtuple("Point", "x y")


def both(program):
    """What a program of (library, its utils.data) gives in both, after the same seed, and the next draws of the default generator."""
    results = []
    for T, D in ((torch, torch_data), (fg, data)):
        T.manual_seed(3)
        results.append((program(T, D), T.rand(3).tolist()))
    return results


def rows(T, D):
    return D.TensorDataset(T.from_numpy(X), T.from_numpy(Y))


def lists(value):
    if isinstance(value, (torch.Tensor, fg.Tensor)):
        return str(value.dtype).rpartition(".")[2], value.tolist()
    if isinstance(value, dict):
        return {key: lists(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [lists(v) for v in value]
    return value


@pytest.mark.parametrize("options", [
    dict(batch_size=10, shuffle=True), dict(batch_size=10, shuffle=True, drop_last=True), dict(batch_size=7), dict(),
    dict(batch_size=53, shuffle=True), dict(batch_size=100, drop_last=True), dict(batch_size=None)], ids=str)
@pytest.mark.parametrize("slow", [False, True])
def test_passes_interleaved_with_draws(options, slow):
    def program(T, D):
        # a collate_fn of one's own takes the ordinary path
        own = {"collate_fn": lambda batch: D.default_collate(batch)} if slow and options.get("batch_size", 1) else {}
        loader = D.DataLoader(rows(T, D), **options, **own)
        return [(lists(batch), T.rand(1).item(), len(loader)) for _ in range(2) for batch in loader]
    ours, theirs = both(program)
    assert ours == theirs


@pytest.mark.parametrize("make", [
    lambda D, d, g: D.RandomSampler(d, generator=g), lambda D, d, g: D.RandomSampler(d, num_samples=130, generator=g),
    lambda D, d, g: D.RandomSampler(d, replacement=True, num_samples=77, generator=g),
    lambda D, d, g: D.SubsetRandomSampler([5, 3, 9, 1], generator=g),
    lambda D, d, g: D.DistributedSampler(d, 3, 1), lambda D, d, g: D.DistributedSampler(d, 4, 2, drop_last=True, shuffle=False)],
    ids=["random", "more", "replacement", "subset", "distributed", "drop_last"])
@pytest.mark.parametrize("batch_size", [1, 10, 53])
def test_samplers_that_share_a_generator(make, batch_size):
    def program(T, D):
        g = T.Generator().manual_seed(5)
        dataset = rows(T, D)
        sampler = make(D, dataset, g)
        return [(y.tolist(), T.rand((), generator=g).item()) for _, y in D.DataLoader(dataset, batch_size=batch_size, sampler=sampler)]
    ours, theirs = both(program)
    assert ours == theirs


def test_splits_and_subsets():
    def program(T, D):
        parts = D.random_split(rows(T, D), [0.5, 0.3, 0.2])
        nested = D.Subset(parts[0], [-1, 0, 3, 2, 1])
        return [p.indices for p in parts], [lists(b) for p in (*parts, nested) for b in D.DataLoader(p, batch_size=4, shuffle=True)]
    ours, theirs = both(program)
    assert ours == theirs


@pytest.mark.parametrize("batch", [
    [1, 2], [1.5, 2.0], ["a", "b"], [(1, "a"), (2, "b")], [[1, 2.0], [3, 4.0]], [{"k": 1, "l": [2]}, {"k": 3, "l": [4]}],
    [Point(1, 2.0), Point(3, 4.0)], [np.ones(2, "f"), np.zeros(2, "f")], [np.float32(1), np.float32(2)], [True, False]], ids=str)
def test_collate(batch):
    assert lists(data.default_collate(batch)) == lists(torch_data.default_collate(batch))
    assert lists(data.default_convert(batch)) == lists(torch_data.default_convert(batch))


@pytest.mark.parametrize("batch", [[object()], [(1, 2), (1,)], [np.array(["a"])]], ids=["object", "lengths", "strings"])
def test_collate_refuses(batch):
    for D, error in ((torch_data, None), (data, None)):
        with pytest.raises((TypeError, RuntimeError)) as caught:
            D.default_collate(batch)
        error = (type(caught.value), str(caught.value)) if D is torch_data else error
    with pytest.raises(type(caught.value)):
        torch_data.default_collate(batch)


@pytest.mark.parametrize("options", [
    dict(num_workers=-1), dict(timeout=-1), dict(prefetch_factor=2), dict(persistent_workers=True), dict(shuffle=True, sampler=[0]),
    dict(batch_sampler=[[0]], batch_size=2), dict(batch_size=None, drop_last=True), dict(batch_size=0), dict(batch_size=True),
    dict(multiprocessing_context="fork")], ids=str)
def test_arguments_that_exclude_one_another(options):
    with pytest.raises((ValueError, TypeError)) as theirs:
        torch_data.DataLoader(range(3), **options)
    with pytest.raises(type(theirs.value)) as ours:
        data.DataLoader(range(3), **options)
    assert str(ours.value) == str(theirs.value)


def test_datasets_of_datasets():
    def program(T, D):
        d = rows(T, D)
        both_, stacked, named = d + d, D.StackDataset(d, range(53)), D.StackDataset(a=range(53), b=d)
        return [lists(v) for v in (both_[60], both_[-1], len(both_), stacked[2], named[3], named.__getitems__([1, 2]))]
    ours, theirs = both(program)
    assert ours == theirs


class Drawing:
    """Samples that depend on the worker's generators."""

    def __init__(self, T, D):
        self.T, self.D = T, D

    def __len__(self):
        return 9

    def __getitem__(self, i):
        import random

        info = self.D.get_worker_info()
        return i, info.id, info.seed, self.T.rand(2), random.random(), np.random.rand()


class Failing:
    def __init__(self, how):
        self.how = how

    def __len__(self):
        return 8

    def __getitem__(self, i):
        if i == 5:
            if self.how == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyError("no such thing")
        return fg.ones(2)


def test_workers_are_seeded_as_in_pytorch():
    ours, theirs = [[lists(b) for b in D.DataLoader(Drawing(T, D), batch_size=2, num_workers=2, multiprocessing_context="fork",
                                                   generator=T.Generator().manual_seed(11))]
                    for T, D in ((fg, data), (torch, torch_data))]
    assert ours == theirs


def test_workers_persist_and_order_is_kept():
    loader = data.DataLoader(rows(fg, data), batch_size=4, num_workers=2, persistent_workers=True, multiprocessing_context="fork")
    for _ in range(2):
        assert [y for _, b in loader for y in b.tolist()] == list(range(53))
    loader._iterator._shutdown_workers()


@pytest.mark.parametrize("how, error, text", [("raise", KeyError, "no such thing"), ("kill", RuntimeError, "killed by signal: Killed")])
def test_a_worker_that_fails_says_so(how, error, text):
    loader = data.DataLoader(Failing(how), num_workers=2, multiprocessing_context="fork")
    with pytest.raises(error, match=text):
        for _ in loader:
            pass


class Stream(data.IterableDataset):
    def __iter__(self):
        info = data.get_worker_info()
        return iter(range(0 if info is None else info.id, 7, 1 if info is None else info.num_workers))


def test_streams():
    assert [b.tolist() for b in data.DataLoader(Stream(), batch_size=3)] == [[0, 1, 2], [3, 4, 5], [6]]
    loader = data.DataLoader(Stream(), batch_size=2, num_workers=2, multiprocessing_context="spawn")
    assert [b.tolist() for b in loader] == [[0, 2], [1, 3], [4, 6], [5]]


SLOW = """
import time
import fastgrad as fg

class Slow(fg.utils.data.Dataset):
    def __len__(self):
        return 1000

    def __getitem__(self, i):
        time.sleep(0.05)
        return i

for batch in fg.utils.data.DataLoader(Slow(), num_workers=2, multiprocessing_context="fork"):
    print("running", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals to a group of processes")
def test_ctrl_c_ends_every_process():
    main = subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert main.stdout.readline() == "running\n"
    os.killpg(main.pid, signal.SIGINT)           # as a terminal does
    _, errors = main.communicate(timeout=60)
    assert main.returncode == -signal.SIGINT and errors.strip().endswith("KeyboardInterrupt") and errors.count("Traceback") == 1
    with pytest.raises(ProcessLookupError):
        os.killpg(main.pid, 0)
