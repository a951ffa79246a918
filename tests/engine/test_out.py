"""`out=` of elementwise operations: computed where the tensor lies if it fits, copied there or refused if not."""
import numpy as np
import pytest

import fastgrad as fg

N = 1 << 18


def test_no_memory_is_taken_for_the_result():
    x, y, out = fg.rand(N), fg.rand(N), fg.zeros(N)
    fg.memory.reset_peak()
    before = fg.memory.allocated()
    assert fg.add(x, y, out=out) is out and fg.mul(x, 2.0, out=out) is out and fg.exp(x, out=out) is out
    assert fg.memory.peak() - before < N
    assert np.array_equal(out.numpy(), fg.exp(x).numpy())


def test_into_an_operand():
    x, y = fg.rand(100), fg.rand(100)
    expected = x.numpy() - y.numpy()
    assert fg.sub(x, y, out=x) is x
    assert np.array_equal(x.numpy(), expected)


def test_a_part_of_an_operand_is_refused_before_anything_is_written():
    base = fg.arange(10.0)
    with pytest.raises(RuntimeError, match="single memory"):
        fg.add(base[:8], 1.0, out=base[1:9])
    assert base.tolist() == list(range(10))


def test_what_does_not_fit_is_copied():
    x = fg.arange(4.0)
    wide, across, flags = fg.zeros(4, dtype=fg.float64), fg.zeros(2, 4).t()[:, 0], fg.zeros(4)
    fg.add(x, 1, out=wide), fg.add(x, 1, out=across), fg.gt(x, 1, out=flags)
    assert wide.tolist() == across.tolist() == [1, 2, 3, 4] and flags.tolist() == [0, 0, 1, 1]


def test_who_saved_it_sees_the_write():
    w, out = fg.rand(3, requires_grad=True), fg.rand(3)
    y = w * out
    with fg.no_grad():
        fg.add(out, 1.0, out=out)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_an_operation_within_does_not_take_it():
    """What reading an operand may run is not what out= is for."""
    out, within = fg.zeros(3), []

    class Number(int):
        def __float__(self):
            within.append(fg.add(fg.ones(3), 5.0))
            return 2.0

    assert fg.add(fg.ones(3), Number(2), out=out) is out
    assert out.tolist() == [3, 3, 3]
    assert [t.tolist() for t in within] == [[6, 6, 6]] and within[0] is not out
    assert fg.add(fg.ones(3), fg.ones(3)).tolist() == [2, 2, 2] and out.tolist() == [3, 3, 3]
