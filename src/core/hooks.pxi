# What a walk does besides arithmetic: hooks, captured gradients, retained gradients, anomaly checks.
#
# Rare state lives in the `extra` dict of a tensor or node: "hooks" (of a leaf, or by output number of a node), "accumulated",
# "pre", "post" (of a node, or of a leaf's AccumulateGrad), "retain" (output number -> weak reference), "line".
#
# Note [Hooks of undefined gradients]: a vertex of the walk runs its hooks when all edges to it have delivered, even if none of them
# brought a gradient; they are then shown None, which they cannot replace.  A node's formulas are not asked, a Function's backward is.

cdef str hook_name(object hook):
    return getattr(hook, "__name__", "<unknown>")


cdef object checked_hook_result(object result, Tensor given, object hook):
    if result is None:
        return given
    if not isinstance(result, Tensor):
        raise TypeError(f"expected Variable, but hook returned '{type(result).__name__}'")
    if given is None:
        raise RuntimeError("can't replace a None gradient with a non-None value")
    check_replacement(<Tensor>result, given, hook)
    return result


cdef int check_replacement(Tensor result, Tensor given, object hook) except -1:
    if result.a.dtype != given.a.dtype:
        raise RuntimeError(f"hook '{hook_name(hook)}' has changed the type of value (was torch.{type_name(given.a.dtype)} got "
                           f"torch.{type_name(result.a.dtype)})")
    if not same_shape(&result.a, &given.a):
        raise RuntimeError(f"hook '{hook_name(hook)}' has changed the size of value from {shape_tuple(&given.a)} to "
                           f"{shape_tuple(&result.a)}")
    return 0


cdef int run_tensor_hooks(dict extra, PyObject** place, uint32_t nr) except -1:
    """Hooks that register_hook put on a tensor; each may replace a gradient."""
    cdef object hooks = extra.get("hooks")
    cdef object g
    if hooks is None:
        return 0
    hooks = hooks.get(nr)
    if not hooks:
        return 0
    g = None if place[0] == NULL else <object>place[0]
    for hook in list(hooks.values()):
        g = checked_hook_result(hook(g), g, hook)
    clear_slot(place)
    if g is not None:
        give(place, 0, g)
    return 0


cdef tuple run_leaf_pre_hooks(Tensor leaf, PyObject** grad):
    """Before a gradient is added to the leaf's: hooks of its AccumulateGrad; gives what those that run afterwards are shown."""
    for hook in list(leaf.extra.get("pre", {}).values()):
        replace_all(hook(grads_tuple(grad, 1)), grad, 1, hook)
    return grads_tuple(grad, 1) if leaf.extra.get("post") else None


cdef int run_accumulated_hooks(Tensor leaf, tuple given) except -1:
    for hook in list(leaf.extra.get("accumulated", {}).values()):
        hook(leaf)
    if given is not None:
        for hook in list(leaf.extra.get("post", {}).values()):
            hook((), given)
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
        for place, reference in list(retain.items()):
            retain_one(reference(), grads[<int>place])
    for hook in list(extra.get("pre", {}).values()):
        replace_all(hook(grads_tuple(grads, node.noutputs)), grads, node.noutputs, hook)
    return 0


cdef int retain_one(Tensor t, PyObject* g) except -1:
    """t.grad += g for a tensor that is not a leaf."""
    if t is None or g == NULL:
        return 0
    t.grad_ = copied(<Tensor>g, True) if t.grad_ is None else operations.add(t.grad_, <object>g)
    return 0


cdef tuple grads_tuple(PyObject** grads, int n):
    return tuple([None if grads[i] == NULL else <object>grads[i] for i in range(n)])


cdef int replace_all(object result, PyObject** grads, int n, object hook) except -1:
    """What a node's hook returned, in place of the gradients it was given."""
    cdef int i
    if result is None:
        return 0
    if not isinstance(result, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(result).__name__}'")
    if len(result) != n:
        raise RuntimeError(f"hook '{hook_name(hook)}' has returned an incorrect number of values (got {len(result)}, but expected {n})")
    for i in range(n):
        if result[i] is None:
            continue
        if not isinstance(result[i], Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(result[i]).__name__}'")
        if grads[i] != NULL:
            check_replacement(<Tensor>result[i], <Tensor>grads[i], hook)
    for i in range(n):
        clear_slot(grads + i)
        if result[i] is not None:
            give(grads, i, result[i])
    return 0


cdef int move_retained(Tensor t, Node node) except -1:
    """t was written in place: its retained gradient is that of what it is now."""
    (<dict>(<Node>t.node).extra)["retain"].pop(t.nr, None)
    node_extra(node).setdefault("retain", {})[0] = weakref.ref(t)
    return 0


cdef int run_post_hooks(Node node, PyObject** grads, PyObject** out) except -1:
    """Hooks that Node.register_hook put there: hook(grad_inputs, grad_outputs)."""
    hooks = node.extra.get("post")
    cdef PyObject* shown[MAX_ARGUMENTS]
    cdef int i
    if hooks and node.row.shown == NULL:
        for hook in list(hooks.values()):
            replace_all(hook(grads_tuple(out, node.nedges), grads_tuple(grads, node.noutputs)), out, node.nedges, hook)
    elif hooks:
        order = shown_edges(node)
        for hook in list(hooks.values()):
            for i, e in enumerate(order):
                shown[i] = out[<int>e]
                out[<int>e] = NULL
            try:
                replace_all(hook(grads_tuple(shown, len(order)), grads_tuple(grads, node.noutputs)), shown, len(order), hook)
            finally:
                for i, e in enumerate(order):
                    out[<int>e] = shown[i]
    return 0


cdef int find_places(list inputs, uint32_t serial, list places) except -1:
    """Each input's vertex, or -1 if no root depends on it."""
    cdef Py_ssize_t i
    cdef PyObject* target
    for i in range(len(inputs)):
        target = root_target(<Tensor>inputs[i])
        if is_node(target):
            places[i] = (<Node>target).slot if (<Node>target).walk == serial else -1
        else:
            places[i] = (<Tensor>target).slot if (<Tensor>target).walk == serial else -1
    return 0


cdef int mark_needed(Walk* w, list places) except -1:
    """Keep only the vertices through which a gradient reaches an input."""
    cdef int32_t i, e, k
    cdef Vertex* v
    for i in range(w.count):
        w.vertex[i].needed = False
    for i in places:
        if i >= 0 and w.vertex[i].is_leaf:
            w.vertex[i].needed = True
        elif i >= 0:
            w.vertex[i].wanted = True
    # nodes are numbered as they are made, so every edge leads to a smaller number: one pass, the oldest first
    order = sorted([(age(w, i), i) for i in range(w.count) if not w.vertex[i].is_leaf])
    for _, index in order:
        v = &w.vertex[<int32_t>index]
        for e in range((<Node>v.target).nedges):
            k = w.follow[v.first_edge + e]
            if k >= 0 and (w.vertex[k].needed or w.vertex[k].wanted):
                v.needed = True
                break
    return 0


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
        if captured is not None:             # otherwise it retains its gradient: see checked_inputs
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
    frames = list(traceback.walk_stack(sys._getframe()))
    for i, (frame, _) in enumerate(frames):          # the program's outermost frame is the one that `python -m fastgrad` called
        if frame.f_globals.get("__package__") == "fastgrad" and frame.f_globals.get("__name__") == "__main__":
            frames = frames[:i]
            break
    node_extra(node)["line"] = "".join(traceback.StackSummary.extract(reversed(frames)).format())
    return 0


cdef int warn_of_line(Node node) except -1:
    """In anomaly mode, before an error: where the operation was called whose backward failed."""
    import warnings
    where = None if node.extra is None else (<dict>node.extra).get("line")
    where = f"Traceback of forward call that caused the error:\n{where}" if where else \
        "No forward pass information available. Enable detect anomaly during forward pass for more information."
    warnings.warn(f"Error detected in {node_name(node)}. {where}")
    return 0


cdef int check_nan(Node node, PyObject** out) except -1:
    cdef int e
    for e in range(node.nedges):
        if out[e] != NULL and (<object>out[e] != <object>out[e]).any():
            warn_of_line(node)
            raise RuntimeError(f"Function '{node_name(node)}' returned nan values in its {e}th output.")
    return 0
