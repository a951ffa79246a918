"""Small programs of nested transforms, as users write them: the same numbers, shapes and errors as torch.func's.

Curvature, per-example gradients, ensembles, meta-learning, implicit differentiation, linear algebra under transforms, draws under vmap.
"""

import fastgrad
import numpy as np
import pytest
import torch


def weights(t, sizes=(3, 5, 2), seed=0):
    rng = np.random.default_rng(seed)
    d = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:])):
        d[f"w{i}"] = t.tensor(rng.normal(size=(b, a)).tolist(), dtype=t.float64) * 0.5
        d[f"b{i}"] = t.tensor(rng.normal(size=b).tolist(), dtype=t.float64) * 0.1
    return d


def network(t, d, x):
    n = len(d) // 2
    for i in range(n):
        x = t.nn.functional.linear(x, d[f"w{i}"], d[f"b{i}"])
        if i < n - 1:
            x = t.tanh(x)
    return x


def normal(t, *s, seed=1):
    return t.tensor(np.random.default_rng(seed).normal(size=s).tolist(), dtype=t.float64)


def wave(a):
    return (a.sin() * a).sum()


def clipped(t, F, y):
    g = t.vmap(F.grad(lambda d, a: network(t, d, a).square().sum()), in_dims=(None, 0))(weights(t), y)
    n = t.stack([v.flatten(1).norm(dim=1) for v in g.values()]).norm(dim=0)
    s = (1 / n).clamp(max=1)
    return {k: (v * s.reshape(-1, *[1] * (v.dim() - 1))).mean(0) for k, v in g.items()}


def tangent_kernel(t, F, y):
    d = weights(t)
    J = t.vmap(F.jacrev(lambda d, a: network(t, d, a)), (None, 0))(d, y)
    return sum((t.einsum("naf,mbf->nmab", j.flatten(2), j.flatten(2)) for j in J.values()))


def tangent_kernel_by_products(t, F, y):
    d = weights(t)

    def one(a, b):
        out, pull = F.vjp(lambda d: network(t, d, a), d)

        def push(v):
            return F.jvp(lambda d: network(t, d, b), (d,), (pull(v)[0],))[1]
        return t.vmap(push)(t.eye(2, dtype=t.float64))
    return t.vmap(t.vmap(one, (None, 0)), (0, None))(y, y[:2])


def meta_loss(t, F, d, y, steps=2):
    def inner(a, b):
        e = d
        for _ in range(steps):
            g = F.grad(lambda e: ((network(t, e, a) - b) ** 2).mean())(e)
            e = {k: e[k] - 0.1 * g[k] for k in e}
        return ((network(t, e, a * 0.5) - b) ** 2).mean()
    return t.vmap(inner)(y.reshape(2, 2, 3), y.reshape(2, 2, 3)[..., :2]).mean()


def implicit(t, F, x):
    z = x
    for _ in range(60):
        z = t.cos(z * 0.5) * x * 0.3 + 0.2

    def f(z, x):
        return t.cos(z * 0.5) * x * 0.3 + 0.2 - z

    return -t.linalg.solve(F.jacrev(f, 0)(z, x), F.jacrev(f, 1)(z, x))


def fixed_point(t):
    class Fixed(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            z = x
            for _ in range(60):
                z = t.cos(z * 0.5) * x * 0.3 + 0.2
            ctx.save_for_backward(x, z)
            return z

        @staticmethod
        def backward(ctx, g):
            x, z = ctx.saved_tensors
            return g * (t.cos(z * 0.5) * 0.3) / (1 + t.sin(z * 0.5) * 0.5 * x * 0.3)
    return Fixed


def unrolled(t, x):
    z = x
    for _ in range(10):
        z = t.cos(z * 0.5) * x * 0.3 + 0.2
    return z


def newton(t, F, x):
    def f(a):
        return (a ** 4).sum() + (a * a.roll(1, 0)).sum() + a.exp().sum()

    for _ in range(5):
        x = x - t.linalg.solve(F.hessian(f)(x), F.grad(f)(x))
    return x


def ensemble(t, F, y):
    ms = [weights(t, seed=i) for i in range(3)]
    st = {k: t.stack([m[k] for m in ms]) for k in ms[0]}
    outputs = t.vmap(lambda d, a: network(t, d, a), (0, None))(st, y), t.vmap(lambda d, a: network(t, d, a))(st, y[:3])
    return *outputs, t.vmap(F.grad(lambda d, a: network(t, d, a).square().sum()), (0, None))(st, y)


def trained_ensemble(t, F, y):
    ms = [weights(t, seed=i) for i in range(3)]
    st = {k: t.stack([m[k] for m in ms]) for k in ms[0]}
    for _ in range(3):
        g = t.vmap(F.grad(lambda d, a: network(t, d, a).square().sum()), (0, None))(st, y)
        st = {k: st[k] - 0.1 * g[k] for k in st}
    return st


def recurrence(t, a):
    W = normal(t, 8, 3)
    U = normal(t, 8, 2, seed=2)
    h = t.zeros(2, dtype=t.float64)
    c = h
    for k in range(3):
        i, f, g, o = (W @ (a * k) + U @ h).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return h


def changed(m):
    m.squeeze_(-1).unsqueeze_(0).transpose_(-1, -2)
    return m.mul_(2).squeeze_()


def written(a):
    b = a.clone()
    b[0] = a[1] * 2
    b[1:] += 1
    return b


def module(t):
    m = t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2)).double()
    with t.no_grad():
        for i, q in enumerate(m.parameters()):
            q.copy_(normal(t, *q.shape, seed=i) * 0.4)
    return m


def called(t, F, y):
    m = module(t)
    d = dict(m.named_parameters())
    return t.vmap(F.grad(lambda d, a: F.functional_call(m, d, (a,)).square().sum()), (None, 0))({k: v.detach() for k, v in d.items()}, y)


def called_hessian(t, F, y):
    m = module(t)
    d = {k: v.detach() for k, v in m.named_parameters()}
    h = F.hessian(lambda d: F.functional_call(m, d, (y,)).square().mean())(d)
    return (h["2.bias"]["2.bias"], h["0.weight"]["2.bias"])


def called_jvp(t, F, y):
    m = module(t)
    d = {k: v.detach() for k, v in m.named_parameters()}
    return F.jvp(lambda d: F.functional_call(m, d, (y,)), (d,), ({k: v.cos() for k, v in d.items()},))


PROGRAMS = {
    "hvp fwd over rev": lambda t, F, x, y: F.jvp(F.grad(wave), (x,), (x * 2,))[1],
    "hvp rev over rev": lambda t, F, x, y: F.vjp(F.grad(wave), x)[1](x * 2),
    "hvp rev over fwd": lambda t, F, x, y: F.grad(lambda a: F.jvp(wave, (a,), (x * 2,))[1])(x),
    "hvp fwd over fwd": lambda t, F, x, y: F.jvp(lambda a: F.jvp(wave, (a,), (x,))[1], (x,), (x * 2,))[1],
    "jvp3": lambda t, F, x, y: F.jvp(lambda a: F.jvp(lambda b: F.jvp(lambda c: c.sin() * c, (b,), (x,))[1], (a,), (x,))[1], (x,), (x,)),
    "vmap hvp": lambda t, F, x, y: t.vmap(lambda v: F.jvp(F.grad(wave), (x,), (v,))[1])(y),
    "vmap hvp both": lambda t, F, x, y: t.vmap(lambda a, v: F.jvp(F.grad(wave), (a,), (v,))[1])(y, y * 2),
    "hessian mlp": lambda t, F, x, y: F.hessian(lambda d: network(t, d, x).sum())(weights(t, (3, 2, 1)))["w0"],
    "hessian vmapped mlp": lambda t, F, x, y: t.vmap(F.hessian(lambda a: network(t, weights(t, (3, 4, 1)), a).sum()))(y),
    "laplacian": lambda t, F, x, y: t.vmap(lambda a: t.trace(F.hessian(lambda b: network(t, weights(t, (3, 4, 1)), b)[0])(a)))(y),
    "divergence": lambda t, F, x, y: t.vmap(lambda a: F.jacrev(lambda b: network(t, weights(t, (3, 4, 3)), b))(a).trace())(y),
    "hutchinson": lambda t, F, x, y: t.vmap(lambda a, e: (F.vjp(lambda b: network(t, weights(t, (3, 4, 3)), b), a)[1](e)[0] * e).sum())(y, y.sign()),
    "jac fwd rev": lambda t, F, x, y: F.jacfwd(F.jacrev(lambda a: a ** 3))(x),
    "jac rev fwd": lambda t, F, x, y: F.jacrev(F.jacfwd(lambda a: a ** 3 * a.sum()))(x),
    "jac fwd fwd fwd": lambda t, F, x, y: F.jacfwd(F.jacfwd(F.jacfwd(lambda a: (a ** 4).sum() * a[0])))(x),
    "jac rev3": lambda t, F, x, y: F.jacrev(F.jacrev(F.jacrev(lambda a: (a ** 4).sum() * a[0])))(x),
    "per sample grads mlp": lambda t, F, x, y: (
        t.vmap(F.grad(lambda d, a, b: ((network(t, d, a) - b) ** 2).mean()), in_dims=(None, 0, 0))(weights(t), y, y[:, :2])),
    "per sample norm clip": lambda t, F, x, y: clipped(t, F, y),
    "ntk": lambda t, F, x, y: tangent_kernel(t, F, y),
    "ntk vps": lambda t, F, x, y: tangent_kernel_by_products(t, F, y),
    "maml": lambda t, F, x, y: F.grad(lambda d: meta_loss(t, F, d, y))(weights(t)),
    "maml value": lambda t, F, x, y: meta_loss(t, F, weights(t), y),
    "maml aux": lambda t, F, x, y: F.grad_and_value(lambda d: (meta_loss(t, F, d, y, 1), d["w0"] * 2), has_aux=True)(weights(t)),
    "reptile jac": lambda t, F, x, y: F.jacrev(lambda lr: x - lr * F.grad(wave)(x))(t.tensor(0.1, dtype=t.float64)),
    "implicit diff": lambda t, F, x, y: implicit(t, F, x),
    "implicit function": lambda t, F, x, y: t.autograd.grad(fixed_point(t).apply(x.requires_grad_()).sum(), x),
    "unrolled": lambda t, F, x, y: F.jacfwd(lambda x: unrolled(t, x))(x),
    "newton": lambda t, F, x, y: newton(t, F, x),
    "gauss newton": lambda t, F, x, y: (lambda J: J.T @ J)(F.jacrev(lambda a: (y @ a).tanh())(x)),
    "fisher": lambda t, F, x, y: t.vmap(lambda a: (lambda g: t.outer(g, g))(F.grad(lambda w: t.log_softmax(y @ w, 0)[0])(a)))(y).mean(0),
    "ensemble": lambda t, F, x, y: ensemble(t, F, y),
    "ensemble train": lambda t, F, x, y: trained_ensemble(t, F, y),
    "lstm cell": lambda t, F, x, y: t.vmap(F.grad(lambda a: recurrence(t, a).sum()))(y),
    "attention per sample": lambda t, F, x, y: (
        t.vmap(F.grad(lambda a: t.nn.functional.scaled_dot_product_attention(a[None], a[None] * 2, a[None]).sum()))(normal(t, 2, 4, 3))),
    "attention jvp": lambda t, F, x, y: F.jvp(lambda a: t.softmax(a @ a.T / 3 ** 0.5, -1) @ a, (y,), (y * 2,)),
    "layer norm jac": lambda t, F, x, y: t.vmap(F.jacrev(lambda a: t.nn.functional.layer_norm(a, (3,))))(y),
    "layer norm jacfwd": lambda t, F, x, y: t.vmap(F.jacfwd(lambda a: t.nn.functional.layer_norm(a, (3,))))(y),
    "conv grads": lambda t, F, x, y: (
        t.vmap(F.grad(lambda w, a: t.nn.functional.conv2d(a[None], w).relu().sum()), (None, 0))(normal(t, 2, 1, 2, 2), normal(t, 3, 1, 4, 4))),
    "conv grads own weights": lambda t, F, x, y: (
        t.vmap(F.grad(lambda w, a: t.nn.functional.conv2d(a[None], w).sin().sum()))(normal(t, 3, 2, 1, 2, 2), normal(t, 3, 1, 4, 4))),
    "conv jvp": lambda t, F, x, y: (
        F.jvp(lambda w, a: t.nn.functional.conv2d(a, w), (normal(t, 2, 1, 2, 2), normal(t, 3, 1, 4, 4)),
              (normal(t, 2, 1, 2, 2, seed=3), normal(t, 3, 1, 4,
        4, seed=4)))),
    "maxpool hessian": lambda t, F, x, y: F.hessian(lambda a: t.nn.functional.max_pool2d((a ** 3)[None], 2).sum())(normal(t, 2, 4)),
    "batch norm": lambda t, F, x, y: t.vmap(lambda a: t.nn.functional.batch_norm(a, None, None, training=True))(normal(t, 2, 4, 3)),
    "group norm": lambda t, F, x, y: t.vmap(F.grad(lambda a: (t.nn.functional.group_norm(a, 2) ** 3).sum()))(normal(t, 2, 3, 4, 5)),
    "embedding": lambda t, F, x, y: (
        t.vmap(F.grad(lambda w, i: t.nn.functional.embedding(i, w).sin().sum()), (None, 0))(y, t.tensor([[0, 1], [2, 2], [3, 0]]))),
    "cross entropy": lambda t, F, x, y: t.vmap(F.grad(lambda a, i: t.nn.functional.cross_entropy(a[None], i[None])))(y, t.tensor([0, 1, 2, 0])),
    "cross entropy 1d": lambda t, F, x, y: t.vmap(F.grad(lambda a, i: t.nn.functional.cross_entropy(a, i)))(y, t.tensor([0, 1, 2, 0])),
    "bce hess": lambda t, F, x, y: F.hessian(lambda w: t.nn.functional.binary_cross_entropy_with_logits(y @ w, t.ones(4, dtype=t.float64)))(x),
    "cholesky jac": lambda t, F, x, y: F.jacrev(lambda a: t.linalg.cholesky(a @ a.T + t.eye(4, dtype=t.float64)))(y),
    "cholesky jvp": lambda t, F, x, y: F.jvp(lambda a: t.linalg.cholesky(a @ a.T + t.eye(4, dtype=t.float64)), (y,), (y * 0.3,)),
    "solve jvp": lambda t, F, x, y: (
        F.jvp(lambda a, b: t.linalg.solve(a, b), (normal(t, 3, 3) + 4 * t.eye(3, dtype=t.float64), x), (normal(t, 3, 3, seed=5), x))),
    "solve vmap": lambda t, F, x, y: t.vmap(t.linalg.solve, (None, 0))(normal(t, 3, 3) + 4 * t.eye(3, dtype=t.float64), y),
    "inv hess": lambda t, F, x, y: F.hessian(lambda a: t.linalg.inv(a + 3 * t.eye(2, dtype=t.float64)).sum())(normal(t, 2, 2)),
    "eigh grads": lambda t, F, x, y: t.vmap(F.grad(lambda a: (t.linalg.eigvalsh(a + a.T) ** 2).sum()))(normal(t, 2, 3, 3)),
    "eigh jvp": lambda t, F, x, y: F.jvp(lambda a: t.linalg.eigh(a + a.T)[0], (normal(t, 3, 3),), (normal(t, 3, 3, seed=3),)),
    "svd jvp": lambda t, F, x, y: F.jvp(lambda a: t.linalg.svdvals(a), (y,), (y.cos(),)),
    "logdet hess": lambda t, F, x, y: F.hessian(lambda a: t.logdet(a @ a.T + t.eye(2, dtype=t.float64)))(normal(t, 2, 2)),
    "slogdet vmap": lambda t, F, x, y: t.vmap(F.grad(lambda a: t.linalg.slogdet(a)[1]))(normal(t, 2, 3, 3)),
    "matrix exp jvp": lambda t, F, x, y: F.jvp(t.matrix_exp, (normal(t, 3, 3),), (normal(t, 3, 3, seed=9),)),
    "qr jvp": lambda t, F, x, y: F.jvp(lambda a: t.linalg.qr(a)[1].abs(), (y,), (y.sin(),)),
    "cumprod jac": lambda t, F, x, y: F.jacfwd(lambda a: a.cumprod(0))(x),
    "sort jac": lambda t, F, x, y: F.jacrev(lambda a: a.sort()[0] ** 2)(x),
    "logsumexp hess": lambda t, F, x, y: F.hessian(lambda a: a.logsumexp(0))(x),
    "norm hess": lambda t, F, x, y: F.hessian(lambda a: a.norm())(x),
    "norm zero": lambda t, F, x, y: F.grad(lambda a: a.norm())(x * 0),
    "norm zero jvp": lambda t, F, x, y: F.jvp(lambda a: a.norm(), (x * 0,), (x,)),
    "std const jvp": lambda t, F, x, y: F.jvp(lambda a: a.std(), (x * 0 + 1,), (x,)),
    "where jvp": lambda t, F, x, y: F.jvp(lambda a: t.where(a > 1, a.sqrt(), a * 0), (x * 0,), (x,)),
    "einsum": lambda t, F, x, y: F.jacrev(lambda a: t.einsum("ij,kj->ik", a, a))(y[:2]),
    "fft jvp": lambda t, F, x, y: F.jvp(lambda a: t.fft.rfft(a).abs(), (x,), (x * 2,)),
    "complex grad": lambda t, F, x, y: F.grad(lambda a: (a * t.tensor(1 + 2j, dtype=t.complex128)).abs().sum())(x),
    "scatter vmap": lambda t, F, x, y: (
        t.vmap(lambda a, i: t.zeros(5, dtype=t.float64).scatter(0, i, a))(y, t.tensor([[0, 1, 2], [2, 3, 4], [1, 0, 4], [4, 3, 0]]))),
    "scatter_add": lambda t, F, x, y: (
        t.vmap(lambda a, i: a.new_zeros(5).scatter_add(0, i, a))(y, t.tensor([[0, 1, 1], [2, 3, 4], [1, 0, 4], [4, 3, 0]]))),
    "index_add": lambda t, F, x, y: t.vmap(lambda a: a.new_zeros(5).index_add(0, t.tensor([0, 2, 2]), a))(y),
    "advanced index": lambda t, F, x, y: t.vmap(lambda a, i: a[i])(y, t.tensor([0, 1, 2, 0])),
    "setitem": lambda t, F, x, y: t.vmap(seti)(y),
    "vmap in vmap grad": lambda t, F, x, y: t.vmap(lambda a: t.vmap(F.grad(lambda b: (a * b).sin().sum()))(y))(y),
    "grad through vmap": lambda t, F, x, y: F.grad(lambda w: t.vmap(lambda a: (a * w).tanh().sum())(y).prod())(x),
    "jacrev chunk": lambda t, F, x, y: F.jacrev(lambda a: y @ a, chunk_size=2)(x),
    "jacrev argnums": lambda t, F, x, y: F.jacrev(lambda a, b: (a * b[:, 0][:3], b.sum()), argnums=(0, 1))(x, y),
    "jacfwd argnums": lambda t, F, x, y: F.jacfwd(lambda a, b: {"u": a * b[:3, 0], "v": b.sum()}, argnums=(0, 1))(x, y),
    "jac aux": lambda t, F, x, y: F.jacfwd(lambda a: (a ** 2, a * 3), has_aux=True)(x),
    "linearize mlp": lambda t, F, x, y: t.vmap(F.linearize(lambda a: network(t, weights(t), a), x)[1])(y),
    "vjp tree": lambda t, F, x, y: F.vjp(lambda d: {"o": network(t, d, y)}, weights(t))[1]({"o": y[:, :2]}),
    "functional call": lambda t, F, x, y: called(t, F, y),
    "functional hess": lambda t, F, x, y: called_hessian(t, F, y),
    "functional jvp": lambda t, F, x, y: called_jvp(t, F, y),
    "dropout same": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.nn.functional.dropout(a, 0.5), randomness="same")(y))[1],
    "dropout different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.nn.functional.dropout(a, 0.5), randomness="different")(y))[1],
    "randn different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: a + t.randn(3), randomness="different")(y))[1],
    "randn different 5": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randn(5), randomness="different")(y))[1],
    "randn different 20": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randn(20), randomness="different")(y))[1],
    "randn_like different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randn_like(a), randomness="different")(normal(t, 6, 5)))[1],
    "normal_ different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: a.clone().normal_(), randomness="different")(normal(t, 6, 5)))[1],
    "bernoulli different": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(lambda a: t.bernoulli(a.sigmoid()), randomness="different")(normal(t, 6, 5)))[1]),
    "randperm different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randperm(5), randomness="different")(normal(t, 6, 5)))[1],
    "randint different": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(lambda a: t.randint(0, 100, (5,)), randomness="different")(normal(t, 6, 5)))[1]),
    "multinomial different": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(lambda a: t.multinomial(a.softmax(0), 3, replacement=True), randomness="different")(normal(t, 6, 5)))[1]),
    "rand chunk same": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.rand(3), randomness="same", chunk_size=2)(y))[1],
    "rand chunk same 3": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(lambda a: (t.rand(3), t.randn(17)), randomness="same", chunk_size=3)(y))[1]),
    "rand chunk different": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.rand(3), randomness="different", chunk_size=3)(y))[1],
    "rand chunk after": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.rand(3), randomness="same", chunk_size=2)(y), t.rand(3))[1:],
    "jacfwd random same": lambda t, F, x, y: (t.manual_seed(0), F.jacfwd(lambda a: a * t.rand(3), randomness="same")(x))[1],
    "jacfwd random different": lambda t, F, x, y: (t.manual_seed(0), F.jacfwd(lambda a: a * t.rand(3), randomness="different")(x))[1],
    "jacfwd random error": lambda t, F, x, y: (t.manual_seed(0), F.jacfwd(lambda a: a * t.rand(3))(x))[1],
    "jacfwd random bad": lambda t, F, x, y: F.jacfwd(lambda a: a, randomness="x")(x),
    "jacfwd dropout different": lambda t, F, x, y: (
        (t.manual_seed(0), F.jacfwd(lambda a: t.nn.functional.dropout(a), randomness="different")(x))[1]),
    "jacfwd dropout same": lambda t, F, x, y: (t.manual_seed(0), F.jacfwd(lambda a: t.nn.functional.dropout(a), randomness="same")(x))[1],
    "jacrev dropout": lambda t, F, x, y: (t.manual_seed(0), F.jacrev(lambda a: t.nn.functional.dropout(a))(x))[1],
    "hessian dropout": lambda t, F, x, y: (t.manual_seed(0), F.hessian(lambda a: t.nn.functional.dropout(a).sum())(x))[1],
    "out_dims none": lambda t, F, x, y: t.vmap(lambda a: a * 2, out_dims=None)(y),
    "out_dims none ok": lambda t, F, x, y: t.vmap(lambda a: (a * 2, x), out_dims=(0, None))(y),
    "out_dims 1": lambda t, F, x, y: t.vmap(lambda a: a * 2, out_dims=1)(y),
    "out_dims -1": lambda t, F, x, y: t.vmap(lambda a: a[:, None] * a, out_dims=-1)(y),
    "out_dims str": lambda t, F, x, y: t.vmap(lambda a: a * 2, out_dims="x")(y),
    "out_dims tuple": lambda t, F, x, y: t.vmap(lambda a: (a, a), out_dims=(0,))(y),
    "out_dims dict": lambda t, F, x, y: t.vmap(lambda a: {"a": a}, out_dims={"a": 1})(y),
    "index_put": lambda t, F, x, y: t.vmap(lambda a, i: a.index_put((i,), a[:2]))(y, t.tensor([[0, 1], [1, 2], [2, 0], [0, 2]])),
    "index_put acc": lambda t, F, x, y: (
        t.vmap(lambda a, i: t.index_put(a, (i,), a[:2], accumulate=True))(y, t.tensor([[0, 0], [1, 2], [2, 0], [0, 2]]))),
    "index_put grad": lambda t, F, x, y: (
        t.vmap(F.grad(lambda a, i: (a.index_put((i,), a[:2] ** 2) ** 2).sum()))(y, t.tensor([[0, 1], [1, 2], [2, 0], [0, 2]]))),
    "index_put_ out": lambda t, F, x, y: (
        t.vmap(lambda a, i: a.clone().index_put_((i,), t.tensor(9.0, dtype=t.float64)))(y, t.tensor([[0, 1], [1, 2], [2, 0], [0, 2]]))),
    "max_unpool": lambda t, F, x, y: (
        t.vmap(lambda a: t.nn.functional.max_unpool2d(*t.nn.functional.max_pool2d(a, 2, return_indices=True), 2))(normal(t, 2, 1, 1, 4, 4))),
    "max_unpool1d": lambda t, F, x, y: (
        t.vmap(lambda a: t.nn.functional.max_unpool1d(*t.nn.functional.max_pool1d(a, 2, return_indices=True), 2))(normal(t, 2, 1, 4))),
    "shapes in place": lambda t, F, x, y: t.vmap(lambda m: changed(m.clone()))(normal(t, 2, 3, 4, 1)),
    "shapes in place, columns": lambda t, F, x, y: t.vmap(lambda m: changed(m.clone()) + 1, in_dims=1)(normal(t, 3, 2, 4, 1)),
    "turned in place": lambda t, F, x, y: t.vmap(F.grad(lambda m: ((m * 1).t_() * m.T).sin().sum()))(normal(t, 2, 3, 3)),
    "t_ of three dimensions": lambda t, F, x, y: t.vmap(lambda m: m.clone().t_())(normal(t, 2, 3, 3, 2)),
    "weights of cross_entropy": lambda t, F, x, y: F.grad(lambda w: t.nn.functional.cross_entropy(y, y.softmax(1), w, label_smoothing=0.1))(x),
    "weights of classes": lambda t, F, x, y: F.grad(lambda w: t.nn.functional.cross_entropy(y, t.tensor([0, 1, 2, 0]), w))(x),
    "xlogy without a gradient": lambda t, F, x, y: F.grad(lambda a: (t.xlogy(a, x * 0) * x.new_zeros(3)).sum())(x),
    "as_strided": lambda t, F, x, y: t.vmap(lambda a: a.as_strided((2, 2), (1, 1), 0))(y),
    "bias alone": lambda t, F, x, y: t.vmap(lambda b: t.nn.functional.linear(y, y, b))(normal(t, 2, 4)),
    "bias of a vector": lambda t, F, x, y: t.vmap(lambda b: t.nn.functional.linear(x, y, b))(normal(t, 2, 4)),
    "shapes of numbers in place": lambda t, F, x, y: t.vmap(lambda b: b.clone().transpose_(0, 0).squeeze_(0).squeeze_().t_())(x),
    "cat of nothing": lambda t, F, x, y: t.vmap(lambda a: t.cat([a[:0], a[:, None] * a], 1))(y),
    "as_strided of columns": lambda t, F, x, y: t.vmap(lambda a: a.as_strided((2, 2), (3, 6)), in_dims=1)(y),
    "multi_margin_loss": lambda t, F, x, y: t.vmap(lambda a, i: t.nn.functional.multi_margin_loss(a, i))(y, t.tensor([0, 2, 1, 1])),
    "multilabel_margin_loss": lambda t, F, x, y: (
        t.vmap(F.grad(lambda a, i: t.nn.functional.multilabel_margin_loss(a, i)))(y, t.tensor([[0, -1, 1]]).repeat(4, 1))),
    "embedding_bag": lambda t, F, x, y: t.vmap(lambda i: t.nn.functional.embedding_bag(i, y))(t.tensor([[[0, 1], [2, 2]], [[3, 0], [1, 1]]])),
    "ctc_loss": lambda t, F, x, y: (
        t.vmap(lambda a, i: t.nn.functional.ctc_loss(a.log_softmax(-1), i, t.tensor(4), t.tensor(2)))(
            normal(t, 2, 4, 3), t.tensor([[1, 2], [2, 2]]))),
}


def leaves(value):
    value = tuple(value.values()) if isinstance(value, dict) else value
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, (tuple, list)) else [value]


def outcome(program, t):
    x, y = normal(t, 3, seed=0).abs() + 0.5, normal(t, 4, 3, seed=1).abs() + 0.5
    try:
        found = program(t, t.func, x, y)
    except Exception as error:
        return type(error).__name__, str(error)
    return [(tuple(v.shape), str(v.dtype), v.requires_grad, np.array(v.tolist())) if hasattr(v, "shape") else (v,) for v in leaves(found)]


def check_same_outcome(program):
    """Values, shapes and dtypes, or the class of the error; returns both messages of an error, else None."""
    mine, theirs = outcome(program, fastgrad), outcome(program, torch)
    assert type(mine) is type(theirs), (mine, theirs)
    if isinstance(theirs, tuple):
        assert mine[0] == theirs[0]
        return mine[1], theirs[1]
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs):
        assert a[:3] == b[:3]
        if len(b) > 1:
            np.testing.assert_allclose(a[3], b[3], rtol=1e-8, atol=1e-10)
    return None


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name):
    messages = check_same_outcome(PROGRAMS[name])
    assert messages is None or messages[0][:80] == messages[1][:80]
