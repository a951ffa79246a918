"""The table of operations: one row an operation, a file a family.  `../row.py` says what a row can hold."""
from . import (  # noqa: F401
<<<<<<< HEAD
    activations, arithmetic, convolution, creation, embedding, functions, indexing, linear, losses, movement, normalization, optimizers,
    padding, pooling, random, reduction, scan, sorting, views)
=======
    activations, arithmetic, creation, embedding, functions, indexing, linear, losses, movement, normalization, optimizers, padding,
    random, recurrent, reduction, scan, sorting, views)
>>>>>>> a23d276 (Recurrent layers: one node for all steps of a layer, one product for the inputs and fused gates, instead of operations composed in Python)
