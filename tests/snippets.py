"""Snippets of a program run by fastgrad and by PyTorch, and what came of them: values, dtypes, nodes, versions, or the class of the error.

A snippet names the library `torch`, and leaves what is to be compared in `r`.
"""
import warnings

import numpy as np
import pytest

import fastgrad

torch = pytest.importorskip("torch")


def shown(x):
    """Plain data that stands for what a program can see of x."""
    if isinstance(x, (fastgrad.Tensor, torch.Tensor)):
        node = x.grad_fn
        return (str(x.dtype).rpartition(".")[2], tuple(x.shape), np.asarray(x.detach().double().tolist()).tobytes(), x.requires_grad,
                x.is_leaf, None if node is None else node.name(), x._version)
    if isinstance(x, (tuple, list)):
        return [shown(one) for one in x]
    return x


def outcome(lib, source):
    """What is in `r` at the end, or the class and text of the error."""
    scope = {"torch": lib, "F": lib.nn.functional, "np": np}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(source, scope)
            return shown(scope.get("r"))
        except Exception as error:
            return type(error), str(error)


def is_error(found):
    return isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], type)


def same_outcome(source, texts=()):
    """Both libraries come to the same; where PyTorch's error says one of `texts`, fastgrad's does as well."""
    found, wanted = outcome(fastgrad, source), outcome(torch, source)
    if not is_error(wanted):
        assert found == wanted, (source, found, wanted)
        return
    assert is_error(found), (source, found, wanted)
    assert issubclass(found[0], wanted[0]), (source, found, wanted)
    for text in texts:
        assert (text in found[1]) == (text in wanted[1]), (source, found, wanted)
