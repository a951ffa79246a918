"""Counts of the pool of blocks: against what tensors are known to take."""

import subprocess
import sys
import textwrap

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


def chain_of(x):
    for _ in range(5):
        x = x.tanh()
    return x


def test_backward_of_a_chain_reuses_the_gradients_memory():
    w = fastgrad.ones(ELEMENTS, requires_grad=True)
    start = memory.allocated()
    y = chain_of(w)
    y.backward(fastgrad.ones(ELEMENTS))
    assert memory.peak() - start < 8 * MIB          # five results, the given gradient, and one that is written over from step to step
    w.grad = None


@pytest.mark.parametrize("looked_at", ["hook", "retained", "post hook", "asked for", "given"])
def test_nobody_sees_a_gradient_written_over(looked_at):
    """Whoever has hold of a gradient on its way keeps its value."""
    x = fastgrad.full((ELEMENTS,), 0.3, dtype=fastgrad.float64, requires_grad=True)
    middle = x.tanh()
    y = middle.sigmoid()
    given, kept = fastgrad.full((ELEMENTS,), 2.0, dtype=fastgrad.float64), []
    expected = 2 * y[0].item() * (1 - y[0].item())
    if looked_at == "hook":
        middle.register_hook(kept.append)
    elif looked_at == "retained":
        middle.retain_grad()
    elif looked_at == "post hook":
        middle.grad_fn.register_hook(lambda inputs, outputs: kept.extend(outputs))
    if looked_at == "asked for":
        kept.append(fastgrad.autograd.grad(y, [middle, x], given)[0])
    else:
        y.backward(given)
    seen = middle.grad if looked_at == "retained" else given if looked_at == "given" else kept[0]
    assert fastgrad.allclose(seen, fastgrad.full_like(seen, 2.0 if looked_at == "given" else expected))
    if looked_at != "asked for":
        assert fastgrad.allclose(x.grad, fastgrad.full_like(x, expected * (1 - middle[0].item() ** 2)))


def test_a_long_chain_of_borrowed_memory_is_released_without_recursion():
    code = """
        import fastgrad
        x = fastgrad.zeros(3)
        for _ in range(200_000):
            x = fastgrad.from_numpy(x.numpy())
        del x
        print("alive")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "alive\n", done.stderr
