# The few operations that the backward walk calls (fastgrad._engine knows none by name).

cdef object walk_add(object a, object b):
    return op_add(a, b)


cdef object walk_clone(Tensor t):
    if grad_enabled() and t.flags & REQUIRES_GRAD:
        return functions["clone"](t) if "clone" in functions else op_mul(t, 1.0)
    return contiguous_copy(t)


cdef object walk_sum_to(Tensor t, const Meta* meta):
    """Sum a gradient over the dimensions along which its operand was broadcast."""
    if grad_enabled() and t.flags & REQUIRES_GRAD:
        return op__sum_to(t, tuple(shape_list(meta.ndim, meta.shape)))
    return summed_to(t, meta.ndim, meta.shape)


cdef object walk_cast(Tensor t, int dt):
    return converted(t, dt)


cdef object walk_as_strided(Tensor base, Array* geometry):
    raise NotImplementedError


cdef Row copy_slices_row
memset(&copy_slices_row, 0, sizeof(Row))
copy_slices_row.name = b"copy_slices"
copy_slices_row.node_name = b"CopySlices"

cdef Operations support
support.add = walk_add
support.clone = walk_clone
support.sum_to = walk_sum_to
support.cast = walk_cast
support.as_strided = walk_as_strided
support.copy_slices = &copy_slices_row
set_operations(&support)
