# Storage: reference-counted memory from a caching pool, or borrowed.
#
# A pool block is one allocation: a 64-byte header (the Storage) followed by the bytes, so that a small tensor's memory
# costs one free-list pop.  Freed blocks wait in lists by size class, because fresh pages cost more than the arithmetic
# done on them.  Everything here runs under the GIL; counts are plain integers.

cdef extern from "core/port.h" nogil:
    void* fg_aligned_alloc(size_t n, size_t alignment)
    void fg_aligned_free(void* p)
    int fg_log2(uint64_t x)
    void fg_fetch(const void* p)
    const int FG_DEBUG

cdef enum:
    UNIT = 64                     # alignment, and the header's size
    SMALL_CLASSES = 16            # exact multiples of UNIT up to 1 KiB of a tensor's bytes; beyond, four classes a doubling
    CLASSES = 160
    ENDLESS = CLASSES             # more than a machine has: its list stays empty

cdef Storage* free_blocks[CLASSES + 1]
cdef int64_t block_bytes[CLASSES + 1] # of a block of each class, with its header
cdef int64_t cached_bytes = 0     # in these lists
cdef int64_t lowest_cached = 0    # ... at the least, since obtained_bytes last changed
cdef int64_t cache_limit = 1 << 30
cdef int64_t obtained_bytes = 0   # held of the system: in use or cached, so what is in use need not be counted
cdef int64_t peak_bytes = 0       # the most in use, but for what lowest_cached tells
cdef int64_t obtained_blocks = 0  # how often a block was asked of the system, and given back
cdef int64_t returned_blocks = 0
cdef bint storages_watched = False # by the recorder, or by recordings that may read them
cdef int64_t live_storages = 0    # counted in debug builds only
cdef int64_t live_tensors = 0
cdef int64_t live_nodes = 0


cdef inline int class_of(uint64_t units) noexcept nogil:
    """By the bytes after the header: powers of two, which tensors often have, are classes."""
    return <int>units if likely(units <= SMALL_CLASSES) else large_class(units - 1)


cdef int large_class(uint64_t last) noexcept nogil:
    cdef int e = fg_log2(last)
    return min(SMALL_CLASSES + 1 + (e - 4) * 4 + <int>((last >> (e - 2)) & 3), ENDLESS)


cdef void fill_block_bytes() noexcept:
    cdef int c, e, quarter
    for c in range(SMALL_CLASSES + 1):
        block_bytes[c] = (<int64_t>c + 1) * UNIT
    for c in range(SMALL_CLASSES + 1, CLASSES):
        e, quarter = (c - SMALL_CLASSES - 1) // 4 + 4, (c - SMALL_CLASSES - 1) % 4
        block_bytes[c] = ((<int64_t>(quarter + 5) << (e - 2)) + 1) * UNIT

fill_block_bytes()


cdef Storage* fresh_block(int c) except NULL:
    if c == ENDLESS:
        raise MemoryError("cannot allocate so many bytes")
    cdef Storage* s = <Storage*>fg_aligned_alloc(block_bytes[c], UNIT)
    if s == NULL:
        empty_cache()
        s = <Storage*>fg_aligned_alloc(block_bytes[c], UNIT)
        if s == NULL:
            raise MemoryError(f"cannot allocate {block_bytes[c]} bytes")
    s.size_class = c
    count_system(block_bytes[c])
    return s


cdef void free_block(Storage* s) noexcept:
    count_system(-block_bytes[s.size_class])
    fg_aligned_free(s)


cdef void count_system(int64_t nbytes) noexcept:
    """So many bytes more (or less) are held of the system, none of them cached."""
    global obtained_bytes, obtained_blocks, returned_blocks, peak_bytes, lowest_cached
    peak_bytes = max(peak_bytes, obtained_bytes - lowest_cached)
    obtained_bytes += nbytes
    if nbytes > 0:
        obtained_blocks += 1
    else:
        returned_blocks += 1
    peak_bytes = max(peak_bytes, obtained_bytes - cached_bytes)
    lowest_cached = cached_bytes


cdef inline Storage* take_block(int64_t nbytes) except NULL:
    """An uninitialised block for a header and nbytes."""
    cdef int c = class_of((<uint64_t>nbytes + UNIT - 1) // UNIT)
    cdef Storage* s = free_blocks[c]
    global cached_bytes, lowest_cached, live_storages
    if likely(s != NULL):
        free_blocks[c] = <Storage*>s.data
        cached_bytes -= block_bytes[c]
        if unlikely(cached_bytes < lowest_cached):
            lowest_cached = cached_bytes
    else:
        s = fresh_block(c)
    if FG_DEBUG:
        live_storages += 1
    s.refs = 1
    s.version = 0
    s.owner = NULL
    s.parent = NULL
    return s


cdef inline Storage* new_storage(int64_t nbytes) except NULL:
    """Owned, uninitialised memory."""
    cdef Storage* s = take_block(nbytes)
    s.data = <char*>s + UNIT
    s.nbytes = nbytes
    return s


cdef Storage* borrow_storage(char* data, int64_t nbytes, object owner) except NULL:
    """Memory that `owner` keeps alive."""
    cdef Storage* s = take_block(0)
    s.data = data
    s.nbytes = nbytes
    s.owner = <PyObject*>owner
    Py_INCREF(owner)
    return s


cdef Storage* alias_storage(Storage* parent) except NULL:
    """The same bytes under a version counter of their own (what `tensor.data` needs)."""
    if parent.parent != NULL:
        parent = parent.parent
    cdef Storage* s = take_block(0)
    s.data = parent.data
    s.nbytes = parent.nbytes
    s.parent = parent
    parent.refs += 1
    return s


cdef inline void give_block(Storage* s) noexcept:
    if unlikely(s.parent != NULL) or unlikely(s.owner != NULL):
        give_lent(s)
    else:
        keep_block(s)


cdef inline void keep_block(Storage* s) noexcept:
    global cached_bytes, live_storages
    cdef int c = s.size_class
    if FG_DEBUG:
        live_storages -= 1
    if unlikely(cached_bytes + block_bytes[c] > cache_limit):
        free_block(s)
    else:
        cached_bytes += block_bytes[c]
        s.data = <char*>free_blocks[c]
        free_blocks[c] = s


cdef void give_lent(Storage* s) noexcept:
    """As give_block, where somebody else owns the bytes."""
    cdef Storage* parent = s.parent
    cdef PyObject* owner = s.owner
    keep_block(s)
    if parent != NULL:
        drop_storage(parent)
    if owner != NULL:
        Py_DECREF(<object>owner)


cdef inline void drop_storage(Storage* s) noexcept:
    s.refs -= 1
    if likely(s.refs == 0):
        if unlikely(storages_watched):
            release_storage(s)
        else:
            give_block(s)


def empty_cache():
    """Give the pool's free blocks back to the system."""
    global cached_bytes
    cdef Storage* s
    cdef int c
    for c in range(CLASSES):
        while free_blocks[c] != NULL:
            s = free_blocks[c]
            free_blocks[c] = <Storage*>s.data
            cached_bytes -= block_bytes[c]
            free_block(s)


def memory_stats():
    """What the pool holds, in bytes and blocks: see fastgrad.memory.stats."""
    return {"allocated": obtained_bytes - cached_bytes, "peak": max(peak_bytes, obtained_bytes - lowest_cached), "cached": cached_bytes,
            "cap": cache_limit, "obtained_blocks": obtained_blocks, "returned_blocks": returned_blocks}


def reset_peak_memory():
    """The peak is from now on what is in use now."""
    global peak_bytes, lowest_cached
    peak_bytes = obtained_bytes - cached_bytes
    lowest_cached = cached_bytes


def set_cache_limit(int64_t nbytes):
    """Keep at most so many bytes of free blocks; gives back what is kept if that is more."""
    global cache_limit
    cache_limit = nbytes
    if cached_bytes > nbytes:
        empty_cache()


def live_objects():
    """Counts of live storages, tensors and nodes (debug builds; zeros otherwise)."""
    return {"storages": live_storages, "tensors": live_tensors, "nodes": live_nodes}
