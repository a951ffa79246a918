"""Matrix products of sizes 1 to 2048, square, tall and wide: GFLOP/s (ratios: how many times fastgrad is faster)."""

from .harness import Case
from .libraries import torch_like

SQUARE = [(n, n, n) for n in (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048)]
TALL = [(m, n, n) for m, n in ((2048, 1), (2048, 8), (2048, 16), (2048, 64), (512, 32), (256, 10))] + [(2048, 1024, 1), (2048, 64, 512)]
WIDE = [(1, 1024, 1024), (4, 2, 16), (4, 512, 512), (16, 16, 2048), (32, 64, 32), (64, 784, 512), (64, 64, 2048), (8, 2048, 2048)]
LONG = [(16, 2048, 16), (64, 2048, 64), (1, 2048, 1), (10, 1024, 64)]


def product(m, k, n, transposed):
    def make(lib):
        a, b = lib.rand(m, k), lib.rand(n, k).t() if transposed else lib.rand(k, n)
        return lambda: a @ b
    return make


def in_numpy(m, k, n, transposed):
    def make():
        import numpy
        rng = numpy.random.default_rng(0)
        a, b = rng.random((m, k), dtype="f4"), rng.random((n, k), dtype="f4").T if transposed else rng.random((k, n), dtype="f4")
        return lambda: a @ b
    return make


def cases(libraries):
    """m x k times k x n; "t": the second is transposed, as the weight of a Linear is."""
    for m, k, n in SQUARE + TALL + WIDE + LONG:
        for transposed in (False, True):
            work = torch_like(libraries, product(m, k, n, transposed))
            work["numpy"] = in_numpy(m, k, n, transposed)
            yield Case(f"{m} x {k} x {n}{' t' if transposed else ''}", work, per=2 * m * k * n, unit="GFLOP/s")
