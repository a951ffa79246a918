# Convolutions of one to three dimensions by matrix products over columns: what each window sees, gathered into scratch memory
# block by block and never whole.
#
# A window w of one group: element (c, t) of it sees, for the result's place q, the image at q a + t b + o, zero outside.  Three
# maps, each linear in both of its operands, and each the gradient of the others:
#     forward      result[n, m, q] = sum over (c, t) of weight[m, c, t] image[n, c, q a + t b + o]     columns gathered
#     transposed   image[n, c, q a + t b + o] += sum over m of weight[m, c, t] result[n, m, q]         columns scattered
#     weight       weight[c, t, m] = sum over (n, q) of image[n, c, q a + t b + o] result[n, m, q]     columns gathered
# A block is some rows of places of one image, or all places of some images where these are few.  Windows of few channels and
# a stride of 1 or 2 are read straight from the image (see window.h).
#
# Core dimensions: (images, m, q0, q1, q2, c, t0, t1, t2), for the weight's gradient c before images; image, result and weight
# are contiguous but for a stride from image to image.  attr: a, b, o, the image's sizes; three each.  Blocks depend on the
# sizes alone and no sum runs over images except the weight's, so a cut along the first core dimension changes no bit.

cdef extern from "window.h" nogil:
    enum:
        WINDOW_TAPS
    ctypedef struct WindowTap:
        int64_t offset, low, high
    void tile_take_taps_f32(int64_t taps, const WindowTap* tap, int64_t above, int64_t rows, int64_t below, int64_t width,
                            const f32* image, int64_t image_row, int64_t image_step, f32* out, int64_t pitch) noexcept
    void tile_take_taps_f64(int64_t taps, const WindowTap* tap, int64_t above, int64_t rows, int64_t below, int64_t width,
                            const f64* image, int64_t image_row, int64_t image_step, f64* out, int64_t pitch) noexcept
    void tile_give_f32(int64_t rows, int64_t width, int64_t taps, const WindowTap* tap, const f32* a, int64_t pitch, f32* image,
                       int64_t image_row, int64_t size) noexcept
    void tile_give_f64(int64_t rows, int64_t width, int64_t taps, const WindowTap* tap, const f64* a, int64_t pitch, f64* image,
                       int64_t image_row, int64_t size) noexcept
    void tile_give_apart_f32(int64_t rows, int64_t width, int64_t count, const f32* a, f32* image, int64_t image_row,
                             int64_t image_step) noexcept
    void tile_give_apart_f64(int64_t rows, int64_t width, int64_t count, const f64* a, f64* image, int64_t image_row,
                             int64_t image_step) noexcept
    void tile_window_plane_f32(int64_t q, int64_t width, int64_t rows, int64_t taps, const WindowTap* tap, const f32* weight,
                               const f32* image, int64_t size, int64_t pitch, int64_t down, int64_t across, int64_t between,
                               int64_t first, f32* out) noexcept
    void tile_window_plane_f64(int64_t q, int64_t width, int64_t rows, int64_t taps, const WindowTap* tap, const f64* weight,
                               const f64* image, int64_t size, int64_t pitch, int64_t down, int64_t across, int64_t between,
                               int64_t first, f64* out) noexcept
    void tile_window_sums_f32(int64_t taps, int64_t rows, int64_t width, const f32* grad, int64_t grad_row, const f32* image,
                              int64_t image_row, int64_t across, const WindowTap* tap, f32* sum) noexcept
    void tile_window_sums_f64(int64_t taps, int64_t rows, int64_t width, const f64* grad, int64_t grad_row, const f64* image,
                              int64_t image_row, int64_t across, const WindowTap* tap, f64* sum) noexcept

    void tile_split_f32(int64_t rows, int64_t count, const f32* a, int64_t a_row, const f32* limit, int64_t step, f32* out,
                        int64_t out_row, int64_t part) noexcept
    void tile_split_f64(int64_t rows, int64_t count, const f64* a, int64_t a_row, const f64* limit, int64_t step, f64* out,
                        int64_t out_row, int64_t part) noexcept
    void tile_largest_f32(int64_t rows, int64_t width, int64_t taps, const int64_t* offset, const int64_t* pixel, const f32* seen,
                          int64_t seen_row, int64_t at, int64_t across, int64_t down, const i32* start, f32* best, int64_t* where_,
                          int64_t out_row) noexcept
    void tile_largest_f64(int64_t rows, int64_t width, int64_t taps, const int64_t* offset, const int64_t* pixel, const f64* seen,
                          int64_t seen_row, int64_t at, int64_t across, int64_t down, const i64* start, f64* best, int64_t* where_,
                          int64_t out_row) noexcept

cdef enum:
    COLUMN_KC = 384                                      # elements of the window of a block
    COLUMN_BYTES = 320 * 4                               # places of a block
    COLUMN_PITCH = COLUMN_BYTES + 64                     # from column to column: not a power of two
    PANEL_BYTES = 256 * COLUMN_BYTES                     # rows of the result of a block, where they do not lie in place
    CONVOLUTION_SCRATCH = COLUMN_KC * COLUMN_PITCH + PANEL_BYTES

cdef struct Window:
    i64 images, m, c, k                                  # k: elements of a window, channels times taps
    i64 q[3]                                             # places of the result
    i64 s[3]                                             # sizes of the image
    i64 t[3]                                             # taps of the window
    i64 a[3]                                             # image coordinate: q a + t b + o
    i64 b[3]
    i64 o[3]
    i64 places, pixels                                   # of one channel
    i64 image_n, result_n                                # from image to image, in elements
    bint plain                                           # a window of one element on every pixel

cdef struct Block:
    i64 n, images, row, rows, x, width, count


cdef void read_window(Window* w, const Launch* l, int image, int result, bint channel_first, i64 item) noexcept nogil:
    """image, result: their operand numbers."""
    cdef int d, shift = 1 if channel_first else 0
    w.images, w.m = extent(l, shift), extent(l, shift + 1)
    w.c = extent(l, 0 if channel_first else 5)
    w.image_n, w.result_n = step(l, image, shift) // item, step(l, result, shift) // item
    w.k, w.places, w.pixels, w.plain = w.c, 1, 1, True
    for d in range(3):
        w.q[d], w.t[d] = extent(l, shift + 2 + d), extent(l, 6 + d)
        w.a[d], w.b[d], w.o[d], w.s[d] = l.attr[d].i, l.attr[3 + d].i, l.attr[6 + d].i, l.attr[9 + d].i
        w.k *= w.t[d]
        w.places *= w.q[d]
        w.pixels *= w.s[d]
        w.plain = w.plain and w.t[d] == 1 and w.a[d] == 1 and w.o[d] == 0 and w.q[d] == w.s[d]


cdef void first_block(const Window* w, Block* b, i64 most) noexcept nogil:
    """The first block of at most `most` places: the size of all but the last of an image."""
    cdef i64 rows = w.q[0] * w.q[1], blocks
    b.n = b.row = b.x = 0
    b.images, b.rows, b.width = 1, rows, w.q[2]
    if w.plain and w.places >= 64:
        pass
    elif 2 * w.places <= most:
        b.images = most // w.places
        if w.places >= 64 or w.places % 16 == 0 and w.places >= 32:
            b.images = 1
    elif w.places > most and w.q[2] <= most:
        blocks = (rows + most // w.q[2] - 1) // (most // w.q[2])
        b.rows = (rows + blocks - 1) // blocks
    elif w.places > most:
        b.rows = 1
        blocks = (w.q[2] + most - 1) // most
        b.width = ((w.q[2] + blocks - 1) // blocks + 15) // 16 * 16


cdef bint clip_block(const Window* w, Block* now, const Block* size) noexcept nogil:
    """The block at now's place; false after the last."""
    if now.x >= w.q[2]:
        now.x = 0
        now.row += size.rows
    if now.row >= w.q[0] * w.q[1]:
        now.row = 0
        now.n += size.images
    if now.n >= w.images:
        return False
    now.images = min(size.images, w.images - now.n)
    now.rows = min(size.rows, w.q[0] * w.q[1] - now.row)
    now.width = min(size.width, w.q[2] - now.x)
    now.count = now.images * now.rows * now.width
    return True


cdef inline i64 block_place(const Window* w, const Block* b) noexcept nogil:
    return b.row * w.q[2] + b.x


cdef inline void inside(const Window* w, int d, i64 t, i64 start, i64 stop, i64* low, i64* high) noexcept nogil:
    """The places from start to stop along dimension d whose tap t lies inside of the image: low to high."""
    cdef i64 at = t * w.b[d] + w.o[d], a = w.a[d]
    cdef i64 first = start if at >= 0 else max(start, -at if a == 1 else (a - 1 - at) // a)
    cdef i64 last = w.s[d] - at if a == 1 else 0 if at >= w.s[d] else (w.s[d] - 1 - at) // a + 1
    low[0] = min(first, stop)
    high[0] = max(min(last, stop), low[0])


cdef void block_taps(const Window* w, const Block* b, i64 first, i64 n, WindowTap* tap) noexcept nogil:
    """n taps of a row of the window, over a block's row of places: offsets of place 0."""
    cdef i64 t
    for t in range(first, first + n):
        inside(w, 2, t, b.x, b.x + b.width, &tap.low, &tap.high)
        tap.low -= b.x
        tap.high -= b.x
        tap.offset = b.x * w.a[2] + t * w.b[2] + w.o[2]
        tap += 1


cdef void walk_columns(const Window* w, const Block* b, real* image, i64 first, i64 last, real* column, i64 pitch,
                       bint scatter) noexcept nogil:
    """Columns first to last of a block: gathered from the image, or scattered to it, added."""
    cdef WindowTap tap[WINDOW_TAPS]
    cdef i64 t0, t1, t2, c, k = first, taps, n, row, rows, q0, low0, high0, y, y_low, y_high
    cdef i64 at, known = 0
    cdef real* to
    t2 = first % w.t[2]
    t1 = first // w.t[2] % w.t[1]
    t0 = first // (w.t[2] * w.t[1]) % w.t[0]
    c = first // (w.t[2] * w.t[1] * w.t[0])
    block_taps(w, b, 0, min(w.t[2], WINDOW_TAPS), tap)
    while k < last:
        taps = min(w.t[2] - t2, last - k)               # of one row of the window
        if w.t[2] > WINDOW_TAPS:
            taps, known = min(taps, WINDOW_TAPS), t2
            block_taps(w, b, t2, taps, tap)
        to = column
        for n in range(b.n, b.n + b.images):
            row = b.row
            while row < b.row + b.rows:
                q0 = row // w.q[1] if w.q[0] > 1 else 0
                y = row - q0 * w.q[1]
                rows = min(w.q[1] - y, b.row + b.rows - row)
                inside(w, 1, t1, y, y + rows, &y_low, &y_high)
                inside(w, 0, t0, q0, q0 + 1, &low0, &high0)
                if low0 == high0:
                    y_low = y_high = y + rows
                at = (n * w.image_n + c * w.pixels
                      + ((q0 * w.a[0] + t0 * w.b[0] + w.o[0]) * w.s[1] + y_low * w.a[1] + t1 * w.b[1] + w.o[1]) * w.s[2])
                if scatter:
                    give_rows(w, b, y_high - y_low, taps, tap + t2 - known, to + (y_low - y) * b.width, pitch, image + at)
                elif real is f32:
                    tile_take_taps_f32(taps, tap + t2 - known, y_low - y, y_high - y_low, y + rows - y_high, b.width, image + at,
                                       w.a[1] * w.s[2], w.a[2], to, pitch)
                else:
                    tile_take_taps_f64(taps, tap + t2 - known, y_low - y, y_high - y_low, y + rows - y_high, b.width, image + at,
                                       w.a[1] * w.s[2], w.a[2], to, pitch)
                to += rows * b.width
                row += rows
        column += pitch * taps
        k += taps
        t2 += taps
        if t2 < w.t[2]:
            continue
        t2 = 0
        t1 += 1
        if t1 == w.t[1]:
            t1 = 0
            t0 += 1
            if t0 == w.t[0]:
                t0 = 0
                c += 1


cdef void give_rows(const Window* w, const Block* b, i64 rows, i64 taps, const WindowTap* tap, const real* a, i64 pitch,
                    real* image) noexcept nogil:
    """The transpose of taking, where there are no zeros above and below."""
    cdef i64 t, row = w.a[1] * w.s[2]
    if rows <= 0:
        return
    if w.a[2] == 1:
        if real is f32:
            tile_give_f32(rows, b.width, taps, tap, a, pitch, image, row, w.s[2])
        else:
            tile_give_f64(rows, b.width, taps, tap, a, pitch, image, row, w.s[2])
        return
    for t in range(taps):
        if real is f32:
            tile_give_apart_f32(rows, b.width, tap[t].high - tap[t].low, a + tap[t].low, image + tap[t].offset + tap[t].low * w.a[2],
                                row, w.a[2])
        else:
            tile_give_apart_f64(rows, b.width, tap[t].high - tap[t].low, a + tap[t].low, image + tap[t].offset + tap[t].low * w.a[2],
                                row, w.a[2])
        a += pitch


cdef void fill_channels(real* out, i64 channels, i64 count, i64 pitch, const real* bias) noexcept nogil:
    """out[channels, count] = bias[channels], or zeros."""
    cdef i64 m, i
    cdef real x = 0
    for m in range(channels):
        if bias != NULL:
            x = bias[m]
        for i in range(count):
            out[m * pitch + i] = x


cdef void spread_block(const Window* w, const Block* b, real* result, i64 m, i64 channels, const real* panel, const real* bias,
                       bint accumulate) noexcept nogil:
    """A panel[channels, count] of sums over whole images, from channel m on, to the result."""
    cdef i64 i, n, j
    cdef real* to
    cdef real start = 0
    for i in range(channels):
        if bias != NULL:
            start = bias[m + i]
        for n in range(b.n, b.n + b.images):
            to = result + n * w.result_n + (m + i) * w.places
            if accumulate:
                for j in range(w.places):
                    to[j] = panel[j] + to[j]
            elif bias != NULL:
                for j in range(w.places):
                    to[j] = panel[j] + start
            else:
                memcpy(to, panel, w.places * sizeof(real))
            panel += w.places


cdef void collect_block(const Window* w, const Block* b, const real* result, i64 m, i64 channels, real* panel) noexcept nogil:
    """The result at all places of some images as panel[channels, count]."""
    cdef i64 i, n
    for i in range(m, m + channels):
        for n in range(b.n, b.n + b.images):
            memcpy(panel, result + n * w.result_n + i * w.places, w.places * sizeof(real))
            panel += w.places


cdef void convolution(real* out, real* image, const real* weight, const real* bias, const Launch* l, void* scratch) noexcept nogil:
    """out[n, m, q]: see the head; bias[m] or NULL."""
    cdef Window w
    cdef Block size, b
    cdef i64 p, i, depth, height, kc, mc, pitch
    cdef real* column = <real*>(<char*>scratch + GEMM_SCRATCH)
    cdef real* panel = <real*>(<char*>scratch + GEMM_SCRATCH + COLUMN_KC * COLUMN_PITCH)
    cdef real* to
    read_window(&w, l, 1, 0, False, sizeof(real))
    if w.k == 0:
        for p in range(w.images):
            fill_channels(out + p * w.result_n, w.m, w.places, w.places, bias)
        return
    if direct(&w, w.c, w.m) and w.a[2] <= 2:
        convolution_direct(out, <const real*>image, weight, bias, &w, w.k, w.k // w.c)
        return
    first_block(&w, &size, COLUMN_BYTES // <i64>sizeof(real))
    kc = next_part(w.k, COLUMN_KC)
    b = size
    while clip_block(&w, &b, &size):
        pitch = b.count if b.count % 128 else b.count + 16
        mc = w.m if size.images == 1 else next_part(w.m, PANEL_BYTES // (b.count * <i64>sizeof(real)))
        if w.plain and size.images == 1:
            to = out + b.n * w.result_n
            if bias != NULL:
                fill_channels(to, w.m, w.places, w.places, bias)
            gemm_blocks(w.m, w.places, w.k, weight, w.k, 1, <const real*>(image + b.n * w.image_n), w.pixels, 1, to, w.places, NULL,
                        bias != NULL, scratch)
            b.x += b.width
            continue
        p = 0
        while p < w.k:
            depth = min(kc, w.k - p)
            walk_columns(&w, &b, image, p, p + depth, column, pitch, False)
            i = 0
            while i < w.m:
                height = min(mc, w.m - i)
                if size.images == 1:
                    to = out + b.n * w.result_n + block_place(&w, &b)
                    if bias != NULL and p == 0:
                        fill_channels(to, height, b.count, w.places, bias)
                    gemm_blocks(height, b.count, depth, weight + p, w.k, 1, <const real*>column, pitch, 1, to, w.places, NULL,
                                p > 0 or bias != NULL, scratch)
                else:
                    gemm_blocks(height, b.count, depth, weight + i * w.k + p, w.k, 1, <const real*>column, pitch, 1, panel, b.count, NULL,
                                False, scratch)
                    spread_block(&w, &b, out, i, height, <const real*>panel, bias, p > 0)
                i += height
            p += depth
        b.x += b.width


cdef void convolution_transposed(real* image, real* result, const real* weight, const real* bias, const Launch* l,
                                 void* scratch) noexcept nogil:
    """image[n, c, s]: see the head; bias[c] or NULL."""
    cdef Window w, mirror
    cdef Block size, b
    cdef i64 p, i, depth, height, kc, mc
    cdef real* column = <real*>(<char*>scratch + GEMM_SCRATCH)
    cdef real* panel = <real*>(<char*>scratch + GEMM_SCRATCH + COLUMN_KC * COLUMN_PITCH)
    cdef const real* source
    cdef i64 source_row
    read_window(&w, l, 0, 1, False, sizeof(real))
    if direct(&w, w.c, w.m) and w.a[0] * w.a[1] * w.a[2] == 1:
        mirror = mirrored(&w)
        convolution_direct(image, <const real*>result, weight, bias, &mirror, w.k // w.c, w.k)
        return
    first_block(&w, &size, COLUMN_BYTES // <i64>sizeof(real))
    kc = next_part(w.k, COLUMN_KC)
    b = size
    while clip_block(&w, &b, &size):
        if b.row == 0 and b.x == 0 and (bias != NULL or not w.plain or size.images > 1):
            for p in range(b.n, b.n + b.images):
                fill_channels(image + p * w.image_n, w.c, w.pixels, w.pixels, bias)
        source_row = w.places if size.images == 1 else b.count
        mc = w.m if size.images == 1 else next_part(w.m, PANEL_BYTES // (b.count * <i64>sizeof(real)))
        p = 0
        while p < w.k:
            depth = w.k if w.plain and size.images == 1 else min(kc, w.k - p)
            i = 0
            while i < w.m:
                height = min(mc, w.m - i)
                source = result + b.n * w.result_n + block_place(&w, &b)
                if size.images > 1:
                    collect_block(&w, &b, <const real*>result, i, height, panel)
                    source = panel
                if w.plain and size.images == 1:
                    gemm_blocks(depth, b.count, height, weight + i * w.k, 1, w.k, source, source_row, 1, image + b.n * w.image_n,
                                w.pixels, NULL, bias != NULL, scratch)
                else:
                    gemm_blocks(depth, b.count, height, weight + i * w.k + p, 1, w.k, source, source_row, 1, column, b.count, NULL,
                                i > 0, scratch)
                i += height
            if not (w.plain and size.images == 1):
                walk_columns(&w, &b, image, p, p + depth, column, b.count, True)
            p += depth
        b.x += b.width


cdef void convolution_weight_forward(real* out, real* image, real* result, real* weight, const Launch* l, void* scratch) noexcept nogil:
    """weight[c, t, m]: see the head; out[m, c, t]: the same, an m every row of out."""
    cdef Window w
    cdef Block size, b
    cdef i64 p, i, depth, height, kc, mc, pitch
    cdef real* column = <real*>(<char*>scratch + GEMM_SCRATCH)
    cdef real* panel = <real*>(<char*>scratch + GEMM_SCRATCH + COLUMN_KC * COLUMN_PITCH)
    read_window(&w, l, 1, 2, True, sizeof(real))
    if direct(&w, w.c, w.m) and w.a[2] <= 2:
        convolution_weight_direct(weight, <const real*>image, <const real*>result, &w, scratch)
        turn_weight(out, step(l, 0, 2) // <i64>sizeof(real), <const real*>weight, &w)
        return
    fill_channels(weight, w.k, w.m, w.m, <const real*>NULL)
    first_block(&w, &size, COLUMN_BYTES // <i64>sizeof(real))
    kc = next_part(w.k, COLUMN_KC)
    b = size
    while clip_block(&w, &b, &size):
        pitch = b.count if b.count % 128 else b.count + 16
        mc = w.m if size.images == 1 else next_part(w.m, PANEL_BYTES // (b.count * <i64>sizeof(real)))
        if w.plain and size.images == 1:
            gemm_blocks(w.k, w.m, w.places, <const real*>(image + b.n * w.image_n), w.pixels, 1, <const real*>(result + b.n * w.result_n),
                        1, w.places, weight, w.m, NULL, True, scratch)
            b.x += b.width
            continue
        p = 0
        while p < w.k:
            depth = min(kc, w.k - p)
            walk_columns(&w, &b, image, p, p + depth, column, pitch, False)
            i = 0
            while i < w.m:
                height = min(mc, w.m - i)
                if size.images == 1:
                    gemm_blocks(depth, height, b.count, <const real*>column, pitch, 1,
                                <const real*>(result + b.n * w.result_n + block_place(&w, &b)), 1, w.places, weight + p * w.m, w.m, NULL, True,
                                scratch)
                else:
                    collect_block(&w, &b, <const real*>result, i, height, panel)
                    gemm_blocks(depth, height, b.count, <const real*>column, pitch, 1, <const real*>panel, 1, b.count,
                                weight + p * w.m + i, w.m, NULL, True, scratch)
                i += height
            p += depth
        b.x += b.width
    turn_weight(out, step(l, 0, 2) // <i64>sizeof(real), <const real*>weight, &w)


cdef void turn_weight(real* out, i64 out_row, const real* weight, const Window* w) noexcept nogil:
    """out[m, k] = weight[k, m]."""
    if real is f32:
        tile_transpose_f32(w.k, w.m, weight, w.m, out, out_row)
    else:
        tile_transpose_f64(w.k, w.m, weight, w.m, out, out_row)


# ---- few channels, stride of 1 or 2: straight from the image ---------------------------------------------------------------

cdef inline bint direct(const Window* w, i64 c, i64 m) noexcept nogil:
    return c * m <= 4 and w.t[2] <= WINDOW_TAPS


cdef Window mirrored(const Window* w) noexcept nogil:
    """The window by which the image gathers what the result would scatter; strides are 1."""
    cdef Window v = w[0]
    cdef int d
    for d in range(3):
        v.q[d], v.s[d], v.b[d], v.o[d] = w.s[d], w.q[d], -w.b[d], -w.o[d]
    v.m, v.c, v.image_n, v.result_n, v.places, v.pixels = w.c, w.m, w.result_n, w.image_n, w.pixels, w.places
    return v


cdef void window_taps(const Window* w, WindowTap* tap) noexcept nogil:
    cdef i64 t
    for t in range(w.t[2]):
        tap[t].offset = t * w.b[2] + w.o[2]
        inside(w, 2, t, 0, w.q[2], &tap[t].low, &tap[t].high)


cdef void convolution_direct(real* out, const real* image, const real* weight, const real* bias, const Window* w, i64 weight_m,
                             i64 weight_c) noexcept nogil:
    """The forward map plane by plane; weight_m, weight_c: from channel to channel of the result and of the image, in weight."""
    cdef WindowTap tap[WINDOW_TAPS]
    cdef i64 n, m, c, q0, t0, z, plane = w.t[1] * w.t[2]
    cdef real start
    cdef const real* from_
    cdef real* to
    window_taps(w, tap)
    for n in range(w.images):
        for m in range(w.m):
            start = bias[m] if bias != NULL else 0
            for q0 in range(w.q[0]):
                to = out + n * w.result_n + m * w.places + q0 * w.q[1] * w.q[2]
                fill_channels(to, 1, w.q[1] * w.q[2], 0, <const real*>&start)
                for c in range(w.c):
                    for t0 in range(w.t[0]):
                        z = q0 * w.a[0] + t0 * w.b[0] + w.o[0]
                        if z < 0 or z >= w.s[0]:
                            continue
                        from_ = image + n * w.image_n + c * w.pixels + z * w.s[1] * w.s[2]
                        if real is f32:
                            tile_window_plane_f32(w.q[1], w.q[2], w.t[1], w.t[2], tap, weight + m * weight_m + c * weight_c + t0 * plane, from_,
                                                  w.s[1], w.s[2], w.a[1], w.a[2], w.b[1], w.o[1], to)
                        else:
                            tile_window_plane_f64(w.q[1], w.q[2], w.t[1], w.t[2], tap, weight + m * weight_m + c * weight_c + t0 * plane, from_,
                                                  w.s[1], w.s[2], w.a[1], w.a[2], w.b[1], w.o[1], to)


cdef void convolution_weight_direct(real* weight, const real* image, const real* result, const Window* w, void* scratch) noexcept nogil:
    """The weight's gradient: a vector of sums for each tap, eight images at a time, and their sum."""
    cdef WindowTap tap[WINDOW_TAPS]
    cdef i64 n, m, c, t0, t1, t2, q0, low, high, lane, taps = w.t[2]
    cdef i64 lanes = tile_lanes_f32 if real is f32 else tile_lanes_f64
    cdef real* sums = <real*>scratch
    cdef real* total = sums + WINDOW_TAPS * lanes
    cdef real* out = weight
    cdef const real* grad
    cdef const real* source
    window_taps(w, tap)
    for c in range(w.c):
        for t0 in range(w.t[0]):
            for t1 in range(w.t[1]):
                inside(w, 1, t1, 0, w.q[1], &low, &high)
                for m in range(w.m):
                    memset(total, 0, taps * lanes * sizeof(real))
                    for n in range(w.images):
                        if n % 8 == 0:
                            memset(sums, 0, taps * lanes * sizeof(real))
                        for q0 in range(w.q[0]):
                            if q0 * w.a[0] + t0 * w.b[0] + w.o[0] < 0 or q0 * w.a[0] + t0 * w.b[0] + w.o[0] >= w.s[0] or low >= high:
                                continue
                            grad = result + n * w.result_n + m * w.places + (q0 * w.q[1] + low) * w.q[2]
                            source = (image + n * w.image_n + c * w.pixels
                                      + ((q0 * w.a[0] + t0 * w.b[0] + w.o[0]) * w.s[1] + low * w.a[1] + t1 * w.b[1] + w.o[1]) * w.s[2])
                            if real is f32:
                                tile_window_sums_f32(taps, high - low, w.q[2], grad, w.q[2], source, w.a[1] * w.s[2], w.a[2], tap, sums)
                            else:
                                tile_window_sums_f64(taps, high - low, w.q[2], grad, w.q[2], source, w.a[1] * w.s[2], w.a[2], tap, sums)
                        if n % 8 == 7 or n == w.images - 1:
                            for lane in range(taps * lanes):
                                total[lane] += sums[lane]
                    for t2 in range(taps):
                        for lane in range(1, lanes):
                            total[t2 * lanes] += total[t2 * lanes + lane]
                        out[t2 * w.m + m] = total[t2 * lanes]
                out += taps * w.m


# ---- the launches -------------------------------------------------------------------------------------------------------

cdef void convolution_forward(real* out, real* image, real* weight, real* bias, const Launch* l, void* scratch) noexcept nogil:
    convolution(out, image, <const real*>weight, <const real*>bias if l.ptr[3] != NULL else NULL, l, scratch)


cdef void convolution_transposed_forward(real* out, real* result, real* weight, real* bias, const Launch* l,
                                         void* scratch) noexcept nogil:
    convolution_transposed(out, result, <const real*>weight, <const real*>bias if l.ptr[3] != NULL else NULL, l, scratch)
