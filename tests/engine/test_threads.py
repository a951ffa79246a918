"""Backward from several Python threads: graphs of their own, one shared graph, and leaves that all of them add into."""

import threading
import time

import numpy as np
import pytest

import fastgrad

THREADS = 4


def in_threads(work, *, count=THREADS):
    errors = []

    def guarded(i):
        try:
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@pytest.mark.parametrize("size", [3, 200_000], ids=["small", "long enough to drop the GIL"])
def test_leaves_that_all_add_into(size):
    times = 50 if size == 3 else 6
    w = fastgrad.tensor(np.ones(size), requires_grad=True)
    late = fastgrad.tensor(np.ones(size), requires_grad=True)

    def work(i):
        for _ in range(times):
            (w * (i + 1.0) + late).sum().backward()

    in_threads(work)
    assert (w.grad.numpy() == times * sum(range(1, THREADS + 1))).all()
    assert (late.grad.numpy() == times * THREADS).all()


def test_one_graph_walked_by_all():
    x = fastgrad.tensor([1.0, 2.0], dtype=fastgrad.float64, requires_grad=True)
    y = x
    for _ in range(200):
        y = (y * 1.001).tanh() + y
    y = y.sum()
    expected = fastgrad.autograd.grad(y, x, retain_graph=True)[0].tolist()
    results = [None] * THREADS

    def work(i):
        for _ in range(20):
            results[i] = fastgrad.autograd.grad(y, x, retain_graph=True)[0].tolist()
            assert results[i] == expected

    in_threads(work)


def test_hooks_let_other_threads_in():
    x = fastgrad.tensor([1.0, 2.0], dtype=fastgrad.float64, requires_grad=True)
    y = x
    for _ in range(20):
        y = y * 1.5
        y.register_hook(lambda g: [None for _ in range(200)] and g * 1)
    y = y.sum()

    def work(i):
        for _ in range(10):
            assert fastgrad.autograd.grad(y, x, retain_graph=True)[0].tolist() == [1.5**20] * 2

    in_threads(work)


def test_training_in_each_thread():
    def train(seed):
        rng = np.random.default_rng(seed)
        w = fastgrad.tensor(rng.normal(size=(4, 3)), requires_grad=True)
        x = fastgrad.tensor(rng.normal(size=(8, 4)))
        for _ in range(30):
            loss = ((x @ w).tanh() * (x @ w)).sum()
            loss.backward()
            with fastgrad.no_grad():
                w -= 0.01 * w.grad
            w.grad = None
        return w.tolist()

    expected = [train(i) for i in range(THREADS)]
    results = [None] * THREADS

    def work(i):
        results[i] = train(i)

    in_threads(work)
    assert results == expected


@pytest.mark.parametrize("cut, times", [((2, 0, 0), 40), ((2, 4000, 25000), 150)], ids=["every launch", "where it pays"])
def test_independent_backward_in_pieces(cut, times):
    """Launches cut, by whichever thread has the pool; the others run theirs alone.  The same bits come."""
    threads, before = fastgrad.get_num_threads(), fastgrad._engine.set_cut_over(*cut)

    def gradients(i):
        rng = np.random.default_rng(i)
        w = fastgrad.tensor(rng.normal(size=(120, 90)).astype("f4"), requires_grad=True)
        x = fastgrad.tensor(rng.normal(size=(70, 120)).astype("f4"))
        ((x @ w).sigmoid() * (x @ w).softmax(1)).sum().backward()
        return w.grad.numpy().tobytes()

    try:
        fastgrad.set_num_threads(1)
        expected = [gradients(i) for i in range(THREADS)]
        fastgrad.set_num_threads(3)

        def work(i):
            for _ in range(times):
                assert gradients(i) == expected[i]

        in_threads(work)
    finally:
        fastgrad._engine.set_cut_over(*before)
        fastgrad.set_num_threads(threads)


def test_spells_of_cutting_and_of_cutting_nothing():
    """A program that runs long enough to try both, with launches that gain from two threads and such that do not."""
    threads = fastgrad.get_num_threads()
    rng = np.random.default_rng(0)
    w = fastgrad.tensor(rng.normal(size=(160, 160)).astype("f4") / 13)
    x = fastgrad.tensor(rng.normal(size=(128, 160)).astype("f4"))

    def chain():
        y = x
        for _ in range(10):
            y = (y @ w).relu() + x.softmax(1)
        return y.numpy().tobytes()

    try:
        fastgrad.set_num_threads(1)
        expected = chain()
        fastgrad.set_num_threads(2)
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            assert chain() == expected
    finally:
        fastgrad.set_num_threads(threads)
