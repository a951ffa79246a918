# Attention in one pass: out = softmax(scale q k^T + mask) v by blocks of queries and keys, so that a block of scores is all that is
# ever kept of them.  A row's maximum and sum are corrected as blocks of keys come by; lse = log(sum(exp(scores))) is kept, from which
# backward makes the probabilities again.  Source: Dao et al., FlashAttention, 2022; Milakov and Gimelshein, 2018, for the running sum.
#
# Core dimensions (queries L, keys S, features E of queries, features Ev of values); rows of out and of gradients are contiguous.

cdef enum:
    ATTENTION_QUERIES = 64          # rows and columns of a block of scores
    ATTENTION_KEYS = 128
    ATTENTION_SCRATCH = 2 * ATTENTION_QUERIES * (ATTENTION_KEYS + 1) * 8
    MASK_BOOL = 1                   # attr[1].i: True where a key takes part
    MASK_ADDED = 2                  # numbers to add to the scores
    MASK_CAUSAL = 4                 # query i sees keys 0 to i


cdef inline i64 keys_seen(const Launch* l, i64 last_query) noexcept nogil:
    """How many keys a block of queries can see."""
    return min(extent(l, 1), last_query + 1) if l.attr[1].i & MASK_CAUSAL else extent(l, 1)


cdef inline void mask_scores(real* x, b8* mask, const Launch* l, int operand, i64 i, i64 j, i64 n) noexcept nogil:
    """x[n] = scale x + mask, for query i and keys from j."""
    cdef i64 flags = l.attr[1].i, t, s = step(l, operand, 1)
    cdef real scale = <real>l.attr[0].f, out = -1e999
    cdef b8* row = mask + i * step(l, operand, 0) + j * s
    for t in range(n):
        x[t] *= scale
    if flags & MASK_BOOL:
        for t in range(n):
            x[t] = x[t] if row[t * s] else out
    elif flags & MASK_ADDED:
        for t in range(n):
            x[t] += (<real*>(row + t * s))[0]
    if flags & MASK_CAUSAL:
        for t in range(max(i + 1 - j, 0), n):
            x[t] = out


cdef void attention_forward(real* out, real* lse, real* q, real* k, real* v, b8* mask, const Launch* l, void* scratch) noexcept nogil:
    """attr: scale, kind of mask.  A query that a mask keeps from all keys gives zeros."""
    cdef i64 length = extent(l, 0), keys, width = extent(l, 3), item = sizeof(real), i, j, a, t, rows, n
    cdef i64 o_row = step(l, 0, 0) // item, lse_row = step(l, 1, 0) // item
    cdef real* scores = <real*>(<char*>scratch + GEMM_SCRATCH)
    cdef real* most = scores + ATTENTION_QUERIES * ATTENTION_KEYS
    cdef real* total = most + ATTENTION_QUERIES
    cdef real* x
    cdef real* o
    cdef real high, shift, factor
    i = 0
    while i < length:
        rows = min(ATTENTION_QUERIES, length - i)
        keys = keys_seen(l, i + rows - 1)
        for a in range(rows):
            most[a], total[a] = -1e999, 0
        j = 0
        while j < keys:
            n = min(ATTENTION_KEYS, keys - j)
            attention_scores(scores, q, k, 2, l, i, j, rows, n, scratch)
            for a in range(rows):
                x = scores + a * n
                o = out + (i + a) * o_row
                mask_scores(x, mask, l, 5, i + a, j, n)
                high = extreme_line(<const real*>x, item, n, True)
                if j and not high > most[a] and high == high:
                    high = most[a]
                shift = 0 if l.attr[1].i and high == -1e999 else high
                if j:
                    factor = vexp(most[a] - shift)
                    total[a] *= factor
                    for t in range(width):
                        o[t] *= factor
                total[a] += exp_sum(x, <const real*>x, shift, n)
                most[a] = high
            gemm(rows, width, n, <const real*>scores, n, 1, <const real*>(<char*>v + j * step(l, 4, 1)), step(l, 4, 1) // item,
                 step(l, 4, 3) // item, out + i * o_row, o_row, <const real*>NULL, j > 0, scratch)
            j += n
        for a in range(rows):
            o = out + (i + a) * o_row
            if total[a] == 0:
                for t in range(width):
                    o[t] = 0
                lse[(i + a) * lse_row] = 1e999       # so that exp(score - lse) is 0
                continue
            for t in range(width):
                o[t] /= total[a]
            lse[(i + a) * lse_row] = (0 if l.attr[1].i and most[a] == -1e999 else most[a]) + vlog(total[a])
        i += rows


cdef inline void attention_scores(real* scores, real* q, real* k, int first, const Launch* l, i64 i, i64 j, i64 rows, i64 n,
                                  void* scratch) noexcept nogil:
    """q k^T of a block; q is operand `first`, k the next."""
    cdef i64 item = sizeof(real)
    gemm(rows, n, extent(l, 2), <const real*>(<char*>q + i * step(l, first, 0)), step(l, first, 0) // item, step(l, first, 2) // item,
         <const real*>(<char*>k + j * step(l, first + 1, 1)), step(l, first + 1, 2) // item, step(l, first + 1, 1) // item, scores, n,
         <const real*>NULL, False, scratch)


cdef void attention_shares(real* delta, real* grad, real* y, const Launch* l, void* scratch) noexcept nogil:
    """delta = sum(grad y) of each row.  Core (L, Ev)."""
    cdef i64 i, t, n = extent(l, 1), gs = step(l, 1, 1), ys = step(l, 2, 1)
    cdef char* g
    cdef char* o
    cdef real total
    for i in range(extent(l, 0)):
        g, o = <char*>grad + i * step(l, 1, 0), <char*>y + i * step(l, 2, 0)
        if gs == sizeof(real) and ys == sizeof(real):
            total = dot_row(<const real*>g, <const real*>o, n)
        else:
            total = 0
            for t in range(n):
                total += (<real*>(g + t * gs))[0] * (<real*>(o + t * ys))[0]
        (<real*>(<char*>delta + i * step(l, 0, 0)))[0] = total


cdef void attention_backward(real* dk, real* dq, real* q, real* k, real* v, real* grad, real* stats, b8* mask, const Launch* l,
                             void* scratch) noexcept nogil:
    """The gradients of q, k and v.  attr: scale, kind of mask, bytes from dk to dv and from lse to delta (in stats)."""
    cdef i64 length = extent(l, 0), keys, features = extent(l, 2), width = extent(l, 3), item = sizeof(real), i, j, a, t, rows, n
    cdef real* p = <real*>(<char*>scratch + GEMM_SCRATCH)
    cdef real* s = p + ATTENTION_QUERIES * ATTENTION_KEYS
    cdef real* dv = <real*>(<char*>dk + l.attr[2].i)
    cdef char* stat
    cdef i64 k_row = step(l, 0, 1) // item, q_row = step(l, 1, 0) // item
    cdef const real* g
    cdef const real* q_block
    cdef const real* k_block
    cdef real scale = <real>l.attr[0].f, delta
    for j in range(extent(l, 1)):
        memset(dk + j * k_row, 0, features * item)
        memset(dv + j * k_row, 0, width * item)
    i = 0
    while i < length:
        rows = min(ATTENTION_QUERIES, length - i)
        keys = keys_seen(l, i + rows - 1)
        g, q_block = <const real*>(<char*>grad + i * step(l, 5, 0)), <const real*>(<char*>q + i * step(l, 2, 0))
        j = 0
        while j < keys:
            n = min(ATTENTION_KEYS, keys - j)
            k_block = <const real*>(<char*>k + j * step(l, 3, 1))
            attention_scores(p, q, k, 2, l, i, j, rows, n, scratch)
            gemm(rows, n, width, g, step(l, 5, 0) // item, step(l, 5, 3) // item, <const real*>(<char*>v + j * step(l, 4, 1)),
                 step(l, 4, 3) // item, step(l, 4, 1) // item, s, n, <const real*>NULL, False, scratch)
            for a in range(rows):
                stat = <char*>stats + (i + a) * step(l, 6, 0)
                mask_scores(p + a * n, mask, l, 7, i + a, j, n)
                exp_sum(p + a * n, <const real*>p + a * n, (<real*>stat)[0], n)
                delta = (<real*>(stat + l.attr[3].i))[0]
                for t in range(a * n, (a + 1) * n):
                    s[t] = p[t] * (s[t] - delta) * scale
            gemm(n, width, rows, <const real*>p, 1, n, g, step(l, 5, 0) // item, step(l, 5, 3) // item, dv + j * k_row, k_row,
                 <const real*>NULL, True, scratch)
            gemm(rows, features, n, <const real*>s, n, 1, k_block, step(l, 3, 1) // item, step(l, 3, 2) // item, dq + i * q_row, q_row,
                 <const real*>NULL, j > 0, scratch)
            gemm(n, features, rows, <const real*>s, 1, n, q_block, step(l, 2, 0) // item, step(l, 2, 2) // item, dk + j * k_row, k_row,
                 <const real*>NULL, True, scratch)
            j += n
        i += rows
