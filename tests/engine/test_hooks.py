"""Hooks on tensors and nodes: when they run, what they may return, and how they go away."""

import gc
import weakref

import pytest
import torch

import fastgrad

LIBRARIES = [fastgrad, torch]


def leaf(lib, values=(1.0, 2.0)):
    return lib.tensor(list(values), dtype=lib.float64, requires_grad=True)


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return value.detach().tolist() if hasattr(value, "detach") else value


def both(program):
    """The program's result in both libraries: values, or the exception's class and text up to its first comma."""
    results = []
    for lib in LIBRARIES:
        try:
            results.append(plain(program(lib)))
        except Exception as error:
            results.append((type(error), str(error)))
    return results


def replaces(lib):
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    x.register_hook(lambda g: g + 1)
    y.sum().backward()
    return x.grad


def in_order(lib):
    x = leaf(lib)
    seen = []
    y = x * 2
    y.register_hook(lambda g: seen.append(1))
    middle = y.register_hook(lambda g: seen.append(2))
    y.register_hook(lambda g: seen.append(3))
    middle.remove()
    middle.remove()
    y.grad_fn.register_prehook(lambda grads: seen.append("pre"))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append("post"))
    x.register_hook(lambda g: seen.append("leaf"))
    x.register_post_accumulate_grad_hook(lambda t: seen.append("accumulated"))
    y.sum().backward()
    return seen


def retained_after_hooks(lib):
    x = leaf(lib)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: g * 10)
    y.sum().backward()
    return y.grad, x.grad


def on_a_leaf_once(lib):
    x = leaf(lib)
    seen = []
    x.register_hook(lambda g: seen.append(plain(g)))
    (x * x + x * 3).sum().backward()
    return seen


def on_captured_leaf(lib):
    x = leaf(lib)
    x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda t: 1 / 0)
    return lib.autograd.grad((x * 2).sum(), x)


def on_captured_inner(lib):
    x = leaf(lib)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    return lib.autograd.grad((y * y).sum(), [y, x])


def clears_grad(lib):
    x = leaf(lib)
    x.register_post_accumulate_grad_hook(lambda t: setattr(t, "grad", None))
    (x * 2).sum().backward()
    return x.grad is None


def removes_itself(lib):
    x = leaf(lib)
    y = x * 2
    seen = []
    handles = []
    handles.append(y.register_hook(lambda g: (seen.append(1), handles[0].remove())[0]))
    y.register_hook(lambda g: seen.append(2))
    y.sum().backward(retain_graph=True)
    y.sum().backward()
    return seen


def before_in_place(lib):
    x = leaf(lib)
    y = x * 2
    seen = []
    y.register_hook(lambda g: seen.append(plain(g)))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(plain(g)))
    y.sum().backward()
    return seen


def node_hooks_replace(lib):
    x = leaf(lib)
    y = x * 2
    y.grad_fn.register_prehook(lambda grads: (grads[0] * 10,))
    y.grad_fn.register_hook(lambda inputs, outputs: tuple(None if g is None else g + 1 for g in inputs))
    y.sum().backward()
    return x.grad


def in_with(lib):
    x = leaf(lib)
    y = x * 2
    with y.register_hook(lambda g: g * 10):
        y.sum().backward(retain_graph=True)
    y.sum().backward()
    return x.grad


def differentiable_hook(lib):
    x = leaf(lib)
    y = x * x
    y.register_hook(lambda g: g * g)
    g, = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    return g, lib.autograd.grad(g.sum(), x)


def on_accumulation(lib):
    """Hooks of the end of a leaf's edge: before and after .grad grows, not for what is captured."""
    x, seen = leaf(lib), []
    end = (x * 2).grad_fn.next_functions[0][0]
    before = end.register_prehook(lambda grads: (seen.append(grads[0].clone()), (grads[0] * 10,))[1])
    end.register_hook(lambda inputs, grads: seen.append((inputs, grads[0].clone(), x.grad.clone())))
    (x * 2).sum().backward()
    lib.autograd.grad((x * 2).sum(), x)
    before.remove()
    (x * 2).sum().backward()
    return seen, x.grad


def no_gradient_left(lib):
    x = leaf(lib)
    end = (x * 2).grad_fn.next_functions[0][0]
    end.register_prehook(lambda grads: (None,))
    (x * 2).sum().backward()
    return x.grad


@pytest.mark.parametrize("program", [
    replaces, in_order, retained_after_hooks, on_a_leaf_once, on_captured_leaf, on_captured_inner, clears_grad, removes_itself,
    before_in_place, node_hooks_replace, in_with, differentiable_hook, on_accumulation, no_gradient_left], ids=lambda p: p.__name__)
def test_as_in_pytorch(program):
    ours, theirs = both(program)
    assert ours == theirs


def tensor_hook(result):
    def program(lib):
        x = leaf(lib)
        y = x * 2
        y.register_hook(lambda g: result(lib, g))
        y.sum().backward()
    return program


def pre_hook(result):
    def program(lib):
        x = leaf(lib)
        y = x * 2
        y.grad_fn.register_prehook(lambda grads: result(lib, grads[0]))
        y.sum().backward()
    return program


def post_hook(result):
    def program(lib):
        x = leaf(lib)
        y = x + x * 1
        y.grad_fn.register_hook(lambda inputs, outputs: result(lib, outputs[0]))
        y.sum().backward()
    return program


WRONG = {
    "other shape": tensor_hook(lambda lib, g: lib.ones(3, dtype=lib.float64)),
    "other dtype": tensor_hook(lambda lib, g: g.float()),
    "other class": tensor_hook(lambda lib, g: 3),
    "pre: too many": pre_hook(lambda lib, g: (g, g)),
    "pre: no tuple": pre_hook(lambda lib, g: g),
    "pre: other shape": pre_hook(lambda lib, g: (lib.ones(3, dtype=lib.float64),)),
    "pre: other class": pre_hook(lambda lib, g: (3,)),
    "post: too few": post_hook(lambda lib, g: (g,)),
    "post: other shape": post_hook(lambda lib, g: (g, lib.ones(3, dtype=lib.float64))),
    "no gradient wanted": lambda lib: lib.ones(2).register_hook(print),
    "retain: no gradient wanted": lambda lib: lib.ones(2).retain_grad(),
    "accumulated: no leaf": lambda lib: (leaf(lib) * 2).register_post_accumulate_grad_hook(print),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused_as_in_pytorch(name):
    ours, theirs = both(WRONG[name])
    assert ours[0] is theirs[0]
    assert issubclass(ours[0], Exception)
    if ours[0] is RuntimeError:
        assert ours[1].startswith(theirs[1].rstrip("."))


def test_a_hook_must_be_callable():
    with pytest.raises(TypeError):
        (leaf(fastgrad) * 2).register_hook(3)


def test_retain_grad_does_not_keep_its_tensor_alive():
    x = leaf(fastgrad)
    y = x * 2
    y.retain_grad()
    alive = weakref.ref(y)
    z = (y + 1).sum()
    del y
    gc.collect()
    assert alive() is None
    z.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_retained_gradient_has_memory_of_its_own():
    x = leaf(fastgrad)
    y = x * 2
    y.retain_grad()
    y.register_hook(lambda g: None)
    (y + 0).sum().backward()
    y.grad.mul_(100)
    assert x.grad.tolist() == [2.0, 2.0]


def test_hooks_see_the_gradient_of_each_output_of_a_function():
    class Two(fastgrad.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1, x * 2

        @staticmethod
        def backward(ctx, a, b):
            return a + b

    a, b = Two.apply(leaf(fastgrad))
    seen = []
    b.register_hook(lambda g: seen.append(("b", g.tolist())))
    a.register_hook(lambda g: seen.append(("a", g.tolist())))
    (a * 3 + b * 5).sum().backward()
    assert seen == [("a", [3.0, 3.0]), ("b", [5.0, 5.0])]
