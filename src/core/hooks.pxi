# What a walk does besides arithmetic: hooks, captured gradients, retained gradients, anomaly checks.
#
# Rare state lives in the `extra` dict of a tensor or node: "hooks" (of a leaf, or by output number of a node), "accumulated",
# "pre", "post", "retain" (output number -> weak reference), "line".

cdef object checked_hook_result(object result, Tensor given, object hook):
    if result is None:
        return given
    if not isinstance(result, Tensor):
        raise TypeError(f"hook {hook!r} must return a Tensor or None, not {type(result).__name__}")
    if not same_shape(&(<Tensor>result).a, &given.a):
        raise RuntimeError(
            f"hook {hook!r} has changed the size of the gradient: expected {shape_tuple(&given.a)}, "
            f"got {shape_tuple(&(<Tensor>result).a)}")
    return result


cdef int run_tensor_hooks(dict extra, PyObject** place, uint32_t nr) except -1:
    """Hooks that register_hook put on a tensor; each may replace the gradient."""
    cdef object hooks = extra.get("hooks")
    cdef object g
    if hooks is None or place[0] == NULL:
        return 0
    hooks = hooks.get(nr)
    if not hooks:
        return 0
    g = <object>place[0]
    for hook in list(hooks.values()):
        g = checked_hook_result(hook(g), g, hook)
    clear_slot(place)
    Py_INCREF(g)
    place[0] = <PyObject*>g
    return 0


cdef int run_accumulated_hooks(Tensor leaf) except -1:
    hooks = leaf.extra.get("accumulated")
    if hooks:
        for hook in list(hooks.values()):
            if hook(leaf) is not None:
                raise RuntimeError("post accumulate grad hooks should return None.")
    return 0


cdef int run_pre_hooks(Node node, PyObject** grads) except -1:
    """Tensor hooks of the node's outputs, retained gradients, then the node's own pre-hooks."""
    cdef dict extra = node.extra
    cdef uint32_t nr
    cdef object place
    for nr in range(node.noutputs):
        run_tensor_hooks(extra, grads + nr, nr)
    retain = extra.get("retain")
    if retain:
        for place, reference in retain.items():
            retain_one(reference(), grads[<int>place])
    for hook in list(extra.get("pre", {}).values()):
        replace_all(hook(grads_tuple(grads, node.noutputs)), grads, node.noutputs, hook)
    return 0


cdef int retain_one(Tensor t, PyObject* g) except -1:
    """t.grad += g for a tensor that is not a leaf."""
    if t is None or g == NULL:
        return 0
    t.grad_ = <object>g if t.grad_ is None else operations.add(t.grad_, <object>g)
    return 0


cdef tuple grads_tuple(PyObject** grads, int n):
    return tuple([None if grads[i] == NULL else <object>grads[i] for i in range(n)])


cdef int replace_all(object result, PyObject** grads, int n, object hook) except -1:
    cdef int i
    if result is None:
        return 0
    if isinstance(result, Tensor):
        result = (result,)
    if not isinstance(result, tuple) or len(result) != n:
        raise RuntimeError(f"hook {hook!r} must return None or {n} gradients")
    for i in range(n):
        if result[i] is not None and not isinstance(result[i], Tensor):
            raise TypeError(f"hook {hook!r} must return Tensors, not {type(result[i]).__name__}")
    for i in range(n):
        clear_slot(grads + i)
        if result[i] is not None:
            give(grads, i, result[i])
    return 0


cdef int run_post_hooks(Node node, PyObject** grads, PyObject** out) except -1:
    """Hooks that Node.register_hook put there: hook(grad_inputs, grad_outputs)."""
    hooks = node.extra.get("post")
    if hooks:
        for hook in list(hooks.values()):
            replace_all(hook(grads_tuple(out, node.nedges), grads_tuple(grads, node.noutputs)), out, node.nedges, hook)
    return 0


cdef list mark_needed(Walk* w, list inputs, uint32_t serial):
    """Keep only the vertices through which a gradient reaches an input.  Returns each input's vertex, or -1."""
    cdef int32_t i, e, k
    cdef Tensor t
    cdef PyObject* target
    cdef list places = []
    cdef Vertex* v
    for i in range(w.count):
        w.vertex[i].needed = False
    for t in inputs:
        target = root_target(t)
        if Py_TYPE(target) == <PyTypeObject*>Node:
            k = (<Node>target).slot if (<Node>target).walk == serial else -1
        else:
            k = t.slot if t.walk == serial else -1
        places.append(k)
        if k >= 0:
            w.vertex[k].needed = True
    # nodes are numbered as they are made, so every edge leads to a smaller number: one pass, the oldest first
    order = sorted([i for i in range(w.count) if not w.vertex[i].is_leaf], key=lambda i: (<Node>w.vertex[<int32_t>i].target).seq)
    for index in order:
        v = &w.vertex[<int32_t>index]
        for e in range((<Node>v.target).nedges):
            k = w.follow[v.first_edge + e]
            if k >= 0 and w.vertex[k].needed:
                v.needed = True
                break
    return places


cdef int capture(Walk* w, int32_t k, list places, list inputs, list captured) except -1:
    """Before node k runs: take the gradients of the inputs that it made."""
    cdef int j
    cdef Tensor t
    cdef PyObject* g
    for j in range(len(places)):
        if places[j] != k:
            continue
        t = <Tensor>inputs[j]
        g = grad_place(&w.vertex[k], t.nr)[0]
        if g == NULL:
            continue
        if captured is None:
            t.grad_ = <object>g if t.grad_ is None else operations.add(t.grad_, <object>g)
        else:
            captured[j] = <object>g
    return 0


cdef int capture_leaves(Walk* w, list places, list captured) except -1:
    cdef int j
    cdef int32_t k
    for j in range(len(places)):
        k = places[j]
        if k >= 0 and w.vertex[k].is_leaf and w.vertex[k].grad != NULL:
            captured[j] = <object>w.vertex[k].grad
    return 0


cdef int remember_line(Node node) except -1:
    """In anomaly mode: where in the program the operation was called."""
    import traceback
    node_extra(node)["line"] = "".join(traceback.format_stack())
    return 0


cdef int check_nan(Node node, PyObject** out) except -1:
    cdef int e
    for e in range(node.nedges):
        if out[e] != NULL and (<object>out[e] != <object>out[e]).any():
            where = (node.extra or {}).get("line")
            if where:
                import warnings
                warnings.warn(f"Error detected in {node_name(node)}. Traceback of forward call that caused the error:\n{where}",
                              stacklevel=2)
            raise RuntimeError(f"Function '{node_name(node)}' returned nan values in its {e}th output.")
    return 0
