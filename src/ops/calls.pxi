# What nn.Module takes from C: calling a module runs its `forward` without a Python frame or a bound method in between, and its
# attributes are read as any object's.

cdef extern from "Python.h":
    PyObject* PyObject_VectorcallMethod(PyObject*, PyObject**, size_t, PyObject*) noexcept
    ctypedef struct SlotWrapper "PyWrapperDescrObject":
        void* d_wrapped
    PyObject* PyObject_GenericGetAttr(PyObject*, PyObject*) noexcept
    PyObject* PyObject_GetAttr(PyObject*, PyObject*) noexcept
    PyObject* PyObject_Call(PyObject*, PyObject*, PyObject*) noexcept
    Py_ssize_t PyTuple_GET_SIZE(PyObject*)
    PyObject* PyTuple_GET_ITEM(PyObject*, Py_ssize_t)
    Py_ssize_t PyDict_Size(PyObject*)

cdef str called_method = "forward"


@cython.auto_pickle(False)
cdef class ForwardCall:
    """Base of nn.Module: an instance is called through `forward`, or `_call_impl` once there are hooks in the process."""

    def __call__(self, *args, **kwargs):
        return getattr(self, called_method)(*args, **kwargs)


def use_hooked_calls():
    """From now on calling a module, any module, looks for hooks."""
    global called_method
    called_method = "_call_impl"


cdef PyObject* call_forward(PyObject* self, PyObject* args, PyObject* kwargs) noexcept:
    cdef PyObject* given[MAX_ARGUMENTS]
    cdef Py_ssize_t i, n = PyTuple_GET_SIZE(args)
    if n >= MAX_ARGUMENTS or (kwargs != NULL and PyDict_Size(kwargs)):
        return call_with_keywords(self, args, kwargs)
    given[0] = self
    for i in range(n):
        given[i + 1] = PyTuple_GET_ITEM(args, i)
    return PyObject_VectorcallMethod(<PyObject*>called_method, given, n + 1, NULL)       # given[0] is self


cdef PyObject* call_with_keywords(PyObject* self, PyObject* args, PyObject* kwargs) noexcept:
    cdef PyObject* method = PyObject_GetAttr(self, <PyObject*>called_method)
    cdef PyObject* result
    if method == NULL:
        return NULL
    result = PyObject_Call(method, args, kwargs)
    Py_DECREF(<object>method)
    return result


cdef int install_call() except -1:
    """Subclasses take their slot from the descriptor of `__call__`."""
    (<PyTypeObject*>ForwardCall).tp_call = call_forward
    (<SlotWrapper*><PyObject*>ForwardCall.__dict__["__call__"]).d_wrapped = <void*>call_forward
    return 0

install_call()


def use_plain_attributes(type kind):
    """Make the interpreter read attributes of kind's instances without asking its `__getattr__`, which the class inherits and
    whose answers are the same: a third of the time.  Giving the class another `__getattr__` later undoes it."""
    (<PyTypeObject*>kind).tp_getattro = PyObject_GenericGetAttr
    PyType_Modified(<PyTypeObject*>kind)
