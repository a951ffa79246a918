# Pooling over windows: the largest element of each and where it is, and means; the window is as in convolution.pxi.
#
# Core dimensions: (planes, q0, q1, q2, t0, t1, t2); image and result are contiguous but for the stride from plane to plane.
# attr: a, b, o, the image's sizes, three each; then for means 12: what they are divided by (see divisors), 13: a number.
# Places are computed row by row: the taps of the window are gone through, and each is added to a whole row, or compared with it.  The
# largest of floats are found in blocks of places.

cdef enum:
    POOL_ROW = 512            # places of a row at a time
    POOL_SEEN = 4096          # elements of an image that a block of places sees: they stay in the first-level cache
    POOL_SCRATCH = GEMM_SCRATCH // 8

# Places in an image, in vectors of as many lanes as elements have.
ctypedef fused index:
    i32
    i64

# Rows of places, or a part of one row, and a copy of what they see of an image: a row of it every `pitch` elements, from `shift` on; then
# those that are w.a[2] apart are side by side, and each such part is `part` after the one before.  What is outside of the image is -inf.
cdef struct PoolBlock:
    i64 q0, y, rows, x, width
    i64 taps, pitch, shift, height, part
    i64 low[3]                # pixels inside of the image, of those that are seen
    i64 high[3]
    bint padded, joined       # joined: rows are copied as one


cdef enum Divisor:
    WHOLE_WINDOW = 0          # the taps that lie inside of the image and its padding
    INSIDE                    # the taps that lie inside of the image
    GIVEN                     # attr[13]


cdef void read_pool(Window* w, const Launch* l) noexcept nogil:
    cdef int d
    w.places = w.pixels = w.c = w.m = 1
    w.images = extent(l, 0)
    for d in range(3):
        w.q[d], w.t[d] = extent(l, 1 + d), extent(l, 4 + d)
        w.a[d], w.b[d], w.o[d], w.s[d] = l.attr[d].i, l.attr[3 + d].i, l.attr[6 + d].i, l.attr[9 + d].i
        w.places *= w.q[d]
        w.pixels *= w.s[d]


cdef inline bint tap_row(const Window* w, i64 q0, i64 q1, i64 t0, i64 t1, i64* at) noexcept nogil:
    """Whether taps t0, t1 of the window at q0, q1 lie inside of the image; at: where their row begins."""
    cdef i64 z = q0 * w.a[0] + t0 * w.b[0] + w.o[0], y = q1 * w.a[1] + t1 * w.b[1] + w.o[1]
    at[0] = (z * w.s[1] + y) * w.s[2]
    return z >= 0 and z < w.s[0] and y >= 0 and y < w.s[1]


cdef void larger(number* best, i32* place, const number* a, i64 step_, i32 at, i64 n) noexcept nogil:
    """NaN are largest, and of several the last; a place is taken at first whatever the element."""
    cdef i64 i
    cdef number x
    cdef bint take
    for i in range(n):
        x = a[i * step_]
        take = (x > best[i]) | (x != x) | (place[i] < 0)
        best[i] = x if take else best[i]
        place[i] = at + <i32>(i * step_) if take else place[i]


cdef void max_pool_forward(number* out, i64* where_, number* a, const Launch* l, void* scratch) noexcept nogil:
    """Places are of the flattened plane."""
    cdef Window w
    cdef i64 plane, q0, q1
    cdef number* image
    cdef number* to
    cdef i64* to_place
    read_pool(&w, l)
    if number is f32:
        if max_pool_places(out, where_, <const f32*>a, &w, step(l, 2, 0) // 4, step(l, 0, 0) // 4, scratch, <i32*>scratch):
            return
    elif number is f64:
        if max_pool_places(out, where_, <const f64*>a, &w, step(l, 2, 0) // 8, step(l, 0, 0) // 8, scratch, <i64*>scratch):
            return
    for plane in range(w.images):
        image = <number*>(<char*>a + plane * step(l, 2, 0))
        to = <number*>(<char*>out + plane * step(l, 0, 0))
        to_place = <i64*>(<char*>where_ + plane * step(l, 1, 0))
        for q0 in range(w.q[0]):
            for q1 in range(w.q[1]):
                max_pool_row(to, to_place, <const number*>image, &w, q0, q1)
                to += w.q[2]
                to_place += w.q[2]


cdef bint max_pool_places(real* out, i64* where_, const real* image, const Window* w, i64 image_step, i64 out_step, void* scratch,
                          index* type_) noexcept nogil:
    """By blocks of places, in vectors along their rows: what they see is copied, then taps read it in order, the largest so far in
    registers.  False if a block does not fit in scratch memory.  type_: that of places."""
    cdef PoolBlock b
    cdef i64 reach = (w.t[2] - 1) * w.b[2] + 1, width, rows, tables
    b.taps = w.t[0] * w.t[1] * w.t[2]
    b.height = (w.t[1] - 1) * w.b[1] + 1
    width = min(w.q[2], max((POOL_SEEN - reach) // w.a[2], SIDE))
    reach += (width - 1) * w.a[2]
    b.joined = w.o[2] == 0 and width == w.q[2] and reach <= w.s[2] and w.s[2] % w.a[2] == 0
    b.pitch = w.s[2] if b.joined else (reach + 2 * w.a[2] - 2) // w.a[2] * w.a[2]
    rows = min(max((POOL_SEEN // (w.t[0] * b.pitch) - b.height) // w.a[1] + 1, 1), w.q[1])
    b.height += (rows - 1) * w.a[1]
    b.part = (w.t[0] * b.height * b.pitch // w.a[2] // SIDE + 2) * SIDE
    tables = (2 * b.taps + rows * width) // SIDE * SIDE + 2 * SIDE
    if tables + w.a[2] * b.part > POOL_SCRATCH:
        return False
    for b.q0 in range(w.q[0]):
        b.y = 0
        while b.y < w.q[1]:
            b.rows = min(rows, w.q[1] - b.y)
            b.x = 0
            while b.x < w.q[2]:
                b.width = min(width, w.q[2] - b.x)
                max_pool_block(out, where_, image, w, &b, image_step, out_step, <i64*>scratch, <index*>(<i64*>scratch + 2 * b.taps),
                               <real*>(<i64*>scratch + tables))
                b.x += b.width
            b.y += b.rows
    return True


cdef inline i64 pixel_of(const Window* w, i64 z, i64 y, i64 x) noexcept nogil:
    return (z * w.s[1] + y) * w.s[2] + x


cdef inline i64 first_tap(const Window* w, int d, i64 q) noexcept nogil:
    """The first tap of the window at q that lies inside of the image, or how many there are."""
    cdef i64 t = 0
    while t < w.t[d] and not 0 <= q * w.a[d] + t * w.b[d] + w.o[d] < w.s[d]:
        t += 1
    return t


cdef void pool_starts(index* start, const Window* w, const PoolBlock* b) noexcept nogil:
    """Of every place the first pixel that it sees, -1 if it sees none."""
    cdef i64 y, x, t0 = first_tap(w, 0, b.q0), t1, t2
    for y in range(b.y, b.y + b.rows):
        t1 = first_tap(w, 1, y)
        for x in range(b.x, b.x + b.width):
            t2 = first_tap(w, 2, x)
            start[0] = -1
            if t0 < w.t[0] and t1 < w.t[1] and t2 < w.t[2]:
                start[0] = <index>pixel_of(w, b.q0 * w.a[0] + t0 * w.b[0] + w.o[0], y * w.a[1] + t1 * w.b[1] + w.o[1],
                                           x * w.a[2] + t2 * w.b[2] + w.o[2])
            start += 1


cdef void max_pool_block(real* out, i64* where_, const real* image, const Window* w, PoolBlock* b, i64 image_step, i64 out_step,
                         i64* offset, index* start, real* seen) noexcept nogil:
    """A block of all images."""
    cdef i64* pixel = offset + b.taps
    cdef i64 t0, t1, t2, n, k = 0, at = (b.q0 * w.q[1] + b.y) * w.q[2] + b.x
    cdef i64 first = pixel_of(w, b.q0 * w.a[0] + w.o[0], b.y * w.a[1] + w.o[1], b.x * w.a[2] + w.o[2])
    cdef i64 seen_row = w.a[1] * b.pitch // w.a[2]
    cdef const index* given = <const index*>NULL
    b.padded = False
    clip_pixels(w, b, 0, b.q0, (w.t[0] - 1) * w.b[0] + 1)
    clip_pixels(w, b, 1, b.y, (b.rows - 1) * w.a[1] + (w.t[1] - 1) * w.b[1] + 1)
    clip_pixels(w, b, 2, b.x, (b.width - 1) * w.a[2] + (w.t[2] - 1) * w.b[2] + 1)
    b.shift = (w.a[2] - b.low[2] % w.a[2]) % w.a[2]       # the first pixel inside begins a part
    for t0 in range(w.t[0]):
        for t1 in range(w.t[1]):
            for t2 in range(w.t[2]):
                n = (t0 * b.height + t1 * w.b[1]) * b.pitch + b.shift + t2 * w.b[2]
                offset[k] = n % w.a[2] * b.part + n // w.a[2]
                pixel[k] = pixel_of(w, t0 * w.b[0], t1 * w.b[1], t2 * w.b[2])
                k += 1
    if b.padded:
        given = start
        pool_starts(start, w, b)
        for n in range(w.a[2] * b.part):
            seen[n] = -1e999
    for n in range(w.images):
        see_pixels(seen, image + n * image_step + first, w, b, image + (w.images - 1) * image_step + w.pixels)
        if real is f32 and index is i32:
            tile_largest_f32(b.rows, b.width, b.taps, offset, pixel, seen, seen_row, first, w.a[2], w.a[1] * w.s[2],
                             given, out + at, where_ + at, w.q[2])
        elif real is f64 and index is i64:
            tile_largest_f64(b.rows, b.width, b.taps, offset, pixel, seen, seen_row, first, w.a[2], w.a[1] * w.s[2],
                             given, out + at, where_ + at, w.q[2])
        at += out_step


cdef inline void clip_pixels(const Window* w, PoolBlock* b, int d, i64 q, i64 n) noexcept nogil:
    """Of n pixels from the first that place q sees along dimension d, those inside of the image: low to high."""
    cdef i64 first = q * w.a[d] + w.o[d]
    b.low[d] = min(max(-first, 0), n)
    b.high[d] = max(min(w.s[d] - first, n), b.low[d])
    b.padded = b.padded or b.low[d] > 0 or b.high[d] < n


cdef void see_pixels(real* seen, const real* image, const Window* w, const PoolBlock* b, const real* limit) noexcept nogil:
    """image: the block's first pixel, which may lie outside."""
    cdef i64 t0, rows = b.high[1] - b.low[1], count = b.high[2] - b.low[2]
    cdef const real* a = image + pixel_of(w, 0, b.low[1], b.low[2])
    cdef real* to = seen + (b.low[1] * b.pitch + b.shift + b.low[2]) // w.a[2]
    if b.joined and rows > 0:
        count += (rows - 1) * b.pitch
        rows = 1
    for t0 in range(w.t[0]):
        if b.low[0] <= t0 * w.b[0] < b.high[0]:
            if real is f32:
                tile_split_f32(rows, count, a, w.s[2], limit, w.a[2], to, b.pitch // w.a[2], b.part)
            else:
                tile_split_f64(rows, count, a, w.s[2], limit, w.a[2], to, b.pitch // w.a[2], b.part)
        a += pixel_of(w, w.b[0], 0, 0)
        to += b.height * b.pitch // w.a[2]


cdef void max_pool_row(number* out, i64* where_, const number* image, const Window* w, i64 q0, i64 q1) noexcept nogil:
    cdef number best[POOL_ROW]
    cdef i32 place[POOL_ROW]
    cdef i64 t0, t1, t2, x = 0, width, low, high, at, i
    while x < w.q[2]:
        width = min(w.q[2] - x, POOL_ROW)
        for i in range(width):
            best[i] = 0
            place[i] = -1
        for t0 in range(w.t[0]):
            for t1 in range(w.t[1]):
                if not tap_row(w, q0, q1, t0, t1, &at):
                    continue
                for t2 in range(w.t[2]):
                    inside(w, 2, t2, x, x + width, &low, &high)
                    i = at + low * w.a[2] + t2 * w.b[2] + w.o[2]
                    larger(best + low - x, place + low - x, image + i, w.a[2], <i32>i, high - low)
        memcpy(out + x, best, width * sizeof(number))
        for i in range(width):
            where_[x + i] = place[i]
        x += width


cdef inline void add_step(real* total, i64 total_step, const real* a, i64 a_step, i64 n) noexcept nogil:
    cdef i64 i
    for i in range(n):
        total[i * total_step] += a[i * a_step]


cdef inline i64 window_count(const Window* w, int d, i64 q, bint padded) noexcept nogil:
    """Taps of the window at q along dimension d that count: b is 1."""
    cdef i64 start = q * w.a[d] + w.o[d], stop = start + w.t[d]
    if padded:
        return min(stop, w.s[d] - w.o[d]) - start
    return min(stop, w.s[d]) - max(start, 0)


cdef void fill_divisors(real* by, const Window* w, const Launch* l, i64 q0, i64 q1, i64 x, i64 width) noexcept nogil:
    """What the sums of some places of a row are divided by."""
    cdef bint padded = l.attr[12].i == WHOLE_WINDOW
    cdef i64 i, rows
    if l.attr[12].i == GIVEN:
        for i in range(width):
            by[i] = <real>l.attr[13].f
        return
    rows = window_count(w, 0, q0, padded) * window_count(w, 1, q1, padded)
    for i in range(width):
        by[i] = <real>(rows * window_count(w, 2, x + i, padded))


cdef void avg_pool_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    cdef Window w
    cdef real total[POOL_ROW]
    cdef real by[POOL_ROW]
    cdef i64 plane, q0, q1, t0, t1, t2, x, width, low, high, at, i
    cdef const real* from_
    cdef real* to
    read_pool(&w, l)
    for plane in range(w.images):
        to = <real*>(<char*>out + plane * step(l, 0, 0))
        for q0 in range(w.q[0]):
            for q1 in range(w.q[1]):
                x = 0
                while x < w.q[2]:
                    width = min(w.q[2] - x, POOL_ROW)
                    for i in range(width):
                        total[i] = 0
                    for t0 in range(w.t[0]):
                        for t1 in range(w.t[1]):
                            if not tap_row(&w, q0, q1, t0, t1, &at):
                                continue
                            for t2 in range(w.t[2]):
                                inside(&w, 2, t2, x, x + width, &low, &high)
                                from_ = <const real*>(<char*>a + plane * step(l, 1, 0)) + at + low * w.a[2] + t2 * w.b[2] + w.o[2]
                                if w.a[2] == 1:
                                    add_step(total + low - x, 1, from_, 1, high - low)
                                elif w.a[2] == 2:
                                    add_step(total + low - x, 1, from_, 2, high - low)
                                else:
                                    add_step(total + low - x, 1, from_, w.a[2], high - low)
                    fill_divisors(<real*>by, &w, l, q0, q1, x, width)
                    for i in range(width):
                        to[i] = total[i] / by[i]
                    to += width
                    x += width


cdef void avg_pool_backward(real* out, real* grad, const Launch* l, void* scratch) noexcept nogil:
    """The transpose: each window's gradient, divided, is added to what it saw."""
    cdef Window w
    cdef real share[POOL_ROW]
    cdef i64 plane, q0, q1, t0, t1, t2, x, width, low, high, at, i
    cdef const real* g
    cdef real* image
    read_pool(&w, l)
    for plane in range(w.images):
        g = <const real*>(<char*>grad + plane * step(l, 1, 0))
        image = <real*>(<char*>out + plane * step(l, 0, 0))
        memset(image, 0, w.pixels * sizeof(real))
        for q0 in range(w.q[0]):
            for q1 in range(w.q[1]):
                x = 0
                while x < w.q[2]:
                    width = min(w.q[2] - x, POOL_ROW)
                    fill_divisors(<real*>share, &w, l, q0, q1, x, width)
                    for i in range(width):
                        share[i] = g[i] / share[i]
                    for t0 in range(w.t[0]):
                        for t1 in range(w.t[1]):
                            if not tap_row(&w, q0, q1, t0, t1, &at):
                                continue
                            for t2 in range(w.t[2]):
                                inside(&w, 2, t2, x, x + width, &low, &high)
                                add_step(image + at + low * w.a[2] + t2 * w.b[2] + w.o[2], w.a[2], <const real*>share + low - x, 1, high - low)
                    g += width
                    x += width
