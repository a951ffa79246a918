# Losses: mse_loss in one pass, and the cross entropy of classes, forward beside backward.
#
# Cross entropy.  Core dimensions (n batch, c classes, s positions) of a contiguous input; a row is one (n, s).  `stats` holds for
# every row its loss, maximum, log of the sum of exp(x - maximum), and A (what multiplies softmax in the gradient); then the divisor.
# The gradient of a row is given / divisor * (softmax * A - B), B being the weighted target.  Targets were checked to be classes.

cdef enum:
    HAS_WEIGHT = 1        # flags in attr[0].i
    LOGITS = 2            # the input is not yet logarithms of probabilities
    PER_ROW = 4           # the incoming gradient has an element a row
    EXP_BLOCK = 1024
    EXP_SHORT = 128       # classes: what is beyond whole vectors of a row would be much of it


cdef real sum_of_squares(const real* a, const real* b, i64 n) noexcept nogil:
    """The sum of (a - b)^2: pairwise over blocks."""
    cdef real buffer[EXP_BLOCK]
    cdef real d
    cdef i64 i, half
    if n > EXP_BLOCK:
        half = (n // 2 + EXP_BLOCK - 1) // EXP_BLOCK * EXP_BLOCK
        return sum_of_squares(a, b, half) + sum_of_squares(a + half, b + half, n - half)
    for i in range(n):
        d = a[i] - b[i]
        buffer[i] = d * d
    return sum_row(<const real*>buffer, n)


cdef void mse_forward(real* out, real* a, real* b, const Launch* l, void* scratch) noexcept nogil:
    """Core (kept, reduced), of which the reduced are contiguous; attr 1 and 2 as sum_forward."""
    cdef i64 i, ok = step(l, 0, 0), ak = step(l, 1, 0), bk = step(l, 2, 0)
    for i in range(extent(l, 0)):
        (<real*>(<char*>out + i * ok))[0] = finished(
            sum_of_squares(<const real*>(<char*>a + i * ak), <const real*>(<char*>b + i * bk), extent(l, 1)),
            <int>l.attr[1].i, <real>l.attr[2].f)


# ---- softmax of rows ------------------------------------------------------------------------------------------------------

cdef void rows_statistics(real* top, real* logsum, const real* x, i64 rows, i64 c) noexcept nogil:
    """Contiguous rows.  Short ones share a block, so that exp runs over vectors all the same."""
    cdef real buffer[EXP_BLOCK]
    cdef i64 r = 0, k, i, count
    cdef real m
    cdef const real* row
    while r < rows:
        count = min(rows - r, EXP_BLOCK // max(c, 1) if c <= EXP_SHORT else rows_together(c))
        for k in range(count):
            top[r + k] = row_maximum(x + (r + k) * c, c)
        if c > EXP_SHORT:
            for k in range(count):
                logsum[r + k] = exp_sum(<real*>NULL, x + (r + k) * c, top[r + k], c)
        else:
            for k in range(count):
                row = x + (r + k) * c
                m = top[r + k]
                for i in range(c):
                    buffer[k * c + i] = row[i] - m
            for i in range(count * c):
                buffer[i] = vexp_below(buffer[i])
            for k in range(count):
                logsum[r + k] = sum_row(&buffer[k * c], c)
        for k in range(count):
            logsum[r + k] = vlog(logsum[r + k])
        r += count


cdef void columns_statistics(real* top, real* logsum, const real* x, i64 c, i64 s, i64 width) noexcept nogil:
    """At most SIDE * 4 positions of a batch entry, whose classes are s apart: vectors run along them; sums by blocks of classes."""
    cdef real part[4 * SIDE]
    cdef i64 i, j, end, start = 0
    for j in range(width):
        top[j] = x[j]
        logsum[j] = 0
    for i in range(1, c):
        for j in range(width):
            top[j] = x[i * s + j] if x[i * s + j] > top[j] else top[j]
    while start < c:
        end = min(start + 32, c)
        for j in range(width):
            part[j] = 0
        for i in range(start, end):
            for j in range(width):
                part[j] += vexp_below(x[i * s + j] - top[j])
        for j in range(width):
            logsum[j] += part[j]
        start = end
    for j in range(width):
        logsum[j] = vlog(logsum[j])


cdef inline void softmax_statistics(real* top, real* logsum, const real* x, i64 n, i64 c, i64 s) noexcept nogil:
    cdef i64 b, j
    if s == 1:
        rows_statistics(top, logsum, x, n, c)
        return
    for b in range(n):
        j = 0
        while j < s:
            columns_statistics(top + b * s + j, logsum + b * s + j, x + b * c * s + j, c, s, min(s - j, 4 * SIDE))
            j += 4 * SIDE


cdef void softmax_times(real* out, const real* factor, const real* x, const real* top, const real* logsum,
                        i64 n, i64 c, i64 s) noexcept nogil:
    """out = softmax * factor of the row."""
    cdef i64 b, i, j
    cdef real m, z, f
    cdef real* o
    cdef const real* row
    if s == 1 and c > EXP_SHORT:
        for b in range(n):
            row_softmax_times(out + b * c, x + b * c, factor[b], top[b], logsum[b], c)
        return
    for b in range(n):
        o = out + b * c * s
        row = x + b * c * s
        if s == 1:
            m = top[b]
            z = logsum[b]
            for i in range(c):
                o[i] = (row[i] - m) - z
        else:
            for i in range(c):
                for j in range(s):
                    o[i * s + j] = (row[i * s + j] - top[b * s + j]) - logsum[b * s + j]
    for i in range(n * c * s):
        out[i] = vexp_below(out[i])
    for b in range(n):
        o = out + b * c * s
        if s == 1:
            f = factor[b]
            for i in range(c):
                o[i] *= f
        else:
            for i in range(c):
                for j in range(s):
                    o[i * s + j] *= factor[b * s + j]


cdef void row_softmax_times(real* out, const real* x, real factor, real top, real logsum, i64 c) noexcept nogil:
    cdef real part[SIDE]
    cdef i64 i, vectors = c & -SIDE
    for i in range(vectors):
        out[i] = vexp_below((x[i] - top) - logsum) * factor
    if vectors < c:
        load_part(part, x + vectors, c - vectors, top)
        for i in range(whole(c - vectors)):
            part[i] = vexp_below((part[i] - top) - logsum) * factor
        store_part(out + vectors, <const real*>part, c - vectors)


# ---- classes as targets ---------------------------------------------------------------------------------------------------

cdef inline real class_weight(const real* weight, i64 c, i64 flags) noexcept nogil:
    return weight[c] if flags & HAS_WEIGHT else 1


cdef void cross_entropy_forward(real* out, real* stats, real* x, i64* target, real* weight, const Launch* l,
                                void* scratch) noexcept nogil:
    """attr: flags, class to ignore, reduction (0 none, 1 mean, 2 sum), label smoothing."""
    cdef i64 n = extent(l, 0), c = extent(l, 1), s = extent(l, 2), rows = n * s, b, j, r, i, t
    cdef i64 flags = l.attr[0].i, ignored = l.attr[1].i, reduction = l.attr[2].i
    cdef real smoothing = <real>l.attr[3].f, spread = smoothing / <real>c, w, total, all_weights = 0
    cdef f64 divisor = 0
    cdef real* top = stats + rows
    cdef real* logsum = top + rows
    cdef real* a = logsum + rows
    cdef const real* row
    if flags & LOGITS:
        softmax_statistics(top, logsum, x, n, c, s)
    else:
        memset(top, 0, 2 * rows * sizeof(real))
    if smoothing != 0:
        for i in range(c):
            all_weights += class_weight(weight, i, flags)
    for b in range(n):
        for j in range(s):
            r = b * s + j
            t = target[r]
            if t == ignored:
                stats[r] = a[r] = 0
                continue
            row = x + b * c * s + j
            w = class_weight(weight, t, flags)
            divisor += w
            stats[r] = -w * ((row[t * s] - top[r]) - logsum[r])
            a[r] = w
            if smoothing != 0:
                total = 0
                for i in range(c):
                    total += class_weight(weight, i, flags) * ((row[i * s] - top[r]) - logsum[r])
                stats[r] = (1 - smoothing) * stats[r] - spread * total
                a[r] = (1 - smoothing) * w + spread * all_weights
    loss_finish(out, stats, rows, <real>divisor if reduction == 1 else 1, reduction)


cdef inline void loss_finish(real* out, real* stats, i64 rows, real divisor, i64 reduction) noexcept nogil:
    stats[4 * rows] = divisor
    if reduction == 0:
        memcpy(out, stats, rows * sizeof(real))
    else:
        out[0] = sum_row(stats, rows) / divisor


cdef void row_factors(real* factor, const real* a, const real* given, i64 rows, i64 flags, real divisor) noexcept nogil:
    cdef i64 r
    for r in range(rows):
        factor[r] = 0 if a[r] == 0 else a[r] * (given[r if flags & PER_ROW else 0] / divisor)     # 0 / 0: all ignored


cdef void cross_entropy_backward(real* out, real* given, real* stats, real* x, i64* target, real* weight, const Launch* l,
                                 void* scratch) noexcept nogil:
    """The last rows of stats take the factors of the rows."""
    cdef i64 n = extent(l, 0), c = extent(l, 1), s = extent(l, 2), rows = n * s, b, j, r, i, t
    cdef i64 flags = l.attr[0].i, ignored = l.attr[1].i
    cdef real smoothing = <real>l.attr[3].f, spread = smoothing / <real>c, divisor = stats[4 * rows], g
    cdef const real* top = stats + rows
    cdef const real* logsum = top + rows
    cdef real* factor = stats + 4 * rows + 1
    cdef real* row
    if flags & LOGITS:
        row_factors(factor, stats + 3 * rows, given, rows, flags, divisor)
        softmax_times(out, factor, x, top, logsum, n, c, s)
    else:
        memset(out, 0, rows * c * sizeof(real))
    for b in range(n):
        for j in range(s):
            r = b * s + j
            t = target[r]
            if t == ignored:
                continue
            row = out + b * c * s + j
            g = given[r if flags & PER_ROW else 0] / divisor
            row[t * s] -= (1 - smoothing) * class_weight(weight, t, flags) * g
            if smoothing != 0:
                for i in range(c):
                    row[i * s] -= spread * class_weight(weight, i, flags) * g


# ---- probabilities as targets ---------------------------------------------------------------------------------------------

cdef void soft_cross_entropy_forward(real* out, real* stats, real* x, real* target, real* weight, const Launch* l,
                                     void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), c = extent(l, 1), s = extent(l, 2), rows = n * s, b, j, r, i, first
    cdef i64 flags = l.attr[0].i, reduction = l.attr[2].i
    cdef real smoothing = <real>l.attr[3].f, spread = smoothing / <real>c, total, all_of_a, q
    cdef real* top = stats + rows
    cdef real* logsum = top + rows
    cdef real* a = logsum + rows
    softmax_statistics(top, logsum, x, n, c, s)
    for b in range(n):
        for j in range(s):
            r = b * s + j
            first = b * c * s + j
            total = all_of_a = 0
            for i in range(c):
                q = (target[first + i * s] * (1 - smoothing) + spread) * class_weight(weight, i, flags)
                total -= q * ((x[first + i * s] - top[r]) - logsum[r])
                all_of_a += q
            stats[r] = total
            a[r] = all_of_a
    loss_finish(out, stats, rows, <real>rows if reduction == 1 else 1, reduction)


cdef void soft_cross_entropy_backward(real* out, real* given, real* stats, real* x, real* target, real* weight, const Launch* l,
                                      void* scratch) noexcept nogil:
    cdef i64 n = extent(l, 0), c = extent(l, 1), s = extent(l, 2), rows = n * s, b, j, r, i, first
    cdef i64 flags = l.attr[0].i
    cdef real smoothing = <real>l.attr[3].f, spread = smoothing / <real>c, divisor = stats[4 * rows], g
    cdef real* factor = stats + 4 * rows + 1
    row_factors(factor, stats + 3 * rows, given, rows, flags, divisor)
    softmax_times(out, factor, x, stats + rows, stats + 2 * rows, n, c, s)
    for b in range(n):
        for j in range(s):
            r = b * s + j
            first = b * c * s + j
            g = given[r if flags & PER_ROW else 0] / divisor
            for i in range(c):
                out[first + i * s] -= (target[first + i * s] * (1 - smoothing) + spread) * class_weight(weight, i, flags) * g
