# Views that pick elements: select, slice, narrow, diagonal, unfold, as_strided.
#
# Each is strides and an offset over its input (a Geometry, views.pxi).  Its gradient needs the same strides over an input that
# lies in memory in plain order, so one pair of operations is the gradient of all: `_embed` (zeros with the gradient put where
# the view was) and `_extract` (the view, read).

# nodes of views that pick elements

cdef object picked(const Row* row, Tensor t, Tensor out, Geometry* plain, object layout):
    """Give the view `out` of t its node.  plain: its geometry over t in row-major order (or in `layout`, t's strides)."""
    if not wants(t):
        return out
    cdef Node node = new_node(row, 1, 1)
    set_edge(node, 0, t)
    node.nsaved = 4
    save_value(node, 0, shape_tuple(&t.a))
    save_value(node, 1, layout)
    save_value(node, 2, tuple(shape_list(plain.ndim, plain.stride)))
    save_value(node, 3, plain.offset)
    set_node(out, node, 0)
    return out


cdef int picked_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    give(out, 0, op__embed(<object>grads[0], <object>node.saved[0], <object>node.saved[1], <object>node.saved[2],
                           <object>node.saved[3]))
    return 0


cdef Tensor strided_empty(int dt, tuple shape, object layout):
    """Uninitialised memory with the given strides; holes between elements belong to it."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t span = 1
    cdef int d, n = len(shape)
    cdef Tensor out
    for d in range(n):
        sizes[d] = shape[d]
    if layout is None:
        return empty(dt, n, sizes)
    for d in range(n):
        if sizes[d] == 0:
            span = 0
            break
        span += (sizes[d] - 1) * <int64_t>layout[d]
    out = empty(dt, 1, &span)
    out.a.ndim = n
    for d in range(n):
        out.a.shape[d], out.a.stride[d] = sizes[d], layout[d]
    refresh(&out.a)
    return out


cdef Tensor embed_rule(Tensor input, object shape, object layout, object strides, int64_t offset):
    """Zeros of `shape` with input's elements added at strides and offset."""
    cdef Tensor out = strided_empty(input.a.dtype, shape, layout)
    cdef Array a
    cdef int d
    fill_array(&out.a, 0)
    a = input.a
    a.data = out.a.data + offset * itemsize(a.dtype)
    for d in range(a.ndim):
        a.stride[d] = strides[d]
    refresh(&a)
    if distinct(&a):
        copy_array(&a, &input.a)
    else:
        add_overlapping(&a, input)
    return out


cdef bint distinct(const Array* a) noexcept:
    """Whether no two elements are known to share memory: each stride steps over all that the smaller ones span."""
    cdef int64_t reach = 0, least
    cdef int d, k, found, used = 0
    if a.contiguous:
        return True
    for k in range(a.ndim):
        found = -1
        for d in range(a.ndim):
            if not used >> d & 1 and a.shape[d] != 1 and (found < 0 or a.stride[d] < least):
                found, least = d, a.stride[d]
        if found < 0:
            break
        if least <= reach:
            return False
        used |= 1 << found
        reach += (a.shape[found] - 1) * least
    return True


cdef int add_overlapping(Array* into, Tensor source) except -1:
    """into += source, one element after another, where elements of `into` share memory."""
    cdef int64_t n = source.a.numel
    cdef Tensor offsets = empty(INT64, 1, &n)
    cdef Tensor position = arange_int64(n)
    cdef Launch l
    cdef int64_t div = 1
    cdef int d
    fill_array(&offsets.a, 0)
    for d in range(into.ndim - 1, -1, -1):
        unravel_offsets(offsets, position, div, into.shape[d], into.stride[d])
        div *= into.shape[d]
    put_flat(K_ADD_ITEMS, into.data, into.dtype, contiguous_copy(source), offsets)
    return 0


cdef Tensor extract_rule(Tensor input, object layout, object size, object strides, int64_t offset):
    """The elements at strides and offset of input laid out in row-major order (or by `layout`)."""
    cdef Tensor laid
    cdef Array a
    cdef int d
    if layout is None:
        laid = input if input.a.contiguous else contiguous_copy(input)
    else:
        laid = strided_empty(input.a.dtype, shape_tuple(&input.a), layout)
        copy_array(&laid.a, &input.a)
    a.data = laid.a.data + offset * itemsize(laid.a.dtype)
    a.dtype, a.ndim = laid.a.dtype, len(size)
    for d in range(a.ndim):
        a.shape[d], a.stride[d] = size[d], strides[d]
    refresh(&a)
    cdef Tensor out = empty(a.dtype, a.ndim, a.shape)
    copy_array(&out.a, &a)
    return out


# select, slice, diagonal, unfold, as_strided

cdef int select_dim(str name, Geometry* g, int d, int64_t index, const Array* a) except -1:
    if index < -g.shape[d] or index >= g.shape[d]:
        raise IndexError(f"{name}(): index {index} out of range for tensor of size {shape_list(a.ndim, a.shape)} at dimension {d}")
    g.offset += (index + g.shape[d] if index < 0 else index) * g.stride[d]
    drop_dim(g, d)
    return 0


cdef void slice_dim(Geometry* g, int d, int64_t start, int64_t stop, int64_t step) noexcept:
    """As Python slices; step > 0."""
    cdef int64_t n = g.shape[d]
    start = max(start + n, 0) if start < 0 else min(start, n)
    stop = max(stop + n, 0) if stop < 0 else min(stop, n)
    g.offset += start * g.stride[d]
    g.shape[d] = (stop - start + step - 1) // step if stop > start else 0
    g.stride[d] *= step


cdef object select_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef int64_t index = int_argument(row, a[2], 2)
    return select_view(row, t, int_argument(row, a[1], 1), index)


cdef object select_view(const Row* row, Tensor t, object dim, int64_t index):
    if t.a.ndim == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    cdef int d = wrapped_dim("select", dim, t.a.ndim)
    cdef Geometry g
    cdef Array plain
    start_geometry(&g, &t.a)
    select_dim("select", &g, d, index, &t.a)
    cdef Tensor out = view_at(t, &g)
    if wants(t):
        plain = in_plain_order(&t.a)
        start_geometry(&g, &plain)
        select_dim("select", &g, d, index, &t.a)
        picked(row, t, out, &g, None)
    return out


cdef object slice_view(const Row* row, Tensor t, int d, int64_t start, int64_t stop, int64_t step):
    cdef Geometry g
    cdef Array plain
    start_geometry(&g, &t.a)
    slice_dim(&g, d, start, stop, step)
    cdef Tensor out = view_at(t, &g)
    if wants(t):
        plain = in_plain_order(&t.a)
        start_geometry(&g, &plain)
        slice_dim(&g, d, start, stop, step)
        picked(row, t, out, &g, None)
    return out


cdef object slice_of(Tensor t, int d, int64_t start, int64_t stop):
    """t[start:stop] along d, both in range."""
    return slice_view(op_narrow.row, t, d, start, stop, 1)


cdef object narrow_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    if t.a.ndim == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    cdef int d = wrapped_dim("narrow", int_argument(row, a[1], 1), t.a.ndim)
    cdef int64_t n = t.a.shape[d], start = size_argument("narrow", <object>a[2]), length = int_argument(row, a[3], 3)
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    if start < -n or start > n:
        raise IndexError(f"start out of range (expected to be in range of [{-n}, {n}], but got {start})")
    start = start + n if start < 0 else start
    if start + length > n:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({n}).")
    return slice_view(row, t, d, start, start + length, 1)


cdef object diagonal_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef int64_t offset = 0 if a[1] == NULL else int_argument(row, a[1], 1)
    cdef int d1 = wrapped_dim("diagonal", 0 if a[2] == NULL else <object>a[2], t.a.ndim)
    cdef int d2 = wrapped_dim("diagonal", 1 if a[3] == NULL else <object>a[3], t.a.ndim)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {d1}, {d2}")
    cdef Geometry g
    cdef Array plain
    diagonal_geometry(&g, &t.a, offset, d1, d2)
    cdef Tensor out = view_at(t, &g)
    if wants(t):
        plain = in_plain_order(&t.a)
        diagonal_geometry(&g, &plain, offset, d1, d2)
        picked(row, t, out, &g, None)
    return out


cdef int diagonal_geometry(Geometry* g, const Array* a, int64_t offset, int d1, int d2) except -1:
    cdef int64_t n, stride = a.stride[d1] + a.stride[d2]
    start_geometry(g, a)
    if offset >= 0:
        n = max(min(a.shape[d1], a.shape[d2] - offset), 0)
        g.offset = offset * a.stride[d2] if n else 0
    else:
        n = max(min(a.shape[d1] + offset, a.shape[d2]), 0)
        g.offset = -offset * a.stride[d1] if n else 0
    drop_dim(g, max(d1, d2))
    drop_dim(g, min(d1, d2))
    return add_dim("diagonal", g, g.ndim, n, stride)


cdef object unfold_entry(const Row* row, PyObject** a):
    """Tensor.unfold: windows along a dimension."""
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef int d = wrapped_dim("unfold", int_argument(row, a[1], 1), t.a.ndim)
    cdef int64_t size = int_argument(row, a[2], 2), step = int_argument(row, a[3], 3)
    cdef int64_t n = t.a.shape[d] if t.a.ndim else 1
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > n:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {n} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    cdef Geometry g
    cdef Array plain
    unfold_geometry(&g, &t.a, d, size, step)
    cdef Tensor out = view_at(t, &g)
    if wants(t):
        plain = in_plain_order(&t.a)
        unfold_geometry(&g, &plain, d, size, step)
        picked(row, t, out, &g, None)
    return out


cdef int unfold_geometry(Geometry* g, const Array* a, int d, int64_t size, int64_t step) except -1:
    start_geometry(g, a)
    if a.ndim == 0:
        return add_dim("unfold", g, 0, size, 1)
    add_dim("unfold", g, g.ndim, size, g.stride[d])
    g.shape[d] = (g.shape[d] - size) // step + 1
    g.stride[d] *= step
    return 0


cdef object as_strided_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef Geometry g
    cdef int64_t last
    cdef int64_t first = (t.a.data - t.storage.data) // itemsize(t.a.dtype)
    cdef int d
    g.ndim = read_shape("as_strided", <object>a[1], g.shape)
    if read_shape("as_strided", <object>a[2], g.stride) != g.ndim:
        raise RuntimeError(f"mismatch in length of strides and shape: as_strided got {g.ndim} sizes and other strides")
    last = first if a[3] == NULL or <object>a[3] is None else size_argument("as_strided", <object>a[3])
    if last < 0:
        raise RuntimeError(f"as_strided: storage_offset must be non-negative, got {last}")
    g.offset = last - first
    for d in range(g.ndim):
        if g.shape[d] < 0 or g.stride[d] < 0:
            raise RuntimeError("as_strided: Negative sizes and strides are not supported, got "
                               f"{shape_list(g.ndim, g.shape)} and {shape_list(g.ndim, g.stride)}")
    for d in range(g.ndim):
        if g.shape[d] == 0:
            last = -1
            break
        if g.shape[d] > 1 and g.stride[d] > (<int64_t>1 << 50) // g.shape[d]:
            last = <int64_t>1 << 50
            break
        last += (g.shape[d] - 1) * g.stride[d]
    check_elements("as_strided", &g)
    if (last + 1) * itemsize(t.a.dtype) > t.storage.nbytes:
        raise RuntimeError(f"setStorage: sizes {shape_list(g.ndim, g.shape)}, strides {shape_list(g.ndim, g.stride)} and that "
                           f"storage offset require more than the storage's {t.storage.nbytes} bytes")
    return strided_view(row, t, &g)


cdef object strided_view(const Row* row, Tensor t, Geometry* g):
    """The view of t at g, whose bounds are checked, with its node."""
    cdef Tensor out = view_at(t, g)
    if wants(t):
        picked(row, t, out, g, None if t.a.contiguous else tuple(shape_list(t.a.ndim, t.a.stride)))
    return out
