# The matrix product: blocking, packing, edges and small sizes around the register tile of tile.h.
#
# Order of summation.  k is cut into equal blocks of at most GEMM_KC; within a block each element is one chain of fma from
# +0 in the order of k; the blocks' sums are added up in order, the bias to the first.  Where that would waste the vectors
# (few rows and columns; see `gemm_prefers_dots`), k is cut at multiples of DOT_CHUNK and each block is a dot product over
# the lanes of one to four vectors.  Which order an element gets depends on k, the strides, min(m, GEMM_CUT),
# min(n, GEMM_CUT) and its place modulo 4.  Hence: cutting m and n at multiples of GEMM_CUT, with the remainder left to the
# last piece (so that no piece is smaller than GEMM_CUT), changes no bit.  Cutting k does.

cdef extern from "tile.h" nogil:
    enum:
        TILE_ROWS
        TILE_VECS
        TILE_MASKED
        TILE_HALVES
        TILE_BYTES
        DOT_ROWS
        tile_lanes_f32
        tile_lanes_f64
    ctypedef struct Tile:
        int64_t k, a_row, a_col, b_row, c_row, c_col, bias_row, bias_col
        int load_tail, store_tail, accumulate
    ctypedef void (*tile_function_f32)(const Tile*, const f32*, const f32*, const f32*, f32*) noexcept nogil
    ctypedef void (*tile_function_f64)(const Tile*, const f64*, const f64*, const f64*, f64*) noexcept nogil
    tile_function_f32* tile_table_f32
    tile_function_f64* tile_table_f64
    void tile_transpose_f32(int64_t n, int64_t k, const f32* a, int64_t a_row, f32* out, int64_t out_row) noexcept
    void tile_transpose_f64(int64_t n, int64_t k, const f64* a, int64_t a_row, f64* out, int64_t out_row) noexcept
    void tile_copy_f32(int64_t k, int64_t n, const f32* a, int64_t a_row, f32* out, int64_t each, int64_t wider,
                       int64_t unit) noexcept
    void tile_copy_f64(int64_t k, int64_t n, const f64* a, int64_t a_row, f64* out, int64_t each, int64_t wider,
                       int64_t unit) noexcept
    void tile_axpy_f32(int64_t n, int64_t k, const f32* x, int64_t x_step, const f32* a, int64_t a_row, f32* sum) noexcept
    void tile_axpy_f64(int64_t n, int64_t k, const f64* x, int64_t x_step, const f64* a, int64_t a_row, f64* sum) noexcept
    void tile_dots_f32(int m, int64_t n, const Tile*, const f32* x, const f32* y, const f32* bias, f32* c) noexcept
    void tile_dots_f64(int m, int64_t n, const Tile*, const f64* x, const f64* y, const f64* bias, f64* c) noexcept

cdef enum:
    GEMM_CUT = 32               # m and n are cut among threads at multiples of this; the last piece takes the remainder
    GEMM_KC = 512
    GEMM_A_BYTES = GEMM_KC * 192 * 4    # a packed block of a stays in the second-level cache
    GEMM_B_BYTES = GEMM_KC * 1024 * 4
    GEMM_C_BYTES = 64 * 1024 * 4        # a block of the result, transposed
    GEMM_SCRATCH = GEMM_A_BYTES + GEMM_B_BYTES + GEMM_C_BYTES
    GEMM_LARGE = 4 << 20        # bytes of both operands from which copying them into panels pays
    GEMM_FAR = 64 << 10         # bytes that columns are spread over, likewise
    ROW_DOTS = 16               # columns up to which one row times rows of a matrix is turned into dot products
    DOT_CHUNK = 2048            # elements of a dot product taken at a time
    DOT_PITCH = DOT_CHUNK + 16  # from row to row of a packed operand: not a power of two, which would share cache sets


cdef void gemm(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b, int64_t b_row,
               int64_t b_col, real* c, int64_t c_row, const real* bias, bint accumulate, void* scratch) noexcept nogil:
    """c[m, n] = a[m, k] @ b[k, n] (+ bias[n]) (+ c).  Strides are in elements and may be anything, but columns of c are
    contiguous.  scratch: GEMM_SCRATCH bytes, 64-byte aligned."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    if m <= 0 or n <= 0:
        return
    if k <= 0:
        gemm_empty(m, n, c, c_row, bias, accumulate)
    elif n == 1 and m > 1:      # a column is a row of the transposed product
        gemm_row(m, k, b, b_row, a, a_col, a_row, c, c_row, bias, 0, accumulate, scratch)
    elif m == 1:
        gemm_row(n, k, a, a_col, b, b_row, b_col, c, 1, bias, 1, accumulate, scratch)
    elif (k >= 64 and (m < GEMM_CUT or n < GEMM_CUT)
            and gemm_prefers_dots(m, n, k, lanes, a_col == 1, b_row == 1)):
        if n < m:   # the few along the accumulators, the many by fours
            gemm_dots(n, m, k, b, b_col, b_row, a, a_col, a_row, c, 1, c_row, bias, 1, 0, accumulate, scratch)
        else:
            gemm_dots(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, 1, bias, 0, 1, accumulate, scratch)
    elif ((b_row == 1 or b_col == 1) and (bias == NULL or not accumulate)
            and gemm_turning_pays(m, n, k, a_row, a_col, b_col, lanes)):
        gemm_turned(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, bias, accumulate, scratch)
    else:
        gemm_blocks(m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row, bias, accumulate, scratch)


cdef void gemm_empty(int64_t m, int64_t n, real* c, int64_t c_row, const real* bias, bint accumulate) noexcept nogil:
    """The product over k = 0: zeros, plus what is to be added."""
    cdef int64_t i, j
    cdef real x
    for i in range(m):
        for j in range(n):
            x = 0
            if bias != NULL:
                x = x + bias[j]
            c[i * c_row + j] = x + c[i * c_row + j] if accumulate else x


cdef inline void gemm_pack(int64_t n, int64_t k, const real* a, int64_t a_n, int64_t a_k, real* out, int64_t unit,
                    int64_t units) noexcept nogil:
    """Panels of the n columns of a (step a_n) by k rows (step a_k), one after the other, each stored by rows, with zeros in
    the columns after n where these are read.  A panel is at most `units` times `unit` columns; they are balanced as in `gemm_block`."""
    cdef int64_t total = (n + unit - 1) // unit, panels = (total + units - 1) // units
    cdef int64_t each = total // panels, wider = total - each * panels, j = 0, i, p, width, count
    if a_n == 1:
        if real is f32:
            tile_copy_f32(k, n, a, a_k, out, each, wider, unit)
        else:
            tile_copy_f64(k, n, a, a_k, out, each, wider, unit)
        return
    while j < n:
        width = (each + (wider > 0)) * unit
        wider -= 1
        count = min(width, n - j)
        if a_k == 1:
            if real is f32:
                tile_transpose_f32(count, k, a + j * a_n, a_n, out, width)
            else:
                tile_transpose_f64(count, k, a + j * a_n, a_n, out, width)
        else:
            for p in range(k):
                for i in range(count):
                    out[p * width + i] = a[(j + i) * a_n + p * a_k]
        if count < width and TILE_MASKED != 2:
            for p in range(k):
                for i in range(count, width):
                    out[p * width + i] = 0
        out += width * k
        j += width


cdef inline void gemm_tile(const Tile* t, const real* a, const real* b, const real* bias, real* c, int64_t height,
                           int64_t width, bint by_row) noexcept nogil:
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef int64_t entry = (((height - 1) * TILE_VECS + width - 1) * 2 + by_row) * TILE_HALVES
    if TILE_HALVES == 2 and t.store_tail <= lanes // 2:
        entry += 1
    if real is f32:
        tile_table_f32[entry](t, a, b, bias, c)
    else:
        tile_table_f64[entry](t, a, b, bias, c)


cdef void gemm_block(int64_t m, int64_t n, Tile* t, const real* a, bint a_packed, const real* b, bint b_packed, real* c,
                     const real* bias) noexcept nogil:
    """One block of k.  Panels of b in the outer loop and tiles down a in the inner one; the other way round, which writes
    c in order, where all of b stays in the first-level cache, or in the second where tiles are soon done."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef int64_t vecs = (n + lanes - 1) // lanes, panels = (vecs + TILE_VECS - 1) // TILE_VECS
    cdef int64_t tiles = (m + TILE_ROWS - 1) // TILE_ROWS, rows = m // tiles, taller = m - rows * tiles
    cdef int64_t each = vecs // panels, wider = vecs - each * panels, panel = 0, tile = 0, v = 0, i = 0, width, height, q
    cdef bint by_row = not a_packed and (t.a_col == 1 or t.k == 1)
    cdef bint rows_outside = n * t.k * <int64_t>sizeof(real) <= (256 << 10 if t.k <= 128 else 16 << 10)
    for q in range(tiles * panels):
        width = each + (panel < wider)
        height = rows + (tile < taller)
        t.store_tail = lanes if v + width < vecs else <int>(n - (vecs - 1) * lanes)
        t.load_tail = t.store_tail
        if b_packed:
            t.b_row = width * lanes
            if TILE_MASKED != 2:
                t.load_tail = lanes
        if a_packed:
            t.a_col = height
        gemm_tile(t, a + i * (t.k if a_packed else t.a_row), b + v * lanes * (t.k if b_packed else 1),
                  bias + v * lanes if bias != NULL else bias, c + i * t.c_row + v * lanes, height, width, by_row)
        if rows_outside:
            panel += 1
            v += width
            if panel == panels:
                panel = v = 0
                tile += 1
                i += height
        else:
            tile += 1
            i += height
            if tile == tiles:
                tile = i = 0
                panel += 1
                v += width


cdef void gemm_blocks(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b,
                      int64_t b_row, int64_t b_col, real* c, int64_t c_row, const real* bias, bint accumulate,
                      void* scratch) noexcept nogil:
    """Blocks over k, n and m, packing the operands that do not lie well."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef real* a_pack = <real*>scratch
    cdef real* b_pack = <real*>(<char*>scratch + GEMM_A_BYTES)
    cdef int64_t kc = next_part(k, GEMM_KC)
    cdef int64_t mc = m, nc = n, i, j, p
    cdef int64_t mc_max = GEMM_A_BYTES // (GEMM_KC * <int64_t>sizeof(real))
    cdef int64_t nc_max = GEMM_B_BYTES // (GEMM_KC * <int64_t>sizeof(real))
    # Operands that fit the caches are read where they lie.  Columns of a lose a tenth to copying them from 1 MB on, but
    # not with vectors of 16 elements, with which rows of a need not be copied at all.
    cdef int64_t nbytes = (m + n) * k * <int64_t>sizeof(real)
    cdef bint large = nbytes > GEMM_LARGE and m > 4 * TILE_ROWS
    cdef bint wide = n > 4 * TILE_VECS * lanes and m > 4 * TILE_ROWS
    cdef bint pack_a = k > 1 and (a_col != 1 and (a_row != 1 or gemm_far(n, k, a_col * <int64_t>sizeof(real))
                                                  or (wide and lanes < 16 and nbytes > GEMM_LARGE // 4))
                                  or a_row != 1 and lanes < 16 and large and wide)
    cdef bint pack_b = b_col != 1 or large or (not TILE_MASKED and n % lanes != 0)
    cdef const real* a_block
    cdef const real* b_block
    cdef Tile t
    t.c_row = c_row
    p = 0
    while p < k:
        t.k = min(kc, k - p)
        t.accumulate = accumulate or p > 0
        j = 0
        while j < n:
            nc = min(nc_max, n - j) if pack_b else n - j
            b_block = b + p * b_row + j * b_col
            t.b_row = b_row
            if pack_b:
                gemm_pack(nc, t.k, b_block, b_col, b_row, b_pack, lanes, TILE_VECS)
                b_block = b_pack
            i = 0
            while i < m:
                mc = min(mc_max, m - i) if pack_a else m - i
                a_block = a + i * a_row + p * a_col
                t.a_row = a_row
                t.a_col = a_col
                if pack_a:
                    gemm_pack(mc, t.k, a_block, a_row, a_col, a_pack, 1, TILE_ROWS)
                    a_block = a_pack
                gemm_block(mc, nc, &t, a_block, pack_a, b_block, pack_b, c + i * c_row + j,
                           bias + j if bias != NULL and p == 0 else NULL)
                i += mc
            j += nc
        p += t.k


cdef inline bint gemm_far(int64_t n, int64_t k, int64_t apart) noexcept nogil:
    """Whether k rows so many bytes apart share the cache's sets, so that copying them is worth it for n columns of the result."""
    return n >= 64 and apart % 1024 == 0 and k * apart > GEMM_FAR


cdef inline bint gemm_turning_pays(int64_t m, int64_t n, int64_t k, int64_t a_row, int64_t a_col, int64_t b_col,
                                   int64_t lanes) noexcept nogil:
    """Whether `gemm_turned` beats `gemm_blocks`: elements that are turned cost as much as eight fma, and lanes that stay empty
    cost theirs."""
    cdef int64_t turned = columns_of_tiles(m, lanes) * n * k + 8 * (2 * m * n + (m * k if a_row != 1 else 0))
    cdef int64_t straight = columns_of_tiles(n, lanes) * m * k + 8 * (n * k if b_col != 1 else 0)
    return turned < straight and (a_row == 1 or a_col == 1) and k * TILE_VECS <= GEMM_B_BYTES // TILE_BYTES


cdef inline int64_t columns_of_tiles(int64_t n, int64_t lanes) noexcept nogil:
    """Columns that are computed for n."""
    return round_up(n, lanes // TILE_HALVES)


cdef inline int64_t next_part(int64_t whole, int64_t most) noexcept nogil:
    """The size of equal parts, of at most `most`."""
    cdef int64_t parts = (whole + most - 1) // most
    return (whole + parts - 1) // parts


cdef inline int64_t round_up(int64_t n, int64_t unit) noexcept nogil:
    return (n + unit - 1) // unit * unit


cdef void gemm_turned(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b, int64_t b_row,
                      int64_t b_col, real* c, int64_t c_row, const real* bias, bint accumulate, void* scratch) noexcept nogil:
    """c.T = b.T @ a.T, by blocks which are turned as they are stored: for few rows and a b whose columns are contiguous, as a
    layer's weight is, or less than a vector of columns.  b, one of whose strides is 1, is read where it lies; a is packed once if
    its columns are not contiguous.  Not with bias and accumulate both.  The bits are those of `gemm_blocks`."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef real* a_pack = <real*>(<char*>scratch + GEMM_A_BYTES)
    cdef real* block = <real*>(<char*>scratch + GEMM_A_BYTES + GEMM_B_BYTES)
    cdef bint pack = a_row != 1 or (not TILE_MASKED and m % lanes != 0) or gemm_far(n, k, a_col * <int64_t>sizeof(real))
    cdef int64_t item = sizeof(real), kc = next_part(k, GEMM_KC), columns = GEMM_C_BYTES // (4 * GEMM_CUT * item)
    cdef int64_t i = 0, j, p, width, rows
    cdef const real* panels
    cdef Tile t
    if pack:
        columns = min(columns, GEMM_B_BYTES // (k * item) // (TILE_VECS * lanes) * TILE_VECS * lanes)
    columns = min(columns, round_up(next_part(m, columns), lanes))
    t.a_row = b_col
    t.a_col = b_row
    t.b_row = a_col
    while i < m:
        width = min(columns, m - i)
        p = 0
        while pack and p < k:
            gemm_pack(width, min(kc, k - p), a + i * a_row + p * a_col, a_row, a_col, a_pack + round_up(width, lanes) * p, lanes,
                      TILE_VECS)
            p += kc
        t.c_row = width
        j = 0
        while j < n:
            rows = min(max(GEMM_C_BYTES // (width * item) // TILE_ROWS * TILE_ROWS, TILE_ROWS), n - j)
            if bias != NULL:
                gemm_spread(rows, width, bias + j, 1, 0, block)
            elif accumulate:
                gemm_spread(rows, width, c + i * c_row + j, 1, c_row, block)
            p = 0
            while p < k:
                t.k = min(kc, k - p)
                t.accumulate = p > 0 or bias != NULL or accumulate
                panels = a_pack + round_up(width, lanes) * p if pack else a + i + p * a_col
                gemm_block(rows, width, &t, b + j * b_col + p * b_row, False, panels, pack, block, <const real*>NULL)
                p += t.k
            if real is f32:
                tile_transpose_f32(rows, width, block, width, c + i * c_row + j, c_row)
            else:
                tile_transpose_f64(rows, width, block, width, c + i * c_row + j, c_row)
            j += rows
        i += width


cdef inline void gemm_spread(int64_t rows, int64_t width, const real* source, int64_t step, int64_t along, real* block) noexcept nogil:
    """block[r, i] = source[r * step + i * along]."""
    cdef int64_t r, i
    for r in range(rows):
        for i in range(width):
            block[r * width + i] = source[r * step + i * along]


cdef bint gemm_prefers_dots(int64_t m, int64_t n, int64_t k, int lanes, bint a_by_row, bint b_by_column) noexcept nogil:
    """Whether dot products along k beat tiles along n; a model of the cycles of both, for GEMM_CUT rows and columns at most."""
    cdef int64_t tiles, dots
    m = min(m, GEMM_CUT)
    n = min(n, GEMM_CUT)
    if (m == GEMM_CUT and not a_by_row) or (n == GEMM_CUT and not b_by_column):
        return False
    tiles = k * max(m * columns_of_tiles(n, lanes), 8 * lanes) // (2 * lanes)       # two fma a cycle, eight under way
    dots = m * n * (k // (2 * lanes) + (2 if TILE_MASKED == 2 else 4))     # and some to add up the lanes
    if m < GEMM_CUT:                        # what is packed is used m or n times only
        tiles += k * (min(m, n) if a_by_row else 0) // 3 if b_by_column else 0
        dots += k * n // 2 if not b_by_column else 0
    if n < GEMM_CUT:
        dots += k * m // 2 if not a_by_row else 0
    return dots < tiles


cdef void gemm_dots(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b,
                    int64_t b_row, int64_t b_col, real* c, int64_t c_row, int64_t c_col, const real* bias,
                    int64_t bias_row, int64_t bias_col, bint accumulate, void* scratch) noexcept nogil:
    """The product by dot products along k.  a is packed where a_col is not 1, and then has at most GEMM_CUT rows."""
    cdef real* a_pack = <real*>scratch
    cdef real* b_pack = a_pack + GEMM_CUT * DOT_PITCH
    cdef const real* a_block
    cdef const real* b_block
    cdef const real* add = bias
    cdef int64_t p = 0, i, j, group
    cdef int rows
    cdef Tile t
    t.c_row = c_row
    t.c_col = c_col
    t.bias_row = bias_row
    t.bias_col = bias_col
    t.accumulate = accumulate
    while p < k:
        t.k = min(DOT_CHUNK, k - p)
        a_block = a + p * a_col
        t.a_row = a_row
        if a_col != 1:
            dot_pack(m, t.k, a_block, a_row, a_col, a_pack)
            a_block = a_pack
            t.a_row = DOT_PITCH
        j = 0
        while j < n:
            group = min(GEMM_CUT, n - j)
            b_block = b + p * b_row + j * b_col
            t.b_row = b_col
            if b_row != 1:
                dot_pack(group, t.k, b_block, b_col, b_row, b_pack)
                b_block = b_pack
                t.b_row = DOT_PITCH
            i = 0
            while i < m:
                rows = DOT_ROWS if m - i >= DOT_ROWS else 2 if m - i >= 2 else 1
                if real is f32:
                    tile_dots_f32(rows, group, &t, a_block + i * t.a_row, b_block,
                                  add + i * bias_row if add != NULL else add, c + i * c_row + j * c_col)
                else:
                    tile_dots_f64(rows, group, &t, a_block + i * t.a_row, b_block,
                                  add + i * bias_row if add != NULL else add, c + i * c_row + j * c_col)
                i += rows
            if add != NULL:
                add += group * bias_col
            j += group
        p += t.k
        t.accumulate = True
        add = NULL


cdef void dot_pack(int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, real* out) noexcept nogil:
    """out[n, DOT_PITCH] = a[n, k], rows made contiguous."""
    cdef int64_t i, p
    if a_row == 1:
        if real is f32:
            tile_transpose_f32(k, n, a, a_col, out, DOT_PITCH)
        else:
            tile_transpose_f64(k, n, a, a_col, out, DOT_PITCH)
    else:
        for i in range(n):
            for p in range(k):
                out[i * DOT_PITCH + p] = a[i * a_row + p * a_col]


cdef void gemm_row(int64_t n, int64_t k, const real* x, int64_t x_step, const real* b, int64_t b_row, int64_t b_col,
                   real* out, int64_t out_step, const real* bias, int64_t bias_step, bint accumulate,
                   void* scratch) noexcept nogil:
    """out[n] = x[k] @ b[k, n] (+ bias) (+ out).  By rows of b where they are contiguous and long enough, else by dots."""
    cdef real* sums = <real*>scratch
    cdef int64_t j = 0, p, q, count, depth
    cdef real y
    if b_col != 1 or n == 1 or (n < ROW_DOTS and k >= 64):
        gemm_dots(1, n, k, x, 0, x_step, b, b_row, b_col, out, 0, out_step, bias, 0, bias_step, accumulate, scratch)
        return
    while j < n:
        count = min(2048, n - j)
        p = 0
        while p < k:
            depth = min(GEMM_KC, k - p)
            for q in range(count):
                sums[q] = 0
            if real is f32:
                tile_axpy_f32(count, depth, x + p * x_step, x_step, b + p * b_row + j, b_row, sums)
            else:
                tile_axpy_f64(count, depth, x + p * x_step, x_step, b + p * b_row + j, b_row, sums)
            for q in range(count):
                y = sums[q]
                if bias != NULL and p == 0:
                    y += bias[(j + q) * bias_step]
                if accumulate or p > 0:
                    y += out[(j + q) * out_step]
                out[(j + q) * out_step] = y
            p += depth
        j += count


cdef void gemm_reference(int64_t m, int64_t n, int64_t k, const number* a, int64_t a_row, int64_t a_col, const number* b,
                         int64_t b_row, int64_t b_col, number* c, int64_t c_row, const number* bias,
                         bint accumulate) noexcept nogil:
    """What gemm means, for every type; the definition the fast paths are tested against."""
    cdef int64_t i, j, p
    cdef number total
    for i in range(m):
        for j in range(n):
            total = 0
            for p in range(k):
                total += a[i * a_row + p * a_col] * b[p * b_row + j * b_col]
            if bias != NULL:
                total += bias[j]
            if accumulate:
                total += c[i * c_row + j]
            c[i * c_row + j] = total


cdef void gemm_int(int64_t m, int64_t n, int64_t k, const integer* a, int64_t a_row, int64_t a_col, const integer* b,
                   int64_t b_row, int64_t b_col, integer* c, int64_t c_row, bint accumulate) noexcept nogil:
    """The product of integers, modulo the width of the type, by rows of b so that the inner loop is contiguous."""
    cdef int64_t i, j, p
    cdef integer x
    for i in range(m):
        if not accumulate:
            for j in range(n):
                c[i * c_row + j] = 0
        for p in range(k):
            x = a[i * a_row + p * a_col]
            if b_col == 1:
                for j in range(n):
                    c[i * c_row + j] += x * b[p * b_row + j]
            else:
                for j in range(n):
                    c[i * c_row + j] += x * b[p * b_row + j * b_col]


# The launches.  Core dimensions m, n, k; attr[0].i bit 0: accumulate.  Of the output, n or m is contiguous.

cdef void linear_forward(real* out, const real* a, const real* b, const real* bias, const Launch* l,
                         void* scratch) noexcept nogil:
    """out[m, n] = a[m, k] @ b[k, n] + bias[n]; bias NULL: none."""
    cdef int64_t m = extent(l, 0), n = extent(l, 1), k = extent(l, 2), item = sizeof(real)
    gemm(m, n, k, a, step(l, 1, 0) // item, step(l, 1, 2) // item, b, step(l, 2, 2) // item, step(l, 2, 1) // item,
         out, step(l, 0, 0) // item, bias, l.attr[0].i & 1, scratch)


cdef void matmul_forward(real* out, const real* a, const real* b, const Launch* l, void* scratch) noexcept nogil:
    """out[m, n] = a[m, k] @ b[k, n]."""
    cdef int64_t m = extent(l, 0), n = extent(l, 1), k = extent(l, 2), item = sizeof(real)
    if n > 1 and step(l, 0, 1) != item:     # out is stored by columns: the transposed product
        gemm(n, m, k, b, step(l, 2, 1) // item, step(l, 2, 2) // item, a, step(l, 1, 2) // item, step(l, 1, 0) // item,
             out, step(l, 0, 1) // item, NULL, l.attr[0].i & 1, scratch)
    else:
        gemm(m, n, k, a, step(l, 1, 0) // item, step(l, 1, 2) // item, b, step(l, 2, 2) // item, step(l, 2, 1) // item,
             out, step(l, 0, 0) // item, NULL, l.attr[0].i & 1, scratch)


cdef void matmul_int_forward(integer* out, const integer* a, const integer* b, const Launch* l,
                             void* scratch) noexcept nogil:
    """out[m, n] = a[m, k] @ b[k, n] in integers."""
    cdef int64_t m = extent(l, 0), n = extent(l, 1), k = extent(l, 2), item = sizeof(integer)
    gemm_int(m, n, k, a, step(l, 1, 0) // item, step(l, 1, 2) // item, b, step(l, 2, 2) // item, step(l, 2, 1) // item,
             out, step(l, 0, 0) // item, l.attr[0].i & 1)
