# Small functions that only other modules call (see _engine.pxd).

cdef int itemsize(int dt) noexcept nogil:
    return ITEMSIZE[dt]


cdef int default_dtype() noexcept:
    return default_float


cdef dtype dtype_object(int code):
    return DTYPES[code]


cdef str scalar_name(int code):
    return SCALAR_NAMES[code]


cdef int result_dtype(PyObject** x, int n) except -2:
    """The promoted dtype of tensors and numbers; -1 if there is neither among them."""
    cdef Promotion p
    cdef int i
    p.dim = p.zero = p.wrapped = -1
    for i in range(n):
        promote_with(&p, x[i])
    return promoted(&p)


cdef uint32_t wants(object x) noexcept:
    return fg_grad_enabled and is_tensor(<PyObject*>x) and needs(<PyObject*>x)


cdef bint grad_enabled() noexcept:
    return fg_grad_enabled


cdef bint set_grad_mode(bint mode) noexcept:
    global fg_grad_enabled
    cdef bint before = fg_grad_enabled
    fg_grad_enabled = mode
    return before


cdef void bump(Tensor t) noexcept:
    t.storage.version += 1


def _increment_version(Tensor t):
    bump(t)


cdef int checked_run(Launch* l) except -1:
    """run, for rules that have not looked whether the dtype has a kernel."""
    if not has_kernel(l.kernel, l.dtype):
        raise NotImplementedError(f"this operation is not implemented for '{SCALAR_NAMES[l.dtype]}'")
    return run(l)


cdef int set_operations(Operations* functions) except -1:
    global operations
    operations = functions[0]
    return 0


cdef Tensor borrowed(char* data, int dt, int ndim, const int64_t* shape, const int64_t* stride, int64_t nbytes, object owner):
    """A tensor over memory that `owner` keeps alive; strides in elements."""
    check_count(ndim, shape)
    cdef Storage* s = borrow_storage(data, nbytes, owner)
    cdef Tensor t = new_tensor()
    cdef int d
    t.storage = s
    t.a.data = data
    t.a.dtype = dt
    t.a.ndim = ndim
    for d in range(ndim):
        t.a.shape[d], t.a.stride[d] = shape[d], stride[d]
    refresh(&t.a)
    return t


cdef int backward_of(Tensor root) except -1:
    """root.backward() for compiled callers."""
    return backward_from(root, None, None, False, None)


cdef Tensor grad_of(Tensor leaf):
    return leaf.grad_
