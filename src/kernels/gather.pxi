# Gathering and scattering by index.
#
# Advanced indexing is two steps: every index tensor is turned into offsets (in elements) over the indexed dimensions, summed;
# then items are taken from, put at or added at those offsets.  Core dimensions of the second step: (offsets, inner run).
# Indices are checked while they are read: a bad one is noted in `bad` (index, 1) and read as 0, and nothing is touched by it.
# Kernels that write at offsets go through them in order, so that the last of equal offsets wins and sums are reproducible:
# they are never cut among threads.

cdef extern from "simd.h" nogil:
    void copy_ahead(char* to, const char* source, const char* later, int64_t n) noexcept

cdef enum:
    AHEAD_BYTES = 4096

cdef inline i64 rows_ahead(i64 size) noexcept nogil:
    """How many rows of so many bytes lie between the one that is copied and the one that is fetched."""
    return min(max(AHEAD_BYTES // max(size, 1), 2), 16)


cdef inline i64 checked_index(i64 index, i64 size, i64* bad) noexcept nogil:
    if index < -size or index >= size:
        bad[0] = index
        bad[1] = 1
        return 0
    return index + size if index < 0 else index


cdef inline i64 plain_index(i64 index, i64 size, i64* bad) noexcept nogil:
    """An index that does not count from the end."""
    if index < 0 or index >= size:
        bad[0] = index
        bad[1] = 1
        return 0
    return index


cdef void index_offsets(i64* out, i64* index, i64* bad, const Launch* l, void* scratch) noexcept nogil:
    """out += index * stride; attr: size, stride."""
    cdef i64 n = extent(l, 0), os = step(l, 0, 0) // 8, s = step(l, 1, 0) // 8, i
    cdef i64 size = l.attr[0].i, stride = l.attr[1].i
    for i in range(n):
        out[i * os] += checked_index(index[i * s], size, bad) * stride


cdef void unravel_positions(i64* out, i64* position, const Launch* l, void* scratch) noexcept nogil:
    """out += (position // div % size) * stride; attr: div, size, stride."""
    cdef i64 n = extent(l, 0), i
    cdef i64 div = l.attr[0].i, size = l.attr[1].i, stride = l.attr[2].i
    for i in range(n):
        out[i] += position[i] // div % size * stride


cdef void mask_count(i64* out, b8* mask, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), i, count = 0
    for i in range(n):
        count += mask[i] != 0
    out[0] = count


cdef void mask_positions(i64* out, b8* mask, const Launch* l, void* scratch) noexcept nogil:
    """The positions of true elements; room for one more than there are."""
    cdef i64 n = extent(l, 0), i, k = 0
    for i in range(n):
        out[k] = i
        k += mask[i] != 0


cdef void take_items(item* out, item* source, i64* offset, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), inner = extent(l, 1), j, i
    cdef i64 oj = step(l, 0, 0) // <i64>sizeof(item), oi = step(l, 0, 1) // <i64>sizeof(item)
    cdef i64 si = step(l, 1, 1) // <i64>sizeof(item), size = inner * <i64>sizeof(item), ahead = rows_ahead(size)
    cdef item* o
    cdef item* s
    if inner == 1:
        for j in range(n):
            out[j * oj] = source[offset[j]]
    elif oi == 1 and si == 1:
        for j in range(n):
            copy_ahead(<char*>(out + j * oj), <const char*>(source + offset[j]), <const char*>(source + offset[min(j + ahead, n - 1)]), size)
    else:
        for j in range(n):
            o, s = out + j * oj, source + offset[j]
            for i in range(inner):
                o[i * oi] = s[i * si]


cdef void put_items(item* out, item* source, i64* offset, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), inner = extent(l, 1), j, i
    cdef i64 oi = step(l, 0, 1) // <i64>sizeof(item)
    cdef i64 sj = step(l, 1, 0) // <i64>sizeof(item), si = step(l, 1, 1) // <i64>sizeof(item)
    cdef item* o
    cdef item* s
    for j in range(n):
        o, s = out + offset[j], source + j * sj
        for i in range(inner):
            o[i * oi] = s[i * si]


cdef void add_items(element* out, element* source, i64* offset, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), inner = extent(l, 1), j, i
    cdef i64 oi = step(l, 0, 1) // <i64>sizeof(element)
    cdef i64 sj = step(l, 1, 0) // <i64>sizeof(element), si = step(l, 1, 1) // <i64>sizeof(element)
    cdef element* o
    cdef element* s
    for j in range(n):
        o, s = out + offset[j], source + j * sj
        if oi == 1 and si == 1:
            for i in range(inner):
                o[i] += s[i]
        else:
            for i in range(inner):
                o[i * oi] += s[i * si]


# along one dimension, an index for each element: gather and scatter.  attr: size, stride (in elements) of that dimension

cdef void gather_items(item* out, item* source, i64* index, i64* bad, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), size = l.attr[0].i, stride = l.attr[1].i, i
    cdef i64 o = step(l, 0, 0) // <i64>sizeof(item), s = step(l, 1, 0) // <i64>sizeof(item), x = step(l, 2, 0) // 8
    for i in range(n):
        out[i * o] = source[i * s + plain_index(index[i * x], size, bad) * stride]


cdef void scatter_items(item* out, item* source, i64* index, i64* bad, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), size = l.attr[0].i, stride = l.attr[1].i, i
    cdef i64 o = step(l, 0, 0) // <i64>sizeof(item), s = step(l, 1, 0) // <i64>sizeof(item), x = step(l, 2, 0) // 8
    for i in range(n):
        out[i * o + plain_index(index[i * x], size, bad) * stride] = source[i * s]


cdef void scatter_reduce_items(element* out, element* source, i64* index, i64* bad, const Launch* l, void* scratch) noexcept nogil:
    """attr[2]: 0 sum, 1 product, 2 maximum, 3 minimum; complex numbers have no order."""
    cdef i64 n = extent(l, 0), size = l.attr[0].i, stride = l.attr[1].i, how = l.attr[2].i, i
    cdef i64 o = step(l, 0, 0) // <i64>sizeof(element), s = step(l, 1, 0) // <i64>sizeof(element), x = step(l, 2, 0) // 8
    cdef element* p
    cdef element v
    for i in range(n):
        p = out + i * o + plain_index(index[i * x], size, bad) * stride
        v = source[i * s]
        if how == 0:
            p[0] += v
        elif how == 1:
            p[0] *= v
        elif element is not c64 and element is not c128:
            if how == 2:
                p[0] = p[0] if p[0] > v or p[0] != p[0] else v
            else:
                p[0] = p[0] if p[0] < v or p[0] != p[0] else v


cdef void check_indices(i64* bad, i64* index, const Launch* l, void* scratch) noexcept nogil:
    """Note an index outside 0..size-1 (attr[0]), or outside -size..size-1 where attr[1] is set."""
    cdef i64 n = extent(l, 0), s = step(l, 1, 0) // 8, size = l.attr[0].i, least = -size if l.attr[1].i else 0, i
    for i in range(n):
        if index[i * s] < least or index[i * s] >= size:
            bad[0] = index[i * s]
            bad[1] = 1


cdef void repeated_positions(i64* out, i64* repeats, const Launch* l, void* scratch) noexcept nogil:
    """0 repeats[0] times, 1 repeats[1] times, ..."""
    cdef i64 n = extent(l, 0), s = step(l, 1, 0) // 8, i, j, k = 0
    for i in range(n):
        for j in range(repeats[i * s]):
            out[k] = i
            k += 1


# filling in a pattern

cdef void arange_forward(number* out, const Launch* l, void* scratch) noexcept nogil:
    """out[i] = start + i * step; attr: start, step, the number of the first element."""
    cdef i64 n = extent(l, 0), i
    cdef f64 start, by
    cdef i64 first, increment
    if number is f32 or number is f64:
        start, by = l.attr[0].f, l.attr[1].f
        for i in range(n):
            out[i] = <number>(start + <f64>i * by)
    else:
        first, increment = l.attr[0].i, l.attr[1].i
        for i in range(n):
            out[i] = <number>(first + i * increment)


cdef void linspace_forward(real* out, const Launch* l, void* scratch) noexcept nogil:
    """From both ends to the middle, so that both are met exactly; attr: start, end, count."""
    cdef i64 n = extent(l, 0), i
    cdef real start = <real>l.attr[0].f, end = <real>l.attr[1].f
    cdef real by = (end - start) / <real>(n - 1) if n > 1 else 0
    for i in range(n):
        out[i] = start + by * <real>i if i < n // 2 else end - by * <real>(n - i - 1)
    if n == 1:
        out[0] = start


cdef void triangle_items(item* out, item* a, const Launch* l, void* scratch) noexcept nogil:
    """Core (rows, columns): the elements with column - row <= attr[0] (attr[1] = 0: lower) or >= it, and zeros."""
    cdef i64 rows = extent(l, 0), columns = extent(l, 1), k = l.attr[0].i, upper = l.attr[1].i, i, j, low, high
    cdef i64 oi = step(l, 0, 0) // <i64>sizeof(item), oj = step(l, 0, 1) // <i64>sizeof(item)
    cdef i64 ai = step(l, 1, 0) // <i64>sizeof(item), aj = step(l, 1, 1) // <i64>sizeof(item)
    for i in range(rows):
        low = max(i + k, <i64>0) if upper else 0
        high = columns if upper else min(i + k + 1, columns)
        for j in range(min(low, columns)):
            out[i * oi + j * oj] = 0
        for j in range(low, high):
            out[i * oi + j * oj] = a[i * ai + j * aj]
        for j in range(max(high, <i64>0), columns):
            out[i * oi + j * oj] = 0
