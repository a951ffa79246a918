# The graph as Python sees it: shapes, handles of hooks, backward and grad.  Its nodes are in shown_nodes.pxi.

from operator import index as operator_index


class Size(tuple):
    """A tensor's shape: a tuple that prints as torch.Size."""

    __slots__ = ()

    def __new__(cls, sizes=()):
        if type(sizes) is cls:
            return sizes
        given = tuple(sizes)
        for i, size in enumerate(given):
            if not hasattr(size, "__index__"):
                raise TypeError(f"torch.Size() takes an iterable of 'int' (item {i} is '{type(size).__name__}')")
        return tuple.__new__(cls, [operator_index(size) for size in given])

    def numel(self):
        n = 1
        for size in self:
            n *= size
        return n

    def __repr__(self):
        return f"torch.Size([{', '.join(map(str, self))}])"

    def __getitem__(self, index):
        item = tuple.__getitem__(self, index)
        return tuple_new(Size, item) if isinstance(index, slice) else item

    def __add__(self, other):
        if not isinstance(other, tuple):
            return NotImplemented
        together = tuple.__add__(self, other)
        return tuple_new(Size, together) if type(other) is Size else Size(together)

    def __radd__(self, other):
        return Size(other + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times):
        return tuple_new(Size, tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self):
        return Size, (tuple(self),)


cdef object tuple_new = tuple.__new__

cdef extern from "Python.h":
    object PyType_GenericAlloc(object kind, Py_ssize_t n)


cdef object size_of(Tensor t):
    return filled_shape(PyType_GenericAlloc(Size, t.a.ndim), &t.a)


cdef str type_name(int dt):
    """The legacy type's name: FloatTensor."""
    return SCALAR_NAMES[dt] + "Tensor"


cdef dict node_extra(Node node):
    cycles_are_possible()
    if node.extra is None:
        node.extra = {}
    return node.extra


cdef dict tensor_extra(Tensor t):
    cycles_are_possible()
    if t.extra is None:
        t.extra = {}
    return t.extra


def reference_to(hooks):
    """A weak reference; to a plain dict, which takes none, a strong one."""
    return (lambda: hooks) if type(hooks) is dict else weakref.ref(hooks)


class RemovableHandle:
    """Removes one hook from the dict it was put into. Usable in a `with` statement.

    Args:
        hooks_dict: the dict that holds the hook under this handle's `id`; held weakly if it can be.
        extra_dict: a dict, or a list of dicts, that hold something more about the hook under the same id.
    """

    next_id = 0

    def __init__(self, hooks_dict, *, extra_dict=()):
        extras = [extra_dict] if isinstance(extra_dict, dict) else extra_dict or ()
        self.hooks_dict_ref = reference_to(hooks_dict)
        self.extra_dict_ref = tuple([reference_to(extra) for extra in extras])
        self.id = RemovableHandle.next_id
        RemovableHandle.next_id += 1

    def remove(self):
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self):
        return self.hooks_dict_ref(), self.id, tuple([ref() for ref in self.extra_dict_ref])

    def __setstate__(self, state):
        hooks_dict, self.id, extras = state
        self.hooks_dict_ref = reference_to({} if hooks_dict is None else hooks_dict)
        self.extra_dict_ref = tuple([reference_to(extra) for extra in extras if extra is not None])
        RemovableHandle.next_id = max(RemovableHandle.next_id, self.id + 1)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.remove()


cdef object add_hook(dict hooks, hook):
    if not callable(hook):
        raise TypeError(f"hook must be callable, not {type(hook).__name__}")
    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    return handle


def tensor_register_hook(Tensor self, hook):
    """Call hook(grad) when this tensor's gradient is known; a Tensor it returns replaces the gradient."""
    if not needs(<PyObject*>self):
        raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
    cdef Node node = node_of(self)
    extra = tensor_extra(self) if node is None else node_extra(node)
    return add_hook(extra.setdefault("hooks", {}).setdefault(self.nr, {}), hook)


def tensor_register_accumulated_hook(Tensor self, hook):
    """Call hook(tensor) after a gradient was added to this leaf's .grad."""
    if self.node is not None or not self.flags & REQUIRES_GRAD:
        raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    return add_hook(tensor_extra(self).setdefault("accumulated", {}), hook)


def tensor_retain_grad(Tensor self):
    """Keep this tensor's gradient in .grad although it is not a leaf."""
    if not needs(<PyObject*>self):
        raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    cdef Node node = node_of(self)
    if node is not None:
        self.flags |= RETAINS_GRAD
        node_extra(node).setdefault("retain", {})[self.nr] = weakref.ref(self)


def tensor_retains_grad(Tensor self):
    return bool(self.flags & RETAINS_GRAD)


# backward

cdef bint has_history(Tensor t) except -1:
    """Whether a gradient can come to t: a leaf that wants one, or what a node made."""
    return t.flags & REQUIRES_GRAD or node_of(t) is not None


cdef Tensor cotangent(Tensor t, object gradient, int index):
    """The gradient to start from, checked against its tensor; index: which of the roots it is, for messages."""
    cdef Tensor g
    if not has_history(t):
        raise RuntimeError(f"element {index} of tensors does not require grad and does not have a grad_fn")
    if gradient is None:
        if t.a.numel != 1:
            raise RuntimeError("grad can be implicitly created only for scalar outputs")
        if is_complex(t.a.dtype):
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {DTYPES[t.a.dtype]}")
        g = empty_as(t.a.dtype, &t.a)
        fill_array(&g.a, 1.0)
        return g
    if not isinstance(gradient, Tensor):
        raise TypeError(f"gradients can be either Tensors or None, but got {type(gradient).__name__}")
    g = <Tensor>gradient
    if not same_shape(&g.a, &t.a):
        raise RuntimeError(f"Mismatch in shape: grad_output[{index}] has a shape of {size_of(g)} and output[{index}] has a shape of "
                           f"{size_of(t)}.")
    return g


cdef int backward_from(Tensor t, object gradient, object retain_graph, bint create_graph, object inputs) except -1:
    cdef bint keep = create_graph if retain_graph is None else bool(retain_graph)
    cdef Root root
    set_root(&root, t, cotangent(t, gradient, 0))
    try:
        run_walk(&root, 1, keep, create_graph, None if inputs is None else checked_inputs("backward", inputs), None)
    finally:
        drop_root(&root)
    return 0


cdef int walk_lists(list roots, list grads, bint keep, bint create_graph, list inputs, list captured) except -1:
    """As run_walk, over lists of one length."""
    cdef int i, n = len(roots), done = 0
    cdef Root* p = <Root*>malloc((n + 1) * sizeof(Root))
    if p == NULL:
        raise MemoryError("cannot allocate a backward walk")
    try:
        for i in range(n):
            set_root(&p[i], <Tensor>roots[i], <Tensor>grads[i])
            done += 1
        run_walk(p, n, keep, create_graph, inputs, captured)
    finally:
        for i in range(done):
            drop_root(&p[i])
        free(p)
    return 0


cdef list tensors_of(object given):
    """Of one or several tensors or gradient edges: a list, in which a tensor stands for each edge."""
    cdef Py_ssize_t i
    if isinstance(given, (Tensor, GradientEdge)):
        given = (given,)
    cdef list result = list(given)
    for i in range(len(result)):
        if type(result[i]) is GradientEdge:
            result[i] = tensor_at(result[i])
    return result


cdef list checked_inputs(str name, object inputs):
    cdef list result = tensors_of(inputs)
    if not result:
        raise RuntimeError(f"`inputs` argument to `{name}()` cannot be empty.")
    for t in result:
        if not isinstance(t, Tensor):
            raise TypeError(f"{name}: inputs must be Tensors, not {type(t).__name__}")
        if not has_history(<Tensor>t):
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        if name == "backward":
            tensor_retain_grad(<Tensor>t)         # of no effect on a leaf
    return result


cdef tuple checked_roots(tensors, grads):
    cdef list roots = tensors_of(tensors)
    if grads is None:
        grads = [None] * len(roots)
    elif isinstance(grads, Tensor):
        grads = [grads]
    grads = list(grads)
    if len(grads) != len(roots):
        raise RuntimeError(f"got {len(roots)} tensors and {len(grads)} gradients")
    for t in roots:
        if not isinstance(t, Tensor):
            raise TypeError(f"backward starts at Tensors, not {type(t).__name__}")
    return roots, [cotangent(t, g, i) for i, (t, g) in enumerate(zip(roots, grads))]


def backward(tensors, grad_tensors=None, retain_graph=None, bint create_graph=False, grad_variables=None, inputs=None):
    """Add the gradients of `tensors` with respect to the leaves below them to the leaves' `.grad`.  See Tensor.backward.

    A GradientEdge may stand for a tensor, here and in `grad`.
    """
    if grad_variables is not None:
        if grad_tensors is not None:
            raise RuntimeError("`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only "
                               "use `grad_tensors`.")
        grad_tensors = grad_variables
    roots, grads = checked_roots(tensors, grad_tensors)
    keep = create_graph if retain_graph is None else bool(retain_graph)
    walk_lists(roots, grads, keep, create_graph, None if inputs is None else checked_inputs("backward", inputs), None)


cdef object grad_hook = None              # in a level of forward mode: takes the arguments of grad, and gives tangents to its results


def _set_grad_hook(function):
    """The function that answers for `grad`, or None; gives the one before."""
    global grad_hook
    before, grad_hook = grad_hook, function
    return before


def grad(outputs, inputs, grad_outputs=None, retain_graph=None, bint create_graph=False, bint only_inputs=True,
         allow_unused=None, bint is_grads_batched=False, bint materialize_grads=False):
    """The gradients of `outputs` with respect to `inputs`, as a tuple; no `.grad` is touched.

    Args:
        allow_unused: give None for an input that no output depends on, instead of raising.
        is_grads_batched: dimension 0 of every grad_output numbers cotangents; the gradients have it as well.
        materialize_grads: give zeros for it.
    Raises:
        RuntimeError: an input is not used and neither of these is set, or no gradient is wanted.
    """
    if grad_hook is not None:
        return grad_hook(outputs, inputs, grad_outputs, retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched,
                         materialize_grads)
    if is_grads_batched:
        from fastgrad.autograd.batched import batched_grad
        return batched_grad(outputs, inputs, grad_outputs, retain_graph, create_graph, allow_unused, materialize_grads)
    if not only_inputs:
        raise NotImplementedError("grad: only_inputs=False is not supported")
    if allow_unused is None:
        allow_unused = materialize_grads
    elif not allow_unused and materialize_grads:
        raise ValueError("Expected allow_unused to be True or not passed when materialize_grads=True, but got: "
                         "allow_unused=False.")
    roots, grads = checked_roots(outputs, grad_outputs)
    wanted = checked_inputs("grad", inputs)
    captured = [None] * len(wanted)
    keep = create_graph if retain_graph is None else bool(retain_graph)
    walk_lists(roots, grads, keep, create_graph, wanted, captured)
    for i, g in enumerate(captured):
        if g is None and not allow_unused:
            raise RuntimeError(f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                               "allow_unused=True if this is the desired behavior.")
        if g is None and materialize_grads:
            if has_edges(inputs):
                raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
            captured[i] = zeros_like_array(<Tensor>wanted[i])
    return tuple(captured)


cdef Tensor zeros_like_array(Tensor t):
    cdef Tensor r = empty_as(t.a.dtype, &t.a)
    fill_array(&r.a, 0)
    return r
