# Hooks on saved tensors: what is kept instead of a tensor, and how it comes back.
#
# While a pair of hooks is on, a node keeps pack(tensor) in its `extra` under "packed" and nothing in `saved`; before its backward
# unpack(...) fills `saved`, and afterwards, if the graph is kept, it is emptied again.

cdef object pack_hook = None                     # of this process's current pair: see _push_saved_hooks
cdef object unpack_hook = None
cdef list saved_hooks = []
cdef object saved_hooks_refusal = None           # why hooks are not allowed now


cdef class Packed:
    """A saved tensor while it is packed: what the hook made of it, and the tensor's place in the graph."""
    cdef object content
    cdef object unpack
    cdef object origin                           # its node, or itself if it is a leaf that wants a gradient
    cdef uint32_t nr


cdef Packed packed(Tensor t):
    cdef Packed p = Packed.__new__(Packed)
    p.unpack = unpack_hook
    p.nr = t.nr
    if t.flags & REQUIRES_GRAD:
        p.origin = t if t.node is None else t.node
    cdef uint32_t version = t.storage.version
    p.content = without_graph(pack_hook, t)
    if t.storage.version != version:
        raise RuntimeError("A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be "
                           "modified by in-place operations as this can lead to unexpected side-effects.")
    return p


cdef object without_graph(hook, value):
    global fg_grad_enabled
    cdef int enabled = fg_grad_enabled
    fg_grad_enabled = 0
    try:
        return hook(value)
    finally:
        fg_grad_enabled = enabled


cdef Tensor unpacked(Packed p):
    """The tensor again, at its old place in the graph."""
    cdef Tensor own
    value = without_graph(p.unpack, p.content)
    if not isinstance(value, Tensor):
        raise TypeError(f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(value).__name__}")
    if p.origin is None:
        return value
    if isinstance(p.origin, Tensor):
        return p.origin if fg_grad_enabled else value
    own = alias(<Tensor>value)
    own.node, own.nr = p.origin, p.nr
    own.flags |= REQUIRES_GRAD
    return own


cdef int save_packed(Node node, int i, Tensor t) except -1:
    node_extra(node).setdefault("packed", {})[i] = packed(t)
    node.saved[i] = NULL
    return 0


cdef int unpack_saved(Node node) except -1:
    """Before a backward."""
    cdef Tensor t
    cdef int i
    for index, p in list((<dict>node.extra)["packed"].items()):
        i = index
        if node.saved[i] == NULL:
            t = unpacked(<Packed>p)
            Py_INCREF(t)
            node.saved[i] = <PyObject*>t
            node.version[i] = t.storage.version
    return 0


cdef int repack_saved(Node node) except -1:
    """After a backward that keeps the graph."""
    cdef int i
    for index in (<dict>node.extra)["packed"]:
        i = index
        clear_slot(&node.saved[i])
    return 0


cdef int choose_saved_hooks() except -1:
    global pack_hook, unpack_hook
    pack_hook, unpack_hook = saved_hooks[len(saved_hooks) - 1] if saved_hooks and saved_hooks_refusal is None else (None, None)
    return 0


def _push_saved_hooks(pack, unpack):
    """Every tensor saved from now on is kept as pack(tensor)."""
    if saved_hooks_refusal is not None:
        raise RuntimeError(saved_hooks_refusal)
    saved_hooks.append((pack, unpack))
    choose_saved_hooks()


def _pop_saved_hooks():
    saved_hooks.pop()
    choose_saved_hooks()


def _refuse_saved_hooks(message):
    """Disallow hooks with this message, or allow them again with None; returns the message before."""
    global saved_hooks_refusal
    before = saved_hooks_refusal
    if message is not None and saved_hooks:
        raise RuntimeError(message)
    saved_hooks_refusal = message
    return before
