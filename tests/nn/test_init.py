"""nn.init: the same seed gives PyTorch's values and leaves the generator in PyTorch's state."""

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error

FILLS = {
    "uniform_": lambda i, t: i.uniform_(t),
    "uniform_(-2, 3)": lambda i, t: i.uniform_(t, -2, 3),
    "normal_": lambda i, t: i.normal_(t),
    "normal_(1, 0.1)": lambda i, t: i.normal_(t, mean=1, std=0.1),
    "trunc_normal_": lambda i, t: i.trunc_normal_(t),
    "trunc_normal_(narrow)": lambda i, t: i.trunc_normal_(t, mean=0.0, std=1.0, a=-0.6, b=0.7),
    "trunc_normal_(tail)": lambda i, t: i.trunc_normal_(t, mean=0.0, std=1.0, a=1.5, b=3.0),
    "trunc_normal_(far)": lambda i, t: i.trunc_normal_(t, mean=0.0, std=0.1, a=0.5, b=0.6),
    "constant_": lambda i, t: i.constant_(t, 0.3),
    "ones_": lambda i, t: i.ones_(t),
    "zeros_": lambda i, t: i.zeros_(t),
    "xavier_uniform_": lambda i, t: i.xavier_uniform_(t, gain=2.0),
    "xavier_normal_": lambda i, t: i.xavier_normal_(t),
    "kaiming_uniform_": lambda i, t: i.kaiming_uniform_(t),
    "kaiming_uniform_(fan_out, relu)": lambda i, t: i.kaiming_uniform_(t, mode="fan_out", nonlinearity="relu"),
    "kaiming_normal_": lambda i, t: i.kaiming_normal_(t, a=0.2),
}
MATRIX_FILLS = {
    "eye_": lambda i, t: i.eye_(t),
    "sparse_": lambda i, t: i.sparse_(t, 0.3),
    "sparse_(std=2)": lambda i, t: i.sparse_(t, sparsity=0.9, std=2.0),
}
NORMAL_FLOATS = {}
SHAPES = [(3, 4), (20, 7), (4, 3, 2), (5, 2, 3, 3)]


def fill(lib, shape, function, dtype="float32"):
    lib.manual_seed(11)
    tensor = lib.nn.Parameter(lib.full(shape, 0.5, dtype=getattr(lib, dtype)))
    result = function(lib.nn.init, tensor)
    return result is tensor, tensor, lib.rand(1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", FILLS)
def test_fill(name, shape, dtype):
    tolerance = NORMAL_FLOATS if "normal" in name and dtype == "float32" else {}
    assert_same(lambda lib: fill(lib, shape, FILLS[name], dtype), **tolerance)


@pytest.mark.parametrize("shape", [(3, 4), (10, 3)], ids=str)
@pytest.mark.parametrize("function", MATRIX_FILLS.values(), ids=MATRIX_FILLS)
def test_fill_matrix(function, shape):
    assert_same(lambda lib: fill(lib, shape, function), **NORMAL_FLOATS)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (6, 2), (4, 2, 3)], ids=str)
def test_orthogonal(shape, dtype):
    """The draws are PyTorch's; the factorization is another library's, so the last bits may differ."""
    tolerance = {"float32": {"rtol": 1e-5, "atol": 1e-6}, "float64": {"rtol": 1e-12, "atol": 1e-13}}[dtype]
    assert_same(lambda lib: fill(lib, shape, lambda i, t: i.orthogonal_(t, gain=1.5), dtype), **tolerance)
    matrix = nn.init.orthogonal_(fastgrad.empty(shape, dtype=fastgrad.float64)).numpy().reshape(shape[0], -1)
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)


@pytest.mark.parametrize(("shape", "groups"), [((3, 2, 3), 1), ((4, 2, 3, 3), 2), ((2, 5, 1, 2, 3), 1)])
def test_dirac(shape, groups):
    assert_same(lambda lib: fill(lib, shape, lambda i, t: i.dirac_(t, groups)))


@pytest.mark.parametrize("name", ["uniform_", "normal_", "trunc_normal_", "xavier_normal_", "kaiming_uniform_"])
def test_generator(name):
    def observe(lib):
        lib.manual_seed(1)
        generator = lib.Generator().manual_seed(5)
        return getattr(lib.nn.init, name)(lib.empty(3, 3), generator=generator), lib.rand(1)

    assert_same(observe)


@pytest.mark.parametrize("name", ["linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gain(name):
    assert_same(lambda lib: lib.nn.init.calculate_gain(name))


@pytest.mark.parametrize("slope", [None, 0, 0.3, 2])
def test_gain_of_leaky_relu(slope):
    assert_same(lambda lib: lib.nn.init.calculate_gain("leaky_relu", slope))


ERRORS = {
    "gain of unknown": lambda i, e: i.calculate_gain("swish"),
    "gain with bool": lambda i, e: i.calculate_gain("leaky_relu", True),
    "gain with str": lambda i, e: i.calculate_gain("leaky_relu", "0.1"),
    "eye_ of vector": lambda i, e: i.eye_(e(3)),
    "dirac_ of matrix": lambda i, e: i.dirac_(e(3, 3)),
    "dirac_ groups": lambda i, e: i.dirac_(e(3, 3, 3), groups=2),
    "xavier_uniform_ of vector": lambda i, e: i.xavier_uniform_(e(3)),
    "kaiming_normal_ mode": lambda i, e: i.kaiming_normal_(e(3, 3), mode="fan"),
    "orthogonal_ of vector": lambda i, e: i.orthogonal_(e(3)),
    "sparse_ of vector": lambda i, e: i.sparse_(e(3), 0.5),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS)
def test_errors(act):
    assert_same_error(lambda lib: act(lib.nn.init, lib.empty))


@pytest.mark.parametrize("name", ["kaiming_uniform_", "kaiming_normal_", "orthogonal_"])
def test_empty_tensors_are_left_alone(name):
    assert_same(lambda lib: getattr(lib.nn.init, name)(lib.empty(0, 3)))


OLD = "uniform normal eye xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal".split()


@pytest.mark.parametrize("name", OLD)
def test_old_names_work_and_warn(name):
    def observe(lib):
        lib.manual_seed(0)
        function = getattr(lib.nn.init, name)
        return function.__name__, function(lib.empty(3, 3))

    assert_same(observe, rtol=1e-5, atol=1e-6)


def test_old_names_with_arguments():
    assert_same(lambda lib: lib.nn.init.constant(lib.empty(2), 3.0))
    assert_same(lambda lib: lib.nn.init.dirac(lib.empty(2, 2, 3)))
    assert_same(lambda lib: (lib.manual_seed(0), lib.nn.init.sparse(lib.empty(4, 4), 0.5))[1], **NORMAL_FLOATS)
