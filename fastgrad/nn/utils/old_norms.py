"""weight_norm and spectral_norm in their old form: a hook computes the weight before each forward."""

import warnings

import fastgrad as fg

from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..parameter import Parameter

__all__ = ["SpectralNorm", "WeightNorm", "remove_spectral_norm", "remove_weight_norm", "spectral_norm", "weight_norm"]


def _hook_of(module, kind, name):
    """(key, hook) of the hook of that kind for a tensor; (None, None) without one."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:
            return key, hook
    return None, None


def _register(module, hook, what):
    if _hook_of(module, type(hook), hook.name)[1] is not None:
        raise RuntimeError(f"Cannot register two {what} hooks on the same parameter {hook.name}")
    hook.start(module)
    module.register_forward_pre_hook(hook)
    return module


class WeightNorm:
    """The hook of weight_norm: weight = weight_g weight_v / |weight_v|."""

    def __init__(self, name, dim):
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module):
        return fg._weight_norm(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    def start(self, module):
        weight = getattr(module, self.name)
        del module._parameters[self.name]
        module.register_parameter(self.name + "_g", Parameter(fg.norm_except_dim(weight.detach(), 2, self.dim)))
        module.register_parameter(self.name + "_v", Parameter(weight.detach()))
        setattr(module, self.name, self.compute_weight(module))

    def remove(self, module):
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"], module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module, name="weight", dim=0):
    """Write a weight as length `weight_g` times direction `weight_v`; the old form of parametrizations.weight_norm."""
    warnings.warn("`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.", FutureWarning,
                  stacklevel=2)
    return _register(module, WeightNorm(name, dim), "weight_norm")


def remove_weight_norm(module, name="weight"):
    """Undo weight_norm; the weight keeps its value."""
    return _remove(module, WeightNorm, name, "weight_norm")


def _remove(module, kind, name, what):
    key, hook = _hook_of(module, kind, name)
    if hook is None:
        raise ValueError(f"{what} of '{name}' not found in {module}")
    hook.remove(module)
    del module._forward_pre_hooks[key]
    return module


class SpectralNorm:
    """The hook of spectral_norm: weight = weight_orig over its largest singular value, which weight_u and weight_v follow."""

    def __init__(self, name="weight", n_power_iterations=1, dim=0, eps=1e-12):
        if n_power_iterations <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight):
        return weight.movedim(self.dim, 0).flatten(1)

    def compute_weight(self, module, do_power_iteration):
        weight, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with fg.no_grad():
                for _ in range(self.n_power_iterations):
                    v.copy_(F.normalize(matrix.T @ u, dim=0, eps=self.eps))
                    u.copy_(F.normalize(matrix @ v, dim=0, eps=self.eps))
                u, v = u.clone(), v.clone()
        return weight / u.dot(matrix @ v)

    def start(self, module):
        weight = module._parameters[self.name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{self.name}` is None")
        with fg.no_grad():
            matrix = self.reshape_weight_to_matrix(weight)
            u = F.normalize(weight.new_empty(matrix.size(0)).normal_(0, 1), dim=0, eps=self.eps)
            v = F.normalize(weight.new_empty(matrix.size(1)).normal_(0, 1), dim=0, eps=self.eps)
        delattr(module, self.name)
        module.register_parameter(self.name + "_orig", weight)
        setattr(module, self.name, weight.data)
        module.register_buffer(self.name + "_u", u)
        module.register_buffer(self.name + "_v", v)

    def remove(self, module):
        with fg.no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        delattr(module, self.name)
        for part in ("_u", "_v", "_orig"):
            delattr(module, self.name + part)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module, inputs):
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value; the old form of parametrizations.spectral_norm, whose arguments it has."""
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return _register(module, SpectralNorm(name, n_power_iterations, dim, eps), "spectral_norm")


def remove_spectral_norm(module, name="weight"):
    """Undo spectral_norm; the weight keeps its value."""
    return _remove(module, SpectralNorm, name, "spectral_norm")
