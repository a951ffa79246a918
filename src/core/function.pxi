# Custom functions: a Python class with forward and backward, as one node of the graph.
#
# The node's row is the same for all of them; its `extra` holds the context that forward, setup_context and backward share.
# Note [Saved outputs of a function]: the node owns the context, so an output that the context saves is kept without its node,
# and gets it back when it is asked for.  The context knows its node by a pointer that the node clears when it dies.

cdef Row function_row
memset(&function_row, 0, sizeof(Row))
function_row.name = b"apply"
function_row.node_name = b"Function"
function_row.backward = function_backward

cdef object materialized(Meta* meta):
    cdef Tensor r = empty(meta.dtype, meta.ndim, meta.shape)
    fill_array(&r.a, 0)
    return r


cdef class FunctionCtx:
    """What a custom function's forward hands to its backward.

    Invariants: `kept[i]` goes with `version_of[i]`, the version its storage had when forward ended, and `output_of[i]`, which
    output of the node it is, or -1.  Thread-safety: as Node.
    """
    cdef dict __dict__
    cdef object __weakref__
    cdef public object to_save
    cdef public object saved_forward  # what save_for_forward was given
    cdef public bint pushing          # jvp runs: saved_tensors are those for forward mode
    cdef public object needs_input_grad
    cdef public object dirty_tensors
    cdef public object non_differentiable
    cdef public bint materialize_grads
    cdef list kept
    cdef list version_of
    cdef list output_of
    cdef list given                   # which arguments were tensors
    cdef bint released
    cdef PyObject* node               # not owned; NULL before forward ended and after the node died

    def __cinit__(self, *args, **kwargs):
        self.materialize_grads = True
        self.needs_input_grad = ()

    def save_for_backward(self, *tensors):
        """Keep tensors (or None) for backward, which finds them in `saved_tensors`; call it once, in forward."""
        self.to_save = tensors

    def save_for_forward(self, *tensors):
        """Keep tensors (or None) for jvp, which finds them in `saved_tensors`; call it once, in forward."""
        self.saved_forward = tensors

    def mark_dirty(self, *tensors):
        """Say which inputs forward changed in place; each must be returned."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors):
        """Say which outputs have no gradient."""
        self.non_differentiable = tensors

    def set_materialize_grads(self, bint value):
        """Whether backward gets zeros (default) or None for an output that got no gradient."""
        self.materialize_grads = value

    @property
    def saved_tensors(self):
        """The tensors that forward saved.  Raises RuntimeError if they were released, or changed in place since."""
        return saved_of(self)

    @property
    def saved_variables(self):
        return saved_of(self)

    def name(self):
        return type(self).__name__


cdef tuple saved_of(FunctionCtx ctx):
    cdef Tensor t, own
    cdef int nr
    cdef list result = []
    if ctx.pushing:
        return tuple(ctx.saved_forward or ())
    if ctx.released:
        raise_released()
    if ctx.kept is None:
        return tuple(ctx.to_save or ())
    for i, one in enumerate(ctx.kept):
        if isinstance(one, Packed):
            one = unpacked(<Packed>one)
        if one is not None:
            t = <Tensor>one
            nr = ctx.output_of[i]
            if t.storage.version != ctx.version_of[i] and not isinstance(ctx.kept[i], Packed):
                if nr >= 0:
                    raise_changed(t, None if ctx.node == NULL else <Node>ctx.node, nr, ctx.version_of[i])
                raise_changed(t, <Node>t.node, t.nr, ctx.version_of[i])
            if nr >= 0 and ctx.node != NULL:
                own = alias(t)
                own.node, own.nr = <object>ctx.node, nr
                own.flags |= REQUIRES_GRAD
                one = own
        result.append(one)
    return tuple(result)


cdef int keep_saved(FunctionCtx ctx, Node node) except -1:
    """After forward: note the versions, and keep outputs without their node."""
    cdef Tensor t
    cdef int nr
    if ctx.to_save is None:
        return 0
    ctx.kept, ctx.version_of, ctx.output_of = [], [], []
    for i, one in enumerate(ctx.to_save):
        if one is not None and not isinstance(one, Tensor):
            raise TypeError(f"save_for_backward can only save variables, but argument {i} is of type {type(one).__name__}")
        nr = -1
        if one is not None:
            t = <Tensor>one
            check_savable(t)
            if t.node is node:
                nr = t.nr
                one = alias(t)
            if pack_hook is not None:
                one = packed(<Tensor>one)
        ctx.kept.append(one)
        ctx.version_of.append(0 if one is None else t.storage.version)
        ctx.output_of.append(nr)
    ctx.to_save = None
    return 0


cdef void release_function(Node node) noexcept:
    """After its backward: let go of what the context saved."""
    cdef FunctionCtx ctx = <FunctionCtx>(<dict>node.extra)["context"]
    if ctx.kept:
        ctx.kept = None
        ctx.released = True
        node.released = True


cdef void forget_context(PyObject* node) noexcept:
    """The node dies: its context, which may live on, must not point at it."""
    cdef object ctx = (<dict>(<Node>node).extra).get("context")
    if ctx is not None:
        (<FunctionCtx>ctx).node = NULL


def _apply_function(cls, tuple args, bint separate, list contexts=None):
    """Function.apply: run forward without a graph, then make the node.

    separate: forward takes no context, and setup_context(ctx, inputs, output) fills it.
    contexts: the context is appended to it.
    """
    global fg_grad_enabled
    cdef FunctionCtx ctx = cls._backward_cls()
    if contexts is not None:
        contexts.append(ctx)
    cdef int enabled = fg_grad_enabled
    cdef bint recorded = False
    cdef object one
    ctx.needs_input_grad = tuple([is_tensor(<PyObject*>one) and ((<Tensor>one).flags & REQUIRES_GRAD) != 0 for one in args])
    recorded = enabled and True in ctx.needs_input_grad
    fg_grad_enabled = 0
    try:
        if separate:
            result = cls.forward(*args)
            cls.setup_context(ctx, args, result)
        else:
            result = cls.forward(ctx, *args)
    finally:
        fg_grad_enabled = enabled
    if not isinstance(result, tuple):
        return wrapped_outputs(ctx, args, (result,), recorded)[0]
    return wrapped_outputs(ctx, args, <tuple>result, recorded)


cdef object looked_through(tuple those):
    """For `among`: many are told by their addresses."""
    return those if len(those) <= 16 else frozenset([id(one) for one in those])


cdef inline bint among(object one, object those):
    if isinstance(those, frozenset):
        return id(one) in <frozenset>those
    if those is not None:
        for other in those:
            if other is one:
                return True
    return False


cdef Node function_node(FunctionCtx ctx, tuple args, Py_ssize_t noutputs):
    """A node with an edge for each tensor among the arguments."""
    cdef int i = 0
    ctx.given = [is_tensor(<PyObject*>one) for one in args]
    cdef Node node = new_node(&function_row, ctx.given.count(True), max(noutputs, 1))
    for k in range(node.noutputs):
        node.meta[k].ndim = -1                    # an output that is no tensor
    for one in args:
        if is_tensor(<PyObject*>one):
            set_edge(node, i, <Tensor>one)
            i += 1
    node_extra(node)["context"] = ctx
    node.extra["name"] = type(ctx).__name__
    ctx.node = <PyObject*>node
    return node


cdef int check_marked(object marked, str call) except -1:
    """What mark_dirty or mark_non_differentiable was given must be tensors."""
    if marked is None:
        return 0
    if not isinstance(marked, tuple):
        raise RuntimeError(f"{call}: the marked tensors are expected to be a tuple, got {type(marked).__name__}")
    for one in marked:
        if not isinstance(one, Tensor):
            raise RuntimeError(f"{call} can only accept tensors, got {type(one).__name__}")
    return 0


cdef int take_dirty(FunctionCtx ctx, tuple args, tuple outputs, bint recorded) except -1:
    """Check the inputs that forward changed in place, and let their versions say so."""
    check_marked(ctx.dirty_tensors, "mark_dirty")
    for one in ctx.dirty_tensors or ():
        if not among(one, outputs):
            raise RuntimeError("Some elements marked as dirty during the forward method were not returned as output. The "
                               "inputs that are modified inplace must all be outputs of the Function.")
        if recorded and (<Tensor>one).node is None and (<Tensor>one).flags & REQUIRES_GRAD:
            raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
        if not among(one, args):
            import warnings
            warnings.warn("ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated "
                          "should be passed to ctx.mark_dirty().", UserWarning, stacklevel=2)
    for one in ctx.dirty_tensors or ():
        (<Tensor>one).storage.version += 1
    return 0


cdef tuple wrapped_outputs(FunctionCtx ctx, tuple args, tuple outputs, bint recorded):
    cdef Node node = None
    cdef list result = []
    cdef object given = looked_through(args)
    check_marked(ctx.non_differentiable, "mark_non_differentiable")
    take_dirty(ctx, args, outputs, recorded)
    if recorded:
        node = function_node(ctx, args, len(outputs))
    for i in range(len(outputs)):
        one = outputs[i]
        result.append(wrapped_output(ctx, args, given, <Tensor>one, node, i) if isinstance(one, Tensor) else one)
    if recorded:
        keep_saved(ctx, node)
    else:
        ctx.to_save = None
    return tuple(result)


cdef Tensor wrapped_output(FunctionCtx ctx, tuple args, object given, Tensor t, Node node, int nr):
    """One output as it leaves the function: with the node, or without any past."""
    cdef bint is_input = among(t, given), dirty = among(t, ctx.dirty_tensors)
    if node is not None:
        meta_of(&t.a, &node.meta[nr])
    if among(t, ctx.non_differentiable) or not is_floating(t.a.dtype):
        if not t.flags & REQUIRES_GRAD:
            return t
        return without_past(t, is_input)
    if node is None:
        return without_past(t, is_input) if t.flags & REQUIRES_GRAD else t
    if is_input and not dirty:
        return input_view(t, node, nr)
    if dirty and t.base is not None:
        if node.noutputs > 1:
            raise RuntimeError("apply: a function with several outputs cannot change a view in place. Return a new tensor instead.")
        rebase(t, node)
        return t
    if t.base is not None and (among(t.base, given) or shares_base(t, args)):
        mark_function_view(t, node)
    else:
        t.base = None
    set_node(t, node, nr)
    return t


cdef Tensor without_past(Tensor t, bint is_input):
    if is_input:
        return alias(t)
    t.node, t.base = None, None
    t.flags &= ~REQUIRES_GRAD
    return t


cdef bint shares_base(Tensor t, tuple args):
    """Whether an argument is another view of t's base."""
    for one in args:
        if is_tensor(<PyObject*>one) and (<Tensor>one).base is t.base:
            return True
    return False


cdef Tensor input_view(Tensor given, Node node, int nr):
    """An input that forward returned as it is: a view of it, as the input keeps its own past."""
    cdef Tensor t = alias(given)
    t.base = given if given.base is None else given.base
    mark_function_view(t, node)
    set_node(t, node, nr)
    return t


cdef void mark_function_view(Tensor t, Node node) noexcept:
    """See Note [Views that history cannot follow]."""
    t.seen = t.storage.version
    t.flags &= ~NO_GRAD_VIEW
    t.flags |= MANY_VIEWS if node.noutputs > 1 else FUNCTION_VIEW


cdef object backward_rule(FunctionCtx ctx):
    """What the Function's class calls backward, or vjp."""
    cdef object kind = type(ctx)
    backward, vjp = kind._forward_cls.backward, kind._forward_cls.vjp
    if vjp is kind._no_backward:
        return backward
    if backward is not kind._no_backward:
        raise RuntimeError("Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement "
                           "one of them.")
    return vjp


cdef int function_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef FunctionCtx ctx = <FunctionCtx>(<dict>node.extra)["context"]
    cdef list args = []
    cdef int i, e = 0
    if node.released:
        raise_released()
    for i in range(node.noutputs):
        if grads[i] != NULL:
            args.append(<object>grads[i])
        elif ctx.materialize_grads and node.meta[i].ndim >= 0:
            args.append(materialized(&node.meta[i]))
        else:
            args.append(None)
    result = backward_rule(ctx)(ctx, *args)
    if not isinstance(result, tuple):
        result = (result,)
    n = len(ctx.given)
    if len(result) > n and all([one is None for one in result[n:]]):
        result = result[:n]
    if len(result) != n:
        raise RuntimeError(f"function {node_name(node)} returned an incorrect number of gradients (expected {n}, got {len(result)})")
    for i in range(n):
        one = result[i]
        if not ctx.given[i]:
            if one is not None:
                raise RuntimeError(f"function {node_name(node)} returned a gradient different than None at position {i + 1}, but "
                                   "the corresponding forward input was not a Variable")
            continue
        if one is not None:
            if not isinstance(one, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(one).__name__})")
            check_gradient(node, e, <Tensor>one)
            if node.edge[e] != NULL:
                give(out, e, one)
        e += 1
    return 0


cdef int check_gradient(Node node, int e, Tensor g) except -1:
    """A gradient from Python code must fit the end of its edge: its shape, or one that broadcasting made of it."""
    cdef Meta meta
    cdef PyObject* target = node.edge[e]
    cdef int d, shift
    if target == NULL:
        return 0
    if is_node(target):
        meta = (<Node>target).meta[node.edge_nr[e]]
    else:
        meta_of(&(<Tensor>target).a, &meta)
    if not fits(g, &meta):
        raise RuntimeError(
            f"Function {node_name(node)} returned an invalid gradient at index {e} - got {shape_list(g.a.ndim, g.a.shape)} but "
            f"expected shape compatible with {shape_list(meta.ndim, meta.shape)}")
    return 0
