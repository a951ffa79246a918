"""What transforms take and give, also at the edges: structures, dtypes, draws, refusals; and programs of physics and optimization.

All of it as torch.func does it: values, shapes and classes of errors.
"""

import pytest

from tests.func.test_programs import check_same_outcome, module, network, normal, wave, weights


def partly_constant(t, a):
    with t.no_grad():
        b = a * 2
    return (a * b).sum()


def without_outer_graph(t, F, x):
    with t.no_grad():
        return F.grad(lambda a: partly_constant(t, a))(x)


def cube(t):
    return normal(t, 2, 3, 4)


def ensemble(t, F, y):
    ms = [module(t) for _ in range(2)]
    p, b = F.stack_module_state(ms)
    return t.vmap(lambda p, b, a: F.functional_call(ms[0], (p, b), (a,)), (0, 0, None))(p, b, y).detach()


def descended(t, F, x, lr):
    for _ in range(3):
        x = x - lr * F.grad(wave)(x)
    return x


def euler(t, a):
    for _ in range(5):
        a = a + 0.1 * t.tanh(a * a.sum())
    return a


def conjugate_gradients(t, F, x):
    def f(a):
        return (a ** 4).sum() + (a * a.roll(1, 0)).sum() + a.exp().sum()

    g = F.grad(f)(x)
    z = t.zeros_like(x)
    r = g
    p = r
    for _ in range(3):
        hp = F.jvp(F.grad(f), (x,), (p,))[1]
        al = r @ r / (p @ hp)
        z = z + al * p
        rn = r - al * hp
        p = rn + rn @ rn / (r @ r) * p
        r = rn
    return z


def acceleration(t, F, q):
    def Lg(q, v):
        return (v ** 2 * (1 + q ** 2)).sum() / 2 - (1 - q.cos()).sum()

    v = q * 0.3
    M = F.hessian(Lg, 1)(q, v)
    g = F.grad(Lg, 0)(q, v)
    C = F.jacrev(F.jacrev(Lg, 1), 0)(q, v)
    return t.linalg.solve(M, g - C @ v)


def directional(t, F, x, k):
    def f(a):
        return (a.sin() * a.exp()).sum()

    for _ in range(k):
        f = (lambda f: lambda a: F.jvp(f, (a,), (x,))[1])(f)
    return f(x)


PROGRAMS = {
    "jvp wrong shape": lambda t, F, x, y: F.jvp(t.sin, (x,), (y,)),
    "jvp wrong dtype": lambda t, F, x, y: F.jvp(t.sin, (x,), (x.float(),)),
    "jvp int": lambda t, F, x, y: F.jvp(t.sin, (t.arange(3),), (x,)),
    "jvp not tuple": lambda t, F, x, y: F.jvp(t.sin, x, x),
    "jvp empty": lambda t, F, x, y: F.jvp(lambda: x, (), ()),
    "jvp nontensor": lambda t, F, x, y: F.jvp(lambda a: a * 2, (3.0,), (x,)),
    "jvp nontensor tangent": lambda t, F, x, y: F.jvp(lambda a: a * 2, (x,), (3.0,)),
    "jvp const out": lambda t, F, x, y: F.jvp(lambda a: x * 2, (x,), (x,)),
    "jvp strict const": lambda t, F, x, y: F.jvp(lambda a: x * 2, (x,), (x,), strict=True),
    "jvp out nontensor": lambda t, F, x, y: F.jvp(lambda a: 3.0, (x,), (x,)),
    "jvp out none": lambda t, F, x, y: F.jvp(lambda a: None, (x,), (x,)),
    "jvp out list": lambda t, F, x, y: F.jvp(lambda a: [a, a * 2], (x,), (x,)),
    "jvp out dict": lambda t, F, x, y: F.jvp(lambda a: {"q": a * 2}, (x,), (x,)),
    "jvp tree in": lambda t, F, x, y: F.jvp(lambda d: d["a"] * d["b"], ({"a": x, "b": x},), ({"a": x, "b": x * 2},)),
    "jvp tree mismatch": lambda t, F, x, y: F.jvp(lambda d: d["a"], ({"a": x},), ({"b": x},)),
    "jvp lens": lambda t, F, x, y: F.jvp(lambda a, b: a, (x, x), (x,)),
    "jvp aux": lambda t, F, x, y: F.jvp(lambda a: (a * 2, {"k": a}), (x,), (x,), has_aux=True),
    "jvp aux bad": lambda t, F, x, y: F.jvp(lambda a: a * 2, (x,), (x,), has_aux=True),
    "jvp id": lambda t, F, x, y: F.jvp(lambda a: a, (x,), (x * 3,)),
    "jvp view out": lambda t, F, x, y: F.jvp(lambda a: a[1:], (x,), (x * 3,)),
    "jvp inplace": lambda t, F, x, y: F.jvp(lambda a: (a * 1).mul_(a), (x,), (x,)),
    "jvp requires": lambda t, F, x, y: F.jvp(lambda a: a ** 2, (x.requires_grad_(),), (x.detach(),)),
    "jvp tangent requires": lambda t, F, x, y: F.jvp(lambda a: a ** 2, (x,), (x.clone().requires_grad_(),)),
    "jvp int out": lambda t, F, x, y: F.jvp(lambda a: (a > 1, a.argmax(), a * 2), (x,), (x,)),
    "vjp wrong struct": lambda t, F, x, y: F.vjp(lambda a: (a, a), x)[1](x),
    "vjp wrong shape": lambda t, F, x, y: F.vjp(lambda a: a, x)[1](y),
    "vjp two": lambda t, F, x, y: F.vjp(lambda a, b: a @ b, y, x)[1](y[:, 0]),
    "vjp none": lambda t, F, x, y: F.vjp(lambda a: a),
    "vjp int in": lambda t, F, x, y: F.vjp(lambda a: a * 2, t.arange(3)),
    "vjp const": lambda t, F, x, y: F.vjp(lambda a: x * 2, x)[1](x),
    "vjp unused arg": lambda t, F, x, y: F.vjp(lambda a, b: a * 2, x, y)[1](x),
    "vjp int out": lambda t, F, x, y: F.vjp(lambda a: a.argmax(), x)[1](t.tensor(1)),
    "vjp twice": lambda t, F, x, y: (lambda f: (f(x), f(x * 2)))(F.vjp(t.exp, x)[1]),
    "vjp aux": lambda t, F, x, y: (lambda r: (r[0], r[1](x), r[2]))(F.vjp(lambda a: (a.exp(), [a]), x, has_aux=True)),
    "vjp vmap": lambda t, F, x, y: t.vmap(lambda a: F.vjp(t.exp, a)[1](a))(y),
    "grad int": lambda t, F, x, y: F.grad(lambda a: a.sum())(t.arange(3)),
    "grad none": lambda t, F, x, y: F.grad(lambda a: None)(x),
    "grad float": lambda t, F, x, y: F.grad(lambda a: 3.0)(x),
    "grad tuple out": lambda t, F, x, y: F.grad(lambda a: (a.sum(),))(x),
    "grad argnums neg": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums=-1)(x, y),
    "grad argnums big": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums=3)(x, y),
    "grad argnums dup": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums=(0, 0))(x, y),
    "grad argnums str": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums="a")(x, y),
    "grad argnums empty": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums=())(x, y),
    "grad kwargs": lambda t, F, x, y: F.grad(lambda a, k=1: (a * k).sum())(x, k=x),
    "grad nontensor arg": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum())(x, 3),
    "grad nontensor wrt": lambda t, F, x, y: F.grad(lambda a, b: (a * b).sum(), argnums=1)(x, 3),
    "grad aux requires": lambda t, F, x, y: F.grad(lambda a: (a.sum(), a * 2), has_aux=True)(x)[1].requires_grad,
    "grad complex out": lambda t, F, x, y: F.grad(lambda a: (a * 1j).sum())(x),
    "grad complex in": lambda t, F, x, y: F.grad(lambda a: (a.abs() ** 2).sum())(t.complex(x, x)),
    "grad detach": lambda t, F, x, y: F.grad(lambda a: (a.detach() * a).sum())(x),
    "grad nograd": lambda t, F, x, y: F.grad(lambda a: partly_constant(t, a))(x),
    "grad outer nograd": lambda t, F, x, y: without_outer_graph(t, F, x),
    "grad grad nograd": lambda t, F, x, y: F.grad(lambda a: F.grad(lambda b: partly_constant(t, b))(a).sum())(x),
    "grad inplace arg": lambda t, F, x, y: F.grad(lambda a: a.mul_(2).sum())(x),
    "grad autograd.grad inside": lambda t, F, x, y: F.grad(lambda a: t.autograd.grad((a ** 3).sum(), a, create_graph=True)[0].sum())(x),
    "jacrev none": lambda t, F, x, y: F.jacrev(lambda a: None)(x),
    "jacrev float": lambda t, F, x, y: F.jacrev(lambda a: 3.0)(x),
    "jacrev dict": lambda t, F, x, y: F.jacrev(lambda a: {"a": a, "b": [a.sum()]})(x),
    "jacrev const": lambda t, F, x, y: F.jacrev(lambda a: x)(x),
    "jacrev int out": lambda t, F, x, y: F.jacrev(lambda a: a.argmax())(x),
    "jacrev empty in": lambda t, F, x, y: F.jacrev(lambda a: a * 2)(x[:0]),
    "jacrev scalar": lambda t, F, x, y: F.jacrev(lambda a: a ** 2)(x[0]),
    "jacrev complex": lambda t, F, x, y: F.jacrev(lambda a: a ** 2)(t.complex(x, x)),
    "jacfwd complex": lambda t, F, x, y: F.jacfwd(lambda a: a ** 2)(t.complex(x, x)),
    "jacfwd const": lambda t, F, x, y: F.jacfwd(lambda a: x)(x),
    "jacfwd empty": lambda t, F, x, y: F.jacfwd(lambda a: a * 2)(x[:0]),
    "jacfwd int out": lambda t, F, x, y: F.jacfwd(lambda a: a > 1)(x),
    "jacfwd none": lambda t, F, x, y: F.jacfwd(lambda a: None)(x),
    "jacfwd argnums tuple": lambda t, F, x, y: F.jacfwd(lambda a, b: a * b, argnums=(1, 0))(x, x * 2),
    "jacrev chunk 1": lambda t, F, x, y: F.jacrev(lambda a: y @ a, chunk_size=1)(x),
    "jacrev chunk bad": lambda t, F, x, y: F.jacrev(lambda a: y @ a, chunk_size=0)(x),
    "jacrev prealloc": lambda t, F, x, y: F.jacrev(lambda a: y @ a, chunk_size=2, _preallocate_and_copy=True)(x),
    "hessian argnums": lambda t, F, x, y: F.hessian(lambda a, b: (a * b).sum() ** 2, argnums=(0, 1))(x, x * 2),
    "hessian aux none": lambda t, F, x, y: F.hessian(lambda a: (a ** 3).sum(), argnums=0)(x),
    "hessian dict": lambda t, F, x, y: F.hessian(lambda d: (d["a"] ** 2 * d["b"]).sum())({"a": x, "b": x}),
    "hessian vector out": lambda t, F, x, y: F.hessian(lambda a: a ** 3)(x),
    "linearize dict": lambda t, F, x, y: F.linearize(lambda d: d["a"] * 2, {"a": x})[1]({"a": x}),
    "linearize bad": lambda t, F, x, y: F.linearize(lambda a: a * 2, x)[1](x, x),
    "linearize bad shape": lambda t, F, x, y: F.linearize(lambda a: a * 2, x)[1](y),
    "vmap kwargs": lambda t, F, x, y: t.vmap(lambda a, b: a * b)(y, b=y),
    "vmap in_dims dict": lambda t, F, x, y: t.vmap(lambda d: d["a"] * d["b"], in_dims=({"a": 0, "b": None},))({"a": y, "b": x}),
    "vmap in_dims list": lambda t, F, x, y: t.vmap(lambda d: d[0] * d[1], in_dims=([0, None],))([y, x]),
    "vmap in_dims neg": lambda t, F, x, y: t.vmap(lambda a: a * 2, in_dims=-1)(y),
    "vmap in_dims bad neg": lambda t, F, x, y: t.vmap(lambda a: a * 2, in_dims=-3)(y),
    "vmap in_dims str": lambda t, F, x, y: t.vmap(lambda a: a * 2, in_dims="a")(y),
    "vmap in_dims float": lambda t, F, x, y: t.vmap(lambda a: a * 2, in_dims=(0.0,))(y),
    "vmap nontensor": lambda t, F, x, y: t.vmap(lambda a, b: a * b, in_dims=(0, None))(y, 3),
    "vmap nontensor in": lambda t, F, x, y: t.vmap(lambda a, b: a * b)(y, 3),
    "vmap 0d": lambda t, F, x, y: t.vmap(lambda a: a * 2)(x[0]),
    "vmap none arg": lambda t, F, x, y: t.vmap(lambda a, b: a * 2, in_dims=(0, None))(y, None),
    "vmap str out": lambda t, F, x, y: t.vmap(lambda a: "s")(y),
    "vmap none out": lambda t, F, x, y: t.vmap(lambda a: None)(y),
    "vmap tuple none out": lambda t, F, x, y: t.vmap(lambda a: (a, None))(y),
    "vmap mixed out": lambda t, F, x, y: t.vmap(lambda a: (a, x))(y),
    "vmap list out": lambda t, F, x, y: t.vmap(lambda a: [a, a.sum()])(y),
    "vmap out_dims list": lambda t, F, x, y: t.vmap(lambda a: [a, a[:, None]], out_dims=[0, -1])(y),
    "vmap out_dims neg": lambda t, F, x, y: t.vmap(lambda a: a, out_dims=-2)(y),
    "vmap out_dims big neg": lambda t, F, x, y: t.vmap(lambda a: a, out_dims=-3)(y),
    "vmap chunk": lambda t, F, x, y: t.vmap(lambda a: a.sum(), chunk_size=3)(y),
    "vmap chunk out": lambda t, F, x, y: t.vmap(lambda a: a * 2, chunk_size=3, out_dims=1)(y),
    "vmap chunk bad": lambda t, F, x, y: t.vmap(lambda a: a.sum(), chunk_size=-1)(y),
    "vmap empty": lambda t, F, x, y: t.vmap(lambda a: a.sum())(y[:0]),
    "vmap sizes": lambda t, F, x, y: t.vmap(lambda a, b: a)(y, x),
    "vmap while": lambda t, F, x, y: t.vmap(lambda a: a if a.any() else a)(y),
    "vmap len": lambda t, F, x, y: t.vmap(lambda a: a * len(a) * a.shape[0] * a.numel() * a.dim() * a.size(0))(y),
    "vmap iter": lambda t, F, x, y: t.vmap(lambda a: sum((v for v in a)))(y),
    "vmap unpack": lambda t, F, x, y: t.vmap(lambda a: (lambda p, q, r: p * q + r)(*a))(y),
    "vmap contiguous": lambda t, F, x, y: t.vmap(lambda a: t.tensor(float(a.is_contiguous())), in_dims=1)(y),
    "vmap stride": lambda t, F, x, y: t.vmap(lambda a: t.tensor(a.stride()), in_dims=1)(y),
    "vmap nested diff dims": lambda t, F, x, y: (
        t.vmap(t.vmap(lambda a, b: a * b, in_dims=(None, 0), out_dims=1), in_dims=(0, None), out_dims=-1)(y, y * 2)),
    "vmap nested3": lambda t, F, x, y: t.vmap(t.vmap(t.vmap(lambda a: a.sin() + 1)))(cube(t)),
    "vmap mask index": lambda t, F, x, y: t.vmap(lambda a: a[a > 1])(y),
    "vmap tolist": lambda t, F, x, y: t.vmap(lambda a: t.tensor(a.tolist()))(y),
    "vmap float()": lambda t, F, x, y: t.vmap(lambda a: a * float(a[0]))(y),
    "vmap print": lambda t, F, x, y: t.vmap(lambda a: (str(a), a)[1])(y),
    "vmap batchnorm module train": lambda t, F, x, y: t.vmap(lambda a: t.nn.BatchNorm1d(3).double()(a))(normal(t, 2, 4, 3)),
    "vmap batchnorm eval": lambda t, F, x, y: t.vmap(lambda a: t.nn.BatchNorm1d(3).double().eval()(a).detach())(normal(t, 2, 4, 3)),
    "vmap dropout error": lambda t, F, x, y: t.vmap(lambda a: t.nn.functional.dropout(a))(y),
    "vmap dropout eval": lambda t, F, x, y: t.vmap(lambda a: t.nn.functional.dropout(a, training=False))(y),
    "vmap rand same inplace": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: a.clone().uniform_(), randomness="same")(y))[1],
    "vmap rand different uncaptured inplace": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(lambda a: t.zeros(3).uniform_() + a, randomness="different")(y))[1]),
    "vmap rand generator": lambda t, F, x, y: t.vmap(lambda a: t.rand(3, generator=t.Generator().manual_seed(3)), randomness="same")(y),
    "vmap normal mean std": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.normal(a, 1.0), randomness="different")(y))[1],
    "vmap normal float": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.normal(0.0, 1.0, (5,)) + a[0], randomness="different")(y))[1],
    "vmap rand dtype kw": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.rand(2, 3, dtype=t.float64), randomness="different")(y))[1],
    "vmap rand size kw": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.rand(size=(2, 3)), randomness="different")(y))[1],
    "vmap randint kw": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randint(high=9, size=(2, 3)), randomness="different")(y))[1],
    "vmap randint one": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randint(9, (2, 3)), randomness="different")(y))[1],
    "vmap randn 16": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: t.randn(4, 4), randomness="different")(y))[1],
    "vmap randn scalar": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: a * t.randn(()), randomness="different")(y))[1],
    "vmap randn empty call": lambda t, F, x, y: (t.manual_seed(0), t.vmap(lambda a: a * t.randn([]), randomness="different")(y))[1],
    "vmap nested random": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(t.vmap(lambda a: a * t.rand(()), randomness="different"), randomness="different")(y))[1]),
    "vmap nested random same diff": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(t.vmap(lambda a: a * t.rand(()), randomness="same"), randomness="different")(y))[1]),
    "vmap nested random diff same": lambda t, F, x, y: (
        (t.manual_seed(0), t.vmap(t.vmap(lambda a: a * t.rand(()), randomness="different"), randomness="same")(y))[1]),
    "functionalize": lambda t, F, x, y: F.functionalize(lambda a: a.clone().add_(1))(x),
    "ensemble call": lambda t, F, x, y: ensemble(t, F, y),
    "sgd inner loop jac": lambda t, F, x, y: F.jacrev(lambda lr: descended(t, F, x, lr))(t.tensor(0.1, dtype=t.float64)),
    "sgd inner loop jacfwd": lambda t, F, x, y: F.jacfwd(lambda lr: descended(t, F, x, lr))(t.tensor(0.1, dtype=t.float64)),
    "ode adjoint": lambda t, F, x, y: F.vjp(lambda a: euler(t, a), x)[1](x),
    "ode jvp": lambda t, F, x, y: F.jvp(lambda a: euler(t, a), (x,), (x,)),
    "pinn": lambda t, F, x, y: (
        F.grad(lambda d: t.vmap(lambda s: F.grad(F.grad(lambda q: network(t, d, q[None].expand(3)).sum()))(s))(x).square().sum())(weights(t))),
    "score matching": lambda t, F, x, y: (
        F.grad(lambda d: t.vmap(lambda a: F.jacrev(lambda b: network(t, d, b))(a).diagonal().sum())(y).sum())(weights(t, (3, 4, 3)))),
    "normalizing flow": lambda t, F, x, y: (
        F.grad(lambda d: t.vmap(lambda a: t.linalg.slogdet(F.jacfwd(lambda b: network(t, d, b) + b)(a))[1])(y).sum())(weights(t, (3, 4, 3)))),
    "hvp cg": lambda t, F, x, y: conjugate_gradients(t, F, x),
    "influence": lambda t, F, x, y: (
        t.linalg.solve(F.hessian(lambda w: ((y @ w - 1) ** 2).sum() + (w ** 2).sum())(x),
        t.vmap(lambda a: F.grad(lambda w: (a @ w - 1) ** 2)(x))(y).T)),
    "lagrangian": lambda t, F, x, y: acceleration(t, F, x),
    "christoffel": lambda t, F, x, y: F.jacfwd(lambda a: t.diag(a ** 2) + t.outer(a, a))(x),
    "directional 4th": lambda t, F, x, y: directional(t, F, x, 4),
    "taylor mixed": lambda t, F, x, y: F.jacfwd(F.jacrev(F.jacfwd(lambda a: (a ** 3).sum() * a[0])))(x),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name):
    check_same_outcome(PROGRAMS[name])
