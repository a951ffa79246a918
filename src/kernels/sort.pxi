# Order: sorting, selection, search.  Core dimension: the sorted one.
#
# An element becomes an unsigned key whose order is the element's (NaN last, -0 equal to 0; inverted for descending), paired
# with its place.  Pairs are sorted stably: by insertion where they are few, else byte by byte (radix), skipping bytes that
# all keys share.

ctypedef struct Ranked:
    u64 key
    i64 place

cdef enum:
    FEW = 48              # up to here insertion is faster
    MOST_KEPT = 64        # topk keeps up to so many by insertion


cdef inline u64 rank_of(number x, bint descending) noexcept nogil:
    cdef u64 key, mask
    cdef uint32_t b
    if number is f32:
        b = bits_f32(x)
        b = b ^ 0xFFFFFFFFU if b >> 31 else b ^ 0x80000000U
        key = 0xFFFFFFFFU if x != x else 0x80000000U if x == 0 else b
        mask = 0xFFFFFFFFU
    elif number is f64:
        key = bits_f64(x)
        key = ~key if key >> 63 else key ^ (<u64>1 << 63)
        key = ~<u64>0 if x != x else <u64>1 << 63 if x == 0 else key
        mask = ~<u64>0
    else:
        mask = ~<u64>0 >> (64 - 8 * sizeof(number))
        key = <u64><i64>x
        if number is not u8:
            key += <u64>1 << (8 * sizeof(number) - 1)
        key &= mask
    return key ^ mask if descending else key


cdef void insertion_sort(Ranked* a, i64 n) noexcept nogil:
    cdef i64 i, j
    cdef Ranked one
    for i in range(1, n):
        one = a[i]
        j = i
        while j > 0 and a[j - 1].key > one.key:
            a[j] = a[j - 1]
            j -= 1
        a[j] = one


cdef Ranked* radix_sort(Ranked* a, Ranked* b, i64 n, int width) noexcept nogil:
    """Sort by the low `width` bytes; returns whichever of the two arrays holds the result."""
    cdef i64 count[8][256]
    cdef i64 i, total, here
    cdef int byte, k
    cdef Ranked* other
    memset(count, 0, sizeof(count))
    for i in range(n):
        for byte in range(width):
            count[byte][(a[i].key >> (8 * byte)) & 255] += 1
    for byte in range(width):
        if count[byte][(a[0].key >> (8 * byte)) & 255] == n:
            continue
        total = 0
        for k in range(256):
            here = count[byte][k]
            count[byte][k] = total
            total += here
        for i in range(n):
            k = (a[i].key >> (8 * byte)) & 255
            b[count[byte][k]] = a[i]
            count[byte][k] += 1
        other = a
        a = b
        b = other
    return a


cdef void sort_forward(number* values, i64* places, number* a, u64* work, const Launch* l, void* scratch) noexcept nogil:
    """attr: descending.  work: 4 n numbers."""
    cdef i64 n = extent(l, 0), i
    cdef i64 vs = step(l, 0, 0), ps = step(l, 1, 0), s = step(l, 2, 0)
    cdef bint descending = l.attr[0].i != 0
    cdef Ranked* pair = <Ranked*>work
    for i in range(n):
        pair[i].key = rank_of((<number*>(<char*>a + i * s))[0], descending)
        pair[i].place = i
    if n <= FEW:
        insertion_sort(pair, n)
    else:
        pair = radix_sort(pair, pair + n, n, sizeof(number))
    for i in range(n):
        (<number*>(<char*>values + i * vs))[0] = (<number*>(<char*>a + pair[i].place * s))[0]
        (<i64*>(<char*>places + i * ps))[0] = pair[i].place


cdef void topk_forward(number* values, i64* places, number* a, const Launch* l, void* scratch) noexcept nogil:
    """attr: largest, k <= MOST_KEPT.  Best first; of equals the first."""
    cdef i64 n = extent(l, 0), i, j, held = 0, k = l.attr[1].i
    cdef i64 vs = step(l, 0, 0), ps = step(l, 1, 0), s = step(l, 2, 0)
    cdef bint largest = l.attr[0].i != 0
    cdef Ranked kept[MOST_KEPT]
    cdef u64 keys[TILE]
    cdef u64 key
    for i in range(n):
        if i % TILE == 0:
            for j in range(min(n - i, TILE)):
                keys[j] = rank_of((<number*>(<char*>a + (i + j) * s))[0], largest)
        key = keys[i % TILE]
        if held == k:
            if k == 0 or key >= kept[k - 1].key:
                continue
            j = k - 1
        else:
            j = held
            held += 1
        while j > 0 and kept[j - 1].key > key:
            kept[j] = kept[j - 1]
            j -= 1
        kept[j].key = key
        kept[j].place = i
    for i in range(k):
        (<number*>(<char*>values + i * vs))[0] = (<number*>(<char*>a + kept[i].place * s))[0]
        (<i64*>(<char*>places + i * ps))[0] = kept[i].place


cdef enum Choice:
    KTH = 0               # attr[1]
    MEDIAN                # lower of two; NaN if there is one
    NANMEDIAN             # of what is not NaN
    MODE                  # the smallest of the most frequent, at its last place


cdef void choose_sorted(number* value, i64* place, number* a, i64* order, const Launch* l, void* scratch) noexcept nogil:
    """One element of each sorted line.  attr: choice, k."""
    cdef i64 n = extent(l, 0), valid, i = 0, k, best, run
    cdef i64 s = step(l, 2, 0), os = step(l, 3, 0)
    cdef int choice = <int>l.attr[0].i
    cdef number x, y
    if choice == KTH:
        i = l.attr[1].i
    elif choice == MODE:
        best = run = 0
        for k in range(n):
            x = (<number*>(<char*>a + k * s))[0]
            if k > 0:
                y = (<number*>(<char*>a + (k - 1) * s))[0]
                run = run + 1 if x == y else 1
            else:
                run = 1
            if run > best:
                best = run
                i = k
    else:
        valid = n
        while valid > 0:
            x = (<number*>(<char*>a + (valid - 1) * s))[0]
            if x == x:
                break
            valid -= 1
        i = (valid - 1) // 2 if valid == n or (choice == NANMEDIAN and valid > 0) else valid
    value[0] = (<number*>(<char*>a + i * s))[0]
    place[0] = (<i64*>(<char*>order + i * os))[0]


cdef void searchsorted_forward(i64* out, number* sequence, number* values, i64* sorter, const Launch* l, void* scratch) noexcept nogil:
    """Where each value belongs in a contiguous ascending sequence.  attr: its length, right, whether a sorter is given."""
    cdef i64 m = extent(l, 0), n = l.attr[0].i, i, low, high, middle
    cdef i64 os = step(l, 0, 0), s = step(l, 2, 0)
    cdef bint right = l.attr[1].i != 0, sorted_by = l.attr[2].i != 0, after
    cdef number x, y
    for i in range(m):
        x = (<number*>(<char*>values + i * s))[0]
        low, high = 0, n
        while low < high:
            middle = low + (high - low) // 2
            y = sequence[sorter[middle]] if sorted_by else sequence[middle]
            after = not (y > x) if right else not (y >= x)
            if after:
                low = middle + 1
            else:
                high = middle
        (<i64*>(<char*>out + i * os))[0] = low


cdef void runs_forward(i64* out, number* a, const Launch* l, void* scratch) noexcept nogil:
    """out[i]: how many different values a contiguous line has shown before that of a[i]."""
    cdef i64 n = extent(l, 0), i, run = 0
    for i in range(n):
        if i > 0 and a[i] != a[i - 1]:
            run += 1
        out[i] = run


# ---- elements by their place ------------------------------------------------------------------------------------------

cdef void pick_forward(item* out, i64* place, item* a, const Launch* l, void* scratch) noexcept nogil:
    """out[j] = a[place[j]]; attr: the input's step in bytes."""
    cdef i64 m = extent(l, 0), j, s = l.attr[0].i
    for j in range(m):
        (<item*>(<char*>out + j * step(l, 0, 0)))[0] = (<item*>(<char*>a + (<i64*>(<char*>place + j * step(l, 1, 0)))[0] * s))[0]


cdef void spread_forward(real* out, i64* place, real* a, const Launch* l, void* scratch) noexcept nogil:
    """out[place[j]] += a[j], where the place is not negative; attr: the output's step in bytes, how many bytes are zeroed first."""
    cdef i64 m = extent(l, 0), j, at, s = l.attr[0].i
    memset(out, 0, l.attr[1].i)
    for j in range(m):
        at = (<i64*>(<char*>place + j * step(l, 1, 0)))[0]
        if at >= 0:
            (<real*>(<char*>out + at * s))[0] += (<real*>(<char*>a + j * step(l, 2, 0)))[0]
