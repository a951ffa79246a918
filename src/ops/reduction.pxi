# Reductions: one plan for all of them (kept dimensions first, reduced ones last), and the sums with their gradients.
# Variance and norms are in moments.pxi; extremes, truth and counts in extremes.pxi.
#
# The input is read in place where its reduced dimensions collapse to one stride.  Where they do not, a sum is taken in
# stages, and anything else reads a contiguous copy with the reduced dimensions last.

cdef enum:                    # as in kernels/reduce.pxi
    PLAIN = 0
    SQUARES
    MAGNITUDES
    POWERS
    NONZEROS
    AS_IS = 0
    DIVIDED
    ROOT
    POWER
    FEW_COLUMNS = 64          # TILE // 4 there
    FEW_KEPT = 64             # up to so many results, if they are of many elements, are formed in blocks
    BLOCK_ELEMENTS = 1 << 15


cdef Tensor reduced_shape(Tensor t, int mask, bint keepdim, int dt):
    """The output of a reduction over the dimensions in mask."""
    cdef int64_t shape[MAX_DIMS]
    cdef int d, n = 0
    for d in range(t.a.ndim):
        if not mask >> d & 1:
            shape[n] = t.a.shape[d]
            n += 1
        elif keepdim:
            shape[n] = 1
            n += 1
    return empty(dt, n, shape)


cdef inline int64_t reduced_count(const Array* a, int mask) noexcept:
    """How many elements make one of the output's."""
    cdef int64_t n = 1
    cdef int d
    for d in range(a.ndim):
        if mask >> d & 1:
            n *= a.shape[d]
    return n


cdef int plan_reduction(Launch* l, const Array* a, int mask, int outputs, int* first) noexcept:
    """Lay out the loop; returns how many strides the reduced dimensions need (more than 1: no plan), and in `first` the
    dimensions of the innermost one.  Strides of the outputs are set in elements: `give_output` makes them bytes."""
    cdef int64_t kshape[MAX_DIMS + 1]
    cdef int64_t kin[MAX_DIMS + 1]
    cdef int64_t kout[MAX_DIMS + 1]
    cdef int64_t size, s, n = 1, stride = 1, out_step = 1
    cdef int d, i, k, core = 0, nk = 0, groups = 0, w = itemsize(a.dtype)
    first[0] = 0
    for d in range(a.ndim - 1, -1, -1):
        size, s = a.shape[d], a.stride[d]
        if size == 1:
            continue
        if mask >> d & 1:
            if groups == 0:
                groups, n, stride = 1, size, s
                first[0] = 1 << d
            elif groups == 1 and s == stride * n:
                n *= size
                first[0] |= 1 << d
            elif groups == 1 and stride == s * size:
                n *= size
                stride = s
                first[0] |= 1 << d
            else:
                groups += 1
        else:
            if nk and s == kin[nk - 1] * kshape[nk - 1]:
                kshape[nk - 1] *= size
            else:
                kshape[nk], kin[nk], kout[nk] = size, s, out_step
                nk += 1
            out_step *= size
    if a.numel == 0:
        groups, n, stride = 1, reduced_count(a, mask), 1
        if n == 0:
            nk, kshape[0], kin[0], kout[0] = 1, out_step, 0, 1
    elif groups > 1:
        return groups
    if nk == 0:
        nk, kshape[0], kin[0], kout[0] = 1, 1, 0, 1
    if stride != 1:
        for i in range(1, nk):
            if kin[i] < kin[core]:
                core = i
    k = nk - 1
    l.shape[k], l.shape[nk] = kshape[core], n
    l.stride[outputs][k], l.stride[outputs][nk] = kin[core] * w, stride * w
    for i in range(outputs):
        l.stride[i][k], l.stride[i][nk] = kout[core], 0
    for d in range(nk):
        if d != core:
            k -= 1
            l.shape[k] = kshape[d]
            l.stride[outputs][k] = kin[d] * w
            for i in range(outputs):
                l.stride[i][k] = kout[d]
    l.ndim = nk + 1
    l.core = 2
    l.noperands = outputs + 1
    l.dtype = a.dtype
    l.ptr[outputs] = a.data
    return 1


cdef inline void give_output(Launch* l, int i, Tensor out) noexcept:
    cdef int d, w = itemsize(out.a.dtype)
    l.ptr[i] = out.a.data
    for d in range(l.ndim - 1):
        l.stride[i][d] *= w


cdef Tensor kept_first(Tensor t, int mask, int* new_mask):
    """A contiguous copy with the reduced dimensions last."""
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int d, n = 0, turn
    for turn in range(2):
        for d in range(t.a.ndim):
            if (mask >> d & 1) == turn:
                shape[n], stride[n] = t.a.shape[d], t.a.stride[d]
                n += 1
        if turn == 0:
            new_mask[0] = ((1 << t.a.ndim) - 1) & ~((1 << n) - 1)
    return contiguous_copy(view_of(t, n, shape, stride, 0))


cdef Tensor reduced(Launch* l, Tensor t, int mask, bint keepdim, int dt):
    """Run a reduction with one output; the kernel and its attributes are set."""
    cdef Tensor out = reduced_shape(t, mask, keepdim, dt)
    cdef Tensor copy
    cdef int first
    if plan_reduction(l, &t.a, mask, 1, &first) > 1:
        copy = kept_first(t, mask, &mask)
        plan_reduction(l, &copy.a, mask, 1, &first)
    give_output(l, 0, out)
    if out.a.numel:
        if l.kernel == K_EXTREME_FORWARD:
            run_in_blocks(l, out, K_EXTREME_FORWARD)
        elif l.kernel == K_SUM_INTEGER or l.kernel == K_COUNT_FORWARD:
            run_in_blocks(l, out, K_SUM_INTEGER)
        else:
            run(l)
    return out


cdef inline int computed_dtype(int dt) noexcept:
    """What sums of a dtype are computed in."""
    return FLOAT32 if dt == FLOAT16 or dt == BFLOAT16 else dt


cdef inline Tensor in_dtype(Tensor t, int dt):
    return t if t.a.dtype == dt else converted(t, dt)


cdef int run_in_blocks(Launch* l, Tensor out, int total) except -1:
    """Run a planned reduction into contiguous `out`.  Where few are long, blocks of them are reduced first, which can be shared out
    among threads; they are always the same blocks, so that sums of floats are the same.  total: the kernel that reduces the
    blocks' results."""
    cdef int64_t kept = out.a.numel, n = l.shape[l.ndim - 1], block
    if kept > FEW_KEPT or n * kept < 4 * BLOCK_ELEMENTS:
        return run_reduction(l)
    block = BLOCK_ELEMENTS // kept // 64 * 64
    return reduce_blocks(l, out, total, block, n // block, n % block)


cdef int reduce_blocks(Launch* l, Tensor out, int total, int64_t block, int64_t count, int64_t rest) except -1:
    cdef int64_t shape[2]
    cdef int i, d, last = l.ndim - 1, w = itemsize(out.a.dtype)
    cdef Tensor partial
    cdef Launch part = l[0]
    shape[0], shape[1] = count + (rest > 0), out.a.numel
    partial = empty(out.a.dtype, 2, shape)
    if total == K_SUM_FORWARD:
        part.attr[1].i = AS_IS
    if rest:                                    # what is left of the last block
        part.shape[last] = rest
        part.ptr[0] = partial.a.data + count * shape[1] * w
        for i in range(1, l.noperands):
            part.ptr[i] = l.ptr[i] + l.stride[i][last] * block * count
        run_reduction(&part)
    part.ndim = l.ndim + 1                      # the blocks are another, outermost loop
    for d in range(l.ndim):
        part.shape[d + 1] = l.shape[d]
    part.shape[0], part.shape[last + 1] = count, block
    part.ptr[0] = partial.a.data
    for i in range(l.noperands):
        if i:
            part.ptr[i] = l.ptr[i]
        for d in range(l.ndim):
            part.stride[i][d + 1] = l.stride[i][d]
        part.stride[i][0] = l.stride[i][last] * block if i else shape[1] * w
    run_reduction(&part)
    part.kernel, part.dtype, part.ndim, part.noperands = total, out.a.dtype, 2, 2
    part.shape[0], part.shape[1] = shape[1], shape[0]
    part.ptr[0], part.ptr[1] = out.a.data, partial.a.data
    part.stride[0][0], part.stride[0][1] = w, 0
    part.stride[1][0], part.stride[1][1] = w if shape[1] > 1 else 0, shape[1] * w
    if total == K_SUM_FORWARD:
        part.attr[0].i, part.attr[1].i = PLAIN, l.attr[1].i
    return run_reduction(&part)


cdef inline int run_reduction(Launch* l) except -1:
    """One launch, of sums by the kernel for few columns where they are few."""
    cdef int last = l.ndim - 1, w = itemsize(l.dtype)
    cdef int64_t kept = l.shape[last - 1]
    if l.kernel == K_SUM_FORWARD and l.attr[0].i == PLAIN and 1 < kept <= FEW_COLUMNS and l.stride[1][last - 1] == w \
            and l.stride[1][last] == kept * w:
        l.kernel = K_SUM_NARROW
        run(l)
        l.kernel = K_SUM_FORWARD
        return 0
    return run(l)


cdef Tensor sum_over(Tensor t, int mask, bint keepdim, int mapping, int finish, double by, double p):
    """The finished sum of mapped floats; in stages where one stride does not do."""
    cdef Launch l
    cdef Tensor out
    cdef int first, dt = t.a.dtype
    if is_complex(dt):
        return joined(sum_over(part_of(t, 0), mask, keepdim, mapping, finish, by, p), sum_over(part_of(t, 1), mask, keepdim, mapping, finish, by, p))
    t = in_dtype(t, computed_dtype(dt))
    l.kernel = K_SUM_FORWARD
    l.attr[0].i, l.attr[1].i, l.attr[2].f, l.attr[3].f = mapping, finish, by, p
    if plan_reduction(&l, &t.a, mask, 1, &first) > 1:
        t = sum_over(t, first, True, mapping, AS_IS, 0, p)
        out = sum_over(t, mask, keepdim, PLAIN, finish, by, 0)
    else:
        out = reduced_shape(t, mask, keepdim, t.a.dtype)
        give_output(&l, 0, out)
        if out.a.numel:
            run_in_blocks(&l, out, K_SUM_FORWARD)
    return in_dtype(out, dt)


cdef Tensor sum_to_dtype(Tensor input, int mask, bint keepdim, int dt):
    cdef Launch l
    if is_floating(dt):
        return sum_over(in_dtype(input, dt), mask, keepdim, PLAIN, AS_IS, 0, 0)
    if is_floating(input.a.dtype):
        input = converted(input, dt)
    l.kernel = K_SUM_INTEGER
    return in_dtype(reduced(&l, input, mask, keepdim, INT64), dt)


cdef Tensor sum_rule(Tensor input, object dim, bint keepdim, object dtype_):
    cdef int dt = input.a.dtype
    if dtype_ is not None:
        dt = dtype_argument(dtype_).code
    elif not is_floating(dt):
        dt = INT64
    return sum_to_dtype(input, dim_mask("sum", dim, input.a.ndim), keepdim, dt)


cdef Tensor mean_rule(Tensor input, object dim, bint keepdim, object dtype_):
    cdef int mask, dt = input.a.dtype
    if dtype_ is not None:
        dt = dtype_argument(dtype_).code
    if not is_floating(dt):
        raise RuntimeError(f"mean(): could not infer output dtype. {'Input' if dtype_ is None else 'Optional'} dtype must be either a "
                           f"floating point or complex dtype. Got: {scalar_name(dt)}")
    mask = dim_mask("mean", dim, input.a.ndim)
    return sum_over(in_dtype(input, dt), mask, keepdim, PLAIN, DIVIDED, <double>reduced_count(&input.a, mask), 0)


cdef object mean_backward_of(Tensor grad, tuple shape, object dim, bint keepdim):
    cdef int d, mask = dim_mask("mean", dim, len(shape))
    cdef double n = 1
    for d in range(len(shape)):
        if mask >> d & 1:
            n *= <int64_t>shape[d]
    if _is_partial_backward():          # what `grad` gives away has elements of its own, as in PyTorch; a leaf's .grad always has
        return op_div(expand_reduced(grad, shape, dim, keepdim), n)
    return expand_reduced(op_div(grad, n), shape, dim, keepdim)


cdef object not_nan(Tensor input):
    return op_eq(input, input)


cdef object nansum_rule(Tensor input, object dim, bint keepdim, object dtype_):
    if is_floating(input.a.dtype):
        return op_sum(op_where(not_nan(input), input, 0), dim, keepdim, dtype=dtype_)
    return op_sum(input, dim, keepdim, dtype=dtype_)


cdef object nanmean_rule(Tensor input, object dim, bint keepdim, object dtype_):
    if not is_floating(input.a.dtype):
        raise RuntimeError(f"nanmean(): expected input to have floating point or complex dtype but got {scalar_name(input.a.dtype)}")
    return op_div(nansum_rule(input, dim, keepdim, dtype_), op_sum(not_nan(input), dim, keepdim))


# ---- the linear pair: expanding and summing -----------------------------------------------------------------------------

cdef object expand_reduced(Tensor grad, tuple shape, object dim, bint keepdim):
    """A reduction's gradient in its input's shape; differentiable where a graph is wanted."""
    if grad_enabled():
        return op__expand_reduced(grad, shape, dim, keepdim)
    return _expand_reduced_rule(grad, shape, dim, keepdim)


cdef Tensor _expand_reduced_rule(Tensor input, tuple shape, object dim, bint keepdim):
    """The same value all along the reduced dimensions: stride 0."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t strides[MAX_DIMS]
    cdef int d, k = 0, n = len(shape)
    cdef int mask = dim_mask("sum", dim, n)
    for d in range(n):
        sizes[d] = shape[d]
        strides[d] = 0
        if not mask >> d & 1:
            strides[d] = input.a.stride[k]
            k += 1
        elif keepdim:
            k += 1
    return view_of(input, n, sizes, strides, 0)


cdef Tensor summed_to(Tensor t, int ndim, const int64_t* shape):
    """Sum over the dimensions along which a tensor of that shape was broadcast to t's."""
    cdef int64_t stride[MAX_DIMS]
    cdef int d, mask = 0, shift = t.a.ndim - ndim
    cdef Tensor out
    for d in range(t.a.ndim):
        if d < shift or (shape[d - shift] == 1 and t.a.shape[d] != 1):
            mask |= 1 << d
    out = sum_to_dtype(t, mask, True, t.a.dtype if is_floating(t.a.dtype) else INT64)
    for d in range(ndim):
        stride[d] = out.a.stride[d + shift]
    return view_of(out, ndim, shape, stride, 0)


cdef Tensor _sum_to_rule(Tensor input, object size):
    cdef int64_t shape[MAX_DIMS]
    return summed_to(input, read_shape("sum_to_size", size, shape), shape)


cdef object sum_to_size_rule(Tensor input, object size):
    cdef int64_t shape[MAX_DIMS]
    cdef int d, ndim = read_shape("sum_to_size", size, shape), shift = input.a.ndim - ndim
    cdef int64_t n = 1
    for d in range(ndim):
        n *= shape[d]
        if shift < 0 or (shape[d] != 1 and shape[d] != input.a.shape[d + shift]):
            raise RuntimeError(f"sum_to_size: size {{{shape_list(ndim, shape)}}} is not expandable to size "
                               f"{{{list(shape_tuple(&input.a))}}}.")
    if ndim == 0:
        return op_sum(input)
    if n == input.a.numel:
        return input if shift == 0 else (<object>input).view(tuple(shape_list(ndim, shape)))
    return op__sum_to(input, tuple(shape_list(ndim, shape)))


cdef object broadcast_to_shape(Tensor grad, tuple shape):
    if grad_enabled():
        return op__broadcast_to(grad, shape)
    return _broadcast_to_rule(grad, shape)


cdef Tensor _broadcast_to_rule(Tensor input, object size):
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int d, ndim = read_shape("expand", size, shape), shift = ndim - input.a.ndim
    for d in range(ndim):
        stride[d] = input.a.stride[d - shift] if d >= shift and input.a.shape[d - shift] != 1 else 0
    return view_of(input, ndim, shape, stride, 0)


cdef Tensor _reshaped_rule(Tensor input, object shape):
    """The elements in row-major order in another shape; for gradient formulas, so without a base."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int ndim = read_shape("reshape", shape, sizes)
    cdef Tensor out
    if not input.a.contiguous:
        input = contiguous_copy(input)
    out = alias(input)
    out.a.ndim = ndim
    memcpy(out.a.shape, sizes, sizeof(sizes))
    set_contiguous(&out.a)
    return out


# ---- products -------------------------------------------------------------------------------------------------------------

cdef Tensor prod_rule(Tensor input, object dim, bint keepdim, object dtype_):
    cdef Launch l
    cdef int dt = input.a.dtype, mask
    if isinstance(dim, (tuple, list)):
        raise TypeError(f"prod(): argument 'dim' must be int, not {type(dim).__name__}")
    mask = dim_mask("prod", dim, input.a.ndim)
    if dtype_ is not None:
        dt = dtype_argument(dtype_).code
    elif not is_floating(dt):
        dt = INT64
    input = in_dtype(in_dtype(input, dt), INT64 if dt == BOOL else computed_dtype(dt))
    l.kernel = K_PROD_FORWARD
    return in_dtype(reduced(&l, input, mask, keepdim, input.a.dtype), dt)


cdef object prod_backward_of(Tensor grad, Tensor input, object dim, bint keepdim):
    """grad times the product of all other elements: those before times those after, so zeros need no special case."""
    cdef tuple shape = shape_tuple(&input.a)
    cdef object x = input, others
    if is_complex(input.a.dtype) and not is_complex(grad.a.dtype):           # `dtype` took the real parts
        x = op_real(input)
    if input.a.ndim == 0:
        return expand_reduced(grad, shape, dim, keepdim)
    if dim is None and input.a.ndim != 1:
        x = op__reshaped(x, (input.a.numel,))
    d = 0 if dim is None else dim
    others = op_mul(op__cumulate(x, d, True, False, True), op__cumulate(x, d, True, True, True))
    if dim is None and input.a.ndim != 1:
        others = op__reshaped(others, shape)
    return op_mul(expand_reduced(grad, shape, dim, keepdim), others)
