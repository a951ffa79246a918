"""Dropouts of nn.functional that drop whole channels, or keep mean and variance; ../composites/dropouts.py draws."""

import warnings

from fastgrad.composites.dropouts import check_probability, drop

__all__ = ["alpha_dropout", "dropout1d", "dropout2d", "dropout3d", "feature_alpha_dropout"]


def _purpose(n):
    dims = f"inputs with {n} spatial dimension{'s' if n > 1 else ''}, a channel dimension, and an optional batch dimension"
    return f"Note that dropout{n}d exists to provide channel-wise dropout on {dims} (i.e. {n + 1}D or {n + 2}D inputs)."


def _warn(n, ndim):
    warnings.warn(f"dropout{n}d: Received a {ndim}-D input to dropout{n}d, which is deprecated and will result in an error in a future "
                  f"release. To retain the behavior and silence this warning, please use dropout instead. {_purpose(n)}", stacklevel=3)


def _one_example(input, p, training, inplace):
    """Channels of an input without batch dimension."""
    out = drop(input.unsqueeze(0), p, training, inplace, by_channel=True, alpha=False)
    return input if inplace else out.squeeze(0)


def dropout1d(input, p=0.5, training=True, inplace=False):
    """Zero channels of (N, C, L) or (C, L) with probability p and scale the others by 1 / (1 - p), in training.

    Raises: ValueError: p outside [0, 1].  RuntimeError: other than 2 or 3 dimensions.
    """
    check_probability(p)
    if input.dim() not in (2, 3):
        raise RuntimeError(f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. {_purpose(1)}")
    if input.dim() == 2:
        return _one_example(input, p, training, inplace)
    return drop(input, p, training, inplace, by_channel=True, alpha=False)


def dropout2d(input, p=0.5, training=True, inplace=False):
    """Zero channels of (N, C, H, W) with probability p and scale the others by 1 / (1 - p), in training.

    A 3D input is (N, C, L), as in PyTorch.

    Raises: ValueError: p outside [0, 1].  RuntimeError: fewer than two dimensions.
    """
    check_probability(p)
    if input.dim() == 3:
        warnings.warn("dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired - input "
                      "is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a future release to "
                      "interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain the 1D channel-wise "
                      "dropout behavior, please switch to using dropout1d instead.", stacklevel=2)
    elif input.dim() != 4:
        _warn(2, input.dim())
    return drop(input, p, training, inplace, by_channel=True, alpha=False)


def dropout3d(input, p=0.5, training=True, inplace=False):
    """Zero channels of (N, C, D, H, W) or (C, D, H, W) with probability p and scale the others by 1 / (1 - p), in training.

    Raises: ValueError: p outside [0, 1].  RuntimeError: no dimension.
    """
    check_probability(p)
    if input.dim() not in (4, 5):
        _warn(3, input.dim())
    if input.dim() == 5:
        return drop(input, p, training, inplace, by_channel=True, alpha=False)
    return _one_example(input, p, training, inplace)


def alpha_dropout(input, p=0.5, training=False, inplace=False):
    """Set elements to selu's negative saturation with probability p, then restore mean 0 and variance 1, in training.

    Raises: ValueError: p outside [0, 1].
    Source: Klambauer et al. 2017, Self-Normalizing Neural Networks.
    """
    return drop(input, p, training, inplace, by_channel=False, alpha=True)


def feature_alpha_dropout(input, p=0.5, training=False, inplace=False):
    """alpha_dropout of whole channels of (N, C, ...)."""
    return drop(input, p, training, inplace, by_channel=True, alpha=True)
