# Order: sorting, selection, search.  Elements by their place are at the end; the counting of values is in counting.pxi.

cdef object SORT_TYPE = named_type("sort"), TOPK_TYPE = named_type("topk"), MODE_TYPE = named_type("mode")
cdef object MEDIAN_TYPE = named_type("median"), NANMEDIAN_TYPE = named_type("nanmedian"), KTHVALUE_TYPE = named_type("kthvalue")

cdef enum:                    # as in kernels/sort.pxi
    KTH = 0
    MEDIAN
    NANMEDIAN
    MODE
    MOST_KEPT = 64


cdef void plan_lines(Launch* l, const Array* a, int dim, int operands) noexcept:
    """One line along dim a kernel call.  Strides of every operand are left to `lines_of`."""
    cdef int d, k = 0
    for d in range(a.ndim):
        if d != dim:
            l.shape[k] = a.shape[d]
            k += 1
    l.shape[k] = a.shape[dim] if a.ndim else 1
    l.ndim = k + 1
    l.core = 1
    l.noperands = operands


cdef void lines_of(Launch* l, int i, const Array* a, int dim) noexcept:
    """Operand i moves over the lines of a, along dim in the kernel (0: not, where a has one element there)."""
    cdef int d, k = 0, w = itemsize(a.dtype)
    for d in range(a.ndim):
        if d != dim:
            l.stride[i][k] = a.stride[d] * w
            k += 1
    l.stride[i][k] = a.stride[dim] * w if a.ndim else w
    l.ptr[i] = a.data


cdef int sort_into(Tensor values, Tensor places, Tensor input, int dim, bint descending) except -1:
    cdef Launch l
    cdef int64_t size
    cdef Tensor work
    cdef int k
    if input.a.numel == 0:
        return 0
    plan_lines(&l, &input.a, dim, 4)
    lines_of(&l, 0, &values.a, dim)
    lines_of(&l, 1, &places.a, dim)
    lines_of(&l, 2, &input.a, dim)
    size = 4 * l.shape[l.ndim - 1]
    work = empty(INT64, 1, &size)
    l.ptr[3] = work.a.data
    for k in range(l.ndim):
        l.stride[3][k] = 0
    l.kernel, l.dtype = K_SORT_FORWARD, input.a.dtype
    l.attr[0].i = descending
    run(&l)
    return 0


cdef object sort_rule(Tensor input, object dim, bint descending, object stable):
    cdef int d = wrapped_dim("sort", dim, input.a.ndim), dt = input.a.dtype
    cdef Tensor values, places
    input = in_dtype(input, computed_dtype(dt))
    values, places = empty_ordered(input.a.dtype, input), empty_ordered(INT64, input)
    sort_into(values, places, input, d, descending)
    return named(SORT_TYPE, in_dtype(values, dt), places)


cdef object argsort_rule(Tensor input, object dim, bint descending, object stable):
    cdef int enabled = set_grad_mode(False)
    try:
        return op_sort(input, dim, descending)[1]
    finally:
        set_grad_mode(enabled)


cdef object msort_rule(Tensor input):
    return op_sort(input, 0)[0]


cdef object topk_rule(Tensor input, int64_t k, object dim, bint largest, bint sorted_):
    cdef int d = wrapped_dim("topk", dim, input.a.ndim), dt = input.a.dtype, i
    cdef int64_t n = input.a.shape[d] if input.a.ndim else 1
    cdef int64_t shape[MAX_DIMS]
    cdef Tensor values, places, all_values, all_places
    cdef Launch l
    if dt == BOOL:
        raise RuntimeError("topk does not support bool dtypes on CPU")
    if k < 0 or k > n:
        raise RuntimeError(f"topk: selected index k out of range, got k = {k} for {n} elements")
    if input.a.ndim == 0:                 # its one element, as in PyTorch, for k = 0 too
        k = 1
    input = in_dtype(input, computed_dtype(dt))
    for i in range(input.a.ndim):
        shape[i] = k if i == d else input.a.shape[i]
    values, places = empty(input.a.dtype, input.a.ndim, shape), empty(INT64, input.a.ndim, shape)
    if values.a.numel and k <= MOST_KEPT:
        plan_lines(&l, &input.a, d, 3)
        lines_of(&l, 0, &values.a, d)
        lines_of(&l, 1, &places.a, d)
        lines_of(&l, 2, &input.a, d)
        l.kernel, l.dtype = K_TOPK_FORWARD, input.a.dtype
        l.attr[0].i, l.attr[1].i = largest, k
        run(&l)
    elif values.a.numel:
        all_values, all_places = empty_as_tensor(input.a.dtype, input), empty_as_tensor(INT64, input)
        sort_into(all_values, all_places, input, d, largest)
        all_values = view_of(all_values, input.a.ndim, shape, all_values.a.stride, 0)
        all_places = view_of(all_places, input.a.ndim, shape, all_places.a.stride, 0)
        copy_array(&values.a, &all_values.a)
        copy_array(&places.a, &all_places.a)
    return named(TOPK_TYPE, in_dtype(values, dt), places)


cdef object chosen(str name, object kind, Tensor input, object dim, bint keepdim, int choice, int64_t k):
    """One element of each sorted line."""
    cdef int d = wrapped_dim(name, dim, input.a.ndim), dt = input.a.dtype, i
    cdef Tensor values, places, value, place
    cdef Array kept
    cdef Launch l
    if dt == BOOL and choice != MODE and input.a.ndim:
        raise NotImplementedError(f"\"{name}_out_impl\" not implemented for 'Bool'")
    if input.a.ndim and input.a.shape[d] == 0:
        raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    if choice == KTH and (k < 1 or k > (input.a.shape[d] if input.a.ndim else 1)):
        raise RuntimeError(f"kthvalue(): selected number k out of range for dimension {d}")
    input = in_dtype(input, computed_dtype(dt))
    values, places = empty_as_tensor(input.a.dtype, input), empty_as_tensor(INT64, input)
    sort_into(values, places, input, d, False)
    value, place = reduced_shape(input, 1 << d, True, input.a.dtype), reduced_shape(input, 1 << d, True, INT64)
    if value.a.numel:
        plan_lines(&l, &values.a, d, 4)
        lines_of(&l, 0, &value.a, d)
        lines_of(&l, 1, &place.a, d)
        lines_of(&l, 2, &values.a, d)
        lines_of(&l, 3, &places.a, d)
        l.kernel, l.dtype = K_CHOOSE_SORTED, values.a.dtype
        l.attr[0].i, l.attr[1].i = choice, k - 1
        run(&l)
    if not keepdim and input.a.ndim:
        squeeze_in_place(value, d)
        squeeze_in_place(place, d)
    return named(kind, in_dtype(value, dt), place)


cdef void squeeze_in_place(Tensor t, int dim) noexcept:
    """Drop a dimension of size 1 of a fresh tensor."""
    cdef int d
    for d in range(dim, t.a.ndim - 1):
        t.a.shape[d], t.a.stride[d] = t.a.shape[d + 1], t.a.stride[d + 1]
    t.a.ndim -= 1


cdef object kthvalue_rule(Tensor input, int64_t k, object dim, bint keepdim):
    return chosen("kthvalue", KTHVALUE_TYPE, input, dim, keepdim, KTH, k)


cdef object mode_rule(Tensor input, object dim, bint keepdim):
    return chosen("mode", MODE_TYPE, input, dim, keepdim, MODE, 0)


cdef object _median_dim_rule(Tensor input, object dim, bint keepdim):
    return chosen("median", MEDIAN_TYPE, input, dim, keepdim, MEDIAN, 0)


cdef object _nanmedian_dim_rule(Tensor input, object dim, bint keepdim):
    return chosen("nanmedian", NANMEDIAN_TYPE, input, dim, keepdim, NANMEDIAN, 0)


cdef object median_of(Tensor input, object dim, bint keepdim, Operation along):
    if dim is not None:
        return along(input, dim, keepdim)
    if input.a.numel == 0:
        out = empty(input.a.dtype, 0, NULL)
        fill_array(&(<Tensor>out).a, float("nan") if is_floating(input.a.dtype) else -(1 << 63))
        return out
    flat = input if input.a.ndim == 1 else op__reshaped(input, (input.a.numel,))
    value = along(flat, 0, False)[0]
    if wants(input):
        equal = flat[flat.detach().isnan() if value.isnan() else flat.detach() == value.detach()]
        if len(equal) > 1 and not value.isinf():             # the gradient is shared among them
            return value.detach() + (equal - equal.detach()).mean()
    return value


cdef object median_rule(Tensor input, object dim, bint keepdim):
    return median_of(input, dim, keepdim, op__median_dim)


cdef object nanmedian_rule(Tensor input, object dim, bint keepdim):
    return median_of(input, dim, keepdim, op__nanmedian_dim)


# ---- search -------------------------------------------------------------------------------------------------------------

cdef Tensor value_tensor(object x, Tensor like):
    """A tensor, or a number as a 0-d one of the other tensor's category."""
    cdef Tensor t
    if is_tensor(<PyObject*>x):
        return <Tensor>x
    t = empty(promote(like.a.dtype, number_dtype(x)) if number_dtype(x) >= 0 else like.a.dtype, 0, NULL)
    fill_array(&t.a, x)
    return t


cdef Tensor search(str name, Tensor sequence, object given, bint out_int32, bint right, object sorter):
    cdef Tensor values, out, order = None
    if not is_tensor(<PyObject*>given) and number_dtype(given) < 0:
        raise TypeError(f"{name}(): argument 'input' must be Tensor or Number, not {type(given).__name__}")
    values = value_tensor(given, sequence)
    cdef int dt = promote(sequence.a.dtype, values.a.dtype), d, w
    cdef int64_t lines = 1, m, n
    cdef Launch l
    if dt == BOOL:
        raise NotImplementedError("\"searchsorted_out_cpu\" not implemented for 'Bool'")
    if sequence.a.ndim == 0:
        raise RuntimeError(f"{name}: boundaries tensor should have positive dimension, but got 0 dimension")
    if sequence.a.ndim != 1:
        if sequence.a.ndim != values.a.ndim:
            raise RuntimeError(f"{name}: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and "
                               f"input value tensor must match, got {shape_tuple(&sequence.a)} and {shape_tuple(&values.a)}")
        for d in range(sequence.a.ndim - 1):
            lines *= sequence.a.shape[d]
            if sequence.a.shape[d] != values.a.shape[d]:
                raise RuntimeError(f"{name}: the first N-1 dimensions of boundaries tensor and input value tensor must match, got "
                                   f"{shape_tuple(&sequence.a)} and {shape_tuple(&values.a)}")
    dt = computed_dtype(dt)
    sequence, values = contiguous(in_dtype(sequence, dt)), contiguous(in_dtype(values, dt))
    out = empty_as_tensor(INT64, values)
    n = sequence.a.shape[sequence.a.ndim - 1]
    m = values.a.numel // lines if lines else 0
    w = itemsize(dt)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_SEARCHSORTED_FORWARD, dt, 1, 2, 4
    l.shape[0], l.shape[1] = lines, m
    l.stride[0][0], l.stride[0][1] = m * 8, 8
    l.stride[1][0], l.stride[1][1] = n * w, 0
    l.stride[2][0], l.stride[2][1] = m * w, w
    l.stride[3][0], l.stride[3][1] = n * 8, 0
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, sequence.a.data, values.a.data
    l.ptr[3] = NULL
    if sorter is not None:
        order = <Tensor>sorter
        if order.a.dtype != INT64 or not same_shape(&order.a, &sequence.a):
            raise RuntimeError(f"{name}: sorter must be an int64 tensor of the boundaries' shape, got {scalar_name(order.a.dtype)} "
                               f"{shape_tuple(&order.a)}")
        order = contiguous(order)
        for d in range(order.a.numel):
            if not 0 <= (<int64_t*>order.a.data)[d] < n:
                raise RuntimeError(f"{name}: sorter index out of range, got {(<int64_t*>order.a.data)[d]}")
        l.ptr[3] = order.a.data
    else:
        l.stride[3][0] = 0
    l.attr[0].i, l.attr[1].i, l.attr[2].i = n, right, order is not None
    if out.a.numel:
        run(&l)
    return converted(out, INT32) if out_int32 else out


cdef Tensor searchsorted_rule(Tensor sequence, object input, bint out_int32, bint right, object side, object sorter):
    if side is not None and not isinstance(side, str):
        raise TypeError(f"searchsorted(): argument 'side' must be str, not {type(side).__name__}")
    if side is not None and side not in ("left", "right"):
        raise RuntimeError(f"searchsorted: side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError("searchsorted: side and right can't be set to opposites, got side of left while right was True")
    return search("searchsorted", sequence, input, out_int32, right or side == "right", sorter)


cdef Tensor bucketize_rule(object input, Tensor boundaries, bint out_int32, bint right):
    if boundaries.a.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries tensor must be 1 dimension, but got dim({boundaries.a.ndim})")
    return search("bucketize", boundaries, input, out_int32, right, None)


# ---- elements by their place ------------------------------------------------------------------------------------------------

cdef object size_along(tuple shape, object dim):
    return shape[wrapped_dim("size", dim, len(shape))] if shape else 1


cdef object spread_kept(Tensor grad, Tensor indices, tuple shape, object dim, bint keepdim):
    """The gradient of picking one element of each line."""
    cdef int d = wrapped_dim("max", dim, len(shape))
    if not keepdim and shape:
        sizes = shape[:d] + (1,) + shape[d + 1:]
        grad = op__reshaped(grad, sizes)
        indices = _reshaped_rule(indices, sizes)
    return op__spread(grad, indices, dim, size_along(shape, dim))


cdef Tensor _pick_rule(Tensor input, Tensor indices, object dim):
    cdef int d = wrapped_dim("gather", dim, input.a.ndim)
    cdef Launch l
    cdef Tensor out = empty_as_tensor(input.a.dtype, indices)
    if out.a.numel:
        plan_lines(&l, &indices.a, d, 3)
        lines_of(&l, 0, &out.a, d)
        lines_of(&l, 1, &indices.a, d)
        lines_of(&l, 2, &input.a, d)
        l.attr[0].i = l.stride[2][l.ndim - 1]
        l.kernel, l.dtype = K_PICK_FORWARD, input.a.dtype
        run(&l)
    return out


cdef Tensor _spread_rule(Tensor input, Tensor indices, object dim, int64_t size):
    cdef int d = wrapped_dim("scatter_add", dim, input.a.ndim), i, dt = input.a.dtype
    cdef int64_t shape[MAX_DIMS]
    cdef Launch l
    cdef Tensor out
    input = in_dtype(input, computed_dtype(dt))
    for i in range(input.a.ndim):
        shape[i] = size if i == d else input.a.shape[i]
    out = empty(input.a.dtype, input.a.ndim, shape)
    l.attr[1].i = size * itemsize(input.a.dtype) if d == input.a.ndim - 1 and input.a.numel else 0
    if l.attr[1].i == 0:
        fill_array(&out.a, 0)
    if input.a.numel:
        plan_lines(&l, &indices.a, d, 3)
        lines_of(&l, 0, &out.a, d)
        lines_of(&l, 1, &indices.a, d)
        lines_of(&l, 2, &input.a, d)
        l.attr[0].i = l.stride[0][l.ndim - 1]
        l.kernel, l.dtype = K_SPREAD_FORWARD, input.a.dtype
        run(&l)
    return in_dtype(out, dt)
