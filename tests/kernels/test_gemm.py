"""The matrix product at every small size and every layout, against NumPy in float64.

Only `matmul` and `linear` are called: which kernel path a size takes is not a test's business, so sizes run past the
edges of every tile.  The bound is that of a sum in any order, (k + 2) * eps * (|A| @ |B|), elementwise.
"""
import numpy as np
import pytest

import fastgrad
import fastgrad.nn.functional as F

DTYPES = [np.float32, np.float64]
EDGE = list(range(0, 71))


def rows(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal(shape).astype(dtype))


def columns(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal(shape[::-1]).astype(dtype)).T


def every_other(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal((2 * shape[0], 3 * shape[1])).astype(dtype))[::2, 1::3]


def window(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal((shape[0] + 2, shape[1] + 5)).astype(dtype))[1:-1, 3:-2]


def one_row(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal((1, shape[1])).astype(dtype)).expand(*shape)


def one_column(rng, shape, dtype):
    return fastgrad.from_numpy(rng.standard_normal((shape[0], 1)).astype(dtype)).expand(*shape)


LAYOUTS = [rows, columns, every_other, window, one_row, one_column]
PAIRS = [(rows, rows), (rows, columns), (columns, rows), (columns, columns)]


def check(result, a, b, bias=None):
    """result == a @ b (+ bias) within the rounding of result's dtype."""
    dtype = result.numpy().dtype
    wide_a, wide_b = a.numpy().astype(np.float64), b.numpy().astype(np.float64)
    expected, magnitude = wide_a @ wide_b, np.abs(wide_a) @ np.abs(wide_b)
    if bias is not None:
        expected, magnitude = expected + bias.numpy(), magnitude + np.abs(bias.numpy())
    assert result.shape == expected.shape
    error = np.abs(result.numpy() - expected)
    bound = (a.shape[1] + 2) * np.finfo(dtype).eps * magnitude
    worst = np.max(error - bound, initial=0)
    assert (error <= bound).all(), f"{a.shape} @ {b.shape}: over the bound by {worst}"


def check_product(m, k, n, layout_a, layout_b, dtype, rng):
    a, b = layout_a(rng, (m, k), dtype), layout_b(rng, (k, n), dtype)
    result = fastgrad.matmul(a, b)
    assert result.numpy().dtype == dtype
    check(result, a, b)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout_a, layout_b", PAIRS)
@pytest.mark.parametrize("others", [(1, 1), (5, 7), (33, 70)])
@pytest.mark.parametrize("varied", "mkn")
def test_one_size_varied(varied, others, layout_a, layout_b, dtype, rng):
    for size in EDGE:
        at = "mkn".index(varied)
        m, k, n = (*others[:at], size, *others[at:])
        check_product(m, k, n, layout_a, layout_b, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout_a", LAYOUTS)
@pytest.mark.parametrize("layout_b", LAYOUTS)
def test_random_sizes(layout_a, layout_b, dtype, rng):
    for _ in range(30):
        m, k, n = rng.integers(0, 71, 3)
        check_product(int(m), int(k), int(n), layout_a, layout_b, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout_a, layout_b", [*PAIRS, (every_other, every_other)])
@pytest.mark.parametrize("m, k, n", [
    (1, 5000, 1), (1, 3000, 9), (9, 3000, 1), (3, 2500, 5), (8, 400, 130), (130, 400, 8), (40, 900, 3),
    (100, 1000, 100), (17, 385, 1100), (600, 50, 33), (2500, 3, 2), (3, 2, 2500), (1100, 1000, 60),
    (2048, 300, 40), (24, 784, 20), (31, 600, 31), (16, 300, 150), (1024, 32, 512),
])
def test_sizes_past_the_blocks(m, k, n, layout_a, layout_b, dtype, rng):
    check_product(m, k, n, layout_a, layout_b, dtype, rng)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("layout", [rows, columns, every_other])
def test_linear(layout, with_bias, dtype, rng):
    sizes = [(1, 1, 1), (4, 2, 16), (32, 5, 6), (32, 64, 32), (7, 70, 3), (1, 64, 33), (50, 64, 1), (64, 300, 10), (3, 0, 4)]
    for m, k, n in sizes + [tuple(int(i) for i in rng.integers(1, 71, 3)) for _ in range(40)]:
        x, weight = layout(rng, (m, k), dtype), layout(rng, (n, k), dtype)
        bias = fastgrad.from_numpy(rng.standard_normal(n).astype(dtype)) if with_bias else None
        check(F.linear(x, weight, bias), x, weight.T, bias)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("m, k, n", [(16, 100, 70), (17, 300, 500), (40, 800, 300), (64, 784, 512), (100, 1000, 900), (300, 900, 2100)])
def test_few_rows_times_a_weight(m, k, n, with_bias, dtype, rng):
    """Sizes at which the product's transpose is computed; its bits are those of any cut, test_threads_change_no_bit."""
    x, weight = rows(rng, (m, k), dtype), rows(rng, (n, k), dtype)
    bias = fastgrad.from_numpy(rng.standard_normal(n).astype(dtype)) if with_bias else None
    results = []
    before = fastgrad.get_num_threads()
    try:
        for threads in (1, 2, 3):
            fastgrad.set_num_threads(threads)
            results.append(F.linear(x, weight, bias))
    finally:
        fastgrad.set_num_threads(before)
    check(results[0], x, weight.T, bias)
    assert all(np.array_equal(results[0].numpy(), r.numpy()) for r in results)
    halves = F.linear(x, weight[:n // 32 * 16], None if bias is None else bias[:n // 32 * 16])
    assert np.array_equal(halves.numpy(), results[0].numpy()[:, :n // 32 * 16])


@pytest.mark.parametrize("dtype", DTYPES)
def test_empty_inner_size_gives_zeros(dtype):
    a, b = np.zeros((3, 0), dtype), np.zeros((0, 4), dtype)
    result = fastgrad.matmul(fastgrad.from_numpy(a), fastgrad.from_numpy(b))
    assert np.array_equal(result.numpy(), np.zeros((3, 4), dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m, k, n", [(1, 5, 1), (1, 90, 4), (4, 90, 1), (5, 6, 7), (5, 90, 7), (40, 50, 60), (64, 500, 64)])
def test_nan_and_inf_propagate(m, k, n, dtype, rng):
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    a[0, 0] = np.nan
    a[m - 1, k - 1], b[k - 1, n - 1] = 0, np.inf      # 0 * inf: a zero must not be skipped
    result = fastgrad.matmul(fastgrad.from_numpy(a), fastgrad.from_numpy(b)).numpy()
    expected = np.zeros((m, n), bool)
    expected[0, :] = True
    expected[m - 1, n - 1] = True
    assert np.array_equal(np.isnan(result), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layout_a, layout_b", PAIRS)
@pytest.mark.parametrize("m, k, n", [
    (64, 100, 48), (320, 800, 400), (4000, 300, 5), (5, 300, 4000), (3000, 700, 1), (24, 784, 200), (2048, 300, 40), (100, 600, 31),
])
def test_threads_change_no_bit(m, k, n, layout_a, layout_b, dtype, rng):
    a, b = layout_a(rng, (m, k), dtype), layout_b(rng, (k, n), dtype)
    before = fastgrad.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 3, 4):
            fastgrad.set_num_threads(threads)
            results.append(fastgrad.matmul(a, b).numpy())
    finally:
        fastgrad.set_num_threads(before)
    for result in results[1:]:
        assert np.array_equal(results[0], result)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.int64])
def test_integers_wrap(dtype, rng):
    info = np.iinfo(dtype)
    for m, k, n in [(1, 1, 1), (3, 0, 2), (4, 5, 6), (17, 33, 9)]:
        a = rng.integers(info.min, info.max, (m, k), dtype, endpoint=True)
        b = rng.integers(info.min, info.max, (n, k), dtype, endpoint=True).T
        result = fastgrad.matmul(fastgrad.from_numpy(a), fastgrad.from_numpy(b)).numpy()
        assert result.dtype == dtype
        assert np.array_equal(result, a @ b)
