"""A graph a million operations deep: built, walked and freed in linear time and without recursion."""

import gc
import time

import fastgrad


def chain(n):
    x = fastgrad.tensor([1.0], requires_grad=True)
    start = time.perf_counter()
    y = x
    for _ in range(n):
        y = y + 1.0
    built = time.perf_counter()
    y.backward()
    walked = time.perf_counter()
    assert x.grad.tolist() == [1.0]
    del y
    freed = time.perf_counter()
    return built - start, walked - built, freed - walked


def test_a_million_additions():
    chain(1000)
    small = chain(100_000)
    large = chain(1_000_000)
    for what, short, long in zip(("build", "backward", "free"), small, large):
        assert long < 10 * 5 * short + 0.2, f"{what}: {short:.3f} s for 10^5 nodes, {long:.3f} s for 10^6"


def test_freed_without_backward():
    y = fastgrad.tensor([1.0], requires_grad=True)
    for _ in range(300_000):
        y = y * 1.0
    del y


def test_deep_and_seen_by_the_collector():
    x = fastgrad.tensor([1.0], requires_grad=True)
    (x * 1).register_hook(print)  # from now on every node is the collector's business
    y = x
    for _ in range(300_000):
        y = y * 1.0
    gc.collect()
    y.backward()
    assert x.grad.tolist() == [1.0]
    y.tag = y  # a cycle: the collector frees the chain
    del y
    gc.collect()


def test_wide_and_deep():
    """Every value is used twice: 2^60 paths, 120 operations."""
    x = fastgrad.tensor(1.0, dtype=fastgrad.float64, requires_grad=True)
    y = x
    for _ in range(60):
        y = y + y
    y.backward()
    assert x.grad.item() == 2.0**60


def test_inputs_in_a_deep_chain():
    x = fastgrad.tensor([1.0], requires_grad=True)
    y = middle = x
    for i in range(100_000):
        y = y * 1.0
        if i == 50_000:
            middle = y
    g, h = fastgrad.autograd.grad(y, [middle, x])
    assert g.tolist() == h.tolist() == [1.0]
