# Linear maps along one dimension: out[.., j, ..] = sum_k weight[j, k] a[.., index[j, k], ..], and the transposed map.
#
# Core dimensions: (outer, out or grad length, inner) of contiguous operands; attr: taps k, length of the other side, inner size.
# Both are split by (outer) alone: the transposed map adds.

cdef void resample_take(item* out, item* a, i64* index, const Launch* l, void* scratch) noexcept nogil:
    """One tap of weight 1: items are moved."""
    cdef i64 outer = extent(l, 0), n = extent(l, 1), inner = l.attr[2].i, size = l.attr[1].i, i, j
    for i in range(outer):
        if inner == 1:
            for j in range(n):
                out[j] = a[index[j]]
        else:
            for j in range(n):
                memcpy(out + j * inner, a + index[j] * inner, inner * sizeof(item))
        out += n * inner
        a += size * inner


cdef void resample_forward(real* out, real* a, i64* index, real* weight, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 outer = extent(l, 0), n = extent(l, 1), inner = l.attr[2].i, taps = l.attr[0].i, size = l.attr[1].i, i, j, k
    cdef real total
    for i in range(outer):
        if inner == 1 and taps == 2:
            for j in range(n):
                out[j] = weight[2 * j] * a[index[2 * j]] + weight[2 * j + 1] * a[index[2 * j + 1]]
        elif inner == 1:
            for j in range(n):
                total = weight[j * taps] * a[index[j * taps]]
                for k in range(1, taps):
                    total += weight[j * taps + k] * a[index[j * taps + k]]
                out[j] = total
        else:
            for j in range(n):
                weighted_rows(out + j * inner, a, index + j * taps, weight + j * taps, taps, inner)
        out += n * inner
        a += size * inner


cdef void weighted_rows(real* out, const real* a, const i64* index, const real* weight, i64 taps, i64 inner) noexcept nogil:
    """out = the sum of rows of a, in blocks that stay in registers' reach."""
    cdef real s[TILE]
    cdef const real* row
    cdef const real* other
    cdef real w, v
    cdef i64 done = 0, width, i, k
    while done < inner:
        width = min(inner - done, TILE)
        row, w = a + index[0] * inner + done, weight[0]
        if taps == 1:
            for i in range(width):
                s[i] = w * row[i]
        else:
            other, v = a + index[1] * inner + done, weight[1]
            for i in range(width):
                s[i] = w * row[i] + v * other[i]
        for k in range(2, taps):
            row, w = a + index[k] * inner + done, weight[k]
            for i in range(width):
                s[i] += w * row[i]
        memcpy(out + done, s, width * sizeof(real))
        done += width


cdef void resample_backward(real* out, real* grad, i64* index, real* weight, const Launch* l, void* scratch) noexcept nogil:
    """Adds into out.  attr[3]: whether all weights are 1, and not there."""
    cdef i64 outer = extent(l, 0), n = extent(l, 1), inner = l.attr[2].i, taps = l.attr[0].i, size = l.attr[1].i, i, j, k, m
    cdef bint plain = l.attr[3].i != 0
    cdef real* o
    cdef const real* g
    cdef real w
    for i in range(outer):
        for j in range(n):
            g = grad + j * inner
            for k in range(taps):
                o = out + index[j * taps + k] * inner
                if inner == 1:
                    o[0] += g[0] if plain else weight[j * taps + k] * g[0]
                else:
                    w = <real>1 if plain else weight[j * taps + k]
                    add_scaled_row(o, g, w, inner)
        out += size * inner
        grad += n * inner


cdef void add_scaled_row(real* out, const real* a, real w, i64 n) noexcept nogil:
    cdef f32_out o4
    cdef f64_out o8
    cdef i64 i
    if real is f32:
        o4 = <f32_out>out
        for i in range(n):
            o4[i] += w * a[i]
    else:
        o8 = <f64_out>out
        for i in range(n):
            o8[i] += w * a[i]
