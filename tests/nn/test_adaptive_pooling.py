"""Adaptive pooling against PyTorch: sizes that divide and do not, more outputs than inputs, indices, gradients, repr, errors."""

import pytest

from tests.nn.both import assert_same, outcome, torch, fastgrad

SIZES = {1: ((7,), [1, 3, 7, 9, (None,)]), 2: ((6, 8), [1, (3, 4), (4, 3), (9, 2), (None, 1)]), 3: ((5, 6, 4), [1, 2, (5, 3, 3)])}
CASES = [(n, spatial, size) for n, (spatial, sizes) in SIZES.items() for size in sizes]


@pytest.mark.parametrize("kind", ["Avg", "Max"])
@pytest.mark.parametrize("lead", [(2, 3), (3,), (0, 3)], ids=str)
@pytest.mark.parametrize(("n", "spatial", "size"), CASES, ids=str)
def test_layer(kind, n, spatial, size, lead):
    if n == 1 and size == (None,):
        pytest.skip("one dimension takes no None")

    def observe(lib):
        kwargs = {"return_indices": True} if kind == "Max" else {}
        layer = getattr(lib.nn, f"Adaptive{kind}Pool{n}d")(size, **kwargs)
        lib.manual_seed(0)
        x = lib.randn(*lead, *spatial, dtype=lib.float64, requires_grad=True)
        y, *indices = layer(x) if kind == "Max" else (layer(x),)
        (y * y).sum().backward()
        return repr(layer), y, indices, x.grad

    assert_same(observe, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize(("shape", "size"), [((2, 3), 2), ((2, 3, 0, 4), 2), ((2, 3, 4, 4), -1), ((2, 3, 4, 4), (2,)), ((2, 3, 4, 4), ("a", 1))],
                         ids=str)
def test_error_class(kind, shape, size):
    def observe(lib):
        return getattr(lib.nn.functional, f"adaptive_{kind}_pool2d")(lib.ones(shape), size)

    assert outcome(observe, fastgrad)["result"]["raised"] == outcome(observe, torch)["result"]["raised"]


def test_only_floats():
    def observe(lib):
        return lib.nn.functional.adaptive_avg_pool2d(lib.ones(1, 3, 3, dtype=lib.int64), 2)

    assert outcome(observe, fastgrad)["result"]["raised"] == outcome(observe, torch)["result"]["raised"] == "NotImplementedError"
