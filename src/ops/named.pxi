# Named results: tuples with fields, as `torch.return_types.max` and its like.

import copyreg

cdef extern from "Python.h":
    ctypedef struct PyStructSequence_Field:
        const char* name
        const char* doc
    ctypedef struct PyStructSequence_Desc:
        const char* name
        const char* doc
        PyStructSequence_Field* fields
        int n_in_sequence
    PyTypeObject* PyStructSequence_NewType(PyStructSequence_Desc*) except NULL
    PyObject* PyStructSequence_New(PyTypeObject*) except NULL
    void PyStructSequence_SetItem(PyObject*, Py_ssize_t, PyObject*)

cdef dict return_types = {}
cdef list kept_names = []            # the C strings inside the types


cdef object named_repr_text(object self):
    kind = type(self)
    fields = [f"{name}={self[i]!r}" for i, name in enumerate(kind.__match_args__)]
    return f"torch.return_types.{kind.__name__}(\n" + ",\n".join(fields) + ")"


cdef PyObject* named_repr(PyObject* self) noexcept:
    try:
        text = named_repr_text(<object>self)
    except Exception:
        text = "torch.return_types"
    Py_INCREF(text)
    return <PyObject*>text


def pickled_named(self):
    """How a named result is pickled: by its type's name alone, whatever library that name leads to when it is read."""
    return _named_again, (type(self).__name__, tuple(self))


def _named_again(name, items):
    """The named result of these items."""
    return return_types[name](items)


cdef object named_type(str name, str first="values", str second="indices"):
    """A new type of pairs."""
    cdef PyStructSequence_Desc d
    cdef PyStructSequence_Field fields[3]
    cdef bytes full = b"torch.return_types." + name.encode(), a = first.encode(), b = second.encode()
    kept_names.extend((full, a, b))
    fields[0].name, fields[0].doc = a, NULL
    fields[1].name, fields[1].doc = b, NULL
    fields[2].name = NULL
    d.name, d.doc, d.fields, d.n_in_sequence = full, NULL, fields, 2
    cdef PyObject* kind = <PyObject*>PyStructSequence_NewType(&d)
    (<PyTypeObject*>kind).tp_repr = named_repr
    return_types[name] = <object>kind
    copyreg.pickle(<object>kind, pickled_named)
    result = <object>kind
    Py_DECREF(result)
    return result


cdef inline object named(object kind, object first, object second):
    cdef PyObject* p = PyStructSequence_New(<PyTypeObject*><PyObject*>kind)
    Py_INCREF(first)
    Py_INCREF(second)
    PyStructSequence_SetItem(p, 0, <PyObject*>first)
    PyStructSequence_SetItem(p, 1, <PyObject*>second)
    result = <object>p
    Py_DECREF(result)
    return result


def _return_types():
    """The types of named results, by name."""
    return dict(return_types)
