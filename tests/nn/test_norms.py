"""Batch, layer, group, instance and root mean square norm against PyTorch: values, running statistics, first and second gradients."""

import numpy as np
import pytest
import torch

import fastgrad as fg

SHAPES = [(2, 6), (5, 6), (3, 6, 1), (3, 6, 7), (70, 6), (130, 6, 2), (2, 6, 5, 9), (3, 6, 4, 4, 3), (2, 6, 70, 70)]
NORMS = {
    "batch": lambda F, x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    "group 2": lambda F, x, w, b: F.group_norm(x, 2, w, b),
    "group 6": lambda F, x, w, b: F.group_norm(x, 6, w, b, eps=0.1),
    "group 1": lambda F, x, w, b: F.group_norm(x, 1, w, b),
    "instance": lambda F, x, w, b: F.instance_norm(x, None, None, w, b),
    "layer 1": lambda F, x, w, b: F.layer_norm(x, x.shape[-1:]),
    "layer all": lambda F, x, w, b: F.layer_norm(x, x.shape[1:], eps=1e-3),
    "rms": lambda F, x, w, b: F.rms_norm(x, x.shape[-1:]),
}


def gradients(lib, function, arrays, second):
    leaves = [lib.from_numpy(a.copy()).requires_grad_() for a in arrays]
    out = function(lib.nn.functional, *leaves)
    rng = np.random.default_rng(7)
    weights = lib.from_numpy(rng.standard_normal(tuple(out.shape)).astype(arrays[0].dtype))
    found = lib.autograd.grad((out * weights).sum(), leaves, create_graph=second, allow_unused=True)
    found = [g for g in found if g is not None]
    if second:
        found += [g for g in lib.autograd.grad(sum((g * g).sum() for g in found), leaves, allow_unused=True) if g is not None]
    return [t.detach().numpy() for t in (out, *found)]


def compare(function, arrays, tolerance, second=True):
    expected, found = (gradients(lib, function, arrays, second) for lib in (torch, fg))
    for e, f in zip(expected, found, strict=True):
        assert e.shape == f.shape and e.dtype == f.dtype
        np.testing.assert_allclose(f, e, rtol=tolerance, atol=tolerance * max(np.abs(e).max(), 1))


def arrays(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    return [(rng.standard_normal(s) * 2 + 3).astype(dtype) for s in (shape, shape[1:2], shape[1:2])]


@pytest.mark.parametrize("name", NORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_norm(name, shape):
    one = {"group 6": shape[2:], "instance": shape[2:], "layer 1": shape[-1:]}.get(name)
    if one is not None and int(np.prod(one)) == 1 or name == "instance" and len(shape) == 2:
        return
    compare(NORMS[name], arrays(shape, np.float64), 1e-7)
    compare(NORMS[name], arrays(shape, np.float32), 2e-4, second=False)


@pytest.mark.parametrize("parameters", ["weight", "bias", "both"])
@pytest.mark.parametrize("name, shape, own", [("layer_norm", (4, 5, 70), (70,)), ("layer_norm", (3, 4, 5), (4, 5)), ("rms_norm", (3, 4, 5), (5,)),
                                               ("layer_norm", (200, 3), (3,))])
def test_parameters(name, shape, own, parameters):
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s) for s in (shape, own, own))
    if name == "rms_norm":
        compare(lambda F, x, w: F.rms_norm(x, own, w), [x, w], 1e-7)
    elif parameters == "both":
        compare(lambda F, x, w, b: F.layer_norm(x, own, w, b), [x, w, b], 1e-7)
    else:
        # PyTorch has no second gradient of a bias without a weight
        compare(lambda F, x, w: F.layer_norm(x, own, **{parameters: w}), [x, w], 1e-7, second=parameters == "weight")


@pytest.mark.parametrize("shape", [(5, 6), (3, 6, 7), (2, 6, 5, 9)])
def test_statistics_given(shape):
    rng = np.random.default_rng(0)
    mean, var = rng.standard_normal(6), rng.uniform(0.5, 2, 6)
    compare(lambda F, x, w, b: F.batch_norm(x, type(x).new_tensor(x, mean.tolist()), type(x).new_tensor(x, var.tolist()), w, b),
            arrays(shape, np.float64), 1e-7)


def test_running_statistics():
    x = np.random.default_rng(0).standard_normal((4, 6, 5, 3)).astype(np.float32) * 3 + 1
    found = []
    for lib in (torch, fg):
        for layer in (lib.nn.BatchNorm2d(6, momentum=0.3), lib.nn.InstanceNorm2d(6, track_running_stats=True)):
            for _ in range(3):
                layer(lib.from_numpy(x))
            found.append([layer.running_mean.numpy(), layer.running_var.numpy(), layer.eval()(lib.from_numpy(x)).detach().numpy()])
    for e, f in zip(found[:2], found[2:]):
        for a, b in zip(e, f, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves(dtype):
    found = []
    for lib in (torch, fg):
        x = lib.arange(48).reshape(2, 6, 4).to(getattr(lib, dtype))
        out = lib.nn.functional.group_norm(x, 3)
        assert str(out.dtype) == f"torch.{dtype}"
        found.append(out.float().numpy())
    np.testing.assert_allclose(*found, rtol=2e-2, atol=2e-2)


def test_no_rows():
    for lib in (torch, fg):
        x, w = lib.ones(0, 5).requires_grad_(), lib.ones(5).requires_grad_()
        lib.nn.functional.layer_norm(x, (5,), w).sum().backward()
        assert tuple(x.grad.shape) == (0, 5) and not w.grad.any()


def test_vmap():
    x = np.random.default_rng(0).standard_normal((3, 2, 4, 5))
    for norm in (lambda F, t: F.layer_norm(t, (5,)), lambda F, t: F.group_norm(t, 2)):
        found = [lib.vmap(lambda t: norm(lib.nn.functional, t))(lib.from_numpy(x)).numpy() for lib in (torch, fg)]
        np.testing.assert_allclose(*found, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 5), (2, 3, 0)])
def test_an_empty_batch_moves_no_statistics(shape):
    for lib in (torch, fg):
        norm = lib.nn.BatchNorm1d(3)
        assert norm(lib.zeros(shape)).shape == shape
        assert (norm.running_mean.tolist(), norm.running_var.tolist(), norm.num_batches_tracked.item()) == ([0, 0, 0], [1, 1, 1], 1)
