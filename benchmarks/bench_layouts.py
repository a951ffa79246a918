"""How do elementwise operations and sums fare where operands are not simply contiguous?  Both libraries, with PyTorch if it is here.

    python -m benchmarks.bench_layouts [--sizes 1000,65536,4000000] [--threads 1]

A table of PyTorch's time over fastgrad's: below 1, PyTorch is faster.  The times of a pair are taken in turns.
"""

import argparse
import importlib
import importlib.util
import statistics
import time

ROUNDS = 9


def cases(lib, n):
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


def time_of(f, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        f()
    return (time.perf_counter() - start) / repeat


def measure(names, n, threads):
    """Case -> microseconds by library, and the median ratio of the second to the first."""
    libs = [importlib.import_module(name) for name in names]
    made = []
    for lib in libs:
        lib.set_num_threads(threads)
        made.append(cases(lib, n))
    found = {}
    for case in made[0]:
        repeat = max(1, int(2e-3 / max(time_of(made[0][case], 3), 1e-7)))
        times = [[time_of(m[case], repeat) for m in made] for _ in range(ROUNDS)]
        best = [min(t[i] for t in times) * 1e6 for i in range(len(libs))]
        found[case] = best, statistics.median(t[-1] / t[0] for t in times)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,16384,262144,4000000")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    names = ["fastgrad", *(["torch"] if importlib.util.find_spec("torch") else [])]
    for n in map(int, options.sizes.split(",")):
        print(f"\n{n} elements, {options.threads} thread(s)" + "".join(f"{name:>14}" for name in names) + "   ratio")
        for case, (best, ratio) in measure(names, n, options.threads).items():
            print(f"{case:34}" + "".join(f"{t:11.1f} us" for t in best) + f"{ratio:8.2f}")


if __name__ == "__main__":
    main()
