# fastgrad._ops: the operations.  The table (ops/table) becomes rows, entries and gradients in the generated rows.pxi; the rules
# that are too long for a row are included before it, a family a file.
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF, Py_DECREF
from cpython.float cimport PyFloat_Check
from cpython.bool cimport PyBool_Check
from cpython.buffer cimport PyObject_CheckBuffer
from cpython.long cimport PyLong_Check, PyLong_CheckExact
from cpython.sequence cimport PySequence_Check
from libc.stdlib cimport malloc, calloc, free
from libc.string cimport memcpy, memset
from fastgrad.launch cimport *
from fastgrad._engine cimport *
from fastgrad._engine cimport checked_run as run

import weakref

from fastgrad._engine import Size, _is_partial_backward
from fastgrad._engine import grad as gradients_of
from fastgrad import _places

include "kernel_numbers.pxi"
include "ops/register.pxi"
include "ops/arguments.pxi"
include "ops/interop.pxi"
include "ops/views.pxi"
include "ops/strided.pxi"
include "ops/splits.pxi"
include "ops/creation.pxi"
include "ops/complex.pxi"
include "ops/inplace.pxi"
include "ops/storages.pxi"
include "ops/protocol.pxi"
include "ops/dlpack.pxi"
include "ops/pointwise.pxi"
include "ops/named.pxi"
include "ops/reduction.pxi"
include "ops/moments.pxi"
include "ops/nuclear.pxi"
include "ops/extremes.pxi"
include "ops/scan.pxi"
include "ops/normalization.pxi"
include "ops/matmul.pxi"
include "ops/convolution.pxi"
include "ops/pooling.pxi"
include "ops/norms.pxi"
include "ops/movement.pxi"
include "ops/plan.pxi"
include "ops/indexing.pxi"
include "ops/scatter.pxi"
include "ops/scatter_reduce.pxi"
include "ops/masks.pxi"
include "ops/sorting.pxi"
include "ops/counting.pxi"
include "ops/embedding.pxi"
include "ops/losses.pxi"
include "ops/cross_entropy.pxi"
include "ops/by_operations.pxi"
include "ops/recurrent.pxi"
include "ops/attention.pxi"
include "ops/padding.pxi"
include "ops/generator.pxi"
include "ops/random.pxi"
include "ops/random_gamma.pxi"
include "ops/optimizers.pxi"
include "ops/step_rules.pxi"
include "ops/calls.pxi"
include "ops/python_rows.pxi"
include "rows.pxi"
include "ops/walk_support.pxi"
include "ops/api.pxi"

for name in ("sgn", "conj_physical", "float_power", "addmm", "addmv", "addr", "addbmm", "baddbmm"):
    _install_inplace(name, functions[name])

take_old_order()
