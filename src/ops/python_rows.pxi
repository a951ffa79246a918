# Operations written in Python: a composite that no hot loop calls is one Python function in fastgrad/composites.  It becomes an
# Operation as any row does, so that arguments, aliases, `out=` and the errors about them are the same.

cdef extern from "Python.h":
    object PyObject_Vectorcall(PyObject*, PyObject**, size_t, PyObject*)

ctypedef struct PythonRow:
    Row row                       # first: an entry is handed a pointer to it
    PyObject* function
    PyObject* defaults            # tuple, for the last parameters
    PyObject* keywords            # tuple of the names that go by keyword, or NULL
    int nkeywords
    int nparameters
    uint64_t tensors              # bit i: parameter i must be a tensor
    char kind[MAX_ARGUMENTS]      # of a parameter annotated as int, bool or float: its first letter; else 0


cdef bint fits(char kind, object x) except -1:
    """Whether PyTorch takes x for an int, a bool or a float."""
    if kind == c"b":
        return PyBool_Check(x)
    if kind == c"i":
        if stands_for_int(x):
            int_in_64_bits(x)
            return True
        return False
    return (<Tensor>x).a.ndim == 0 if is_tensor(<PyObject*>x) else number_dtype(x) >= 0 and not is_complex(number_dtype(x))


cdef object python_entry(const Row* row, PyObject** a):
    cdef const PythonRow* p = <const PythonRow*>row
    cdef PyObject* given[MAX_ARGUMENTS]
    cdef tuple defaults = <tuple>p.defaults
    cdef int i, first = p.nparameters - <int>len(defaults)
    for i in range(p.nparameters):
        given[i] = a[i] if a[i] != NULL else <PyObject*>defaults[i - first]     # a required one is there: operation_call saw to it
        if p.tensors >> i & 1 and not is_tensor(given[i]):
            names = (<object>p.function).__code__.co_varnames
            raise TypeError(f"{row.name.decode()}(): argument '{names[i]}' (position {i + 1}) must be Tensor, not "
                            f"{type(<object>given[i]).__name__}")
        if p.kind[i] and a[i] != NULL and not fits(p.kind[i], <object>given[i]) and not (i >= first and <object>given[i] is defaults[i - first]):
            raise_kind(row, given[i], i, {c"i": "int", c"b": "bool", c"f": "float"}[p.kind[i]])
    return PyObject_Vectorcall(p.function, given, p.nparameters - p.nkeywords, p.keywords)


def _python_operation(function, str name, str variadic=None, bint out=True):
    """An Operation for a Python function of tensors, whose parameters and defaults it takes.  One annotated as Tensor must be one, and one
    annotated as int, bool or float be what PyTorch takes for it, or its default.

    Args:
        variadic: the parameter that may be given as several positional arguments.
        out: whether it takes `out=`.

    Raises:
        TypeError: the function takes *args or **kwargs, or has keyword-only parameters both with and without defaults.
    """
    cdef PythonRow* p
    cdef bytes text = name.encode(), node = b"".join([part.capitalize() for part in text.split(b"_")]) + b"Backward0"
    code = function.__code__
    if code.co_flags & 0x0C:
        raise TypeError(f"{name}: an operation has a fixed number of parameters")
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    keywords = names[code.co_argcount:]
    by_name = function.__kwdefaults__ or {}
    if len(by_name) not in (0, len(keywords)) or (keywords and not by_name):
        raise TypeError(f"{name}: keyword-only parameters need defaults")
    defaults = (function.__defaults__ or ()) + tuple([by_name[k] for k in keywords])
    p = <PythonRow*>calloc(1, sizeof(PythonRow))           # as long as the process
    if p == NULL:
        raise MemoryError(name)
    forever = (function, defaults, keywords, text, node)
    Py_INCREF(forever)
    p.row.name, p.row.node_name = text, node
    p.row.out = OUT_CAST if out else OUT_NONE
    p.function, p.defaults, p.nparameters = <PyObject*>function, <PyObject*>defaults, len(names)
    p.keywords, p.nkeywords = <PyObject*>keywords if keywords else NULL, len(keywords)
    operation = make_operation(&p.row, python_entry, name, list(names), code.co_argcount, len(names) - len(defaults),
                               names.index(variadic) if variadic else -1, function.__doc__)         # refuses more than `kind` has room for
    for i, parameter in enumerate(names):
        annotation = function.__annotations__.get(parameter)
        if annotation is Tensor:
            p.tensors |= <uint64_t>1 << <int>i
        p.kind[<int>i] = c"i" if annotation is int else c"b" if annotation is bool else c"f" if annotation is float else 0
    return operation
