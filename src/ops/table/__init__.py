"""The table of operations: one row an operation, a file a family.  `../row.py` says what a row can hold."""
from . import (  # noqa: F401
    activations, arithmetic, creation, embedding, functions, indexing, linear, losses, movement, normalization, optimizers, padding,
    random, reduction, scan, sorting, views)
