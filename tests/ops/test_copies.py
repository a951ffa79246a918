"""Copies of views, tensors with a part replaced, and searches (isin, histogramdd, unravel_index, ...) against PyTorch."""

import fastgrad as fg
import numpy as np
import pytest
import torch

from tests.gradients import check_gradients

CUBE = np.arange(24.0).reshape(2, 3, 4)
COPIES = {
    "alias_copy": (), "as_strided_copy": ((2, 2), (1, 3), 1), "diagonal_copy": (1, 1, 2), "expand_copy": ((5, 2, 3, 4),),
    "narrow_copy": (1, 1, 2), "permute_copy": ((2, 0, 1),), "select_copy": (1, 2), "split_copy": (2, 2), "split_with_sizes_copy": ([1, 3], 2),
    "squeeze_copy": (), "transpose_copy": (0, 2), "unbind_copy": (1,), "unfold_copy": (2, 2, 1), "unsqueeze_copy": (1,), "view_copy": ((4, 6),)}


def flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("name", COPIES)
def test_copies(name):
    x = fg.from_numpy(CUBE.copy())
    found, expected = getattr(fg, name)(x, *COPIES[name]), getattr(torch, name)(torch.from_numpy(CUBE), *COPIES[name])
    for a, b in zip(flat(found), flat(expected), strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        assert a._base is None and a.is_contiguous()
    flat(found)[0].zero_()
    np.testing.assert_array_equal(x.numpy(), CUBE)


SCATTERS = {
    "diagonal_scatter": ((2, 3), (0, 1, 2)), "select_scatter": ((2, 4), (1, 0)), "slice_scatter": ((2, 2, 4), (1, 0, None, 2)),
    "as_strided_scatter": ((2, 2), ((2, 2), (1, 3), 1))}


@pytest.mark.parametrize("name", SCATTERS)
def test_scatters(name):
    shape, arguments = SCATTERS[name]
    part = -1 - np.arange(np.prod(shape), dtype=float).reshape(shape)
    found = getattr(fg, name)(fg.from_numpy(CUBE), fg.from_numpy(part), *arguments)
    expected = getattr(torch, name)(torch.from_numpy(CUBE), torch.from_numpy(part), *arguments)
    np.testing.assert_array_equal(found.numpy(), expected.numpy())
    leaves = [fg.tensor(a, dtype=fg.float64, requires_grad=True) for a in (CUBE, part)]
    check_gradients(lambda x, y: getattr(fg, name)(x, y, *arguments) ** 2, leaves)
    with pytest.raises(RuntimeError, match="expected src to have a size"):
        getattr(fg, name)(fg.from_numpy(CUBE), fg.zeros(7, dtype=fg.float64), *arguments)


def test_isin():
    x, y = np.array([[3, 1, 4], [1, 5, 9]]), np.array([9, 1, 7])
    for invert in (False, True):
        expected = torch.isin(torch.from_numpy(x), torch.from_numpy(y), invert=invert)
        np.testing.assert_array_equal(fg.isin(fg.from_numpy(x), fg.from_numpy(y), invert=invert).numpy(), expected.numpy())
    assert fg.isin(fg.tensor([1.5, 2.0]), 2).tolist() == [False, True]
    assert bool(fg.isin(4, fg.from_numpy(x))) and not fg.isin(fg.from_numpy(x), fg.tensor([], dtype=fg.int64)).any()
    assert not fg.isin(fg.tensor([float("nan")]), fg.tensor([float("nan")])).item()
    with pytest.raises(TypeError, match="isin"):
        fg.isin(1, 2)


def test_searches():
    x = fg.from_numpy(np.array([[0, 1, 0], [2, 0, 3]]))
    assert fg.argwhere(x).tolist() == [[0, 1], [1, 0], [1, 2]]
    assert fg.nonzero_static(x, size=2).tolist() == [[0, 1], [1, 0]]
    assert fg.nonzero_static(x, size=4, fill_value=-2).tolist() == [[0, 1], [1, 0], [1, 2], [-2, -2]]
    assert [t.tolist() for t in fg.unravel_index(fg.tensor([5, 0, 4]), (2, 3))] == [[1, 0, 1], [2, 0, 1]]
    with pytest.raises(ValueError, match="integer dtype"):
        fg.unravel_index(fg.tensor([1.0]), (2,))


@pytest.mark.parametrize("options", [{"bins": 3}, {"bins": [2, 4], "density": True}, {"bins": [2, 3], "range": [-1.0, 1.0, 0.0, 2.0]}])
@pytest.mark.parametrize("weighted", [False, True])
def test_histogramdd(options, weighted):
    rng = np.random.default_rng(0)
    points, weight = rng.normal(size=(20, 2)), rng.uniform(size=20)
    found = fg.histogramdd(fg.from_numpy(points), weight=fg.from_numpy(weight) if weighted else None, **options)
    expected = torch.histogramdd(torch.from_numpy(points), weight=torch.from_numpy(weight) if weighted else None, **options)
    np.testing.assert_allclose(found.hist.numpy(), expected.hist.numpy(), rtol=1e-12)
    for a, b in zip(found.bin_edges, expected.bin_edges, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-12)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("spacing", [1, 0.5, [2.0, 0.1], "coordinates"])
def test_gradient(edge_order, spacing):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 6))
    places = [np.cumsum(rng.uniform(0.5, 1.5, n)) for n in (5, 6)]

    def call(lib):
        given = [lib.from_numpy(p) for p in places] if spacing == "coordinates" else spacing
        return lib.gradient(lib.from_numpy(x), spacing=given, edge_order=edge_order)

    for a, b in zip(call(fg), call(torch), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_frexp_and_ldexp(dtype):
    x = np.array([0.0, -0.0, 1.0, -3.5, 1e-40, 5e-324, np.inf, -np.inf, np.nan, 1e38], dtype)
    found, expected = fg.frexp(fg.from_numpy(x)), torch.frexp(torch.from_numpy(x))
    np.testing.assert_array_equal(found.mantissa.numpy(), expected.mantissa.numpy())
    finite = np.isfinite(x)
    np.testing.assert_array_equal(found.exponent.numpy()[finite], expected.exponent.numpy()[finite])
    back = fg.ldexp(found.mantissa, found.exponent).numpy()[finite & (np.abs(x) > 1e-30)]
    np.testing.assert_array_equal(back, x[finite & (np.abs(x) > 1e-30)])
    with pytest.raises(RuntimeError, match="floating-point"):
        fg.frexp(fg.tensor([1]))


@pytest.mark.parametrize("name", ["hann", "hamming", "bartlett", "blackman", "cosine", "exponential", "gaussian", "kaiser", "nuttall"])
@pytest.mark.parametrize("sym", [True, False])
def test_windows(name, sym):
    for count in (0, 1, 2, 7):
        found, expected = (getattr(lib.signal.windows, name)(count, sym=sym, dtype=lib.float64) for lib in (fg, torch))
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-7, atol=1e-9)
    with pytest.raises(ValueError, match="non-negative"):
        getattr(fg.signal.windows, name)(-1)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64"])
@pytest.mark.parametrize("other", ["int64", "int8", "float32"])
def test_ldexp_dtypes(dtype, other):
    def run(lib):
        zero, one = lib.tensor(-3, dtype=getattr(lib, dtype)), lib.tensor([2, 5], dtype=getattr(lib, dtype))
        by = lib.tensor([1, 2], dtype=getattr(lib, other))
        return [(str(r.dtype), r.tolist()) for r in (lib.ldexp(zero, by), lib.ldexp(one, by), lib.ldexp(one, by[0]))]

    assert run(fg) == run(torch)
