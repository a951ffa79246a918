"""Transforms of numbers, vectors and matrices with known Jacobians. _transform.py has the base and the ones made of others."""

import math

import fastgrad as fg
from fastgrad.nn.functional import logsigmoid, pad, softplus

from . import constraints
from ._transform import (
    CatTransform,
    ComposeTransform,
    IndependentTransform,
    ReshapeTransform,
    StackTransform,
    Transform,
    identity_transform,
    require_dims,
    sum_rightmost,
)

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform", "CumulativeDistributionTransform",
           "ExpTransform", "IndependentTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform",
           "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform",
           "TanhTransform", "Transform", "identity_transform"]


def _inside(probs):
    """Kept in (0, 1), where the inverse and the logarithm are finite."""
    finfo = fg.finfo(probs.dtype)
    return probs.clamp(finfo.tiny, 1 - finfo.eps)


class _SameType(Transform):
    """Transforms without arguments: two of a type are equal."""

    def __eq__(self, other):
        return type(self) is type(other)


class ExpTransform(_SameType):
    """y = exp(x)."""

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x):
        return x.exp()

    def _inverse(self, y):
        return y.log()

    def log_abs_det_jacobian(self, x, y):
        return x


class PowerTransform(Transform):
    """y = x ** exponent, for x > 0."""

    domain, codomain = constraints.positive, constraints.positive
    bijective = True

    def __init__(self, exponent, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.exponent = exponent if isinstance(exponent, fg.Tensor) else fg.tensor(exponent, dtype=fg.get_default_dtype())

    @property
    def sign(self):
        return self.exponent.sign()

    with_cache = Transform._with_cache

    def __eq__(self, other):
        return isinstance(other, PowerTransform) and self.exponent.eq(other.exponent).all().item()

    def _call(self, x):
        return x.pow(self.exponent)

    def _inverse(self, y):
        return y.pow(1 / self.exponent)

    def log_abs_det_jacobian(self, x, y):
        return (self.exponent * y / x).abs().log()

    def forward_shape(self, shape):
        return fg.broadcast_shapes(shape, tuple(self.exponent.shape))

    inverse_shape = forward_shape


class SigmoidTransform(_SameType):
    """y = 1 / (1 + exp(-x))."""

    domain, codomain = constraints.real, constraints.unit_interval
    bijective, sign = True, 1

    def _call(self, x):
        return _inside(fg.sigmoid(x))

    def _inverse(self, y):
        y = _inside(y)
        return y.log() - (-y).log1p()

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x) - softplus(x)


class SoftplusTransform(_SameType):
    """y = log(1 + exp(x))."""

    domain, codomain = constraints.real, constraints.positive
    bijective, sign = True, 1

    def _call(self, x):
        return softplus(x)

    def _inverse(self, y):
        return (-y).expm1().neg().log() + y

    def log_abs_det_jacobian(self, x, y):
        return -softplus(-x)


class TanhTransform(_SameType):
    """y = tanh(x)."""

    domain, codomain = constraints.real, constraints.interval(-1.0, 1.0)
    bijective, sign = True, 1

    def _call(self, x):
        return x.tanh()

    def _inverse(self, y):
        return fg.atanh(y)

    def log_abs_det_jacobian(self, x, y):
        return 2.0 * (math.log(2.0) - x - softplus(-2.0 * x))


class AbsTransform(_SameType):
    """y = |x|, whose right inverse is y itself."""

    domain, codomain = constraints.real, constraints.positive

    def _call(self, x):
        return x.abs()

    def _inverse(self, y):
        return y


class AffineTransform(Transform):
    """y = loc + scale * x."""

    bijective = True

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.loc, self.scale, self._event_dim = loc, scale, event_dim

    @property
    def event_dim(self):
        return self._event_dim

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.independent(constraints.real, self.event_dim) if self.event_dim else constraints.real

    codomain = domain

    @property
    def sign(self):
        if isinstance(self.scale, fg.Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    with_cache = Transform._with_cache

    def __eq__(self, other):
        return isinstance(other, AffineTransform) and _equal(self.loc, other.loc) and _equal(self.scale, other.scale)

    def _call(self, x):
        return self.loc + self.scale * x

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        if isinstance(self.scale, fg.Tensor):
            result = self.scale.abs().log()
        else:
            result = fg.full_like(x, math.log(abs(self.scale)))
        if self.event_dim:
            result = sum_rightmost(result, self.event_dim)
        return result.expand(tuple(x.shape[:x.dim() - self.event_dim]))

    def forward_shape(self, shape):
        return fg.broadcast_shapes(shape, getattr(self.loc, "shape", ()), getattr(self.scale, "shape", ()))

    inverse_shape = forward_shape


def _equal(a, b):
    same = a == b
    return same.all().item() if isinstance(same, fg.Tensor) else same


class CorrCholeskyTransform(Transform):
    """n(n-1)/2 numbers as the Cholesky factor of a correlation matrix: tanh of them, then each row by stick breaking."""

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        x = fg.tanh(x)
        eps = fg.finfo(x.dtype).eps
        r = _below_diagonal(x.clamp(-1 + eps, 1 - eps))
        left = (1 - r**2).sqrt().cumprod(-1)
        r = r + fg.eye(r.size(-1), dtype=r.dtype)
        return r * pad(left[..., :-1], [1, 0], value=1)

    def _inverse(self, y):
        left = pad((1 - (y * y).cumsum(-1))[..., :-1], [1, 0], value=1)
        rows, columns = fg.tril_indices(y.size(-1), y.size(-1), -1)
        t = y[..., rows, columns] / left[..., rows, columns].sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        rows, columns = fg.tril_indices(y.size(-1), y.size(-1), -2)
        left = (1 - (y * y).cumsum(-1))[..., rows, columns]
        return 0.5 * left.log().sum(-1) - 2 * (x + softplus(-2 * x) - math.log(2.0)).sum(-1)

    def forward_shape(self, shape):
        require_dims(shape, 1)
        n = _triangle_side(shape[-1])
        if n is None:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return fg.Size(tuple(shape[:-1]) + (n, n))

    def inverse_shape(self, shape):
        require_dims(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        return fg.Size(tuple(shape[:-2]) + (shape[-1] * (shape[-1] - 1) // 2,))


def _triangle_side(count):
    """n where count is n(n-1)/2, otherwise None."""
    n = round((1 + math.sqrt(1 + 8 * count)) / 2)
    return n if n * (n - 1) // 2 == count else None


def _below_diagonal(vector):
    """The matrix with these numbers below its diagonal, row by row."""
    n = _triangle_side(vector.size(-1))
    if n is None:
        raise ValueError(f"The size of last dimension is {vector.size(-1)} which cannot be expressed as the lower triangular part of a "
                         "square D x D matrix.")
    rows, columns = fg.tril_indices(n, n, -1)
    flat = vector.new_zeros(tuple(vector.shape[:-1]) + (n * n,))
    return flat.index_copy(-1, rows * n + columns, vector).unflatten(-1, (n, n))


class SoftmaxTransform(_SameType):
    """y = softmax(x) along the last dimension; its right inverse is log."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def _call(self, x):
        probs = (x - x.max(-1, True)[0]).exp()
        return probs / probs.sum(-1, True)

    def _inverse(self, y):
        return y.log()

    def forward_shape(self, shape):
        require_dims(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(_SameType):
    """n numbers as n + 1 probabilities: each takes a fraction of what those before it left."""

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    @staticmethod
    def _parts_left(x):
        """n, n - 1, ..., 1: in how many more parts the stick is broken after each."""
        return x.shape[-1] + 1 - x.new_ones(x.shape[-1]).cumsum(-1)

    def _call(self, x):
        z = _inside(fg.sigmoid(x - self._parts_left(x).log()))
        return pad(z, [0, 1], value=1) * pad((1 - z).cumprod(-1), [1, 0], value=1)

    def _inverse(self, y):
        cut = y[..., :-1]
        left = fg.clamp(1 - cut.cumsum(-1), min=fg.finfo(y.dtype).tiny)
        return cut.log() - left.log() + self._parts_left(cut).log()

    def log_abs_det_jacobian(self, x, y):
        x = x - self._parts_left(x).log()
        return (-x + logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape):
        require_dims(shape, 1)
        return fg.Size(tuple(shape[:-1]) + (shape[-1] + 1,))

    def inverse_shape(self, shape):
        require_dims(shape, 1)
        return fg.Size(tuple(shape[:-1]) + (shape[-1] - 1,))


class LowerCholeskyTransform(_SameType):
    """The lower triangle with the exponential of the diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def _call(self, x):
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y):
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(_SameType):
    """L L^T of the lower triangle L with the exponential of the diagonal."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def _call(self, x):
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y):
        return LowerCholeskyTransform().inv(fg.linalg.cholesky(y))


class CumulativeDistributionTransform(Transform):
    """y = distribution.cdf(x), uniform where x has the distribution."""

    bijective = True
    codomain = constraints.unit_interval
    sign = 1

    def __init__(self, distribution, cache_size=0):
        super().__init__(cache_size=cache_size)
        self.distribution = distribution

    @property
    def domain(self):
        return self.distribution.support

    def _call(self, x):
        return self.distribution.cdf(x)

    def _inverse(self, y):
        return self.distribution.icdf(y)

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)

    with_cache = Transform._with_cache
