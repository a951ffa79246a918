# Embedding: rows of a table by number, its gradient and the gradient's gradient.  Bags are compositions: fastgrad/composites.

cdef Tensor row_numbers(str name, Tensor input):
    """Indices as contiguous int64."""
    if input.a.dtype != INT64 and input.a.dtype != INT32:
        raise RuntimeError(f"Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got "
                           f"{scalar_name(input.a.dtype)} instead (while checking arguments for {name})")
    return contiguous(in_dtype(input, INT64))


cdef int64_t padding_row(object padding_idx, int64_t rows) except -2:
    """Which row is padding, counted from the end where negative; -1: none."""
    cdef int64_t at
    if padding_idx is None:
        return -1
    at = padding_idx
    if at >= rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    if at < -rows:
        raise AssertionError("Padding_idx must be within num_embeddings")
    return at + rows if at < 0 else at


cdef Tensor embedding_rule(Tensor input, Tensor weight, object padding_idx, object max_norm, object norm_type, object scale,
                           object sparse):
    cdef int64_t shape[MAX_DIMS]
    cdef Tensor index, out, bad
    cdef Launch l
    cdef int d, w = itemsize(weight.a.dtype)
    if weight.a.ndim != 2:
        raise RuntimeError("'weight' must be 2-D" if weight.a.ndim else "embedding: 'weight' must be 2-D, got a 0-d tensor")
    index = row_numbers("embedding", input)
    padding_row(padding_idx, weight.a.shape[0])
    if sparse and wants(weight):
        raise NotImplementedError("embedding: sparse=True is not supported. Gradients are dense tensors; leave sparse=False.")
    if input.a.ndim >= MAX_DIMS:
        raise RuntimeError(f"embedding: at most {MAX_DIMS - 1} dimensions of indices are supported, got {input.a.ndim}")
    if max_norm is not None:
        renormalize(weight, index, float(max_norm), float(norm_type))
    for d in range(input.a.ndim):
        shape[d] = input.a.shape[d]
    shape[input.a.ndim] = weight.a.shape[1]
    out = empty(weight.a.dtype, input.a.ndim + 1, shape)
    bad = no_bad_index()
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_EMBEDDING_FORWARD, weight.a.dtype, 2, 2, 4
    l.shape[0], l.shape[1] = index.a.numel, weight.a.shape[1]
    l.ptr[0], l.ptr[1], l.ptr[2], l.ptr[3] = out.a.data, weight.a.data, index.a.data, bad.a.data
    for d in range(4):
        l.stride[d][0] = l.stride[d][1] = 0
    l.stride[0][0], l.stride[0][1], l.stride[2][0] = weight.a.shape[1] * w, w, 8
    l.attr[0].i, l.attr[1].i, l.attr[2].i = weight.a.shape[0], weight.a.stride[0], weight.a.stride[1]
    if index.a.numel:
        run(&l)
    if (<int64_t*>bad.a.data)[1]:
        raise IndexError("index out of range in self")
    return out


cdef int renormalize(Tensor weight, Tensor index, double max_norm, double p) except -1:
    """Scale the rows of weight that are read, and longer than max_norm, down to it; in place, outside the graph."""
    cdef bint mode
    if index.a.numel == 0:
        return 0
    check_rows_in_range(index, weight.a.shape[0])
    mode = set_grad_mode(False)
    try:
        rows = op_unique(op_reshape(index, (-1,)))
        found = op_index_select(weight, 0, rows)
        norms = op_norm(found, p, 1, True)
        factor = op_clamp(op_div(max_norm, op_add(norms, 1e-7)), None, 1.0)
        factor = op_where(op_gt(norms, max_norm), factor, op_ones_like(factor))
        weight.index_copy_(0, rows, op_mul(found, factor))
    finally:
        set_grad_mode(mode)
    return 0


cdef int check_rows_in_range(Tensor index, int64_t rows) except -1:
    cdef int64_t* x = <int64_t*>index.a.data
    cdef int64_t i
    for i in range(index.a.numel):
        if x[i] < 0 or x[i] >= rows:
            raise IndexError("index out of range in self")
    return 0


cdef Tensor _embedding_backward_rule(Tensor given, Tensor input, object shape_, object padding_idx, object scale):
    cdef Tensor index = row_numbers("embedding_backward", input), out, g, count = None
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t n = index.a.numel, j
    cdef int64_t* x = <int64_t*>index.a.data
    cdef int d, w, dt = given.a.dtype
    cdef Launch l
    if read_shape("embedding_backward", shape_, sizes) != 2 or given.a.ndim != input.a.ndim + 1 or given.a.shape[input.a.ndim] != sizes[1] \
            or given.a.numel != n * sizes[1] or not is_floating(dt):
        raise RuntimeError(f"embedding_backward: the gradient must have the shape of the indices and a row of the table, got "
                           f"{shape_tuple(&given.a)}, {shape_tuple(&input.a)} and {shape_}")
    check_rows_in_range(index, sizes[0])
    g = contiguous(in_dtype(given, computed_dtype(dt)))
    w = itemsize(g.a.dtype)
    out = empty(g.a.dtype, 2, sizes)
    if scale and n:
        count = zeros_of(INT64, (sizes[0],))
        for j in range(n):
            (<int64_t*>count.a.data)[x[j]] += 1
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_EMBEDDING_BACKWARD, g.a.dtype, 2, 2, 4
    l.shape[0], l.shape[1] = sizes[1], n
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, g.a.data, index.a.data
    l.ptr[3] = index.a.data if count is None else count.a.data
    for d in range(4):
        l.stride[d][0] = l.stride[d][1] = 0
    l.stride[0][0], l.stride[1][0], l.stride[1][1], l.stride[2][1] = w, w, sizes[1] * w, 8
    l.attr[0].i, l.attr[1].i, l.attr[2].i, l.attr[3].i = sizes[0], padding_row(padding_idx, sizes[0]), count is not None, sizes[1]
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef object embedding_grad_given(object grad, Tensor input, object shape, object padding_idx):
    """The rows of grad by number, none for padding; as in PyTorch, not scaled by frequency."""
    cdef int64_t padding = padding_row(padding_idx, (<Tensor>grad).a.shape[0])
    rows = op_embedding(input, grad)
    if padding < 0:
        return rows
    return op_masked_fill(rows, op_unsqueeze(op_eq(input, padding), -1), 0)
