# Attention as one node: the launches of kernels/attention.pxi, and the same as operations.
#
# The node saves its inputs, its result and a logarithm a query; the scores are never kept.  Dropout, and a gradient of the mask, need
# the probabilities themselves: these are operations.

cdef enum:                      # as in kernels/attention.pxi
    MASK_BOOL = 1
    MASK_ADDED = 2
    MASK_CAUSAL = 4


cdef object attention_entry(const Row* row, PyObject** a):
    cdef Tensor q = tensor_argument(row, a[0], 0), k = tensor_argument(row, a[1], 1), v = tensor_argument(row, a[2], 2)
    cdef Tensor mask = None if <object>a[3] is None else tensor_argument(row, a[3], 3), out, stats
    cdef double p = float_argument(row, a[4], 4), scale = float_argument(row, a[6], 6)
    cdef bint causal = bool_argument(row, a[5], 5)
    cdef int dt = q.a.dtype, i
    cdef uint32_t need = wants(q) | wants(k) << 1 | wants(v) << 2
    cdef Node node
    check_attention(q, k, v, mask)
    if dt == FLOAT16 or dt == BFLOAT16:
        wide = [t if t is None or (<Tensor>t).a.dtype == BOOL else op_to(t, dtype_object(FLOAT32)) for t in (q, k, v, mask)]
        return op_to(op__attention(*wide, p, causal, scale), dtype_object(dt))
    if p != 0 or not is_floating(dt) or (mask is not None and wants(mask)) or q.a.ndim > MAX_LOOP - 2 or (
            q.a.shape[q.a.ndim - 1] == 0 or k.a.shape[k.a.ndim - 2] == 0):
        return attention_by_operations([q, k, v, mask], (causal, scale, p))[0]
    out, stats = run_attention(q, k, v, mask, causal, scale)
    if need == 0:
        return out
    node = new_node(row, 3, 1)
    for i in range(3):
        if need >> i & 1:
            set_edge(node, i, tensor_argument(row, a[i], i))
    node.nsaved = 6
    for i in range(4):
        save(node, i, a[i])
    save_result(node, 4, out)
    save_value(node, 5, (stats, causal, scale))
    set_node(out, node, 0)
    return out


cdef int check_attention(Tensor q, Tensor k, Tensor v, Tensor mask) except -1:
    cdef int n
    if q.a.ndim < 2 or k.a.ndim < 2 or v.a.ndim < 2:
        raise RuntimeError(f"attention: expected at least 2 dimensions, got {shape_tuple(&q.a)}, {shape_tuple(&k.a)} and {shape_tuple(&v.a)}")
    if q.a.dtype != k.a.dtype or q.a.dtype != v.a.dtype or (mask is not None and mask.a.dtype != BOOL and mask.a.dtype != q.a.dtype):
        raise RuntimeError("attention: query, key, value and a mask of numbers must have one dtype")
    if q.a.shape[q.a.ndim - 1] != k.a.shape[k.a.ndim - 1] or k.a.shape[k.a.ndim - 2] != v.a.shape[v.a.ndim - 2]:
        raise RuntimeError(f"attention: query and key must have the same features, key and value the same length, got "
                           f"{shape_tuple(&q.a)}, {shape_tuple(&k.a)} and {shape_tuple(&v.a)}")
    return 0


cdef struct Heads:              # the dimensions in front of the last two, broadcast, and behind them the core's
    int ndim
    int64_t shape[MAX_DIMS]
    int64_t length, keys, features, width


cdef int read_heads(Tensor q, Tensor k, Tensor v, Tensor mask, Heads* h) except -1:
    cdef Array part[4]
    cdef Array* operand[4]
    cdef Array common
    cdef int i, n = 3
    for i, t in enumerate((q, k, v)):
        part[i] = (<Tensor>t).a
        part[i].ndim -= 2
        operand[i] = &part[i]
    if mask is not None and mask.a.ndim > 2:
        part[3] = mask.a
        part[3].ndim -= 2
        operand[3] = &part[3]
        n = 4
    broadcast(b"attention", operand, n, &common)
    h.ndim = common.ndim
    for i in range(common.ndim):
        h.shape[i] = common.shape[i]
    h.length, h.features = q.a.shape[q.a.ndim - 2], q.a.shape[q.a.ndim - 1]
    h.keys, h.width = k.a.shape[k.a.ndim - 2], v.a.shape[v.a.ndim - 1]
    return 0


cdef void attention_loop(Launch* l, int kernel, int dt, const Heads* h, bint causal, double scale, Tensor mask) noexcept:
    cdef int d
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 4, h.ndim + 4, 0
    for d in range(h.ndim):
        l.shape[d] = h.shape[d]
    l.shape[h.ndim], l.shape[h.ndim + 1], l.shape[h.ndim + 2], l.shape[h.ndim + 3] = h.length, h.keys, h.features, h.width
    l.attr[0].f = scale
    l.attr[1].i = (MASK_CAUSAL if causal else 0) | (0 if mask is None else MASK_BOOL if mask.a.dtype == BOOL else MASK_ADDED)


cdef int put_heads(Launch* l, const Array* t, const Heads* h, int kept, int row, int column) except -1:
    """The next operand: t's last `kept` dimensions go along core dimensions `row` and `column`, those before along the heads."""
    cdef int i = l.noperands, d, at, w = 1 if t == NULL else itemsize(t.dtype)
    l.noperands += 1
    for d in range(l.ndim):
        l.stride[i][d] = 0
    l.ptr[i] = NULL
    if t == NULL:
        return 0
    l.ptr[i] = t.data
    for d in range(h.ndim):
        at = d - h.ndim + t.ndim - kept
        if at >= 0 and t.shape[at] != 1:
            l.stride[i][d] = t.stride[at] * w
    if t.shape[t.ndim - kept] != 1:
        l.stride[i][h.ndim + row] = t.stride[t.ndim - kept] * w
    if kept == 2:
        l.stride[i][h.ndim + column] = t.stride[t.ndim - 1] * w if t.shape[t.ndim - 1] != 1 else 0
    return 0


cdef Tensor for_heads(int dt, const Heads* h, int64_t rows, int64_t columns, const Array* like, int64_t copies):
    """An empty (*heads, rows, columns) in the memory order of `like`, whose rows are contiguous; `copies` of them if that is not 0."""
    cdef Array order, shape
    cdef Array* operand = &order
    cdef int8_t perm[MAX_DIMS]
    cdef int d, extra = copies > 0
    shape.ndim = h.ndim + 2 + extra
    shape.shape[0] = copies
    for d in range(h.ndim):
        shape.shape[d + extra] = h.shape[d]
    shape.shape[shape.ndim - 2], shape.shape[shape.ndim - 1] = rows, columns
    order = shape
    set_contiguous(&order)
    if like.ndim == h.ndim + 2 and (like.stride[like.ndim - 1] == 1 or like.shape[like.ndim - 1] == 1):
        for d in range(like.ndim):
            if like.shape[d] != shape.shape[d + extra] or like.stride[d] < 1:
                return empty(dt, shape.ndim, shape.shape)
            order.stride[d + extra] = like.stride[d]
        if extra:
            order.stride[0] = <int64_t>1 << 60
        order_dims(&operand, 1, &shape, perm)
        if perm[0] == shape.ndim - 1:
            return empty_in_order(dt, &shape, perm)
    return empty(dt, shape.ndim, shape.shape)


cdef tuple run_attention(Tensor q, Tensor k, Tensor v, Tensor mask, bint causal, double scale):
    """The result, in the memory order of q, and lse and room for delta of every query: (2, *heads, L, 1)."""
    cdef Heads h
    cdef Launch l
    cdef Array lse
    cdef Tensor out, stats
    read_heads(q, k, v, mask, &h)
    out = for_heads(q.a.dtype, &h, h.length, h.width, &q.a if h.width == h.features else &v.a, 0)
    stats = for_heads(q.a.dtype, &h, h.length, 1, &out.a, 2)
    if out.a.numel == 0:
        return out, stats
    attention_loop(&l, K_ATTENTION_FORWARD, q.a.dtype, &h, causal, scale, mask)
    lse = first_of(stats)
    put_heads(&l, &out.a, &h, 2, 0, 3)
    put_heads(&l, &lse, &h, 2, 0, 3)
    put_heads(&l, &q.a, &h, 2, 0, 2)
    put_heads(&l, &k.a, &h, 2, 1, 2)
    put_heads(&l, &v.a, &h, 2, 1, 3)
    put_mask(&l, mask, &h)
    run(&l)
    return out, stats


cdef int put_mask(Launch* l, Tensor mask, const Heads* h) except -1:
    """A mask broadcasts over queries and keys too; a vector of keys has no dimension of queries."""
    cdef Array a
    if mask is None:
        return put_heads(l, NULL, h, 2, 0, 1)
    a = mask.a
    if a.ndim > 1:
        if (a.shape[a.ndim - 1] != 1 and a.shape[a.ndim - 1] != h.keys) or (a.shape[a.ndim - 2] != 1 and a.shape[a.ndim - 2] != h.length):
            raise RuntimeError(f"attention: the mask must broadcast to (*, {h.length}, {h.keys}), got {shape_tuple(&mask.a)}")
        return put_heads(l, &a, h, 2, 0, 1)
    if a.ndim == 1 and a.shape[0] != 1 and a.shape[0] != h.keys:
        raise RuntimeError(f"attention: the mask must broadcast to (*, {h.length}, {h.keys}), got {shape_tuple(&mask.a)}")
    a.ndim = 2
    a.shape[1] = mask.a.shape[0] if mask.a.ndim else 1
    a.stride[1] = mask.a.stride[0] if mask.a.ndim else 0
    a.shape[0], a.stride[0] = 1, 0
    return put_heads(l, &a, h, 2, 0, 1)


cdef Array first_of(Tensor t):
    """The first index of the first dimension."""
    cdef Array a = t.a
    cdef int d
    for d in range(1, a.ndim):
        a.shape[d - 1], a.stride[d - 1] = t.a.shape[d], t.a.stride[d]
    a.ndim -= 1
    refresh(&a)
    return a


cdef int attention_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    check_saved(node)
    cdef Tensor stats, dkv, dq, q = <Tensor>node.saved[0], k = <Tensor>node.saved[1], v = <Tensor>node.saved[2], mask = None
    cdef Tensor grad = <Tensor>grads[0], y = <Tensor>node.saved[4]
    cdef object causal, scale
    cdef Heads h
    cdef Launch l
    cdef Array lse, dk
    cdef int64_t w = itemsize(q.a.dtype)
    stats, causal, scale = <object>node.saved[5]
    if <object>node.saved[3] is not None:
        mask = <Tensor>node.saved[3]
    if create_graph:
        return give_by_operations(node, grads, out, attention_by_operations, [q, k, v, mask], (causal, scale, 0.0))
    read_heads(q, k, v, mask, &h)
    dkv = for_heads(q.a.dtype, &h, h.keys, max(h.features, h.width), &k.a, 2)
    dq = for_heads(q.a.dtype, &h, h.length, h.features, &q.a, 0)
    if y.a.numel == 0:
        fill_array(&dkv.a, 0)
        fill_array(&dq.a, 0)
    else:
        run_shares(stats, grad, y, &h)
        attention_loop(&l, K_ATTENTION_BACKWARD, q.a.dtype, &h, causal, scale, mask)
        l.attr[2].i, l.attr[3].i = dkv.a.stride[0] * w, stats.a.stride[0] * w
        lse, dk = first_of(stats), first_of(dkv)
        put_heads(&l, &dk, &h, 2, 1, 3)
        put_heads(&l, &dq.a, &h, 2, 0, 2)
        put_heads(&l, &q.a, &h, 2, 0, 2)
        put_heads(&l, &k.a, &h, 2, 1, 2)
        put_heads(&l, &v.a, &h, 2, 1, 3)
        put_heads(&l, &grad.a, &h, 2, 0, 3)
        put_heads(&l, &lse, &h, 2, 0, 3)
        put_mask(&l, mask, &h)
        run(&l)
    if node.edge[0] != NULL:
        give(out, 0, dq)
    if node.edge[1] != NULL:
        give(out, 1, op_narrow(op_select(dkv, 0, 0), -1, 0, h.features))
    if node.edge[2] != NULL:
        give(out, 2, op_narrow(op_select(dkv, 0, 1), -1, 0, h.width))
    return 0


cdef int run_shares(Tensor stats, Tensor grad, Tensor y, const Heads* h) except -1:
    """delta into the second half of stats."""
    cdef Launch l
    cdef Array delta = first_of(stats)
    cdef int d
    delta.data += stats.a.stride[0] * itemsize(stats.a.dtype)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_ATTENTION_SHARES, y.a.dtype, 2, h.ndim + 2, 0
    for d in range(h.ndim):
        l.shape[d] = h.shape[d]
    l.shape[h.ndim], l.shape[h.ndim + 1] = h.length, h.width
    put_heads(&l, &delta, h, 2, 0, 1)
    put_heads(&l, &grad.a, h, 2, 0, 1)
    put_heads(&l, &y.a, h, 2, 0, 1)
    return run(&l)


cdef tuple attention_by_operations(list inputs, object options):
    """Attention that keeps its probabilities, as a graph of operations.  options: causal, scale, probability of dropout."""
    q, k, v, mask = inputs
    causal, scale, p = options
    scores = op_matmul(op_mul(q, scale), op_transpose(k, -2, -1))
    cdef Tensor s = <Tensor>scores, seen
    if causal:
        seen = empty(BOOL, 2, s.a.shape + s.a.ndim - 2)
        fill_array(&seen.a, True)
        seen = op_tril(seen)
        mask = seen if mask is None else op_logical_and(mask, seen) if (<Tensor>mask).a.dtype == BOOL else op_where(seen, mask, -float("inf"))
    if mask is None:
        weights = op_softmax(scores, -1)
    else:
        hidden = op_logical_not(mask) if (<Tensor>mask).a.dtype == BOOL else op_eq(mask, -float("inf"))
        scores = op_masked_fill(scores, hidden, -float("inf")) if (<Tensor>mask).a.dtype == BOOL else op_add(scores, mask)
        weights = op_masked_fill(op_softmax(scores, -1), op_all(hidden, -1, True), 0)
    if p:
        weights = op_dropout(weights, p, True)
    return (op_matmul(weights, v),)
