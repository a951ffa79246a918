# Elementwise operations: one path for all of them, forward and backward.
#
# A row gives the kernel, the dtype rule and what each input's gradient reads; everything else (promotion, broadcasting,
# memory order, numbers among the operands, the node) is here, once.

cdef enum:
    REUSED = 4096                 # elements from which writing over memory in the cache is worth looking for


cdef Tensor plain(const Row* row, int kernel, PyObject** x, int n, PyObject** attr, Tensor into):
    """The common case at little cost, None for any other: float tensors of one dtype and shape, contiguous, and among them
    single values (0-d tensors of that dtype, Python floats and ints).  Arguments as compute's."""
    cdef Launch l
    cdef char* p[MAX_OPERANDS]
    cdef Array* like
    cdef Kernel function
    cdef Tensor out
    cdef int i
    for i in range(row.nattrs):           # first: a subclass of int may run Python code, which may change a tensor
        l.attr[i].f = scalar_of(<object>attr[i])
    like = shape_giver(NULL, x[0])        # one and two operands are written out: loops over them cost more than what they do
    if n > 1:
        like = shape_giver(like, x[1])
        for i in range(2, n):
            like = shape_giver(like, x[i])
    if unlikely(like == NULL) or unlikely(like.dtype < FLOAT32) or unlikely(like.numel == 0):
        return None
    function = kernel_table.kernel[kernel * NDTYPES + like.dtype]
    if unlikely(function == NULL) or unlikely(not set_operand(&l, p, 1, x[0], like)):
        return None
    if n > 1:
        if unlikely(not set_operand(&l, p, 2, x[1], like)):
            return None
        for i in range(2, n):
            if not set_operand(&l, p, i + 1, x[i], like):
                return None
    if likely(into is None):
        out = empty_as(BOOL if row.rule == PREDICATE else like.dtype, like)
    elif into.a.dtype != like.dtype or not into.a.contiguous or not same_shape(&into.a, like) or may_overwrite(into, x, n):
        return None
    else:
        out = into
    p[0] = l.ptr[0] = out.a.data
    l.stride[0][0] = ITEMSIZE[out.a.dtype]
    l.kernel = kernel
    l.dtype = like.dtype
    l.ndim = l.core = 1
    l.noperands = n + 1
    l.shape[0] = like.numel
    run_flat(&l, p, function)
    return out


cdef inline Array* shape_giver(Array* before, PyObject* x) noexcept:
    """The first tensor that is no single value; where all are, the last."""
    return &(<Tensor>x).a if (before == NULL or before.ndim == 0) and is_tensor(x) else before


cdef inline bint set_operand(Launch* l, char** p, int i, PyObject* x, const Array* like) except -1:
    """Make x operand i of a flat loop over what has the shape and dtype of `like`; False if it takes more than that."""
    cdef Array* a
    if is_tensor(x):
        a = &(<Tensor>x).a
        if unlikely(a.dtype != like.dtype) or unlikely(not a.contiguous):
            return False
        if a == like or (a.ndim and same_shape(a, like)):
            l.stride[i][0] = ITEMSIZE[like.dtype]
        elif a.ndim:
            return False
        else:
            l.stride[i][0] = 0
        p[i] = l.ptr[i] = a.data
        return True
    if not PyFloat_CheckExact(<object>x):
        if unlikely(not PyLong_CheckExact(<object>x)):
            return False
        check_scalar(<object>x)
    p[i], l.ptr[i], l.stride[i][0] = <char*>&l.scalar[i], NULL, 0
    store_number(like.dtype, <object>x, p[i])
    return True


cdef bint may_overwrite(Tensor into, PyObject** x, int n):
    """As overlaps, of the tensors among x."""
    cdef Array* operand[MAX_OPERANDS]
    cdef int i
    for i in range(n):
        operand[i] = &(<Tensor>x[i]).a if is_tensor(x[i]) else NULL
    return overlaps(into, operand, n)


cdef Tensor compute(const Row* row, int kernel, int loop, int result, uint8_t bools, PyObject** x, int n,
                    PyObject** attr, Tensor into):
    """Run an elementwise kernel over tensors and numbers; no graph.

    loop: dtype of the kernel; result: dtype of the output.  Operand i is read as bool where bit i of `bools` is set, and
    otherwise in the loop's dtype.  attr: the row's numbers, Python objects.  into: where to write, or None.
    """
    cdef Launch l
    cdef Array* operand[MAX_OPERANDS]
    cdef Tensor t, out
    cdef list temporaries = None
    cdef int i, want
    cdef int computed = BOOL if row.rule == PREDICATE else loop
    for i in range(n):
        want = BOOL if bools >> i & 1 else loop
        operand[i + 1] = NULL
        if is_tensor(x[i]):
            t = <Tensor>x[i]
            if t.a.dtype != want:
                t = converted(t, want)
                if temporaries is None:
                    temporaries = []
                temporaries.append(t)
            operand[i + 1] = &t.a
        elif n == 1:
            raise TypeError(f"{row.name.decode()}(): argument 'input' (position 1) must be Tensor, not {type(<object>x[0]).__name__}")
        else:
            check_scalar(<object>x[i])
            store_number(want, <object>x[i], &l.scalar[i + 1])
    for i in range(row.nattrs):
        l.attr[i].f = scalar_of(<object>attr[i])
    l.kernel = kernel
    l.dtype = loop
    l.core = 1
    l.noperands = n + 1
    out = general_loop(row, &l, operand, n, computed, into)
    for i in range(n + 1):                # last: reading the numbers above may have run Python code
        l.ptr[i] = operand[i].data if operand[i] != NULL else NULL
    if out.a.numel:
        run(&l)
    if into is not None:
        if out is not into:
            copy_array(&into.a, &out.a)
        return into
    if computed != result:
        return converted(out, result)
    return out


cdef Tensor general_loop(const Row* row, Launch* l, Array** operand, int n, int computed, Tensor into):
    """Broadcast, choose the memory order, lay out the loop.  Returns the tensor that the kernel writes."""
    cdef Array shape
    cdef int8_t perm[MAX_DIMS]
    cdef Tensor out
    cdef int i
    broadcast(row.name, operand + 1, n, &shape)
    if into is not None:
        if not same_shape(&into.a, &shape):
            raise RuntimeError(
                f"{row.name.decode()}: output with shape {shape_tuple(&into.a)} doesn't match the broadcast shape "
                f"{shape_tuple(&shape)}")
        if into.a.dtype == computed and not overlaps(into, operand + 1, n):
            out = into
            operand[0] = &out.a
            order_dims(operand, n + 1, &shape, perm)
            fill_loop(l, operand, n + 1, perm)
            by_planes(l, SHORT_ROW)
            return out
    order_dims(operand + 1, n, &shape, perm)
    out = empty_in_order(computed, &shape, perm)
    operand[0] = &out.a
    fill_loop(l, operand, n + 1, perm)
    by_planes(l, SHORT_ROW)
    return out


cdef bint overlaps(Tensor into, Array** operand, int n):
    """Whether writing `into` could change what is still to be read: shared memory in another geometry."""
    cdef char* low
    cdef char* high
    cdef char* other_low
    cdef char* other_high
    cdef int i
    span(&into.a, &low, &high)
    for i in range(n):
        if operand[i] == NULL:
            continue
        if operand[i].data == into.a.data and same_shape(operand[i], &into.a) and same_strides(operand[i], &into.a):
            continue
        span(operand[i], &other_low, &other_high)
        if other_low < high and low < other_high:
            return True
    return False


cdef void span(const Array* a, char** low, char** high) noexcept:
    cdef int d
    cdef int64_t least = 0, most = 0
    for d in range(a.ndim):
        if a.shape[d] == 0:
            low[0] = high[0] = a.data
            return
        if a.stride[d] < 0:
            least += a.stride[d] * (a.shape[d] - 1)
        else:
            most += a.stride[d] * (a.shape[d] - 1)
    low[0] = a.data + least * ITEMSIZE[a.dtype]
    high[0] = a.data + (most + 1) * ITEMSIZE[a.dtype]


cdef inline int promote_with(Promotion* p, PyObject* x) except -2:
    """Take one operand into account; -1 if it is neither a tensor nor a number."""
    cdef int dt
    if not is_tensor(x):
        dt = number_dtype(<object>x)
        p.wrapped = promote(dt, p.wrapped)
        return dt
    dt = (<Tensor>x).a.dtype
    if (<Tensor>x).a.ndim:
        p.dim = promote(dt, p.dim)
    else:
        p.zero = promote(dt, p.zero)
    return dt


cdef int common_dtype(const Row* row, PyObject** x, int n, int* loop, int* result) except -1:
    """The dtype of the loop and of the result, by promotion and the row's rule."""
    cdef Promotion p
    cdef int i, dt
    p.dim = p.zero = p.wrapped = -1
    for i in range(n):
        if not row.bools >> i & 1 and promote_with(&p, x[i]) < 0:
            raise TypeError(f"{row.name.decode()}: argument {i + 1} must be a Tensor or a number, not {type(<object>x[i]).__name__}")
    if p.dim < 0 and p.zero < 0 and not row.numbers:
        raise TypeError(f"{row.name.decode()}(): one of the arguments must be a Tensor, got numbers alone")
    dt = promoted(&p)
    if row.rule == FLOATING and not is_floating(dt):
        dt = default_float
    result[0] = BOOL if row.rule == PREDICATE else dt
    if dt == FLOAT16 or dt == BFLOAT16:
        dt = FLOAT32
    loop[0] = dt
    if not has_kernel(row.kernel, dt):
        raise_no_kernel(row, dt)
    return 0


cdef int raise_no_kernel(const Row* row, int dt) except -1:
    raise NotImplementedError(f"\"{row.name.decode()}\" not implemented for '{SCALAR_NAMES[dt]}'")


cdef object elementwise(const Row* row, PyObject** x):
    """The entry of every elementwise operation: x holds its inputs, then its numbers."""
    cdef uint32_t need
    cdef Tensor out = None
    if unlikely(offered != NULL) and offered_row == row:
        out = written_at_once(row, x)
        if out is not None:
            return out
    if likely(row.bools == 0):
        out = plain(row, row.kernel, x, row.ninputs, x + row.ninputs, None)
    if unlikely(out is None):
        out = promoted_and_broadcast(row, x)
    if fg_grad_enabled and likely(row.backward != NULL):
        need = wanting(x, row.ninputs)
        if need and likely(is_floating(out.a.dtype)):
            set_node(out, elementwise_node(row, x, out, need), 0)
    return out


cdef PyObject* offered = NULL         # the tensor that out= names: the result of this row may be computed where it lies
cdef const Row* offered_row = NULL


cdef Tensor written_at_once(const Row* row, PyObject** x):
    """The result in the offered tensor, None if it takes more than that: it is copied there then, or refused."""
    global offered
    cdef Tensor into = <Tensor>offered
    offered = NULL                        # first: reading numbers may run Python code, and so other operations
    if row.bools or row.rule == PREDICATE or plain(row, row.kernel, x, row.ninputs, x + row.ninputs, into) is None:
        return None
    into.storage.version += 1
    return into


cdef Tensor promoted_and_broadcast(const Row* row, PyObject** x):
    """The result where `plain` has none."""
    cdef int loop, result, n = row.ninputs
    common_dtype(row, x, n, &loop, &result)
    return compute(row, row.kernel, loop, result, row.bools, x, n, x + n, None)


cdef inline uint32_t wanting(PyObject** x, int n) noexcept:
    """Bit i is set where x[i] is a tensor that wants a gradient."""
    cdef uint32_t need = is_tensor(x[0]) and needs(x[0])
    cdef int i
    if n > 1 and is_tensor(x[1]) and needs(x[1]):
        need |= 2
    for i in range(2, n):
        if is_tensor(x[i]) and needs(x[i]):
            need |= 1 << i
    return need


cdef Node elementwise_node(const Row* row, PyObject** x, Tensor out, uint32_t need):
    """A node with edges to the inputs in `need`, and saved: what their gradients read."""
    cdef int i, n = row.ninputs
    cdef uint8_t reads = 0
    cdef Node node = new_node(row if row.number_form == NULL or is_tensor(x[n - 1]) else row.number_form, n, 1)
    for i in range(n):
        if need >> i & 1:
            set_edge_to(node, i, x[i])
            reads |= row.uses[i]
    if reads == 0 and row.nattrs == 0:
        return node
    node.nsaved = n + 1 + row.nattrs
    for i in range(n):
        if reads >> i & 1:
            save(node, i, x[i])
    if reads & 0x80:
        save_result(node, n, out)
    for i in range(row.nattrs):
        save(node, n + 1 + i, x[n + i])
    return node


cdef int elementwise_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    """Each input's gradient: the incoming one itself, the row's fused kernel, or its differentiable form."""
    cdef const Row* row = node.row
    cdef int i
    check_saved(node)
    for i in range(row.ninputs):
        if node.edge[i] == NULL:
            continue
        if row.grad_kernel[i] == PASS_GRADIENT:
            Py_INCREF(<object>grads[0])
            out[i] = grads[0]
        elif unlikely(row.grad_kernel[i] == NO_GRADIENT):
            raise NotImplementedError(f"the derivative for '{row.name.decode()}' with respect to its argument {i + 1} is not implemented.")
        elif unlikely(create_graph):
            give(out, i, differentiable(node, i, <Tensor>grads[0]))
        else:
            give(out, i, fused_gradient(node, row, i, grads[0]))
    return 0


cdef Tensor fused_gradient(Node node, const Row* row, int i, PyObject* grad):
    """The gradient of input i by the row's kernel."""
    cdef PyObject* x[MAX_OPERANDS]
    cdef uint8_t uses = row.uses[i], bools = 0
    cdef int j, dt, m = 0, n = row.ninputs
    cdef Tensor value
    if uses & 0x40:
        x[0] = grad
        m = 1
    for j in range(n):
        if uses >> j & 1:
            bools |= (row.bools >> j & 1) << m
            x[m] = node.saved[j]
            m += 1
    if uses & 0x80:
        x[m] = node.saved[n]
        m += 1
    if likely(bools == 0):
        value = plain(row, row.grad_kernel[i], x, m, node.saved + n + 1, dying(node, i, grad))
        if likely(value is not None):
            return value
    dt = (<Tensor>grad).a.dtype
    return compute(row, row.grad_kernel[i], FLOAT32 if is_narrow(dt) else dt, dt, bools, x, m, node.saved + n + 1, None)


cdef inline Tensor dying(Node node, int i, PyObject* grad):
    """The incoming gradient, if that of input i may be written over it."""
    return overwritable(node, i, <Tensor>grad) if unlikely((<Tensor>grad).a.numel >= REUSED) else None


cdef Tensor overwritable(Node node, int i, Tensor grad):
    """`grad`, if nobody but the walk holds it, and no other input needs it any more."""
    cdef int j
    if node.extra is not None or not exclusive(grad, 1):
        return None
    for j in range(i + 1, node.row.ninputs):
        if node.edge[j] != NULL:
            return None
    return grad


cdef object differentiable(Node node, int i, Tensor grad):
    """The gradient of input i in terms of operations, so that it can be differentiated again."""
    cdef PyObject* saved[MAX_SAVED]
    cdef int j, result = node.row.ninputs
    cdef Tensor own
    saved[result] = NULL
    for j in range(node.nsaved):
        saved[j] = node.saved[j]
    if saved[result] != NULL:
        own = alias(<Tensor>saved[result])
        set_node(own, node, 0)
        saved[result] = <PyObject*>own
    return node.row.formula[i](grad, saved)


cdef object inplace_elementwise(const Row* row, PyObject** x):
    """`x.op_(...)`: the same, written over its first input."""
    cdef int loop, result, i, n = row.ninputs
    cdef uint32_t need = 0
    cdef uint8_t reads = 0
    cdef Node node
    cdef Tensor before, t
    cdef PyObject* given[MAX_OPERANDS]
    if not is_tensor(x[0]):
        raise TypeError(f"{row.name.decode()}_(): argument 'input' (position 1) must be Tensor, not {type(<object>x[0]).__name__}")
    t = <Tensor>x[0]
    common_dtype(row, x, n, &loop, &result)
    if category(result) > category(t.a.dtype):
        raise RuntimeError(
            f"{row.name.decode()}: result type {SCALAR_NAMES[result]} can't be cast to the desired output type "
            f"{SCALAR_NAMES[t.a.dtype]}")
    if fg_grad_enabled:
        need = wanting(x, n)
    check_inplace(t, need != 0)
    for i in range(1, n):
        refuse_overlap(t, x[i], OVERLAP_WHOLE)
        if need >> i & 1:
            node_of(<Tensor>x[i])         # raises now, before the write, if it has to
    if need == 0 or row.backward == NULL or not is_floating(t.a.dtype):
        if row.bools or row.rule == PREDICATE or plain(row, row.kernel, x, n, x + n, t) is None:
            compute(row, row.kernel, loop, t.a.dtype, row.bools, x, n, x + n, t)
        t.storage.version += 1
        return t
    for i in range(n + row.nattrs):
        given[i] = x[i]
    for i in range(n):
        if need >> i & 1:
            reads |= row.uses[i]
    if reads & 1:
        before = value_before(t)
        given[0] = <PyObject*>before
    compute(row, row.kernel, loop, t.a.dtype, row.bools, x, n, x + n, t)
    t.storage.version += 1
    node = elementwise_node(row, given, t, need)
    if reads & 1 and need & 1:
        clear_slot(&node.edge[0])
        set_edge(node, 0, t)
    rebase_written(t, node)
    return t


cdef Tensor value_before(Tensor t):
    """The value an in-place operation is about to overwrite, with t's place in the graph: for gradients that read it."""
    cdef Tensor before = converted(t, t.a.dtype)
    before.node, before.nr = node_of(t), t.nr
    before.flags = t.flags & (REQUIRES_GRAD | INFERENCE)
    return before


cdef inline void give(PyObject** out, int i, object value) noexcept:
    """Hand over a gradient; None: the input has none after all."""
    if value is not None:
        Py_INCREF(value)
        out[i] = <PyObject*>value
