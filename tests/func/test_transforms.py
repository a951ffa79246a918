"""torch.func's programs, run in fastgrad and in PyTorch."""
import gc

import numpy as np
import pytest
import torch
import torch.func

import fastgrad
import fastgrad.func


def flat(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, (tuple, list)):
        return [leaf for one in value for leaf in flat(one)]
    return [value]


def run(program, library):
    rng = np.random.default_rng(0)
    x = library.tensor(rng.uniform(0.5, 2, 3))
    y = library.tensor(rng.uniform(0.5, 2, (4, 3)))
    try:
        value = program(library, library.func, x, y)
    except Exception as error:
        return type(error).__name__, str(error)
    return [(tuple(t.shape), str(t.dtype), t.requires_grad, np.array(t.tolist())) for t in flat(value)]


def both(program):
    ours, theirs = run(program, fastgrad), run(program, torch)
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, tuple):
        assert ours[0] == theirs[0], (ours, theirs)
        return
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a[:3] == b[:3]
        np.testing.assert_allclose(a[3], b[3], rtol=1e-9, atol=1e-12)


def network(t):
    w, b = t.linspace(-1, 1, 6, dtype=t.float64).reshape(2, 3), t.tensor([0.1, -0.2], dtype=t.float64)
    return {"w": w, "b": b}


def loss(t, p, x):
    return (t.tanh(t.nn.functional.linear(x, p["w"], p["b"])) ** 2).sum()


def inplace(x):
    out = x * 2
    out.add_(1)
    out[0] = x[1]
    return out


PROGRAMS = {
    "grad": lambda t, F, x, y: F.grad(lambda a: (a ** 3).sum())(x),
    "grad_argnums": lambda t, F, x, y: F.grad(lambda a, b: (b @ a).sum(), argnums=(0, 1))(x, y),
    "grad_aux": lambda t, F, x, y: F.grad(lambda a: ((a ** 3).sum(), a * 2), has_aux=True)(x),
    "grad_and_value": lambda t, F, x, y: F.grad_and_value(lambda a: a.exp().sum())(x),
    "grad_grad": lambda t, F, x, y: F.grad(F.grad(lambda a: a.sin()))(x[0]),
    "grad_three": lambda t, F, x, y: F.grad(F.grad(F.grad(lambda a: a.sin() * a)))(x[0]),
    "confusion": lambda t, F, x, y: F.grad(lambda a: a * F.grad(lambda b: a + b)(x[0]))(x[1]),
    "dict": lambda t, F, x, y: F.grad(lambda p: loss(t, p, x))(network(t)),
    "outer_graph": lambda t, F, x, y: F.grad(lambda a: (a ** 3).sum())(x.requires_grad_()),
    "no_outer": lambda t, F, x, y: F.grad(lambda a: (a ** 3).sum())(x),
    "vjp": lambda t, F, x, y: F.vjp(lambda a: (a.sin(), a.cos()), x)[1]((x, x)),
    "jvp": lambda t, F, x, y: F.jvp(lambda a, b: (b @ a, a.exp()), (x, y), (x, y)),
    "linearize": lambda t, F, x, y: F.linearize(lambda a: a.sin() * a, x)[1](x),
    "jacrev": lambda t, F, x, y: F.jacrev(lambda a: y @ a ** 2)(x),
    "jacfwd": lambda t, F, x, y: F.jacfwd(lambda a: y @ a ** 2)(x),
    "jacrev_dict": lambda t, F, x, y: F.jacrev(lambda p: p["w"] @ x + p["b"])(network(t)),
    "hessian": lambda t, F, x, y: F.hessian(lambda a: (a ** 3).sum() * a[0])(x),
    "hessian_rev": lambda t, F, x, y: F.jacrev(F.jacrev(lambda a: (a ** 3).sum() * a[0]))(x),
    "per_sample": lambda t, F, x, y: F.vmap(F.grad(lambda p, a: loss(t, p, a)), in_dims=(None, 0))(network(t), y),
    "vmap_jacrev": lambda t, F, x, y: F.vmap(F.jacrev(lambda a: a.sin() * a.sum()))(y),
    "vmap_hessian": lambda t, F, x, y: F.vmap(F.hessian(lambda a: (a ** 3).sum() * a[0]))(y),
    "hessian of binary_cross_entropy": lambda t, F, x, y: F.hessian(lambda p: t.nn.functional.binary_cross_entropy(p / 3, y[0] / 3))(x),
    "forward over forward": lambda t, F, x, y: F.jacfwd(F.jacfwd(lambda p: t.nn.functional.binary_cross_entropy(p / 3, y[0] / 3)))(x),
    "rfft": lambda t, F, x, y: t.view_as_real(F.vmap(lambda row: t.fft.rfft(row))(y)),
    "irfft": lambda t, F, x, y: F.vmap(lambda row: t.fft.irfft(t.fft.fft(row), n=4), in_dims=1)(y),
    "fft2 of slices": lambda t, F, x, y: F.vmap(lambda m: t.fft.fft2(m).abs(), in_dims=1)(t.stack([y, y * 2], 1)),
    "gradients of spectra": lambda t, F, x, y: F.vmap(F.grad(lambda row: t.fft.rfft(row).abs().sum()))(y),
    "a name the module has not": lambda t, F, x, y: F.functional_call(
        t.nn.Linear(3, 1, bias=False, dtype=t.float64), {"weight": x[None], "foo": x}, (y,)).detach(),
    "same geometric_": lambda t, F, x, y: t.manual_seed(3) and F.vmap(lambda a: a.clone().geometric_(0.3), randomness="same")(y),
    "same cauchy_": lambda t, F, x, y: t.manual_seed(3) and F.vmap(lambda a: a.clone().cauchy_(), randomness="same")(y),
    "same log_normal_": lambda t, F, x, y: t.manual_seed(3) and F.vmap(lambda a: a.clone().log_normal_(), randomness="same")(y),
    "vmap_jvp": lambda t, F, x, y: F.vmap(lambda a: F.jvp(t.sin, (a,), (a,))[1])(y),
    "grad_vmap": lambda t, F, x, y: F.grad(lambda a: F.vmap(lambda row: (row * a).sum() ** 2)(y).sum())(x),
    "vmap_vjp": lambda t, F, x, y: F.vmap(F.vjp(lambda a: a.exp(), x)[1])(y),
    "vmap_dot": lambda t, F, x, y: t.vmap(t.dot)(y, y),
    "vmap_dims": lambda t, F, x, y: F.vmap(lambda a, b: a * b, in_dims=(1, 0), out_dims=1)(y, x),
    "vmap_nested": lambda t, F, x, y: F.vmap(F.vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(None, 0))(x, y),
    "vmap_chunk": lambda t, F, x, y: F.vmap(lambda a: a.softmax(0), chunk_size=3)(y),
    "vmap_tree": lambda t, F, x, y: F.vmap(lambda d: {"s": d["a"].sum(), "m": d["a"].max()})({"a": y}),
    "vmap_named": lambda t, F, x, y: F.vmap(lambda a, b=None: a + b)(y, b=y),
    "vmap_fallback": lambda t, F, x, y: F.vmap(lambda a: t.linspace(0, 1, 3, dtype=t.float64).lerp(a.sort()[0], 0.5))(y),
    "vmap_inplace": lambda t, F, x, y: F.vmap(inplace)(y),
    "vmap_unmapped": lambda t, F, x, y: F.vmap(lambda a, b: b * 2, in_dims=(0, None))(y, x),
    "vmap_promotion": lambda t, F, x, y: F.vmap(lambda a: a.sum() + t.ones(2))(y),
    "vmap_where": lambda t, F, x, y: F.vmap(lambda a: t.where(a > 1, a, t.zeros_like(a)))(y),
    "same": lambda t, F, x, y: (F.vmap(lambda a: a * 0 + t.rand(3, dtype=t.float64), randomness="same")(y).std(0) < 1e-12).double(),
    "different": lambda t, F, x, y: (F.vmap(lambda a: a * 0 + t.rand(3, dtype=t.float64), randomness="different")(y).std(0) > 0).double(),
    "random_error": lambda t, F, x, y: F.vmap(lambda a: a + t.rand(3))(y),
    "item_error": lambda t, F, x, y: F.vmap(lambda a: a.sum().item())(y),
    "if_error": lambda t, F, x, y: F.vmap(lambda a: a if a.sum() > 0 else -a)(y),
    "size_error": lambda t, F, x, y: F.vmap(t.add)(y, x),
    "dims_error": lambda t, F, x, y: F.vmap(t.add, in_dims=(0,))(y, x),
    "dim_error": lambda t, F, x, y: F.vmap(t.sin, in_dims=3)(y),
    "none_error": lambda t, F, x, y: F.vmap(t.sin, in_dims=None)(y),
    "return_error": lambda t, F, x, y: F.vmap(lambda a: 3)(y),
    "scalar_error": lambda t, F, x, y: F.grad(lambda a: a)(x),
    "aux_error": lambda t, F, x, y: F.grad(lambda a: a.sum(), has_aux=True)(x),
    "inplace_error": lambda t, F, x, y: F.vmap(lambda a: x.add_(a))(y),
    "mode_error": lambda t, F, x, y: F.vmap(t.sin, randomness="other"),
}

# one operation each, over a batch of vectors and of matrices, forwards and through a gradient
OPERATIONS = {
    name: (lambda name: lambda t, a: getattr(t, name)(a))(name)
    for name in ("sin exp log sqrt tanh sigmoid abs square reciprocal relu floor sum mean prod amax amin std var argmax any all "
                 "cumsum_ t").split() if not name.endswith("_")}
OPERATIONS.pop("t")
OPERATIONS |= {
    "sum_dim": lambda t, a: a.sum(0), "sum_keep": lambda t, a: a.sum(-1, keepdim=True), "mean_dims": lambda t, a: a.mean((0,)),
    "softmax": lambda t, a: a.softmax(-1), "log_softmax": lambda t, a: t.log_softmax(a, 0), "cumsum": lambda t, a: a.cumsum(0),
    "max_dim": lambda t, a: a.max(0)[0], "sort": lambda t, a: a.sort()[0], "flip": lambda t, a: a.flip(0), "roll": lambda t, a: a.roll(1, 0),
    "reshape": lambda t, a: a.reshape(-1, 1), "view": lambda t, a: a.view(1, -1), "unsqueeze": lambda t, a: a.unsqueeze(0),
    "transpose": lambda t, a: a.unsqueeze(0).transpose(0, 1), "index": lambda t, a: a[1:], "negative": lambda t, a: a[..., -1],
    "none": lambda t, a: a[None], "list": lambda t, a: a[[0, 2, 0]], "mask": lambda t, a: t.where(a > 1, a, -a), "cat": lambda t, a: t.cat([a, a], 0),
    "stack": lambda t, a: t.stack([a, t.ones_like(a)], -1), "dot": lambda t, a: a.reshape(-1) @ a.reshape(-1),
    "outer": lambda t, a: t.outer(a.reshape(-1), a.reshape(-1)), "matrix": lambda t, a: t.ones(3, 2, dtype=t.float64).t() @ a,
    "linear": lambda t, a: t.nn.functional.linear(a, t.ones(2, 3, dtype=t.float64), t.ones(2, dtype=t.float64)),
    "pow": lambda t, a: a ** 3, "reversed": lambda t, a: 2 / a - a, "clamp": lambda t, a: a.clamp(0.7, 1.5), "expand": lambda t, a: a.sum().expand(3),
    "logsumexp": lambda t, a: a.logsumexp(0), "mse": lambda t, a: t.nn.functional.mse_loss(a, a * 2),
    "norm": lambda t, a: a.norm(), "gather": lambda t, a: a.gather(0, t.zeros(1, dtype=t.int64)) if a.dim() == 1 else a.tril(),
    "split": lambda t, a: a.split(2)[0], "chunk": lambda t, a: a.chunk(3, -1)[1],
    "unbind": lambda t, a: a.unbind(0)[0], "gelu": lambda t, a: t.nn.functional.gelu(a), "silu": lambda t, a: t.nn.functional.silu(a),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_as_torch(name):
    both(PROGRAMS[name])


@pytest.mark.parametrize("name", OPERATIONS)
def test_operation_under_vmap(name):
    both(lambda t, F, x, y: F.vmap(lambda a: OPERATIONS[name](t, a))(y))


SMOOTH = [n for n in OPERATIONS if n not in ("argmax", "any", "all", "floor")]


@pytest.mark.parametrize("name", SMOOTH)
def test_per_sample_gradient_and_jvp(name):
    both(lambda t, F, x, y: F.vmap(F.grad(lambda a: (OPERATIONS[name](t, a) ** 2).sum()))(y))
    both(lambda t, F, x, y: F.jvp(lambda a: OPERATIONS[name](t, a), (x,), (x * 2,)))


def test_nothing_is_left_behind():
    with pytest.raises(RuntimeError):
        fastgrad.func.vmap(lambda a: a.sum().item())(fastgrad.ones(2, 2))
    from fastgrad.func.batching import levels
    from fastgrad.func.transforms import finished
    assert levels == []
    x = fastgrad.rand(3)
    for program in ("hessian", "vmap_hessian", "grad_three", "linearize", "vmap_jvp"):
        PROGRAMS[program](fastgrad, fastgrad.func, x, fastgrad.rand(4, 3))
    gc.collect()
    assert not finished
    assert (fastgrad.ones(2) + 1).tolist() == [2, 2]


def test_ensemble():
    def outputs(t):
        models = [t.nn.Linear(3, 2).double() for _ in range(3)]
        for k, m in enumerate(models):
            with t.no_grad():
                m.weight.copy_(t.linspace(-1, k, 6, dtype=t.float64).reshape(2, 3))
                m.bias.fill_(k)
        params, buffers = t.func.stack_module_state(models)
        x = t.linspace(0, 1, 12, dtype=t.float64).reshape(4, 3)
        out = t.func.vmap(lambda p, b: t.func.functional_call(models[0], (p, b), (x,)))(params, buffers)
        return np.array(out.detach().tolist())
    np.testing.assert_allclose(outputs(fastgrad), outputs(torch), rtol=1e-12)


INSIDE = {
    "scatter_": lambda m, x: (x * 1).scatter_(0, m.zeros(2, 2, dtype=m.long), 9.0) * 1,
    "scatter_reduce_": lambda m, x: (x * 1).scatter_reduce_(0, m.zeros(2, 2, dtype=m.long), x, "sum") * 1,
    "masked_scatter": lambda m, x: (x * 1).masked_scatter(x > 3, m.zeros(4)) * 1,
    "index_put_": lambda m, x: (x * 1).index_put_((m.tensor([0]),), m.tensor(9.0)) * 1,
    "data": lambda m, x: x.data * 2,
}


@pytest.mark.parametrize("name", INSIDE)
def test_every_example_is_seen(name):
    program = INSIDE[name]
    x = [[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]], [[8.0, 9.0], [10.0, 11.0]]]
    expected = [program(torch, torch.tensor(one)).tolist() for one in x]
    assert fastgrad.vmap(lambda one: program(fastgrad, one))(fastgrad.tensor(x)).tolist() == expected


@pytest.mark.parametrize("program", [
    lambda x: x.set_(x), lambda x: x.resize_(2), lambda x: x.apply_(lambda v: v + 1), lambda x: x.storage(), lambda x: x.as_subclass(fastgrad.Tensor),
    lambda x: fastgrad.from_dlpack(x), lambda x: setattr(x, "data", x)])
def test_what_reads_memory_itself_is_refused(program):
    with pytest.raises(NotImplementedError, match="vmap: "):
        fastgrad.vmap(program)(fastgrad.ones(3, 2, 2))


def test_tensor_copies_every_example():
    x = fastgrad.arange(6.0).reshape(3, 2)
    assert fastgrad.vmap(lambda one: fastgrad.tensor(one) * 2)(x).tolist() == (x * 2).tolist()
    with pytest.raises((BufferError, NotImplementedError)):
        fastgrad.vmap(lambda one: memoryview(one))(x)
