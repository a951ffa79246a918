"""Gamma and Dirichlet draws with gradients: a draw moves with its parameters so that its probability stays (implicit reparametrisation).

The numbers come from ../../src/ops/random_gamma.pxi.  Source: Figurnov, Mohamed and Mnih, Implicit Reparameterization Gradients, 2018.
"""

import fastgrad
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor
from fastgrad.autograd.function import Function, once_differentiable


@composite()
def _standard_gamma(input: Tensor, generator=None):
    """Gamma numbers of scale 1 with the concentrations in `input`, and their gradient.

    Args:
        input: concentrations, any shape.
        generator: where the random numbers come from; the default generator where it is None.
    Example:
        >>> bool((fastgrad._standard_gamma(fastgrad.ones(3)) > 0).all())
        True
    """
    return StandardGamma.apply(input, generator)


@composite()
def _sample_dirichlet(input: Tensor, generator=None):
    """Probabilities of a Dirichlet distribution with the concentrations in the last dimension of `input`, and their gradient.

    Args:
        input: concentrations, (..., n).
        generator: where the random numbers come from; the default generator where it is None.
    Example:
        >>> fastgrad._sample_dirichlet(fastgrad.ones(2, 3)).shape
        torch.Size([2, 3])
    """
    return SampleDirichlet.apply(input, generator)


def _dirichlet(input, generator):
    """Gamma numbers over their sum, kept inside (0, 1)."""
    draws = _ops._gamma_draws(input.double(), generator)
    finfo = fastgrad.finfo(input.dtype)
    below_one = 1 - finfo.eps / 2
    return (draws / draws.sum(-1, keepdim=True)).to(input.dtype).clamp(finfo.tiny, below_one)


class StandardGamma(Function):
    @staticmethod
    def forward(ctx, input, generator):
        output = _ops._gamma_draws(input, generator)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        return grad * _ops._standard_gamma_grad(*ctx.saved_tensors), None


class SampleDirichlet(Function):
    @staticmethod
    def forward(ctx, input, generator):
        output = _dirichlet(input, generator)
        ctx.save_for_backward(input, output)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        input, output = ctx.saved_tensors
        total = input.sum(-1, keepdim=True).expand_as(input)
        return _ops._dirichlet_grad(output, input, total) * (grad - (output * grad).sum(-1, keepdim=True)), None
