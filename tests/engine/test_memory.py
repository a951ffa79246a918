"""Counts of the pool of blocks: against what tensors are known to take."""

import fastgrad
import pytest
from fastgrad import memory

MIB = 1 << 20
ELEMENTS = MIB // 4


@pytest.fixture(autouse=True)
def empty_pool():
    before = memory.cap()
    memory.empty_cache()
    memory.reset_peak()
    yield
    memory.set_cap(before)


def near(nbytes):
    """A few headers and single numbers more: powers of two are size classes, as are three quarters of them."""
    return range(nbytes, nbytes + 1024)


@pytest.mark.parametrize("elements", [*range(1, 70), 255, 256, 257, 1023, 1024, 1025, 1279, 1281, 99999, 100001, 1 << 20, (1 << 20) + 1])
def test_a_block_is_at_most_a_quarter_larger(elements):
    start = memory.allocated()
    x = fastgrad.empty(elements, dtype=fastgrad.uint8)
    taken = memory.allocated() - start
    assert elements + 64 <= taken <= max(elements * 1.25, elements + 63) + 64
    del x
    assert memory.allocated() == start


def test_allocated_peak_and_cached():
    start = memory.allocated()
    assert memory.peak() == start and memory.cached() == 0
    a, b = fastgrad.ones(ELEMENTS), fastgrad.ones(3 * ELEMENTS)
    assert memory.allocated() - start in near(4 * MIB)
    del b
    assert memory.allocated() - start in near(MIB)
    assert memory.cached() in near(3 * MIB) and memory.peak() - start in near(4 * MIB)
    memory.reset_peak()
    assert memory.peak() == memory.allocated()
    c = fastgrad.ones(3 * ELEMENTS)             # from the pool
    assert memory.cached() == 0 and memory.peak() == memory.allocated()
    del a, c
    assert memory.allocated() == start and memory.peak() - start in near(4 * MIB)


def test_peak_is_found_without_the_system():
    """All blocks come from the pool: it is the pool's lowest level that tells the peak."""
    blocks = [fastgrad.ones(ELEMENTS) for _ in range(4)]
    del blocks
    base, obtained = memory.allocated(), memory.stats()["obtained_blocks"]
    memory.reset_peak()
    for count in (1, 3, 2):
        blocks = [fastgrad.ones(ELEMENTS) for _ in range(count)]
        del blocks
    assert memory.stats()["obtained_blocks"] == obtained
    assert memory.allocated() == base and memory.peak() - base in near(3 * MIB)


def test_cap_and_empty_cache():
    start = memory.stats()
    memory.set_cap(2 * MIB)
    held = [fastgrad.ones(ELEMENTS) for _ in range(5)]
    del held
    assert 0 < memory.cached() <= 2 * MIB
    memory.set_cap(0)
    assert memory.cached() == 0
    x = fastgrad.ones(ELEMENTS)
    del x
    stats = memory.stats()
    assert stats["cached"] == 0 and stats["allocated"] == start["allocated"] and stats["cap"] == 0
    assert stats["obtained_blocks"] - start["obtained_blocks"] == stats["returned_blocks"] - start["returned_blocks"]
    for wrong, error in ((-1, ValueError), (1.5, TypeError), (None, TypeError)):
        with pytest.raises(error):
            memory.set_cap(wrong)


def test_a_graph_holds_what_it_saves_until_backward():
    w = fastgrad.ones(ELEMENTS, requires_grad=True)
    start = memory.allocated()
    y = w.exp().sum()
    assert memory.allocated() - start in near(MIB)
    y.backward()
    assert memory.allocated() - start in near(MIB)      # the gradient, no saved result
    w.grad = None
    assert memory.allocated() - start < 1024
