# Reductions.  Core dimensions: (kept, reduced); operand 0 does not move along the reduced one.
#
# Two layouts: *columns* (neighbours in memory are kept: tiles of columns are reduced side by side) and *lines* (anything
# else: one line after the other, gathered into a buffer where its elements are not neighbours).  Sums of floats are formed
# pairwise over short blocks, so that their error grows with the logarithm of the length.

cdef extern from "simd.h" nogil:
    void load_part_f32(f32* to, const f32* source, int64_t count, f32 fill) noexcept
    void load_part_f64(f64* to, const f64* source, int64_t count, f64 fill) noexcept
    void store_part_f32(f32* to, const f32* source, int64_t count) noexcept
    void store_part_f64(f64* to, const f64* source, int64_t count) noexcept
    f32 sum_lanes_f32(const f32* s, int64_t n) noexcept
    f64 sum_lanes_f64(const f64* s, int64_t n) noexcept
    f32 max_lanes_f32(const f32* m, int64_t n) noexcept
    f64 max_lanes_f64(const f64* m, int64_t n) noexcept

cdef enum:
    TILE = 256         # columns side by side, and elements of a line's block
    ROWS = 64          # rows of a column tile that are added in order
    SIDE = 16          # elements side by side, whatever the vectors: what is left over of a row's blocks is taken by so many

cdef enum Mapping:     # what is added up
    PLAIN = 0
    SQUARES            # x^2
    MAGNITUDES         # |x|
    POWERS             # |x|^p
    NONZEROS           # x != 0
    DEVIATIONS         # (x - center)^2
    EXPONENTIALS       # exp(x - center)

cdef enum Finish:      # what becomes of the sum
    AS_IS = 0
    DIVIDED            # by attr[2]
    ROOT
    POWER              # to attr[2]


cdef inline bint columns(const Launch* l, int operand, i64 width) noexcept nogil:
    """By the strides alone, which no cut among threads changes; a single line moves by 0."""
    return step(l, operand, 0) == width and step(l, operand, 1) != width


cdef inline void gather_line(number* out, const char* a, i64 an, i64 n) noexcept nogil:
    cdef i64 i
    for i in range(n):
        out[i] = (<number*>(a + i * an))[0]


# ---- sums of floats -------------------------------------------------------------------------------------------------

cdef inline i64 whole(i64 n) noexcept nogil:
    """n elements of a buffer, and what follows them of SIDE."""
    return (n + SIDE - 1) & -SIDE


cdef inline void load_part(real* to, const real* a, i64 n, real fill) noexcept nogil:
    """n elements, then `fill`, whole(n) in all."""
    if real is f32:
        load_part_f32(to, a, n, fill)
    else:
        load_part_f64(to, a, n, fill)


cdef inline void store_part(real* to, const real* a, i64 n) noexcept nogil:
    if real is f32:
        store_part_f32(to, a, n)
    else:
        store_part_f64(to, a, n)


cdef inline real lane_sum(const real* a, const real* b, real center, i64 n, int form) noexcept nogil:
    """The sum of a[i], of a[i] b[i] (SQUARES), or of (a[i] - center)^2 (DEVIATIONS; else center is 0), in up to 64 lanes."""
    cdef real s[64]
    cdef real x[SIDE]
    cdef real y[SIDE]
    cdef i64 i = 0, j, rest = n & -SIDE
    if n == 0:
        return 0
    if n >= 64:
        rest &= 63
        for j in range(64):
            s[j] = term(a, b, j, center, form)
        i = 64
        while i + 64 <= n:
            for j in range(64):
                s[j] += term(a + i, b + i, j, center, form)
            i += 64
        for j in range(rest):
            s[j] += term(a + i, b + i, j, center, form)
    else:
        for j in range(rest):
            s[j] = term(a, b, j, center, form)
    i += rest
    if i < n:
        load_part(x, a + i, n - i, center)
        if form == SQUARES:
            load_part(y, b + i, n - i, center)
        if n < 64:
            for j in range(whole(n - i)):
                s[rest + j] = term(x, y, j, center, form)
        else:
            for j in range(whole(n - i)):
                s[j] += term(x, y, j, center, form)
    return sum_lanes(s, whole(n) if n < 64 else 64)


cdef inline real term(const real* a, const real* b, i64 i, real center, int form) noexcept nogil:
    if form == SQUARES:
        return a[i] * b[i]
    if form == DEVIATIONS:
        return (a[i] - center) * (a[i] - center)
    return a[i]


cdef real sum_row(const real* a, i64 n) noexcept nogil:
    """Contiguous sum: lanes over blocks of 4096, which are added pairwise."""
    cdef i64 half
    if n < 64:
        return sum_short(a, n)
    if n > 4096:
        half = (n // 2 + 63) // 64 * 64
        return sum_row(a, half) + sum_row(a + half, n - half)
    return lane_sum(a, a, 0, n, PLAIN)


cdef real dot_row(const real* a, const real* b, i64 n) noexcept nogil:
    """The sum of a[i] b[i], as sum_row forms it."""
    cdef i64 half
    if n > 4096:
        half = (n // 2 + 63) // 64 * 64
        return dot_row(a, b, half) + dot_row(a + half, b + half, n - half)
    return lane_sum(a, b, 0, n, SQUARES)


cdef real deviation_row(const real* a, real center, i64 n) noexcept nogil:
    """The sum of (a[i] - center)^2, as sum_row forms it."""
    cdef i64 half
    if n > 4096:
        half = (n // 2 + 63) // 64 * 64
        return deviation_row(a, center, half) + deviation_row(a + half, center, n - half)
    return lane_sum(a, a, center, n, DEVIATIONS)


cdef inline real sum_lanes(const real* s, i64 n) noexcept nogil:
    """Of n lanes, a multiple of SIDE."""
    if real is f32:
        return sum_lanes_f32(s, n)
    else:
        return sum_lanes_f64(s, n)


cdef inline real sum_short(const real* a, i64 n) noexcept nogil:
    """Fewer than 64."""
    cdef real s[4]
    cdef real total = 0
    cdef i64 i = n & -SIDE, j
    if i:
        total = sum_lanes(a, i)
    if n & 8:
        for j in range(4):
            s[j] = a[i + j] + a[i + j + 4]
        total += (s[0] + s[2]) + (s[1] + s[3])
        i += 8
    while i < n:
        total += a[i]
        i += 1
    return total


cdef void map_items(real* out, const real* a, i64 n, int mapping, const real* center, real p) noexcept nogil:
    """out[i] = mapping of a[i]; `out` is a buffer, or a itself."""
    cdef i64 i
    cdef real d
    if mapping == SQUARES:
        for i in range(n):
            out[i] = a[i] * a[i]
    elif mapping == MAGNITUDES:
        for i in range(n):
            out[i] = vabs(a[i])
    elif mapping == POWERS:
        for i in range(n):
            out[i] = vpow(vabs(a[i]), p)
    elif mapping == NONZEROS:
        for i in range(n):
            out[i] = <real>(a[i] != 0)
    elif mapping == DEVIATIONS:
        for i in range(n):
            d = a[i] - center[i]
            out[i] = d * d
    else:
        for i in range(n):
            out[i] = vexp(a[i] - center[i])


cdef inline real sum_line(const char* a, i64 an, i64 n, int mapping, const real* center, real p) noexcept nogil:
    """The sum of a line's mapped elements; `center` holds one value min(n, TILE) times."""
    if mapping == PLAIN and an == sizeof(real):
        return sum_row(<const real*>a, n)
    if mapping == SQUARES and an == sizeof(real):
        return dot_row(<const real*>a, <const real*>a, n)
    if mapping == DEVIATIONS and an == sizeof(real):
        return deviation_row(<const real*>a, center[0], n)
    return sum_mapped(a, an, n, mapping, center, p)


cdef real sum_mapped(const char* a, i64 an, i64 n, int mapping, const real* center, real p) noexcept nogil:
    cdef real buffer[TILE]
    cdef const real* source = <const real*>a
    cdef i64 half
    if n > TILE:
        half = (n // 2 + TILE - 1) // TILE * TILE
        return sum_mapped(a, an, half, mapping, center, p) + sum_mapped(a + half * an, an, n - half, mapping, center, p)
    if an != sizeof(real):
        gather_line(buffer, a, an, n)
        source = buffer
    if mapping != PLAIN:
        map_items(buffer, source, n, mapping, center, p)
    return sum_row(<const real*>buffer, n)


cdef void sum_columns(real* total, const char* a, i64 an, i64 width, i64 n, int mapping, const real* center, real p) noexcept nogil:
    """total[i] = the sum of n mapped rows, `an` bytes apart, for up to TILE columns."""
    cdef real other[TILE]
    cdef i64 i, half
    if n > ROWS:
        half = (n // 2 + ROWS - 1) // ROWS * ROWS
        sum_columns(total, a, an, width, half, mapping, center, p)
        sum_columns(<real*>other, a + half * an, an, width, n - half, mapping, center, p)
        for i in range(width):
            total[i] += other[i]
    elif mapping == PLAIN:
        sum_rows(total, a, an, width, n)
    else:
        for i in range(width):
            total[i] = 0
        for half in range(n):
            map_items(other, <const real*>(a + half * an), width, mapping, center, p)
            for i in range(width):
                total[i] += other[i]


cdef void sum_rows(real* total, const char* a, i64 an, i64 width, i64 n) noexcept nogil:
    """Up to ROWS rows, eight at a time: one store for eight loads."""
    cdef real s[TILE]          # a local array: the compiler knows that no row overlaps it
    cdef const real* r0
    cdef const real* r1
    cdef const real* r2
    cdef const real* r3
    cdef const real* r4
    cdef const real* r5
    cdef const real* r6
    cdef const real* r7
    cdef i64 i, j = 0
    for i in range(width):
        s[i] = 0
    while j + 8 <= n:
        r0 = <const real*>(a + j * an)
        r1 = <const real*>(a + (j + 1) * an)
        r2 = <const real*>(a + (j + 2) * an)
        r3 = <const real*>(a + (j + 3) * an)
        r4 = <const real*>(a + (j + 4) * an)
        r5 = <const real*>(a + (j + 5) * an)
        r6 = <const real*>(a + (j + 6) * an)
        r7 = <const real*>(a + (j + 7) * an)
        for i in range(width):
            s[i] += ((r0[i] + r1[i]) + (r2[i] + r3[i])) + ((r4[i] + r5[i]) + (r6[i] + r7[i]))
        j += 8
    while j < n:
        r0 = <const real*>(a + j * an)
        for i in range(width):
            s[i] += r0[i]
        j += 1
    memcpy(total, s, width * sizeof(real))


cdef void narrow_sums(real* total, const real* a, i64 width, i64 n) noexcept nogil:
    """Columns of a contiguous matrix of few: several rows are taken as one, and their sums added at the end."""
    cdef i64 joined = 1, i, j
    cdef real rest[TILE]
    while joined * 2 * width <= TILE and joined * 16 <= n:
        joined *= 2
    sum_columns(total, <const char*>a, joined * width * sizeof(real), joined * width, n // joined, PLAIN, <const real*>NULL, 0)
    i = n // joined * joined
    if i < n:
        sum_columns(<real*>rest, <const char*>(a + i * width), width * sizeof(real), width, n - i, PLAIN, <const real*>NULL, 0)
    while joined > 1:
        joined //= 2
        for j in range(joined * width):
            total[j] += total[j + joined * width]
    if i < n:
        for j in range(width):
            total[j] += rest[j]


cdef inline real finished(real total, int finish, real by) noexcept nogil:
    if finish == DIVIDED:
        return total / by
    if finish == ROOT:
        return vsqrt(total)
    if finish == POWER:
        return vpow(total, by)
    return total


cdef void sum_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """attr: mapping, finish, the finish's number, the mapping's number."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef int mapping = <int>l.attr[0].i, finish = <int>l.attr[1].i
    cdef real by = <real>l.attr[2].f, p = <real>l.attr[3].f
    cdef real total[TILE]
    if columns(l, 1, sizeof(real)):
        while done < kept:
            width = min(kept - done, TILE)
            sum_columns(total, <char*>a + done * ak, an, width, n, mapping, <const real*>NULL, p)
            for i in range(width):
                (<real*>(<char*>out + (done + i) * ok))[0] = finished(total[i], finish, by)
            done += width
    elif mapping == PLAIN and an == sizeof(real) and n < 64:
        for i in range(kept):
            (<real*>(<char*>out + i * ok))[0] = finished(sum_short(<const real*>(<char*>a + i * ak), n), finish, by)
    else:
        for i in range(kept):
            (<real*>(<char*>out + i * ok))[0] = finished(
                sum_line(<char*>a + i * ak, an, n, mapping, <const real*>NULL, p), finish, by)


cdef void sum_narrow(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """As sum_forward, of up to TILE // 4 columns of a contiguous matrix, none of them mapped.  All columns belong together."""
    cdef i64 kept = extent(l, 0), i, ok = step(l, 0, 0)
    cdef int finish = <int>l.attr[1].i
    cdef real by = <real>l.attr[2].f
    cdef real total[TILE]
    narrow_sums(total, a, kept, extent(l, 1))
    for i in range(kept):
        (<real*>(<char*>out + i * ok))[0] = finished(total[i], finish, by)


cdef void variance_forward(real* out, real* mean, real* a, const Launch* l, void* scratch) noexcept nogil:
    """Variance and mean in two passes.  attr: the divisor, whether to take the root."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, done = 0, width
    cdef i64 ok = step(l, 0, 0), mk = step(l, 1, 0), ak = step(l, 2, 0), an = step(l, 2, 1)
    cdef real by = <real>l.attr[0].f
    cdef int finish = ROOT if l.attr[1].i else AS_IS
    cdef real total[TILE]
    cdef real center[TILE]
    if columns(l, 2, sizeof(real)):
        while done < kept:
            width = min(kept - done, TILE)
            sum_columns(center, <char*>a + done * ak, an, width, n, PLAIN, <const real*>NULL, 0)
            for i in range(width):
                center[i] /= <real>n
                (<real*>(<char*>mean + (done + i) * mk))[0] = center[i]
            sum_columns(total, <char*>a + done * ak, an, width, n, DEVIATIONS, center, 0)
            for i in range(width):
                (<real*>(<char*>out + (done + i) * ok))[0] = finished(total[i] / by, finish, 0)
            done += width
    else:
        for i in range(kept):
            center[0] = sum_line(<char*>a + i * ak, an, n, PLAIN, <const real*>NULL, <real>0) / <real>n
            (<real*>(<char*>mean + i * mk))[0] = center[0]
            for j in range(1, min(n, TILE)):
                center[j] = center[0]
            (<real*>(<char*>out + i * ok))[0] = finished(
                sum_line(<char*>a + i * ak, an, n, DEVIATIONS, <const real*>center, <real>0) / by, finish, 0)


cdef void logsumexp_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """max + log(sum(exp(x - max)))."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef real total[TILE]
    cdef real center[TILE]
    cdef real m
    if columns(l, 1, sizeof(real)) and n > 0:
        while done < kept:
            width = min(kept - done, TILE)
            extreme_columns(center, <char*>a + done * ak, an, width, n, True)
            for i in range(width):
                center[i] = center[i] if visfinite(center[i]) else 0
            sum_columns(total, <char*>a + done * ak, an, width, n, EXPONENTIALS, center, 0)
            for i in range(width):
                (<real*>(<char*>out + (done + i) * ok))[0] = center[i] + vlog(total[i])
            done += width
    else:
        for i in range(kept):
            m = extreme_line(<const real*>(<char*>a + i * ak), an, n, True) if n else 0
            m = m if visfinite(m) else 0
            for j in range(min(n, TILE)):
                center[j] = m
            (<real*>(<char*>out + i * ok))[0] = m + vlog(
                sum_line(<char*>a + i * ak, an, n, EXPONENTIALS, <const real*>center, <real>0))


# ---- sums of integers, products, counts ------------------------------------------------------------------------------

cdef void sum_integer(i64* out, integer* a, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, total, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef i64 sums[TILE]
    cdef integer* row
    if columns(l, 1, sizeof(integer)):
        while done < kept:
            width = min(kept - done, TILE)
            for i in range(width):
                sums[i] = 0
            for j in range(n):
                row = <integer*>(<char*>a + done * ak + j * an)
                for i in range(width):
                    sums[i] += row[i]
            for i in range(width):
                (<i64*>(<char*>out + (done + i) * ok))[0] = sums[i]
            done += width
        return
    for i in range(kept):
        row = <integer*>(<char*>a + i * ak)
        total = 0
        if an == sizeof(integer):
            for j in range(n):
                total += row[j]
        else:
            for j in range(n):
                total += (<integer*>(<char*>row + j * an))[0]
        (<i64*>(<char*>out + i * ok))[0] = total


cdef void prod_forward(element* out, element* a, const Launch* l, void* scratch) noexcept nogil:
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, k, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef element product[TILE]
    cdef element lane[64]
    cdef element* row
    cdef element total
    if columns(l, 1, sizeof(element)):
        while done < kept:
            width = min(kept - done, TILE)
            for i in range(width):
                product[i] = 1
            for j in range(n):
                row = <element*>(<char*>a + done * ak + j * an)
                for i in range(width):
                    product[i] *= row[i]
            for i in range(width):
                (<element*>(<char*>out + (done + i) * ok))[0] = product[i]
            done += width
        return
    for i in range(kept):
        row = <element*>(<char*>a + i * ak)
        total = 1
        j = 0
        if an == sizeof(element) and n >= 64:
            for k in range(64):
                lane[k] = row[k]
            j = 64
            while j + 64 <= n:
                for k in range(64):
                    lane[k] *= row[j + k]
                j += 64
            for k in range(64):
                total *= lane[k]
        while j < n:
            total *= (<element*>(<char*>row + j * an))[0]
            j += 1
        (<element*>(<char*>out + i * ok))[0] = total


cdef void count_forward(i64* out, element* a, const Launch* l, void* scratch) noexcept nogil:
    """How many are not zero."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, total, done = 0, width
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef i64 counts[TILE]
    cdef element* row
    if columns(l, 1, sizeof(element)):
        while done < kept:
            width = min(kept - done, TILE)
            for i in range(width):
                counts[i] = 0
            for j in range(n):
                row = <element*>(<char*>a + done * ak + j * an)
                for i in range(width):
                    counts[i] += row[i] != 0
            for i in range(width):
                (<i64*>(<char*>out + (done + i) * ok))[0] = counts[i]
            done += width
        return
    for i in range(kept):
        row = <element*>(<char*>a + i * ak)
        total = 0
        if an == sizeof(element):
            for j in range(n):
                total += row[j] != 0
        else:
            for j in range(n):
                total += (<element*>(<char*>row + j * an))[0] != 0
        (<i64*>(<char*>out + i * ok))[0] = total


cdef bint any_line(const char* a, i64 an, i64 n, bint wanted, element* kind) noexcept nogil:
    """Whether an element is nonzero (wanted) or zero (not wanted); stops at the first block that has one."""
    cdef i64 i = 0, j, count
    cdef bint found
    while i < n:
        count = min(n - i, TILE)
        found = False
        if an == sizeof(element):
            for j in range(count):
                found |= ((<const element*>a)[i + j] != 0) == wanted
        else:
            for j in range(count):
                found |= ((<const element*>(a + (i + j) * an))[0] != 0) == wanted
        if found:
            return True
        i += count
    return False


cdef void truth_forward(b8* out, element* a, const Launch* l, void* scratch) noexcept nogil:
    """any (attr 0) and all (attr 1)."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i
    cdef i64 ok = step(l, 0, 0), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef bint every = l.attr[0].i != 0
    for i in range(kept):
        (<b8*>(<char*>out + i * ok))[0] = any_line(<char*>a + i * ak, an, n, not every, a) != every
