"""torch.distributed.distributed_c10d: where programs find what `fastgrad.distributed` has."""

from ._collectives import *  # noqa: F403
from ._groups import *  # noqa: F403
from ._groups import chosen
from ._stores import *  # noqa: F403
from ._stores import DistBackendError, DistError, DistNetworkError, DistStoreError  # noqa: F401


def _get_default_group():
    """The world.  Raises: ValueError: before init_process_group."""
    return chosen()
