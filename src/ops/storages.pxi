# Storages as Python objects: the bytes that tensors lie in, and the same read as elements of one dtype.

cdef object storages = weakref.WeakValueDictionary()


cdef class UntypedStorage:
    """The bytes that tensors share, as an object: of a tensor, new ones, or those of a file.

    Args:
        data: how many bytes, left as they are, or their values.
    Invariants: `all` is a uint8 vector over the whole storage; there is one UntypedStorage for a storage at a time, so that a
    pickle that meets it twice writes it once. A slice is another, over a part of the same bytes.
    """
    cdef Tensor all
    cdef readonly object filename
    cdef object __weakref__

    def __cinit__(self, *args, **kwargs):
        self.all = empty_bytes(0)

    def __init__(self, data=0, *, device=None):
        check_device(device)
        self.all = empty_bytes(data) if isinstance(data, int) else tensor_from(data, dtype_object(UINT8))
        storages[<size_t>self.all.storage] = self

    @staticmethod
    def from_file(filename, bint shared=False, Py_ssize_t nbytes=0):
        """The first nbytes bytes of a file: written back to it if shared, which makes it as long if need be; else copied where written."""
        from fastgrad._shared import bytes_of_file
        cdef UntypedStorage s
        cdef object found = bytes_of_file(filename, shared, nbytes)
        s = UntypedStorage() if found is None else storage_of(found)
        if shared:
            s.filename = str(filename)
        return s

    def data_ptr(self):
        return self.all.data_ptr()

    def nbytes(self):
        return self.all.a.numel

    def size(self):
        return self.all.a.numel

    def __len__(self):
        return self.all.a.numel

    def __getitem__(self, index):
        cdef UntypedStorage part
        if isinstance(index, int):
            return int(self.all[storage_index(self.all, index)])
        if not isinstance(index, slice):
            raise TypeError(f"can't index a torch.UntypedStorage with {type(index).__name__}")
        start, stop, step = index.indices(self.all.a.numel)
        if step != 1:
            raise RuntimeError(f"Trying to slice with a step of {step}, but only a step of 1 is supported")
        part = UntypedStorage.__new__(UntypedStorage)
        part.all = self.all[start:max(start, stop)]
        return part

    def __setitem__(self, index, value):
        if isinstance(index, int):
            if not 0 <= index < self.all.a.numel:
                raise RuntimeError(f"index {index} out of bounds for storage of size {self.all.a.numel}")
            index = slice(index, index + 1)
        (<UntypedStorage>self[index]).fill_(value)

    def __iter__(self):
        return iter(self.all.tolist())

    def __repr__(self):
        return "".join(f" {byte}\n" for byte in self) + f"[torch.storage.UntypedStorage(device=cpu) of size {len(self)}]"

    def tolist(self):
        return self.all.tolist()

    def element_size(self):
        return 1

    def is_shared(self):
        return self.all.is_shared()

    def untyped(self):
        return self

    cpu = untyped

    def cuda(self, device=None, non_blocking=False):
        check_device("cuda")

    def clone(self):
        """A copy of the bytes."""
        return storage_of(op_clone(self.all))

    def copy_(self, source, non_blocking=False):
        """Take another storage's bytes."""
        cdef UntypedStorage other = source.untyped()
        if source.nbytes() != self.nbytes():
            raise RuntimeError(f"size does not match, self was {self.nbytes()} bytes but src was {source.nbytes()} bytes")
        self.all.copy_(other.all)
        return self

    def fill_(self, value):
        """Set every byte."""
        self.all.fill_(value % 256)
        return self

    def resize_(self, nbytes):
        """Raises NotImplementedError: memory keeps its size."""
        raise NotImplementedError("UntypedStorage.resize_ is not supported. Make a new tensor.")

    def share_memory_(self):
        """Raises NotImplementedError unless the memory is shared already."""
        if not self.is_shared():
            raise NotImplementedError("UntypedStorage.share_memory_ is not supported. Use the tensor's share_memory_.")
        return self

    @property
    def device(self):
        return _places.CPU

    @property
    def is_cuda(self):
        return False

    def _bytes(self):
        """A uint8 tensor over the memory."""
        return self.all

    _values = _bytes

    def __reduce__(self):
        return _storage_from_bytes, (bytes(memoryview(self.all)),)


cdef int64_t storage_index(Tensor all, int64_t index) except -1:
    if not -all.a.numel <= index < all.a.numel:
        raise IndexError(f"index {index} out of range for storage of size {all.a.numel}")
    return index + all.a.numel if index < 0 else index


def _storage_from_bytes(bytes data):
    cdef Tensor whole = empty_bytes(len(data))
    cdef char* source = data
    memcpy(whole.a.data, source, len(data))
    return storage_of(whole)


cdef Tensor empty_bytes(int64_t n):
    if n < 0:
        raise RuntimeError(f"UntypedStorage: the number of bytes must not be negative, got {n}")
    return empty(UINT8, 1, &n)


cdef UntypedStorage storage_of(Tensor t):
    cdef Tensor whole
    cdef UntypedStorage s
    cdef Storage* root = t.storage if t.storage.parent == NULL else t.storage.parent
    cdef size_t key = <size_t>root
    found = storages.get(key)
    if found is not None:
        return found
    whole = alias(t)
    whole.a.data, whole.a.dtype, whole.a.ndim = t.storage.data, UINT8, 1
    whole.a.shape[0] = t.storage.nbytes
    set_contiguous(&whole.a)
    s = UntypedStorage.__new__(UntypedStorage)
    s.all = whole
    storages[key] = s
    return s


class TypedStorage:
    """A storage read as elements of one dtype."""

    def __init__(self, untyped, dtype):
        self._untyped_storage, self.dtype = untyped, dtype

    def _values(self):
        return op_view(self._untyped_storage._bytes(), self.dtype)

    def untyped(self):
        return self._untyped_storage

    def data_ptr(self):
        return self._untyped_storage.data_ptr()

    def nbytes(self):
        return self._untyped_storage.nbytes()

    def element_size(self):
        return self.dtype.itemsize

    def size(self):
        return self.nbytes() // self.dtype.itemsize

    def __len__(self):
        return self.size()

    def __getitem__(self, index):
        return self._values()[index].item()

    def __setitem__(self, index, value):
        self._values()[index] = value

    def __iter__(self):
        return iter(self.tolist())

    def tolist(self):
        return self._values().tolist()

    def is_shared(self):
        return self._values().is_shared()


def tensor_untyped_storage(Tensor self):
    """The bytes this tensor's elements lie in."""
    return storage_of(self)


def tensor_storage(Tensor self):
    """The storage as elements of this tensor's dtype."""
    return TypedStorage(storage_of(self), dtype_object(self.a.dtype))


def is_storage(obj):
    """Whether obj is a storage."""
    return isinstance(obj, (UntypedStorage, TypedStorage))


for _name, _value in (("untyped_storage", tensor_untyped_storage), ("storage", tensor_storage), ("_typed_storage", tensor_storage)):
    install_method(_name, _value)
