# The kernels of one CPU level: numbers only.  This file is compiled once for each level (setup.py gives each its flags and
# its module name), with levels/kernels.pxi, and once more for the least level, with once/kernels.pxi: kernels that are rare, and
# those of complex dtypes.  The engine imports both, the best level the machine can run, and sees nothing but `table`.
#
# Everything here is nogil and noexcept over pointers, lengths and strides: no Python object, no allocation, no error, no
# thread.  Kernels are written x_forward beside x_backward, one family a file; elementwise ones come from the table's rows.
from libc.stdint cimport int64_t, int32_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from cpython.pycapsule cimport PyCapsule_New, PyCapsule_SetContext
from fastgrad.launch cimport *

include "kernels/vmath.pxi"
include "core/half.pxi"
include "kernels/scalar.pxi"
include "kernels/loop.pxi"
include "kernels/gemm.pxi"
include "kernels/planes.pxi"
include "kernels/convolution.pxi"
include "kernels/convolution_lanes.pxi"
include "kernels/reduce.pxi"
include "kernels/pooling.pxi"
include "kernels/extreme.pxi"
include "kernels/scan.pxi"
include "kernels/softmax.pxi"
include "kernels/normalize.pxi"
include "kernels/recurrent.pxi"
include "kernels/attention.pxi"
include "kernels/sort.pxi"
include "kernels/gather.pxi"
include "kernels/resample.pxi"
include "kernels/embedding.pxi"
include "kernels/loss.pxi"
include "kernels/random.pxi"
include "kernels/optimizer.pxi"
include "kernels/optimizer_rules.pxi"
include "kernels.pxi"

cdef KernelTable description

fill_table()
description.kernel = entries
description.cut = cuts
description.scratch_bytes = max(GEMM_SCRATCH + max(CONVOLUTION_SCRATCH, ATTENTION_SCRATCH), LANES_SCRATCH, PLANES_SCRATCH)
table = PyCapsule_New(&description, b"fastgrad.kernels", NULL)
PyCapsule_SetContext(table, <void*><size_t>KERNELS_FINGERPRINT)      # the engine refuses a table made from other rows
