# Nodes: what an operation leaves in the graph, and what is asked of one.

cdef inline int set_edge(Node node, int i, Tensor t) except -1:
    """Edge i leads to what made t, or to t itself if it is a leaf that wants a gradient."""
    cdef object target
    if needs(t):
        target = node_of(t)
        if target is None:
            target = t
        Py_INCREF(target)
        node.edge[i] = <PyObject*>target
        node.edge_nr[i] = t.nr
    return 0


cdef inline Node node_of(Tensor t):
    """The node that made t, brought up to date for a view whose base was changed in place."""
    if t.base is not None and t.seen != t.storage.version:
        return refreshed_view_node(t)
    return <Node>t.node


cdef inline int set_node(Tensor t, Node node, int output) except -1:
    """Make t output number `output` of node."""
    cdef Meta* meta = node.meta + output
    cdef int d
    meta.dtype = t.a.dtype
    meta.ndim = t.a.ndim
    for d in range(t.a.ndim):
        meta.shape[d] = t.a.shape[d]
    t.node = node
    t.nr = output
    t.flags |= REQUIRES_GRAD
    if anomaly_mode:
        remember_line(node)
    return 0


cdef inline void save(Node node, int i, PyObject* value) noexcept:
    """Keep an input or a Python value for the backward."""
    Py_INCREF(<object>value)
    node.saved[i] = value
    if is_tensor(value):
        node.version[i] = (<Tensor>value).storage.version


cdef inline int save_result(Node node, int i, Tensor out) except -1:
    """Keep the operation's own result: the same memory without its node, so that no cycle arises."""
    cdef Tensor bare = alias(out)
    Py_INCREF(bare)
    node.saved[i] = <PyObject*>bare
    node.version[i] = out.storage.version
    return 0


cdef inline int check_saved(Node node) except -1:
    """Refuse to compute from values that are gone or were overwritten."""
    cdef int i
    if node.released:
        raise RuntimeError(
            "Trying to backward through the graph a second time (or directly access saved tensors after they have "
            "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
            "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or if "
            "you need to access saved tensors after calling backward.")
    for i in range(node.nsaved):
        if node.saved[i] != NULL and is_tensor(node.saved[i]) and \
                (<Tensor>node.saved[i]).storage.version != node.version[i]:
            raise_modified(node, i)
    return 0


cdef int raise_modified(Node node, int i) except -1:
    cdef Tensor t = <Tensor>node.saved[i]
    raise RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{type_name(t.a.dtype)} {shape_list(t.a.ndim, t.a.shape)}], which is a value that "
        f"{node_name(node)} needs, is at version {t.storage.version}; expected version {node.version[i]} instead. "
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True).")
