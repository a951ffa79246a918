"""Corners where PyTorch's choice is not the obvious one, each against torch."""

import pickle

import numpy as np
import pytest
import torch

import fastgrad as fg


def median(lib, values):
    x = lib.tensor(values, requires_grad=True)
    m = x.median()
    m.backward()
    return [m.tolist(), x.grad.tolist()]


def loss(name):
    def program(lib):
        a, b = lib.tensor(1.5, dtype=lib.float64, requires_grad=True), lib.ones(2, requires_grad=True)
        out = getattr(lib.nn.functional, name)(a, b)
        out.backward()
        return [str(out.dtype), str(a.grad.dtype), str(b.grad.dtype), out.tolist(), a.grad.tolist(), b.grad.tolist()]

    return program


def normal_draws(lib):
    lib.manual_seed(1)
    mean, p = lib.zeros(3, 1, requires_grad=True), lib.full((4,), 0.5, requires_grad=True)
    x, y = lib.normal(mean, lib.ones(2)), lib.bernoulli(p)
    (x.sum() + y.sum()).backward()
    return [x.tolist(), y.tolist(), mean.grad.tolist(), p.grad.tolist()]


def masked(lib, dtype, value):
    v = lib.zeros(3, dtype=getattr(lib, dtype))
    v[lib.tensor([True, False, True])] = value(lib)
    return v.tolist()


def gumbel(lib, hard):
    lib.manual_seed(3)
    x = lib.arange(12.0).reshape(3, 4).requires_grad_()
    y = lib.nn.functional.gumbel_softmax(x, 0.5, hard)
    (y * lib.arange(4.0)).sum().backward()
    return [y.tolist(), x.grad.tolist()]


def diagonal(lib, shape, wrap=False, grad=False):
    x = lib.arange(float(np.prod(shape))).reshape(shape).requires_grad_(grad)
    y = (x * 2).fill_diagonal_(-1, wrap)
    if grad:
        (y * y).sum().backward()
    return [y.tolist(), x.grad.tolist() if grad else 0.0]


def old_norms(lib):
    x, w, b = lib.arange(24.0).double().reshape(2, 4, 3), lib.arange(4.0).double() + 1, lib.arange(4.0).double()
    mean, var = lib.zeros(4).double(), lib.ones(4).double()
    norms = [lib.batch_norm(x, w, b, mean, var, True, 0.1, 1e-5, False), lib.instance_norm(x, w, b, None, None, True, 0.1, 1e-5, False),
             lib.group_norm(x, 2, w, b), lib.layer_norm(x, (3,)), lib.rms_norm(x, (3,))]
    return [t.tolist() for t in (*norms, mean, var)]


def scalar_source(lib):
    x, w = lib.tensor([1.0, -1.0, 2.0], requires_grad=True), lib.tensor(5.0, dtype=lib.float64, requires_grad=True)
    y = x * 1
    y[y > 0] = w
    (y * lib.tensor([1.0, 2.0, 3.0])).sum().backward()
    return [x.grad.tolist(), w.grad.tolist(), str(w.grad.dtype)]


def retained(write):
    def program(lib):
        x = lib.ones(3, requires_grad=True)
        y = x * 2
        y.retain_grad()
        write(y)
        (y * lib.tensor([3.0, 4.0, 5.0])).sum().backward()
        return [y.grad.tolist(), x.grad.tolist()]

    return program


def written_product(lib):
    x = lib.ones(2, 3, requires_grad=True)
    y = x @ lib.tensor([1.0, 2.0, 3.0])
    y[0] = 7
    y.mul_(2)
    y.sum().backward()
    z = (x @ lib.ones(3)).detach_()
    return [y.tolist(), x.grad.tolist(), z.tolist(), str(z.requires_grad), str(y._is_view())]


NAMES = {
    "1 - x": lambda x: 1 - x, "x - 1": lambda x: x - 1, "x - x": lambda x: x - x, "clamp": lambda x: x.clamp(0, 1),
    "clamp min": lambda x: x.clamp(min=0), "clamp max": lambda x: x.clamp(max=0), "clamp_min": lambda x: x.clamp_min(0),
    "dot": lambda x: x[0].dot(x[1]), "mv": lambda x: x.mv(x[0]), "matrix @ vector": lambda x: x @ x[0], "vector @ vector": lambda x: x[0] @ x[0],
}


@pytest.mark.parametrize("name", NAMES)
def test_names_of_nodes(name):
    found = [NAMES[name](lib.ones(3, 3, requires_grad=True)).grad_fn.name() for lib in (fg, torch)]
    assert found[0] == found[1]


CASES = {
    "a written product": written_product,
    "retained, then a part written": retained(lambda y: y.__setitem__(0, 5.0)),
    "retained, then written through a view": retained(lambda y: y[:2].mul_(4)),
    "retained, then written twice": retained(lambda y: (y[:2].mul_(4), y.add_(1), y[1:].mul_(2))),
    "median with ties": lambda t: median(t, [1.0, 2.0, 2.0, 2.0, 3.0]), "median": lambda t: median(t, [3.0, 1.0, 2.0]),
    "median of infinities": lambda t: median(t, [float("inf"), float("inf"), 1.0]), "median of a matrix": lambda t: median(t, [[1.0, 4.0], [1.0, 4.0]]),
    "mse": loss("mse_loss"), "l1": loss("l1_loss"), "smooth l1": loss("smooth_l1_loss"),
    "integer l1": lambda t: [t.nn.functional.l1_loss(t.tensor([1, 2]), t.tensor([2, 4]), reduction=r).tolist() for r in ("sum", "none")],
    "double into float": lambda t: masked(t, "float32", lambda t: t.tensor(1.5, dtype=t.float64)),
    "a source that wants a gradient": scalar_source,
    "gumbel_softmax": lambda t: gumbel(t, False), "hard gumbel_softmax": lambda t: gumbel(t, True),
    "fill_diagonal_": lambda t: diagonal(t, (3, 4), grad=True), "wrapped fill_diagonal_": lambda t: diagonal(t, (7, 2), True),
    "fill_diagonal_ of a cube": lambda t: diagonal(t, (3, 3, 3)), "norms at the top level": old_norms,
    "strides of nonzero": lambda t: [list(t.nonzero(x).stride()) for x in (t.ones(3, 4), t.ones(3), t.zeros(2, 2), t.tensor(1.0), t.ones(3, 4).T)],
    "what a tensor is not": lambda t: [str(getattr(t.ones(2, 3), name)) for name in (
        "name", "is_xla", "is_mtia", "is_vulkan", "is_maia", "is_ipu", "is_sparse_csr", "is_sparse")] + [str(t.ones(1).is_nonzero()),
        str(t.ones(2).is_same_size(t.ones(3))), str(t.ones(2, 3).dense_dim()), str(t.ones(2).layout == t.sparse_coo)],
    "a gradient through normal numbers": lambda t: normal_draws(t),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", CASES)
def test_same_as_torch(name):
    mine, theirs = CASES[name](fg), CASES[name](torch)
    if "infinities" in name:                # torch shares it out as well
        assert mine[0] == theirs[0]
        return
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs):
        if isinstance(a, str):
            assert a == b
        else:
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("program", [
    lambda t: t.nn.functional.l1_loss(t.tensor([1, 2]), t.tensor([2, 4])),
    lambda t: masked(t, "float32", lambda t: t.tensor([1.0, 2.0], dtype=t.float64)),
])
def test_refused_as_by_torch(program):
    for lib in (fg, torch):
        with pytest.raises(RuntimeError, match="could not infer output dtype|dtypes match"):
            program(lib)


CORNERS = [
    "lib.Size([1.5, 2])", "lib.Size('ab')", "lib.Size([True, 2])", "lib.Size((1, 2)) + (3,)", "(3,) + lib.Size((1, 2))", "lib.Size((1, 2)) * 2",
    "lib.Size((1, 2)) + [3]", "lib.Size(lib.Size([2]))[:1]", "pickle.loads(pickle.dumps(lib.Size([1, 2])))", "lib.Size([lib.tensor(2), 3])",
    "lib.Generator().manual_seed(2 ** 64)", "lib.Generator().manual_seed(-2 ** 63 - 1)", "lib.Generator().manual_seed(-1).initial_seed()",
    "lib.Generator().manual_seed(-2 ** 63).initial_seed()", "lib.Generator('cuda')", "lib.Generator(device='cuda:1')",
    "lib.cat(lib.ones(3))", "lib.stack(lib.ones(3))", "lib.cumsum(lib.ones(3), 0, out=lib.empty(3, dtype=lib.int64))",
    "lib.cumprod(lib.full((3,), 2), 0, out=lib.empty(3, dtype=lib.float64))", "lib.cumsum(lib.ones(3), 0, dtype=lib.float32, out=lib.empty(3, dtype=lib.float64))",
    "lib.arange(0, 2.5, 1, out=lib.empty(3, dtype=lib.int32))", "lib.arange(0, 2.5, 1, dtype=lib.int64)", "lib.arange(0.5, 3, 1, dtype=lib.int16)",
    "lib.arange(2.7, 0, -1, dtype=lib.int32)", "lib.histc(lib.tensor([float('nan')]))", "lib.histc(lib.tensor([float('inf'), 1.0]))",
    "lib.ones(2, 2).contiguous(memory_format=lib.preserve_format)", "lib.ones(2, 3).t().contiguous(memory_format=lib.preserve_format)",
]


@pytest.mark.parametrize("code", CORNERS)
def test_corners(code):
    """The same text, and of refused ones the same class."""
    found = []
    for lib in (fg, torch):
        try:
            found.append(str(eval(code, {"lib": lib, "pickle": pickle})))
        except Exception as error:
            found.append(type(error))
    assert found[0] == found[1]
