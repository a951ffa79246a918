"""What memory tensors take: the engine's pool of blocks, its statistics and its limits.

Tensors' memory comes from a pool: blocks that fall free wait in it for the next tensor of their size, because fresh memory of the
system costs more than the arithmetic done on it. Bytes are counted as the pool holds them, each block with its header of 64 bytes and
its size rounded up by a quarter at the most. Memory borrowed of others (`from_numpy`) is not counted.

Thread-safety: all of these hold the GIL; counts are exact.
"""

from fastgrad import _engine
from fastgrad._engine import empty_cache

__all__ = ["allocated", "cached", "cap", "empty_cache", "peak", "reset_peak", "set_cap", "stats"]


def stats():
    """All counts, as a dict.

    Returns: `allocated`, `peak`, `cached`, `cap` in bytes, as the functions of these names say; `obtained_blocks` and
    `returned_blocks`, how often a block was asked of the system and given back.

    Example:
        >>> fastgrad.memory.stats()["peak"]
        1048640
    """
    return _engine.memory_stats()


def allocated():
    """Bytes in use by tensors, by graphs and by what Python still refers to."""
    return _engine.memory_stats()["allocated"]


def peak():
    """The most bytes that were in use at a time, since the start or the last reset_peak()."""
    return _engine.memory_stats()["peak"]


def reset_peak():
    """Let peak() start again from what is in use now."""
    _engine.reset_peak_memory()


def cached():
    """Bytes of free blocks that wait in the pool."""
    return _engine.memory_stats()["cached"]


def cap():
    """The most bytes of free blocks that the pool keeps: 1 GiB unless set."""
    return _engine.memory_stats()["cap"]


def set_cap(nbytes):
    """Keep at most so many bytes of free blocks; 0 keeps none.

    Raises:
        TypeError: not an int.
        ValueError: negative.
    """
    if not isinstance(nbytes, int):
        raise TypeError(f"memory.set_cap: a number of bytes must be an int, got {type(nbytes).__name__}")
    if nbytes < 0:
        raise ValueError(f"memory.set_cap: a number of bytes must not be negative, got {nbytes}")
    _engine.set_cache_limit(min(nbytes, 1 << 62))
