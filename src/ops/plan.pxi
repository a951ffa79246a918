# Plans: what advanced indexing touches, worked out once and used to take, put or add items.
#
# A plan holds index tensors over dimensions of a source shape.  From it and the strides of an actual source come offsets, one
# for each place of the broadcast index; the dimensions that no index covers ("rest") are copied in runs.

cdef class Plan:
    """Advanced indices over a source of known shape.

    Invariants: `index[i]` is an int64 tensor over the `span[i]` dimensions from `dim[i]`, counted through in row-major order;
    the result has the rest dimensions below `first`, then the index's own, then the others.  Immutable once built.
    """
    cdef list index
    cdef int count                     # of index tensors
    cdef int dim[MAX_DIMS]
    cdef int span[MAX_DIMS]
    cdef int ndim
    cdef int64_t shape[MAX_DIMS]       # of the source
    cdef Array places                  # the broadcast index's shape
    cdef int nrest, first
    cdef int rest[MAX_DIMS]            # source dimensions without an index
    cdef Tensor plain_offsets          # over a source in row-major order


cdef Plan make_plan(const Array* source, list index, list dims, list spans):
    """Raises IndexError where the index tensors do not broadcast together."""
    cdef Plan p = Plan.__new__(Plan)
    cdef Array* operand[MAX_DIMS]
    cdef int i, d, covered = 0
    p.index, p.count, p.ndim = index, len(index), source.ndim
    for d in range(source.ndim):
        p.shape[d] = source.shape[d]
    for i in range(p.count):
        p.dim[i], p.span[i] = dims[i], spans[i]
        operand[i] = &(<Tensor>index[i]).a
        for d in range(p.dim[i], p.dim[i] + p.span[i]):
            covered |= 1 << d
    try:
        broadcast(b"index", operand, p.count, &p.places)
    except RuntimeError:
        shapes = ", ".join([str(list(shape_tuple(&(<Tensor>t).a))) for t in index])
        raise IndexError(f"shape mismatch: indexing tensors could not be broadcast together with shapes {shapes}") from None
    p.places.dtype = INT64
    set_contiguous(&p.places)
    for d in range(source.ndim):
        if not covered >> d & 1:
            p.rest[p.nrest] = d
            p.nrest += 1
    if p.nrest + p.places.ndim > MAX_DIMS:
        raise RuntimeError(f"index: the result would have {p.nrest + p.places.ndim} dimensions, at most {MAX_DIMS} are supported")
    p.first = p.dim[0]
    for i in range(p.count - 1):
        if p.dim[i] + p.span[i] != p.dim[i + 1]:
            p.first = 0                # separated indices: their dimensions come first
    return p


cdef Plan rows_plan(const Array* source, int d, Tensor index):
    """One index over one dimension."""
    return make_plan(source, [index], [d], [1])


cdef void result_shape(Plan p, Array* out) noexcept:
    cdef int i, n = 0
    for i in range(p.first):
        out.shape[n] = p.shape[p.rest[i]]
        n += 1
    for i in range(p.places.ndim):
        out.shape[n] = p.places.shape[i]
        n += 1
    for i in range(p.first, p.nrest):
        out.shape[n] = p.shape[p.rest[i]]
        n += 1
    out.ndim = n


cdef int raise_out_of_bounds(Tensor bad, int64_t size, int d) except -1:
    raise IndexError(f"index {(<int64_t*>bad.a.data)[0]} is out of bounds for dimension {d} with size {size}")


cdef Tensor no_bad_index():
    cdef int64_t two = 2
    cdef Tensor bad = empty(INT64, 1, &two)
    (<int64_t*>bad.a.data)[0] = (<int64_t*>bad.a.data)[1] = 0
    return bad


cdef int add_offsets(Tensor out, Tensor index, int64_t size, int64_t stride, int d) except -1:
    """out += index * stride, with the index broadcast, checked and made positive."""
    cdef Tensor bad = no_bad_index()
    cdef Array* operand[2]
    cdef int8_t perm[MAX_DIMS]
    cdef Launch l
    cdef int i
    if out.a.numel == 0:
        return 0
    operand[0], operand[1] = &out.a, &index.a
    l.kernel, l.dtype, l.core, l.noperands = K_INDEX_OFFSETS, INT64, 1, 3
    order_dims(operand, 2, &out.a, perm)
    fill_loop(&l, operand, 2, perm)
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, index.a.data, bad.a.data
    for i in range(l.ndim):
        l.stride[2][i] = 0
    l.attr[0].i, l.attr[1].i = size, stride
    run(&l)
    if (<int64_t*>bad.a.data)[1]:
        raise_out_of_bounds(bad, size, d)
    return 0


cdef int unravel_offsets(Tensor out, Tensor position, int64_t div, int64_t size, int64_t stride) except -1:
    """out += (position // div % size) * stride; both contiguous."""
    cdef Launch l
    if out.a.numel == 0:
        return 0
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_UNRAVEL_POSITIONS, INT64, 1, 1, 2
    l.ptr[0], l.ptr[1], l.shape[0] = out.a.data, position.a.data, out.a.numel
    l.stride[0][0] = l.stride[1][0] = 8
    l.attr[0].i, l.attr[1].i, l.attr[2].i = div, size, stride
    return run(&l)


cdef Tensor offsets_over(Plan p, const int64_t* stride):
    """For each place of the index, its offset in elements over a source with these strides.  Raises IndexError."""
    cdef Tensor out = empty_as(INT64, &p.places)
    cdef Tensor position
    cdef int64_t size, div
    cdef int i, d, last
    cdef bint nested
    fill_array(&out.a, 0)
    for i in range(p.count):
        last = p.dim[i] + p.span[i] - 1
        size = 1
        nested = True
        for d in range(last, p.dim[i] - 1, -1):
            if d < last and p.shape[d] != 1 and stride[d] != stride[last] * size:
                nested = False
            size *= p.shape[d]
        if p.span[i] == 0:
            continue
        if nested and (p.span[i] == 1 or p.shape[last] != 1):
            add_offsets(out, <Tensor>p.index[i], size, stride[last], p.dim[i])
            continue
        position = empty_as(INT64, &p.places)
        fill_array(&position.a, 0)
        add_offsets(position, <Tensor>p.index[i], size, 1, p.dim[i])
        div = 1
        for d in range(last, p.dim[i] - 1, -1):
            unravel_offsets(out, position, div, max(p.shape[d], 1), stride[d])
            div *= p.shape[d]
    return out


cdef Tensor offsets_of(Plan p, const Array* source):
    """As offsets_over, kept in the plan for sources in row-major order."""
    if not source.contiguous:
        return offsets_over(p, source.stride)
    if p.plain_offsets is None:
        p.plain_offsets = offsets_over(p, source.stride)
    return p.plain_offsets


cdef int move_items(int kernel, Plan p, Array* source, Array* items, Tensor offsets) except -1:
    """Take items from the source, or put or add them there.  items: in the result's shape and order, or a single one."""
    cdef Launch l
    cdef int64_t shape[MAX_LOOP]
    cdef int64_t ss[MAX_LOOP]
    cdef int64_t si[MAX_LOOP]
    cdef int w = itemsize(source.dtype), n = 0, i, k, d
    cdef int which = 1 if kernel == K_TAKE_ITEMS else 0          # the source's operand number
    cdef bint single = items.numel == 1
    if p.places.numel == 0:
        return 0
    for i in range(p.nrest - 1, -1, -1):                         # from the last: runs as long as they can be
        d = p.rest[i]
        k = i if i < p.first else i + p.places.ndim
        if p.shape[d] == 0:
            return 0
        if p.shape[d] == 1:
            continue
        if n and ss[n - 1] * shape[n - 1] == source.stride[d] and (single or si[n - 1] * shape[n - 1] == items.stride[k]):
            shape[n - 1] *= p.shape[d]
            continue
        shape[n], ss[n], si[n] = p.shape[d], source.stride[d], 0 if single else items.stride[k]
        n += 1
    if n == 0:
        shape[0], ss[0], si[0], n = 1, 1, 1, 1
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, source.dtype, 2, n + 1, 3
    l.ptr[which], l.ptr[1 - which], l.ptr[2] = source.data, items.data, offsets.a.data
    for i in range(1, n):
        l.shape[n - 1 - i] = shape[i]
        l.stride[which][n - 1 - i], l.stride[1 - which][n - 1 - i], l.stride[2][n - 1 - i] = ss[i] * w, si[i] * w, 0
    l.shape[n - 1], l.shape[n] = p.places.numel, shape[0]
    l.stride[which][n - 1], l.stride[which][n] = 0, ss[0] * w
    l.stride[1 - which][n - 1] = 0 if single else (items.stride[p.first + p.places.ndim - 1] * w if p.places.ndim else 0)
    l.stride[1 - which][n] = si[0] * w
    l.stride[2][n - 1], l.stride[2][n] = 8, 0
    return run(&l)


cdef int put_flat(int kernel, char* data, int dt, Tensor items, Tensor offsets) except -1:
    """Write contiguous items at offsets from data."""
    cdef Launch l
    cdef int w = itemsize(dt)
    if offsets.a.numel == 0:
        return 0
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 2, 2, 3
    l.ptr[0], l.ptr[1], l.ptr[2] = data, items.a.data, offsets.a.data
    l.shape[0], l.shape[1] = offsets.a.numel, 1
    l.stride[0][0], l.stride[0][1] = 0, w
    l.stride[1][0], l.stride[1][1] = w, w
    l.stride[2][0], l.stride[2][1] = 8, 0
    return run(&l)


cdef Tensor take_plan(Tensor source, Plan p):
    cdef Array shape
    result_shape(p, &shape)
    cdef Tensor offsets = offsets_of(p, &source.a)
    cdef Tensor out = empty(source.a.dtype, shape.ndim, shape.shape)
    if out.a.numel == 1 and out.a.ndim == 0:
        out.a.stride[0] = 1
    move_items(K_TAKE_ITEMS, p, &source.a, &out.a, offsets)
    return out


cdef int put_plan(int kernel, Tensor out, Tensor values, Plan p) except -1:
    """Write values, broadcast to the plan's result, into out."""
    cdef Array shape
    cdef Array wide
    cdef Array* operand = &values.a
    cdef Tensor items = values, summed
    cdef int d, shift
    if kernel == K_ADD_ITEMS and not has_kernel(kernel, out.a.dtype):
        return put_half_or_bool(kernel, out, values, p)
    result_shape(p, &shape)
    set_contiguous(&shape)
    cdef Tensor offsets = offsets_of(p, &out.a)
    if values.a.dtype != out.a.dtype:
        items = converted(values, out.a.dtype)
    if items.a.numel != 1 or shape.ndim < items.a.ndim:
        check_values(&items.a, &shape)
        if not same_shape(&items.a, &shape) or not items.a.contiguous or overlaps(out, &operand, 1):
            summed = empty_as(out.a.dtype, &shape)
            copy_values(&summed.a, &items.a)
            items = summed
    return move_items(kernel, p, &out.a, &items.a, offsets)


cdef int check_values(const Array* values, const Array* result) except -1:
    """Values may have more dimensions than the result if those have size 1."""
    cdef int d, shift = result.ndim - values.ndim
    for d in range(values.ndim):
        if values.shape[d] != 1 and (d + shift < 0 or values.shape[d] != result.shape[d + shift]):
            raise RuntimeError(f"shape mismatch: value tensor of shape {shape_list(values.ndim, values.shape)} cannot be broadcast "
                               f"to indexing result of shape {shape_list(result.ndim, result.shape)}")
    return 0


cdef int copy_values(Array* into, const Array* values) except -1:
    """into = values, without leading dimensions of size 1 that `into` lacks."""
    cdef Array trimmed = values[0]
    cdef int d, extra = values.ndim - into.ndim
    if extra > 0:
        trimmed.ndim = into.ndim
        for d in range(into.ndim):
            trimmed.shape[d], trimmed.stride[d] = values.shape[d + extra], values.stride[d + extra]
        refresh(&trimmed)
    return copy_array(into, &trimmed)


cdef int put_half_or_bool(int kernel, Tensor out, Tensor values, Plan p) except -1:
    """Sums of dtypes that have no arithmetic of their own, by way of one that has."""
    cdef Tensor wide = converted(out, FLOAT32 if is_floating(out.a.dtype) else UINT8)
    put_plan(kernel, wide, values, p)
    return copy_array(&out.a, &wide.a)
