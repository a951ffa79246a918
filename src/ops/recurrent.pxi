# Recurrent layers: one layer in one direction over all its steps is one node.
#
# All inputs go through one product; a step is one product of the states and one kernel for the gates (kernels/recurrent.pxi).  Rows of
# sequences that have ended, or not begun, stay as they are in the tensor of states, so plain and packed sequences in both directions
# are one loop.  Backward runs the loop the other way and leaves the gradients of the weights to one product each.  Sources: Elman
# 1990 (RNN), Hochreiter and Schmidhuber 1997 (LSTM), Cho et al. 2014 (GRU).

cdef enum Recurrent:
    RNN_TANH = 0
    RNN_RELU
    LSTM
    GRU

cdef int GATES[4]
GATES[:] = [1, 1, 4, 3]

cdef enum:                      # edges of the node
    OF_INPUT = 0
    OF_HIDDEN
    OF_CELL
    OF_WEIGHT_IH
    OF_WEIGHT_HH
    OF_BIAS_IH
    OF_BIAS_HH
    OF_WEIGHT_HR
    RECURRENT_EDGES


@cython.final
cdef class Recurrence:
    """The sizes of a recurrent layer's pass, and what its backward reads.

    Invariants: rows are sequences at steps, in the order of the steps; step t has rows first[t] to first[t + 1], never more than the
    step before.  `given`: the states and biases, which only a graph of the gradient reads, with their versions.
    """
    cdef int mode, dt
    cdef bint reverse
    cdef int64_t batch, hidden, size            # size: of the state that is handed on, after any projection
    cdef list first
    cdef tuple given, versions
    cdef Tensor gates, before                   # the gates' values, and the states before each step
    cdef Tensor kept, cells_before, unprojected # GRU: the states' part of n, LSTM: tanh(cell); cells; outputs to be projected

    cdef int64_t rows(self) except -1:
        return self.first[len(self.first) - 1]

    cdef object steps(self, bint backward):
        cdef int64_t n = len(self.first) - 1
        return range(n - 1, -1, -1) if self.reverse != backward else range(n)


cdef inline char* at_row(Tensor t, int64_t row):
    """Where a row begins in a contiguous tensor whose last dimension is a row; NULL of no tensor."""
    if t is None:
        return NULL
    return t.a.data + row * t.a.shape[t.a.ndim - 1] * itemsize(t.a.dtype)


cdef Tensor matrix(int dt, int64_t rows, int64_t columns):
    cdef int64_t shape[2]
    shape[0], shape[1] = rows, columns
    return empty(dt, 2, shape)


cdef int copy_rows(Tensor into, int64_t row, Tensor source, int64_t source_row, int64_t n) except -1:
    cdef Launch l
    cdef int w = itemsize(into.a.dtype)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_CAST + into.a.dtype, into.a.dtype, 1, 1, 2
    l.shape[0] = n * into.a.shape[into.a.ndim - 1]
    l.ptr[0], l.ptr[1] = at_row(into, row), at_row(source, source_row)
    l.stride[0][0] = l.stride[1][0] = w
    return run(&l) if l.shape[0] else 0


cdef int product_of_rows(Tensor out, int64_t row, Tensor a, int64_t a_row, int64_t n, Tensor weight, bint transposed, Tensor bias,
                         bint accumulate) except -1:
    """out's n rows from `row` = a's n rows from `a_row` @ weight, or its transpose (+ bias) (+ out)."""
    cdef Launch l
    cdef int w = itemsize(out.a.dtype)
    cdef int64_t columns = out.a.shape[out.a.ndim - 1], k = a.a.shape[a.a.ndim - 1]
    cdef int64_t along = weight.a.stride[0] * w, across = weight.a.stride[1] * w
    if n == 0:
        return 0
    l.kernel, l.dtype, l.noperands = K_MATMUL_FORWARD if bias is None else K_LINEAR_FORWARD, out.a.dtype, 3 if bias is None else 4
    l.ptr[0], l.ptr[1], l.ptr[2], l.ptr[3] = at_row(out, row), at_row(a, a_row), weight.a.data, at_row(bias, 0)
    matrix_loop(&l, 0, n, columns, k, columns * w, k * w, w, across if transposed else along, along if transposed else across, w)
    l.attr[0].i = accumulate
    return run(&l)


cdef void gates_loop(Launch* l, int kernel, Recurrence r, int64_t n) noexcept:
    """A kernel over n rows; put_rows adds its operands in order."""
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, r.dt, 2, 2, 0
    l.shape[0], l.shape[1] = n, r.hidden


cdef int put_rows(Launch* l, Tensor t, int64_t row) except -1:
    cdef int i = l.noperands, w = itemsize(l.dtype)
    l.noperands += 1
    l.ptr[i] = at_row(t, row)
    l.stride[i][0] = 0 if t is None else t.a.shape[t.a.ndim - 1] * w
    l.stride[i][1] = 0 if t is None else w
    return 0


# forward

cdef object recurrent_layer_entry(const Row* row, PyObject** a):
    cdef list inputs = [None if a[i] == NULL else <object>a[i] for i in range(RECURRENT_EDGES)]
    cdef int i, mode = int_argument(row, a[8], 8), dt
    cdef bint reverse = a[9] != NULL and bool_argument(row, a[9], 9)
    cdef object sizes = None if a[10] == NULL else <object>a[10]
    cdef uint32_t need = 0
    cdef Node node
    cdef tuple results
    for i in range(RECURRENT_EDGES):
        if inputs[i] is not None or i in (OF_INPUT, OF_HIDDEN, OF_WEIGHT_IH, OF_WEIGHT_HH):
            tensor_argument(row, a[i], i)
    dt = (<Tensor>inputs[0]).a.dtype
    if dt == FLOAT16 or dt == BFLOAT16:
        inputs = [None if t is None else op_to(t, dtype_object(FLOAT32)) for t in inputs]
        results = op__recurrent_layer(*inputs, mode, reverse, sizes)
        return tuple([op_to(t, dtype_object(dt)) for t in results])
    cdef Recurrence r = new_recurrence(mode, reverse, sizes, inputs)
    results = run_layer(r, inputs)
    for i in range(RECURRENT_EDGES):
        if inputs[i] is not None:
            need |= wants(inputs[i]) << i
    if need == 0:
        return results
    node = new_node(row, RECURRENT_EDGES, len(results))
    for i in range(RECURRENT_EDGES):
        if need >> i & 1:
            set_edge(node, i, <Tensor>inputs[i])
    node.nsaved = 6
    for i, place in enumerate((OF_INPUT, OF_WEIGHT_IH, OF_WEIGHT_HH, OF_WEIGHT_HR)):
        save_value(node, i, inputs[place])
    if mode <= RNN_RELU:
        save_result(node, 4, results[0])
    save_value(node, 5, r)
    for i in range(len(results)):
        set_node(<Tensor>results[i], node, i)
    return results


cdef Recurrence new_recurrence(int mode, bint reverse, object sizes, list inputs):
    """The layer's sizes, after checks of everything that the loops rely on."""
    cdef Recurrence r = Recurrence.__new__(Recurrence)
    cdef Tensor input = inputs[OF_INPUT], hidden = inputs[OF_HIDDEN]
    cdef int64_t total = 0, n
    if not RNN_TANH <= mode <= GRU or (mode == LSTM) != (inputs[OF_CELL] is not None) or (mode != LSTM and inputs[OF_WEIGHT_HR] is not None):
        raise RuntimeError(f"recurrent_layer: unknown mode {mode}, or states and projections that it does not have")
    r.mode, r.dt, r.reverse, r.given = mode, input.a.dtype, reverse, tuple(inputs)
    if not is_floating(r.dt) or hidden.a.ndim != 2 or input.a.ndim != (3 if sizes is None else 2):
        raise RuntimeError(f"recurrent_layer: expected floats, (steps, batch, features) and states (batch, size), got "
                           f"{shape_tuple(&input.a)} and {shape_tuple(&hidden.a)}")
    r.batch, r.size = hidden.a.shape[0], hidden.a.shape[1]
    r.hidden = r.size if inputs[OF_CELL] is None else (<Tensor>inputs[OF_CELL]).a.shape[(<Tensor>inputs[OF_CELL]).a.ndim - 1]
    sizes = [r.batch] * input.a.shape[0] if sizes is None else list(sizes)
    r.first = [0]
    for n in sizes:
        if n < 0 or n > (r.batch if len(r.first) == 1 else <int64_t>sizes[len(r.first) - 2]):
            raise RuntimeError(f"recurrent_layer: batch sizes must not grow, got {sizes}")
        total += n
        r.first.append(total)
    cdef int64_t features = input.a.shape[input.a.ndim - 1], gates = GATES[mode] * r.hidden
    cdef list whole = [input.a.shape[0], r.batch, features] if input.a.ndim == 3 else [total, features]
    wanted = (tuple(whole), (r.batch, r.size), (r.batch, r.hidden), (gates, features), (gates, r.size), (gates,), (gates,),
              (r.size, r.hidden))
    for i, shape in enumerate(wanted):
        if inputs[i] is not None and (shape_tuple(&(<Tensor>inputs[i]).a) != shape or (<Tensor>inputs[i]).a.dtype != r.dt):
            raise RuntimeError(f"recurrent_layer: argument {i + 1} must have shape {shape} and dtype {dtype_object(r.dt)}, got "
                               f"{shape_tuple(&(<Tensor>inputs[i]).a)} and {dtype_object((<Tensor>inputs[i]).a.dtype)}")
    if inputs[OF_WEIGHT_HR] is None and r.size != r.hidden:
        raise RuntimeError(f"recurrent_layer: states of size {r.size} and cells of size {r.hidden} need a projection")
    r.versions = tuple([0 if t is None else (<Tensor>t).storage.version for t in inputs])
    return r


cdef Tensor contiguous_or_none(object t):
    return None if t is None else contiguous(<Tensor>t)


cdef tuple run_layer(Recurrence r, list inputs):
    """The outputs, laid out as the input, and the last states."""
    cdef Tensor input = inputs[OF_INPUT], weight = inputs[OF_WEIGHT_HH], projection = inputs[OF_WEIGHT_HR]
    cdef Tensor bias = contiguous_or_none(inputs[OF_BIAS_HH]), out, sums, cell = None
    cdef Tensor state = contiguous_copy(<Tensor>inputs[OF_HIDDEN])
    cdef int64_t shape[3]
    cdef int64_t t, n, at, rows = r.rows()
    cdef int w = itemsize(r.dt)
    shape[0], shape[1], shape[input.a.ndim - 1] = input.a.shape[0], input.a.shape[1], r.size
    out = empty(r.dt, input.a.ndim, shape)
    r.gates = product("linear", input, <Tensor>inputs[OF_WEIGHT_IH], False, True, contiguous_or_none(inputs[OF_BIAS_IH]))
    r.before, sums = matrix(r.dt, rows, r.size), matrix(r.dt, r.batch, GATES[r.mode] * r.hidden)
    if r.mode >= LSTM:
        r.kept = matrix(r.dt, rows, r.hidden)
    if r.mode == LSTM:
        cell, r.cells_before = contiguous_copy(<Tensor>inputs[OF_CELL]), matrix(r.dt, rows, r.hidden)
    if projection is not None:
        r.unprojected = matrix(r.dt, rows, r.hidden)
    weight = transposed_weight(weight, r)
    for t in r.steps(False):
        at = r.first[t]
        n = r.first[t + 1] - at
        copy_rows(r.before, at, state, 0, n)
        product_of_rows(sums, 0, state, 0, n, weight, False, bias, False)
        run_gates(r, at, n, out if projection is None else r.unprojected, sums, cell)
        if projection is not None:
            product_of_rows(out, at, r.unprojected, at, n, projection, True, None, False)
        copy_rows(state, 0, out, at, n)
    return (out, state) if cell is None else (out, state, cell)


cdef Tensor transposed_weight(Tensor weight, Recurrence r):
    """The weights of the states as (state, gates): laid out so once where many steps of many rows read them."""
    cdef int64_t shape[2]
    cdef int64_t stride[2]
    shape[0], shape[1] = weight.a.shape[1], weight.a.shape[0]
    stride[0], stride[1] = weight.a.stride[1], weight.a.stride[0]
    cdef Tensor turned = view_of(weight, 2, shape, stride, 0)
    return contiguous_copy(turned) if len(r.first) > 2 and r.batch >= 16 else turned


cdef int run_gates(Recurrence r, int64_t at, int64_t n, Tensor out, Tensor sums, Tensor cell) except -1:
    cdef Launch l
    gates_loop(&l, K_LSTM_FORWARD if r.mode == LSTM else K_GRU_FORWARD if r.mode == GRU else K_RNN_FORWARD, r, n)
    put_rows(&l, out, at)
    put_rows(&l, r.gates, at)
    put_rows(&l, sums, 0)
    if r.mode == LSTM:
        put_rows(&l, cell, 0)
        put_rows(&l, r.cells_before, at)
        put_rows(&l, r.kept, at)
    elif r.mode == GRU:
        put_rows(&l, r.before, at)
        put_rows(&l, r.kept, at)
    l.attr[0].i = r.mode == RNN_RELU
    return run(&l) if n else 0


# backward

cdef int recurrent_layer_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    check_saved(node)
    cdef Recurrence r = <Recurrence>node.saved[5]
    cdef int i
    if create_graph:
        for i in (OF_HIDDEN, OF_CELL, OF_BIAS_IH, OF_BIAS_HH):
            if r.given[i] is not None and (<Tensor>r.given[i]).storage.version != r.versions[i]:
                raise RuntimeError("one of the variables needed for gradient computation has been modified by an inplace operation: a "
                                   "state or bias of a recurrent layer")
        return give_by_operations(node, grads, out, layer_by_operations, list(r.given), r)
    cdef Tensor sums, inner = matrix(r.dt, r.rows(), GATES[r.mode] * r.hidden), wide
    cdef Tensor hidden = first_gradient(grads[1], r, r.size)
    cdef Tensor cell = first_gradient(grads[2], r, r.hidden) if r.mode == LSTM else None
    cdef Tensor projection = None if <object>node.saved[3] is None else <Tensor>node.saved[3], projected = None
    cdef Tensor y = <Tensor>node.saved[4] if r.mode <= RNN_RELU else None
    sums = matrix(r.dt, r.rows(), GATES[r.mode] * r.hidden) if r.mode == GRU else inner
    if projection is not None:
        projected = matrix(r.dt, r.rows(), r.size)
    walk_back(r, None if grads[0] == NULL else contiguous(<Tensor>grads[0]), hidden, cell, inner, sums, y, projection, projected,
              <Tensor>node.saved[2])
    if node.edge[OF_INPUT] != NULL:
        wide = product("linear", inner, <Tensor>node.saved[1], False, False, None)
        give(out, OF_INPUT, op_view(wide, shape_tuple(&(<Tensor>node.saved[0]).a)))
    if node.edge[OF_HIDDEN] != NULL:
        give(out, OF_HIDDEN, hidden)
    if node.edge[OF_CELL] != NULL:
        give(out, OF_CELL, cell)
    if node.edge[OF_WEIGHT_IH] != NULL:
        give(out, OF_WEIGHT_IH, product("linear", inner, as_rows(contiguous(<Tensor>node.saved[0])), True, False, None))
    if node.edge[OF_WEIGHT_HH] != NULL:
        give(out, OF_WEIGHT_HH, product("linear", sums, r.before, True, False, None))
    if node.edge[OF_BIAS_IH] != NULL:
        give(out, OF_BIAS_IH, sum_over(inner, 1, False, PLAIN, AS_IS, 0, 0))
    if node.edge[OF_BIAS_HH] != NULL:
        give(out, OF_BIAS_HH, sum_over(sums, 1, False, PLAIN, AS_IS, 0, 0))
    if node.edge[OF_WEIGHT_HR] != NULL:
        give(out, OF_WEIGHT_HR, product("linear", projected, r.unprojected, True, False, None))
    return 0


cdef Tensor first_gradient(PyObject* given, Recurrence r, int64_t size):
    """Where the gradient of a state is carried through the steps: what was given for the last one, to begin with."""
    cdef Tensor out = matrix(r.dt, r.batch, size)
    if given == NULL:
        fill_array(&out.a, 0)
    else:
        copy_array(&out.a, &(<Tensor>given).a)
    return out


cdef int walk_back(Recurrence r, Tensor given, Tensor hidden, Tensor cell, Tensor inner, Tensor sums, Tensor y, Tensor projection,
                   Tensor projected, Tensor weight) except -1:
    """The steps in reverse: inner and sums get the gradients of the gates' sums, projected those of what was projected; hidden and
    cell are carried."""
    cdef Tensor carried = hidden, added = given
    cdef int64_t t, n, at
    if projection is not None:
        carried, added = matrix(r.dt, r.batch, r.hidden), None
    for t in r.steps(True):
        at = r.first[t]
        n = r.first[t + 1] - at
        if projection is not None:
            copy_rows(projected, at, hidden, 0, n)
            if given is not None:
                add_rows(projected, at, given, n)
            product_of_rows(carried, 0, projected, at, n, projection, False, None, False)
        run_gates_back(r, at, n, carried, added, cell, inner, sums, y)
        product_of_rows(hidden, 0, sums, at, n, weight, False, None, r.mode == GRU)
    return 0


cdef int add_rows(Tensor into, int64_t row, Tensor added, int64_t n) except -1:
    """into's n rows from `row` += the same of another."""
    cdef Launch l
    cdef int i, w = itemsize(into.a.dtype)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_ADD, into.a.dtype, 1, 1, 3
    l.shape[0] = n * into.a.shape[into.a.ndim - 1]
    l.ptr[0], l.ptr[1], l.ptr[2] = at_row(into, row), at_row(into, row), at_row(added, row)
    for i in range(3):
        l.stride[i][0] = w
    return run(&l) if l.shape[0] else 0


cdef int run_gates_back(Recurrence r, int64_t at, int64_t n, Tensor carried, Tensor given, Tensor cell, Tensor inner, Tensor sums,
                        Tensor y) except -1:
    cdef Launch l
    cdef int flag = 0
    gates_loop(&l, K_LSTM_BACKWARD if r.mode == LSTM else K_GRU_BACKWARD if r.mode == GRU else K_RNN_BACKWARD, r, n)
    put_rows(&l, inner, at)
    if r.mode == LSTM:
        put_rows(&l, r.gates, at)
        put_rows(&l, r.kept, at)
        put_rows(&l, r.cells_before, at)
        put_rows(&l, cell, 0)
    elif r.mode == GRU:
        put_rows(&l, sums, at)
        put_rows(&l, r.gates, at)
        put_rows(&l, r.kept, at)
        put_rows(&l, r.before, at)
    else:
        l.attr[0].i = r.mode == RNN_RELU
        flag = 1
    put_rows(&l, carried, 0)
    put_rows(&l, given, at)
    l.attr[flag].i = given is not None
    if flag:
        put_rows(&l, y, at)
    return run(&l) if n else 0


# the layer as operations, for gradients of its gradients

cdef tuple layer_by_operations(list inputs, object options):
    cdef Recurrence r = options
    hidden, cell = inputs[OF_HIDDEN], inputs[OF_CELL]
    sums = as_rows(op_linear(inputs[OF_INPUT], inputs[OF_WEIGHT_IH], inputs[OF_BIAS_IH]))
    cdef list outputs = [None] * (len(r.first) - 1)
    cdef int64_t n
    for t in r.steps(False):
        n = r.first[t + 1] - r.first[t]
        x = op_narrow(sums, 0, r.first[t], n)
        h, c = op_narrow(hidden, 0, 0, n), None if cell is None else op_narrow(cell, 0, 0, n)
        h, c = step_by_operations(r.mode, x, op_linear(h, inputs[OF_WEIGHT_HH], inputs[OF_BIAS_HH]), h, c)
        if inputs[OF_WEIGHT_HR] is not None:
            h = op_linear(h, inputs[OF_WEIGHT_HR])
        outputs[t] = h
        hidden = with_first_rows(hidden, h, r.batch - n)
        if cell is not None:
            cell = with_first_rows(cell, c, r.batch - n)
    output = op_cat(outputs)
    if (<Tensor>inputs[OF_INPUT]).a.ndim == 3:
        output = op_reshape(output, (len(outputs), r.batch, r.size))
    return (output, hidden) if cell is None else (output, hidden, cell)


cdef object with_first_rows(object whole, object rows, int64_t rest):
    return op_cat([rows, op_narrow(whole, 0, (<Tensor>rows).a.shape[0], rest)]) if rest else rows


cdef tuple step_by_operations(int mode, object x, object s, object h, object c):
    """The next states (h, c) from the parts of the gates' sums."""
    if mode == RNN_TANH:
        return op_tanh(op_add(x, s)), None
    if mode == RNN_RELU:
        return op_relu(op_add(x, s)), None
    if mode == LSTM:
        i, f, g, o = op_chunk(op_add(x, s), 4, 1)
        c = op_add(op_mul(op_sigmoid(f), c), op_mul(op_sigmoid(i), op_tanh(g)))
        return op_mul(op_sigmoid(o), op_tanh(c)), c
    (xr, xz, xn), (sr, sz, sn) = op_chunk(x, 3, 1), op_chunk(s, 3, 1)
    r, z = op_sigmoid(op_add(xr, sr)), op_sigmoid(op_add(xz, sz))
    n = op_tanh(op_add(xn, op_mul(r, sn)))
    return op_add(n, op_mul(z, op_sub(h, n))), None
