"""Convolutions: GFLOP/s of the forward, and of forward and all gradients (ratios: how many times fastgrad is faster)."""

from .harness import Case
from .libraries import torch_like

CONVOLUTIONS = {       # name: (dimensions, input, weight, options); T: transposed
    "1-10 5x5 28": (2, (64, 1, 28, 28), (10, 1, 5, 5), {}),
    "10-20 5x5 12": (2, (64, 10, 12, 12), (20, 10, 5, 5), {}),
    "3-64 3x3/2 112": (2, (4, 3, 112, 112), (64, 3, 3, 3), {"stride": 2, "padding": 1}),
    "64-64 3x3 32": (2, (8, 64, 32, 32), (64, 64, 3, 3), {"padding": 1}),
    "3-16 5x5 14": (2, (128, 3, 14, 14), (16, 3, 5, 5), {}),
    "16-32 3x3/2 16": (2, (64, 16, 16, 16), (32, 16, 3, 3), {"stride": 2, "padding": 1}),
    "128-128 3x3 4": (2, (64, 128, 4, 4), (128, 128, 3, 3), {"padding": 1}),
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


def flop(n, shape, weight, options):
    """Multiplications and additions of the forward."""
    places = 1
    for size, taps, in zip(shape[2:], weight[2:]):
        stride, padding, dilation = (options.get(key, default) for key, default in (("stride", 1), ("padding", 0), ("dilation", 1)))
        places *= size if n == "T" else (size + 2 * padding - dilation * (taps - 1) - 1) // stride + 1
    product = 2 * shape[0] * places
    for size in weight:
        product *= size
    return product


def convolution(backward, n, shape, weight, options):
    def make(lib):
        function = lib.nn.functional.conv_transpose2d if n == "T" else getattr(lib.nn.functional, f"conv{n}d")
        lib.manual_seed(0)
        x, w = lib.randn(shape), lib.randn(weight)
        b = lib.zeros(weight[1] if n == "T" else weight[0])
        if not backward:
            return lambda: function(x, w, b, **options)
        leaves = [t.requires_grad_() for t in (x, w, b)]
        given = lib.ones_like(function(x, w, b, **options))
        return lambda: lib.autograd.grad(function(x, w, b, **options), leaves, given)
    return make


def cases(libraries):
    """Channels in-out, the window (/ stride), the image's size."""
    for name, case in CONVOLUTIONS.items():
        for backward in (False, True):
            yield Case(f"{name}{' and back' if backward else ''}", torch_like(libraries, convolution(backward, *case)),
                       per=flop(*case) * (3 if backward else 1), unit="GFLOP/s")
