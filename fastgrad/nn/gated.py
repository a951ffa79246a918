"""Activations of nn.functional that are drawn or gated: rrelu, glu, gumbel_softmax; ../composites/networks.py has what torch has, too."""

import warnings

import fastgrad as fg

__all__ = ["glu", "gumbel_softmax", "rrelu", "rrelu_"]


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3, training=False, inplace=False):
    """input where positive, else a slope times input: drawn from [lower, upper] for each element in training, else their mean.

    Raises: RuntimeError: lower above upper.
    """
    return rrelu_(input, lower, upper, training) if inplace else fg.rrelu(input, lower, upper, training)


def rrelu_(input, lower=1.0 / 8, upper=1.0 / 3, training=False):
    """rrelu, written over the input."""
    return input.copy_(fg.rrelu(input.clone(), lower, upper, training))


def glu(input, dim=-1):
    """The first half of a dimension times the sigmoid of the second.

    Raises: RuntimeError: no dimensions, or an odd size.
    Source: Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks.
    """
    if input.ndim == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    if not input.is_floating_point():
        raise NotImplementedError(f"glu is not implemented for {input.dtype}")
    size = input.shape[dim]
    if size % 2:
        raise RuntimeError(f"Halving dimension must be even, but dimension {dim} is size {size}")
    return input.narrow(dim, 0, size // 2) * fg.sigmoid(input.narrow(dim, size // 2, size // 2))


def gumbel_softmax(logits, tau=1, hard=False, eps=1e-10, dim=-1):
    """softmax((logits + noise) / tau), the noise from Gumbel's distribution: a sample of a category that has a gradient.

    Args:
        tau: the lower, the closer to one category.
        hard: whether to give one category alone, with the gradient of the soft sample.
        eps: without effect, as in PyTorch; another than the default warns.
    Source: Jang et al. 2017, Categorical Reparameterization with Gumbel-Softmax.
    """
    if eps != 1e-10:
        warnings.warn("`eps` parameter is deprecated and has no effect.", stacklevel=2)
    noise = -fg.empty_like(logits, memory_format=fg.contiguous_format).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    chosen = fg.zeros_like(soft.detach()).scatter_(dim, soft.argmax(dim, keepdim=True), 1.0)
    return chosen - soft.detach() + soft
