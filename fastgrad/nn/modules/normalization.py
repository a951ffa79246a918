"""Normalization layers: batch, instance, layer, group, root mean square, local response."""

import fastgrad as fg

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "CrossMapLRN2d", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d",
           "InstanceNorm3d", "LayerNorm", "LocalResponseNorm", "RMSNorm", "SyncBatchNorm"]


class _Scaled(Module):
    """What the norms share: a weight, which starts as ones, and a bias of zeros; either may be None."""

    def _take_parameters(self, shape, device, dtype, **wanted):
        for name, kept in wanted.items():
            self.register_parameter(name, Parameter(fg.empty(shape, device=device, dtype=dtype)) if kept else None)
        self.reset_parameters()

    def reset_parameters(self):
        for name, fill in (("weight", init.ones_), ("bias", init.zeros_)):
            if self._parameters.get(name) is not None:
                fill(self._parameters[name])


class _NormBase(_Scaled):
    """Parameters and running statistics of one number per channel; either may be None."""

    _version = 2

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, *,
                 bias=True):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        made = {"device": device, "dtype": dtype}
        for name, start in self._start_statistics(num_features, made):
            self.register_buffer(name, start if track_running_stats else None)
        self._take_parameters(num_features, **made, weight=affine, bias=affine and bias)

    @staticmethod
    def _start_statistics(count, made):
        """Of no batch: (name, value)s."""
        return [("running_mean", fg.zeros(count, **made)), ("running_var", fg.ones(count, **made)),
                ("num_batches_tracked", fg.tensor(0, dtype=fg.int64))]

    def reset_running_stats(self):
        if self.track_running_stats:
            for name, start in self._start_statistics(self.num_features, {}):
                getattr(self, name).copy_(start)

    def reset_parameters(self):
        self.reset_running_stats()
        super().reset_parameters()

    def _check_input_dim(self, input):
        if input.dim() not in self._dims:
            names = " or ".join(f"{n}D" for n in self._dims)
            raise ValueError(f"expected {names} input (got {input.dim()}D input)")

    def extra_repr(self):
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
        version = local_metadata.get("version", None)
        key = prefix + "num_batches_tracked"
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            # states of the first version did not count batches
            counted = self.num_batches_tracked
            state_dict[key] = counted if counted is not None else fg.tensor(0, dtype=fg.int64)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class _BatchNorm(_NormBase):
    def forward(self, input):
        self._check_input_dim(input)
        average = 0.0 if self.momentum is None else self.momentum
        if self.training and self.track_running_stats and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
            if self.momentum is None:                # the plain mean over all batches so far
                average = 1.0 / float(self.num_batches_tracked)
        own = self.training or (self.running_mean is None and self.running_var is None)
        tracked = not self.training or self.track_running_stats
        return F.batch_norm(input, self.running_mean if tracked else None, self.running_var if tracked else None, self.weight, self.bias,
                            own, average, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalizes each channel over batch and positions.

    Args:
        momentum: how far the running statistics move towards a batch's; None for the mean over all batches.
        track_running_stats: False to normalize by the batch's own statistics in evaluation too.

    Shape: (N, C) or (N, C, L), kept.
    Source: Ioffe and Szegedy 2015, Batch Normalization.
    """

    _dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """As BatchNorm1d, for (N, C, H, W)."""

    _dims = (4,)


class BatchNorm3d(_BatchNorm):
    """As BatchNorm1d, for (N, C, D, H, W)."""

    _dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalization over all processes: there is one, so this is BatchNorm1d for any number of positions.

    Args: as for BatchNorm1d; process_group has no meaning.
    """

    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=True, track_running_stats=True, process_group=None, device=None,
                 dtype=None, *, bias=True):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self.process_group = process_group

    def _check_input_dim(self, input):
        if input.dim() < 2:
            raise ValueError(f"expected at least 2D input (got {input.dim()}D input)")

    @classmethod
    def convert_sync_batchnorm(cls, module, process_group=None):
        """The module with every BatchNorm in it as a SyncBatchNorm that has its parameters and statistics."""
        result = module
        if isinstance(module, _BatchNorm):
            result = cls(module.num_features, module.eps, module.momentum, module.affine, module.track_running_stats, process_group)
            for name in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
                setattr(result, name, getattr(module, name))
            result.training = module.training
        for name, child in module.named_children():
            result.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return result


class _InstanceNorm(_NormBase):
    def __init__(self, num_features, eps=1e-5, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, *,
                 bias=True):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input):
        self._check_input_dim(input)
        single = input.dim() == self._dims[0]
        channels = input.shape[0 if single else 1]
        if channels != self.num_features and self.affine:
            raise ValueError(f"expected input's size at dim={0 if single else 1} to match num_features ({self.num_features}), but got: "
                             f"{channels}.")
        own = self.training or not self.track_running_stats
        momentum = self.momentum if self.momentum is not None else 0.0
        result = F.instance_norm(input.unsqueeze(0) if single else input, self.running_mean, self.running_var, self.weight, self.bias, own,
                                 momentum, self.eps)
        return result.squeeze(0) if single else result


class InstanceNorm1d(_InstanceNorm):
    """Normalizes each channel of each sample over its positions.

    Shape: (N, C, L) or (C, L), kept.
    Source: Ulyanov et al. 2016, Instance Normalization.
    """

    _dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """As InstanceNorm1d, for (N, C, H, W) or (C, H, W)."""

    _dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """As InstanceNorm1d, for (N, C, D, H, W) or (C, D, H, W)."""

    _dims = (4, 5)


class LayerNorm(_Scaled):
    """Normalizes over the last dimensions, of shape normalized_shape.

    Source: Ba et al. 2016, Layer Normalization.
    """

    def __init__(self, normalized_shape, eps=1e-5, elementwise_affine=True, bias=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._take_parameters(self.normalized_shape, device, dtype, weight=elementwise_affine, bias=elementwise_affine and bias)

    def forward(self, input):
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"


class RMSNorm(_Scaled):
    """x / sqrt(mean(x^2) + eps) over the last dimensions; eps=None is the dtype's own.

    Source: Zhang and Sennrich 2019, Root Mean Square Layer Normalization.
    """

    def __init__(self, normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None):
        super().__init__()
        self.normalized_shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._take_parameters(self.normalized_shape, device, dtype, weight=elementwise_affine)

    def forward(self, x):
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self):
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"


class GroupNorm(_Scaled):
    """Normalizes each sample over each of num_groups groups of channels.

    Source: Wu and He 2018, Group Normalization.
    """

    def __init__(self, num_groups, num_channels, eps=1e-5, affine=True, device=None, dtype=None, *, bias=True):
        super().__init__()
        if num_channels % num_groups:
            raise ValueError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._take_parameters(num_channels, device, dtype, weight=affine, bias=affine and bias)

    def forward(self, input):
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self):
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, bias={self.bias is not None}"


class LocalResponseNorm(Module):
    """Divides by a power of the mean square over neighbouring channels.

    Source: Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks.
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1.0):
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input):
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self):
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(LocalResponseNorm):
    """x / (k + alpha / size sum of squares over neighbouring channels)^beta, of (N, C, H, W).

    PyTorch's leaves the first channel's square in the sum of all channels from number `size // 2 + 1` on; this one follows the formula.

    Source: Krizhevsky et al. 2012, ImageNet Classification with Deep Convolutional Neural Networks.
    """

    def __init__(self, size, alpha=1e-4, beta=0.75, k=1):
        super().__init__(size, alpha, beta, k)

    def forward(self, input):
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        reach = (self.size + 1) // 2 - 1                 # channels on either side
        squares = F.pad(input * input, (0, 0, 0, 0, reach, reach))
        total = sum(squares.narrow(1, i, input.size(1)) for i in range(2 * reach + 1))
        return input * (self.k + self.alpha / self.size * total) ** -self.beta
