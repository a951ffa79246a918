"""fastgrad.linalg: linear algebra under the names of torch.linalg."""

from fastgrad._ops import matmul
from fastgrad.composites.decompositions import LinAlgError
from fastgrad.composites.factorizations import lu, lu_factor, lu_factor_ex, lu_solve
from fastgrad.composites.linear import (
    cholesky, cholesky_ex, det, eig, eigh, eigvals, eigvalsh, inv, inv_ex, lstsq, matrix_rank, pinv, qr, slogdet, solve, solve_ex, solve_triangular,
    svd, svdvals,
)
from fastgrad.composites.matrices import (
    cond, cross, diagonal, householder_product, matrix_exp, matrix_norm, matrix_power, multi_dot, norm, tensorinv, tensorsolve, vander, vecdot, vector_norm,
)
from fastgrad.composites.symmetric import ldl_factor, ldl_factor_ex, ldl_solve

__all__ = [
    "LinAlgError", "cholesky", "cholesky_ex", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "householder_product", "inv", "inv_ex",
    "ldl_factor", "ldl_factor_ex", "ldl_solve", "lstsq",
    "lu", "lu_factor", "lu_factor_ex", "lu_solve", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "solve_ex",
    "solve_triangular", "svd", "svdvals", "tensorinv", "tensorsolve", "vander", "vecdot", "vector_norm",
]
