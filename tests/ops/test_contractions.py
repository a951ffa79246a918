"""einsum, tensordot, block_diag, cdist and combinations against PyTorch and NumPy."""

import numpy as np
import pytest
import torch

import fastgrad as fg
from tests.gradients import check_gradients


def operands(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=s) for s in shapes]
    return [torch.from_numpy(a) for a in arrays], [fg.from_numpy(a) for a in arrays]


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("ii->i", (3, 3)), ("ii", (3, 3)), ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("i,j->ij", (2,), (3,)), ("...ij,...jk->...ik", (2, 1, 2, 3), (4, 3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("ij,jk,kl,lm->im", (2, 9), (9, 2), (2, 9), (9, 2)), ("a,a,a->a", (3,), (3,), (3,)),
    ("ijk,ilm,njm,nlk,abc->", (2, 3, 4), (2, 3, 4), (2, 3, 4), (2, 3, 4), (2, 2, 1)), ("ba...,b->...a", (2, 3, 4, 5), (2,)), ("bB", (2, 3)),
    ("ij,ij->ij", (1, 3), (2, 3)), ("ij,jk", (2, 1), (4, 3)), ("iij,jii->ij", (2, 2, 3), (3, 2, 2)), (",i->i", (), (3,)), ("i...->...", (2, 3)),
    ("ij,jk->ik", (0, 3), (3, 2)), ("ij,jk->ik", (2, 0), (0, 2)),
]


@pytest.mark.parametrize("equation, shapes", [(e, s) for e, *s in EQUATIONS])
def test_einsum(equation, shapes):
    expected, given = operands(*shapes)
    result = fg.einsum(equation, *given)
    np.testing.assert_allclose(result.numpy(), torch.einsum(equation, *expected).numpy(), rtol=1e-12, atol=1e-12)
    assert (fg.einsum(equation, given).numpy() == result.numpy()).all()


def test_einsum_takes_sublists():
    (a, b), (x, y) = operands((2, 3), (3, 4))
    np.testing.assert_allclose(fg.einsum(x, [0, 1], y, [1, 2], [2, 0]).numpy(), (a @ b).T.numpy(), rtol=1e-12)
    assert (fg.einsum(x, [5, 2]).numpy() == a.T.numpy()).all()
    assert (fg.einsum(x, [..., 2], [2, ...]).numpy() == a.T.numpy()).all()


def test_einsum_contracts_in_a_good_order():
    """Left to right this needs a matrix of 4000 by 4000 for each of two products; the other way none."""
    n = 4000
    (a, b, c), given = operands((n, 1), (1, n), (n, 1))
    np.testing.assert_allclose(fg.einsum("ij,jk,kl->il", *given).numpy(), (a @ (b @ c)).numpy(), rtol=1e-9)


@pytest.mark.parametrize("equation, shapes, message", [
    ("ij->i", [(2, 3, 4)], "number of subscripts in the equation .2. does not match the number of dimensions .3."),
    ("ij,jk->ik", [(2, 3), (4, 2)], "subscript j has size 4 for operand 1 which does not broadcast with previously seen size 3"),
    ("ij->k", [(2, 3)], "output subscript k does not appear"), ("ij->ii", [(2, 3)], "output subscript i appears more than once"),
    ("i1->i", [(2, 3)], "invalid subscript"), ("ij,jk->ik", [(2, 3)], "fewer operands were provided"), ("ij->ij", [(2, 3)] * 2, "more operands"),
])
def test_einsum_refuses(equation, shapes, message):
    expected, given = operands(*shapes)
    with pytest.raises(RuntimeError):
        torch.einsum(equation, *expected)
    with pytest.raises(RuntimeError, match=message):
        fg.einsum(equation, *given)


@pytest.mark.parametrize("function, shapes", [
    (lambda a, b, c: fg.einsum("ij,jk,ik->k", a, b, c), [(2, 3), (3, 2), (2, 2)]), (lambda a, b: fg.einsum("bii,bij->bj", a, b), [(2, 2, 2), (2, 2, 3)]),
    (lambda a, b: fg.tensordot(a, b, ([0, 2], [1, 0])), [(2, 3, 4), (4, 2)]), (fg.block_diag, [(2, 3), (2,)]),
    (lambda a, b: fg.cdist(a, b, 3.0), [(3, 2), (4, 2)]), (lambda a, b: fg.cdist(a, b, compute_mode="use_mm_for_euclid_dist"), [(3, 2), (4, 2)]),
])
def test_gradients(function, shapes):
    check_gradients(function, [fg.from_numpy(x.numpy()).requires_grad_() for x in operands(*shapes)[0]])


@pytest.mark.parametrize("dims", [0, 1, ([1], [0]), ([0, 1], [1, 0]), 2.0])
def test_tensordot(dims):
    (a, b), (x, y) = operands((3, 4), (4, 3))
    if isinstance(dims, float):
        with pytest.raises(RuntimeError):
            fg.tensordot(x, y, dims)
    else:
        np.testing.assert_allclose(fg.tensordot(x, y, dims).numpy(), torch.tensordot(a, b, dims).numpy(), rtol=1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0, 2.0, 3.5, float("inf")])
@pytest.mark.parametrize("rows", [4, 40])
def test_cdist(p, rows):
    (a, b), (x, y) = operands((2, rows, 3), (5, 3))
    np.testing.assert_allclose(fg.cdist(x, y, p).numpy(), torch.cdist(a, b, p).numpy(), rtol=1e-9)


def test_distance_zero_has_gradient_zero():
    x = fg.ones(30, 2, requires_grad=True)
    fg.cdist(x, x).sum().backward()
    assert (x.grad.numpy() == 0).all()


@pytest.mark.parametrize("r", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("replace", [False, True])
def test_combinations(r, replace):
    expected = torch.combinations(torch.arange(4), r, replace)
    result = fg.combinations(fg.arange(4), r, replace)
    assert result.shape == expected.shape and result.tolist() == expected.tolist()


def test_combinations_of_too_many():
    with pytest.raises(RuntimeError, match="combinations: .* choices of 50 elements"):
        fg.combinations(fg.ones(100), 50)
