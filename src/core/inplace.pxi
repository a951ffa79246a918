# In-place writes and the graph: which are refused, and how history is moved to the written tensor.
#
# Note [Writing through a view]: a view's values are part of its base, so a write through the view gives the *base* a new
# node (CopySlices: the base's old gradient outside the view, the operation's inside), and every view of that base is out of
# date.  A view notices by the storage's version and makes itself a new node, an as_strided of the base, when it is next asked.

# Note [Views that history cannot follow]: the outputs of an operation that gives many views, views made in no_grad mode, views that
# a custom function gives of its input, and views of such views are marked (LOOSE_VIEW: one of these).  Writing to one, or asking for
# its node after the memory was written, is refused.
# Note [Operands that overlap]: PyTorch's rule.  Where both tensors are dense, a written operand may share all its memory with one
# that is read (elementwise) or none (scattered writes), never a part.  Where one has gaps nothing is refused: the values come out
# as if what is read had been copied first.

cdef inline Storage* memory_of(Tensor t) noexcept:
    cdef Storage* s = t.storage
    while s.parent != NULL:
        s = s.parent
    return s


cdef int refuse_overlap(Tensor into, PyObject* x, int rule) except -1:
    """See Note [Operands that overlap]; rule: one of the OVERLAP numbers of Row."""
    if rule != OVERLAP_FREE and is_tensor(x) and memory_of(<Tensor>x) == memory_of(into):
        return refuse_shared_memory(&into.a, &(<Tensor>x).a, rule)
    return 0


cdef int refuse_shared_memory(Array* into, Array* a, int rule) except -1:
    cdef char* low
    cdef char* high
    cdef char* other_low
    cdef char* other_high
    if into.numel == 0 or a.numel == 0 or not dense(into) or not dense(a):
        return 0
    span(into, &low, &high)
    span(a, &other_low, &other_high)
    if other_low >= high or low >= other_high:
        return 0
    if rule == OVERLAP_WHOLE and low == other_low and high == other_high and same_order(into, a):
        return 0
    raise RuntimeError("unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
                       "location. Please clone() the tensor before performing the operation.")


cdef bint same_order(const Array* a, const Array* b) noexcept:
    """Whether two arrays have the same dimensions but for those of size 1, crossed with the same strides."""
    cdef int d, k = 0
    for d in range(a.ndim):
        if a.shape[d] == 1:
            continue
        while k < b.ndim and b.shape[k] == 1:
            k += 1
        if k == b.ndim or a.shape[d] != b.shape[k] or a.stride[d] != b.stride[k]:
            return False
        k += 1
    while k < b.ndim and b.shape[k] == 1:
        k += 1
    return k == b.ndim


cdef int refuse_shared_elements(const Array* a) except -1:
    """An expanded tensor has one memory location for many elements: writing to it has no meaning."""
    cdef int d
    if a.contiguous:
        return 0
    for d in range(a.ndim):
        if a.stride[d] == 0 and a.shape[d] > 1 and a.numel:
            raise RuntimeError("unsupported operation: more than one element of the written-to tensor refers to a single memory "
                               "location. Please clone() the tensor before performing the operation.")
    return 0


cdef int check_inplace(Tensor t, bint recorded) except -1:
    """Refuse writes that have no meaning, or that autograd could not follow."""
    refuse_shared_elements(&t.a)
    return check_history(t, recorded)


cdef int check_history(Tensor t, bint recorded) except -1:
    """Refuse changes of a tensor that autograd could not follow."""
    cdef Tensor base
    if t.flags & INFERENCE and not fg_inference:
        raise RuntimeError("Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get "
                           "a normal tensor before doing inplace update.")
    if not fg_grad_enabled or not recorded:
        return 0
    if t.base is not None:
        base = <Tensor>t.base
        if t.flags & LOOSE_VIEW:
            raise_ambiguous_view(t, "is being modified inplace")
        if base.node is None and (base.flags | t.flags) & REQUIRES_GRAD:
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    elif t.node is None and t.flags & REQUIRES_GRAD:
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    return 0


cdef int raise_ambiguous_view(Tensor t, str happened) except -1:
    """t is one of many views, or was made without a graph: no history can follow a write through it or below it."""
    if t.flags & NO_GRAD_VIEW:
        name = "A view was created in no_grad mode and" if t.node is None else \
            f"Output {t.nr} of {maker_name(<Node>t.node)} is a view of a view which was created in no_grad mode and"
        raise RuntimeError(f"{name} {happened} with grad mode enabled. Make the view outside of the no_grad block, or write inside one.")
    if t.flags & FUNCTION_VIEW:
        name = "A view" if t.node is None else f"Output {t.nr} of {maker_name(<Node>t.node)} is a view and"
        raise RuntimeError(f"{name} {happened}. This view was created inside a custom Function (or because an input was returned "
                           "as-is) and the autograd logic to handle view+inplace would override the custom backward associated with "
                           "the custom Function, leading to incorrect gradients. This behavior is forbidden. You can fix this by "
                           "cloning the output of the custom Function.")
    name = "A view is one of several and" if t.node is None else f"Output {t.nr} of {maker_name(<Node>t.node)} is a view and"
    raise RuntimeError(f"{name} {happened}. This view is the output of a function that returns multiple views. Such functions do "
                       "not allow the output views to be modified inplace. You should replace the inplace operation by an "
                       "out-of-place one.")


cdef int rebase(Tensor t, Node node) except -1:
    """t was overwritten by the operation of `node`, whose first edge leads to t's past."""
    cdef Node slices
    cdef Tensor base
    cdef int i
    cdef object geometry
    for i in range(node.nsaved):              # a saved view of what is written leads back to it
        if node.saved[i] != NULL and is_tensor(node.saved[i]) and (<Tensor>node.saved[i]).base is not None \
                and (<Tensor>node.saved[i]).storage == t.storage:
            cycles_are_possible()
    if t.base is None:
        if t.flags & RETAINS_GRAD and t.node is not None:
            move_retained(t, node)
        set_node(t, node, 0)
        return 0
    base = <Tensor>t.base
    meta_of(&t.a, node.meta)
    slices = new_node(operations.copy_slices, node.nedges, 1)
    set_edge(slices, 0, base)
    for i in range(1, node.nedges):
        if node.edge[i] != NULL:
            Py_INCREF(<object>node.edge[i])
            slices.edge[i] = node.edge[i]
            slices.edge_nr[i] = node.edge_nr[i]
    geometry = (shape_tuple(&t.a), tuple(shape_list(t.a.ndim, t.a.stride)),
                (t.a.data - base.a.data) // ITEMSIZE[t.a.dtype], tuple(shape_list(base.a.ndim, base.a.stride)))
    slices.nsaved = 2
    save(slices, 0, <PyObject*>node)
    save(slices, 1, <PyObject*>geometry)
    if base.flags & RETAINS_GRAD and base.node is not None:
        move_retained(base, slices)
    set_node(base, slices, 0)
    t.flags |= REQUIRES_GRAD
    t.node = None
    t.seen = t.storage.version - 1
    return 0


cdef int rebase_written(Tensor t, Node node) except -1:
    """As rebase, for a node made after the write: an input that shares t's memory is not what it was when the operation read it."""
    cdef int i
    for i in range(node.nsaved):
        if node.saved[i] != NULL and is_tensor(node.saved[i]) and (<Tensor>node.saved[i]).storage == t.storage \
                and not (<Tensor>node.saved[i]).flags & SAVED_RESULT:
            node.version[i] -= 1
    return rebase(t, node)


cdef Node refreshed_view_node(Tensor t):
    """A new node for a view whose base was written since the last one was made."""
    cdef Tensor base = <Tensor>t.base
    cdef Tensor again
    cdef int enabled = fg_grad_enabled
    global fg_grad_enabled
    if not base.flags & REQUIRES_GRAD and t.node is None:
        return None
    if t.flags & LOOSE_VIEW:
        raise_ambiguous_view(t, "its base or another view of its base has been modified inplace")
    t.seen = t.storage.version
    if not base.flags & REQUIRES_GRAD:
        return <Node>t.node
    fg_grad_enabled = 1
    try:
        again = operations.as_strided(base, &t.a)
    finally:
        fg_grad_enabled = enabled
    t.node, t.nr = again.node, again.nr
    t.flags |= REQUIRES_GRAD
    return <Node>t.node
