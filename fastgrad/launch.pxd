# The vocabulary shared by the engine and the kernels: number types, dtypes and the Launch.
#
# A Launch is one kernel call as plain data: no Python object, no ownership, no pointer into itself, so it can be
# copied, cut among threads, kept and run again, timed or written out.  Nothing here may refer to a Tensor.
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

ctypedef uint8_t b8        # bool
ctypedef uint8_t u8
ctypedef int8_t i8
ctypedef int16_t i16
ctypedef int32_t i32
ctypedef int64_t i64
ctypedef uint16_t u16      # the bits of float16 and bfloat16; also a 2-byte item that is only moved
ctypedef uint32_t u32      # a 4-byte item that is only moved
ctypedef uint64_t u64      # an 8-byte item that is only moved
ctypedef float f32
ctypedef double f64
ctypedef float complex c64
ctypedef double complex c128

ctypedef fused real:
    f32
    f64

ctypedef fused integer:
    u8
    i8
    i16
    i32
    i64

ctypedef fused number:
    u8
    i8
    i16
    i32
    i64
    f32
    f64

ctypedef fused complexes:
    c64
    c128

# what is added, multiplied and compared for equality, and need not have an order
ctypedef fused element:
    u8
    i8
    i16
    i32
    i64
    f32
    f64
    c64
    c128

# items that are only moved: a kernel over `item` serves every dtype of that width
ctypedef fused item:
    u8
    u16
    u32
    u64
    c128                   # 16 bytes

cdef enum Dtype:           # in the order of promotion within a category
    BOOL = 0
    UINT8
    INT8
    INT16
    INT32
    INT64
    FLOAT16
    BFLOAT16
    FLOAT32
    FLOAT64
    COMPLEX64
    COMPLEX128
    NDTYPES

cdef enum:
    MAX_DIMS = 8           # of a tensor
    MAX_LOOP = 10          # of a launch: batched products and windows have more loops than a tensor has dimensions
    MAX_OPERANDS = 8
    MAX_ATTRS = 14         # a convolution has four numbers for each of three dimensions

ctypedef union Scalar:      # an operand that is one number, in any dtype
    i64 i
    f64 f
    f64 c[2]

ctypedef union Attr:
    i64 i
    f64 f

ctypedef struct Launch:
    int16_t kernel                            # row of the kernel table
    int8_t dtype                              # column of the kernel table: what the loop computes in
    int8_t ndim                               # loop dimensions in use; the kernel's own `core` dimensions are the last
    int8_t core
    int8_t noperands                          # operand 0 is the output
    int8_t streams                            # kernels may write the output past the caches; set as the launch is run (past_caches, core/threads.pxi)
    int64_t shape[MAX_LOOP]
    char* ptr[MAX_OPERANDS]                   # NULL: the operand is scalar[i], already in the dtype it is read as
    int64_t stride[MAX_OPERANDS][MAX_LOOP]    # in bytes; 0 where an operand does not move with the loop
    Scalar scalar[MAX_OPERANDS]
    Attr attr[MAX_ATTRS]                      # an operation's own numbers: a slope, a bound, a count

# A kernel computes the core dimensions at the operand pointers `p`.  `scratch` is per thread, SCRATCH_BYTES long.
ctypedef void (*Kernel)(const Launch* l, char** p, void* scratch) noexcept nogil

cdef enum:                 # where a launch of a kernel may be cut among threads; no cut changes a bit of the result
    CUT_OUTER = 1          # the loop's dimensions outside the core, where the output moves along them
    CUT_FIRST = 2          # the first core dimension, anywhere
    CUT_TILES = 4          # the first two core dimensions, at multiples of 32, the remainder left to the last piece
    CUT_SECOND = 8         # the second core dimension likewise, of a launch that is too short in the first

cdef enum:                 # what convolutions of images side by side have room for
    LANES_IMAGES = 16      # at the least, and what they are a multiple of: every vector's lanes
    LANES_TAPS = 384       # of a window, at most; at most GEMM_KC
    LANES_SIZE = 256       # of an image and of the result along a dimension, at most
    LANES_BLOCK = 1 << 20  # bytes of some channels of an image, or of the result

ctypedef struct KernelTable:
    Kernel* kernel                            # [number * NDTYPES + dtype], NULL where a dtype has none, or the file that is compiled once has it
    const uint8_t* cut                        # [number], flags as above; 0: a launch runs on one thread
    int64_t scratch_bytes


cdef inline int64_t extent(const Launch* l, int i) noexcept nogil:
    """Size of core dimension i."""
    return l.shape[l.ndim - l.core + i]


cdef inline int64_t step(const Launch* l, int operand, int i) noexcept nogil:
    """Byte stride of an operand along core dimension i."""
    return l.stride[operand][l.ndim - l.core + i]
