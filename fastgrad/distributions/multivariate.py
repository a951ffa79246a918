"""Normal vectors: of any covariance, and of one that is low rank plus diagonal; and what families of a positive definite matrix share."""

import math

import fastgrad as fg

from . import constraints
from .distribution import Distribution
from .family import Family, checked, derived, method, quantity

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal", "OfPositiveDefinite", "half_log_det"]


def half_log_det(factor):
    """Half the log-determinant of L L^T: the sum of the logarithms of the diagonal of `factor`, L."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def inverse_of_triangular(factor):
    return fg.linalg.solve_triangular(factor, fg.eye(factor.shape[-1], dtype=factor.dtype), upper=False)


def _factor_of_inverse(matrix):
    """The Cholesky factor of the inverse of `matrix`, without the inverse: that of the reversed matrix, reversed and inverted."""
    reversed_factor = fg.linalg.cholesky(matrix.flip((-2, -1)))
    return inverse_of_triangular(reversed_factor.flip((-2, -1)).mT)


def _times(matrix, vector):
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def _squared_length(factor, difference):
    """d^T (L L^T)^-1 d for each vector of `difference` (..., n), over the batch of `factor` (..., n, n)."""
    n = difference.shape[-1]
    batch = fg.broadcast_shapes(tuple(factor.shape[:-2]), tuple(difference.shape[:-1]))
    columns = difference.expand((*batch, n)).unsqueeze(-1)
    return fg.linalg.solve_triangular(factor.expand((*batch, n, n)), columns, upper=False).square().sum((-2, -1))


class OfPositiveDefinite(Family):
    """Parametrised by one of a positive definite matrix, its inverse and its Cholesky factor; the other two follow.

    Invariant: `_unbroadcasted_scale_tril` is the factor, with the batch of what was given; the matrices have the distribution's batch.
    """

    arg_constraints = {"covariance_matrix": constraints.positive_definite, "precision_matrix": constraints.positive_definite,
                       "scale_tril": constraints.lower_cholesky}
    defaults = {"covariance_matrix": None, "precision_matrix": None, "scale_tril": None}

    _FACTORS = {"covariance_matrix": fg.linalg.cholesky, "precision_matrix": _factor_of_inverse, "scale_tril": lambda matrix: matrix}

    def _take_matrix(self, matrices, other_batch):
        """Keeps the one of `matrices` that is given; returns the shape of the batch, and the size."""
        given = [(name, value) for name, value in matrices.items() if value is not None]
        if len(given) != 1:
            raise ValueError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        self._matrix_name, self._matrix = name, matrix = given[0]
        if matrix.dim() < 2:
            raise ValueError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch = fg.broadcast_shapes(tuple(matrix.shape[:-2]), tuple(other_batch))
        vars(self)[name] = matrix.expand((*batch, -1, -1))
        return batch, matrix.shape[-1]

    expand = Distribution.expand        # the factor broadcasts: it need not be worked out again

    def _in_batch(self, matrix):
        return matrix.expand((*self._batch_shape, *matrix.shape[-2:]))

    _unbroadcasted_scale_tril = derived(lambda _matrix, _matrix_name, _FACTORS: _FACTORS[_matrix_name](_matrix))
    scale_tril = derived(lambda _unbroadcasted_scale_tril, _in_batch: _in_batch(_unbroadcasted_scale_tril))
    covariance_matrix = derived(lambda _unbroadcasted_scale_tril, _in_batch: (
        _in_batch(_unbroadcasted_scale_tril @ _unbroadcasted_scale_tril.mT)))

    @derived
    def precision_matrix(_unbroadcasted_scale_tril, _in_batch):
        inverse = inverse_of_triangular(_unbroadcasted_scale_tril)
        return _in_batch(inverse.mT @ inverse)


def _normal_entropy(loc, half_log_det):
    """Of a normal vector, from half the log-determinant of its covariance."""
    return (half_log_det + loc.shape[-1] / 2 * math.log(2 * math.pi * math.e)).expand(loc.shape[:-1])


def _normal_log_density(squared_length, half_log_det, n):
    return -0.5 * (n * math.log(2 * math.pi) + squared_length) - half_log_det


class MultivariateNormal(OfPositiveDefinite):
    """Normal vectors of mean `loc`, with one of the covariance, its inverse, and its Cholesky factor."""

    arg_constraints = {"loc": constraints.real_vector, **OfPositiveDefinite.arg_constraints}
    support = constraints.real_vector
    has_rsample = True

    def _take(self, loc, **matrices):
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        batch, n = self._take_matrix(matrices, loc.shape[:-1])
        self.loc = loc.expand((*batch, -1))
        return batch, self.loc.shape[-1:]

    mean = mode = quantity(lambda loc: loc)
    variance = quantity(lambda _unbroadcasted_scale_tril, loc: _unbroadcasted_scale_tril.square().sum(-1).expand(loc.shape))
    entropy = method(lambda loc, _unbroadcasted_scale_tril: _normal_entropy(loc, half_log_det(_unbroadcasted_scale_tril)))

    @checked
    def log_prob(value, loc, _unbroadcasted_scale_tril):
        length = _squared_length(_unbroadcasted_scale_tril, value - loc)
        return _normal_log_density(length, half_log_det(_unbroadcasted_scale_tril), loc.shape[-1])

    def _draw(self, shape):
        return self.loc + _times(self._unbroadcasted_scale_tril, fg.randn(shape, dtype=self.loc.dtype))


class LowRankMultivariateNormal(Family):
    """Normal vectors of covariance W W^T + D, W the narrow `cov_factor` and D the diagonal `cov_diag`: nothing of size n^2 is made."""

    arg_constraints = {"loc": constraints.real_vector, "cov_factor": constraints.independent(constraints.real, 2),
                       "cov_diag": constraints.independent(constraints.positive, 1)}
    support = constraints.real_vector
    has_rsample = True

    def _take(self, loc, cov_factor, cov_diag):
        events = {"loc": (loc, 1), "cov_factor": (cov_factor, 2), "cov_diag": (cov_diag, 1)}
        for name, (value, dims) in events.items():
            if value.dim() < dims:
                raise ValueError(f"{name} must have at least {dims} dimension{'s' * (dims - 1)}, got {value.dim()}")
            if value.shape[-dims] != loc.shape[-1]:
                raise ValueError(f"{name} must have {loc.shape[-1]} rows, as many as loc has elements, got {value.shape[-dims]}")
        batches = [tuple(value.shape[:-dims]) for value, dims in events.values()]
        try:
            batch = tuple(fg.broadcast_shapes(*batches))
        except RuntimeError as error:
            raise ValueError(f"Incompatible batch shapes: loc {batches[0]}, cov_factor {batches[1]}, cov_diag {batches[2]}") from error
        for name, (value, dims) in events.items():
            setattr(self, name, value.expand((*batch, *value.shape[-dims:])))
        return batch, loc.shape[-1:]

    expand = Distribution.expand        # the capacitance broadcasts

    _scaled = quantity(lambda cov_factor, cov_diag: cov_factor.mT / cov_diag.unsqueeze(-2))          # W^T D^-1
    _capacitance_tril = derived(lambda cov_factor, _scaled: (           # the Cholesky factor of I + W^T D^-1 W
        fg.linalg.cholesky(_scaled @ cov_factor + fg.eye(cov_factor.shape[-1], dtype=cov_factor.dtype))))
    # the determinant lemma: |W W^T + D| = |I + W^T D^-1 W| |D|
    _half_log_det = quantity(lambda _capacitance_tril, cov_diag: half_log_det(_capacitance_tril) + cov_diag.log().sum(-1) / 2)

    mean = mode = quantity(lambda loc: loc)
    variance = quantity(lambda cov_factor, cov_diag: cov_factor.square().sum(-1) + cov_diag)
    covariance_matrix = quantity(lambda cov_factor, cov_diag: cov_factor @ cov_factor.mT + cov_diag.diag_embed())
    scale_tril = quantity(lambda covariance_matrix: fg.linalg.cholesky(covariance_matrix))
    entropy = method(lambda loc, _half_log_det: _normal_entropy(loc, _half_log_det))

    @property
    def precision_matrix(self):
        """Woodbury: D^-1 - D^-1 W (I + W^T D^-1 W)^-1 W^T D^-1."""
        narrow = fg.linalg.solve_triangular(self._capacitance_tril.expand((*self._batch_shape, -1, -1)), self._scaled, upper=False)
        return self.cov_diag.reciprocal().diag_embed() - narrow.mT @ narrow

    @checked
    def log_prob(value, loc, cov_diag, _scaled, _capacitance_tril, _half_log_det):
        off = value - loc
        length = (off.square() / cov_diag).sum(-1) - _squared_length(_capacitance_tril, _times(_scaled, off))
        return _normal_log_density(length, _half_log_det, loc.shape[-1])

    def _draw(self, shape):
        narrow = fg.randn((*shape[:-1], self.cov_factor.shape[-1]), dtype=self.loc.dtype)
        own = fg.randn(shape, dtype=self.loc.dtype)
        return self.loc + _times(self.cov_factor, narrow) + self.cov_diag.sqrt() * own
