"""torch.distributed.elastic.multiprocessing.errors: the decorator of a program's main function."""

from functools import wraps

__all__ = ["record"]


def record(fn, error_handler=None):
    """fn: its errors are the interpreter's to report; there is no torchrun that would write them down."""

    @wraps(fn)
    def run(*args, **kwargs):
        return fn(*args, **kwargs)

    return run
