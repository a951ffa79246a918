"""torch.futures: what is set, waited for, and what follows."""

import threading

import pytest

import fastgrad
from tests.snippets import same_outcome

CALLS = """
f = F(); r = [f.done()]; f.set_result(3); r += [f.done(), f.wait(), f.value()]
f = F(); f.value()
f = F(); f.set_result(1); f.set_result(2)
f = F(); f.set_exception(KeyError('x')); f.wait()
f = F(); f.set_exception(3)
f = F(); g = f.then(lambda x: x.wait() + 1).then(lambda x: x.wait() * 10); r = [g.done()]; f.set_result(3); r += [g.wait()]
f = F(); f.set_result(3); r = f.then(lambda x: x.value() + 1).wait()
f = F(); g = f.then(lambda x: 1 / x.wait()); f.set_result(0); r = g.done()
f = F(); r = []; f.add_done_callback(lambda x: r.append(x.value())); f.set_result(3); f.add_done_callback(lambda x: r.append(-x.value()))
a, b = F(), F(); c = torch.futures.collect_all([a, b]); a.set_result(1); r = [c.done()]; b.set_result(2); r += [[x.wait() for x in c.wait()]]
a, b = F(), F(); a.set_result(1); b.set_result(2); r = torch.futures.wait_all([a, b])
r = torch.futures.collect_all([]).wait()
a, b = F(), F(); a.set_result(1); b.set_exception(KeyError('x')); torch.futures.wait_all([a, b])
""".strip().splitlines()


@pytest.mark.parametrize("source", CALLS)
def test_calls(source):
    same_outcome("F = torch.futures.Future\n" + source)


def test_another_thread_sets_the_value():
    future = fastgrad.futures.Future()
    setter = threading.Timer(0.05, future.set_result, [7])
    setter.start()
    assert future.wait() == 7
    setter.join()
