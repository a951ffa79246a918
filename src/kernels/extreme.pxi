# Extremes and where they are.  Core dimensions and layouts as in reduce.pxi.

cdef inline number better(number best, number x, bint largest) noexcept nogil:
    """The larger (or smaller); once NaN, always NaN: a comparison with it is false."""
    if largest:
        return x if (x > best) | (x != x) else best
    return x if (x < best) | (x != x) else best


cdef number extreme_line(const number* a, i64 an, i64 n, bint largest) noexcept nogil:
    if largest:
        return best_of_line(a, an, n, True)
    return best_of_line(a, an, n, False)


cdef inline number best_of_line(const number* a, i64 an, i64 n, bint largest) noexcept nogil:
    cdef number lane[64]
    cdef number best = a[0]
    cdef i64 i = 1, j
    if an == sizeof(number) and n >= 64:
        for j in range(64):
            lane[j] = a[j]
        i = 64
        while i + 64 <= n:
            for j in range(64):
                lane[j] = better(lane[j], a[i + j], largest)
            i += 64
        for j in range(32):
            lane[j] = better(lane[j], lane[j + 32], largest)
        for j in range(16):
            lane[j] = better(lane[j], lane[j + 16], largest)
        for j in range(8):
            lane[j] = better(lane[j], lane[j + 8], largest)
        best = lane[0]
        for j in range(1, 8):
            best = better(best, lane[j], largest)
    while i < n:
        best = better(best, (<const number*>(<const char*>a + i * an))[0], largest)
        i += 1
    return best


cdef real row_maximum(const real* x, i64 n) noexcept nogil:
    """The maximum of a contiguous row; anything where the row has a NaN."""
    cdef real m[64]
    cdef i64 i, j
    if n < 64:
        load_part(m, x, n, x[0])
    else:
        for j in range(64):
            m[j] = x[j]
        i = 64
        while i < n:
            i = min(i, n - 64)                      # the last ones once more
            for j in range(64):
                m[j] = x[i + j] if x[i + j] > m[j] else m[j]
            i += 64
    if real is f32:
        return max_lanes_f32(m, whole(n) if n < 64 else 64)
    else:
        return max_lanes_f64(m, whole(n) if n < 64 else 64)


cdef void extreme_columns(number* best, const char* a, i64 an, i64 width, i64 n, bint largest) noexcept nogil:
    cdef number s[TILE]
    cdef const number* row
    cdef i64 i, j
    memcpy(s, a, width * sizeof(number))
    for j in range(1, n):
        row = <const number*>(a + j * an)
        if largest:
            for i in range(width):
                s[i] = better(s[i], row[i], True)
        else:
            for i in range(width):
                s[i] = better(s[i], row[i], False)
    memcpy(best, s, width * sizeof(number))


cdef void extreme_forward(number* out, number* a, const Launch* l, void* scratch) noexcept nogil:
    """amax (attr 1) and amin (attr 0) of at least one element."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef bint largest = l.attr[0].i != 0
    cdef number best[TILE]
    if columns(l, 1, sizeof(number)):
        while done < kept:
            width = min(kept - done, TILE)
            extreme_columns(best, <char*>a + done * ak, an, width, n, largest)
            for i in range(width):
                (<number*>(<char*>out + (done + i) * ok))[0] = best[i]
            done += width
    else:
        for i in range(kept):
            (<number*>(<char*>out + i * ok))[0] = extreme_line(<const number*>(<char*>a + i * ak), an, n, largest)


cdef i64 place_in_line(const number* a, i64 an, i64 n, number value) noexcept nogil:
    """The first place of a value that is there; of NaN, the first NaN."""
    cdef i64 i = 0, j
    cdef number x
    cdef bint found
    if an == sizeof(number) and value == value:
        while i + 64 <= n:
            found = False
            for j in range(64):
                found |= a[i + j] == value
            if found:
                break
            i += 64
    for j in range(i, n):
        x = (<const number*>(<const char*>a + j * an))[0]
        if (x == value) | ((x != x) & (value != value)):
            return j
    return 0


cdef void extreme_place(number* out, i64* place, number* a, const Launch* l, void* scratch) noexcept nogil:
    """The extreme of each line and where it is first; attr as extreme_forward."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, done = 0, width
    cdef i64 ok = step(l, 0, 0), pk = step(l, 1, 0), ak = step(l, 2, 0), an = step(l, 2, 1)
    cdef bint largest = l.attr[0].i != 0, take
    cdef number best[TILE]
    cdef i64 places[TILE]
    cdef number* row
    if columns(l, 2, sizeof(number)):
        while done < kept:
            width = min(kept - done, TILE)
            memcpy(best, <char*>a + done * ak, width * sizeof(number))
            for i in range(width):
                places[i] = 0
            for j in range(1, n):
                row = <number*>(<char*>a + done * ak + j * an)
                if largest:
                    for i in range(width):
                        take = (row[i] > best[i]) | ((row[i] != row[i]) & (best[i] == best[i]))
                        best[i] = row[i] if take else best[i]
                        places[i] = j if take else places[i]
                else:
                    for i in range(width):
                        take = (row[i] < best[i]) | ((row[i] != row[i]) & (best[i] == best[i]))
                        best[i] = row[i] if take else best[i]
                        places[i] = j if take else places[i]
            for i in range(width):
                (<number*>(<char*>out + (done + i) * ok))[0] = best[i]
                (<i64*>(<char*>place + (done + i) * pk))[0] = places[i]
            done += width
        return
    for i in range(kept):
        best[0] = extreme_line(<const number*>(<char*>a + i * ak), an, n, largest)
        (<number*>(<char*>out + i * ok))[0] = best[0]
        (<i64*>(<char*>place + i * pk))[0] = place_in_line(<const number*>(<char*>a + i * ak), an, n, best[0])
