"""Products of matrices and vectors: every broadcasting case, gradients of both orders, errors."""
import itertools

import numpy as np
import pytest
import torch

import fastgrad

SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 4)),
          ((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((6, 1, 2, 3), (5, 3, 4)), ((0, 3), (3, 4)),
          ((2, 0), (0, 4)), ((5, 2, 0), (0, 4))]


def pair(lib, shapes):
    generator = torch.Generator().manual_seed(3)
    data = [torch.randn(s, generator=generator, dtype=torch.float64).numpy() for s in shapes]
    return [lib.tensor(d, requires_grad=True) for d in data]


def first_and_second_gradients(lib, shapes):
    a, b = pair(lib, shapes)
    out = lib.matmul(a, b)
    first = lib.autograd.grad((out * out).sum(), [a, b], create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), [a, b])
    return [t.detach().numpy() for t in (out, *first, *second)]


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_matmul(shapes):
    for ours, theirs in zip(first_and_second_gradients(fastgrad, shapes), first_and_second_gradients(torch, shapes)):
        assert ours.shape == theirs.shape
        assert abs(ours - theirs).max(initial=0) <= 1e-10 * (1 + abs(theirs).max(initial=0))


@pytest.mark.parametrize("flags", itertools.product([False, True], repeat=2), ids=str)
def test_transposed_operands_are_read_in_place(flags):
    a, b = pair(fastgrad, [(3, 2) if flags[0] else (2, 3), (4, 3) if flags[1] else (3, 4)])
    x, y = (t.t() if flag else t for t, flag in zip((a, b), flags))
    (x @ y).sum().backward()
    p, q = (torch.tensor(t.detach().numpy(), requires_grad=True) for t in (a, b))
    ((p.t() if flags[0] else p) @ (q.t() if flags[1] else q)).sum().backward()
    assert abs(a.grad.numpy() - p.grad.numpy()).max() < 1e-12 and abs(b.grad.numpy() - q.grad.numpy()).max() < 1e-12


@pytest.mark.parametrize("shapes", [((2, 3), (4, 5)), ((2, 3), (2,)), ((2,), (3,)), ((2, 2, 3), (3, 3, 4)), ((), (3,))], ids=str)
def test_shapes_that_do_not_fit(shapes):
    for lib in (fastgrad, torch):
        with pytest.raises(RuntimeError):
            lib.matmul(lib.ones(shapes[0]), lib.ones(shapes[1]))


def test_the_error_says_what_it_got():
    with pytest.raises(RuntimeError, match=r"matmul: inner sizes must match.*\(2, 3\) and \(4, 5\)"):
        fastgrad.ones(2, 3) @ fastgrad.ones(4, 5)
    with pytest.raises(RuntimeError, match=r"linear: inner sizes must match.*\(2, 3\) and \(5, 4\)"):
        fastgrad.nn.functional.linear(fastgrad.ones(2, 3), fastgrad.ones(4, 5))


def test_dtypes_must_agree():
    for lib in (fastgrad, torch):
        with pytest.raises(RuntimeError):
            lib.ones(2, 2) @ lib.ones(2, 2, dtype=lib.float64)


SHORT_SUMS = {
    "addmm": lambda lib, c, a, v: lib.addmm(c[0], a[0], a[1], beta=0.7, alpha=1.3),
    "addmm of a row": lambda lib, c, a, v: lib.addmm(v, a[0], a[1]),
    "addbmm": lambda lib, c, a, v: lib.addbmm(c[0], a, c, beta=0.7, alpha=1.3),
    "baddbmm": lambda lib, c, a, v: lib.baddbmm(c, a, c),
    "addmv": lambda lib, c, a, v: lib.addmv(v, a[0], v),
    "addr": lambda lib, c, a, v: lib.addr(c[0], v, v),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("make", SHORT_SUMS.values(), ids=SHORT_SUMS)
def test_sums_with_products_round_where_pytorch_does(make, dtype):
    """Of all elements at most one in fifty differs, where sums in another order round to another side; a rounding more makes it one in three."""
    def observe(lib):
        wave = lib.arange(3 * 16 * 16, dtype=lib.float64).reshape(3, 16, 16)
        c, a = ((wave * k).sin().to(getattr(lib, dtype)) for k in (0.7, 1.9))
        return make(lib, c, a, c[1, 2]).float().numpy()

    ours, theirs = observe(fastgrad), observe(torch)
    assert (ours != theirs).mean() < 0.02
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-2)
