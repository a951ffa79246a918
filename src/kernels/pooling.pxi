# Pooling over windows: the largest element of each and where it is, and means; the window is as in convolution.pxi.
#
# Core dimensions: (planes, q0, q1, q2, t0, t1, t2); image and result are contiguous but for the stride from plane to plane.
# attr: a, b, o, the image's sizes, three each; then for means 12: what they are divided by (see divisors), 13: a number.
# Places are computed row by row: the taps of the window are gone through, and each is compared with, or added to, a whole row.

cdef enum:
    POOL_ROW = 512            # places of a row at a time

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
    if (number is f32 or number is f64) and w.t[2] <= WINDOW_TAPS:
        max_pool_places(out, where_, <const number*>a, &w, step(l, 2, 0) // <i64>sizeof(number), step(l, 0, 0) // <i64>sizeof(number))
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


cdef void max_pool_places(real* out, i64* where_, const real* image, const Window* w, i64 image_step, i64 out_step) noexcept nogil:
    """Vectors over rows of places, the largest elements so far in registers; places of all images are as far apart as results."""
    cdef WindowTap tap[WINDOW_TAPS]
    cdef i64 q0, t0, at, plane, planes, places = w.q[1] * w.q[2], pixels = w.s[1] * w.s[2]
    window_taps(w, tap)
    for q0 in range(w.q[0]):
        plane = planes = 0
        for t0 in range(w.t[0]):
            at = q0 * w.a[0] + t0 * w.b[0] + w.o[0]
            if 0 <= at < w.s[0]:
                plane = at * pixels if planes == 0 else plane
                planes += 1
        if real is f32:
            tile_largest_f32(w.images, image_step, out_step, w.q[1], w.q[2], planes, plane, w.b[0] * pixels, w.t[1], w.t[2], tap, image,
                             w.s[1], w.s[2], w.a[1], w.a[2], w.b[1], w.o[1], out + q0 * places, where_ + q0 * places)
        else:
            tile_largest_f64(w.images, image_step, out_step, w.q[1], w.q[2], planes, plane, w.b[0] * pixels, w.t[1], w.t[2], tap, image,
                             w.s[1], w.s[2], w.a[1], w.a[2], w.b[1], w.o[1], out + q0 * places, where_ + q0 * places)


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
