# Counting of values: unique, bincount, histc, nonzero.  Their results' sizes depend on the data.
from libc.string cimport memcmp

cdef object runs_of(Tensor line, Tensor order, Tensor like, bint inverse, bint counts):
    """The values of the runs of a contiguous line, their number for each element, their lengths; order: where the elements were."""
    cdef int64_t n = line.a.numel, i, groups, w = itemsize(line.a.dtype)
    cdef Tensor group = empty(INT64, 1, &n), values, back = None, lengths = None
    cdef int64_t* g = <int64_t*>group.a.data
    cdef Launch l
    l.kernel, l.dtype, l.core, l.ndim, l.noperands = K_RUNS_FORWARD, line.a.dtype, 1, 1, 2
    l.shape[0] = n
    l.stride[0][0], l.stride[1][0] = 8, w
    l.ptr[0], l.ptr[1] = group.a.data, line.a.data
    if n:
        run(&l)
    groups = g[n - 1] + 1 if n else 0
    values = empty(line.a.dtype, 1, &groups)
    for i in range(n):
        if i == 0 or g[i] != g[i - 1]:
            memcpy(values.a.data + g[i] * w, line.a.data + i * w, w)
    out = [values]
    if inverse:
        back = empty_as_tensor(INT64, like)
        for i in range(n):
            (<int64_t*>back.a.data)[i if order is None else (<int64_t*>order.a.data)[i]] = g[i]
        out.append(back)
    if counts:
        lengths = empty(INT64, 1, &groups)
        fill_array(&lengths.a, 0)
        for i in range(n):
            (<int64_t*>lengths.a.data)[g[i]] += 1
        out.append(lengths)
    return out


cdef object unique_rule(Tensor input, bint sorted_, bint return_inverse, bint return_counts, object dim):
    cdef int dt = input.a.dtype
    cdef Tensor flat, values, order
    if dim is not None:
        return unique_slices(input, dim, return_inverse, return_counts, True)
    flat = _reshaped_rule(in_dtype(input, computed_dtype(dt)), (input.a.numel,))
    values, order = empty_as_tensor(flat.a.dtype, flat), empty_as_tensor(INT64, flat)
    sort_into(values, order, flat, 0, False)
    return unique_results(runs_of(values, order, input, return_inverse, return_counts), dt)


cdef object unique_consecutive_rule(Tensor input, bint return_inverse, bint return_counts, object dim):
    cdef int dt = input.a.dtype
    cdef Tensor flat
    if dim is not None:
        return unique_slices(input, dim, return_inverse, return_counts, False)
    flat = _reshaped_rule(in_dtype(input, computed_dtype(dt)), (input.a.numel,))
    return unique_results(runs_of(flat, None, input, return_inverse, return_counts), dt)


cdef object unique_results(list out, int dt):
    out[0] = in_dtype(<Tensor>out[0], dt)
    return out[0] if len(out) == 1 else tuple(out)


cdef Tensor slices_first(Tensor t, int dim):
    """A contiguous copy with dimension dim moved to the front."""
    cdef int mask
    return kept_first(t, ((1 << t.a.ndim) - 1) & ~(1 << dim), &mask)


cdef Tensor slice_order(Tensor rows, int64_t n, int64_t m):
    """The order that sorts n contiguous rows of m elements lexicographically: a stable sort by each column, the last first."""
    cdef Tensor order = empty(INT64, 1, &n), column = empty(rows.a.dtype, 1, &n), values = empty(rows.a.dtype, 1, &n)
    cdef Tensor places = empty(INT64, 1, &n), before
    cdef int64_t i, c
    cdef int w = itemsize(rows.a.dtype)
    for i in range(n):
        (<int64_t*>order.a.data)[i] = i
    for c in range(m - 1, -1, -1):
        for i in range(n):
            memcpy(column.a.data + i * w, rows.a.data + ((<int64_t*>order.a.data)[i] * m + c) * w, w)
        sort_into(values, places, column, 0, False)
        before = contiguous_copy(order)
        for i in range(n):
            (<int64_t*>order.a.data)[i] = (<int64_t*>before.a.data)[(<int64_t*>places.a.data)[i]]
    return order


cdef object unique_slices(Tensor input, object dim, bint return_inverse, bint return_counts, bint ordered):
    """The different slices along a dimension: in ascending order, or as they follow one another."""
    cdef int d = wrapped_dim("unique", dim, input.a.ndim), k, turn, dt = input.a.dtype
    cdef int64_t n, m, i, at, last = -1, groups = 0
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef Tensor rows, order = None, kept, inverse, counts, out
    if input.a.ndim == 0:
        input = _reshaped_rule(input, (1,))
    input = in_dtype(input, computed_dtype(dt))
    if input.a.numel == 0 and input.a.shape[d] != 0:
        raise RuntimeError(f"unique: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied, got "
                           f"{shape_tuple(&input.a)}")
    rows = slices_first(input, d)
    n = rows.a.shape[0]
    m = rows.a.numel // n if n else 0
    if ordered:
        order = slice_order(rows, n, m)
    kept, inverse, counts = empty(INT64, 1, &n), empty(INT64, 1, &n), empty(INT64, 1, &n)
    for i in range(n):
        at = (<int64_t*>order.a.data)[i] if ordered else i
        if last < 0 or not same_items(rows, last * m, at * m, m):
            (<int64_t*>kept.a.data)[groups] = at
            (<int64_t*>counts.a.data)[groups] = 0
            groups += 1
        (<int64_t*>counts.a.data)[groups - 1] += 1
        (<int64_t*>inverse.a.data)[at] = groups - 1
        last = at
    # the kept slices, one after the other, seen with the dimension back in its place
    shape[0] = groups
    for k in range(1, rows.a.ndim):
        shape[k] = rows.a.shape[k]
    out = empty(rows.a.dtype, rows.a.ndim, shape)
    for i in range(groups):
        memcpy(out.a.data + i * m * itemsize(out.a.dtype),
               rows.a.data + (<int64_t*>kept.a.data)[i] * m * itemsize(out.a.dtype), m * itemsize(out.a.dtype))
    for k in range(rows.a.ndim):
        turn = 0 if k == d else k + 1 if k < d else k
        shape[k], stride[k] = out.a.shape[turn], out.a.stride[turn]
    out = view_of(out, rows.a.ndim, shape, stride, 0)
    results = [in_dtype(out if out.a.contiguous else contiguous_copy(out), dt)]
    if return_inverse:
        results.append(inverse)
    if return_counts:
        results.append(contiguous_copy(view_of(counts, 1, &groups, counts.a.stride, 0)))
    return results[0] if len(results) == 1 else tuple(results)


cdef bint same_items(Tensor t, int64_t a, int64_t b, int64_t m) noexcept:
    """Whether two stretches of m elements are equal as numbers."""
    cdef int w = itemsize(t.a.dtype)
    cdef int64_t i
    if t.a.dtype == FLOAT32:
        for i in range(m):
            if (<float*>t.a.data)[a + i] != (<float*>t.a.data)[b + i]:
                return False
        return True
    if t.a.dtype == FLOAT64:
        for i in range(m):
            if (<double*>t.a.data)[a + i] != (<double*>t.a.data)[b + i]:
                return False
        return True
    return memcmp(t.a.data + a * w, t.a.data + b * w, m * w) == 0


cdef Tensor bincount_rule(Tensor input, object weights, int64_t minlength):
    cdef int64_t n = input.a.numel, i, size = minlength
    cdef Tensor out, w = None
    cdef int64_t* x
    if is_floating(input.a.dtype) or input.a.dtype == BOOL:
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{scalar_name(input.a.dtype)}'")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength should be >= 0, got {minlength}")
    if input.a.ndim != 1:
        raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
    input = contiguous(in_dtype(input, INT64))
    x = <int64_t*>input.a.data
    for i in range(n):
        if x[i] < 0:
            raise RuntimeError("bincount only supports 1-d non-negative integral inputs.")
        size = max(size, x[i] + 1)
    if weights is not None:
        w = <Tensor>weights
        if w.a.ndim != 1 or w.a.numel != n:
            raise RuntimeError(f"bincount: weights should be 1-d and have the same length as input, got {shape_tuple(&w.a)} and ({n},)")
        out = empty(FLOAT64, 1, &size)
        fill_array(&out.a, 0)
        dt = FLOAT32 if w.a.dtype == FLOAT32 else FLOAT64
        w = contiguous(in_dtype(w, FLOAT64))
        for i in range(n):
            (<double*>out.a.data)[x[i]] += (<double*>w.a.data)[i]
        return in_dtype(out, dt)
    out = empty(INT64, 1, &size)
    fill_array(&out.a, 0)
    for i in range(n):
        (<int64_t*>out.a.data)[x[i]] += 1
    return out


cdef Tensor histc_rule(Tensor input, int64_t bins, double low, double high):
    cdef int dt = input.a.dtype
    cdef Tensor values, out
    cdef int64_t i, at
    cdef double x
    if not is_floating(dt):
        raise NotImplementedError(f"\"histogram_cpu\" not implemented for '{scalar_name(dt)}'")
    if bins <= 0:
        raise RuntimeError(f"histc: bins must be > 0, got {bins}")
    if low > high:
        raise RuntimeError(f"histc: max must be larger than min, got {low} and {high}")
    values = contiguous(in_dtype(input, FLOAT64))
    if low == high and values.a.numel:
        low, high = op_amin(values).item(), op_amax(values).item()
    if not -float("inf") < low <= high < float("inf"):
        raise RuntimeError(f"histc: range of [{low}, {high}] is not finite")
    if low == high:
        low, high = low - 1, high + 1
    out = empty(FLOAT64, 1, &bins)
    fill_array(&out.a, 0)
    for i in range(values.a.numel):
        x = (<double*>values.a.data)[i]
        if x >= low and x <= high:
            at = min(<int64_t>((x - low) * bins / (high - low)), bins - 1)
            (<double*>out.a.data)[at] += 1
    return in_dtype(out, dt)


cdef object nonzero_rule(Tensor input, bint as_tuple):
    cdef int64_t shape[2]
    cdef int64_t stride[2]
    cdef int64_t index[MAX_DIMS]
    cdef int64_t i, k = 0, count = 0
    cdef int d, ndim = input.a.ndim
    cdef Tensor flags = contiguous(in_dtype(input, BOOL)), out
    cdef uint8_t* p = <uint8_t*>flags.a.data
    if as_tuple and ndim == 0:
        ndim = 1
    for i in range(flags.a.numel):
        count += p[i]
    shape[0], shape[1] = ndim, count
    out = empty(INT64, 2, shape)              # a row for each dimension; as one tensor it is seen the other way round, as in PyTorch
    memset(index, 0, sizeof(index))
    for i in range(flags.a.numel):
        if p[i]:
            for d in range(ndim):
                (<int64_t*>out.a.data)[d * count + k] = index[d]
            k += 1
        for d in range(input.a.ndim - 1, -1, -1):
            index[d] += 1
            if index[d] < input.a.shape[d]:
                break
            index[d] = 0
    if not as_tuple:
        stride[0], stride[1] = 1, count
        shape[0], shape[1] = count, ndim
        return view_of(out, 2, shape, stride, 0)
    return tuple([view_of(out, 1, &count, &out.a.stride[1], d * count) for d in range(ndim)])
