# The backward walk.
#
# First, under the GIL and without running any Python code, the graph below the roots is laid out in arrays: a Vertex for
# each node and each leaf, and for each edge the index of the vertex it leads to.  After that the nodes' own marks (`walk`,
# `slot`) are not looked at again, so walks of other threads, or a walk begun inside a hook, may use them.
# Then vertices run as their last incoming gradient arrives, the youngest node first: PyTorch's order, so that sums of
# gradients are added in the same order and come to the same bits.
# Before all this, as long as a node leads to a single other one there is nothing to lay out: `follow_chain`.
# How gradients are added up on the way is in deliver.pxi.

ctypedef struct Root:
    PyObject* target          # Node or leaf Tensor; owned
    PyObject* grad            # what to start with, or NULL; owned
    uint32_t nr               # which of the node's outputs it belongs to

ctypedef struct Vertex:
    PyObject* target          # Node or leaf Tensor; owned
    PyObject** grads          # one for each output of the node; owned
    PyObject* grad            # where `grads` points for a single output
    int32_t pending           # edges that have not delivered yet
    int32_t first_edge        # in Walk.follow
    bint is_leaf
    bint needed               # its gradient is wanted further on: a node runs, a leaf accumulates
    bint wanted               # a node whose outputs' gradients are asked for: with `inputs`

ctypedef struct Walk:
    Vertex* vertex
    int32_t count, room
    int32_t* follow           # for each root, then for each edge: the vertex it leads to, or -1
    int32_t follow_count, follow_room
    int32_t* heap             # vertices ready to run, the youngest on top
    int32_t heap_count, heap_room
    bint create_graph
    bint keep_graph
    bint accumulate           # into leaves' .grad; otherwise only capture
    uint32_t serial

cdef uint32_t walks = 0       # serial number of the latest walk
cdef Walk* spare_walk = NULL  # buffers of the last walk, for the next
cdef Operations operations
cdef bint anomaly_mode = False
cdef bint anomaly_check_nan = True


cdef Walk* begin_walk() except NULL:
    global spare_walk, walks
    cdef Walk* w = spare_walk
    spare_walk = NULL
    if w == NULL:
        w = <Walk*>calloc(1, sizeof(Walk))
        if w == NULL:
            raise MemoryError("cannot allocate a backward walk")
    w.count = w.follow_count = w.heap_count = 0
    return w


cdef void end_walk(Walk* w) noexcept:
    """Drop what is left (all of it, after an exception) and keep the buffers."""
    global spare_walk
    cdef int32_t i
    for i in range(w.count):
        drop_grads(&w.vertex[i])
        Py_DECREF(<object>w.vertex[i].target)
    if spare_walk == NULL and w.room <= 1 << 14:
        spare_walk = w
        return
    fg_aligned_free(w.vertex)
    fg_aligned_free(w.follow)
    fg_aligned_free(w.heap)
    free(w)


cdef void drop_grads(Vertex* v) noexcept:
    cdef int i, n = 1 if v.is_leaf else (<Node>v.target).noutputs
    if v.grads == NULL:
        clear_slot(&v.grad)
        return
    for i in range(n):
        clear_slot(&v.grads[i])
    free(v.grads)
    v.grads = NULL


cdef int grow(void** buffer, int32_t* room, size_t item) except -1:
    """Not by realloc, whose large blocks are no huge pages: their first touches took a quarter of a long walk."""
    cdef int32_t larger = max(64, room[0] * 4)
    cdef void* p = fg_aligned_alloc(larger * item, 64) if room[0] < 1 << 29 else NULL
    if p == NULL:
        raise MemoryError("cannot allocate a backward walk")
    if room[0]:
        memcpy(p, buffer[0], room[0] * item)
    fg_aligned_free(buffer[0])
    buffer[0] = p
    room[0] = larger
    return 0


cdef int32_t vertex_of(Walk* w, PyObject* target, uint32_t serial) except -1:
    """The index of the vertex of a node or leaf, made at the first sight of it."""
    cdef bint is_leaf = not is_node(target)
    cdef Vertex* v
    if is_leaf:
        if (<Tensor>target).walk == serial:
            return (<Tensor>target).slot
        (<Tensor>target).walk, (<Tensor>target).slot = serial, w.count
    else:
        if (<Node>target).walk == serial:
            return (<Node>target).slot
        (<Node>target).walk, (<Node>target).slot = serial, w.count
    if w.count == w.room:
        grow(<void**>&w.vertex, &w.room, sizeof(Vertex))
    v = &w.vertex[w.count]
    v.grads = NULL
    v.grad = NULL
    if not is_leaf and (<Node>target).noutputs > 1:
        v.grads = <PyObject**>calloc((<Node>target).noutputs, sizeof(PyObject*))
        if v.grads == NULL:
            raise MemoryError("cannot allocate a backward walk")
    v.target = target
    Py_INCREF(<object>target)
    v.pending = 0
    v.is_leaf = is_leaf
    v.needed = True
    v.wanted = False
    w.count += 1
    return w.count - 1


cdef inline int add_follow(Walk* w, int32_t k) except -1:
    if w.follow_count == w.follow_room:
        grow(<void**>&w.follow, &w.follow_room, sizeof(int32_t))
    w.follow[w.follow_count] = k
    w.follow_count += 1
    return 0


cdef int lay_out(Walk* w, uint32_t serial) except -1:
    """Find every vertex and edge below the roots, which are there already."""
    cdef int32_t i = 0, k, e
    cdef PyObject* target
    while i < w.count:
        fetch_ahead(w, i)
        w.vertex[i].first_edge = w.follow_count
        if not w.vertex[i].is_leaf:
            target = w.vertex[i].target
            for e in range((<Node>target).nedges):
                k = -1
                if (<Node>target).edge[e] != NULL:
                    k = vertex_of(w, (<Node>target).edge[e], serial)
                    w.vertex[k].pending += 1
                add_follow(w, k)
        i += 1
    return 0


cdef inline void fetch_ahead(Walk* w, int32_t i) noexcept:
    """See Note [Long graphs are fetched ahead]."""
    if i + AHEAD < w.count:
        fetch_node(<size_t>w.vertex[i + AHEAD].target)
    elif i:
        fetch_node(further(<size_t>w.vertex[i - 1].target, <size_t>w.vertex[i].target))


cdef inline uint64_t age(Walk* w, int32_t i) noexcept:
    return (<Node>w.vertex[i].target).seq


cdef int push_ready(Walk* w, int32_t i) except -1:
    cdef int32_t k = w.heap_count, parent
    if k == w.heap_room:
        grow(<void**>&w.heap, &w.heap_room, sizeof(int32_t))
    w.heap_count += 1
    while k > 0:
        parent = (k - 1) >> 1
        if age(w, w.heap[parent]) >= age(w, i):
            break
        w.heap[k] = w.heap[parent]
        k = parent
    w.heap[k] = i
    return 0


cdef int32_t pop_ready(Walk* w) noexcept:
    cdef int32_t top = w.heap[0], last, k = 0, child
    w.heap_count -= 1
    last = w.heap[w.heap_count]
    while True:
        child = 2 * k + 1
        if child >= w.heap_count:
            break
        if child + 1 < w.heap_count and age(w, w.heap[child + 1]) > age(w, w.heap[child]):
            child += 1
        if age(w, last) >= age(w, w.heap[child]):
            break
        w.heap[k] = w.heap[child]
        k = child
    w.heap[k] = last
    return top


cdef int finish_vertex(Walk* w, int32_t i) except -1:
    """All gradients of vertex i have come: a leaf accumulates, a node waits for its turn."""
    cdef Vertex* v = &w.vertex[i]
    if not v.is_leaf:
        if v.needed or v.wanted:
            push_ready(w, i)
    elif v.needed and (v.grad != NULL or (<Tensor>v.target).extra is not None):
        finish_leaf(<Tensor>v.target, w.accumulate, w.create_graph, &v.grad)
    return 0


cdef int finish_leaf(Tensor leaf, bint accumulates, bint create_graph, PyObject** grad) except -1:
    """Hooks run also where no gradient has come (Note [Hooks of undefined gradients] in hooks.pxi)."""
    cdef tuple given = None
    if leaf.extra is not None:
        run_tensor_hooks(leaf.extra, grad, 0)
        if accumulates:
            given = run_leaf_pre_hooks(leaf, grad)
    if accumulates:
        if grad[0] != NULL:
            accumulate(leaf, grad, create_graph)
        if leaf.extra is not None:
            run_accumulated_hooks(leaf, given)
    return 0


cdef int run_node(Walk* w, int32_t i) except -1:
    """Run one node's backward and deliver what it returns."""
    cdef PyObject* inline_out[MAX_EDGES]
    cdef PyObject** out = inline_out
    cdef int e, n = (<Node>w.vertex[i].target).nedges
    if n > MAX_EDGES:
        out = <PyObject**>malloc(n * sizeof(PyObject*))
        if out == NULL:
            raise MemoryError("cannot allocate a backward walk")
    for e in range(n):
        out[e] = NULL
    try:
        run_and_deliver(w, i, out)
    finally:                                  # what a raising formula or hook left undelivered
        for e in range(n):
            clear_slot(&out[e])
        if out != inline_out:
            free(out)
    return 0


cdef int run_and_deliver(Walk* w, int32_t i, PyObject** out) except -1:
    """`out` has room for each edge's gradient; all have been delivered at the end."""
    cdef Node node = <Node>w.vertex[i].target
    cdef PyObject** grads = w.vertex[i].grads if w.vertex[i].grads != NULL else &w.vertex[i].grad
    cdef int e
    cdef int32_t k
    cdef bint given = False
    for e in range(node.noutputs):
        given = given or grads[e] != NULL
    if given or node.row.backward == function_backward:
        call_backward(node, grads, out, w.create_graph)
    if unlikely(node.extra is not None):
        run_post_hooks(node, grads, out)
    drop_grads(&w.vertex[i])
    if not w.keep_graph:
        release_saved(node)
    elif node.extra is not None and "packed" in <dict>node.extra:
        repack_saved(node)
    for e in range(node.nedges):
        k = w.follow[w.vertex[i].first_edge + e]
        if k < 0:
            continue
        if out[e] != NULL:
            deliver_owned(w, k, node.edge_nr[e], &out[e])
        w.vertex[k].pending -= 1
        if w.vertex[k].pending == 0:
            finish_vertex(w, k)
    return 0


cdef inline int deliver_owned(Walk* w, int32_t k, uint32_t nr, PyObject** value) except -1:
    cdef Tensor g = <Tensor>value[0]
    value[0] = NULL
    Py_DECREF(g)
    return deliver(w, k, nr, g)


cdef inline void release_saved(Node node) noexcept:
    """After its backward: let go of saved operands; a node that saved none may run again."""
    if node.nsaved or node.extra is not None:
        release_what_is_saved(node)


cdef void release_what_is_saved(Node node) noexcept:
    cdef int i
    cdef int inputs = node.row.ninputs if node.row.backward == elementwise_backward else 0
    if unlikely(node.extra is not None):
        if node.row.backward == function_backward:
            release_function(node)
            return
        if (<dict>node.extra).pop("packed", None) is not None:
            node.released = True
    for i in range(node.nsaved):
        if node.saved[i] != NULL and (i < inputs or is_tensor(node.saved[i]) or is_node(node.saved[i])):
            node.released = True
            forget_saved(<PyObject*>node)
            return


cdef inline int call_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    """A node's own backward; in anomaly mode with its checks."""
    if unlikely(anomaly_mode):
        return call_backward_watched(node, grads, out, create_graph)
    return node.row.backward(node, grads, out, create_graph)


cdef int call_backward_watched(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    try:
        node.row.backward(node, grads, out, create_graph)
    except Exception:
        warn_of_line(node)
        raise
    if anomaly_check_nan:
        check_nan(node, out)
    return 0


cdef int run_walk(Root* roots, int n, bint keep_graph, bint create_graph, list inputs, list captured) except -1:
    """Backward from n roots.  With `inputs`, only what they need runs; `captured` (if a list) receives their gradients,
    otherwise their .grad does."""
    global fg_grad_enabled, fg_partial_backward, fg_walk
    cdef int enabled = fg_grad_enabled, partial = fg_partial_backward
    cdef void* outer = fg_walk
    fg_walk = NULL
    fg_grad_enabled = create_graph and not fg_inference
    fg_partial_backward = inputs is not None
    try:
        if n != 1 or inputs is not None or not follow_chain(roots, keep_graph, create_graph):
            walk_graph(roots, n, keep_graph, create_graph, inputs, captured)
    finally:
        fg_grad_enabled, fg_partial_backward, fg_walk = enabled, partial, outer
    return 0


def _is_partial_backward():
    """Whether this thread is in a backward that goes to chosen inputs only: `grad`, or `backward` with `inputs`."""
    return bool(fg_partial_backward)


cdef bint follow_chain(Root* at, bint keep_graph, bint create_graph) except -1:
    """Run nodes from `at` on as long as each leads to a single other one.  True if that was all; otherwise a walk goes on from
    what `at` has become."""
    cdef PyObject* out[MAX_EDGES]
    cdef PyObject* next_target
    cdef Node node
    cdef int e, only
    while is_node(at.target):
        node = <Node>at.target
        only = single_edge(node)
        if unlikely(only < 0) or unlikely(at.grad == NULL):
            return False
        if unlikely(not is_fitted(at.grad, node.meta)):
            replace_fitted(&at.grad, fitted(<Tensor>at.grad, node.meta))
        for e in range(MAX_EDGES):
            out[e] = NULL
        try:
            call_backward(node, &at.grad, out, create_graph)
            clear_slot(&at.grad)
            at.grad, out[only] = out[only], NULL
        finally:
            for e in range(MAX_EDGES):
                clear_slot(&out[e])
        if not keep_graph:
            release_saved(node)
        next_target = node.edge[only]
        Py_INCREF(<object>next_target)
        at.target, at.nr = next_target, node.edge_nr[only]
        Py_DECREF(node)                       # what `at` held
    if at.grad != NULL:
        replace_fitted(&at.grad, fitted_leaf(<Tensor>at.grad, <Tensor>at.target))
    if at.grad != NULL or (<Tensor>at.target).extra is not None:
        finish_leaf(<Tensor>at.target, True, create_graph, &at.grad)
    return True


cdef inline void replace_fitted(PyObject** grad, Tensor g) noexcept:
    if grad[0] != <PyObject*>g:
        clear_slot(grad)
        Py_INCREF(g)
        grad[0] = <PyObject*>g


cdef inline int single_edge(Node node) noexcept:
    """The number of the one edge of a node that needs nothing but its backward to be run, or -1."""
    cdef int e, only = -1
    if unlikely(node.extra is not None) or unlikely(node.noutputs != 1) or unlikely(node.nedges > MAX_EDGES):
        return -1
    for e in range(node.nedges):
        if node.edge[e] != NULL:
            if only >= 0:
                return -1
            only = e
    return only


cdef int walk_graph(Root* roots, int n, bint keep_graph, bint create_graph, list inputs, list captured) except -1:
    global fg_walk
    cdef Walk* w = begin_walk()
    fg_walk = w
    w.create_graph, w.keep_graph, w.accumulate = create_graph, keep_graph, captured is None
    try:
        walk_from(w, roots, n, inputs, captured)
    finally:
        end_walk(w)
    return 0


cdef int walk_from(Walk* w, Root* roots, int n, list inputs, list captured) except -1:
    global walks
    cdef uint32_t serial
    cdef int32_t i, k
    cdef list places = None
    if inputs is not None:
        places = [-1] * len(inputs)
        for t in inputs:
            root_target(<Tensor>t)
    walks = max(walks + 1, 1)                 # from here to mark_needed nothing but these lines may run: see this file's head
    w.serial = serial = walks
    for i in range(n):
        add_follow(w, vertex_of(w, roots[i].target, serial))
    lay_out(w, serial)
    if inputs is not None:
        find_places(inputs, serial, places)
        mark_needed(w, places)
    for i in range(n):
        if roots[i].grad != NULL:
            deliver_owned(w, w.follow[i], roots[i].nr, &roots[i].grad)
    for i in range(w.count):
        if w.vertex[i].pending == 0:
            finish_vertex(w, i)
    while w.heap_count:
        k = pop_ready(w)
        fetch_ahead(w, k)
        if w.vertex[k].wanted and w.vertex[k].needed:
            capture(w, k, places, inputs, captured)     # before the hooks, if the node runs: PyTorch's order
        if (<Node>w.vertex[k].target).extra is not None:
            run_pre_hooks(<Node>w.vertex[k].target, grad_place(&w.vertex[k], 0))
        if w.vertex[k].needed:
            run_node(w, k)
        else:
            capture(w, k, places, inputs, captured)
    if places is not None and captured is not None:
        capture_leaves(w, places, captured)
    return 0


cdef inline PyObject* root_target(Tensor t) except NULL:
    """The end of the edge that leads to t; borrowed from t."""
    if t.node is None and t.base is None:
        return <PyObject*>t
    node_of(t)
    return <PyObject*>t if t.node is None else <PyObject*>t.node


cdef int set_root(Root* root, Tensor t, Tensor grad) except -1:
    root.target = root_target(t)
    root.grad, root.nr = <PyObject*>grad, t.nr
    Py_INCREF(<object>root.target)
    Py_INCREF(grad)
    return 0


cdef void drop_root(Root* root) noexcept:
    clear_slot(&root.target)
    clear_slot(&root.grad)
