# Matrix products: shapes, and the launch of the gemm kernels.

cdef Tensor product(Tensor a, Tensor b, bint transpose_a, bint transpose_b, Tensor bias):
    """op(a) @ op(b) (+ bias) of two matrices, where op may transpose; no graph."""
    cdef int64_t shape[2]
    cdef int ra = 1 if transpose_a else 0, rb = 1 if transpose_b else 0
    cdef int64_t m = a.a.shape[ra], k = a.a.shape[1 - ra], n = b.a.shape[1 - rb]
    cdef int w = itemsize(a.a.dtype)
    cdef Launch l
    shape[0], shape[1] = m, n
    cdef Tensor out = empty(a.a.dtype, 2, shape)
    l.kernel = K_MATMUL_FORWARD if bias is None else K_LINEAR_FORWARD
    l.dtype, l.core, l.ndim, l.noperands = a.a.dtype, 3, 3, 3
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, a.a.data, b.a.data
    l.shape[0], l.shape[1], l.shape[2] = m, n, k
    l.stride[0][0], l.stride[0][1], l.stride[0][2] = n * w, w, 0
    l.stride[1][0], l.stride[1][1], l.stride[1][2] = a.a.stride[ra] * w, 0, a.a.stride[1 - ra] * w
    l.stride[2][0], l.stride[2][1], l.stride[2][2] = 0, b.a.stride[1 - rb] * w, b.a.stride[rb] * w
    l.attr[0].i = 0
    if bias is not None:
        l.noperands = 4
        l.ptr[3] = bias.a.data
        l.stride[3][0], l.stride[3][1], l.stride[3][2] = 0, w, 0
    run(&l)
    return out


cdef Tensor matmul_rule(Tensor input, Tensor other):
    if input.a.ndim != 2 or other.a.ndim != 2 or input.a.shape[1] != other.a.shape[0]:
        raise RuntimeError(f"matmul: inner sizes must match, got {shape_tuple(&input.a)} and {shape_tuple(&other.a)}")
    return product(input, other, False, False, None)


cdef object matmul_grad_input(Tensor grad, Tensor other, tuple shape):
    return product(grad, other, False, True, None)


cdef object matmul_grad_other(Tensor grad, Tensor input, tuple shape):
    return product(input, grad, True, False, None)


cdef Tensor linear_rule(Tensor input, Tensor weight, Tensor bias):
    return product(input, weight, False, True, bias)


cdef object linear_grad_weight(Tensor grad, Tensor input):
    return product(grad, input, True, False, None)


cdef object linear_grad_bias(Tensor grad):
    return sum_rule(grad, 0, False, None)
