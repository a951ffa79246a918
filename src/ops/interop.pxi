# To and from NumPy, Python numbers and lists.  NumPy is met by the buffer protocol, never by its C interface.
from cpython.buffer cimport PyObject_GetBuffer, PyBuffer_Release, PyBUF_RECORDS_RO, PyBUF_STRIDES, PyBUF_FORMAT
from cpython.memoryview cimport PyMemoryView_GET_BUFFER, PyMemoryView_FromObject

cdef dict FORMATS = {"?": BOOL, "B": UINT8, "b": INT8, "h": INT16, "i": INT32, "e": FLOAT16, "f": FLOAT32, "d": FLOAT64}


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
    return borrowed(<char*>b.buf, dt, b.ndim, shape, stride, nbytes, view)


cdef object from_numpy_rule(object array):
    """A tensor that shares an array's memory."""
    if not hasattr(array, "__array_interface__") or not hasattr(array, "flags"):
        raise TypeError(f"from_numpy(): expected np.ndarray (got {type(array).__name__})")
    if not array.flags.writeable:
        import warnings
        warnings.warn("The given NumPy array is not writable, and tensors do not know of that: writing to this tensor "
                      "writes to the array's memory. Copy the array if that matters.", UserWarning, stacklevel=2)
    return tensor_over(array, "from_numpy")


# nested sequences

cdef int nested_shape(object data, int64_t* shape, int* kind) except -1:
    """The shape of nested sequences, from the first element at each depth; `kind` gathers the dtype of the leaves."""
    cdef int ndim = 0
    cdef object level = data
    while is_nested(level):
        if ndim == MAX_DIMS:
            raise ValueError(f"tensor: at most {MAX_DIMS} dimensions are supported")
        shape[ndim] = len(level)
        ndim += 1
        if len(level) == 0:
            break
        level = level[0]
    return ndim


cdef inline bint is_nested(object x):
    if isinstance(x, (list, tuple)):
        return True
    if is_tensor(<PyObject*>x):
        return (<Tensor>x).a.ndim > 0
    return not isinstance(x, (str, bytes, dict, float, int)) and getattr(x, "ndim", -1) != 0 and hasattr(x, "__len__") \
        and hasattr(x, "__getitem__")


cdef int nested_dtype(object data) except -2:
    """The promoted dtype of the leaves."""
    cdef int dt = -1
    if is_tensor(<PyObject*>data):
        return (<Tensor>data).a.dtype
    if is_nested(data):
        if hasattr(data, "dtype"):
            return tensor_over(data, "tensor").a.dtype
        for one in data:
            dt = promote(nested_dtype(one), dt)
            if dt == FLOAT64:
                break
        return dt
    code = getattr(getattr(data, "dtype", None), "name", None)
    if code is not None:
        return dtype_argument(data.dtype).code
    dt = number_dtype(data)
    if dt < 0:
        raise TypeError(f"tensor: elements must be numbers, got {type(data).__name__}")
    return dt


cdef char* fill_nested(object data, int depth, int ndim, const int64_t* shape, int dt, char* out) except NULL:
    """Write the leaves in order; checks that every sequence has the length its depth has."""
    cdef Tensor t
    if depth == ndim:
        if is_nested(data):
            raise ValueError(f"tensor: expected a number at depth {depth}, got a sequence of length {len(data)}")
        if is_tensor(<PyObject*>data):
            data = data.item()
        elif isinstance(data, (str, bytes)):
            raise TypeError(f"tensor: elements must be numbers, got {type(data).__name__}")
        store_number(dt, data, out)
        return out + itemsize(dt)
    if not is_nested(data):
        raise TypeError(f"tensor: not a sequence at depth {depth}, got {type(data).__name__}")
    if len(data) != shape[depth]:
        raise ValueError(f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})")
    for one in data:
        out = fill_nested(one, depth + 1, ndim, shape, dt, out)
    return out


cdef Tensor tensor_from(object data, object dtype_):
    """A new tensor from numbers, nested sequences, an array or a tensor; always a copy."""
    cdef int64_t shape[MAX_DIMS]
    cdef int ndim, dt
    cdef Tensor out
    if is_tensor(<PyObject*>data):
        return converted(<Tensor>data, (<Tensor>data).a.dtype if dtype_ is None else dtype_argument(dtype_).code)
    if hasattr(data, "__array_interface__"):
        if any(s < 0 for s in data.strides) or not data.dtype.isnative or data.dtype.kind == "O":
            data = data.copy() if data.dtype.isnative else data.astype(data.dtype.newbyteorder("="))
        out = tensor_over(data, "tensor") if data.ndim else tensor_over(data.reshape(1), "tensor")
        out = converted(out, out.a.dtype if dtype_ is None else dtype_argument(dtype_).code)
        if data.ndim == 0:
            out.a.ndim = 0
        return out
    if not isinstance(data, (list, tuple, float, int)) and not is_nested(data) and number_dtype(data) < 0:
        raise RuntimeError(f"Could not infer dtype of {type(data).__name__}")
    ndim = nested_shape(data, shape, &dt)
    if dtype_ is None:
        dt = nested_dtype(data)
        if dt < 0:
            dt = default_dtype()
    else:
        dt = dtype_argument(dtype_).code
    out = empty(dt, ndim, shape)
    fill_nested(data, 0, ndim, shape, dt, out.a.data)
    return out


def tensor(data, *, dtype=None, device=None, bint requires_grad=False, bint pin_memory=False):
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
    cdef Tensor t = tensor_from(data, dtype)
    if requires_grad:
        t.requires_grad_(True)
    return t


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
    if self.requires_grad and not force:
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
