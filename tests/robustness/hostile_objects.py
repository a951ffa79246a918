"""Objects that lie about their memory or act when they are looked at, and hooks that do what they like: one scenario a run, in a process that may
not die.  `python -m tests.robustness.hostile_objects NAME`

Each scenario ends normally if everything was either refused with an error that a user can be expected to catch, or harmless.
"""
import ctypes
import faulthandler
import gc
import sys
import warnings

import numpy as np

import fastgrad as fg

ALLOWED = (TypeError, ValueError, RuntimeError, IndexError, NotImplementedError, MemoryError, OverflowError, ZeroDivisionError, AttributeError,
           BufferError, KeyError, AssertionError)


def harmless(call, *arguments):
    try:
        return call(*arguments)
    except ALLOWED as error:
        return error


def refused(call, *arguments, error=ALLOWED):
    try:
        result = call(*arguments)
    except error:
        return
    raise AssertionError(f"{call} was not refused, it gave {result!r}")


# ---- DLPack capsules, made by hand

class Device(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int32), ("id", ctypes.c_int32)]


class Kind(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint8), ("bits", ctypes.c_uint8), ("lanes", ctypes.c_uint16)]


class Array(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("device", Device), ("ndim", ctypes.c_int32), ("kind", Kind), ("shape", ctypes.POINTER(ctypes.c_int64)),
                ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64)]


class Managed(ctypes.Structure):
    _fields_ = [("array", Array), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p)]


new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype, new_capsule.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
alive = []                        # what capsules point to


def capsule(name=b"dltensor", **changes):
    """A capsule over six floats, 2x3, with some fields changed."""
    memory = (ctypes.c_float * 8)(*range(8))
    managed = Managed()
    fields = {"data": ctypes.addressof(memory), "ndim": 2, "shape": (2, 3), "strides": (3, 1), "offset": 0, "kind": (2, 32, 1), "device": (1, 0)} | changes
    a = managed.array
    a.data, a.ndim, a.offset, a.kind, a.device = fields["data"], fields["ndim"], fields["offset"], Kind(*fields["kind"]), Device(*fields["device"])
    for field in ("shape", "strides"):
        if fields[field] is not None:
            numbers = (ctypes.c_int64 * len(fields[field]))(*fields[field])
            alive.append(numbers)
            setattr(a, field, ctypes.cast(numbers, ctypes.POINTER(ctypes.c_int64)))
    alive.extend([memory, managed, name])
    return new_capsule(ctypes.addressof(managed), name, None)


def dlpack():
    assert fg.from_dlpack(capsule()).tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert fg.from_dlpack(capsule(strides=None, offset=4)).tolist() == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    assert fg.from_dlpack(capsule(ndim=0, shape=None, strides=None)).item() == 0.0
    assert fg.from_dlpack(capsule(data=None, shape=(0, 3))).shape == (0, 3)
    once = capsule()
    fg.from_dlpack(once)
    refused(fg.from_dlpack, once, error=RuntimeError)
    refused(fg.from_dlpack, capsule(b"used_dltensor"), error=RuntimeError)
    refused(fg.from_dlpack, capsule(b"dltensor_versioned"), error=RuntimeError)
    refused(fg.from_dlpack, capsule(b"something"), error=RuntimeError)
    refused(fg.from_dlpack, capsule(None), error=RuntimeError)
    for changes in ({"data": None}, {"shape": None}, {"ndim": -1}, {"ndim": 9}, {"ndim": 1 << 30}, {"shape": (-1, 3)}, {"shape": (1 << 40, 1 << 40)},
                    {"shape": (1 << 62, 3), "strides": (1, 1)}, {"strides": (-3, 1)}, {"strides": (1 << 62, 1)}, {"strides": (1 << 50, 1 << 50)},
                    {"offset": 1 << 63}, {"offset": (1 << 64) - 4}, {"offset": 2}, {"kind": (2, 32, 4)}, {"kind": (2, 32, 0)}, {"kind": (2, 31, 1)},
                    {"kind": (5, 32, 1)}, {"kind": (5, 256, 1)}, {"kind": (5, 64, 2)}, {"kind": (99, 32, 1)}, {"kind": (2, 0, 1)},
                    {"device": (2, 0)}, {"device": (-1, 0)}, {"device": (0, 0)}):
        refused(fg.from_dlpack, capsule(**changes), error=(BufferError, RuntimeError))

    class Lender:
        def __init__(self, device, given):
            self.device, self.given = device, given

        def __dlpack_device__(self):
            return self.device

        def __dlpack__(self, **names):
            if isinstance(self.given, Exception):
                raise self.given
            return self.given

    for device in ((2, 0), None, (), "cpu", 1, (1,)):
        refused(fg.from_dlpack, Lender(device, capsule()))
    for given in (None, 5, "x", object(), np.zeros(3), ValueError("no")):
        refused(fg.from_dlpack, Lender((1, 0), given))
    lent = fg.ones(3).__dlpack__()
    del lent
    taken = fg.from_dlpack(fg.ones(3).__dlpack__())
    gc.collect()
    assert taken.tolist() == [1.0] * 3


# ---- arrays and sequences that lie

def arrays():
    class Interface:
        def __init__(self, **fields):
            self.__array_interface__ = {"shape": (3,), "typestr": "<f4", "data": (0, False), "version": 3, "strides": None} | fields

    for fields in ({"shape": (1 << 40,)}, {"shape": (-1,)}, {"shape": "x"}, {"shape": None}, {"typestr": "<f3"}, {"typestr": None}, {"typestr": "|O"},
                   {"data": None}, {"data": "x"}, {"data": (1,)}, {"strides": (1,)}, {"strides": "x"}, {"version": None}):
        for call in (fg.tensor, fg.as_tensor, fg.from_numpy, fg.asarray, lambda a: fg.zeros(3) + a, lambda a: fg.zeros(3)[a]):
            harmless(call, Interface(**fields))

    class Changing:
        """Another array each time it is asked."""
        count = 0

        @property
        def __array_interface__(self):
            self.count += 1
            return np.zeros(self.count * 1000, dtype="f4").__array_interface__

    for call in (fg.tensor, fg.as_tensor, lambda a: fg.tensor([a, a])):
        harmless(call, Changing())

    class Subclass(np.ndarray):
        shape = strides = itemsize = ndim = property(lambda self: (1 << 40,))
        dtype = property(lambda self: np.dtype("float64"))

    odd = np.zeros(4, dtype="f4").view(Subclass)
    for call in (fg.tensor, fg.as_tensor, fg.from_numpy, lambda a: fg.zeros(4) + a, lambda a: fg.zeros(4)[a]):
        harmless(call, odd)
    for buffer in (bytearray(7), memoryview(bytearray(12))[::2], b"", bytearray(8)):
        for dtype in (fg.float32, fg.int64, fg.bool):
            for count in (-1, 0, 1, 1 << 62, -(1 << 62)):
                for offset in (0, 1, 7, -1, 1 << 62):
                    harmless(lambda b, d, c, o: fg.frombuffer(b, dtype=d, count=c, offset=o).sum(), buffer, dtype, count, offset)
    shared = bytearray(16)
    t = fg.frombuffer(shared, dtype=fg.float32)
    refused(shared.extend, b"more", error=BufferError)
    assert t.tolist() == [0.0] * 4
    array = np.zeros(4, dtype="f4")
    t = fg.from_numpy(array)
    harmless(array.resize, 1 << 20)
    t.fill_(3)


class Sequence:
    """A sequence of whatever length and elements it says."""

    def __init__(self, length, item):
        self.length, self.item = length, item

    def __len__(self):
        return self.length() if callable(self.length) else self.length

    def __getitem__(self, i):
        return self.item(i) if callable(self.item) else self.item


def sequences():
    def stop(i):
        raise IndexError("no more")

    endless = Sequence(2, None)
    endless.item = endless
    growing = [1.0]
    growing.append(Sequence(lambda: growing.append(1.0) or 2, 1.0))
    numbers = iter(range(1, 1 << 20))
    given = [Sequence(-1, 1.0), Sequence(1 << 40, stop), Sequence(3, stop), Sequence(2, "x"), Sequence(lambda: 1 / 0, 1), endless, growing,
             Sequence(lambda: next(numbers), 1.0), [Sequence(2, 1.0), Sequence(3, 1.0)], [[1.0], Sequence(1, lambda i: [1.0, 2.0])]]
    for data in given:
        for call in (fg.tensor, fg.as_tensor, fg.Tensor, fg.zeros, fg.ones(3, 3).view, fg.ones(3, 3).expand, fg.ones(3, 3).permute, fg.ones(3, 3).sum,
                     lambda d: fg.zeros(4)[d], lambda d: fg.zeros(4).__setitem__(d, 1.0), lambda d: fg.cat(d), lambda d: fg.ones(4).split(d)):
            harmless(call, data)


# ---- numbers that act

def indices():
    """An __index__ that takes memory from the very tensor, lengthens the list it stands in, or raises."""
    calls = {
        "getitem": lambda t, i: t[i], "slice": lambda t, i: t[i:1000:1], "column": lambda t, i: t[:, i], "setitem": lambda t, i: t.__setitem__(i, 5.0),
        "view": lambda t, i: t.view(i, 1000), "reshape": lambda t, i: t.reshape(i, 1000), "narrow": lambda t, i: t.narrow(0, i, 900), "select": lambda t, i: t.select(0, i),
        "expand": lambda t, i: t[None].expand(i, 1000, 1000), "as_strided": lambda t, i: t.as_strided((1000, 1000), (i, 1)), "unfold": lambda t, i: t.unfold(0, 900, i),
        "diagonal": lambda t, i: t.diagonal(i), "permute": lambda t, i: t.permute(i, 0), "transpose": lambda t, i: t.transpose(i, 0), "sum": lambda t, i: t.sum(i),
        "split": lambda t, i: t.split([i, 999]), "flip": lambda t, i: t.flip((i,)), "roll": lambda t, i: t.roll(i, 0), "repeat": lambda t, i: t.repeat(i, 1),
        "cumsum": lambda t, i: t.cumsum(i), "index_add": lambda t, i: t.index_add_(i, fg.tensor([0]), fg.ones(1, 1000)), "unflatten": lambda t, i: t.unflatten(0, (i, 1000)),
        "tile": lambda t, i: t.tile((i, 1)), "sort": lambda t, i: t.sort(i), "topk": lambda t, i: t.topk(i, 0), "gather": lambda t, i: t.gather(i, fg.zeros(1, 1000, dtype=fg.int64)),
        "chunk": lambda t, i: t.chunk(i, 0), "unbind": lambda t, i: t.unbind(i), "tril": lambda t, i: t.tril_(i), "add": lambda t, i: t + i, "fill": lambda t, i: t.fill_(i),
        "add_": lambda t, i: t.add_(i), "clamp": lambda t, i: t.clamp_(i, 9), "resize": lambda t, i: t.resize_(i, 1000), "value": lambda t, i: t.__setitem__(slice(0, 900), i),
    }
    for name, call in calls.items():
        for acts in ("shrinks", "data", "set", "raises", "huge"):
            t = fg.ones(1000, 1000)

            class Acts(int):
                def act(self):
                    if acts == "shrinks":
                        t.resize_(1)
                    elif acts == "data":
                        t.data = fg.ones(1)
                    elif acts == "set":
                        t.set_(fg.ones(1))
                    elif acts == "raises":
                        raise ValueError("no")
                    gc.collect()
                    return 1 << 40 if acts == "huge" else 1

                __float__ = __index__ = __int__ = act

                def __lt__(self, other):
                    return self.act() < other

                def __gt__(self, other):
                    return self.act() > other

            class Index:
                def __index__(self):
                    return Acts(1).act()

                __int__ = __float__ = __index__

            for number in (Acts(1), Index()):
                t = fg.ones(1000, 1000)
                result = harmless(call, t, number)
                for one in result if isinstance(result, tuple) else (result,):
                    if isinstance(one, fg.Tensor) and one.numel() < 1 << 24:
                        float(one.double().sum())

    class Lengthens:
        def __init__(self, sizes):
            self.sizes = sizes

        def __index__(self):
            if len(self.sizes) < 100:
                self.sizes.append(Lengthens(self.sizes))
            return 1

    for call in (fg.zeros, fg.ones(1).view, fg.ones(1).expand, fg.ones(1).reshape, fg.ones(1).repeat, fg.ones(1, 1).permute, fg.ones(1, 1).sum, fg.ones(1, 1).flip, fg.ones(1).split,
                 lambda s: fg.ones(1)[s], lambda s: fg.ones(4).as_strided(s, s), fg.tensor, fg.ones(1).tile, lambda s: fg.ones(1, 1).roll(s, s), fg.rand, fg.full):
        sizes = []
        sizes.append(Lengthens(sizes))
        harmless(call, sizes)


# ---- hooks

def hooks():
    def deletes(state):
        def hook(*arguments):
            state.clear()
            gc.collect()
        return hook

    def resizes(state):
        def hook(*arguments):
            for one in arguments:
                for g in one if isinstance(one, tuple) else (one,):
                    if isinstance(g, fg.Tensor):
                        harmless(g.resize_, 0)
                        harmless(setattr, g, "data", fg.zeros(1))
            for t in state:
                harmless(t.set_, fg.zeros(1))
        return hook

    def raises(state):
        def hook(*arguments):
            raise KeyError("no")
        return hook

    def walks(state):
        def hook(*arguments):
            for t in list(state):
                harmless(lambda: t.sum().backward(retain_graph=True))
                t.grad = None
        return hook

    def gives(value):
        return lambda state: lambda *arguments: value

    for act in (deletes, resizes, raises, walks, gives(5), gives(fg.zeros(7)), gives((fg.zeros(7),)), gives(()), gives(fg.zeros(3, dtype=fg.int64)), gives("x")):
        for place in ("leaf", "inner", "node", "pre", "accumulated", "saved"):
            x = fg.arange(3.0).requires_grad_()
            w = fg.full((3,), 2.0).requires_grad_()
            state = [x, w]
            hook = act(state)
            pack = fg.autograd.graph.saved_tensors_hooks(hook, lambda given: given) if place == "saved" else None
            if pack is not None:
                if harmless(lambda: [pack.__enter__(), state.append(x * w)]) and len(state) > 2:
                    pass
                pack.__exit__(None, None, None)
                y = x * w if len(state) < 3 else state[2]
            else:
                y = x * w
            z = (y.exp() * y).sum()
            if len(state) == 2:
                state.append(y)
            if place == "leaf":
                x.register_hook(hook)
            elif place == "inner":
                y.register_hook(hook)
            elif place == "node":
                y.grad_fn.register_hook(hook)
            elif place == "pre":
                y.grad_fn.register_prehook(hook)
            elif place == "accumulated":
                x.register_post_accumulate_grad_hook(hook)
            del x, w, y
            for _ in range(2):
                harmless(lambda: z.backward(retain_graph=True))
            del state, hook, z
            gc.collect()

    class Attribute:
        """Removes its tensor when it dies."""

        def __init__(self, tensors):
            self.tensors = tensors

        def __del__(self):
            self.tensors.clear()
            gc.collect()

    tensors = [fg.ones(3, requires_grad=True)]
    tensors[0].kept = Attribute(tensors)
    tensors[0].grad = fg.ones(3)
    tensors[0].kept = None
    gc.collect()


# ---- nodes that a program holds, and edges it makes up

def nodes():
    from fastgrad.autograd import graph

    a = fg.ones(2, requires_grad=True)
    b = a * 2
    node, end = b.grad_fn, b.grad_fn.next_functions[0][0]
    for edge in ((None, 0), (node, -1), (node, "a"), (node, 2**70), (node, 0.5), (node, None), (3, 0), (end, 5), (a, 0)):
        edge = graph.GradientEdge(*edge)
        harmless(lambda: fg.autograd.grad(b.sum(), edge, allow_unused=True))
        harmless(lambda: fg.autograd.grad(edge, a, fg.ones(2)))
        harmless(lambda: b.sum().backward(inputs=[edge]))
    for given in ((), (None,), (3,), (fg.ones(3, 2, 2),), (fg.ones(2, dtype=fg.complex64),), (fg.ones(2, dtype=fg.int64),), (fg.ones(2),) * 2):
        harmless(lambda: node(*given))
    for kind in (object, int, graph.Node, type("Other", (type(node).__base__,), {"__slots__": ()})):
        refused(setattr, node, "__class__", kind)
        refused(object.__new__, kind if kind is not object and kind is not int and kind is not graph.Node else type(node))
        harmless(setattr, type(node), "__bases__", (kind,))
    refused(setattr, type(node), "__del__", lambda self: gc.collect())
    end.variable = 3
    for call in (lambda: end.register_hook(print), lambda: end.metadata, lambda: fg.autograd.grad(b.sum(), graph.GradientEdge(end, 0))):
        refused(call)

    # nodes in cycles, called in their own hooks, released while a hook on several gradients waits
    for _ in range(200):
        y = fg.ones(1, requires_grad=True).exp()
        for _ in range(20):
            y = y * 2
            y.grad_fn.metadata.update(self=y.grad_fn, tensor=y)
    gc.collect()
    y = fg.ones(2, requires_grad=True).exp()
    y.register_hook(lambda g: y.grad_fn(g))
    y.sum().backward()
    held = [a.exp(), a.sin()]
    graph.register_multi_grad_hook(held, lambda grads: (held.clear(), gc.collect()))
    z = (held[0] * held[1]).sum()
    z.backward()
    graph.register_multi_grad_hook((a,), lambda grads: 1 / 0)
    for _ in range(2):
        harmless(lambda: (a * 2).sum().backward())


if __name__ == "__main__":
    faulthandler.enable()
    warnings.simplefilter("ignore")
    {"dlpack": dlpack, "arrays": arrays, "sequences": sequences, "indices": indices, "hooks": hooks, "nodes": nodes}[sys.argv[1]]()
