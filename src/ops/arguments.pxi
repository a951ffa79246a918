# Reading arguments: from what callers pass to what rules take, with PyTorch's classes of error.

cdef int raise_kind(const Row* row, PyObject* x, int i, str wanted) except -1:
    raise TypeError(f"{row.name.decode()}(): argument {i + 1} must be {wanted}, not {type(<object>x).__name__}")


cdef Tensor tensor_argument(const Row* row, PyObject* x, int i):
    if not is_tensor(x):
        raise_kind(row, x, i, "Tensor")
    return <Tensor>x


cdef object operand_argument(const Row* row, PyObject* x, int i):
    if not is_tensor(x) and number_dtype(<object>x) < 0:
        raise_kind(row, x, i, "Tensor or a number")
    return <object>x


cdef object int_argument(const Row* row, PyObject* x, int i):
    if PyLong_CheckExact(<object>x):
        int_in_64_bits(<object>x)               # refuses longer ones
        return <object>x
    if not stands_for_int(<object>x):
        raise_kind(row, x, i, "int")
    return int_in_64_bits(<object>x)


cdef object bool_argument(const Row* row, PyObject* x, int i):
    if PyBool_Check(<object>x):
        return <object>x
    raise_kind(row, x, i, "bool")


cdef object float_argument(const Row* row, PyObject* x, int i):
    if PyFloat_Check(<object>x):
        return <object>x
    if not is_tensor(x) and number_dtype(<object>x) < 0:
        raise_kind(row, x, i, "float")
    return float(<object>x)


cdef int dim_mask(str name, object dim, int ndim) except -1:
    """Dimensions as bits; None and () mean all of them.  Raises on a repeated one."""
    cdef int mask = 0, d
    if dim is None:
        return (1 << ndim) - 1
    if isinstance(dim, (tuple, list)):
        if len(dim) == 0:
            return (1 << ndim) - 1
        for one in dim:
            d = wrapped_dim(name, one, ndim)
            if mask >> d & 1:
                raise RuntimeError(f"{name}: dim {d} appears multiple times in the list of dims")
            mask |= 1 << d
        return mask
    return 1 << wrapped_dim(name, dim, ndim)


cdef int read_shape(str name, object shape, int64_t* out) except -1:
    """Sizes from an int or a sequence; returns how many."""
    cdef int n = 0
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)       # an __index__ may change a list
    if len(shape) > MAX_DIMS:
        raise RuntimeError(f"{name}: at most {MAX_DIMS} dimensions are supported, got {len(shape)}")
    for size in shape:
        if not stands_for_int(size) and not (n and PyBool_Check(size)):        # PyTorch looks at the first alone
            raise TypeError(f"{name}(): argument 'size' must be tuple of ints, but found element of type "
                            f"{type(size).__name__} at pos {n}")
        try:
            out[n] = int_in_64_bits(size)
        except ValueError as error:
            raise TypeError(f"{name}(): argument 'size' failed to unpack the object at pos {n + 1} with error \"{error}\"") from None
        n += 1
    return n


# saved values of structured rows

cdef inline int save_value(Node node, int i, object value) except -1:
    save(node, i, <PyObject*>value)
    return 0


cdef inline object saved_value(Node node, int i):
    return None if node.saved[i] == NULL else <object>node.saved[i]


cdef object unpack_result(Node node, int i, bint create_graph):
    """The saved result; with its node again where the gradient is to be differentiated."""
    if node.saved[i] == NULL:
        return None
    if not create_graph:
        return <object>node.saved[i]
    cdef Tensor own = alias(<Tensor>node.saved[i])
    set_node(own, node, 0)
    return own


# PyTorch's questions about promotion

cdef int promoted_pair(PyObject* x, PyObject* y) except -1:
    cdef PyObject* pair[2]
    cdef int dt
    pair[0], pair[1] = x, y
    for dt in range(2):
        if not is_tensor(pair[dt]) and number_dtype(<object>pair[dt]) < 0:
            raise TypeError(f"result_type(): arguments must be tensors or numbers, not {type(<object>pair[dt]).__name__}")
    dt = result_dtype(pair, 2)
    return dt


def result_type(tensor1, tensor2):
    """The dtype of an arithmetic operation on two tensors or numbers."""
    return dtype_object(promoted_pair(<PyObject*>tensor1, <PyObject*>tensor2))


def promote_types(type1, type2):
    """The smallest dtype that holds both dtypes' values."""
    cdef int64_t none = 0
    cdef Tensor x = empty(dtype_argument(type1).code, 1, &none), y = empty(dtype_argument(type2).code, 1, &none)
    return dtype_object(promoted_pair(<PyObject*>x, <PyObject*>y))


def can_cast(from_, to):
    """Whether promotion may turn the first dtype into the second: not from floating to integral, nor from those to bool."""
    return category(dtype_argument(from_).code) <= category(dtype_argument(to).code)


def is_nonzero(Tensor input):
    """Whether a tensor of one element holds something other than zero."""
    return bool(input)
