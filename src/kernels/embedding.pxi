# Rows of a table by number, and their gradient.  The numbers may be anything: bad ones are noted in `bad`, as in gather.pxi,
# but negative ones are bad here.

cdef inline i64 checked_row(i64 index, i64 rows, i64* bad) noexcept nogil:
    if index < 0 or index >= rows:
        bad[0] = index
        bad[1] = 1
        return 0
    return index


cdef void embedding_forward(item* out, item* table, i64* index, i64* bad, const Launch* l, void* scratch) noexcept nogil:
    """out[n, width] = table[index[n]].  Core (n, width); a row of out is contiguous; attr: rows of the table, its strides."""
    cdef i64 n = extent(l, 0), width = extent(l, 1), rows = l.attr[0].i, by_row = l.attr[1].i, by_column = l.attr[2].i, j, i
    cdef i64 o = step(l, 0, 0) // <i64>sizeof(item), size = width * <i64>sizeof(item), ahead = rows_ahead(size)
    cdef item* row
    if rows == 0:
        bad[1] = n > 0
        return
    for j in range(n):
        row = table + checked_row(index[j], rows, bad) * by_row
        if by_column == 1:
            copy_ahead(<char*>(out + j * o), <const char*>row, <const char*>(table + index[min(j + ahead, n - 1)] * by_row), size)
        else:
            for i in range(width):
                out[j * o + i] = row[i * by_column]


cdef void embedding_backward(real* table, real* grad, i64* index, i64* count, const Launch* l, void* scratch) noexcept nogil:
    """table = 0; table[index[n]] += grad[n] (/ count[index[n]]).  Core (width, n), so that cutting dimension 0 gives each thread
    columns of its own; attr: rows, the row that gets nothing (or -1), whether to divide.  index has been checked."""
    cdef i64 width = extent(l, 0), n = extent(l, 1), rows = l.attr[0].i, padding = l.attr[1].i, i, j
    cdef i64 t = l.attr[3].i, g = step(l, 1, 1) // <i64>sizeof(real)
    cdef bint divide = l.attr[2].i
    cdef real* to
    cdef real* source
    cdef real factor
    for j in range(rows):
        memset(table + j * t, 0, width * sizeof(real))
    for j in range(n):
        if index[j] == padding:
            continue
        to = table + index[j] * t
        source = grad + j * g
        if divide:
            factor = 1 / <real>count[index[j]]
            for i in range(width):
                to[i] += source[i] * factor
        else:
            for i in range(width):
                to[i] += source[i]
