"""How do convolutions compare with PyTorch's?  python -m benchmarks.bench_convolution [NAME...] [--threads N]

For each shape: microseconds of the forward, of forward and the input's gradient, of forward and the weight's gradient, each with the
ratio to PyTorch's time in the same run, the two taken in turn, best of several; and GFLOP/s of the forward.
"""
import argparse
import time

import numpy as np
import pytest

import fastgrad

CASES = {       # name: (dimensions, input, weight, options); T: transposed
    "1-10 5x5 28": (2, (64, 1, 28, 28), (10, 1, 5, 5), {}),
    "10-20 5x5 12": (2, (64, 10, 12, 12), (20, 10, 5, 5), {}),
    "3-64 3x3/2 112": (2, (4, 3, 112, 112), (64, 3, 3, 3), {"stride": 2, "padding": 1}),
    "64-64 3x3 32": (2, (8, 64, 32, 32), (64, 64, 3, 3), {"padding": 1}),
    "64-64 3x3 8": (2, (32, 64, 8, 8), (64, 64, 3, 3), {"padding": 1}),
    "64-64 3x3/2 32": (2, (8, 64, 32, 32), (64, 64, 3, 3), {"padding": 1, "stride": 2}),
    "512-512 3x3 4": (2, (8, 512, 4, 4), (512, 512, 3, 3), {"padding": 1}),
    "64-3 3x3 64": (2, (4, 64, 64, 64), (3, 64, 3, 3), {"padding": 1}),
    "1x1 64-256 32": (2, (8, 64, 32, 32), (256, 64, 1, 1), {}),
    "1x1 256-64 7": (2, (16, 256, 7, 7), (64, 256, 1, 1), {}),
    "depthwise 128 32": (2, (8, 128, 32, 32), (128, 1, 3, 3), {"padding": 1, "groups": 128}),
    "depthwise/2 128 32": (2, (8, 128, 32, 32), (128, 1, 3, 3), {"padding": 1, "groups": 128, "stride": 2}),
    "depthwise 512 7": (2, (8, 512, 7, 7), (512, 1, 3, 3), {"padding": 1, "groups": 512}),
    "4 groups 64 16": (2, (8, 64, 16, 16), (64, 16, 3, 3), {"padding": 1, "groups": 4}),
    "audio 1-32 80/4": (1, (4, 1, 8000), (32, 1, 80), {"stride": 4}),
    "audio 64-64 3": (1, (4, 64, 2000), (64, 64, 3), {"padding": 1}),
    "audio dilated 32": (1, (4, 32, 2000), (32, 32, 3), {"padding": 8, "dilation": 8}),
    "volume 8-16 3": (3, (2, 8, 8, 16, 16), (16, 8, 3, 3, 3), {"padding": 1}),
    "game 4-16 8x8/4 84": (2, (8, 4, 84, 84), (16, 4, 8, 8), {"stride": 4}),
    "one image 16-32": (2, (1, 16, 10, 10), (32, 16, 3, 3), {}),
    "T 64-32 4x4/2 16": ("T", (8, 64, 16, 16), (64, 32, 4, 4), {"stride": 2, "padding": 1}),
}


def work(lib, n, shape, weight, options):
    """(forward, with the input's gradient, with the weight's), and multiplications and additions of the forward."""
    function = lib.nn.functional.conv_transpose2d if n == "T" else getattr(lib.nn.functional, f"conv{n}d")
    rng = np.random.default_rng(0)
    x, w = (lib.from_numpy(rng.standard_normal(s, dtype=np.float32)).requires_grad_() for s in (shape, weight))
    b = lib.zeros(weight[1] if n == "T" else weight[0])
    out = function(x, w, b, **options)
    ones = lib.ones_like(out)

    def forward():
        with lib.no_grad():
            function(x, w, b, **options)

    steps = forward, *(lambda t=t: lib.autograd.grad(function(x, w, b, **options), [t], ones) for t in (x, w))
    places = x.numel() // shape[1] if n == "T" else out.numel() // weight[0]
    return steps, 2 * w.numel() * places


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("which", ["forward", "input", "weight"])
def test_convolution(benchmark, name, which):
    steps, flop = work(fastgrad, *CASES[name])
    benchmark.extra_info["flop"] = flop
    benchmark(steps[("forward", "input", "weight").index(which)])


def best_of(ours, theirs, rounds=7, budget=0.05):
    """Seconds of both, in turn."""
    ours(), theirs()
    start = time.perf_counter()
    ours(), theirs()
    count = max(1, int(budget / (time.perf_counter() - start)))
    times = {ours: [], theirs: []}
    for _ in range(rounds):
        for function in times:
            start = time.perf_counter()
            for _ in range(count):
                function()
            times[function].append((time.perf_counter() - start) / count)
    return min(times[ours]), min(times[theirs])


def main():
    import torch

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="parts of the names of cases; all of them if none is given")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    fastgrad.set_num_threads(options.threads)
    torch.set_num_threads(options.threads)
    print(f"{'microseconds (PyTorch / fastgrad)':22s}{'forward':>17s}{'+ input grad':>17s}{'+ weight grad':>17s}   GFLOP/s")
    for name, case in CASES.items():
        if options.names and not any(part in name for part in options.names):
            continue
        (ours, flop), (theirs, _) = work(fastgrad, *case), work(torch, *case)
        pairs = [best_of(a, b) for a, b in zip(ours, theirs)]
        print(f"{name:33s}" + "".join(f"{a * 1e6:9.0f} ({b / a:4.2f})" for a, b in pairs) + f"{flop / pairs[0][0] / 1e9:9.1f}", flush=True)


if __name__ == "__main__":
    main()
