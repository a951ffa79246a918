# Entries and rules of elementwise rows that a row alone cannot say: checks of dtypes and divisors, options that choose another row,
# and the helpers that formulas call in their differentiable form.  No loop over elements but the one that looks for a zero.

cdef object no_gradient(Tensor grad):
    """The gradient of a step function."""
    cdef Tensor out = empty_as(grad.a.dtype, &grad.a)
    fill_array(&out.a, 0)
    return out


cdef int step_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef int i
    for i in range(node.row.ninputs):
        if node.edge[i] != NULL:
            give(out, i, no_gradient(<Tensor>grads[0]))
    return 0


cdef object inplace_comparison(const Row* row, PyObject** a):
    """x.lt_(y): ones and zeros in x's dtype, of which the gradient is zero."""
    if not is_tensor(a[1]):
        row = row.number_form
    return inplace_elementwise(with_backward(row, row.node_name, step_backward), a)


cdef Tensor _linked_rule(Tensor input, Tensor other):
    return view_of(input, input.a.ndim, input.a.shape, input.a.stride, 0)


cdef object select(object condition, object yes, object no):
    """`yes if condition else no` in formulas, whose condition may turn out to be about numbers alone."""
    if is_tensor(<PyObject*>condition):
        return op_where(condition, yes, no)
    chosen, other = (yes, no) if condition else (no, yes)
    cdef Tensor out
    if is_tensor(<PyObject*>chosen) or not is_tensor(<PyObject*>other):
        return chosen
    out = empty_as((<Tensor>other).a.dtype, &(<Tensor>other).a)
    fill_array(&out.a, chosen)
    return out


cdef object floor_quotient(object x, object y):
    return op_div(x, y, rounding_mode="floor")


cdef object as_operand(object x, Tensor like):
    """x, a number made a tensor of like's dtype: for functions that take tensors only."""
    if is_tensor(<PyObject*>x):
        return x
    cdef Tensor out = empty(like.a.dtype, 0, NULL)
    fill_array(&out.a, x)
    return out


# ---- checks ---------------------------------------------------------------------------------------------------------------

cdef inline int dtype_of(PyObject* x) except -2:
    return (<Tensor>x).a.dtype if is_tensor(x) else number_dtype(<object>x)


cdef inline bint is_bool(PyObject* x) noexcept:
    return (<Tensor>x).a.dtype == BOOL if is_tensor(x) else PyBool_Check(<object>x)


cdef inline int refuse_bool(PyObject** a, str what, int n) except -1:
    """Subtraction and negation of bools are errors in PyTorch."""
    if is_bool(a[0]) or (n > 1 and is_bool(a[1])):
        raise_bool(what, n, n > 1 and is_bool(a[0]) and is_bool(a[1]))
    return 0


cdef int raise_bool(str what, int n, bint both) except -1:
    if both:
        raise RuntimeError("Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or "
                           "`logical_xor()` operator instead.")
    raise RuntimeError(f"{what}, the `-` operator, {'on' if n == 1 else 'with'} a bool tensor is not supported. If you are "
                       "trying to invert a mask, use the `~` or `logical_not()` operator instead.")


cdef int check_alpha(PyObject** a) except -1:
    cdef int dt = result_dtype(a, 2)
    if isinstance(<object>a[2], complex) and not is_complex(dt):
        raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
    if PyFloat_Check(<object>a[2]) and not is_floating(dt):
        raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
    if PyBool_Check(<object>a[2]) and dt != BOOL:
        raise RuntimeError("Boolean alpha only supported for Boolean results.")
    return 0


cdef bint has_zero(const Array* a) noexcept:
    """Whether an integer array holds a zero."""
    cdef int64_t index[MAX_DIMS]
    cdef int d, k, width = itemsize(a.dtype)
    cdef char* p = a.data
    cdef bint nonzero
    if a.numel == 0:
        return False
    for d in range(a.ndim):
        index[d] = 0
    while True:
        nonzero = False
        for k in range(width):
            nonzero |= p[k] != 0
        if not nonzero:
            return True
        d = a.ndim - 1
        while d >= 0:
            index[d] += 1
            p += a.stride[d] * width
            if index[d] < a.shape[d]:
                break
            p -= a.stride[d] * a.shape[d] * width
            index[d] = 0
            d -= 1
        if d < 0:
            return False


cdef int check_divisor(const Row* row, PyObject** a) except -1:
    """An integer division by zero is an error, before anything is computed."""
    cdef int left = dtype_of(a[0]), right = dtype_of(a[1])
    if is_floating(left) or is_floating(right) or left == right == BOOL:
        return 0
    if is_tensor(a[0]) and (<Tensor>a[0]).a.numel == 0:
        return 0
    if has_zero(&(<Tensor>a[1]).a) if is_tensor(a[1]) else not <object>a[1]:
        raise RuntimeError("ZeroDivisionError")
    return 0


# ---- arithmetic -----------------------------------------------------------------------------------------------------------

cdef object with_alpha(const Row* row, const Row* scaled, PyObject** a, entry_point entry):
    """By the row that scales its second operand; complex numbers, for which that has no kernel, are scaled first."""
    cdef PyObject* x[2]
    cdef object scaled_other
    check_alpha(a)
    if not is_complex(result_dtype(a, 2)):
        return entry(scaled, a)
    scaled_other = op_mul(<object>a[1], <object>a[2])
    x[0], x[1] = a[0], <PyObject*>scaled_other
    return entry(row, x)


cdef object add_entry(const Row* row, PyObject** a):
    return elementwise(row, a) if a[2] == NULL else with_alpha(row, (<Operation>op__add_scaled).row, a, elementwise)


cdef object inplace_add_entry(const Row* row, PyObject** a):
    return inplace_elementwise(row, a) if a[2] == NULL else with_alpha(row, (<Operation>op__add_scaled).row, a, inplace_elementwise)


cdef inline const Row* sub_form(const Row* row, PyObject** a) except NULL:
    return row if is_tensor(a[0]) else form_of(row, b"RsubBackward1", b"\2")


cdef object sub_entry(const Row* row, PyObject** a):
    refuse_bool(a, "Subtraction", 2)
    if a[2] == NULL:
        return elementwise(sub_form(row, a), a)
    return with_alpha(sub_form(row, a), (<Operation>op__sub_scaled).row, a, elementwise)


cdef object inplace_sub_entry(const Row* row, PyObject** a):
    refuse_bool(a, "Subtraction", 2)
    return inplace_elementwise(row, a) if a[2] == NULL else with_alpha(row, (<Operation>op__sub_scaled).row, a, inplace_elementwise)


cdef object rsub_rule(Tensor input, object other, object alpha):
    return op_sub(other, input) if alpha == 1 else op_sub(other, input, alpha=alpha)


cdef int check_neg(const Row* row, PyObject** a) except -1:
    return refuse_bool(a, "Negation", 1)


cdef int check_bits(const Row* row, PyObject** a) except -1:
    if is_tensor(a[0]) and is_floating((<Tensor>a[0]).a.dtype):
        raise NotImplementedError(f'"bitwise_not_cpu" not implemented for \'{scalar_name((<Tensor>a[0]).a.dtype)}\'')
    return 0


cdef object positive_rule(Tensor input):
    if input.a.dtype == BOOL:
        raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
    return input


cdef int refuse_gradient(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    raise RuntimeError(f"derivative for aten::{node.row.name.decode()} is not implemented")


cdef object floor_divide_entry(const Row* row, PyObject** a):
    check_divisor(row, a)
    return elementwise(undifferentiable(row, refuse_gradient), a)


cdef object inplace_floor_divide_entry(const Row* row, PyObject** a):
    check_divisor(row, a)
    return inplace_elementwise(undifferentiable(row, refuse_gradient), a)


cdef object number_over_entry(const Row* row, PyObject** a):
    return op_mul(op_reciprocal(<object>a[0]), <object>a[1]) if isinstance(<object>a[1], complex) else elementwise(row, a)


cdef const Row* rounded_division(object mode) except NULL:
    if mode == "trunc":
        return (<Operation>op__trunc_divide).row
    if mode == "floor":
        return form_of(op_floor_divide.row, b"DivBackward2", NULL)
    raise RuntimeError(f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{mode}'")


cdef object div_entry(const Row* row, PyObject** a):
    if a[2] == NULL or <object>a[2] is None:
        return elementwise(row, a)
    check_divisor(row, a)
    return elementwise(rounded_division(<object>a[2]), a)


cdef object inplace_div_entry(const Row* row, PyObject** a):
    if a[2] == NULL or <object>a[2] is None:
        return inplace_elementwise(row, a)
    check_divisor(row, a)
    return inplace_elementwise(rounded_division(<object>a[2]), a)


cdef int check_addc(const Row* row, PyObject** a, PyObject** x, object one) except -1:
    """The row's four arguments, value 1 unless given."""
    cdef int i
    for i in range(3):
        tensor_argument(row, a[i], i)
        x[i] = a[i]
    x[3] = <PyObject*>one if a[3] == NULL else a[3]
    if row == (<Operation>op_addcdiv).row and not is_floating(result_dtype(x + 1, 2)):
        raise RuntimeError("Integer division with addcdiv is no longer supported; use input + value * torch.trunc(tensor1 / tensor2) "
                           "for integers, or convert an input to a floating dtype.")
    return 0


cdef object addc_entry(const Row* row, PyObject** a):
    cdef PyObject* x[4]
    check_addc(row, a, x, 1)
    if isinstance(<object>x[3], complex):
        scaled_one = op_mul(<object>x[1], <object>x[3])
        return op_add(<object>x[0], op_mul(scaled_one, <object>x[2]) if row == op_addcmul.row else op_div(scaled_one, <object>x[2]))
    return elementwise(row, x)


cdef object inplace_addc_entry(const Row* row, PyObject** a):
    cdef PyObject* x[4]
    check_addc(row, a, x, 1)
    return inplace_elementwise(row, x)


cdef int check_lerp(const Row* row, PyObject** a) except -1:
    cdef int dt = tensor_argument(row, a[0], 0).a.dtype
    if tensor_argument(row, a[1], 1).a.dtype != dt:
        raise RuntimeError(f"expected dtype {dtype_object(dt).name} for `end` but got dtype {dtype_object(dtype_of(a[1])).name}")
    if is_tensor(a[2]) and (<Tensor>a[2]).a.ndim and dtype_of(a[2]) != dt:
        raise RuntimeError(f"expected dtype {dtype_object(dt).name} for `weight` but got dtype {dtype_object(dtype_of(a[2])).name}")
    if not is_floating(dt):
        raise NotImplementedError(f"\"lerp_kernel_scalar\" not implemented for '{scalar_name(dt)}'")
    return 0


cdef object softsign_entry(const Row* row, PyObject** a):
    if is_complex(tensor_argument(row, a[0], 0).a.dtype):
        return op_div(<object>a[0], op_add(op_abs(<object>a[0]), 1))
    refuse_bool_tensor(row, a)
    return elementwise(row, a)


cdef int refuse_bool_tensor(const Row* row, PyObject** a) except -1:
    if tensor_argument(row, a[0], 0).a.dtype == BOOL:
        raise NotImplementedError(f"\"{row.name.decode()}\" not implemented for 'Bool'")
    return 0


cdef int check_limits(const Row* row, PyObject** a) except -1:
    cdef object low = -1.0 if a[1] == NULL else <object>a[1], high = 1.0 if a[2] == NULL else <object>a[2]
    if low > high:
        raise ValueError(f"hardtanh: min_val cannot be greater than max_val, got {low} and {high}")
    return 0


cdef int check_celu(const Row* row, PyObject** a) except -1:
    if a[1] != NULL and <object>a[1] == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return 0


cdef int check_lambd(const Row* row, PyObject** a) except -1:
    if a[1] != NULL and <object>a[1] < 0:
        raise RuntimeError(f"softshrink: lambda must not be negative, got {<object>a[1]}")
    return 0


cdef const Row* checked_heaviside(const Row* row, PyObject** a) except NULL:
    if tensor_argument(row, a[0], 0).a.dtype != tensor_argument(row, a[1], 1).a.dtype:
        raise RuntimeError("heaviside is not yet implemented for tensors with different dtypes.")
    return undifferentiable(row, refuse_gradient)


cdef object heaviside_entry(const Row* row, PyObject** a):
    return elementwise(checked_heaviside(row, a), a)


cdef object inplace_heaviside_entry(const Row* row, PyObject** a):
    return inplace_elementwise(checked_heaviside(row, a), a)


# ---- powers ---------------------------------------------------------------------------------------------------------------

cdef const Row* special_power(const Row* row, PyObject** a) except NULL:
    """The row that computes the power exactly, for the exponents that have one."""
    cdef f64 e
    if isinstance(<object>a[1], complex):
        return row
    if is_tensor(a[1]) or not is_tensor(a[0]):
        if is_tensor(a[0]) and (<Tensor>a[0]).a.dtype == BOOL and (<Tensor>a[1]).a.dtype == BOOL:
            raise NotImplementedError("\"pow\" not implemented for 'Bool'")
        if <object>a[0] is False and dtype_of(a[1]) == BOOL:
            raise NotImplementedError("\"pow\" not implemented for 'Bool'")
        return row
    e = double_of(<object>a[1])
    if not is_floating(dtype_of(a[0])):
        if e < 0 and not PyFloat_Check(<object>a[1]):
            raise RuntimeError("Integers to negative integer powers are not allowed.")
        return row
    if e == 2:
        return (<Operation>op_square).row
    if e == 3:
        return (<Operation>op__cube).row
    if e == 0.5:
        return (<Operation>op__power_half).row
    if e == 1:
        return (<Operation>op__power_one).row
    if e == -1:
        return (<Operation>op__power_minus_one).row
    if e == -0.5:
        return (<Operation>op__power_minus_half).row
    if e == -2:
        return (<Operation>op__power_minus_two).row
    return row


cdef const Row* pow_form(const Row* row, PyObject** a):
    """The row for a power of these operands, in PyTorch's form for tensors and numbers."""
    row = special_power(row, a)
    if row != op_pow.row:
        return row
    if not is_tensor(a[1]):
        return form_of(row, b"PowBackward0", b"\1")
    return form_of(row, b"PowBackward1", NULL) if is_tensor(a[0]) else form_of(row, b"PowBackward2", b"\2")


cdef object pow_entry(const Row* row, PyObject** a):
    cdef PyObject* x[2]
    cdef Tensor t
    if is_tensor(a[0]) and not is_floating((<Tensor>a[0]).a.dtype) and PyFloat_Check(<object>a[1]):
        t = converted(<Tensor>a[0], default_dtype())
        x[0], x[1] = <PyObject*>t, a[1]
        return elementwise(pow_form(row, x), x)
    return elementwise(pow_form(row, a), a)


cdef object inplace_pow_entry(const Row* row, PyObject** a):
    return inplace_elementwise(pow_form(row, a), a)


cdef object square_entry(const Row* row, PyObject** a):
    return op_pow(<object>a[0], 2) if tensor_argument(row, a[0], 0).a.dtype == BOOL else elementwise(row, a)


cdef object inplace_square_entry(const Row* row, PyObject** a):
    return inplace_elementwise(row, a)


cdef object float_power_rule(object input, object exponent):
    cdef bint wide = is_complex(dtype_of(<PyObject*>input)) or is_complex(dtype_of(<PyObject*>exponent))
    return op_pow(in_double_precision(input, wide), in_double_precision(exponent, wide))


cdef object in_double_precision(object x, bint to_complex):
    if is_tensor(<PyObject*>x):
        return cast_to(<Tensor>x, COMPLEX128 if to_complex else FLOAT64)
    return complex(x) if to_complex else float(x)


# ---- order ----------------------------------------------------------------------------------------------------------------

cdef const Row* clamp_row(Tensor input, object min, object max, PyObject** x) except NULL:
    """The row for the bounds that are given, in the form for tensors or numbers, and its arguments in x."""
    cdef const Row* row
    x[0] = <PyObject*>input
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    for bound in (min, max):
        if bound is None or is_tensor(<PyObject*>bound):
            continue
        if number_dtype(bound) < 0:
            raise TypeError(f"clamp(): a bound must be a Tensor, a number or None, not {type(bound).__name__}")
        if PyLong_Check(bound) and not is_floating(input.a.dtype):
            refuse_unfit(input.a.dtype, bound)
    if min is None or max is None:
        x[1] = <PyObject*>max if min is None else <PyObject*>min
        row = (<Operation>op_clamp_max).row if min is None else (<Operation>op_clamp_min).row
    else:
        x[1], x[2] = <PyObject*>min, <PyObject*>max
        row = (<Operation>op__clamp_both).row
    return form_of(row, b"ClampBackward0", NULL) if is_tensor(x[1]) else form_of(row, b"ClampBackward1", b"\1")


cdef object clamp_bound(object bound, object other):
    """Beside a number a 0-d tensor is a number too."""
    if bound is None or not is_tensor(<PyObject*>bound) or other is None or is_tensor(<PyObject*>other):
        return bound
    if (<Tensor>bound).a.ndim or (<object>bound).requires_grad:
        raise TypeError("clamp(): the bounds must be two tensors or two numbers")
    return bound.item()


cdef object clamp_rule(Tensor input, object min, object max):
    cdef PyObject* x[3]
    cdef object low = clamp_bound(min, max), high = clamp_bound(max, min)
    cdef const Row* row = clamp_row(input, low, high, x)
    return elementwise(row, x)


cdef object clamp__rule(Tensor input, object min, object max):
    cdef PyObject* x[3]
    cdef object low = clamp_bound(min, max), high = clamp_bound(max, min)
    cdef const Row* row = clamp_row(input, low, high, x)
    return inplace_elementwise(row, x)


cdef object isclose_rule(Tensor input, Tensor other, double rtol, double atol, bint equal_nan):
    if input.a.dtype != other.a.dtype:
        raise RuntimeError(f"{scalar_name(input.a.dtype)} did not match {scalar_name(other.a.dtype)}")
    if rtol < 0 or atol < 0:
        raise RuntimeError(f"rtol and atol must be greater than or equal to zero, but got {min(rtol, atol)}")
    if not is_floating(input.a.dtype):
        input, other = converted(input, default_dtype()), converted(other, default_dtype())
    if is_complex(input.a.dtype):
        return complex_isclose(input, other, rtol, atol, equal_nan)
    return op__isclose(input, other, rtol, atol, float(equal_nan))


cdef object complex_isclose(Tensor input, Tensor other, double rtol, double atol, bint equal_nan):
    cdef object gap = op_abs(op_sub(input, other)), close
    close = op_logical_and(op_isfinite(gap), op_le(gap, op_add(op_abs(op_mul(other, rtol)), atol)))
    close = op_logical_or(close, op_eq(input, other))
    return op_logical_or(close, op_logical_and(op_isnan(input), op_isnan(other))) if equal_nan else close


cdef bint all_true(Tensor t):
    return not has_zero(&t.a)


cdef object allclose_rule(Tensor input, Tensor other, double rtol, double atol, bint equal_nan):
    return all_true(isclose_rule(input, other, rtol, atol, equal_nan))


cdef object equal_rule(Tensor input, Tensor other):
    return bool(same_shape(&input.a, &other.a) and all_true(op_eq(input, other)))


# ---- functions ------------------------------------------------------------------------------------------------------------

cdef const Row* round_row(const Row* row, PyObject** a, PyObject** x, object scale) except NULL:
    cdef object decimals = 0 if a[1] == NULL else <object>a[1]
    x[0] = a[0]
    x[1] = <PyObject*>scale
    if decimals == 0:
        return row
    if not is_floating(tensor_argument(row, a[0], 0).a.dtype):
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{scalar_name(dtype_of(a[0]))}'")
    return (<Operation>(op__round_up_to if decimals > 0 else op__round_above)).row


cdef object round_entry(const Row* row, PyObject** a):
    cdef PyObject* x[2]
    cdef object scale = 1.0 if a[1] == NULL else 10.0 ** abs(<object>a[1])
    return elementwise(round_row(row, a, x, scale), x)


cdef object inplace_round_entry(const Row* row, PyObject** a):
    cdef PyObject* x[2]
    cdef object scale = 1.0 if a[1] == NULL else 10.0 ** abs(<object>a[1])
    return inplace_elementwise(round_row(row, a, x, scale), x)


cdef const Row* nextafter_row(const Row* row, PyObject** a, PyObject** x, object fraction) except NULL:
    """Halves are computed in float32, whose next number is no number of theirs."""
    x[0], x[1], x[2] = a[0], a[1], <PyObject*>fraction
    return row if fraction is None else (<Operation>op__nextafter_half).row


cdef object half_fraction(const Row* row, PyObject** a):
    """How many bits of fraction the common dtype has, if it is one of 16 bits."""
    cdef int dt = promote(tensor_argument(row, a[0], 0).a.dtype, tensor_argument(row, a[1], 1).a.dtype)
    return 10.0 if dt == FLOAT16 else 7.0 if dt == BFLOAT16 else None


cdef object nextafter_entry(const Row* row, PyObject** a):
    cdef PyObject* x[3]
    cdef object fraction = half_fraction(row, a)
    return elementwise(nextafter_row(row, a, x, fraction), x)


cdef object inplace_nextafter_entry(const Row* row, PyObject** a):
    cdef PyObject* x[3]
    cdef object fraction = half_fraction(row, a)
    return inplace_elementwise(nextafter_row(row, a, x, fraction), x)


cdef double largest(int dt) noexcept:
    if dt == FLOAT32 or dt == COMPLEX64:
        return 3.4028234663852886e38
    if dt == FLOAT16:
        return 65504.0
    return 3.3895313892515355e38 if dt == BFLOAT16 else 1.7976931348623157e308


cdef list nan_to_num_arguments(const Row* row, PyObject** a):
    cdef Tensor input = tensor_argument(row, a[0], 0)
    cdef double most = largest(input.a.dtype)
    if is_complex(input.a.dtype) and wants(input):
        raise RuntimeError("nan_to_num does not support automatic differentiation for outputs with complex dtype.")
    cdef list x = [input, 0.0, most, -most]
    for i in range(1, 4):
        if a[i] != NULL and <object>a[i] is not None:
            x[i] = float_argument(row, a[i], i)
    return x


cdef object nan_to_num_entry(const Row* row, PyObject** a):
    cdef list given = nan_to_num_arguments(row, a)
    cdef PyObject* x[4]
    for i in range(4):
        x[i] = <PyObject*>given[i]
    return elementwise(row, x)


cdef object inplace_nan_to_num_entry(const Row* row, PyObject** a):
    cdef list given = nan_to_num_arguments(row, a)
    cdef PyObject* x[4]
    for i in range(4):
        x[i] = <PyObject*>given[i]
    return inplace_elementwise(row, x)


cdef object logit_entry(const Row* row, PyObject** a):
    if a[1] == NULL or <object>a[1] is None:
        return elementwise(row, a)
    return elementwise((<Operation>op__logit_clamped).row, a)


cdef object inplace_logit_entry(const Row* row, PyObject** a):
    if a[1] == NULL or <object>a[1] is None:
        return inplace_elementwise(row, a)
    return inplace_elementwise((<Operation>op__logit_clamped).row, a)


cdef object normal_cdf(object x):
    """Of gelu's formula, where its gradient is to be differentiated."""
    return op_ndtr(x)


cdef object normal_density(object x):
    return op_mul(op_exp(op_mul(op_mul(x, x), -0.5)), 0.3989422804014327)


cdef object gelu_entry(const Row* row, PyObject** a):
    cdef object approximate = None if a[1] == NULL else <object>a[1]
    if approximate == "tanh":
        return elementwise((<Operation>op__gelu_tanh).row, a)
    if approximate is not None and approximate != "none":
        raise RuntimeError("approximate argument must be either none or tanh.")
    return elementwise(row, a)


# ---- selection ------------------------------------------------------------------------------------------------------------

cdef object where_entry(const Row* row, PyObject** a):
    cdef int i
    cdef Tensor condition = tensor_argument(row, a[0], 0)
    if a[1] == NULL and a[2] == NULL:
        return functions["nonzero"](condition, as_tuple=True)
    if a[1] == NULL or a[2] == NULL:
        raise TypeError("where(): input and other must be given together")
    if condition.a.dtype != BOOL and condition.a.dtype != UINT8:
        raise RuntimeError(
            f"where expected condition to be a boolean tensor, but got a tensor with dtype {scalar_name(condition.a.dtype)}")
    for i in range(1, 3):
        if PyLong_Check(<object>a[i]) and is_tensor(a[3 - i]) and not is_floating((<Tensor>a[3 - i]).a.dtype):
            refuse_unfit((<Tensor>a[3 - i]).a.dtype, <object>a[i])
    return elementwise(row, a)


cdef object _where_method_rule(Tensor input, Tensor condition, object other):
    return op_where(condition, input, other)


cdef object diff_rule(Tensor input, object n, object dim, object prepend, object append):
    cdef object x = input, later, earlier
    cdef int d
    if input.a.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    d = wrapped_dim("diff", dim, input.a.ndim)
    if n == 0:
        return op_clone(input)
    around = [t for t in (prepend, input, append) if t is not None]
    if len(around) > 1:
        x = op_cat(around, d)
    for _ in range(min(n, (<Tensor>x).a.shape[d])):
        size = (<Tensor>x).a.shape[d]
        later, earlier = op_narrow(x, d, 1, size - 1), op_narrow(x, d, 0, size - 1)
        x = op_logical_xor(later, earlier) if input.a.dtype == BOOL else op_sub(later, earlier)
    return x
