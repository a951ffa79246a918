"""Reading of the format that PyTorch wrote before 1.6, and writes with _use_new_zipfile_serialization=False.

A stream of pickles: a magic number, a version, facts of the machine, the object, the keys of its storages; then for every key the number of
elements and their bytes.
"""

import pickle

import fastgrad as fg

from .unpickling import Kind

__all__ = ["is_legacy", "load_legacy"]

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)[2:]        # what follows the protocol's number
VERSION = 1001


def is_legacy(start):
    """Whether a file that starts with these bytes is in this format."""
    return start[:1] == b"\x80" and start[2 : 2 + len(MAGIC)] == MAGIC


class Storages:
    """The storages that the object's pickle has named; their bytes come after it."""

    def __init__(self, place, size):
        self.place, self.left, self.made = place, size, {}

    def __call__(self, key):
        """For persistent_load: a pair of the uint8 vector over the bytes, and the dtype's name."""
        if not (isinstance(key, tuple) and len(key) in (5, 6) and key[0] == "storage" and isinstance(key[1], Kind) and isinstance(key[2], str)
                and isinstance(key[3], str) and type(key[4]) is int and (len(key) == 5 or key[5] is None)):
            raise pickle.UnpicklingError(f"load: unknown reference {key!r}")
        _, dtype, name, location, numel = key[:5]
        if name not in self.made:
            nbytes = numel * getattr(fg, dtype).itemsize
            if not 0 <= nbytes <= self.left:
                raise RuntimeError(f"load: storage {name} of {numel} elements is larger than the file")
            self.left -= nbytes
            self.made[name] = self.place(fg.empty(nbytes, dtype=fg.uint8), location), str(dtype), numel
        data, known, count = self.made[name]
        if (known, count) != (str(dtype), numel):
            raise RuntimeError(f"load: storage {name} is named as {count} elements of {known} and as {numel} of {dtype}")
        return data, str(dtype)

    def read(self, file, name):
        """The bytes of one storage, from where the file is."""
        if name not in self.made:
            raise RuntimeError(f"load: the file has a storage {name!r} that its object does not name")
        data, _, numel = self.made.pop(name)
        head, content = file.read(8), file.read(data.numel())
        count = int.from_bytes(head, "little", signed=True)
        if count != numel or len(head) != 8 or len(content) != data.numel():
            raise RuntimeError(f"load: storage {name} has {count} elements in {len(content)} bytes, expected {numel} in {data.numel()}. The file "
                               "is damaged or cut off.")
        if content:
            memoryview(data)[:] = content


def load_legacy(file, kind, place, options):
    """The object in a file.

    Args:
        kind: class of the unpickler. place: gives, for the memory of a storage and where it was, the memory to read it into.
    Raises: RuntimeError: the file is damaged, or of another version.
    """
    size = file.seek(0, 2)
    file.seek(0)
    storages = Storages(place, size)
    kind(file, storages, **options).load()
    version, machine = kind(file, storages, **options).load(), kind(file, storages, **options).load()
    if version != VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise NotImplementedError("load: files written on a big-endian machine are not supported")
    result, keys = kind(file, storages, **options).load(), kind(file, storages, **options).load()
    if not isinstance(keys, list) or set(keys) != set(storages.made) or len(keys) != len(storages.made):
        raise RuntimeError("load: the storages of the file are not those that its object names. The file is damaged.")
    for key in keys:
        storages.read(file, key)
    return result
