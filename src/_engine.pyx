# fastgrad._engine: tensors, the graph and its walk, launches.  Knows kernels by their table and no operation by name.
#
# The parts, in the order data passes through them: dtypes and memory, the launch that computes, objects and their making,
# one path for elementwise operations, nodes, in-place writes, the backward walk, and what Python sees.
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_DECREF
from cpython.float cimport PyFloat_Check, PyFloat_CheckExact
from cpython.bool cimport PyBool_Check
from cpython.long cimport PyLong_AsLongLongAndOverflow, PyLong_AsUnsignedLongLong, PyLong_Check, PyLong_CheckExact
from cpython.tuple cimport PyTuple_Check, PyTuple_New, PyTuple_SET_ITEM
from cpython.list cimport PyList_Check
from cpython.buffer cimport PyBUF_STRIDES, PyBUF_FORMAT
from cpython.pycapsule cimport PyCapsule_GetContext, PyCapsule_GetPointer
from libc.stdlib cimport malloc, calloc, realloc, free, qsort
from libc.string cimport memcpy, memset
from fastgrad.launch cimport *

import sys
import weakref

cdef extern from "core/cold.h":
    pass

cdef extern from "core/port.h":
    int fg_grad_enabled
    int fg_inference
    int fg_partial_backward
    void* fg_walk
    ctypedef struct fg_release_t:
        int nodes, tensors, strangers
        void* waiting_nodes
        void* waiting_tensors
    fg_release_t fg_release

include "kernel_numbers.pxi"
include "core/half.pxi"
include "core/dtype.pxi"
include "core/storage.pxi"
include "core/recorder.pxi"
include "core/threads.pxi"
include "core/launch.pxi"
include "core/slab.pxi"
include "core/objects.pxi"
include "core/array.pxi"
include "core/make.pxi"
include "core/elementwise.pxi"
include "core/node.pxi"
include "core/saved_hooks.pxi"
include "core/inplace.pxi"
include "core/walk.pxi"
include "core/deliver.pxi"
include "core/hooks.pxi"
include "core/operation.pxi"
include "core/tensor.pxi"
include "core/shown_nodes.pxi"
include "core/graph.pxi"
include "core/override.pxi"
include "core/function.pxi"
include "core/modes.pxi"
include "core/exports.pxi"
include "core/levels.pxi"
