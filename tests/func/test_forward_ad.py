"""Forward mode against torch's: tangents of kinds of operations, writes, views, Function.jvp, forward over reverse."""

import numpy as np
import pytest
import torch

import fastgrad as fg

A = np.random.default_rng(0).uniform(0.2, 0.9, (3, 4))
B = np.random.default_rng(1).uniform(0.2, 0.9, (3, 4))
V = np.random.default_rng(2).uniform(-1, 1, (3, 4))
W = np.random.default_rng(3).uniform(-1, 1, (3, 4))


def both(f, requires_grad=False):
    """f(lib, forward_ad, dual a, dual b, plain c) by both, as lists of arrays; None for no tangent."""
    found = []
    for lib in (fg, torch):
        ad = lib.autograd.forward_ad if lib is fg else torch.autograd.forward_ad
        a, v, b, w, c = (lib.tensor(x.tolist(), dtype=lib.float64) for x in (A, V, B, W, A - B))
        if requires_grad:
            a.requires_grad_()
        with ad.dual_level():
            out = f(lib, ad, ad.make_dual(a, v), ad.make_dual(b, w), c)
            out = out if isinstance(out, (tuple, list)) else [out]
            parts = [p for o in out for p in ad.unpack_dual(o)]
        found.append([None if p is None else np.array(p.tolist()) for p in parts])
    return found


def same(f, **options):
    mine, theirs = both(f, **options)
    assert len(mine) == len(theirs)
    for x, y in zip(mine, theirs):
        assert (x is None) == (y is None)
        if x is not None:
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12)


CASES = {
    "sin": lambda t, ad, a, b, c: a.sin(),
    "product": lambda t, ad, a, b, c: a * b + c,
    "broadcast": lambda t, ad, a, b, c: a[0] * b / a.sum(),
    "same twice": lambda t, ad, a, b, c: a * a,
    "power": lambda t, ad, a, b, c: a ** b,
    "number": lambda t, ad, a, b, c: 1 - a * 3,
    "matmul": lambda t, ad, a, b, c: a @ b.T,
    "matmul one": lambda t, ad, a, b, c: c @ b.T,
    "sum": lambda t, ad, a, b, c: a.sum(1, keepdim=True),
    "mean var": lambda t, ad, a, b, c: [a.mean(), b.var(0)],
    "softmax": lambda t, ad, a, b, c: t.softmax(a, 1),
    "logsumexp": lambda t, ad, a, b, c: t.logsumexp(a, 0),
    "cat": lambda t, ad, a, b, c: t.cat([a, c, b], 1),
    "stack": lambda t, ad, a, b, c: t.stack([c, b]),
    "where": lambda t, ad, a, b, c: t.where(c > 0, a, b),
    "max": lambda t, ad, a, b, c: a.max(1),
    "sort": lambda t, ad, a, b, c: a.sort(0),
    "argmax": lambda t, ad, a, b, c: a.argmax(1),
    "compare": lambda t, ad, a, b, c: a > b,
    "floor": lambda t, ad, a, b, c: a.floor(),
    "detach": lambda t, ad, a, b, c: a.detach(),
    "double": lambda t, ad, a, b, c: a.float().double(),
    "views": lambda t, ad, a, b, c: [a.T, a.view(12), a[1], a[:, ::2], b.unbind(0)[1], *a.chunk(2, 1), a.expand(2, 3, 4)],
    "index": lambda t, ad, a, b, c: a[t.tensor([0, 2]), t.tensor([1, 1])],
    "linear": lambda t, ad, a, b, c: t.nn.functional.linear(c, a, b[:, 0]),
    "conv": lambda t, ad, a, b, c: t.nn.functional.conv1d(a[None], b.view(2, 3, 2)),
    "layer norm": lambda t, ad, a, b, c: t.nn.functional.layer_norm(a, (4,), b[0]),
    "mse": lambda t, ad, a, b, c: t.nn.functional.mse_loss(a, c),
    "cross entropy": lambda t, ad, a, b, c: t.nn.functional.cross_entropy(a, t.tensor([0, 1, 3])),
    "max pool": lambda t, ad, a, b, c: t.nn.functional.max_pool1d(a[None], 2),
    "no_grad": lambda t, ad, a, b, c: no_grad(t, a, b),
    "in place": lambda t, ad, a, b, c: chain(a.clone().mul_(b).add_(1).sin_()),
    "in place on a plain one": lambda t, ad, a, b, c: chain(c.add_(b)),
    "write": lambda t, ad, a, b, c: write(t, a, b, c),
    "write into a view": lambda t, ad, a, b, c: write_view(a, b),
    "write into a plain view": lambda t, ad, a, b, c: write_view(c, b),
    "fill": lambda t, ad, a, b, c: [a.fill_(2.0), b.zero_()],
}


def chain(x):
    return [x, x * 2]


def no_grad(t, a, b):
    with t.no_grad():
        return a * b


def write(t, a, b, c):
    z = t.zeros(3, 4, dtype=t.float64)
    z[0] = a[1]
    z[:, 2] = b[:, 0]
    a[c > 0] = 0.5
    return [z, a]


def write_view(a, b):
    w = a[0]
    w.copy_(b[1])
    w *= 3
    return [a, w]


@pytest.mark.parametrize("requires_grad", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_tangents(name, requires_grad):
    if requires_grad and ("in place" in name or "write" in name or name == "fill"):
        pytest.skip("writes into a view of a leaf")
    same(CASES[name], requires_grad=requires_grad)


def test_writes_into_the_users_tangent():
    for lib, ad in ((fg, fg.autograd.forward_ad), (torch, torch.autograd.forward_ad)):
        v = lib.ones(2)
        with ad.dual_level():
            e = ad.make_dual(lib.ones(2), v)
            e.mul_(3)
            assert v.tolist() == [3, 3]


WRITES = {
    "scatter_": lambda t, z, s: z.scatter_(0, t.tensor([[1, 0, 2, 1]]), s[:1]), "scatter_ a number": lambda t, z, s: z.scatter_(1, t.tensor([[0], [2], [1]]), 5.0),
    "scatter_reduce_": lambda t, z, s: z.scatter_reduce_(0, t.tensor([[1, 0, 2, 1], [1, 1, 1, 1]]), s[:2], "sum"),
    "scatter_add_": lambda t, z, s: z.scatter_add_(0, t.tensor([[1, 0, 2, 1]]), s[:1]), "index_put_": lambda t, z, s: z.index_put_((t.tensor([0, 2]),), s[1]),
    "index_put_ adding": lambda t, z, s: z.index_put_((t.tensor([0, 0]),), s[:2], True), "masked_scatter_": lambda t, z, s: z.masked_scatter_(z > 0.5, s),
    "index_add_": lambda t, z, s: z.index_add_(0, t.tensor([0, 0]), s[:2]), "put_": lambda t, z, s: z.put_(t.tensor([0, 5]), s[0, :2]),
    "masked_fill_": lambda t, z, s: z.masked_fill_(z > 0.5, s[0, 0]), "a slice": lambda t, z, s: z[1:].copy_(s[1:]), "an index": lambda t, z, s: z.__setitem__(0, s[1]),
}


@pytest.mark.parametrize("which", ["target", "source", "both"])
@pytest.mark.parametrize("name", WRITES)
def test_writes_of_elements(name, which):
    def program(t, ad, a, b, c):
        z = (c if which == "source" else a) * 1
        WRITES[name](t, z, c if which == "target" else b)
        return z

    same(program)


def test_dropout_has_the_mask_of_its_primal():
    ad = fg.autograd.forward_ad
    with ad.dual_level():
        x = ad.make_dual(fg.ones(100), fg.full((100,), 3.0))
        primal, tangent = ad.unpack_dual(fg.nn.functional.dropout(x, 0.5))
        assert (primal * 3 == tangent).all() and 0 < (primal == 0).sum() < 100


def test_in_place_by_itself():
    """d (a a) = 2 a da; torch's product rule reads a after the write."""
    ad = fg.autograd.forward_ad
    with ad.dual_level():
        x = ad.make_dual(fg.tensor([3.0, 4.0]), fg.tensor([1.0, 10.0]))
        x.mul_(x)
        assert ad.unpack_dual(x).tangent.tolist() == [6, 80]


def test_repr():
    for lib, ad in ((fg, fg.autograd.forward_ad), (torch, torch.autograd.forward_ad)):
        with ad.dual_level():
            dual = ad.make_dual(lib.ones(2), lib.tensor([1.0, 2.0]))
            assert repr(dual * 2) == "tensor([2., 2.], tangent=tensor([2., 4.]))"


def test_level():
    ad = fg.autograd.forward_ad
    with pytest.raises(RuntimeError, match="no level exists"):
        ad.make_dual(fg.ones(2), fg.ones(2))
    with pytest.raises(RuntimeError, match="must be a positive number"):
        ad.exit_dual_level()
    with ad.dual_level():
        with pytest.raises(RuntimeError, match="Nested forward mode AD is not supported"):
            ad.enter_dual_level()
        with pytest.raises(RuntimeError, match="different size"):
            ad.make_dual(fg.ones(2), fg.ones(3))
        with pytest.raises(ValueError, match="Expected primal to be floating point"):
            ad.make_dual(fg.ones(2, dtype=fg.int64), fg.ones(2))
        dual = ad.make_dual(fg.ones(2), fg.ones(2))
        with pytest.raises(RuntimeError, match="already has a forward gradient"):
            ad.make_dual(dual, fg.ones(2))
        later = dual * 2
        assert not later.requires_grad and ad.unpack_dual(later).tangent.tolist() == [2, 2]
    assert ad.unpack_dual(later).tangent is None and not hasattr(later * 2, "_tangent")


def test_grad_of_a_tangent():
    """Reverse over forward."""
    found = []
    for lib, ad in ((fg, fg.autograd.forward_ad), (torch, torch.autograd.forward_ad)):
        x, v, w = (lib.tensor(p[0].tolist(), dtype=lib.float64) for p in (A, V, B))
        x.requires_grad_(), v.requires_grad_()
        with ad.dual_level():
            y = ((ad.make_dual(x, v) * w).sin() ** 2).sum()
            tangent = ad.unpack_dual(y).tangent
            found.append([g.tolist() for g in lib.autograd.grad(tangent, [x, v])])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


@pytest.mark.parametrize("create_graph", [False, True])
def test_tangent_of_a_grad(create_graph):
    """Forward over reverse: a product with the Hessian, and another dual that wants no gradient."""
    found = []
    for lib, ad in ((fg, fg.autograd.forward_ad), (torch, torch.autograd.forward_ad)):
        x, v, b, w = (lib.tensor(p[0].tolist(), dtype=lib.float64) for p in (A, V, B, W))
        x.requires_grad_()
        with ad.dual_level():
            dx, db = ad.make_dual(x, v), ad.make_dual(b, w)
            y = ((dx * db.exp()).sin() * dx).sum()
            g, = lib.autograd.grad(y, dx, create_graph=create_graph)
            primal, tangent = ad.unpack_dual(g)
            assert primal.requires_grad == create_graph
            found.append((primal.tolist(), tangent.tolist()))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)


def cube(lib):
    class Cube(lib.autograd.Function):
        @staticmethod
        def forward(ctx, x, y, n):
            ctx.save_for_forward(x, y)
            ctx.n = n
            return x * y * n

        @staticmethod
        def jvp(ctx, dx, dy, dn):
            assert dn is None
            x, y = ctx.saved_tensors
            return ctx.n * (dx * y + x * dy)

    return Cube


def test_function_jvp():
    same(lambda t, ad, a, b, c: [cube(t).apply(a, b, 3), cube(t).apply(a, c, 2) * 2, cube(t).apply(c, c, 1)])


def test_function_without_jvp():
    class Plain(fg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    ad = fg.autograd.forward_ad
    with ad.dual_level():
        with pytest.raises(NotImplementedError, match="must implement the jvp function"):
            Plain.apply(ad.make_dual(fg.ones(2), fg.ones(2)))


def test_under_vmap():
    found = []
    for lib, ad in ((fg, fg.autograd.forward_ad), (torch, torch.autograd.forward_ad)):
        x, v = (lib.tensor(p.tolist(), dtype=lib.float64) for p in (A, V))
        with ad.dual_level():
            y = lib.vmap(lambda r: (r * r).sum())(ad.make_dual(x, v))
            found.append([p.tolist() for p in ad.unpack_dual(y)])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-9)
