"""Transforms of numbers, vectors and matrices with known Jacobians. _transform.py has the base and the ones made of others."""

import math
from operator import attrgetter

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
    region_of,
    require_dims,
    sum_rightmost,
)

__all__ = ["AbsTransform", "AffineTransform", "CatTransform", "ComposeTransform", "CorrCholeskyTransform", "CumulativeDistributionTransform",
           "ExpTransform", "IndependentTransform", "LowerCholeskyTransform", "PositiveDefiniteTransform", "PowerTransform",
           "ReshapeTransform", "SigmoidTransform", "SoftmaxTransform", "SoftplusTransform", "StackTransform", "StickBreakingTransform",
           "TanhTransform", "Transform", "identity_transform"]


class _WithoutArguments(Transform):
    """Two of a type are equal."""

    def __eq__(self, other):
        return type(other) is type(self)


# ---- of numbers: a rule each for y of x, x of y, and log |dy/dx|

class _Rising(_WithoutArguments):
    domain = constraints.real
    bijective, sign = True, 1


def _inside(probs):
    """Kept in (0, 1), where the inverse and the logarithm are finite."""
    finfo = fg.finfo(probs.dtype)
    return probs.clamp(finfo.tiny, 1 - finfo.eps)


def _logit(y):
    y = _inside(y)
    return y.log() - (-y).log1p()


def _log_slope_of_tanh(x):
    """log(1 - tanh(x)^2) = 2 (log 2 - x - log(1 + exp(-2x)))."""
    return 2 * (math.log(2) - x - softplus(-2 * x))


class ExpTransform(_Rising):
    """y = exp(x)."""

    codomain = constraints.positive
    _call, _inverse = staticmethod(fg.exp), staticmethod(fg.log)
    log_abs_det_jacobian = staticmethod(lambda x, y: x)


class SigmoidTransform(_Rising):
    """y = 1 / (1 + exp(-x))."""

    codomain = constraints.unit_interval
    _call, _inverse = staticmethod(lambda x: _inside(x.sigmoid())), staticmethod(_logit)
    log_abs_det_jacobian = staticmethod(lambda x, y: -softplus(-x) - softplus(x))


class SoftplusTransform(_Rising):
    """y = log(1 + exp(x))."""

    codomain = constraints.positive
    _call, _inverse = staticmethod(softplus), staticmethod(lambda y: y + (-fg.expm1(-y)).log())
    log_abs_det_jacobian = staticmethod(lambda x, y: -softplus(-x))


class TanhTransform(_Rising):
    """y = tanh(x)."""

    codomain = constraints.interval(-1.0, 1.0)
    _call, _inverse = staticmethod(fg.tanh), staticmethod(fg.atanh)
    log_abs_det_jacobian = staticmethod(lambda x, y: _log_slope_of_tanh(x))


class AbsTransform(_WithoutArguments):
    """y = |x|, whose right inverse is y itself."""

    domain, codomain = constraints.real, constraints.positive
    _call, _inverse = staticmethod(fg.abs), staticmethod(lambda y: y)


class _Broadcasting(Transform):
    """With the numbers or tensors that `_arguments` names, which broadcast with x."""

    bijective = True
    _arguments = ()

    def __eq__(self, other):
        return type(other) is type(self) and all(_equal(getattr(self, name), getattr(other, name)) for name in self._arguments)

    def forward_shape(self, shape):
        return fg.broadcast_shapes(tuple(shape), *(tuple(getattr(getattr(self, name), "shape", ())) for name in self._arguments))

    inverse_shape = forward_shape


def _equal(a, b):
    return bool(fg.as_tensor(a == b).all())


class PowerTransform(_Broadcasting):
    """y = x ** exponent, for x > 0."""

    domain = codomain = constraints.positive
    _arguments = ("exponent",)

    def __init__(self, exponent, cache_size=0):
        self.exponent = exponent if isinstance(exponent, fg.Tensor) else fg.tensor(exponent, dtype=fg.get_default_dtype())
        super().__init__(cache_size)

    sign = property(lambda self: self.exponent.sign())

    def _call(self, x):
        return x ** self.exponent

    def _inverse(self, y):
        return y ** self.exponent.reciprocal()

    def log_abs_det_jacobian(self, x, y):
        return (y / x * self.exponent).abs().log()


class AffineTransform(_Broadcasting):
    """y = loc + scale * x, of events of `event_dim` dimensions."""

    event_dim = None        # in each instance
    _arguments = ("loc", "scale")

    def __init__(self, loc, scale, event_dim=0, cache_size=0):
        self.loc, self.scale, self.event_dim = loc, scale, event_dim
        super().__init__(cache_size)

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return constraints.widened(constraints.real, self.event_dim)

    codomain = domain

    @property
    def sign(self):
        scale = self.scale
        return scale.sign() if isinstance(scale, fg.Tensor) else (scale > 0) - (scale < 0)

    def _call(self, x):
        return self.scale * x + self.loc

    def _inverse(self, y):
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x, y):
        scale = self.scale if isinstance(self.scale, fg.Tensor) else fg.full_like(x, self.scale)
        batch = tuple(x.shape)[: x.dim() - self.event_dim]
        return sum_rightmost(scale.abs().log(), self.event_dim).expand(batch)


class CumulativeDistributionTransform(Transform):
    """y = distribution.cdf(x), uniform where x has the distribution."""

    domain, codomain = region_of("distribution.support"), constraints.unit_interval
    bijective, sign = True, 1

    def __init__(self, distribution, cache_size=0):
        self.distribution = distribution
        super().__init__(cache_size)

    _call, _inverse = property(attrgetter("distribution.cdf")), property(attrgetter("distribution.icdf"))

    def log_abs_det_jacobian(self, x, y):
        return self.distribution.log_prob(x)


# ---- of vectors

class SoftmaxTransform(_WithoutArguments):
    """y = softmax(x) along the last dimension; its right inverse is log."""

    domain, codomain = constraints.real_vector, constraints.simplex
    _call, _inverse = staticmethod(lambda x: x.softmax(-1)), staticmethod(fg.log)

    def forward_shape(self, shape):
        require_dims(shape, 1)
        return shape

    inverse_shape = forward_shape


class StickBreakingTransform(_WithoutArguments):
    """n numbers as n + 1 probabilities: each takes a fraction of what those before it left.

    The fraction is sigmoid(x - log(parts left)), so that zeros give equal probabilities.
    """

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    @staticmethod
    def _log_parts_left(like):
        """log n, log(n - 1), ..., log 1: in how many more parts the stick is broken after each."""
        return fg.arange(like.shape[-1], 0, -1, dtype=like.dtype).log()

    def _call(self, x):
        fraction = _inside((x - self._log_parts_left(x)).sigmoid())
        left = pad((1 - fraction).cumprod(-1), [1, 0], value=1)
        return left * pad(fraction, [0, 1], value=1)

    def _inverse(self, y):
        cut = y[..., :-1]
        left = (1 - cut.cumsum(-1)).clamp(min=fg.finfo(y.dtype).tiny)
        return (cut.log() - left.log()) + self._log_parts_left(cut)

    def log_abs_det_jacobian(self, x, y):
        """The sum of log(fraction (1 - fraction) left), as fraction left = y and log(1 - sigmoid(x)) = log sigmoid(x) - x."""
        x = x - self._log_parts_left(x)
        return (y[..., :-1].log() + logsigmoid(x) - x).sum(-1)

    def forward_shape(self, shape):
        return self._longer(shape, 1)

    def inverse_shape(self, shape):
        return self._longer(shape, -1)

    @staticmethod
    def _longer(shape, by):
        require_dims(shape, 1)
        return fg.Size((*shape[:-1], shape[-1] + by))


# ---- of matrices

class CorrCholeskyTransform(Transform):
    """n(n-1)/2 numbers as the Cholesky factor of a correlation matrix: tanh of them, then each row by stick breaking.

    In a row, y_j is z_j times the root of what is left of length 1, where z = tanh(x).
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x):
        limit = 1 - fg.finfo(x.dtype).eps
        z = _below_diagonal(x.tanh().clamp(-limit, limit))
        left = pad((1 - z * z).sqrt().cumprod(-1)[..., :-1], [1, 0], value=1)
        return left * (z + fg.eye(z.size(-1), dtype=z.dtype))

    def _inverse(self, y):
        left = pad(self._left_after(y)[..., :-1], [1, 0], value=1)
        below = _indices_below(y.size(-1), 1)
        return fg.atanh(y[below] / left[below].sqrt())

    def log_abs_det_jacobian(self, x, y, intermediates=None):
        after = self._left_after(y)[_indices_below(y.size(-1), 2)]
        return 0.5 * after.log().sum(-1) + _log_slope_of_tanh(x).sum(-1)

    @staticmethod
    def _left_after(y):
        """What is left of a row's squared length after each element."""
        return 1 - y.square().cumsum(-1)

    def forward_shape(self, shape):
        require_dims(shape, 1)
        n = _side_of_triangle(shape[-1])
        return fg.Size((*shape[:-1], n, n))

    def inverse_shape(self, shape):
        require_dims(shape, 2)
        rows, columns = shape[-2:]
        if rows != columns:
            raise ValueError(f"Input is not square: {rows} x {columns}")
        return fg.Size((*shape[:-2], columns * (columns - 1) // 2))


def _side_of_triangle(count):
    """n where count is n(n-1)/2."""
    n = round((1 + math.sqrt(1 + 8 * count)) / 2)
    if n * (n - 1) != 2 * count:
        raise ValueError(f"the last dimension must be n(n-1)/2, what a square matrix has below its diagonal; got {count}")
    return n


def _indices_below(n, distance):
    """The index of what lies at least `distance` below the diagonal, row by row."""
    return (..., *fg.tril_indices(n, n, -distance))


def _below_diagonal(vector):
    """The matrix with these numbers below its diagonal, row by row."""
    n = _side_of_triangle(vector.size(-1))
    _, rows, columns = _indices_below(n, 1)
    flat = vector.new_zeros((*vector.shape[:-1], n * n))
    return flat.index_copy(-1, rows * n + columns, vector).unflatten(-1, (n, n))


class _OfDiagonal(_WithoutArguments):
    domain = constraints.independent(constraints.real, 2)

    @staticmethod
    def _with_diagonal(matrix, function):
        """The lower triangle of `matrix`, with `function` of its diagonal."""
        return matrix.tril(-1) + function(matrix.diagonal(dim1=-2, dim2=-1)).diag_embed()


class LowerCholeskyTransform(_OfDiagonal):
    """The lower triangle with the exponential of the diagonal."""

    codomain = constraints.lower_cholesky

    def _call(self, x):
        return self._with_diagonal(x, fg.exp)

    def _inverse(self, y):
        return self._with_diagonal(y, fg.log)


class PositiveDefiniteTransform(_OfDiagonal):
    """L L^T of the lower triangle L with the exponential of the diagonal."""

    codomain = constraints.positive_definite

    def _call(self, x):
        factor = self._with_diagonal(x, fg.exp)
        return factor @ factor.mT

    def _inverse(self, y):
        return self._with_diagonal(fg.linalg.cholesky(y), fg.log)
