# Joining, repeating, turning: elements move, none is computed.

cdef list tensor_list(str name, object tensors):
    """The tensors to join, checked."""
    if not isinstance(tensors, (tuple, list)):
        raise TypeError(f"{name}(): argument 'tensors' (position 1) must be tuple of Tensors, not {type(tensors).__name__}")
    result = list(tensors)
    if not result:
        raise (ValueError if name == "cat" else RuntimeError)(f"{name}: expected a non-empty list of Tensors")
    for i, t in enumerate(result):
        if not is_tensor(<PyObject*>t):
            raise TypeError(f"{name}(): expected Tensor as element {i} in argument 0, but got {type(t).__name__}")
    return result


cdef int joined_dtype(list tensors) except -1:
    cdef int dt = -1
    cdef Tensor t
    for t in tensors:
        dt = promote(t.a.dtype, dt)
    return dt


cdef Node joined_node(const Row* row, list tensors, Tensor out):
    """The node of an operation over a list of tensors, or None."""
    cdef int i, n = len(tensors)
    cdef bint wanted = False
    cdef Node node
    if not grad_enabled() or not is_floating(out.a.dtype):
        return None
    for i in range(n):
        if needs(<PyObject*>tensors[i]):
            wanted = True
            break
    if not wanted:
        return None
    node = new_node(row, n, 1)
    for i in range(n):
        set_edge(node, i, <Tensor>tensors[i])
    node.nsaved = 2
    return node


cdef inline bint skipped_in_cat(Tensor t) noexcept:
    """PyTorch lets a vector without elements take part in any cat."""
    return t.a.ndim == 1 and t.a.shape[0] == 0


cdef int position(list tensors, object t):
    """Of the very object, not of an equal one."""
    cdef int i
    for i in range(len(tensors)):
        if tensors[i] is t:
            return i
    return -1


cdef object cat_entry(const Row* row, PyObject** a):
    cdef list tensors = tensor_list("cat", <object>a[0])
    cdef Tensor first = None, t, out
    cdef Array part
    cdef int64_t total = 0
    cdef int d, k, i, n = len(tensors)
    cdef Node node
    for t in tensors:
        if t.a.ndim == 0:
            raise RuntimeError(f"zero-dimensional tensor (at position {position(tensors, t)}) cannot be concatenated")
        if first is None and not skipped_in_cat(t):
            first = t
    if first is None:
        first = tensors[0]
    d = wrapped_dim("cat", 0 if a[1] == NULL else <object>a[1], first.a.ndim)
    for i in range(n):
        t = <Tensor>tensors[i]
        if skipped_in_cat(t):
            continue
        if t.a.ndim != first.a.ndim:
            raise RuntimeError(f"Tensors must have same number of dimensions: got {first.a.ndim} and {t.a.ndim}")
        for k in range(first.a.ndim):
            if k != d and t.a.shape[k] != first.a.shape[k]:
                raise RuntimeError(f"Sizes of tensors must match except in dimension {d}. Expected size {first.a.shape[k]} but got "
                                   f"size {t.a.shape[k]} for tensor number {i} in the list.")
        total += t.a.shape[d]
    part = first.a
    part.shape[d] = total
    format = common_format(tensors)
    if format is not None:
        out = strided_empty(joined_dtype(tensors), shape_tuple(&part), format_strides("cat", format, &part))
    else:
        out = empty(joined_dtype(tensors), part.ndim, part.shape)
    part = out.a
    cdef list sizes = []
    for t in tensors:
        sizes.append(0 if skipped_in_cat(t) and first.a.ndim != 1 else t.a.shape[d])
        if t.a.numel == 0:
            continue
        part.shape[d] = t.a.shape[d]
        refresh(&part)
        copy_array(&part, &t.a)
        part.data += t.a.shape[d] * out.a.stride[d] * itemsize(out.a.dtype)
    node = joined_node(row, tensors, out)
    if node is not None:
        save_value(node, 0, d)
        save_value(node, 1, sizes)
        set_node(out, node, 0)
    return out


cdef int cat_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef int d = <object>node.saved[0]
    cdef list sizes = <object>node.saved[1]
    cdef int64_t start = 0, size
    cdef int i
    for i in range(node.nedges):
        size = sizes[i]
        if node.edge[i] != NULL:
            if size == 0 and (<Tensor><object>grads[0]).a.ndim != 1:
                give(out, i, zeros_of((<Tensor><object>grads[0]).a.dtype, (0,)) if edge_is_empty_vector(node, i) else
                     slice_of(<Tensor><object>grads[0], d, start, start))
            else:
                give(out, i, slice_of(<Tensor><object>grads[0], d, start, start + size))
        start += size
    return 0


cdef bint edge_is_empty_vector(Node node, int i):
    """Whether edge i leads to one of the vectors without elements that cat skips."""
    cdef Meta* meta
    if isinstance(<object>node.edge[i], Tensor):
        return skipped_in_cat(<Tensor>node.edge[i])
    meta = (<Node>node.edge[i]).meta + node.edge_nr[i]
    return meta.ndim == 1 and meta.shape[0] == 0


cdef object common_format(list tensors):
    """The order of channels last that all tensors have, or None."""
    cdef object format = channels_last_of(<Tensor>tensors[0])
    return format if format is not None and all([channels_last_of(t) is format for t in tensors]) else None


cdef object stack_entry(const Row* row, PyObject** a):
    cdef list tensors = tensor_list("stack", <object>a[0])
    cdef Tensor first = <Tensor>tensors[0], t, out
    cdef Array part
    cdef Geometry g
    cdef int d = wrapped_dim("stack", 0 if a[1] == NULL else <object>a[1], first.a.ndim + 1)
    cdef int i, n = len(tensors)
    cdef Node node
    for i in range(n):
        if not same_shape(&(<Tensor>tensors[i]).a, &first.a):
            raise RuntimeError(f"stack expects each tensor to be equal size, but got {shape_list(first.a.ndim, first.a.shape)} at entry 0 "
                               f"and {list(shape_tuple(&(<Tensor>tensors[i]).a))} at entry {i}")
    start_geometry(&g, &first.a)
    add_dim("stack", &g, d, n, 0)
    format = common_format(tensors) if d < first.a.ndim else None
    if format is None:
        out = empty(joined_dtype(tensors), g.ndim, g.shape)
    else:                                   # as cat along d lies in memory, which is then split
        part = first.a
        part.shape[d] *= n
        strides = format_strides("stack", format, &part)
        out = strided_empty(joined_dtype(tensors), tuple(shape_list(g.ndim, g.shape)),
                            (*strides[:d], strides[d] * first.a.shape[d], *strides[d:]))
    start_geometry(&g, &out.a)
    drop_dim(&g, d)
    part = out.a
    part.ndim = g.ndim
    for i in range(g.ndim):
        part.shape[i], part.stride[i] = g.shape[i], g.stride[i]
    refresh(&part)
    for t in tensors:
        copy_array(&part, &t.a)
        part.data += out.a.stride[d] * itemsize(out.a.dtype)
    node = joined_node(row, tensors, out)
    if node is not None:
        save_value(node, 0, d)
        set_node(out, node, 0)
    return out


cdef int stack_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef object d = <object>node.saved[0]
    cdef int i
    for i in range(node.nedges):
        if node.edge[i] != NULL:
            give(out, i, select_view(op_select.row, <Tensor><object>grads[0], d, i))
    return 0


cdef object at_least(Tensor t, int ndim):
    """With dimensions of size 1 as NumPy's atleast_1d, 2d and 3d add them."""
    if t.a.ndim >= ndim:
        return t
    shape = shape_tuple(&t.a)
    if ndim == 1:
        return op_reshape(t, (1,))
    if ndim == 2:
        return op_reshape(t, (1, t.a.numel))
    if t.a.ndim == 2:
        return op_unsqueeze(t, 2)
    return op_reshape(t, (1, t.a.numel, 1))


cdef object hstack_rule(object tensors):
    cdef list given = [at_least(<Tensor>t, 1) for t in tensor_list("hstack", tensors)]
    return op_cat(given, 0 if (<Tensor>given[0]).a.ndim == 1 else 1)


cdef object vstack_rule(object tensors):
    return op_cat([at_least(<Tensor>t, 2) for t in tensor_list("vstack", tensors)], 0)


cdef object dstack_rule(object tensors):
    return op_cat([at_least(<Tensor>t, 3) for t in tensor_list("dstack", tensors)], 2)


cdef object column_stack_rule(object tensors):
    return op_cat([op_reshape(t, ((<Tensor>t).a.numel, 1)) if (<Tensor>t).a.ndim <= 1 else t
                   for t in tensor_list("column_stack", tensors)], 1)


cdef object atleast_rule(int ndim, object tensors):
    if isinstance(tensors, (tuple, list)) and len(tensors) == 1:
        tensors = tensors[0]
    if is_tensor(<PyObject*>tensors):
        return at_least(<Tensor>tensors, ndim)
    return tuple([at_least(<Tensor?>t, ndim) for t in tensors])


cdef object atleast_1d_rule(object tensors):
    return atleast_rule(1, tensors)


cdef object atleast_2d_rule(object tensors):
    return atleast_rule(2, tensors)


cdef object atleast_3d_rule(object tensors):
    return atleast_rule(3, tensors)


# turning

cdef Tensor flip_rule(Tensor input, object dims):
    cdef Array a = input.a
    cdef Tensor out = shaped_like("flip", input, None, None)
    cdef int d, mask
    if isinstance(dims, (tuple, list)) and len(dims) == 1 and isinstance(dims[0], (tuple, list)):
        dims = dims[0]
    mask = 0 if isinstance(dims, (tuple, list)) and len(dims) == 0 else dim_mask("flip", dims, a.ndim)
    if a.numel == 0:
        return out
    for d in range(a.ndim):
        if mask >> d & 1:
            a.data += (a.shape[d] - 1) * a.stride[d] * itemsize(a.dtype)
            a.stride[d] = -a.stride[d]
    refresh(&a)
    copy_array(&out.a, &a)
    return out


cdef object fliplr_rule(Tensor input):
    if input.a.ndim < 2:
        raise RuntimeError("Input must be >= 2-d.")
    return op_flip(input, (1,))


cdef object flipud_rule(Tensor input):
    if input.a.ndim < 1:
        raise RuntimeError("Input must be >= 1-d.")
    return op_flip(input, (0,))


cdef Tensor rolled(Tensor t, int64_t shift, int d):
    """Elements moved along d, around the end."""
    cdef Tensor out = empty_as(t.a.dtype, &t.a)
    cdef int64_t n = t.a.shape[d], k
    cdef Array a, b
    cdef int w = itemsize(t.a.dtype)
    if t.a.numel == 0:
        return out
    k = shift % n
    k = k + n if k < 0 else k
    a, b = out.a, t.a
    a.shape[d] = b.shape[d] = n - k
    a.data += k * a.stride[d] * w
    refresh(&a)
    refresh(&b)
    copy_array(&a, &b)
    if k:
        a, b = out.a, t.a
        a.shape[d] = b.shape[d] = k
        b.data += (n - k) * b.stride[d] * w
        refresh(&a)
        refresh(&b)
        copy_array(&a, &b)
    return out


cdef Tensor roll_rule(Tensor input, object shifts, object dims):
    cdef Tensor out = input
    shifts = [size_argument("roll", s) for s in (shifts if isinstance(shifts, (tuple, list)) else (shifts,))]
    dims = [] if dims is None else list(dims) if isinstance(dims, (tuple, list)) else [dims]
    if not shifts:
        raise RuntimeError("`shifts` required")
    if not dims and len(shifts) == 1:
        out = contiguous_copy(input)
        out.a.ndim = 1
        out.a.shape[0] = input.a.numel
        set_contiguous(&out.a)
        out = rolled(out, shifts[0], 0)
        out.a.ndim = input.a.ndim
        memcpy(out.a.shape, input.a.shape, sizeof(input.a.shape))
        set_contiguous(&out.a)
        return out
    if len(shifts) != len(dims):
        raise RuntimeError(f"shifts and dimensions must align. shifts: {len(shifts)}, dims:{len(dims)}")
    for shift, dim in zip(shifts, dims):
        if input.a.ndim == 0:
            raise IndexError("Dimension specified as 0 but tensor has no dimensions")
        out = rolled(out, shift, wrapped_dim("roll", dim, input.a.ndim))
    return laid_out_as(out, input, input.a.ndim - 2)


cdef object negated(object shifts):
    return [-s for s in shifts] if isinstance(shifts, (tuple, list)) else -shifts


cdef object rot90_rule(Tensor input, object k, object dims):
    if not isinstance(dims, (tuple, list)) or len(dims) != 2:
        raise RuntimeError(f"expected total rotation dims == 2, but got dims = {dims}")
    if input.a.ndim < 2:
        raise RuntimeError(f"expected total dims >= 2, but got total dims = {input.a.ndim}")
    cdef int d0 = wrapped_dim("rot90", dims[0], input.a.ndim), d1 = wrapped_dim("rot90", dims[1], input.a.ndim)
    if d0 == d1:
        raise RuntimeError(f"expected rotation dims to be different, but got dim0 = {dims[0]} and dim1 = {dims[1]}")
    turns = k % 4
    if turns == 0:
        return op_clone(input, memory_format=_places.contiguous_format)
    if turns == 1:
        return op_transpose(op_flip(input, (d1,)), d0, d1)
    if turns == 2:
        return op_flip(input, (d0, d1))
    return op_transpose(op_flip(input, (d0,)), d0, d1)


# repeating

cdef Tensor repeated_along(Tensor t, int d, int64_t times):
    """A contiguous tensor repeated along one dimension."""
    cdef Array shape = t.a, into, source
    cdef Tensor out
    cdef int64_t before = 1, run = 1
    cdef int k
    shape.shape[d] *= times
    out = empty(t.a.dtype, shape.ndim, shape.shape)
    for k in range(d):
        before *= t.a.shape[k]
    for k in range(d, t.a.ndim):
        run *= t.a.shape[k]
    into = out.a
    into.ndim = 3
    into.shape[0], into.shape[1], into.shape[2] = before, times, run
    set_contiguous(&into)
    source = into
    source.data = t.a.data
    source.stride[0], source.stride[1], source.stride[2] = run, 0, 1
    source.contiguous = False
    copy_array(&into, &source)
    return out


cdef list repeat_sizes(str name, Tensor input, object sizes):
    if isinstance(sizes, (tuple, list)) and len(sizes) == 1 and isinstance(sizes[0], (tuple, list)):
        sizes = sizes[0]
    result = [size_argument(name, s) for s in (sizes if isinstance(sizes, (tuple, list)) else (sizes,))]
    for s in result:
        if s < 0:
            raise RuntimeError(f"{name}: Trying to create tensor with negative dimension {s}: {result}")
    return result


cdef Tensor repeat_rule(Tensor input, object sizes):
    cdef list times = repeat_sizes("repeat", input, sizes)
    cdef Tensor out = contiguous_copy(input)
    cdef int shift = len(times) - input.a.ndim, d
    if shift < 0:
        raise RuntimeError("Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: repeat got "
                           f"{times} for {shape_tuple(&input.a)}")
    if len(times) > MAX_DIMS:
        raise RuntimeError(f"repeat: at most {MAX_DIMS} dimensions are supported, got {len(times)}")
    for d in range(len(times) - 1, -1, -1):
        out.a.shape[d] = out.a.shape[d - shift] if d >= shift else 1
    out.a.ndim = len(times)
    set_contiguous(&out.a)
    for d in range(len(times) - 1, -1, -1):
        if times[d] != 1:
            out = repeated_along(out, d, times[d])
    return out


cdef object repeat_grad(object grad, tuple shape, object sizes):
    """Sum over the copies, one dimension after another."""
    cdef list times = repeat_sizes("repeat", grad, sizes)
    full = [1] * (len(times) - len(shape)) + list(shape)
    if 0 in times:
        return zeros_of((<Tensor>grad).a.dtype, shape)
    for d in range(len(times)):
        if times[d] != 1:
            now = shape_tuple(&(<Tensor>grad).a)
            grad = op_reshape(grad, (count_of(now[:d]), times[d], count_of(now[d:]) // times[d]))
            grad = op_reshape(op_sum(grad, 1), (*now[:d], full[d], *now[d + 1:]))
    return op_reshape(grad, shape)


cdef int64_t count_of(tuple shape) except? -1:
    cdef int64_t n = 1
    for size in shape:
        n *= size
    return n


cdef object tile_rule(Tensor input, object dims):
    cdef list times = repeat_sizes("tile", input, dims)
    return op_repeat(input, [1] * (input.a.ndim - len(times)) + times)


cdef object repeat_interleave_rule(Tensor input, object repeats, object dim, object output_size):
    cdef Tensor counts, places
    cdef int64_t total
    cdef int d
    cdef Launch l
    if isinstance(repeats, float):
        raise TypeError("repeat_interleave(): argument 'repeats' must be Tensor or int, not float")
    if repeats is None:
        return repeat_positions(input, output_size)
    if dim is None:
        input, dim = op_reshape(input, (-1,)), 0
    if input.a.ndim == 0:
        raise IndexError("repeat_interleave: Dimension specified as 0 but tensor has no dimensions")
    d = wrapped_dim("repeat_interleave", dim, input.a.ndim)
    if not is_tensor(<PyObject*>repeats) or (<Tensor>repeats).a.numel == 1:
        times = int(repeats)
        if times < 0:
            raise RuntimeError("Repeats must be non-negative")
        shape = shape_tuple(&input.a)
        if input.a.ndim < MAX_DIMS:
            wide = op_expand(op_unsqueeze(input, d + 1), (*shape[:d + 1], times, *shape[d + 1:]))
            return op_reshape(op_clone(wide, memory_format=_places.contiguous_format), (*shape[:d], shape[d] * times, *shape[d + 1:]))
        repeats = op_expand(scalar_operand("repeat_interleave", times, INT64), (shape[d],))
    counts = <Tensor>repeats
    if counts.a.ndim != 1 or counts.a.shape[0] != (input.a.shape[d] if input.a.ndim else 1):
        raise RuntimeError(f"repeats must have the same size as input along dim, but got repeats.size(0) = {counts.a.numel} and "
                           f"input.size({d}) = {input.a.shape[d] if input.a.ndim else 1}")
    return op_index_select(input, d, repeat_positions(counts, output_size))


cdef Tensor repeat_positions(Tensor repeats, object output_size):
    """0 repeats[0] times, 1 repeats[1] times, ..."""
    cdef Tensor out
    cdef Launch l
    cdef int64_t total = 0, i
    if repeats.a.ndim != 1:
        raise RuntimeError("repeat_interleave only accept 1D vector as repeat")
    if repeats.a.dtype != INT64 and repeats.a.dtype != INT32:
        raise RuntimeError("repeats has to be Long or Int tensor")
    counts = [int(n) for n in repeats.tolist()]
    if any([n < 0 for n in counts]):
        raise RuntimeError("repeats can not be negative")
    total = sum(counts)
    if output_size is not None and output_size != total:
        raise RuntimeError(f"repeat_interleave: output_size must be the sum of repeats, got {output_size} and {total}")
    repeats = index64(repeats)
    out = empty(INT64, 1, &total)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_REPEATED_POSITIONS, INT64, 1, 1, 2
    l.ptr[0], l.ptr[1], l.shape[0] = out.a.data, repeats.a.data, repeats.a.numel
    l.stride[0][0], l.stride[1][0] = 8, repeats.a.stride[0] * 8
    run(&l)
    return out
