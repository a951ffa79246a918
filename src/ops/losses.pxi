# Losses: arguments, shapes and reductions; their elements and gradients are rows, their fused kernels are in kernels/loss.pxi.
#
# A pointwise loss saves input, target, what its gradient row needs (a scale or a count, and the loss's own number), and the
# operations that compute the gradients.  A cross entropy saves input, target, weight and its kernel's statistics.

cdef enum Reduction:
    REDUCE_NONE = 0
    REDUCE_MEAN
    REDUCE_SUM


cdef inline object given_or(PyObject* x, object default):
    return default if x == NULL else <object>x


cdef int reduction_code(PyObject* size_average, PyObject* reduce, PyObject* reduction) except -1:
    cdef object how = given_or(reduction, "mean"), average = given_or(size_average, None), reduces = given_or(reduce, None)
    if average is not None or reduces is not None:
        how = "none" if reduces is not None and not reduces else "mean" if average is None or average else "sum"
        import warnings
        warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{how}' instead.", stacklevel=2)
    if how == "mean":
        return REDUCE_MEAN
    if how == "none":
        return REDUCE_NONE
    if how == "sum":
        return REDUCE_SUM
    raise ValueError(f"{how} is not a valid value for reduction")


# ---- pointwise losses -----------------------------------------------------------------------------------------------------

cdef struct Pointwise:          # what tells one pointwise loss from another
    const Row* row
    const Row* elements
    double numerator            # its gradient row takes numerator / count as its scale; 0: it takes the count itself


cdef Tensor total_of(Tensor elements, double divisor):
    """Sum over the divisor, as a 0-d tensor; no graph."""
    cdef int dt = elements.a.dtype
    cdef Launch l
    if dt == FLOAT16 or dt == BFLOAT16:
        return converted(total_of(converted(elements, FLOAT32), divisor), dt)
    if not elements.a.contiguous:
        elements = contiguous_copy(elements)
    cdef Tensor out = empty(dt, 0, NULL)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_LOSS_TOTAL, dt, 1, 1, 2
    l.ptr[0], l.ptr[1] = out.a.data, elements.a.data
    l.shape[0] = elements.a.numel
    l.stride[0][0], l.stride[1][0] = 0, itemsize(dt)
    l.attr[0].f = divisor
    run(&l)
    return out


cdef Tensor fused_mse(Tensor input, Tensor target, double divisor):
    cdef Tensor out = empty(input.a.dtype, 0, NULL)
    cdef Launch l
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_MSE_FORWARD, input.a.dtype, 1, 1, 3
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, input.a.data, target.a.data
    l.shape[0] = input.a.numel
    l.stride[0][0] = 0
    l.stride[1][0] = l.stride[2][0] = itemsize(input.a.dtype)
    l.attr[0].f = divisor
    run(&l)
    return out


cdef int warn_sizes(Tensor input, Tensor target) except -1:
    import warnings
    warnings.warn(
        f"Using a target size ({size_of(target)}) that is different to the input size ({size_of(input)}). This will likely lead to "
        "incorrect results due to broadcasting. Please ensure they have the same size.", stacklevel=2)
    return 0


cdef Tensor pointwise_loss(Pointwise* loss, Tensor input, Tensor target, int reduction, object number, Operation gradient,
                           Operation target_gradient):
    """The loss and its node.  number: the loss's own (beta, delta), or None."""
    cdef PyObject* x[3]
    cdef Tensor out
    cdef int64_t count = input.a.numel
    cdef double scale
    cdef Node node
    if loss.elements == (<Operation>op__mse).row and reduction and input.a.contiguous and target.a.contiguous \
            and same_shape(&input.a, &target.a) and input.a.dtype == target.a.dtype and input.a.dtype >= FLOAT32:
        out = fused_mse(input, target, count if reduction == REDUCE_MEAN else 1)
    else:
        x[0], x[1], x[2] = <PyObject*>input, <PyObject*>target, <PyObject*>number
        out = elementwise(loss.elements, x)
        count = out.a.numel
        if reduction:
            out = total_of(out, count if reduction == REDUCE_MEAN else 1)
    cdef uint32_t need = wants(input) | wants(target) << 1
    if need == 0:
        return out
    if reduction != REDUCE_MEAN:
        count = 1
    scale = loss.numerator / count if loss.numerator else count
    node = new_node(loss.row, 2, 1)
    if need & 1:
        set_edge(node, 0, input)
    if need & 2:
        set_edge(node, 1, target)
    node.nsaved = 6
    save_value(node, 0, input)
    save_value(node, 1, target)
    save_value(node, 2, scale)
    save_value(node, 3, number)
    save_value(node, 4, gradient)
    save_value(node, 5, target_gradient)
    set_node(out, node, 0)
    return out


cdef int pointwise_loss_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    """By the gradient's own row; the target's gradient is its negative unless the loss names another row."""
    cdef PyObject* x[5]
    cdef object d = None, other
    check_saved(node)
    x[0], x[1], x[2], x[3], x[4] = grads[0], node.saved[0], node.saved[1], node.saved[2], node.saved[3]
    other = <object>node.saved[5]
    if node.edge[0] != NULL or (node.edge[1] != NULL and other is None):
        d = elementwise((<Operation><object>node.saved[4]).row, x)
    if node.edge[0] != NULL:
        give(out, 0, d)
    if node.edge[1] != NULL:
        give(out, 1, op_neg(d) if other is None else elementwise((<Operation>other).row, x))
    return 0


cdef object weighted(Tensor elements, object weight, int reduction, bint by_weight):
    """Elements times weight, then the reduction; a mean divides by the number of elements, or by the sum of weights."""
    cdef Tensor product = op_mul(elements, weight)
    if reduction == REDUCE_NONE:
        return product
    total = op_sum(product)
    if reduction == REDUCE_SUM:
        return total
    return op_div(total, op_sum(weight) if by_weight else product.a.numel)


cdef object check_pair(const Row* row, PyObject** a, int weight):
    """Input, target and weight must be tensors; warns of broadcasting.  Returns the weight or None."""
    cdef Tensor input = tensor_argument(row, a[0], 0), target = tensor_argument(row, a[1], 1)
    if not same_shape(&input.a, &target.a):
        warn_sizes(input, target)
    if weight < 0 or a[weight] == NULL or <object>a[weight] is None:
        return None
    if not same_shape(&tensor_argument(row, a[weight], weight).a, &input.a):
        raise ValueError("Weights and input must have the same size.")
    return <object>a[weight]


cdef object mse_loss_entry(const Row* row, PyObject** a):
    cdef object weight = check_pair(row, a, 5)
    cdef int reduction = reduction_code(a[2], a[3], a[4])
    cdef Pointwise loss
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__mse).row, 2
    out = pointwise_loss(&loss, <Tensor>a[0], <Tensor>a[1], REDUCE_NONE if weight is not None else reduction, None,
                         op__mse_backward, None)
    return out if weight is None else weighted(out, weight, reduction, True)


cdef object l1_loss_entry(const Row* row, PyObject** a):
    cdef object weight = check_pair(row, a, 5)
    cdef int reduction = reduction_code(a[2], a[3], a[4])
    cdef Pointwise loss
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__l1).row, 0
    out = pointwise_loss(&loss, <Tensor>a[0], <Tensor>a[1], REDUCE_NONE if weight is not None else reduction, None,
                         op__l1_backward, None)
    return out if weight is None else weighted(out, weight, reduction, True)


cdef object smooth_l1_loss_entry(const Row* row, PyObject** a):
    cdef int reduction = reduction_code(a[2], a[3], a[4])
    cdef object beta = 1.0 if a[5] == NULL else float_argument(row, a[5], 5)
    cdef Pointwise loss
    check_pair(row, a, -1)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        loss.row, loss.elements, loss.numerator = row, (<Operation>op__l1).row, 0
        return pointwise_loss(&loss, <Tensor>a[0], <Tensor>a[1], reduction, None, op__l1_backward, None)
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__smooth_l1).row, 1
    return pointwise_loss(&loss, <Tensor>a[0], <Tensor>a[1], reduction, beta, op__smooth_l1_backward, None)


cdef object huber_loss_entry(const Row* row, PyObject** a):
    cdef object weight = check_pair(row, a, 4)
    cdef int reduction = reduction_code(NULL, NULL, a[2])
    cdef object delta = 1.0 if a[3] == NULL else float_argument(row, a[3], 3)
    cdef Pointwise loss
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, got {delta}")
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__huber).row, 1
    out = pointwise_loss(&loss, <Tensor>a[0], <Tensor>a[1], REDUCE_NONE if weight is not None else reduction, delta,
                         op__huber_backward, None)
    return out if weight is None else weighted(out, weight, reduction, False)


cdef object binary_cross_entropy_entry(const Row* row, PyObject** a):
    cdef Tensor input = tensor_argument(row, a[0], 0), target = tensor_argument(row, a[1], 1)
    cdef int reduction = reduction_code(a[3], a[4], a[5])
    cdef object weight = given_or(a[2], None)
    cdef Pointwise loss
    if not same_shape(&input.a, &target.a):
        raise ValueError(f"Using a target size ({size_of(target)}) that is different to the input size ({size_of(input)}) is "
                         "deprecated. Please ensure they have the same size.")
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__bce).row, 0
    check_probabilities(input)
    out = pointwise_loss(&loss, input, target, REDUCE_NONE if weight is not None else reduction, None, op__bce_backward,
                         op__bce_target_backward)
    return out if weight is None else weighted(out, weight, reduction, False)


cdef int check_probabilities(Tensor input) except -1:
    """All elements in [0, 1]; a NaN is not."""
    cdef PyObject* x[2]
    cdef object one = 1, none = 0
    cdef Tensor high, low
    if not is_floating(input.a.dtype):
        return 0
    x[0], x[1] = <PyObject*>input, <PyObject*>one
    high = elementwise((<Operation>op_le).row, x)
    x[1] = <PyObject*>none
    low = elementwise((<Operation>op_ge).row, x)
    if has_zero(&high.a) or has_zero(&low.a):
        raise RuntimeError("all elements of input should be between 0 and 1")
    return 0


cdef object bce_with_logits_entry(const Row* row, PyObject** a):
    cdef Tensor input = tensor_argument(row, a[0], 0), target = tensor_argument(row, a[1], 1)
    cdef int reduction = reduction_code(a[3], a[4], a[5])
    cdef object weight = given_or(a[2], None), pos_weight = given_or(a[6], None)
    cdef Pointwise loss
    if not same_shape(&input.a, &target.a):
        raise ValueError(f"Target size ({size_of(target)}) must be the same as input size ({size_of(input)})")
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__bce_logits).row, 0
    if pos_weight is None:
        out = pointwise_loss(&loss, input, target, REDUCE_NONE if weight is not None else reduction, None, op__bce_logits_backward,
                             op__bce_logits_target_backward)
        return out if weight is None else weighted(out, weight, reduction, False)
    # (1 - y) x - (1 + (p - 1) y) log sigmoid(x)
    scaled = op_mul(op_add(op_mul(op_sub(pos_weight, 1), target), 1), op_logsigmoid(input))
    out = op_sub(op_mul(op_sub(1, target), input), scaled)
    return weighted(out, 1.0 if weight is None else weight, reduction, False)


# ---- cross entropy --------------------------------------------------------------------------------------------------------

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
    if target.a.ndim != input.a.ndim - 1:
        if input.a.ndim == 2 and target.a.ndim > 1:
            raise RuntimeError("0D or 1D target tensor expected, multi-target not supported")
        raise ValueError(f"{name}: target must have one dimension less than input, got {shape_tuple(&target.a)} and "
                         f"{shape_tuple(&input.a)}")
    if input.a.ndim > 1 and input.a.shape[0] != target.a.shape[0]:
        raise ValueError(f"Expected input batch_size ({input.a.shape[0]}) to match target batch_size ({target.a.shape[0]}).")
    for d in range(2, input.a.ndim):
        if input.a.shape[d] != target.a.shape[d - 1]:
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


cdef Tensor class_weights(str name, object weight, Tensor input, int64_t classes):
    cdef Tensor w
    if weight is None:
        return None
    w = weight
    if w.a.ndim != 1 or w.a.numel != classes:
        raise RuntimeError(f"weight tensor should be defined either for all {classes} classes or no classes but got weight tensor "
                           f"of shape: {shape_list(w.a.ndim, w.a.shape)}")
    if w.a.dtype != input.a.dtype:
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


cdef object class_loss(const Row* row, Tensor given_input, Tensor target, object weight_, int reduction, int64_t ignored,
                       double smoothing, int flags):
    """nll_loss (flags 0) or cross_entropy (flags 2); a floating target holds probabilities."""
    cdef str name = row.name.decode()
    cdef bint soft = flags and is_floating(target.a.dtype)
    cdef Tensor input = given_input, weight, out, stats
    cdef Classes k
    cdef Launch l
    cdef int64_t size
    cdef int dt = given_input.a.dtype
    if not is_floating(dt):
        raise NotImplementedError(f"\"{name}\" not implemented for '{scalar_name(dt)}'")
    read_classes(name, input, &k)
    weight = class_weights(name, weight_, input, k.c)
    if soft:
        if not same_shape(&input.a, &target.a):
            raise_soft_shape(input, target)
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


cdef int raise_soft_shape(Tensor input, Tensor target) except -1:
    raise RuntimeError(f"cross_entropy: a target of probabilities must have the input's shape, got {shape_tuple(&target.a)} and "
                       f"{shape_tuple(&input.a)}")


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
    one = empty(input.a.dtype, 0, NULL)
    fill_array(&one.a, 1)
    d = class_loss_gradient(node, one)
    if not flags:
        return op_mul(along_rows(grad, input, k.dim), d)
    e, total = softmax_by_operations(input, k.dim, row_statistic(node, input, &k, 1))
    p = op_div(e, total)
    value = alias(<Tensor>p)
    factor = op_div(row_statistic(node, input, &k, 3), divisor_of(node, &k))
    return op_mul(along_rows(grad, input, k.dim), op_add(d, op_mul(op_sub(p, value), factor)))


cdef Tensor divisor_of(Node node, Classes* k):
    return view_of(<Tensor>node.saved[3], 0, NULL, NULL, 4 * k.n * k.s)


cdef object target_gradient(Node node, Tensor grad):
    """Of probabilities: -weight * log softmax * (1 - smoothing) * given / divisor; zero for the weighted part that is uniform."""
    cdef Tensor input = <Tensor>node.saved[0], w
    cdef object smoothing = (<tuple>node.saved[4])[1], e, total, logp
    cdef Classes k
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int d
    read_classes("cross_entropy", input, &k)
    cdef Tensor top = row_statistic(node, input, &k, 1)
    e, total = softmax_by_operations(input, k.dim, top)
    logp = op_sub(op_sub(input, top), op_log(total))
    if <object>node.saved[2] is not None:
        w = <Tensor>node.saved[2]
        for d in range(input.a.ndim):
            shape[d] = k.c if d == k.dim else 1
            stride[d] = 1
        logp = op_mul(logp, view_of(w, input.a.ndim, shape, stride, 0))
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
