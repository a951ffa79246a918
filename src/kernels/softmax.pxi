# Softmax and log_softmax, forward beside backward.  Core dimensions: (kept, normalized); all operands are laid out alike.
#
# Rows are normalized one by one; where neighbours in memory are kept, a tile of columns side by side.

cdef enum:
    TOGETHER = 16       # rows at most that take their steps side by side: within one, each step waits for the one before

cdef inline i64 rows_together(i64 n) noexcept nogil:
    """How many rows of n elements: they stay in the first-level cache."""
    return max(min(4096 // max(n, 1), TOGETHER), 1)


cdef void softmax_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """exp(x - max) / sum."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), k = step(l, 0, 0), s = step(l, 0, 1), i = 0, j, r, rows
    cdef real* o
    cdef real most[TOGETHER]
    cdef real total[TOGETHER]
    if n == 0:
        return
    if s != sizeof(real):
        softmax_columns(out, a, kept, n, s, False)
        return
    while i < kept:
        rows = min(kept - i, rows_together(n))
        for r in range(rows):
            most[r] = row_maximum(<const real*>(<char*>a + (i + r) * k), n)
        for r in range(rows):
            total[r] = exp_sum(<real*>(<char*>out + (i + r) * k), <const real*>(<char*>a + (i + r) * k), most[r], n)
        for r in range(rows):
            total[r] = 1 / total[r]         # a product for each element costs a tenth of a division
        for r in range(rows):
            o = <real*>(<char*>out + (i + r) * k)
            for j in range(n):
                o[j] *= total[r]
        i += rows


cdef real exp_sum(real* out, const real* a, real shift, i64 n) noexcept nogil:
    """The sum of exp(a - shift), which are kept in out, unless NULL: out is a, or does not overlap it."""
    cdef real lane[64]
    cdef real buffer[64]
    cdef i64 i, done = 0, count = n
    if n == 0:
        return 0
    if n >= 64:
        for i in range(64):
            lane[i] = vexp_below(a[i] - shift)
        if out != NULL:
            for i in range(64):
                out[i] = lane[i]
        done, count = 64, n & 63
    while done + 64 <= n:
        for i in range(64):
            buffer[i] = vexp_below(a[done + i] - shift)
        for i in range(64):
            lane[i] += buffer[i]
        if out != NULL:
            for i in range(64):
                out[done + i] = buffer[i]
        done += 64
    if count:
        load_part(buffer, a + done, count, -1e999)
        for i in range(whole(count)):
            buffer[i] = vexp_below(buffer[i] - shift)
        if out != NULL:
            store_part(out + done, <const real*>buffer, count)
        if done == 0:
            return sum_lanes(buffer, whole(count))
        for i in range(whole(count)):
            lane[i] += buffer[i]
    return sum_lanes(lane, 64)


cdef void log_softmax_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """(x - max) - log(sum(exp(x - max)))."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), k = step(l, 0, 0), s = step(l, 0, 1), i = 0, j, r, rows
    cdef real* row
    cdef real* o
    cdef real most[TOGETHER]
    cdef real total[TOGETHER]
    if n == 0:
        return
    if s != sizeof(real):
        softmax_columns(out, a, kept, n, s, True)
        return
    while i < kept:
        rows = min(kept - i, rows_together(n))
        for r in range(rows):
            most[r] = row_maximum(<const real*>(<char*>a + (i + r) * k), n)
        for r in range(rows):
            total[r] = exp_sum(<real*>NULL, <const real*>(<char*>a + (i + r) * k), most[r], n)
        for r in range(rows):
            total[r] = vlog(total[r])
        for r in range(rows):
            row, o = <real*>(<char*>a + (i + r) * k), <real*>(<char*>out + (i + r) * k)
            for j in range(n):
                o[j] = (row[j] - most[r]) - total[r]
        i += rows


cdef inline void softmax_columns(real* out, real* a, i64 kept, i64 n, i64 s, bint logarithm) noexcept nogil:
    """Both functions for lines `s` bytes from element to element, whose neighbours in memory are other lines."""
    cdef real most[TILE]
    cdef real total[TILE]
    cdef real e[TILE]
    cdef real* row
    cdef real* o
    cdef i64 done = 0, width, i, j
    while done < kept:
        width = min(kept - done, TILE)
        extreme_columns(most, <char*>(a + done), s, width, n, True)
        for i in range(width):
            total[i] = 0
        for j in range(n):
            row = <real*>(<char*>(a + done) + j * s)
            for i in range(width):
                e[i] = vexp_below(row[i] - most[i])
            for i in range(width):
                total[i] += e[i]
            if not logarithm:
                memcpy(<char*>(out + done) + j * s, e, width * sizeof(real))
        for i in range(width):
            total[i] = vlog(total[i]) if logarithm else 1 / total[i]
        for j in range(n):
            row = <real*>(<char*>(a + done) + j * s)
            o = <real*>(<char*>(out + done) + j * s)
            if logarithm:
                for i in range(width):
                    e[i] = (row[i] - most[i]) - total[i]
            else:
                for i in range(width):
                    e[i] = o[i] * total[i]
            memcpy(o, e, width * sizeof(real))
        done += width


cdef void softmax_backward(real* out, real* grad, real* y, const Launch* l, void* scratch) noexcept nogil:
    """y (grad - sum(grad y))."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), k = step(l, 0, 0), s = step(l, 0, 1), i = 0, j, r, done = 0, width
    cdef real total[TILE]
    cdef real product[TILE]
    cdef real* g
    cdef real* p
    cdef real* o
    if s == sizeof(real):
        while i < kept:
            width = min(kept - i, rows_together(n))
            for r in range(width):
                total[r] = dot_row(<const real*>(<char*>grad + (i + r) * k), <const real*>(<char*>y + (i + r) * k), n)
            for r in range(width):
                g, p, o = <real*>(<char*>grad + (i + r) * k), <real*>(<char*>y + (i + r) * k), <real*>(<char*>out + (i + r) * k)
                for j in range(n):
                    o[j] = p[j] * (g[j] - total[r])
            i += width
        return
    while done < kept:
        width = min(kept - done, TILE)
        for i in range(width):
            total[i] = 0
        for j in range(n):
            g = <real*>(<char*>(grad + done) + j * s)
            p = <real*>(<char*>(y + done) + j * s)
            for i in range(width):
                total[i] += g[i] * p[i]
        for j in range(n):
            g = <real*>(<char*>(grad + done) + j * s)
            p = <real*>(<char*>(y + done) + j * s)
            o = <real*>(<char*>(out + done) + j * s)
            for i in range(width):
                product[i] = p[i] * (g[i] - total[i])
            memcpy(o, product, width * sizeof(real))
        done += width


cdef void log_softmax_backward(real* out, real* grad, real* y, const Launch* l, void* scratch) noexcept nogil:
    """grad - exp(y) sum(grad)."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), k = step(l, 0, 0), s = step(l, 0, 1), i, j, done = 0, width
    cdef real total[TILE]
    cdef real e[TILE]
    cdef real* g
    cdef real* r
    cdef real* o
    if s == sizeof(real):
        for i in range(kept):
            g = <real*>(<char*>grad + i * k)
            o = <real*>(<char*>out + i * k)
            total[0] = sum_row(<const real*>g, n)
            exp_sum(o, <const real*>(<char*>y + i * k), 0, n)
            for j in range(n):
                o[j] = g[j] - o[j] * total[0]
        return
    while done < kept:
        width = min(kept - done, TILE)
        sum_columns(total, <char*>(grad + done), s, width, n, PLAIN, <const real*>NULL, 0)
        for j in range(n):
            g = <real*>(<char*>(grad + done) + j * s)
            r = <real*>(<char*>(y + done) + j * s)
            o = <real*>(<char*>(out + done) + j * s)
            for i in range(width):
                e[i] = g[i] - vexp(r[i]) * total[i]
            memcpy(o, e, width * sizeof(real))
        done += width
