"""No argument ends the process or reads outside a buffer, and memory that runs out is an error."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad

HERE = Path(__file__).parents[2]
PATH = os.pathsep.join([str(HERE), str(Path(fastgrad.__file__).parents[1])])

OUT_OF_MEMORY = """
import resource
import fastgrad as fg
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
x = fg.ones(1000, requires_grad=True)
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
for make in (lambda: fg.zeros(1 << 27), lambda: fg.ones(1 << 14, 1).expand(1 << 14, 1 << 14) * 2, lambda: x[:, None, None].expand(1000, 1000, 1000).exp(),
             lambda: fg.ones(1 << 15, 1) @ fg.ones(1, 1 << 15), lambda: fg.cat([fg.ones(1 << 24)] * 40)):
    for _ in range(3):
        try:
            make()
        except (RuntimeError, MemoryError):
            continue
        raise SystemExit("more was allocated than there is")
    y = (x * 2).sum()
    y.backward()
    assert x.grad[0] == 2 and y == 2000
    x.grad = None
"""


def run(*arguments):
    return subprocess.run([sys.executable, *arguments], cwd=HERE, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": PATH})


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the size of the process is read from /proc")
def test_memory_that_runs_out_is_an_error():
    done = run("-c", OUT_OF_MEMORY)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("call", [
    lambda: fastgrad.cat(fastgrad.zeros(0)), lambda: fastgrad.hstack(fastgrad.zeros(0)), lambda: fastgrad.Tensor.asinh_(3),
    lambda: fastgrad.Tensor.add_(None, 1), lambda: fastgrad.split_with_sizes(fastgrad.tensor(2.0), [1]),
    lambda: fastgrad.index_put(fastgrad.ones(3), (fastgrad.tensor([0]),), None),
    lambda: fastgrad.ones(3).index_put_((fastgrad.tensor([0]),), None), lambda: fastgrad.hsplit(fastgrad.zeros(0), 1 << 62),
    lambda: fastgrad.conj_physical_(3), lambda: fastgrad.addmv_(None, 1, 2), lambda: fastgrad.avg_pool1d(fastgrad.ones(1, 1, 4), [fastgrad.ones(2)]),
    lambda: fastgrad.conv1d(fastgrad.ones(1, 1, 4), fastgrad.ones(1, 1, 1), None, [True]), lambda: fastgrad.ones(2).add(2, 3, fastgrad.ones(2)),
])
def test_refused(call):
    """Each of these once read memory that was not its own."""
    with pytest.raises((TypeError, ValueError, RuntimeError)):
        call()


def test_a_product_with_itself_in_place_is_not_differentiated_wrongly():
    x = fastgrad.tensor([3.0, 5.0], requires_grad=True)
    y = x * 1
    y.mul_(y)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def stepped(cls, **state):
    """An optimizer over one parameter that has made a step, its state then spoilt."""
    param = fastgrad.ones(2, requires_grad=True)
    param.grad = fastgrad.ones(2)
    optimizer = cls([param], lr=0.1, **({"momentum": 0.9} if issubclass(cls, fastgrad.optim.SGD) else {}))
    optimizer.step()
    optimizer.state[param].update(state)
    return optimizer


@pytest.mark.parametrize(
    ("cls", "state", "error", "match"),
    [
        ("SGD", {"momentum_buffer": "b"}, TypeError, "momentum buffers must be Tensors, not str"),
        ("SGD", {"momentum_buffer": fastgrad.ones(3)}, RuntimeError, "momentum buffers must match their parameter"),
        ("Adam", {"exp_avg": None}, TypeError, "first moments must be Tensors, not NoneType"),
        ("Adam", {"exp_avg_sq": fastgrad.ones(2, dtype=fastgrad.float64)}, RuntimeError, "second moments must match"),
        ("Adam", {"step": fastgrad.ones(2)}, RuntimeError, "steps must be 0-d"),
    ],
    ids=str,
)
def test_steps_refuse_state_that_does_not_match(cls, state, error, match):
    optimizer = stepped(getattr(fastgrad.optim, cls), **state)
    before = optimizer.param_groups[0]["params"][0].tolist()
    with pytest.raises(error, match=match):
        optimizer.step()
    assert optimizer.param_groups[0]["params"][0].tolist() == before


def test_steps_refuse_lists_of_different_lengths():
    class Short(fastgrad.optim.SGD):
        def _state_lists(self, params, group):
            return ([],)

    class Fewer(fastgrad.optim.Adam):
        def _state_lists(self, params, group):
            return (*super()._state_lists(params, group)[:2], None, [])

    with pytest.raises(ValueError, match="1 parameters and 0 states"):
        stepped(Short)
    with pytest.raises(ValueError, match="1 parameters and 0 states"):
        stepped(Fewer)


def test_steps_refuse_a_parameter_that_is_no_tensor():
    optimizer = stepped(fastgrad.optim.SGD)
    optimizer.param_groups[0]["params"].append(1)
    with pytest.raises(TypeError):
        optimizer.step()
    with pytest.raises(TypeError):
        optimizer.zero_grad()


def test_a_function_that_resizes_the_tensor_it_is_applied_to():
    x = fastgrad.zeros(100)
    with pytest.raises(RuntimeError, match="must not change the tensor's shape"):
        x.apply_(lambda value: x.resize_(3_000_000) is None)


def test_a_number_that_replaces_the_tensor_it_is_added_to():
    """Reading a subclass of int runs its code; operands are looked at after that."""
    x = fastgrad.zeros(2000)

    class Number(int):
        def __float__(self):
            x.data = fastgrad.ones(3)
            return 1.0

    assert (x + Number(1)).tolist() == [2.0, 2.0, 2.0]
