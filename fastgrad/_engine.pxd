# The engine's structures, for the operations (fastgrad._ops) and for projects that cimport fastgrad.
#
# Ownership: a Tensor owns a reference to its Storage, its node, its grad and the base it is a view of; a Node owns its
# edges and what it saved; nothing below points up.  All reference counts change under the GIL.
from cpython.object cimport PyObject
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from cpython.long cimport PyLong_AsDouble, PyLong_CheckExact
from fastgrad.launch cimport *

cdef extern from "Python.h":
    ctypedef struct Kind "PyTypeObject":
        Py_ssize_t tp_basicsize
        Kind* tp_base
    Kind* kind_of "Py_TYPE"(PyObject* x) noexcept
    bint is_of_kind "PyObject_TypeCheck"(PyObject* x, Kind* kind) noexcept

cdef extern from *:           # Cython's own macros: which way a branch mostly goes, so that the usual way is a straight line of code
    bint likely(bint condition) noexcept nogil
    bint unlikely(bint condition) noexcept nogil

ctypedef struct Storage:
    int64_t refs
    char* data
    int64_t nbytes
    uint32_t version          # counts in-place writes; views share it
    int32_t size_class        # of the pool's block this header lives in
    PyObject* owner           # what lends the memory: a Python object (from NumPy, DLPack), or NULL
    Storage* parent           # what lends the memory: another storage (`tensor.data`), or NULL

ctypedef struct Array:        # a strided view of memory: all that a launch needs to know of a tensor
    char* data
    int64_t numel
    int8_t dtype
    int8_t ndim
    bint contiguous
    int64_t shape[MAX_DIMS]
    int64_t stride[MAX_DIMS]  # in elements

ctypedef struct Meta:         # what a gradient must look like
    int8_t dtype
    int8_t ndim
    int64_t shape[MAX_DIMS]

cdef enum:
    REQUIRES_GRAD = 1         # a leaf that wants a gradient, or any result with a node
    RETAINS_GRAD = 2
    INFERENCE = 4
    MANY_VIEWS = 8            # one of several views that one operation made
    NO_GRAD_VIEW = 16         # a view made while grad mode was off
    SAVED_RESULT = 32         # a node's own copy of what it made
    WRAPPED = 64              # calls with it are shown to Python: see core/override.pxi
    FUNCTION_VIEW = 128       # a view that a custom function made of its input
    LOOSE_VIEW = MANY_VIEWS | NO_GRAD_VIEW | FUNCTION_VIEW

cdef enum:
    MAX_EDGES = 3             # inline in a node; longer lists (cat, stack) are allocated
    MAX_SAVED = 6

cdef enum:                    # values of Row.grad_kernel besides kernel numbers
    NO_GRADIENT = -1
    PASS_GRADIENT = -2        # the formula is `grad`

cdef enum:                    # Row.overlap: what a written operand may share with one that is read
    OVERLAP_FREE = 0          # anything
    OVERLAP_WHOLE = 1         # all of its memory, or none
    OVERLAP_NONE = 2          # none
    OVERLAP_PAIRS = 3         # the outputs of an operation that gives several: none; that of one: as OVERLAP_WHOLE

cdef enum:                    # Row.out: which dtype out= may have
    OUT_CAST = 0              # of no lower category than the result's
    OUT_EXACT = 1             # the result's
    OUT_ANY = 2
    OUT_NONE = 3              # there is no out=

cdef enum DtypeRule:
    SAME = 0                  # inputs agree after promotion; result has that dtype
    FLOATING                  # integers become the default float dtype
    PREDICATE                 # computed in the promoted dtype, result is bool

ctypedef struct Row

ctypedef int (*backward_t)(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1
ctypedef object (*formula_t)(object grad, PyObject** saved)
ctypedef object (*entry_point)(const Row* row, PyObject** args)

ctypedef struct Row:          # an operation, as the engine sees it; generated from the table
    const char* name
    const char* node_name     # what grad_fn.name() says
    const char* shown         # edges in the order of next_functions, counted from 1; NULL: all of them in theirs
    int8_t ninputs            # tensors among the arguments, first
    int8_t nattrs             # numbers after them
    int8_t rule
    int8_t overlap            # see Note [Operands that overlap]
    int8_t out
    bint expanded             # out= may be an expanded tensor
    uint8_t bools             # inputs that are read as bool
    bint numbers              # a call without any tensor has a result
    int16_t kernel            # forward
    int16_t grad_kernel[3]    # fused gradient of each input
    uint8_t uses[3]           # what each gradient reads: bit i input i, bit 6 grad, bit 7 result
    formula_t formula[3]      # the same gradients as differentiable operations
    backward_t backward
    const Row* number_form    # what the nodes of calls refer to whose last input is a number; NULL: this row

cdef class Tensor:
    cdef Array a              # first: its first field links dead tensors, see core/slab.pxi
    cdef Storage* storage
    cdef uint8_t flags
    cdef uint32_t nr          # which of its node's outputs this is
    cdef uint32_t walk        # scratch of the backward walk: which walk saw this leaf last, and where it put it
    cdef int32_t slot
    cdef uint32_t seen        # version of the storage when `node` was made, for views
    cdef object node          # Node, or None for a leaf
    cdef object grad_
    cdef object base          # of a differentiable view
    cdef object extra         # dict of hooks and rare state, or None
    cdef dict __dict__
    cdef object __weakref__

cdef inline bint is_tensor(PyObject* x) noexcept:
    """Whether x is a Tensor or of a subclass.  Objects too small to be one (numbers, most of all) are told apart at a glance."""
    cdef Kind* kind = kind_of(x)
    return likely(kind == <Kind*>Tensor) or (
        kind.tp_basicsize >= (<Kind*>Tensor).tp_basicsize
        and (kind.tp_base == <Kind*>Tensor or is_of_kind(x, <Kind*>Tensor)))


cdef inline double double_of(object x) except? -1:
    """A number as a double; Python's own two kinds at no cost."""
    if PyFloat_CheckExact(x):
        return PyFloat_AS_DOUBLE(x)
    return PyLong_AsDouble(x) if PyLong_CheckExact(x) else <double>x


cdef class Node:
    cdef const Row* row       # first: links dead nodes, see core/slab.pxi
    cdef object extra         # dict of hooks, metadata and a Function's context, or None
    cdef uint64_t seq
    cdef uint32_t walk
    cdef int32_t slot
    cdef uint32_t nedges
    cdef uint32_t noutputs
    cdef uint8_t nsaved
    cdef bint released
    cdef PyObject** edge      # Node, leaf Tensor or NULL
    cdef uint32_t* edge_nr
    cdef Meta* meta           # of each output
    cdef PyObject* inline_edge[MAX_EDGES]
    cdef uint32_t inline_nr[MAX_EDGES]
    cdef Meta inline_meta             # before what most nodes do not use: long graphs are read a cache line at a time
    cdef uint32_t version[MAX_SAVED]
    cdef PyObject* saved[MAX_SAVED]   # tensors and Python values

ctypedef struct Operations:   # what the walk needs of the operations; fastgrad._ops fills it in
    object (*add)(object, object)
    object (*sum_to)(Tensor, const Meta*)
    object (*cast)(Tensor, int)
    object (*as_strided)(Tensor, Array*)         # the view of base that has this geometry, with its node
    const Row* copy_slices
    object (*getitem)(Tensor, object)
    int (*setitem)(Tensor, object, object) except -1
    int (*construct)(Tensor, tuple, dict) except -1     # what Tensor(...) holds

cdef enum:
    MAX_ARGUMENTS = 16

cdef class Operation:
    cdef void* call           # vectorcall
    cdef const Row* row
    cdef entry_point entry
    cdef readonly str __name__
    cdef readonly str __doc__
    cdef readonly tuple names
    cdef int npositional, nrequired, variadic
    cdef tuple old_numbers    # the keywords that PyTorch's old order takes as numbers among the tensors, or None

cdef class dtype:
    cdef readonly int code
    cdef readonly str name


# ---- what fastgrad._ops is built from --------------------------------------------------------------------------------

# memory and arrays
cdef Tensor empty(int dt, int ndim, const int64_t* shape)
cdef Tensor empty_as(int dt, const Array* like)
cdef Tensor empty_in_order(int dt, const Array* like, const int8_t* perm)
cdef Tensor alias(Tensor t)
cdef Tensor bare_tensor(object cls)
cdef int adopt(Tensor t, Tensor source) except -1
cdef Tensor view_of(Tensor t, int ndim, const int64_t* shape, const int64_t* stride, int64_t offset)
cdef Tensor borrowed(char* data, int dt, int ndim, const int64_t* shape, const int64_t* stride, int64_t nbytes, object owner)
cdef Tensor empty_ordered(int dt, Tensor like)
cdef Tensor converted(Tensor t, int dt)
cdef Tensor contiguous_copy(Tensor t)
cdef int copy_array(Array* out, Array* source) except -1
cdef int fill_array(Array* out, object value) except -1
cdef int fill_with(Array* out, object value) except -1
cdef int refuse_unfit(int dt, object x) except -1
cdef int refuse_recording(str what) except -1
cdef int check_count(int ndim, const int64_t* shape) except -1
cdef void set_contiguous(Array* a) noexcept nogil
cdef void refresh(Array* a) noexcept nogil
cdef bint dense(const Array* a) noexcept nogil
cdef bint same_shape(const Array* a, const Array* b) noexcept nogil
cdef bint overlaps(Tensor into, Array** operand, int n)
cdef int broadcast(const char* name, Array** operand, int n, Array* out) except -1
cdef int order_dims(Array** operand, int n, const Array* out, int8_t* perm) noexcept nogil
cdef int fill_loop(Launch* l, Array** operand, int n, const int8_t* perm) noexcept nogil
cdef tuple shape_tuple(const Array* a)
cdef list shape_list(int ndim, const int64_t* shape)
cdef object size_of(Tensor t)
cdef int checked_run(Launch* l) except -1            # raises NotImplementedError where the dtype has no kernel
cdef int run_holding(Launch* l) except -1
cdef bint has_kernel(int kernel, int dt) noexcept nogil

# dtypes
cdef int itemsize(int dt) noexcept nogil
cdef bint is_floating(int dt) noexcept nogil
cdef bint is_complex(int dt) noexcept nogil
cdef int complex_of(int dt) noexcept nogil
cdef int real_of(int dt) noexcept nogil
cdef int category(int dt) noexcept nogil
cdef int promote(int x, int y) noexcept nogil
cdef int number_dtype(object x) except -2
cdef int result_dtype(PyObject** x, int n) except -2
cdef int default_dtype() noexcept
cdef dtype dtype_argument(object x)
cdef dtype dtype_object(int code)
cdef str scalar_name(int code)
cdef int store_number(int dt, object x, void* out) except -1
cdef object load_number(int dt, const void* p)

# operations, nodes, gradients
cdef Operation make_operation(const Row* row, entry_point entry, str name, list names, int npositional, int nrequired, int variadic,
                              str doc)
cdef int register_operator(str symbol, const Row* row, entry_point entry, bint inplace) except -1
cdef object elementwise(const Row* row, PyObject** x)
cdef object inplace_elementwise(const Row* row, PyObject** x)
cdef int elementwise_backward(Node node, PyObject** grads, PyObject** out, bint create_graph) except -1
cdef Tensor compute(const Row* row, int kernel, int loop, int result, uint8_t bools, PyObject** x, int n, PyObject** attr,
                    Tensor into)
cdef bint needs(PyObject* t) noexcept
cdef uint32_t wants(object x) noexcept              # 1 if x is a tensor that wants a gradient and grad mode is on
cdef int backward_of(Tensor root) except -1
cdef Tensor grad_of(Tensor leaf)
cdef bint grad_enabled() noexcept
cdef bint set_grad_mode(bint mode) noexcept          # returns the mode it replaces
cdef Node new_node(const Row* row, int nedges, int noutputs)
cdef int set_edge(Node node, int i, Tensor t) except -1
cdef int set_node(Tensor t, Node node, int output) except -1
cdef Node node_of(Tensor t)
cdef int save(Node node, int i, PyObject* value) except -1
cdef int save_result(Node node, int i, Tensor out) except -1
cdef int check_saved(Node node) except -1
cdef Tensor value_before(Tensor t)
cdef void give(PyObject** out, int i, object value) noexcept
cdef int check_inplace(Tensor t, bint recorded) except -1
cdef int check_history(Tensor t, bint recorded) except -1
cdef int refuse_shared_elements(const Array* a) except -1
cdef int refuse_overlap(Tensor into, PyObject* x, int rule) except -1
cdef int rebase(Tensor t, Node node) except -1
cdef int rebase_written(Tensor t, Node node) except -1
cdef void bump(Tensor t) noexcept                    # the version, after an in-place write
cdef int set_operations(Operations* functions) except -1
cdef bint stands_for_int(object x) except -1
cdef int64_t int_in_64_bits(object x) except? -1
cdef int wrapped_dim(str name, object dim, int ndim) except -1
