"""Random programs of operations, views, in-place writes, detach and no_grad, run by both libraries: the same values and gradients, or
both refuse with a RuntimeError."""
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from tests.property.strategies import fixed

torch = pytest.importorskip("torch")

SHAPE = (2, 3)
# each step: (name, arguments); tensors are named by a number that counts into the tensors so far
UNARY = ["exp", "tanh", "sigmoid", "sin", "relu", "neg", "square", "sqrt", "abs", "t", "clone", "detach", "contiguous", "flip", "softmax", "cumsum"]
BINARY = ["add", "sub", "mul", "div", "maximum", "where", "mm", "addcmul", "lerp"]
VIEWS = ["row", "column", "transpose", "reshape", "narrow", "expand", "unbind", "chunk", "diagonal", "squeeze", "select", "as_strided"]
WRITES = ["add_", "mul_", "div_", "exp_", "relu_", "tanh_", "copy_", "setitem", "masked_fill_", "clamp_", "sub_",
          "addcmul_", "no_grad_add_", "data_mul_", "index_add_", "t_", "squeeze_", "sqrt_"]


@st.composite
def programs(draw):
    number = st.integers(0, 40)
    kinds = st.sampled_from([UNARY, BINARY, BINARY, VIEWS, VIEWS, WRITES, WRITES, WRITES])
    return draw(st.lists(kinds.flatmap(lambda names: st.tuples(st.sampled_from(names), number, number, number)), min_size=1, max_size=8))


def step(lib, tensors, name, i, j, k):
    a, b, c = (tensors[n % len(tensors)] for n in (i, j, k))
    if name in UNARY:
        arguments = {"flip": ([0],), "softmax": (-1,), "cumsum": (0,)}.get(name, ())
        a = a if a.ndim else a.unsqueeze(0)
        tensors.append(getattr(a.abs() + 1 if name == "sqrt" else a, name)(*arguments))
    elif name == "where":
        tensors.append(lib.where(a > 0, a, b))
    elif name == "mm":
        tensors.append(a @ a.t() if a.ndim == 2 else a * b)
    elif name == "div":
        tensors.append(a / (b.abs() + 1))
    elif name == "addcmul":
        tensors.append(a.addcmul(b, c, value=0.5))
    elif name == "lerp":
        tensors.append(a.lerp(b, 0.25) if a.shape == b.shape else a - b)
    elif name in BINARY:
        tensors.append(getattr(a, name)(b))
    elif name in VIEWS:
        a = a if a.ndim else a.unsqueeze(0)
        if name == "unbind":
            tensors.extend(a.unbind(0)[:2])
        elif name == "chunk":
            tensors.extend(a.chunk(2, -1))
        else:
            tensors.append({"row": lambda: a[j % a.shape[0]], "column": lambda: a[..., j % a.shape[-1]], "transpose": lambda: a.transpose(0, -1),
                            "reshape": lambda: a.reshape(-1), "narrow": lambda: a.narrow(0, 0, 1), "expand": lambda: a.expand(2, *a.shape),
                            "diagonal": lambda: a.diagonal() if a.ndim > 1 else a[:1], "squeeze": lambda: a.squeeze(),
                            "select": lambda: a.select(-1, 0), "as_strided": lambda: a.contiguous().as_strided((2,), (1,))}[name]())
    elif name == "setitem":
        a[(slice(None),) * (j % (a.ndim + 1))] = b
    elif name == "masked_fill_":
        (a if a.is_contiguous() else a.contiguous()).masked_fill_(a.detach() > 0, 0.5)
    elif name == "clamp_":
        a.clamp_(-0.5, 0.5)
    elif name == "div_":
        a.div_(b.detach().abs() + 1)
    elif name == "sqrt_":
        a.abs_().add_(1).sqrt_()
    elif name == "addcmul_":
        a.addcmul_(b, c)
    elif name == "no_grad_add_":
        with lib.no_grad():
            a.add_(1)
    elif name == "data_mul_":
        a.data.mul_(0.5)
    elif name == "index_add_":
        a.index_add_(0, lib.tensor([0]), (b if b.ndim == a.ndim else a.detach())[:1].clone())
    elif name in ("add_", "mul_", "sub_", "copy_"):
        getattr(a, name)(b)
    else:
        getattr(a, name)()


def run(lib, program, values):
    """(how many steps ran, the values, the gradients or the refusal)"""
    leaf = lib.tensor(values[0].tolist(), dtype=lib.float64, requires_grad=True)
    other = lib.tensor(values[1].tolist(), dtype=lib.float64, requires_grad=True)
    tensors = [leaf * 1, other * 2, lib.tensor(values[2].tolist(), dtype=lib.float64), leaf]
    for count, (name, *numbers) in enumerate(program):
        try:
            step(lib, tensors, name, *numbers)
        except (RuntimeError, IndexError, ValueError, TypeError) as error:
            return count, type(error), str(error)
        if max(t.numel() for t in tensors) > 200:
            break
    shown = [t.detach().numpy().copy() for t in tensors]
    flags = []
    try:
        flags += [(t.requires_grad, t.is_leaf, t._version, t._is_view()) for t in tensors]
        out = sum((t * (n + 1)).sum().tanh() for n, t in enumerate(tensors))
        first = lib.autograd.grad(out, (leaf, other), create_graph=True, allow_unused=True)
        found = [None if g is None else g.detach().numpy().copy() for g in first]
        total = sum((g * g).sum() for g in first if g is not None)
        second = lib.autograd.grad(total, (leaf, other), allow_unused=True) if getattr(total, "requires_grad", False) else ()
        return len(program), shown, flags, found, [None if g is None else g.numpy().copy() for g in second]
    except RuntimeError as error:
        return len(program), shown, flags, str(error)


def agree(found, wanted):
    assert len(found) == len(wanted), (found[-1], wanted[-1])
    assert found[0] == wanted[0], (found, wanted)
    if isinstance(wanted[1], type):
        assert found[1] is wanted[1], (found, wanted)
        return
    assert found[2] == wanted[2]
    for ours, theirs in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    for ours, theirs in zip(found[3:], wanted[3:]):
        if isinstance(theirs, str):
            assert isinstance(ours, str) and ("inplace operation" in ours) == ("inplace operation" in theirs), (ours, theirs)
            continue
        for a, b in zip(ours, theirs, strict=True):
            if a is None or b is None:          # no path, and a path of zeros
                assert (a is None or not a.any()) and (b is None or not b.any())
            else:
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-10)


@fixed(1500)
@given(programs(), st.integers(0, 20))
def test_programs(program, seed):
    values = np.random.default_rng(seed).standard_normal((3, *SHAPE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        agree(run(fastgrad, program, values), run(torch, program, values))
