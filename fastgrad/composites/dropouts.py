"""Dropouts that drop whole channels, or keep mean and variance of self-normalizing networks; each draws as PyTorch does.

`dropout` itself, which hot loops call, is a row of ../../src/ops/table/random.py.
"""

import math

import fastgrad
from fastgrad._composite import composite
from fastgrad._engine import Tensor

ALPHA = 1.7580993408473766      # scale times alpha of selu: minus what it saturates at


def _kept(input, p, by_channel):
    """Ones with probability 1 - p, else zeros: for each element, or for each channel, to be broadcast over input."""
    if by_channel and input.dim() < 2:
        raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
    shape = (*input.shape[:2], *[1] * (input.dim() - 2)) if by_channel else input.shape
    return input.new_empty(shape).bernoulli_(1 - p)


def check_probability(p):
    if not 0 <= p <= 1:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def drop(input, p, train, inplace, *, by_channel, alpha):
    """Every dropout of this file: by_channel and alpha say which."""
    if not isinstance(input, Tensor):
        raise TypeError(f"dropout(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")
    check_probability(p)
    if p == 0 or not train or input.numel() == 0:
        return input
    if p == 1:
        return input.mul_(0) if inplace else input * 0
    noise = _kept(input, p, by_channel)
    if not alpha:
        noise.div_(1 - p)
        return input.mul_(noise) if inplace else input * noise
    scale = 1 / math.sqrt((ALPHA * ALPHA * p + 1) * (1 - p))
    shift = (noise - 1).mul_(ALPHA * scale).add_(ALPHA * scale * p)
    noise.mul_(scale)
    return input.mul_(noise).add_(shift) if inplace else input * noise + shift


@composite(out=False)
def feature_dropout(input: Tensor, p: float, train: bool):
    """Zero whole channels (dimension 1) with probability p and scale the others by 1 / (1 - p), in training.

    Args:
        input: (N, C, ...).
    Raises: ValueError: p outside [0, 1].  RuntimeError: fewer than two dimensions.
    Example:
        >>> fastgrad.feature_dropout(fastgrad.ones(1, 2, 2), 0.5, False)
        tensor([[[1., 1.],
                 [1., 1.]]])
    Source: Tompson et al. 2015, Efficient Object Localization Using Convolutional Networks.
    """
    return drop(input, p, train, False, by_channel=True, alpha=False)


@composite(out=False)
def alpha_dropout(input: Tensor, p: float, train: bool):
    """Set elements to selu's negative saturation with probability p, then restore mean 0 and variance 1, in training.

    Raises: ValueError: p outside [0, 1].
    Example:
        >>> fastgrad.alpha_dropout(fastgrad.ones(2), 0.5, False)
        tensor([1., 1.])
    Source: Klambauer et al. 2017, Self-Normalizing Neural Networks.
    """
    return drop(input, p, train, False, by_channel=False, alpha=True)


@composite(out=False)
def feature_alpha_dropout(input: Tensor, p: float, train: bool):
    """alpha_dropout of whole channels; arguments as for feature_dropout.

    Example:
        >>> fastgrad.feature_alpha_dropout(fastgrad.ones(1, 2), 0.5, False)
        tensor([[1., 1.]])
    """
    return drop(input, p, train, False, by_channel=True, alpha=True)
