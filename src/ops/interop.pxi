# To and from NumPy, Python numbers and lists.  NumPy is met by the buffer protocol, never by its C interface.
from cpython.buffer cimport PyObject_GetBuffer, PyBuffer_Release, PyBUF_RECORDS_RO, PyBUF_STRIDES, PyBUF_FORMAT
from cpython.memoryview cimport PyMemoryView_GET_BUFFER, PyMemoryView_FromObject

cdef dict FORMATS = {"?": BOOL, "B": UINT8, "b": INT8, "h": INT16, "i": INT32, "e": FLOAT16, "f": FLOAT32, "d": FLOAT64, "Zf": COMPLEX64, "Zd": COMPLEX128}


cdef int format_dtype(bytes code, Py_ssize_t size) except -2:
    """A dtype from a buffer's format; -1 if there is none for it."""
    cdef str c = code.decode().lstrip("@=<")
    if c in ("l", "q", "i", "n"):
        return INT64 if size == 8 else INT32
    return FORMATS.get(c, -1)


cdef Tensor tensor_over(object source, str name):
    """A tensor that shares the memory of anything with a buffer."""
    cdef object view = PyMemoryView_FromObject(source)
    cdef const Py_buffer* b = <const Py_buffer*>PyMemoryView_GET_BUFFER(view)
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int64_t nbytes = b.itemsize
    cdef int d, dt = format_dtype(b.format if b.format != NULL else b"B", b.itemsize)
    if dt < 0:
        raise TypeError(f"{name}: can't convert an array of type {getattr(source, 'dtype', b.format.decode())}. The only supported "
                        "types are: float64, float32, float16, int64, int32, int16, int8, uint8, and bool.")
    if itemsize(dt) != b.itemsize or b.suboffsets != NULL:
        raise TypeError(f"{name}: the buffer's items are of {b.itemsize} bytes, which its format {b.format.decode()!r} does not say")
    if <size_t>b.buf % b.itemsize and b.len:
        raise ValueError(f"{name}: the array's memory is not aligned for its dtype. Copy the array with array.copy() first.")
    if b.ndim > MAX_DIMS:
        raise RuntimeError(f"{name}: at most {MAX_DIMS} dimensions are supported, got {b.ndim}")
    for d in range(b.ndim):
        shape[d] = b.shape[d]
        stride[d] = b.strides[d] // b.itemsize
        if b.strides[d] < 0:
            raise ValueError(f"{name}: at least one stride in the given numpy array is negative, and tensors with negative "
                             "strides are not currently supported. Copy the array with array.copy() first.")
        if b.strides[d] % b.itemsize:
            raise ValueError(f"{name}: given numpy array strides not a multiple of the element byte size.")
        nbytes += (b.shape[d] - 1) * b.strides[d] if b.shape[d] > 0 else 0
    if b.len == 0:
        nbytes = 0
    return borrowed(<char*>b.buf, dt, b.ndim, shape, stride, nbytes, view)


cdef object from_numpy_rule(object array):
    """A tensor that shares an array's memory."""
    if not hasattr(array, "__array_interface__") or not hasattr(array, "flags"):
        raise TypeError(f"from_numpy(): expected np.ndarray (got {type(array).__name__})")
    if not array.flags.writeable:
        import warnings
        warnings.warn("The given NumPy array is not writable, and tensors do not know of that: writing to this tensor "
                      "writes to the array's memory. Copy the array if that matters.", UserWarning)
    return tensor_over(array, "from_numpy")


# nested sequences

cdef inline bint is_array(object x):
    return hasattr(x, "__array_interface__") and not is_tensor(<PyObject*>x)


cdef Tensor tensor_of_array(object array):
    """A tensor over an array's memory where it can be, else over a copy of it."""
    import numpy
    array = numpy.asarray(array)
    if array.dtype.kind == "O":
        raise TypeError("can't convert np.ndarray of type numpy.object_. The only supported types are: float64, float32, float16, "
                        "int64, int32, int16, int8, uint8, and bool.")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if not array.flags.aligned or any(s < 0 or s % array.itemsize for s in array.strides):
        array = array.copy()
    return tensor_over(array, "tensor")


cdef inline bint is_nested(object x):
    if isinstance(x, (list, tuple)):
        return True
    if is_tensor(<PyObject*>x):
        return (<Tensor>x).a.ndim > 0
    if PyFloat_Check(x) or PyLong_Check(x) or isinstance(x, (str, bytes, dict, set)):
        return False
    return getattr(x, "ndim", -1) != 0 and hasattr(x, "__len__") and hasattr(x, "__getitem__")


cdef int nested_shape(object data, int64_t* shape) except -1:
    """The shape of nested sequences, from the first element at each depth; a tensor in a sequence is a number."""
    cdef int ndim = 0
    cdef object level = data
    while is_nested(level) and not is_tensor(<PyObject*>level):
        if ndim == MAX_DIMS:
            raise ValueError(f"tensor: at most {MAX_DIMS} dimensions are supported, got more")
        shape[ndim] = len(level)
        ndim += 1
        if shape[ndim - 1] == 0:
            break
        level = level[0]
    if ndim and isinstance(level, str):
        raise ValueError("too many dimensions 'str'")
    return ndim


cdef int nested_dtype(object data, int depth) except -2:
    """The promoted dtype of the leaves; -1 if there are none."""
    cdef int dt = -1
    cdef object one
    if is_tensor(<PyObject*>data):
        return (<Tensor>data).a.dtype
    if isinstance(data, (list, tuple)):
        if depth == MAX_DIMS:
            raise ValueError(f"tensor: at most {MAX_DIMS} dimensions are supported, got more")
        for one in data:
            if PyFloat_Check(one) and not hasattr(one, "dtype"):
                dt = promote(default_dtype(), dt)
            else:
                dt = promote(nested_dtype(one, depth + 1), dt)
        return dt
    if is_array(data):
        return tensor_of_array(data).a.dtype
    if is_nested(data):
        return nested_dtype(tuple([data[i] for i in range(len(data))]), depth)
    dt = number_dtype(data)
    if dt < 0:
        if isinstance(data, (str, bytes)):
            raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    return dt


cdef int refuse_overflow(int dt, object number) except -1:
    """Integers must fit their dtype; a negative one wraps around in uint8, as in PyTorch."""
    cdef object bits = 8 * itemsize(dt), one = 1
    if not PyLong_Check(number):
        return refuse_unfit(dt, number)
    if not -(one << (bits - 1)) <= number < (one << (bits if dt == UINT8 else bits - 1)):
        if dt == INT64:
            raise ValueError("Overflow when unpacking long long")
        raise RuntimeError(f"value cannot be converted to type {dtype_object(dt).name} without overflow")
    return 0


cdef int fill_nested(object data, int depth, int ndim, const int64_t* shape, int dt, char* out, int64_t nbytes) except -1:
    """Write the leaves of one level in order into its nbytes; checks that every sequence has the length its depth has."""
    cdef Array into
    cdef tuple level
    cdef int64_t i, n, run
    cdef int d
    if depth == ndim:
        if is_tensor(<PyObject*>data):
            if (<Tensor>data).a.numel != 1:
                raise ValueError("only one element tensors can be converted to Python scalars")
            data = data.item()
        elif is_nested(data):
            raise TypeError(f"expected a number at dim {depth} (got a sequence of length {len(data)})")
        elif isinstance(data, (str, bytes)) or number_dtype(data) < 0:
            raise TypeError(f"tensor: elements must be numbers, got {type(data).__name__}")
        if UINT8 <= dt <= INT64:
            refuse_overflow(dt, data)
        return store_number(dt, data, out)
    if not is_nested(data):
        raise TypeError(f"tensor: expected a sequence at dim {depth}, got {type(data).__name__}")
    if is_tensor(<PyObject*>data) or is_array(data):
        source = data if is_tensor(<PyObject*>data) else tensor_of_array(data)
        into.data, into.dtype, into.ndim = out, dt, ndim - depth
        for d in range(depth, ndim):
            into.shape[d - depth] = shape[d]
        set_contiguous(&into)
        if not same_shape(&into, &(<Tensor>source).a):
            raise ValueError(f"expected an array of shape {shape_tuple(&into)} at dim {depth} (got {shape_tuple(&(<Tensor>source).a)})")
        return copy_array(&into, &(<Tensor>source).a)
    level = tuple(data) if isinstance(data, (list, tuple)) else tuple([data[i] for i in range(shape[depth])])
    n = len(level)
    if n != shape[depth] or len(data) != n:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    if n == 0:
        return 0
    run = nbytes // n
    for i in range(n):
        fill_nested(level[i], depth + 1, ndim, shape, dt, out + i * run, run)
    return 0


cdef Tensor tensor_from(object data, object dtype_):
    """A new tensor from numbers, nested sequences, an array or a tensor; always a copy."""
    cdef int64_t shape[MAX_DIMS]
    cdef int ndim, dt
    cdef Tensor out
    if is_tensor(<PyObject*>data):
        if (<Tensor>data).flags & WRAPPED:          # its memory is one example of a batch
            copied = op_clone(data.detach())
            return copied if dtype_ is None else copied.to(dtype_)
        return converted(<Tensor>data, (<Tensor>data).a.dtype if dtype_ is None else dtype_argument(dtype_).code)
    if is_array(data):
        out = tensor_of_array(data)
        return converted(out, out.a.dtype if dtype_ is None else dtype_argument(dtype_).code)
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(data).__name__}'")
    if not is_nested(data) and number_dtype(data) < 0:
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    ndim = nested_shape(data, shape)
    if dtype_ is None:
        dt = nested_dtype(data, 0)
        if dt < 0:
            dt = default_dtype()
    else:
        dt = dtype_argument(dtype_).code
    out = empty(dt, ndim, shape)
    fill_nested(data, 0, ndim, shape, dt, out.a.data, out.a.numel * itemsize(dt))
    return out


def tensor(data, *, dtype=None, device=None, requires_grad=False, bint pin_memory=False):
    """A new tensor holding a copy of `data`: a number, nested sequences, an array or a tensor.

    Args:
        dtype: default: float data gets the default dtype, integers int64, bools bool; arrays and tensors keep theirs.
    Raises:
        ValueError: sequences at one depth differ in length.
        TypeError: an element is not a number.
    Example:
        >>> fastgrad.tensor([[1.0, 2.0], [3.0, 4.0]])
        tensor([[1., 2.],
                [3., 4.]])
    """
    check_device(device)
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory=True needs one.")
    cdef Tensor t = tensor_from(data, dtype)
    if requires_grad is not False:
        t.requires_grad_(requires_grad)
    return t


def as_tensor(data, dtype=None, device=None):
    """`data` as a tensor, without a copy where it is a tensor or an array of that dtype already."""
    check_device(device)
    cdef Tensor t
    if is_tensor(<PyObject*>data):
        return data if dtype is None else cast_to(<Tensor>data, dtype_argument(dtype).code)
    if is_array(data):
        t = tensor_of_array(data)
        return t if dtype is None or dtype_argument(dtype).code == t.a.dtype else converted(t, dtype_argument(dtype).code)
    return tensor_from(data, dtype)


def asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=None):
    """As as_tensor; copy=True always copies, copy=False never does; requires_grad: None for that of `obj`.

    The bytes of an object with a buffer (bytes, bytearray, array.array, memoryview) are read as elements of `dtype`.
    """
    cdef Tensor t
    if is_storage(obj):
        obj = obj._values()
    if not is_tensor(<PyObject*>obj) and not is_array(obj) and number_dtype(obj) < 0:
        if hasattr(obj, "__dlpack__"):
            obj = from_dlpack(obj)
        elif PyObject_CheckBuffer(obj):
            obj = frombuffer(obj, dtype=dtype_object(default_dtype()) if dtype is None else dtype)
    t = as_tensor(obj, dtype=dtype, device=device)
    shared = is_tensor(<PyObject*>obj) and t.data_ptr() == obj.data_ptr() or \
        is_array(obj) and t.data_ptr() == obj.__array_interface__["data"][0]
    if copy is False and not shared:
        raise ValueError("can't alias arbitrary sequence into a tensor." if not hasattr(obj, "dtype") else
                         "asarray: a copy is needed, and copy=False forbids it.")
    if copy and shared:
        t = converted(t, t.a.dtype)
    if requires_grad is not None and requires_grad != t.requires_grad:
        t = t.detach().requires_grad_(requires_grad)
    return t


def frombuffer(buffer, *, dtype, Py_ssize_t count=-1, Py_ssize_t offset=0, bint requires_grad=False):
    """A vector over the memory of any object with a buffer."""
    cdef object view = PyMemoryView_FromObject(buffer)
    cdef const Py_buffer* b = <const Py_buffer*>PyMemoryView_GET_BUFFER(view)
    cdef int dt = dtype_argument(dtype).code
    cdef int64_t n = (b.len - offset) // itemsize(dt) if count < 0 else count, one = 1
    cdef Tensor t
    if b.len == 0 or count == 0:
        raise ValueError(f"both buffer length ({b.len}) and count ({count}) must not be 0")
    if not view.c_contiguous:
        raise ValueError("frombuffer: the buffer must be contiguous")
    if offset < 0 or offset >= b.len:
        raise ValueError(f"offset ({offset} bytes) must be non-negative and no greater than buffer length ({b.len} bytes) minus 1")
    if count < 0 and (b.len - offset) % itemsize(dt):
        raise ValueError(f"buffer length ({b.len - offset} bytes) after offset ({offset} bytes) must be a multiple of element size "
                         f"({itemsize(dt)})")
    if offset + n * itemsize(dt) > b.len:
        raise ValueError(f"requested buffer length ({n} * {itemsize(dt)} bytes) after offset ({offset} bytes) must not be greater than "
                         f"actual buffer length ({b.len} bytes)")
    if view.readonly:
        import warnings
        warnings.warn("The given buffer is not writable, and tensors do not know of that: writing to this tensor writes to the buffer's "
                      "memory. Copy it if that matters.", UserWarning)
    t = borrowed(<char*>b.buf + offset, dt, 1, &n, &one, n * itemsize(dt), view)
    return t.requires_grad_(True) if requires_grad else t


cdef int check_device(object device) except -1:
    """Only the CPU is there; anything else is refused as a PyTorch without it refuses it."""
    if device is None:
        return 0
    kind = str(device).split(":")[0]
    if kind == "cpu":
        return 0
    if kind == "cuda":
        raise AssertionError("Torch not compiled with CUDA enabled")
    raise RuntimeError(f"device: only 'cpu' is supported, got {device!r}")


cdef object nested_list(const Array* a, int depth, char* p):
    cdef int64_t i
    cdef int w = itemsize(a.dtype)
    if depth == a.ndim:
        return load_number(a.dtype, p)
    if depth == a.ndim - 1:
        return [load_number(a.dtype, p + i * a.stride[depth] * w) for i in range(a.shape[depth])]
    return [nested_list(a, depth + 1, p + i * a.stride[depth] * w) for i in range(a.shape[depth])]


def tensor_tolist(Tensor self):
    """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
    return nested_list(&self.a, 0, self.a.data)


def tensor_numpy(Tensor self, *, bint force=False):
    """A NumPy array that shares this tensor's memory.

    Raises:
        RuntimeError: the tensor requires grad (use .detach().numpy()), unless force.
        TypeError: bfloat16, which NumPy lacks.
    """
    import numpy
    if self.requires_grad and grad_enabled() and not force:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
    if self.a.dtype == BFLOAT16:
        raise TypeError("Got unsupported ScalarType BFloat16")
    return numpy.asarray(PyMemoryView_FromObject(alias(self)))


def tensor_array(Tensor self, dtype=None, copy=None):
    array = tensor_numpy(self)
    if dtype is not None and array.dtype != dtype:
        return array.astype(dtype)
    return array.copy() if copy else array


install_method("tolist", tensor_tolist)
install_method("numpy", tensor_numpy)
install_method("__array__", tensor_array)
