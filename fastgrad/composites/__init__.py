"""Operations made of others that no hot loop calls, each a Python function, a family a file.  Nothing here computes on its own.

Importing this package defines them: as functions of fastgrad and methods of Tensor.
"""

from fastgrad.composites import (  # noqa: F401
    complex, contractions, copies, dropouts, elements, factorizations, fourier, grids, linear, matrices, networks, products, random,
    rearrangements, searching, special, statistics, symmetric, weight_norms, writes)
