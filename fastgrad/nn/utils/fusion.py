"""Batch normalization folded into the layer before it, for evaluation; torch.nn.utils.fusion."""

from copy import deepcopy

import fastgrad as fg

from ..parameter import Parameter

__all__ = ["fuse_conv_bn_eval", "fuse_conv_bn_weights", "fuse_linear_bn_eval", "fuse_linear_bn_weights"]


def _fused(layer, bn, fold, what):
    if layer.training or bn.training:
        raise AssertionError("Fusion only for eval!")
    fused = deepcopy(layer)
    if bn.running_mean is None or bn.running_var is None:
        raise AssertionError(f"{what}: the batch normalization has no running statistics")
    fused.weight, fused.bias = fold(fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias)
    return fused


def fuse_conv_bn_eval(conv, bn, transpose=False):
    """A convolution that does what conv and then bn do in evaluation.

    Args:
        transpose: whether conv is a transposed convolution.
    """
    return _fused(conv, bn, lambda *args: fuse_conv_bn_weights(*args, transpose), "fuse_conv_bn_eval")


def fuse_conv_bn_weights(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, transpose=False):
    """(weight, bias) of that convolution; bn_rm and bn_rv are running mean and variance."""
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    return _folded(conv_w, conv_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, shape)


def fuse_linear_bn_eval(linear, bn):
    """A Linear that does what linear and then bn do in evaluation."""
    if not (linear.out_features == bn.num_features or bn.num_features == 1):
        raise AssertionError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    return _fused(linear, bn, fuse_linear_bn_weights, "fuse_linear_bn_eval")


def fuse_linear_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b):
    """(weight, bias) of that Linear; bn_rm and bn_rv are running mean and variance."""
    return _folded(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b, [-1, 1])


def _folded(weight, bias, mean, variance, eps, scale, shift, shape):
    bias = fg.zeros_like(mean) if bias is None else bias
    scale = fg.ones_like(mean) if scale is None else scale
    shift = fg.zeros_like(mean) if shift is None else shift
    factor = scale * fg.rsqrt(variance + eps)
    wants = weight.requires_grad, bias.requires_grad
    new = (weight * factor.reshape(shape)).to(weight.dtype), ((bias - mean) * factor + shift).to(bias.dtype)
    return tuple(Parameter(value.detach(), want) for value, want in zip(new, wants))
