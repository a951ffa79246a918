"""Stores of torch.distributed: tables of bytes by which processes find each other. Here the one process talks to itself, so a table will do.

Every method of a store takes its lock; `get` and `wait` wait for another thread to set the key.
"""

from datetime import timedelta
from threading import Condition

__all__ = ["FileStore", "HashStore", "PrefixStore", "Store", "TCPStore"]

DEFAULT_TIMEOUT = timedelta(seconds=300)


class DistError(RuntimeError):
    """An error of torch.distributed."""


class DistBackendError(DistError):
    """A backend failed."""


class DistNetworkError(DistError):
    """The network failed."""


class DistStoreError(DistError):
    """A store failed, or nobody set what was waited for."""


def as_bytes(value):
    return value if isinstance(value, bytes) else str(value).encode()


class Store:
    """A table of bytes: set, get, add, wait, ... Source: torch.distributed.Store."""

    def __init__(self):
        self.timeout = DEFAULT_TIMEOUT
        self._table, self._changed = {}, Condition()

    def _name(self, key):
        """The key's name in the table."""
        return key

    def set_timeout(self, timeout):
        self.timeout = timeout

    def set(self, key, value):
        with self._changed:
            self._table[self._name(key)] = as_bytes(value)
            self._changed.notify_all()

    def get(self, key):
        self.wait([key])
        return self._table[self._name(key)]

    def wait(self, keys, timeout=None):
        """Return when all keys are set.  Raises: DistStoreError: not within the timeout."""
        seconds = (timeout or self.timeout).total_seconds()
        with self._changed:
            if not self._changed.wait_for(lambda: self.check(keys), seconds):
                raise DistStoreError(f"wait timeout after {seconds:.0f} s, keys: {', '.join(keys)}")

    def check(self, keys):
        return all(self._name(key) in self._table for key in keys)

    def add(self, key, amount):
        """Add to the whole number at the key, 0 where there is none; returns the sum."""
        with self._changed:
            total = int(self._table.get(self._name(key), b"0")) + amount
            self.set(key, total)
        return total

    def append(self, key, value):
        with self._changed:
            self.set(key, self._table.get(self._name(key), b"") + as_bytes(value))

    def compare_set(self, key, expected_value, desired_value):
        """Set the key if it holds expected_value, or is new and expected_value empty; returns what it then holds."""
        with self._changed:
            held = self._table.get(self._name(key), b"")
            if held == as_bytes(expected_value):
                self.set(key, desired_value)
            return self._table.get(self._name(key), as_bytes(expected_value))

    def multi_get(self, keys):
        return [self.get(key) for key in keys]

    def multi_set(self, keys, values):
        for key, value in zip(keys, values, strict=True):
            self.set(key, value)

    def delete_key(self, key):
        with self._changed:
            return self._table.pop(self._name(key), None) is not None

    def num_keys(self):
        return len(self._table)


class HashStore(Store):
    """A store in memory."""


def one_process(name, world_size):
    if world_size is not None and world_size > 1:
        raise NotImplementedError(f"{name}: fastgrad runs one process, got a world_size of {world_size}")


class FileStore(Store):
    """A store of one process under a file's name; the file is not made."""

    def __init__(self, file_name, world_size=-1):
        super().__init__()
        one_process("FileStore", world_size)
        self.path = file_name


class TCPStore(Store):
    """A store of one process under a host's name; no port is opened."""

    def __init__(self, host_name, port, world_size=None, is_master=False, timeout=DEFAULT_TIMEOUT, wait_for_workers=True, multi_tenant=False,
                 master_listen_fd=None, use_libuv=True):
        super().__init__()
        one_process("TCPStore", world_size)
        if not is_master:
            raise NotImplementedError("TCPStore: fastgrad runs one process, so it is the master, got is_master=False")
        self.host, self.port, self.timeout = host_name, port, timeout


class PrefixStore(Store):
    """Another store, with a prefix before every key."""

    def __init__(self, prefix, store):
        self.timeout, self._table, self._changed = store.timeout, store._table, store._changed
        self.underlying_store, self._prefix = store, prefix

    def _name(self, key):
        return self.underlying_store._name(f"{self._prefix}/{key}")
