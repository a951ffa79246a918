"""Writing: `save`. What is pickled goes by PyTorch's names, storages beside it; a path is replaced in one step."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict

import fastgrad as fg

from .names import (
    ALIGNMENT,
    DEVICE,
    FUNCTIONS,
    PARAMETER,
    PARAMETER_STATE,
    REBUILD,
    REBUILD_TYPE,
    SIZE,
    STORAGES,
    THERE,
    Named,
    torch_name,
)

__all__ = ["save"]


class Writer(pickle._Pickler):
    """Pickles with PyTorch's names; the storages of tensors are collected beside it."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages = {}  # id -> (number, storage, dtype name)

    def reducer_override(self, obj):
        if isinstance(obj, fg.Tensor) and type(obj).__reduce_ex__ is fg.nn.Parameter.__reduce_ex__:
            state = dict(obj.__dict__)
            parts = obj.data, obj.requires_grad, OrderedDict()
            return (PARAMETER_STATE, (*parts, state)) if state else (PARAMETER, parts)
        if isinstance(obj, fg.Tensor) and type(obj).__reduce_ex__ is fg.Tensor.__reduce_ex__:
            parts = (_Reference(self.number_of(obj)), obj.storage_offset(), tuple(obj.shape), obj.stride(), obj.requires_grad, OrderedDict())
            if type(obj) is fg.Tensor and not obj.__dict__:
                return REBUILD, parts
            state = obj.__getstate__() if hasattr(obj, "__getstate__") else obj.__dict__       # object has it from Python 3.11 on
            return REBUILD_TYPE, (REBUILD, type(obj), parts, state)
        if type(obj) is fg.Size:
            return SIZE, (tuple(obj),)
        if type(obj) is fg.device:
            return DEVICE, (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def number_of(self, tensor):
        storage, dtype = tensor.untyped_storage(), tensor.dtype.name
        number, _, known = self.storages.setdefault(id(storage), (len(self.storages), storage, dtype))
        if known != dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return "storage", Named(THERE, STORAGES[dtype]), str(number), "cpu", storage.nbytes() // tensor.element_size()

    def persistent_id(self, obj):
        return obj.key if type(obj) is _Reference else None

    def save_named(self, obj):
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())

    def save_dtype(self, obj):
        self.save_named(Named(THERE, obj.name))

    def save_global(self, obj, name=None):
        place = torch_name(obj)
        if place is not None:
            self.save_named(Named(*place))
            self.memoize(obj)
        elif type(obj) is type(fg.relu):            # of Tensor alone
            self.save_reduce(getattr, (fg.Tensor, obj.__name__), obj=obj)
        else:
            super().save_global(obj, name)

    def save_type(self, obj):
        if obj in (type(None), type(NotImplemented), type(...)):
            return pickle._Pickler.save_type(self, obj)
        return self.save_global(obj)

    dispatch[Named], dispatch[fg.dtype], dispatch[type] = save_named, save_dtype, save_type
    dispatch.update(dict.fromkeys(FUNCTIONS, save_global))


class _Reference:
    """A storage, where a tensor's pickle refers to it."""

    def __init__(self, key):
        self.key = key


def save(obj, f, pickle_module=pickle, pickle_protocol=2, _use_new_zipfile_serialization=True, _disable_byteorder_record=False):
    """Write an object with tensors to a file that fastgrad and PyTorch can load.

    Args:
        f: path, or an object with `write`.  A path is replaced in one step, once everything is written.
        pickle_protocol: of the part that is a pickle.
    Raises:
        NotImplementedError: another pickle_module, or the format from before PyTorch 1.6.
    """
    if pickle_module is not pickle:
        raise NotImplementedError("save: pickle_module is not supported")
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("save: _use_new_zipfile_serialization=False is not supported")
    body = io.BytesIO()
    writer = Writer(body, pickle_protocol)
    writer.dump(obj)
    storages = [storage for _, storage, _ in writer.storages.values()]
    if hasattr(f, "write"):
        return write_archive(f, "archive", body.getvalue(), storages, not _disable_byteorder_record)
    path = os.fspath(f)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            write_archive(file, os.path.splitext(os.path.basename(path))[0], body.getvalue(), storages, not _disable_byteorder_record)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_archive(file, name, body, storages, byteorder):
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        def entry(which, data):
            info = zipfile.ZipInfo(f"{name}/{which}")
            start = archive.fp.tell() + 30 + len(info.filename.encode()) + 4
            padding = -start % ALIGNMENT
            info.extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
            archive.writestr(info, data)

        entry("data.pkl", body)
        entry(".format_version", b"1")
        entry(".storage_alignment", str(ALIGNMENT).encode())
        if byteorder:
            entry("byteorder", b"little")
        for number, storage in enumerate(storages):
            entry(f"data/{number}", bytes(memoryview(storage._bytes())) if storage.nbytes() else b"")
        entry("version", b"3\n")
