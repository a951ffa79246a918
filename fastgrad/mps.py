"""fastgrad.mps: there is no Apple GPU."""


def is_available():
    """False."""
    return False


def device_count():
    """0."""
    return 0


def manual_seed(seed):
    """No generator to seed."""


def empty_cache():
    """Raises RuntimeError, as PyTorch without that backend."""
    raise RuntimeError("Cannot execute emptyCache() without MPS backend.")


def synchronize():
    """Raises RuntimeError, as PyTorch without that backend."""
    raise RuntimeError("Cannot execute synchronize() without MPS backend.")
