# Complex tensors: their parts, and the operations that are not holomorphic.  What is computed part by part needs no kernels of its own.
#
# Note [Conjugates are computed]: conj gives a tensor of its own, where PyTorch sets a flag; is_conj is never true.

cdef object conjugated(object x):
    """A saved value as formulas read it where gradients are complex: see Note [Complex gradients] in docs/internals/table.md."""
    if is_tensor(<PyObject*>x):
        return op_conj(x) if is_complex((<Tensor>x).a.dtype) else x
    return x.conjugate() if isinstance(x, complex) else x


cdef object conj_entry(const Row* row, PyObject** a):
    return elementwise(row, a) if is_complex(tensor_argument(row, a[0], 0).a.dtype) else <object>a[0]


# ---- parts ----------------------------------------------------------------------------------------------------------------

cdef Tensor part_of(Tensor z, int which):
    """The real (0) or imaginary (1) parts in place, as a tensor of z's shape without a graph."""
    cdef Tensor part = alias(z)
    cdef int d
    part.a.dtype = real_of(z.a.dtype)
    part.a.data += which * itemsize(part.a.dtype)
    for d in range(part.a.ndim):
        part.a.stride[d] *= 2
    refresh(&part.a)
    return part


cdef Tensor joined(Tensor re, Tensor im):
    """The complex tensor of two real ones of one shape and dtype."""
    cdef Tensor z = empty_as(complex_of(re.a.dtype), &re.a)
    copy_array(&part_of(z, 0).a, &re.a)
    copy_array(&part_of(z, 1).a, &im.a)
    return z


cdef Tensor view_as_real_rule(Tensor input):
    cdef Tensor out
    cdef int d, n = input.a.ndim
    if not is_complex(input.a.dtype):
        raise RuntimeError("view_as_real is only supported for complex tensors")
    if n == MAX_DIMS:
        raise RuntimeError(f"view_as_real: at most {MAX_DIMS} dimensions are supported, got {MAX_DIMS + 1}")
    out = part_of(input, 0)
    out.a.ndim = n + 1
    out.a.shape[n], out.a.stride[n] = 2, 1
    refresh(&out.a)
    return linked(out, input)


cdef Tensor view_as_complex_rule(Tensor input):
    cdef Tensor out
    cdef int d, n = input.a.ndim - 1
    cdef int width = 2 * itemsize(input.a.dtype)
    if input.a.dtype != FLOAT32 and input.a.dtype != FLOAT64:
        raise RuntimeError(f"view_as_complex is only supported for float and double tensors, but got a tensor of scalar type: "
                           f"{scalar_name(input.a.dtype)}")
    if n < 0:
        raise RuntimeError("Input tensor must have one or more dimensions")
    if input.a.shape[n] != 2:
        raise RuntimeError("Tensor must have a last dimension of size 2")
    if input.a.stride[n] != 1:
        raise RuntimeError("Tensor must have a last dimension with stride 1")
    out = alias(input)
    out.a.dtype = complex_of(input.a.dtype)
    out.a.ndim = n
    for d in range(n):
        if input.a.stride[d] % 2 and input.a.shape[d] > 1:
            raise RuntimeError("Tensor must have a stride divisible by 2 for all but last dimension")
        out.a.stride[d] = input.a.stride[d] // 2
    if (input.a.data - input.storage.data) % width:
        raise RuntimeError("Tensor must have a storage_offset divisible by 2")
    refresh(&out.a)
    return linked(out, input)


cdef object pairs_as_complex(Tensor grad):
    return op_view_as_complex(op_contiguous(grad))


cdef object real_rule(Tensor input):
    return op_select(op_view_as_real(input), -1, 0) if is_complex(input.a.dtype) else input


cdef object imag_rule(Tensor input):
    if not is_complex(input.a.dtype):
        raise RuntimeError("imag is not implemented for tensors with non-complex dtypes.")
    return op_select(op_view_as_real(input), -1, 1)


def tensor_real(Tensor self):
    """The real parts, as a view; a real tensor itself."""
    return op_real(self)


def tensor_set_real(Tensor self, value):
    op_real(self).copy_(value)


def tensor_imag(Tensor self):
    """The imaginary parts, as a view.  Raises RuntimeError for a real tensor."""
    return op_imag(self)


def tensor_set_imag(Tensor self, value):
    op_imag(self).copy_(value)


install_method("real", property(tensor_real, tensor_set_real))
install_method("imag", property(tensor_imag, tensor_set_imag))


cdef object seen_as(object t, int dt):
    """t as a view in its parts' dtype, or that of what its pairs are; t itself where it has dtype dt."""
    cdef int own = (<Tensor>t).a.dtype
    return t if own == dt else op_view_as_real(t) if is_complex(own) else op_view_as_complex(t)


# ---- magnitude, angle, direction --------------------------------------------------------------------------------------------

cdef Tensor real_valued(int kernel, Tensor z):
    """A kernel of complex elements with real results, in z's memory order."""
    cdef Launch l
    cdef Array* operand[2]
    cdef int8_t perm[MAX_DIMS]
    cdef Tensor out
    operand[1] = &z.a
    order_dims(operand + 1, 1, &z.a, perm)
    out = empty_in_order(real_of(z.a.dtype), &z.a, perm)
    operand[0] = &out.a
    fill_loop(&l, operand, 2, perm)
    l.kernel, l.dtype, l.core, l.noperands = kernel, z.a.dtype, 1, 2
    l.ptr[0], l.ptr[1] = out.a.data, z.a.data
    if out.a.numel:
        run(&l)
    return out


cdef Tensor _modulus_rule(Tensor input):
    return real_valued(K_MODULUS_FORWARD, input)


cdef object abs_entry(const Row* row, PyObject** a):
    if is_complex(tensor_argument(row, a[0], 0).a.dtype):
        return op__modulus(<object>a[0])
    return elementwise(row, a)


cdef object inplace_abs_entry(const Row* row, PyObject** a):
    if is_complex(tensor_argument(row, a[0], 0).a.dtype):
        raise RuntimeError("In-place abs is not supported for complex tensors.")
    return inplace_elementwise(row, a)


cdef Tensor angle_rule(Tensor input):
    """Of a real number: 0, or pi below 0."""
    if is_complex(input.a.dtype):
        return real_valued(K_ANGLE_FORWARD, input)
    if not is_floating(input.a.dtype):
        input = converted(input, default_dtype())
    cdef Tensor x = alias(input)
    return op_where(op_ne(x, x), x, op_mul(converted(op_lt(x, 0), x.a.dtype), 3.141592653589793))


cdef object angle_backward_of(object grad, Tensor input):
    if not is_complex(input.a.dtype):
        return no_gradient(<Tensor>grad)
    size = op_abs(input)
    return op_where(op_eq(input, 0), 0, op_mul(op_div(grad, op_mul(size, size)), op_mul(input, 1j)))


cdef object acosh_slope(object x):
    """The derivative of acosh, in formulas."""
    if is_complex((<Tensor>x).a.dtype):
        return op_reciprocal(op_mul(op_sqrt(op_sub(x, 1)), op_sqrt(op_add(x, 1))))
    return op_reciprocal(op_sqrt(op_sub(op_mul(x, x), 1)))


cdef object sgn_rule(Tensor input):
    return op__direction(input) if is_complex(input.a.dtype) else op_sign(input)
