# Copies and in-place writes that are not arithmetic: clone, conversions between dtypes, copy_, fill_, changes of shape in place.

cdef Tensor zeros_of(int dt, tuple shape):
    cdef int64_t sizes[MAX_DIMS]
    cdef int n = read_shape("zeros", shape, sizes)
    cdef Tensor out = empty(dt, n, sizes)
    fill_array(&out.a, 0)
    return out


cdef object zeros_as(Tensor t):
    cdef Tensor out = empty_as(t.a.dtype, &t.a)
    fill_array(&out.a, 0)
    return out


# memory formats

cdef tuple format_strides(str name, object format, const Array* a):
    """The strides that a memory format asks for; None for row-major ones."""
    cdef int d, rank
    cdef int64_t n = 1
    if format is None or format is _places.contiguous_format or format is _places.preserve_format:
        return None
    if format is not _places.channels_last and format is not _places.channels_last_3d:
        raise TypeError(f"{name}: memory_format must be torch.memory_format, not {type(format).__name__}")
    rank = 4 if format is _places.channels_last else 5
    if a.ndim != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {format} format")
    strides = [0] * rank
    for d in [1, *range(rank - 1, 1, -1), 0]:
        strides[d] = n
        n *= max(a.shape[d], 1)
    return tuple(strides)


cdef Tensor formatted(str name, Tensor t, int dt, object format):
    """A copy in another dtype or memory format; None preserves t's."""
    cdef object strides = format_strides(name, format, &t.a)
    cdef Tensor out
    if strides is not None:
        out = strided_empty(dt, shape_tuple(&t.a), strides)
    elif t.a.contiguous or format is not _places.contiguous_format:
        return converted(t, dt)
    else:
        out = empty_as(dt, &t.a)
    copy_array(&out.a, &t.a)
    return out


cdef bint in_format(Tensor t, object format):
    cdef object strides = format_strides("is_contiguous", format, &t.a)
    cdef int d
    if strides is None:
        return t.a.contiguous
    for d in range(t.a.ndim):
        if t.a.shape[d] != 1 and t.a.stride[d] != strides[d]:
            return False
    return True


cdef object channels_last_of(Tensor t):
    """The order of channels last that t's elements have, or None; None also where they are in row-major order as well."""
    if t.a.contiguous or not 4 <= t.a.ndim <= 5:
        return None
    format = _places.channels_last if t.a.ndim == 4 else _places.channels_last_3d
    return format if in_format(t, format) else None


cdef object laid_out_as(object result, Tensor like, int n):
    """A result of n spatial dimensions, which nobody has yet, its elements moved to the order of channels last if those of `like` are in
    it, as PyTorch's kernels leave them."""
    cdef object format = channels_last_of(like)
    if format is not None and like.a.ndim == n + 2 and (<Tensor>result).storage.refs == 1:
        adopt(<Tensor>result, formatted("contiguous", <Tensor>result, (<Tensor>result).a.dtype, format))
    return result


def _laid_out_as(Tensor result, Tensor like):
    return laid_out_as(result, like, like.a.ndim - 2)


cdef bint suits(Tensor t, object format):
    """Whether a conversion to a format leaves t as it is: what has neither order of channels last counts as contiguous."""
    if format is not _places.contiguous_format:
        return in_format(t, format)
    return t.a.contiguous or not ((t.a.ndim == 4 and in_format(t, _places.channels_last)) or
                                  (t.a.ndim == 5 and in_format(t, _places.channels_last_3d)))


def tensor_is_contiguous(Tensor self, *, memory_format=_places.contiguous_format):
    """Whether the elements lie in memory in row-major order (or in that of a memory format)."""
    return in_format(self, memory_format)


install_method("is_contiguous", tensor_is_contiguous)


cdef Tensor clone_rule(Tensor input, object memory_format):
    return formatted("clone", input, input.a.dtype, memory_format)


cdef object contiguous_rule(Tensor input, object memory_format):
    if memory_format is _places.preserve_format and not input.a.contiguous:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
    if in_format(input, memory_format):
        return input
    return op_clone(input, memory_format=_places.contiguous_format if memory_format is None else memory_format)


# conversions

cdef Tensor cast_rule(Tensor input, object dtype_, object memory_format):
    return formatted("to", input, dtype_argument(dtype_).code, memory_format)


cdef object cast_to(Tensor t, int dt):
    return t if t.a.dtype == dt else op__cast(t, dtype_object(dt))


cdef tuple to_forms = (("device", "dtype", "non_blocking", "copy"), ("dtype", "non_blocking", "copy"), ("tensor", "non_blocking", "copy"))


cdef tuple to_arguments(list given, dict named):
    """(device, dtype, copy) of `to`, whose arguments have three forms, each by position or by name."""
    cdef object first = given[0] if given else None
    cdef tuple names = to_forms[2 if "tensor" in named or is_tensor(<PyObject*>first) else isinstance(first, (dtype, type))]
    cdef dict found = dict(zip(names, given))
    for name in ("non_blocking", "copy"):
        if not isinstance(found.get(name, named.get(name, False)), bool):
            raise TypeError(f"to(): argument '{name}' must be bool, not {type(found.get(name, named.get(name))).__name__}")
    if len(given) > len(names) or any([name in found or name not in names for name in named]):
        raise TypeError(f"to() received an invalid combination of arguments: expected those of one of {to_forms}, each once, "
                        f"got {tuple(given)} and {named}")
    found.update(named)
    device_, dtype_ = found.get("device"), found.get("dtype")
    if not (device_ is None or isinstance(device_, (str, int, _places.device))):
        raise TypeError(f"to(): argument 'device' must be torch.device, not {type(device_).__name__}")
    check_device(device_)
    if "tensor" in found:
        if not is_tensor(<PyObject*>found["tensor"]):
            raise TypeError(f"to(): argument 'tensor' must be Tensor, not {type(found['tensor']).__name__}")
        dtype_ = dtype_object((<Tensor>found["tensor"]).a.dtype)
    return device_, None if dtype_ is None else dtype_argument(dtype_), found.get("copy", False)


def _parse_to(*args, memory_format=None, **named):
    """What the arguments of Module.to, those of Tensor.to less `copy`, stand for: (device, dtype, memory_format)."""
    for name in named:
        if name not in to_forms[0] and name != "tensor":
            raise TypeError(f"to() got an unexpected keyword argument '{name}'")
    device_, dtype_, copy = to_arguments(list(args), named)
    if copy:
        raise RuntimeError(".to() does not accept copy argument")
    if not (memory_format is None or isinstance(memory_format, _places.memory_format)):
        raise TypeError(f"to(): argument 'memory_format' must be torch.memory_format, not {type(memory_format).__name__}")
    return device_, dtype_, memory_format


cdef tuple to_names = ("dtype", "device", "tensor", "non_blocking", "copy")


cdef object to_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef object format = None if a[10] == NULL else <object>a[10]
    cdef int i
    device_, dtype_, copy = to_arguments([<object>a[i] for i in range(1, 5) if a[i] != NULL],
                                         {to_names[i]: <object>a[5 + i] for i in range(5) if a[5 + i] != NULL})
    cdef int dt = t.a.dtype if dtype_ is None else (<dtype>dtype_).code
    if dt == t.a.dtype and not copy and (format is None or format is _places.preserve_format or suits(t, format)):
        return t
    warn_discarded(t.a.dtype, dt)
    return op__cast(t, dtype_object(dt), memory_format=format)


cdef int warn_discarded(int source, int dt) except -1:
    """Say that a conversion which somebody asked for loses imaginary parts."""
    if is_complex(source) and not is_complex(dt) and dt != BOOL:
        import warnings
        warnings.warn("Casting complex values to real discards the imaginary part", UserWarning)
    return 0


cdef object type_as_rule(Tensor input, Tensor other):
    return cast_to(input, other.a.dtype)


cdef object double_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(FLOAT64), memory_format=memory_format)


cdef object float_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(FLOAT32), memory_format=memory_format)


cdef object half_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(FLOAT16), memory_format=memory_format)


cdef object bfloat16_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(BFLOAT16), memory_format=memory_format)


cdef object cfloat_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(COMPLEX64), memory_format=memory_format)


cdef object cdouble_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(COMPLEX128), memory_format=memory_format)


cdef object int_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(INT32), memory_format=memory_format)


cdef object long_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(INT64), memory_format=memory_format)


cdef object short_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(INT16), memory_format=memory_format)


cdef object char_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(INT8), memory_format=memory_format)


cdef object byte_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(UINT8), memory_format=memory_format)


cdef object bool_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(BOOL), memory_format=memory_format)


cdef object cpu_rule(Tensor input, object memory_format):
    return op_to(input, dtype_object(input.a.dtype), memory_format=memory_format)


def tensor_cuda(Tensor self, device=None, non_blocking=False, memory_format=_places.preserve_format):
    raise AssertionError("Torch not compiled with CUDA enabled")


def tensor_type(Tensor self, dtype=None, bint non_blocking=False):
    """The legacy type's name, as 'torch.FloatTensor'; or this tensor converted to a dtype or such a type."""
    if dtype is None:
        return f"torch.{scalar_name(self.a.dtype)}Tensor"
    if isinstance(dtype, str):
        for code in range(NDTYPES):
            if dtype in (f"torch.{scalar_name(code)}Tensor", f"fastgrad.{scalar_name(code)}Tensor"):
                return cast_to(self, code)
        raise ValueError(f"invalid type: '{dtype}'")
    if isinstance(dtype, type) and isinstance(getattr(dtype, "dtype", None), _dtype_class):
        dtype = dtype.dtype
    return cast_to(self, dtype_argument(dtype).code)


_dtype_class = dtype
install_method("cuda", tensor_cuda)
install_method("type", tensor_type)


# writes

cdef int copy_into(Tensor out, object value, object non_blocking) except -1:
    cdef Tensor source
    cdef Array* operand
    if not is_tensor(<PyObject*>value):
        return fill_with(&out.a, value)
    source = <Tensor>value
    operand = &source.a
    warn_discarded(source.a.dtype, out.a.dtype)
    check_expands("copy_", &source.a, &out.a)
    if overlaps(out, &operand, 1):
        source = contiguous_copy(source)
    copy_array(&out.a, &source.a)
    return 0


cdef Tensor copy_rule(Tensor input, object source, object non_blocking):
    cdef Tensor out = empty_as(input.a.dtype, &input.a)
    copy_into(out, source, non_blocking)
    return out


cdef int check_expands(str name, const Array* a, const Array* into) except -1:
    """Whether a can be broadcast to the shape of `into`."""
    cdef int d, shift = into.ndim - a.ndim
    if shift >= 0:
        for d in range(a.ndim):
            if a.shape[d] != 1 and a.shape[d] != into.shape[d + shift]:
                raise RuntimeError(f"The size of tensor a ({into.shape[d + shift]}) must match the size of tensor b ({a.shape[d]}) at "
                                   f"non-singleton dimension {d + shift}: {name} got {shape_tuple(into)} and {shape_tuple(a)}")
        return 0
    for d in range(a.ndim):
        if d < -shift and a.shape[d] != 1 or d >= -shift and a.shape[d] != 1 and a.shape[d] != into.shape[d + shift]:
            raise RuntimeError(f"{name}: output with shape {shape_list(into.ndim, into.shape)} doesn't match the broadcast shape "
                               f"{shape_list(a.ndim, a.shape)}")
    raise RuntimeError(f"{name}: output with shape {shape_list(into.ndim, into.shape)} doesn't match the broadcast shape "
                       f"{shape_list(a.ndim, a.shape)}")


cdef int fill_into(Tensor out, object value) except -1:
    if is_tensor(<PyObject*>value):
        if (<Tensor>value).a.ndim:
            raise RuntimeError("fill_ only supports 0-dimension value tensor but got tensor with "
                               f"{(<Tensor>value).a.ndim} dimensions.")
        refuse_shared_elements(&out.a)
        copy_array(&out.a, &(<Tensor>value).a)
    else:
        fill_with(&out.a, value)
    return 0


cdef Tensor fill_rule(Tensor input, object value):
    cdef Tensor out = empty_as(input.a.dtype, &input.a)
    fill_into(out, value)
    return out


cdef int zero_into(Tensor out) except -1:
    return fill_array(&out.a, 0)


# changes of shape in place

cdef object take_geometry(Tensor t, Tensor out, const char* name):
    """t becomes its own view `out`; name: what its node is called."""
    cdef bint recorded = wants(t) != 0
    check_history(t, recorded)
    t.a = out.a
    bump(t)
    if recorded:
        t.node, t.nr = out.node, out.nr
        if t.node is not None:
            (<Node>t.node).row = form_of((<Node>t.node).row, name, NULL)
    t.seen = t.storage.version
    return t


def tensor_squeeze_(Tensor self, dim=None):
    """In-place version of squeeze."""
    cdef const char* name = b"SqueezeBackward3" if dim is None else b"SqueezeBackward5" if isinstance(dim, (tuple, list)) else b"SqueezeBackward4"
    return take_geometry(self, op_squeeze(self, dim), name)


def tensor_unsqueeze_(Tensor self, dim):
    """In-place version of unsqueeze."""
    return take_geometry(self, op_unsqueeze(self, dim), b"UnsqueezeBackward1")


def tensor_t_(Tensor self):
    """In-place version of t."""
    return take_geometry(self, op_t(self), b"TBackward1")


def tensor_transpose_(Tensor self, dim0, dim1):
    """In-place version of transpose."""
    return take_geometry(self, op_transpose(self, dim0, dim1), b"TransposeBackward1")


def tensor_swapaxes_(Tensor self, axis0, axis1):
    """In-place version of swapaxes."""
    return tensor_transpose_(self, axis0, axis1)


def tensor_as_strided_(Tensor self, size, stride, storage_offset=None):
    """In-place version of as_strided."""
    return take_geometry(self, op_as_strided(self, size, stride, storage_offset), b"AsStridedBackward1")


def tensor_detach_(Tensor self):
    """Take this tensor out of the graph, in place."""
    if self.base is not None:
        raise RuntimeError("Can't detach views in-place, use detach() instead. If you are using DistributedDataParallel (DDP) for "
                           "training, and gradients are set as views of buckets: views cannot be detached.")
    self.node = None
    self.nr = 0
    self.flags &= ~REQUIRES_GRAD
    return self


def tensor_resize_(Tensor self, *size, memory_format=_places.contiguous_format):
    """Another shape, in place: elements stay where they are, new ones are uninitialised."""
    cdef int64_t sizes[MAX_DIMS]
    cdef Tensor out
    cdef object strides
    cdef int n, d
    if self.flags & REQUIRES_GRAD:
        raise RuntimeError("cannot resize variables that require grad")
    n = read_shape("resize_", size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size, sizes)
    for d in range(n):
        if sizes[d] < 0:
            raise RuntimeError(f"resize_: Dimension size must be non-negative, got {shape_list(n, sizes)}")
    out = empty(self.a.dtype, n, sizes)
    strides = format_strides("resize_", memory_format, &out.a)
    if strides is not None:
        out = strided_empty(self.a.dtype, shape_tuple(&out.a), strides)
    if (self.a.data - self.storage.data) + out.a.numel * itemsize(self.a.dtype) <= self.storage.nbytes:
        out.a.data = self.a.data
        self.a = out.a
    else:
        if self.storage.owner != NULL:
            raise RuntimeError("Trying to resize storage that is not resizable")
        memcpy(out.a.data, self.a.data, min(self.storage.nbytes - (self.a.data - self.storage.data), out.storage.nbytes))
        out.storage.version = self.storage.version
        adopt(self, out)
    bump(self)
    return self


def tensor_resize_as_(Tensor self, Tensor other, *, memory_format=_places.contiguous_format):
    """Other's shape, in place."""
    return tensor_resize_(self, shape_tuple(&other.a), memory_format=memory_format)


cdef list row_major(size):
    """The strides of a contiguous tensor."""
    cdef list strides = [1]
    for n in size[:0:-1]:
        strides.insert(0, strides[0] * max(n, 1))
    return strides[: len(size)]


def tensor_set_(Tensor self, source=None, storage_offset=0, size=None, stride=None):
    """Use the memory of another tensor, in its shape or a given one, or of a storage; in place."""
    if source is None:
        source = zeros_of(self.a.dtype, (0,))
    if is_storage(source):
        size = (source.nbytes() // itemsize(self.a.dtype),) if size is None else size
        source = _rebuild_tensor(source.untyped(), dtype_object(self.a.dtype).name, 0, (source.nbytes() // itemsize(self.a.dtype),), (1,), False)
    if not is_tensor(<PyObject*>source):
        raise TypeError(f"set_: source must be a Tensor or a storage, got {type(source).__name__}")
    if size is not None:
        source = op_as_strided(source, size, row_major(size) if stride is None else stride, storage_offset)
    if (<Tensor>source).a.dtype != self.a.dtype:
        raise RuntimeError(f"set_: could not set tensor of type {dtype_object((<Tensor>source).a.dtype)} to a tensor of type "
                           f"{dtype_object(self.a.dtype)}")
    check_history(self, wants(self) != 0)
    adopt(self, source)
    bump(self)
    return self


for _name, _value in (("squeeze_", tensor_squeeze_), ("unsqueeze_", tensor_unsqueeze_), ("t_", tensor_t_),
                      ("transpose_", tensor_transpose_), ("swapaxes_", tensor_swapaxes_), ("swapdims_", tensor_transpose_),
                      ("as_strided_", tensor_as_strided_), ("detach_", tensor_detach_), ("resize_", tensor_resize_), ("resize_as_", tensor_resize_as_),
                      ("set_", tensor_set_)):
    install_method(_name, _value)
