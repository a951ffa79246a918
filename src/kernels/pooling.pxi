# Pooling over windows: the largest element of each and where it is, and means; the window is as in convolution.pxi.
#
# Core dimensions: (planes, q0, q1, q2, t0, t1, t2); image and result are contiguous but for the stride from plane to plane.
# attr: a, b, o, the image's sizes, three each; then for means 12: what they are divided by (see divisors), 13: a number.
# Places are computed row by row: the taps of the window are gone through, and each is compared with, or added to, a whole row.

cdef enum:
    POOL_ROW = 512            # places of a row at a time
    POOL_SPAN = 1024          # columns of the image at a time
    NO_PLACE = 0x7fffffff     # of padding: after any other

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
    cdef i64 plane, q0, q1, rows
    cdef number* image
    cdef number* to
    cdef i64* to_place
    read_pool(&w, l)
    for plane in range(w.images):
        image = <number*>(<char*>a + plane * step(l, 2, 0))
        to = <number*>(<char*>out + plane * step(l, 0, 0))
        to_place = <i64*>(<char*>where_ + plane * step(l, 1, 0))
        for q0 in range(w.q[0]):
            q1 = 0
            while q1 < w.q[1]:
                rows = 0
                if number is f32 or number is f64:
                    rows = max_pool_rows(to, to_place, <const number*>image, &w, q0, q1)
                if rows == 0:
                    rows = 1
                    max_pool_row(to, to_place, <const number*>image, &w, q0, q1)
                to += rows * w.q[2]
                to_place += rows * w.q[2]
                q1 += rows


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


# Floats, whose vectors are to be full however short rows are: taps of a window's rows are compared first, row by row of the image,
# for all columns that some window sees, then columns, for several rows of places at a time.  Padding is -inf in no place.

cdef inline void larger_of_rows(real* best, i32* place, const real* a, i32 at, i64 n) noexcept nogil:
    """The next tap of a column comes later: it wins if it is larger, or NaN."""
    cdef i64 i
    cdef bint take
    for i in range(n):
        take = (a[i] > best[i]) | (a[i] != a[i])
        best[i] = a[i] if take else best[i]
        place[i] = at + <i32>i if take else place[i]


cdef inline void larger_of_columns(real* best, i32* place, const real* a, const i32* at, i64 step_, i64 n) noexcept nogil:
    """Columns know their places: of equal elements the first wins, of NaN the last."""
    cdef i64 i
    cdef real x
    cdef i32 p
    cdef bint take
    for i in range(n):
        x, p = a[i * step_], at[i * step_]
        take = (x > best[i]) | ((x == best[i]) & (p < place[i])) | ((x != x) & ((best[i] == best[i]) | (p > place[i])))
        best[i] = x if take else best[i]
        place[i] = p if take else place[i]


cdef inline void every(real* out, i32* out_place, const real* a, const i32* at, i64 step_, i64 n) noexcept nogil:
    cdef i64 i
    for i in range(n):
        out[i] = a[i * step_]
        out_place[i] = at[i * step_]


cdef void largest_of_columns(real* best, i32* place, const real* a, const i32* at, const Window* w, i64 n) noexcept nogil:
    """Of n places, all taps along the last dimension."""
    cdef i64 t, b = w.b[2]
    if w.a[2] == 2:
        every(best, place, a, at, 2, n)
        for t in range(1, w.t[2]):
            larger_of_columns(best, place, a + t * b, at + t * b, 2, n)
    else:
        every(best, place, a, at, w.a[2], n)
        for t in range(1, w.t[2]):
            larger_of_columns(best, place, a + t * b, at + t * b, w.a[2], n)


cdef inline void no_element(real* best, i32* place, i64 n) noexcept nogil:
    cdef i64 i
    for i in range(n):
        best[i] = -INF_F32 if real is f32 else -INF_F64
        place[i] = NO_PLACE


cdef void largest_of_rows(real* best, i32* place, const real* image, const Window* w, i64 q0, i64 q1, i64 first, i64 n) noexcept nogil:
    """Of n columns from the first, which may be padding, all taps of the row's windows."""
    cdef i64 t0, t1, at, i, low = min(max(-first, <i64>0), n), high = max(min(w.s[2] - first, n), low)
    cdef bint seen = False
    no_element(best, place, low)
    no_element(best + high, place + high, n - high)
    for t0 in range(w.t[0]):
        for t1 in range(w.t[1]):
            if not tap_row(w, q0, q1, t0, t1, &at):
                continue
            at += first
            if seen:
                larger_of_rows(best + low, place + low, image + at + low, <i32>(at + low), high - low)
                continue
            seen = True
            for i in range(low, high):
                best[i] = image[at + i]
                place[i] = <i32>(at + i)
    if not seen:
        no_element(best, place, n)


cdef i64 max_pool_rows(real* out, i64* where_, const real* image, const Window* w, i64 q0, i64 q1) noexcept nogil:
    """As many rows of places as it returns, from q0, q1 on; 0: none, since windows are too wide."""
    cdef real column[POOL_SPAN]
    cdef i32 column_place[POOL_SPAN]
    cdef real best[POOL_SPAN]
    cdef i32 place[POOL_SPAN]
    cdef i64 reach = (w.t[2] - 1) * w.b[2] + 1, most = (POOL_SPAN - reach) // w.a[2], x = 0, width, span, each, rows = 1, r, i
    if reach + w.a[2] > POOL_SPAN:
        return 0
    while x < w.q[2]:
        width = min(w.q[2] - x, most)
        span = (width - 1) * w.a[2] + reach
        each = (span + w.a[2] - 1) // w.a[2]               # a row's places and, where windows overlap, what lies between rows
        if width == w.q[2]:
            rows = min(w.q[1] - q1, POOL_SPAN // (each * w.a[2]))
        for r in range(rows):
            i = r * each * w.a[2]
            largest_of_rows(<real*>column + i, <i32*>column_place + i, image, w, q0, q1 + r, x * w.a[2] + w.o[2], span)
        largest_of_columns(<real*>best, <i32*>place, <const real*>column, <const i32*>column_place, w, (rows - 1) * each + width)
        if each == width:
            put_largest(out + x, where_ + x, <const real*>best, <const i32*>place, rows * each)
        else:
            for r in range(rows):
                put_largest(out + r * w.q[2] + x, where_ + r * w.q[2] + x, <const real*>best + r * each, <const i32*>place + r * each, width)
        x += width
    return rows


cdef inline void put_largest(real* out, i64* where_, const real* best, const i32* place, i64 n) noexcept nogil:
    cdef i64 i
    for i in range(n):
        out[i] = best[i]
        where_[i] = -1 if place[i] == NO_PLACE else place[i]


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
