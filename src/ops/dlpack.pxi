# DLPack, both ways: tensors lent to and borrowed from other libraries without copying.
#
# Lent: the capsule owns a block with the tensor's geometry and a reference to the tensor; whoever takes it calls its deleter.
# Borrowed: the tensor's storage owns a capsule of ours, which calls the lender's deleter when it dies.
from cpython.pycapsule cimport PyCapsule_New, PyCapsule_GetPointer, PyCapsule_IsValid, PyCapsule_SetName, PyCapsule_GetName

cdef struct DLDevice:
    int32_t device_type
    int32_t device_id

cdef struct DLDataType:
    uint8_t code
    uint8_t bits
    uint16_t lanes

cdef struct DLTensor:
    void* data
    DLDevice device
    int32_t ndim
    DLDataType dtype
    int64_t* shape
    int64_t* strides
    uint64_t byte_offset

cdef struct DLManagedTensor:
    DLTensor dl_tensor
    void* manager_ctx
    void (*deleter)(DLManagedTensor*) noexcept

cdef struct Lent:
    DLManagedTensor managed
    int64_t shape[MAX_DIMS]
    int64_t stride[MAX_DIMS]

cdef int64_t MOST_ELEMENTS = <int64_t>1 << 50

cdef enum:
    DL_CPU = 1
    DL_INT = 0
    DL_UINT = 1
    DL_FLOAT = 2
    DL_BFLOAT = 4
    DL_COMPLEX = 5
    DL_BOOL = 6


cdef void give_back(DLManagedTensor* m) noexcept with gil:
    Py_DECREF(<object>m.manager_ctx)
    free(m)


cdef void forget_capsule(object capsule) noexcept:
    """Nobody took what was lent."""
    cdef DLManagedTensor* m
    if PyCapsule_IsValid(capsule, b"dltensor"):
        m = <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"dltensor")
        m.deleter(m)


cdef int dlpack_code(int dt) noexcept:
    return DL_BOOL if dt == BOOL else DL_BFLOAT if dt == BFLOAT16 else DL_COMPLEX if is_complex(dt) else DL_FLOAT if dt >= FLOAT16 else DL_UINT if dt == UINT8 else DL_INT


def tensor_dlpack(Tensor self, *, stream=None, max_version=None, dl_device=None, copy=None):
    """A DLPack capsule over this tensor's memory."""
    cdef Tensor t = self
    cdef Lent* lent
    cdef int d
    if self.requires_grad:
        raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
    if stream is not None and stream != -1:
        raise BufferError("__dlpack__: stream must be None for a tensor on the CPU")
    if dl_device is not None and tuple(dl_device) != (DL_CPU, 0):
        raise BufferError(f"__dlpack__: dl_device must be (1, 0), got {dl_device}")
    if copy:
        t = converted(t, t.a.dtype)
    lent = <Lent*>calloc(1, sizeof(Lent))
    if lent == NULL:
        raise MemoryError("cannot export a tensor")
    for d in range(t.a.ndim):
        lent.shape[d], lent.stride[d] = t.a.shape[d], t.a.stride[d]
    lent.managed.dl_tensor.data = t.a.data
    lent.managed.dl_tensor.device.device_type = DL_CPU
    lent.managed.dl_tensor.ndim = t.a.ndim
    lent.managed.dl_tensor.dtype.code = dlpack_code(t.a.dtype)
    lent.managed.dl_tensor.dtype.bits = 8 * itemsize(t.a.dtype)
    lent.managed.dl_tensor.dtype.lanes = 1
    lent.managed.dl_tensor.shape, lent.managed.dl_tensor.strides = lent.shape, lent.stride
    lent.managed.deleter = give_back
    t = alias(t)
    Py_INCREF(t)
    lent.managed.manager_ctx = <void*><PyObject*>t
    return PyCapsule_New(lent, b"dltensor", <void (*)(object) noexcept>forget_capsule)


def tensor_dlpack_device(Tensor self):
    """(kDLCPU, 0)."""
    return (DL_CPU, 0)


cdef void release_borrowed(object capsule) noexcept:
    cdef DLManagedTensor* m = <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"fastgrad.borrowed")
    if m.deleter != NULL:
        m.deleter(m)


cdef int dlpack_dtype(DLDataType x) except -2:
    cdef int dt
    for dt in range(NDTYPES):
        if x.lanes == 1 and x.code == dlpack_code(dt) and x.bits == 8 * itemsize(dt):
            return dt
    raise BufferError(f"from_dlpack: no dtype for code {x.code} with {x.bits} bits and {x.lanes} lanes")


def from_dlpack(ext_tensor, *, device=None, copy=None):
    """A tensor over the memory of any object with `__dlpack__`, or of a DLPack capsule."""
    cdef DLManagedTensor* m
    cdef DLTensor* x
    cdef int64_t shape[MAX_DIMS]
    cdef int64_t stride[MAX_DIMS]
    cdef int64_t nbytes = 1, step = 1
    cdef int d, dt
    cdef Tensor out
    check_device(device)
    if hasattr(ext_tensor, "__dlpack__"):
        place = ext_tensor.__dlpack_device__() if hasattr(ext_tensor, "__dlpack_device__") else (DL_CPU, 0)
        if not isinstance(place, tuple) or len(place) != 2 or place[0] != DL_CPU:
            raise BufferError(f"from_dlpack: only memory on the CPU can be shared, got device {place}")
        capsule = ext_tensor.__dlpack__()
    else:
        capsule = ext_tensor
    if not PyCapsule_IsValid(capsule, b"dltensor"):
        raise RuntimeError("from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you might "
                           "have already constructed a tensor from it once.")
    m = <DLManagedTensor*>PyCapsule_GetPointer(capsule, b"dltensor")
    x = &m.dl_tensor
    if x.device.device_type != DL_CPU:
        raise BufferError(f"from_dlpack: only memory on the CPU can be shared, got device type {x.device.device_type}")
    if not 0 <= x.ndim <= MAX_DIMS:
        raise RuntimeError(f"from_dlpack: 0 to {MAX_DIMS} dimensions are supported, got {x.ndim}")
    dt = dlpack_dtype(x.dtype)
    if x.ndim and x.shape == NULL:
        raise BufferError(f"from_dlpack: a capsule of {x.ndim} dimensions must have a shape")
    if x.ndim:
        check_count(x.ndim, x.shape)
    for d in range(x.ndim - 1, -1, -1):
        shape[d] = x.shape[d]
        stride[d] = x.strides[d] if x.strides != NULL else step
        step *= shape[d]
        if stride[d] < 0:
            raise BufferError("from_dlpack: negative strides are not supported")
        if shape[d] > 1 and stride[d] > MOST_ELEMENTS // (shape[d] - 1):
            raise BufferError(f"from_dlpack: stride {stride[d]} of dimension {d}, of size {shape[d]}, leads out of any memory")
        nbytes += (shape[d] - 1) * stride[d] if shape[d] else 0
    if step == 0:
        nbytes = 0
    elif x.data == NULL:
        raise BufferError(f"from_dlpack: a capsule with elements must have memory, got a null pointer and shape {shape_list(x.ndim, shape)}")
    if x.byte_offset > <uint64_t>1 << 46 or nbytes > MOST_ELEMENTS or (<size_t>x.data + x.byte_offset) % itemsize(dt):
        raise BufferError(f"from_dlpack: the elements lie where none can: byte offset {x.byte_offset}, {nbytes} elements from first to last")
    PyCapsule_SetName(capsule, b"used_dltensor")
    owner = PyCapsule_New(m, b"fastgrad.borrowed", <void (*)(object) noexcept>release_borrowed)
    out = borrowed(<char*>x.data + x.byte_offset, dt, x.ndim, shape, stride, nbytes * itemsize(dt), owner)
    return contiguous_copy(out) if copy else out


def to_dlpack(Tensor tensor):
    """A DLPack capsule over a tensor's memory."""
    return tensor_dlpack(tensor)


install_method("__dlpack__", tensor_dlpack)
install_method("__dlpack_device__", tensor_dlpack_device)
