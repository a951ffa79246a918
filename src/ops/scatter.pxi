# Indexing along one dimension: index_select and its like (whole rows), gather and scatter (an index for each element), take and put
# (all elements in row-major order).

cdef Tensor row_index(str name, Tensor index):
    if index.a.ndim > 1:
        raise IndexError(f"{name}(): Index is supposed to be a vector, but got dim: {index.a.ndim} with type: "
                         f"{scalar_name(index.a.dtype)} and size: {shape_list(index.a.ndim, index.a.shape)}")
    if index.a.dtype != INT64 and index.a.dtype != INT32:
        raise RuntimeError(f"{name}(): Expected dtype int32/int64 for index but got: {scalar_name(index.a.dtype)}")
    if index.a.ndim == 0:
        index = op_reshape(index, (1,)).detach()
    return index if index.a.dtype == INT64 else converted(index, INT64)


cdef int check_range(Tensor index, int64_t size, bint wraps, str text) except -1:
    """Raise IndexError for an index outside 0..size-1 (-size..size-1 if it wraps)."""
    cdef Tensor bad = no_bad_index()
    cdef Launch l
    cdef Array* operand[2]
    cdef Array* only = &index.a
    cdef int8_t perm[MAX_DIMS]
    cdef int i
    if index.a.numel == 0:
        return 0
    operand[0] = operand[1] = &index.a
    order_dims(&only, 1, &index.a, perm)
    fill_loop(&l, operand, 2, perm)
    l.kernel, l.dtype, l.core, l.noperands = K_CHECK_INDICES, INT64, 1, 2
    l.ptr[0], l.ptr[1] = bad.a.data, index.a.data
    for i in range(l.ndim):
        l.stride[0][i] = 0
    l.attr[0].i, l.attr[1].i = size, wraps
    run(&l)
    if (<int64_t*>bad.a.data)[1]:
        raise IndexError(text if text is not None else
                         f"index {(<int64_t*>bad.a.data)[0]} is out of bounds for dimension with size {size}")
    return 0


cdef Plan row_plan(str name, Tensor t, object dim, Tensor index, bint wraps=False):
    """The plan of a vector of row numbers along dim; wraps: they may count from the end."""
    cdef int d = wrapped_dim(name, dim, t.a.ndim)
    index = row_index(name, index)
    check_range(index, t.a.shape[d] if t.a.ndim else 1, wraps, "index out of range in self")
    return rows_plan(&t.a, d, index)


cdef Tensor lifted(Tensor t):
    """A 0-d tensor as a vector of one element over the same memory."""
    cdef int64_t one = 1
    return t if t.a.ndim else view_of(t, 1, &one, &one, 0)


cdef Tensor index_select_rule(Tensor input, object dim, Tensor index):
    if input.a.ndim == 0 and index.a.numel != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {index.a.numel} value(s)")
    if index.a.numel and input.a.ndim and input.a.shape[wrapped_dim("index_select", dim, input.a.ndim)] == 0:
        raise RuntimeError("index_select(): self indexing axis dim should be positive")
    cdef Tensor out
    try:
        out = take_plan(lifted(input), row_plan("index_select", lifted(input), dim, index))
    except IndexError as error:
        if input.a.ndim > 1 and index.a.ndim < 2 and wrapped_dim("index_select", dim, input.a.ndim) == 1 and "out of range in self" in str(error):
            raise RuntimeError(f"index_select(): {error}") from None         # PyTorch's class for this dimension
        raise
    if input.a.ndim == 0:
        out.a.ndim = 0
    return out


cdef object index_select_grad(object grad, tuple shape, object dim, Tensor index):
    cdef Tensor like = zeros_shape(shape)
    return op__index_embed(grad, row_plan("index_select", like, dim, index)) if shape else op_reshape(op_sum(grad), ())


cdef Tensor zeros_shape(tuple shape):
    """Geometry alone: a tensor of this shape over no memory to speak of."""
    cdef Tensor out = empty(FLOAT32, 0, NULL)
    out.a.ndim = read_shape("shape", shape, out.a.shape)
    set_contiguous(&out.a)
    return out


cdef int check_rows(str name, Tensor out, object dim, Tensor index, Tensor source) except -1:
    cdef int d = wrapped_dim(name, dim, out.a.ndim), k
    cdef int64_t n = source.a.shape[d] if d < source.a.ndim else 1
    if out.a.dtype != source.a.dtype:
        raise RuntimeError(f"{name}(): self and source expected to have the same dtype, but got (self) {scalar_name(out.a.dtype)} and "
                           f"(source) {scalar_name(source.a.dtype)}")
    if index.a.numel != n:
        raise (IndexError if name == "index_copy_" else RuntimeError)(f"{name}(): Number of indices ({index.a.numel}) should be equal to source.size(dim): ({n}), for dim: {d}")
    if source.a.ndim != out.a.ndim:
        raise RuntimeError(f"{name}(): source must have self's number of dimensions, got {shape_tuple(&source.a)} and "
                           f"{shape_tuple(&out.a)}")
    for k in range(out.a.ndim):
        if k != d and source.a.shape[k] != out.a.shape[k]:
            raise RuntimeError(f"{name}(): source.size({k}) must be self.size({k}), got {shape_tuple(&source.a)} and "
                               f"{shape_tuple(&out.a)}")
    return 0


cdef int index_add_into(Tensor out, object dim, Tensor index, Tensor source, object alpha) except -1:
    check_rows("index_add_", out, dim, index, source)
    if alpha != 1:
        source = op_mul(source.detach(), alpha)
    return put_plan(K_ADD_ITEMS, lifted(out), lifted(source), row_plan("index_add_", lifted(out), dim, index))


cdef Tensor index_add_rule(Tensor input, object dim, Tensor index, Tensor source, object alpha):
    cdef Tensor out = contiguous_copy(input)
    index_add_into(out, dim, index, source, alpha)
    return out


cdef object index_add_grad(object grad, object dim, Tensor index, object alpha):
    rows = op_index_select(grad, dim, index)
    return rows if alpha == 1 else op_mul(rows, alpha)


cdef int index_copy_into(Tensor out, object dim, Tensor index, Tensor source) except -1:
    check_rows("index_copy_", out, dim, index, source)
    return put_plan(K_PUT_ITEMS, lifted(out), lifted(source), row_plan("index_copy_", lifted(out), dim, index))


cdef Tensor index_copy_rule(Tensor input, object dim, Tensor index, Tensor source):
    cdef Tensor out = contiguous_copy(input)
    index_copy_into(out, dim, index, source)
    return out


cdef Tensor scalar_operand(str name, object value, int dt):
    """A 0-d tensor of dtype dt from a number or a 0-d tensor."""
    cdef Tensor out
    if is_tensor(<PyObject*>value):
        if (<Tensor>value).a.ndim:
            raise RuntimeError(f"{name} only supports a 0-dimensional value tensor, but got tensor with {(<Tensor>value).a.ndim} "
                               "dimension(s).")
        return converted(<Tensor>value, dt)
    out = empty(dt, 0, NULL)
    fill_with(&out.a, value)
    return out


cdef int index_fill_into(Tensor out, object dim, Tensor index, object value) except -1:
    cdef Tensor one = scalar_operand("index_fill_", value, out.a.dtype)
    return put_plan(K_PUT_ITEMS, lifted(out), one, row_plan("index_fill_", lifted(out), dim, index, True))


cdef Tensor index_fill_rule(Tensor input, object dim, Tensor index, object value):
    cdef Tensor out = converted(input, input.a.dtype)
    index_fill_into(out, dim, index, value)
    return out


# an index for each element

cdef int check_gather(str name, Tensor t, int d, Tensor index, Tensor other) except -1:
    """index must have t's number of dimensions and fit into it but along d; into `other` everywhere."""
    cdef int k
    if index.a.numel == 0:
        return 0
    if index.a.dtype != INT64 and index.a.dtype != INT32:
        raise RuntimeError(f"{name}(): Expected dtype int64 for index")
    if max(index.a.ndim, 1) != max(t.a.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as input tensor: "
                           f"{name} got {shape_tuple(&index.a)} and {shape_tuple(&t.a)}")
    if other is not None and max(index.a.ndim, 1) != max(other.a.ndim, 1):
        raise RuntimeError("Index tensor must have the same number of dimensions as src tensor: "
                           f"{name} got {shape_tuple(&index.a)} and {shape_tuple(&other.a)}")
    for k in range(min(index.a.ndim, t.a.ndim)):
        if (k != d and index.a.shape[k] > t.a.shape[k]) or (other is not None and index.a.shape[k] > other.a.shape[k]):
            raise RuntimeError(f"Size does not match at dimension {k} expected index {shape_list(index.a.ndim, index.a.shape)} to be "
                               f"no larger than self {shape_list(t.a.ndim, t.a.shape)} apart from dimension {d}" +
                               ("" if other is None else f" and to be no larger size than src {shape_list(other.a.ndim, other.a.shape)}"))
    return 0


cdef int index_launch(str name, int kernel, Array* moving, Array* along, Tensor index, int d, int64_t how) except -1:
    """Run a gather or scatter kernel.  along: the tensor that is indexed; moving: the one in index's shape, or a number's."""
    cdef Launch l
    cdef Array view = along[0]
    cdef Array same = moving[0]
    cdef Array* operand[3]
    cdef int8_t perm[MAX_DIMS]
    cdef Tensor bad
    cdef int k, w
    cdef int64_t size = along.shape[d] if along.ndim else 1, stride = along.stride[d] if along.ndim else 0
    if index.a.numel == 0:
        return 0
    bad = no_bad_index()
    if size == 0:
        raise RuntimeError(f"{name}: index {(<int64_t*>index.a.data)[0]} is out of bounds for dimension {d} with size 0")
    view.ndim = same.ndim = index.a.ndim
    for k in range(index.a.ndim):
        view.shape[k] = same.shape[k] = index.a.shape[k]
        if along.ndim == 0 or k == d:
            view.stride[k] = 0
        if moving.ndim == 0:
            same.stride[k] = 0
    refresh(&view)
    refresh(&same)
    if kernel == K_GATHER_ITEMS:
        operand[0], operand[1] = &same, &view
    else:
        operand[0], operand[1] = &view, &same
    operand[2] = &index.a
    for k in range(index.a.ndim):                 # plain order: among equal indices the last one wins
        perm[index.a.ndim - 1 - k] = k
    if kernel == K_GATHER_ITEMS:
        order_dims(operand, 3, &index.a, perm)
    l.kernel, l.dtype, l.core, l.noperands = kernel, along.dtype, 1, 4
    fill_loop(&l, operand, 3, perm)
    l.ptr[0], l.ptr[1], l.ptr[2], l.ptr[3] = operand[0].data, operand[1].data, index.a.data, bad.a.data
    for k in range(l.ndim):
        l.stride[3][k] = 0
    l.attr[0].i, l.attr[1].i, l.attr[2].i = size, stride, how
    run(&l)
    if (<int64_t*>bad.a.data)[1]:
        raise RuntimeError(f"index {(<int64_t*>bad.a.data)[0]} is out of bounds for dimension {d} with size {size}")
    return 0


cdef inline Tensor index64(Tensor index):
    return index if index.a.dtype == INT64 else converted(index, INT64)


cdef Tensor gather_rule(Tensor input, object dim, Tensor index, object sparse_grad):
    cdef int d = wrapped_dim("gather", dim, input.a.ndim)
    cdef Tensor out
    if sparse_grad:
        raise NotImplementedError("gather: sparse_grad=True is not supported")
    check_gather("gather", input, d, index, None)
    out = empty_as(input.a.dtype, &index.a)
    index_launch("gather", K_GATHER_ITEMS, &out.a, &input.a, index64(index), d, 0)
    return out


cdef object gather_grad(Tensor grad, tuple shape, object dim, Tensor index):
    return op_scatter_add(zeros_of(grad.a.dtype, shape), dim, index, grad)


cdef int scatter_tensor_into(Tensor out, object dim, Tensor index, Tensor src) except -1:
    return scatter_checked("scatter", K_SCATTER_ITEMS, out, dim, index, src, 0)


cdef int scatter_checked(str name, int kernel, Tensor out, object dim, Tensor index, Tensor src, int64_t how) except -1:
    cdef int d = wrapped_dim(name, dim, out.a.ndim)
    cdef Array* operand = &src.a
    check_gather(name, out, d, index, src)
    if src.a.dtype != out.a.dtype:
        raise RuntimeError(f"{name}(): Expected self.dtype to be equal to src.dtype, got {scalar_name(out.a.dtype)} and "
                           f"{scalar_name(src.a.dtype)}")
    refuse_shared_elements(&out.a)
    check_indexed(out, d, index)
    if overlaps(out, &operand, 1) or out.a.data == src.a.data:
        src = contiguous_copy(src)
    return index_launch(name, kernel, &src.a, &out.a, index64(index), d, how)


cdef int check_indexed(Tensor out, int d, Tensor index) except -1:
    """Refuse indices out of bounds before anything is written.  Scattering does not count from the end."""
    cdef int64_t size = out.a.shape[d] if out.a.ndim else 1
    try:
        check_range(index64(index), size, False, None)
    except IndexError as error:
        raise RuntimeError(str(error).replace("dimension with", f"dimension {d} with")) from None
    return 0


cdef Tensor scatter_tensor_rule(Tensor input, object dim, Tensor index, Tensor src):
    cdef Tensor out = contiguous_copy(input)
    scatter_tensor_into(out, dim, index, src)
    return out


cdef int scatter_value_into(Tensor out, object dim, Tensor index, object value) except -1:
    cdef int d = wrapped_dim("scatter", dim, out.a.ndim)
    cdef Tensor one = scalar_operand("scatter", value, out.a.dtype)
    check_gather("scatter", out, d, index, None)
    refuse_shared_elements(&out.a)
    check_indexed(out, d, index)
    return index_launch("scatter", K_SCATTER_ITEMS, &one.a, &out.a, index64(index), d, 0)


cdef Tensor scatter_value_rule(Tensor input, object dim, Tensor index, object value):
    cdef Tensor out = contiguous_copy(input)
    scatter_value_into(out, dim, index, value)
    return out


cdef dict OLD_REDUCE = {"add": "sum", "multiply": "prod"}


cdef object scatter_rule(Tensor input, object dim, Tensor index, object src, object value, object reduce):
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter() missing required argument 'src' (position 4)")
    if reduce is not None:
        if reduce not in OLD_REDUCE:
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        if not is_tensor(<PyObject*>src):
            src = op_expand(scalar_operand("scatter", src, input.a.dtype), shape_tuple(&index.a))
        return op__scatter_reduce(input, index, src, (dim, OLD_REDUCE[reduce], True))
    if is_tensor(<PyObject*>src):
        return op__scatter_tensor(input, dim, index, src)
    return op__scatter_value(input, dim, index, src)


def _scatter_into(Tensor self, dim, Tensor index, src=None, *, value=None, reduce=None):
    """In-place version of scatter."""
    src = value if src is None else src
    if src is None:
        raise TypeError("scatter_() missing required argument 'src' (position 4)")
    if reduce is not None:
        if reduce not in OLD_REDUCE:
            raise RuntimeError(f"reduce argument must be either add or multiply, got {reduce!r}")
        if not is_tensor(<PyObject*>src):
            src = op_expand(scalar_operand("scatter_", src, self.a.dtype), shape_tuple(&index.a))
        how = (dim, OLD_REDUCE[reduce], True)
        return write(entry__scatter_reduce_inplace, op__scatter_reduce, <PyObject*>self, <PyObject*>index, <PyObject*>src,
                     <PyObject*>how)
    if is_tensor(<PyObject*>src):
        return write(entry__scatter_tensor_inplace, op__scatter_tensor, <PyObject*>self, <PyObject*>dim, <PyObject*>index, <PyObject*>src)
    return write(entry__scatter_value_inplace, op__scatter_value, <PyObject*>self, <PyObject*>dim, <PyObject*>index, <PyObject*>src)


cdef int scatter_add_into(Tensor out, object dim, Tensor index, Tensor src) except -1:
    cdef Tensor wide
    if has_kernel(K_SCATTER_REDUCE_ITEMS, out.a.dtype) or src.a.dtype != out.a.dtype:
        return scatter_checked("scatter_add_", K_SCATTER_REDUCE_ITEMS, out, dim, index, src, 0)
    wide = converted(out, FLOAT32 if is_floating(out.a.dtype) else UINT8)
    scatter_checked("scatter_add_", K_SCATTER_REDUCE_ITEMS, wide, dim, index, converted(src, wide.a.dtype), 0)
    return copy_array(&out.a, &wide.a)


cdef Tensor scatter_add_rule(Tensor input, object dim, Tensor index, Tensor src):
    cdef Tensor out = contiguous_copy(input)
    scatter_add_into(out, dim, index, src)
    return out


# all elements in row-major order

cdef Plan flat_plan(const Array* a, Tensor index):
    cdef Plan p
    if index.a.dtype != INT64:
        raise RuntimeError(f"take(): Expected a long tensor for index, but got {scalar_name(index.a.dtype)}")
    return make_plan(a, [index], [0], [a.ndim])


cdef Tensor take_rule(Tensor input, Tensor index):
    if input.a.numel == 0 and index.a.numel:
        raise IndexError("take(): tried to take from an empty tensor")
    return take_plan(lifted(input), flat_plan(&lifted(input).a, index))


cdef object take_grad(object grad, tuple shape, Tensor index):
    cdef Tensor like = lifted(zeros_shape(shape))
    return op_reshape(op__index_embed(grad, flat_plan(&like.a, index)), shape)


cdef int put_into(Tensor out, Tensor index, Tensor source, object accumulate) except -1:
    if index.a.numel != source.a.numel:
        raise IndexError(f"put_(): Expected source and index to have the same number of elements, but got source.numel() = "
                           f"{source.a.numel}, index.numel() = {index.a.numel}")
    if out.a.dtype != source.a.dtype:
        raise RuntimeError(f"put_(): self and source expected to have the same dtype, but got self.dtype = "
                           f"{scalar_name(out.a.dtype)} and source.dtype = {scalar_name(source.a.dtype)}")
    source = op_reshape(source.detach(), shape_tuple(&index.a))
    return put_plan(K_ADD_ITEMS if accumulate else K_PUT_ITEMS, lifted(out), source, flat_plan(&lifted(out).a, index))


cdef Tensor put_rule(Tensor input, Tensor index, Tensor source, object accumulate):
    cdef Tensor out = converted(input, input.a.dtype)
    put_into(out, index, source, accumulate)
    return out


cdef object put_grad(Tensor grad, Tensor index, object accumulate):
    return grad if accumulate else op__index_clear(grad, flat_plan(&grad.a, index))


cdef object take_along_dim_rule(Tensor input, Tensor indices, object dim):
    cdef int d, k
    if indices.a.dtype != INT64 and not (dim is None and indices.a.dtype == INT32):
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {scalar_name(indices.a.dtype)}")
    if dim is None:
        return op_gather(op_reshape(input, (-1,)), 0, op_reshape(indices, (-1,)))
    if input.a.ndim != indices.a.ndim:
        raise RuntimeError("torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
                           f"{input.a.ndim} dimensions for input, and {indices.a.ndim} dimensions for indices")
    if input.a.ndim == 0:
        raise IndexError("take_along_dim: Dimension specified as 0 but tensor has no dimensions")
    d = wrapped_dim("take_along_dim", dim, input.a.ndim)
    wide, of = list(shape_tuple(&input.a)), list(shape_tuple(&indices.a))
    for k in range(input.a.ndim):
        if k != d:
            wide[k] = of[k] = wide[k] if of[k] == 1 else of[k]
    indices = op_where(op_lt(indices, 0), op_add(indices, wide[d]), indices)
    return op_gather(op_expand(input, wide), d, op_expand(indices, of))
