"""What a file may call: the unpicklers, with PyTorch's names mapped to what they are here, and the list of what is allowed."""

import pickle
from collections import Counter, OrderedDict, defaultdict

import fastgrad as fg
from fastgrad import _ops

from .names import HERE, KINDS, THERE, found_here, torch_name

__all__ = ["Kind", "Reader", "SafeReader", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "safe_globals"]

extra_globals = {}


def global_name(obj):
    """(the full name that files have, the object) of a class or function, or of a pair of one and its full name."""
    if isinstance(obj, tuple):
        return obj[1].replace(HERE + ".", THERE + ".", 1) if obj[1].startswith(HERE + ".") else obj[1], obj[0]
    return ".".join(torch_name(obj) or (obj.__module__, obj.__qualname__)), obj


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


def rebuild_from_type(rebuild, kind, arguments, state):
    """A tensor of a subclass, or with attributes; state is as object.__getstate__ gives it."""
    tensor = rebuild(*arguments)
    if type(tensor) is not kind:
        tensor = tensor.as_subclass(kind)
    if hasattr(kind, "__setstate__"):
        tensor.__setstate__(state)
        return tensor
    for attributes in state if isinstance(state, tuple) else (state,):
        for name, value in (attributes or {}).items():
            setattr(tensor, name, value)
    return tensor


class Kind(str):
    """A storage class of PyTorch's, as the name of its dtype."""


def known_global(module, name):
    """What a name in a file stands for, among what rebuilds data; None for any other name."""
    if module == "torch._utils":
        return {"_rebuild_tensor_v2": rebuild_tensor, "_rebuild_parameter": rebuild_parameter,
                "_rebuild_parameter_with_state": rebuild_parameter}.get(name)
    if (module, name) == ("torch._tensor", "_rebuild_from_type_v2"):
        return rebuild_from_type
    if module == THERE or module == "torch.storage":
        if name in KINDS:
            return Kind(KINDS[name])
        if name in ("Size", "device"):
            return getattr(fg, name)
        if name == "Tensor":
            return fg.Tensor
        return getattr(fg, name) if isinstance(getattr(fg, name, None), fg.dtype) else None
    if (module, name) == ("torch.nn.parameter", "Parameter"):
        return fg.nn.Parameter
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


CALLABLE = (rebuild_tensor, rebuild_parameter, rebuild_from_type, encode, OrderedDict, Counter, set, frozenset, bytearray, complex, slice)


class Reader(pickle._Unpickler):
    """Unpickles anything, as Python does: for files that are trusted."""

    def __init__(self, file, storages, **options):
        super().__init__(file, **options)
        self.persistent_load = storages

    def find_class(self, module, name):
        known = known_global(module, name)
        if known is not None:
            return known
        if module.partition(".")[0] == THERE and "." not in name:
            return found_here(module, name)
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
        if function is rebuild_from_type and not self.rebuilds(*arguments):
            raise pickle.UnpicklingError("Weights only load failed. Unsupported class, or attributes, of a tensor")
        if function is bytearray and not all(isinstance(a, (bytes, str)) for a in arguments):
            raise pickle.UnpicklingError("Weights only load failed. Unsupported argument of bytearray")
        pickle._Unpickler.load_reduce(self)

    def rebuilds(self, rebuild, kind, arguments, state):
        """Whether this is how a tensor of an allowed class, with attributes of its own, is made."""
        return (any(rebuild is f for f in (rebuild_tensor, rebuild_parameter)) and type(arguments) is tuple
                and any(kind is c for c in (fg.Tensor, fg.nn.Parameter, *extra_globals.values()))
                and all(part is None or type(part) is dict and all(type(name) is str and name[:2] != "__" for name in part)
                        for part in (state if type(state) is tuple else (state,))))

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
