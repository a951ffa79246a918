# Scans along a dimension.  Core dimensions: (kept, scanned); all operands are laid out alike.
#
# A scan of rows keeps one running value; where neighbours in memory are kept, a tile of columns is scanned side by side.
# float32 runs in float64, as PyTorch's does.

ctypedef fused summand:
    i64
    f32
    f64
    c64
    c128


cdef inline summand accumulated(summand acc, summand x, bint product) noexcept nogil:
    return acc * x if product else acc + x


cdef void cumulate_forward(summand* out, summand* a, const Launch* l, void* scratch) noexcept nogil:
    """Running sums or products.  attr: product, reverse, exclusive (element i leaves itself out)."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i
    cdef i64 ok = step(l, 0, 0), on = step(l, 0, 1), ak = step(l, 1, 0), an = step(l, 1, 1)
    cdef bint product = l.attr[0].i != 0, exclusive = l.attr[2].i != 0
    cdef char* o = <char*>out
    cdef char* p = <char*>a
    if l.attr[1].i:
        o += (n - 1) * on
        p += (n - 1) * an
        on, an = -on, -an
    if ak == sizeof(summand) and ok == sizeof(summand) and kept > 1:
        i = 0
        while i < kept:
            cumulate_columns(<summand*>(o + i * ok), on, <summand*>(p + i * ak), an, min(kept - i, TILE), n, product, exclusive)
            i += TILE
    else:
        for i in range(kept):
            if summand is f32:
                cumulate_row_f32(<f32*>(o + i * ok), on, <f32*>(p + i * ak), an, n, product, exclusive)
            else:
                cumulate_row(<summand*>(o + i * ok), on, <summand*>(p + i * ak), an, n, product, exclusive)


cdef void cumulate_row(summand* out, i64 on, summand* a, i64 an, i64 n, bint product, bint exclusive) noexcept nogil:
    cdef summand acc = 1 if product else 0, x
    cdef i64 j
    for j in range(n):
        x = (<summand*>(<char*>a + j * an))[0]
        if exclusive:
            (<summand*>(<char*>out + j * on))[0] = acc
        acc = accumulated(acc, x, product)
        if not exclusive:
            (<summand*>(<char*>out + j * on))[0] = acc


cdef void cumulate_row_f32(f32* out, i64 on, f32* a, i64 an, i64 n, bint product, bint exclusive) noexcept nogil:
    cdef f64 acc = 1 if product else 0, x
    cdef i64 j
    for j in range(n):
        x = (<f32*>(<char*>a + j * an))[0]
        if exclusive:
            (<f32*>(<char*>out + j * on))[0] = <f32>acc
        acc = acc * x if product else acc + x
        if not exclusive:
            (<f32*>(<char*>out + j * on))[0] = <f32>acc


cdef void cumulate_columns(summand* out, i64 on, summand* a, i64 an, i64 width, i64 n, bint product,
                           bint exclusive) noexcept nogil:
    cdef f64 wide[TILE]
    cdef summand same[TILE]
    cdef summand* row
    cdef summand* o
    cdef i64 i, j
    for i in range(width):
        wide[i] = 1 if product else 0
        same[i] = 1 if product else 0
    for j in range(n):
        row = <summand*>(<char*>a + j * an)
        o = <summand*>(<char*>out + j * on)
        if summand is f32:
            for i in range(width):
                same[i] = <f32>wide[i]
                wide[i] = wide[i] * row[i] if product else wide[i] + row[i]
                o[i] = same[i] if exclusive else <f32>wide[i]
        else:
            if exclusive:
                memcpy(o, same, width * sizeof(summand))
            for i in range(width):
                same[i] = accumulated(same[i], row[i], product)
            if not exclusive:
                memcpy(o, same, width * sizeof(summand))


ctypedef fused inexact:
    f32
    f64
    c64
    c128


cdef void recurrence_forward(inexact* out, inexact* a, inexact* b, const Launch* l, void* scratch) noexcept nogil:
    """out[i] = a[i] + b[i] * out[i - 1], from 0; attr: reverse (out[i + 1] instead).  Singles run in double."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j
    cdef i64 k = step(l, 0, 0), s = step(l, 0, 1), at
    cdef f64 acc
    cdef c128 both
    for i in range(kept):
        acc = 0
        both = 0
        for j in range(n):
            at = i * k + (n - 1 - j if l.attr[0].i else j) * s
            if inexact is c64 or inexact is c128:
                both = (<inexact*>(<char*>a + at))[0] + (<inexact*>(<char*>b + at))[0] * both if j else (<inexact*>(<char*>a + at))[0]
                (<inexact*>(<char*>out + at))[0] = <inexact>both
            else:
                acc = (<inexact*>(<char*>a + at))[0] + (<inexact*>(<char*>b + at))[0] * acc if j else (<inexact*>(<char*>a + at))[0]
                (<inexact*>(<char*>out + at))[0] = <inexact>acc


cdef void logcumsumexp_forward(real* out, real* a, const Launch* l, void* scratch) noexcept nogil:
    """Running log(sum(exp(x)))."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j
    cdef i64 k = step(l, 0, 0), s = step(l, 0, 1)
    cdef f64 acc, x, most
    for i in range(kept):
        for j in range(n):
            x = (<real*>(<char*>a + i * k + j * s))[0]
            if j == 0:
                acc = x
            elif x != x or acc != acc:
                acc = x + acc
            else:
                most = max(acc, x)
                if visfinite(most):
                    acc = most + vlog1p(vexp(min(acc, x) - most))
                else:
                    acc = most
            (<real*>(<char*>out + i * k + j * s))[0] = <real>acc


cdef void cumulative_extreme(number* out, i64* place, number* a, const Launch* l, void* scratch) noexcept nogil:
    """Running extreme and where it is (of equals the last).  attr 1: largest."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, at
    cdef i64 ok = step(l, 0, 0), on = step(l, 0, 1), pk = step(l, 1, 0), pn = step(l, 1, 1)
    cdef i64 ak = step(l, 2, 0), an = step(l, 2, 1)
    cdef bint largest = l.attr[0].i != 0
    cdef number best, x
    for i in range(kept):
        at = 0
        for j in range(n):
            x = (<number*>(<char*>a + i * ak + j * an))[0]
            if j == 0 or x != x or (best == best and (x >= best if largest else x <= best)):
                best = x
                at = j
            (<number*>(<char*>out + i * ok + j * on))[0] = best
            (<i64*>(<char*>place + i * pk + j * pn))[0] = at


cdef void shift_forward(item* out, item* a, const Launch* l, void* scratch) noexcept nogil:
    """out[i] = a[i - by]; zero bits where there is none.  attr: by."""
    cdef i64 kept = extent(l, 0), n = extent(l, 1), i, j, by = l.attr[0].i
    cdef i64 k = step(l, 0, 0), s = step(l, 0, 1)
    for i in range(kept):
        for j in range(n):
            (<item*>(<char*>out + i * k + j * s))[0] = (<item*>(<char*>a + i * k + (j - by) * s))[0] if 0 <= j - by < n else 0


cdef void cross_forward(element* out, element* a, element* b, const Launch* l, void* scratch) noexcept nogil:
    """Cross products of 3-vectors."""
    cdef i64 kept = extent(l, 0), i, k = step(l, 0, 0), s = step(l, 0, 1)
    cdef char *p
    cdef char *q
    cdef char *o
    cdef element a0, a1, a2, b0, b1, b2
    for i in range(kept):
        o, p, q = <char*>out + i * k, <char*>a + i * k, <char*>b + i * k
        a0, a1, a2 = (<element*>p)[0], (<element*>(p + s))[0], (<element*>(p + 2 * s))[0]
        b0, b1, b2 = (<element*>q)[0], (<element*>(q + s))[0], (<element*>(q + 2 * s))[0]
        (<element*>o)[0] = <element>(a1 * b2 - a2 * b1)
        (<element*>(o + s))[0] = <element>(a2 * b0 - a0 * b2)
        (<element*>(o + 2 * s))[0] = <element>(a0 * b1 - a1 * b0)
