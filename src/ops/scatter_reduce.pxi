# scatter_reduce: each element of src is joined to the one its index names, by a sum, a product, a mean or an extreme.
#
# The rule and both gradients pass what was asked for as one object: how = (dim, reduce, include_self).

cdef dict REDUCE_KERNEL = {"sum": 0, "mean": 0, "prod": 1, "amax": 2, "amin": 3}


cdef object scatter_reduce_call(Tensor input, object dim, Tensor index, Tensor src, object reduce, object include_self):
    return op__scatter_reduce(input, index, src, (dim, reduce, include_self))


def _scatter_reduce_into(Tensor self, dim, Tensor index, Tensor src, reduce, *, bint include_self=True):
    """In-place version of scatter_reduce."""
    how = (dim, reduce, True if include_self else False)
    return write(entry__scatter_reduce_inplace, op__scatter_reduce, <PyObject*>self, <PyObject*>index, <PyObject*>src, <PyObject*>how)


cdef Tensor scatter_reduce_rule(Tensor input, Tensor index, Tensor src, object how):
    cdef Tensor out = contiguous_copy(input)
    scatter_reduce_into(out, index, src, how)
    return out


cdef int scatter_reduce_into(Tensor out, Tensor index, Tensor src, object how) except -1:
    cdef object dim, reduce
    cdef bint include_self
    dim, reduce, include_self = how
    cdef Tensor counts, ones, wide
    if reduce not in REDUCE_KERNEL:
        raise RuntimeError(f"reduce argument must be either sum, prod, mean, amax or amin, got {reduce}")
    if not has_kernel(K_SCATTER_REDUCE_ITEMS, out.a.dtype):
        if src.a.dtype != out.a.dtype:
            raise RuntimeError("scatter(): Expected self.dtype to be equal to src.dtype")
        wide = converted(out, FLOAT32 if is_floating(out.a.dtype) else UINT8)
        scatter_reduce_into(wide, index, converted(src, wide.a.dtype), how)
        return copy_array(&out.a, &wide.a)
    if not include_self:
        start = {"sum": 0, "mean": 0, "prod": 1}.get(reduce)
        if start is None:
            start = limit_of(out.a.dtype, reduce == "amin")
        scatter_value_into(out, dim, index, start)
    scatter_checked("scatter_reduce", K_SCATTER_REDUCE_ITEMS, out, dim, index, src, REDUCE_KERNEL[reduce])
    if reduce == "mean":
        counts = scatter_counts(out, index, src, how)
        result = op_div(out.detach(), at_least_one(counts)) if is_floating(out.a.dtype) else \
            out.detach().div(at_least_one(counts), rounding_mode="floor")
        copy_array(&out.a, &(<Tensor>result).a)
    return 0


cdef object limit_of(int dt, bint largest):
    if is_floating(dt):
        return float("inf") if largest else float("-inf")
    if dt == UINT8:
        return 255 if largest else 0
    bits = 8 * itemsize(dt) - 1
    return (1 << bits) - 1 if largest else -(1 << bits)


cdef Tensor scatter_counts(Tensor out, Tensor index, Tensor src, object how):
    """How many values meet in each element of the result."""
    cdef Tensor counts = empty_as(out.a.dtype, &out.a)
    cdef Tensor ones = empty_as(out.a.dtype, &src.a)
    fill_array(&counts.a, 1 if how[2] else 0)
    fill_array(&ones.a, 1)
    scatter_add_into(counts, how[0], index, ones)
    return counts


cdef object at_least_one(object counts):
    return op_where(op_eq(counts, 0), 1, counts)


cdef object scatter_reduce_grad_input(object grad, Tensor input, object result, Tensor index, Tensor src, object how):
    dim, reduce, include_self = how
    if reduce == "sum":
        g = grad
    elif reduce == "mean":
        g = op_div(grad, at_least_one(scatter_counts(input, index, src, how)))
    elif reduce == "prod":
        nonzero = op_where(op_eq(input, 0), 1.0, input)
        g = op_div(op_mul(grad, op__scatter_reduce(nonzero, index, src, how)), nonzero)
    else:
        g = extremes_share(grad, input, result, index, src, how)[0]
    return g if include_self else op__scatter_value(g, dim, index, 0)


cdef object scatter_reduce_grad_src(object grad, Tensor input, object result, Tensor index, Tensor src, object how):
    dim, reduce, include_self = how
    if reduce == "sum":
        return op_gather(grad, dim, index)
    if reduce == "mean":
        return op_gather(op_div(grad, at_least_one(scatter_counts(input, index, src, how))), dim, index)
    if reduce == "prod":
        return product_share(grad, input, result, index, src, how)
    return extremes_share(grad, input, result, index, src, how)[1]


cdef object product_share(object grad, Tensor input, object result, Tensor index, Tensor src, object how):
    """The gradient of a product by its factors in src: the product of all the others.  For a factor of zero that is the only one of its
    product, the product with that zero counted as one."""
    cdef object dim = how[0], zero = op_eq(src, 0)
    zeros = op_scatter_add(zeros_as(input), dim, index, cast_to(zero, input.a.dtype))
    lone = op_logical_and(zero, op_eq(op_gather(zeros, dim, index), 1))
    others = op__scatter_reduce(input, index, op_where(lone, 1.0, src), how)
    quotient = op_div(op_gather(op_mul(grad, result), dim, index), op_where(zero, 1.0, src))
    return op_where(lone, op_gather(op_mul(grad, others), dim, index), quotient)


cdef tuple extremes_share(object grad, Tensor input, object result, Tensor index, Tensor src, object how):
    """The gradient of a maximum, shared equally by the elements that attain it."""
    dim, reduce, include_self = how
    from_self = cast_to(op_eq(input.detach(), result.detach()), input.a.dtype)
    if not include_self:
        from_self = op__scatter_value(from_self, dim, index, 0)
    from_src = cast_to(op_eq(src.detach(), op_gather(result.detach(), dim, index)), input.a.dtype)
    sharing = op_scatter_add(from_self, dim, index, from_src)            # 0 where the result is NaN: 0 / 0, as in PyTorch
    return op_div(op_mul(from_self, grad), sharing), op_div(op_mul(from_src, op_gather(grad, dim, index)), op_gather(sharing, dim, index))
