"""Operations made of others that no hot loop calls, each a Python function, a family a file.  Nothing here computes on its own.

Importing this package defines them: as functions of fastgrad and methods of Tensor.
"""

from fastgrad.composites import contractions, dropouts, linear, matrices, products, random, statistics, weight_norms  # noqa: F401
