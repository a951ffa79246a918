# Matrix products: shapes, batches, and the launch of the gemm kernels.
#
# Every product is `_product(a, b, ta, tb)`: matrices in the last two dimensions, either of them read transposed, batches
# broadcast.  Its gradients are two more of its kind, so no transposed copy is ever made and any order of gradient follows:
#     C = op(A) op(B)    dA = dC op(B)^T  or  op(B) dC^T    dB = op(A)^T dC  or  dC^T op(A)

cdef int require_same_dtype(str name, Tensor a, Tensor b) except -1:
    if a.a.dtype != b.a.dtype:
        raise RuntimeError(f"{name}: expected operands of the same dtype, got {dtype_object(a.a.dtype)} and "
                           f"{dtype_object(b.a.dtype)}. Convert one with .to().")
    return 0


cdef Tensor _product_rule(Tensor a, Tensor b, bint ta, bint tb):
    return product("matmul", a, b, ta, tb, None)


cdef Tensor product(str name, Tensor a, Tensor b, bint ta, bint tb, Tensor bias):
    """op(a) @ op(b) (+ bias) over the last two dimensions, batches broadcast; no graph."""
    cdef int na = a.a.ndim, nb = b.a.ndim
    cdef int am = na - 1 if ta else na - 2, ak = na - 2 if ta else na - 1
    cdef int bk = nb - 1 if tb else nb - 2, bn = nb - 2 if tb else nb - 1
    cdef int dt = a.a.dtype
    require_same_dtype(name, a, b)
    if a.a.shape[ak] != b.a.shape[bk]:
        raise RuntimeError(f"{name}: inner sizes must match (shapes cannot be multiplied), got "
                           f"{product_shape(a, ta)} and {product_shape(b, tb)}")
    if dt == BOOL:
        raise NotImplementedError(f"\"{name}\" not implemented for 'Bool'")
    if dt == FLOAT16 or dt == BFLOAT16:
        return converted(product(name, converted(a, FLOAT32), converted(b, FLOAT32), ta, tb,
                                 None if bias is None else converted(bias, FLOAT32)), dt)
    if is_complex(dt):
        return complex_product(name, a, b, ta, tb, bias)
    return launch_product(a, b, am, ak, bk, bn, bias)


cdef Tensor complex_product(str name, Tensor a, Tensor b, bint ta, bint tb, Tensor bias):
    """By four products of parts."""
    cdef Tensor x = part_of(a, 0), y = part_of(a, 1), u = part_of(b, 0), v = part_of(b, 1), out
    out = joined(op_sub(product(name, x, u, ta, tb, None), product(name, y, v, ta, tb, None)),
                 op_add(product(name, x, v, ta, tb, None), product(name, y, u, ta, tb, None)))
    return out if bias is None else op_add(out, alias(bias))


cdef str product_shape(Tensor t, bint transposed):
    cdef int n = t.a.ndim
    shape = shape_tuple(&t.a)
    return str(shape[:n - 2] + (shape[n - 1], shape[n - 2]) if transposed else shape)


cdef Tensor launch_product(Tensor a, Tensor b, int am, int ak, int bk, int bn, Tensor bias):
    """The output and the launch: batch dimensions lead, (m, n, k) are the kernel's own."""
    cdef int64_t shape[MAX_DIMS]
    cdef int na = a.a.ndim - 2, nb = b.a.ndim - 2, batch = max(na, nb), d, w = itemsize(a.a.dtype)
    cdef int64_t sa, sb, rows = a.a.shape[am]
    cdef Launch l
    cdef Tensor out
    for d in range(batch):
        sa = a.a.shape[d - batch + na] if d >= batch - na else 1
        sb = b.a.shape[d - batch + nb] if d >= batch - nb else 1
        if sa != sb and sa != 1 and sb != 1:
            raise RuntimeError(f"matmul: batch dimensions must broadcast, got {shape_tuple(&a.a)} and {shape_tuple(&b.a)}")
        shape[d] = sa if sb == 1 else sb
    shape[batch], shape[batch + 1] = rows, b.a.shape[bn]
    out = empty(a.a.dtype, batch + 2, shape)
    if out.a.numel == 0:
        return out
    if nb == 0 and na > 0 and ak == a.a.ndim - 1 and rows_fold(a):
        rows = a.a.numel // max(a.a.shape[ak], 1) if a.a.shape[ak] else out.a.numel // shape[batch + 1]
        batch = 0                                   # one tall matrix instead of a batch
    l.kernel = K_MATMUL_INT_FORWARD if not is_floating(a.a.dtype) else K_MATMUL_FORWARD if bias is None else K_LINEAR_FORWARD
    l.dtype, l.noperands = a.a.dtype, 3
    for d in range(batch):
        l.shape[d] = shape[d]
        l.stride[0][d] = out.a.stride[d] * w
        l.stride[1][d] = a.a.stride[d - batch + na] * w if d >= batch - na and a.a.shape[d - batch + na] != 1 else 0
        l.stride[2][d] = b.a.stride[d - batch + nb] * w if d >= batch - nb and b.a.shape[d - batch + nb] != 1 else 0
        l.stride[3][d] = 0
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, a.a.data, b.a.data
    matrix_loop(&l, batch, rows, b.a.shape[bn], a.a.shape[ak], b.a.shape[bn] * w, a.a.stride[am] * w, a.a.stride[ak] * w,
                b.a.stride[bk] * w, b.a.stride[bn] * w, w)
    if bias is not None:
        l.noperands = 4
        l.ptr[3] = bias.a.data
    run(&l)
    return out


cdef void matrix_loop(Launch* l, int batch, int64_t m, int64_t n, int64_t k, int64_t out_row, int64_t a_row, int64_t a_col, int64_t b_row,
                      int64_t b_col, int w) noexcept:
    """The core dimensions (m, n, k) of a product, and of a bias, after `batch` others; strides in bytes, w those of a row of out."""
    l.core, l.ndim = 3, batch + 3
    l.shape[batch], l.shape[batch + 1], l.shape[batch + 2] = m, n, k
    l.stride[0][batch], l.stride[0][batch + 1], l.stride[0][batch + 2] = out_row, w, 0
    l.stride[1][batch], l.stride[1][batch + 1], l.stride[1][batch + 2] = a_row, 0, a_col
    l.stride[2][batch], l.stride[2][batch + 1], l.stride[2][batch + 2] = 0, b_col, b_row
    l.stride[3][batch], l.stride[3][batch + 1], l.stride[3][batch + 2] = 0, w, 0
    l.attr[0].i = 0


cdef bint rows_fold(Tensor a) noexcept:
    """Whether all dimensions but the last are crossed with one stride."""
    cdef int d
    for d in range(a.a.ndim - 2):
        if a.a.stride[d] != a.a.stride[d + 1] * a.a.shape[d + 1]:
            return False
    return True


# matmul and its special shapes

cdef object matmul_entry(const Row* row, PyObject** x):
    """Vectors become matrices for the product and lose the added dimension after it."""
    cdef Tensor a = tensor_argument(row, x[0], 0)
    cdef Tensor b = tensor_argument(row, x[1], 1)
    if a.a.ndim == 2 and b.a.ndim == 2:
        return product_of(a, b)
    if a.a.ndim >= 2 and b.a.ndim >= 2:
        return product_in(form_of(op__product.row, b"UnsafeViewBackward0", NULL), a, b)
    if a.a.ndim == 0 or b.a.ndim == 0:
        raise RuntimeError(f"both arguments to {row.name.decode()} need to be at least 1D, but they are {a.a.ndim}D and "
                           f"{b.a.ndim}D")
    if a.a.ndim == 1 and b.a.ndim == 1:
        return op_dot(a, b)
    if a.a.ndim == 2 and b.a.ndim == 1:
        return op_mv(a, b)
    if a.a.ndim == 1:
        return own(op_squeeze(product_of(op_unsqueeze(a, 0), b), -2))
    return own(op_squeeze(product_of(a, op_unsqueeze(b, 1)), -1))


cdef inline object own(object out):
    """out as no view: nobody else has the matrix it is one of."""
    (<Tensor>out).base = None
    return out


cdef object AS_IT_IS = False        # Python objects: a literal would become a C number, no pointer
cdef object TRANSPOSED = True


cdef inline object product_of(object a, object b, object ta=AS_IT_IS, object tb=AS_IT_IS):
    return product_in(op__product.row, a, b, ta, tb)


cdef object product_in(const Row* form, object a, object b, object ta=AS_IT_IS, object tb=AS_IT_IS):
    """A product whose node says the name of a form."""
    cdef PyObject* args[4]
    args[0], args[1], args[2], args[3] = <PyObject*>a, <PyObject*>b, <PyObject*>ta, <PyObject*>tb
    return entry__product(form, args)


cdef int require_dims(str name, Tensor t, str argument, int ndim) except -1:
    if t.a.ndim != ndim:
        raise RuntimeError(f"{name}: expected {argument} to be {ndim}-D, got {shape_tuple(&t.a)}")
    return 0


cdef object mm_rule(Tensor input, Tensor mat2):
    require_dims("mm", input, "input", 2)
    require_dims("mm", mat2, "mat2", 2)
    return product_of(input, mat2)


cdef object bmm_rule(Tensor input, Tensor mat2):
    require_dims("bmm", input, "batch1", 3)
    require_dims("bmm", mat2, "batch2", 3)
    if input.a.shape[0] != mat2.a.shape[0]:
        raise RuntimeError(f"bmm: expected the same batch size, got {shape_tuple(&input.a)} and {shape_tuple(&mat2.a)}")
    return product_in(form_of(op__product.row, b"BmmBackward0", NULL), input, mat2)


cdef Tensor mv_rule(Tensor input, Tensor vec):
    require_dims("mv", input, "input", 2)
    require_dims("mv", vec, "vec", 1)
    return without_dim(product("mv", input, view_as_matrix(vec), False, True, None), 1)


cdef Tensor dot_rule(Tensor input, Tensor tensor_):
    require_dims("dot", input, "input", 1)
    require_dims("dot", tensor_, "tensor", 1)
    if input.a.shape[0] != tensor_.a.shape[0]:
        raise RuntimeError(f"dot: inconsistent tensor size, expected both vectors to have the same size, got {shape_tuple(&input.a)} and "
                           f"{shape_tuple(&tensor_.a)}")
    return without_dim(without_dim(product("dot", view_as_matrix(input), view_as_matrix(tensor_), False, True, None), 1), 0)


cdef object vdot_rule(Tensor input, Tensor other):
    return op_dot(op_conj(input), other)


cdef object outer_rule(Tensor input, Tensor vec2):
    require_dims("outer", input, "input", 1)
    require_dims("outer", vec2, "vec2", 1)
    return op_mul(op_unsqueeze(input, 1), vec2)


cdef object inner_rule(Tensor input, Tensor other):
    if input.a.ndim == 0 or other.a.ndim == 0:
        return op_mul(input, other)
    if input.a.shape[input.a.ndim - 1] != other.a.shape[other.a.ndim - 1]:
        raise RuntimeError(f"inner: the last dimensions must match, got {shape_tuple(&input.a)} and {shape_tuple(&other.a)}")
    shape = shape_tuple(&input.a)[:input.a.ndim - 1] + shape_tuple(&other.a)[:other.a.ndim - 1]
    return op_reshape(op__product(as_rows(input), as_rows(other), False, True), shape)


cdef object scaled(object product, object alpha):
    return product if alpha == 1 else op_mul(product, alpha)


cdef object scaled_sum(str name, object input, object product, object beta, object alpha):
    """beta * input + alpha * product; input is not read at all where beta is 0, so its NaN do not spread."""
    cdef Tensor out = <Tensor>product
    if not is_floating(out.a.dtype) and (PyFloat_Check(beta) or PyFloat_Check(alpha)):
        if name == "addr":
            raise RuntimeError("addr: for integral input tensors, arguments alpha and beta must not be floating point numbers")
        beta, alpha = int(beta), int(alpha)
    product = scaled(product, alpha)
    out = <Tensor>product
    require_same_dtype(name, <Tensor>input, out)
    if beta == 0:
        op_expand(input, shape_tuple(&out.a))
        return product
    return op_add(product, scaled(op_expand(input, shape_tuple(&out.a)), beta))


ctypedef object (*ScaledRule)(Tensor input, Tensor a, Tensor b, object beta, object alpha)


cdef object rounded_once(ScaledRule rule, Tensor input, Tensor a, Tensor b, object beta, object alpha):
    """What the rule makes of float32 copies, in the dtype of input: of float16 and bfloat16, only the result is rounded, as in PyTorch."""
    cdef object wide = dtype_object(FLOAT32)
    return op_to(rule(op_to(input, wide), op_to(a, wide), op_to(b, wide), beta, alpha), dtype_object(input.a.dtype))


cdef inline bint all_short(Tensor input, Tensor a, Tensor b) noexcept:
    """Whether all are float16, or all bfloat16."""
    return (input.a.dtype == FLOAT16 or input.a.dtype == BFLOAT16) and a.a.dtype == input.a.dtype and b.a.dtype == input.a.dtype


cdef object addmm_rule(Tensor input, Tensor mat1, Tensor mat2, object beta, object alpha):
    if all_short(input, mat1, mat2):
        return rounded_once(addmm_rule, input, mat1, mat2, beta, alpha)
    require_dims("addmm", mat1, "mat1", 2)
    require_dims("addmm", mat2, "mat2", 2)
    return scaled_sum("addmm", input, product_of(mat1, mat2), beta, alpha)


cdef object addmv_rule(Tensor input, Tensor mat, Tensor vec, object beta, object alpha):
    if all_short(input, mat, vec):
        return rounded_once(addmv_rule, input, mat, vec, beta, alpha)
    return scaled_sum("addmv", input, op_mv(mat, vec), beta, alpha)


cdef object addr_rule(Tensor input, Tensor vec1, Tensor vec2, object beta, object alpha):
    if input.a.dtype == BOOL and vec1.a.dtype == BOOL and vec2.a.dtype == BOOL:
        beta, alpha = bool(beta), bool(alpha)
    return scaled_sum("addr", input, outer_rule(vec1, vec2), beta, alpha)


cdef object baddbmm_rule(Tensor input, Tensor batch1, Tensor batch2, object beta, object alpha):
    if all_short(input, batch1, batch2):
        return rounded_once(baddbmm_rule, input, batch1, batch2, beta, alpha)
    return scaled_sum("baddbmm", input, bmm_rule(batch1, batch2), beta, alpha)


cdef object addbmm_rule(Tensor input, Tensor batch1, Tensor batch2, object beta, object alpha):
    cdef object sums = input
    if all_short(input, batch1, batch2) and batch1.a.ndim == 3 == batch2.a.ndim and 0 < batch1.a.shape[0] == batch2.a.shape[0]:
        for i in range(batch1.a.shape[0]):                              # one rounding a matrix, as in PyTorch
            sums = addmm_rule(sums, batch1[i], batch2[i], beta if i == 0 else 1, alpha)
        return sums
    return scaled_sum("addbmm", input, op_sum(bmm_rule(batch1, batch2), 0), beta, alpha)


cdef object cross_rule(Tensor input, Tensor other, object dim):
    cdef Launch l
    cdef Tensor out, x, y
    cdef int d, dt
    if input.a.ndim != other.a.ndim:
        raise RuntimeError(f"linalg.cross: inputs must have the same number of dimensions, got {shape_tuple(&input.a)} and "
                           f"{shape_tuple(&other.a)}")
    dt = input.a.dtype
    if dt == BOOL:
        raise NotImplementedError("\"cross\" not implemented for 'Bool'")
    require_same_dtype("cross", input, other)
    cdef tuple both = op_broadcast_tensors([input, other])
    x, y = [contiguous(in_dtype(<Tensor>t, computed_dtype(dt))) for t in both]
    d = first_of_three(x) if dim is None else wrapped_dim("cross", dim, x.a.ndim)
    if input.a.ndim == 0 or input.a.shape[d] != 3 or other.a.shape[d] != 3:
        raise RuntimeError(f"linalg.cross: inputs dimension {-1 if dim is None else dim} must have length 3, got "
                           f"{shape_tuple(&input.a)} and {shape_tuple(&other.a)}")
    out = empty_as(x.a.dtype, &x.a)
    plan_along(&l, &x.a, d, 3, itemsize(x.a.dtype))
    l.kernel = K_CROSS_FORWARD
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, x.a.data, y.a.data
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef int first_of_three(Tensor t) except -1:
    cdef int d
    for d in range(t.a.ndim):
        if t.a.shape[d] == 3:
            return d
    raise RuntimeError(f"no dimension of size 3 in input: cross got {shape_tuple(&t.a)}")


# linear: x @ weight.T + bias over the last dimension

cdef object odd_linear(Tensor input, Tensor weight, Tensor bias):
    """linear of a weight that is a vector, or with a bias of another shape: other operations.  None for the usual case."""
    if weight.a.ndim == 2 and (bias is None or input.a.ndim == 0 or (bias.a.ndim == 1 and bias.a.shape[0] == weight.a.shape[0])):
        return None
    cdef object out
    if weight.a.ndim == 2:
        out = op_linear(input, weight)
    elif weight.a.ndim == 1 and (bias is None or input.a.ndim == 1):
        out = op_matmul(input, weight)
    else:
        raise RuntimeError(f"linear: weight must be 2-D and input at least 1-D, got {shape_tuple(&input.a)} and {shape_tuple(&weight.a)}")
    if bias is None:
        return out
    require_same_dtype("linear", input, bias)
    check_expands("linear", &bias.a, &(<Tensor>out).a)
    return op_add(out, bias)


cdef const Row* linear_form(const Row* row, Tensor input, Tensor bias):
    """The names that PyTorch's graph shows; of what is no matrix, that of the view it takes of its product."""
    if bias is not None:
        return row if input.a.ndim == 2 else form_of(row, b"ViewBackward0", NULL) if input.a.contiguous else form_of(row, b"AddBackward0", NULL)
    if input.a.ndim == 2:
        return form_of(row, b"MmBackward0", b"\1\2")
    return form_of(row, b"UnsafeViewBackward0" if input.a.ndim > 2 else b"SqueezeBackward4", b"\1\2")


cdef Tensor linear_rule(Tensor input, Tensor weight, Tensor bias):
    cdef Tensor x = input, out
    if input.a.ndim == 0 or weight.a.ndim != 2:
        raise RuntimeError(f"linear: weight must be 2-D and input at least 1-D, got {shape_tuple(&input.a)} and "
                           f"{shape_tuple(&weight.a)}")
    if input.a.ndim == 1:
        x = view_as_matrix(input)
    if bias is None:
        out = product("linear", x, weight, False, True, None)
    else:
        require_same_dtype("linear", input, bias)
        if is_floating(x.a.dtype):
            out = product("linear", x, weight, False, True, bias if bias.a.contiguous else contiguous_copy(bias))
        else:
            out = op_add(product("linear", x, weight, False, True, None), bias)
    return without_dim(out, out.a.ndim - 2) if input.a.ndim == 1 else out


cdef Tensor view_as_matrix(Tensor t):
    cdef int64_t shape[2]
    cdef int64_t stride[2]
    shape[0], shape[1] = 1, t.a.shape[0]
    stride[0], stride[1] = t.a.shape[0] * t.a.stride[0], t.a.stride[0]
    return view_of(t, 2, shape, stride, 0)


cdef Tensor without_dim(Tensor t, int dim):
    """The fresh tensor t without dimension `dim`, which has size 1."""
    cdef int d
    for d in range(dim, t.a.ndim - 1):
        t.a.shape[d], t.a.stride[d] = t.a.shape[d + 1], t.a.stride[d + 1]
    t.a.ndim -= 1
    refresh(&t.a)
    return t


cdef object linear_grad_input(object grad, object weight):
    if (<Tensor>grad).a.ndim == 1:
        return op_matmul(grad, weight)
    return product_of(grad, weight)


cdef object as_rows(object t):
    """All dimensions but the last folded into one."""
    cdef Tensor x = <Tensor>t
    return t if x.a.ndim == 2 else op_reshape(t, (row_count(x), x.a.shape[x.a.ndim - 1]))


cdef int64_t row_count(Tensor t) noexcept:
    cdef int64_t n = 1
    cdef int d
    for d in range(t.a.ndim - 1):
        n *= t.a.shape[d]
    return n


cdef object linear_grad_weight(object grad, object input):
    return product_of(as_rows(grad), as_rows(input), TRANSPOSED, AS_IT_IS)


cdef object linear_grad_bias(object grad):
    cdef Tensor g = <Tensor>grad
    if g.a.ndim == 1:
        return grad
    if grad_enabled():
        return op_sum(as_rows(grad), 0)
    return sum_over(g, (1 << g.a.ndim - 1) - 1, False, PLAIN, AS_IS, 0, 0)
