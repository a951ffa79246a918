"""The table of operations: one row an operation, a file a family.  `../row.py` says what a row can hold."""
from . import (  # noqa: F401
    activations, arithmetic, attention, convolution, creation, embedding, functions, indexing, linear, losses, movement, normalization,
    optimizers, padding, pooling, random, recurrent, reduction, scan, sorting, special, views)
