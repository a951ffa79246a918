"""save and load in PyTorch's zip format: files go both ways between fastgrad and PyTorch.

A file is a zip archive of stored entries: data.pkl, which refers to storages by number, and data/<number>, their bytes.  The pickle names
PyTorch's functions and classes; `torch.x` in a file is `fastgrad.x` here.  With weights_only, which is the default, a file can call
nothing but what rebuilds tensors and containers: every opcode and every name that is not on a list is refused.
"""

import io
import os
import pickle
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict
from contextlib import contextmanager

import fastgrad as fg
from fastgrad import _ops

__all__ = ["save", "load", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

KINDS = {"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
         "ByteStorage": "uint8", "CharStorage": "int8", "ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64",
         "BoolStorage": "bool", "UntypedStorage": "uint8"}
STORAGES = {dtype: kind for kind, dtype in reversed(KINDS.items())}
ALIGNMENT = 64
PICKLE_LIMIT = 1 << 28
HERE, THERE = "fastgrad", "torch"


class Named:
    """A name of PyTorch's, as it stands in files."""

    def __init__(self, module, name):
        self.module, self.name = module, name

    def __call__(self, *arguments):  # pickle wants what it reduces to to be callable
        raise TypeError(f"{self.module}.{self.name} is a name only")


REBUILD, PARAMETER = Named("torch._utils", "_rebuild_tensor_v2"), Named("torch._utils", "_rebuild_parameter")
PARAMETER_STATE = Named("torch._utils", "_rebuild_parameter_with_state")
SIZE, DEVICE = Named(THERE, "Size"), Named(THERE, "device")


# --- writing ---


class Writer(pickle._Pickler):
    """Pickles with PyTorch's names; the storages of tensors are collected beside it."""

    dispatch = dict(pickle._Pickler.dispatch)

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages = {}  # id -> (number, storage, dtype name)

    def reducer_override(self, obj):
        if isinstance(obj, fg.nn.Parameter):
            state = dict(obj.__dict__)
            parts = obj.data, obj.requires_grad, OrderedDict()
            return (PARAMETER_STATE, (*parts, state)) if state else (PARAMETER, parts)
        if type(obj) is fg.Tensor:
            if not obj.is_leaf and obj.requires_grad:
                obj = obj.detach().requires_grad_(True)
            return REBUILD, (_Reference(self.number_of(obj)), obj.storage_offset(), tuple(obj.shape), obj.stride(), obj.requires_grad,
                             OrderedDict())
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
        module = getattr(obj, "__module__", None) or ""
        name = name or getattr(obj, "__qualname__", None) or obj.__name__
        if module.partition(".")[0] == HERE and "." not in name:
            self.save_named(Named(THERE + module[len(HERE):], name))
            self.memoize(obj)
            return
        super().save_global(obj, name)

    def save_type(self, obj):
        if obj in (type(None), type(NotImplemented), type(...)):
            return pickle._Pickler.save_type(self, obj)
        return self.save_global(obj)

    dispatch[Named], dispatch[fg.dtype], dispatch[type] = save_named, save_dtype, save_type


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
        return write_archive(f, "archive", body.getvalue(), storages)
    path = os.fspath(f)
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as file:
            write_archive(file, os.path.splitext(os.path.basename(path))[0], body.getvalue(), storages)
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise


def write_archive(file, name, body, storages):
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
        entry("byteorder", b"little")
        for number, storage in enumerate(storages):
            entry(f"data/{number}", bytes(memoryview(storage._bytes())) if storage.nbytes() else b"")
        entry("version", b"3\n")


# --- what a file may call ---

extra_globals = {}


def global_name(obj):
    if isinstance(obj, tuple):
        return obj[1].replace(HERE + ".", THERE + ".", 1) if obj[1].startswith(HERE + ".") else obj[1], obj[0]
    module = obj.__module__
    return f"{THERE + module[len(HERE):] if module.partition('.')[0] == HERE else module}.{obj.__qualname__}", obj


def add_safe_globals(safe_globals):
    """Allow classes and functions, or pairs of one and its full name, in files loaded with weights_only."""
    extra_globals.update(map(global_name, safe_globals))


def get_safe_globals():
    """What add_safe_globals was given."""
    return list(extra_globals.values())


def clear_safe_globals():
    """Allow none of it any more."""
    extra_globals.clear()


class safe_globals:
    """A block in which classes and functions are allowed: `with safe_globals([MyClass]): ...`."""

    def __init__(self, safe_globals):
        self.given = safe_globals

    def __enter__(self):
        self.before = dict(extra_globals)
        add_safe_globals(self.given)

    def __exit__(self, *exception):
        extra_globals.clear()
        extra_globals.update(self.before)


def rebuild_tensor(storage, offset, size, stride, requires_grad=False, backward_hooks=None, metadata=None):
    data, dtype = storage
    return _ops._rebuild_tensor(data.untyped_storage(), dtype, offset, tuple(size), tuple(stride), bool(requires_grad))


def rebuild_parameter(data, requires_grad, backward_hooks, state=None):
    parameter = fg.nn.Parameter(data, requires_grad)
    if state:
        parameter.__dict__.update(state)
    return parameter


class Kind(str):
    """A storage class of PyTorch's, as the name of its dtype."""


def known_global(module, name):
    """What a name in a file stands for, among what rebuilds data; None for any other name."""
    if module == "torch._utils":
        return {"_rebuild_tensor_v2": rebuild_tensor, "_rebuild_parameter": rebuild_parameter,
                "_rebuild_parameter_with_state": rebuild_parameter}.get(name)
    if module == THERE or module == "torch.storage":
        if name in KINDS:
            return Kind(KINDS[name])
        if name in ("Size", "device"):
            return getattr(fg, name)
        return getattr(fg, name) if isinstance(getattr(fg, name, None), fg.dtype) else None
    if module == "collections":
        return {"OrderedDict": OrderedDict, "Counter": Counter, "defaultdict": defaultdict}.get(name)
    if module in ("builtins", "__builtin__"):
        return {"set": set, "frozenset": frozenset, "bytearray": bytearray, "complex": complex, "slice": slice}.get(name)
    if (module, name) == ("_codecs", "encode"):  # how protocol 2 writes bytes
        return encode
    return None


def encode(text, encoding):
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"unsupported encoding {encoding!r}")
    return text.encode("latin1")


CALLABLE = (rebuild_tensor, rebuild_parameter, encode, OrderedDict, Counter, set, frozenset, bytearray, complex, slice)


class Reader(pickle._Unpickler):
    """Unpickles anything, as Python does: for files that are trusted."""

    def __init__(self, file, storages, **options):
        super().__init__(file, **options)
        self.persistent_load = storages

    def find_class(self, module, name):
        known = known_global(module, name)
        if known is not None:
            return known
        if module.partition(".")[0] == THERE:
            module = HERE + module[len(THERE):]
        return super().find_class(module, name)


FORBIDDEN = (pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX, pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.PERSID, pickle.NEXT_BUFFER,
             pickle.READONLY_BUFFER)


class SafeReader(Reader):
    """Unpickles data and nothing else: a name that is not known, and an opcode that could call anything, is an error.

    It is Python's own reader written in Python, whose memo is a dict: an absurd memo index costs nothing.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def find_class(self, module, name):
        if f"{module}.{name}" in extra_globals:
            return extra_globals[f"{module}.{name}"]
        known = known_global(module, name)
        if known is None:
            raise pickle.UnpicklingError(
                f"Weights only load failed. Unsupported global: GLOBAL {module}.{name} was not an allowed global by default. Please use "
                f"`torch.serialization.add_safe_globals([{name}])` or the `torch.serialization.safe_globals([{name}])` context manager to "
                "allowlist this global if you trust this class/function, or load with weights_only=False if you trust the file.")
        return known

    def allowed(self, function):
        return any(function is f for f in (*CALLABLE, fg.Size, fg.device, defaultdict, *extra_globals.values()))

    def load_reduce(self):
        function, arguments = self.stack[-2], self.stack[-1]
        if not self.allowed(function) or type(arguments) is not tuple:
            raise pickle.UnpicklingError(f"Weights only load failed. Trying to call {function!r}, which is not allowed")
        if function is defaultdict and arguments and not (arguments[0] is None or self.allowed(arguments[0])):
            raise pickle.UnpicklingError("Weights only load failed. Unsupported factory of a defaultdict")
        if function is bytearray and not all(isinstance(a, (bytes, str)) for a in arguments):
            raise pickle.UnpicklingError("Weights only load failed. Unsupported argument of bytearray")
        pickle._Unpickler.load_reduce(self)

    def load_newobj(self):
        if not any(self.stack[-2] is f for f in (fg.Size, OrderedDict, *extra_globals.values())):
            raise pickle.UnpicklingError(f"Weights only load failed. Trying to make a {self.stack[-2]!r}, which is not allowed")
        pickle._Unpickler.load_newobj(self)

    def load_build(self):
        instance, state = self.stack[-2], self.stack[-1]
        if any(type(instance) is c for c in extra_globals.values()):
            return pickle._Unpickler.load_build(self)
        if type(instance) is not OrderedDict or type(state) is not dict:
            raise pickle.UnpicklingError(f"Weights only load failed. Unsupported state of a {type(instance).__name__}")
        instance.__dict__.update(self.stack.pop())

    def refuse(self):
        raise pickle.UnpicklingError("Weights only load failed. The file holds an opcode that is not allowed")

    dispatch[pickle.REDUCE[0]], dispatch[pickle.NEWOBJ[0]], dispatch[pickle.BUILD[0]] = load_reduce, load_newobj, load_build
    for opcode in FORBIDDEN:
        dispatch[opcode[0]] = refuse
    del opcode


# --- reading ---


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
        except zipfile.BadZipFile as error:
            raise RuntimeError(f"PytorchStreamReader failed reading zip archive: {error}. The file is damaged or cut off.") from None
        self.file, self.map_location, self.mapped, self.made = file, map_location, mapped, {}
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
        except (zipfile.BadZipFile, EOFError, ValueError) as error:
            raise RuntimeError(f"PytorchStreamReader failed reading file {name}: {error}") from None

    def storage(self, key):
        """For persistent_load: a pair of the uint8 vector over the bytes, and the dtype's name."""
        if not (isinstance(key, tuple) and len(key) == 5 and key[0] == "storage" and isinstance(key[1], Kind)
                and isinstance(key[2], str) and isinstance(key[3], str) and type(key[4]) is int):
            raise pickle.UnpicklingError(f"load: unknown reference {key!r}")
        _, dtype, number, location, numel = key
        place(location, self.map_location)
        if number not in self.made:
            self.made[number] = self.bytes_of(f"data/{number}")
            if callable(self.map_location):
                self.map_location(self.made[number].untyped_storage(), location)
        data = self.made[number]
        if numel < 0 or numel * getattr(fg, dtype).itemsize != data.numel():
            raise RuntimeError(f"load: storage {number} has {data.numel()} bytes, which is not {numel} elements of {str(dtype)}")
        return data, str(dtype)

    def bytes_of(self, name):
        info = self.entry(name)
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


def place(location, map_location):
    """Raise unless a storage that was at `location` may come to the CPU."""
    if isinstance(map_location, dict):
        location = map_location.get(location, location)
    elif callable(map_location):
        return
    elif map_location is not None:
        location = str(map_location)
    if location.partition(":")[0] not in ("cpu", "meta"):
        raise RuntimeError(f"Attempting to deserialize object on a {location.partition(':')[0].upper()} device but there is none. If you are "
                           "running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your "
                           "storages to the CPU.")


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Read what `save`, here or in PyTorch, has written.

    Args:
        f: path, or an object with `read` and `seek`.
        map_location: "cpu", a device, a dict of locations or a function of (storage, location): where tensors go that were elsewhere.
        weights_only: tensors and containers only, which is the default; False runs whatever code the file names: trust it first.
        mmap: leave the tensors' bytes in the file until they are used; needs a path.
    Raises:
        UnpicklingError: the file names something that is not allowed.
        RuntimeError: it is damaged, or in the format from before PyTorch 1.6.
    """
    if pickle_module not in (None, pickle):
        raise NotImplementedError("load: pickle_module is not supported")
    if mmap and hasattr(f, "read"):
        raise ValueError("f must be a file path in order to use the mmap argument")
    with opened(f) as file:
        file.seek(0)
        if file.read(4) != b"PK\x03\x04":
            raise RuntimeError("load: not a zip archive. The file is damaged, or in the format from before PyTorch 1.6, which is not "
                               "supported: load and save it anew with PyTorch.")
        mapped = None
        if mmap:
            from mmap import ACCESS_COPY, mmap as map_file

            mapped = map_file(file.fileno(), 0, access=ACCESS_COPY)
        archive = Archive(file, map_location, mapped)
        kind = Reader if weights_only is False else SafeReader
        reader = kind(io.BytesIO(archive.read("data.pkl", PICKLE_LIMIT)), archive.storage, **{"encoding": "utf-8", **pickle_load_args})
        try:
            return reader.load()
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
