# Where gradients come together: along the edges to a vertex, and in a leaf's `.grad`.
#
# Note [Broadcasting is undone by the walk]: an operation may return a gradient in the broadcast shape or a promoted dtype;
# whoever delivers it along an edge sums and casts it to what the edge's end is.
# Note [A gradient is copied only if someone else can see it]: the first gradient of a leaf becomes its `.grad` and a second one
# is added in place where counted references show that nobody but the walk holds it (`exclusive`); so what the walk hands on it
# must not hold twice.

cdef inline PyObject** grad_place(Vertex* v, uint32_t nr) noexcept:
    return &v.grad if v.grads == NULL else &v.grads[nr]


cdef inline bint exclusive(Tensor t, int references) noexcept:
    """Whether nobody but the holders of `references` counted references can see t's memory."""
    return (<PyObject*>t).ob_refcnt <= references and t.storage.refs == 1 and likely(t.storage.owner == NULL) and \
        likely(t.storage.parent == NULL) and likely(t.base is None)


cdef bint fits(Tensor g, const Meta* meta) noexcept:
    """Whether broadcasting can have made g's shape of meta's."""
    cdef int d, shift = g.a.ndim - meta.ndim
    if shift < 0:
        return False
    for d in range(meta.ndim):
        if meta.shape[d] != 1 and meta.shape[d] != g.a.shape[d + shift]:
            return False
    return True


cdef inline bint has_shape(const Array* a, const Meta* meta) noexcept:
    cdef int d
    if a.ndim != meta.ndim:
        return False
    for d in range(a.ndim):
        if a.shape[d] != meta.shape[d]:
            return False
    return True


cdef inline bint is_fitted(PyObject* g, const Meta* meta) noexcept:
    """Whether `fitted` would give g itself."""
    return (<Tensor>g).a.dtype == meta.dtype and has_shape(&(<Tensor>g).a, meta)


cdef Tensor fitted(Tensor g, const Meta* meta):
    """See Note [Broadcasting is undone by the walk]."""
    if not has_shape(&g.a, meta):
        if not fits(g, meta):
            raise RuntimeError(f"backward: a gradient must have the shape of what it belongs to, got {shape_tuple(&g.a)} and "
                               f"{tuple(shape_list(meta.ndim, meta.shape))}")
        g = operations.sum_to(g, meta)
    if g.a.dtype != meta.dtype:
        g = operations.cast(g, meta.dtype)
    return g


cdef Tensor fitted_leaf(Tensor g, Tensor leaf):
    cdef Meta meta
    if same_shape(&g.a, &leaf.a) and g.a.dtype == leaf.a.dtype:
        return g
    meta_of(&leaf.a, &meta)
    return fitted(g, &meta)


cdef int deliver(Walk* w, int32_t k, uint32_t nr, Tensor g) except -1:
    """Add g to the gradient that vertex k gathers for its output nr."""
    cdef Vertex* v = &w.vertex[k]
    cdef PyObject** place
    cdef Tensor held
    g = fitted_leaf(g, <Tensor>v.target) if v.is_leaf else fitted(g, &(<Node>v.target).meta[nr])
    place = grad_place(v, nr)
    if place[0] == NULL:
        Py_INCREF(g)
        place[0] = <PyObject*>g
        return 0
    held = <Tensor>place[0]
    if w.create_graph or is_narrow(held.a.dtype):
        g = operations.add(held, g)
    elif exclusive(held, 2) and held.a.contiguous:
        add_into(&held.a, &g.a)
        return 0
    else:
        g = summed(held, g)
    clear_slot(place)
    Py_INCREF(g)
    place[0] = <PyObject*>g
    return 0


cdef inline bint is_narrow(int dt) noexcept nogil:
    """Floats that kernels only move."""
    return dt == FLOAT16 or dt == BFLOAT16


cdef int add_into(Array* into, Array* g) except -1:
    """into += g, of one shape and dtype, without a graph.  The GIL stays held: two threads may add into one leaf."""
    cdef Launch l
    cdef Array* operand[3]
    cdef int8_t perm[MAX_DIMS]
    cdef int i
    l.kernel = K_ADD
    l.dtype = into.dtype
    l.core = 1
    l.noperands = 3
    operand[0] = operand[1] = into
    operand[2] = g
    for i in range(3):
        l.ptr[i] = operand[i].data
    if into.contiguous and g.contiguous:
        l.ndim = 1
        l.shape[0] = into.numel
        for i in range(3):
            l.stride[i][0] = ITEMSIZE[into.dtype]
        if into.numel < large_launch:
            return run_flat(&l, l.ptr, kernel_table.kernel[K_ADD * NDTYPES + into.dtype])
    else:
        order_dims(operand, 3, into, perm)
        fill_loop(&l, operand, 3, perm)
    return run_holding(&l) if into.numel else 0


cdef Tensor summed(Tensor a, Tensor b):
    cdef Tensor r = contiguous_copy(a)
    add_into(&r.a, &b.a)
    return r


cdef int accumulate(Tensor leaf, PyObject** place, bint create_graph) except -1:
    """leaf.grad += the gradient in `place`, which is empty afterwards.  Whatever may let another thread run is done before
    leaf.grad is looked at for the last time."""
    cdef Tensor held, total, g = <Tensor>place[0]
    cdef bint as_leaf                             # it shall lie in memory as the leaf does
    place[0] = NULL
    Py_DECREF(g)                                  # `g` alone holds it now: exclusive() counts references
    if g.node is not None:
        cycles_are_possible()
    if leaf.grad_ is None:
        as_leaf = not leaf.a.contiguous and dense(&leaf.a) and same_shape(&leaf.a, &g.a)
        if not exclusive(g, 1) or not (same_strides(&g.a, &leaf.a) if as_leaf else g.a.contiguous) or \
                (g.node is not None and not create_graph):
            g = in_order_of(leaf, g, create_graph) if as_leaf else copied(g, create_graph)
        if leaf.grad_ is None:
            leaf.grad_ = g
            return 0
    while True:
        held = <Tensor>leaf.grad_
        if not same_shape(&held.a, &g.a):
            raise RuntimeError(f"backward: .grad must have the shape of its tensor, got {shape_tuple(&held.a)} and {shape_tuple(&g.a)}")
        if not create_graph and not is_narrow(held.a.dtype):
            if held.a.dtype != g.a.dtype:
                g = operations.cast(g, held.a.dtype)
            if leaf.grad_ is held:
                refuse_shared_elements(&held.a)
                add_into(&held.a, &g.a)
                held.storage.version += 1
                return 0
        else:
            total = operations.add(held, g)
            if leaf.grad_ is held:
                leaf.grad_ = total
                return 0
        if leaf.grad_ is None:
            leaf.grad_ = copied(g, create_graph)
            return 0


cdef Tensor copied(Tensor g, bint with_graph):
    """The same values in memory of their own, and at the same place in the graph if that is kept."""
    return at_place_of(g, contiguous_copy(g), with_graph)


cdef Tensor in_order_of(Tensor leaf, Tensor g, bint with_graph):
    """The same, laid out in memory as the leaf is."""
    cdef int8_t perm[MAX_DIMS]
    cdef Array* operand = &leaf.a
    cdef Tensor r
    order_dims(&operand, 1, &leaf.a, perm)
    r = empty_in_order(g.a.dtype, &leaf.a, perm)
    copy_array(&r.a, &g.a)
    return at_place_of(g, r, with_graph)


cdef Tensor at_place_of(Tensor g, Tensor r, bint with_graph):
    if with_graph and g.node is not None:
        r.node, r.nr = g.node, g.nr
        r.flags |= REQUIRES_GRAD
    return r
