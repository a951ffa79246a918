# The gates of recurrent layers, forward beside backward: what is left of a step once its products are done.
#
# Core dimensions (rows, hidden): a row is one sequence at one step, each operand has its own stride from row to row and is contiguous
# along it.  `gates` holds the inputs' part of the sums when a forward begins and the gates' values when it ends.

cdef inline void added(real* out, real* a, real* b, i64 n) noexcept nogil:
    """out = a + b, and zeros after it."""
    cdef i64 j
    for j in range(whole(n) - SIDE, whole(n)):
        out[j] = 0
    for j in range(n):
        out[j] = a[j] + b[j]


cdef inline void sigmoid_whole(real* x, i64 n) noexcept nogil:
    """x = sigmoid(x), whole(n) elements."""
    cdef i64 j = 0
    if real is f32:
        if LANES_F32:
            while j < whole(n):
                store_lanes(x + j, vsigmoid_lanes(load_lanes(x + j)))
                j += LANES_F32
            return
    for j in range(whole(n)):
        x[j] = vsigmoid(x[j])


cdef inline void tanh_whole(real* x, i64 n) noexcept nogil:
    """x = tanh(x), whole(n) elements."""
    cdef i64 j = 0
    if real is f32:
        if LANES_F32:
            while j < whole(n):
                store_lanes(x + j, vtanh_lanes(load_lanes(x + j)))
                j += LANES_F32
            return
    for j in range(whole(n)):
        x[j] = vtanh(x[j])


cdef inline void added_sigmoid(real* out, real* a, real* b, i64 n) noexcept nogil:
    added(out, a, b, n)
    sigmoid_whole(out, n)


cdef inline void added_tanh(real* out, real* a, real* b, i64 n) noexcept nogil:
    added(out, a, b, n)
    tanh_whole(out, n)


cdef inline void added_product(real* out, real* a, real* b, real* c, i64 n) noexcept nogil:
    """out = a + b c, and zeros after it."""
    cdef i64 j
    for j in range(whole(n) - SIDE, whole(n)):
        out[j] = 0
    for j in range(n):
        out[j] = a[j] + b[j] * c[j]


cdef inline void move_row(real* out, real* a, i64 n) noexcept nogil:
    store_part(out, <const real*>a, n)


cdef inline real* row_of(real* a, const Launch* l, int operand, i64 i) noexcept nogil:
    return <real*>(<char*>a + i * step(l, operand, 0))


cdef void rnn_forward(real* out, real* gates, real* sums, const Launch* l, void* scratch) noexcept nogil:
    """out = activation(gates + sums); attr: 1 for relu, 0 for tanh."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), i, j, done, count
    cdef real y[TILE]
    cdef real* g
    cdef real* s
    for i in range(rows):
        g, s = row_of(gates, l, 1, i), row_of(sums, l, 2, i)
        done = 0
        while done < n:
            count = min(n - done, TILE)
            if l.attr[0].i:
                for j in range(count):
                    y[j] = g[done + j] + s[done + j]
                    y[j] = 0 if y[j] <= 0 else y[j]        # NaN stays
            else:
                added_tanh(y, g + done, s + done, count)
            move_row(row_of(out, l, 0, i) + done, y, count)
            done += count


cdef void rnn_backward(real* out, real* carried, real* given, real* y, const Launch* l, void* scratch) noexcept nogil:
    """out = (carried + given) activation'; attr: relu, whether there is a given."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), i, j, done, count
    cdef bint relu = l.attr[0].i, both = l.attr[1].i
    cdef real d[TILE]
    cdef real* v
    for i in range(rows):
        v = row_of(y, l, 3, i)
        done = 0
        while done < n:
            count = min(n - done, TILE)
            state_gradient(d, row_of(carried, l, 1, i) + done, row_of(given, l, 2, i) + done, both, count)
            if relu:
                for j in range(count):
                    d[j] = 0 if v[done + j] <= 0 else d[j]
            else:
                for j in range(count):
                    d[j] *= 1 - v[done + j] * v[done + j]
            move_row(row_of(out, l, 0, i) + done, d, count)
            done += count


cdef inline void state_gradient(real* d, real* carried, real* given, bint both, i64 n) noexcept nogil:
    """The gradient of a step's state: what later steps ask for, and what the output's gradient does."""
    cdef i64 j
    if both:
        for j in range(n):
            d[j] = carried[j] + given[j]
    else:
        memcpy(d, carried, n * sizeof(real))


cdef void lstm_forward(real* out, real* gates, real* sums, real* cell, real* before, real* squashed, const Launch* l,
                       void* scratch) noexcept nogil:
    """i, f, g, o from gates + sums; before = cell; cell = f cell + i g; squashed = tanh(cell); out = o squashed."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), k, j, done, count
    cdef real i[TILE]
    cdef real f[TILE]
    cdef real g[TILE]
    cdef real o[TILE]
    cdef real* x
    cdef real* s
    cdef real* c
    for k in range(rows):
        done = 0
        while done < n:
            count = min(n - done, TILE)
            x, s, c = row_of(gates, l, 1, k) + done, row_of(sums, l, 2, k) + done, row_of(cell, l, 3, k) + done
            added_sigmoid(i, x, s, count)
            added_sigmoid(f, x + n, s + n, count)
            added_tanh(g, x + 2 * n, s + 2 * n, count)
            added_sigmoid(o, x + 3 * n, s + 3 * n, count)
            move_row(x, i, count)
            move_row(x + n, f, count)
            move_row(x + 2 * n, g, count)
            move_row(x + 3 * n, o, count)
            move_row(row_of(before, l, 4, k) + done, c, count)
            for j in range(count):
                f[j] = f[j] * c[j] + i[j] * g[j]
            move_row(c, f, count)
            tanh_whole(<real*>f, count)
            for j in range(whole(count)):
                o[j] *= f[j]
            move_row(row_of(squashed, l, 5, k) + done, f, count)
            move_row(row_of(out, l, 0, k) + done, o, count)
            done += count


cdef void lstm_backward(real* out, real* gates, real* squashed, real* before, real* cell, real* carried, real* given, const Launch* l,
                        void* scratch) noexcept nogil:
    """out: the gradient of the gates' sums; cell: that of the cell after the step becomes that before it; attr: whether there is a
    given."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), k, j, done, count
    cdef bint both = l.attr[0].i
    cdef real d[TILE]
    cdef real e[TILE]
    cdef real t[TILE]
    cdef real* x
    cdef real* y
    cdef real* b
    cdef real* c
    cdef real* o
    for k in range(rows):
        done = 0
        while done < n:
            count = min(n - done, TILE)
            o, x = row_of(out, l, 0, k) + done, row_of(gates, l, 1, k) + done
            y, b = row_of(squashed, l, 2, k) + done, row_of(before, l, 3, k) + done
            c = row_of(cell, l, 4, k) + done
            state_gradient(d, row_of(carried, l, 5, k) + done, row_of(given, l, 6, k) + done, both, count)
            for j in range(count):
                e[j] = c[j] + d[j] * x[3 * n + j] * (1 - y[j] * y[j])
                t[j] = d[j] * y[j] * x[3 * n + j] * (1 - x[3 * n + j])
            move_row(o + 3 * n, t, count)
            for j in range(count):
                t[j] = e[j] * x[2 * n + j] * x[j] * (1 - x[j])
                d[j] = e[j] * b[j] * x[n + j] * (1 - x[n + j])
            move_row(o, t, count)
            move_row(o + n, d, count)
            for j in range(count):
                t[j] = e[j] * x[j] * (1 - x[2 * n + j] * x[2 * n + j])
                e[j] *= x[n + j]
            move_row(o + 2 * n, t, count)
            move_row(c, e, count)
            done += count


cdef void gru_forward(real* out, real* gates, real* sums, real* state, real* kept, const Launch* l, void* scratch) noexcept nogil:
    """r, z, n from gates and sums; kept: the third part of sums; out = n + z (state - n)."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), i, j, done, count
    cdef real r[TILE]
    cdef real z[TILE]
    cdef real m[TILE]
    cdef real* x
    cdef real* s
    cdef real* h
    for i in range(rows):
        done = 0
        while done < n:
            count = min(n - done, TILE)
            x, s, h = row_of(gates, l, 1, i) + done, row_of(sums, l, 2, i) + done, row_of(state, l, 3, i) + done
            added_sigmoid(r, x, s, count)
            added_sigmoid(z, x + n, s + n, count)
            move_row(row_of(kept, l, 4, i) + done, s + 2 * n, count)
            added_product(m, x + 2 * n, r, s + 2 * n, count)
            tanh_whole(<real*>m, count)
            move_row(x, r, count)
            move_row(x + n, z, count)
            move_row(x + 2 * n, m, count)
            for j in range(count):
                m[j] += z[j] * (h[j] - m[j])
            move_row(row_of(out, l, 0, i) + done, m, count)
            done += count


cdef void gru_backward(real* out, real* sums, real* gates, real* kept, real* state, real* carried, real* given, const Launch* l,
                       void* scratch) noexcept nogil:
    """out: the gradient of the inputs' part of the gates; sums: that of the states' part; carried: the gradient of the state after the
    step becomes the direct part of that before it; attr: whether there is a given."""
    cdef i64 rows = extent(l, 0), n = extent(l, 1), i, j, done, count
    cdef bint both = l.attr[0].i
    cdef real d[TILE]
    cdef real dn[TILE]
    cdef real t[TILE]
    cdef real* o
    cdef real* s
    cdef real* x
    cdef real* h
    cdef real* a
    cdef real* v
    for i in range(rows):
        done = 0
        while done < n:
            count = min(n - done, TILE)
            o, s, x = row_of(out, l, 0, i) + done, row_of(sums, l, 1, i) + done, row_of(gates, l, 2, i) + done
            a, h, v = row_of(kept, l, 3, i) + done, row_of(state, l, 4, i) + done, row_of(carried, l, 5, i) + done
            state_gradient(d, v, row_of(given, l, 6, i) + done, both, count)
            for j in range(count):
                dn[j] = d[j] * (1 - x[n + j]) * (1 - x[2 * n + j] * x[2 * n + j])
                t[j] = d[j] * (h[j] - x[2 * n + j]) * x[n + j] * (1 - x[n + j])
                d[j] *= x[n + j]
            move_row(v, d, count)
            move_row(o + n, t, count)
            move_row(s + n, t, count)
            move_row(o + 2 * n, dn, count)
            for j in range(count):
                t[j] = dn[j] * a[j] * x[j] * (1 - x[j])
                dn[j] *= x[j]
            move_row(o, t, count)
            move_row(s, t, count)
            move_row(s + 2 * n, dn, count)
            done += count
