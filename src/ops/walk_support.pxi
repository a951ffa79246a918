# The few operations that the backward walk calls (fastgrad._engine knows none by name).

cdef object walk_add(object a, object b):
    return op_add(a, b)


cdef object walk_sum_to(Tensor t, const Meta* meta):
    """Sum a gradient over the dimensions along which its operand was broadcast."""
    if grad_enabled() and t.flags & REQUIRES_GRAD:
        return op__sum_to(t, tuple(shape_list(meta.ndim, meta.shape)))
    return summed_to(t, meta.ndim, meta.shape)


cdef object walk_cast(Tensor t, int dt):
    return cast_to(t, dt)


cdef object walk_as_strided(Tensor base, Array* geometry):
    """The view of base that has this geometry, with its node."""
    cdef Geometry g
    base = seen_as(base, geometry.dtype)
    start_geometry(&g, geometry)
    g.offset = (geometry.data - base.a.data) // itemsize(base.a.dtype)
    return strided_view(op_as_strided.row, base, &g)


# Writing through a view: the node that rebase() hangs on the base (see the Note in core/inplace.pxi)

cdef Tensor lay_out_rule(Tensor input, object strides):
    """A copy with the given strides."""
    cdef Tensor out = strided_empty(input.a.dtype, shape_tuple(&input.a), strides)
    copy_array(&out.a, &input.a)
    return out


cdef int copy_slices_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    """The written operation's own backward on the slice of the gradient that was written, put back in its place."""
    check_saved(node)
    cdef Node inner = <Node>node.saved[0]
    cdef object shape, strides, offset, base_strides, part
    shape, strides, offset, base_strides = <object>node.saved[1]
    cdef Tensor result = op__lay_out(<object>grads[0], base_strides)
    cdef object given = op_as_strided(seen_as(result, inner.meta.dtype), shape, strides, offset)
    cdef object slice_grad = op_clone(given, memory_format=_places.contiguous_format)
    cdef PyObject* inner_grad = <PyObject*>slice_grad
    cdef PyObject** parts = <PyObject**>calloc(max(inner.nedges, 1), sizeof(PyObject*))
    cdef int i
    if parts == NULL:
        raise MemoryError("cannot allocate a backward walk")
    try:
        inner.row.backward(inner, &inner_grad, parts, create_graph)
        if node.edge[0] != NULL:
            if parts[0] == NULL:
                given.zero_()
            else:
                part = <object>parts[0]
                if not same_shape(&(<Tensor>part).a, &(<Tensor>given).a):
                    part = walk_sum_to(<Tensor>part, inner.meta)
                given.copy_(part)
            give(out, 0, result)
        for i in range(1, node.nedges):
            if parts[i] != NULL and node.edge[i] != NULL:
                give(out, i, <object>parts[i])
    finally:
        for i in range(inner.nedges):
            if parts[i] != NULL:
                Py_DECREF(<object>parts[i])
        free(parts)
    return 0


cdef Row copy_slices_row
memset(&copy_slices_row, 0, sizeof(Row))
copy_slices_row.name = b"copy_slices"
copy_slices_row.node_name = b"torch::autograd::CopySlices"
copy_slices_row.backward = copy_slices_backward

cdef Operations support
support.add = walk_add
support.sum_to = walk_sum_to
support.cast = walk_cast
support.as_strided = walk_as_strided
support.copy_slices = &copy_slices_row
support.getitem = getitem
support.setitem = setitem
support.construct = construct
set_operations(&support)
