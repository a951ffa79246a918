"""The types of named results: `x.max(dim)` is a `return_types.max` with the fields `values` and `indices`."""
from fastgrad import _composite, _ops

globals().update(_ops._return_types(), **_composite.RESULTS)
__all__ = sorted([*_ops._return_types(), *_composite.RESULTS])
