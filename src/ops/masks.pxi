# Boolean masks: masked_fill, masked_select, masked_scatter.

cdef int check_mask(str name, Tensor mask) except -1:
    if mask.a.dtype != BOOL:
        raise RuntimeError(f"{name} only supports boolean masks, but got mask with dtype {dtype_object(mask.a.dtype)}"
                           if name == "masked_fill_" else f"{name}: expected BoolTensor for mask, got {dtype_object(mask.a.dtype)}")
    return 0


cdef Tensor masked_filled(Tensor input, Tensor mask, object value, Tensor into):
    cdef PyObject* x[3]
    cdef int loop = input.a.dtype
    check_mask("masked_fill_", mask)
    if is_tensor(<PyObject*>value):
        if (<Tensor>value).a.ndim:
            raise RuntimeError("masked_fill_ only supports a 0-dimensional value tensor, but got tensor with "
                               f"{(<Tensor>value).a.ndim} dimension(s).")
        if is_complex((<Tensor>value).a.dtype) and not is_complex(loop):
            refuse_unfit(loop, (<object>value).item())
    else:
        refuse_unfit(loop, value)
    x[0], x[1], x[2] = <PyObject*>mask, <PyObject*>value, <PyObject*>input
    if loop == FLOAT16 or loop == BFLOAT16:
        loop = FLOAT32
    return compute(op_where.row, op_where.row.kernel, loop, input.a.dtype, 1, x, 3, NULL, into)


cdef Tensor masked_fill_rule(Tensor input, Tensor mask, object value):
    cdef Tensor out = masked_filled(input, mask, value, None)
    return out if out.a.contiguous else contiguous_copy(out)         # PyTorch's is in row-major order


cdef int masked_fill_into(Tensor out, Tensor mask, object value) except -1:
    check_expands("masked_fill_", &mask.a, &out.a)
    masked_filled(out, mask, value, out)
    return 0


cdef tuple both_expanded(Tensor a, Tensor b):
    """Both in their common shape."""
    cdef Array shape
    cdef Array* operand[2]
    operand[0], operand[1] = &a.a, &b.a
    broadcast(b"mask", operand, 2, &shape)
    common = tuple(shape_list(shape.ndim, shape.shape))
    return (a if same_shape(&a.a, &shape) else op_expand(a, common)), (b if same_shape(&b.a, &shape) else op_expand(b, common))


cdef object masked_select_rule(Tensor input, Tensor mask):
    check_mask("masked_select", mask)
    input, mask = both_expanded(input, mask)
    if input.a.ndim == 0:
        input, mask = op_reshape(input, (1,)), op_reshape(mask, (1,))
    return op__index(input, make_plan(&input.a, [positions_of(mask)], [0], [input.a.ndim]))


cdef object masked_scatter_rule(Tensor input, Tensor mask, Tensor source):
    check_mask("masked_scatter", mask)
    if input.a.dtype != source.a.dtype:
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got {scalar_name(input.a.dtype)} and "
                           f"{scalar_name(source.a.dtype)}")
    input, mask = both_expanded(input, mask)
    return op_reshape(op__index_put(op_reshape(input, (-1,)), *scattered(mask, source), False), shape_tuple(&input.a))


cdef tuple scattered(Tensor mask, Tensor source):
    """The values that masked_scatter writes, and their plan over the flattened tensor."""
    cdef Tensor places = positions_of(mask)
    cdef Tensor flat = op_reshape(mask, (-1,))
    if places.a.numel > source.a.numel:
        raise RuntimeError(f"masked_scatter: expected source to have at least as many elements as mask has true ones, got "
                           f"{source.a.numel} and {places.a.numel}")
    return slice_of(op_reshape(source, (-1,)), 0, 0, places.a.numel), rows_plan(&flat.a, 0, places)


def _masked_scatter_into(Tensor self, Tensor mask, Tensor source):
    """In-place version of masked_scatter."""
    check_mask("masked_scatter_", mask)
    cdef Tensor wide = mask if same_shape(&mask.a, &self.a) else op_expand(mask, shape_tuple(&self.a))
    cdef Tensor places = positions_of(wide)
    cdef object values = scattered(wide, source)[0]
    cdef Array* operand = &(<Tensor>values).a
    if self.a.dtype != source.a.dtype:
        raise RuntimeError(f"masked_scatter: expected self and source to have same dtypes but got {scalar_name(self.a.dtype)} and "
                           f"{scalar_name(source.a.dtype)}")
    refuse_shared_elements(&self.a)
    if overlaps(self, &operand, 1):
        values = op_clone(values)
    if self.a.ndim == 0:
        return self.copy_(values[0]) if places.a.numel else self
    return put_values(form_of(op__index_put.row, b"MaskedScatterBackward0", NULL), self, make_plan(&self.a, [places], [0], [self.a.ndim]),
                      values, False)
