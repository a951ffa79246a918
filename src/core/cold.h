/* Where an error is raised or passed on, code is cold: kept apart from what runs, and small.  Without this the usual way through a
   function is strewn over the pages of its errors, of which Cython writes one for each call. */
#ifndef FASTGRAD_COLD_H
#define FASTGRAD_COLD_H
#include <Python.h>
#if defined(__GNUC__) && CYTHON_HEX_VERSION < 0x03040000        /* of later versions it is not known whether they are declared so */
static void __Pyx_AddTraceback(const char *function, int c_line, int py_line, const char *file) __attribute__((cold));
static void __Pyx_Raise(PyObject *type, PyObject *value, PyObject *tb, PyObject *cause) __attribute__((cold));
#endif
#endif
