"""Ready parametrizations: orthogonal, spectral_norm, weight_norm; torch.nn.utils.parametrizations."""

import fastgrad as fg

from .. import functional as F
from ..modules.conv import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from ..modules.module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _make_orthogonal(matrix):
    """The orthogonal factor of a matrix of full rank, with the signs that make R's diagonal positive."""
    q, r = fg.linalg.qr(matrix)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(matrix):
    eps = 10 * matrix.size(-2) * fg.finfo(matrix.dtype).eps
    eye = fg.eye(matrix.size(-1), dtype=matrix.dtype)
    return fg.allclose(matrix.mT @ matrix, eye.expand(*matrix.shape[:-2], *eye.shape), atol=eps)


class _Orthogonal(Module):
    """An orthogonal matrix from any: the exponential or the Cayley transform of its skew part, or a product of reflections."""

    def __init__(self, weight, orthogonal_map, *, use_trivialization=True):
        super().__init__()
        self.shape, self.orthogonal_map = weight.shape, orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X):
        wide = X.size(-2) < X.size(-1)
        X = X.mT if wide else X
        n, k = X.shape[-2:]
        if self.orthogonal_map == "householder":
            A = X.tril(-1)
            Q = fg.linalg.householder_product(A, 2.0 / (1.0 + (A * A).sum(-2)))
            Q = Q * X.diagonal(dim1=-2, dim2=-1).int().unsqueeze(-2)
        else:
            X = X.tril()
            if n != k:
                X = fg.cat([X, X.new_zeros(n, n - k).expand(*X.shape[:-2], -1, -1)], dim=-1)
            A = X - X.mT
            if self.orthogonal_map == "matrix_exp":
                Q = fg.linalg.matrix_exp(A)
            else:
                eye = fg.eye(n, dtype=A.dtype)
                Q = fg.linalg.solve(fg.add(eye, A, alpha=-0.5), fg.add(eye, A, alpha=0.5))
            Q = Q[..., :k]
        if hasattr(self, "base"):
            Q = self.base @ Q
        return Q.mT if wide else Q

    @fg.no_grad()
    def right_inverse(self, Q):
        if Q.shape != self.shape:
            raise ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}.")
        if not hasattr(self, "base"):
            if self.orthogonal_map == "householder":
                raise NotImplementedError("orthogonal: assigning with use_trivialization=False is not supported.")
            raise NotImplementedError("It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                                      "use_trivialization=False.")
        tall = Q.mT if Q.size(-2) < Q.size(-1) else Q
        n, k = tall.shape[-2:]
        if n != k:
            tall = fg.cat([tall, fg.randn(*tall.shape[:-2], n, n - k, dtype=tall.dtype)], dim=-1)
            self.base = _make_orthogonal(tall)
        else:
            self.base = tall.clone() if _is_orthogonal(tall) else _make_orthogonal(tall)
        start = fg.zeros_like(Q)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(module, name="weight", orthogonal_map=None, *, use_trivialization=True):
    """Keep a matrix orthogonal; one that is not square keeps its shorter side orthonormal.

    Args:
        orthogonal_map: "matrix_exp", the default for square matrices, "cayley", or "householder", the default for others.
        use_trivialization: multiply with a fixed orthogonal matrix, so that the map starts at 1; needed to assign.

    Raises: ValueError for a tensor with fewer than two dimensions or an unknown map.
    Source: Lezcano-Casado 2019, Trivializations for Gradient-Based Optimization on Manifolds.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, fg.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.size(-2) == weight.size(-1) else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}')
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


class _WeightNorm(Module):
    def __init__(self, dim=0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g, weight_v):
        return fg._weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight):
        return fg.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module, name="weight", dim=0):
    """Write a weight as its length, original0, times its direction, original1.

    Args:
        dim: the dimension along which every slice has a length of its own; None for one length in all.

    Source: Salimans and Kingma 2016, Weight Normalization.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def take_old_names(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs):
        for old, new in (("g", 0), ("v", 1)):
            key = f"{prefix}{name}_{old}"
            if key in state_dict:
                state_dict[f"{prefix}parametrizations.{name}.original{new}"] = state_dict.pop(key)

    module._register_load_state_dict_pre_hook(take_old_names)
    return module


class _SpectralNorm(Module):
    """A weight over its largest singular value, which power iterations follow."""

    def __init__(self, weight, n_power_iterations=1, dim=0, eps=1e-12):
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}")
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = self._matrix(weight)
            u = matrix.new_empty(matrix.size(0)).normal_(0, 1)
            v = matrix.new_empty(matrix.size(1)).normal_(0, 1)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight):
        return weight.movedim(self.dim, 0).flatten(1)

    @fg.no_grad()
    def _iterate(self, matrix, times):
        for _ in range(times):
            self._u.copy_(F.normalize(matrix @ self._v, dim=0, eps=self.eps))
            self._v.copy_(F.normalize(matrix.T @ self._u, dim=0, eps=self.eps))

    def forward(self, weight):
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()
        return weight / u.dot(matrix @ v)

    def right_inverse(self, value):
        return value


def spectral_norm(module, name="weight", n_power_iterations=1, eps=1e-12, dim=None):
    """Divide a weight by its largest singular value, as matrix of its dimension `dim` times all others.

    Args:
        n_power_iterations: iterations for the singular value in each call in training.
        eps: least length that a vector is divided by.
        dim: 0 by default, for transposed convolutions 1.

    Raises: ValueError for a missing tensor or no iterations.
    Source: Miyato et al. 2018, Spectral Normalization for Generative Adversarial Networks.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, fg.Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    if dim is None:
        dim = 1 if isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
