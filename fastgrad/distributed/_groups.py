"""Groups of torch.distributed: the world, which is this process, groups of it, and how a program asks for them.

A world of more than one process is refused where it is asked for (`init_process_group`), so everything else may count on one.
"""

import os
from datetime import timedelta
from urllib.parse import parse_qs, urlparse

from ._stores import Store

__all__ = ["Backend", "GroupMember", "ProcessGroup", "default_pg_timeout", "destroy_process_group", "get_backend",
           "get_default_backend_for_device", "get_global_rank", "get_group_rank", "get_node_local_rank", "get_pg_count",
           "get_process_group_ranks", "get_rank", "get_world_size", "group", "init_process_group", "is_available", "is_backend_available",
           "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available", "is_torchelastic_launched", "is_ucc_available",
           "is_xccl_available", "new_group", "new_subgroups", "new_subgroups_by_enumeration"]

default_pg_timeout = timedelta(minutes=30)
NOT_BEGUN = "Default process group has not been initialized, please make sure to call init_process_group."


class Backend(str):
    """The name of a backend, in small letters."""

    UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE = "undefined", "gloo", "nccl", "xccl", "ucc", "mpi", "fake"
    backend_list = [UNDEFINED, GLOO, NCCL, XCCL, UCC, MPI, FAKE]

    def __new__(cls, name):
        if not isinstance(name, str):
            raise ValueError(f"Backend: the name must be a str, got {name!r}")
        return super().__new__(cls, name.lower())


class ProcessGroup:
    """A group of this one process."""

    def __init__(self, backend, name, description="undefined"):
        self._backend, self.group_name, self.group_desc = backend, name, description

    def rank(self):
        return 0

    def size(self):
        return 1

    def name(self):
        return "gloo"


class _Groups(type):
    """The groups that live, by name; the first is the world."""

    living = {}
    made = 0

    @property
    def WORLD(cls):
        return world()


class group(metaclass=_Groups):
    """`group.WORLD`: the group of all processes, None before init_process_group."""


class GroupMember(metaclass=_Groups):
    """WORLD, and what a process that is not in a group gets for it."""

    NON_GROUP_MEMBER = -100


def world():
    return next(iter(_Groups.living.values()), None)


def _make(backend, description="undefined"):
    made = ProcessGroup(backend, str(_Groups.made), description)
    _Groups.made += 1
    _Groups.living[made.group_name] = made
    return made


def chosen(asked=None):
    """The group that is meant: the world, unless said.  Raises: ValueError: before init_process_group."""
    if not is_initialized():
        raise ValueError(NOT_BEGUN)
    return world() if asked is None else asked


def is_member(asked):
    return asked is not GroupMember.NON_GROUP_MEMBER


def is_available():
    """True."""
    return True


def is_gloo_available():
    """True: with one process, gloo's part is to do nothing."""
    return True


def is_nccl_available():
    """False."""
    return False


is_mpi_available = is_ucc_available = is_xccl_available = is_nccl_available


def is_backend_available(backend):
    """Whether it is gloo."""
    return backend.lower() == Backend.GLOO


def is_torchelastic_launched():
    """Whether torchrun started this process."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def is_initialized():
    """Whether init_process_group was called."""
    return bool(_Groups.living)


def _check_backend(backend):
    """The name of a backend, or `device:name` pairs, as get_backend tells it; gloo alone will do."""
    if backend is None:
        return Backend(Backend.UNDEFINED)
    backend = Backend(backend)
    for name in (pair.rpartition(":")[2] for pair in backend.split(",")):
        if name not in Backend.backend_list:
            raise AssertionError(f"init_process_group: unknown backend type {name}")
        if name not in (Backend.GLOO, Backend.UNDEFINED):
            raise RuntimeError(f"init_process_group: fastgrad has no {name.upper()} built in; use gloo")
    return backend


def _from_address(init_method, given):
    """The address's own `rank` and `world_size`, added to the given ones; tcp:// and file:// must have both."""
    address = urlparse(init_method)
    if address.scheme not in ("env", "tcp", "file"):
        raise RuntimeError(f"init_process_group: no rendezvous handler for {address.scheme}://")
    written = {key: int(values[0]) for key, values in parse_qs(address.query).items() if key in given}
    found = {key: written.get(key, -1) if value == -1 else value for key, value in given.items()}
    if address.scheme == "env":
        return _from_environment(found)
    for key, value in found.items():
        if value == -1:
            raise ValueError(f"init_process_group: {address.scheme}:// rendezvous: {key.replace('_', ' ')} parameter missing")
    return found


def _from_environment(given):
    def read(name):
        if name not in os.environ:
            raise ValueError(f"init_process_group: env:// rendezvous: environment variable {name} expected, but not set")
        return os.environ[name]

    found = {key: int(read(key.upper())) if value == -1 else value for key, value in given.items()}
    read("MASTER_ADDR"), read("MASTER_PORT")
    return found


def _check_arguments(init_method, timeout, store):
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    if timeout is not None and not isinstance(timeout, timedelta):
        raise TypeError(f"init_process_group: timeout must be a datetime.timedelta, got {timeout}")
    if store is not None and init_method is not None:
        raise AssertionError("init_process_group: cannot specify both init_method and store")
    if store is not None and not isinstance(store, Store):
        raise TypeError(f"init_process_group: store must be a Store, got {type(store).__name__}")


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None, group_name="", pg_options=None,
                       device_id=None, _ranks=None):
    """Begin: the world is this process alone.

    Args:
        backend: gloo, or None. init_method: env:// (the default: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT must be set unless given here),
            tcp:// or file:// with world_size and rank; no port is opened and no file made.
        others: accepted; there is nobody to talk to.
    Raises: NotImplementedError: more than one process.  ValueError: a second call, a rank outside the world, or what is missing.
        RuntimeError: another backend, another kind of address.  AssertionError: a store beside an init_method, or without world_size and rank.
    """
    _check_arguments(init_method, timeout, store)
    given = {"rank": rank, "world_size": 1 if world_size is None else world_size}
    if store is None:
        given = _from_address(init_method or "env://", given)
    elif min(given.values()) < 0 or given["world_size"] < 1:
        raise AssertionError(f"init_process_group: with a store, world_size must be positive and rank not negative, got {world_size} and {rank}")
    if given["world_size"] != 1:
        raise NotImplementedError(f"init_process_group: fastgrad runs one process, got a world size of {given['world_size']}. Set WORLD_SIZE=1.")
    if given["rank"] != 0:
        raise ValueError(f"init_process_group: the rank must be below the world size 1, got {given['rank']}")
    _make(_check_backend(backend), "default_pg")


def destroy_process_group(group=None):
    """End the group; the world ends all."""
    if not is_initialized():
        raise AssertionError("destroy_process_group: Process group cannot be None")
    if group is None or group is world():
        _Groups.living.clear()
        _Groups.made = 0
    elif is_member(group):
        _Groups.living.pop(group.group_name, None)


def get_rank(group=None):
    """0, or -1 outside of the group."""
    return 0 if is_member(chosen(group)) else -1


def get_world_size(group=None):
    """1, or -1 outside of the group."""
    return 1 if is_member(chosen(group)) else -1


def get_backend(group=None):
    """The name given to init_process_group."""
    return chosen(group)._backend


def get_default_backend_for_device(device):
    """gloo, for the CPU."""
    from fastgrad import device as Device

    if Device(device).type != "cpu":
        raise ValueError(f"get_default_backend_for_device: no backend is known for {device}")
    return Backend(Backend.GLOO)


def get_pg_count():
    """How many groups there are, the world included."""
    return len(_Groups.living)


def get_process_group_ranks(group):
    """[0]."""
    chosen(group)
    return [0]


def own_rank(name, rank):
    """Checks a rank of the world or a group, which is 0.  Raises: RuntimeError: it is another."""
    if rank != 0:
        raise RuntimeError(f"{name}: the world has rank 0 alone, got {rank}")


def _same_rank(name, group, rank):
    chosen(group)
    if rank != 0:
        raise ValueError(f"{name}: the group has rank 0 alone, got {rank}")
    return 0


def get_group_rank(group, global_rank):
    """0.  Raises: ValueError: another rank."""
    return _same_rank("get_group_rank", group, global_rank)


def get_global_rank(group, group_rank):
    """0.  Raises: ValueError: another rank."""
    return _same_rank("get_global_rank", group, group_rank)


def get_node_local_rank(fallback_rank=None):
    """The environment's LOCAL_RANK, or fallback_rank.  Raises: RuntimeError: neither."""
    if "LOCAL_RANK" in os.environ:
        return int(os.environ["LOCAL_RANK"])
    if fallback_rank is None:
        raise RuntimeError("get_node_local_rank: LOCAL_RANK is not in the environment; consider passing fallback_rank")
    return int(fallback_rank)


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False, group_desc=None, device_id=None,
              sort_ranks=True):
    """A group of this process.  Raises: ValueError: more ranks than there are, or another."""
    backend_of_world = chosen()._backend
    if ranks is not None and (len(ranks) > 1 or any(rank != 0 for rank in ranks)):
        raise ValueError(f"new_group: the world has rank 0 alone, got {ranks}")
    if ranks is not None and len(ranks) == 0:
        raise TypeError("new_group: a group needs a rank, got []")
    return _make(backend_of_world if backend is None else _check_backend(backend), group_desc or "undefined")


def new_subgroups(group_size=None, group=None, timeout=None, backend=None, pg_options=None, group_desc=None):
    """(the group of this process, the list of all groups), each of group_size 1."""
    chosen(group)
    if group_size not in (None, 1):
        raise ValueError(f"new_subgroups: group_size must not exceed the world size 1, got {group_size}")
    return new_subgroups_by_enumeration([[0]], timeout, backend, pg_options, group_desc)


def new_subgroups_by_enumeration(ranks_per_subgroup_list, timeout=None, backend=None, pg_options=None, group_desc=None):
    """(the group of this process, the list of all groups)."""
    if not ranks_per_subgroup_list:
        raise ValueError("new_subgroups_by_enumeration: ranks_per_subgroup_list must not be empty")
    if len(ranks_per_subgroup_list) > 1:
        raise ValueError(f"new_subgroups_by_enumeration: rank 0 can be in one group, got {ranks_per_subgroup_list}")
    made = new_group(ranks_per_subgroup_list[0], timeout, backend, pg_options, group_desc=group_desc)
    return made, [made]
