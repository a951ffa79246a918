"""Custom functions: what PyTorch does with the same class, errors included."""

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
    results = []
    for lib in LIBRARIES:
        try:
            results.append(plain(program(lib)))
        except Exception as error:
            results.append((type(error).__name__, str(error)))
    return results


def make(lib, forward, backward=None, **members):
    """A Function of the library from two plain functions."""
    members["forward"] = staticmethod(forward)
    if backward is not None:
        members["backward"] = staticmethod(backward)
    return type(lib.autograd.Function)("Made", (lib.autograd.Function,), members)


def square(lib):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, g):
        x, = ctx.saved_tensors
        return 2 * x * g

    return make(lib, forward, backward)


def saves_output(lib):
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y, None, x)
        return y

    def backward(ctx, g):
        y, none, x = ctx.saved_tensors
        assert none is None
        return y * g

    return make(lib, forward, backward)


def gradient(lib):
    x = leaf(lib)
    y = square(lib).apply(x)
    y.sum().backward()
    return x.grad, y.grad_fn.name(), y.requires_grad, y.is_leaf


def twice(lib):
    x = leaf(lib)
    g, = lib.autograd.grad(square(lib).apply(x).sum(), x, create_graph=True)
    return g, lib.autograd.grad((g * g).sum(), x)


def twice_through_output(lib):
    x = leaf(lib, [0.5, 0.25])
    g, = lib.autograd.grad((saves_output(lib).apply(x) * x).sum(), x, create_graph=True)
    return g.requires_grad, lib.autograd.grad((g * g).sum(), x)[0].mul(1e6).round()


def backward_twice(lib):
    x = leaf(lib)
    y = square(lib).apply(x).sum()
    y.backward()
    y.backward()


def backward_twice_retained(lib):
    x = leaf(lib)
    y = square(lib).apply(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def saved_after_release(lib):
    y = square(lib).apply(leaf(lib))
    y.sum().backward()
    return y.grad_fn.saved_tensors


def saved_through_node(lib):
    return saves_output(lib).apply(leaf(lib)).grad_fn.saved_tensors


def saved_then_changed(lib):
    x = leaf(lib) * 1
    y = square(lib).apply(x)
    x.add_(1)
    y.sum().backward()


def arguments_of_all_kinds(lib):
    needs = []

    def forward(ctx, x, n, w, name):
        ctx.n = n
        needs.append(list(ctx.needs_input_grad))
        return x * n + w

    def backward(ctx, g):
        needs.append(list(ctx.needs_input_grad))
        return g * ctx.n, None, None, None

    x = leaf(lib)
    make(lib, forward, backward).apply(x, 3, lib.ones(2, dtype=lib.float64), "name").sum().backward()
    return x.grad, needs


def several_outputs(lib):
    def backward(ctx, a, b):
        return a * 2 + b * 3

    x = leaf(lib)
    a, b = make(lib, lambda ctx, x: (x * 2, x * 3), backward).apply(x)
    b.sum().backward()
    return x.grad, a.output_nr, b.output_nr, a.grad_fn is b.grad_fn


def not_materialized(lib):
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, a, b):
        seen.append((a is None, b is None))
        return b * 3

    x = leaf(lib)
    make(lib, forward, backward).apply(x)[1].sum().backward()
    return seen, x.grad


def mixed_outputs(lib):
    seen = []

    def backward(ctx, a, b, c):
        seen.extend([a, b is None, c])
        return a

    x = leaf(lib)
    out = make(lib, lambda ctx, x: (x * 2, "text", x > 1), backward).apply(x)
    out[0].sum().backward()
    return out[1], out[2], out[2].requires_grad, seen[:2], x.grad


def not_differentiable(lib):
    def forward(ctx, x):
        y = x * 3
        ctx.mark_non_differentiable(y)
        return x * 2, y

    def backward(ctx, a, b):
        return a * 2 + b

    x = leaf(lib)
    a, b = make(lib, forward, backward).apply(x)
    a.sum().backward()
    return b.requires_grad, b.is_leaf, x.grad


def dirty(lib):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    x = leaf(lib)
    y = x * 1
    z = make(lib, forward, lambda ctx, g: g * 2).apply(y)
    z.sum().backward()
    return z is y, y.grad_fn.name(), x.grad


def dirty_leaf(lib):
    def forward(ctx, x):
        x.data.mul_(2)
        ctx.mark_dirty(x)
        return x

    make(lib, forward, lambda ctx, g: g * 2).apply(leaf(lib))


def dirty_not_returned(lib):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x * 1

    make(lib, forward, lambda ctx, g: g).apply(leaf(lib) * 1)


def returns_its_input(lib):
    x = leaf(lib)
    y = make(lib, lambda ctx, x: x, lambda ctx, g: g * 7).apply(x)
    y.sum().backward()
    return y is x, x.is_leaf, y.grad_fn.name(), x.grad


def set_up_apart(lib):
    seen = []

    class Power(lib.autograd.Function):
        @staticmethod
        def forward(x, n=2):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            seen.append((len(inputs), plain(output)))
            ctx.save_for_backward(inputs[0])
            ctx.n = inputs[1]

        @staticmethod
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return g * ctx.n * x ** (ctx.n - 1), None

    x = leaf(lib)
    Power.apply(x).sum().backward()
    Power.apply(x, n=3).sum().backward()
    return x.grad, seen


def without_grad(lib):
    x = leaf(lib)
    modes = []

    def forward(ctx, x):
        modes.append(lib.is_grad_enabled())
        return x * 2

    f = make(lib, forward, lambda ctx, g: g * 2)
    with lib.no_grad():
        y = f.apply(x)
    return y.requires_grad, f.apply(lib.ones(2)).requires_grad, f.apply(x).requires_grad, modes, lib.is_grad_enabled()


def modes_of_backward(lib):
    modes = []

    def backward(ctx, g):
        modes.append(lib.is_grad_enabled())
        return g * 2

    x = leaf(lib)
    f = make(lib, lambda ctx, x: x * 2, backward)
    f.apply(x).sum().backward()
    lib.autograd.grad(f.apply(x).sum(), x, create_graph=True)
    return modes


def none_gradient(lib):
    x, w = leaf(lib), leaf(lib)
    make(lib, lambda ctx, x, w: x * w, lambda ctx, g: (None, g)).apply(x * 1, w).sum().backward()
    return x.grad is None, w.grad


def extra_nones(lib):
    x = leaf(lib)
    make(lib, lambda ctx, x: x * 2, lambda ctx, g: (g, None, None)).apply(x).sum().backward()
    return x.grad


def broadcast_gradient(lib):
    x = leaf(lib, [2.0])
    make(lib, lambda ctx, x: x * lib.ones(3, dtype=lib.float64), lambda ctx, g: g).apply(x).sum().backward()
    return x.grad


def attributes(lib):
    def forward(ctx, x):
        ctx.something = [1, 2]
        return x * 2

    y = make(lib, forward, lambda ctx, g: g * 2).apply(leaf(lib))
    return y.grad_fn.something, hasattr(y.grad_fn, "nothing")


def once(lib):
    from importlib import import_module

    once_differentiable = import_module(lib.__name__ + ".autograd.function").once_differentiable

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0] * g

    x = leaf(lib)
    f = make(lib, forward, once_differentiable(backward))
    f.apply(x).sum().backward()
    y = f.apply(x)
    g, = lib.autograd.grad((y * y).sum(), x, create_graph=True)
    assert g.requires_grad and plain(x.grad) == [2.0, 4.0]
    g.sum().backward()


def written_in_place(forward):
    """In-place writing of what a function gave that is a view of its input: no history can follow."""
    def program(lib):
        f = make(lib, forward, lambda ctx, *g: g[0] * 2)
        y = f.apply(leaf(lib) * 1)
        y = y[0] if isinstance(y, tuple) else y
        assert y._is_view()
        y.add_(1)
    return program


def input_written(lib):
    x = leaf(lib) * 1
    y = make(lib, lambda ctx, x: x, lambda ctx, g: g).apply(x)
    x.add_(1)
    y.sum().backward()


def dirty_counts(lib):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = leaf(lib) * 1
    y = make(lib, forward, lambda ctx, g: g * 2).apply(x)
    return y is x, y._version


def dirty_without_grad(lib):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    x = leaf(lib)
    with lib.no_grad():
        y = make(lib, forward, lambda ctx, g: g).apply(x)
    return x, y, y.requires_grad, x.requires_grad


def asks_for_grad(lib):
    f = make(lib, lambda ctx, x: (x * 2).requires_grad_(), lambda ctx, g: g * 2)
    x = leaf(lib)
    f.apply(x).sum().backward()
    return x.grad, f.apply(x.detach()).requires_grad


def by_vjp(lib):
    x = leaf(lib)
    make(lib, lambda ctx, x: x * 3, vjp=staticmethod(lambda ctx, g: g * 3)).apply(x).sum().backward()
    return x.grad


def both_rules(lib):
    f = make(lib, lambda ctx, x: x * 3, lambda ctx, g: g, vjp=staticmethod(lambda ctx, g: g))
    f.apply(leaf(lib)).sum().backward()


def node_attribute(lib):
    y = square(lib).apply(leaf(lib))
    y.grad_fn.mine = 3
    (leaf(lib) * 2).grad_fn.mine = y.grad_fn.mine


def instance(lib):
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        f = square(lib)()
    return isinstance(f, lib.autograd.Function)


def bad(forward=None, backward=None):
    def program(lib):
        f = make(lib, forward or (lambda ctx, x, n: x * n), (lambda ctx, *g: backward(lib, *g)) if backward else None)
        f.apply(leaf(lib), 2).sum().backward()
    return program


PROGRAMS = {f.__name__: f for f in [
    gradient, twice, twice_through_output, backward_twice, backward_twice_retained, saved_after_release, saved_through_node,
    arguments_of_all_kinds, several_outputs, not_materialized, mixed_outputs, not_differentiable, dirty, dirty_leaf,
    dirty_not_returned, returns_its_input, set_up_apart, without_grad, modes_of_backward, none_gradient, extra_nones,
    broadcast_gradient, attributes, once, dirty_counts, dirty_without_grad, asks_for_grad, by_vjp, both_rules, instance, input_written]}
PROGRAMS |= {
    "view written": written_in_place(lambda ctx, x: x.view(-1)),
    "input written": written_in_place(lambda ctx, x: x),
    "one of views written": written_in_place(lambda ctx, x: (x[:1], x[1:])),
    "too few": bad(backward=lambda lib, g: g),
    "too many": bad(backward=lambda lib, g: (g, None, g)),
    "for a number": bad(backward=lambda lib, g: (g, g)),
    "no tensor": bad(backward=lambda lib, g: (3.0, None)),
    "a list": bad(backward=lambda lib, g: [g, None]),
    "other shape": bad(backward=lambda lib, g: (lib.ones(3), None)),
    "no backward": bad(),
    "saves a number": bad(lambda ctx, x, n: (ctx.save_for_backward(n), x * n)[1], lambda lib, g: (g, None)),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_pytorch(name):
    ours, theirs = both(PROGRAMS[name])
    assert ours == theirs


def test_saved_then_changed():
    ours, theirs = both(saved_then_changed)
    assert ours[0] == theirs[0] == "RuntimeError"
    assert "modified by an inplace operation" in ours[1]


def test_changed_value_is_named_as_in_pytorch():
    def of_an_operation(lib):
        x = leaf(lib) * 1
        y = x.exp().sum() + (x * x).sum()
        x.add_(1)
        y.backward()

    def of_a_result(lib):
        y = leaf(lib).exp()
        y.add_(1)
        y.sum().backward()

    for program in (of_an_operation, of_a_result):
        ours, theirs = both(program)
        assert ours == theirs


def test_node_takes_attributes_if_it_has_a_context():
    ours, theirs = both(node_attribute)
    assert ours[0] == theirs[0] == "AttributeError"


@pytest.mark.parametrize("call", ["mark_dirty", "mark_non_differentiable"])
def test_what_is_marked_must_be_a_tensor(call):
    ours, theirs = both(bad(lambda ctx, x, n: (getattr(ctx, call)(n), x * n)[1]))
    assert ours[0] == theirs[0] == "RuntimeError" and call in ours[1]


def test_no_forward():
    ours, theirs = both(lambda lib: type("Empty", (lib.autograd.Function,), {}).apply(leaf(lib)))
    assert ours == theirs and ours[0] == "NotImplementedError"


def test_exception_in_forward_restores_the_mode():
    f = make(fastgrad, lambda ctx, x: 1 / 0, None)
    with pytest.raises(ZeroDivisionError):
        f.apply(leaf(fastgrad))
    assert fastgrad.is_grad_enabled()


def test_context_outlives_the_node():
    contexts = []

    def forward(ctx, x):
        contexts.append(ctx)
        y = x * 2
        ctx.save_for_backward(x, y)
        return y

    x = leaf(fastgrad)
    y = make(fastgrad, forward, lambda ctx, g: g).apply(x)
    assert contexts[0].saved_tensors[1].grad_fn is y.grad_fn
    del y
    gc.collect()
    assert [t.tolist() for t in contexts[0].saved_tensors] == [[1.0, 2.0], [2.0, 4.0]]


def test_a_saved_output_makes_no_cycle():
    gc.collect()
    gc.disable()
    try:
        y = saves_output(fastgrad).apply(leaf(fastgrad))
        node = weakref.ref(y)
        del y
        assert node() is None
    finally:
        gc.enable()


def test_an_output_kept_as_attribute_is_collected():
    class Box:
        pass

    box = Box()
    alive = weakref.ref(box)

    def forward(ctx, x):
        ctx.y, ctx.box = x * 2, box
        return ctx.y

    y = make(fastgrad, forward, lambda ctx, g: g).apply(leaf(fastgrad))
    del y, box, forward
    gc.collect()
    assert alive() is None


def test_variable():
    from fastgrad.autograd import Variable

    x = fastgrad.ones(2)
    v = Variable(x, requires_grad=True)
    assert isinstance(v, Variable) and isinstance(x, Variable) and isinstance(v, fastgrad.Tensor)
    assert v.requires_grad and not x.requires_grad and v.data_ptr() == x.data_ptr()
    with pytest.raises(NotImplementedError):
        Variable(x, volatile=True)
