# Putting operations where users find them: functions in this module, methods in Tensor's dictionary.

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        PyObject* tp_dict
        PyObject* (*tp_call)(PyObject*, PyObject*, PyObject*) noexcept
        PyObject* (*tp_getattro)(PyObject*, PyObject*) noexcept
        PyObject* (*tp_repr)(PyObject*) noexcept
    void PyType_Modified(PyTypeObject*)

cdef enum:
    FUNCTION = 1
    METHOD = 2
    FUNCTIONAL = 4

cdef Operation latest = None
cdef dict functions = globals()
cdef list operation_names = []


cdef int define(const Row* row, entry_point entry, str name, list names, int npositional, int nrequired, int variadic, int places,
                str doc) except -1:
    """Make an Operation and publish it."""
    global latest
    latest = make_operation(row, entry, name, names, npositional, nrequired, variadic, doc)
    if places & (FUNCTION | FUNCTIONAL):
        functions[name] = latest
    if places & FUNCTION:
        operation_names.append(name)
    if places & METHOD:
        install_method(name, latest)
    return 0


cdef int install_method(str name, object value) except -1:
    """Tensor is an immutable type to Python code; its dictionary is ours to fill before anybody subclasses it."""
    cdef PyTypeObject* kind = <PyTypeObject*>Tensor
    (<dict>kind.tp_dict)[name] = value
    PyType_Modified(kind)
    return 0


def _install_method(str name, value):
    """Give Tensor a method or property from Python: for what is not an operation."""
    install_method(name, value)


cdef int take_old_order() except -1:
    """Let operations take numbers among their tensors: see called_in_old_order."""
    for numbers, spellings in ((("alpha",), ("add", "sub")), (("value",), ("addcmul", "addcdiv")),
                               (("beta", "alpha"), ("addmm", "addmv", "addr", "addbmm", "baddbmm"))):
        for spelling in spellings:
            for one in (functions.get(spelling), getattr(Tensor, spelling), getattr(Tensor, spelling + "_")):
                if isinstance(one, Operation):
                    (<Operation>one).old_numbers = numbers
    return 0


def names():
    """The names of the table's functions, but for those of nn.functional alone."""
    return list(operation_names)


# PyTorch numbers the forms of a function: `x.sum()` leaves SumBackward0, `x.sum(0)` SumBackward1.

cdef enum:
    FORMS = 64

cdef Row forms[FORMS]
cdef const Row* form_base[FORMS]
cdef int form_count = 0


cdef const Row* form_of(const Row* row, const char* name, const char* shown) except NULL:
    """A copy of a row whose nodes say another name (a literal, as is `shown`: see Row.shown; NULL: as the row's)."""
    global form_count
    cdef int i
    for i in range(form_count):
        if form_base[i] == row and forms[i].node_name == name:
            return &forms[i]
    if form_count == FORMS:
        raise SystemError("more forms of operations than there is room for")
    i = form_count
    forms[i] = row[0]
    forms[i].node_name = name
    if shown != NULL:
        forms[i].shown = shown
    forms[i].number_form = NULL
    form_base[i] = row
    form_count += 1
    return &forms[i]


cdef const Row* with_backward(const Row* row, const char* name, backward_t backward) except NULL:
    """A copy of a row, with another gradient and another name of its nodes (a literal)."""
    cdef Row* form = <Row*>form_of(row, name, NULL)
    form.backward = backward
    return form


cdef const Row* undifferentiable(const Row* row, backward_t refuse) except NULL:
    """A copy of a row whose gradient PyTorch refuses to compute."""
    return with_backward(row, b"torch::autograd::NotImplemented", refuse)


def _install_inplace(str name, operation):
    """`x.name_(...)` for an operation without an in-place kernel: the result is copied over x, in the graph too."""

    def method(self, *args, **kwargs):
        if not isinstance(self, Tensor):
            raise TypeError(f"{name}_(): argument 'input' (position 1) must be Tensor, not {type(self).__name__}")
        for one in (*args, *kwargs.values()):
            refuse_overlap(<Tensor>self, <PyObject*>one, (<Operation>operation).row.overlap)
        result = operation(self.clone(), *args, **kwargs)       # what the operation saves is not written over
        if result.dtype != self.dtype:
            raise RuntimeError(f"the base given to {name}_ has dtype {scalar_name((<Tensor>self).a.dtype)} but the operation's result "
                               f"requires dtype {scalar_name((<Tensor>result).a.dtype)}")
        if result.shape != self.shape:
            raise RuntimeError(f"{name}_: output with shape {list(self.shape)} doesn't match the broadcast shape "
                               f"{list(result.shape)} (Bad in-place call)")
        return self.copy_(result)

    method.__name__ = method.__qualname__ = f"{name}_"
    method.__doc__ = f"In-place version of {name}."
    install_method(f"{name}_", method)
