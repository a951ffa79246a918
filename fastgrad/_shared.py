"""Tensors in memory that processes share: what share_memory_, is_shared and multiprocessing's pickles come to.

A file without a name holds the memory; a process that a tensor is sent to gets the file's descriptor. Nothing is left behind when the last
process that has the memory mapped ends. Views that were made before share_memory_ keep the memory they had.
"""

import mmap
import os
import weakref
from multiprocessing import reduction

import fastgrad as fg
from fastgrad._ops import _rebuild_tensor

__all__ = ["bytes_of_file", "is_shared", "share"]

by_address = weakref.WeakValueDictionary()          # where a mapping begins -> Mapping
by_file = weakref.WeakValueDictionary()             # (device, number) of its file -> Mapping


class Mapping(mmap.mmap):
    """A file, mapped; its tensors keep it alive. `latest` is the tensor made last, weakly held: others join its storage."""

    latest = staticmethod(lambda: None)

    def tensor(self, dtype, geometry, requires_grad):
        known = self.latest()
        storage = (fg.frombuffer(self, dtype=fg.uint8) if known is None else known).untyped_storage()
        tensor = _rebuild_tensor(storage, dtype, *geometry, requires_grad)
        self.latest = weakref.ref(tensor)
        by_address[storage.data_ptr()] = self
        return tensor


def mapped(file, size):
    """The Mapping of a descriptor, which it owns from now on."""
    made = Mapping(file, size)
    made.file = file
    weakref.finalize(made, os.close, file)
    by_file[key(file)] = made
    return made


def key(file):
    status = os.fstat(file)
    return status.st_dev, status.st_ino


def unnamed_file(size):
    """A descriptor of a file in memory that has no name."""
    if not hasattr(os, "memfd_create"):
        raise NotImplementedError("share_memory_: files in memory without a name are needed, which this system does not have")
    file = os.memfd_create("fastgrad")
    os.ftruncate(file, size)
    return file


def is_shared(tensor):
    """Whether the memory is shared with processes that this tensor is sent to, or that are forked."""
    return tensor.untyped_storage().data_ptr() in by_address


def share(tensor):
    """Move the memory to where processes share it, in place; a tensor without elements has none."""
    old = tensor.untyped_storage()
    if is_shared(tensor) or old.nbytes() == 0:
        return tensor
    size = old.nbytes()
    new = mapped(unnamed_file(size), size)
    whole = new.tensor("uint8", (0, (size,), (1,)), False)
    whole.copy_(_rebuild_tensor(old, "uint8", 0, (size,), (1,), False))
    tensor.data = new.tensor(tensor.dtype.name, (tensor.storage_offset(), tuple(tensor.shape), tensor.stride()), False)
    return tensor


def bytes_of_file(name, shared, nbytes):
    """A uint8 vector over the first bytes of a file, None if there are none; see UntypedStorage.from_file."""
    file = opened(name, shared)
    try:
        length = os.fstat(file).st_size
        if nbytes > length and not shared:
            raise RuntimeError(f"file <{name}> size <{length}> is smaller than the required mapping size <{nbytes}>")
        if nbytes > length:
            os.ftruncate(file, nbytes)
        if nbytes and shared:
            return mapped(os.dup(file), nbytes).tensor("uint8", (0, (nbytes,), (1,)), False)
        return fg.frombuffer(mmap.mmap(file, nbytes, access=mmap.ACCESS_COPY), dtype=fg.uint8) if nbytes else None
    finally:
        os.close(file)


def opened(name, writable):
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY, 0o666)
    except OSError as error:
        mode = "read-write" if writable else "read-only"
        raise RuntimeError(f"unable to open file <{name}> in {mode} mode: {error.strerror} ({error.errno})") from error


def received(kind, file, size, dtype, geometry, requires_grad, attributes):
    """A tensor that another process sent."""
    file = file.detach()
    known = by_file.get(key(file))
    if known is None:
        known = mapped(file, size)
    else:
        os.close(file)
    tensor = known.tensor(dtype, geometry, requires_grad)
    if kind is fg.nn.Parameter:
        tensor = fg.nn.Parameter(tensor.detach(), requires_grad)
    tensor.__dict__.update(attributes)
    return tensor


def sent(tensor):
    """What multiprocessing pickles of a tensor: its place in the shared memory if it is there, else a copy."""
    mapping = by_address.get(tensor.untyped_storage().data_ptr())
    if mapping is None:
        return tensor.__reduce_ex__(2)
    geometry = tensor.storage_offset(), tuple(tensor.shape), tensor.stride()
    return received, (type(tensor), reduction.DupFd(mapping.file), len(mapping), tensor.dtype.name, geometry, tensor.requires_grad,
                      tensor.__dict__)


for kind in (fg.Tensor, fg.nn.Parameter):
    reduction.ForkingPickler.register(kind, sent)
