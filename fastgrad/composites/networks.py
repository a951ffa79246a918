"""Functions of networks that PyTorch has at the top level too: prelu, rrelu, bilinear; norms, with its top-level signatures."""

import fastgrad as fg
from fastgrad import _ops
from fastgrad._composite import composite
from fastgrad._engine import Tensor


@composite(method=True, out=False)
def prelu(input: Tensor, weight: Tensor):
    """input where positive, else weight * input.

    Args:
        weight: one slope, or one for each channel (dimension 1).
    Raises: RuntimeError: another number of slopes, or another dtype.
    """
    if weight.numel() != 1:
        if input.ndim == 0:
            raise RuntimeError("Not allow zero-dim input tensor.")
        channels = input.shape[1] if input.ndim > 1 else 1
        if weight.numel() != channels:
            raise RuntimeError(f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {weight.numel()} and "
                               f"channel size = {channels}.")
    if weight.ndim > 1:
        raise RuntimeError(f"prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = {weight.ndim}")
    if input.dtype != weight.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}")
    if weight.ndim == 1 and input.ndim != 1:
        weight = weight.reshape([1] * (input.ndim > 1) + [-1] + [1] * max(input.ndim - 2, 0)) if input.ndim else weight.reshape(())
    input, weight = _ops._tied(input), _ops._tied(weight)
    return fg.where(input > 0, input, weight * input)


@composite(out=False)
def rrelu(input: Tensor, lower=1.0 / 8, upper=1.0 / 3, training: bool = False):
    """input where positive, else a slope times input: drawn from [lower, upper] for each element in training, else their mean."""
    if not lower <= upper:
        raise RuntimeError(f"rrelu: Lower bound should be less than or equal to the upper bound, got {lower} and {upper}")
    if not input.is_floating_point():
        raise NotImplementedError(f"rrelu is not implemented for {input.dtype}")
    if not training:
        return _ops.leaky_relu(input, (lower + upper) / 2)
    input = _ops._tied(input)
    below = (input <= 0).detach()
    drawn = fg.empty(int(below.sum()), dtype=fg.float64).uniform_(lower, upper).to(input.dtype)
    return input * fg.ones_like(input.detach()).masked_scatter(below, drawn)


@composite(out=False)
def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias=None):
    """input1 A_k input2^T + b_k for each matrix A_k of the weight.

    Args:
        input1: (*, i).  input2: (*, j).  weight: (k, i, j).  bias: (k).
    Returns: (*, k).
    Raises: RuntimeError: sizes that do not fit.
    """
    if input1.ndim != input2.ndim or input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError(f"bilinear(): input batch dimensions do not match: got {list(input1.shape)} and {list(input2.shape)}")
    if (input1.shape[-1], input2.shape[-1]) != tuple(weight.shape[1:]):
        raise RuntimeError(f"bilinear(): input sizes {input1.shape[-1]} and {input2.shape[-1]} do not match weight {list(weight.shape)}")
    if bias is not None and bias.shape[0] != weight.shape[0]:
        raise RuntimeError(f"bilinear(): bias size does not match weight size: got {bias.shape[0]} but expected {weight.shape[0]}")
    out = fg.einsum("bi,kij,bj->bk", input1.reshape(-1, input1.shape[-1]), weight, input2.reshape(-1, input2.shape[-1]))
    out = out.reshape(*input1.shape[:-1], weight.shape[0])
    return out if bias is None else out + bias


@composite(out=False)
def embedding(weight: Tensor, indices: Tensor, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False):
    """nn.functional.embedding, its first arguments in the other order; a negative padding_idx is none."""
    return fg.nn.functional.embedding(indices, weight, None if padding_idx < 0 else padding_idx, None, 2.0, scale_grad_by_freq, sparse)


# ---- norms

@composite(out=False)
def layer_norm(input: Tensor, normalized_shape, weight=None, bias=None, eps: float = 1e-5, cudnn_enable: bool = True):
    """nn.functional.layer_norm; `cudnn_enable` is of no effect on a CPU."""
    return fg.nn.functional.layer_norm(input, normalized_shape, weight, bias, eps)


@composite(out=False)
def rms_norm(input: Tensor, normalized_shape, weight=None, eps: float = None):
    """nn.functional.rms_norm."""
    return fg.nn.functional.rms_norm(input, normalized_shape, weight, eps)


@composite(out=False)
def group_norm(input: Tensor, num_groups: int, weight=None, bias=None, eps: float = 1e-5, cudnn_enabled: bool = True):
    """nn.functional.group_norm, also of a single number a channel; `cudnn_enabled` is of no effect on a CPU."""
    return fg.nn.normalizing.group_norm_of_any_batch(input, num_groups, weight, bias, eps)


@composite()
def batch_norm(input: Tensor, weight, bias, running_mean, running_var, training: bool, momentum: float, eps: float, cudnn_enabled: bool):
    """nn.functional.batch_norm, its arguments in another order; `cudnn_enabled` is of no effect on a CPU."""
    return fg.nn.functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@composite()
def instance_norm(input: Tensor, weight, bias, running_mean, running_var, use_input_stats: bool, momentum: float, eps: float, cudnn_enabled: bool):
    """nn.functional.instance_norm, its arguments in another order; `cudnn_enabled` is of no effect on a CPU."""
    return fg.nn.functional.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)
