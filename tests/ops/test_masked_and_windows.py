"""torch.masked, the old window functions, and other names at the top level, held against PyTorch's."""

import pytest

from tests.ops.oracle import check, random_array

X, MASK = random_array((4, 5), "float64"), random_array((4, 5), "bool", 1)
REDUCTIONS = ("sum", "prod", "amax", "amin", "mean", "norm", "var", "std", "logsumexp", "median", "argmax")


@pytest.mark.parametrize("name", REDUCTIONS)
def test_masked_reductions(name):
    check(lambda lib, x, m: getattr(lib.masked, name)(x, dim=1, mask=m), X, MASK)
    check(lambda lib, x, m: getattr(lib.masked, name)(x, dim=0, mask=m, keepdim=True), X, MASK)


@pytest.mark.parametrize("name", ["cumsum", "cumprod", "softmax", "log_softmax", "softmin"])
def test_masked_along(name):
    check(lambda lib, x, m: getattr(lib.masked, name)(x, 1, mask=m), X, MASK)


@pytest.mark.parametrize("name", ["hann", "hamming", "blackman", "bartlett", "kaiser"])
def test_windows(name):
    for n in (0, 1, 2, 9, -1):
        for periodic in (True, False):
            check(lambda lib: getattr(lib, f"{name}_window")(n, periodic, dtype=lib.float64), rtol=1e-6)


def test_istft_of_a_whole_spectrum_reads_its_first_half():
    check(lambda lib, re, im: lib.istft(lib.complex(re, im), 10), random_array((10, 4), "float64"), random_array((10, 4), "float64", 1))


def test_stft_as_pairs():
    check(lambda lib, x: lib.stft(x, 10, window=lib.ones(10, dtype=lib.float64), return_complex=False), random_array((50,), "float64"))


def test_batches_of_none():
    check(lambda lib: lib.nn.functional.fold(lib.zeros(0, 4, 9), (4, 4), 2))
    check(lambda lib: lib.nn.functional.grid_sample(lib.zeros(0, 1, 4, 4), lib.zeros(0, 2, 2, 2)))


def test_dropout_that_draws_nothing_under_vmap():
    check(lambda lib, x: lib.vmap(lambda row: lib.nn.functional.dropout(row, 0.0))(x), X)


def test_make_tensor_draws_in_its_dtype():
    for dtype in ("float16", "uint8", "bool", "int64"):
        def made(lib):
            lib.manual_seed(0)
            return lib.testing.make_tensor((2, 3), dtype=getattr(lib, dtype), device="cpu", noncontiguous=True, low=-1, high=3)
        check(made)
