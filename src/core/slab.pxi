# Slabs: the memory of Tensor and Node objects, many to an aligned block.
#
# An object's slab is found from its address, so making and unmaking one is a pop and a push.  A slab knows where its objects lie, so
# the living can be gone through without being linked to each other.  Empty slabs go back to the system, but for a few.
# A dead object stays initialised, as its dealloc leaves it; its first field after the header, which is a plain pointer in both
# classes, links it to the next dead one.

# Note [Long graphs are fetched ahead]: a graph that is larger than the caches is read at the speed of the memory's answers, unless a
# node is asked for some nodes before its turn.  Where nobody knows it yet, the place is asked for where it would be if nodes lay as
# far apart as the last two did; a wrong guess costs nothing.

cdef enum:
    SLAB_BYTES = 1 << 16
    SPARE_SLABS = 16
    AHEAD = 8                             # nodes that are fetched before their turn
    GC_HEADER = 2 * sizeof(void*)         # CPython's, in front of every object it may track

ctypedef struct Slab:
    Slabs* home
    Slab* next
    Slab* previous
    PyObject* dead                        # objects to be used again
    char* fresh                           # beyond the objects made so far
    int32_t living
    bint full

ctypedef struct Slabs:
    Slab* current                         # where objects are taken from
    Slab* open                            # others with room left
    Slab* full                            # without room when they were last looked at
    int spare                             # empty ones among `open`
    int size                              # of an object with its header
    PyObject* model                       # what a fresh object looks like
    int model_size
    int references                        # that the model's fields hold to None

ctypedef void (*visit_object)(PyObject* p) noexcept


cdef inline PyObject** next_dead(PyObject* p) noexcept:
    return <PyObject**>(p + 1)


cdef inline PyObject* take_object(Slabs* home) except NULL:
    """An object without references, as its dealloc, or the model, left it."""
    cdef Slab* s = home.current
    cdef PyObject* p
    if unlikely(s == NULL) or unlikely(s.dead == NULL):
        return take_fresh(home)
    p = s.dead
    s.dead = next_dead(p)[0]
    s.living += 1
    Py_SET_REFCNT(p, 0)
    return p


cdef inline size_t further(size_t before, size_t at) noexcept:
    return at + AHEAD * (at - before)


cdef inline void fetch_node(size_t place) noexcept:
    """What every walk reads of a node: see Node."""
    fg_fetch(<void*>place)
    fg_fetch(<void*>(place + 64))
    fg_fetch(<void*>(place + 128))


cdef inline Slab* slab_of(PyObject* p) noexcept:
    return <Slab*>(<size_t>p & ~<size_t>(SLAB_BYTES - 1))


cdef inline void give_object(PyObject* p) noexcept:
    cdef Slab* s = slab_of(p)
    next_dead(p)[0] = s.dead
    s.dead = p
    s.living -= 1
    if unlikely(s != s.home.current) and (s.full or s.living == 0):
        reopen(s)


cdef void reopen(Slab* s) noexcept:
    """A slab beside the current one has room again, or is empty."""
    cdef Slabs* home = s.home
    if s.full:
        unlink_slab(&home.full, s)
        link_slab(&home.open, s)
        s.full = False
    if s.living == 0:
        if home.spare < SPARE_SLABS:
            home.spare += 1
        else:
            unlink_slab(&home.open, s)
            free_slab(s)


cdef PyObject* take_fresh(Slabs* home) except NULL:
    """As take_object, where the current slab has no dead object."""
    cdef Slab* s = home.current
    cdef char* p
    if s == NULL or s.fresh + home.size > <char*>s + SLAB_BYTES:
        change_slab(home)
        s = home.current
        if s.dead != NULL:
            return take_object(home)
    p = s.fresh
    memset(p, 0, GC_HEADER)
    p += GC_HEADER
    memcpy(p, home.model, home.model_size)
    PyObject_Init(<PyObject*>p, Py_TYPE(home.model))
    Py_SET_REFCNT(<PyObject*>p, 0)
    Py_SET_REFCNT(<PyObject*>None, (<PyObject*>None).ob_refcnt + home.references)
    s.fresh += home.size
    s.living += 1
    return <PyObject*>p


cdef void free_slab(Slab* s) noexcept:
    cdef int objects = <int>((s.fresh - <char*>s - sizeof(Slab)) // s.home.size)
    Py_SET_REFCNT(<PyObject*>None, (<PyObject*>None).ob_refcnt - objects * s.home.references)
    fg_aligned_free(s)


cdef int change_slab(Slabs* home) except -1:
    """Put the current slab, which has no room, aside and take one that has."""
    cdef Slab* s = home.open
    if s != NULL:
        unlink_slab(&home.open, s)
        if s.living == 0:
            home.spare -= 1
    else:
        s = <Slab*>fg_aligned_alloc(SLAB_BYTES, SLAB_BYTES)
        if s == NULL:
            raise MemoryError("cannot allocate memory for tensors")
        memset(s, 0, sizeof(Slab))
        s.home = home
        s.fresh = <char*>s + sizeof(Slab)
    if home.current != NULL:
        home.current.full = True
        link_slab(&home.full, home.current)
    s.next = NULL
    home.current = s
    return 0


cdef void link_slab(Slab** at, Slab* s) noexcept:
    s.previous, s.next = NULL, at[0]
    if at[0] != NULL:
        at[0].previous = s
    at[0] = s


cdef void unlink_slab(Slab** at, Slab* s) noexcept:
    if s.previous != NULL:
        s.previous.next = s.next
    else:
        at[0] = s.next
    if s.next != NULL:
        s.next.previous = s.previous


cdef void for_each_object(Slabs* home, visit_object visit) noexcept:
    """Visit every object that somebody holds."""
    visit_slabs(home.current, home.size, visit)
    visit_slabs(home.open, home.size, visit)
    visit_slabs(home.full, home.size, visit)


cdef void visit_slabs(Slab* s, int size, visit_object visit) noexcept:
    cdef char* p
    while s != NULL:
        p = <char*>s + sizeof(Slab)
        while p < s.fresh:
            if (<PyObject*>(p + GC_HEADER)).ob_refcnt > 0:
                visit(<PyObject*>(p + GC_HEADER))
            p += size
        s = s.next


cdef void begin_slabs(Slabs* home, PyObject* model, Py_ssize_t size) noexcept:
    """Objects will be copies of `model`, `size` bytes long, which stays alive."""
    cdef PyObject** field = <PyObject**>model
    cdef Py_ssize_t i
    home.model, home.model_size = model, <int>size
    home.size = <int>((GC_HEADER + size + 15) & ~<Py_ssize_t>15)
    for i in range(size // sizeof(void*)):
        home.references += field[i] == <PyObject*>None
