# Views: geometry only; the result shares its input's storage and remembers its base.
#
# Here: what all views share, and those that keep all elements (view, permute, squeeze, expand), whose gradients are formulas in the
# table.  Views that pick elements (select, slice, diagonal, unfold, as_strided) are in strided.pxi.

ctypedef struct Geometry:
    int ndim
    int64_t offset                # in elements
    int64_t shape[MAX_DIMS]
    int64_t stride[MAX_DIMS]


cdef Tensor linked(Tensor out, Tensor t):
    """Make `out`, other geometry over t's storage, a view that autograd follows."""
    out.base = t if t.base is None else t.base
    out.seen = t.storage.version
    out.flags |= t.flags & LOOSE_VIEW
    if not grad_enabled():
        out.flags |= NO_GRAD_VIEW
    return out


cdef int check_elements(str name, Geometry* g) except -1:
    """Refuse repeated dimensions with more elements than can be counted."""
    cdef int64_t n = 1
    cdef int d
    for d in range(g.ndim):
        if g.shape[d] == 0:
            return 0
    for d in range(g.ndim):
        if n > (<int64_t>1 << 50) // g.shape[d]:
            raise RuntimeError(f"{name}: numel: integer multiplication overflow, got sizes {shape_list(g.ndim, g.shape)}")
        n *= g.shape[d]
    return 0


cdef Tensor view_at(Tensor t, Geometry* g):
    return linked(view_of(t, g.ndim, g.shape, g.stride, g.offset), t)


cdef void start_geometry(Geometry* g, const Array* a) noexcept:
    cdef int d
    g.ndim, g.offset = a.ndim, 0
    for d in range(a.ndim):
        g.shape[d], g.stride[d] = a.shape[d], a.stride[d]


cdef void drop_dim(Geometry* g, int d) noexcept:
    cdef int i
    g.ndim -= 1
    for i in range(d, g.ndim):
        g.shape[i], g.stride[i] = g.shape[i + 1], g.stride[i + 1]


cdef int add_dim(str name, Geometry* g, int d, int64_t size, int64_t stride) except -1:
    cdef int i
    if g.ndim == MAX_DIMS:
        raise RuntimeError(f"{name}: at most {MAX_DIMS} dimensions are supported, got {MAX_DIMS + 1}")
    for i in range(g.ndim, d, -1):
        g.shape[i], g.stride[i] = g.shape[i - 1], g.stride[i - 1]
    g.shape[d], g.stride[d] = size, stride
    g.ndim += 1
    return 0


cdef Array in_plain_order(const Array* a) noexcept:
    """The same shape in row-major order."""
    cdef Array plain = a[0]
    set_contiguous(&plain)
    return plain


cdef int64_t size_argument(str name, object x) except? -1:
    if not stands_for_int(x):
        raise TypeError(f"{name}: expected an int, got {type(x).__name__}")
    return int_in_64_bits(x)


# views of all elements

cdef int resolve_shape(str name, object shape, int64_t numel, int64_t* out) except -1:
    """Sizes from what the caller gave, with -1 worked out; returns how many."""
    cdef int d, n, unknown = -1
    cdef int64_t known = 1
    if isinstance(shape, (tuple, list)) and len(shape) == 1 and isinstance(shape[0], (tuple, list)):
        shape = shape[0]
    n = read_shape(name, shape, out)
    for d in range(n):
        if out[d] == -1:
            if unknown >= 0:
                raise RuntimeError("only one dimension can be inferred")
            unknown = d
        elif out[d] < 0:
            raise RuntimeError(f"invalid shape dimension {out[d]} at index {d} of shape {shape_list(n, out)}")
        elif out[d] and known > (<int64_t>1 << 50) // out[d]:
            raise RuntimeError(f"shape '{shape_list(n, out)}' is invalid for input of size {numel}")
        else:
            known *= out[d]
    if unknown >= 0:
        if known == 0 and numel == 0:
            raise RuntimeError(f"cannot reshape tensor of 0 elements into shape {shape_list(n, out)} because the unspecified "
                               f"dimension size -1 can be any value and is ambiguous")
        if known == 0 or numel % known:
            raise RuntimeError(f"shape '{shape_list(n, out)}' is invalid for input of size {numel}")
        out[unknown] = numel // known
    elif known != numel:
        raise RuntimeError(f"shape '{shape_list(n, out)}' is invalid for input of size {numel}")
    return n


cdef bint view_strides(const Array* a, int ndim, const int64_t* shape, int64_t* stride) noexcept:
    """Strides that show a's elements in another shape; False if there are none.

    Dimensions of a that lie in memory as one run form a block; the new shape must cut along the blocks' borders.
    """
    cdef int64_t block, step, done
    cdef int d = a.ndim - 1, v = ndim - 1
    cdef Array plain
    if a.contiguous or a.numel <= 1:
        plain.ndim = ndim
        for v in range(ndim):
            plain.shape[v] = shape[v]
        set_contiguous(&plain)
        for v in range(ndim):
            stride[v] = plain.stride[v]
        return True
    while d >= 0:
        if a.shape[d] == 1:
            d -= 1
            continue
        block, step = a.shape[d], a.stride[d]
        d -= 1
        while d >= 0 and (a.shape[d] == 1 or a.stride[d] == block * step):
            block *= a.shape[d]
            d -= 1
        done = 1
        while v >= 0 and (done < block or shape[v] == 1):
            stride[v] = done * step
            done *= shape[v]
            v -= 1
        if done != block:
            return False
    return v < 0


cdef Tensor view_rule(Tensor input, object shape):
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t strides[MAX_DIMS]
    cdef int n = resolve_shape("view", shape, input.a.numel, sizes)
    if not view_strides(&input.a, n, sizes, strides):
        raise RuntimeError("view size is not compatible with input tensor's size and stride (at least one dimension spans across "
                           "two contiguous subspaces). Use .reshape(...) instead.")
    return linked(view_of(input, n, sizes, strides, 0), input)


cdef object view_entry(const Row* row, PyObject** a):
    """view(*size) or view(dtype)."""
    cdef Tensor t = tensor_argument(row, a[0], 0)
    if (a[1] == NULL) == (a[2] == NULL):
        raise TypeError("view() received an invalid combination of arguments: expected a dtype, or sizes")
    cdef object shape = <object>(a[2] if a[1] == NULL else a[1])
    if isinstance(shape, tuple) and len(shape) == 1 and isinstance(shape[0], dtype):
        shape = shape[0]
    if isinstance(shape, dtype):
        return view_as_dtype(t, shape)
    cdef Tensor out = view_rule(t, shape)
    return reshaped(row, t, out)


cdef object reshaped(const Row* row, Tensor t, Tensor out):
    """The node of another shape of the same elements."""
    if not wants(t):
        return out
    cdef Node node = new_node(row, 1, 1)
    set_edge(node, 0, t)
    node.nsaved = 1
    save_value(node, 0, shape_tuple(&t.a))
    set_node(out, node, 0)
    return out


cdef int reshaped_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    give(out, 0, op_reshape(<object>grads[0], <object>node.saved[0]))
    return 0


cdef object reshape_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t strides[MAX_DIMS]
    cdef Tensor out
    cdef int d, n = resolve_shape("reshape", <object>a[1], t.a.numel, sizes)
    if view_strides(&t.a, n, sizes, strides):
        return reshaped(row, t, linked(view_of(t, n, sizes, strides, 0), t))
    out = contiguous_copy(t)
    out.a.ndim = n
    for d in range(n):
        out.a.shape[d] = sizes[d]
    set_contiguous(&out.a)
    return reshaped(row, t, out)


cdef object view_as_dtype(Tensor t, dtype d):
    """The same bytes read as another dtype; not differentiable, as in PyTorch."""
    cdef Tensor out = alias(t)
    cdef int64_t before = itemsize(t.a.dtype), after = itemsize(d.code)
    cdef int64_t ratio
    cdef int last = t.a.ndim - 1, k
    if d.code == t.a.dtype:
        return op_view(t, shape_tuple(&t.a))
    out.a.dtype = d.code
    if before == after:
        return out
    if t.a.ndim == 0:
        raise RuntimeError("self.dim() cannot be 0 to view a tensor of one element size as another dtype of different element size, "
                           f"got {dtype_object(t.a.dtype)} and {d}")
    if t.a.stride[last] != 1:
        raise RuntimeError(f"self.stride(-1) must be 1 to view {dtype_object(t.a.dtype)} as {d} (different element sizes), but got "
                           f"{t.a.stride[last]}")
    ratio = after // before if after > before else before // after
    for k in range(last):
        if after > before and t.a.stride[k] % ratio:
            raise RuntimeError(f"self.stride({k}) must be divisible by {ratio} to view {dtype_object(t.a.dtype)} as {d} (different "
                               f"element sizes), but got {t.a.stride[k]}")
        out.a.stride[k] = t.a.stride[k] // ratio if after > before else t.a.stride[k] * ratio
    if after > before and (t.a.shape[last] % ratio or (t.a.data - t.storage.data) % after):
        raise RuntimeError(f"self.size(-1) must be divisible by {ratio} to view {dtype_object(t.a.dtype)} as {d} (different element "
                           f"sizes), but got {t.a.shape[last]}")
    out.a.shape[last] = t.a.shape[last] // ratio if after > before else t.a.shape[last] * ratio
    refresh(&out.a)
    return out


cdef Tensor alias_rule(Tensor input):
    return linked(alias(input), input)


cdef Tensor detach_rule(Tensor input):
    return alias(input)


cdef Tensor transpose_rule(Tensor input, object dim0, object dim1):
    cdef Geometry g
    cdef int i = wrapped_dim("transpose", dim0, input.a.ndim), j = wrapped_dim("transpose", dim1, input.a.ndim)
    start_geometry(&g, &input.a)
    if input.a.ndim:
        g.shape[i], g.shape[j] = g.shape[j], g.shape[i]
        g.stride[i], g.stride[j] = g.stride[j], g.stride[i]
    return view_at(input, &g)


cdef Tensor t_rule(Tensor input):
    if input.a.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {input.a.ndim}D")
    return transpose_rule(input, 0, 1) if input.a.ndim == 2 else linked(alias(input), input)


cdef object transposed_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef Tensor out = t_rule(t)
    cdef Node node
    if wants(t):
        node = new_node(row, 1, 1)
        set_edge(node, 0, t)
        set_node(out, node, 0)
    return out


cdef int transposed_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    give(out, 0, op_t(<object>grads[0]))
    return 0


cdef Tensor permute_rule(Tensor input, object dims):
    cdef Geometry g
    cdef int d, i = 0, seen = 0
    if isinstance(dims, (tuple, list)) and len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = dims[0]
    if not isinstance(dims, (tuple, list)):
        dims = (dims,)
    if len(dims) != input.a.ndim:
        raise RuntimeError("permute: number of dimensions in the tensor input does not match the length of the desired ordering of "
                           f"dimensions i.e. input.dim() = {input.a.ndim} is not equal to len(dims) = {len(dims)}")
    g.ndim, g.offset = input.a.ndim, 0
    for dim in dims:
        d = wrapped_dim("permute", dim, input.a.ndim)
        if seen >> d & 1:
            raise RuntimeError("permute(): duplicate dims are not allowed.")
        seen |= 1 << d
        g.shape[i], g.stride[i] = input.a.shape[d], input.a.stride[d]
        i += 1
    return view_at(input, &g)


cdef object unpermute(object grad, object dims):
    if isinstance(dims, (tuple, list)) and len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = dims[0]
    dims = dims if isinstance(dims, (tuple, list)) else (dims,)
    inverse = [0] * len(dims)
    for i, d in enumerate(dims):
        inverse[d + len(dims) if d < 0 else d] = i
    return op_permute(grad, inverse)


cdef Tensor expand_rule(Tensor input, object size, bint implicit):
    cdef int64_t sizes[MAX_DIMS]
    cdef Geometry g
    cdef int d, k
    if isinstance(size, (tuple, list)) and len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    cdef int n = read_shape("expand", size, sizes)
    if n < input.a.ndim:
        raise RuntimeError(f"expand: the number of sizes provided ({n}) must be greater or equal to the number of dimensions in the "
                           f"tensor ({input.a.ndim})")
    g.ndim, g.offset = n, 0
    for d in range(n):
        k = d - (n - input.a.ndim)
        if k < 0:
            if sizes[d] < 0:
                raise RuntimeError(f"The expanded size of the tensor ({sizes[d]}) isn't allowed in a leading, non-existing "
                                   f"dimension {d}")
            g.shape[d], g.stride[d] = sizes[d], 0
        elif sizes[d] == -1 or sizes[d] == input.a.shape[k]:
            g.shape[d], g.stride[d] = input.a.shape[k], input.a.stride[k]
        elif input.a.shape[k] == 1 and sizes[d] >= 0:
            g.shape[d], g.stride[d] = sizes[d], 0
        else:
            raise RuntimeError(f"The expanded size of the tensor ({sizes[d]}) must match the existing size ({input.a.shape[k]}) at "
                               f"non-singleton dimension {d}.  Target sizes: {shape_list(n, sizes)}.  Tensor sizes: "
                               f"{shape_list(input.a.ndim, input.a.shape)}")
    check_elements("expand", &g)
    return view_at(input, &g)


cdef Tensor squeeze_rule(Tensor input, object dim):
    cdef Geometry g
    cdef int d, mask = -1
    if dim is not None:
        mask = 0 if isinstance(dim, (tuple, list)) and len(dim) == 0 else dim_mask("squeeze", dim, input.a.ndim)
    start_geometry(&g, &input.a)
    for d in range(input.a.ndim - 1, -1, -1):
        if g.shape[d] == 1 and mask >> d & 1:
            drop_dim(&g, d)
    return view_at(input, &g)


cdef Tensor unsqueeze_rule(Tensor input, object dim):
    cdef Geometry g
    cdef int d = wrapped_dim("unsqueeze", dim, input.a.ndim + 1)
    start_geometry(&g, &input.a)
    add_dim("unsqueeze", &g, d, 1, g.shape[d] * g.stride[d] if d < g.ndim else 1)
    return view_at(input, &g)
