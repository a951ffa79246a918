# The matrix product: blocking, packing, edges and small sizes around the register tile of tile.h.
#
# Order of summation.  Matrix by matrix: k is cut into equal blocks of at most GEMM_KC; within a block one chain of fma
# from +0 in the order of k; the blocks' sums are added in order, the bias to the first.  Vector by matrix: see
# `vector_matrix`.  Hence the bits of an element depend on k, the operands' strides, and on whether m == 1 or n == 1, and on
# nothing else: a caller may cut m and n anywhere as long as no piece of a dimension larger than 1 is 1 wide, which cutting at
# multiples of GEMM_CUT and leaving the remainder to the last piece guarantees.  Cutting k changes the bits.

cdef extern from "tile.h" nogil:
    enum:
        TILE_ROWS
        TILE_VECS
        TILE_MASKED
        tile_lanes_f32
        tile_lanes_f64
    ctypedef struct Tile:
        int64_t k, a_row, a_col, b_row, c_row
        int load_tail, store_tail, accumulate
    ctypedef void (*tile_function_f32)(const Tile*, const f32*, const f32*, const f32*, f32*) noexcept nogil
    ctypedef void (*tile_function_f64)(const Tile*, const f64*, const f64*, const f64*, f64*) noexcept nogil
    tile_function_f32* tile_table_f32
    tile_function_f64* tile_table_f64
    void tile_transpose_f32(int64_t n, int64_t k, const f32* a, int64_t a_row, f32* out, int64_t out_row) noexcept
    void tile_transpose_f64(int64_t n, int64_t k, const f64* a, int64_t a_row, f64* out, int64_t out_row) noexcept
    void tile_copy_f32(int64_t k, int count, const f32* a, int64_t a_row, f32* out, int width) noexcept
    void tile_copy_f64(int64_t k, int count, const f64* a, int64_t a_row, f64* out, int width) noexcept
    void tile_axpy_f32(int64_t n, int64_t k, const f32* x, int64_t x_step, const f32* a, int64_t a_row, f32* sum) noexcept
    void tile_axpy_f64(int64_t n, int64_t k, const f64* x, int64_t x_step, const f64* a, int64_t a_row, f64* sum) noexcept
    void tile_dot_f32(int64_t rows, int64_t k, const f32* x, const f32* a, int64_t a_row, f32* sum) noexcept
    void tile_dot_f64(int64_t rows, int64_t k, const f64* x, const f64* a, int64_t a_row, f64* sum) noexcept

cdef enum:
    GEMM_CUT = 16               # m and n are cut among threads at multiples of this; the last piece takes the remainder
    GEMM_KC = 192               # a panel of b (KC x TILE_VECS vectors) stays in the first-level cache
    GEMM_A_BYTES = 192 * 512 * 4    # a packed block of a stays in the second
    GEMM_B_BYTES = 192 * 2048 * 4
    GEMM_SCRATCH = GEMM_A_BYTES + GEMM_B_BYTES
    GEMV_CHUNK = 2048           # elements of a vector handled at a time


cdef void gemm(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b, int64_t b_row,
               int64_t b_col, real* c, int64_t c_row, const real* bias, bint accumulate, void* scratch) noexcept nogil:
    """c[m, n] = a[m, k] @ b[k, n] (+ bias[n]) (+ c).  Strides are in elements and may be anything, but columns of c are
    contiguous.  scratch: GEMM_SCRATCH bytes, 64-byte aligned."""
    if m <= 0 or n <= 0:
        return
    if m == 1:
        vector_matrix(n, k, a, a_col, b, b_row, b_col, c, 1, bias, 1, accumulate, scratch)
    elif n == 1:
        vector_matrix(m, k, b, b_row, a, a_col, a_row, c, c_row, bias, 0, accumulate, scratch)
    elif k <= 0:
        gemm_empty(m, n, c, c_row, bias, accumulate)
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


cdef void gemm_pack(int64_t count, int64_t k, const real* a, int64_t a_step, int64_t a_k, real* out, int width) noexcept nogil:
    """out[k, width] = a panel of `count` rows (step a_step) by k columns (step a_k), transposed; zeros up to width."""
    cdef int64_t i, p
    if a_step == 1:
        if real is f32:
            tile_copy_f32(k, <int>count, a, a_k, out, width)
        else:
            tile_copy_f64(k, <int>count, a, a_k, out, width)
        return
    if a_k == 1:
        if real is f32:
            tile_transpose_f32(count, k, a, a_step, out, width)
        else:
            tile_transpose_f64(count, k, a, a_step, out, width)
    else:
        for p in range(k):
            for i in range(count):
                out[p * width + i] = a[i * a_step + p * a_k]
    if count < width:
        for p in range(k):
            for i in range(count, width):
                out[p * width + i] = 0


cdef void gemm_pack_a(int64_t m, int64_t k, const real* a, int64_t a_row, int64_t a_col, real* out) noexcept nogil:
    """Panels as high as the tiles `gemm_block` will cut m into, each stored by columns."""
    cdef int64_t tiles = (m + TILE_ROWS - 1) // TILE_ROWS, rows = m // tiles, taller = m - rows * tiles, i = 0, height
    while i < m:
        height = rows + (taller > 0)
        taller -= 1
        gemm_pack(height, k, a + i * a_row, a_row, a_col, out + i * k, <int>height)
        i += height


cdef void gemm_pack_b(int64_t n, int64_t k, const real* b, int64_t b_row, int64_t b_col, real* out) noexcept nogil:
    """Panels as wide as `gemm_block` will cut n into, in whole vectors, each stored by rows."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef int64_t vecs = (n + lanes - 1) // lanes, panels = (vecs + TILE_VECS - 1) // TILE_VECS
    cdef int64_t each = vecs // panels, wider = vecs - each * panels, j = 0, width
    while j < n:
        width = (each + (wider > 0)) * lanes
        wider -= 1
        gemm_pack(min(width, n - j), k, b + j * b_col, b_col, b_row, out + j * k, <int>width)
        j += width


cdef void gemm_block(int64_t m, int64_t n, Tile* t, const real* a, bint a_packed, const real* b, bint b_packed, real* c,
                     const real* bias) noexcept nogil:
    """One block of k: panels of b in the outer loop, tiles down a in the inner one."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef int64_t vecs = (n + lanes - 1) // lanes, panels = (vecs + TILE_VECS - 1) // TILE_VECS
    cdef int64_t each = vecs // panels, wider = vecs - each * panels, v = 0, width
    cdef int64_t tiles = (m + TILE_ROWS - 1) // TILE_ROWS, rows = m // tiles, taller, i, height
    cdef int64_t a_row = t.a_row
    cdef bint by_row = not a_packed and (t.a_col == 1 or t.k == 1)
    cdef const real* b_panel
    cdef const real* a_tile
    cdef const real* bias_panel = NULL
    cdef real* c_tile
    while v < vecs:
        width = each + (wider > 0)
        wider -= 1
        t.store_tail = lanes if v + width < vecs else <int>(n - (vecs - 1) * lanes)
        t.load_tail = t.store_tail
        b_panel = b + v * lanes
        if b_packed:
            t.load_tail = lanes
            t.b_row = width * lanes
            b_panel = b + v * lanes * t.k
        if bias != NULL:
            bias_panel = bias + v * lanes
        taller = m - rows * tiles
        i = 0
        while i < m:
            height = rows + (taller > 0)
            taller -= 1
            c_tile = c + i * t.c_row + v * lanes
            a_tile = a + i * a_row
            if a_packed:
                a_tile = a + i * t.k
                t.a_col = height
            if real is f32:
                tile_table_f32[((height - 1) * TILE_VECS + width - 1) * 2 + by_row](t, a_tile, b_panel, bias_panel, c_tile)
            else:
                tile_table_f64[((height - 1) * TILE_VECS + width - 1) * 2 + by_row](t, a_tile, b_panel, bias_panel, c_tile)
            i += height
        v += width


cdef void gemm_blocks(int64_t m, int64_t n, int64_t k, const real* a, int64_t a_row, int64_t a_col, const real* b,
                      int64_t b_row, int64_t b_col, real* c, int64_t c_row, const real* bias, bint accumulate,
                      void* scratch) noexcept nogil:
    """Blocks over k, n and m, packing the operands that do not lie well."""
    cdef int lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef real* a_pack = <real*>scratch
    cdef real* b_pack = <real*>(<char*>scratch + GEMM_A_BYTES)
    cdef int64_t kc = (k + GEMM_KC - 1) // GEMM_KC
    kc = (k + kc - 1) // kc
    cdef int64_t mc = m, nc = n, i, j, p
    cdef int64_t mc_max = GEMM_A_BYTES // (GEMM_KC * <int64_t>sizeof(real)), nc_max = GEMM_B_BYTES // (GEMM_KC * <int64_t>sizeof(real))
    cdef bint pack_a = (a_col != 1 and a_row != 1 and k > 1) or (n > 4 * TILE_VECS * lanes and m > 4 * TILE_ROWS)
    cdef bint pack_b = b_col != 1 or (m > 4 * TILE_ROWS and kc * b_row * <int64_t>sizeof(real) > 24576) or (not TILE_MASKED and n % lanes != 0)
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
                gemm_pack_b(nc, t.k, b_block, b_row, b_col, b_pack)
                b_block = b_pack
            i = 0
            while i < m:
                mc = min(mc_max, m - i) if pack_a else m - i
                a_block = a + i * a_row + p * a_col
                t.a_row = a_row
                t.a_col = a_col
                if pack_a:
                    gemm_pack_a(mc, t.k, a_block, a_row, a_col, a_pack)
                    a_block = a_pack
                gemm_block(mc, nc, &t, a_block, pack_a, b_block, pack_b, c + i * c_row + j,
                           bias + j if bias != NULL and p == 0 else NULL)
                i += mc
            j += nc
        p += t.k


cdef void vector_matrix(int64_t n, int64_t k, const real* x, int64_t x_step, const real* b, int64_t b_row, int64_t b_col,
                        real* out, int64_t out_step, const real* bias, int64_t bias_step, bint accumulate,
                        void* scratch) noexcept nogil:
    """out[n] = x[k] @ b[k, n] (+ bias) (+ out).  Where the rows of b are contiguous each output is a chain over k in blocks of
    GEMM_KC, else a dot product in blocks of GEMV_CHUNK, each over the lanes of four vectors."""
    cdef int64_t j = 0, p, q, r, count, depth
    cdef real* sums = <real*>scratch
    cdef real* x_pack = sums + GEMV_CHUNK
    cdef real* b_pack = x_pack + GEMV_CHUNK
    cdef real* block = b_pack + 4 * GEMV_CHUNK
    cdef const real* x_block
    cdef const real* b_block
    cdef bint by_row = b_col == 1 and n > 1
    cdef int64_t width = GEMV_CHUNK if by_row or b_row == 1 else 4, step
    cdef int64_t chunk = GEMM_KC if by_row else GEMV_CHUNK
    while j < n:
        count = min(width, n - j)
        for q in range(count):
            sums[q] = 0
        p = 0
        while p < k:
            depth = min(chunk, k - p)
            x_block = x + p * x_step
            b_block = b + p * b_row + j * b_col
            if by_row:
                for q in range(count):
                    block[q] = 0
                if real is f32:
                    tile_axpy_f32(count, depth, x_block, x_step, b_block, b_row, block)
                else:
                    tile_axpy_f64(count, depth, x_block, x_step, b_block, b_row, block)
            else:
                if x_step != 1:
                    for r in range(depth):
                        x_pack[r] = x_block[r * x_step]
                    x_block = x_pack
                step = b_col
                if b_row != 1:
                    for q in range(count):
                        for r in range(depth):
                            b_pack[q * GEMV_CHUNK + r] = b_block[q * b_col + r * b_row]
                    b_block = b_pack
                    step = GEMV_CHUNK
                if real is f32:
                    tile_dot_f32(count, depth, x_block, b_block, step, block)
                else:
                    tile_dot_f64(count, depth, x_block, b_block, step, block)
            for q in range(count):
                sums[q] += block[q]
            p += depth
        if bias != NULL:
            for q in range(count):
                sums[q] += bias[(j + q) * bias_step]
        if accumulate:
            for q in range(count):
                sums[q] += out[(j + q) * out_step]
        for q in range(count):
            out[(j + q) * out_step] = sums[q]
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
