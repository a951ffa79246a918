# Softmax, log_softmax and their gradients.

cdef Tensor normalized(str name, Tensor input, object dim, object dtype_, int kernel):
    cdef int d = wrapped_dim(name, dim, input.a.ndim), dt = input.a.dtype
    cdef Launch l
    cdef Tensor out
    if dtype_ is not None:
        dt = dtype_argument(dtype_).code
    if not is_floating(dt):
        raise NotImplementedError(f"\"{name}_kernel_impl\" not implemented for '{scalar_name(dt)}'")
    input = contiguous(in_dtype(input, computed_dtype(dt)))
    out = empty_as_tensor(input.a.dtype, input)
    plan_along(&l, &input.a, d, 2, itemsize(input.a.dtype))
    l.kernel = kernel
    l.ptr[0], l.ptr[1] = out.a.data, input.a.data
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef Tensor normalized_backward(Tensor grad, Tensor output, object dim, int kernel):
    cdef int dt = output.a.dtype
    cdef Launch l
    cdef Tensor out
    output = contiguous(in_dtype(output, computed_dtype(dt)))
    grad = contiguous(in_dtype(grad, output.a.dtype))
    out = empty_as_tensor(output.a.dtype, output)
    plan_along(&l, &output.a, wrapped_dim("softmax", dim, output.a.ndim), 3, itemsize(output.a.dtype))
    l.kernel = kernel
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, grad.a.data, output.a.data
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef Tensor softmax_rule(Tensor input, object dim, object dtype_):
    return normalized("softmax", input, dim, dtype_, K_SOFTMAX_FORWARD)


cdef Tensor log_softmax_rule(Tensor input, object dim, object dtype_):
    return normalized("log_softmax", input, dim, dtype_, K_LOG_SOFTMAX_FORWARD)


cdef object softmin_rule(Tensor input, object dim, object dtype_):
    return op_softmax(op_neg(input), dim, dtype_)


cdef Tensor _softmax_backward_rule(Tensor grad, Tensor output, object dim):
    return normalized_backward(grad, output, dim, K_SOFTMAX_BACKWARD)


cdef Tensor _log_softmax_backward_rule(Tensor grad, Tensor output, object dim):
    return normalized_backward(grad, output, dim, K_LOG_SOFTMAX_BACKWARD)


cdef object softmax_grad(Tensor grad, Tensor output, object dim):
    return op__softmax_backward(grad, output, dim)


cdef object log_softmax_grad(Tensor grad, Tensor output, object dim):
    return op__log_softmax_backward(grad, output, dim)


cdef object softmax_grad_output(Tensor grad, Tensor grad_output, Tensor output, object dim):
    """Of output (g - sum(g output)) with respect to output: h (g - sum(g output)) - g sum(h output)."""
    inner = op_sum(op_mul(grad_output, output), dim, True)
    outer = op_sum(op_mul(grad, output), dim, True)
    return op_sub(op_mul(grad, op_sub(grad_output, inner)), op_mul(grad_output, outer))
