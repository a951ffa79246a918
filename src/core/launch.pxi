# Running a Launch: the one place through which every kernel is called.
#
# Recording and the loop around a kernel live here once instead of once per operation; dropping the GIL and cutting among
# threads in core/threads.pxi.

cdef extern from "core/port.h" nogil:
    void* fg_scratch
    void* fg_make_scratch(size_t n)
    int fg_scratch_ready()
    void fg_end_streams()

cdef KernelTable* kernel_table = NULL
cdef bint recorder_on = False

if not fg_scratch_ready():
    raise ImportError("fastgrad: no thread-local key is left in this process")


cdef inline void drive(const Launch* l, void* scratch) noexcept nogil:
    """Loop over the leading dimensions and call the kernel on the core ones."""
    cdef char* p[MAX_OPERANDS]
    cdef int i
    for i in range(l.noperands):
        p[i] = l.ptr[i] if l.ptr[i] != NULL else <char*>&l.scalar[i]
    if likely(l.ndim == l.core):
        kernel_table.kernel[l.kernel * NDTYPES + l.dtype](l, p, scratch)
    else:
        drive_outer(l, p, scratch)


cdef void drive_outer(const Launch* l, char** p, void* scratch) noexcept nogil:
    cdef Kernel kernel = kernel_table.kernel[l.kernel * NDTYPES + l.dtype]
    cdef int64_t index[MAX_LOOP]
    cdef int i, d, outer = l.ndim - l.core
    for d in range(outer):
        if l.shape[d] == 0:
            return
        index[d] = 0
    while True:
        kernel(l, p, scratch)
        d = outer - 1
        while True:
            index[d] += 1
            for i in range(l.noperands):
                p[i] += l.stride[i][d]
            if index[d] < l.shape[d]:
                break
            for i in range(l.noperands):
                p[i] -= l.stride[i][d] * l.shape[d]
            index[d] = 0
            d -= 1
            if d < 0:
                return


cdef inline int64_t work_of(const Launch* l) noexcept nogil:
    cdef int64_t work = 1
    cdef int d
    for d in range(l.ndim):
        work *= l.shape[d]
    return work


cdef int ensure_scratch() except -1:
    if fg_scratch == NULL and kernel_table.scratch_bytes and fg_make_scratch(kernel_table.scratch_bytes) == NULL:
        raise MemoryError("cannot allocate a thread's scratch memory")
    return 0


cdef inline int run(Launch* l) except -1:
    """Run a launch now; keep a copy if a recorder is on."""
    if unlikely(recorder_on):
        keep_launch(l)
    cdef void* scratch = fg_scratch
    if unlikely(scratch == NULL):
        ensure_scratch()
        scratch = fg_scratch
    cdef int64_t work = work_of(l)
    if likely(work < large_launch):
        l.streams = False
        drive(l, scratch)
        return 0
    return run_large(l, work, False)


cdef inline int run_flat(Launch* l, char** p, Kernel function) except -1:
    """As run, of a launch with one dimension whose kernel and operands the caller has at hand."""
    if unlikely(recorder_on) or unlikely(l.shape[0] >= large_launch) or unlikely(fg_scratch == NULL):
        return run(l)
    l.streams = False
    function(l, p, fg_scratch)
    return 0


cdef int run_holding(Launch* l) except -1:
    """As run, without letting another Python thread in."""
    if recorder_on:
        keep_launch(l)
    return run_again(l)


cdef int run_again(Launch* l) except -1:
    """Run a launch that a recording keeps, or that must hold the GIL."""
    cdef int64_t work = work_of(l)
    ensure_scratch()
    if work < large_launch:
        l.streams = False
        drive(l, fg_scratch)
        return 0
    return run_large(l, work, True)


cdef inline bint has_kernel(int kernel, int dt) noexcept nogil:
    return kernel_table.kernel[kernel * NDTYPES + dt] != NULL
