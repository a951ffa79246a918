# Making tensors: fresh, as views, as copies.  No operation and no graph here.

cdef inline bint needs(PyObject* t) noexcept:
    """Whether the tensor t wants a gradient, itself or because its base does."""
    return (<Tensor>t).flags & REQUIRES_GRAD or \
        (unlikely((<Tensor>t).base is not None) and (<Tensor>(<Tensor>t).base).flags & REQUIRES_GRAD)


cdef Tensor bare_tensor(object cls):
    """An instance of Tensor or a subclass without memory yet: the caller has it adopt some at once."""
    global live_tensors
    if <PyObject*>cls == <PyObject*>Tensor:
        return new_tensor()
    if FG_DEBUG:
        live_tensors += 1
    return original_tensor_new(cls, (), NULL)


cdef int adopt(Tensor t, Tensor source) except -1:
    """Give t the memory, shape and version counter of source."""
    source.storage.refs += 1
    if t.storage != NULL:
        drop_storage(t.storage)
    t.storage = source.storage
    t.a = source.a
    return 0


cdef Tensor empty(int dt, int ndim, const int64_t* shape):
    """A contiguous tensor of uninitialised elements."""
    check_count(ndim, shape)
    cdef Tensor t = new_tensor()
    cdef int d
    t.a.dtype = dt
    t.a.ndim = ndim
    for d in range(ndim):
        t.a.shape[d] = shape[d]
    set_contiguous(&t.a)
    t.storage = new_storage(t.a.numel * ITEMSIZE[dt])
    t.a.data = t.storage.data
    if fg_inference:
        t.flags = INFERENCE
    return t


cdef inline Tensor empty_as(int dt, const Array* like):
    """A contiguous tensor of the shape of `like`, which is known to be sound."""
    cdef Tensor t = new_tensor()
    cdef int64_t n = 1
    cdef int d
    t.a.numel, t.a.dtype, t.a.ndim, t.a.contiguous = like.numel, dt, like.ndim, True
    for d in range(like.ndim - 1, -1, -1):
        t.a.shape[d], t.a.stride[d] = like.shape[d], n
        n *= like.shape[d]
    if unlikely(n == 0):
        set_contiguous(&t.a)
    t.storage = new_storage(n * ITEMSIZE[dt])
    t.a.data = t.storage.data
    if unlikely(fg_inference):
        t.flags = INFERENCE
    return t


cdef Tensor empty_in_order(int dt, const Array* like, const int8_t* perm):
    """As empty_as, with the dimensions laid out in memory from perm[0], the fastest."""
    cdef Tensor t = empty_as(dt, like)
    strides_in_order(&t.a, perm)
    return t


cdef Tensor alias(Tensor t):
    """The same elements, shape and version counter, and no part in any graph."""
    cdef Tensor r = new_tensor()
    r.a = t.a
    r.storage = t.storage
    r.storage.refs += 1
    r.flags = t.flags & INFERENCE
    return r


cdef Tensor view_of(Tensor t, int ndim, const int64_t* shape, const int64_t* stride, int64_t offset):
    """Other geometry over the same storage; offset in elements from t's first.

    The caller has checked the bounds; but reading its arguments may have run Python code that gave t less memory.
    """
    cdef Tensor r = new_tensor()
    cdef int64_t last = offset
    cdef int d
    r.storage = t.storage
    r.storage.refs += 1
    r.flags = t.flags & INFERENCE
    r.a.data = t.a.data + offset * ITEMSIZE[t.a.dtype]
    r.a.dtype = t.a.dtype
    r.a.ndim = ndim
    for d in range(ndim):
        r.a.shape[d] = shape[d]
        r.a.stride[d] = stride[d]
        last += stride[d] * (shape[d] - 1)
    refresh(&r.a)
    if r.a.numel and (t.a.data - t.storage.data) + (last + 1) * ITEMSIZE[t.a.dtype] > t.storage.nbytes:
        raise RuntimeError("a view: the tensor was given less memory while the arguments were read")
    return r


cdef int copy_array(Array* out, Array* source) except -1:
    """out[...] = source, broadcast and converted."""
    cdef Launch l
    cdef Array* operand[2]
    cdef int8_t perm[MAX_DIMS]
    operand[0], operand[1] = out, source
    if out.numel == 0:
        return 0
    l.kernel = K_CAST + source.dtype
    l.dtype = out.dtype
    l.core = 1
    l.noperands = 2
    l.ptr[0], l.ptr[1] = out.data, source.data
    if out.contiguous and source.contiguous and same_shape(out, source):
        l.ndim = 1
        l.shape[0] = out.numel
        l.stride[0][0], l.stride[1][0] = ITEMSIZE[out.dtype], ITEMSIZE[source.dtype]
    else:
        order_dims(operand, 2, out, perm)
        fill_loop(&l, operand, 2, perm)
        by_planes(&l, MAX_ROW if out.dtype == source.dtype else SHORT_ROW)
    return run(&l)


cdef Tensor empty_ordered(int dt, Tensor like):
    """As empty_as, in the memory order of `like`."""
    cdef int8_t perm[MAX_DIMS]
    cdef Array* operand = &like.a
    if like.a.contiguous:
        return empty_as(dt, &like.a)
    order_dims(&operand, 1, &like.a, perm)
    return empty_in_order(dt, &like.a, perm)


cdef Tensor converted(Tensor t, int dt):
    """A copy of t in another dtype, in t's memory order; no graph."""
    cdef Tensor r = empty_ordered(dt, t)
    copy_array(&r.a, &t.a)
    return r


cdef Tensor contiguous_copy(Tensor t):
    cdef Tensor r = empty_as(t.a.dtype, &t.a)
    copy_array(&r.a, &t.a)
    return r


cdef int fill_array(Array* out, object value) except -1:
    """out[...] = one number."""
    cdef Launch l
    if out.numel == 1 and not recorder_on:
        return store_number(out.dtype, value, out.data)
    store_number(out.dtype, value, &l.scalar[1])
    if out.numel == 0:
        return 0
    l.kernel = K_CAST + out.dtype
    l.dtype = out.dtype
    l.core = 1
    l.noperands = 2
    l.ptr[0], l.ptr[1] = out.data, NULL
    if out.contiguous:
        l.ndim = 1
        l.shape[0] = out.numel
        l.stride[0][0], l.stride[1][0] = ITEMSIZE[out.dtype], 0
    else:
        fill_strided(&l, out)
    return run(&l)


cdef int fill_with(Array* out, object value) except -1:
    """As fill_array, for a caller's number: raises RuntimeError where the dtype cannot hold it."""
    refuse_unfit(out.dtype, value)
    return fill_array(out, value)


cdef void fill_strided(Launch* l, Array* out) noexcept:
    cdef int8_t perm[MAX_DIMS]
    cdef Array* operand[2]
    operand[0], operand[1] = out, NULL
    order_dims(operand, 1, out, perm)
    fill_loop(l, operand, 2, perm)
