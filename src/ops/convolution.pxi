# Convolutions: arguments, checks, shapes and launches; the kernels are in kernels/convolution.pxi.
#
# What users call checks its arguments, adds a batch dimension where there is none, and calls `_convolution` or
# `_convolution_transposed` with tuples and the result's size; these and `_convolution_weight` launch, in three dimensions always.

cdef struct Geometry3:           # of a convolution; dimensions that are not there have size 1
    int n                        # spatial dimensions
    int64_t q[3]
    int64_t s[3]
    int64_t t[3]
    int64_t a[3]
    int64_t b[3]
    int64_t o[3]
    int64_t batch, c, m, groups  # c, m: channels of a group
    int64_t places, pixels, taps


cdef int read_geometry(Geometry3* g, const Array* image, const Array* result, const Array* weight, tuple how) except -1:
    """Of tensors whose sizes fit; weight: (m of all groups, c of one, taps...)."""
    cdef int d, i, n = weight.ndim - 2
    cdef tuple stride = how[0], padding = how[1], dilation = how[2]
    cdef int64_t groups = how[3]
    g.n, g.batch, g.groups = n, image.shape[0], groups
    g.m, g.c = weight.shape[0] // groups, weight.shape[1]
    g.places = g.pixels = g.taps = 1
    for d in range(3):
        i = d - (3 - n)
        if i < 0:
            g.q[d] = g.s[d] = g.t[d] = g.a[d] = g.b[d] = 1
            g.o[d] = 0
            continue
        g.q[d], g.s[d], g.t[d] = result.shape[2 + i], image.shape[2 + i], weight.shape[2 + i]
        g.a[d], g.b[d], g.o[d] = stride[i], dilation[i], -<int64_t>padding[i]
        g.places *= g.q[d]
        g.pixels *= g.s[d]
        g.taps *= g.t[d]
    return 0


cdef void fill_convolution(Launch* l, int kernel, int dt, const Geometry3* g, int image, int result, int weight, bint channel_first) noexcept:
    """A launch over groups; operands are set by their numbers, the output is one of them."""
    cdef int d, i, shift = 2 if channel_first else 1
    cdef int64_t w = itemsize(dt)
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = kernel, dt, 9, 10, 4
    l.ptr[3] = NULL
    l.scalar[3].i = 0
    for i in range(4):
        for d in range(10):
            l.stride[i][d] = 0
    l.shape[0], l.shape[shift], l.shape[shift + 1] = g.groups, g.batch, g.m
    l.shape[1 if channel_first else 6] = g.c
    for d in range(3):
        l.shape[shift + 2 + d], l.shape[7 + d] = g.q[d], g.t[d]
        l.attr[d].i, l.attr[3 + d].i, l.attr[6 + d].i, l.attr[9 + d].i = g.a[d], g.b[d], g.o[d], g.s[d]
    l.stride[image][0], l.stride[image][shift] = g.c * g.pixels * w, g.groups * g.c * g.pixels * w
    l.stride[result][0], l.stride[result][shift] = g.m * g.places * w, g.groups * g.m * g.places * w
    l.stride[weight][0] = g.m * g.c * g.taps * w
    if channel_first:
        l.stride[image][1] = g.pixels * w


cdef inline int convolution_dtype(int dt) noexcept:
    """What a dtype is computed in."""
    return dt if dt == FLOAT32 or dt == FLOAT64 else FLOAT32 if is_floating(dt) else FLOAT64


cdef Tensor as_computed(Tensor t, int dt):
    return contiguous(t if t.a.dtype == dt else converted(t, dt))


cdef Tensor _convolution_rule(Tensor input, Tensor weight, Tensor bias, tuple how, tuple size):
    return convolved(input, weight, bias, how, (input.a.shape[0], weight.a.shape[0], *size), False)


cdef Tensor _convolution_transposed_rule(Tensor input, Tensor weight, Tensor bias, tuple how, tuple shape):
    return convolved(input, weight, bias, how, shape, True)


cdef Tensor convolved(Tensor input, Tensor weight, Tensor bias, tuple how, tuple shape, bint transposed):
    cdef int64_t sizes[MAX_DIMS]
    cdef int dt = convolution_dtype(input.a.dtype), n = read_shape("convolution", shape, sizes)
    cdef Geometry3 g
    cdef Launch l
    cdef Tensor x = as_computed(input, dt), w = as_computed(weight, dt), out = empty(dt, n, sizes)
    if input.a.dtype == BOOL:
        raise NotImplementedError("\"slow_conv2d_cpu\" not implemented for 'Bool'")
    if transposed:
        read_geometry(&g, &out.a, &x.a, &w.a, how)
        fill_convolution(&l, K_CONVOLUTION_TRANSPOSED_FORWARD, dt, &g, 0, 1, 2, False)
    else:
        read_geometry(&g, &x.a, &out.a, &w.a, how)
        fill_convolution(&l, K_CONVOLUTION_FORWARD, dt, &g, 1, 0, 2, False)
        l.stride[0][2], l.stride[2][2], l.stride[3][2] = g.places * itemsize(dt), g.c * g.taps * itemsize(dt), itemsize(dt)
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, x.a.data, w.a.data
    if bias is not None:
        bias = as_computed(bias, dt)
        l.ptr[3] = bias.a.data
        l.stride[3][0] = (g.c if transposed else g.m) * itemsize(dt)
    if out.a.numel:
        run_convolution(&l, &g, K_CONVOLUTION_TRANSPOSED_LANES_FORWARD if transposed else K_CONVOLUTION_LANES_FORWARD)
    return out if dt == input.a.dtype else converted(out, input.a.dtype)


cdef int run_convolution(Launch* l, const Geometry3* g, int lanes_kernel) except -1:
    """A launch over images, side by side as far as that is faster: see kernels/convolution_lanes.pxi."""
    cdef int64_t side = images_side_by_side(g, itemsize(l.dtype), lanes_kernel)
    cdef int i
    cdef Launch beside
    if side:
        beside = l[0]
        beside.kernel = lanes_kernel
        beside.shape[0], beside.shape[1] = g.batch // side, side
        l.shape[1] = g.batch % side
        for i in range(l.noperands):
            beside.stride[i][0] = side * l.stride[i][1]
            if l.ptr[i] != NULL:
                l.ptr[i] += beside.shape[0] * beside.stride[i][0]
        run(&beside)
    return run(l) if l.shape[1] else 0


cdef int64_t images_side_by_side(const Geometry3* g, int w, int kernel) noexcept:
    """How many images of a batch a kernel computes side by side in vectors; 0: vectors run over places, where rows of these fill them,
    or there is too little to do for an image to be turned."""
    cdef int64_t side = LANES_IMAGES, seen = 1, extent, largest
    cdef bint whole = g.q[2] % 16 == 0 and g.a[0] * g.a[1] * g.a[2] == 1
    cdef int d
    if g.batch < LANES_IMAGES or g.groups > 1 or g.taps < 2 or g.taps > LANES_TAPS or g.c * g.m <= 4 or g.pixels * g.places == 0:
        return 0
    if kernel == K_CONVOLUTION_LANES_FORWARD and (whole or g.c * g.taps < 16):
        return 0
    if kernel == K_CONVOLUTION_TRANSPOSED_LANES_FORWARD and (whole and g.s[2] % 16 == 0 or g.c < 4):
        return 0
    if kernel == K_CONVOLUTION_WEIGHT_LANES_FORWARD and (whole or g.batch * g.places < 1024):
        return 0
    for d in range(3):
        extent = (g.q[d] - 1) * g.a[d] + (g.t[d] - 1) * g.b[d] + 1
        if g.s[d] > LANES_SIZE or g.q[d] > LANES_SIZE or not 0 < extent <= LANES_BLOCK // 512:      # so that `seen` cannot overflow
            return 0
        seen *= extent
    largest = 8 * max(seen, g.places, g.pixels) * w         # of eight channels
    if side * largest > LANES_BLOCK:
        return 0
    if kernel == K_CONVOLUTION_WEIGHT_LANES_FORWARD:        # sums over few places are not worth fetching
        while g.batch % (2 * side) == 0 and side * g.places < 2048 and 2 * side * largest <= LANES_BLOCK:
            side *= 2
    elif g.batch >= 64 and 2 * side * largest <= LANES_BLOCK:
        side *= 2
    return side


cdef Tensor _convolution_weight_rule(Tensor input, Tensor given, tuple how, tuple shape):
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t parts
    cdef int d, dt = convolution_dtype(input.a.dtype), n = read_shape("convolution", shape, sizes), w = itemsize(dt)
    cdef Geometry3 g
    cdef Tensor x = as_computed(input, dt), y = as_computed(given, dt), out, sums
    cdef Array form
    form.ndim = n
    for d in range(n):
        form.shape[d] = sizes[d]
    read_geometry(&g, &x.a, &y.a, &form, how)
    if images_side_by_side(&g, w, K_CONVOLUTION_WEIGHT_LANES_FORWARD):
        out = weight_side_by_side(&g, x, y, n, sizes)
        return out if dt == input.a.dtype else converted(out, input.a.dtype)
    parts = weight_parts(&g)
    for d in range(n, 0, -1):
        sizes[d] = sizes[d - 1]
    sizes[0] = parts
    out, sums = empty(dt, n + 1, sizes), empty(dt, n + 1, sizes)
    if out.a.numel and x.a.numel and y.a.numel:
        run_weight(&g, x.a.data, y.a.data, out.a.data, sums, parts)
    else:
        fill_array(&out.a, 0)
    if parts == 1:
        out = without_dim(out, 0)
    else:
        out = sum_over(out, 1, False, PLAIN, AS_IS, 0, 0)
    return out if dt == input.a.dtype else converted(out, input.a.dtype)


cdef Tensor weight_side_by_side(Geometry3* g, Tensor x, Tensor y, int n, int64_t* shape):
    """The weight's gradient: equal parts of the batch, what is left of it in another part, and their sum."""
    cdef int64_t sizes[MAX_DIMS]
    cdef int64_t rest = g.batch % LANES_IMAGES, parts = 1 if g.c >= 8 else min(g.batch // LANES_IMAGES, 8)
    cdef int d, w = itemsize(x.a.dtype)
    cdef Tensor out
    cdef Launch l
    g.batch -= rest
    while g.batch // LANES_IMAGES % parts:
        parts -= 1
    for d in range(n):
        sizes[d + 1] = shape[d]
    sizes[0] = parts + (rest > 0)
    out = empty(x.a.dtype, n + 1, sizes)
    g.batch //= parts
    fill_convolution(&l, K_CONVOLUTION_WEIGHT_LANES_FORWARD, x.a.dtype, g, 1, 2, 0, True)
    l.noperands = 3
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, x.a.data, y.a.data
    l.shape[0] = parts
    l.stride[0][0], l.stride[0][1], l.stride[0][3] = g.m * g.c * g.taps * w, g.taps * w, g.c * g.taps * w
    l.stride[1][0], l.stride[2][0] = g.batch * l.stride[1][2], g.batch * l.stride[2][2]
    l.attr[12].i = max(images_side_by_side(g, w, K_CONVOLUTION_WEIGHT_LANES_FORWARD), LANES_IMAGES)
    run(&l)
    if rest:
        g.batch, sizes[0] = rest, 1
        run_weight(g, l.ptr[1] + parts * l.stride[1][0], l.ptr[2] + parts * l.stride[2][0], l.ptr[0] + parts * l.stride[0][0],
                   empty(x.a.dtype, n + 1, sizes), 1)
    return without_dim(out, 0) if parts == 1 and not rest else sum_over(out, 1, False, PLAIN, AS_IS, 0, 0)


cdef int run_weight(const Geometry3* g, char* x, char* y, char* out, Tensor sums, int64_t parts) except -1:
    """The weight's gradient of some parts of the batch."""
    cdef Launch l
    cdef int w = itemsize(sums.a.dtype)
    fill_convolution(&l, K_CONVOLUTION_WEIGHT_FORWARD, sums.a.dtype, g, 1, 2, 3, True)
    l.ptr[0], l.ptr[1], l.ptr[2], l.ptr[3] = out, x, y, sums.a.data
    l.stride[0][0], l.stride[0][1], l.stride[0][3] = l.stride[3][0], g.taps * w, g.c * g.taps * w
    l.stride[3][1] = g.taps * g.m * w
    if g.m <= 4 and g.c * g.m > 4:              # fewer channels would be summed in another order: see direct() of the kernels
        l.stride[0][1] = 0                      # not cut
    if parts > 1:                               # groups is 1: parts of the batch instead
        l.shape[0], l.shape[2] = parts, g.batch // parts
        l.stride[1][0], l.stride[2][0] = l.shape[2] * l.stride[1][2], l.shape[2] * l.stride[2][2]
    return run(&l)


cdef int64_t weight_parts(const Geometry3* g) noexcept:
    """How many equal parts of the batch are summed apart: several where there are too few channels to share among threads."""
    cdef int64_t parts = 8
    if g.groups > 1 or g.c >= 8 or g.m * g.c * g.taps > 65536 or g.batch * g.places * g.m * g.c * g.taps < 1 << 21:
        return 1
    while g.batch % parts:
        parts //= 2
    return parts


cdef object channel_sums(object grad):
    """Over all dimensions but the second."""
    cdef int ndim = (<Tensor>grad).a.ndim
    if grad_enabled():
        return op_sum(grad, (0, *range(2, ndim)))
    return sum_over(<Tensor>grad, (1 << ndim) - 1 - 2, False, PLAIN, AS_IS, 0, 0)


# ---- arguments and checks -----------------------------------------------------------------------------------------------

cdef tuple each_dimension(str name, str argument, object value, int n):
    """n ints from an int or a sequence of one or n."""
    if PyLong_Check(value) and not PyBool_Check(value):
        return (value,) * n
    if not isinstance(value, (tuple, list)):
        if hasattr(value, "__index__") and not PyBool_Check(value) and not is_tensor(<PyObject*>value):        # NumPy's integers
            return (value.__index__(),) * n
        raise TypeError(f"{name}(): argument '{argument}' must be tuple of ints, not {type(value).__name__}")
    cdef tuple values = tuple([int_in_64_bits(v) if stands_for_int(v) else refuse_size(name, argument, v) for v in value])
    if len(values) == 1:
        values = values * n
    if len(values) != n:
        raise RuntimeError(f"expected {argument} to be a single integer value or a list of {n} values to match the convolution dimensions, "
                           f"but got {argument}={list(values)}")
    return values


cdef object refuse_size(str name, str argument, object value):
    raise TypeError(f"{name}(): argument '{argument}' must be tuple of ints, but found element of type {type(value).__name__}")


cdef int check_convolution(str name, Tensor input, Tensor weight, int n, int64_t groups, int64_t expected) except -1:
    """expected: channels of the input, -1: as the weight and the groups say."""
    cdef int64_t found
    if weight.a.ndim != n + 2:
        raise RuntimeError(f"{name}: expected {n + 2}-dimensional weight, got weight of size {shape_list(weight.a.ndim, weight.a.shape)}")
    if input.a.ndim != n + 1 and input.a.ndim != n + 2:
        raise RuntimeError(f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {name}, but got input of size: "
                           f"{shape_list(input.a.ndim, input.a.shape)}")
    if groups <= 0:
        raise RuntimeError("non-positive groups is not supported")
    if weight.a.shape[0] % groups or weight.a.shape[0] < groups:
        raise RuntimeError(f"Given groups={groups}, expected weight to be at least {groups} at dimension 0, and weight to be divisible by "
                           f"{groups} at dimension 0, but got weight of size {shape_list(weight.a.ndim, weight.a.shape)} instead")
    if input.a.dtype != weight.a.dtype:
        raise RuntimeError(f"Input type ({dtype_object(input.a.dtype)}) and weight type ({dtype_object(weight.a.dtype)}) should be the same")
    found = input.a.shape[input.a.ndim - n - 1]
    if expected < 0:
        expected = weight.a.shape[1] * groups
    if found != expected:
        raise RuntimeError(f"Given groups={groups}, weight of size {shape_list(weight.a.ndim, weight.a.shape)}, expected "
                           f"input{shape_list(input.a.ndim, input.a.shape)} to have {expected} channels, but got {found} channels instead")
    return 0


cdef int check_convolution_bias(Tensor input, Tensor weight, object bias, int64_t outputs) except -1:
    cdef Tensor b
    if bias is None:
        return 0
    if not is_tensor(<PyObject*>bias):
        raise TypeError(f"argument 'bias' must be Tensor, not {type(bias).__name__}")
    b = bias
    if b.a.ndim != 1 or b.a.shape[0] != outputs:
        raise RuntimeError(f"Given weight of size {shape_list(weight.a.ndim, weight.a.shape)}, expected bias to be 1-dimensional with "
                           f"{outputs} elements, but got bias of size {shape_list(b.a.ndim, b.a.shape)} instead")
    if b.a.dtype != input.a.dtype:
        raise RuntimeError(f"Input type ({dtype_object(input.a.dtype)}) and bias type ({dtype_object(b.a.dtype)}) should be the same")
    return 0


cdef int check_positive(tuple stride, tuple dilation) except -1:
    if min(stride) <= 0:
        raise RuntimeError("non-positive stride is not supported")
    if min(dilation) <= 0:
        raise RuntimeError("dilation should be greater than zero")
    return 0


cdef object call_convolution(bint transposed, Tensor input, Tensor weight, object bias, tuple how, tuple size, int n):
    """The operation on a batch, without its batch dimension where the input has none."""
    cdef bint batched = input.a.ndim == n + 2
    cdef object x = input if batched else op_unsqueeze(input, 0)
    cdef PyObject* args[5]
    cdef object out
    if transposed:
        size = ((<Tensor>x).a.shape[0], weight.a.shape[1] * <int64_t>how[3], *size)
    args[0], args[1], args[2], args[3], args[4] = <PyObject*>x, <PyObject*>weight, <PyObject*>bias, <PyObject*>how, <PyObject*>size
    if transposed:
        out = entry__convolution_transposed(op__convolution_transposed.row, args)
    else:
        out = entry__convolution(op__convolution.row, args)
    if not batched:
        return own(op_squeeze(out, 0))
    return laid_out_as(out, input if weight.a.contiguous else weight if input.a.contiguous else input, n)


cdef object complex_convolution(entry_point entry, const Row* this, PyObject** a, int n):
    """By four convolutions of parts."""
    cdef PyObject* x[MAX_ARGUMENTS]
    cdef list parts = [[op_real(<object>a[i]), op_imag(<object>a[i])] for i in range(2)], made = []
    cdef int i, j
    cdef object bias = given_or(a[2], None), no_bias = None, out
    for i in range(8):
        x[i] = a[i] if i < 8 - (entry == convolution_entry) else NULL
    x[2] = <PyObject*>no_bias
    for i in range(2):
        for j in range(2):
            left, right = parts[0][i], parts[1][j]
            x[0], x[1] = <PyObject*>left, <PyObject*>right
            made.append(entry(this, x))
    out = op_view_as_complex(op_stack([op_sub(made[0], made[3]), op_add(made[1], made[2])], -1))
    return out if bias is None else op_add(out, op_reshape(bias, (-1, *[1] * n)))


cdef object convolution_entry(const Row* this, PyObject** a):
    cdef str name = this.name.decode()
    cdef int n = this.name[4] - c'0', d
    cdef Tensor input = tensor_argument(this, a[0], 0), weight = tensor_argument(this, a[1], 1)
    cdef object bias = given_or(a[2], None), padding = given_or(a[4], 0), groups = int_argument(this, a[6], 6) if a[6] != NULL else 1
    cdef tuple stride, dilation, before, size
    cdef int64_t reach
    cdef bint same
    if is_complex(input.a.dtype) and input.a.dtype == weight.a.dtype:
        return complex_convolution(convolution_entry, this, a, n)
    check_convolution(name, input, weight, n, groups, -1)
    check_convolution_bias(input, weight, bias, weight.a.shape[0])
    stride = each_dimension(name, "stride", given_or(a[3], 1), n)
    dilation = each_dimension(name, "dilation", given_or(a[5], 1), n)
    check_positive(stride, dilation)
    shape = shape_tuple(&input.a)[input.a.ndim - n:]
    reaches = [dilation[d] * (weight.a.shape[2 + d] - 1) + 1 for d in range(n)]
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string: '{padding}'")
        same = padding == "same"
        if same and max(stride) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        before = tuple([(reach - 1) // 2 if same else 0 for reach in reaches])
        total = [reach - 1 if same else 0 for reach in reaches]
    else:
        before = each_dimension(name, "padding", padding, n)
        if min(before) < 0:
            raise RuntimeError("negative padding is not supported")
        total = [2 * p for p in before]
    padded = [shape[d] + total[d] for d in range(n)]
    if any([padded[d] < reaches[d] for d in range(n)]):
        raise RuntimeError(f"Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
                           f"({' x '.join(map(str, reaches))}). Kernel size can't be greater than actual input size")
    size = tuple([(padded[d] - reaches[d]) // stride[d] + 1 for d in range(n)])
    return call_convolution(False, input, weight, bias, (stride, before, dilation, groups), size, n)


cdef object transposed_convolution_entry(const Row* this, PyObject** a):
    cdef str name = this.name.decode()
    cdef int n = this.name[14] - c'0', d
    cdef Tensor input = tensor_argument(this, a[0], 0), weight = tensor_argument(this, a[1], 1)
    cdef object bias = given_or(a[2], None), groups = int_argument(this, a[6], 6) if a[6] != NULL else 1
    cdef tuple stride, dilation, padding, extra, size
    if is_complex(input.a.dtype) and input.a.dtype == weight.a.dtype:
        return complex_convolution(transposed_convolution_entry, this, a, n)
    check_convolution(name, input, weight, n, groups, weight.a.shape[0] if weight.a.ndim else 0)
    check_convolution_bias(input, weight, bias, weight.a.shape[1] * <int64_t>groups)
    stride = each_dimension(name, "stride", given_or(a[3], 1), n)
    dilation = each_dimension(name, "dilation", given_or(a[7], 1), n)
    check_positive(stride, dilation)
    padding = each_dimension(name, "padding", given_or(a[4], 0), n)
    extra = each_dimension(name, "output_padding", given_or(a[5], 0), n)
    if min(padding) < 0:
        raise RuntimeError("negative padding is not supported")
    if min(extra) < 0:
        raise RuntimeError("negative output_padding is not supported")
    if any([extra[d] >= max(stride[d], dilation[d]) for d in range(n)]):
        raise RuntimeError(f"output padding must be smaller than either stride or dilation, but got output_padding: {extra} stride: "
                           f"{stride} dilation: {dilation}")
    shape = shape_tuple(&input.a)[input.a.ndim - n:]
    size = tuple([(shape[d] - 1) * stride[d] - 2 * padding[d] + dilation[d] * (weight.a.shape[2 + d] - 1) + 1 + extra[d] for d in range(n)])
    if min(size) < 1:
        raise RuntimeError(f"Given input size per channel: ({' x '.join(map(str, shape))}). Calculated output size per channel: "
                           f"({' x '.join(map(str, size))}). Output size is too small")
    return call_convolution(True, input, weight, bias, (stride, padding, dilation, groups), size, n)
