"""Collectives of torch.distributed: with one process each is a check of its arguments and, at most, a copy.

They are done when they return; `async_op=True` gives a Work that says so.
"""

import pickle
from enum import Enum

from fastgrad._engine import Tensor

from ..futures import Future
from ._groups import chosen, own_rank

__all__ = ["ReduceOp", "Work", "all_gather", "all_gather_coalesced", "all_gather_into_tensor", "all_gather_object", "all_gather_single",
           "all_reduce", "all_reduce_coalesced", "all_to_all", "all_to_all_single", "barrier", "broadcast", "broadcast_object_list", "gather",
           "gather_object", "irecv", "isend", "monitored_barrier", "recv", "reduce", "reduce_scatter", "reduce_scatter_single",
           "reduce_scatter_tensor", "scatter", "scatter_object_list", "send", "supports_complex"]


class RedOpType(Enum):
    """How values are joined; of one value nothing changes."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = range(9)


ReduceOp = RedOpType


class Work:
    """What an asynchronous collective gives: it is done."""

    def __init__(self, result=()):
        self._result = list(result)

    def wait(self, timeout=None):
        return True

    def is_completed(self):
        return True

    is_success = is_completed

    def synchronize(self):
        """Nothing is left to wait for."""

    def exception(self):
        """None: what fails raises where it is called."""

    def result(self):
        return self._result

    def get_future(self):
        """A Future that has the result."""
        future = Future()
        future.set_result(self._result)
        return future


def _done(async_op, result=()):
    return Work(result) if async_op else None


# --- checks ---


def _check_tensor(name, argument, value):
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: {argument} must be a Tensor, got {type(value).__name__}")


def _check_list(name, argument, values):
    if not isinstance(values, (list, tuple)) or not all(isinstance(value, Tensor) for value in values):
        raise TypeError(f"{name}: {argument} must be a list of tensors, got {type(values).__name__}")


def _only(name, argument, values):
    """The one tensor of a list."""
    if len(values) != 1:
        raise RuntimeError(f"{name}: {argument} must have a tensor for the one process, got {len(values)}")
    return values[0]


def _copy(name, output, source):
    if output.dtype != source.dtype:
        raise ValueError(f"{name}: tensors must have one dtype, got {source.dtype} and {output.dtype}")
    if output.shape != source.shape:
        raise RuntimeError(f"{name}: sizes must match, got {tuple(source.shape)} and {tuple(output.shape)}")
    output.detach().copy_(source.detach())


def supports_complex(reduceOp):
    """Whether complex numbers can be joined by the operation: sums and means can."""
    return reduceOp not in (ReduceOp.MAX, ReduceOp.MIN, ReduceOp.PRODUCT, ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR)


def _check_reduction(name, tensor, op):
    """What PyTorch's gloo refuses, whatever the number of processes."""
    if not isinstance(op, ReduceOp):
        raise TypeError(f"{name}: op must be a ReduceOp, got {op!r}")
    if op is ReduceOp.PREMUL_SUM:
        raise NotImplementedError(f"{name}: PREMUL_SUM is not supported")
    if tensor.is_complex() and not supports_complex(op):
        error = ValueError if name == "all_reduce" else RuntimeError
        raise error(f"{name}: {op.name} does not support complex tensors")
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    if op is ReduceOp.AVG and whole:
        raise RuntimeError(f"{name}: AVG needs a floating dtype, got {tensor.dtype}")
    if op in (ReduceOp.BAND, ReduceOp.BOR, ReduceOp.BXOR) and not whole:
        raise RuntimeError(f"{name}: {op.name} needs an integral dtype, got {tensor.dtype}")


def _named(name, rank, group_rank, default=None):
    """The rank that is given in one of the two ways to name a process."""
    if rank is not None and group_rank is not None:
        raise ValueError(f"{name}: can't specify both a global and a group rank")
    return next((one for one in (rank, group_rank) if one is not None), default)


def _root(name, rank, group_rank, default=None):
    """Checks the rank of the one process that has the values."""
    rank = _named(name, rank, group_rank, default)
    if rank is None:
        raise ValueError(f"{name}: must specify a global or a group rank")
    own_rank(name, rank)


def _root_list(name, argument, values, rank, group_rank):
    """As _root, for the collectives of which the root alone has a list; rank 0 unless said."""
    rank = _named(name, rank, group_rank, 0)
    if rank == 0 and not values:
        raise ValueError(f"{name}: {argument} must be specified on its rank, got {values}")
    if rank != 0:
        raise ValueError(f"{name}: the world has rank 0 alone, got {rank}")


# --- collectives ---


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Everybody is here."""
    chosen(group)
    return _done(async_op)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """Everybody is here.  Raises: ValueError: the backend is not gloo by name."""
    backend = chosen(group)._backend
    if backend != "gloo":
        raise ValueError(f"monitored_barrier: the backend must be gloo, got {backend}")


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """The tensor stays as it is: it is the sum, the mean, ... of one."""
    _check_tensor("all_reduce", "tensor", tensor)
    chosen(group)
    _check_reduction("all_reduce", tensor, op)
    return _done(async_op, [tensor])


def all_reduce_coalesced(tensors, op=ReduceOp.SUM, group=None, async_op=False):
    """As all_reduce, of several tensors."""
    _check_list("all_reduce_coalesced", "tensors", tensors)
    for tensor in tensors:
        all_reduce(tensor, op, group)
    return _done(async_op, tensors)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """As all_reduce."""
    _check_tensor("reduce", "tensor", tensor)
    chosen(group)
    _root("reduce", dst, group_dst)
    _check_reduction("reduce", tensor, op)
    return _done(async_op, [tensor])


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """The tensor is its source's."""
    _check_tensor("broadcast", "tensor", tensor)
    chosen(group)
    _root("broadcast", src, group_src)
    return _done(async_op, [tensor])


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Copy the tensor into the one place of tensor_list."""
    _check_list("all_gather", "tensor_list", tensor_list)
    _check_tensor("all_gather", "tensor", tensor)
    chosen(group)
    _copy("all_gather", _only("all_gather", "tensor_list", tensor_list), tensor)
    return _done(async_op, tensor_list)


def all_gather_coalesced(output_tensor_lists, input_tensor_list, group=None, async_op=False):
    """As all_gather, of several tensors."""
    _check_list("all_gather_coalesced", "input_tensor_list", input_tensor_list)
    for outputs, tensor in zip(output_tensor_lists, input_tensor_list, strict=True):
        all_gather(outputs, tensor, group)
    return _done(async_op, [tensor for outputs in output_tensor_lists for tensor in outputs])


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Copy the input into the output."""
    name = "all_gather_into_tensor"
    _check_tensor(name, "input_tensor", input_tensor)
    _check_tensor(name, "output_tensor", output_tensor)
    chosen(group)
    if output_tensor.dtype != input_tensor.dtype:
        raise RuntimeError(f"{name}: tensors must have one dtype, got {input_tensor.dtype} and {output_tensor.dtype}")
    _copy(name, output_tensor, input_tensor)
    return _done(async_op, [output_tensor])


all_gather_single = all_gather_into_tensor


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """Copy the tensor into the one place of gather_list."""
    _check_tensor("gather", "tensor", tensor)
    chosen(group)
    _root_list("gather", "gather_list", gather_list, dst, group_dst)
    _check_list("gather", "gather_list", gather_list)
    _copy("gather", _only("gather", "gather_list", gather_list), tensor)
    return _done(async_op, gather_list)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Copy the one tensor of scatter_list."""
    _check_tensor("scatter", "tensor", tensor)
    chosen(group)
    _root_list("scatter", "scatter_list", scatter_list, src, group_src)
    _check_list("scatter", "scatter_list", scatter_list)
    _copy("scatter", tensor, _only("scatter", "scatter_list", scatter_list))
    return _done(async_op, [tensor])


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Copy the one tensor of input_list."""
    _check_tensor("reduce_scatter", "output", output)
    _check_list("reduce_scatter", "input_list", input_list)
    chosen(group)
    _check_reduction("reduce_scatter", output, op)
    _copy("reduce_scatter", output, _only("reduce_scatter", "input_list", input_list))
    return _done(async_op, [output])


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """Copy the input into the output."""
    _check_tensor("reduce_scatter_tensor", "output", output)
    _check_tensor("reduce_scatter_tensor", "input", input)
    chosen(group)
    _check_reduction("reduce_scatter_tensor", output, op)
    _copy("reduce_scatter_tensor", output, input)
    return _done(async_op, [output])


reduce_scatter_single = reduce_scatter_tensor


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Copy the one input to the one output."""
    _check_list("all_to_all", "output_tensor_list", output_tensor_list)
    _check_list("all_to_all", "input_tensor_list", input_tensor_list)
    chosen(group)
    source = _only("all_to_all", "input_tensor_list", input_tensor_list)
    _copy("all_to_all", _only("all_to_all", "output_tensor_list", output_tensor_list), source)
    return _done(async_op, output_tensor_list)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """Copy the input to the output."""
    _check_tensor("all_to_all_single", "output", output)
    _check_tensor("all_to_all_single", "input", input)
    chosen(group)
    for tensor, sizes in ((output, output_split_sizes), (input, input_split_sizes)):
        if sizes and list(sizes) != [tensor.shape[0]]:
            raise RuntimeError(f"all_to_all_single: split sizes must be those of dimension 0, got {sizes} and {tensor.shape[0]}")
    _copy("all_to_all_single", output, input)
    return _done(async_op, [output])


# --- objects ---


def _copied(obj):
    return pickle.loads(pickle.dumps(obj))


def all_gather_object(object_list, obj, group=None):
    """Put a copy of the object at the one place of object_list."""
    chosen(group)
    object_list[0] = _copied(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """As all_gather_object."""
    chosen(group)
    _root_list("gather_object", "object_gather_list", object_gather_list, dst, group_dst)
    object_gather_list[0] = _copied(obj)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """The objects are their source's, or copies of them."""
    chosen(group)
    _root("broadcast_object_list", src, group_src, default=0)
    object_list[:] = [_copied(obj) for obj in object_list]


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None):
    """Put a copy of the one object at the first place of the output."""
    chosen(group)
    if not isinstance(scatter_object_output_list, list) or not scatter_object_output_list:
        raise ValueError(f"scatter_object_list: scatter_object_output_list must be a list with a place, got {scatter_object_output_list}")
    _root_list("scatter_object_list", "scatter_object_input_list", scatter_object_input_list, src, group_src)
    scatter_object_output_list[0] = _copied(_only("scatter_object_list", "scatter_object_input_list", scatter_object_input_list))


# --- between two ---


def _nobody(name, error):
    def talk(*args, **kwargs):
        chosen()
        raise error(f"{name}: there is no other process to talk to")

    talk.__name__ = talk.__qualname__ = name
    talk.__doc__ = f"Raises {error.__name__}: there is no other process."
    return talk


send = _nobody("send", ValueError)
recv, isend, irecv = (_nobody(name, RuntimeError) for name in ("recv", "isend", "irecv"))
