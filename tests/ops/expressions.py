"""Expressions evaluated by both libraries over the same tensors, and compared: values, shapes, dtypes, gradients, classes of error.

`check(expression)` is all a test needs.  The names an expression may use are those of `SOURCES`, `torch` (either library) and `np`.
"""
import warnings

import fastgrad
import numpy as np
import pytest

torch = pytest.importorskip("torch")

_random = np.random.default_rng(0)
SOURCES = {
    "x": _random.standard_normal((2, 3, 4)), "m": _random.standard_normal((4, 4)), "v": _random.standard_normal(5),
    "s": np.array(0.7), "e": np.zeros((0, 3)), "o": _random.standard_normal((1, 3, 1)),
    "xt": _random.standard_normal((4, 3, 2)), "i": np.arange(24).reshape(2, 3, 4), "id": np.array([0, 2, 1, 2]),
}


def tensors(library):
    made = {name: library.tensor(a.tolist(), dtype=library.float64 if a.dtype == float else library.int64).reshape(a.shape)
            for name, a in SOURCES.items()}
    made["xt"] = made["xt"].transpose(0, 2)
    return {name: t.detach().requires_grad_() if t.is_floating_point() else t for name, t in made.items()} | {
        "torch": library, "np": np}


def flat(result):
    return [item for one in result for item in flat(one)] if isinstance(result, (tuple, list)) else [result]


def evaluate(library, expression, statements):
    """(results, gradients), or the class of the exception."""
    names = tensors(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if statements:
                exec(statements, names)
            results = flat(eval(expression, names))
        except Exception as error:
            return type(error)
        described, total = [], 0
        for result in results:
            if not isinstance(result, library.Tensor):
                described.append(result)
                continue
            described.append((tuple(result.shape), str(result.dtype), np.array(result.tolist())))
            if result.requires_grad:
                weights = np.random.default_rng(result.numel()).standard_normal(tuple(result.shape)).tolist()
                total = total + (result * library.tensor(weights, dtype=result.dtype).reshape(result.shape)).sum().to(library.float64)
        if isinstance(total, library.Tensor):
            total.backward()
        grads = {name: np.array(t.grad.tolist()) for name, t in names.items()
                 if isinstance(t, library.Tensor) and t.is_leaf and t.grad is not None}
    return described, grads


def check(expression, statements=""):
    found, wanted = (evaluate(library, expression, statements) for library in (fastgrad, torch))
    if isinstance(wanted, type) or isinstance(found, type):
        assert found is wanted
        return
    assert len(found[0]) == len(wanted[0])
    for f, w in zip(found[0], wanted[0]):
        if isinstance(w, tuple):
            assert f[:2] == w[:2]
            np.testing.assert_allclose(f[2], w[2], rtol=1e-6)
        else:
            assert f == w
    assert found[1].keys() == wanted[1].keys()
    for name in wanted[1]:
        np.testing.assert_allclose(found[1][name], wanted[1][name], rtol=1e-6, atol=1e-12, err_msg=name)
