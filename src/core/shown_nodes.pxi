# Nodes as a program sees them: their names, types, edges and hooks, and the ends of edges that lead to leaves.
#
# Note [Types of nodes]: in PyTorch each operation's nodes have a type of their own, ExpBackward0, which programs that draw graphs
# print.  A node is a plain Node until a program asks for it (`shown`); then it gets a subtype of its name, which has no memory
# of its own and differs in what it is called alone; its dealloc makes it a plain Node again.  So `is_node` decides what is one.

from collections import namedtuple

cdef extern from "Python.h":
    unsigned long Py_TPFLAGS_BASETYPE
    unsigned long Py_TPFLAGS_IMMUTABLETYPE

cdef dict node_types = {}
cdef object ends = weakref.WeakValueDictionary()     # a leaf's id -> its AccumulateGrad, which keeps the leaf alive


cdef str node_name(Node node):
    if node.extra is not None and "name" in node.extra:
        return node.extra["name"]
    return node.row.node_name.decode()


cdef str type_name_of(Node node):
    """What its type is called: names that PyTorch qualifies go without their namespace."""
    return node_name(node).rpartition("::")[2]


cdef str maker_name(Node node):
    """The operation that left the node, as PyTorch calls it in errors: Exp for ExpBackward0."""
    return node_name(node).partition("Backward")[0]


cdef object shown(Node node):
    """The node, to be handed to a program.  See Note [Types of nodes]."""
    if node is not None and Py_TYPE(<PyObject*>node) == <PyTypeObject*>Node:
        module = "torch.autograd.function" if node.row.backward == function_backward else "builtins"
        key = module, type_name_of(node)
        kind = node_types.get(key) or new_node_type(key)
        Py_SET_TYPE(<PyObject*>node, <PyTypeObject*>kind)
    return node


cdef object new_node_type(tuple key):
    cdef object made = type(key[1], (Node,), {"__slots__": (), "__module__": key[0], "__doc__": Node.__doc__})
    cdef PyTypeObject* kind = <PyTypeObject*>made
    kind.tp_dealloc = shown_node_dealloc
    kind.tp_traverse = node_traverse
    kind.tp_clear = node_release
    kind.tp_flags = (kind.tp_flags | Py_TPFLAGS_IMMUTABLETYPE) & ~Py_TPFLAGS_BASETYPE
    Py_INCREF(made)                       # its nodes do not count as references to it
    node_types[key] = made
    return made


cdef list shown_edges(Node node):
    """The edges that PyTorch shows, in its order: see Row.shown."""
    cdef int i
    if node.row.shown == NULL:
        return list(range(node.nedges))
    return [i - 1 for i in <bytes>node.row.shown if i <= node.nedges]


cdef object end_of_edge(PyObject* target):
    """The node that an edge leads to, an AccumulateGrad for a leaf."""
    if is_node(target):
        return shown(<Node>target)
    found = ends.get(<size_t>target)
    if found is None:
        found = ends[<size_t>target] = AccumulateGrad(<object>target)
    return found


cdef class Node:
    """What an operation leaves in the graph: where its gradients come from and where they go.

    Invariants:
    1. `edge[i]` is the node that made input i, the input itself if it is a leaf that wants a gradient, or NULL; owned.
    2. `saved` holds what the gradients read (tensors as they were given, the result without its node, Python values); a
       saved tensor is valid while its storage still has the version noted beside it.
    3. `seq` grows in the order nodes are made, so every edge leads to a smaller number and no cycle can arise from edges.
    4. Once `released`, nothing is saved and the node cannot run again.
    5. `inline_edge`, and `saved` from `nsaved` on, are NULL, also in dead objects.
    Thread-safety: as Tensor; the walk reads `walk` and `slot` only while it lays out the graph, under the GIL.
    """

    def name(self):
        return node_name(self)

    def __repr__(self):
        place = "torch.autograd.function." if self.row.backward == function_backward else ""
        return f"<{place}{type_name_of(self)} object at {<size_t><PyObject*>self:#x}>"

    def __call__(self, *grads):
        """The gradients of the node's inputs, from those of its outputs; hooks are left out.

        Raises:
            TypeError: not one tensor, or None, for each output.
        """
        return call_node(self, grads)

    @property
    def next_functions(self):
        """For each input: (the node its gradient goes to, the output number there); (None, 0) where none is wanted."""
        result = []
        for i in shown_edges(self):
            if self.edge[i] == NULL:
                result.append((None, 0))
            else:
                result.append((end_of_edge(self.edge[i]), self.edge_nr[i] if is_node(self.edge[i]) else 0))
        return tuple(result)

    def __getattr__(self, name):
        """A custom function's context is reached through its node, as in PyTorch."""
        if self.row.backward == function_backward and self.extra is not None:
            return getattr((<dict>self.extra)["context"], name)
        raise AttributeError(f"'{type_name_of(self)}' object has no attribute '{name}'")

    def __setattr__(self, name, value):
        if self.row.backward != function_backward or self.extra is None:
            raise AttributeError(f"'{type_name_of(self)}' object has no attribute '{name}' that could be set")
        setattr((<dict>self.extra)["context"], name, value)

    def __reduce_ex__(self, protocol):
        raise TypeError(f"cannot pickle '{type_name_of(self)}' object")

    @property
    def metadata(self):
        return node_extra(self).setdefault("metadata", {})

    @property
    def requires_grad(self):
        return True

    def _sequence_nr(self):
        return self.seq

    def register_hook(self, hook):
        """Call hook(grad_inputs, grad_outputs) after this node's backward; it may return other grad_inputs."""
        return add_hook(node_extra(self).setdefault("post", {}), hook)

    def register_prehook(self, hook):
        """Call hook(grad_outputs) before this node's backward; it may return other grad_outputs."""
        return add_hook(node_extra(self).setdefault("pre", {}), hook)


cdef object call_node(Node node, tuple given):
    """The node's backward alone."""
    cdef PyObject** grads
    cdef PyObject** out
    cdef uint32_t i
    if <uint32_t>len(given) != node.noutputs:
        raise TypeError(f"expected {node.noutputs} arguments, got {len(given)} instead")
    for i in range(node.noutputs):
        if given[i] is not None and (not isinstance(given[i], Tensor) or node.meta[i].ndim < 0):      # below 0: an output that is no tensor
            raise TypeError(f"argument {i} is not a Variable")
    results = [None] * node.nedges
    grads = <PyObject**>calloc(node.noutputs + node.nedges, sizeof(PyObject*))
    if grads == NULL:
        raise MemoryError("cannot allocate a node's gradients")
    out = grads + node.noutputs
    try:
        for i in range(node.noutputs):
            if given[i] is not None:
                give(grads, i, fitted(<Tensor>given[i], &node.meta[i]))
        if given.count(None) < <Py_ssize_t>len(given):
            node.row.backward(node, grads, out, fg_grad_enabled)
        for i in range(node.nedges):
            if out[i] != NULL:
                results[i] = <object>out[i]
    finally:
        for i in range(node.noutputs + node.nedges):
            clear_slot(&grads[i])
        free(grads)
    results = [results[i] for i in shown_edges(node)]
    return results[0] if len(results) == 1 else tuple(results)


class AccumulateGrad:
    """How a leaf shows in `next_functions`: the end of an edge, which adds into `variable.grad`.  A leaf has one at a time."""

    next_functions = ()
    requires_grad = True

    def __init__(self, variable):
        self.variable = variable

    def name(self):
        return "torch::autograd::AccumulateGrad"

    @property
    def metadata(self):
        return tensor_extra(self.variable).setdefault("metadata", {})

    def register_hook(self, hook):
        """Call hook((), (gradient,)) after the gradient was added to `variable.grad`."""
        return add_hook(tensor_extra(self.variable).setdefault("post", {}), hook)

    def register_prehook(self, hook):
        """Call hook((gradient,)) before it is added; it may return a tuple with another one."""
        return add_hook(tensor_extra(self.variable).setdefault("pre", {}), hook)

    def __repr__(self):
        return f"<AccumulateGrad object at {id(self):#x}>"


GradientEdge = namedtuple("GradientEdge", ("node", "output_nr", "ownership_token"), defaults=(None,), module="torch.autograd.graph")
GradientEdge.__doc__ = "Where a gradient goes: output number `output_nr` of a node.  Stands for that output's tensor in backward and grad."


def _gradient_edge(Tensor tensor):
    """Where the gradient of a tensor goes that requires one."""
    if not needs(<PyObject*>tensor):
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    target = root_target(tensor)
    return GradientEdge(end_of_edge(target), tensor.nr if is_node(target) else 0)


cdef bint has_edges(object given):
    return isinstance(given, GradientEdge) or (not isinstance(given, Tensor) and any([isinstance(one, GradientEdge) for one in given]))


cdef Tensor tensor_at(object edge):
    """What stands for the tensor of an edge: the leaf, or a tensor of its shape at its place in the graph."""
    cdef Node node
    cdef Tensor t
    cdef Meta* meta
    if isinstance(edge.node, AccumulateGrad):
        return edge.node.variable
    if not isinstance(edge.node, Node):
        raise TypeError(f"GradientEdge: node must be a node of the graph, got {type(edge.node).__name__}")
    node = edge.node
    nr = edge.output_nr
    if not 0 <= nr < node.noutputs or node.meta[<int>nr].ndim < 0:
        raise RuntimeError(f"GradientEdge: {node_name(node)} has no output tensor {nr}")
    meta = &node.meta[<int>nr]
    t = empty(meta.dtype, meta.ndim, meta.shape)
    t.node, t.nr, t.flags = node, nr, REQUIRES_GRAD
    return t


cdef PyObject* target_of(object shown_node) except NULL:
    if isinstance(shown_node, AccumulateGrad):
        shown_node = shown_node.variable
    elif not isinstance(shown_node, Node):
        raise TypeError(f"a node of the graph is wanted, not {type(shown_node).__name__}")
    return <PyObject*>shown_node


def _walk_number():
    """Of the walk this thread is in; 0 for one that goes straight to a single leaf, or none."""
    return 0 if fg_walk == NULL else (<Walk*>fg_walk).serial


def _run_in_walk(list nodes):
    """How many of the nodes this thread's walk runs."""
    cdef Walk* w = <Walk*>fg_walk
    cdef int32_t i
    wanted = [<size_t>target_of(one) for one in nodes]
    cdef set run = set()
    if w != NULL:
        for i in range(w.count):
            if w.vertex[i].needed or w.vertex[i].wanted:
                run.add(<size_t>w.vertex[i].target)
    return sum([one in run for one in wanted])
