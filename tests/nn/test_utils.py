"""nn.utils: gradient clipping and parameters as a vector, against PyTorch's."""

import math

import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error


def parameters(lib, scale=1.0):
    """Three parameters, the last without a gradient."""
    values = [lib.tensor([3.0, -4.0]), lib.tensor([[1.0, 2.0], [0.5, -12.0]]), lib.tensor([7.0])]
    made = [lib.nn.Parameter(value) for value in values]
    for parameter in made[:2]:
        parameter.grad = parameter.detach() * scale
    return made


@pytest.mark.parametrize("foreach", [None, False])
@pytest.mark.parametrize("norm_type", [2.0, 1, 3.0, math.inf, 0.5])
@pytest.mark.parametrize("max_norm", [1.0, 5, 1000.0])
def test_clip_grad_norm(max_norm, norm_type, foreach):
    def observe(lib):
        p = parameters(lib)
        norm = lib.nn.utils.clip_grad_norm_(p, max_norm, norm_type, foreach=foreach)
        return norm, [q.grad for q in p]

    assert_same(observe, rtol=1e-6)


def test_clip_grad_norm_of_tiny_gradients():
    """Where the small number in the divisor shows."""

    def observe(lib):
        p = parameters(lib, scale=1e-6)
        return lib.nn.utils.clip_grad_norm_(p, 1e-6), [q.grad for q in p]

    assert_same(observe, rtol=1e-6)


@pytest.mark.parametrize("make", [lambda p: p[0], lambda p: iter(p), lambda p: [], lambda p: (q for q in []), lambda p: p[2:]])
def test_clip_grad_norm_takes_a_tensor_an_iterator_or_nothing(make):
    def observe(lib):
        p = parameters(lib)
        return lib.nn.utils.clip_grad_norm_(make(p), 1.0), [q.grad for q in p]

    assert_same(observe, rtol=1e-6)


@pytest.mark.parametrize("scale", [math.nan, math.inf])
def test_clip_grad_norm_with_a_norm_that_is_not_finite(scale):
    assert_same(lambda lib: lib.nn.utils.clip_grad_norm_(parameters(lib, scale), 1.0))
    assert_same_error(lambda lib: lib.nn.utils.clip_grad_norm_(parameters(lib, scale), 1.0, error_if_nonfinite=True))


def test_total_norm_and_clipping_by_it():
    def observe(lib):
        p = parameters(lib)
        norm = lib.nn.utils.get_total_norm([q.grad for q in p[:2]])
        lib.nn.utils.clip_grads_with_norm_(p, 2.0, norm)
        return norm, lib.nn.utils.get_total_norm([]), lib.nn.utils.get_total_norm(p[0].grad), [q.grad for q in p]

    assert_same(observe, rtol=1e-6)


def test_old_name_of_clip_grad_norm():
    assert_same(lambda lib: lib.nn.utils.clip_grad_norm(parameters(lib), 1.0), rtol=1e-6)


@pytest.mark.parametrize("make", [lambda p: p, lambda p: p[0], lambda p: iter(p)])
def test_clip_grad_value(make):
    def observe(lib):
        p = parameters(lib)
        lib.nn.utils.clip_grad_value_(make(p), 2)
        return [q.grad for q in p]

    assert_same(observe)


def test_vectors_of_parameters():
    def observe(lib):
        p = parameters(lib)
        vector = lib.nn.utils.parameters_to_vector(p)
        lib.nn.utils.vector_to_parameters(lib.arange(7.0), p)
        return vector, p

    assert_same(observe)


def test_parameters_become_views_of_the_vector():
    p = parameters(fastgrad)
    vector = fastgrad.zeros(7)
    nn.utils.vector_to_parameters(vector, p)
    vector.fill_(3)
    assert all((q == 3).all() for q in p)
    assert all(isinstance(q, nn.Parameter) for q in p)


def test_vector_must_be_a_tensor():
    assert_same_error(lambda lib: lib.nn.utils.vector_to_parameters([1.0], parameters(lib)))


def test_parameters_to_vector_is_differentiable():
    def observe(lib):
        p = parameters(lib)
        (lib.nn.utils.parameters_to_vector(p) ** 2).sum().backward()
        return [q.grad for q in p]

    assert_same(observe)
