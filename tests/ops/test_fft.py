"""fastgrad.fft against torch.fft: values, sizes, norms, first and second gradients."""

import fastgrad as fg
import numpy as np
import pytest
import torch

rng = np.random.default_rng(0)
ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
REAL_INPUT = {"rfft", "ihfft", "rfftn", "ihfftn", "rfft2", "ihfft2"}


def drawn(name, double, *shape):
    x = rng.standard_normal(shape)
    if name in REAL_INPUT:
        return x.astype("float64" if double else "float32")
    return (x + 1j * rng.standard_normal(shape)).astype("complex128" if double else "complex64")


def check(got, expected, tolerance):
    got, expected = got.detach().numpy(), expected.detach().resolve_conj().numpy()
    assert got.dtype == expected.dtype and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def compare(call, array):
    """Values, first and second gradients."""
    found = []
    for lib in (fg, torch):
        x = lib.tensor(array, requires_grad=True)
        out = call(lib, x)
        weight = lib.tensor(np.linspace(-1, 2, out.numel()).reshape(tuple(out.shape)))
        loss = (out * weight).abs().pow(2).sum() + (out * (1 + 1j)).imag.sum()
        first, = lib.autograd.grad(loss, x, create_graph=True)
        second, = lib.autograd.grad(first.abs().pow(2).sum(), x)
        found.append((out, first, second))
    for got, expected in zip(*found):
        check(got, expected, 1e-9)


@pytest.mark.parametrize("norm", [None, "backward", "ortho", "forward"])
@pytest.mark.parametrize("name", ONE)
def test_one_dimension(name, norm):
    for n, dim in ((None, -1), (7, 0), (4, 1), (8, -2), (1, -1)):
        compare(lambda lib, x, n=n, dim=dim: getattr(lib.fft, name)(x, n, dim, norm), drawn(name, True, 5, 6))


@pytest.mark.parametrize("norm", [None, "ortho", "forward"])
@pytest.mark.parametrize("name", [n + suffix for n in ONE for suffix in ("2", "n")])
def test_several_dimensions(name, norm):
    for s, dim in ((None, (0, 1)), ((4, 7), (0, 2)), ((5, 6), (-1, 0)), ((-1, 4), (1, 2))):
        compare(lambda lib, x, s=s, dim=dim: getattr(lib.fft, name)(x, s, dim, norm=norm), drawn(name, True, 3, 4, 5))


@pytest.mark.parametrize("name", ["fftn", "ifftn", "rfftn", "irfftn", "hfftn", "ihfftn"])
def test_all_dimensions(name):
    compare(lambda lib, x: getattr(lib.fft, name)(x), drawn(name, True, 3, 4, 5))
    compare(lambda lib, x: getattr(lib.fft, name)(x, s=(3, 6)), drawn(name, True, 3, 4, 5))


@pytest.mark.parametrize("name", ONE)
def test_single_precision_and_integers(name):
    array = drawn(name, False, 4, 6)
    check(getattr(fg.fft, name)(fg.tensor(array)), getattr(torch.fft, name)(torch.tensor(array)), 1e-5)
    whole = rng.integers(-5, 5, (4, 6))
    check(getattr(fg.fft, name)(fg.tensor(whole)), getattr(torch.fft, name)(torch.tensor(whole)), 1e-5)
    real = rng.standard_normal((4, 6))
    check(getattr(fg.fft, name)(fg.tensor(real)), getattr(torch.fft, name)(torch.tensor(real)), 1e-10)


def test_shifts_and_frequencies():
    for n in (1, 4, 5, 8):
        for d in (1.0, 0.25):
            for name in ("fftfreq", "rfftfreq"):
                check(getattr(fg.fft, name)(n, d), getattr(torch.fft, name)(n, d), 1e-7)
                check(getattr(fg.fft, name)(n, d, dtype=fg.float64), getattr(torch.fft, name)(n, d, dtype=torch.float64), 1e-15)
        for shape in ((n,), (n, 3)):
            for name in ("fftshift", "ifftshift"):
                for dim in (None, 0, -1, (0,)):
                    compare(lambda lib, x: getattr(lib.fft, name)(x, dim), drawn("fft", True, *shape))


def test_refusals():
    for lib in (torch, fg):
        x, z = lib.ones(3, 4), lib.ones(3, 4, dtype=lib.complex64)
        for call in (lambda: lib.fft.rfft(z), lambda: lib.fft.fft(x, 0), lambda: lib.fft.fft(x, norm="other"), lambda: lib.fft.fftn(x, dim=(0, 0)),
                     lambda: lib.fft.fftn(x, s=(1, 2, 3)), lambda: lib.fft.irfftn(lib.tensor(1.0)), lambda: lib.fft.fft(x.half())):
            with pytest.raises(RuntimeError):
                call()
        with pytest.raises(IndexError):
            lib.fft.fft(x, dim=2)
