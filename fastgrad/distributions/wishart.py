"""Wishart: random covariance matrices, the sums of outer products of normal vectors."""

import math
import warnings

import fastgrad as fg

from . import constraints
from .distribution import ExponentialFamily
from .family import checked, method, quantity
from .gammas import Chi2
from .multivariate import OfPositiveDefinite, half_log_det

__all__ = ["Wishart"]

REDRAWS = 10


def _scaled(number, matrix):
    return number[..., None, None] * matrix


class Wishart(OfPositiveDefinite, ExponentialFamily):
    """Sums of `df` outer products of normal vectors, given one of their covariance, its inverse, and its Cholesky factor.

    `df` need not be whole; it must exceed the matrix's size less one.

    Draws are made of Bartlett's triangles. PyTorch draws once more what the first draw gives, unless that is singular; so does this, to give
    the same matrices for a seed.

    Source: Bartlett 1933, On the theory of statistical regression.
    """

    arguments = ("df", "covariance_matrix", "precision_matrix", "scale_tril")
    arg_constraints = {**OfPositiveDefinite.arg_constraints, "df": constraints.positive}
    support = constraints.positive_definite
    has_rsample = True

    def _take(self, df, **matrices):
        batch, p = self._take_matrix(matrices, getattr(df, "shape", ()))
        self._p = p
        self.df = df.expand(batch) if isinstance(df, fg.Tensor) else fg.tensor(df, dtype=self._matrix.dtype)
        if not (self.df > p - 1).all():
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {p - 1}.")
        if (self.df < p).any():
            warnings.warn("Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.", stacklevel=4)
        self.arg_constraints = {**self.arg_constraints, "df": constraints.greater_than(p - 1)}
        return batch, (p, p)

    mean = quantity(lambda df, covariance_matrix: _scaled(df, covariance_matrix))
    mode = quantity(lambda df, covariance_matrix, _p: _scaled((df - _p - 1).where(df > _p + 1, math.nan), covariance_matrix))

    @quantity
    def variance(df, covariance_matrix):
        diagonal = covariance_matrix.diagonal(dim1=-2, dim2=-1)
        return _scaled(df, covariance_matrix.square() + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    _half_log_det = quantity(lambda _unbroadcasted_scale_tril, _p: _p * math.log(2) / 2 + half_log_det(_unbroadcasted_scale_tril))
    _halves = quantity(lambda df, _p: (df.unsqueeze(-1) - fg.arange(_p, dtype=df.dtype)) / 2)       # parameters of the triangle's diagonal

    @checked
    def log_prob(value, df, _unbroadcasted_scale_tril, _half_log_det, _p):
        factor = fg.linalg.cholesky(value)
        whitened = fg.linalg.solve_triangular(_unbroadcasted_scale_tril, factor, upper=False)
        return (df - _p - 1) * half_log_det(factor) - whitened.square().sum((-2, -1)) / 2 - df * _half_log_det - fg.mvlgamma(df / 2, _p)

    entropy = method(lambda df, _half_log_det, _halves, _p: (
        (_p + 1) * _half_log_det + fg.mvlgamma(df / 2, _p) - (df - _p - 1) / 2 * fg.digamma(_halves).sum(-1) + df * _p / 2))

    def _triangles(self, sample_shape):
        """Draws as L T T^T L^T, T a triangle of normal numbers under a diagonal of roots of chi-squares."""
        eps = fg.finfo(self.df.dtype).eps
        diagonal = Chi2((2 * self._halves).expand((*self._batch_shape, -1))).rsample(sample_shape).sqrt().clamp(min=eps)
        below = fg.randn((*diagonal.shape[:-1], self._p * (self._p - 1) // 2), dtype=diagonal.dtype)
        triangle = diagonal.diag_embed()
        rows, columns = fg.tril_indices(self._p, self._p, -1)
        triangle[..., rows, columns] = below
        factor = self._unbroadcasted_scale_tril @ triangle
        return factor @ factor.mT

    def rsample(self, sample_shape=(), max_try_correction=None):
        if max_try_correction is not None:
            raise NotImplementedError("Wishart.rsample: max_try_correction is not supported")
        return super().rsample(sample_shape)

    def _draw(self, shape):
        within = tuple(range(-len(self._batch_shape), 0))

        def good(draws):
            passed = self.support.check(draws)
            return passed.any(within) if within else passed

        draws = self._triangles(shape[: len(shape) - len(self._batch_shape) - 2])
        again = good(draws)
        for _ in range(REDRAWS):
            if not again.any():
                break
            new = self._triangles((int(again.sum()),))
            draws[again] = new
            bad = self.support.check(new).logical_not()
            again = again.masked_scatter(again, bad.any(within) if within else bad)
        return draws
