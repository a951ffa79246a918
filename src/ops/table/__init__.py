"""The table of operations: one row an operation, a file a family.  `../row.py` says what a row can hold."""
from . import arithmetic, creation, functions, linear, reduction  # noqa: F401
