"""How do elementwise operations and sums fare where operands are not simply contiguous?"""

from .harness import Case
from .libraries import torch_like

SIZES = (1_000, 16_384, 262_144, 4_000_000)


def work_of(lib, n):
    """Name -> a function without arguments, over about n elements."""
    side = int(n**0.5)
    a, b = lib.rand(side, side), lib.rand(side, side)
    row, column = lib.rand(side), lib.rand(side, 1)
    narrow, thin = lib.rand(n // 16, 16), lib.rand(n // 16, 1)
    cube = lib.rand(max(n // 4096, 1), 64, 64)
    heads = lib.rand(max(n // 4096, 1), 16, 4, 64).transpose(1, 2)
    padded = lib.rand(side, side + 8)[:, :side]
    return {
        "add": lambda: a + b,
        "add row": lambda: a + row,
        "mul column": lambda: a * column,
        "mul column, 16 wide": lambda: narrow * thin,
        "add row, 16 wide": lambda: narrow + narrow[0],
        "add transposed": lambda: a + b.t(),
        "both transposed": lambda: a.t() + b.t(),
        "every second": lambda: a[:, ::2] * b[:, ::2],
        "padded rows": lambda: padded * b,
        "outer": lambda: column * row,
        "cube middle": lambda: cube * cube[:, :1],
        "contiguous of transposed": lambda: a.t().contiguous(),
        "contiguous of heads": lambda: heads.contiguous(),
        "sum": lambda: a.sum(),
        "sum rows": lambda: a.sum(1),
        "sum columns": lambda: a.sum(0),
        "sum 16 wide": lambda: narrow.sum(1),
        "sum of transposed": lambda: a.t().sum(1),
        "sum ends of cube": lambda: cube.sum((0, 2)),
        "sum middle of cube": lambda: cube.sum(1),
    }


def made(n, name):
    return lambda lib: work_of(lib, n)[name]


def cases(libraries):
    import fastgrad

    for n in SIZES:
        for name in work_of(fastgrad, 1000):
            yield Case(f"{name}, {n}", torch_like(libraries, made(n, name)))
