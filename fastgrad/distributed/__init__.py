"""fastgrad.distributed: torch.distributed with one process: a world of size 1, in which every collective is done at once.

Raises: NotImplementedError for more processes.
"""

from . import _collectives, _groups, _stores, distributed_c10d
from ._collectives import *  # noqa: F403
from ._groups import *  # noqa: F403
from ._stores import *  # noqa: F403
from ._stores import DistBackendError, DistError, DistNetworkError, DistStoreError

__all__ = ["DistBackendError", "DistError", "DistNetworkError", "DistStoreError", "distributed_c10d", *_collectives.__all__, *_groups.__all__, *_stores.__all__]
