"""No argument ends the process or reads outside a buffer, and memory that runs out is an error."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

import fastgrad
from fastgrad import _ops

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


def test_steps_refuse_lists_of_different_lengths():
    param = fastgrad.ones(2, requires_grad=True)
    param.grad = fastgrad.ones(2)
    one, step = [param], [fastgrad.tensor(0.0)]
    with pytest.raises(ValueError, match="2000 parameters and 1 states"):
        _ops.sgd_step(one * 2000, [None], 0.1, 0.9)
    with pytest.raises(ValueError, match="0 states"):
        _ops.adam_step(one, one, one, None, [], 0.1, 0.9, 0.999, 1e-8)
    with pytest.raises(ValueError, match="None states"):
        _ops.adam_step(one, one, one, None, step, 0.1, 0.9, 0.999, 1e-8, amsgrad=True)


def test_steps_refuse_what_is_no_tensor_and_what_does_not_match():
    param = fastgrad.ones(2, requires_grad=True)
    with pytest.raises(TypeError, match="gradients must be Tensors, not NoneType"):
        _ops.sgd_step([param], None, 0.1)
    with pytest.raises(TypeError, match="parameters must be Tensors, not int"):
        _ops.sgd_step([1], None, 0.1)
    param.grad = fastgrad.ones(2)
    with pytest.raises(RuntimeError, match="momentum buffers must match their parameter"):
        _ops.sgd_step([param], [fastgrad.ones(3)], 0.1, 0.9)
    with pytest.raises(TypeError, match="first moments must be Tensors, not str"):
        _ops.adam_step([param], ["m"], [param], None, [fastgrad.tensor(0.0)], 0.1, 0.9, 0.999, 1e-8)


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
