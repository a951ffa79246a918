"""Elementwise operations and copies over operands of any layout, against NumPy: sizes around the blocks in which kernels go."""

import fastgrad
import numpy as np
import pytest

ROWS, COLUMNS = (1, 2, 63, 65), (1, 3, 16, 127, 129, 700)
LAYOUTS = {
    "rows": lambda n, m, make: make(n, m),
    "columns": lambda n, m, make: make(m, n).T,
    "row": lambda n, m, make: make(m),
    "column": lambda n, m, make: make(n, 1),
    "padded": lambda n, m, make: make(n, m + 3)[:, :m],
    "padded columns": lambda n, m, make: make(m, n + 3).T[:n],
    "every second": lambda n, m, make: make(n, 2 * m)[:, ::2],
    "value": lambda n, m, make: make(1, 1),
    "deep": lambda n, m, make: make(2, m, n, 3).transpose(0, 3, 2, 1)[1, 2],
}


def maker(seed, dtype):
    data = np.random.default_rng(seed)
    return lambda *shape: (data.standard_normal(shape) * 50).astype(dtype)


def ours(array):
    """The same strides in fastgrad: NumPy's memory, borrowed."""
    return fastgrad.from_numpy(array)


@pytest.mark.parametrize("second", LAYOUTS)
@pytest.mark.parametrize("first", LAYOUTS)
def test_two_operands(first, second):
    for n in ROWS:
        for m in COLUMNS:
            for dtype in ("float32", "float64", "int16", "uint8"):
                a, b = LAYOUTS[first](n, m, maker(1, dtype)), LAYOUTS[second](n, m, maker(2, dtype))
                np.testing.assert_array_equal((ours(a) + ours(b)).numpy(), a + b)
                np.testing.assert_array_equal((ours(a) < ours(b)).numpy(), a < b)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_three_operands_of_other_widths(layout):
    for n, m in ((65, 16), (2, 129), (63, 700)):
        c, a, b = LAYOUTS[layout](n, m, maker(0, "float32")) > 0, maker(1, "float32")(m, n).T, maker(2, "float32")(n, 1)
        np.testing.assert_array_equal(fastgrad.where(ours(c), ours(a), ours(b)).numpy(), np.where(c, a, b))


@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "bool"])
@pytest.mark.parametrize("source", LAYOUTS)
def test_copies(source, dtype):
    for n in ROWS:
        for m in COLUMNS:
            x = LAYOUTS[source](n, m, maker(1, dtype))
            np.testing.assert_array_equal(ours(x).contiguous().numpy(), x)
            np.testing.assert_array_equal(ours(x).double().numpy(), x.astype("float64"))
            for target in ("rows", "columns", "padded", "every second"):
                y = LAYOUTS[target](n, m, lambda *shape: np.zeros(shape, dtype))
                ours(y).copy_(ours(x))
                np.testing.assert_array_equal(y, np.broadcast_to(x, (n, m)))


@pytest.mark.parametrize("target", ["rows", "columns", "padded", "padded columns", "every second", "deep"])
@pytest.mark.parametrize("other", LAYOUTS)
def test_written_in_place(target, other):
    for n, m in ((65, 16), (3, 127), (63, 700)):
        x, y = LAYOUTS[target](n, m, maker(1, "float32")), LAYOUTS[other](n, m, maker(2, "float32"))
        wanted = x * y
        ours(x).mul_(ours(y))
        np.testing.assert_array_equal(x, wanted)


def test_heads_are_gathered():
    x = np.random.default_rng(0).standard_normal((3, 7, 4, 5)).astype("f")
    np.testing.assert_array_equal(ours(x).transpose(1, 2).contiguous().numpy(), x.transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(ours(x).permute(3, 1, 0, 2).contiguous().numpy(), x.transpose(3, 1, 0, 2))


@pytest.mark.parametrize("dtype, count", [("float32", (1 << 21) + 77), ("float64", (1 << 20) + 3000), ("int64", 1 << 20), ("uint8", (1 << 23) + 5)])
def test_results_larger_than_caches(dtype, count):
    """They are written past the caches, at any place and number of threads, in place too."""
    rng = np.random.default_rng(0)
    a, b = (rng.integers(0, 100, count).astype(dtype) for _ in range(2))
    threads = fastgrad.get_num_threads()
    try:
        for n in (1, 3):
            fastgrad.set_num_threads(n)
            x, y = fastgrad.from_numpy(a), fastgrad.from_numpy(b)
            assert np.array_equal((x + y).numpy(), a + b)
            assert np.array_equal((x[3:] * y[:-3]).numpy(), a[3:] * b[:-3])
            assert np.array_equal((x > y).numpy(), a > b)
            assert np.array_equal(x.to(fastgrad.float64).numpy(), a.astype("f8"))
            z = x.clone()
            assert np.array_equal(z.add_(y).numpy(), a + b)
    finally:
        fastgrad.set_num_threads(threads)
