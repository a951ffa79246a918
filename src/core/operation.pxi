# Operation: the callable that stands for a row, as a function and as a method.
#
# One object serves `fastgrad.exp` and `Tensor.exp`: it implements vectorcall and, flagged as a method descriptor, is called
# by the interpreter with the tensor as first argument, without a bound method, a tuple or a Python frame.
# Arguments are parsed here, once for all operations, against the row's signature.

cdef extern from "Python.h":
    size_t PyVectorcall_NARGS(size_t)
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    unsigned long Py_TPFLAGS_METHOD_DESCRIPTOR
    PyObject* PyVectorcall_Call(PyObject*, PyObject*, PyObject*) noexcept
    object PyMethod_New(object, object)

ctypedef object (*vectorcall_t)(object, PyObject**, size_t, PyObject*)

cdef dict ALIASES = {"axis": "dim", "axis0": "dim0", "axis1": "dim1", "keepdims": "keepdim", "x": "input", "self": "input", "x1": "input", "x2": "other"}


cdef class Operation:
    """An operation of the table: a function, and a method of Tensor where its first argument is one.

    Invariants: `names` lists every parameter in order, positional ones first; `entry` gets one pointer for each, NULL where
    the caller gave none.  Immutable once made, so free to use from any thread.
    """

    def __get__(self, instance, owner):
        return self if instance is None else PyMethod_New(self, instance)

    def __call__(self, *args, **kwargs):
        raise SystemError("replaced by vectorcall when the module is loaded")

    def __repr__(self):
        return f"<operation {self.__name__}>"

    def __reduce__(self):
        import fastgrad
        if getattr(fastgrad, self.__name__, None) is self:
            return self.__name__
        if getattr(fastgrad.nn.functional, self.__name__, None) is self:
            return _functional_named, (self.__name__,)
        return getattr, (Tensor, self.__name__)

    @property
    def __qualname__(self):
        return self.__name__

    @property
    def __signature__(self):
        import inspect
        kind = inspect.Parameter
        empty_default = kind.empty
        return inspect.Signature([
            kind(name, kind.POSITIONAL_OR_KEYWORD if i < self.npositional else kind.KEYWORD_ONLY,
                 default=empty_default if i < self.nrequired else None)
            for i, name in enumerate(self.names)])


cdef Operation make_operation(const Row* row, entry_point entry, str name, list names, int npositional, int nrequired, int variadic,
                              str doc):
    """variadic: index of a parameter that takes the remaining positional integers, or -1."""
    cdef Operation op = Operation.__new__(Operation)
    op.call = <void*>operation_call
    op.row, op.entry = row, entry
    op.__name__, op.__doc__ = name, doc
    op.names = tuple([sys.intern(n) for n in names])
    op.npositional, op.nrequired, op.variadic = npositional, nrequired, variadic
    if len(names) > MAX_ARGUMENTS:
        raise SystemError(f"{name}: more than {MAX_ARGUMENTS} parameters")
    every_operation.append(op)
    operation_of_row[(<size_t>row, name)] = op
    return op


cdef object operation_call(object callee, PyObject** args, size_t nargsf, PyObject* kwnames):
    cdef Operation op = <Operation>callee
    cdef PyObject* value[MAX_ARGUMENTS]
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf)
    cdef PyObject* out = NULL
    cdef int i
    cdef object rest = None
    if kwnames == NULL and n == len(op.names) and op.variadic < 0 and n == op.npositional:
        return op.entry(op.row, args)
    if n > op.npositional or (0 <= op.variadic < n):
        if op.variadic < 0 or n <= op.variadic:
            if op.old_numbers is not None and kwnames == NULL:
                return called_in_old_order(op, gathered(args, n))
            raise TypeError(f"{op.__name__}() takes {op.npositional} positional arguments but {n} were given")
        if n > op.npositional or not is_sequence(args[op.variadic]):
            rest = gathered(args + op.variadic, n - op.variadic)
            n = op.variadic
    for i in range(n):
        value[i] = args[i]
    for i in range(n, len(op.names)):
        value[i] = NULL
    if rest is not None:
        value[op.variadic] = <PyObject*>rest
    if kwnames != NULL:
        parse_keywords(op, value, args + PyVectorcall_NARGS(nargsf), <tuple>kwnames, &out)
    for i in range(op.nrequired):
        if value[i] == NULL:
            raise TypeError(f"{op.__name__}() missing required argument '{op.names[i]}' (position {i + 1})")
    if out != NULL and <object>out is not None:
        return call_with_out(op, value, <object>out)
    return op.entry(op.row, value)


cdef set warned_of_old_order = set()


cdef object called_in_old_order(Operation op, tuple args):
    """`x.add_(-lr, grad)`: numbers among the tensors, which PyTorch deprecated long ago and still takes."""
    cdef list tensors = [one for one in args if isinstance(one, Tensor)]
    cdef list numbers = [one for one in args if not isinstance(one, Tensor)]
    cdef str kinds = "".join(["t" if isinstance(one, Tensor) else "n" for one in args])
    cdef tuple orders = ("tn",) if len(op.old_numbers) == 1 else ("n", "ntn", "tn", "tnn")
    if len(tensors) != op.npositional or kinds.rstrip("t") not in orders or \
            any([number_dtype(one) < 0 for one in numbers]):
        raise TypeError(f"{op.__name__}() takes {op.npositional} positional arguments but {len(args)} were given")
    if op.__name__ not in warned_of_old_order:
        import warnings
        warned_of_old_order.add(op.__name__)
        warnings.warn(f"{op.__name__}: numbers before the tensors are deprecated: pass {' and '.join(op.old_numbers)} by name", UserWarning)
    return op(*tensors, **dict(zip(op.old_numbers, numbers)))


cdef inline bint is_sequence(PyObject* x) noexcept:
    return PyTuple_Check(<object>x) or PyList_Check(<object>x) or <object>x is None


cdef tuple gathered(PyObject** args, Py_ssize_t n):
    return tuple([<object>args[i] for i in range(n)])


cdef int parse_keywords(Operation op, PyObject** value, PyObject** given, tuple kwnames, PyObject** out) except -1:
    cdef Py_ssize_t i, k
    for k in range(len(kwnames)):
        i = parameter_index(op, kwnames[k])
        if i < 0 and kwnames[k] == "out" and op.row.out != OUT_NONE and not op.__name__.endswith("_"):
            out[0] = given[k]
            continue
        if i < 0:
            raise TypeError(f"{op.__name__}() got an unexpected keyword argument '{kwnames[k]}'")
        if value[i] != NULL:
            raise TypeError(f"{op.__name__}() got multiple values for argument '{kwnames[k]}'")
        value[i] = given[k]
    return 0


cdef Py_ssize_t parameter_index(Operation op, object name):
    cdef Py_ssize_t i
    for i in range(len(op.names)):
        if (<PyObject*>op.names[i]) == <PyObject*>name:
            return i
    for i in range(len(op.names)):
        if op.names[i] == name:
            return i
    other = ALIASES.get(name)
    if other is not None and other in op.names:
        return op.names.index(other)
    return -1


# `out=`: any operation computes as always, and its result is then written to the tensors that were given; an elementwise one computes it
# there where it fits.

cdef object call_with_out(Operation op, PyObject** value, object out):
    cdef tuple into = tuple(out) if isinstance(out, (tuple, list)) else (out,)
    cdef tuple results
    cdef int i, rule = op.row.overlap
    cdef bint exact = op.row.out == OUT_EXACT
    cdef object made
    for t in into:
        if not isinstance(t, Tensor):
            raise TypeError(f"{op.__name__}(): argument 'out' must be Tensor, not {type(t).__name__}")
    if op.row.out == OUT_ANY and len(into) == 1 and "dtype" in op.names:      # computed in the dtype of out=
        i = op.names.index("dtype")
        made = dtype_object((<Tensor>into[0]).a.dtype)
        if value[i] == NULL or <object>value[i] is None:
            value[i] = <PyObject*>made
        elif made is not dtype_argument(<object>value[i]):
            raise RuntimeError(f"{op.__name__}: dtype {<object>value[i]} does not match dtype of out parameter ({made})")
    if fg_grad_enabled:
        for t in (*tensors_among(op, value), *into):
            if needs(<PyObject*>t):
                raise_out_needs_no_grad(op)
    result = entry_with_out(op, value, into)
    results = tuple(result) if isinstance(result, tuple) else (result,)
    for t in results:
        if not isinstance(t, Tensor):
            raise TypeError(f"{op.__name__}() got an unexpected keyword argument 'out'")
    if len(results) != len(into):
        raise TypeError(f"{op.__name__}(): argument 'out' must hold {len(results)} tensors, got {len(into)}")
    if rule == OVERLAP_PAIRS and len(into) == 1:           # max and its like of two tensors: elementwise
        rule, exact = OVERLAP_WHOLE, False
    elif rule == OVERLAP_PAIRS:
        rule = OVERLAP_NONE
    for i in range(len(into)):
        check_out(op, <Tensor>into[i], <Tensor>results[i], exact)
        if rule == OVERLAP_NONE or same_shape(&(<Tensor>into[i]).a, &(<Tensor>results[i]).a):
            for t in tensors_among(op, value):             # see Note [Operands that overlap]
                refuse_overlap(<Tensor>into[i], <PyObject*>t, rule)
    for i in range(len(into)):
        write_out(<Tensor>into[i], <Tensor>results[i])
    if len(into) == 1 or type(result) is tuple:
        return out if len(into) == 1 else into
    return result._make(into) if hasattr(result, "_make") else result.__class__(into)


cdef object entry_with_out(Operation op, PyObject** value, tuple into):
    global offered, offered_row
    if len(into) == 1:
        offered, offered_row = <PyObject*>into[0], op.row
    try:
        return op.entry(op.row, value)
    finally:
        offered = NULL


cdef list tensors_among(Operation op, PyObject** value):
    """The arguments that are tensors, and those in sequences among the arguments."""
    cdef int i
    cdef list found = []
    for i in range(len(op.names)):
        if value[i] != NULL:
            one = <object>value[i]
            found += [t for t in (one if isinstance(one, (tuple, list)) else (one,)) if isinstance(t, Tensor)]
    return found


cdef int raise_out_needs_no_grad(Operation op) except -1:
    raise RuntimeError(f"{op.__name__}(): functions with out=... arguments don't support automatic differentiation, but one of "
                       "the arguments requires grad.")


cdef int check_out(Operation op, Tensor out, Tensor result, bint exact) except -1:
    if exact and out.a.dtype != result.a.dtype:
        raise RuntimeError(f"{op.__name__}: expected out= to have dtype {dtype_object(result.a.dtype).name}, the result's, got "
                           f"{dtype_object(out.a.dtype).name}")
    if category(result.a.dtype) > category(out.a.dtype) and op.row.out != OUT_ANY:
        raise RuntimeError(f"{op.__name__}: result type {SCALAR_NAMES[result.a.dtype]} can't be cast to the desired output type "
                           f"{SCALAR_NAMES[out.a.dtype]}")
    if same_shape(&out.a, &result.a):
        if not op.row.expanded:
            refuse_shared_elements(&out.a)
    elif out.a.numel:
        import warnings
        warnings.warn(
            f"An output with one or more elements was resized since it had shape {shape_list(out.a.ndim, out.a.shape)}, which does "
            f"not match the required output shape {shape_list(result.a.ndim, result.a.shape)}. This behavior is deprecated: reuse an "
            "out tensor by resizing it to zero elements with t.resize_(0).", UserWarning)
    return 0


cdef int write_out(Tensor out, Tensor result) except -1:
    """Copy; a tensor of another shape gets new memory."""
    cdef Tensor fresh
    cdef Storage* old
    if out is result:
        return 0
    if not same_shape(&out.a, &result.a):
        fresh = empty(out.a.dtype, result.a.ndim, result.a.shape)
        old = out.storage
        fresh.storage.version = old.version       # who saved `out` sees that it changed
        out.storage, fresh.storage = fresh.storage, old
        out.a = fresh.a
    copy_array(&out.a, &result.a)
    out.storage.version += 1
    return 0


cdef int install_vectorcall() except -1:
    cdef PyTypeObject* kind = <PyTypeObject*>Operation
    cdef Operation one = Operation.__new__(Operation)
    kind.tp_vectorcall_offset = <char*>&one.call - <char*><void*>one
    kind.tp_call = PyVectorcall_Call
    kind.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR
    return 0

install_vectorcall()


def _functional_named(name):
    """What a pickled function of nn.functional alone becomes."""
    import fastgrad
    return getattr(fastgrad.nn.functional, name)
