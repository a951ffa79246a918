"""torch.distributed and DistributedDataParallel with one process: each call does, returns and refuses what PyTorch's does with gloo."""

import threading
import time
from datetime import timedelta
from importlib import import_module

import pytest

import fastgrad
from tests.snippets import same_outcome

torch = pytest.importorskip("torch")

LIBRARIES = fastgrad, torch
OPERATIONS = "SUM AVG PRODUCT MIN MAX BAND BOR BXOR".split()
DTYPES = "float32 float64 float16 bfloat16 int64 int32 uint8 bool complex64".split()


@pytest.fixture
def one_process():
    for lib in LIBRARIES:
        lib.distributed.init_process_group("gloo", store=lib.distributed.HashStore(), rank=0, world_size=1)
    yield
    for lib in LIBRARIES:
        if lib.distributed.is_initialized():
            lib.distributed.destroy_process_group()


START = """
d = torch.distributed
a = torch.tensor([1.0, 2.0]); z = torch.zeros(2)
r = None
def plain(x):
    return x.tolist() if isinstance(x, torch.Tensor) else [plain(one) for one in x] if isinstance(x, (list, tuple)) else x
"""


def same(source):
    same_outcome(START + source + "\nr = plain(r)")


RENDEZVOUS = [
    "",
    "environ['RANK'] = '0'",
    "environ['RANK'] = '0'; environ['WORLD_SIZE'] = '1'",
    "environ['RANK'] = '0'; environ['WORLD_SIZE'] = '1'; environ['MASTER_ADDR'] = '127.0.0.1'",
    "given['rank'] = 0; given['world_size'] = 1",
    "given['init_method'] = 'tcp://127.0.0.1:0'",
    "given['init_method'] = 'tcp://127.0.0.1:0?rank=0'",
    "given['init_method'] = 'tcp://127.0.0.1:0'; given['rank'] = 0",
    "given['init_method'] = 'nonsense://127.0.0.1:0'",
    "given['init_method'] = 'env://'; given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1",
    "given['store'] = d.HashStore()",
    "given['store'] = d.HashStore(); given['world_size'] = 1",
    "given['timeout'] = 5",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = 'nccl'",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = 'mpi'",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = 'nonsense'",
    # these begin
    "given['init_method'] = 'tcp://127.0.0.1:0?rank=0&world_size=1'",
    "given['init_method'] = 'tcp://127.0.0.1:0'; given['rank'] = 0; given['world_size'] = 1",
    "given['init_method'] = 'file://' + tempfile.mktemp(); given['rank'] = 0; given['world_size'] = 1",
    "environ.update(RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1', MASTER_PORT='0')",
    "environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT='0'); given['rank'] = 0; given['world_size'] = 1",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['timeout'] = datetime.timedelta(seconds=9)",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = None",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = 'cpu:gloo'",
    "given['store'] = d.HashStore(); given['rank'] = 0; given['world_size'] = 1; given['backend'] = 'GLOO'",
]


@pytest.mark.parametrize("arguments", RENDEZVOUS)
def test_beginning(arguments):
    source = f"""
import datetime, os, tempfile
d = torch.distributed
environ, given = {{}}, {{"backend": "gloo"}}
{arguments}
for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
    os.environ.pop(name, None)
os.environ.update(environ)
try:
    d.init_process_group(**given)
    r = [d.is_initialized(), d.get_rank(), d.get_world_size(), d.get_backend(), d.group.WORLD.size()]
finally:
    for name in environ:
        del os.environ[name]
    if d.is_initialized():
        d.destroy_process_group()
r.append(d.is_initialized())
"""
    same_outcome(source)


@pytest.mark.parametrize("call", ["get_rank()", "get_world_size()", "get_backend()", "barrier()", "all_reduce(a)", "new_group([0])",
                                  "destroy_process_group()", "broadcast(a, 0)", "all_gather([z], a)"])
def test_nothing_before_the_beginning(call):
    same(f"d.{call}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_reductions(one_process, operation, dtype):
    for call in ("d.all_reduce(x, op=op)", "d.reduce(x, 0, op=op)"):
        same(f"x, op = torch.tensor([1, 0, 1]).to(torch.{dtype}), d.ReduceOp.{operation}\ngot = {call}\nr = [got, x.to(torch.complex128).real, x.dtype == torch.{dtype}]")


CALLS = """
d.init_process_group('gloo', store=d.HashStore(), rank=0, world_size=1)
r = [str(d.ReduceOp.SUM), repr(d.ReduceOp.MAX), d.ReduceOp.SUM == d.ReduceOp.MAX, isinstance(d.ReduceOp.SUM, d.ReduceOp)]
d.all_reduce([a])
d.all_reduce(3.0)
d.all_reduce(a, op='sum')
x = torch.ones(3, requires_grad=True); d.all_reduce(x); r = x
w = d.all_reduce(a, async_op=True); r = [isinstance(w, d.Work), w.wait(), w.is_completed(), w.is_success(), w.result()]
r = d.all_reduce(a, async_op=True).get_future().wait()
r = d.all_reduce(a, async_op=True).get_future().then(lambda f: f.value()[0] * 2).wait()
r = [d.all_reduce_coalesced([a, z]), a]
r = [d.reduce(a, 0), d.reduce(a, dst=0, async_op=True).wait()]
d.reduce(a, 2)
d.reduce(a)
r = [d.broadcast(a, 0), d.broadcast(a, group_src=0), d.broadcast(a, src=0, async_op=True).wait(), a]
d.broadcast(a, 1)
d.broadcast(a)
d.broadcast(a, 0, group_src=0)
r = [d.all_gather([z], a), z]
r = [d.all_gather([z], a.requires_grad_()), z]
d.all_gather([], a)
d.all_gather([z, z], a)
d.all_gather([torch.zeros(3)], a)
d.all_gather([torch.zeros(2, dtype=torch.int64)], a)
d.all_gather(z, a)
d.all_gather([z], 3)
r = [d.all_gather_into_tensor(z, a), z]
d.all_gather_into_tensor(torch.zeros(1, 2), a)
d.all_gather_into_tensor(torch.zeros(3), a)
d.all_gather_into_tensor(z.int(), a)
o = [None]; r = [d.all_gather_object(o, {'a': 1, 'b': [2]}), o]
o = [None, None]; r = [d.all_gather_object(o, 'x'), o]
d.all_gather_object([], 'x')
o = [None]; d.all_gather_object(o, a); r = o
m = {'a': 1}; o = [None]; d.all_gather_object(o, m); r = o[0] is m
r = [d.gather(a, [z]), z]
r = [d.gather(a, [z], dst=0), z]
d.gather(a)
d.gather(a, [z], dst=1)
d.gather(a, [z, z])
d.gather(a, [torch.zeros(3)])
r = [d.scatter(z, [a]), z]
r = [d.scatter(z, [a], src=0, async_op=True).wait(), z]
d.scatter(z)
d.scatter(z, [a], src=1)
d.scatter(z, [a, a])
d.scatter(z, [torch.ones(3)])
r = [d.reduce_scatter(z, [a], op=d.ReduceOp.AVG), z]
d.reduce_scatter(z, [a, a])
d.reduce_scatter(z, [torch.ones(3)])
r = [d.reduce_scatter_single(z, a), z]
d.reduce_scatter_single(z, torch.ones(3))
r = [d.all_to_all([z], [a]), z]
d.all_to_all([z, z], [a, a])
r = [d.all_to_all_single(z, a), z]
r = [d.all_to_all_single(z, a, [2], [2]), z]
d.all_to_all_single(z, a, [1], [1])
r = [d.barrier(), d.barrier(async_op=True).wait(), d.monitored_barrier()]
o = [1, 'a']; r = [d.broadcast_object_list(o, src=0), o]
d.broadcast_object_list([1], src=1)
o = [None]; r = [d.gather_object('x', o), o]
d.gather_object('x')
d.gather_object('x', [None], dst=1)
o = [None]; r = [d.scatter_object_list(o, ['x']), o]
d.scatter_object_list([None], ['x', 'y'])
d.scatter_object_list([], ['x'])
d.scatter_object_list([None], None)
d.send(a, 0)
r = [d.get_rank(d.new_group()), d.get_world_size(d.new_group([0])), d.get_backend(d.new_group([0]))]
g = d.new_group([0]); r = [d.all_reduce(a, group=g), d.broadcast(a, 0, group=g), d.barrier(group=g), d.get_process_group_ranks(g), a]
g = d.new_group([0]); d.destroy_process_group(g); r = d.is_initialized()
d.new_group([0, 1])
d.new_group([1])
d.new_group([])
r = [d.get_world_size(g) for g in d.new_subgroups(1)[1]]
d.new_subgroups(2)
r = d.get_process_group_ranks(d.new_subgroups_by_enumeration([[0]])[0])
r = [d.get_rank(d.GroupMember.NON_GROUP_MEMBER), d.get_world_size(d.GroupMember.NON_GROUP_MEMBER), d.GroupMember.WORLD is d.group.WORLD]
r = [d.get_group_rank(d.group.WORLD, 0), d.get_global_rank(d.group.WORLD, 0), d.get_process_group_ranks(None)]
r = [d.get_node_local_rank(3), d.get_default_backend_for_device('cpu'), d.distributed_c10d._get_default_group().rank()]
d.get_node_local_rank()
r = [d.is_gloo_available(), d.is_torchelastic_launched(), d.is_backend_available('gloo'), d.is_backend_available('nccl'), d.supports_complex(d.ReduceOp.MAX)]
r = [d.Backend.GLOO, d.Backend('GLOO'), d.Backend.backend_list]
d.Backend(3)
""".strip().splitlines()


@pytest.mark.parametrize("source", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_calls(one_process, source):
    same(source)


STORES = """
s.set('a', 'b'); r = [s.get('a'), s.check(['a']), s.check(['a', 'c']), s.num_keys(), s.delete_key('a'), s.delete_key('a'), s.num_keys()]
r = [s.add('n', 2), s.add('n', 3), s.get('n')]
s.set('n', 'x'); s.add('n', 1)
r = [s.compare_set('k', '', 'v'), s.compare_set('k', 'v', 'w'), s.compare_set('k', 'x', 'y'), s.compare_set('n', 'x', 'y'), s.check(['n'])]
s.append('k', 'ab'); s.append('k', 'c'); r = s.get('k')
s.multi_set(['a', 'b'], ['1', '2']); r = s.multi_get(['b', 'a'])
p = d.PrefixStore('p', s); p.set('a', 'b'); r = [s.get('p/a'), p.get('a'), p.check(['a']), s.check(['a']), p.add('n', 2), s.get('p/n'), p.delete_key('a')]
p = d.PrefixStore('q', d.PrefixStore('p', s)); p.set('a', 'b'); r = [s.check(['p/q/a']), s.check(['q/p/a'])]
""".strip().splitlines()


@pytest.mark.parametrize("source", STORES)
def test_stores(source):
    same("from datetime import timedelta\ns = d.HashStore()\n" + source)


@pytest.mark.parametrize("lib", LIBRARIES, ids=lambda lib: lib.__name__)
def test_a_store_waits_as_long_as_it_should(lib):
    store = lib.distributed.HashStore()
    with pytest.raises(lib.distributed.DistStoreError):
        store.wait(["nothing"], timedelta(milliseconds=20))
    store.set_timeout(timedelta(milliseconds=20))
    with pytest.raises(lib.distributed.DistStoreError):
        store.get("nothing")
    assert store.timeout == timedelta(milliseconds=20) and issubclass(lib.distributed.DistStoreError, lib.distributed.DistError)


@pytest.mark.parametrize("lib", LIBRARIES, ids=lambda lib: lib.__name__)
def test_a_store_waits_for_for_another_thread(lib):
    store = lib.distributed.HashStore()
    setter = threading.Thread(target=lambda: (time.sleep(0.05), store.set("key", "value")))
    setter.start()
    assert store.get("key") == b"value"
    setter.join()


MODEL = """
import warnings
torch.manual_seed(0)
n = torch.nn
net = n.Sequential(n.Linear(3, 4), n.BatchNorm1d(4), n.ReLU(), n.Linear(4, 2))
D = n.parallel.DistributedDataParallel
m = D(net)
x = torch.arange(24.0).reshape(8, 3).sin(); y = torch.arange(16.0).reshape(8, 2).cos()
"""
PARALLEL = """
r = [list(m.state_dict()), [k for k, _ in m.named_parameters()], [k for k, _ in m.named_modules()], repr(m), m.module is net]
r = [m.training, m.eval().training, net.training, m.train().training]
r = str(m.load_state_dict({'module.' + k: v for k, v in net.state_dict().items()}))
r = [m.broadcast_buffers, m.find_unused_parameters, m.dim, m.output_device, m.device.type, m.device_type, m.static_graph, m.device_ids, m.is_multi_device_module]
r = [m.process_group.size(), m.will_sync_module_buffers(), D(n.Linear(2, 2)).will_sync_module_buffers(), m.require_backward_grad_sync]
m.weight
D(n.ReLU())
D(n.Linear(1, 1).requires_grad_(False))
D(n.Linear(1, 1), device_ids=[0])
r = D(n.Linear(1, 1), device_ids=[]).device_ids
m.register_comm_hook(None, 3)
with m.no_sync(): r = [m.require_backward_grad_sync, m(x).sum().backward()]
r += [m.require_backward_grad_sync]
with m.join(): r = m(x).sum().backward()
""".strip().splitlines()


@pytest.mark.parametrize("source", PARALLEL)
def test_parallel(one_process, source):
    same_outcome(MODEL + source)


def test_a_comm_hook_is_refused(one_process):
    model = fastgrad.nn.parallel.DistributedDataParallel(fastgrad.nn.Linear(2, 1))
    with pytest.raises(NotImplementedError, match="nothing is exchanged"):
        model.register_comm_hook(None, lambda state, bucket: None)


@pytest.mark.filterwarnings("ignore")
def test_training_is_the_modules_own(one_process):
    def losses(lib):
        scope = {"torch": lib}
        exec(MODEL, scope)
        model, x, y = scope["m"], scope["x"], scope["y"]
        optimizer, found = lib.optim.Adam(model.parameters(), 0.01), []
        join = import_module(f"{lib.__name__}.distributed.algorithms.join").Join
        with join([model]):
            for _ in range(20):
                optimizer.zero_grad()
                loss = lib.nn.functional.mse_loss(model(x), y)
                loss.backward()
                lib.distributed.all_reduce(loss)
                optimizer.step()
                found.append(loss.item())
        return found

    assert losses(fastgrad) == pytest.approx(losses(torch), rel=1e-5)


@pytest.mark.parametrize("given", ["", "shuffle=False", "seed=3", "drop_last=True", "num_replicas=3, rank=1", "num_replicas=3, rank=2, drop_last=True",
                                   "num_replicas=4, rank=3, shuffle=False", "num_replicas=2, rank=2", "num_replicas=25, rank=24"])
def test_sampler(one_process, given):
    same_outcome(f"s = torch.utils.data.distributed.DistributedSampler(range(10), {given})\nr = [list(s), len(s)]\ns.set_epoch(2)\nr += [list(s)]")


def test_more_processes_are_refused():
    distributed = fastgrad.distributed
    with pytest.raises(NotImplementedError, match="world size of 2"):
        distributed.init_process_group("gloo", init_method="tcp://127.0.0.1:0", world_size=2, rank=0)
    with pytest.raises(NotImplementedError, match="world_size of 2"):
        distributed.TCPStore("127.0.0.1", 0, 2, True)
    with pytest.raises(ValueError, match="has not been initialized"):
        fastgrad.nn.parallel.DistributedDataParallel(fastgrad.nn.Linear(2, 1))
    assert distributed.TCPStore("127.0.0.1", 0, 1, True, timedelta(seconds=1)).add("a", 1) == 1


def test_record():
    from fastgrad.distributed.elastic.multiprocessing.errors import record

    @record
    def main(x):
        """What it does."""
        return x

    assert main(3) == 3 and main.__name__ == "main" and main.__doc__ == "What it does."
