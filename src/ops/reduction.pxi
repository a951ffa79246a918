# Reductions: one plan for all of them (kept dimensions first, reduced ones last), and their gradients.

cdef Tensor reduced_shape(Tensor t, int mask, bint keepdim, int dt):
    """The output of a reduction over the dimensions in mask."""
    cdef int64_t shape[MAX_DIMS]
    cdef int d, n = 0
    for d in range(t.a.ndim):
        if not mask >> d & 1:
            shape[n] = t.a.shape[d]
            n += 1
        elif keepdim:
            shape[n] = 1
            n += 1
    return empty(dt, n, shape)


cdef Tensor sum_rule(Tensor input, object dim, bint keepdim, object dtype_):
    cdef int mask = dim_mask("sum", dim, input.a.ndim)
    cdef Tensor out = reduced_shape(input, mask, keepdim, input.a.dtype)
    cdef Launch l
    if not input.a.contiguous:
        input = contiguous_copy(input)
    cdef int64_t outer = 1, n = 1, inner = 1
    cdef int d, state = 0
    for d in range(input.a.ndim):
        if mask >> d & 1:
            n *= input.a.shape[d]
            state = 1
        elif state == 0:
            outer *= input.a.shape[d]
        else:
            inner *= input.a.shape[d]
    l.kernel, l.dtype, l.core, l.noperands, l.ndim = K_SUM_FORWARD, input.a.dtype, 2, 2, 3
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    l.shape[0], l.shape[1], l.shape[2] = outer, inner, n
    cdef int w = itemsize(input.a.dtype)
    l.stride[0][0], l.stride[0][1], l.stride[0][2] = inner * w, w, 0
    l.stride[1][0], l.stride[1][1], l.stride[1][2] = n * inner * w, w, inner * w
    run(&l)
    return out


cdef object expand_reduced(Tensor grad, tuple shape, object dim, bint keepdim):
    """A reduction's gradient in its input's shape: the same value all along the reduced dimensions (stride 0)."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t strides[MAX_DIMS]
    cdef int d, k = 0, n = len(shape)
    cdef int mask = dim_mask("sum", dim, n)
    for d in range(n):
        sizes[d] = shape[d]
        strides[d] = 0
        if not mask >> d & 1:
            strides[d] = grad.a.stride[k]
            k += 1
        elif keepdim:
            k += 1
    return view_of(grad, n, sizes, strides, 0)
