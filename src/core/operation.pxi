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

cdef dict ALIASES = {"axis": "dim", "keepdims": "keepdim", "x": "input", "self": "input", "x1": "input", "x2": "other"}


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


cdef Operation make_operation(const Row* row, entry_t entry, str name, list names, int npositional, int nrequired, int variadic,
                              str doc):
    """variadic: index of a parameter that takes the remaining positional integers, or -1."""
    cdef Operation op = Operation.__new__(Operation)
    op.call = <void*>operation_call
    op.row, op.entry = row, entry
    op.__name__, op.__doc__ = name, doc
    op.names = tuple([sys.intern(n) for n in names])
    op.npositional, op.nrequired, op.variadic = npositional, nrequired, variadic
    op.has_out = "out" in op.names
    if len(names) > MAX_ARGUMENTS:
        raise SystemError(f"{name}: more than {MAX_ARGUMENTS} parameters")
    return op


cdef object operation_call(object callee, PyObject** args, size_t nargsf, PyObject* kwnames):
    cdef Operation op = <Operation>callee
    cdef PyObject* value[MAX_ARGUMENTS]
    cdef Py_ssize_t n = PyVectorcall_NARGS(nargsf)
    cdef int i
    cdef object rest = None
    if kwnames == NULL and n == len(op.names) and op.variadic < 0 and n == op.npositional:
        return op.entry(op.row, args)
    if n > op.npositional or (0 <= op.variadic < n):
        if op.variadic < 0 or n <= op.variadic:
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
        parse_keywords(op, value, args + PyVectorcall_NARGS(nargsf), <tuple>kwnames)
    for i in range(op.nrequired):
        if value[i] == NULL:
            raise TypeError(f"{op.__name__}() missing required argument '{op.names[i]}' (position {i + 1})")
    return op.entry(op.row, value)


cdef inline bint is_sequence(PyObject* x) noexcept:
    return PyTuple_Check(<object>x) or PyList_Check(<object>x) or <object>x is None


cdef tuple gathered(PyObject** args, Py_ssize_t n):
    return tuple([<object>args[i] for i in range(n)])


cdef int parse_keywords(Operation op, PyObject** value, PyObject** given, tuple kwnames) except -1:
    cdef Py_ssize_t i, k
    for k in range(len(kwnames)):
        i = parameter_index(op, kwnames[k])
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


cdef int install_vectorcall() except -1:
    cdef PyTypeObject* kind = <PyTypeObject*>Operation
    cdef Operation one = Operation.__new__(Operation)
    kind.tp_vectorcall_offset = <char*>&one.call - <char*><void*>one
    kind.tp_call = PyVectorcall_Call
    kind.tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR
    return 0

install_vectorcall()
