# Variance, logsumexp and norms: reductions of mapped elements, and their gradients.

# ---- variance -------------------------------------------------------------------------------------------------------------

cdef Tensor variance_of(Tensor input, object dim, object correction, bint keepdim, bint root):
    cdef str name = "std" if root else "var"
    cdef int mask = dim_mask(name, dim, input.a.ndim), dt = input.a.dtype, first
    cdef double n, c = 1 if correction is None else correction
    cdef Launch l
    cdef Tensor out, mean, source
    if not is_floating(dt):
        raise RuntimeError(f"std and var only support floating point and complex dtypes")
    n = <double>reduced_count(&input.a, mask)
    if n - c <= 0:
        import warnings
        warnings.warn(f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
                      "numel divided by output numel).", UserWarning, 2)
    source = in_dtype(input, computed_dtype(dt))
    out = reduced_shape(source, mask, keepdim, source.a.dtype)
    mean = reduced_shape(source, mask, keepdim, source.a.dtype)
    if plan_reduction(&l, &source.a, mask, 2, &first) > 1:
        source = kept_first(source, mask, &mask)
        plan_reduction(&l, &source.a, mask, 2, &first)
    l.kernel = K_VARIANCE_FORWARD
    l.attr[0].f, l.attr[1].i = max(n - c, 0.0), root
    give_output(&l, 0, out)
    give_output(&l, 1, mean)
    if out.a.numel:
        run(&l)
    return in_dtype(out, dt)


cdef Tensor _variance_rule(Tensor input, object dim, object correction, bint keepdim):
    return variance_of(input, dim, correction, keepdim, False)


cdef Tensor _deviation_rule(Tensor input, object dim, object correction, bint keepdim):
    return variance_of(input, dim, correction, keepdim, True)


cdef object legacy_correction(PyObject** a, PyObject** dim):
    """The correction of var(input, dim, unbiased, keepdim, correction=...), where a bool may stand in dim's place."""
    dim[0] = <PyObject*>None if a[1] == NULL else a[1]
    if a[2] != NULL and <object>a[2] is not None and a[4] != NULL and <object>a[4] is not None:
        raise TypeError("the arguments 'unbiased' and 'correction' exclude each other")
    if PyBool_Check(<object>dim[0]):
        unbiased = <object>dim[0]
        dim[0] = <PyObject*>None
        return 1 if unbiased else 0
    if a[2] != NULL and <object>a[2] is not None:
        return 1 if <object>a[2] else 0
    if a[4] == NULL or <object>a[4] is None:
        return 1
    return <object>a[4]


cdef object var_entry(const Row* row, PyObject** a):
    cdef PyObject* dim
    correction = legacy_correction(a, &dim)
    return complex_variance(tensor_argument(row, a[0], 0), <object>dim, correction, False if a[3] == NULL else <object>a[3])


cdef object complex_variance(Tensor x, object dim, object correction, object keepdim):
    """Of complex numbers: that of both parts together."""
    if is_complex(x.a.dtype):
        return op_add(op__variance(op_real(x), dim, correction, keepdim), op__variance(op_imag(x), dim, correction, keepdim))
    return op__variance(x, dim, correction, keepdim)


cdef object std_entry(const Row* row, PyObject** a):
    cdef PyObject* dim
    correction = legacy_correction(a, &dim)
    if is_complex(tensor_argument(row, a[0], 0).a.dtype):
        return op_sqrt(complex_variance(<Tensor>a[0], <object>dim, correction, False if a[3] == NULL else <object>a[3]))
    return op__deviation(tensor_argument(row, a[0], 0), <object>dim, correction, False if a[3] == NULL else <object>a[3])


cdef object var_mean_entry(const Row* row, PyObject** a):
    cdef PyObject* dim
    variance = var_entry(row, a)
    legacy_correction(a, &dim)
    return variance, op_mean(<object>a[0], <object>dim, False if a[3] == NULL else <object>a[3])


cdef object std_mean_entry(const Row* row, PyObject** a):
    cdef PyObject* dim
    deviation = std_entry(row, a)
    legacy_correction(a, &dim)
    return deviation, op_mean(<object>a[0], <object>dim, False if a[3] == NULL else <object>a[3])


cdef object variance_backward(Tensor grad, Tensor input, object dim, object correction, bint keepdim):
    """2 grad (input - mean) / (n - correction)."""
    cdef double by = reduced_count(&input.a, dim_mask("var", dim, input.a.ndim))
    by = max(by - <double>(1 if correction is None else correction), 0.0)
    scaled = op_div(op_mul(grad, 2.0), by)
    return op_mul(expand_reduced(scaled, shape_tuple(&input.a), dim, keepdim), op_sub(input, op_mean(input, dim, True)))


cdef object deviation_backward(Tensor grad, Tensor input, Tensor result, object dim, object correction, bint keepdim):
    """The variance's, of grad / (2 result); 0 where the deviation is 0."""
    zero = op_eq(result, 0)
    scaled = op_where(zero, 0.0, op_div(grad, op_mul(op_where(zero, 1.0, result), 2.0)))
    return variance_backward(scaled, input, dim, correction, keepdim)


# ---- logsumexp and norms ---------------------------------------------------------------------------------------------------

cdef object complex_logsumexp(Tensor input, object dim, bint keepdim):
    """Of complex numbers, by operations; None for real ones."""
    if not is_complex(input.a.dtype):
        return None
    most = op_amax(op_detach(op_real(input)), dim, True)
    most = op_where(op_isfinite(most), most, 0.0)
    total = op_log(op_sum(op_exp(op_sub(input, most)), dim, keepdim))
    return op_add(total, op_reshape(most, shape_tuple(&(<Tensor>total).a)))


cdef Tensor logsumexp_rule(Tensor input, object dim, bint keepdim):
    cdef int mask = dim_mask("logsumexp", dim, input.a.ndim), dt = input.a.dtype
    cdef Launch l
    if not is_floating(dt):
        dt = default_dtype()
    input = in_dtype(input, computed_dtype(dt))
    l.kernel = K_LOGSUMEXP_FORWARD
    return in_dtype(reduced(&l, input, mask, keepdim, input.a.dtype), dt)


cdef object logsumexp_backward_of(Tensor grad, Tensor input, Tensor result, object dim, bint keepdim):
    """grad exp(input - result); 0 where the result is infinite."""
    cdef tuple shape = shape_tuple(&input.a)
    finite = op_where(op_isinf(result), 0.0, result)
    weight = op_exp(op_sub(input, expand_reduced(finite, shape, dim, keepdim)))
    return op_mul(expand_reduced(grad, shape, dim, keepdim), weight)


cdef Tensor _norm_rule(Tensor input, object p, object dim, bint keepdim):
    cdef int mask = dim_mask("norm", dim, input.a.ndim)
    cdef double order = p
    if order == 2:
        return sum_over(input, mask, keepdim, SQUARES, ROOT, 0, 0)
    if order == 1:
        return sum_over(input, mask, keepdim, MAGNITUDES, AS_IS, 0, 0)
    if order == 0:
        return sum_over(input, mask, keepdim, NONZEROS, AS_IS, 0, 0)
    return sum_over(input, mask, keepdim, POWERS, POWER, 1 / order, order)


cdef object norm_backward_of(Tensor grad, Tensor input, Tensor result, object p, object dim, bint keepdim):
    """grad (x / norm) (|x| / norm)^(p - 2); 0 where the norm is 0."""
    cdef tuple shape = shape_tuple(&input.a)
    cdef double order = p
    if order == 0:
        return None
    if order == 1:
        return op_mul(expand_reduced(grad, shape, dim, keepdim), functions["sign"](input))
    zero = op_eq(result, 0)
    whole = op_where(zero, 1.0, result)                 # also so that the derivative in grad is finite
    if order == 2:
        return op_mul(expand_reduced(op_where(zero, 0.0, op_div(grad, whole)), shape, dim, keepdim), input)
    whole = expand_reduced(whole, shape, dim, keepdim)
    weight = functions["pow"](functions["abs"](op_div(input, whole)), order - 1)
    signed = op_mul(weight, functions["sign"](input))
    grad = expand_reduced(op_where(zero, 0.0, grad), shape, dim, keepdim)
    return op_mul(grad, op_where(op_eq(input, 0), 0.0, signed))


cdef object norm_rule(Tensor input, object p, object dim, bint keepdim, object dtype_):
    if p is None or p == "fro":
        if p is not None and isinstance(dim, (tuple, list)) and len(dim) > 2:
            raise RuntimeError(f"linalg.matrix_norm: dim must be a 2-tuple. Got {' '.join([str(d) for d in dim])}")
        p = 2.0
    elif p == "nuc":
        return nuclear_norm(input if dtype_ is None else cast_to(input, dtype_argument(dtype_).code), dim, keepdim)
    elif isinstance(p, str):
        raise RuntimeError(f"linalg.matrix_norm: Order {p} not supported.")
    return _vector_norm_rule(input, p, dim, keepdim, dtype_)


cdef object _vector_norm_rule(Tensor input, object ord, object dim, bint keepdim, object dtype_):
    cdef double order = ord
    cdef object x = input
    if dtype_ is not None:
        if promote_types(dtype_object(input.a.dtype), dtype_) is not dtype_:
            raise RuntimeError(f"linalg.vector_norm: the dtype of the input ({scalar_name(input.a.dtype)}) should be convertible "
                               f"without narrowing to the specified dtype ({scalar_name(dtype_argument(dtype_).code)})")
        x = functions["_to_dtype"](x, dtype_) if "_to_dtype" in functions else x.to(dtype_)
    if is_complex((<Tensor>x).a.dtype):
        x = op_abs(x)
    if not is_floating((<Tensor>x).a.dtype):
        raise RuntimeError("linalg.vector_norm: Expected a floating point or complex tensor as input. Got "
                           f"{scalar_name(input.a.dtype)}")
    if input.a.numel == 0 and (order < 0 or order == float("inf")):
        if reduced_count(&input.a, dim_mask("norm", dim, input.a.ndim)) == 0:
            raise RuntimeError(f"linalg.vector_norm cannot compute the {order} norm on an empty tensor because the operation does "
                               "not have an identity")
    if order == float("inf") or order == -float("inf"):
        x = functions["abs"](x)
        most = op_amax if order > 0 else op_amin
        out = most(x, dim, keepdim)
        if wants(<Tensor>out) and op_isnan(op_detach(out)).any():         # the gradient of NaN is zero here, unlike amax's
            x = op_where(op_isnan(most(op_detach(x), dim, True)), op_detach(x), x)
            out = most(x, dim, keepdim)
        return out
    return op__norm(x, order, dim, keepdim)
