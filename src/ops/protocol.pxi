# Tensor among Python objects: construction, copies, pickles, storages, devices, and the small properties programs ask for.

# construction: Tensor(...) as PyTorch's legacy constructor

cdef Tensor legacy(str name, int dt, tuple args, dict kwargs):
    """Sizes make an uninitialised tensor; a sequence, an array or a tensor gives the elements."""
    cdef object data
    kwargs = dict(kwargs or {})
    check_device(kwargs.pop("device", None))
    if "data" in kwargs:
        args += (kwargs.pop("data"),)
    if "size" in kwargs:
        args += (Size(kwargs.pop("size")),)
    if kwargs:
        raise TypeError(f"{name}: new() received an invalid combination of arguments - got keyword '{next(iter(kwargs))}'")
    if not args:
        return sized(name, (0,), dt)
    if len(args) > 1 or (PyLong_Check(args[0]) and not PyBool_Check(args[0])):
        return sized(name, args, dt)
    data = args[0]
    if isinstance(data, Size):
        return sized(name, tuple(data), dt)
    if is_tensor(<PyObject*>data):
        if (<Tensor>data).a.dtype != dt:
            raise TypeError(f"{name}: expected {scalar_name(dt)} (got {scalar_name((<Tensor>data).a.dtype)})")
        return op_alias(data)
    if isinstance(data, (list, tuple, range)) or hasattr(data, "__array_interface__") or hasattr(data, "__len__"):
        return tensor_from(list(data) if isinstance(data, range) else data, dtype_object(dt))
    raise TypeError(f"{name}: new(): data must be a sequence (got {type(data).__name__})")


cdef int construct(Tensor t, tuple args, dict kwargs) except -1:
    cdef Tensor made = legacy("Tensor", default_dtype(), args, kwargs)
    adopt(t, made)
    t.node, t.nr, t.base, t.seen = made.node, made.nr, made.base, made.seen
    t.flags = made.flags
    return 0


class _LegacyType(type):
    """FloatTensor and its like: a constructor, and a class whose instances are the tensors of its dtype."""

    def __call__(cls, *args, **kwargs):
        return legacy(cls.__name__, dtype_argument(cls.dtype).code, args, kwargs)

    def __instancecheck__(cls, instance):
        return is_tensor(<PyObject*>instance) and (<Tensor>instance).a.dtype == dtype_argument(cls.dtype).code


cdef object legacy_type(int code):
    name = scalar_name(code) + "Tensor"
    return _LegacyType(name, (), {"dtype": dtype_object(code), "is_cuda": False, "__module__": "torch",
                                  "__doc__": f"Constructor and class of tensors of {dtype_object(code)}."})

FloatTensor, DoubleTensor, HalfTensor, BFloat16Tensor = [legacy_type(c) for c in (FLOAT32, FLOAT64, FLOAT16, BFLOAT16)]
ByteTensor, CharTensor, ShortTensor, IntTensor, LongTensor, BoolTensor = [
    legacy_type(c) for c in (UINT8, INT8, INT16, INT32, INT64, BOOL)]


def set_default_tensor_type(t):
    """Set the default dtype by a legacy type or its name; it must be a floating one."""
    from fastgrad._engine import set_default_dtype
    if isinstance(t, str):
        place, _, name = t.rpartition(".")
        if place == "torch.cuda":
            raise TypeError(f"type {t} not available. Torch not compiled with CUDA enabled.")
        t = globals().get(name)
    if not isinstance(t, _LegacyType):
        raise TypeError("invalid type object")
    set_default_dtype(t.dtype)


def _make_subclass(cls, Tensor data, require_grad=False):
    """An instance of a subclass of Tensor that shares data's memory, as a leaf."""
    if not (isinstance(cls, type) and issubclass(cls, Tensor)):
        raise TypeError(f"_make_subclass: cls must be a type derived from Tensor, got {cls!r}")
    cdef Tensor t = bare_tensor(cls)
    adopt(t, data)
    if require_grad:
        t.requires_grad_(True)
    return t


def tensor_as_subclass(Tensor self, cls):
    """This tensor as an instance of a subclass, at the same place in the graph."""
    cdef Tensor t = _make_subclass(cls, self)
    if needs(<PyObject*>self):
        t.node, t.nr = op_alias(self).grad_fn, 0
        t.flags |= REQUIRES_GRAD
    return t


def _new_class(Tensor self, *args, **kwargs):
    """A tensor of this one's dtype, as the legacy constructor makes it."""
    return legacy("new", self.a.dtype, args, kwargs)


# copies and pickles

def _rebuild_tensor(UntypedStorage storage, dtype_name, offset, shape, stride, requires_grad):
    """A tensor over a storage.  Raises RuntimeError where the geometry does not lie inside it."""
    cdef int dt = dtype_argument(getattr(__import__("fastgrad"), dtype_name)).code
    cdef Tensor flat, out
    if <size_t>storage.all.a.data % itemsize(dt):
        raise RuntimeError("storage is not aligned for its dtype")
    flat = alias(storage.all)
    flat.a.dtype = dt
    flat.a.shape[0] = storage.all.a.numel // itemsize(dt)
    set_contiguous(&flat.a)
    out = op_as_strided(flat, shape, stride, offset)
    out = alias(out)
    if requires_grad:
        out.requires_grad_(True)
    return out


def _rebuild_instance(function, args, kind, state):
    cdef Tensor t = function(*args)
    if kind is not Tensor and type(t) is not kind:
        t = _make_subclass(kind, t.detach(), t.requires_grad)
    if state:
        (<object>t).__dict__.update(state)
    return t


def tensor_reduce_ex(Tensor self, protocol):
    """Pickles write the whole storage, once, however many tensors share it."""
    args = (storage_of(self), dtype_object(self.a.dtype).name, self.storage_offset(), shape_tuple(&self.a), self.stride(),
            self.requires_grad)
    state = getattr(self, "__dict__", None)
    if type(self) is Tensor and not state:
        return _rebuild_tensor, args
    return _rebuild_instance, (_rebuild_tensor, args, type(self), state)


def tensor_deepcopy(Tensor self, memo):
    """A copy with memory of its own; tensors that shared memory share it again."""
    cdef Tensor whole, t
    cdef object key
    if not self.is_leaf:
        raise RuntimeError("Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  If "
                           "you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, see "
                           "https://github.com/pytorch/pytorch/pull/103001")
    if id(self) in memo:
        return memo[id(self)]
    key = ("storage", <size_t>self.storage.data, self.storage.nbytes)
    if key not in memo:
        memo[key] = contiguous_copy(storage_of(self).all)
    whole = memo[key]
    t = bare_tensor(type(self))
    adopt(t, whole)
    t.a = self.a
    t.a.data = whole.a.data + (self.a.data - self.storage.data)
    memo[id(self)] = t
    if self.requires_grad:
        t.requires_grad_(True)
    if self.grad is not None:
        t.grad = tensor_deepcopy(self.grad, memo)
    state = getattr(self, "__dict__", None)
    if state:
        from copy import deepcopy
        (<object>t).__dict__.update(deepcopy(state, memo))
    return t


def tensor_copy_shallow(Tensor self):
    """Another tensor over the same memory."""
    cdef Tensor t = _make_subclass(type(self), self, self.requires_grad)
    state = getattr(self, "__dict__", None)
    if state:
        (<object>t).__dict__.update(state)
    return t


# NumPy

def tensor_array_wrap(Tensor self, array, context=None, return_scalar=False):
    """What a NumPy function gave, as a tensor; bool as uint8, as in PyTorch."""
    if array.dtype == bool:
        array = array.astype("uint8")
    return from_numpy_rule(array if array.ndim else array.reshape(()).copy())


def tensor_reversed(Tensor self):
    """The first dimension in reverse order."""
    return self if self.a.ndim == 0 else op_flip(self, (0,))


# element by element, in Python

cdef int refuse_python_loop(Tensor t, str name) except -1:
    if t.requires_grad:
        raise RuntimeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    return 0


cdef Tensor finish_python_loop(Tensor t, Tensor flat, str name):
    """Write the results, unless the function gave t another shape meanwhile."""
    if not same_shape(&t.a, &flat.a):
        raise RuntimeError(f"{name}: the function must not change the tensor's shape, got {shape_tuple(&flat.a)} before and "
                           f"{shape_tuple(&t.a)} after")
    copy_array(&t.a, &flat.a)
    bump(t)
    return t


def tensor_apply_(Tensor self, function):
    """Replace each element by function(element); slow."""
    refuse_python_loop(self, "apply_")
    cdef Tensor flat = contiguous_copy(self)
    cdef int64_t i
    cdef int w = itemsize(flat.a.dtype)
    for i in range(flat.a.numel):
        store_number(flat.a.dtype, function(load_number(flat.a.dtype, flat.a.data + i * w)), flat.a.data + i * w)
    return finish_python_loop(self, flat, "apply_")


def tensor_map_(Tensor self, Tensor other, function):
    """Replace each element by function(element, element of other); slow."""
    refuse_python_loop(self, "map_")
    refuse_python_loop(other, "map_")
    cdef Tensor flat = contiguous_copy(self), more = contiguous_copy(op_expand(other, shape_tuple(&self.a)))
    cdef int64_t i
    cdef int w = itemsize(flat.a.dtype), v = itemsize(more.a.dtype)
    for i in range(flat.a.numel):
        store_number(flat.a.dtype, function(load_number(flat.a.dtype, flat.a.data + i * w),
                                            load_number(more.a.dtype, more.a.data + i * v)), flat.a.data + i * w)
    return finish_python_loop(self, flat, "map_")


# what programs ask

def is_tensor_(obj):
    """Whether obj is a Tensor."""
    return is_tensor(<PyObject*>obj)


def is_floating_point(Tensor input):
    """Whether the dtype is a floating one."""
    return dtype_object(input.a.dtype).is_floating_point


def is_conj(Tensor input):
    """False: see Note [Conjugates are computed]."""
    return False


def is_neg(Tensor input):
    """False: negation is never delayed."""
    return False


def is_inference(Tensor input):
    """Whether the tensor was made in inference mode."""
    return bool(input.flags & INFERENCE)


def numel(Tensor input):
    """The number of elements."""
    return input.a.numel


def tensor_same(Tensor self):
    return self


def tensor_pin_memory(Tensor self, device=None):
    raise RuntimeError("Cannot access accelerator device when none is available.")


def tensor_is_set_to(Tensor self, Tensor tensor):
    """Whether both are the same view of the same memory."""
    return self.a.data == tensor.a.data and self.shape == tensor.shape and self.stride() == tensor.stride()


def get_device(Tensor input):
    """-1: the CPU."""
    return -1


is_tensor_.__name__ = "is_tensor"
globals()["is_tensor"] = is_tensor_
del globals()["is_tensor_"]

for _name, _value in {
        "_make_subclass": staticmethod(_make_subclass), "as_subclass": tensor_as_subclass, "new": _new_class,
        "__reduce_ex__": tensor_reduce_ex, "__deepcopy__": tensor_deepcopy, "__copy__": tensor_copy_shallow,
        "__array_wrap__": tensor_array_wrap, "__array_priority__": 1000, "__reversed__": tensor_reversed,
        "apply_": tensor_apply_, "map_": tensor_map_, "is_conj": is_conj, "is_neg": is_neg,
        "resolve_conj": tensor_same, "resolve_neg": tensor_same,
        "pin_memory": tensor_pin_memory, "is_set_to": tensor_is_set_to}.items():
    install_method(_name, _value)
