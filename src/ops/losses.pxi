# Pointwise losses: arguments, reductions and their node; the elements and the gradients are rows of the table.
#
# The node saves input, target, what the gradient row needs (a scale or a count, and the loss's own number), and the operations
# that compute the gradients.  Classes as targets: cross_entropy.pxi.

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
        warnings.warn(f"size_average and reduce args will be deprecated, please use reduction='{how}' instead.")
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
    return sum_over(elements, (1 << elements.a.ndim) - 1, False, PLAIN, DIVIDED, divisor, 0)


cdef Tensor fused_mse(Tensor input, Tensor target, double divisor):
    cdef Tensor out = empty(input.a.dtype, 0, NULL)
    cdef Launch l
    cdef int i
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_MSE_FORWARD, input.a.dtype, 2, 2, 3
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, input.a.data, target.a.data
    l.shape[0], l.shape[1] = 1, input.a.numel
    l.stride[0][0] = l.stride[0][1] = 0
    for i in range(1, 3):
        l.stride[i][0], l.stride[i][1] = 0, itemsize(input.a.dtype)
    l.attr[1].i, l.attr[2].f = DIVIDED, divisor
    run_in_blocks(&l, out, K_SUM_FORWARD)
    return out


cdef int warn_sizes(Tensor input, Tensor target) except -1:
    import warnings
    warnings.warn(
        f"Using a target size ({size_of(target)}) that is different to the input size ({size_of(input)}). This will likely lead to "
        "incorrect results due to broadcasting. Please ensure they have the same size.")
    return 0


cdef int raise_no_dtype(const Row* row, int dt) except -1:
    raise NotImplementedError(f"\"{row.name.decode()}\" not implemented for '{scalar_name(dt)}'")


cdef Tensor pointwise_loss(Pointwise* loss, Tensor input, Tensor target, int reduction, object number, Operation gradient,
                           Operation target_gradient):
    """The loss and its node.  number: the loss's own (beta, delta), or None."""
    cdef PyObject* x[3]
    cdef Tensor out
    if is_complex(input.a.dtype) or is_complex(target.a.dtype):
        raise_no_dtype(loss.elements, input.a.dtype if is_complex(input.a.dtype) else target.a.dtype)
    if input.a.dtype != target.a.dtype and is_floating(input.a.dtype) and is_floating(target.a.dtype):
        if input.a.dtype == FLOAT64:                # both are broadcast first: a 0-d one takes part in promotion
            target = (<object>target).to((<object>input).dtype)
        elif target.a.dtype == FLOAT64:
            input = (<object>input).to((<object>target).dtype)
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


cdef object l1_of_magnitudes(object input, object target, int reduction):
    out = (input - target).abs()
    return out if reduction == REDUCE_NONE else out.mean() if reduction == REDUCE_MEAN else out.sum()


cdef object l1_loss_entry(const Row* row, PyObject** a):
    cdef object weight = check_pair(row, a, 5)
    cdef int reduction = reduction_code(a[2], a[3], a[4])
    cdef Pointwise loss
    if weight is None and (is_complex(dtype_of(a[0])) or is_complex(dtype_of(a[1]))
                           or not (is_floating(dtype_of(a[0])) or is_floating(dtype_of(a[1])))):
        return l1_of_magnitudes(<object>a[0], <object>a[1], reduction)
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
    if target.a.dtype != input.a.dtype:
        raise RuntimeError(f"binary_cross_entropy: Found dtype {scalar_name(target.a.dtype)} but expected {scalar_name(input.a.dtype)}")
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
    if not is_floating(input.a.dtype):
        raise NotImplementedError(f"\"binary_cross_entropy_with_logits\" not implemented for '{scalar_name(input.a.dtype)}'")
    if not is_floating(target.a.dtype):
        raise RuntimeError("binary_cross_entropy_with_logits: the target must be of a floating point dtype, got "
                           f"{scalar_name(target.a.dtype)}")
    loss.row, loss.elements, loss.numerator = row, (<Operation>op__bce_logits).row, 0
    if pos_weight is None:
        out = pointwise_loss(&loss, input, target, REDUCE_NONE if weight is not None else reduction, None, op__bce_logits_backward,
                             op__bce_logits_target_backward)
        return out if weight is None else weighted(out, weight, reduction, False)
    # (1 - y) x - (1 + (p - 1) y) log sigmoid(x)
    scaled = op_mul(op_add(op_mul(op_sub(pos_weight, 1), target), 1), op_logsigmoid(input))
    out = op_sub(op_mul(op_sub(1, target), input), scaled)
    return weighted(out, 1.0 if weight is None else weight, reduction, False)
