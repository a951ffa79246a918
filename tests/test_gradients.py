"""The gradient check itself: it passes what is right and finds each kind of wrong gradient."""

import fastgrad
import numpy as np
import pytest

from tests.gradients import MARGIN, Domain, check_gradients, check_jacobian, inputs_for, sample


class WrongElement(fastgrad.autograd.Function):
    """exp with one element of its gradient wrong in the sixth digit."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return fastgrad.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        factor = np.ones(tuple(x.shape))
        factor[0, 0] = 1 + 1e-5
        return grad * fastgrad.exp(x) * fastgrad.from_numpy(factor)


class WrongCurvature(fastgrad.autograd.Function):
    """The cube, with a right gradient that lacks a term of its own gradient."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x.detach()


def swapped(a, b):
    """Subtraction whose gradients go to the wrong inputs."""
    return (b - a) + 2 * (a - b).detach()


@pytest.mark.parametrize("check", [check_gradients, check_jacobian])
@pytest.mark.parametrize(
    "function, domain",
    [
        (lambda x: fastgrad.exp(x), None),
        (lambda x: fastgrad.log(x), Domain(0.1, 3.0)),
        (lambda x: fastgrad.abs(x), Domain(avoid=(0.0,))),
        (lambda x: x.amax(0), None),
        (lambda x: (x.sum(), x * 2, x.argmax()), None),
        (lambda x: x.t(), None),
    ],
)
def test_right_gradients_pass(check, function, domain):
    check(function, inputs_for([(3, 4)], domain))


def test_several_inputs_with_broadcasting():
    check_gradients(lambda a, b: a * b / (1 + b * b), inputs_for([(3, 4), (4,)]))


def test_a_wrong_element_is_found():
    with pytest.raises(AssertionError, match="first gradient"):
        check_gradients(WrongElement.apply, inputs_for([(3, 4)]))
    with pytest.raises(AssertionError, match="output element 0, input element 0"):
        check_jacobian(WrongElement.apply, inputs_for([(3, 4)]))


def test_a_wrong_second_gradient_is_found():
    check_gradients(WrongCurvature.apply, inputs_for([(3, 4)]), order=1)
    with pytest.raises(AssertionError, match="second gradient"):
        check_gradients(WrongCurvature.apply, inputs_for([(3, 4)]))


def test_swapped_and_missing_gradients_are_found():
    with pytest.raises(AssertionError, match="first gradient"):
        check_gradients(swapped, inputs_for([(3,), (3,)]))
    with pytest.raises(AssertionError, match="first gradient"):
        check_gradients(lambda x: x * x.detach(), inputs_for([(3,)]))
    with pytest.raises(AssertionError, match="no output requires a gradient"):
        check_gradients(lambda x: x.detach(), inputs_for([(3,)]))


def test_float32_inputs_are_refused():
    with pytest.raises(TypeError, match="float64"):
        check_gradients(fastgrad.exp, [fastgrad.zeros(2, requires_grad=True)])


@pytest.mark.parametrize(
    "domain", [Domain(), Domain(0.0, 0.2), Domain(-1, 1, avoid=(0.0, 0.5)), Domain(avoid_multiples_of=0.5)]
)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (20, 20)])
def test_samples_stay_in_their_domain_and_apart(domain, shape):
    values = sample(shape, domain)
    assert values.shape == shape and values.dtype == np.float64
    assert domain.holds(values).all()
    assert (values > domain.low + MARGIN).all() and (values < domain.high - MARGIN).all()
    assert len(np.unique(values)) == values.size
