# Nodes: what an operation leaves in the graph, and what is asked of one.

cdef inline int set_edge_to(Node node, int i, PyObject* t) except -1:
    """Edge i leads to what made the tensor t, or to t itself if it is a leaf that wants a gradient."""
    cdef PyObject* target
    if unlikely((<Tensor>t).base is not None):
        return set_edge_to_view(node, i, <Tensor>t)
    if (<Tensor>t).flags & REQUIRES_GRAD:
        target = t if (<Tensor>t).node is None else <PyObject*>(<Tensor>t).node
        Py_INCREF(<object>target)
        node.edge[i] = target
        node.edge_nr[i] = (<Tensor>t).nr
    return 0


cdef int set_edge_to_view(Node node, int i, Tensor t) except -1:
    cdef object target
    if needs(<PyObject*>t):
        target = node_of(t)
        if target is None:
            if not t.flags & REQUIRES_GRAD:
                return 0                  # only its base wants a gradient, and no way leads there
            target = t
        elif (<Node>target).seq > node.seq:
            number_again(node)            # the view's node was renewed just now
        Py_INCREF(target)
        node.edge[i] = <PyObject*>target
        node.edge_nr[i] = t.nr
    return 0


cdef int set_edge(Node node, int i, Tensor t) except -1:
    return set_edge_to(node, i, <PyObject*>t)


cdef void number_again(Node node) noexcept:
    """Edges lead to smaller numbers."""
    global sequence
    node.seq = sequence
    sequence += 1


cdef inline Node node_of(Tensor t):
    """The node that made t, brought up to date for a view whose base was changed in place."""
    if unlikely(t.base is not None) and t.seen != t.storage.version:
        return refreshed_view_node(t)
    return <Node>t.node


cdef inline void meta_of(const Array* a, Meta* meta) noexcept:
    cdef int d
    meta.dtype = a.dtype
    meta.ndim = a.ndim
    for d in range(a.ndim):
        meta.shape[d] = a.shape[d]


cdef inline int set_node(Tensor t, Node node, int output) except -1:
    """Make t output number `output` of node."""
    meta_of(&t.a, node.meta + output)
    t.node = node
    t.nr = output
    t.flags |= REQUIRES_GRAD
    if unlikely(anomaly_mode):
        remember_line(node)
    return 0


cdef inline int save(Node node, int i, PyObject* value) except -1:
    """Keep an input or a Python value for the backward."""
    if is_tensor(value):
        if unlikely(pack_hook is not None) or unlikely((<Tensor>value).flags & INFERENCE):
            check_savable(<Tensor>value)
            if pack_hook is not None:
                return save_packed(node, i, <Tensor>value)
        node.version[i] = (<Tensor>value).storage.version
    Py_INCREF(<object>value)
    node.saved[i] = value
    return 0


cdef int check_savable(Tensor t) except -1:
    if t.flags & INFERENCE:
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
            "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use "
            "`torch.no_grad()` instead of `torch.inference_mode()`.")
    return 0


cdef inline int save_result(Node node, int i, Tensor out) except -1:
    """Keep the operation's own result: the same memory without its node, so that no cycle arises."""
    cdef Tensor bare = alias(out)
    if unlikely(pack_hook is not None):
        save_packed(node, i, bare)
        return 0
    Py_INCREF(bare)
    bare.flags |= SAVED_RESULT
    node.saved[i] = <PyObject*>bare
    node.version[i] = out.storage.version
    return 0


cdef inline int check_saved(Node node) except -1:
    """Refuse to compute from values that are gone or were overwritten."""
    cdef int i
    cdef Tensor t
    if unlikely(node.released):
        raise_released()
    if unlikely(node.extra is not None) and "packed" in <dict>node.extra:
        unpack_saved(node)
    for i in range(node.nsaved):
        if node.saved[i] != NULL and is_tensor(node.saved[i]) and \
                unlikely((<Tensor>node.saved[i]).storage.version != node.version[i]):
            t = <Tensor>node.saved[i]
            raise_changed(t, node if t.flags & SAVED_RESULT else <Node>t.node, t.nr, node.version[i])
    return 0


cdef int raise_released() except -1:
    raise RuntimeError(
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
        "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
        "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors after "
        "calling backward.")


cdef int raise_changed(Tensor t, Node maker, uint32_t nr, uint32_t expected) except -1:
    """t, output number nr of `maker` (None: a leaf), was written after it was saved."""
    made = "" if maker is None else f", which is output {nr} of {maker_name(maker)},"
    raise RuntimeError(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{type_name(t.a.dtype)} {shape_list(t.a.ndim, t.a.shape)}]{made} is at version {t.storage.version}; expected version "
        f"{expected} instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False).")
