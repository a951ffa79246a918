"""Every operation called with hostile arguments: `python -m tests.robustness.hostile PART PARTS`, in a process that may not die.

An operation of the table, hidden ones too, as function and as method, gets each of the values below in each place.  Whatever is raised must be an error
that a user can be expected to catch, and after an error the tensors that were passed are as they were.
"""
import faulthandler
import gc
import itertools
import sys
import warnings

import numpy as np

import fastgrad as fg

ALLOWED = (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError, MemoryError, OverflowError, ZeroDivisionError,
           AttributeError, BufferError, KeyError, AssertionError)
LARGE_NAMES = {"empty", "zeros", "ones", "full", "rand", "randn", "eye", "arange", "range", "linspace", "logspace", "tri", "randperm"}


class Shrinks(list):
    """A sequence that is shorter each time it is looked at."""

    def __len__(self):
        if list.__len__(self):
            self.pop()
        return list.__len__(self) + 1

    def __getitem__(self, i):
        self.clear()
        return 1


class Raises:
    def __raise(self, *arguments, **names):
        raise ValueError("raised by the argument")

    __len__ = __getitem__ = __iter__ = __index__ = __float__ = __int__ = __bool__ = __array__ = __dlpack__ = __add__ = __radd__ = __raise
    __mul__ = __rmul__ = __eq__ = __lt__ = __le__ = __raise
    __hash__ = object.__hash__

    @property
    def __array_interface__(self):
        raise ValueError("raised by the argument")

    dtype = shape = ndim = device = property(__raise)


class Lies:
    """An array interface over no memory."""
    __array_interface__ = {"shape": (1 << 40,), "typestr": "<f4", "data": (0, False), "version": 3, "strides": None}
    dtype, ndim, shape = np.dtype("float32"), 1, (1 << 40,)


class OddIndex:
    def __index__(self):
        return 1 << 70


def tensors():
    """Fresh every time: what is written must be seen."""
    base = np.arange(12, dtype="float32").reshape(3, 4) / 8 + 0.25
    return {
        "float": fg.from_numpy(base.copy()), "wants": fg.from_numpy(base.copy()).requires_grad_(), "zero-d": fg.tensor(2.0), "empty": fg.zeros(0),
        "empty2": fg.zeros(3, 0), "int": fg.from_numpy(np.arange(12).reshape(3, 4)), "bool": fg.from_numpy(base > 0.5),
        "uint8": fg.ones(4, dtype=fg.uint8), "half": fg.ones(4, dtype=fg.float16), "nan": fg.tensor([float("nan"), float("inf"), -0.0, -float("inf")]),
        "expanded": fg.ones(1).expand(3), "transposed": fg.from_numpy(base.copy()).t(), "five": fg.ones(1, 2, 1, 2, 2),
        "far": fg.tensor([1 << 62, -1 << 62, -1, 5]), "wrong": fg.ones(7, 5),
    }


VALUES = {
    "none": lambda: None, "zero": lambda: 0, "one": lambda: 1, "minus": lambda: -1, "big": lambda: 1 << 62, "huge": lambda: 1 << 100,
    "least": lambda: -(1 << 63), "nan": lambda: float("nan"), "inf": lambda: float("inf"), "half": lambda: 0.5, "true": lambda: True,
    "complex": lambda: 1j, "text": lambda: "mean", "bytes": lambda: b"\xff", "object": object, "raises": Raises, "shrinks": lambda: Shrinks([1, 2, 3]),
    "lies": Lies, "index": OddIndex, "tuple": lambda: (0, 1), "list": lambda: [[1.0], [2.0, 3.0]], "nothing": lambda: (), "sizes": lambda: (1 << 62, 1 << 62),
    "negative": lambda: (-1, -5), "dict": dict, "type": lambda: int, "dtype": lambda: fg.int64, "slice": lambda: slice(None, None, -1),
    "iterator": lambda: iter([1, 2]), "array": lambda: np.zeros((2, 2))[::-1], "objects": lambda: np.array([object()]), "class": lambda: fg.Tensor,
}
TENSORS = list(tensors())
# the same value in each place but the first
EVERYWHERE = [*VALUES, *("t:" + name for name in TENSORS)]


def make(kind, given):
    if kind.startswith("t:"):
        given[kind] = tensors()[kind[2:]]
        return given[kind]
    return VALUES[kind]()


def snapshot(tensor):
    t = tensor.detach()
    return t.dtype, tuple(t.shape), tuple(t.stride()), np.array(t.numpy(), copy=True).tobytes(), tensor.requires_grad


def call(function, label, kinds, names=()):
    given = {}
    arguments = [make(kind, given) for kind in kinds]
    before = {kind: snapshot(t) for kind, t in given.items()}
    try:
        result = function(*arguments[:len(arguments) - len(names)], **dict(zip(names, arguments[len(arguments) - len(names):])))
    except ALLOWED as error:
        for kind, t in given.items():
            assert snapshot(t) == before[kind], f"{label}{kinds}: {error!r} came after {kind} was changed"
        return
    except BaseException as error:
        raise AssertionError(f"{label}{kinds}: {type(error).__name__}: {error}") from error
    use(result)


def use(result):
    """Read what came back; walk its graph."""
    for t in result if isinstance(result, (tuple, list)) else (result,):
        if isinstance(t, fg.Tensor) and t.numel() < 10**6:
            t.detach().clone()
            repr(t)
            if t.requires_grad and t.is_floating_point():
                try:
                    t.sum().backward()
                except ALLOWED:
                    pass


def operations():
    """(label, function, how many arguments it names) of the table, as functions and methods."""
    from tests.ops.rows import ROWS

    for name, row in sorted(ROWS.items()):
        count = len(row.parameters)
        for place in (fg, fg.nn.functional, fg.special, fg.linalg, fg._ops):
            if hasattr(place, name) and not isinstance(getattr(place, name), type):
                yield name, getattr(place, name), count
                break
        for method in (name, name + "_"):
            if hasattr(fg.Tensor, method) and (row.method or method.endswith("_")):
                yield "Tensor." + method, getattr(fg.Tensor, method), count


def attack(label, function, count):
    call(function, label, ())
    firsts = ["t:float", "t:wants", "t:empty", "t:zero-d", "t:int", "t:expanded"]
    for kind in EVERYWHERE:
        call(function, label, (kind,))
        call(function, label, (kind,) * max(count, 2))
    for place, kind, first in itertools.product(range(1, min(count, 4)), EVERYWHERE, firsts):
        call(function, label, (first, *["t:float" if place > 1 else kind] * (place - 1), kind))
    for kind in ("t:float", "t:int", "one", "none", "raises"):
        call(function, label, ("t:float", "zero", kind))
        call(function, label, ("t:float", "zero", "t:far", kind))
        call(function, label, ("t:float",) * 9 + (kind,))
    for name in ("dim", "out", "dtype", "keepdim", "nonsense", "value"):
        for kind in ("huge", "raises", "text", "t:wrong", "t:expanded", "object"):
            call(function, label, ("t:float", kind), (name,))


if __name__ == "__main__":
    faulthandler.enable()
    warnings.simplefilter("ignore")
    part, parts = int(sys.argv[1]), int(sys.argv[2])
    failures = []
    for i, (label, function, count) in enumerate(operations()):
        if i % parts == part:
            print(label, file=sys.stderr, flush=True)
            try:
                attack(label, function, count)
            except AssertionError as error:
                failures.append(str(error).splitlines()[0])
    gc.collect()
    if failures:
        raise SystemExit("\n".join(failures))
