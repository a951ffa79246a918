"""autograd.functional and batched gradients: the same program in fastgrad and in PyTorch."""
import numpy as np
import pytest
import torch

import fastgrad
import fastgrad.autograd.functional
import torch.autograd.functional


def flat(value):
    if isinstance(value, (tuple, list)):
        return [leaf for one in value for leaf in flat(one)]
    return [value]


def run(program, library):
    rng = np.random.default_rng(0)
    x = library.tensor(rng.uniform(0.5, 2, 3))
    y = library.tensor(rng.uniform(0.5, 2, (2, 3)))
    try:
        value = program(library, library.autograd.functional, x, y)
    except Exception as error:
        return type(error).__name__, str(error)
    return [(tuple(t.shape), t.requires_grad, np.array(t.tolist())) for t in flat(value)]


def both(program):
    ours, theirs = run(program, fastgrad), run(program, torch)
    assert type(ours) is type(theirs), (ours, theirs)
    if isinstance(ours, tuple):
        assert ours[0] == theirs[0]
        assert ours[1][:60] == theirs[1][:60]
        return
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs):
        assert a[:2] == b[:2]
        np.testing.assert_allclose(a[2], b[2], rtol=1e-12, atol=1e-14)


VALUES = {
    "vjp": lambda t, F, x, y: F.vjp(lambda a: (a * a).sum(), x),
    "vjp_two": lambda t, F, x, y: F.vjp(lambda a, b: (a * b, b.sum(0)), (x, y), (y, x)),
    "vjp_graph": lambda t, F, x, y: F.vjp(lambda a: (a * a).sum(), x.requires_grad_(), create_graph=True),
    "vjp_unused": lambda t, F, x, y: F.vjp(lambda a, b: a.sum(), (x, x)),
    "jvp": lambda t, F, x, y: F.jvp(lambda a: a.exp().cumsum(0), x, x),
    "jvp_two": lambda t, F, x, y: F.jvp(lambda a, b: (b @ a, a.exp()), (x, y), (x, y)),
    "jvp_graph": lambda t, F, x, y: F.jvp(lambda a: a ** 3, x.requires_grad_(), t.ones_like(x), create_graph=True),
    "jacobian": lambda t, F, x, y: F.jacobian(lambda a: a.exp(), x),
    "jacobian_many": lambda t, F, x, y: F.jacobian(lambda a, b: (b @ a, a.exp().sum()), (x, y)),
    "jacobian_graph": lambda t, F, x, y: F.jacobian(lambda a: a ** 2, x, create_graph=True),
    "jacobian_vectorized": lambda t, F, x, y: F.jacobian(lambda a: a.sin(), y, vectorize=True),
    "jacobian_forward": lambda t, F, x, y: F.jacobian(lambda a, b: (b @ a, a.exp()), (x, y), vectorize=True, strategy="forward-mode"),
    "hessian": lambda t, F, x, y: F.hessian(lambda a: (a ** 3).sum() * a[0], x),
    "hessian_two": lambda t, F, x, y: F.hessian(lambda a, b: ((b @ a) ** 2).sum(), (x, y)),
    "hessian_linear": lambda t, F, x, y: F.hessian(lambda a: a.sum(), x),
    "hessian_forward": lambda t, F, x, y: F.hessian(lambda a: a.exp().sum(), x, vectorize=True, outer_jacobian_strategy="forward-mode").detach(),
    "vhp": lambda t, F, x, y: F.vhp(lambda a: (a ** 3).sum(), x, x),
    "hvp": lambda t, F, x, y: F.hvp(lambda a, b: ((b @ a) ** 2).sum(), (x, y), (x, y)),
    "hvp_graph": lambda t, F, x, y: F.hvp(lambda a: (a ** 3).sum(), x.requires_grad_(), t.ones_like(x), create_graph=True),
    "batched": lambda t, F, x, y: t.autograd.grad(x.requires_grad_().exp(), x, t.eye(3, dtype=t.float64), is_grads_batched=True),
}

ERRORS = {
    "type": lambda t, F, x, y: F.vjp(lambda a: a, 3),
    "element": lambda t, F, x, y: F.vjp(lambda a, b: a, (x, 3)),
    "no_v": lambda t, F, x, y: F.vjp(lambda a: a, x),
    "output": lambda t, F, x, y: F.vjp(lambda a: 3, x),
    "length": lambda t, F, x, y: F.vjp(lambda a: (a, a), x, x),
    "size": lambda t, F, x, y: F.jvp(lambda a: a, x, y),
    "single": lambda t, F, x, y: F.jvp(lambda a: a, x, (x, x)),
    "strict_output": lambda t, F, x, y: F.jacobian(lambda a: t.ones(3), x, strict=True),
    "strict_input": lambda t, F, x, y: F.jacobian(lambda a, b: a.exp(), (x, x), strict=True),
    "strict_graph": lambda t, F, x, y: F.jacobian(lambda a: a * 2, x, strict=True, create_graph=True),
    "strict_vectorized": lambda t, F, x, y: F.jacobian(lambda a: a * 2, x, strict=True, vectorize=True),
    "forward": lambda t, F, x, y: F.jacobian(lambda a: a * 2, x, strategy="forward-mode"),
    "strategy": lambda t, F, x, y: F.jacobian(lambda a: a * 2, x, strategy="other"),
    "hessian_size": lambda t, F, x, y: F.hessian(lambda a: a.exp(), x),
    "hessian_tuple": lambda t, F, x, y: F.hessian(lambda a: (a.sum(), a.sum()), x),
    "hessian_strict": lambda t, F, x, y: F.hessian(lambda a: a.sum(), x, strict=True),
    "hvp_strict": lambda t, F, x, y: F.hvp(lambda a: a.sum(), x, x, strict=True),
    "vhp_input": lambda t, F, x, y: F.vhp(lambda a, b: a.exp().sum(), (x, x), (x, x), strict=True),
    "batched": lambda t, F, x, y: t.autograd.grad(x.requires_grad_().exp(), x, t.ones(3, 4), is_grads_batched=True),
    "batched_none": lambda t, F, x, y: t.autograd.grad(x.requires_grad_().exp(), x, is_grads_batched=True),
}


@pytest.mark.parametrize("name", VALUES)
def test_same_values(name):
    both(VALUES[name])


@pytest.mark.parametrize("name", ERRORS)
def test_same_errors(name):
    both(ERRORS[name])


FUNCTIONS = {
    "exp": lambda t, a, b: a.exp(), "sum of cubes": lambda t, a, b: (a ** 3).sum() + (b ** 3).sum(), "linear": lambda t, a, b: (a * 2).sum() + b.sum(),
    "product": lambda t, a, b: (a * b).sum(), "one of two": lambda t, a, b: (a ** 2).sum(), "constant": lambda t, a, b: t.ones((), dtype=t.float64),
    "constants": lambda t, a, b: t.ones(2, dtype=t.float64), "several": lambda t, a, b: (a * b, (a + b).sum()), "list": lambda t, a, b: [a],
}
VECTORS = {
    "none": lambda t, like: None, "fits": lambda t, like: tuple(t.ones_like(x) * 1.5 for x in like), "length": lambda t, like: (like[0],) * 3,
    "size": lambda t, like: tuple(t.ones(7, dtype=t.float64) for _ in like), "number": lambda t, like: 3.0,
}


def pair(t, wants):
    a, b = t.tensor([1.0, 2, 0.5], dtype=t.float64), t.tensor([0.3, -1, 2], dtype=t.float64)
    return (a.requires_grad_(), b.requires_grad_() * 1) if wants else (a, b)


@pytest.mark.parametrize("vector", VECTORS)
@pytest.mark.parametrize("product", ["vjp", "jvp", "vhp", "hvp"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_products(name, product, vector):
    """With every option; whether a constant result is marked as requiring a gradient is not compared."""
    for wants in (False, True):
        for options in ({}, {"strict": True}, {"create_graph": True}, {"strict": True, "create_graph": True}):
            def program(t, F, x, y):
                inputs = pair(t, wants)
                like = inputs if product != "vjp" else flat(FUNCTIONS[name](t, *inputs))
                value, moved = getattr(F, product)(lambda a, b: FUNCTIONS[name](t, a, b), inputs, VECTORS[vector](t, [one.detach() for one in like]),
                                                   **options)
                return value, tuple(one.detach() for one in flat(moved))
            both(program)


@pytest.mark.parametrize("strategy", ["reverse-mode", "forward-mode"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_matrices(name, strategy):
    for wants in (False, True):
        for options in ({}, {"vectorize": True}, {"strict": True}, {"strict": True, "vectorize": True}, {"create_graph": True}):
            for matrix, key in (("jacobian", "strategy"), ("hessian", "outer_jacobian_strategy")):
                if name == "list" and strategy == "forward-mode" and options == {"vectorize": True}:
                    continue                        # refused by both; PyTorch calls the function None

                def program(t, F, x, y):
                    found = getattr(F, matrix)(lambda a, b: FUNCTIONS[name](t, a, b), pair(t, wants), **options, **{key: strategy})
                    return [one.detach() for one in flat(found)]
                both(program)


def test_forward_mode_jacobians_are_differentiable():
    both(lambda t, F, x, y: F.jacobian(lambda a: a ** 3, x.requires_grad_(), vectorize=True, strategy="forward-mode"))
