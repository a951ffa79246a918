# x[...] and its writing: basic indices become one view, index tensors a plan over that view.
#
# PyTorch's rules: integers, slices, None and Ellipsis are applied first, whatever else is there; index tensors that stand side
# by side leave their dimensions in place, separated ones bring them to the front; a mask counts as one index over its dimensions.

cdef class Index:
    """A parsed index: the view that its basic part is, and the index tensors over that view.

    Invariants: `g` is the view over the tensor's own strides, `plain` the same over row-major ones; `dims` are dimensions of `g`.
    """
    cdef Geometry g
    cdef Geometry plain
    cdef list tensors, dims, spans
    cdef bint selects, adds, changed   # the last item was an integer, or None
    cdef object mask                   # the only index tensor, if it is a mask


cdef inline bint is_integer(object x) except -1:
    if PyLong_Check(x):
        return not PyBool_Check(x)
    if is_tensor(<PyObject*>x):
        return (<Tensor>x).a.ndim == 0 and (<Tensor>x).a.dtype not in (BOOL, UINT8) and not is_floating((<Tensor>x).a.dtype)
    if isinstance(x, (slice, tuple, list, float, str)) or not hasattr(x, "__index__"):
        return False
    return getattr(x, "ndim", 0) == 0 and getattr(getattr(x, "dtype", None), "kind", "i") in "iu"


cdef tuple index_items(object index):
    if isinstance(index, tuple):
        return index
    if isinstance(index, list) and len(index) < 32:
        for one in index:                       # a list that holds more than numbers stands for a tuple, for now as in PyTorch
            if one is None or one is Ellipsis or isinstance(one, slice) or is_tensor(<PyObject*>one) or PySequence_Check(one):
                return tuple(index)
    return (index,)


cdef Tensor index_tensor(object x):
    """An integer or bool tensor from a list, a range or an array."""
    cdef Tensor t
    if is_tensor(<PyObject*>x):
        t = <Tensor>x
    elif isinstance(x, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{type(x).__name__}'")
    elif PySequence_Check(x):
        t = tensor_from(list(x) if isinstance(x, range) else x, None)
        if is_floating(t.a.dtype) and not is_complex(t.a.dtype):
            t = converted(t, INT64)
    else:
        kind = type(x)
        raise IndexError("only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got "
                         f"{kind.__name__ if kind.__module__ == 'builtins' else kind.__module__ + '.' + kind.__name__})")
    if t.a.dtype == BOOL or t.a.dtype == INT64:
        return t
    if t.a.dtype == INT32:
        return converted(t, INT64)
    if t.a.dtype == UINT8:
        import warnings
        warnings.warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.", UserWarning)
        return converted(t, BOOL)
    if t is not x and not is_floating(t.a.dtype):
        return converted(t, INT64)
    raise IndexError("tensors used as indices must be long, int, byte or bool tensors")


cdef Tensor positions_of(Tensor mask):
    """The row-major positions of a mask's true elements."""
    cdef Launch l
    cdef Tensor count = empty(INT64, 0, NULL)
    cdef Tensor out
    cdef int64_t n
    if not mask.a.contiguous:
        mask = contiguous_copy(mask)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_MASK_COUNT, INT64, 1, 1, 2
    l.ptr[0], l.ptr[1], l.shape[0] = count.a.data, mask.a.data, mask.a.numel
    l.stride[0][0], l.stride[1][0] = 8, 1
    run(&l)
    n = (<int64_t*>count.a.data)[0] + 1
    out = empty(INT64, 1, &n)
    l.kernel = K_MASK_POSITIONS
    l.ptr[0] = out.a.data
    run(&l)
    out.a.shape[0] = n - 1
    set_contiguous(&out.a)
    return out


cdef inline int dims_taken(object item) noexcept:
    """How many of the indexed tensor's dimensions one item of a parsed index stands for, Ellipsis not counted."""
    if item is None or item is Ellipsis or PyBool_Check(item):
        return 0
    return (<Tensor>item).a.ndim if is_tensor(<PyObject*>item) and (<Tensor>item).a.dtype == BOOL else 1


cdef Index parse_index(Tensor t, object index):
    cdef Index x = Index.__new__(Index)
    cdef tuple items = index_items(index)
    cdef Array plain = in_plain_order(&t.a)
    cdef Tensor one
    cdef int d = 0, used = 0, k
    cdef int64_t i, n, start, stop, by
    start_geometry(&x.g, &t.a)
    start_geometry(&x.plain, &plain)
    x.tensors, x.dims, x.spans = [], [], []
    items = tuple([item if item is None or item is Ellipsis or isinstance(item, (slice, bool)) or is_integer(item)
                   else index_tensor(item) for item in items])
    for item in items:
        used += dims_taken(item)
    if used > t.a.ndim:
        if t.a.ndim == 0 and used == 1:
            raise IndexError("invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert "
                             "a 0-dim tensor to a number")
        raise IndexError(f"too many indices for tensor of dimension {t.a.ndim}")
    for item in items:
        if d + dims_taken(item) > x.g.ndim:
            raise IndexError("index: a second ellipsis leaves no dimension for what follows it")
        if item is None:
            add_dim("index", &x.g, d, 1, x.g.shape[d] * x.g.stride[d] if d < x.g.ndim else 1)
            add_dim("index", &x.plain, d, 1, 1)
            d += 1
            x.changed = x.adds = True
            x.selects = False
        elif item is Ellipsis:
            d += t.a.ndim - used
        elif isinstance(item, slice):
            n = x.g.shape[d]
            by = 1 if item.step is None else size_argument("slice", item.step)
            if by <= 0:
                raise ValueError("slice step cannot be zero" if by == 0 else "step must be greater than zero")
            start = 0 if item.start is None else clamped(item.start)
            stop = n if item.stop is None else clamped(item.stop)
            if item.start is not None or item.stop is not None or by != 1:
                slice_dim(&x.g, d, start, stop, by)
                slice_dim(&x.plain, d, start, stop, by)
                x.changed = True
                x.selects = x.adds = False
            d += 1
        elif PyBool_Check(item) or (is_tensor(<PyObject*>item) and (<Tensor>item).a.ndim == 0 and (<Tensor>item).a.dtype == BOOL):
            add_dim("index", &x.g, d, 1, 1)
            add_dim("index", &x.plain, d, 1, 1)
            x.tensors.append(zeros_of(INT64, (1 if item else 0,)))
            x.dims.append(d)
            x.spans.append(1)
            x.changed = True
            d += 1
        elif is_tensor(<PyObject*>item) and (<Tensor>item).a.ndim:
            one = <Tensor>item
            if one.a.dtype == BOOL:
                for k in range(one.a.ndim):
                    if one.a.shape[k] != x.g.shape[d + k]:
                        raise IndexError(f"The shape of the mask {shape_list(one.a.ndim, one.a.shape)} at index {k} does not match "
                                         f"the shape of the indexed tensor {shape_list(x.g.ndim, x.g.shape)} at index {d + k}")
                x.spans.append(one.a.ndim)
                x.mask = one
                x.tensors.append(one)
            else:
                x.spans.append(1)
                x.tensors.append(one)
            x.dims.append(d)
            d += one.a.ndim if one.a.dtype == BOOL else 1
        else:
            i = int_in_64_bits(item)
            if i < -x.g.shape[d] or i >= x.g.shape[d]:
                raise IndexError(f"index {item.__index__()} is out of bounds for dimension {d} with size {x.g.shape[d]}")
            i = i + x.g.shape[d] if i < 0 else i
            x.g.offset += i * x.g.stride[d]
            x.plain.offset += i * x.plain.stride[d]
            drop_dim(&x.g, d)
            drop_dim(&x.plain, d)
            x.changed = x.selects = True
            x.adds = False
    if len(x.tensors) != 1:
        x.mask = None
    return x


cdef int64_t clamped(object i) except? -1:
    """An integer of any size, as far as it matters."""
    if not PyLong_Check(i):
        if not hasattr(i, "__index__"):
            raise TypeError("slice indices must be integers or None or have an __index__ method")
        i = i.__index__()
    return max(min(i, 1 << 61), -(1 << 61))


cdef Plan plan_of(Index x, Tensor view):
    tensors = [positions_of(<Tensor>t) if (<Tensor>t).a.dtype == BOOL else t for t in x.tensors]
    return make_plan(&view.a, tensors, x.dims, x.spans)


cdef Tensor basic_view(Tensor t, Index x):
    """The view that the basic part of an index is."""
    if not x.changed and x.tensors:
        return t
    cdef const Row* row = op_select.row if x.selects else op__slice.row
    return picked(form_of(row, b"UnsqueezeBackward0", NULL) if x.adds else row, t, view_at(t, &x.g), &x.plain, None)


cdef object getitem(Tensor t, object index):
    cdef int64_t i
    cdef Index x
    cdef Tensor view
    if PyLong_Check(index) and not PyBool_Check(index) and t.a.ndim:
        i = int_in_64_bits(index)
        if -t.a.shape[0] <= i < t.a.shape[0]:
            return select_view(op_select.row, t, 0, i)
        raise IndexError(f"index {index} is out of bounds for dimension 0 with size {t.a.shape[0]}")
    if index is None:
        return op_unsqueeze(t, 0)
    x = parse_index(t, index)
    view = basic_view(t, x)
    return op__index(view, plan_of(x, view)) if x.tensors else view


cdef object write(entry_point entry, Operation op, PyObject* a, PyObject* b, PyObject* c, PyObject* d):
    """An in-place operation on a."""
    cdef PyObject* args[4]
    args[0], args[1], args[2], args[3] = a, b, c, d
    return entry(op.row, args)


cdef int setitem(Tensor t, object index, object value) except -1:
    cdef Index x
    cdef Tensor view
    cdef object number
    cdef bint is_number = not is_tensor(<PyObject*>value)
    if is_number and number_dtype(value) < 0:
        raise TypeError(f"can't assign a {type(value).__name__} to a torch.{scalar_name(t.a.dtype)}Tensor")
    if PyLong_Check(value):
        int_in_64_bits(value)                   # PyTorch's numbers have no room for more here
    x = parse_index(t, index)
    view = basic_view(t, x)
    if is_number and (view.a.dtype == FLOAT16 or view.a.dtype == BFLOAT16):
        number = empty(view.a.dtype, 0, NULL)            # what is too large is an infinity there
        fill_array(&(<Tensor>number).a, value)
        value, is_number = number, False
    if not x.tensors:
        if is_number:
            refuse_shared_elements(&view.a)
            write(entry_fill_inplace, op_fill, <PyObject*>view, <PyObject*>value, NULL, NULL)
        else:
            value = without_leading_ones(<Tensor>value, view.a.ndim)
            if (<Tensor>value).storage == view.storage and not same_shape(&(<Tensor>value).a, &view.a):
                value = op_expand(value, size_of(view))       # so that it has gaps: Note [Operands that overlap]
            write(entry_copy_inplace, op_copy, <PyObject*>view, <PyObject*>value, NULL, NULL)
        return 0
    if x.mask is not None and (is_number or (<Tensor>value).a.numel == 1):
        masked_put(view, x, value)
        return 0
    if is_number:
        number = empty(view.a.dtype, 0, NULL)
        fill_with(&(<Tensor>number).a, value)
        value = number
    put_values(op__index_put.row, view, plan_of(x, view), <Tensor>value, False)
    return 0


cdef int masked_put(Tensor view, Index x, object value) except -1:
    """A single element where the only index, a mask, holds; it is converted, as a number is."""
    cdef PyObject* args[3]
    cdef object mask = trailing_ones(<Tensor>x.mask, view.a.ndim - <int>x.dims[0])
    if is_tensor(<PyObject*>value):
        value = cast_to(value if (<Tensor>value).a.ndim == 0 else op_reshape(value, ()), view.a.dtype)
    args[0], args[1], args[2] = <PyObject*>view, <PyObject*>mask, <PyObject*>value
    entry_masked_fill_inplace(form_of(op_masked_fill.row, b"IndexPutBackward0", NULL), args)
    return 0


cdef object put_values(const Row* row, Tensor into, Plan plan, Tensor value, bint accumulate):
    """Write or add values; row: _index_put's, or a form of it."""
    cdef PyObject* args[4]
    cdef object values = fitting_values(into, plan, value), flag = accumulate != 0
    args[0], args[1], args[2], args[3] = <PyObject*>into, <PyObject*>values, <PyObject*>plan, <PyObject*>flag
    return entry__index_put_inplace(row, args)


cdef Tensor fitting_values(Tensor into, Plan plan, Tensor value):
    """values without leading dimensions of size 1 that the plan's result lacks."""
    cdef Array result
    check_same_dtype(into, value)
    result_shape(plan, &result)
    return without_leading_ones(value, result.ndim)


cdef int check_same_dtype(Tensor into, Tensor source) except -1:
    if into.a.dtype != source.a.dtype:
        raise RuntimeError(f"Index put requires the source and destination dtypes match, got {scalar_name(into.a.dtype)} for the "
                           f"destination and {scalar_name(source.a.dtype)} for the source.")
    return 0


cdef Tensor without_leading_ones(Tensor value, int ndim):
    cdef int extra = value.a.ndim - ndim, d
    if extra <= 0:
        return value
    for d in range(extra):
        if value.a.shape[d] != 1:
            return value
    return op_reshape(value, shape_tuple(&value.a)[extra:])


cdef Tensor trailing_ones(Tensor mask, int ndim):
    """A mask over leading dimensions in a form that broadcasts over the trailing ones."""
    return mask if mask.a.ndim == ndim else op_reshape(mask, shape_tuple(&mask.a) + (1,) * (ndim - mask.a.ndim))


# rules over plans

cdef Tensor index_rule(Tensor input, Plan plan):
    return take_plan(input, plan)


cdef Tensor zeros_for(Plan plan, int dt):
    cdef Tensor out = empty(dt, plan.ndim, plan.shape)
    fill_array(&out.a, 0)
    return out


cdef Tensor index_embed_rule(Tensor input, Plan plan):
    cdef Tensor out = zeros_for(plan, input.a.dtype)
    put_plan(K_ADD_ITEMS, out, input, plan)
    return out


cdef Tensor index_clear_rule(Tensor input, Plan plan):
    cdef Tensor out = contiguous_copy(input)
    put_plan(K_PUT_ITEMS, out, zeros_of(input.a.dtype, ()), plan)
    return out


cdef Tensor index_put_plan(Tensor input, Tensor values, Plan plan, bint accumulate):
    cdef Tensor out = converted(input, input.a.dtype)
    index_put_into(out, values, plan, accumulate)
    return out


cdef int index_put_into(Tensor out, Tensor values, Plan plan, bint accumulate) except -1:
    return put_plan(K_ADD_ITEMS if accumulate else K_PUT_ITEMS, out, values, plan)


cdef object index_put_grad(object grad, object plan, bint accumulate):
    return grad if accumulate else op__index_clear(grad, plan)


cdef Index parse_indices(Tensor input, object indices):
    """index_put's list of tensors (None: the whole dimension)."""
    if not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put: indices must be a tuple of tensors, got {type(indices).__name__}")
    given = [i for i in indices if i is not None]
    if given and all([is_tensor(<PyObject*>i) and (<Tensor>i).a.ndim == 0 and (<Tensor>i).a.dtype != BOOL for i in given]):
        indices = [i if i is None else op_unsqueeze(i, 0) for i in indices]         # one place: no number that selects
    cdef Index x = parse_index(input, tuple([slice(None) if i is None else i for i in indices]))
    if x.changed:
        raise IndexError("index_put: indices must be tensors with dimensions")
    return x


cdef Tensor one_converted(Tensor into, Index x, Tensor values):
    """A single element that a mask, the only index, places is converted to the dtype it is written in."""
    return cast_to(values, into.a.dtype) if x.mask is not None and values.a.numel == 1 else values


cdef object index_put_rule(Tensor input, object indices, Tensor values, bint accumulate):
    cdef Index x = parse_indices(input, indices)
    cdef Plan plan = plan_of(x, input)
    return op__index_put(input, fitting_values(input, plan, one_converted(input, x, values)), plan, accumulate)


def _index_put_into(Tensor self, indices, Tensor values, bint accumulate=False):
    """In-place version of index_put."""
    cdef Index x = parse_indices(self, indices)
    return put_values(op__index_put.row, self, plan_of(x, self), one_converted(self, x, values), accumulate)
