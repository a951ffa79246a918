"""torch.autograd.profiler: the old name of fastgrad.profiler's classes."""

from fastgrad.profiler import profile, record_function

__all__ = ["profile", "record_function"]
