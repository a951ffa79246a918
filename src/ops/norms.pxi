# Batch, group, layer and root mean square norm: launches, nodes and gradients; the kernels are in kernels/normalize.pxi, the checks
# of arguments in fastgrad/nn/normalizing.py.
#
# An entry gives (result, stats); stats holds mean, 1 / sqrt(var + eps) and var of each row that was normalized.  The kernel for the
# backward gives all three gradients; where they are to be differentiated again they are made of operations.

cdef enum NormFlag:              # as in kernels/normalize.pxi
    CENTERED = 1
    STATS_GIVEN = 2
    WEIGHT_ALONG = 4
    SIDE_BY_SIDE = 8

cdef struct Norm:
    char kind                    # b(atch), g(roup), l(ayer), r(oot mean square)
    int64_t groups               # of channels; layer and rms: elements that are normalized together
    int flags
    int64_t outer, rows, parts, pixels
    int64_t a_outer, a_row, a_part, w_outer, w_row, w_part, stats_outer, stats_row, sums_outer, sums_row, sums_part     # strides
    int64_t nstats, nsums, nweights


cdef void read_norm(Norm* k, const Array* a, char kind, int64_t groups, bint given) noexcept:
    cdef int d
    cdef int64_t pixels = 1, channels
    k.kind, k.groups = kind, groups
    k.flags = (0 if kind == c'r' else CENTERED) | (STATS_GIVEN if given else 0)
    k.outer, k.parts, k.a_outer, k.a_part, k.w_outer, k.w_row, k.w_part = 1, 1, 0, 0, 0, 0, 0
    k.stats_outer = k.sums_outer = k.sums_part = 0
    k.stats_row = 3
    if kind == c'l' or kind == c'r':
        k.rows, k.pixels, k.a_row, k.nweights = a.numel // max(groups, 1), groups, groups, groups
        k.flags |= WEIGHT_ALONG
        k.sums_row, k.nstats, k.nsums = 2, k.rows, k.rows
        return
    channels = k.nweights = a.shape[1]
    for d in range(2, a.ndim):
        pixels *= a.shape[d]
    k.pixels = pixels
    if kind == c'b':
        k.rows, k.parts, k.a_row, k.a_part, k.w_row, k.sums_row = channels, a.shape[0], pixels, channels * pixels, 1, 2
        k.nstats = k.nsums = channels
        if pixels == 1:
            k.flags |= SIDE_BY_SIDE
        return
    channels //= groups                 # of a group
    k.outer, k.rows, k.parts = groups, a.shape[0], channels
    k.a_outer, k.a_row, k.a_part = channels * pixels, groups * channels * pixels, pixels
    k.w_outer, k.w_part, k.stats_outer, k.stats_row = channels, 1, 3, 3 * groups
    k.sums_outer, k.sums_row, k.sums_part = 2 * channels, 2 * groups * channels, 2
    k.nstats, k.nsums = k.rows * groups, k.rows * groups * channels
    if pixels == 1:
        k.flags |= WEIGHT_ALONG
        k.pixels, k.parts, k.a_part, k.w_part, k.sums_part = channels, 1, 0, 0, 0
        k.sums_outer, k.sums_row, k.nsums = 2, 2 * groups, k.nstats


cdef void norm_operand(Launch* l, int i, Tensor t, int64_t outer, int64_t row, int64_t part) noexcept:
    cdef int w = itemsize(l.dtype)
    l.ptr[i] = NULL if t is None else t.a.data
    l.scalar[i].i = 0
    l.stride[i][0], l.stride[i][1], l.stride[i][2], l.stride[i][3] = outer * w, row * w, part * w, w


cdef void fill_norm(Launch* l, int kernel, int dt, const Norm* k, double eps, int operands) noexcept:
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 3, 4, operands
    l.shape[0], l.shape[1], l.shape[2], l.shape[3] = k.outer, k.rows, k.parts, k.pixels
    l.attr[0].i, l.attr[1].f = k.flags, eps


cdef Tensor norm_weight(object weight, int dt):
    return None if weight is None else as_computed(<Tensor>weight, dt)


cdef Tensor pairs(int dt, int64_t rows, int64_t of):
    cdef int64_t shape[2]
    shape[0], shape[1] = rows, of
    return empty(dt, 2, shape)


cdef object norm_entry(const Row* this, PyObject** a):
    """(input, weight, bias, stats, groups, eps) -> (result, stats)."""
    cdef Tensor input = tensor_argument(this, a[0], 0), out, x, w, b, stats
    cdef object weight = <object>a[1], bias = <object>a[2], given = <object>a[3]
    cdef int64_t groups = <object>a[4]
    cdef double eps = <object>a[5]
    cdef int dt = input.a.dtype, computed = convolution_dtype(dt)
    cdef Norm k
    cdef Launch l
    x, w, b = as_computed(input, computed), norm_weight(weight, computed), norm_weight(bias, computed)
    read_norm(&k, &x.a, this.name[1], groups, given is not None)
    out = empty_as_tensor(computed, x)
    stats = pairs(computed, k.nstats, 3) if given is None else as_computed(<Tensor>given, computed)
    fill_norm(&l, K_NORM_FORWARD, computed, &k, eps, 5)
    norm_operand(&l, 0, out, k.a_outer, k.a_row, k.a_part)
    norm_operand(&l, 1, stats, k.stats_outer, k.stats_row, 0)
    norm_operand(&l, 2, x, k.a_outer, k.a_row, k.a_part)
    norm_operand(&l, 3, w, k.w_outer, k.w_row, k.w_part)
    norm_operand(&l, 4, b, k.w_outer, k.w_row, k.w_part)
    if out.a.numel:
        run(&l)
    out = in_dtype(out, dt)
    cdef uint32_t need = wants(input) | wants(weight) << 1 | wants(bias) << 2
    if need:
        norm_node(this, need, input, weight, bias, stats, out,
                  (groups, eps, given is not None, shape_tuple(&(<Tensor>(bias if weight is None else weight)).a) if weight is not None or bias is not None else None))
    if this.name[1] != c'l':          # PyTorch's layer norm gives row-major order
        laid_out_as(out, input, input.a.ndim - 2)
    return out, stats


cdef int norm_node(const Row* row, uint32_t need, Tensor input, object weight, object bias, Tensor stats, Tensor out, tuple how) except -1:
    cdef Node node = new_node(row, 3, 1)
    if need & 1:
        set_edge(node, 0, input)
    if need & 2:
        set_edge(node, 1, <Tensor>weight)
    if need & 4:
        set_edge(node, 2, <Tensor>bias)
    node.nsaved = 4
    save_value(node, 0, input)
    save_value(node, 1, weight)
    save_value(node, 2, stats)
    save_value(node, 3, how)
    set_node(out, node, 0)
    return 0


cdef int norm_node_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    check_saved(node)
    cdef Tensor grad = <Tensor>grads[0], input = <Tensor>node.saved[0]
    cdef object weight = <object>node.saved[1], stats = <object>node.saved[2], groups, eps, given, own_shape
    cdef tuple found
    cdef int i
    groups, eps, given, own_shape = <tuple>node.saved[3]
    if create_graph:
        found = norm_gradients(grad, input, weight, stats if given else None, node.row.name[1], groups, eps, own_shape)
    else:
        found = norm_kernel_gradients(grad, input, weight, <Tensor>stats, node.row.name[1], groups, eps, given,
                                      own_shape if node.edge[1] != NULL or node.edge[2] != NULL else None)
    for i in range(3):
        if node.edge[i] != NULL:
            give(out, i, found[i])
    return 0


cdef tuple norm_kernel_gradients(Tensor grad, Tensor input, object weight, Tensor stats, char kind, int64_t groups, double eps, bint given,
                                 object own_shape):
    """Of the input, and where own_shape is given of the weight and the bias, which have it, by the kernels."""
    cdef int dt = input.a.dtype, computed = stats.a.dtype
    cdef Tensor x = as_computed(input, computed), g = as_computed(grad, computed), w = norm_weight(weight, computed), out, sums, first, second
    cdef Norm k
    cdef Launch l
    read_norm(&k, &x.a, kind, groups, given)
    out, sums = empty_as_tensor(computed, x), pairs(computed, k.nsums, 2)
    fill_norm(&l, K_NORM_BACKWARD, computed, &k, eps, 6)
    norm_operand(&l, 0, out, k.a_outer, k.a_row, k.a_part)
    norm_operand(&l, 1, sums, k.sums_outer, k.sums_row, k.sums_part)
    norm_operand(&l, 2, g, k.a_outer, k.a_row, k.a_part)
    norm_operand(&l, 3, x, k.a_outer, k.a_row, k.a_part)
    norm_operand(&l, 4, w, k.w_outer, k.w_row, k.w_part)
    norm_operand(&l, 5, stats, k.stats_outer, k.stats_row, 0)
    if out.a.numel:
        run(&l)
    if own_shape is None:
        return in_dtype(out, dt), None, None
    if k.flags & WEIGHT_ALONG or not out.a.numel:
        first, second = empty(computed, 1, &k.nweights), empty(computed, 1, &k.nweights)
        l.kernel, l.core, l.ndim, l.noperands = K_NORM_WEIGHT_BACKWARD, 2, 3, 5
        l.shape[1], l.shape[2] = k.pixels, k.rows
        norm_operand(&l, 0, first, k.w_outer, 1, 0)
        norm_operand(&l, 1, second, k.w_outer, 1, 0)
        norm_operand(&l, 2, g, k.a_outer, 1, k.a_row)
        norm_operand(&l, 3, x, k.a_outer, 1, k.a_row)
        norm_operand(&l, 4, stats, k.stats_outer, 0, k.stats_row)
        if out.a.numel:
            run(&l)
        else:
            fill_array(&first.a, 0)
            fill_array(&second.a, 0)
    else:
        if kind == c'g':
            sums = sum_over(op_reshape(sums, (k.rows, k.nweights, 2)), 1, False, PLAIN, AS_IS, 0, 0)
        first, second = contiguous(op_select(sums, 1, 0)), contiguous(op_select(sums, 1, 1))
    return in_dtype(out, dt), op_reshape(first, own_shape), op_reshape(second, own_shape)


cdef tuple norm_gradients(Tensor grad, Tensor input, object weight, object stats, char kind, object groups, object eps, object own_shape):
    """The same as operations.  Everything is seen as (outer, normalized dimensions) with the weight in a shape that broadcasts."""
    cdef tuple shape = shape_tuple(&input.a), view = shape, wide = (1, -1, *[1] * (len(shape) - 2)), dims = (0, *range(2, len(shape)))
    cdef tuple others = dims
    cdef int dt = convolution_dtype(input.a.dtype)
    cdef int64_t pixels = 1
    if kind == c'l' or kind == c'r':
        view, wide, dims, others = (input.a.numel // max(<int64_t>groups, 1), groups), (1, groups), (1,), (0,)
    elif kind == c'g':
        for size in shape[2:]:
            pixels *= <int64_t>size
        view, wide, dims, others = (shape[0], groups, shape[1] // groups, pixels), (1, groups, shape[1] // groups, 1), (2, 3), (0, 3)
    x, g = op_reshape(input.to(dtype_object(dt)), view), op_reshape(grad.to(dtype_object(dt)), view)
    if stats is not None:
        centered = op_sub(x, op_reshape(op_select(stats, 1, 0), wide))
        rstd = op_reshape(op_select(stats, 1, 1), wide)
    else:
        centered = x if kind == c'r' else op_sub(x, op_mean(x, dims, True))
        rstd = op_rsqrt(op_add(op_mean(op_mul(centered, centered), dims, True), eps))
    normal = op_mul(centered, rstd)
    scaled_grad = g if weight is None else op_mul(g, op_reshape((<Tensor>weight).to(dtype_object(dt)), wide))
    inner = scaled_grad
    if stats is None:
        inner = op_sub(inner, op_mul(normal, op_mean(op_mul(scaled_grad, normal), dims, True)))
        if kind != c'r':
            inner = op_sub(inner, op_mean(scaled_grad, dims, True))
    first, second = op_sum(op_mul(g, normal), others), op_sum(g, others)
    return (op_reshape(op_mul(inner, rstd), shape).to(dtype_object(input.a.dtype)),
            None if own_shape is None else op_reshape(first, own_shape), None if own_shape is None else op_reshape(second, own_shape))
