# Extremes, where they are, truth and counts: reductions that pick or test elements.

cdef object MAX_TYPE = named_type("max"), MIN_TYPE = named_type("min")
cdef object AMINMAX_TYPE = named_type("aminmax", "min", "max")


cdef int check_nonempty(str name, const Array* a, int mask, bint whole) except -1:
    """An extreme of nothing is not defined."""
    cdef int d
    if a.numel:
        return 0
    if whole:
        raise RuntimeError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim "
                           "with the 'dim' argument.")
    for d in range(a.ndim):
        if mask >> d & 1 and a.shape[d] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {d} to have non-zero size.")
    return 0


cdef Tensor extreme(str name, Tensor input, object dim, bint keepdim, bint largest):
    cdef int dt = input.a.dtype, mask = dim_mask(name, dim, input.a.ndim)
    cdef Launch l
    if input.a.numel == 0:
        check_nonempty(name, &input.a, mask, dim is None or isinstance(dim, (tuple, list)) and len(dim) == 0)
    l.kernel = K_EXTREME_FORWARD
    l.attr[0].i = largest
    input = in_dtype(input, computed_dtype(dt))
    return in_dtype(reduced(&l, input, mask, keepdim, input.a.dtype), dt)


cdef Tensor amax_rule(Tensor input, object dim, bint keepdim):
    return extreme("amax", input, dim, keepdim, True)


cdef Tensor amin_rule(Tensor input, object dim, bint keepdim):
    return extreme("amin", input, dim, keepdim, False)


cdef Tensor _max_all_rule(Tensor input):
    return extreme("max", input, None, False, True)


cdef Tensor _min_all_rule(Tensor input):
    return extreme("min", input, None, False, False)


cdef object extreme_backward(Tensor grad, Tensor input, Tensor result, object dim, bint keepdim):
    """The gradient spread evenly over the elements that equal the result; nothing equals NaN, and all of its elements share 0 / 0."""
    cdef tuple shape = shape_tuple(&input.a)
    cdef Tensor bare = alias(result)
    hit = op_eq(input, _expand_reduced_rule(bare, shape, dim, keepdim))
    share = op_div(op_mul(expand_reduced(grad, shape, dim, keepdim), hit), _expand_reduced_rule(op_sum(hit, dim, keepdim), shape, dim, keepdim))
    return share


cdef object extreme_of_all_backward(Tensor grad, Tensor input, Tensor result):
    """extreme_backward of max() and min(), where the NaNs share the gradient of NaN."""
    cdef Tensor bare = alias(result)
    hit = op_isnan(input) if bool(op_isnan(bare)) else op_eq(input, bare)
    return op_where(hit, op_div(grad, op_sum(hit)), 0.0)


cdef Tensor extreme_at(Tensor source, int mask, bint keepdim, bint largest, Tensor places):
    """The extreme and its place; `source` has a dtype that kernels know."""
    cdef Tensor out = reduced_shape(source, mask, keepdim, source.a.dtype)
    cdef Launch l
    cdef int first
    if plan_reduction(&l, &source.a, mask, 2, &first) > 1:
        source = kept_first(source, mask, &mask)
        plan_reduction(&l, &source.a, mask, 2, &first)
    l.kernel = K_EXTREME_PLACE
    l.attr[0].i = largest
    give_output(&l, 0, out)
    give_output(&l, 1, places)
    if out.a.numel:
        run(&l)
    return out


cdef object extreme_dim(str name, object kind, Tensor input, int64_t dim, bint keepdim, bint largest):
    cdef int dt = input.a.dtype, mask = 1 << wrapped_dim(name, dim, input.a.ndim)
    cdef Tensor places, out
    if input.a.numel == 0:
        check_nonempty(name, &input.a, mask, False)
    places = reduced_shape(input, mask, keepdim, INT64)
    out = extreme_at(in_dtype(input, computed_dtype(dt)), mask, keepdim, largest, places)
    return named(kind, in_dtype(out, dt), places)


cdef object _max_dim_rule(Tensor input, object dim, bint keepdim):
    return extreme_dim("max", MAX_TYPE, input, dim, keepdim, True)


cdef object _min_dim_rule(Tensor input, object dim, bint keepdim):
    return extreme_dim("min", MIN_TYPE, input, dim, keepdim, False)


cdef object extreme_entry(const Row* row, PyObject** a, Operation whole, Operation along, str elementwise_name):
    """max and min: of everything, along a dimension, or of two tensors."""
    cdef PyObject* other = a[3] if a[3] != NULL else a[1]
    tensor_argument(row, a[0], 0)
    if other != NULL and is_tensor(other):
        return functions[elementwise_name](<object>a[0], <object>other)
    if a[1] == NULL:
        if a[2] != NULL:
            raise TypeError(f"{row.name.decode()}(): argument 'keepdim' needs 'dim'")
        return whole(<object>a[0])
    if a[2] == NULL:
        return along(<object>a[0], <object>a[1])
    if not PyBool_Check(<object>a[2]):
        raise TypeError(f"{row.name.decode()}(): argument 'keepdim' (position 2) must be bool, not {type(<object>a[2]).__name__}")
    return along(<object>a[0], <object>a[1], <object>a[2])


cdef object max_entry(const Row* row, PyObject** a):
    return extreme_entry(row, a, op__max_all, op__max_dim, "maximum")


cdef object min_entry(const Row* row, PyObject** a):
    return extreme_entry(row, a, op__min_all, op__min_dim, "minimum")


cdef Tensor place_of(str name, Tensor input, object dim, bint keepdim, bint largest):
    cdef int mask
    cdef Tensor places
    cdef int d, ndim = input.a.ndim
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"{name}(): argument 'dim' (position 1) must be int, not {type(dim).__name__}")
    if input.a.dtype == BOOL:
        raise RuntimeError(f"{name}(): does not support bool input")
    mask = dim_mask(name, dim, ndim)
    if input.a.numel == 0:
        if dim is None:
            raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
        check_nonempty(name, &input.a, mask, False)
    input = in_dtype(input, computed_dtype(input.a.dtype))
    if dim is None and not input.a.contiguous:
        input = contiguous_copy(input)
    places = reduced_shape(input, mask, keepdim, INT64)
    extreme_at(input, mask, keepdim, largest, places)
    return places


cdef Tensor argmax_rule(Tensor input, object dim, bint keepdim):
    return place_of("argmax", input, dim, keepdim, True)


cdef Tensor argmin_rule(Tensor input, object dim, bint keepdim):
    return place_of("argmin", input, dim, keepdim, False)


cdef object aminmax_rule(Tensor input, object dim, bint keepdim):
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"aminmax(): argument 'dim' must be int, not {type(dim).__name__}")
    if input.a.numel == 0:
        if dim is None:
            raise RuntimeError("aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.")
        check_nonempty("aminmax", &input.a, dim_mask("aminmax", dim, input.a.ndim), False)
    return named(AMINMAX_TYPE, op_amin(input, dim, keepdim), op_amax(input, dim, keepdim))


cdef Tensor truth(str name, Tensor input, object dim, bint keepdim, bint every):
    cdef int mask = 0, dt = input.a.dtype
    cdef Launch l
    if not (isinstance(dim, (tuple, list)) and len(dim) == 0):
        mask = dim_mask(name, dim, input.a.ndim)
    l.kernel = K_TRUTH_FORWARD
    l.attr[0].i = every
    cdef Tensor out = reduced(&l, in_dtype(input, computed_dtype(dt)), mask, keepdim, BOOL)
    return in_dtype(out, UINT8) if dt == UINT8 else out


cdef Tensor any_rule(Tensor input, object dim, bint keepdim):
    return truth("any", input, dim, keepdim, False)


cdef Tensor all_rule(Tensor input, object dim, bint keepdim):
    return truth("all", input, dim, keepdim, True)


cdef Tensor count_nonzero_rule(Tensor input, object dim):
    cdef Launch l
    cdef int mask = dim_mask("count_nonzero", dim, input.a.ndim)
    l.kernel = K_COUNT_FORWARD
    return reduced(&l, in_dtype(input, computed_dtype(input.a.dtype)), mask, False, INT64)


cdef Tensor trace_rule(Tensor input):
    cdef int64_t n, stride
    if input.a.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, but got tensor with dim {input.a.ndim}")
    n, stride = min(input.a.shape[0], input.a.shape[1]), input.a.stride[0] + input.a.stride[1]
    return sum_rule(view_of(input, 1, &n, &stride, 0), None, False, None)


cdef Tensor _diagonal_filled_rule(Tensor input, object shape):
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t n, stride
    cdef Tensor diagonal
    cdef Tensor out = empty(input.a.dtype, read_shape("trace", shape, sizes), sizes)
    fill_array(&out.a, 0)
    n, stride = min(sizes[0], sizes[1]), sizes[1] + 1
    diagonal = view_of(out, 1, &n, &stride, 0)
    if n:
        copy_array(&diagonal.a, &input.a)
    return out
