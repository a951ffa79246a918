# Gradients of gradients for nodes with a fused backward over many operations: the function once more, as operations of the engine.
#
# A row whose backward is a kernel needs a form that can be differentiated again.  Where no formula is at hand, the node computes its
# result a second time by operations, from views of its inputs that nobody else sees, and takes that graph's gradient.

ctypedef tuple (*operations_t)(list inputs, object options)


cdef int give_by_operations(Node node, PyObject** grads, PyObject** out, operations_t form, list inputs, object options) except -1:
    """The gradients that `node` gives when a graph of them is wanted.  form(inputs, options) gives the node's outputs, inputs in the
    order of its edges."""
    cdef int i
    cdef list wanted = [], results = [], given = []
    cdef list seen = [op_alias(t) if node.edge[i] != NULL else t for i, t in enumerate(inputs)]
    cdef tuple made = form(seen, options)
    for i in range(node.noutputs):
        if grads[i] != NULL:
            results.append(made[i])
            given.append(<object>grads[i])
    for i in range(node.nedges):
        if node.edge[i] != NULL:
            wanted.append(seen[i])
    found = iter(gradients_of(results, wanted, given, create_graph=True, allow_unused=True))
    for i in range(node.nedges):
        if node.edge[i] != NULL:
            give(out, i, next(found))
    return 0
