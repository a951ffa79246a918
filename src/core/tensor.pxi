# Tensor: the class as Python sees it.  Its arithmetic and methods come from the operations, which put themselves into the
# type's dictionary when fastgrad._ops is loaded; the operators below call whatever operation registered for their symbol.

cdef enum Operator:
    OP_ADD, OP_SUB, OP_MUL, OP_TRUEDIV, OP_FLOORDIV, OP_MOD, OP_POW, OP_MATMUL, OP_AND, OP_OR, OP_XOR, OP_LSHIFT, OP_RSHIFT,
    OP_LT, OP_LE, OP_EQ, OP_NE, OP_GT, OP_GE, OP_NEG, OP_INVERT, OP_ABS, OP_RTRUEDIV, OPERATORS

cdef tuple OPERATOR_SYMBOLS = ("+", "-", "*", "/", "//", "%", "**", "@", "&", "|", "^", "<<", ">>",
                               "<", "<=", "==", "!=", ">", ">=", "neg", "~", "abs", "r/")

cdef const Row* operator_row[OPERATORS]
cdef entry_point operator_entry[OPERATORS]
cdef const Row* inplace_row[OPERATORS]
cdef entry_point inplace_entry[OPERATORS]


cdef int register_operator(str symbol, const Row* row, entry_point entry, bint inplace) except -1:
    cdef int i = OPERATOR_SYMBOLS.index(symbol)
    if inplace:
        inplace_row[i], inplace_entry[i] = row, entry
    else:
        operator_row[i], operator_entry[i] = row, entry
    return 0


cdef inline object unary(int which, object x):
    cdef PyObject* args[1]
    args[0] = <PyObject*>x
    return operator_entry[which](operator_row[which], args)


cdef inline object binary(int which, object a, object b):
    """An operator; NotImplemented where the other operand is neither a tensor nor a number."""
    cdef PyObject* args[3]
    if not is_operand(a) or not is_operand(b):
        return NotImplemented
    args[0], args[1], args[2] = <PyObject*>a, <PyObject*>b, NULL
    return operator_entry[which](operator_row[which], args)


cdef inline object commuting(int which, object a, object b):
    """As binary; a tensor comes first, as where PyTorch's reflected methods call the operation."""
    return binary(which, a, b) if is_tensor(<PyObject*>a) else binary(which, b, a)


cdef inline object inplace(int which, object a, object b):
    cdef PyObject* args[3]
    if not is_operand(b):
        return NotImplemented
    args[0], args[1], args[2] = <PyObject*>a, <PyObject*>b, NULL
    return inplace_entry[which](inplace_row[which], args)


cdef inline bint is_operand(object x) except -1:
    return is_tensor(<PyObject*>x) or number_dtype(x) >= 0


cdef inline object compared(object other):
    """What == compares with: an array as a tensor of its elements, lest the answer be a plain False."""
    return other if is_operand(other) or not hasattr(type(other), "__array__") else array_as_tensor(other)


cdef object array_as_tensor(object array):
    import fastgrad
    return fastgrad.as_tensor(array)


cdef tuple texts = (object.__repr__, object.__repr__, object.__format__)


def _set_texts(repr, str, format):
    """Install what makes a tensor's text: Python's business, not the engine's."""
    global texts
    texts = repr, str, format


cdef bytes type_text


def _set_type_name(str name):
    """Set what Python calls Tensor, "fastgrad.Tensor" or, while `import torch` gives fastgrad, "torch.Tensor"."""
    global type_text
    type_text = name.encode()
    (<PyTypeObject*>Tensor).tp_name = type_text


@cython.c_api_binop_methods(True)     # __sub__ gets both operands in their order, whichever of them is the Tensor
cdef class Tensor:
    """A strided view of a storage, and a vertex of the graph that made it.

    Invariants:
    1. `a.data` points into `storage`, to which this object owns a reference; every element that `a` spans lies inside it.
    2. A leaf has `node` None; any other tensor that wants a gradient has the node that made it, of which it is output
       `nr` (or None, for a view whose base was changed in place, until `node_of` brings it up to date).  REQUIRES_GRAD is
       set for both.
    3. `base` is set for a view that autograd follows, and is never itself a view.
    4. Object fields are None, never NULL, also in dead objects.
    Thread-safety: fields change under the GIL; a long kernel runs without it, so writing a tensor that another thread's
    kernel reads is a race on its elements, as in PyTorch, and on nothing else.
    """

    def __add__(self, other):
        return commuting(OP_ADD, self, other)

    def __iadd__(self, other):
        return inplace(OP_ADD, self, other)

    def __sub__(self, other):
        return binary(OP_SUB, self, other)

    def __isub__(self, other):
        return inplace(OP_SUB, self, other)

    def __mul__(self, other):
        return commuting(OP_MUL, self, other)

    def __imul__(self, other):
        return inplace(OP_MUL, self, other)

    def __truediv__(self, other):
        if PyFloat_Check(self) or PyLong_Check(self):
            return binary(OP_RTRUEDIV, other, self)
        return binary(OP_TRUEDIV, self, other)

    def __itruediv__(self, other):
        return inplace(OP_TRUEDIV, self, other)

    def __floordiv__(self, other):
        return binary(OP_FLOORDIV, self, other)

    def __ifloordiv__(self, other):
        return inplace(OP_FLOORDIV, self, other)

    def __mod__(self, other):
        return binary(OP_MOD, self, other)

    def __imod__(self, other):
        return inplace(OP_MOD, self, other)

    def __pow__(self, other, modulo):
        if modulo is not None:
            raise TypeError("pow: a modulus is not supported for tensors")
        return binary(OP_POW, self, other)

    def __ipow__(self, other):
        return inplace(OP_POW, self, other)

    def __matmul__(self, other):
        return binary(OP_MATMUL, self, other)

    def __and__(self, other):
        return commuting(OP_AND, self, other)

    def __iand__(self, other):
        return inplace(OP_AND, self, other)

    def __or__(self, other):
        return commuting(OP_OR, self, other)

    def __ior__(self, other):
        return inplace(OP_OR, self, other)

    def __xor__(self, other):
        return commuting(OP_XOR, self, other)

    def __ixor__(self, other):
        return inplace(OP_XOR, self, other)

    def __lshift__(self, other):
        return binary(OP_LSHIFT, self, other)

    def __ilshift__(self, other):
        return inplace(OP_LSHIFT, self, other)

    def __rshift__(self, other):
        return binary(OP_RSHIFT, self, other)

    def __irshift__(self, other):
        return inplace(OP_RSHIFT, self, other)

    def __lt__(self, other):
        return binary(OP_LT, self, other)

    def __le__(self, other):
        return binary(OP_LE, self, other)

    def __eq__(self, other):
        return binary(OP_EQ, self, compared(other))

    def __ne__(self, other):
        return binary(OP_NE, self, compared(other))

    def __gt__(self, other):
        return binary(OP_GT, self, other)

    def __ge__(self, other):
        return binary(OP_GE, self, other)

    def __neg__(self):
        return unary(OP_NEG, self)

    def __pos__(self):
        if self.a.dtype == BOOL:
            raise RuntimeError("The `+` operator, on a bool tensor is not supported.")
        return self

    def __invert__(self):
        if is_floating(self.a.dtype):
            raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
        return unary(OP_INVERT, self)

    def __abs__(self):
        return unary(OP_ABS, self)

    def __repr__(self):
        return texts[0](self)

    def __str__(self):
        return texts[1](self)

    def __format__(self, spec):
        return texts[2](self, spec)

    def __hash__(self):
        return <Py_hash_t>(<size_t><PyObject*>self >> 4)

    def __len__(self):
        if self.a.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self.a.shape[0]

    def __getitem__(self, index):
        return operations.getitem(self, index)

    def __setitem__(self, index, value):
        operations.setitem(self, index, value)

    def __delitem__(self, index):
        raise TypeError("Tensor does not support deleting items")

    def __iter__(self):
        if self.a.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __contains__(self, element):
        if not is_operand(element):
            raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")
        return bool((self == element).any())

    def __bool__(self):
        if self.a.numel != 1:
            raise RuntimeError("Boolean value of Tensor with no values is ambiguous" if self.a.numel == 0 else
                               "Boolean value of Tensor with more than one value is ambiguous")
        return bool(load_number(self.a.dtype, self.a.data))

    def __float__(self):
        return float(real_number(self, "double"))

    def __int__(self):
        return int(real_number(self, "int64_t"))

    def __index__(self):
        if self.a.numel != 1 or is_floating(self.a.dtype):
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(load_number(self.a.dtype, self.a.data))

    def __complex__(self):
        return complex(python_number(self))

    def item(self):
        """The single element as a Python number.  Raises RuntimeError for any other number of elements."""
        return one_number(self)

    def __getbuffer__(self, Py_buffer* view, int flags):
        if self.flags & WRAPPED:
            raise BufferError("a tensor inside of a transform has no memory of its own to share")
        if fg_grad_enabled and needs(<PyObject*>self):         # what NumPy makes of it would have no gradient
            raise BufferError("a Tensor that requires grad shares no memory. Use tensor.detach() first.")
        export_buffer(self, view, flags)

    def __releasebuffer__(self, Py_buffer* view):
        free(view.internal)

    # geometry

    @property
    def shape(self):
        return size_of(self)

    @property
    def ndim(self):
        return self.a.ndim

    def dim(self):
        return self.a.ndim

    def ndimension(self):
        return self.a.ndim

    def numel(self):
        return self.a.numel

    def nelement(self):
        return self.a.numel

    def size(self, dim=None):
        """The shape, or one dimension of it."""
        return size_of(self) if dim is None else self.a.shape[wrapped_dim("size", dim, self.a.ndim)]

    def stride(self, dim=None):
        """The strides in elements, or one of them."""
        if dim is None:
            return tuple(shape_list(self.a.ndim, self.a.stride))
        return self.a.stride[wrapped_dim("stride", dim, self.a.ndim)]

    def storage_offset(self):
        return (self.a.data - self.storage.data) // ITEMSIZE[self.a.dtype]

    def data_ptr(self):
        return <size_t>self.a.data

    def element_size(self):
        return ITEMSIZE[self.a.dtype]

    @property
    def itemsize(self):
        return ITEMSIZE[self.a.dtype]

    @property
    def nbytes(self):
        return self.a.numel * ITEMSIZE[self.a.dtype]

    @property
    def dtype(self):
        return DTYPES[self.a.dtype]

    # the graph

    @property
    def requires_grad(self):
        return bool(needs(<PyObject*>self))

    @requires_grad.deleter
    def requires_grad(self):
        raise RuntimeError("requires_grad must be a bool, and cannot be deleted")

    @requires_grad.setter
    def requires_grad(self, value):
        if not PyBool_Check(value):
            raise RuntimeError(f"requires_grad must be a bool, got {type(value).__name__}")
        set_requires_grad(self, value)

    def requires_grad_(self, requires_grad=True):
        """Ask for gradients of this leaf, in place.  Raises RuntimeError for integer tensors."""
        if not PyBool_Check(requires_grad):
            raise TypeError(f"requires_grad_(): argument 'requires_grad' (position 1) must be bool, not {type(requires_grad).__name__}")
        set_requires_grad(self, requires_grad)
        return self

    @property
    def is_leaf(self):
        return (self.node if self.base is None else node_of(self)) is None

    @property
    def grad_fn(self):
        return shown(node_of(self))

    @property
    def output_nr(self):
        return self.nr

    @property
    def grad(self):
        if self.grad_ is None and self.node is not None and not self.flags & RETAINS_GRAD:
            warn_no_grad()
        return self.grad_

    @grad.setter
    def grad(self, value):
        set_grad(self, value)

    @grad.deleter
    def grad(self):
        self.grad_ = None

    @property
    def data(self):
        """The same elements under a version counter of their own, outside the graph."""
        return data_alias(self)

    @data.setter
    def data(self, value):
        set_data(self, value)

    @data.deleter
    def data(self):
        raise RuntimeError("Deleting tensor data is not allowed. Delete tensor instead!")

    @property
    def _version(self):
        if self.flags & INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self.storage.version

    @property
    def _base(self):
        return self.base

    def is_inference(self):
        """Whether it was made in inference_mode."""
        return bool(self.flags & INFERENCE)

    def _is_view(self):
        return self.base is not None

    def backward(self, gradient=None, retain_graph=None, create_graph=False, inputs=None):
        """Add the gradient of this tensor with respect to every leaf below it to the leaf's `.grad`.

        Args:
            gradient: the cotangent, of this tensor's shape; needed unless there is one element.
            retain_graph: keep what the graph saved, so that it can be walked again (default: create_graph).
            create_graph: make the gradients differentiable.
            inputs: only these tensors accumulate.
        Raises:
            RuntimeError: no gradient is asked for below this tensor, the graph was released, or the shapes differ.
        Example:
            >>> x = fastgrad.tensor([2.0], requires_grad=True)
            >>> (x * x).backward()
            >>> x.grad
            tensor([4.])
        """
        backward_from(self, gradient, retain_graph, create_graph, inputs)


cdef int warn_no_grad() except -1:
    import warnings
    warnings.warn("The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
                  "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf "
                  "Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure "
                  "you access the leaf Tensor instead.", UserWarning)
    return 0


cdef list BUFFER_FORMATS = [b"?", b"B", b"b", b"h", b"i", b"l" if sizeof(long) == 8 else b"q", b"e", None, b"f", b"d", b"Zf", b"Zd"]


cdef int export_buffer(Tensor t, Py_buffer* view, int flags) except -1:
    """The buffer protocol: strides where the consumer takes them, otherwise contiguous tensors only."""
    cdef int d
    cdef Py_ssize_t* places
    if t.a.dtype == BFLOAT16:
        raise BufferError("bfloat16 has no buffer format")
    if not t.a.contiguous and (flags & PyBUF_STRIDES) != PyBUF_STRIDES:
        raise BufferError("the tensor is not contiguous")
    places = <Py_ssize_t*>malloc((2 * MAX_DIMS) * sizeof(Py_ssize_t))
    if places == NULL:
        raise MemoryError("cannot export a buffer")
    for d in range(t.a.ndim):
        places[d] = t.a.shape[d]
        places[MAX_DIMS + d] = t.a.stride[d] * ITEMSIZE[t.a.dtype]
    view.internal = places
    view.buf = t.a.data
    view.len = t.a.numel * ITEMSIZE[t.a.dtype]
    view.itemsize = ITEMSIZE[t.a.dtype]
    view.readonly = 0
    view.format = NULL
    if flags & PyBUF_FORMAT:
        view.format = <char*><bytes>BUFFER_FORMATS[t.a.dtype]
    view.ndim = t.a.ndim
    view.shape = places
    view.strides = places + MAX_DIMS
    view.suboffsets = NULL
    view.obj = t
    return 0


cdef object one_number(Tensor t):
    if t.a.numel != 1:
        raise RuntimeError(f"a Tensor with {t.a.numel} elements cannot be converted to Scalar")
    return load_number(t.a.dtype, t.a.data)


cdef object python_number(Tensor t):
    """For float(t) and the like, where PyTorch raises another class than `item` does."""
    if t.a.numel != 1:
        raise ValueError("only one element tensors can be converted to Python scalars")
    return load_number(t.a.dtype, t.a.data)


cdef object real_number(Tensor t, str kind):
    """As python_number, of a complex element its real part if that is all of it."""
    cdef object x = python_number(t)
    if not is_complex(t.a.dtype):
        return x
    if x.imag != 0:
        raise RuntimeError(f"value cannot be converted to type {kind} without overflow")
    return x.real


cdef bint stands_for_int(object x) except -1:
    """Whether PyTorch takes x for an int: an int, what has __index__, a tensor of no dimension that holds an integer; no bool."""
    if PyLong_Check(x):
        return not PyBool_Check(x)
    if is_tensor(<PyObject*>x):
        return (<Tensor>x).a.ndim == 0 and (<Tensor>x).a.dtype != BOOL and not is_floating((<Tensor>x).a.dtype)
    return not PyFloat_Check(x) and hasattr(x, "__index__")


cdef int64_t int_in_64_bits(object x) except? -1:
    """The value of what stands for an int."""
    cdef int over = 0
    cdef int64_t value
    if not PyLong_Check(x):
        return int_in_64_bits(x.__index__())
    value = PyLong_AsLongLongAndOverflow(x, &over)
    if over:
        raise ValueError(f"an integer of more than 64 bits: Overflow when unpacking long long, got {x}")
    return value


cdef int wrapped_dim(str name, object dim, int ndim) except -1:
    """A dimension in 0..ndim-1 from one in -ndim..ndim-1."""
    if not PyLong_CheckExact(dim) and not stands_for_int(dim):
        raise TypeError(f"{name}(): argument 'dim' must be int, not {type(dim).__name__}")
    cdef int64_t d = int_in_64_bits(dim)
    cdef int64_t n = max(ndim, 1)
    if d < -n or d >= n:
        raise IndexError(f"{name}: Dimension out of range (expected to be in range of [{-n}, {n - 1}], but got {d})")
    return <int>(d + n if d < 0 else d)


cdef int set_requires_grad(Tensor t, bint value) except -1:
    if t.node is not None:
        if value:
            return 0
        raise RuntimeError("you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                           "in a subgraph that doesn't require differentiation use var_no_grad = var.detach().")
    if value and not is_floating(t.a.dtype):
        raise RuntimeError(f"only Tensors of floating point dtype can require gradients, got {DTYPES[t.a.dtype]}")
    if value and t.flags & INFERENCE and not fg_inference:
        raise RuntimeError("Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.")
    t.flags = t.flags | REQUIRES_GRAD if value else t.flags & ~REQUIRES_GRAD
    return 0


cdef bint refers_to_anything(Tensor t) noexcept:
    """Whether t may lead, through other objects, back to one that refers to it."""
    return (t.node is not None or t.base is not None or t.grad_ is not None or t.extra is not None
            or dict_of(<PyObject*>t)[0] != NULL)


cdef int set_grad(Tensor t, object value) except -1:
    if value is None:
        t.grad_ = None
        return 0
    if not isinstance(value, Tensor):
        raise TypeError(f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}")
    if value is t:
        raise RuntimeError("can't assign Variable as its own grad")
    cdef Tensor g = <Tensor>value
    if not same_shape(&g.a, &t.a):
        raise RuntimeError(f"assigned grad has data of a different size: expected {shape_tuple(&t.a)}, got {shape_tuple(&g.a)}")
    if g.a.dtype != t.a.dtype:
        raise RuntimeError(f"assigned grad has data of a different type: expected {DTYPES[t.a.dtype]}, got {DTYPES[g.a.dtype]}")
    if refers_to_anything(g):
        cycles_are_possible()
    t.grad_ = value
    return 0


cdef Tensor data_alias(Tensor t):
    cdef Tensor r = new_tensor()
    r.a = t.a
    r.storage = alias_storage(t.storage)
    return r


cdef int set_data(Tensor t, object value) except -1:
    """t keeps its place in the program and in the graph, and gets value's memory, shape and dtype."""
    if not isinstance(value, Tensor):
        raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
    cdef Tensor source = <Tensor>value
    if needs(<PyObject*>t) and not is_floating(source.a.dtype):
        raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
    if recorder_on and same_shape(&t.a, &source.a) and t.a.dtype == source.a.dtype:
        copy_array(&t.a, &source.a)               # the recording goes on reading the old place
    cdef Storage* s = alias_storage(source.storage)
    s.version = t.storage.version
    drop_storage(t.storage)
    t.storage = s
    t.a = source.a
    return 0
