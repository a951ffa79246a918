# Reductions.  Core dimensions: (kept, reduced); operand 0 does not move along the reduced one.

cdef enum:
    LANES = 8          # independent partial sums of a row


cdef real sum_row(const real* a, i64 n) noexcept nogil:
    """Contiguous sum, in blocks of 128 that are added pairwise by halves: error grows with log n, and vectors apply."""
    cdef real s[LANES]
    cdef i64 i, j, half
    if n > 128:
        half = (n // 2 + 63) // 64 * 64
        return sum_row(a, half) + sum_row(a + half, n - half)
    for j in range(LANES):
        s[j] = 0
    i = 0
    while i + LANES <= n:
        for j in range(LANES):
            s[j] += a[i + j]
        i += LANES
    for j in range(n - i):
        s[j] += a[i + j]
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]))


cdef void sum_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef real* o
    cdef real* row
    cdef real total
    if an == sizeof(real):
        for i in range(kept):
            (<real*>(<char*>out + i * ok))[0] = sum_row(<real*>(<char*>a + i * ak), n)
    elif ok == sizeof(real) and ak == sizeof(real):
        for i in range(kept):
            out[i] = 0
        for j in range(n):
            row = <real*>(<char*>a + j * an)
            for i in range(kept):
                out[i] += row[i]
    else:
        for i in range(kept):
            total = 0
            for j in range(n):
                total += (<real*>(<char*>a + i * ak + j * an))[0]
            (<real*>(<char*>out + i * ok))[0] = total
