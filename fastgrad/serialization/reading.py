"""Reading: `load`, of the zip format; legacy.py reads the one before it."""

import io
import pickle
import struct
import zipfile
from contextlib import contextmanager

import fastgrad as fg

from .legacy import is_legacy, load_legacy
from .names import PICKLE_LIMIT
from .unpickling import Kind, Reader, SafeReader

__all__ = ["load"]


DAMAGE = (zipfile.BadZipFile, EOFError, OSError, OverflowError, ValueError, struct.error)       # what zipfile meets in a damaged file


class Archive:
    """A file in the zip format, open."""

    def __init__(self, file, map_location, mapped=None):
        try:
            self.zip = zipfile.ZipFile(file)
            self.size = file.seek(0, 2)
            names = [n for n in self.zip.namelist() if n.endswith("/data.pkl") or n == "data.pkl"]
            if len(names) != 1:
                raise RuntimeError("load: the file has no data.pkl: it is not one that torch.save wrote")
            self.prefix = names[0][: -len("data.pkl")]
        except DAMAGE as error:
            raise RuntimeError(f"PytorchStreamReader failed reading zip archive: {error}. The file is damaged or cut off.") from None
        self.file, self.map_location, self.mapped, self.made = file, map_location, mapped, {}
        self.left = self.size                           # bytes that storages may have together, unless entries overlap
        order = self.prefix + "byteorder"
        if order in self.zip.NameToInfo and self.read("byteorder", 16) != b"little":
            raise NotImplementedError("load: files written on a big-endian machine are not supported")

    def entry(self, name, most=None):
        info = self.zip.NameToInfo.get(self.prefix + name)
        if info is None:
            raise RuntimeError(f"PytorchStreamReader failed locating file {name}: file not found")
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size or info.file_size > self.size or (
                most is not None and info.file_size > most):
            raise RuntimeError(f"load: the entry {name} is compressed or larger than it can be. The file is damaged or was not written "
                               "by torch.save.")
        return info

    def read(self, name, most):
        info = self.entry(name, most)
        try:
            return self.zip.read(info)
        except DAMAGE as error:
            raise RuntimeError(f"PytorchStreamReader failed reading file {name}: {error}") from None

    def storage(self, key):
        """For persistent_load: a pair of the uint8 vector over the bytes, and the dtype's name."""
        if not (isinstance(key, tuple) and len(key) == 5 and key[0] == "storage" and isinstance(key[1], Kind)
                and isinstance(key[2], str) and isinstance(key[3], str) and type(key[4]) is int):
            raise pickle.UnpicklingError(f"load: unknown reference {key!r}")
        _, dtype, number, location, numel = key
        if number not in self.made:
            self.made[number] = placed(self.bytes_of(f"data/{number}"), location, self.map_location)
        data = self.made[number]
        if numel < 0 or numel * getattr(fg, dtype).itemsize != data.numel():
            raise RuntimeError(f"load: storage {number} has {data.numel()} bytes, which is not {numel} elements of {str(dtype)}")
        return data, str(dtype)

    def bytes_of(self, name):
        info = self.entry(name)
        self.left -= info.file_size
        if self.left < 0:
            raise RuntimeError(f"load: the entry {name} overlaps others. The file is damaged or was not written by torch.save.")
        if info.file_size and self.mapped is not None:
            self.file.seek(info.header_offset + 26)
            lengths = struct.unpack("<HH", self.file.read(4))
            start = info.header_offset + 30 + sum(lengths)
            if start % 8 == 0 and start + info.file_size <= self.size:
                return fg.frombuffer(self.mapped, dtype=fg.uint8, count=info.file_size, offset=start)
        data = fg.empty(info.file_size, dtype=fg.uint8)
        if info.file_size:
            memoryview(data)[:] = self.read(name, None)
        return data


def placed(data, location, map_location):
    """The uint8 vector over a storage that was at `location`: as it is, on the CPU, or what a function gives in its place.

    Raises: RuntimeError: it would have to go to another device.
    """
    if callable(map_location):
        given = map_location(data.untyped_storage(), location)
        if given is not None:
            return given.untyped()._bytes()
    elif isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif map_location is not None:
        location = str(map_location)
    if location == "meta":
        raise NotImplementedError("load: map_location='meta' is not supported")
    if location.partition(":")[0] != "cpu":
        raise RuntimeError(f"Attempting to deserialize object on a {location.partition(':')[0].upper()} device but there is none. If you are "
                           "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your "
                           "storages to the CPU.")
    return data


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Read what `save`, here or in PyTorch, has written.

    Args:
        f: path, or an object with `read` and `seek`.
        map_location: "cpu", a device, a dict of locations or a function of (storage, location): where tensors go that were elsewhere.
        weights_only: tensors and containers only, which is the default; False runs whatever code the file names: trust it first.
        mmap: leave the tensors' bytes in the file until they are used; needs a path.
    Raises:
        UnpicklingError: the file names something that is not allowed.
        RuntimeError: it is damaged.
    """
    if pickle_module not in (None, pickle):
        raise NotImplementedError("load: pickle_module is not supported")
    if mmap and hasattr(f, "read"):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with opened(f) as file:
        file.seek(0)
        start = file.read(32)
        kind, options = Reader if weights_only is False else SafeReader, {"encoding": "utf-8", **pickle_load_args}
        if is_legacy(start):
            if mmap:
                raise RuntimeError("mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True)`")
            return unpickled(lambda: load_legacy(file, kind, lambda data, location: placed(data, location, map_location), options), weights_only)
        if start[:4] != b"PK\x03\x04":
            raise RuntimeError("load: neither a zip archive nor in the format from before PyTorch 1.6. The file is damaged.")
        mapped = None
        if mmap:
            from mmap import ACCESS_COPY, mmap as map_file

            mapped = map_file(file.fileno(), 0, access=ACCESS_COPY)
        archive = Archive(file, map_location, mapped)
        body = io.BytesIO(archive.read("data.pkl", PICKLE_LIMIT))
        return unpickled(kind(body, archive.storage, **options).load, weights_only)


def unpickled(load, weights_only):
    """What load() gives; with weights_only, any error that a file can cause is one of three classes."""
    try:
        return load()
    except (pickle.UnpicklingError, RuntimeError, NotImplementedError):
        raise
    except Exception as error:
        if weights_only is False:
            raise
        raise pickle.UnpicklingError(f"Weights only load failed. {type(error).__name__}: {error}") from error


@contextmanager
def opened(f):
    if hasattr(f, "read"):
        yield f
        return
    with open(f, "rb") as file:
        yield file
