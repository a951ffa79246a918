"""Run one function with PyTorch and with fastgrad and compare all that shows: result, error, warnings.

The function gets the library: `lambda lib: lib.nn.Linear(2, 3)`. Results are made of plain Python and NumPy before they are
compared, so neither library compares itself.
"""

import re
import warnings

import numpy as np
import torch

import fastgrad

LIBRARIES = {"torch": torch, "fastgrad": fastgrad}


def plain(value):
    """The value without its library: tensors as arrays with a dtype, modules as their repr, containers likewise."""
    if isinstance(value, (torch.Tensor, fastgrad.Tensor)):
        return str(value.dtype).rpartition(".")[2], value.requires_grad, value.detach().numpy().copy()
    if isinstance(value, (torch.nn.Module, fastgrad.nn.Module)):
        return repr(value)
    if isinstance(value, np.ndarray):       # plain already: what a hook noted
        return value
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value if isinstance(value, (type(None), bool, int, float)) else neutral(str(value))


def neutral(text):
    """The text without where a class lives: the libraries' layouts differ."""
    text = re.sub(r"<class '[\w.]*\.(\w+)'>", r"<class '\1'>", text)
    return re.sub(r"\b(?:torch|fastgrad)\.(?:\w+\.)*(\w+)", r"\1", text)


def outcome(function, library):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = plain(function(library))
        except Exception as error:
            result = {"raised": type(error).__name__, "saying": neutral(str(error))}
    return {"result": result, "warned": [warning.category.__name__ for warning in caught]}


def assert_equal(actual, expected, rtol=0.0, atol=0.0, path=""):
    if isinstance(expected, np.ndarray):
        assert actual.shape == expected.shape, path
        assert actual.dtype == expected.dtype, path
        np.testing.assert_allclose(actual, expected, rtol=rtol, atol=atol, err_msg=path)
    elif isinstance(expected, dict):
        assert list(actual) == list(expected), path
        for key in expected:
            assert_equal(actual[key], expected[key], rtol, atol, f"{path}[{key!r}]")
    elif isinstance(expected, list) and isinstance(actual, list):
        assert len(actual) == len(expected), path
        for i, pair in enumerate(zip(actual, expected)):
            assert_equal(*pair, rtol, atol, f"{path}[{i}]")
    elif isinstance(expected, tuple) and isinstance(actual, tuple):
        assert_equal(list(actual), list(expected), rtol, atol, path)
    else:
        assert actual == expected, path


def assert_same(function, rtol=0.0, atol=0.0):
    """Both libraries give the same result, or the same error, and the same warnings. Gives PyTorch's outcome."""
    expected = outcome(function, torch)
    assert_equal(outcome(function, fastgrad), expected, rtol, atol)
    return expected["result"]


def assert_same_error(function):
    """Both libraries raise the same class with the same text."""
    result = assert_same(function)
    assert isinstance(result, dict) and "raised" in result, f"PyTorch raised nothing and gave {result}"
