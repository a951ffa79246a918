"""Parameter and Buffer: what they are, how they print, copy and pickle."""

import copy
import pickle

import numpy as np
import pytest
import torch

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same


def test_parameter_shares_memory_and_is_a_tensor():
    data = fastgrad.zeros(3)
    parameter = nn.Parameter(data)
    data.add_(1)
    assert type(parameter) is nn.Parameter
    assert isinstance(parameter, fastgrad.Tensor)
    assert parameter.requires_grad and parameter.is_leaf
    np.testing.assert_array_equal(parameter.detach().numpy(), [1, 1, 1])


def test_operations_on_a_parameter_give_plain_tensors():
    parameter = nn.Parameter(fastgrad.ones(2))
    for result in (parameter * 2, parameter.data, parameter.detach(), parameter.sum()):
        assert type(result) is fastgrad.Tensor


@pytest.mark.parametrize(
    "make",
    [
        lambda lib: lib.nn.Parameter(lib.tensor([1.5, -2.0])),
        lambda lib: lib.nn.Parameter(lib.tensor([1.5, -2.0]), requires_grad=False),
        lambda lib: lib.nn.Parameter(lib.zeros(2, 2, dtype=lib.float64)),
        lambda lib: lib.nn.Parameter(),
        lambda lib: lib.nn.Parameter(lib.nn.Parameter(lib.ones(1))),
    ],
)
def test_parameter_prints_as_in_pytorch(make):
    assert_same(lambda lib: repr(make(lib)))


def test_isinstance_tells_parameters_from_tensors():
    assert not isinstance(fastgrad.ones(2), nn.Parameter)
    assert not isinstance(nn.Parameter(fastgrad.ones(2)), nn.Buffer)

    class Special(nn.Parameter):
        pass

    assert isinstance(Special(fastgrad.ones(2)), nn.Parameter)
    assert not isinstance(nn.Parameter(fastgrad.ones(2)), Special)


def test_deepcopy_copies_data_and_keeps_identity_within_one_copy():
    parameter = nn.Parameter(fastgrad.ones(2), requires_grad=False)
    first, second = copy.deepcopy([parameter, parameter])
    assert first is second and first is not parameter
    assert type(first) is nn.Parameter and not first.requires_grad
    first.data.add_(1)
    np.testing.assert_array_equal(parameter.numpy(), [1, 1])


@pytest.mark.parametrize("requires_grad", [True, False])
def test_pickle_keeps_values_flag_and_attributes(requires_grad):
    parameter = nn.Parameter(fastgrad.tensor([1.0, 2.0]), requires_grad)
    parameter.note = "kept"
    loaded = pickle.loads(pickle.dumps(parameter))
    assert type(loaded) is nn.Parameter
    assert loaded.requires_grad is requires_grad and loaded.note == "kept"
    np.testing.assert_array_equal(loaded.detach().numpy(), [1, 2])


def test_buffer_is_a_marked_tensor():
    def observe(lib):
        buffer = lib.nn.Buffer(lib.ones(2), persistent=False)
        plain = lib.ones(2)
        return (
            type(buffer).__name__,
            repr(buffer),
            buffer.persistent,
            isinstance(buffer, lib.nn.Buffer),
            isinstance(plain, lib.nn.Buffer),
            isinstance(buffer, lib.nn.Parameter),
        )

    assert_same(observe)


def test_integer_parameters_need_no_grad():
    assert_same(lambda lib: lib.nn.Parameter(lib.arange(3), requires_grad=False))
    for lib in (fastgrad, torch):
        with pytest.raises(RuntimeError, match="can require gradients"):
            lib.nn.Parameter(lib.arange(3))
