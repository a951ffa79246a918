# Convolutions of small images in batches: vectors run over the images, so that nothing is gathered, no lane is empty and no tap outside
# of an image is computed.  The same three maps as in convolution.pxi, one group, with the same core dimensions; images are as many as
# lie side by side in a block (a multiple of LANES_IMAGES), which is turned to [channels, pixels, images] in scratch memory and back.
#
# A sum goes over channels and taps in their order, in blocks of channels; the weight's over places and images, lane by lane, in blocks
# of rows of places.  Both depend on the sizes alone.

cdef extern from "lanes.h" nogil:
    enum:
        LANES_SIDE
    ctypedef struct LanesPlace:
        int64_t count[4]
        int64_t image[4]
        int64_t weight[4]
        int64_t out_row
        int accumulate
    ctypedef struct LanesSum:
        int64_t rows, places, vecs, image_row, image_place, grad_channel, sum_channel
    ctypedef void (*tile_lanes_function_f32)(const LanesPlace*, const f32*, const f32*, const f32*, f32*) noexcept nogil
    ctypedef void (*tile_lanes_function_f64)(const LanesPlace*, const f64*, const f64*, const f64*, f64*) noexcept nogil
    ctypedef void (*tile_lanes_sum_function_f32)(const LanesSum*, const f32*, const f32*, const int64_t*, f32*) noexcept nogil
    ctypedef void (*tile_lanes_sum_function_f64)(const LanesSum*, const f64*, const f64*, const int64_t*, f64*) noexcept nogil
    tile_lanes_function_f32* tile_lanes_table_f32
    tile_lanes_function_f64* tile_lanes_table_f64
    tile_lanes_sum_function_f32* tile_lanes_sum_table_f32
    tile_lanes_sum_function_f64* tile_lanes_sum_table_f64
    void tile_lanes_totals_f32(int64_t n, const f32* sums, f32* out) noexcept
    void tile_lanes_totals_f64(int64_t n, const f64* sums, f64* out) noexcept

cdef enum:                                               # of scratch memory, in bytes
    LANES_SUMS = 640 << 10                               # vectors of sums of the weight
    LANES_PANEL = TILE_ROWS * COLUMN_KC * 8                # the weight of some channels of the result
    LANES_SCRATCH = 2 * LANES_BLOCK + LANES_SUMS + LANES_PANEL + 3 * LANES_SIZE * 24

cdef struct LanesSpan:                                   # the taps that meet the image at a place, along one dimension
    i64 first, count, at                                 # at: where in the image the first of them is

cdef struct LanesMap:
    i64 width                                            # images side by side
    i64 n_in, n_out                                      # channels
    i64 size[3]                                          # of what is read
    i64 out_size[3]
    i64 pixels, places                                   # of one channel of what is read, and of the result
    i64 weight_in, weight_out                            # from channel to channel in the weight
    i64 taps
    i64 tap_step[3]                                      # between taps that meet the image, and
    i64 at_step[3]                                       # what they see of it
    LanesSpan* span[3]


cdef inline i64 lanes_of(const real* a) noexcept nogil:
    return tile_lanes_f32 if real is f32 else tile_lanes_f64


cdef void lanes_spans(const Window* w, LanesMap* m, bint transposed) noexcept nogil:
    cdef int d
    cdef i64 q, t, at
    cdef LanesSpan* s
    for d in range(3):
        m.tap_step[d] = m.at_step[d] = 1
        for q in range(m.out_size[d]):
            s = &m.span[d][q]
            s.count = 0
            for t in range(w.t[d]):
                at = q - w.o[d] - t * w.b[d] if transposed else q * w.a[d] + t * w.b[d] + w.o[d]
                if at < 0 or (transposed and at % w.a[d]):
                    continue
                at = at // w.a[d] if transposed else at
                if at >= m.size[d]:
                    continue
                if s.count == 0:
                    s.first, s.at = t, at
                elif s.count == 1:
                    m.tap_step[d], m.at_step[d] = t - s.first, at - s.at
                s.count += 1


cdef void lanes_turn(i64 images, i64 n, const real* a, i64 a_image, real* out) noexcept nogil:
    """out[n, images] = a[images, n]."""
    if real is f32:
        tile_transpose_f32(images, n, a, a_image, out, images)
    else:
        tile_transpose_f64(images, n, a, a_image, out, images)


cdef void lanes_turn_back(i64 images, i64 n, const real* a, real* out, i64 out_image) noexcept nogil:
    """out[images, n] = a[n, images]."""
    if real is f32:
        tile_transpose_f32(n, images, a, images, out, out_image)
    else:
        tile_transpose_f64(n, images, a, images, out, out_image)


cdef void lanes_pack(real* panel, const real* weight, i64 rows, i64 channels, const LanesMap* m) noexcept nogil:
    """panel[channels, taps, rows] of the weight."""
    cdef i64 c, t, r
    for c in range(channels):
        for r in range(rows):
            for t in range(m.taps):
                panel[(c * m.taps + t) * rows + r] = weight[c * m.weight_in + r * m.weight_out + t]


cdef void lanes_rows(real* out, const real* image, const real* panel, const real* bias, i64 rows, i64 channels, const i64* t, bint accumulate,
                     const LanesMap* m) noexcept nogil:
    """out[rows, places, width] of one panel of the weight, whose window has t taps."""
    cdef LanesPlace p
    cdef LanesSpan* s0
    cdef LanesSpan* s1
    cdef LanesSpan* s2
    cdef i64 q0, q1, q2, v, lanes = lanes_of(out), vecs = m.width // lanes, width
    cdef const real* weight
    cdef const real* from_
    p.count[0], p.image[0], p.weight[0] = channels, m.pixels * m.width, m.taps * rows
    p.image[1], p.weight[1] = m.at_step[0] * m.size[1] * m.size[2] * m.width, m.tap_step[0] * t[1] * t[2] * rows
    p.image[2], p.weight[2] = m.at_step[1] * m.size[2] * m.width, m.tap_step[1] * t[2] * rows
    p.image[3], p.weight[3] = m.at_step[2] * m.width, m.tap_step[2] * rows
    p.out_row, p.accumulate = m.places * m.width, accumulate
    for q0 in range(m.out_size[0]):
        s0 = &m.span[0][q0]
        p.count[1] = s0.count
        for q1 in range(m.out_size[1]):
            s1 = &m.span[1][q1]
            p.count[2] = s1.count if s0.count else 0
            for q2 in range(m.out_size[2]):
                s2 = &m.span[2][q2]
                p.count[3] = s2.count
                weight, from_ = panel, image
                if s0.count and s1.count and s2.count:
                    weight += ((s0.first * t[1] + s1.first) * t[2] + s2.first) * rows
                    from_ += ((s0.at * m.size[1] + s1.at) * m.size[2] + s2.at) * m.width
                v = 0
                while v < vecs:
                    width = (vecs - v + 1) // 2 if vecs - v == TILE_VECS + 1 else min(vecs - v, TILE_VECS)
                    if real is f32:
                        tile_lanes_table_f32[(rows - 1) * TILE_VECS + width - 1](&p, weight, from_ + v * lanes, bias, out + v * lanes)
                    else:
                        tile_lanes_table_f64[(rows - 1) * TILE_VECS + width - 1](&p, weight, from_ + v * lanes, bias, out + v * lanes)
                    v += width
                out += m.width


cdef void lanes_map(real* out, i64 out_image, const real* image, i64 image_image, const real* weight, const real* bias, const Window* w,
                    LanesMap* m, bint transposed, void* scratch) noexcept nogil:
    """out[images, n_out, places]: see the head; bias or NULL."""
    cdef real* block = <real*>scratch
    cdef real* result = <real*>(<char*>scratch + LANES_BLOCK)
    cdef real* panel = <real*>(<char*>scratch + 2 * LANES_BLOCK)
    cdef LanesSpan* spans = <LanesSpan*>(<char*>scratch + 2 * LANES_BLOCK + LANES_PANEL)
    cdef i64 c, i, j, most, count, channels, tiles, rows, wider, item = sizeof(real)
    cdef int d
    m.width, m.pixels, m.places, m.taps = w.images, 1, 1, w.t[0] * w.t[1] * w.t[2]
    for d in range(3):
        m.size[d], m.out_size[d] = w.q[d] if transposed else w.s[d], w.s[d] if transposed else w.q[d]
        m.pixels *= m.size[d]
        m.places *= m.out_size[d]
        m.span[d] = spans
        spans += m.out_size[d]
    lanes_spans(w, m, transposed)
    channels = next_part(m.n_in, max(min(COLUMN_KC // m.taps, LANES_BLOCK // (m.pixels * m.width * item)), 1))
    most = next_part(m.n_out, LANES_BLOCK // (m.places * m.width * item))
    i = 0
    while i < m.n_out:
        count = min(most, m.n_out - i)
        tiles = (count + TILE_ROWS - 1) // TILE_ROWS
        c = 0
        while c < m.n_in:
            lanes_turn(m.width, min(channels, m.n_in - c) * m.pixels, image + c * m.pixels, image_image, block)
            j = 0
            wider = count % tiles
            while j < count:
                rows = count // tiles + (wider > 0)
                wider -= 1
                lanes_pack(panel, weight + c * m.weight_in + (i + j) * m.weight_out, rows, min(channels, m.n_in - c), m)
                lanes_rows(result + j * m.places * m.width, <const real*>block, <const real*>panel,
                           bias + i + j if bias != NULL and c == 0 else NULL, rows, min(channels, m.n_in - c), w.t, c > 0, m)
                j += rows
            c += channels
        lanes_turn_back(m.width, count * m.places, <const real*>result, out + i * m.places, out_image)
        i += count


cdef void lanes_padded(const Window* w, const real* image, i64 channels, i64 images, const i64* size, real* out, real* turned) noexcept nogil:
    """out[channels, size, images]: what windows see of some images, zeros outside."""
    cdef i64 c, z, y, run
    cdef i64 low[3]
    cdef i64 high[3]
    cdef int d
    cdef bint whole = True
    for d in range(3):
        low[d], high[d] = max(-w.o[d], 0), min(w.s[d] - w.o[d], size[d])
        whole = whole and w.o[d] == 0 and size[d] == w.s[d]
    lanes_turn(images, channels * w.pixels, image, w.image_n, out if whole else turned)
    if whole:
        return
    memset(out, 0, channels * size[0] * size[1] * size[2] * images * sizeof(real))
    run = (high[2] - low[2]) * images * sizeof(real)
    if run <= 0:
        return
    for c in range(channels):
        for z in range(low[0], high[0]):
            for y in range(low[1], high[1]):
                memcpy(out + (((c * size[0] + z) * size[1] + y) * size[2] + low[2]) * images,
                       turned + (((c * w.s[0] + z + w.o[0]) * w.s[1] + y + w.o[1]) * w.s[2] + low[2] + w.o[2]) * images, run)


cdef void lanes_sums(real* sums, const real* block, const real* grad, const Window* w, const i64* size, i64 channels, i64 outputs,
                     i64 images) noexcept nogil:
    """sums[outputs, channels * taps, LANES] += grad[outputs, places, images] * block[channels, size, images] at places and taps."""
    cdef LanesSum s
    cdef i64 lanes = lanes_of(sums), taps = w.t[0] * w.t[1] * w.t[2], all = channels * taps, k, j, i, q0, q1, rows, t, c
    cdef i64 tall, wide, taller, wider, outer = (outputs + LANES_SIDE - 1) // LANES_SIDE, inner = (all + LANES_SIDE - 1) // LANES_SIDE
    cdef i64 offset[LANES_SIDE]
    cdef const real* from_
    cdef const real* g
    cdef real* to
    s.places, s.vecs, s.grad_channel, s.sum_channel = w.q[2], images // lanes, w.places * images, all * lanes
    s.image_row, s.image_place = w.a[1] * size[2] * images, w.a[2] * images
    rows = max(1, COLUMN_KC // (s.places * s.vecs))
    k = 0
    wider = all % inner
    while k < all:
        wide = all // inner + (wider > 0)
        wider -= 1
        for j in range(wide):
            c, t = (k + j) // taps, (k + j) % taps
            offset[j] = (((c * size[0] + t // (w.t[1] * w.t[2]) * w.b[0]) * size[1] + t // w.t[2] % w.t[1] * w.b[1]) * size[2]
                         + t % w.t[2] * w.b[2]) * images
        i = 0
        taller = outputs % outer
        while i < outputs:
            tall = outputs // outer + (taller > 0)
            taller -= 1
            to = sums + (i * all + k) * lanes
            for q0 in range(w.q[0]):
                q1 = 0
                while q1 < w.q[1]:
                    s.rows = min(rows, w.q[1] - q1)
                    from_ = block + (q0 * w.a[0] * size[1] + q1 * w.a[1]) * size[2] * images
                    g = grad + (i * w.places + (q0 * w.q[1] + q1) * w.q[2]) * images
                    if real is f32:
                        tile_lanes_sum_table_f32[(tall - 1) * LANES_SIDE + wide - 1](&s, g, from_, offset, to)
                    else:
                        tile_lanes_sum_table_f64[(tall - 1) * LANES_SIDE + wide - 1](&s, g, from_, offset, to)
                    q1 += s.rows
            i += tall
        k += wide


# ---- the launches -------------------------------------------------------------------------------------------------------

cdef void convolution_lanes_forward(real* out, real* image, real* weight, real* bias, const Launch* l, void* scratch) noexcept nogil:
    cdef Window w
    cdef LanesMap m
    read_window(&w, l, 1, 0, False, sizeof(real))
    m.n_in, m.n_out, m.weight_in, m.weight_out = w.c, w.m, w.t[0] * w.t[1] * w.t[2], w.k
    lanes_map(out, w.result_n, <const real*>image, w.image_n, <const real*>weight, <const real*>bias if l.ptr[3] != NULL else NULL, &w, &m,
              False, scratch)


cdef void convolution_transposed_lanes_forward(real* out, real* result, real* weight, real* bias, const Launch* l,
                                               void* scratch) noexcept nogil:
    cdef Window w
    cdef LanesMap m
    read_window(&w, l, 0, 1, False, sizeof(real))
    m.n_in, m.n_out, m.weight_in, m.weight_out = w.m, w.c, w.k, w.t[0] * w.t[1] * w.t[2]
    lanes_map(out, w.image_n, <const real*>result, w.result_n, <const real*>weight, <const real*>bias if l.ptr[3] != NULL else NULL, &w, &m,
              True, scratch)


cdef void convolution_weight_lanes_forward(real* out, real* image, real* result, const Launch* l, void* scratch) noexcept nogil:
    """out[m, c, t], of a part of the batch; attr[12]: images side by side."""
    cdef Window w
    cdef real* block = <real*>scratch
    cdef real* grad = <real*>(<char*>scratch + LANES_BLOCK)
    cdef real* sums = <real*>(<char*>scratch + 2 * LANES_BLOCK)
    cdef i64 size[3]
    cdef i64 c, i, n, r, channels, outputs, count, height, side = l.attr[12].i, item = sizeof(real)
    cdef i64 out_row = step(l, 0, 2) // item, taps, seen = 1, lanes = lanes_of(out)
    cdef int d
    read_window(&w, l, 1, 2, True, sizeof(real))
    taps = w.t[0] * w.t[1] * w.t[2]
    for d in range(3):
        size[d] = (w.q[d] - 1) * w.a[d] + (w.t[d] - 1) * w.b[d] + 1
        seen *= size[d]
    channels = next_part(w.c, min(LANES_BLOCK // (max(seen, w.pixels) * side * item), max(LANES_SUMS // (min(w.m, 32) * taps * 64), 1)))
    outputs = next_part(w.m, min(LANES_BLOCK // (w.places * side * item), LANES_SUMS // (channels * taps * 64)))
    i = 0
    while i < w.m:
        height = min(outputs, w.m - i)
        c = 0
        while c < w.c:
            count = min(channels, w.c - c)
            memset(sums, 0, height * count * taps * lanes * item)
            n = 0
            while n < w.images:
                lanes_padded(&w, <const real*>(image + n * w.image_n + c * w.pixels), count, side, size, block, grad)
                lanes_turn(side, height * w.places, <const real*>(result + n * w.result_n + i * w.places), w.result_n, grad)
                lanes_sums(sums, <const real*>block, <const real*>grad, &w, size, count, height, side)
                n += side
            for r in range(height):
                if real is f32:
                    tile_lanes_totals_f32(count * taps, <const f32*>sums + r * count * taps * lanes, out + (i + r) * out_row + c * taps)
                else:
                    tile_lanes_totals_f64(count * taps, <const f64*>sums + r * count * taps * lanes, out + (i + r) * out_row + c * taps)
            c += count
        i += height
