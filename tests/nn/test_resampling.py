"""interpolate, grids, folding, poolings and losses of nn.functional against PyTorch: values, and gradients of a weighted sum."""

import fastgrad as fg
import fastgrad.nn.functional as F
import numpy as np
import pytest
import torch
import torch.nn.functional as T

from tests.gradients import check_gradients


def compare(ours, theirs, shapes, seed=0, rtol=1e-9):
    """Values and first gradients of a function of float64 arrays."""
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=shape) for shape in shapes]
    x = [fg.from_numpy(a.copy()).requires_grad_() for a in arrays]
    y = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    found, expected = ours(fg, F, *x), theirs(torch, T, *y)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=rtol, atol=1e-10)
    weight = rng.normal(size=tuple(expected.shape))
    found.backward(fg.from_numpy(weight))
    expected.backward(torch.from_numpy(weight))
    for a, b in zip(x, y):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-8, atol=1e-9)


def both(call, *shapes, **options):
    compare(call, call, shapes, **options)


MODES = [("nearest", None), ("nearest-exact", None), ("area", None), ("linear", False), ("linear", True), ("bicubic", False), ("bicubic", True)]


@pytest.mark.parametrize("size", [{"size": 3}, {"size": 9}, {"scale_factor": 1.7}, {"scale_factor": 0.6, "recompute_scale_factor": True}])
@pytest.mark.parametrize("mode, corners", MODES)
@pytest.mark.parametrize("n", [1, 2, 3])
def test_interpolate(n, mode, corners, size):
    if mode == "linear":
        mode = ("linear", "bilinear", "trilinear")[n - 1]
    if mode == "bicubic" and n != 2:
        pytest.skip("bicubic is of two dimensions")
    both(lambda lib, f, x: f.interpolate(x, mode=mode, align_corners=corners, **size), (2, 2, *(5, 6, 4)[:n]))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("size", [(3, 4), (9, 2), (7, 8)])
def test_antialias(mode, corners, size):
    both(lambda lib, f, x: f.interpolate(x, size, mode=mode, align_corners=corners, antialias=True), (1, 2, 7, 8))


@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 3, 3, 1), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("corners", [False, True])
def test_affine_grid(size, corners):
    n = len(size) - 2
    both(lambda lib, f, theta: f.affine_grid(theta, size, align_corners=corners), (size[0], n, n + 1))


@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("n", [2, 3])
def test_grid_sample(n, mode, padding, corners):
    if mode == "bicubic" and n == 3:
        pytest.skip("bicubic is of two dimensions")
    both(lambda lib, f, x, grid: f.grid_sample(x, grid, mode, padding, corners), (2, 2, *(4, 5, 3)[:n]), (2, *(3, 4, 2)[:n], n))


def test_interpolate_errors():
    x = fg.zeros(1, 2, 3, 4)
    with pytest.raises(ValueError, match="only one of size or scale_factor"):
        F.interpolate(x, 3, 2.0)
    with pytest.raises(ValueError, match="either size or scale_factor"):
        F.interpolate(x)
    with pytest.raises(ValueError, match="align_corners"):
        F.interpolate(x, 3, align_corners=True)
    with pytest.raises(NotImplementedError, match="linear"):
        F.interpolate(x, 3, mode="linear")
    with pytest.raises(ValueError, match="grid_sample"):
        F.grid_sample(x, fg.zeros(1, 2, 2, 2), mode="linear")


@pytest.mark.parametrize("options", [{}, {"dilation": 2}, {"padding": 1, "stride": 2}, {"stride": (2, 1), "dilation": (1, 2)}])
def test_unfold_and_fold(options):
    both(lambda lib, f, x: f.unfold(x, (2, 3), **options), (2, 3, 6, 7))
    both(lambda lib, f, x: f.unfold(x, 2, **options), (3, 6, 7))
    columns = T.unfold(torch.zeros(2, 3, 6, 7), (2, 3), **options).shape
    both(lambda lib, f, x: f.fold(x, (6, 7), (2, 3), **options), tuple(columns))
    both(lambda lib, f, x: f.fold(x, (6, 7), (2, 3), **options), tuple(columns[1:]))


def test_fold_errors():
    with pytest.raises(RuntimeError, match="divisible by the product"):
        F.fold(fg.zeros(1, 5, 4), (3, 3), 2)
    with pytest.raises(RuntimeError, match="sliding blocks"):
        F.fold(fg.zeros(1, 4, 5), (3, 3), 2)
    with pytest.raises(RuntimeError, match="at least one"):
        F.unfold(fg.zeros(1, 4, 2, 2), 3)


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("p", [1, 2, 3])
def test_lp_pool(n, p):
    both(lambda lib, f, x: getattr(f, f"lp_pool{n}d")(lib.exp(x), p, 2), (2, 3, *(6, 4, 5)[:n]))


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("batched", [True, False])
def test_fractional_max_pool(n, batched):
    shape = ((2,) if batched else ()) + (3, *(7, 9, 6)[:n])
    samples = np.random.default_rng(3).uniform(size=(2 if batched else 1, 3, n))

    def call(lib, f, x):
        return getattr(f, f"fractional_max_pool{n}d")(x, 2, output_size=(3, 4, 3)[:n], _random_samples=lib.from_numpy(samples.copy()))

    both(call, shape)
    x = np.random.default_rng(0).normal(size=shape)
    options = {"output_ratio": (0.5,) * n, "return_indices": True}
    found = getattr(F, f"fractional_max_pool{n}d")(fg.from_numpy(x), 2, _random_samples=fg.from_numpy(samples), **options)
    expected = getattr(T, f"fractional_max_pool{n}d")(torch.from_numpy(x), 2, _random_samples=torch.from_numpy(samples), **options)
    for a, b in zip(found, expected):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_max_unpool_undoes_max_pool():
    x = fg.from_numpy(np.random.default_rng(0).normal(size=(2, 3, 6, 4)))
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    restored = F.max_unpool2d(values, indices, 2)
    assert restored.shape == x.shape and bool(((restored == x) | (restored == 0)).all()) and int((restored != 0).sum()) == values.numel()
    with pytest.raises(RuntimeError, match="invalid max index"):
        F.max_unpool2d(values, indices + 24, 2)
    with pytest.raises(ValueError, match="invalid output_size"):
        F.max_unpool2d(values, indices, 2, output_size=(20, 20))


def test_gated_activations():
    both(lambda lib, f, x: f.glu(x, 1), (3, 4, 2))
    both(lambda lib, f, x, w: f.prelu(x, w), (3, 4, 2), (4,))
    both(lambda lib, f, x, w: lib.prelu(x, w), (3,), (1,))
    both(lambda lib, f, x: f.rrelu(x, 0.1, 0.4), (3, 4))
    both(lambda lib, f, a, b, w, c: f.bilinear(a, b, w, c), (3, 4), (3, 5), (2, 4, 5), (2,))
    with pytest.raises(RuntimeError, match="Halving dimension must be even"):
        F.glu(fg.zeros(3))
    with pytest.raises(RuntimeError, match="Mismatch of parameter numbers"):
        F.prelu(fg.zeros(2, 3), fg.zeros(2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rrelu_draws_as_pytorch_does(dtype):
    x = np.random.default_rng(0).normal(size=50).astype(dtype)
    fg.manual_seed(5)
    torch.manual_seed(5)
    found, expected = F.rrelu(fg.from_numpy(x), training=True), T.rrelu(torch.from_numpy(x), training=True)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=2 * np.finfo(dtype).eps)      # the slopes' last bit


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_margin_losses(reduction):
    target, labels = np.array([1, 0, 3]), np.array([[1, 2, -1, 0], [3, -1, 0, 1], [-1, 0, 1, 2]])
    weight = np.array([0.5, 1.0, 2.0, 0.1])
    for p in (1, 2):
        both(lambda lib, f, x: f.multi_margin_loss(x, lib.from_numpy(target), p, 0.7, lib.from_numpy(weight), reduction=reduction), (3, 4))
    both(lambda lib, f, x: f.multilabel_margin_loss(x, lib.from_numpy(labels), reduction=reduction), (3, 4))


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("flat", [False, True])
def test_ctc_loss(reduction, flat):
    targets, lengths = np.array([[1, 2, 2], [3, 1, 0], [2, 0, 0]]), (3, 2, 1)
    if flat:
        targets = np.concatenate([row[:n] for row, n in zip(targets, lengths)])

    def call(lib, f, x):
        return f.ctc_loss(f.log_softmax(x, 2), lib.from_numpy(targets), (8, 6, 7), lengths, reduction=reduction)

    both(call, (8, 3, 5))


def test_ctc_loss_of_what_cannot_be():
    x = np.log(np.full((2, 2, 4), 0.25))
    for zero in (False, True):
        given = {"reduction": "none", "zero_infinity": zero}
        found = F.ctc_loss(fg.from_numpy(x), fg.tensor([[1, 1, 1], [1, 2, 3]]), (2, 2), (3, 0), **given)
        expected = T.ctc_loss(torch.from_numpy(x), torch.tensor([[1, 1, 1], [1, 2, 3]]), (2, 2), (3, 0), **given)
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)
    with pytest.raises(RuntimeError, match="blank must be in label range"):
        F.ctc_loss(fg.from_numpy(x), fg.tensor([[1], [1]]), (2, 2), (1, 1), blank=4)


def test_second_gradients():
    check_gradients(lambda x: F.interpolate(x, 5, mode="linear"), [fg.randn(1, 1, 3, dtype=fg.float64, requires_grad=True)])
    check_gradients(lambda x: F.unfold(x, 2) ** 2, [fg.randn(1, 1, 3, 3, dtype=fg.float64, requires_grad=True)])
    check_gradients(lambda x: fg.pixel_unshuffle(fg.pixel_shuffle(x, 2), 2) ** 3, [fg.randn(1, 4, 2, 2, dtype=fg.float64, requires_grad=True)])
