# Threads: which launches are cut, where, and into how many pieces.  The pool that runs the pieces is core/pool.h.
#
# Where a kernel may be cut is a column of the kernel table, and no cut changes a bit of its result; so when to cut is a
# matter of time alone.  What a launch will take is estimated from what earlier ones of its kind took: nanoseconds for each
# element of the loop, by kernel, dtype and magnitude of the loop, measured as programs run.  Everything but `run_piece` is
# called under the GIL.

cdef extern from "core/pool.h" nogil:
    ctypedef struct fg_pool_state "fg_pool":
        int workers
    fg_pool_state fg_pool
    int64_t fg_now()
    int fg_pool_take(int threads, size_t scratch_bytes)
    int64_t fg_pool_run(void (*run)(const void* job, int piece, void* scratch) noexcept nogil, const void* job, int pieces, int threads,
                        bint wake)
    bint fg_pool_awake()
    bint fg_pool_wakes(double times)
    void fg_pool_stop()
    const int FG_MAX_THREADS, FG_LATE

cdef enum:
    MAGNITUDES = 16                # of loops: doublings from 1024 elements on
    TILE_UNIT = 32                 # GEMM_CUT in kernels/gemm.pxi
    PACKED = 4 << 20               # GEMM_LARGE there
    NEAR_UNIT = 16                 # neighbours in memory are cut at multiples of it
    PIECES_EACH = 4                # for a thread, of what can be cut anywhere: so that one that is kept from running is helped
    PIECE_NS = 3000                # the least that is worth being a piece of its own
    TIMED_NS = 3000                # shorter launches are timed now and then only
    LONG_NS = 10000                # the GIL is dropped for launches from here on
    STREAM_BYTES = 8 << 20         # results from here on are written past the caches, where that is all that takes time

ctypedef struct Cut:
    const Launch* launch
    int dim[2]                     # which dimensions are cut, at multiples of which units, into how many pieces
    int64_t unit[2]
    int pieces[2]

cdef double UNKNOWN_NS = 0.01      # an element of a kind that was not seen yet: no less than what a fast one takes
cdef float cost[KERNELS * NDTYPES * MAGNITUDES]
cdef unsigned int untimed = 0
cdef uint8_t was_cut[KERNELS]      # kernels of which some launch ran in pieces
cdef int thread_limit = 0          # 0: not asked for yet
cdef int64_t large_launch = 4096   # elements from which time is thought of at all
cdef int64_t worth_awake = 6000    # nanoseconds from which a launch is cut where a worker is looking for work,
cdef int64_t worth_waking = 25000  # and where it sleeps


cdef void run_piece(const void* job, int piece, void* scratch) noexcept nogil:
    cdef const Cut* cut = <const Cut*>job
    cdef Launch l = cut.launch[0]
    narrow(&l, cut.dim[0], cut.unit[0], piece % cut.pieces[0], cut.pieces[0])
    if cut.pieces[1] > 1:
        narrow(&l, cut.dim[1], cut.unit[1], piece // cut.pieces[0], cut.pieces[1])
    drive(&l, scratch)


cdef inline void narrow(Launch* l, int d, int64_t unit, int piece, int pieces) noexcept nogil:
    """One of nearly equal pieces of dimension d; the last takes what is left over of a unit."""
    cdef int64_t units = l.shape[d] // unit, begin = units * piece // pieces * unit, end = units * (piece + 1) // pieces * unit
    cdef int i
    if piece == pieces - 1:
        end = l.shape[d]
    l.shape[d] = end - begin
    for i in range(l.noperands):
        if l.ptr[i] != NULL:
            l.ptr[i] += l.stride[i][d] * begin


cdef inline bint neighbours(const Launch* l, int d) noexcept nogil:
    """Whether no operand moves further along d than from element to element."""
    cdef int i
    for i in range(l.noperands):
        if l.ptr[i] != NULL and (l.stride[i][d] > 8 or l.stride[i][d] < -8):
            return False
    return True


cdef int plan_cut(const Launch* l, int threads, int64_t most, Cut* cut) noexcept nogil:
    """Where to cut; returns the number of pieces.  The outermost dimension that is long enough, else the longest."""
    cdef int how = kernel_table.cut[l.kernel], outer = l.ndim - l.core, d
    cdef int64_t units = 1, unit
    cut.launch = l
    cut.dim[0] = cut.dim[1] = 0
    cut.unit[0] = cut.unit[1] = cut.pieces[1] = 1
    if how & CUT_OUTER:
        for d in range(outer):
            if l.stride[0][d] != 0 and l.shape[d] > units:
                units, cut.dim[0] = l.shape[d], d
                if units >= PIECES_EACH * threads:
                    break
    if how & CUT_FIRST and units < PIECES_EACH * threads and l.stride[0][outer] != 0:
        unit = NEAR_UNIT if neighbours(l, outer) else 1
        if l.shape[outer] // unit > units:
            units, cut.dim[0], cut.unit[0] = l.shape[outer] // unit, outer, unit
    if how & CUT_SECOND and 2 * units <= threads and l.shape[outer + 1] >= 2 * TILE_UNIT:
        cut.dim[1], cut.unit[1] = outer + 1, TILE_UNIT
        cut.pieces[0], cut.pieces[1] = <int>units, <int>min(threads // units, l.shape[outer + 1] // TILE_UNIT)
        return cut.pieces[0] * cut.pieces[1]
    if how & CUT_TILES and units < 2 * threads:
        d = plan_tiles(l, outer, 2 * threads if most >= 2 * threads and in_caches(l, outer) else threads, cut)
        if d > 1:
            return d
    cut.pieces[0] = <int>min(units, most)
    return cut.pieces[0]


cdef inline bint in_caches(const Launch* l, int outer) noexcept nogil:
    """Whether the operands of a product are read where they lie: more pieces than threads cost nothing then."""
    return (l.shape[outer] + l.shape[outer + 1]) * l.shape[outer + 2] <= PACKED // 4


cdef int plan_tiles(const Launch* l, int outer, int pieces, Cut* cut) noexcept nogil:
    """Cut the first two core dimensions of a product so that operands are read (and packed) least often."""
    cdef int64_t m = l.shape[outer], n = l.shape[outer + 1], least = 0
    cdef int total = pieces, rows, best = 0
    while total > 1:
        for rows in range(1, total + 1):
            if total % rows or m < rows * TILE_UNIT or n < total // rows * TILE_UNIT:
                continue
            if best == 0 or rows * n + total // rows * m < least:
                best, least = rows, rows * n + total // rows * m
        if best:
            cut.dim[0], cut.dim[1] = outer, outer + 1
            cut.unit[0] = cut.unit[1] = TILE_UNIT
            cut.pieces[0], cut.pieces[1] = best, total // best
            return total
        total -= 1
    return 1


cdef int run_large(Launch* l, int64_t work, bint holding) except -1:
    """Run a launch of many elements: in pieces where that is faster, without the GIL (unless `holding`) where it is long."""
    cdef int pieces, threads
    cdef float* unit_cost = &cost[(l.kernel * NDTYPES + l.dtype) * MAGNITUDES + min(max(fg_log2(work) - 10, 0), MAGNITUDES - 1)]
    cdef double expected = work * (unit_cost[0] if unit_cost[0] > 0 else UNKNOWN_NS)
    cdef bint wake = False
    cdef int64_t spent
    cdef Cut cut
    l.streams = work >= STREAM_BYTES // 8 and writes_afresh(l, work)
    if thread_limit != 1 and kernel_table.cut[l.kernel]:
        wake = fg_pool_wakes(expected / worth_waking if worth_waking else 2 << FG_LATE)
        if wake or (expected >= worth_awake and fg_pool_awake()):
            threads = min(get_num_threads(), FG_MAX_THREADS)
            pieces = plan_cut(l, threads, min(max(<int64_t>(expected / PIECE_NS), threads), PIECES_EACH * threads), &cut)
            threads = take_pool(min(threads, pieces))
            if threads > 1:
                was_cut[l.kernel] = 1
                if holding or expected < LONG_NS:
                    spent = fg_pool_run(run_piece, &cut, pieces, threads, wake)
                else:
                    with nogil:
                        spent = fg_pool_run(run_piece, &cut, pieces, threads, wake)
                note_cost(unit_cost, <double>spent / work)
                return 0
    return run_alone(l, work, holding, unit_cost, expected)


cdef bint writes_afresh(const Launch* l, int64_t work) noexcept nogil:
    """Whether a launch fills STREAM_BYTES that it does not read."""
    cdef int i, last = l.ndim - 1
    if work * l.stride[0][last] < STREAM_BYTES:
        return False
    for i in range(1, l.noperands):
        if l.ptr[i] == l.ptr[0]:
            return False
    return True


cdef int run_alone(Launch* l, int64_t work, bint holding, float* unit_cost, double expected) except -1:
    """Run a launch on this thread, and time it, every time or every sixteenth."""
    global untimed
    cdef void* scratch = fg_scratch
    cdef int64_t start, spent
    if expected < TIMED_NS and unit_cost[0] > 0:
        untimed += 1
        if untimed % 16:
            drive(l, scratch)
            return 0
    start = fg_now()
    if holding or expected < LONG_NS:
        drive(l, scratch)
        spent = fg_now() - start
    else:
        with nogil:
            drive(l, scratch)
            spent = fg_now() - start
    note_cost(unit_cost, <double>spent / work)
    return 0


cdef void note_cost(float* unit_cost, double seen) noexcept nogil:
    """Down at once, up slowly: a thread that was kept from running makes a launch look long."""
    if unit_cost[0] <= 0:
        unit_cost[0] = <float>max(seen, 1e-6)
    elif seen < unit_cost[0]:
        unit_cost[0] += <float>(seen - unit_cost[0]) / 2
    else:
        unit_cost[0] += (<float>min(seen, 2 * unit_cost[0]) - unit_cost[0]) / 16


cdef int take_pool(int threads) except -1:
    """Take the pool for up to so many threads; how many there are then, 1 if another launch has it."""
    cdef bint first = fg_pool.workers == 0
    if threads < 2:
        return 1
    threads = fg_pool_take(threads, kernel_table.scratch_bytes)
    if first and threads > 1:
        stop_at_exit()
    return threads


# ---- how many ---------------------------------------------------------------------------------------------------------------

cdef bint stops_at_exit = False


cdef int stop_at_exit() except -1:
    global stops_at_exit
    if not stops_at_exit:
        stops_at_exit = True
        import atexit
        atexit.register(stop_threads)
    return 0


def stop_threads():
    """End the worker threads for good: launches run on their callers' threads from now on.  Called at exit."""
    fg_pool_stop()


def get_num_threads():
    """The most threads that one operation uses.

    Unless set_num_threads was called: FASTGRAD_NUM_THREADS, else OMP_NUM_THREADS, else the cores that this process may run on,
    less what its container's quota forbids.
    """
    global thread_limit
    if thread_limit == 0:
        thread_limit = default_threads()
    return thread_limit


def set_num_threads(num):
    """Set the most threads that one operation may use.  Results do not depend on it.

    Raises:
        TypeError: not an int.
        RuntimeError: not positive.
    """
    global thread_limit
    if not isinstance(num, int):
        raise TypeError(f"set_num_threads expects an int, but got {type(num).__name__}")
    if num <= 0:
        raise RuntimeError("set_num_threads expects a positive integer")
    thread_limit = min(num, 1 << 20)


def worker_count():
    """How many worker threads this process has."""
    return fg_pool.workers


def set_cut_over(int64_t elements, int64_t awake, int64_t waking):
    """Which launches are cut among threads: those of so many elements that take so many nanoseconds, where a worker is awake, and
    where it sleeps.  For tests and benchmarks: results do not depend on it.  Returns what it replaces."""
    global large_launch, worth_awake, worth_waking
    before = (large_launch, worth_awake, worth_waking)
    large_launch, worth_awake, worth_waking = max(elements, 2), awake, waking
    return before


def kernels_cut():
    """The numbers of the kernels of which a launch ran in pieces so far."""
    return [k for k in range(KERNELS) if was_cut[k]]


cdef int default_threads() except -1:
    import os
    for name in ("FASTGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        text = os.environ.get(name, "").partition(",")[0].strip()
        if text.isdigit() and int(text) > 0:
            return min(int(text), FG_MAX_THREADS)
    return max(1, min(allowed_cores(), quota_of_container(), FG_MAX_THREADS))


def allowed_cores():
    """How many cores this process may run on; threads that share a core count once."""
    import os
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = set()
    for cpu in os.sched_getaffinity(0):
        try:
            with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list") as f:
                cores.add(f.read())
        except OSError:                # the system does not say: a core of its own
            cores.add(cpu)
    return len(cores)


def quota_of_container(root=""):
    """How many processors the control groups of this process allow, rounded up; a large number if they do not limit it.

    Args:
        root: a folder to look for /proc and /sys in.
    Source: the kernel's documentation, cgroup-v2 (cpu.max) and sched-bwc (cpu.cfs_quota_us).
    """
    limit = 1 << 20
    for line in lines_of_file(f"{root}/proc/self/cgroup"):
        number, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        while True:
            path = path.rstrip("/")
            if controllers:
                folder = f"{root}/sys/fs/cgroup/cpu{path}"
                words = lines_of_file(f"{folder}/cpu.cfs_quota_us") + lines_of_file(f"{folder}/cpu.cfs_period_us")
            else:
                words = " ".join(lines_of_file(f"{root}/sys/fs/cgroup{path}/cpu.max")).split()
            if len(words) == 2 and words[0].isdigit() and int(words[1]) > 0:
                limit = min(limit, max(1, -(-int(words[0]) // int(words[1]))))
            if not path:
                break
            path = path.rpartition("/")[0]
    return limit


def lines_of_file(path):
    """The lines of a file of the system, none if it is not there."""
    try:
        with open(path) as f:
            return f.read().splitlines()
    except OSError:
        return []
