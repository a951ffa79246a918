"""Multivariate normal distributions: of any covariance, and of one that is low rank plus diagonal."""

import math

import fastgrad as fg

from . import constraints
from .distribution import Distribution

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal", "half_log_det"]


def half_log_det(factor):
    """Half the log-determinant of L L^T: the sum of the logarithms of the diagonal of `factor`, L."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def _precision_to_scale_tril(precision):
    """The Cholesky factor of the inverse of `precision`, without the inverse: that of the reversed matrix, reversed and inverted."""
    flipped = fg.linalg.cholesky(fg.flip(precision, (-2, -1)))
    upper = fg.flip(flipped, (-2, -1)).mT
    return fg.linalg.solve_triangular(upper, fg.eye(precision.shape[-1], dtype=precision.dtype), upper=False)


def _mahalanobis(factor, difference):
    """d^T (L L^T)^-1 d for each vector of `difference` (..., n), over the batch of `factor` (..., n, n)."""
    n = difference.shape[-1]
    batch = fg.broadcast_shapes(tuple(factor.shape[:-2]), tuple(difference.shape[:-1]))
    solved = fg.linalg.solve_triangular(factor.expand(batch + (n, n)), difference.expand(batch + (n,)).unsqueeze(-1), upper=False)
    return solved.squeeze(-1).square().sum(-1)


class MultivariateNormal(Distribution):
    """Normal vectors of mean `loc`, with one of the covariance, its inverse, and its Cholesky factor."""

    arg_constraints = {"loc": constraints.real_vector, "covariance_matrix": constraints.positive_definite,
                       "precision_matrix": constraints.positive_definite, "scale_tril": constraints.lower_cholesky}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, covariance_matrix=None, precision_matrix=None, scale_tril=None, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        given = {"covariance_matrix": covariance_matrix, "scale_tril": scale_tril, "precision_matrix": precision_matrix}
        given = {name: value for name, value in given.items() if value is not None}
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given.items()
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch = tuple(fg.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(loc.shape[:-1])))
        self.__dict__[name] = matrix.expand(batch + (-1, -1))
        self.loc = loc.expand(batch + (-1,))
        super().__init__(batch, self.loc.shape[-1:], validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = fg.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(matrix)

    def __getattr__(self, name):        # the matrices that were not given, worked out at the first use
        if name not in ("scale_tril", "covariance_matrix", "precision_matrix") or "_unbroadcasted_scale_tril" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        factor = self._unbroadcasted_scale_tril
        if name == "covariance_matrix":
            factor = factor @ factor.mT
        elif name == "precision_matrix":
            inverse = fg.linalg.solve_triangular(factor, fg.eye(factor.shape[-1], dtype=factor.dtype), upper=False)
            factor = inverse.mT @ inverse
        n = tuple(self._event_shape)
        self.__dict__[name] = factor.expand(tuple(self._batch_shape) + n + n)
        return self.__dict__[name]

    @property
    def mean(self):
        return self.loc

    mode = mean

    @property
    def variance(self):
        return self._unbroadcasted_scale_tril.pow(2).sum(-1).expand(tuple(self._batch_shape) + tuple(self._event_shape))

    def rsample(self, sample_shape=()):
        eps = fg.empty(self._extended_shape(sample_shape), dtype=self.loc.dtype).normal_()
        return self.loc + (self._unbroadcasted_scale_tril @ eps.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value):
        self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + _mahalanobis(factor, value - self.loc)) - half_log_det(factor)

    def entropy(self):
        h = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det(self._unbroadcasted_scale_tril)
        return h.expand(self._batch_shape)


class LowRankMultivariateNormal(Distribution):
    """Normal vectors of covariance W W^T + D, W the narrow `cov_factor` and D the diagonal `cov_diag`: nothing of size n^2 is made."""

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def __init__(self, loc, cov_factor, cov_diag, validate_args=None):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.dim() < 2:
            raise ValueError("cov_factor must be at least two-dimensional, with optional leading batch dimensions")
        if cov_factor.shape[-2] != n:
            raise ValueError(f"cov_factor must be a batch of matrices with shape {n} x m")
        if cov_diag.shape[-1] != n:
            raise ValueError(f"cov_diag must be a batch of vectors with shape {(n,)}")
        try:
            batch = tuple(fg.broadcast_shapes(tuple(loc.shape[:-1]), tuple(cov_factor.shape[:-2]), tuple(cov_diag.shape[:-1])))
        except RuntimeError as error:
            raise ValueError(f"Incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor {tuple(cov_factor.shape)}, "
                             f"cov_diag {tuple(cov_diag.shape)}") from error
        self.loc, self.cov_diag = loc.expand(batch + (n,)), cov_diag.expand(batch + (n,))
        self.cov_factor = cov_factor.expand(batch + tuple(cov_factor.shape[-2:]))
        super().__init__(batch, (n,), validate_args=validate_args)

    def _capacitance_tril(self):
        """The Cholesky factor of I + W^T D^-1 W."""
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        return fg.linalg.cholesky(scaled @ self.cov_factor + fg.eye(self.cov_factor.shape[-1], dtype=self.loc.dtype))

    @property
    def mean(self):
        return self.loc

    mode = mean

    @property
    def variance(self):
        return self.cov_factor.pow(2).sum(-1) + self.cov_diag

    @property
    def covariance_matrix(self):
        return self.cov_factor @ self.cov_factor.mT + self.cov_diag.diag_embed()

    @property
    def scale_tril(self):
        return fg.linalg.cholesky(self.covariance_matrix)

    @property
    def precision_matrix(self):
        scaled = self.cov_factor.mT / self.cov_diag.unsqueeze(-2)
        a = fg.linalg.solve_triangular(self._capacitance_tril(), scaled, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - a.mT @ a

    def rsample(self, sample_shape=()):
        shape = tuple(self._extended_shape(sample_shape))
        narrow = fg.empty(shape[:-1] + tuple(self.cov_factor.shape[-1:]), dtype=self.loc.dtype).normal_()
        wide = fg.empty(shape, dtype=self.loc.dtype).normal_()
        return self.loc + (self.cov_factor @ narrow.unsqueeze(-1)).squeeze(-1) + self.cov_diag.sqrt() * wide

    def _half_log_det(self):
        """By the determinant lemma: |W W^T + D| = |I + W^T D^-1 W| |D|."""
        return half_log_det(self._capacitance_tril()) + 0.5 * self.cov_diag.log().sum(-1)

    def log_prob(self, value):
        """By Woodbury's identity."""
        self._validate_sample(value)
        difference = value - self.loc
        scaled = ((self.cov_factor.mT / self.cov_diag.unsqueeze(-2)) @ difference.unsqueeze(-1)).squeeze(-1)
        distance = (difference.pow(2) / self.cov_diag).sum(-1) - _mahalanobis(self._capacitance_tril(), scaled)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + distance) - self._half_log_det()

    def entropy(self):
        h = 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + self._half_log_det()
        return h.expand(self._batch_shape)
