"""The same call in fastgrad and in PyTorch, and a comparison of what comes back: values, dtypes, shapes, classes of error."""

import warnings

import fastgrad
import numpy as np
import pytest

torch = pytest.importorskip("torch")


def plain(result):
    """Results as (array, dtype, shape) triples in nested lists."""
    if isinstance(result, (fastgrad.Tensor, torch.Tensor)):
        return np.array(result.tolist()), str(result.dtype).rpartition(".")[2], tuple(result.shape)
    if isinstance(result, (tuple, list)):
        return [plain(item) for item in result]
    return result


def outcome(function, library, arrays):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(function(library, *[library.tensor(a) for a in arrays]))
        except Exception as error:
            return type(error)


def assert_same(ours, theirs, rtol, label):
    if isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs), f"{label}: got {ours}, expected {theirs}"
        for one, other in zip(ours, theirs):
            assert_same(one, other, rtol, label)
    elif isinstance(theirs, tuple):
        assert isinstance(ours, tuple), f"{label}: got {ours}, expected {theirs}"
        assert ours[1:] == theirs[1:], f"{label}: got {ours[1:]}, expected {theirs[1:]}"
        np.testing.assert_allclose(ours[0], theirs[0], rtol=rtol, atol=rtol, err_msg=str(label))
    else:
        assert ours == theirs, f"{label}: got {ours}, expected {theirs}"


def check(function, *arrays, rtol=2e-6, label=""):
    """`function(library, *tensors)` agrees, or raises the same class."""
    assert_same(outcome(function, fastgrad, arrays), outcome(function, torch, arrays), rtol, label)


def random_array(shape, dtype, seed=0):
    rng = np.random.default_rng(seed)
    if dtype == "bool":
        return rng.random(shape) > 0.5
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    return rng.integers(0 if dtype == "uint8" else -3, 4, shape).astype(dtype)
