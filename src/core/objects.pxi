# How Tensor and Node objects are made and unmade: free lists, garbage collection, release without recursion.
#
# Cython's own allocation would clear 300 bytes and look for finalizers each time; these two types are made millions of
# times a second, so their tp_dealloc (and the Node's tp_traverse and tp_clear, whose edges are C arrays) are written out.
# Note [Release without recursion]: a node owns the nodes below it, a million deep; while a thread releases one, others that
# fall to zero wait in its list, linked through `seq`, which the outermost release empties; so do tensors that own tensors,
# linked through `a.data`, beyond a few.  An object that may run Python code as it goes (`drop_stranger`) starts with empty lists,
# which are emptied before it is gone: what such code releases is released at once, however long it runs.
# Note [Objects and the garbage collector]: a tensor refers to older nodes, a node to older nodes and tensors, so a cycle needs
# something that points up: a hook, a Function's context, an attribute of a tensor, a gradient that refers to anything itself.
# Until the process makes the first of these, tensors and nodes stay out of the collector (which would go over a living graph
# again and again); then all of them, found in their slabs, and every later one are shown to it.

cdef extern from "Python.h":
    ctypedef int (*visitproc)(PyObject*, void*) noexcept
    ctypedef void (*destructor)(PyObject*) noexcept
    ctypedef int (*traverseproc)(PyObject*, visitproc, void*) noexcept
    ctypedef int (*inquiry)(PyObject*) noexcept
    ctypedef void (*freefunc)(void*) noexcept
    ctypedef PyObject* (*ternaryfunc)(PyObject*, PyObject*, PyObject*) noexcept
    ctypedef struct PyTypeObject:
        const char* tp_name
        destructor tp_dealloc
        traverseproc tp_traverse
        inquiry tp_clear
        freefunc tp_free
        int (*tp_setattro)(PyObject*, PyObject*, PyObject*) noexcept
        PyTypeObject* tp_base
        Py_ssize_t tp_dictoffset
        void* tp_new
        void* tp_vectorcall
        Py_ssize_t tp_basicsize
        Py_ssize_t tp_weaklistoffset
        Py_ssize_t tp_vectorcall_offset
        ternaryfunc tp_call
        unsigned long tp_flags
        PyObject* tp_dict
    void PyObject_GC_Track(void*)
    void PyObject_GC_UnTrack(void*)
    void PyObject_ClearWeakRefs(PyObject*)
    PyTypeObject* Py_TYPE(PyObject*)
    void Py_SET_TYPE(PyObject*, PyTypeObject*)
    PyObject* PyObject_Init(PyObject*, PyTypeObject*)
    void Py_SET_REFCNT(PyObject*, Py_ssize_t)
    int PyObject_GenericSetAttr(PyObject*, PyObject*, PyObject*) noexcept

cdef Slabs tensor_slabs, node_slabs
cdef uint64_t sequence = 0            # nodes are numbered in the order they are made
cdef bint cycles_possible = False     # see Note [Objects and the garbage collector]


cdef inline bint is_node(PyObject* p) noexcept:
    """Whether it is a Node, also one that was shown: Note [Types of nodes] in shown_nodes.pxi."""
    return Py_TYPE(p) == <PyTypeObject*>Node or Py_TYPE(p).tp_dealloc == shown_node_dealloc


cdef inline Tensor new_tensor():
    """A leaf with neither storage nor shape yet; the caller gives it both at once."""
    global live_tensors
    cdef PyObject* p = take_object(&tensor_slabs)
    if FG_DEBUG:
        live_tensors += 1
    if unlikely(cycles_possible):
        PyObject_GC_Track(p)
    return <Tensor>p                      # takes the one reference


cdef inline PyObject** dict_of(PyObject* t) noexcept:
    """Where a tensor keeps its attributes; subclasses keep them there as well."""
    return <PyObject**>(<char*>t + (<PyTypeObject*>Tensor).tp_dictoffset)


cdef inline void clear_slot(PyObject** slot) noexcept:
    cdef PyObject* value = slot[0]
    if value != NULL:
        slot[0] = NULL
        Py_DECREF(<object>value)


cdef void drop_stranger(PyObject** slot) noexcept:
    """As clear_slot, of what may run Python code as it goes: see Note [Release without recursion]."""
    global fg_release
    cdef fg_release_t outside = fg_release
    if outside.strangers >= 32:
        clear_slot(slot)
        return
    fg_release.strangers += 1
    fg_release.nodes = fg_release.tensors = 0
    fg_release.waiting_nodes = fg_release.waiting_tensors = NULL
    clear_slot(slot)
    fg_release = outside


cdef inline void drop_owned(PyObject** slot) noexcept:
    """As clear_slot, of a node's edge or saved value."""
    cdef PyObject* value = slot[0]
    if value == NULL or value.ob_refcnt > 1 or is_node(value) or \
            (Py_TYPE(value) == <PyTypeObject*>Tensor and owns_little(value)):
        clear_slot(slot)
    else:
        drop_stranger(slot)


cdef inline bint owns_little(PyObject* t) noexcept:
    """Whether a tensor has nothing to let go of but its node and memory of its own."""
    cdef PyTypeObject* kind = <PyTypeObject*>Tensor
    cdef Storage* s = (<Tensor>t).storage
    return likely(Py_TYPE(t) == kind) and likely((<Tensor>t).grad_ is None) and likely((<Tensor>t).base is None) \
        and likely((<Tensor>t).extra is None) and likely(dict_of(t)[0] == NULL) \
        and likely((<PyObject**>(<char*>t + kind.tp_weaklistoffset))[0] == NULL) and likely(s != NULL) and likely(s.owner == NULL)


cdef void tensor_dealloc(PyObject* self) noexcept:
    """Leaves every object field None, so that the next tensor here needs no initialising."""
    global live_tensors
    if unlikely(cycles_possible) or unlikely(not owns_little(self)):
        dealloc_any(self)
        return
    if FG_DEBUG:
        live_tensors -= 1
    if (<Tensor>self).node is not None:
        (<Tensor>self).node = None
    drop_storage((<Tensor>self).storage)
    (<Tensor>self).storage = NULL
    (<Tensor>self).flags = 0
    (<Tensor>self).nr = 0
    give_object(self)


cdef void dealloc_any(PyObject* self) noexcept:
    """A tensor may own another through its grad, and so on a million deep: beyond a few, they wait for the outermost."""
    global fg_release
    if cycles_possible or Py_TYPE(self) != <PyTypeObject*>Tensor:
        PyObject_GC_UnTrack(self)
    if fg_release.tensors >= 32 and Py_TYPE(self) == <PyTypeObject*>Tensor:
        (<Tensor>self).a.data = <char*>fg_release.waiting_tensors       # nobody looks at it any more
        fg_release.waiting_tensors = self
        return
    fg_release.tensors += 1
    tensor_free(self)
    while fg_release.tensors == 1 and fg_release.waiting_tensors != NULL:
        self = <PyObject*>fg_release.waiting_tensors
        fg_release.waiting_tensors = (<Tensor>self).a.data
        tensor_free(self)
    fg_release.tensors -= 1


cdef void tensor_free(PyObject* self) noexcept:
    global live_tensors
    cdef PyTypeObject* kind = Py_TYPE(self)
    if FG_DEBUG:
        live_tensors -= 1
    if kind.tp_weaklistoffset and (<PyObject**>(<char*>self + kind.tp_weaklistoffset))[0] != NULL:
        PyObject_ClearWeakRefs(self)
    if (<Tensor>self).grad_ is not None:
        (<Tensor>self).grad_ = None
    if (<Tensor>self).node is not None:
        (<Tensor>self).node = None
    if (<Tensor>self).base is not None:
        (<Tensor>self).base = None
    if (<Tensor>self).extra is not None:
        (<Tensor>self).extra = None
    if (<Tensor>self).storage != NULL:
        drop_storage((<Tensor>self).storage)
        (<Tensor>self).storage = NULL
    (<Tensor>self).flags = 0
    (<Tensor>self).nr = 0
    if dict_of(self)[0] != NULL:
        drop_stranger(dict_of(self))
    if kind == <PyTypeObject*>Tensor:
        give_object(self)
    else:
        kind.tp_free(self)


cdef inline void use_inline(PyObject* node) noexcept:
    """Keep edges and outputs in the node itself; new_node allocates where they are too many."""
    (<Node>node).edge = (<Node>node).inline_edge
    (<Node>node).edge_nr = (<Node>node).inline_nr
    (<Node>node).meta = &(<Node>node).inline_meta


cdef int cycles_are_possible() except -1:
    """See Note [Objects and the garbage collector]."""
    global cycles_possible
    if not cycles_possible:
        cycles_possible = True
        for_each_object(&tensor_slabs, show_to_collector)
        for_each_object(&node_slabs, show_to_collector)
    return 0


cdef void show_to_collector(PyObject* p) noexcept:
    PyObject_GC_Track(p)


cdef inline Node new_node(const Row* row, int nedges, int noutputs):
    """A node with no edges and nothing saved yet."""
    global live_nodes, sequence
    cdef PyObject* p = take_object(&node_slabs)
    cdef Node n = <Node>p                 # takes the one reference
    cdef int i
    if FG_DEBUG:
        live_nodes += 1
    if unlikely(cycles_possible):
        PyObject_GC_Track(p)
    use_inline(p)
    n.row = row
    n.seq = sequence
    sequence += 1
    n.walk = 0
    n.nsaved = 0
    n.released = False
    n.noutputs = noutputs
    n.nedges = 0
    if unlikely(nedges > MAX_EDGES):
        n.edge = <PyObject**>malloc(nedges * (sizeof(PyObject*) + sizeof(uint32_t)))
        if n.edge == NULL:
            n.edge = n.inline_edge
            raise MemoryError("cannot allocate a node's edges")
        n.edge_nr = <uint32_t*>(n.edge + nedges)
        for i in range(nedges):
            n.edge[i] = NULL
    n.nedges = nedges                     # those in the node are NULL, and so is what it saves, as its last life or the model left them
    if unlikely(noutputs > 1):
        n.meta = <Meta*>malloc(noutputs * sizeof(Meta))
        if n.meta == NULL:
            n.meta = &n.inline_meta
            raise MemoryError("cannot allocate a node's outputs")
    return n


# The functions below take a PyObject*: at a reference count of zero no owned `Node` variable may come to be.

cdef void forget_saved(PyObject* self) noexcept:
    """Drop what the backward needed (after it ran, or when the node dies)."""
    cdef int i, count = (<Node>self).nsaved
    (<Node>self).nsaved = 0
    for i in range(count):
        drop_owned(&(<Node>self).saved[i])


cdef int node_release(PyObject* self) noexcept:
    """Drop everything the node owns; as tp_clear, of a node in a dead cycle."""
    cdef int i, count = (<Node>self).nedges
    cdef PyObject* extra
    (<Node>self).released = True
    (<Node>self).nedges = 0
    forget_saved(self)
    for i in range(count):
        drop_owned(&(<Node>self).edge[i])
    if unlikely((<Node>self).extra is not None):
        if (<Node>self).row.backward == function_backward:
            forget_context(self)
        extra = <PyObject*>(<Node>self).extra
        Py_INCREF(<object>extra)
        (<Node>self).extra = None
        drop_stranger(&extra)
    if unlikely((<Node>self).edge != (<Node>self).inline_edge):
        free((<Node>self).edge)
    if unlikely((<Node>self).meta != &(<Node>self).inline_meta):
        free((<Node>self).meta)
        (<Node>self).noutputs = 1
    use_inline(self)
    return 0


cdef int node_traverse(PyObject* self, visitproc visit, void* arg) noexcept:
    cdef int i, result
    for i in range((<Node>self).nedges):
        if (<Node>self).edge[i] != NULL:
            result = visit((<Node>self).edge[i], arg)
            if result:
                return result
    for i in range((<Node>self).nsaved):
        if (<Node>self).saved[i] != NULL:
            result = visit((<Node>self).saved[i], arg)
            if result:
                return result
    return visit(<PyObject*>(<Node>self).extra, arg)


cdef void node_free(PyObject* self) noexcept:
    global live_nodes
    node_release(self)
    if FG_DEBUG:
        live_nodes -= 1
    give_object(self)


cdef void node_dealloc(PyObject* self) noexcept:
    """See Note [Release without recursion]."""
    global fg_release
    cdef PyObject* other
    cdef size_t last = <size_t>self
    if unlikely(cycles_possible):
        PyObject_GC_UnTrack(self)
    if fg_release.nodes:
        (<Node>self).seq = <uint64_t>fg_release.waiting_nodes
        fg_release.waiting_nodes = self
        return
    fg_release.nodes = True
    node_free(self)
    while fg_release.waiting_nodes != NULL:
        other = <PyObject*>fg_release.waiting_nodes
        fg_release.waiting_nodes = <void*>(<Node>other).seq
        fetch_node(further(last, <size_t>other))
        last = <size_t>other
        node_free(other)
    fg_release.nodes = False


cdef void shown_node_dealloc(PyObject* self) noexcept:
    """See Note [Types of nodes]."""
    Py_SET_TYPE(self, <PyTypeObject*>Node)
    node_dealloc(self)


cdef int tensor_setattr(PyObject* self, PyObject* name, PyObject* value) noexcept:
    """An attribute that lands in a tensor's dictionary may close a cycle."""
    cdef int result = PyObject_GenericSetAttr(self, name, value)
    cdef PyObject** place
    if not cycles_possible and value != NULL:
        place = dict_of(self)
        if place[0] != NULL:
            cycles_are_possible()
    return result


cdef object no_node(object cls, object args, PyObject* kwargs):
    raise TypeError("cannot create 'fastgrad.Node' instances")


cdef object (*original_tensor_new)(object, object, PyObject*)


cdef object tensor_new(object cls, object args, PyObject* kwargs):
    """Tensor(...) from Python: no tensor without memory ever gets out."""
    cdef Tensor t = bare_tensor(cls)
    operations.construct(t, args, None if kwargs == NULL else <dict>kwargs)
    return t


cdef int begin_models() except -1:
    """What fresh objects are copies of: made by Cython's constructors, never looked at by the collector, never freed."""
    cdef Tensor t = Tensor.__new__(Tensor)
    cdef Node n = Node.__new__(Node)
    PyObject_GC_UnTrack(<PyObject*>t)
    PyObject_GC_UnTrack(<PyObject*>n)
    Py_INCREF(t)
    Py_INCREF(n)
    clear_slot(dict_of(<PyObject*>t))     # Cython makes the dict at once; few tensors ever need one
    begin_slabs(&tensor_slabs, <PyObject*>t, (<PyTypeObject*>Tensor).tp_basicsize)
    begin_slabs(&node_slabs, <PyObject*>n, (<PyTypeObject*>Node).tp_basicsize)
    return 0


cdef int install_slots() except -1:
    """Once, before the first object: see the head of this file."""
    global original_tensor_new
    cdef PyTypeObject* kind = <PyTypeObject*>Tensor
    begin_models()
    original_tensor_new = <object (*)(object, object, PyObject*)>kind.tp_new
    kind.tp_new = <void*>tensor_new
    kind.tp_vectorcall = NULL             # Cython's goes past tp_new
    kind.tp_dealloc = tensor_dealloc
    kind.tp_setattro = tensor_setattr
    kind = <PyTypeObject*>Node
    kind.tp_new = <void*>no_node          # nodes are made by new_node alone
    kind.tp_vectorcall = NULL
    kind.tp_dealloc = node_dealloc
    kind.tp_traverse = node_traverse
    kind.tp_clear = node_release
    return 0

install_slots()
