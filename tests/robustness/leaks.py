"""Leak scenarios, run one by one in a process of their own: `python leaks.py NAME`.  Needs a build with FASTGRAD_DEBUG=1.

Each scenario runs a few times; after a garbage collection the counters of live storages, tensors and nodes must be what they were.
"""

import gc
import sys

import leaks_of_objects

import fastgrad
from fastgrad import _engine


def leaf():
    return fastgrad.tensor([1.0, 2.0], requires_grad=True)


def plain():
    x = leaf()
    (x * x + x).sum().backward()


def never_walked():
    x = leaf()
    (x * x).exp()


def views_of_data():
    x = leaf()
    x.data = x.data * 2.0
    x.data.mul_(3.0)


def released_twice():
    x = leaf()
    y = (x * x).sum()
    y.backward()
    try:
        y.backward()
    except RuntimeError:
        pass


def retained():
    x = leaf()
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward(retain_graph=True)


def create_graph_cycle():
    x = leaf()
    (x * x * x).sum().backward(create_graph=True)  # x.grad leads back to x


def gradients_of_each_other():
    x, y = leaf(), leaf()
    x.grad, y.grad = y, x


def more_than_a_slab_holds():
    x = leaf()
    many = [x * i for i in range(2000)]
    del many[::2]
    many += [x + i for i in range(3000)]
    many[-1].extra = many  # the collector sees them all from now on


def create_graph_grad():
    x = leaf()
    g, = fastgrad.autograd.grad((x * x * x).sum(), x, create_graph=True)
    (g * g).sum().backward()


def hook_cycle():
    x = leaf()
    y = x * 2.0
    y.register_hook(lambda g: y * 1.0)
    y.sum().backward()


def node_hook_cycle():
    x = leaf()
    y = x * 2.0
    y.grad_fn.register_hook(lambda inputs, outputs: None if y is None else None)
    y.grad_fn.register_prehook(lambda outputs: None if y is None else None)
    y.sum().backward()


def attribute_cycle():
    y = leaf() * 2.0
    y.myself = y


def metadata_cycle():
    y = leaf() * 2.0
    y.grad_fn.metadata["y"] = y


def raising_hook():
    x = leaf()
    y = x * x
    y.register_hook(lambda g: 1 / 0)
    for _ in range(3):
        try:
            (y * y).sum().backward()
        except ZeroDivisionError:
            pass


def raising_accumulated_hook():
    x = leaf()
    x.register_post_accumulate_grad_hook(lambda t: 1 / 0)
    try:
        (x * x).sum().backward()
    except ZeroDivisionError:
        pass


def wrong_hook():
    x = leaf()
    y = x * x
    y.register_hook(lambda g: 3)
    try:
        y.sum().backward()
    except TypeError:
        pass


def retained_grad():
    y = leaf() * 2.0
    y.retain_grad()
    (y * y).sum().backward()


class Square(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return 2.0 * x * g


class KeepsAll(Square):
    @staticmethod
    def forward(ctx, x):
        ctx.x, ctx.y, ctx.me = x, x * x, ctx
        ctx.save_for_backward(x, ctx.y)
        return ctx.y


class Raises(Square):
    @staticmethod
    def backward(ctx, g):
        raise ValueError(ctx.saved_tensors)


def function():
    Square.apply(leaf()).sum().backward()


def function_not_walked():
    Square.apply(leaf())


def function_cycle():
    KeepsAll.apply(leaf()).sum().backward()


def function_twice():
    x = leaf()
    g, = fastgrad.autograd.grad(Square.apply(x).sum(), x, create_graph=True)
    g.sum().backward()


def function_raises():
    try:
        Raises.apply(leaf()).sum().backward()
    except ValueError:
        pass


def nested_walk():
    x = leaf()
    y = x * x

    def hook(g):
        with fastgrad.enable_grad():
            z = leaf()
            (z * z).sum().backward()

    y.register_hook(hook)
    y.sum().backward()


def inputs():
    x = leaf()
    y = x * x
    fastgrad.autograd.grad((y * y).sum(), [y, x])
    (x * x).sum().backward(inputs=[x])


def error_in_forward():
    try:
        leaf() * fastgrad.tensor([1.0, 2.0, 3.0])
    except RuntimeError:
        pass


def in_place():
    x = leaf()
    y = x * 2.0
    y.add_(1.0).mul_(x).exp_()
    y.sum().backward()


def changed_in_place():
    x = leaf()
    y = x * 2.0
    z = y * y
    y.add_(1.0)
    try:
        z.sum().backward()
    except RuntimeError:
        pass


def saved_tensors_hooks():
    from fastgrad.autograd.graph import saved_tensors_hooks

    x = leaf()
    with saved_tensors_hooks(lambda t: (t.data,), lambda p: p[0]):
        y = (x * x).exp().sum()
    y.backward(retain_graph=True)
    y.backward()


def checkpoint():
    from fastgrad.utils.checkpoint import checkpoint

    for reentrant in (False, True):
        x = leaf()
        checkpoint(lambda a: (a * a).exp(), x, use_reentrant=reentrant).sum().backward()


def inference():
    with fastgrad.inference_mode():
        (leaf() * 2.0).sum()


def anomaly():
    x = leaf()
    with fastgrad.autograd.set_detect_anomaly(True, check_nan=False):
        (x * x).sum().backward()


def big():
    """Above the size from which the GIL is dropped."""
    x = fastgrad.tensor([1.0], requires_grad=True)
    y = fastgrad.tensor([[0.0] * 300] * 300)
    for _ in range(2):
        (x * y).sum().backward()


SCENARIOS = {name: f for part in (globals(), vars(leaks_of_objects)) for name, f in list(part.items())
             if callable(f) and getattr(f, "__module__", "") in (__name__, "leaks_of_objects")
             and not isinstance(f, type) and name not in ("leaf", "check", "network")}


def check(name):
    scenario = SCENARIOS[name]
    scenario()  # what it loads and caches
    gc.collect()
    before = _engine.live_objects()
    for _ in range(5):
        scenario()
    gc.collect()
    after = _engine.live_objects()
    if after != before:
        raise SystemExit(f"{name}: {before} before, {after} after")


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print("\n".join(SCENARIOS))
    else:
        x = leaf()
        if not any(_engine.live_objects().values()):
            raise SystemExit("this build does not count live objects: build with FASTGRAD_DEBUG=1")
        del x
        check(sys.argv[1])
