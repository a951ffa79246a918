# Cross entropy and negative log likelihood: shapes, checks of the targets, and gradients; the fused kernels are in kernels/loss.pxi.
#
# The node saves input, target, weight, and the kernel's statistics (a row each of losses, maxima, logs of sums, factors of softmax;
# the divisor).  A gradient that is to be differentiated again is made of operations; it has the fused gradient's value.

cdef struct Classes:            # an input as (batch, classes, positions)
    int dim                     # which dimension the classes are
    int64_t n, c, s


cdef int read_classes(str name, Tensor input, Classes* k) except -1:
    cdef int d
    if input.a.ndim == 0:
        raise ValueError(f"{name}: expected an input with a dimension of classes, got a 0-d tensor")
    k.dim = 0 if input.a.ndim == 1 else 1
    k.n = 1 if input.a.ndim == 1 else input.a.shape[0]
    k.c = input.a.shape[k.dim]
    k.s = 1
    for d in range(k.dim + 1, input.a.ndim):
        k.s *= input.a.shape[d]
    return 0


cdef int check_classes(str name, Tensor input, Tensor target, Classes* k) except -1:
    """target: one class for every row of the input."""
    cdef int d
    cdef bint bad
    if input.a.ndim == 1:
        if target.a.numel != 1 or target.a.ndim > 1:
            raise ValueError(f"For 1D input, 1D target must have size 1, but got target size: {target.a.numel}")
        return 0
    if target.a.ndim == 0 or input.a.shape[0] != target.a.shape[0]:
        raise ValueError(f"Expected input batch_size ({input.a.shape[0]}) to match target batch_size "
                         f"({target.a.shape[0] if target.a.ndim else 0}).")
    if input.a.ndim == 2 and target.a.ndim > 1:
        raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
    bad = target.a.ndim != input.a.ndim - 1
    for d in range(2, input.a.ndim):
        bad = bad or input.a.shape[d] != target.a.shape[d - 1]
    if bad:
        raise RuntimeError(f"{name}: target must have the input's shape without its classes, got {shape_tuple(&target.a)} and "
                           f"{shape_tuple(&input.a)}")
    return 0


cdef int check_class_range(Tensor target, int64_t classes, int64_t ignored) except -1:
    cdef int64_t* t = <int64_t*>target.a.data
    cdef int64_t i
    for i in range(target.a.numel):
        if (t[i] < 0 or t[i] >= classes) and t[i] != ignored:
            raise IndexError(f"Target {t[i]} is out of bounds.")
    return 0


cdef Tensor class_target(str name, Tensor target):
    if target.a.dtype == UINT8:
        target = converted(target, INT64)
    if target.a.dtype != INT64:
        raise RuntimeError(f"expected scalar type Long but found {scalar_name(target.a.dtype)}")
    return target if target.a.contiguous else contiguous_copy(target)


cdef Tensor class_weights(object weight, Tensor input, int64_t classes, bint soft):
    """The weights, one a class; where classes are given as numbers, of the input's dtype."""
    cdef Tensor w
    if weight is None:
        return None
    w = weight
    if w.a.ndim != 1 or w.a.numel != classes:
        raise RuntimeError(f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
                           f"of shape: {shape_list(w.a.ndim, w.a.shape)}")
    if w.a.dtype != input.a.dtype and not soft:
        raise RuntimeError(f"expected scalar type {scalar_name(input.a.dtype)} but found {scalar_name(w.a.dtype)}")
    return w if w.a.contiguous else contiguous_copy(w)


cdef void fill_classes(Launch* l, int kernel, Tensor input, Tensor target, Tensor weight, Classes* k, int64_t flags, int64_t ignored,
                       int reduction, double smoothing, int first) noexcept:
    """All of a launch but its leading operands; input, target and weight are operands first, first + 1 and first + 2."""
    cdef int i, d
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, input.a.dtype, 3, 3, first + 3
    l.shape[0], l.shape[1], l.shape[2] = k.n, k.c, k.s
    for i in range(first + 3):
        for d in range(3):
            l.stride[i][d] = 0
    l.ptr[first] = input.a.data
    l.ptr[first + 1] = target.a.data
    l.ptr[first + 2] = NULL if weight is None else weight.a.data
    l.attr[0].i = flags | (0 if weight is None else 1)
    l.attr[1].i = ignored
    l.attr[2].i = reduction
    l.attr[3].f = smoothing


cdef Tensor rows_tensor(Tensor input, Classes* k):
    """A tensor with an element for each row: the input's shape without the classes."""
    cdef int64_t shape[MAX_DIMS]
    cdef int d, n = 0
    for d in range(input.a.ndim):
        if d != k.dim:
            shape[n] = input.a.shape[d]
            n += 1
    return empty(input.a.dtype, n, shape)


cdef object loss_of_weights(Tensor input, Tensor target, Tensor weight, int reduction, double smoothing, Classes* k):
    """Cross entropy with probabilities, by operations: the classes' weights want a gradient too, or have another dtype."""
    smooth = op_add(op_mul(target, 1 - smoothing), smoothing / <double>k.c)
    along = op_reshape(weight, tuple([-1 if d == k.dim else 1 for d in range(input.a.ndim)]))
    terms = op_mul(op_mul(op_log_softmax(input, k.dim), smooth), along)
    loss = op_neg(op_sum(terms, k.dim))
    return loss if reduction == REDUCE_NONE else op_mean(loss) if reduction == REDUCE_MEAN else op_sum(loss)


cdef object class_loss(const Row* row, Tensor given_input, Tensor target, object weight_, int reduction, int64_t ignored,
                       double smoothing, int flags):
    """nll_loss (flags 0) or cross_entropy (flags 2); a floating target holds probabilities."""
    cdef str name = row.name.decode()
    cdef bint soft = flags and is_floating(target.a.dtype) and same_shape(&given_input.a, &target.a)
    cdef Tensor input = given_input, weight, out, stats
    cdef Classes k
    cdef Launch l
    cdef int64_t size
    cdef int dt = given_input.a.dtype
    if not is_floating(dt):
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(dt)}'")
    if soft and ignored >= 0:
        raise RuntimeError(f"{name}: ignore_index is not supported for floating point target, got {ignored}")
    read_classes(name, input, &k)
    weight = class_weights(weight_, input, k.c, soft)
    if weight is not None and (wants(<Tensor>weight_) or weight.a.dtype != dt):
        if not soft:
            raise RuntimeError("The function 'nll_loss_forward' is not differentiable with respect to argument 'weight'. This input cannot "
                               "have requires_grad True.")
        return loss_of_weights(input, target, <Tensor>weight_, reduction, smoothing, &k)
    if soft:
        if target.a.dtype != dt:
            target = target.to(dtype_object(dt))
    else:
        check_classes(name, input, target, &k)
    if dt == FLOAT16 or dt == BFLOAT16:
        input = converted(input, FLOAT32)
        weight = None if weight is None else converted(weight, FLOAT32)
    cdef Tensor kept = target
    if soft:
        kept = converted(target, input.a.dtype) if target.a.dtype != input.a.dtype else target
        if not kept.a.contiguous:
            kept = contiguous_copy(kept)
    else:
        kept = class_target(name, target)
        check_class_range(kept, k.c, ignored)
    if not input.a.contiguous:
        input = contiguous_copy(input)
    size = 5 * k.n * k.s + 1
    stats = empty(input.a.dtype, 1, &size)
    out = empty(input.a.dtype, 0, NULL) if reduction else rows_tensor(input, &k)
    fill_classes(&l, K_SOFT_CROSS_ENTROPY_FORWARD if soft else K_CROSS_ENTROPY_FORWARD, input, kept, weight, &k, flags, ignored,
                 reduction, smoothing, 2)
    l.ptr[0], l.ptr[1] = out.a.data, stats.a.data
    run(&l)
    if out.a.dtype != dt:
        out = converted(out, dt)
    cdef uint32_t need = wants(given_input) | (wants(target) << 1 if soft else 0)
    if need == 0:
        return out
    cdef Node node = new_node(row, 2, 1)
    if need & 1:
        set_edge(node, 0, given_input)
    if need & 2:
        set_edge(node, 1, target)
    node.nsaved = 5
    save_value(node, 0, given_input)
    save_value(node, 1, target if soft else kept)
    save_value(node, 2, weight)
    save_value(node, 3, stats)
    save_value(node, 4, (ignored, smoothing, flags, reduction))
    set_node(out, node, 0)
    return out


cdef Tensor class_loss_gradient(Node node, Tensor given):
    """The gradient of the input by the fused kernel; given: 0-d, or an element a row."""
    cdef Tensor input = <Tensor>node.saved[0], target = <Tensor>node.saved[1], stats = <Tensor>node.saved[3], out
    cdef Tensor weight = None if <object>node.saved[2] is None else <Tensor>node.saved[2]
    cdef object ignored, smoothing, flags, reduction
    cdef Classes k
    cdef Launch l
    cdef int dt = input.a.dtype
    cdef bint soft = is_floating(target.a.dtype)
    ignored, smoothing, flags, reduction = <tuple>node.saved[4]
    read_classes("cross_entropy", input, &k)
    if stats.a.dtype != dt:
        input = converted(input, stats.a.dtype)
    if given.a.dtype != stats.a.dtype:
        given = converted(given, stats.a.dtype)
    if soft and target.a.dtype != stats.a.dtype:
        target = converted(target, stats.a.dtype)
    if not input.a.contiguous:
        input = contiguous_copy(input)
    if not target.a.contiguous:
        target = contiguous_copy(target)
    if not given.a.contiguous:
        given = contiguous_copy(given)
    out = empty(stats.a.dtype, input.a.ndim, input.a.shape)
    fill_classes(&l, K_SOFT_CROSS_ENTROPY_BACKWARD if soft else K_CROSS_ENTROPY_BACKWARD, input, target, weight, &k,
                 <int>flags | (4 if given.a.numel == k.n * k.s and given.a.ndim else 0), ignored, reduction, smoothing, 3)
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, given.a.data, stats.a.data
    if out.a.numel:
        run(&l)
    return out if out.a.dtype == dt else converted(out, dt)


cdef int cross_entropy_loss_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    check_saved(node)
    cdef Tensor grad = <Tensor>grads[0]
    if node.edge[0] != NULL:
        give(out, 0, differentiable_class_gradient(node, grad) if create_graph else class_loss_gradient(node, grad))
    if node.edge[1] != NULL:
        give(out, 1, target_gradient(node, grad))
    return 0


cdef object along_rows(Tensor grad, Tensor input, int dim):
    """A gradient that broadcasts against the input: unchanged if 0-d."""
    return grad if grad.a.ndim == 0 else functions["unsqueeze"](grad, dim)


cdef object softmax_by_operations(Tensor input, int dim, Tensor top):
    e = op_exp(op_sub(input, top))
    return e, op_sum(e, [dim], True)


cdef Tensor row_statistic(Node node, Tensor input, Classes* k, int which):
    """A row of stats in the shape of the input with one class."""
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int64_t step = 1
    cdef int d
    for d in range(input.a.ndim - 1, -1, -1):
        shape[d] = 1 if d == k.dim else input.a.shape[d]
        stride[d] = step
        step *= shape[d]
    return view_of(<Tensor>node.saved[3], input.a.ndim, shape, stride, which * k.n * k.s)


cdef object differentiable_class_gradient(Node node, Tensor grad):
    """given * (D + (softmax - its value) * A / divisor), with D the fused gradient for given = 1: equal to the fused gradient, and
    differentiable in given and input."""
    cdef Tensor input = <Tensor>node.saved[0], one, d
    cdef object flags = (<tuple>node.saved[4])[2], p, e, total, value, factor
    cdef Classes k
    cdef bint mode
    read_classes("cross_entropy", input, &k)
    if is_floating((<Tensor>node.saved[1]).a.dtype):
        return differentiable_soft_gradient(node, grad, &k)
    one = empty(input.a.dtype, 0, NULL)
    fill_array(&one.a, 1)
    d = class_loss_gradient(node, one)
    if not flags or load_number(d.a.dtype, divisor_of(node, &k).a.data) == 0:
        return op_mul(along_rows(grad, input, k.dim), op__linked(d, input))
    e, total = softmax_by_operations(input, k.dim, row_statistic(node, input, &k, 1))
    p = op_div(e, total)
    value = alias(<Tensor>p)
    factor = op_div(row_statistic(node, input, &k, 3), divisor_of(node, &k))
    return op_mul(along_rows(grad, input, k.dim), op_add(d, op_mul(op_sub(p, value), factor)))


cdef object differentiable_soft_gradient(Node node, Tensor grad, Classes* k):
    """given / divisor * (softmax * sum of B - B), with B the smoothed and weighted target."""
    cdef Tensor input = <Tensor>node.saved[0]
    cdef object smoothing = (<tuple>node.saved[4])[1], e, total, b = <object>node.saved[1], gap
    e, total = softmax_by_operations(input, k.dim, row_statistic(node, input, k, 1))
    if smoothing:
        b = op_add(op_mul(b, 1.0 - smoothing), <double>smoothing / k.c)
    if <object>node.saved[2] is not None:
        b = op_mul(b, weights_along(<Tensor>node.saved[2], input, k))
    gap = op_sub(op_mul(op_div(e, total), op_sum(b, [k.dim], True)), b)
    return op_mul(op_div(along_rows(grad, input, k.dim), divisor_of(node, k)), gap)


cdef Tensor weights_along(Tensor w, Tensor input, Classes* k):
    """The classes' weights, to broadcast against the input."""
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int d
    for d in range(input.a.ndim):
        shape[d] = k.c if d == k.dim else 1
        stride[d] = 1
    return view_of(w, input.a.ndim, shape, stride, 0)


cdef Tensor divisor_of(Node node, Classes* k):
    return view_of(<Tensor>node.saved[3], 0, NULL, NULL, 4 * k.n * k.s)


cdef object target_gradient(Node node, Tensor grad):
    """Of probabilities: -weight * log softmax * (1 - smoothing) * given / divisor; zero for the weighted part that is uniform."""
    cdef Tensor input = <Tensor>node.saved[0]
    cdef object smoothing = (<tuple>node.saved[4])[1], e, total, logp
    cdef Classes k
    read_classes("cross_entropy", input, &k)
    cdef Tensor top = row_statistic(node, input, &k, 1)
    e, total = softmax_by_operations(input, k.dim, top)
    logp = op_sub(op_sub(input, top), op_log(total))
    if <object>node.saved[2] is not None:
        logp = op_mul(logp, weights_along(<Tensor>node.saved[2], input, &k))
    return op_mul(along_rows(grad, input, k.dim), op_div(op_mul(logp, smoothing - 1.0), divisor_of(node, &k)))


cdef object nll_loss_entry(const Row* row, PyObject** a):
    cdef int reduction = reduction_code(a[3], a[5], a[6])
    return class_loss(row, tensor_argument(row, a[0], 0), tensor_argument(row, a[1], 1), given_or(a[2], None), reduction,
                      -100 if a[4] == NULL else int_argument(row, a[4], 4), 0, 0)


cdef object cross_entropy_entry(const Row* row, PyObject** a):
    cdef int reduction = reduction_code(a[3], a[5], a[6])
    cdef double smoothing = 0 if a[7] == NULL else float_argument(row, a[7], 7)
    if not 0 <= smoothing <= 1:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {smoothing}")
    return class_loss(row, tensor_argument(row, a[0], 0), tensor_argument(row, a[1], 1), given_or(a[2], None), reduction,
                      -100 if a[4] == NULL else int_argument(row, a[4], 4), smoothing, 2)
