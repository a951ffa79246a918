"""fastgrad.distributed: torch.distributed with one process: a group of world size 1, in which every collective is done at once.

Raises: NotImplementedError for more processes.
"""

import os
import pickle

from fastgrad._engine import Tensor

__all__ = ["Backend", "ReduceOp", "Work", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_reduce", "all_to_all", "barrier",
           "broadcast", "broadcast_object_list", "destroy_process_group", "gather", "gather_object", "get_backend", "get_rank", "get_world_size",
           "group", "init_process_group", "irecv", "is_available", "is_gloo_available", "is_initialized", "is_mpi_available",
           "is_nccl_available", "is_torchelastic_launched", "isend", "monitored_barrier", "new_group", "recv", "reduce",
           "reduce_scatter", "reduce_scatter_tensor", "scatter", "scatter_object_list", "send"]

_state = {"backend": None}


class ReduceOp:
    """How values are joined; of one value nothing changes."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = "SUM", "AVG", "PRODUCT", "MIN", "MAX", "BAND", "BOR", "BXOR"
    RedOpType = str


class Backend(str):
    """Names of backends; any may be asked for, none is used."""

    GLOO, NCCL, MPI, UNDEFINED = "gloo", "nccl", "mpi", "undefined"


class ProcessGroup:
    """The group of this one process."""

    def rank(self):
        return 0

    def size(self):
        return 1


class group:
    """Names of groups."""

    WORLD = ProcessGroup()


class GroupMember:
    WORLD = group.WORLD
    NON_GROUP_MEMBER = object()


class Work:
    """What an asynchronous collective gives: it is done."""

    def wait(self, timeout=None):
        return True

    def is_completed(self):
        return True

    is_success = is_completed


def is_available():
    """True."""
    return True


def is_nccl_available():
    """False."""
    return False


is_mpi_available = is_gloo_available = is_torchelastic_launched = is_nccl_available


def is_initialized():
    """Whether init_process_group was called."""
    return _state["backend"] is not None


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None, group_name="", pg_options=None,
                       device_id=None):
    """Begin: the group has this process alone.

    Args:
        backend: any name. world_size, rank: 1 and 0, or -1 for what the environment says.
        others: accepted; there is nobody to talk to.
    Raises: NotImplementedError: more than one process.  ValueError: a second call, or a rank outside the group.
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    size = world_size if world_size != -1 else int(os.environ.get("WORLD_SIZE", 1))
    if size != 1:
        raise NotImplementedError(f"init_process_group: fastgrad runs one process, got a world size of {size}. Set WORLD_SIZE=1.")
    mine = rank if rank != -1 else int(os.environ.get("RANK", 0))
    if mine != 0:
        raise ValueError(f"init_process_group: the rank must be below the world size 1, got {mine}")
    _state["backend"] = str(backend or "gloo")


def destroy_process_group(group=None):
    """End."""
    _state["backend"] = None


def _check(tensor=None):
    if not is_initialized():
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    if tensor is not None and not isinstance(tensor, Tensor):
        raise TypeError(f"Invalid function argument. Expected parameter `tensor` to be of type torch.Tensor, but got {type(tensor)} instead.")


def get_rank(group=None):
    """0."""
    _check()
    return 0


def get_world_size(group=None):
    """1."""
    _check()
    return 1


def get_backend(group=None):
    """The name given to init_process_group."""
    _check()
    return _state["backend"]


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False, group_desc=None, device_id=None,
              sort_ranks=True):
    """A group of this process."""
    _check()
    if ranks not in (None, [0], (0,)):
        raise ValueError(f"new_group: the world has rank 0 alone, got {ranks}")
    return ProcessGroup()


def _done(async_op):
    return Work() if async_op else None


def _own_rank(name, rank):
    if rank not in (None, 0):
        raise ValueError(f"{name}: the world has rank 0 alone, got {rank}")


def barrier(group=None, async_op=False, device_ids=None, timeout=None):
    """Everybody is here."""
    _check()
    return _done(async_op)


def monitored_barrier(group=None, timeout=None, wait_all_ranks=False):
    """Everybody is here."""
    _check()


def all_reduce(tensor, op=ReduceOp.SUM, group=None, async_op=False):
    """The tensor stays as it is: it is the sum, the mean, ... of one."""
    _check(tensor)
    return _done(async_op)


def reduce(tensor, dst=None, op=ReduceOp.SUM, group=None, async_op=False, group_dst=None):
    """As all_reduce."""
    _own_rank("reduce", dst if dst is not None else group_dst)
    return all_reduce(tensor, op, group, async_op)


def broadcast(tensor, src=None, group=None, async_op=False, group_src=None):
    """The tensor is its source's."""
    _own_rank("broadcast", src if src is not None else group_src)
    return all_reduce(tensor, None, group, async_op)


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Copy the tensor into the one place of tensor_list."""
    _check(tensor)
    if len(tensor_list) != 1:
        raise ValueError(f"all_gather: expected one output tensor, got {len(tensor_list)}")
    tensor_list[0].detach().copy_(tensor.detach())
    return _done(async_op)


def gather(tensor, gather_list=None, dst=None, group=None, async_op=False, group_dst=None):
    """As all_gather."""
    _own_rank("gather", dst if dst is not None else group_dst)
    return all_gather(gather_list, tensor, group, async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Copy the input into the output."""
    _check(input_tensor)
    output_tensor.detach().copy_(input_tensor.detach().reshape(output_tensor.shape))
    return _done(async_op)


def scatter(tensor, scatter_list=None, src=None, group=None, async_op=False, group_src=None):
    """Copy the one tensor of scatter_list."""
    _own_rank("scatter", src if src is not None else group_src)
    return all_gather([tensor], scatter_list[0], group, async_op)


def reduce_scatter(output, input_list, op=ReduceOp.SUM, group=None, async_op=False):
    """Copy the one tensor of input_list."""
    return all_gather([output], input_list[0], group, async_op)


def reduce_scatter_tensor(output, input, op=ReduceOp.SUM, group=None, async_op=False):
    """Copy the input into the output."""
    return all_gather_into_tensor(output, input, group, async_op)


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Copy the one input to the one output."""
    return all_gather(output_tensor_list, input_tensor_list[0], group, async_op)


def _copied(obj):
    return pickle.loads(pickle.dumps(obj))


def all_gather_object(object_list, obj, group=None):
    """Put a copy of the object at the one place of object_list."""
    _check()
    object_list[0] = _copied(obj)


def gather_object(obj, object_gather_list=None, dst=None, group=None, group_dst=None):
    """As all_gather_object."""
    _own_rank("gather_object", dst if dst is not None else group_dst)
    all_gather_object(object_gather_list, obj, group)


def broadcast_object_list(object_list, src=None, group=None, device=None, group_src=None):
    """The objects are their source's."""
    _check()
    _own_rank("broadcast_object_list", src if src is not None else group_src)


def scatter_object_list(scatter_object_output_list, scatter_object_input_list=None, src=None, group=None, group_src=None):
    """Put a copy of the one object at the output."""
    _own_rank("scatter_object_list", src if src is not None else group_src)
    all_gather_object(scatter_object_output_list, scatter_object_input_list[0], group)


def _nobody(name):
    def talk(*args, **kwargs):
        _check()
        raise ValueError(f"{name}: there is no other process to talk to")

    talk.__name__ = talk.__qualname__ = name
    talk.__doc__ = "Raises ValueError: there is no other process."
    return talk


send, recv, isend, irecv = _nobody("send"), _nobody("recv"), _nobody("isend"), _nobody("irecv")
