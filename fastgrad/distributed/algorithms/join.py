"""torch.distributed.algorithms.join: blocks in which processes may have unequal numbers of inputs."""

__all__ = ["Join", "Joinable"]


class Joinable:
    """What can be given to Join: a class of the program's own. DistributedDataParallel can be given as well."""


class Join:
    """`with Join([model]):` the one process has its own number of inputs, so nothing is done.

    Args:
        joinables: what takes part. others: accepted; nobody ends early.
    """

    def __init__(self, joinables, enable=True, throw_on_early_termination=False, **kwargs):
        if not joinables:
            raise ValueError("Join: expected at least one joinable")
        self._joinables = list(joinables)

    def __enter__(self):
        return None

    def __exit__(self, *error):
        return None

    @staticmethod
    def notify_join_context(joinable):
        """None: there is nobody to tell."""
