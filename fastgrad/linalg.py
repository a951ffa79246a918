"""fastgrad.linalg: linear algebra under the names of torch.linalg."""

from fastgrad._ops import diagonal, matmul

__all__ = ["diagonal", "matmul"]
