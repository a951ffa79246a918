"""In which order the results of channels-last inputs lie, and the gradients of leaves whose memory is not row-major: as PyTorch's do."""

import fastgrad
import numpy as np
import pytest
import torch

PLANES = {
    "Conv2d": lambda nn: nn.Conv2d(3, 4, 3), "1 by 1": lambda nn: nn.Conv2d(3, 3, 1), "groups": lambda nn: nn.Conv2d(3, 3, 3, groups=3),
    "ConvTranspose2d": lambda nn: nn.ConvTranspose2d(3, 4, 3), "MaxPool2d": lambda nn: nn.MaxPool2d(2), "AvgPool2d": lambda nn: nn.AvgPool2d(2),
    "LPPool2d": lambda nn: nn.LPPool2d(2, 2), "AdaptiveAvgPool2d": lambda nn: nn.AdaptiveAvgPool2d(3), "AdaptiveMaxPool2d": lambda nn: nn.AdaptiveMaxPool2d(2),
    "BatchNorm2d": lambda nn: nn.BatchNorm2d(3), "evaluated": lambda nn: nn.BatchNorm2d(3).eval(), "GroupNorm": lambda nn: nn.GroupNorm(3, 3),
    "InstanceNorm2d": lambda nn: nn.InstanceNorm2d(3), "LayerNorm": lambda nn: nn.LayerNorm(8), "nearest": lambda nn: nn.Upsample(scale_factor=2),
    "bilinear": lambda nn: nn.Upsample(scale_factor=2, mode="bilinear"), "bicubic": lambda nn: nn.Upsample(scale_factor=2, mode="bicubic"),
    "ZeroPad2d": lambda nn: nn.ZeroPad2d(1), "ReflectionPad2d": lambda nn: nn.ReflectionPad2d(1), "ReplicationPad2d": lambda nn: nn.ReplicationPad2d(1),
    "CircularPad2d": lambda nn: nn.CircularPad2d(1), "ReLU": lambda nn: nn.ReLU(), "Dropout": lambda nn: nn.Dropout(), "Softmax": lambda nn: nn.Softmax(1),
}
SPACES = {
    "Conv3d": lambda nn: nn.Conv3d(3, 4, 3), "MaxPool3d": lambda nn: nn.MaxPool3d(2), "AvgPool3d": lambda nn: nn.AvgPool3d(2),
    "BatchNorm3d": lambda nn: nn.BatchNorm3d(3), "nearest": lambda nn: nn.Upsample(scale_factor=2),
    "trilinear": lambda nn: nn.Upsample(scale_factor=2, mode="trilinear"), "AdaptiveAvgPool3d": lambda nn: nn.AdaptiveAvgPool3d(2),
    "AdaptiveMaxPool3d": lambda nn: nn.AdaptiveMaxPool3d(2), "ConstantPad3d": lambda nn: nn.ConstantPad3d(1, 0.0), "ReflectionPad3d": lambda nn: nn.ReflectionPad3d(1),
}


def results(make, shape, format):
    """(output's strides, output, gradient's strides, gradient) of both libraries."""
    values = np.random.default_rng(0).normal(size=shape).astype("float32")
    found = []
    for lib in (fastgrad, torch):
        lib.manual_seed(0)
        layer = make(lib.nn)
        x = lib.from_numpy(values).contiguous(memory_format=getattr(lib, format)).requires_grad_()
        out = layer(x)
        (out * out).sum().backward()
        found.append((out.stride(), out.detach().numpy(), x.grad.stride(), x.grad.numpy()))
    return found


@pytest.mark.parametrize("name", PLANES)
def test_layers_of_planes(name):
    ours, theirs = results(PLANES[name], (2, 3, 8, 8), "channels_last")
    assert ours[0] == theirs[0] and ours[2] == theirs[2]
    for mine, expected in zip(ours[1::2], theirs[1::2]):
        np.testing.assert_allclose(mine, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", SPACES)
def test_layers_of_spaces(name):
    ours, theirs = results(SPACES[name], (2, 3, 6, 6, 6), "channels_last_3d")
    assert ours[0] == theirs[0] and ours[2] == theirs[2]
    for mine, expected in zip(ours[1::2], theirs[1::2]):
        np.testing.assert_allclose(mine, expected, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_a_network_learns_in_channels_last(optimizer):
    values = np.random.default_rng(0).normal(size=(4, 3, 8, 8)).astype("float32")
    found = []
    for lib in (fastgrad, torch):
        lib.manual_seed(0)
        nn = lib.nn
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 2))
        net = net.to(memory_format=lib.channels_last)
        steps = getattr(lib.optim, optimizer)(net.parameters(), lr=0.01)
        x = lib.from_numpy(values).to(memory_format=lib.channels_last)
        for _ in range(3):
            steps.zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            steps.step()
        found.append([loss.item(), net[0].weight.stride(), net[0].weight.grad.stride()])
    assert found[0][1:] == found[1][1:]
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)


JOINED = ["cat([a, a])", "cat([a, a], 1)", "cat([a, b])", "cat([b, a])", "cat([a, a.double()])", "conv2d(b, w)", "conv2d(a, w)"]


@pytest.mark.parametrize("call", JOINED)
def test_of_two_operands(call):
    strides = []
    for lib in (fastgrad, torch):
        b, w = lib.ones(2, 3, 4, 5), lib.ones(4, 3, 2, 2).to(memory_format=lib.channels_last)
        strides.append(eval("lib." + call, {"lib": lib, "a": b.to(memory_format=lib.channels_last), "b": b, "w": w}).stride())
    assert strides[0] == strides[1]


@pytest.mark.parametrize("call", ["x.t()", "x.permute(1, 0)", "x[::2]", "x[:, 1:]"])
@pytest.mark.parametrize("use", ["leaf * 2", "leaf @ lib.ones(leaf.shape[1], 2)", "leaf.sum() * leaf"])
def test_gradients_lie_as_their_leaves_do(call, use):
    strides = []
    for lib in (fastgrad, torch):
        leaf = eval(call, {"x": lib.ones(4, 3)}).detach().requires_grad_()
        eval(use, {"leaf": leaf, "lib": lib}).sum().backward()
        strides.append(leaf.grad.stride())
    assert strides[0] == strides[1]


def test_resize_takes_a_memory_format():
    strides = [lib.arange(6.0).resize_(2, 3, 4, 5, memory_format=lib.channels_last).stride() for lib in (fastgrad, torch)]
    assert strides[0] == strides[1] == (60, 1, 15, 3)
