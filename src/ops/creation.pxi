# Making tensors: constants, ranges, diagonals, grids; and the keywords that every function here takes.

cdef int option_dtype(object dtype_, int otherwise) except -1:
    return otherwise if dtype_ is None else dtype_argument(dtype_).code


cdef Tensor finished(Tensor t, object layout_, object device_, object pin_memory, object requires_grad):
    """Check the keywords that only one value is there for, and set requires_grad."""
    check_device(device_)
    if layout_ is not None and layout_ is not _places.strided:
        raise NotImplementedError(f"layout: only torch.strided is supported, got {layout_!r}")
    if pin_memory:
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory=True needs one.")
    if requires_grad:
        t.requires_grad_(True)
    return t


cdef Tensor sized(str name, object size, int dt):
    """Uninitialised, from a shape as callers give it."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int d, n
    if isinstance(size, (tuple, list)) and len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = size[0]
    n = read_shape(name, size, sizes)
    for d in range(n):
        if sizes[d] < 0 and name == "zeros":          # PyTorch's has a text of its own
            raise RuntimeError("zeros: Dimension size must be non-negative.")
    return empty(dt, n, sizes)


cdef Tensor constant(str name, object size, int dt, object value):
    cdef Tensor t = sized(name, size, dt)
    fill_with(&t.a, value)
    return t


cdef int value_dtype(object value) except -1:
    """The dtype full() infers."""
    cdef int dt
    if is_tensor(<PyObject*>value):
        return (<Tensor>value).a.dtype
    dt = number_dtype(value)
    if dt < 0:
        raise TypeError(f"full(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    return dt


cdef object plain_number(object value):
    return value.item() if is_tensor(<PyObject*>value) else value


cdef object zeros_rule(object size, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    return finished(constant("zeros", size, option_dtype(dtype_, default_dtype()), 0), layout_, device_, pin_memory,
                     requires_grad)


cdef object ones_rule(object size, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    return finished(constant("ones", size, option_dtype(dtype_, default_dtype()), 1), layout_, device_, pin_memory,
                     requires_grad)


cdef object empty_rule(object size, object memory_format, object dtype_, object layout_, object device_,
                       object pin_memory, object requires_grad):
    cdef Tensor t = sized("empty", size, option_dtype(dtype_, default_dtype()))
    strides = format_strides("empty", memory_format, &t.a)
    if strides is not None:
        t = strided_empty(t.a.dtype, shape_tuple(&t.a), strides)
    return finished(t, layout_, device_, pin_memory, requires_grad)


cdef object full_rule(object size, object fill_value, object dtype_, object layout_, object device_, object pin_memory,
                      object requires_grad):
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"full(): argument 'size' (position 1) must be tuple of ints, not {type(size).__name__}")
    return finished(constant("full", size, option_dtype(dtype_, value_dtype(fill_value)), plain_number(fill_value)),
                     layout_, device_, pin_memory, requires_grad)


cdef object empty_strided_rule(object size, object stride, object dtype_, object layout_, object device_, object pin_memory,
                               object requires_grad):
    size, stride = tuple([int(n) for n in size]), tuple([int(n) for n in stride])
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: empty_strided got {tuple(size)} and {tuple(stride)}")
    if any([n < 0 for n in (*size, *stride)]):
        raise RuntimeError(f"empty_strided: sizes and strides must be non-negative, got {tuple(size)} and {tuple(stride)}")
    sized("empty_strided", [1 + (n - 1) * s if n else 0 for n, s in zip(size, stride)], UINT8)
    return finished(strided_empty(option_dtype(dtype_, default_dtype()), tuple(size), tuple(stride)), layout_, device_, pin_memory,
                    requires_grad)


cdef object eye_rule(object n, object m, object dtype_, object layout_, object device_, object pin_memory,
                     object requires_grad):
    m = n if m is None else m
    if n < 0 or m < 0:
        raise RuntimeError(f"n must be greater or equal to 0, got {n if n < 0 else m}")
    cdef Tensor t = constant("eye", (n, m), option_dtype(dtype_, default_dtype()), 0)
    cdef Array diagonal = t.a
    diagonal.ndim = 1
    diagonal.shape[0], diagonal.stride[0] = min(n, m), t.a.shape[1] + 1
    refresh(&diagonal)
    fill_array(&diagonal, 1)
    return finished(t, layout_, device_, pin_memory, requires_grad)


# ranges

cdef Tensor counted(int dt, int64_t n, object start, object by):
    """start, start + by, ...: n of them."""
    cdef Tensor t = empty(dt, 1, &n)
    cdef Launch l
    if dt == FLOAT16 or dt == BFLOAT16:
        return converted(counted(FLOAT32, n, start, by), dt)
    if n == 0:
        return t
    if not has_kernel(K_ARANGE_FORWARD, dt):
        raise NotImplementedError(f"\"arange_cpu\" not implemented for '{scalar_name(dt)}'")
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_ARANGE_FORWARD, dt, 1, 1, 1
    l.ptr[0], l.shape[0], l.stride[0][0] = t.a.data, n, itemsize(dt)
    if is_floating(dt):
        l.attr[0].f, l.attr[1].f = start, by
    else:
        l.attr[0].i, l.attr[1].i = int(start), int(by)
    run(&l)
    return t


cdef Tensor arange_int64(int64_t n):
    return counted(INT64, n, 0, 1)


cdef int range_dtype(object dtype_, object start, object end, object by) except -1:
    """int64 if all three are integers, else the default dtype."""
    if dtype_ is not None:
        return dtype_argument(dtype_).code
    for x in (start, end, by):
        if (<Tensor>x).a.dtype >= FLOAT16 if is_tensor(<PyObject*>x) else number_dtype(x) >= FLOAT16:
            return default_dtype()
    return INT64


cdef int64_t range_count(str name, object start, object end, object by, bint closed) except -1:
    if by == 0:
        raise RuntimeError("step must be nonzero")
    for x in (start, end):
        if x != x or x in (float("inf"), float("-inf")):
            raise RuntimeError(f"unsupported range: {start} -> {end}")
    if (by > 0 and start > end) or (by < 0 and start < end):
        raise RuntimeError(f"upper bound and lower bound inconsistent with step sign: {name} got {start}, {end} and {by}")
    if isinstance(start, int) and isinstance(end, int) and isinstance(by, int):
        return (end - start) // by + 1 if closed else -((start - end) // by)
    n = (end - start) / by
    return int(n) + 1 if closed else -int(-n // 1)


cdef object arange_rule(object start, object end, object by, object dtype_, object layout_, object device_,
                        object pin_memory, object requires_grad):
    if end is None:
        start, end = 0, start
    elif start is None:
        start = 0
    if end is None:
        raise TypeError("arange() missing required argument 'end' (position 1)")
    cdef int dt = range_dtype(dtype_, start, end, by)
    start, end, by = plain_number(start), plain_number(end), plain_number(by)
    if dt == INT64:
        start, end, by = int(start), int(end), int(by)
        for number in (start, end, by):
            refuse_unfit(INT64, number)
    return finished(counted(dt, range_count("arange", start, end, by, False), start, by), layout_, device_, pin_memory,
                     requires_grad)


cdef object range_rule(object start, object end, object by, object dtype_, object layout_, object device_,
                       object pin_memory, object requires_grad):
    if end is None:
        start, end = 0, start
    start, end, by = plain_number(start), plain_number(end), plain_number(by)
    return finished(counted(option_dtype(dtype_, default_dtype()), range_count("range", start, end, by, True), start, by),
                     layout_, device_, pin_memory, requires_grad)


cdef object linspace_rule(object start, object end, object steps, object dtype_, object layout_, object device_,
                          object pin_memory, object requires_grad):
    cdef int dt = option_dtype(spaced_dtype(dtype_, start, end), default_dtype())
    return finished(spaced("linspace", start, end, steps, dt), layout_, device_, pin_memory, requires_grad)


cdef Tensor spaced_complex(str name, object start, object end, object steps, int dt):
    cdef c128 a = complex(start), b = complex(end)
    return joined(spaced(name, a.real, b.real, steps, real_of(dt)), spaced(name, a.imag, b.imag, steps, real_of(dt)))


cdef object spaced_dtype(object dtype_, object start, object end):
    """The default dtype, or its complex one where an end is complex."""
    if dtype_ is None and (is_complex(dtype_of(<PyObject*>start)) or is_complex(dtype_of(<PyObject*>end))):
        return dtype_object(complex_of(default_dtype()))
    return dtype_


cdef Tensor spaced(str name, object start, object end, object steps, int dt):
    if PyFloat_Check(steps):
        raise TypeError(f"{name}(): argument 'steps' must be int, not float")
    cdef int64_t n = steps
    if dt == BOOL:
        raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'")
    if is_complex(dt):
        return spaced_complex(name, plain_number(start), plain_number(end), steps, dt)
    cdef int loop = dt if has_kernel(K_LINSPACE_FORWARD, dt) else FLOAT32 if is_floating(dt) else FLOAT64
    cdef Tensor t
    cdef Launch l
    if n < 0:
        raise RuntimeError(f"{name}: number of steps must be non-negative, got {n}")
    t = empty(loop, 1, &n)
    start, end = plain_number(start), plain_number(end)
    if not is_floating(dt):
        start, end = int(start), int(end)
    if n:
        l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_LINSPACE_FORWARD, loop, 1, 1, 1
        l.ptr[0], l.shape[0], l.stride[0][0] = t.a.data, n, itemsize(loop)
        l.attr[0].f, l.attr[1].f = start, end
        run(&l)
    return t if loop == dt else converted(t, dt)


cdef object logspace_rule(object start, object end, object steps, object base, object dtype_, object layout_,
                          object device_, object pin_memory, object requires_grad):
    cdef int dt = option_dtype(spaced_dtype(dtype_, start, end), default_dtype())
    cdef bint mode = set_grad_mode(False)
    try:
        if not is_floating(dt):
            start, end = int(plain_number(start)), int(plain_number(end))
        t = spaced("logspace", start, end, steps, dt if is_floating(dt) else FLOAT64)
        t = cast_to(base ** t, dt)
    finally:
        set_grad_mode(mode)
    return finished(t, layout_, device_, pin_memory, requires_grad)


# like another tensor

cdef Tensor shaped_like(str name, Tensor input, object memory_format, object dtype_):
    """Uninitialised, in input's shape, dtype and memory order."""
    cdef int dt = option_dtype(dtype_, input.a.dtype)
    cdef int8_t perm[MAX_DIMS]
    cdef Array* operand = &input.a
    cdef object strides = format_strides(name, memory_format, &input.a)
    if strides is not None:
        return strided_empty(dt, shape_tuple(&input.a), strides)
    if input.a.contiguous or memory_format is _places.contiguous_format:
        return empty_as(dt, &input.a)
    order_dims(&operand, 1, &input.a, perm)
    return empty_in_order(dt, &input.a, perm)


cdef Tensor filled_like(str name, Tensor input, object value, object memory_format, object dtype_):
    cdef Tensor t = shaped_like(name, input, memory_format, dtype_)
    fill_with(&t.a, value)
    return t


cdef object zeros_like_rule(Tensor input, object memory_format, object dtype_, object layout_, object device_, object pin_memory,
                            object requires_grad):
    return finished(filled_like("zeros_like", input, 0, memory_format, dtype_), layout_, device_, pin_memory, requires_grad)


cdef object ones_like_rule(Tensor input, object memory_format, object dtype_, object layout_, object device_, object pin_memory,
                           object requires_grad):
    return finished(filled_like("ones_like", input, 1, memory_format, dtype_), layout_, device_, pin_memory, requires_grad)


cdef object empty_like_rule(Tensor input, object memory_format, object dtype_, object layout_, object device_, object pin_memory,
                            object requires_grad):
    return finished(shaped_like("empty_like", input, memory_format, dtype_), layout_, device_, pin_memory, requires_grad)


cdef object full_like_rule(Tensor input, object fill_value, object memory_format, object dtype_, object layout_, object device_,
                           object pin_memory, object requires_grad):
    return finished(filled_like("full_like", input, plain_number(fill_value), memory_format, dtype_), layout_, device_, pin_memory,
                    requires_grad)


cdef object new_zeros_rule(Tensor input, object size, object dtype_, object layout_, object device_, object pin_memory,
                           object requires_grad):
    return finished(constant("new_zeros", size, option_dtype(dtype_, input.a.dtype), 0), layout_, device_, pin_memory, requires_grad)


cdef object new_ones_rule(Tensor input, object size, object dtype_, object layout_, object device_, object pin_memory,
                          object requires_grad):
    return finished(constant("new_ones", size, option_dtype(dtype_, input.a.dtype), 1), layout_, device_, pin_memory, requires_grad)


cdef object new_empty_rule(Tensor input, object size, object dtype_, object layout_, object device_, object pin_memory,
                           object requires_grad):
    return finished(sized("new_empty", size, option_dtype(dtype_, input.a.dtype)), layout_, device_, pin_memory, requires_grad)


cdef object new_full_rule(Tensor input, object size, object fill_value, object dtype_, object layout_, object device_,
                          object pin_memory, object requires_grad):
    return finished(constant("new_full", size, option_dtype(dtype_, input.a.dtype), plain_number(fill_value)), layout_, device_,
                    pin_memory, requires_grad)


cdef object new_tensor_rule(Tensor input, object data, object dtype_, object layout_, object device_, object pin_memory,
                            object requires_grad):
    return finished(tensor_from(data, dtype_object(input.a.dtype) if dtype_ is None else dtype_), layout_, device_, pin_memory, requires_grad)


cdef object scalar_tensor_rule(object s, object dtype_, object layout_, object device_, object pin_memory, object requires_grad):
    return finished(constant("scalar_tensor", (), option_dtype(dtype_, default_dtype()), plain_number(s)), layout_, device_, pin_memory,
                    requires_grad)


# triangles and diagonals

cdef int triangle(Tensor out, Tensor input, int64_t k, bint upper) except -1:
    cdef Launch l
    cdef int d, n = input.a.ndim, w = itemsize(input.a.dtype)
    if n < 2:
        raise RuntimeError(f"{'triu' if upper else 'tril'}: input tensor must have at least 2 dimensions")
    if input.a.numel == 0:
        return 0
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_TRIANGLE_ITEMS, input.a.dtype, 2, n, 2
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    for d in range(n):
        l.shape[d] = input.a.shape[d]
        l.stride[0][d], l.stride[1][d] = out.a.stride[d] * w, input.a.stride[d] * w
    l.attr[0].i, l.attr[1].i = k, upper
    return run(&l)


cdef Tensor tril_rule(Tensor input, int64_t diagonal):
    cdef Tensor out = empty_as(input.a.dtype, &input.a)
    triangle(out, input, diagonal, False)
    return out


cdef Tensor triu_rule(Tensor input, int64_t diagonal):
    cdef Tensor out = empty_as(input.a.dtype, &input.a)
    triangle(out, input, diagonal, True)
    return out


cdef int tril_into(Tensor out, int64_t diagonal) except -1:
    return triangle(out, out, diagonal, False)


cdef int triu_into(Tensor out, int64_t diagonal) except -1:
    return triangle(out, out, diagonal, True)


cdef Tensor triangle_indices(int64_t rows, int64_t columns, int64_t offset, bint upper, int dt):
    """Where a triangle's elements are: two rows of indices, in row-major order."""
    cdef Tensor ones, flat, out
    cdef int64_t two[2]
    if rows < 0 or columns < 0:
        raise RuntimeError(f"row and col must be non-negative, got {rows} and {columns}")
    if dt != INT32 and dt != INT64:
        raise NotImplementedError(f"\"{'triu' if upper else 'tril'}_indices\" not implemented for '{scalar_name(dt)}'")
    ones = triu_rule(constant("triu", (rows, columns), BOOL, 1), offset) if upper else \
        tril_rule(constant("tril", (rows, columns), BOOL, 1), offset)
    flat = positions_of(ones)
    two[0], two[1] = 2, flat.a.numel
    out = empty(INT64, 2, two)
    fill_array(&out.a, 0)
    cdef Tensor first = select_view(op_select.row, out, 0, 0), second = select_view(op_select.row, out, 0, 1)
    if flat.a.numel:
        unravel_offsets(first, flat, columns, rows, 1)
        unravel_offsets(second, flat, 1, columns, 1)
    return out if dt == INT64 else converted(out, dt)


cdef object indices_entry(const Row* row, PyObject** a, bint upper):
    cdef object dtype_ = None if a[3] == NULL else <object>a[3]
    return finished(triangle_indices(int_argument(row, a[0], 0), int_argument(row, a[1], 1),
                                     0 if a[2] == NULL else int_argument(row, a[2], 2), upper, option_dtype(dtype_, INT64)),
                    None if a[4] == NULL else <object>a[4], None if a[5] == NULL else <object>a[5],
                    None if a[6] == NULL else <object>a[6], False if a[7] == NULL else <object>a[7])


cdef object tril_indices_entry(const Row* row, PyObject** a):
    return indices_entry(row, a, False)


cdef object triu_indices_entry(const Row* row, PyObject** a):
    return indices_entry(row, a, True)


cdef object diag_rule(Tensor input, object diagonal):
    if input.a.ndim == 1:
        return op_diag_embed(input, diagonal)
    if input.a.ndim == 2:
        return op_clone(op_diagonal(input, diagonal))
    raise RuntimeError(f"diag(): Supports 1D or 2D tensors. Got {input.a.ndim}D")


cdef Tensor diag_embed_rule(Tensor input, int64_t offset, object dim1, object dim2):
    cdef int d1 = wrapped_dim("diag_embed", dim1, input.a.ndim + 1), d2 = wrapped_dim("diag_embed", dim2, input.a.ndim + 1)
    cdef Geometry g
    cdef Array diagonal
    cdef Tensor out
    cdef int d
    cdef int64_t n
    if input.a.ndim == 0:
        raise RuntimeError("diag_embed: input must have at least 1 dimension")
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    start_geometry(&g, &input.a)
    n = g.shape[g.ndim - 1] + abs(offset)
    drop_dim(&g, g.ndim - 1)
    add_dim("diag_embed", &g, min(d1, d2), n, 0)
    add_dim("diag_embed", &g, max(d1, d2), n, 0)
    out = empty(input.a.dtype, g.ndim, g.shape)
    fill_array(&out.a, 0)
    diagonal_geometry(&g, &out.a, offset, d1, d2)
    diagonal = input.a
    diagonal.data = out.a.data + g.offset * itemsize(out.a.dtype)
    for d in range(g.ndim):
        diagonal.stride[d] = g.stride[d]
    refresh(&diagonal)
    copy_array(&diagonal, &input.a)
    return out


cdef object diagflat_rule(Tensor input, object offset):
    return op_diag_embed(op_reshape(input, (-1,)), offset)


# grids

cdef object one_hot_rule(Tensor tensor, int64_t num_classes):
    cdef Tensor out
    if tensor.a.dtype != INT64:
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor, got "
                           f"{scalar_name(tensor.a.dtype)}")
    if tensor.a.numel == 0 and num_classes <= 0:
        raise RuntimeError("Can not infer total number of classes from empty tensor.")
    if num_classes == -1:
        num_classes = int(tensor.max()) + 1
    elif num_classes < 1:
        raise RuntimeError(f"num_classes should be positive, got {num_classes}")
    try:
        check_range(tensor, num_classes, False, "Class values must be non-negative and smaller than num_classes.")
    except IndexError as error:
        raise RuntimeError(f"{error} num_classes is {num_classes}") from None
    out = zeros_of(INT64, shape_tuple(&tensor.a) + (num_classes,))
    scatter_value_into(out, -1, op_unsqueeze(tensor, -1), 1)
    return out


cdef list given_tensors(str name, object tensors):
    if isinstance(tensors, (tuple, list)) and len(tensors) == 1 and isinstance(tensors[0], (tuple, list)):
        tensors = tensors[0]
    tensors = list(tensors) if isinstance(tensors, (tuple, list)) else [tensors]
    for t in tensors:
        if not is_tensor(<PyObject*>t):
            raise TypeError(f"{name}(): arguments must be Tensors, got {type(t).__name__}")
    return tensors


cdef object broadcast_tensors_rule(object tensors):
    cdef list given = given_tensors("broadcast_tensors", tensors)
    cdef Array common, wider
    cdef Array* operand[2]
    common.ndim = 0
    for t in given:
        operand[0], operand[1] = &common, &(<Tensor>t).a
        broadcast(b"broadcast_tensors", operand, 2, &wider)
        common = wider
    shape = shape_tuple(&common)
    return tuple([op_expand(t, shape) for t in given])


def broadcast_shapes(*shapes):
    """The shape that tensors of these shapes broadcast to."""
    cdef Tensor common = zeros_shape(()), one
    cdef Array shape
    cdef Array* operand[2]
    for s in shapes:
        one = zeros_shape((s,) if isinstance(s, int) else tuple(s))
        operand[0], operand[1] = &common.a, &one.a
        broadcast(b"broadcast_shapes", operand, 2, &shape)
        common = zeros_shape(tuple(shape_list(shape.ndim, shape.shape)))
    return Size(shape_tuple(&common.a))


cdef object meshgrid_rule(object tensors, object indexing):
    cdef list given = given_tensors("meshgrid", tensors)
    if not given:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    if indexing not in (None, "ij", "xy"):
        raise RuntimeError(f'torch.meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    for t in given:
        if (<Tensor>t).a.ndim > 1:
            raise RuntimeError(f"torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: a tensor of {(<Tensor>t).a.ndim} "
                               "dimensions")
        if (<Tensor>t).a.dtype != (<Tensor>given[0]).a.dtype:
            raise RuntimeError("torch.meshgrid expects all tensors to have the same dtype")
    swap = indexing == "xy" and len(given) >= 2
    if swap:
        given[0], given[1] = given[1], given[0]
    shape = [(<Tensor>t).a.numel for t in given]
    grids = [op_expand(op_view(t, [-1 if k == i else 1 for k in range(len(given))]), shape) for i, t in enumerate(given)]
    if swap:
        grids[0], grids[1] = grids[1], grids[0]
    return tuple(grids)


cdef object cartesian_prod_rule(object tensors):
    cdef list given = given_tensors("cartesian_prod", tensors)
    if len(given) == 1:
        return given[0]
    return op_stack([op_reshape(g, (-1,)) for g in meshgrid_rule(given, "ij")], 1)
