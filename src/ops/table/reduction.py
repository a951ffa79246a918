"""Reductions."""
from row import kernel, structured

kernel("sum_forward", "T", "float")

structured("sum(input, dim: dims = None, keepdim: bool = False, *, dtype: dtype = None)", "Sum over dimensions.",
           grad="expand_reduced(grad, input.shape, dim, keepdim)")
