"""Module hooks: when they run, in which order, with what, and what they may change."""

import copy
import pickle
import subprocess
import sys

import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error, plain


class Log(list):
    """Makes hooks that note their name and what they got, and return `result`."""

    def hook(self, name, result=None):
        def hook(module, *args):
            self.append([name, type(module).__name__, plain(args)])
            return result(*args) if callable(result) else result

        return hook


def linear(lib):
    lib.manual_seed(0)
    return lib.nn.Linear(2, 2)


def x(lib, requires_grad=False):
    return lib.tensor([[1.0, 2.0], [3.0, -4.0]], requires_grad=requires_grad)


def test_order_of_all_forward_hooks():
    def observe(lib):
        log, m = Log(), linear(lib)
        module = lib.nn.modules.module
        handles = [
            module.register_module_forward_pre_hook(log.hook("global pre")),
            module.register_module_forward_hook(log.hook("global post")),
        ]
        m.register_forward_pre_hook(log.hook("pre 1"))
        m.register_forward_pre_hook(log.hook("pre 2"), prepend=True)
        m.register_forward_pre_hook(log.hook("pre kwargs"), with_kwargs=True)
        m.register_forward_hook(log.hook("post 1"))
        m.register_forward_hook(log.hook("post 2"), prepend=True)
        m.register_forward_hook(log.hook("post kwargs"), with_kwargs=True)
        try:
            m(x(lib))
            m(input=x(lib))
        finally:
            for handle in handles:
                handle.remove()
        m(x(lib))
        return list(log)

    result = assert_same(observe)
    assert len(result) == 8 + 8 + 6


def test_what_forward_hooks_return_replaces():
    def observe(lib):
        m = linear(lib)
        m.register_forward_pre_hook(lambda module, args: args[0] * 2)
        m.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
        m.register_forward_pre_hook(lambda module, args, kwargs: ((args[0],), {}), with_kwargs=True)
        m.register_forward_hook(lambda module, args, output: output * 3)
        m.register_forward_hook(lambda module, args, kwargs, output: (output, args[0]), with_kwargs=True)
        return m(x(lib))

    assert_same(observe, rtol=1e-6)      # the layer's sums may be added in another order


def test_pre_hook_with_kwargs_must_return_a_pair():
    def act(lib):
        m = linear(lib)
        m.register_forward_pre_hook(lambda module, args, kwargs: args, with_kwargs=True)
        m(x(lib))

    assert_same_error(act)


def test_handles_remove_their_hook_only():
    def observe(lib):
        log, m = Log(), linear(lib)
        first = m.register_forward_hook(log.hook("first"), with_kwargs=True, always_call=True)
        m.register_forward_hook(log.hook("second"))
        with m.register_forward_pre_hook(log.hook("third"), with_kwargs=True):
            m(x(lib))
        m(x(lib))
        first.remove()
        first.remove()
        m(x(lib))
        tables = ("_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks")
        return [entry[0] for entry in log], [len(getattr(m, table)) for table in tables]

    assert_same(observe)


@pytest.mark.parametrize("where", ["forward", "hook", "always"])
def test_always_called_hooks_run_after_an_error(where):
    def observe(lib):
        log = Log()

        def fail(*args):
            raise KeyError("on purpose")

        class Net(lib.nn.Module):
            def forward(self, value):
                return fail() if where == "forward" else value

        m = Net()
        module = lib.nn.modules.module
        handle = module.register_module_forward_hook(log.hook("global always"), always_call=True)
        m.register_forward_hook(log.hook("always before"), always_call=True)
        m.register_forward_hook(log.hook("not always", fail if where == "hook" else None))
        m.register_forward_hook(log.hook("always", fail if where == "always" else None), always_call=True)
        m.register_forward_hook(log.hook("always after"), always_call=True, with_kwargs=True)
        try:
            m(x(lib))
        except KeyError as error:
            log.append(["error", str(error)])
        finally:
            handle.remove()
        return list(log)

    assert_same(observe)


@pytest.mark.parametrize("requires_grad", [True, False])
def test_full_backward_hooks(requires_grad):
    """Without an input that needs a gradient they still run, with None for it and a warning."""

    def observe(lib):
        log, m = Log(), linear(lib)
        m.register_full_backward_hook(log.hook("after 1"))
        m.register_full_backward_hook(log.hook("after 2"), prepend=True)
        m.register_full_backward_pre_hook(log.hook("before 1"))
        m.register_full_backward_pre_hook(log.hook("before 2"), prepend=True)
        data = x(lib, requires_grad)
        m(data).pow(2).sum().backward()
        return list(log), data.grad, [p.grad for p in m.parameters()]

    assert_same(observe, rtol=1e-6)


def test_full_backward_hooks_may_change_gradients():
    def observe(lib):
        log, m = Log(), linear(lib)
        m.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 2,))
        m.register_full_backward_hook(lambda module, grad_input, grad_output: (grad_input[0] + 1,))
        m.register_full_backward_hook(log.hook("last"))
        data = x(lib, True)
        m(data).sum().backward()
        return list(log), data.grad, [p.grad for p in m.parameters()]

    assert_same(observe, rtol=1e-6)


def test_full_backward_hooks_with_several_inputs_and_outputs():
    """An unused input shows as zeros, an output without a gradient as None, other arguments as None."""

    def observe(lib):
        log = Log()

        class Net(lib.nn.Module):
            def forward(self, a, b, c, d):
                return a * 2, c, a + 1, b.detach()

        m = Net()
        m.register_full_backward_hook(log.hook("after"))
        m.register_full_backward_pre_hook(log.hook("before"))
        a, b = x(lib, True), x(lib, True)
        outputs = m(a, b, "text", x(lib))
        outputs[0].sum().backward()
        return list(log), type(outputs).__name__, [getattr(o, "requires_grad", None) for o in outputs], a.grad, b.grad

    assert_same(observe)


def test_full_backward_hooks_need_a_gradient_of_the_output():
    """A backward from inside the module passes its inputs only."""

    def observe(lib):
        calls = []

        class Net(lib.nn.Module):
            def forward(self, a):
                self.inner = a * 2
                return self.inner * 3

        m, a = Net(), x(lib, True)
        m.register_full_backward_hook(lambda module, grad_input, grad_output: calls.append(grad_input))
        m(a).sum().backward(retain_graph=True)
        m.inner.sum().backward()
        return calls, a.grad

    assert_same(observe)


def test_full_backward_hooks_keep_namedtuples():
    def observe(lib):
        from collections import namedtuple

        Pair = namedtuple("Pair", "first second")

        class Net(lib.nn.Module):
            def forward(self, a):
                return Pair(a * 2, a * 3)

        m = Net()
        m.register_full_backward_hook(lambda module, grad_input, grad_output: None)
        output = m(x(lib, True))
        return type(output).__name__, output.first, output.second

    assert_same(observe)


BAD_BACKWARD = {
    "too many from hook": lambda m: m.register_full_backward_hook(lambda module, gi, go: (gi[0], gi[0])),
    "too many from pre-hook": lambda m: m.register_full_backward_pre_hook(lambda module, go: (go[0], go[0])),
}


@pytest.mark.parametrize("register", BAD_BACKWARD.values(), ids=BAD_BACKWARD)
def test_backward_hooks_must_return_as_many_gradients(register):
    def act(lib):
        m = linear(lib)
        register(m)
        m(x(lib, True)).sum().backward()

    assert_same_error(act)


def test_backward_hook_without_inputs_must_return_none():
    def act(lib):
        m = linear(lib)
        m.register_full_backward_hook(lambda module, gi, go: (go[0],))
        m(x(lib)).sum().backward()

    assert_same_error(act)


def test_backward_hooks_need_a_tensor_or_a_tuple():
    def observe(lib):
        log = Log()

        class Net(lib.nn.Module):
            def forward(self, a):
                return {"out": a * 2}

        m = Net()
        m.register_full_backward_hook(log.hook("after"))
        data = x(lib, True)
        m(data)["out"].sum().backward()
        return data.grad, len(log)

    assert_same(observe)


def test_backward_hooks_are_silent_without_grad_mode():
    def observe(lib):
        log, m = Log(), linear(lib)
        m.register_full_backward_hook(log.hook("after"))
        with lib.no_grad():
            return m(x(lib, True)), list(log)

    assert_same(observe, rtol=1e-6)


def test_global_backward_hooks():
    def observe(lib):
        log, m = Log(), linear(lib)
        module = lib.nn.modules.module
        handles = [
            module.register_module_full_backward_hook(log.hook("global after")),
            module.register_module_full_backward_pre_hook(log.hook("global before")),
        ]
        m.register_full_backward_hook(log.hook("after"))
        m.register_full_backward_pre_hook(log.hook("before"))
        data = x(lib, True)
        try:
            m(data).sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        return list(log), data.grad

    assert_same(observe, rtol=1e-6)


def test_old_backward_hooks_see_the_last_operation():
    def observe(lib):
        calls = []

        class Net(lib.nn.Module):
            def forward(self, a):
                return a * 2

        m = Net()
        m.register_backward_hook(lambda module, gi, go: calls.append([module is m, go[0]]))
        data = x(lib, True)
        m(data).sum().backward()
        return calls, data.grad

    assert_same(observe)


def test_old_and_full_backward_hooks_exclude_each_other():
    def act(lib, first, second):
        m = linear(lib)
        getattr(m, first)(lambda *args: None)
        getattr(m, second)(lambda *args: None)

    assert_same_error(lambda lib: act(lib, "register_backward_hook", "register_full_backward_hook"))
    assert_same_error(lambda lib: act(lib, "register_full_backward_hook", "register_backward_hook"))


def test_registration_hooks_see_and_replace_members():
    def observe(lib):
        log = []
        module = lib.nn.modules.module

        def hook(m, name, value):
            log.append([type(m).__name__, name])
            return lib.nn.Tanh() if isinstance(value, lib.nn.ReLU) else None

        handles = [
            module.register_module_module_registration_hook(hook),
            module.register_module_parameter_registration_hook(hook),
            module.register_module_buffer_registration_hook(hook),
        ]
        try:
            m = lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.ReLU())
            m.register_buffer("b", lib.ones(1))
            m.act = lib.nn.ReLU()
            m.act = None
        finally:
            for handle in handles:
                handle.remove()
        return log, m

    assert_same(observe)


def test_hooks_are_copied_and_pickled():
    m = linear(fastgrad)
    m.register_forward_hook(replace_output)
    assert copy.deepcopy(m)(x(fastgrad)) == "replaced"
    assert pickle.loads(pickle.dumps(m))(x(fastgrad)) == "replaced"


def replace_output(module, args, output):
    return "replaced"


def test_module_call_is_a_function_that_can_be_wrapped():
    """Tools replace Module.__call__ by a function that calls the original one."""
    calls = []
    original = nn.Module.__call__

    def noting(self, *args, **kwargs):
        calls.append(type(self).__name__)
        return original(self, *args, **kwargs)

    nn.Module.__call__ = noting
    try:
        nn.Sequential(nn.Identity(), nn.Identity())(x(fastgrad))
    finally:
        nn.Module.__call__ = original
    assert calls == ["Sequential", "Identity", "Identity"]
    m = nn.Identity()
    m.register_forward_hook(replace_output)
    assert m(x(fastgrad)) == "replaced"
    del nn.Module.__call__
    assert m(x(fastgrad)) == "replaced"


FIRST_HOOKS = {
    "registered": "m.register_forward_hook(hook)",
    "registered for all": "nn.modules.module.register_module_forward_hook(lambda *a: hook(*a) if a[0] is m else None)",
    "written into the table": "m._forward_hooks[10**9] = hook",
    "unpickled": "m.__setstate__({**m.__getstate__(), '_forward_hooks': OrderedDict({0: hook})})",
}


@pytest.mark.parametrize("first_hook", FIRST_HOOKS.values(), ids=FIRST_HOOKS)
def test_first_hook_of_a_process_reaches_modules_made_and_called_before(first_hook):
    """In a process of its own, because calls change for good when the first hook comes."""
    program = f"""
from collections import OrderedDict
import fastgrad
from fastgrad import nn

class Net(nn.Module):
    def __call__(self, value):
        return super().__call__(value) + 1
    def forward(self, value):
        return value * 2

def hook(module, args, output):
    return output * 10

m, plain = Net(), nn.Identity()
original = nn.Module.__call__
assert m(1) == 3 and plain(1) == 1 and original(plain, 5) == 5
assert nn.Module.__call__(m, 1) == 2
{first_hook}
assert m(1) == 21 and plain(1) == 1 and original(m, 1) == 20
nn.Module.__call__ = original
assert m(1) == 21
m._forward_hooks.clear()
nn.modules.hooks.forward_hooks.clear()
assert m(1) == 3
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
