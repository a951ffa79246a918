# Scans along a dimension, and the recurrence that the gradients of products are made of.

cdef object CUMMAX_TYPE = named_type("cummax"), CUMMIN_TYPE = named_type("cummin")


cdef void plan_along(Launch* l, const Array* a, int dim, int operands, int width) noexcept:
    """Core (kept, n) over contiguous operands of a's shape and one item width."""
    cdef int64_t outer = 1, inner = 1, n = 1
    cdef int d, i
    for d in range(a.ndim):
        if d < dim:
            outer *= a.shape[d]
        elif d > dim:
            inner *= a.shape[d]
        else:
            n = a.shape[d]
    l.dtype = a.dtype
    l.core = 2
    l.noperands = operands
    if inner == 1:
        l.ndim = 2
        l.shape[0], l.shape[1] = outer, n
        for i in range(operands):
            l.stride[i][0], l.stride[i][1] = n * width, width
    else:
        l.ndim = 3
        l.shape[0], l.shape[1], l.shape[2] = outer, inner, n
        for i in range(operands):
            l.stride[i][0], l.stride[i][1], l.stride[i][2] = n * inner * width, width, inner * width


cdef inline Tensor contiguous(Tensor t):
    return t if t.a.contiguous else contiguous_copy(t)


cdef Tensor cumulated(str name, Tensor input, int64_t dim, int dt, bint product, bint reverse, bint exclusive):
    cdef int d = wrapped_dim(name, dim, input.a.ndim), computed = computed_dtype(dt)
    cdef Launch l
    cdef Tensor out
    if not is_floating(computed):
        computed = INT64
    input = contiguous(in_dtype(in_dtype(input, dt), computed))
    out = empty_as_tensor(computed, input)
    plan_along(&l, &input.a, d, 2, itemsize(computed))
    l.kernel = K_CUMULATE_FORWARD
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    l.attr[0].i, l.attr[1].i, l.attr[2].i = product, reverse, exclusive
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef inline Tensor empty_as_tensor(int dt, Tensor like):
    return empty(dt, like.a.ndim, like.a.shape)


cdef int scanned_dtype(Tensor input, object dtype_) except -1:
    if dtype_ is not None:
        return dtype_argument(dtype_).code
    return input.a.dtype if is_floating(input.a.dtype) else INT64


cdef Tensor cumsum_rule(Tensor input, object dim, object dtype_):
    return cumulated("cumsum", input, dim, scanned_dtype(input, dtype_), False, False, False)


cdef Tensor cumprod_rule(Tensor input, object dim, object dtype_):
    return cumulated("cumprod", input, dim, scanned_dtype(input, dtype_), True, False, False)


cdef object cumsum__rule(Tensor input, object dim, object dtype_):
    return (<object>input).copy_(op_cumsum(input, dim, dtype=dtype_))


cdef object cumprod__rule(Tensor input, object dim, object dtype_):
    return (<object>input).copy_(op_cumprod(op_clone(input), dim, dtype=dtype_))      # its gradient reads the input, which is written over


cdef Tensor _cumulate_rule(Tensor input, object dim, bint product, bint reverse, bint exclusive):
    return cumulated("cumsum", input, dim, input.a.dtype, product, reverse, exclusive)


cdef object cumulate_backward(Tensor grad, Tensor input, object dim, bint product, bint reverse, bint exclusive):
    """Sums: the sum from the other end.  Products: (what comes before element j) times T_j, where
    T_j = grad_j + x_{j+1} T_{j+1} gathers what comes after; no division, so zeros need no special case."""
    cdef int one = 1 if reverse else -1
    if not product:
        return op__cumulate(grad, dim, False, not reverse, exclusive)
    if is_complex(input.a.dtype) and not is_complex(grad.a.dtype):      # `dtype` took the real parts
        input = op_real(input)
    if not exclusive and (input.a.ndim == 0 or input.a.shape[wrapped_dim("cumprod", dim, input.a.ndim)] <= 1):
        return grad
    before = op__cumulate(input, dim, True, reverse, True)
    if exclusive:
        grad = op__shift(grad, dim, one)
    return op_mul(before, op__recurrence(grad, op__shift(input, dim, one), dim, not reverse))


cdef Tensor _recurrence_rule(Tensor input, Tensor factor, object dim, bint reverse):
    cdef int dt = input.a.dtype
    cdef Launch l
    cdef Tensor out
    input, factor = contiguous(in_dtype(input, computed_dtype(dt))), contiguous(in_dtype(factor, computed_dtype(dt)))
    out = empty_as_tensor(input.a.dtype, input)
    plan_along(&l, &input.a, wrapped_dim("cumprod", dim, input.a.ndim), 3, itemsize(input.a.dtype))
    l.kernel = K_RECURRENCE_FORWARD
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, input.a.data, factor.a.data
    l.attr[0].i = reverse
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef object recurrence_backward(Tensor grad, Tensor factor, object dim, bint reverse):
    return op__recurrence(grad, op__shift(factor, dim, 1 if reverse else -1), dim, not reverse)


cdef Tensor _shift_rule(Tensor input, object dim, object by):
    cdef Launch l
    cdef Tensor out
    input = contiguous(input)
    out = empty_as_tensor(input.a.dtype, input)
    plan_along(&l, &input.a, wrapped_dim("shift", dim, input.a.ndim), 2, itemsize(input.a.dtype))
    l.kernel = K_SHIFT_FORWARD
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    l.attr[0].i = by
    if out.a.numel:
        run(&l)
    return out


cdef Tensor complex_logcumsumexp(Tensor input, int d):
    """Element after element: logaddexp has the care that infinities need."""
    cdef Tensor out = empty_as_tensor(input.a.dtype, input)
    cdef int64_t i, n = input.a.shape[d] if input.a.ndim else 1
    if out.a.numel:
        so_far = empty(input.a.dtype, 0, NULL)
        fill_array(&(<Tensor>so_far).a, -float("inf"))
        for i in range(n):
            here = op_select(op_detach(input), d, i) if input.a.ndim else op_detach(input)
            so_far = op_logaddexp(here, so_far)
            copy_array(&(<Tensor>(op_select(out, d, i) if input.a.ndim else out)).a, &(<Tensor>so_far).a)
    return out


cdef Tensor logcumsumexp_rule(Tensor input, object dim):
    cdef int dt = input.a.dtype, d = wrapped_dim("logcumsumexp", dim, input.a.ndim)
    cdef Launch l
    cdef Tensor out
    if not is_floating(dt):
        raise NotImplementedError(f"\"logcumsumexp_out_cpu\" not implemented for '{scalar_name(dt)}'")
    if is_complex(dt):
        return complex_logcumsumexp(input, d)
    input = contiguous(in_dtype(input, computed_dtype(dt)))
    out = empty_as_tensor(input.a.dtype, input)
    plan_along(&l, &input.a, d, 2, itemsize(input.a.dtype))
    l.kernel = K_LOGCUMSUMEXP_FORWARD
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef object logcumsumexp_backward_of(Tensor grad, Tensor input, Tensor result, object dim):
    """exp(x_i - y_i) R_i with R_i = grad_i + exp(y_i - y_{i+1}) R_{i+1}: no exponent of reals is positive."""
    if input.a.ndim == 0:
        return grad
    difference = op_sub(result, op__shift(result, dim, -1))
    if is_complex(input.a.dtype):                     # Note [Complex gradients]: input and result are conjugates here
        ones = op_ones_like(op_detach(result))
        step = op_exp(op_where(functions["ne"](op__shift(ones, dim, -1), 0), difference, 0.0))
    else:
        step = op_exp(op_where(functions["le"](difference, 0), difference, 0.0))      # the last has no successor
    return op_mul(op_exp(op_sub(input, result)), op__recurrence(grad, step, dim, True))


cdef object cumulative(str name, object kind, Tensor input, object dim, bint largest):
    cdef int dt = input.a.dtype, d = wrapped_dim(name, dim, input.a.ndim), i
    cdef Launch l
    cdef Tensor values, places
    input = contiguous(in_dtype(input, computed_dtype(dt)))
    values, places = empty_as_tensor(input.a.dtype, input), empty_as_tensor(INT64, input)
    plan_along(&l, &input.a, d, 3, itemsize(input.a.dtype))
    for i in range(l.ndim):
        l.stride[1][i] = l.stride[1][i] // itemsize(input.a.dtype) * 8
    l.kernel = K_CUMULATIVE_EXTREME
    l.ptr[0], l.ptr[1], l.ptr[2] = values.a.data, places.a.data, input.a.data
    l.attr[0].i = largest
    if values.a.numel:
        run(&l)
    return named(kind, in_dtype(values, dt), places)


cdef object cummax_rule(Tensor input, object dim):
    return cumulative("cummax", CUMMAX_TYPE, input, dim, True)


cdef object cummin_rule(Tensor input, object dim):
    return cumulative("cummin", CUMMIN_TYPE, input, dim, False)
