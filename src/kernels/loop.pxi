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
    void fetch_lines(const char* source, int64_t n) noexcept
    void touch_lines(const char* source, int64_t n) noexcept
    void copy_past_caches(char* to, const char* source, int64_t n) noexcept

ctypedef c64* c64_out
ctypedef c128* c128_out

ctypedef void (*Flat)(char** q, i64 n, const Launch* l) noexcept nogil

cdef enum:
    BLOCK = 512
    SPREAD_BLOCK = 128      # of a value that is spread out first: once for every row
    LONG = 1024             # elements of a row that is worth being written past the caches, or from the beginning of a line on
    STREAM_BYTES = 2048     # of an input that is read at a time where the output is written past the caches
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
    if out_step == 1 and source_step == 2:                # real parts, every other element
        for i in range(n):
            out[i] = source[2 * i]
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


cdef inline void loop(const Launch* l, char** p, Flat flat, int operands, int widths, bint light) noexcept nogil:
    """widths: the operands' item sizes, five bits each, the output's lowest; light: whether memory takes longer than the arithmetic."""
    cdef int i
    if extent(l, 0) >= LONG:
        loop_long(l, p, flat, operands, widths, light)
        return
    if extent(l, 0) != 1:                     # a single element has no steps
        for i in range(operands):
            if step(l, i, 0) != (widths >> 5 * i & 31):
                loop_in_blocks(l, p, flat, operands, widths)
                return
    flat(p, extent(l, 0), l)


cdef void loop_long(const Launch* l, char** p, Flat flat, int operands, int widths, bint light) noexcept nogil:
    """As loop, where it is worth a look at what kind of memory the operands lie in."""
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), first = up_to_line(p[0], widths & 31)
    cdef int i
    if l.streams and step(l, 0, 0) == (widths & 31):
        loop_past_caches(l, p, flat, operands, widths, light)
        return
    for i in range(operands):
        if step(l, i, 0) != (widths >> 5 * i & 31):
            loop_in_blocks(l, p, flat, operands, widths)
            return
    if first:                                 # NumPy's memory begins within a line: every vector would lie in two
        flat(p, first, l)
    for i in range(operands):
        q[i] = p[i] + first * (widths >> 5 * i & 31)
    flat(q, n - first, l)


cdef void loop_past_caches(const Launch* l, char** p, Flat flat, int operands, int widths, bint light) noexcept nogil:
    """Block by block, computed in a buffer and written past the caches.  Where memory is all that takes time, an operand's part is read
    before the next one's: memory that goes back and forth between them line by line takes half as long again.  Otherwise what is
    read later is fetched during the arithmetic."""
    cdef u64 room[MAX_FLAT * BLOCK + 8]
    cdef char* buffer = whole_lines(room)
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), done = 0, count, s, first = up_to_line(p[0], widths & 31)
    cdef i64 block = stream_block(operands, widths, STREAM_BYTES if light else STREAM_BYTES // 2)
    cdef int i, width
    for i in range(operands):
        width = widths >> 5 * i & 31
        q[i] = buffer + i * BLOCK * 8
        if step(l, i, 0) == 0 and i > 0:
            copy_strided(q[i], width, p[i], 0, min(n, block), width)
    while done < n:
        count = min(n - done, first if done == 0 and first else block)
        for i in range(1, operands):
            width = widths >> 5 * i & 31
            s = step(l, i, 0)
            if s == width:
                q[i] = p[i] + done * s
                if light:
                    touch_lines(q[i], count * s)
                else:
                    fetch_lines(q[i] + STREAM_BYTES, count * s)
            elif s != 0:
                copy_strided(q[i], width, p[i] + done * s, s, count, width)
        flat(q, count, l)
        s = widths & 31
        copy_past_caches(p[0] + done * s, q[0], count * s)
        done += count


cdef inline i64 stream_block(int operands, int widths, i64 size) noexcept nogil:
    """Elements of a block: `size` bytes of the widest input, and a buffer has room for the output."""
    cdef int i, widest = 1
    for i in range(1, operands):
        widest = max(widest, widths >> 5 * i & 31)
    return min(size // widest, BLOCK * 8 // (widths & 31))


cdef inline char* whole_lines(u64* room) noexcept nogil:
    """From the first line on: a vector that lies in two takes two or three cycles more to read or write."""
    return <char*>((<size_t>room + 63) & ~<size_t>63)


cdef inline i64 up_to_line(const char* p, int width) noexcept nogil:
    """How many elements lie before the first whole line of the cache."""
    return (-<i64><size_t>p & 63) // width


cdef inline bint wide_items(int widths) noexcept nogil:
    """Whether an operand's items are of 16 bytes, so that a buffer has room for half as many."""
    return widths & 0x1084210 != 0


cdef void loop_in_blocks(const Launch* l, char** p, Flat flat, int operands, int widths) noexcept nogil:
    cdef u64 room[MAX_FLAT * BLOCK + 8]
    cdef char* buffer = whole_lines(room)
    cdef char* q[MAX_FLAT]
    cdef i64 n = extent(l, 0), done = 0, count, s, block = BLOCK
    cdef i64 first = up_to_line(p[0], widths & 31) if n >= LONG and step(l, 0, 0) == (widths & 31) else 0
    cdef int i, width
    if wide_items(widths):
        block = BLOCK // 2
    for i in range(operands):
        width = widths >> 5 * i & 31
        if step(l, i, 0) != width:
            q[i] = buffer + i * BLOCK * 8
            if step(l, i, 0) == 0 and i > 0:
                block = SPREAD_BLOCK if n < 16 * BLOCK else block
                copy_strided(q[i], width, p[i], 0, min(n, block), width)
    while done < n:
        count = min(n - done, first if done == 0 and first else block)
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
