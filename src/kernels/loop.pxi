# The one loop of elementwise kernels: it brings operands of any stride to a function over contiguous buffers.
#
# Contiguous operands go straight to `flat`.  Anything else goes in blocks: an operand with another stride is gathered into a
# buffer (a single value: spread over it once), and a strided output is computed in a buffer and scattered.  So each operation
# has one inner loop, which vectorizes, and that loop may take its output to be a different buffer from its inputs or exactly
# one of them (restrict: element i is read before it is written, and no other element is).

cdef extern from * nogil:
    """
    #include <stdint.h>
    #if defined(_MSC_VER)
    #  define FG_RESTRICT __restrict
    #else
    #  define FG_RESTRICT __restrict__
    #endif
    typedef float *FG_RESTRICT f32_out;
    typedef double *FG_RESTRICT f64_out;
    typedef int8_t *FG_RESTRICT i8_out;
    typedef int16_t *FG_RESTRICT i16_out;
    typedef int32_t *FG_RESTRICT i32_out;
    typedef int64_t *FG_RESTRICT i64_out;
    typedef uint8_t *FG_RESTRICT u8_out;
    typedef uint16_t *FG_RESTRICT u16_out;
    typedef uint8_t *FG_RESTRICT b8_out;
    """
    ctypedef f32* f32_out
    ctypedef f64* f64_out
    ctypedef i8* i8_out
    ctypedef i16* i16_out
    ctypedef i32* i32_out
    ctypedef i64* i64_out
    ctypedef u8* u8_out
    ctypedef u16* u16_out
    ctypedef b8* b8_out

cdef extern from "simd.h" nogil:
    void copy_past_caches(char* to, const char* source, int64_t n) noexcept
    void end_copies() noexcept

ctypedef c64* c64_out
ctypedef c128* c128_out

ctypedef void (*Flat)(char** q, i64 n, const Launch* l) noexcept nogil

cdef enum:
    BLOCK = 512
    SPREAD_BLOCK = 128      # of a value that is spread out first: once for every row
    STREAM_BYTES = 2048     # of all inputs together, before the output is written: little, so that they are fetched ahead meanwhile
    MAX_FLAT = 5


cdef inline void copy_items(item* out, i64 out_step, const item* source, i64 source_step, i64 n) noexcept nogil:
    """Steps in items."""
    cdef i64 i
    cdef item value
    if out_step == 1 and source_step == 0:
        value = source[0]
        for i in range(n):
            out[i] = value
        return
    for i in range(n):
        out[i * out_step] = source[i * source_step]


cdef void copy_strided(char* out, i64 out_step, char* source, i64 source_step, i64 n, int width) noexcept nogil:
    """Steps in bytes, always multiples of the width."""
    if width == 4:
        copy_items[u32](<u32*>out, out_step // 4, <u32*>source, source_step // 4, n)
    elif width == 8:
        copy_items[u64](<u64*>out, out_step // 8, <u64*>source, source_step // 8, n)
    elif width == 1:
        copy_items[u8](<u8*>out, out_step, <u8*>source, source_step, n)
    elif width == 2:
        copy_items[u16](<u16*>out, out_step // 2, <u16*>source, source_step // 2, n)
    else:
        copy_items[c128](<c128*>out, out_step // 16, <c128*>source, source_step // 16, n)


cdef inline void loop(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    """widths: the operands' item sizes, five bits each, the output's lowest."""
    cdef int i
    if extent(l, 0) != 1:                     # a single element has no steps
        for i in range(operands):
            if step(l, i, 0) != (widths >> 5 * i & 31):
                loop_in_blocks(l, p, flat, operands, widths)
                return
    flat(p, extent(l, 0), l)


cdef inline void loop_light(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    """As `loop`, where the memory takes longer than the arithmetic."""
    if extent(l, 0) > STREAM_BYTES and l.streams:
        loop_past_caches(l, p, flat, operands, widths)
    else:
        loop(l, p, flat, operands, widths)


cdef void loop_past_caches(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    cdef u64 buffer[STREAM_BYTES]
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), done = 0, out = widths & 31, block, width = 0
    cdef int i
    cdef bint plain = <size_t>p[0] % 64 == 0
    for i in range(operands):
        width += widths >> 5 * i & 31
        plain = plain and step(l, i, 0) == (widths >> 5 * i & 31)
    if not plain:
        loop(l, p, flat, operands, widths)
        return
    block = max(STREAM_BYTES // (width - out) // 64 * 64, 64)
    while done + block <= n:
        q[0] = <char*>buffer
        for i in range(1, operands):
            q[i] = p[i] + done * (widths >> 5 * i & 31)
        flat(q, block, l)
        copy_past_caches(p[0] + done * out, <const char*>buffer, block * out)
        done += block
    end_copies()
    for i in range(operands):
        q[i] = p[i] + done * (widths >> 5 * i & 31)
    flat(q, n - done, l)


cdef inline bint wide_items(int widths) noexcept nogil:
    """Whether an operand's items are of 16 bytes, so that a buffer has room for half as many."""
    return widths & 0x1084210 != 0


cdef void loop_in_blocks(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    cdef u64 buffer[MAX_FLAT][BLOCK]
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), done = 0, count, s, block = BLOCK
    cdef int i, width
    if wide_items(widths):
        block = BLOCK // 2
    for i in range(operands):
        width = widths >> 5 * i & 31
        if step(l, i, 0) != width:
            q[i] = <char*>buffer[i]
            if step(l, i, 0) == 0 and i > 0:
                block = SPREAD_BLOCK if n < 16 * BLOCK else block
                copy_strided(q[i], width, p[i], 0, min(n, block), width)
    while done < n:
        count = min(n - done, block)
        for i in range(operands):
            width = widths >> 5 * i & 31
            s = step(l, i, 0)
            if s == width:
                q[i] = p[i] + done * s
            elif s != 0 and i > 0:
                copy_strided(q[i], width, p[i] + done * s, s, count, width)
        flat(q, count, l)
        s = step(l, 0, 0)
        width = widths & 31
        if s != width:
            copy_strided(p[0] + done * s, s, q[0], width, count, width)
        done += count
