# The operations for projects that cimport fastgrad: plain C calls, no Python arguments.  fastgrad/api.pxd gives them their names.

cdef object call_operation(Operation op, PyObject* a, PyObject* b):
    cdef PyObject* args[MAX_ARGUMENTS]
    memset(args, 0, sizeof(args))
    args[0], args[1] = a, b
    return op.entry(op.row, args)


cdef Tensor api_add(Tensor a, Tensor b):
    return call_operation(op_add, <PyObject*>a, <PyObject*>b)


cdef Tensor api_sub(Tensor a, Tensor b):
    return call_operation(op_sub, <PyObject*>a, <PyObject*>b)


cdef Tensor api_mul(Tensor a, Tensor b):
    return call_operation(op_mul, <PyObject*>a, <PyObject*>b)


cdef Tensor api_div(Tensor a, Tensor b):
    return call_operation(op_div, <PyObject*>a, <PyObject*>b)


cdef Tensor api_matmul(Tensor a, Tensor b):
    return call_operation(op_matmul, <PyObject*>a, <PyObject*>b)


cdef Tensor api_tanh(Tensor a):
    return call_operation(op_tanh, <PyObject*>a, NULL)


cdef Tensor api_relu(Tensor a):
    return call_operation(op_relu, <PyObject*>a, NULL)


cdef Tensor api_sigmoid(Tensor a):
    return call_operation(op_sigmoid, <PyObject*>a, NULL)


cdef Tensor api_exp(Tensor a):
    return call_operation(op_exp, <PyObject*>a, NULL)


cdef Tensor api_sum(Tensor a):
    return call_operation(op_sum, <PyObject*>a, NULL)


cdef Tensor api_from_f32(const float* data, int ndim, const int64_t* shape, bint requires_grad):
    """A new float32 tensor; data NULL leaves its elements uninitialised."""
    cdef Tensor t = empty(FLOAT32, ndim, shape)
    if data != NULL:
        memcpy(t.a.data, data, t.a.numel * sizeof(float))
    if requires_grad:
        t.flags |= REQUIRES_GRAD
    return t


cdef float* api_data_f32(Tensor t) except NULL:
    """The elements of a contiguous float32 tensor; valid while t lives."""
    if t.a.dtype != FLOAT32 or not t.a.contiguous:
        raise TypeError(f"data_f32: the tensor must be contiguous and of float32, got {t.dtype} with strides {t.stride()}")
    return <float*>t.a.data
