"""More leak scenarios for leaks.py, which runs them: hooks, Functions, views, copies, modules, optimizers, threads.

Each is a function without arguments that leaves nothing behind once it has returned and garbage has been collected.
"""
import copy
import pickle
import threading

import fastgrad
from fastgrad import nn


def leaf():
    return fastgrad.tensor([1.0, 2.0], requires_grad=True)


def hook_of_every_kind():
    x = leaf()
    y = x * x
    y.retain_grad()
    handles = [x.register_hook(lambda g: g * 2.0), y.register_hook(lambda g: None), x.register_post_accumulate_grad_hook(lambda t: None),
               y.grad_fn.register_hook(lambda i, o: None), y.grad_fn.register_prehook(lambda o: None)]
    y.sum().backward(retain_graph=True)
    for handle in handles[::2]:
        handle.remove()
    y.sum().backward()


def hook_raising_in_every_place():
    def fails(*a):
        raise ValueError(a)

    for place in ("leaf", "result", "accumulated", "node", "prenode"):
        x = leaf()
        y = x * x
        {"leaf": x.register_hook, "result": y.register_hook, "accumulated": x.register_post_accumulate_grad_hook,
         "node": y.grad_fn.register_hook, "prenode": y.grad_fn.register_prehook}[place](fails)
        try:
            (y * y).exp().sum().backward()
        except ValueError:
            pass


def hook_deleting_tensors():
    x = leaf()
    held = [x * 2.0]
    held.append(held[0].exp())
    z = held[1] * held[0]
    z.register_hook(lambda g: held.clear())
    x.register_post_accumulate_grad_hook(lambda t: setattr(t, "grad", None))
    z.sum().backward()


class Forward(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x, x * 2.0)
        ctx.kept = x * 3.0
        raise ValueError(x)


class Late(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * x
        ctx.save_for_backward(x, y)
        ctx.me = ctx
        return y, x * 3.0

    @staticmethod
    def backward(ctx, g, h):
        fails = g * ctx.saved_tensors[1]
        raise ValueError(fails)


class Wrong(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2.0

    @staticmethod
    def backward(ctx, g):
        return g, g, g.reshape(1, -1)


class Written(fastgrad.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2.0)

    @staticmethod
    def backward(ctx, g):
        return g * 2.0


def function_raises_in_forward():
    try:
        Forward.apply(leaf())
    except ValueError:
        pass


def function_raises_late():
    a, b = Late.apply(leaf())
    try:
        (a * b).sum().backward()
    except ValueError:
        pass


def function_gives_too_much():
    try:
        Wrong.apply(leaf()).sum().backward()
    except RuntimeError:
        pass


def function_writes_in_place():
    x = leaf() * 1.0
    Written.apply(x).sum().backward()
    try:
        Written.apply(leaf())
    except RuntimeError:
        pass


def views_written():
    x = leaf() * 1.0
    v = x[:1]
    w = x.view(2, 1)
    v.mul_(3.0)
    w.add_(x.sum().detach())
    x[0] = v.sum() * 2.0
    (v.sum() + w.sum() * x.sum()).backward()


def views_written_and_not_walked():
    x = leaf() * 1.0
    v = x[:1]
    v.mul_(v)
    x.unbind()[0].exp()


def views_refused():
    x = leaf()
    for write in (lambda: x[:1].mul_(2.0), lambda: (x * 1.0).unbind()[0].mul_(2.0), lambda: x.expand(3, 2).mul_(2.0),
                  lambda: x.detach().expand(3, 2).add_(1.0)):
        try:
            write()
        except RuntimeError:
            pass


def saved_hooks_that_raise():
    from fastgrad.autograd.graph import saved_tensors_hooks

    def fails(t):
        raise ValueError(t)

    for pack, unpack in ((fails, lambda p: p), (lambda t: t, fails), (lambda t: t, lambda p: 3)):
        try:
            with saved_tensors_hooks(pack, unpack):
                y = (leaf() * leaf()).exp().sum()
            y.backward()
        except (ValueError, TypeError):
            pass


def saved_hooks_not_walked():
    from fastgrad.autograd.graph import save_on_cpu, saved_tensors_hooks

    with saved_tensors_hooks(lambda t: [t], lambda p: p[0]):
        leaf().exp()
    with save_on_cpu():
        y = leaf().exp()
    y.sum().backward()


def checkpoint_that_raises():
    from fastgrad.utils.checkpoint import checkpoint

    runs = []

    def body(a):
        runs.append(1)
        b = a.exp() * a
        if len(runs) % 2 == 0:
            raise ValueError(b)
        return b

    for reentrant in (False, True):
        try:
            checkpoint(body, leaf(), use_reentrant=reentrant).sum().backward()
        except ValueError:
            pass


def checkpoint_not_walked():
    from fastgrad.utils.checkpoint import checkpoint

    checkpoint(lambda a: a.exp() * a, leaf(), use_reentrant=False)
    checkpoint(lambda a: a.exp() * a, leaf(), use_reentrant=True)


def unused_inputs():
    x, y = leaf(), leaf()
    z = (x * x).sum()
    try:
        fastgrad.autograd.grad(z, [x, y], retain_graph=True)
    except RuntimeError:
        pass
    fastgrad.autograd.grad(z, [x, y], allow_unused=True, retain_graph=True)
    fastgrad.autograd.grad(z, [y, x], allow_unused=True, materialize_grads=True, create_graph=True)


def refused_walks():
    x = leaf()
    for walk in (lambda: (x * x).backward(), lambda: (x * x).sum().backward(leaf()), lambda: x.detach().sum().backward(),
                 lambda: fastgrad.autograd.grad(x * x, [x, 3], leaf()), lambda: (x * x).sum().backward(inputs=[])):
        try:
            walk()
        except (RuntimeError, TypeError):
            pass


def network():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(), nn.Linear(4, 2))


def modules_with_hooks():
    net = network()
    net[0].register_forward_hook(lambda m, i, o: o * 2.0)
    net[1].register_forward_pre_hook(lambda m, i: None)
    net[2].register_full_backward_hook(lambda m, i, o: None)
    net[3].register_full_backward_pre_hook(lambda m, o: None)
    net[3].register_forward_hook(lambda m, i, o: setattr(net, "last", o))       # a cycle through the module
    net(fastgrad.ones(5, 3)).sum().backward()
    net.load_state_dict(net.state_dict())
    net.double().zero_grad()


def module_with_raising_hook():
    def fails(*a):
        raise ValueError(a)

    net = network()
    net[2].register_full_backward_hook(fails)
    try:
        net(fastgrad.ones(5, 3)).sum().backward()
    except ValueError:
        pass
    net[2].register_forward_hook(fails)
    try:
        net(fastgrad.ones(5, 3))
    except ValueError:
        pass


def module_utilities():
    net = network()
    net(fastgrad.ones(5, 3)).sum().backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    vector = nn.utils.parameters_to_vector(net.parameters())
    nn.utils.vector_to_parameters(vector, net.parameters())
    try:
        net(fastgrad.ones(5, 7))
    except RuntimeError:
        pass


def optimizers():
    for make in (lambda p: fastgrad.optim.SGD(p, lr=0.1, momentum=0.9), lambda p: fastgrad.optim.Adam(p, amsgrad=True),
                 lambda p: fastgrad.optim.AdamW(p)):
        net = network()
        optimizer = make(net.parameters())
        for _ in range(2):
            optimizer.zero_grad()
            net(fastgrad.ones(5, 3)).sum().backward()
            optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
        net(fastgrad.ones(5, 3)).sum().backward()
        optimizer.step()


def copies():
    x = leaf()
    x.sum().backward()
    x.note = [x.detach()]
    copy.deepcopy([x, x])
    copy.copy(x)
    pickle.loads(pickle.dumps([x, x.detach()[:1]]))
    net = network()
    pickle.loads(pickle.dumps(copy.deepcopy(net)))
    try:
        copy.deepcopy(x * 2.0)
    except RuntimeError:
        pass


def lent_memory():
    import numpy as np

    array = np.ones(3)
    t = fastgrad.from_numpy(array)
    t[1:].numpy()
    fastgrad.from_dlpack(array)
    np.from_dlpack(t)
    t.__dlpack__()
    t.exp().numpy()
    memoryview(t.numpy())


def threads():
    x = leaf()
    y = (x * x).exp()

    def work():
        for _ in range(20):
            z = leaf()
            (z * z).exp().sum().backward()
            y.sum().backward(retain_graph=True)

    started = [threading.Thread(target=work) for _ in range(3)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def graph_ended_in_a_thread():
    held = [leaf().exp()]
    thread = threading.Thread(target=lambda: held.pop().sum().backward())
    thread.start()
    thread.join()


def deep_graph():
    x = leaf()
    y = x
    for _ in range(20_000):
        y = y + x
    held = [y]
    y.register_hook(lambda g: held)
    held.append(lambda: held)


class Own(fastgrad.Tensor):
    pass


def subclass():
    x = fastgrad.ones(3).as_subclass(Own).requires_grad_()
    x.me = x
    (x * 2.0).sum().backward()


def partial_walks():
    x = leaf()
    y = x.exp()
    a, b = fastgrad.stack([y, y * y, x]).unbind()[:2]
    fastgrad.autograd.grad(a.sum(), [y], retain_graph=True)
    values, indices = fastgrad.cat([a, b]).sort()
    values[:2].sum().backward(inputs=[x])


def set_data_and_grad():
    x = leaf()
    (x * x).sum().backward()
    x.grad = x.detach() * 2.0
    for wrong in (fastgrad.zeros(3), 3, fastgrad.zeros(2, dtype=fastgrad.int64)):
        try:
            x.grad = wrong
        except (RuntimeError, TypeError):
            pass
    x.data = fastgrad.zeros(2)
    x.detach_()
    x.requires_grad_().grad = x.detach()
    x.grad.note = x         # a cycle
