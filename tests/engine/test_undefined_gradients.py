"""Which hooks run, and with what, where a backward gives None: the same as in PyTorch."""

import fastgrad
import pytest
import torch


def shown(value, lib):
    if isinstance(value, lib.Tensor):
        return value.tolist()
    return [shown(one, lib) for one in value] if isinstance(value, (tuple, list)) else value if value is None else type(value).__name__


class Scene:
    """a and b, leaves; Some.apply(a, b) is (2 a, 2 b), and its backward knows nothing of a."""

    def __init__(self, lib):
        self.lib, self.log = lib, []

        class Some(lib.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * 2, b * 2

            @staticmethod
            def backward(ctx, grad_a, grad_b):
                return None, grad_b

        self.some = Some.apply
        self.a, self.b = (lib.ones(2, requires_grad=True) for _ in range(2))

    def note(self, name):
        def hook(*args):
            self.log.append((name, [shown(one, self.lib) for one in args]))
        return hook

    def run(self, a, **options):
        x, y = self.some(a, self.b)
        (x.sum() + y.sum()).backward(**options)


def leaf(s):
    for name, t in (("a", s.a), ("b", s.b)):
        t.register_hook(s.note(name))
        t.register_post_accumulate_grad_hook(s.note(name + " afterwards"))
    s.run(s.a)


def accumulating_node(s):
    node = s.lib.autograd.graph.get_gradient_edge(s.a).node
    node.register_prehook(s.note("before"))
    node.register_hook(s.note("after"))
    s.run(s.a)


def below(s):
    c = s.a * 3
    d = c.exp()
    c.register_hook(s.note("c"))
    d.register_hook(s.note("d"))
    d.grad_fn.register_prehook(s.note("before"))
    d.grad_fn.register_hook(s.note("after"))
    s.a.register_hook(s.note("a"))
    d.retain_grad()
    s.run(d)
    s.log.append(d.grad)


def several(s, mode="all"):
    s.lib.autograd.graph.register_multi_grad_hook((s.a, s.b), s.note("several"), mode=mode)
    s.run(s.a)


def unused_outputs(s):
    x, y = s.some(s.a, s.b)
    u, v = s.lib.stack([s.a, s.b]).unbind(0)
    for name, t in (("x", x), ("y", y), ("u", u), ("v", v)):
        t.register_hook(s.note(name))
    (y.sum() + u.sum()).backward()


def function_above(s):
    """A Function is asked all the same."""
    log = s.log

    class Seen(s.lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            return x * 2

        @staticmethod
        def backward(ctx, grad):
            log.append(None if grad is None else grad.tolist())
            return grad, None

    s.run(Seen.apply(s.a, True))
    s.run(Seen.apply(s.a, False))


def captured(s):
    c = s.a * 3
    c.register_hook(s.note("c"))
    x, y = s.some(c, s.b)
    s.log.append([g if g is None else g.tolist() for g in s.lib.autograd.grad(x.sum() + y.sum(), [c, s.b], allow_unused=True)])
    s.run(s.a * 3, inputs=[s.a])


def replaced(s):
    s.a.register_hook(lambda grad: s.lib.ones(2))
    s.run(s.a)


def joined(s):
    """One way gives None, the other a gradient: no hook sees None."""
    s.a.register_hook(s.note("a"))
    x, y = s.some(s.a, s.b)
    (x.sum() + y.sum() + (s.a * 3).sum()).backward()


SCENES = [leaf, accumulating_node, below, several, lambda s: several(s, "any"), unused_outputs, function_above, captured, replaced, joined]


@pytest.mark.parametrize("scene", SCENES, ids=lambda f: f.__name__)
def test_same_as_torch(scene):
    logs = []
    for lib in (fastgrad, torch):
        s = Scene(lib)
        try:
            scene(s)
        except Exception as error:
            s.log.append((type(error).__name__, str(error)))
        logs.append([*s.log, *(shown(t.grad, lib) for t in (s.a, s.b))])
    assert logs[0] == logs[1]
