"""The grad modes, which the engine implements (src/core/modes.pxi)."""

from fastgrad._engine import enable_grad, inference_mode, no_grad, set_grad_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled"]
