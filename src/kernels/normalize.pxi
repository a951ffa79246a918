# Normalization of rows: (x - mean) / sqrt(var + eps) weight + bias; forward beside backward.
#
# A row is `parts` runs of `pixels` neighbours.  Weight and bias have a number a row (batch norm), a part (group and instance
# norm) or a pixel (layer and root mean square norm).  Batch norm of vectors has rows side by side in memory: tiles of columns.
#
# Core dimensions: (rows, parts, pixels).  attr: 0: flags, below; 1: eps.  stats: mean, 1 / sqrt(var + eps), var of each row.

cdef enum NormFlag:
    CENTERED = 1              # else mean is 0: var is the mean square
    STATS_GIVEN = 2           # mean and 1 / sqrt(var + eps) are read, and no part of the gradient goes through them
    WEIGHT_ALONG = 4          # weight and bias move with the pixels
    SIDE_BY_SIDE = 8          # rows are neighbours in memory: one pixel a part

cdef enum:
    NORM_TILE = 64            # columns side by side


cdef real gradient_sums(const real* g, const real* x, const real* weight, real mean, i64 n, real* plain) noexcept nogil:
    """The sum of g weight (x - mean), and of g weight; weight NULL: ones.  Lanes over blocks of 4096, added in order."""
    cdef real s[64]
    cdef real t[64]
    cdef real y[64]
    cdef real z[64]
    cdef real total = 0
    cdef i64 i = 0, j, stop, count
    plain[0] = 0
    while i < n:
        stop = min(i + 4096, n)
        for j in range(64):
            s[j] = t[j] = 0
        while i + 64 <= stop:
            if weight != NULL:
                for j in range(64):
                    s[j] += g[i + j] * weight[i + j] * (x[i + j] - mean)
                    t[j] += g[i + j] * weight[i + j]
            else:
                for j in range(64):
                    s[j] += g[i + j] * (x[i + j] - mean)
                    t[j] += g[i + j]
            i += 64
        if i < stop:
            count = stop - i
            load_part(y, g + i, count, 0)
            if weight != NULL:
                load_part(z, weight + i, count, 0)
                for j in range(whole(count)):
                    y[j] *= z[j]
            load_part(z, x + i, count, 0)
            for j in range(whole(count)):
                s[j] += y[j] * (z[j] - mean)
            for j in range(whole(count)):
                t[j] += y[j]
            i = stop
        total += sum_lanes(s, 64)
        plain[0] += sum_lanes(t, 64)
    return total


cdef real row_sum(const char* x, i64 parts, i64 part_step, i64 pixels, int form, real center) noexcept nogil:
    """Of a row's elements (form PLAIN), or of their squared deviations from `center`."""
    cdef real total = 0
    cdef i64 part
    if part_step == pixels * <i64>sizeof(real):
        pixels *= parts
        parts = 1
    for part in range(parts):
        if form == PLAIN:
            total += sum_row(<const real*>(x + part * part_step), pixels)
        else:
            total += deviation_row(<const real*>(x + part * part_step), center, pixels)
    return total


cdef void rows_moments(real* a, real* stats, i64 row, i64 count, const Launch* l) noexcept nogil:
    """stats of rows side by side: two passes."""
    cdef i64 parts = extent(l, 1), pixels = extent(l, 2), stride = step(l, 1, 0), r
    cdef real n = <real>(parts * pixels)
    cdef const char* x = <const char*>a + row * step(l, 2, 0)
    cdef char* stat = <char*>stats + row * stride
    for r in range(count):
        (<real*>(stat + r * stride))[0] = row_sum(x + r * step(l, 2, 0), parts, step(l, 2, 1), pixels, PLAIN, <real>0) / n if (
            <int>l.attr[0].i & CENTERED) else 0
    for r in range(count):
        (<real*>(stat + r * stride))[2] = row_sum(x + r * step(l, 2, 0), parts, step(l, 2, 1), pixels, DEVIATIONS,
                                                  (<real*>(stat + r * stride))[0]) / n
    for r in range(count):
        (<real*>(stat + r * stride))[1] = 1 / vsqrt((<real*>(stat + r * stride))[2] + <real>l.attr[1].f)


cdef void norm_forward(real* out, real* stats, real* a, real* weight, real* bias, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 rows = extent(l, 0), parts = extent(l, 1), pixels = extent(l, 2), row, part, i
    cdef i64 together = rows_together(parts * pixels)
    cdef int flags = <int>l.attr[0].i
    cdef real scale, shift, mean, rstd
    cdef const real* x
    cdef const real* w
    cdef const real* b
    cdef real* o
    if flags & SIDE_BY_SIDE:
        norm_columns(out, stats, a, weight if l.ptr[3] != NULL else NULL, bias if l.ptr[4] != NULL else NULL, l)
        return
    for row in range(rows):
        if not flags & STATS_GIVEN and row % together == 0:
            rows_moments(a, stats, row, min(rows - row, together), l)
        o = <real*>(<char*>stats + row * step(l, 1, 0))
        mean, rstd = o[0], o[1]
        for part in range(parts):
            x = <const real*>(<char*>a + row * step(l, 2, 0) + part * step(l, 2, 1))
            o = <real*>(<char*>out + row * step(l, 0, 0) + part * step(l, 0, 1))
            w = <const real*>(<char*>weight + row * step(l, 3, 0) + part * step(l, 3, 1)) if l.ptr[3] != NULL else NULL
            b = <const real*>(<char*>bias + row * step(l, 4, 0) + part * step(l, 4, 1)) if l.ptr[4] != NULL else NULL
            if flags & WEIGHT_ALONG and w != NULL and b != NULL:
                for i in range(pixels):
                    o[i] = (x[i] - mean) * rstd * w[i] + b[i]
            elif flags & WEIGHT_ALONG and w != NULL:
                for i in range(pixels):
                    o[i] = (x[i] - mean) * rstd * w[i]
            elif flags & WEIGHT_ALONG and b != NULL:
                for i in range(pixels):
                    o[i] = (x[i] - mean) * rstd + b[i]
            else:
                scale = rstd * w[0] if w != NULL else rstd
                shift = b[0] - mean * scale if b != NULL else -mean * scale
                for i in range(pixels):
                    o[i] = x[i] * scale + shift


cdef void norm_columns(real* out, real* stats, const real* a, const real* weight, const real* bias, const Launch* l) noexcept nogil:
    """Rows side by side: a part is a line of them."""
    cdef i64 rows = extent(l, 0), parts = extent(l, 1), s = step(l, 2, 1), done = 0, width, part, i
    cdef int flags = <int>l.attr[0].i
    cdef real total[TILE]
    cdef real mean[TILE]
    cdef real scale[TILE]
    cdef real shift[TILE]
    cdef real n = <real>parts
    cdef const real* x
    cdef real* o
    while done < rows:
        width = min(rows - done, NORM_TILE)
        o = stats + 3 * done
        if not flags & STATS_GIVEN:
            sum_columns(<real*>mean, <const char*>(a + done), s, width, parts, PLAIN, <const real*>NULL, <real>0)
            for i in range(width):
                mean[i] = mean[i] / n
            sum_columns(<real*>total, <const char*>(a + done), s, width, parts, DEVIATIONS, <const real*>mean, <real>0)
            for i in range(width):
                o[3 * i], o[3 * i + 2] = mean[i], total[i] / n
                o[3 * i + 1] = 1 / vsqrt(o[3 * i + 2] + <real>l.attr[1].f)
        for i in range(width):
            scale[i] = o[3 * i + 1] * weight[done + i] if weight != NULL else o[3 * i + 1]
            shift[i] = bias[done + i] - o[3 * i] * scale[i] if bias != NULL else -o[3 * i] * scale[i]
        for part in range(parts):
            x = <const real*>(<const char*>(a + done) + part * s)
            for i in range(width):
                total[i] = x[i] * scale[i] + shift[i]
            memcpy(<char*>(out + done) + part * step(l, 0, 1), total, width * sizeof(real))
        done += width


cdef void row_gradient_sums(real* sums, real* grad, real* a, real* weight, real* stats, i64 row, const Launch* l, real* by_x,
                            real* constant) noexcept nogil:
    """The sums over a row, and what its gradient has of x - mean, and besides."""
    cdef i64 parts = extent(l, 1), pixels = extent(l, 2), part
    cdef int flags = <int>l.attr[0].i
    cdef real first = 0, second = 0, plain, product, scale, n = <real>(parts * pixels)
    cdef real* o = <real*>(<char*>stats + row * step(l, 5, 0))
    cdef real mean = o[0], rstd = o[1]
    cdef const real* x
    cdef const real* g
    cdef const real* w
    if step(l, 1, 1) == 0:
        o = <real*>(<char*>sums + row * step(l, 1, 0))
        o[0] = o[1] = 0
    for part in range(parts):
        x = <const real*>(<char*>a + row * step(l, 3, 0) + part * step(l, 3, 1))
        g = <const real*>(<char*>grad + row * step(l, 2, 0) + part * step(l, 2, 1))
        w = <const real*>(<char*>weight + row * step(l, 4, 0) + part * step(l, 4, 1)) if l.ptr[4] != NULL else NULL
        o = <real*>(<char*>sums + row * step(l, 1, 0) + part * step(l, 1, 1))
        if flags & WEIGHT_ALONG:
            second = gradient_sums(g, x, w, mean, pixels, &first)
        else:
            product = gradient_sums(g, x, <const real*>NULL, mean, pixels, &plain)
            scale = w[0] if w != NULL else 1
            first += plain * scale
            second += product * scale
            if step(l, 1, 1) == 0:
                o[0] += product * rstd
                o[1] += plain
            else:
                o[0], o[1] = product * rstd, plain
    by_x[0] = 0 if flags & STATS_GIVEN else -rstd * rstd * rstd * second / n
    constant[0] = -rstd * first / n if flags & CENTERED and not flags & STATS_GIVEN else 0


cdef void norm_backward(real* out, real* sums, real* grad, real* a, real* weight, real* stats, const Launch* l, void* scratch) noexcept nogil:
    """The input's gradient, and sums of (grad (x - mean) rstd, grad) over each row, or over each part where weight has a number a part.

    rstd (grad weight - mean of it - xhat mean of (grad weight xhat)), xhat = (x - mean) rstd."""
    cdef i64 rows = extent(l, 0), parts = extent(l, 1), pixels = extent(l, 2), row, part, i
    cdef int flags = <int>l.attr[0].i
    cdef i64 together = rows_together(parts * pixels)
    cdef real mean, rstd, scale
    cdef real by_x[TOGETHER]
    cdef real constant[TOGETHER]
    cdef const real* x
    cdef const real* g
    cdef const real* w
    cdef real* o
    if flags & SIDE_BY_SIDE:
        norm_columns_backward(out, sums, <const real*>grad, <const real*>a, <const real*>weight if l.ptr[4] != NULL else NULL,
                              <const real*>stats, l)
        return
    for row in range(rows):
        if row % together == 0:
            for part in range(min(rows - row, together)):
                row_gradient_sums(sums, grad, a, weight, stats, row + part, l, &by_x[part], &constant[part])
        o = <real*>(<char*>stats + row * step(l, 5, 0))
        mean, rstd = o[0], o[1]
        for part in range(parts):
            x = <const real*>(<char*>a + row * step(l, 3, 0) + part * step(l, 3, 1))
            g = <const real*>(<char*>grad + row * step(l, 2, 0) + part * step(l, 2, 1))
            w = <const real*>(<char*>weight + row * step(l, 4, 0) + part * step(l, 4, 1)) if l.ptr[4] != NULL else NULL
            o = <real*>(<char*>out + row * step(l, 0, 0) + part * step(l, 0, 1))
            if flags & WEIGHT_ALONG and w != NULL:
                for i in range(pixels):
                    o[i] = g[i] * w[i] * rstd + (x[i] - mean) * by_x[row % together] + constant[row % together]
            else:
                scale = w[0] * rstd if w != NULL else rstd
                for i in range(pixels):
                    o[i] = g[i] * scale + (x[i] - mean) * by_x[row % together] + constant[row % together]


cdef void column_sums(real* product, real* plain, const char* g, i64 gs, const char* x, i64 xs, const real* mean, const real* rstd, i64 mean_step,
                      i64 width, i64 n) noexcept nogil:
    """Sums over n rows of g (x - mean) rstd and of g, side by side; mean_step 0: one mean a column, else one a row.  By 64 rows."""
    cdef real s[NORM_TILE]
    cdef real t[NORM_TILE]
    cdef i64 i, j = 0, stop
    cdef const real* gj
    cdef const real* xj
    for i in range(width):
        product[i] = plain[i] = 0
    while j < n:
        stop = min(j + 64, n)
        for i in range(width):
            s[i] = t[i] = 0
        while j < stop:
            gj, xj = <const real*>(g + j * gs), <const real*>(x + j * xs)
            if mean_step == 0:
                for i in range(width):
                    s[i] += gj[i] * (xj[i] - mean[i]) * rstd[i]
            else:
                for i in range(width):
                    s[i] += gj[i] * ((xj[i] - mean[j * mean_step]) * rstd[j * mean_step])
            for i in range(width):
                t[i] += gj[i]
            j += 1
        for i in range(width):
            product[i] += s[i]
            plain[i] += t[i]


cdef void norm_columns_backward(real* out, real* sums, const real* grad, const real* a, const real* weight, const real* stats,
                                const Launch* l) noexcept nogil:
    cdef i64 rows = extent(l, 0), parts = extent(l, 1), done = 0, width, part, i
    cdef int flags = <int>l.attr[0].i
    cdef real mean[NORM_TILE]
    cdef real rstd[NORM_TILE]
    cdef real product[NORM_TILE]
    cdef real plain[NORM_TILE]
    cdef real scale[NORM_TILE]
    cdef real n = <real>parts
    cdef const real* x
    cdef const real* g
    while done < rows:
        width = min(rows - done, NORM_TILE)
        for i in range(width):
            mean[i], rstd[i] = stats[3 * (done + i)], stats[3 * (done + i) + 1]
        column_sums(<real*>product, <real*>plain, <const char*>(grad + done), step(l, 2, 1), <const char*>(a + done), step(l, 3, 1),
                    <const real*>mean, <const real*>rstd, 0, width, parts)
        for i in range(width):
            sums[2 * (done + i)], sums[2 * (done + i) + 1] = product[i], plain[i]
            scale[i] = weight[done + i] * rstd[i] if weight != NULL else rstd[i]
            product[i] = 0 if flags & STATS_GIVEN else -scale[i] * rstd[i] * product[i] / n
            plain[i] = 0 if flags & STATS_GIVEN else -scale[i] * plain[i] / n
        for part in range(parts):
            x = <const real*>(<const char*>(a + done) + part * step(l, 3, 1))
            g = <const real*>(<const char*>(grad + done) + part * step(l, 2, 1))
            for i in range(width):
                (<real*>(<char*>(out + done) + part * step(l, 0, 1)))[i] = g[i] * scale[i] + (x[i] - mean[i]) * product[i] + plain[i]
        done += width


cdef void norm_weight_backward(real* out, real* plain, real* grad, real* a, real* stats, const Launch* l, void* scratch) noexcept nogil:
    """Gradients of a weight, and of a bias, that move with the pixels.  Core dimensions: (pixels, rows)."""
    cdef i64 pixels = extent(l, 0), rows = extent(l, 1), done = 0, width
    while done < pixels:
        width = min(pixels - done, NORM_TILE)
        column_sums(out + done, plain + done, <const char*>(grad + done), step(l, 2, 1), <const char*>(a + done), step(l, 3, 1),
                    <const real*>stats, <const real*>(stats + 1), step(l, 4, 1) // <i64>sizeof(real), width, rows)
        done += width
