"""How near does the arithmetic come to the machine?"""
import pytest

import fastgrad
import fastgrad.nn.functional as F

ELEMENTS = 1 << 22
BIG = fastgrad.linspace(0, 1, ELEMENTS)
ROWS = fastgrad.rand(512, 1024)

ELEMENTWISE = {
    "add": lambda: BIG + BIG,
    "exp": lambda: BIG.exp(),
    "sigmoid": lambda: BIG.sigmoid(),
    "tanh": lambda: BIG.tanh(),
    "sum": lambda: BIG.sum(),
    "softmax 512x1024": lambda: F.softmax(ROWS, dim=1),
    "column sums 512x1024": lambda: ROWS.sum(0),
}


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise(benchmark, name):
    benchmark.pedantic(ELEMENTWISE[name], rounds=10, warmup_rounds=2)


@pytest.mark.parametrize("m,k,n", [(8, 8, 8), (32, 32, 32), (64, 64, 64), (256, 256, 256), (1024, 1024, 1024), (64, 784, 512),
                                   (4, 2, 16), (32, 64, 32), (1, 1024, 1024)])
@pytest.mark.parametrize("layout", ["nn", "nt", "tn"])
def test_matmul(benchmark, m, k, n, layout):
    """GFLOP/s = 2 m k n / time / 1e9."""
    a = fastgrad.rand(k, m).t() if layout[0] == "t" else fastgrad.rand(m, k)
    b = fastgrad.rand(n, k).t() if layout[1] == "t" else fastgrad.rand(k, n)
    benchmark.extra_info["flop"] = 2 * m * k * n
    benchmark(lambda: a @ b)
