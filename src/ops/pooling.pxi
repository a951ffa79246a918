# Pooling: arguments, checks, shapes and launches; the kernels are in kernels/pooling.pxi.

cdef enum Divisor:               # as in kernels/pooling.pxi
    WHOLE_WINDOW = 0
    INSIDE
    GIVEN


cdef int fill_pool(Launch* l, int kernel, const Array* image, const Array* result, tuple window, tuple stride, tuple padding,
                   tuple dilation) except -1:
    """Planes are all dimensions before the window's.  Strides of operands: see plane_of."""
    cdef int d, i, n = len(window)
    cdef int64_t planes = 1
    for d in range(image.ndim - n):
        planes *= image.shape[d]
    l.kernel, l.dtype, l.core, l.ndim = kernel, image.dtype, 7, 7
    l.shape[0] = planes
    for d in range(3):
        i = d - (3 - n)
        l.shape[1 + d] = result.shape[result.ndim - n + i] if i >= 0 else 1
        l.shape[4 + d] = window[i] if i >= 0 else 1
        l.attr[d].i = stride[i] if i >= 0 else 1
        l.attr[3 + d].i = dilation[i] if i >= 0 else 1
        l.attr[6 + d].i = -<int64_t>padding[i] if i >= 0 else 0
        l.attr[9 + d].i = image.shape[image.ndim - n + i] if i >= 0 else 1
    return 0


cdef void plane_of(Launch* l, int operand, const Array* a, int n) noexcept:
    """A contiguous operand whose last n dimensions are a plane."""
    cdef int d
    cdef int64_t plane = itemsize(a.dtype)
    for d in range(a.ndim - n, a.ndim):
        plane *= a.shape[d]
    l.ptr[operand] = a.data
    for d in range(7):
        l.stride[operand][d] = 0
    l.stride[operand][0] = plane


cdef Tensor pooled_shape(Tensor input, tuple size, int dt):
    cdef int64_t shape[MAX_DIMS]
    cdef int d, n = len(size), lead = input.a.ndim - n
    for d in range(lead):
        shape[d] = input.a.shape[d]
    for d in range(n):
        shape[lead + d] = size[d]
    return empty(dt, input.a.ndim, shape)


cdef tuple _max_pool_rule(Tensor input, tuple kernel, tuple stride, tuple padding, tuple dilation, tuple size):
    cdef int dt = input.a.dtype, n = len(kernel)
    cdef Launch l
    cdef Tensor x, out, places
    if dt == BOOL:
        raise NotImplementedError("\"max_pool\" not implemented for 'Bool'")
    x = contiguous(in_dtype(input, computed_dtype(dt)))
    out, places = pooled_shape(x, size, x.a.dtype), pooled_shape(x, size, INT64)
    fill_pool(&l, K_MAX_POOL_FORWARD, &x.a, &out.a, kernel, stride, padding, dilation)
    l.noperands = 3
    plane_of(&l, 0, &out.a, n)
    plane_of(&l, 1, &places.a, n)
    plane_of(&l, 2, &x.a, n)
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt), places


cdef object max_pool_grad(Tensor grad, Tensor places, tuple shape, tuple kernel):
    """The gradient of a window goes to the place of its largest element."""
    cdef tuple lead = shape[:len(shape) - len(kernel)]
    cdef int64_t pixels = 1, windows = 1
    cdef int d
    for d in range(grad.a.ndim - len(kernel), grad.a.ndim):
        pixels *= <int64_t>shape[d]
        windows *= grad.a.shape[d]
    flat = (*lead, windows)
    return op_reshape(op__spread(op_reshape(grad, flat), op_reshape(places, flat), -1, pixels), shape)


cdef int fill_divisor(Launch* l, bint include_pad, object divisor) except -1:
    l.attr[12].i = GIVEN if divisor is not None else WHOLE_WINDOW if include_pad else INSIDE
    l.attr[13].f = 1.0 if divisor is None else divisor
    return 0


cdef Tensor _avg_pool_rule(Tensor input, tuple how, tuple size):
    cdef int dt = input.a.dtype, n = len(size)
    cdef Launch l
    cdef Tensor x = contiguous(in_dtype(input, convolution_dtype(dt))), out = pooled_shape(x, size, x.a.dtype)
    fill_pool(&l, K_AVG_POOL_FORWARD, &x.a, &out.a, how[0], how[1], how[2], (1,) * n)
    fill_divisor(&l, how[3], how[4])
    l.noperands = 2
    plane_of(&l, 0, &out.a, n)
    plane_of(&l, 1, &x.a, n)
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef Tensor _avg_pool_backward_rule(Tensor given, tuple how, tuple shape):
    cdef int dt = given.a.dtype, n = len(how[0])
    cdef Launch l
    cdef Tensor g = contiguous(in_dtype(given, convolution_dtype(dt))), out = pooled_shape(g, shape[len(shape) - n:], g.a.dtype)
    fill_pool(&l, K_AVG_POOL_BACKWARD, &out.a, &g.a, how[0], how[1], how[2], (1,) * n)
    fill_divisor(&l, how[3], how[4])
    l.noperands = 2
    plane_of(&l, 0, &out.a, n)
    plane_of(&l, 1, &g.a, n)
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


# ---- arguments and checks -----------------------------------------------------------------------------------------------

cdef tuple pool_sizes(str name, Tensor input, tuple kernel, tuple stride, tuple padding, tuple dilation, bint ceil_mode):
    """The result's spatial sizes."""
    cdef int n = len(kernel), d
    cdef int64_t size, count, reach, most
    cdef list sizes = []
    if input.a.ndim != n + 1 and input.a.ndim != n + 2:
        raise RuntimeError(f"{name}: expected {n + 1}D or {n + 2}D input, got input of size {shape_list(input.a.ndim, input.a.shape)}")
    for argument, values in (("kernel_size", kernel), ("stride", stride), ("dilation", dilation)):
        if min(values) <= 0:
            raise RuntimeError(f"{name}: {argument} should be greater than zero, got {values}")
    if min(padding) < 0:
        raise RuntimeError(f"{name}: pad must be non-negative, got {padding}")
    if any([2 * p > k for p, k in zip(padding, kernel)]):
        raise RuntimeError(f"{name}: pad should be at most half of effective kernel size, got pad={padding} and kernel_size={kernel}")
    spatial = shape_list(input.a.ndim, input.a.shape)[input.a.ndim - n:]
    for d in range(n):
        size, reach = spatial[d], dilation[d] * (<int64_t>kernel[d] - 1) + 1
        most = size + 2 * <int64_t>padding[d] - reach + (<int64_t>stride[d] - 1 if ceil_mode else 0)
        count = most // <int64_t>stride[d] + 1 if most >= 0 else 0
        if ceil_mode and (count - 1) * <int64_t>stride[d] >= size + <int64_t>padding[d]:
            count -= 1                  # a window must start inside the input or the padding before it
        if count < 1:
            raise RuntimeError(f"Given input size: {spatial}. Calculated output size is too small for {name}")
        sizes.append(count)
    return tuple(sizes)


cdef object max_pool_entry(const Row* this, PyObject** a):
    cdef str name = this.name.decode()
    cdef int n = this.name[8] - c'0'
    cdef Tensor input = tensor_argument(this, a[0], 0)
    cdef tuple kernel = each_dimension(name, "kernel_size", <object>a[1], n), stride = pool_stride(name, a[2], kernel)
    cdef tuple padding = each_dimension(name, "padding", given_or(a[3], 0), n), dilation = each_dimension(name, "dilation", given_or(a[4], 1), n)
    cdef int d
    if n == 1 and not is_floating(input.a.dtype) and not given_or(a[6], False):
        raise NotImplementedError(f"\"max_pool1d\" not implemented for '{scalar_name(input.a.dtype)}'")
    for d in range(input.a.ndim == n + 2, input.a.ndim):
        if input.a.shape[d] == 0:
            raise RuntimeError(f"{name}: Expected {n + 1}D or {n + 2}D (batch mode) tensor with optional 0 dim batch size for input, but got: "
                               f"{shape_list(input.a.ndim, input.a.shape)}")
    cdef tuple out = op__max_pool(input, kernel, stride, padding, dilation,
                                  pool_sizes(name, input, kernel, stride, padding, dilation, bool(given_or(a[5], False))))
    laid_out_as(out[0], input, n)
    laid_out_as(out[1], input, n)
    return out if given_or(a[6], False) else out[0]


cdef object avg_pool_entry(const Row* this, PyObject** a):
    cdef str name = this.name.decode()
    cdef int n = this.name[8] - c'0'
    cdef Tensor input = tensor_argument(this, a[0], 0)
    cdef tuple kernel = each_dimension(name, "kernel_size", <object>a[1], n), stride = pool_stride(name, a[2], kernel)
    cdef tuple padding = each_dimension(name, "padding", given_or(a[3], 0), n), size
    cdef object divisor = given_or(a[6], None) if n > 1 else None
    if is_complex(input.a.dtype) or not is_floating(input.a.dtype) and input.a.dtype != INT64:
        raise NotImplementedError(f"\"avg_pool{n}d\" not implemented for '{scalar_name(input.a.dtype)}'")
    size = pool_sizes(name, input, kernel, stride, padding, (1,) * n, bool(given_or(a[4], False)))
    if divisor is not None and divisor == 0:
        raise RuntimeError("divisor must be not zero")
    out = op__avg_pool(input, (kernel, stride, padding, bool(given_or(a[5], True)), divisor), size)
    return laid_out_as(out, input, n) if n == 2 else out           # PyTorch's three-dimensional one gives row-major order


cdef tuple pool_stride(str name, PyObject* given, tuple kernel):
    """That of the kernel, where none is given."""
    if given == NULL or <object>given is None or isinstance(<object>given, (tuple, list)) and len(<object>given) == 0:
        return kernel
    return each_dimension(name, "stride", <object>given, len(kernel))
