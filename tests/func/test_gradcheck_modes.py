"""gradcheck of forward mode and of batches: right functions pass, and wrong ones do not."""

import pytest

import fastgrad as fg
from fastgrad.autograd import gradcheck, gradgradcheck

F = fg.nn.functional
ALL = {"check_forward_ad": True, "check_batched_grad": True, "check_batched_forward_grad": True}


def leaf(*shape):
    fg.manual_seed(0)
    return (fg.rand(shape, dtype=fg.float64) + 0.1).requires_grad_()


FUNCTIONS = {
    "sin": (lambda x: x.sin(), (3,)), "product": (lambda x, y: x * y, (2, 3), (3,)), "matmul": (lambda x, y: x @ y, (2, 3), (3, 2)),
    "softmax": (lambda x: x.softmax(1), (2, 3)), "two outputs": (lambda x: (x.exp(), x.sum()), (3,)),
    "norm": (lambda x, w: F.layer_norm(x, (3,), w), (2, 3), (3,)), "write": (lambda x: (x * 2).mul_(x).clamp_(0.2, 1.0), (4,)),
    "index": (lambda x: x[fg.tensor([0, 2, 0])] ** 2, (3,)), "cumsum": (lambda x: x.cumsum(0) / x, (3,)),
    "conv": (lambda x, w: F.conv1d(x, w), (1, 2, 4), (1, 2, 2)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_passes(name):
    f, *shapes = FUNCTIONS[name]
    assert gradcheck(f, [leaf(*s) for s in shapes], **ALL)


@pytest.mark.parametrize("name", ["sin", "product", "matmul", "softmax", "norm", "conv"])
def test_forward_over_reverse(name):
    f, *shapes = FUNCTIONS[name]
    assert gradgradcheck(f, [leaf(*s) for s in shapes], check_fwd_over_rev=True)


def test_an_input_in_two_places():
    """Both are moved, as in PyTorch."""
    x = leaf(3)
    assert gradcheck(lambda a, b: a * b * b, (x, x)) and gradgradcheck(lambda a, b: a * b * b, (x, x))


class Wrong(fg.autograd.Function):
    """Its backward is right, its jvp is not."""

    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, g):
        return g * 2

    @staticmethod
    def jvp(ctx, v):
        return v * 3


def test_finds_a_wrong_jvp():
    assert gradcheck(Wrong.apply, [leaf(3)])
    with pytest.raises(RuntimeError, match="computed with forward mode mismatch"):
        gradcheck(Wrong.apply, [leaf(3)], check_forward_ad=True)
    with pytest.raises(RuntimeError, match="computed with forward mode mismatch"):
        gradcheck(Wrong.apply, [leaf(3)], check_forward_ad=True, check_backward_ad=False)


def test_refuses_what_makes_no_sense():
    with pytest.raises(AssertionError, match="check_batched_forward_grad"):
        gradcheck(fg.sin, [leaf(2)], check_batched_forward_grad=True)
    with pytest.raises(AssertionError, match="at least one"):
        gradcheck(fg.sin, [leaf(2)], check_backward_ad=False)


def test_what_has_no_gradient_must_be_constant():
    assert gradcheck(lambda x: x.detach().floor(), [leaf(3)])
    with pytest.raises(RuntimeError, match="expected to be zero"):
        gradcheck(lambda x: (x * 2).detach(), [leaf(3)])
