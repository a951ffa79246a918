"""How near does the arithmetic come to the machine?"""

from .harness import Case
from .libraries import torch_like

ELEMENTS = 1 << 22
LARGE = {
    "add, 4M": lambda x, lib: x + x,
    "exp, 4M": lambda x, lib: x.exp(),
    "sigmoid, 4M": lambda x, lib: x.sigmoid(),
    "tanh, 4M": lambda x, lib: x.tanh(),
    "sum, 4M": lambda x, lib: x.sum(),
    "max, 4M": lambda x, lib: x.max(),
    "copy to float64, 4M": lambda x, lib: x.double(),
}
ROWS = {
    "softmax 512x1024": lambda x, lib: lib.softmax(x, 1),
    "column sums 512x1024": lambda x, lib: x.sum(0),
    "row maxima 512x1024": lambda x, lib: x.max(1),
    "sort 512x1024": lambda x, lib: x.sort(1),
    "cumulated sum 512x1024": lambda x, lib: x.cumsum(1),
    "transposed copy 512x1024": lambda x, lib: x.t().contiguous(),
}
POOLS = {           # the image's shape; window, stride, padding
    "max pool 2x2/2, 64x10x24x24": ((64, 10, 24, 24), (2, 2, 0)),
    "max pool 3x3/2, 8x64x56x56": ((8, 64, 56, 56), (3, 2, 1)),
    "max pool 3x3/1, 8x192x28x28": ((8, 192, 28, 28), (3, 1, 1)),
}
NUMPY = {
    "add, 4M": lambda np, x: x + x, "exp, 4M": lambda np, x: np.exp(x), "tanh, 4M": lambda np, x: np.tanh(x), "sum, 4M": lambda np, x: x.sum(),
    "max, 4M": lambda np, x: x.max(), "column sums 512x1024": lambda np, x: x.sum(0), "copy to float64, 4M": lambda np, x: x.astype("f8"),
}


def over(function, *shape):
    def make(lib):
        x = lib.rand(*shape)
        return lambda: function(x, lib)
    return make


def in_numpy(function, shape):
    def make():
        import numpy
        x = numpy.random.default_rng(0).random(shape, dtype="f4")
        return lambda: function(numpy, x)
    return make


def cases(libraries):
    for table, shape in ((LARGE, (ELEMENTS,)), (ROWS, (512, 1024))):
        for name, function in table.items():
            work = torch_like(libraries, over(function, *shape))
            if name in NUMPY:
                work["numpy"] = in_numpy(NUMPY[name], shape)
            yield Case(name, work)
    for name, (shape, window) in POOLS.items():
        yield Case(name, torch_like(libraries, over(lambda x, lib, window=window: lib.nn.functional.max_pool2d(x, *window), *shape)))
