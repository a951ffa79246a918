# Copies and elementwise kernels with two core dimensions: short rows, of which many make a block, and planes in which an operand's
# columns are contiguous, not its rows.  One core dimension is in loop.pxi.

cdef enum:
    COPY_BLOCK = 64        # rows and columns of a plane turned at a time, so that lines stay in the cache until they are full
    SHORT_ROW = 128        # elements
    PLANES_SCRATCH = MAX_FLAT * COPY_BLOCK * COPY_BLOCK * 16


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


cdef void loop_plane(const Launch* l, char** p, Flat flat, int operands, int widths, void* scratch) noexcept nogil:
    """As `loop`, over core dimensions (n, m)."""
    if extent(l, 1) <= SHORT_ROW:
        loop_short_rows(l, p, flat, operands, widths)
    else:
        loop_tiles(l, p, flat, operands, widths, <char*>scratch)


cdef void loop_short_rows(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    """Rows side by side in a block: where they lie if they are contiguous and follow each other, else in a buffer."""
    cdef u64 buffer[MAX_FLAT][BLOCK]
    cdef bint joined[MAX_FLAT]
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), m = extent(l, 1), done = 0, rows, row
    cdef i64 block = BLOCK // 2 if wide_items(widths) else BLOCK
    cdef int i, width
    for i in range(operands):
        width = widths >> 5 * i & 31
        joined[i] = step(l, i, 1) == width and (step(l, i, 0) == m * width or n == 1)
        q[i] = <char*>buffer[i]
    while done < n:
        rows = min(block // m, n - done)
        for i in range(operands):
            row = step(l, i, 0)
            if joined[i]:
                q[i] = p[i] + done * row
            elif i > 0 and (row != 0 or done == 0):
                lay_rows(q[i], p[i] + done * row, rows, m, row, step(l, i, 1), widths >> 5 * i & 31)
        flat(q, rows * m, l)
        if not joined[0]:
            width = widths & 31
            for row in range(rows):
                copy_strided(p[0] + (done + row) * step(l, 0, 0), step(l, 0, 1), q[0] + row * m * width, width, m, width)
        done += rows


cdef void lay_rows(char* out, char* source, i64 n, i64 m, i64 row, i64 column, int width) noexcept nogil:
    """Rows of any strides, in bytes, one after the other."""
    if width == 4:
        lay_rows_of[u32](<u32*>out, <u32*>source, n, m, row // 4, column // 4)
    elif width == 8:
        lay_rows_of[u64](<u64*>out, <u64*>source, n, m, row // 8, column // 8)
    elif width == 1:
        lay_rows_of[u8](<u8*>out, <u8*>source, n, m, row, column)
    elif width == 2:
        lay_rows_of[u16](<u16*>out, <u16*>source, n, m, row // 2, column // 2)
    else:
        lay_rows_of[c128](<c128*>out, <c128*>source, n, m, row // 16, column // 16)


cdef inline void lay_rows_of(item* out, item* source, i64 n, i64 m, i64 row, i64 column) noexcept nogil:
    cdef i64 i, j
    cdef item value
    for i in range(n):
        if column == 0:
            value = source[0]
            for j in range(m):
                out[j] = value
        elif column == 1:
            for j in range(m):
                out[j] = source[j]
        else:
            for j in range(m):
                out[j] = source[j * column]
        out += m
        source += row


cdef void loop_tiles(const Launch* l, char** p, Flat flat, int operands, int widths, char* scratch) noexcept nogil:
    """Tile by tile, row by row within it; operands whose columns are contiguous are turned into scratch first."""
    cdef char* q[MAX_FLAT]
    cdef char* tile[MAX_FLAT]
    cdef i64 n = extent(l, 0), m = extent(l, 1), i = 0, j, rows, columns, r, s
    cdef int k, width
    for k in range(operands):
        tile[k] = scratch + k * COPY_BLOCK * COPY_BLOCK * 16
    while i < n:
        rows = min(COPY_BLOCK, n - i)
        j = 0
        while j < m:
            columns = min(COPY_BLOCK, m - j)
            for k in range(1, operands):
                width = widths >> 5 * k & 31
                if turned(l, k, width):
                    turn_plane(tile[k], p[k] + i * width + j * step(l, k, 1), rows, columns, columns * width, step(l, k, 1), width)
            for r in range(rows):
                for k in range(operands):
                    width = widths >> 5 * k & 31
                    s = step(l, k, 1)
                    q[k] = p[k] + (i + r) * step(l, k, 0) + j * s
                    if k > 0 and turned(l, k, width):
                        q[k] = tile[k] + r * columns * width
                    elif s != width:
                        if k > 0:
                            copy_strided(tile[k], width, q[k], s, columns, width)
                        q[k] = tile[k]
                flat(q, columns, l)
                width = widths & 31
                if q[0] == tile[0]:
                    copy_strided(p[0] + (i + r) * step(l, 0, 0) + j * step(l, 0, 1), step(l, 0, 1), q[0], width, columns, width)
            j += columns
        i += rows


cdef inline bint turned(const Launch* l, int operand, int width) noexcept nogil:
    """Whether an operand's columns are contiguous and its rows are not."""
    return step(l, operand, 0) == width and step(l, operand, 1) != width and step(l, operand, 1) != 0
