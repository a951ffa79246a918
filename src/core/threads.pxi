# Threads: which launches are cut, where, and into how many pieces.  The pool that runs the pieces is core/pool.h.
#
# Where a kernel may be cut is a column of the kernel table, and no cut changes a bit of its result; so when to cut is a
# matter of time alone.  What a launch will take is estimated from what earlier ones of its kind took: nanoseconds for each
# element of the loop, by kernel, dtype, depth and magnitude of the loop, measured as programs run.  Everything but `run_piece` is
# called under the GIL.

cdef extern from "core/pool.h" nogil:
    ctypedef struct fg_pool_state "fg_pool":
        int workers
        int64_t* job
    fg_pool_state fg_pool
    int64_t fg_now()
    int fg_pool_take(int threads, size_t scratch_bytes)
    void fg_pool_run(void (*run)(const int64_t* job, int piece, void* scratch) noexcept nogil, int pieces, int threads, bint wake)
    bint fg_pool_awake()
    bint fg_pool_wakes(double times)
    void fg_pool_stop()
    const int FG_MAX_THREADS, FG_LATE

cdef enum:
    MAGNITUDES = 16                # of loops: doublings from 1024 elements on
    TILE_UNIT = 32                 # GEMM_CUT in kernels/gemm.pxi
    LOOPS = 4                      # around a kernel's core: none to three, or more
    UNTIMED = 16                   # of short launches that run alone, one in so many is timed
    SPELL_NS = 20000000            # Note [Spells]
    SPELLS = 32
    PACKED = 4 << 20               # GEMM_LARGE there
    NEAR_UNIT = 16                 # neighbours in memory are cut at multiples of it
    PIECES_EACH = 4                # for a thread, of what can be cut anywhere: so that one that is kept from running is helped
    PIECE_NS = 3000                # the least that is worth being a piece of its own
    TIMED_NS = 3000                # shorter launches are timed now and then only
    LONG_NS = 10000                # the GIL is dropped for launches from here on
    STREAM_BYTES = 24 << 20        # what reads and writes more than this finds little of it in the caches, and may write past them

ctypedef struct Cut:
    int8_t dim[2]                  # which dimensions are cut, at multiples of which units, into how many pieces
    int8_t unit[2]
    int16_t pieces[2]

ctypedef struct Times:             # of launches of one kernel, dtype, depth and magnitude, nanoseconds an element; 0: not known
    float alone, cut               # on one thread, where none is cut; in pieces
    unsigned int spell             # in which it was last seen anew whether pieces are faster

cdef double UNKNOWN_NS = 0.01      # an element of a kind that was not seen yet: no less than what a fast one takes
cdef Times times[KERNELS * NDTYPES * LOOPS * MAGNITUDES]
cdef unsigned int spell = 2        # Note [Spells]
cdef bint cutting = True, every = False
cdef int spells_left = 1, rest = 1
cdef double taken_ns = 0, alone_ns = 0, cut_ns = 0
cdef unsigned int untimed = 0
cdef uint8_t was_cut[KERNELS]      # kernels of which some launch ran in pieces
cdef int thread_limit = 0          # 0: not asked for yet
cdef int64_t large_launch = 4096   # elements from which time is thought of at all
cdef int64_t worth_awake = 4000    # nanoseconds from which a launch is cut where a worker is looking for work,
cdef int64_t worth_waking = 25000  # and where it sleeps


cdef void run_piece(const int64_t* job, int piece, void* scratch) noexcept nogil:
    cdef Launch l
    cdef Cut cut
    unpack(job, &l, &cut)
    narrow(&l, cut.dim[0], cut.unit[0], piece // cut.pieces[1], cut.pieces[0])
    if cut.pieces[1] > 1:
        narrow(&l, cut.dim[1], cut.unit[1], piece % cut.pieces[1], cut.pieces[1])
    drive_large(&l, scratch)


cdef inline void drive_large(const Launch* l, void* scratch) noexcept nogil:
    drive(l, scratch)
    if l.streams:
        fg_end_streams()


cdef void pack(const Launch* l, const Cut* cut, int64_t* job) noexcept nogil:
    """What of a launch is in use, side by side: other threads' caches get it line by line."""
    cdef int i
    memcpy(job, cut, 8)
    memcpy(job + 1, l, 8)
    memcpy(job + 2, l.shape, 8 * l.ndim)
    job += 2 + l.ndim
    memcpy(job, l.ptr, 8 * l.noperands)
    job += l.noperands
    for i in range(l.noperands):
        memcpy(job, l.stride[i], 8 * l.ndim)
        job += l.ndim
        if l.ptr[i] == NULL:
            memcpy(job, &l.scalar[i], sizeof(Scalar))
            job += sizeof(Scalar) // 8
    memcpy(job, l.attr, sizeof(l.attr))


cdef void unpack(const int64_t* job, Launch* l, Cut* cut) noexcept nogil:
    cdef int i
    memcpy(cut, job, 8)
    memcpy(l, job + 1, 8)
    memcpy(l.shape, job + 2, 8 * l.ndim)
    job += 2 + l.ndim
    memcpy(l.ptr, job, 8 * l.noperands)
    job += l.noperands
    for i in range(l.noperands):
        memcpy(l.stride[i], job, 8 * l.ndim)
        job += l.ndim
        if l.ptr[i] == NULL:
            memcpy(&l.scalar[i], job, sizeof(Scalar))
            job += sizeof(Scalar) // 8
    memcpy(l.attr, job, sizeof(l.attr))


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
    cut.dim[0] = cut.dim[1] = 0
    cut.unit[0] = cut.unit[1] = cut.pieces[1] = 1
    if how & CUT_OUTER:
        for d in range(outer):
            if l.stride[0][d] != 0 and l.shape[d] > units:
                units, cut.dim[0] = l.shape[d], <int8_t>d
                if units >= PIECES_EACH * threads:
                    break
    if how & CUT_FIRST and units < PIECES_EACH * threads and l.stride[0][outer] != 0:
        unit = NEAR_UNIT if neighbours(l, outer) else 1
        if l.shape[outer] // unit > units:
            units, cut.dim[0], cut.unit[0] = l.shape[outer] // unit, <int8_t>outer, <int8_t>unit
    if how & CUT_SECOND and 2 * units <= threads and l.shape[outer + 1] >= 2 * TILE_UNIT:
        cut.dim[1], cut.unit[1] = <int8_t>(outer + 1), TILE_UNIT
        cut.pieces[0], cut.pieces[1] = <int16_t>units, <int16_t>min(threads // units, l.shape[outer + 1] // TILE_UNIT)
        return cut.pieces[0] * cut.pieces[1]
    if how & CUT_TILES and units < 2 * threads:
        d = plan_tiles(l, outer, threads, 2 * threads if most >= 2 * threads and in_caches(l, outer) else threads, cut)
        if d > 1:
            return d
    cut.pieces[0] = <int16_t>min(units, most)
    return cut.pieces[0]


cdef inline bint in_caches(const Launch* l, int outer) noexcept nogil:
    """Whether the operands of a product are read where they lie: more pieces than threads cost nothing then."""
    return (l.shape[outer] + l.shape[outer + 1]) * l.shape[outer + 2] <= PACKED // 4


cdef int plan_tiles(const Launch* l, int outer, int threads, int pieces, Cut* cut) noexcept nogil:
    """Cut the first two core dimensions of a product so that operands are read (and packed) least often, and so that each thread
    has rows of its own, as in the launches before and after: else one operand and the result move between the caches."""
    cdef int64_t m = l.shape[outer], n = l.shape[outer + 1], k = l.shape[outer + 2], least = 0, moved
    cdef int total = pieces, rows, best = 0
    while total > 1:
        for rows in range(1, total + 1):
            if total % rows or m < rows * TILE_UNIT or n < total // rows * TILE_UNIT:
                continue
            moved = (rows * n + total // rows * m) * k + (m * (k + n) if rows % threads else 0)
            if best == 0 or moved < least:
                best, least = rows, moved
        if best:
            cut.dim[0], cut.dim[1] = <int8_t>outer, <int8_t>(outer + 1)
            cut.unit[0] = cut.unit[1] = TILE_UNIT
            cut.pieces[0], cut.pieces[1] = <int16_t>best, <int16_t>(total // best)
            return total
        total -= 1
    return 1


cdef int run_large(Launch* l, int64_t work, bint holding) except -1:
    """Run a launch of many elements: in pieces where that is faster, without the GIL (unless `holding`) where it is long."""
    cdef int pieces, threads
    cdef Times* kind = &times[((l.kernel * NDTYPES + l.dtype) * LOOPS + min(l.ndim - l.core, LOOPS - 1)) * MAGNITUDES
                              + min(max(fg_log2(work) - 10, 0), MAGNITUDES - 1)]
    cdef double expected = work * (kind.alone if kind.alone > 0 else UNKNOWN_NS)
    cdef bint wake = False, awake
    cdef int64_t start
    cdef Cut cut
    l.streams = work >= STREAM_BYTES // 64 and past_caches(l, work)
    if thread_limit != 1 and kernel_table.cut[l.kernel]:
        wake = fg_pool_wakes(expected / worth_waking if worth_waking else 2 << FG_LATE)
        awake = expected >= worth_awake and fg_pool_awake()
        if (wake or awake) and (worth_awake == 0 or cutting_pays(kind)):
            threads = min(get_num_threads(), FG_MAX_THREADS)
            pieces = plan_cut(l, threads, threads * min(max(<int64_t>(expected / PIECE_NS) // threads, 1), PIECES_EACH), &cut)
            threads = take_pool(min(threads, pieces))
            if threads > 1:
                was_cut[l.kernel] = 1
                start = fg_now()
                pack(l, &cut, fg_pool.job)
                if holding or expected < LONG_NS:
                    fg_pool_run(run_piece, pieces, threads, wake)
                else:
                    with nogil:
                        fg_pool_run(run_piece, pieces, threads, wake)
                if awake:
                    note_cut(kind, fg_now() - start, work, threads)
                return 0
    return run_alone(l, work, holding, kind, expected)


# Note [Spells]
#
# Where caches are far apart, a launch that is cut may gain less than is lost as operands move from one to the other, in its
# own pieces and in the launches after it that run on one thread and find half of their operands in the other's cache.  The
# former is seen by comparing what a kind takes in pieces with what it takes alone, anew in every other spell; the latter only
# by what all launches take together.  So there are spells of cutting, and spells of cutting nothing, which tell what launches
# take where nothing moves.  Few are of the latter sort as long as cutting pays; where it does not, it is given up after one, for
# twice as many each time, up to SPELLS.  After such a failure every launch that is long enough is cut, not those alone whose
# kind gains: where most are cut, each thread keeps its rows.

cdef inline bint cutting_pays(Times* kind) noexcept nogil:
    return cutting and (every or spell - kind.spell >= 2 or kind.cut <= kind.alone)


cdef void note_cut(Times* kind, int64_t ns, int64_t work, int threads) noexcept nogil:
    global cut_ns
    if kind.alone <= 0:
        kind.alone = <float>(<double>ns * threads / work)
    if kind.cut <= 0:
        kind.cut = kind.alone * <float>0.75            # that a first launch is late proves nothing
    if spell - kind.spell >= 2:
        kind.spell, kind.cut = spell, min(kind.cut, kind.alone * <float>0.95)
    note(&kind.cut, <double>ns / work, 2, 8)
    cut_ns += kind.alone * work
    pass_time(ns, kind.alone * work)


cdef void note_alone(Times* kind, int64_t ns, int64_t work, int times) noexcept nogil:
    note(&kind.alone, <double>ns / work, 4, 256 if cutting else 8)
    if thread_limit != 1:
        pass_time(<double>ns * times, kind.alone * work * times)


cdef inline void note(float* figure, double seen, int down, int up) noexcept nogil:
    """Part of the way to what was seen, more of it down than up: a thread that was kept from running makes a launch look long."""
    if figure[0] <= 0:
        figure[0] = <float>max(seen, 1e-6)
    else:
        figure[0] += (<float>min(seen, 2 * figure[0]) - figure[0]) / (down if seen < figure[0] else up)


cdef void pass_time(double ns, double alone) noexcept nogil:
    """A launch took so long, and would have taken so long where none is cut.  Begin the next spell when this one is over."""
    global spell, spells_left, rest, cutting, every, taken_ns, alone_ns, cut_ns
    cdef bint tells
    taken_ns += ns
    alone_ns += alone
    if taken_ns < SPELL_NS:
        return
    spell += 1
    spells_left -= 1
    tells = cut_ns > alone_ns / 8                      # enough was cut
    if tells and taken_ns > alone_ns + cut_ns / 32:
        cutting, every, spells_left, rest = False, not every, rest, min(2 * rest, SPELLS)
    elif spells_left <= 0:
        every = every and not cutting
        cutting = not cutting
        spells_left = 8 * SPELLS if cutting else 1
    if tells and cutting:
        rest = 1
    taken_ns = alone_ns = cut_ns = 0


cdef bint past_caches(const Launch* l, int64_t work) noexcept nogil:
    """Whether a launch goes over STREAM_BYTES, and writes a good part of them without having read it."""
    cdef int i
    cdef int64_t written = bytes_of(l, 0, work), total = written
    for i in range(1, l.noperands):
        if l.ptr[i] == l.ptr[0]:
            return False
        if l.ptr[i] != NULL:
            total += bytes_of(l, i, work)
    return total >= STREAM_BYTES and written >= STREAM_BYTES // 6


cdef inline int64_t bytes_of(const Launch* l, int operand, int64_t work) noexcept nogil:
    """How much memory an operand lies in; where its innermost stride is negative, 0 or less."""
    cdef int d
    for d in range(l.ndim - 1):
        if l.stride[operand][d] == 0:
            work //= l.shape[d]
    return work * l.stride[operand][l.ndim - 1]


cdef int run_alone(Launch* l, int64_t work, bint holding, Times* kind, double expected) except -1:
    """Run a launch on this thread, and time it, every time or now and then."""
    global untimed
    cdef void* scratch = fg_scratch
    cdef int64_t start, spent
    cdef bint short = expected < TIMED_NS and kind.alone > 0
    if short:
        untimed += 1
        if untimed % UNTIMED:
            drive_large(l, scratch)
            return 0
    start = fg_now()
    if holding or expected < LONG_NS:
        drive_large(l, scratch)
        spent = fg_now() - start
    else:
        with nogil:
            drive_large(l, scratch)
            spent = fg_now() - start
    note_alone(kind, spent, work, UNTIMED if short else 1)
    return 0


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
