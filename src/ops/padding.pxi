# Padding in all modes, and Taps: linear maps along the last dimensions, from which padding and interpolation are made.

cdef object ZERO = 0

cdef class Taps:
    """For each of the last `ndim` dimensions: which elements an element of the result is the weighted sum of.

    Invariants: index[i] is int64 of shape (after, count), within [0, before), or None where the dimension stays as it is;
    weight[i] holds as many numbers, in the dtype the sums are formed in, or is None for one tap of weight 1.  Immutable.
    """
    cdef int ndim
    cdef int64_t before[3]
    cdef int64_t after[3]
    cdef int64_t count[3]
    cdef list index
    cdef list weight


cdef Taps new_taps(int ndim):
    cdef Taps t = Taps.__new__(Taps)
    t.ndim, t.index, t.weight = ndim, [None] * ndim, [None] * ndim
    return t


cdef Tensor resample_rule(Tensor input, Taps taps):
    return resampled(input, taps, False)


cdef Tensor resample_back_rule(Tensor input, Taps taps):
    return resampled(input, taps, True)


cdef Tensor resampled(Tensor input, Taps taps, bint back):
    """One dimension after the other.  Growing ones go last to first, so that the scattered work along the last dimension is done on
    the smaller array; shrinking ones first to last."""
    cdef int dt = input.a.dtype, i, k
    cdef int64_t before = 1, after = 1
    cdef bint sums = back
    cdef Tensor t
    if taps is None or input.a.ndim < taps.ndim:
        raise RuntimeError("resample: the input has too few dimensions")
    t = contiguous(input)
    for i in range(taps.ndim):
        if input.a.shape[input.a.ndim - taps.ndim + i] != (taps.after[i] if back else taps.before[i]):
            raise RuntimeError(f"resample: the taps are for another size, got {shape_tuple(&input.a)}")
        sums = sums or taps.weight[i] is not None
        before *= taps.before[i]
        after *= taps.after[i]
    if sums:
        t = in_dtype(t, computed_dtype(dt))
    for k in range(taps.ndim):
        i = k if (after < before) != back else taps.ndim - 1 - k
        if taps.index[i] is not None:
            t = resampled_along(t, taps, i, back)
    if t is input:
        t = contiguous_copy(t)
    return in_dtype(t, dt)


cdef Tensor resampled_along(Tensor t, Taps taps, int i, bint back):
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t outer = 1, inner = 1
    cdef int d, which = t.a.ndim - taps.ndim + i
    cdef Tensor index = <Tensor>taps.index[i], weight = None, out
    cdef Launch l
    if taps.weight[i] is not None:
        weight = <Tensor>taps.weight[i]
        if weight.a.dtype != t.a.dtype:
            weight = converted(weight, t.a.dtype)
    for d in range(t.a.ndim):
        shape[d] = t.a.shape[d]
        if d < which:
            outer *= shape[d]
        elif d > which:
            inner *= shape[d]
    shape[which] = taps.before[i] if back else taps.after[i]
    out = empty(t.a.dtype, t.a.ndim, shape)
    if back:
        fill_array(&out.a, ZERO)
    if out.a.numel == 0 or t.a.numel == 0:
        return out
    l.kernel = K_RESAMPLE_BACKWARD if back else K_RESAMPLE_TAKE if weight is None else K_RESAMPLE_FORWARD
    l.dtype, l.ndim, l.core, l.noperands = t.a.dtype, 3, 3, 3 if l.kernel == K_RESAMPLE_TAKE else 4
    l.shape[0], l.shape[1], l.shape[2] = outer, taps.after[i], inner
    for d in range(4):
        l.stride[d][0] = l.stride[d][1] = l.stride[d][2] = 0
    l.ptr[0], l.ptr[1], l.ptr[2] = out.a.data, t.a.data, index.a.data
    l.ptr[3] = NULL if weight is None else weight.a.data
    d = itemsize(t.a.dtype)
    l.stride[0][0], l.stride[0][1], l.stride[0][2] = shape[which] * inner * d, inner * d, d
    l.stride[1][0], l.stride[1][1], l.stride[1][2] = t.a.shape[which] * inner * d, inner * d, d
    l.attr[0].i, l.attr[1].i, l.attr[2].i, l.attr[3].i = taps.count[i], taps.before[i], inner, weight is None
    run(&l)
    return out


# ---- pad ------------------------------------------------------------------------------------------------------------------

cdef int read_pads(object pad, int64_t* out) except -1:
    """The numbers of a pad, in the order given; returns how many."""
    cdef int n = 0
    if not isinstance(pad, (tuple, list)):
        raise TypeError(f"pad(): argument 'pad' (position 2) must be tuple of ints, not {type(pad).__name__}")
    if len(pad) > 2 * MAX_DIMS:
        raise RuntimeError(f"Padding length should be less than or equal to two times the input dimension, got padding length {len(pad)}")
    for size in pad:
        if PyFloat_Check(size) or not hasattr(size, "__index__"):
            raise TypeError(f"pad(): argument 'pad' failed to unpack the object at pos {n + 1} with error \"type must be tuple of ints,"
                            f"but got {type(size).__name__}\"")
        if not -(<int64_t>1 << 40) < size < <int64_t>1 << 40:
            raise RuntimeError(f"pad: no tensor is that large, got padding {size}")
        out[n] = size
        n += 1
    if n % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    return n


cdef Tensor constant_pad_rule(Tensor input, object pad, object value):
    """A constant everywhere, and the part of the input that stays over it."""
    cdef int64_t p[2 * MAX_DIMS]
    cdef int64_t shape[MAX_DIMS]
    cdef int n = read_pads(pad, p), d, i
    cdef Array source = input.a, target
    cdef bint grows = False, empty_part = False
    cdef Tensor out
    if n > 2 * input.a.ndim:
        raise RuntimeError(f"Padding length should be less than or equal to two times the input dimension but got padding length {n} "
                           f"and input of dimension {input.a.ndim}")
    for d in range(input.a.ndim):
        shape[d] = input.a.shape[d]
        i = 2 * (input.a.ndim - 1 - d)
        if i < n:
            shape[d] += p[i] + p[i + 1]
            grows = grows or p[i] > 0 or p[i + 1] > 0
            source.shape[d] += min(p[i], 0) + min(p[i + 1], 0)
            if source.shape[d] < 0 or shape[d] < 0:
                raise RuntimeError("narrow(): length must be non-negative.")
            if p[i] < 0:
                source.data -= p[i] * source.stride[d] * itemsize(source.dtype)
    out = empty(input.a.dtype, input.a.ndim, shape)
    target = out.a
    for d in range(input.a.ndim):
        i = 2 * (input.a.ndim - 1 - d)
        if i < n:
            if p[i] > 0:
                target.data += p[i] * target.stride[d] * itemsize(target.dtype)
                target.shape[d] -= p[i]
            if p[i + 1] > 0:
                target.shape[d] -= p[i + 1]
            empty_part = empty_part or source.shape[d] <= 0 or target.shape[d] <= 0
    if grows and out.a.numel:
        fill_array(&out.a, ZERO if value is None else value)
    if empty_part:
        return out
    refresh(&source)
    refresh(&target)
    copy_array(&target, &source)
    return out


cdef str SUPPORTED_PADS = """
Supported combinations for non-constant padding:
  - 2D or 3D input: padding size = 2 (pads last dimension)
  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)
  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"""

cdef enum PadMode:
    REFLECT = 0
    REPLICATE
    CIRCULAR

cdef dict pad_maps = {}           # (mode, size, left, right) -> index: small, and the same ones again and again


cdef object pad_entry(const Row* row, PyObject** a):
    cdef Tensor input = tensor_argument(row, a[0], 0)
    cdef object pad = <object>a[1], mode = given_or(a[2], "constant"), value = given_or(a[3], None)
    cdef int64_t p[2 * MAX_DIMS]
    cdef int n, k, d
    cdef PadMode how
    if mode == "constant":
        return laid_out_as(op_constant_pad_nd(input, tuple(pad) if isinstance(pad, list) else pad, ZERO if value is None else value),
                           input, input.a.ndim - 2)
    n = read_pads(pad, p)
    if value is not None and value != 0:
        raise RuntimeError(f"Padding mode \"{mode}\" doesn't take in value argument")
    k = n // 2
    if not 1 <= k <= 3 or not k + 1 <= input.a.ndim <= k + 2:
        raise NotImplementedError(f"Padding size {n} is not supported for {input.a.ndim}D input tensor.{SUPPORTED_PADS}")
    if mode == "reflect":
        how = REFLECT
    elif mode == "replicate":
        how = REPLICATE
    elif mode == "circular":
        how = CIRCULAR
    else:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if how != CIRCULAR:
        if input.a.dtype == BOOL:
            raise NotImplementedError(f"\"{'reflection' if how == REFLECT else 'replication'}_pad{k}d\" not implemented for 'Bool'")
        for d in range(input.a.ndim):
            if input.a.shape[d] == 0 and (d > 0 or input.a.ndim == k + 1):
                raise RuntimeError(f"Expected {k + 1}D or {k + 2}D (batch mode) tensor with possibly 0 batch size and other non-zero "
                                   f"dimensions for input, but got: {shape_list(input.a.ndim, input.a.shape)}")
    if how == CIRCULAR:
        return op__resample(input, pad_taps(input, p, k, how))
    return laid_out_as(op__resample(op__tied(input), pad_taps(input, p, k, how)), input, k)


cdef Taps pad_taps(Tensor input, const int64_t* p, int k, PadMode how):
    cdef Taps taps = new_taps(k)
    cdef int i, d
    cdef int64_t size, left, right
    for i in range(k):
        d = input.a.ndim - k + i
        left, right, size = p[2 * (k - 1 - i)], p[2 * (k - 1 - i) + 1], input.a.shape[d]
        taps.before[i], taps.after[i], taps.count[i] = size, size + left + right, 1
        if how == REFLECT and (left >= size or right >= size):
            raise RuntimeError(f"Argument #{4 + 2 * (k - 1 - i)}: Padding size should be less than the corresponding input dimension, but "
                               f"got: padding ({left}, {right}) at dimension {d} of input {shape_list(input.a.ndim, input.a.shape)}")
        if how == CIRCULAR and (left > size or right > size):
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if taps.after[i] < 0 or (taps.after[i] == 0 and how != CIRCULAR) or (size == 0 and taps.after[i] > 0):
            raise RuntimeError(f"pad: the input size {size} at dimension {d}, plus negative padding {left} and {right}, is too small. "
                               f"Calculated output size: {taps.after[i]}")
        if left or right:
            taps.index[i] = pad_map(how, size, left, taps.after[i])
    return taps


cdef Tensor pad_map(PadMode how, int64_t size, int64_t left, int64_t after):
    """Where each element of a padded line comes from."""
    cdef object key = (<int>how, size, left, after), known = pad_maps.get(key)
    cdef Tensor index
    cdef int64_t* p
    cdef int64_t j, at, first = max(-left, 0), period = min(after - max(left, 0), size - first)     # what crops leave is the ring
    if known is not None:
        return <Tensor>known
    index = empty(INT64, 1, &after)
    p = <int64_t*>index.a.data
    for j in range(after):
        at = j - left
        if how == REFLECT:
            at = -at if at < 0 else 2 * (size - 1) - at if at >= size else at
        elif how == CIRCULAR:
            at = first + (at - first + (period if at < first else -period if at >= first + period else 0))
        p[j] = min(max(at, 0), size - 1)
    if after < 4096:
        if len(pad_maps) >= 256:
            pad_maps.clear()
        pad_maps[key] = index
    return index
