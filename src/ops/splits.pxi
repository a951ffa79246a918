# Views made of other views, and the operations that give several views at once.
#
# unbind and split have one node for all their outputs, whose backward joins what gradients came: a loop over the rows of a
# tensor costs one pass backward, not one for each row.

cdef object view_as_rule(Tensor input, Tensor other):
    return op_view(input, shape_tuple(&other.a))


cdef object reshape_as_rule(Tensor input, Tensor other):
    return op_reshape(input, shape_tuple(&other.a))


cdef object expand_as_rule(Tensor input, Tensor other):
    return op_expand(input, shape_tuple(&other.a))


cdef object broadcast_to_rule(Tensor input, object size):
    return op_expand(input, size)


cdef object adjoint_rule(Tensor input):
    if input.a.ndim == 0:
        return op_alias(input)
    if input.a.ndim < 2:
        raise RuntimeError(f"tensor.adjoint() is only supported on matrices or batches of matrices. Got {input.a.ndim}-D tensor.")
    return op_conj(op_transpose(input, -2, -1))


cdef object movedim_rule(Tensor input, object source, object destination):
    cdef int ndim = input.a.ndim
    given = list(source) if isinstance(source, (tuple, list)) else [source]
    places = list(destination) if isinstance(destination, (tuple, list)) else [destination]
    if len(given) != len(places):
        raise RuntimeError(f"movedim: Invalid source or destination dims: source ({given} dims) should contain the same number of "
                           f"dims as destination ({places} dims)")
    given = [wrapped_dim("movedim", d, ndim) for d in given]
    places = [wrapped_dim("movedim", d, ndim) for d in places]
    if len(set(given)) != len(given) or len(set(places)) != len(places):
        raise RuntimeError(f"movedim: repeated dim in `source` or `destination`: {given} and {places}")
    if ndim == 0:
        return op_alias(input)
    order = [-1] * ndim
    for d, place in zip(given, places):
        order[place] = d
    rest = iter([d for d in range(ndim) if d not in given])
    return op_permute(input, [next(rest) if d < 0 else d for d in order])


cdef object flatten_rule(Tensor input, object start_dim, object end_dim):
    cdef int ndim = input.a.ndim
    cdef int first = wrapped_dim("flatten", start_dim, ndim), last = wrapped_dim("flatten", end_dim, ndim)
    if first > last:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if ndim == 0:
        return op_reshape(input, (1,))
    if first == last:
        return input
    shape = shape_tuple(&input.a)
    size = 1
    for n in shape[first:last + 1]:
        size *= n
    return op_reshape(input, shape[:first] + (size,) + shape[last + 1:])


cdef object ravel_rule(Tensor input):
    return op_reshape(op_contiguous(input), (input.a.numel,))


cdef object unflatten_rule(Tensor input, object dim, object sizes):
    cdef int d = wrapped_dim("unflatten", dim, input.a.ndim)
    cdef int64_t n = input.a.shape[d] if input.a.ndim else 1
    given = tuple(sizes) if isinstance(sizes, (tuple, list)) else (sizes,)
    if not given:
        raise RuntimeError("unflatten: sizes must be non-empty")
    known = 1
    for size in given:
        known *= size if size != -1 else 1
    if (known != n) if -1 not in given else (known == 0 or n % known):
        raise RuntimeError(f"unflatten: Provided sizes {list(given)} don't multiply up to the size of dim {d} ({n}) in the input tensor")
    shape = shape_tuple(&input.a)
    sizes = tuple([n // known if size == -1 else size for size in given])
    return op_view(input, shape[:d] + sizes + shape[d + 1:])


# several outputs

cdef tuple pieces(const Row* row, Tensor t, int d, list starts, bint drop, object saved):
    """The views t[starts[i]:starts[i+1]] along d (or t[i], with the dimension dropped), outputs of one node."""
    cdef int64_t i, n = len(starts) - 1
    cdef Geometry g
    cdef Tensor out
    cdef Node node = None
    cdef list result = []
    if wants(t) and n:
        node = new_node(row, 1, n)
        set_edge(node, 0, t)
        node.nsaved = 2
        save_value(node, 0, shape_tuple(&t.a))
        save_value(node, 1, saved)
    for i in range(n):
        start_geometry(&g, &t.a)
        slice_dim(&g, d, starts[i], starts[i + 1], 1)
        if drop:
            drop_dim(&g, d)
        out = view_at(t, &g)
        out.flags |= MANY_VIEWS
        if node is not None:
            set_node(out, node, <int>i)
        result.append(out)
    return tuple(result)


cdef object unbind_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    if t.a.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    cdef int d = wrapped_dim("unbind", 0 if a[1] == NULL else <object>a[1], t.a.ndim)
    return pieces(row, t, d, list(range(t.a.shape[d] + 1)), True, d)


cdef int unbind_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef tuple shape = <object>node.saved[0]
    cdef int d = <object>node.saved[1]
    cdef int i
    cdef object zero = None
    cdef list given = []
    for i in range(node.noutputs):
        if grads[i] != NULL:
            given.append(<object>grads[i])
            continue
        if zero is None:
            zero = zeros_of(node.meta[0].dtype, shape[:d] + shape[d + 1:])
        given.append(zero)
    give(out, 0, op_stack(given, d))
    return 0


cdef object split_entry(const Row* row, PyObject** a):
    cdef Tensor t = tensor_argument(row, a[0], 0)
    cdef object how = <object>a[1]
    if t.a.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    cdef int d = wrapped_dim("split", 0 if a[2] == NULL else <object>a[2], t.a.ndim)
    cdef int64_t size, n = t.a.shape[d]
    if isinstance(how, (tuple, list)):
        return op_split_with_sizes(t, how, d)
    size = int_argument(row, a[1], 1)
    if size < 0:
        raise RuntimeError(f"split expects split_size be non-negative, but got split_size={size}")
    if size == 0 and n:
        raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {n}")
    return pieces(row, t, d, [0, 0] if n == 0 else [*range(0, n, size), n], False, d)


cdef object split_with_sizes_entry(const Row* row, PyObject** a):
    cdef Tensor input = tensor_argument(row, a[0], 0)
    cdef object split_sizes = <object>a[1]
    if input.a.ndim == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor, but got a tensor with 0 dims")
    cdef int d = wrapped_dim("split_with_sizes", 0 if a[2] == NULL else <object>a[2], input.a.ndim)
    cdef list starts = [0]
    cdef int64_t total = 0
    if not isinstance(split_sizes, (tuple, list)):
        raise TypeError(f"split_with_sizes(): argument 'split_sizes' must be tuple of ints, not {type(split_sizes).__name__}")
    for size in split_sizes:
        if size < 0:
            raise RuntimeError(f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={list(split_sizes)}")
        total += <int64_t>size
        starts.append(total)
    if total != input.a.shape[d]:
        raise RuntimeError(f"split_with_sizes expects split_sizes to sum exactly to {input.a.shape[d]} (input tensor's size at "
                           f"dimension {d}), but got split_sizes={list(split_sizes)}")
    return pieces(row, input, d, starts, False, d)


cdef int split_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1:
    cdef int i, k, d = <object>node.saved[1]
    cdef list given = []
    for i in range(node.noutputs):
        given.append(<object>grads[i] if grads[i] != NULL else
                     zeros_of(node.meta[i].dtype, tuple([node.meta[i].shape[k] for k in range(node.meta[i].ndim)])))
    give(out, 0, op_cat(given, d))
    return 0


cdef object chunk_rule(Tensor input, object chunks, object dim):
    if input.a.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    cdef int d = wrapped_dim("chunk", dim, input.a.ndim)
    cdef int64_t n = input.a.shape[d], size = (n + <int64_t>chunks - 1) // <int64_t>chunks
    if n == 0:
        return op_split_with_sizes(input, [0] * chunks, d)
    return op_split(input, size, d)


cdef enum:
    MAX_SECTIONS = 1 << 24       # more tensors than that would only run out of memory


cdef object tensor_split_rule(Tensor input, object indices_or_sections, object dim):
    if input.a.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    cdef int d = wrapped_dim("tensor_split", dim, input.a.ndim)
    cdef int64_t n = input.a.shape[d]
    cdef list starts
    how = indices_or_sections
    if is_tensor(<PyObject*>how):
        how = how.tolist()
    if isinstance(how, (tuple, list)):
        starts = [0]
        cuts = [slice(None, index).indices(n)[1] for index in how]
        return tuple([slice_of(input, d, a, max(a, b)) for a, b in zip([0] + cuts, cuts + [n])])
    if how <= 0:
        raise RuntimeError(f"number of sections must be larger than 0, got {how}")
    if how > MAX_SECTIONS:
        raise RuntimeError(f"tensor_split: at most {MAX_SECTIONS} sections are supported, got {how}")
    small, more = n // how, n % how
    starts = [i * small + min(i, more) for i in range(how + 1)]
    return tuple([slice_of(input, d, starts[i], starts[i + 1]) for i in range(how)])


cdef object even_split(str name, Tensor input, object how, int d):
    if not isinstance(how, (tuple, list)) and not is_tensor(<PyObject*>how) and (how <= 0 or input.a.shape[d] % how):
        raise RuntimeError(f"torch.{name} attempted to split along dimension {d}, but the size of the dimension {input.a.shape[d]} "
                           f"is not divisible by the split_size {how}!")
    return op_tensor_split(input, how, d)


cdef object hsplit_rule(Tensor input, object indices_or_sections):
    if input.a.ndim < 1:
        raise RuntimeError("torch.hsplit requires a tensor with at least 1 dimension, but got a tensor with 0 dimensions!")
    return even_split("hsplit", input, indices_or_sections, 0 if input.a.ndim == 1 else 1)


cdef object vsplit_rule(Tensor input, object indices_or_sections):
    if input.a.ndim < 2:
        raise RuntimeError("torch.vsplit requires a tensor with at least 2 dimension, but got a tensor with "
                           f"{input.a.ndim} dimensions!")
    return even_split("vsplit", input, indices_or_sections, 0)


cdef object dsplit_rule(Tensor input, object indices_or_sections):
    if input.a.ndim < 3:
        raise RuntimeError("torch.dsplit requires a tensor with at least 3 dimension, but got a tensor with "
                           f"{input.a.ndim} dimensions!")
    return even_split("dsplit", input, indices_or_sections, 2)


# properties

cdef object reversed_dims(Tensor t):
    return op_permute(t, list(range(t.a.ndim - 1, -1, -1)))


def _tensor_T(Tensor self):
    """The dimensions in reverse order."""
    return reversed_dims(self)


def _tensor_mT(Tensor self):
    """The last two dimensions exchanged."""
    if self.a.ndim == 0:
        return self
    if self.a.ndim < 2:
        raise RuntimeError(f"tensor.mT is only supported on matrices or batches of matrices. Got {self.a.ndim}-D tensor.")
    return op_transpose(self, -2, -1)


def _tensor_H(Tensor self):
    """A matrix transposed and conjugated."""
    if self.a.ndim not in (0, 2):
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {self.a.ndim}-D tensor.")
    return op_conj(reversed_dims(self))


def _tensor_mH(Tensor self):
    """Matrices transposed and conjugated."""
    return op_conj(_tensor_mT(self))


install_method("T", property(_tensor_T))
install_method("mT", property(_tensor_mT))
install_method("H", property(_tensor_H))
install_method("mH", property(_tensor_mH))
