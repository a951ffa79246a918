# Arrays: shapes, strides, broadcasting, and how a loop over several of them becomes a Launch.

cdef inline void set_contiguous(Array* a) noexcept nogil:
    """Row-major strides and the element count for the shape that is already there."""
    cdef int64_t n = 1
    cdef int d
    for d in range(a.ndim - 1, -1, -1):
        a.stride[d] = n
        n *= a.shape[d]
    a.numel = n
    a.contiguous = True
    if n == 0:                    # PyTorch's strides never become zero through an empty dimension
        n = 1
        for d in range(a.ndim - 1, -1, -1):
            a.stride[d] = n
            n *= max(a.shape[d], 1)


cdef int check_count(int ndim, const int64_t* shape) except -1:
    """Refuse shapes whose element count overflows."""
    cdef int64_t n = 1
    cdef int d
    for d in range(ndim):
        if shape[d] < 0:
            raise RuntimeError(f"Trying to create tensor with negative dimension {shape[d]}: {shape_list(ndim, shape)}")
        if shape[d] and n > (<int64_t>1 << 50) // shape[d]:
            raise RuntimeError(f"Storage size calculation overflowed with sizes={shape_list(ndim, shape)}")
        n *= shape[d] if shape[d] else 1
    return 0


cdef void refresh(Array* a) noexcept nogil:
    """Recompute numel and contiguity after shape or strides were set by hand."""
    cdef int64_t n = 1
    cdef int d
    a.contiguous = True
    for d in range(a.ndim - 1, -1, -1):
        if a.shape[d] != 1:
            if a.stride[d] != n:
                a.contiguous = False
            n *= a.shape[d]
    a.numel = n
    if n == 0:
        a.contiguous = True


cdef inline bint same_shape(const Array* a, const Array* b) noexcept nogil:
    cdef int d
    if a.ndim != b.ndim:
        return False
    for d in range(a.ndim):
        if a.shape[d] != b.shape[d]:
            return False
    return True


cdef inline bint same_strides(const Array* a, const Array* b) noexcept nogil:
    cdef int d
    for d in range(a.ndim):
        if a.stride[d] != b.stride[d] and a.shape[d] != 1:
            return False
    return True


cdef list shape_list(int ndim, const int64_t* shape):
    return [shape[d] for d in range(ndim)]


cdef tuple shape_tuple(const Array* a):
    return <tuple>filled_shape(PyTuple_New(a.ndim), a)


cdef inline object filled_shape(object t, const Array* a):
    """t, a new tuple, or object of a subclass, of a.ndim places, with the shape in them."""
    cdef object size
    cdef int d
    for d in range(a.ndim):
        size = a.shape[d]
        Py_INCREF(size)
        PyTuple_SET_ITEM(t, d, size)          # takes over the reference
    return t


cdef bint dense(const Array* a) noexcept nogil:
    """Whether the elements fill their memory without gaps or overlap, in whatever order."""
    cdef int64_t expected = 1
    cdef int d, found, used = 0, left = 0
    if a.contiguous:
        return True
    for d in range(a.ndim):
        if a.shape[d] != 1:
            left += 1
        else:
            used |= 1 << d
    while left:
        found = -1
        for d in range(a.ndim):
            if not used >> d & 1 and a.stride[d] == expected:
                found = d
                break
        if found < 0:
            return False
        expected *= a.shape[found]
        used |= 1 << found
        left -= 1
    return True


cdef int broadcast(const char* name, Array** operand, int n, Array* out) except -1:
    """The common shape of the operands (NULL: a number) into out.shape."""
    cdef int i, d, ndim = 0, shift
    cdef int64_t size
    for i in range(n):
        if operand[i] != NULL and operand[i].ndim > ndim:
            ndim = operand[i].ndim
    out.ndim = ndim
    for d in range(ndim):
        out.shape[d] = 1
    for i in range(n):
        if operand[i] == NULL:
            continue
        shift = ndim - operand[i].ndim
        for d in range(operand[i].ndim):
            size = operand[i].shape[d]
            if size != 1 and size != out.shape[d + shift]:
                if out.shape[d + shift] != 1:
                    raise_broadcast(name, operand, n, d + shift, size, out.shape[d + shift])
                out.shape[d + shift] = size
    check_count(out.ndim, out.shape)
    return 0


cdef int raise_broadcast(const char* name, Array** operand, int n, int d, int64_t size, int64_t other) except -1:
    shapes = " and ".join([str(shape_tuple(operand[i])) for i in range(n) if operand[i] != NULL])
    raise RuntimeError(
        f"{name.decode()}: The size of tensor a ({other}) must match the size of tensor b ({size}) at non-singleton "
        f"dimension {d}, got {shapes}")


cdef int order_dims(Array** operand, int n, const Array* out, int8_t* perm) noexcept nogil:
    """Order dimensions from the fastest-moving to the slowest, by the operands' strides (first operand decides first).

    It decides both the memory order of a new result and the order of the loop; ties keep row-major order.
    """
    cdef int i, j, k, cmp, shift, d0, d1, ndim = out.ndim
    cdef int64_t s0, s1
    for i in range(ndim):
        perm[i] = <int8_t>(ndim - 1 - i)
    for i in range(1, ndim):
        j = i
        for k in range(i - 1, -1, -1):
            d0, d1 = perm[k], perm[j]
            cmp = 0
            for o in range(n):
                if operand[o] == NULL:
                    continue
                shift = ndim - operand[o].ndim
                s0 = operand[o].stride[d0 - shift] if d0 >= shift and operand[o].shape[d0 - shift] != 1 else 0
                s1 = operand[o].stride[d1 - shift] if d1 >= shift and operand[o].shape[d1 - shift] != 1 else 0
                if s0 == 0 or s1 == 0:
                    continue
                if s0 != s1:
                    cmp = -1 if s0 < s1 else 1
                    break
                if out.shape[d0] > out.shape[d1]:
                    cmp = 1
                    break
            if cmp > 0:
                perm[j], perm[k] = perm[k], perm[j]
                j = k
            elif cmp < 0:
                break
    return 0


cdef void strides_in_order(Array* out, const int8_t* perm) noexcept nogil:
    """Lay `out` (shape set) out densely with perm[0] fastest."""
    cdef int64_t n = 1
    cdef int i
    for i in range(out.ndim):
        out.stride[perm[i]] = n
        n *= max(out.shape[perm[i]], 1)
    refresh(out)


cdef int fill_loop(Launch* l, Array** operand, int n, const int8_t* perm) noexcept nogil:
    """Shape and strides of an elementwise loop over operand[0]'s shape: ordered, broadcast, collapsed.

    operand[0] is the output.  perm[0] is the innermost dimension.  Neighbouring dimensions that every operand crosses
    with one stride become one.
    """
    cdef Array* out = operand[0]
    cdef int i, d, o, m = 0, shift, size
    cdef int64_t s[MAX_OPERANDS]
    cdef int64_t shape[MAX_LOOP]
    cdef int64_t stride[MAX_OPERANDS][MAX_LOOP]
    cdef bint joins
    for i in range(out.ndim):
        d = perm[i]
        if out.shape[d] == 1:
            continue
        for o in range(n):
            s[o] = 0
            if operand[o] != NULL:
                shift = out.ndim - operand[o].ndim
                if d >= shift and operand[o].shape[d - shift] != 1:
                    s[o] = operand[o].stride[d - shift] * ITEMSIZE[operand[o].dtype]
        joins = m > 0
        if joins:
            for o in range(n):
                if s[o] != stride[o][m - 1] * shape[m - 1]:
                    joins = False
                    break
        if joins:
            shape[m - 1] *= out.shape[d]
        else:
            shape[m] = out.shape[d]
            for o in range(n):
                stride[o][m] = s[o]
            m += 1
    if m == 0:
        shape[0] = 1
        for o in range(n):
            stride[o][0] = 0 if operand[o] == NULL else ITEMSIZE[operand[o].dtype]
        m = 1
    l.ndim = m
    for i in range(m):
        l.shape[m - 1 - i] = shape[i]
        for o in range(n):
            l.stride[o][m - 1 - i] = stride[o][i]
    return 0


cdef enum:
    SHORT_ROW = 128               # elements of a row that is worth no call of its own
    FEW_ROWS = 16                 # rows that are not worth one either, where another dimension has more
    MAX_ROW = 1 << 30


cdef void by_planes(Launch* l, int64_t short_row) noexcept nogil:
    """Give an elementwise launch two core dimensions where its rows are short, or where an operand is contiguous along another
    dimension than the innermost, which becomes the second."""
    cdef int d, o, row = -1, last = l.ndim - 1
    if last == 0:
        return
    for o in range(1, l.noperands):
        if l.stride[o][last] == 0 or row >= 0:
            continue
        for d in range(last - 1, -1, -1):
            if 0 < l.stride[o][d] < l.stride[o][last] and l.stride[o][d] <= 8 and l.shape[d] > 1:
                row = d
                break
    if row < 0:
        if l.shape[last] > short_row:
            return
        row = last - 1
        if l.shape[row] < FEW_ROWS:
            for d in range(last - 1):
                row = d if l.shape[d] > l.shape[row] else row
    l.core = 2
    for d in range(row, last - 1):
        l.shape[d], l.shape[d + 1] = l.shape[d + 1], l.shape[d]
        for o in range(l.noperands):
            l.stride[o][d], l.stride[o][d + 1] = l.stride[o][d + 1], l.stride[o][d]
