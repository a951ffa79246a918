# Copies with two core dimensions: rows of runs, planes whose columns are contiguous where they come from, or any.

cdef enum:
    COPY_BLOCK = 64        # rows and columns of a plane turned at a time, so that lines stay in the cache until they are full


cdef void copy_plane(const Launch* l, char** p, int width) noexcept nogil:
    """out[n, m] = source[n, m], items of `width` bytes."""
    cdef i64 n = extent(l, 0), m = extent(l, 1), o_row = step(l, 0, 0), o = step(l, 0, 1), s_row = step(l, 1, 0), s = step(l, 1, 1), i
    if o == width and s == width:
        if m * width >= 64:
            for i in range(n):
                memcpy(p[0] + i * o_row, p[1] + i * s_row, m * width)
        else:
            copy_runs(p[0], p[1], n, m * width, o_row, s_row)
    elif o == width and s_row == width and n > 1 and m > 1:
        turn_plane(p[0], p[1], n, m, o_row, s, width)
    else:
        for i in range(n):
            copy_strided(p[0] + i * o_row, o, p[1] + i * s_row, s, m, width)


cdef inline void copy_runs(char* out, char* source, i64 n, i64 size, i64 o_row, i64 s_row) noexcept nogil:
    """n runs of less than 64 bytes."""
    cdef i64 i, j, whole = size // 8 * 8
    for i in range(n):
        for j in range(0, whole, 8):
            (<u64*>(out + j))[0] = (<u64*>(source + j))[0]
        for j in range(whole, size):
            out[j] = source[j]
        out += o_row
        source += s_row


cdef void turn_plane(char* out, char* source, i64 n, i64 m, i64 o_row, i64 s_column, int width) noexcept nogil:
    """As copy_plane, where rows of out and columns of source are contiguous."""
    cdef i64 i = 0, j, rows, columns
    cdef char* o
    cdef char* s
    while i < n:
        rows = min(COPY_BLOCK, n - i)
        j = 0
        while j < m:
            columns = min(COPY_BLOCK, m - j)
            o, s = out + i * o_row + j * width, source + i * width + j * s_column
            if width == 4:
                tile_transpose_f32(columns, rows, <f32*>s, s_column // 4, <f32*>o, o_row // 4)
            elif width == 8:
                tile_transpose_f64(columns, rows, <f64*>s, s_column // 8, <f64*>o, o_row // 8)
            else:
                turn_small(o, s, rows, columns, o_row, s_column, width)
            j += columns
        i += rows


cdef void turn_small(char* out, char* source, i64 n, i64 m, i64 o_row, i64 s_column, int width) noexcept nogil:
    cdef i64 i
    for i in range(n):
        copy_strided(out + i * o_row, width, source + i * width, s_column, m, width)
