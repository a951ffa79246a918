"""Tensor subclasses and __torch_function__: the same program in fastgrad and in PyTorch, each in a process of its own."""
import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
if sys.argv[1] == "ours":
    import fastgrad as t
else:
    import torch as t

class Kept(t.Tensor):
    pass

class Logged(t.Tensor):
    calls = []
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(func.__name__)
        return super().__torch_function__(func, types, args, kwargs or {})

class Refusing(t.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return NotImplemented

class Other(t.Tensor):
    pass

x = t.tensor([1.0, 2.0]).as_subclass(Kept)
y = x.exp() + 1
print(type(y).__name__, type(x[0]).__name__, type(2 * x).__name__, type(t.stack([x, x])).__name__, type(x.max(0)[0]).__name__)
print([round(v, 4) for v in y.tolist()], type(x.add_(1)).__name__)
w = t.nn.Parameter(t.ones(2))
print(type(w * 2) is t.Tensor, type(w * x).__name__)
z = t.tensor([1.0, 2.0], requires_grad=True)
(z.as_subclass(Kept) ** 2).sum().backward()
print(z.grad.tolist())
l = t.tensor([3.0]).as_subclass(Logged)
t.exp(l)
l.sigmoid()
print(Logged.calls[:2], type(t.exp(l)).__name__)
for call in (lambda: t.exp(t.ones(1).as_subclass(Refusing)), lambda: x + t.ones(2).as_subclass(Other)):
    try:
        call()
    except TypeError as error:
        print("TypeError")
print(type(t.ones(2) + 1) is t.Tensor)
"""


@pytest.fixture(scope="module")
def answers():
    def run(library):
        done = subprocess.run([sys.executable, "-c", PROGRAM, library], capture_output=True, text=True, env=dict(os.environ), timeout=100)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()
    return run("ours"), run("theirs")


def test_same_classes_and_calls(answers):
    assert answers[0] == answers[1]
