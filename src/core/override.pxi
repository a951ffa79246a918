# Interposing: while a transform of fastgrad.func, a forward-mode level, a mode or a Tensor subclass with a say in operations is
# about, every operation first shows its arguments to a Python function (fastgrad/overrides.py).
#
# Note [Nothing to pay]: the plain path has no test for this. Interposing swaps function pointers: `call` of every Operation, the
# operators' entries and the two for indexing; when the last user is gone they are swapped back.
# A tensor is special if it is marked WRAPPED, or its class (or any object's) has a `__torch_function__` that is not disabled.

cdef list every_operation = []
cdef object override = None               # override(operation, args, kwargs), or None
cdef object disabled_override = None      # the __torch_function__ of classes that want none
cdef int override_all = 0                 # users that want every call shown: modes and vmaps that run
cdef int override_users = 0
cdef entry_point plain_operator[OPERATORS]
cdef entry_point plain_inplace[OPERATORS]
cdef object (*plain_getitem)(Tensor, object)
cdef int (*plain_setitem)(Tensor, object, object) except -1
cdef dict operation_of_row = {}


cdef bint special(PyObject* x, bint deep) except -1:
    """Whether an argument, or an element of a sequence, is one that operations are shown."""
    cdef PyTypeObject* kind = Py_TYPE(x)
    if kind == <PyTypeObject*>Tensor:
        return ((<Tensor>x).flags & WRAPPED) != 0
    if x == <PyObject*>None or PyLong_Check(<object>x) or PyFloat_Check(<object>x):
        return False
    if is_tensor(x):
        if (<Tensor>x).flags & WRAPPED:
            return True
        return getattr(<object>kind, "__torch_function__", disabled_override) is not disabled_override
    if PyTuple_Check(<object>x) or PyList_Check(<object>x):
        if deep:
            for one in <object>x:
                if special(<PyObject*>one, False):
                    return True
        return False
    if isinstance(<object>x, (str, slice, type, dtype)):
        return False
    return hasattr(<object>kind, "__torch_function__")


cdef object overridden_call(object callee, PyObject** args, size_t nargsf, PyObject* kwnames):
    """As operation_call; arguments of interest go to Python."""
    cdef Py_ssize_t i, n = PyVectorcall_NARGS(nargsf), k = 0 if kwnames == NULL else len(<tuple>kwnames)
    cdef bint found = override_all > 0
    if not found:
        for i in range(n + k):
            if special(args[i], True):
                found = True
                break
    if not found:
        return operation_call(callee, args, nargsf, kwnames)
    kwargs = {}
    for i in range(k):
        kwargs[(<tuple>kwnames)[i]] = <object>args[n + i]
    return override(callee, gathered(args, n), kwargs)


cdef object shown_operator(const Row* row, PyObject** x, entry_point* plain, const Row** rows, str suffix):
    cdef int i, n = 1 if x[1] == NULL else 2
    cdef bint found = override_all > 0 or special(x[0], False)
    if not found and n == 2:
        found = special(x[1], False)
    if found:
        name = (<bytes>row.name).decode() + suffix
        callee = operation_of_row.get((<size_t>row, name))
        if callee is not None:
            return override(callee, gathered(x, n), {})
    for i in range(OPERATORS):
        if rows[i] == row and plain[i] != NULL:
            return plain[i](row, x)
    raise SystemError("an operator without an operation")


cdef object overridden_unary(const Row* row, PyObject** x):
    cdef PyObject* padded[3]
    padded[0], padded[1], padded[2] = x[0], NULL, NULL
    return shown_operator(row, padded, plain_operator, operator_row, "")


cdef object overridden_operator(const Row* row, PyObject** x):
    return shown_operator(row, x, plain_operator, operator_row, "")


cdef object overridden_inplace(const Row* row, PyObject** x):
    return shown_operator(row, x, plain_inplace, inplace_row, "_")


cdef bint special_index(object index) except -1:
    return special(<PyObject*>index, True)


cdef object overridden_getitem(Tensor t, object index):
    if override_all or special(<PyObject*>t, False) or special_index(index):
        return override("__getitem__", (t, index), {})
    return plain_getitem(t, index)


cdef int overridden_setitem(Tensor t, object index, object value) except -1:
    if override_all or special(<PyObject*>t, False) or special_index(index) or special(<PyObject*>value, False):
        override("__setitem__", (t, index, value), {})
        return 0
    return plain_setitem(t, index, value)


def _interposers():
    """How many users the interposing has."""
    return override_users


def _interpose(bint on):
    """Count a user of the interposing in, or out."""
    global override_users, plain_getitem, plain_setitem
    cdef int i
    cdef Operation op
    override_users += 1 if on else -1
    if override_users > (1 if on else 0):
        return
    for op in every_operation:
        op.call = <void*>overridden_call if on else <void*>operation_call
    if on:
        plain_getitem, plain_setitem = operations.getitem, operations.setitem
        operations.getitem, operations.setitem = overridden_getitem, overridden_setitem
        for i in range(OPERATORS):
            plain_operator[i], plain_inplace[i] = operator_entry[i], inplace_entry[i]
            if operator_entry[i] != NULL:
                operator_entry[i] = overridden_unary if i in (OP_NEG, OP_INVERT, OP_ABS) else overridden_operator
            if inplace_entry[i] != NULL:
                inplace_entry[i] = overridden_inplace
        return
    operations.getitem, operations.setitem = plain_getitem, plain_setitem
    for i in range(OPERATORS):
        operator_entry[i], inplace_entry[i] = plain_operator[i], plain_inplace[i]


def _set_override(function, disabled):
    """The function that is shown calls, and the __torch_function__ that stands for none; once, on import."""
    global override, disabled_override
    override, disabled_override = function, disabled


def _override_all(bint on):
    """Count a user in, or out, that is shown calls whatever their arguments."""
    global override_all
    override_all += 1 if on else -1


def _call_plainly(callee, tuple args, dict kwargs):
    """Call an operation, or index, as if nothing interposed."""
    cdef PyObject* value[3 * MAX_ARGUMENTS]
    cdef Py_ssize_t i, n = len(args)
    cdef tuple names = tuple(kwargs)
    cdef tuple values = tuple(kwargs.values())
    if isinstance(callee, str):
        if callee == "__getitem__":
            return (plain_getitem if override_users else operations.getitem)(args[0], args[1])
        (plain_setitem if override_users else operations.setitem)(args[0], args[1], args[2])
        return None
    if n + len(names) > 3 * MAX_ARGUMENTS:
        args = (Size(args),) if not isinstance(args[0], Tensor) else (args[0], args[1:])
        n = len(args)
    for i in range(n):
        value[i] = <PyObject*>args[i]
    for i in range(len(names)):
        value[n + i] = <PyObject*>values[i]
    return operation_call(callee, value, n, <PyObject*>names if names else NULL)


def _row_of(Operation op):
    """(name of the row, number of its operands or 0 if it is no elementwise one)."""
    if op.row == NULL:
        return op.__name__, 0
    return op.row.name.decode(), op.row.ninputs if op.entry == elementwise or op.row.kernel > 0 else 0


def _wrapped(cls, Tensor value):
    """An instance of cls that has the geometry of the first of value's elements along dimension 0, and shares its memory."""
    cdef Tensor t = bare_tensor(cls)
    adopt(t, value)
    without_first_dimension(&t.a)
    t.flags |= WRAPPED
    return t


def _rewrapped(Tensor t, Tensor value):
    """t, which stands for one of value's elements, when value's geometry was changed in place."""
    t.a = value.a
    without_first_dimension(&t.a)
    return t


cdef void without_first_dimension(Array* a) noexcept:
    cdef int d
    for d in range(1, a.ndim):
        a.shape[d - 1], a.stride[d - 1] = a.shape[d], a.stride[d]
    a.ndim -= 1
    refresh(a)


def _mark(Tensor t, bint on):
    """Whether calls with t are shown to Python."""
    t.flags = t.flags | WRAPPED if on else t.flags & ~WRAPPED


def _is_marked(Tensor t):
    return (t.flags & WRAPPED) != 0
