"""fastgrad.distributions: samples, log-probabilities, moments, gradients and errors are PyTorch's."""

import numpy as np
import pytest
import torch

import fastgrad

A, B = np.linspace(-1.5, 1.2, 6).reshape(2, 3), np.linspace(0.3, 2.0, 3)
P = np.array([[0.2, 0.5, 0.3], [0.7, 0.1, 0.2]])

MADE = {
    "Normal": (lambda d, t: d.Normal(t(A), t(B)), A + 0.3),
    "Normal numbers": (lambda d, t: d.Normal(0.5, 2.0), A),
    "Uniform": (lambda d, t: d.Uniform(t(A), t(A + B)), A + 0.2),
    "Exponential": (lambda d, t: d.Exponential(t(B)), B + 1),
    "Laplace": (lambda d, t: d.Laplace(t(A), t(B)), A + 0.3),
    "Bernoulli probs": (lambda d, t: d.Bernoulli(t(P)), np.array([[0, 1, 1], [1, 0, 1.0]])),
    "Bernoulli logits": (lambda d, t: d.Bernoulli(logits=t(A)), np.array([[0, 1, 1], [1, 0, 1.0]])),
    "Categorical probs": (lambda d, t: d.Categorical(t(P * 3)), np.array([2.0, 0])),
    "Categorical logits": (lambda d, t: d.Categorical(logits=t(A)), np.array([2.0, 0])),
    "Categorical row": (lambda d, t: d.Categorical(logits=t(A[0])), np.array([2.0, 0, 1])),
    "Independent": (lambda d, t: d.Independent(d.Normal(t(A), t(B)), 1), A),
}


def both(function, dtype="float64"):
    """function(distributions, tensor, library) with PyTorch and with fastgrad."""
    results = []
    for lib in (torch, fastgrad):
        lib.manual_seed(3)
        results.append(function(lib.distributions, lambda x, lib=lib: lib.tensor(x, dtype=getattr(lib, dtype)), lib))
    return results


def assert_close(pair, rtol=1e-12):
    theirs, ours = pair
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert str(ours.dtype).rpartition(".")[2] == str(theirs.dtype).rpartition(".")[2]
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (4,), (3, 5)], ids=str)
@pytest.mark.parametrize("name", MADE)
def test_samples(name, shape, dtype):
    make = MADE[name][0]
    assert_close(both(lambda d, t, lib: make(d, t).sample(shape), dtype), rtol=1e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize("name", MADE)
def test_numbers(name):
    make, value = MADE[name]
    assert_close(both(lambda d, t, lib: make(d, t).log_prob(t(value))))
    for what in ("entropy", "perplexity"):
        if what == "entropy" or "Independent" not in name:
            assert_close(both(lambda d, t, lib: getattr(make(d, t), what)()))
    for what in ("mean", "variance", "stddev", "mode"):
        assert_close(both(lambda d, t, lib: getattr(make(d, t), what)))
    theirs, ours = both(lambda d, t, lib: repr(make(d, t)))
    assert ours == theirs
    theirs, ours = both(lambda d, t, lib: [tuple(make(d, t).batch_shape), tuple(make(d, t).event_shape), make(d, t).has_rsample,
                                           make(d, t).has_enumerate_support, repr(make(d, t).support)])
    assert ours == theirs


@pytest.mark.parametrize("name", ["Normal", "Uniform", "Exponential", "Laplace"])
def test_cdf_and_its_inverse(name):
    make, value = MADE[name]
    assert_close(both(lambda d, t, lib: make(d, t).cdf(t(value))))
    if name != "Normal" or hasattr(fastgrad, "erfinv"):
        assert_close(both(lambda d, t, lib: make(d, t).icdf(t(P))), rtol=1e-7)


@pytest.mark.parametrize("name", ["Bernoulli probs", "Categorical logits"])
def test_enumerate_support(name):
    for expand in (True, False):
        assert_close(both(lambda d, t, lib: MADE[name][0](d, t).enumerate_support(expand)))


@pytest.mark.parametrize("name", MADE)
def test_expand(name):
    make, value = MADE[name]

    def larger(d, t, lib):
        one = make(d, t)
        return one.expand((3, *one.batch_shape))

    assert_close(both(lambda d, t, lib: larger(d, t, lib).sample((2,))), rtol=1e-12)
    assert_close(both(lambda d, t, lib: larger(d, t, lib).log_prob(t(value))))


def gradients(function):
    def run(d, t, lib):
        x = t(A).requires_grad_()
        function(d, t, x).sum().backward()
        return x.grad

    return both(run)


def test_gradients():
    assert_close(gradients(lambda d, t, x: d.Normal(x, t(B)).rsample((3,)) ** 2))
    assert_close(gradients(lambda d, t, x: d.Normal(t(A), x.exp()).log_prob(t(A + 1))))
    assert_close(gradients(lambda d, t, x: d.Categorical(logits=x).log_prob(t(np.array([2, 0])))))
    assert_close(gradients(lambda d, t, x: d.Categorical(logits=x).entropy()))
    assert_close(gradients(lambda d, t, x: d.Bernoulli(logits=x).entropy()))
    assert_close(gradients(lambda d, t, x: d.Laplace(x, t(B)).rsample()))
    assert_close(gradients(lambda d, t, x: d.Exponential(x.exp()).rsample()))


PAIRS = {
    "Normal": lambda d, t: (d.Normal(t(A), t(B)), d.Normal(t(-A), t(B + 1))),
    "Bernoulli": lambda d, t: (d.Bernoulli(t(P)), d.Bernoulli(t(1 - P))),
    "Categorical": lambda d, t: (d.Categorical(t(P)), d.Categorical(t(P[::-1].copy()))),
    "Exponential": lambda d, t: (d.Exponential(t(B)), d.Exponential(t(B + 1))),
    "Laplace": lambda d, t: (d.Laplace(t(A), t(B)), d.Laplace(t(-A), t(B + 1))),
    "Uniform": lambda d, t: (d.Uniform(t(A), t(A + 1)), d.Uniform(t(A - 1), t(A + 2))),
    "Uniform apart": lambda d, t: (d.Uniform(t(A), t(A + 1)), d.Uniform(t(A + 0.5), t(A + 2))),
    "Independent": lambda d, t: (d.Independent(d.Normal(t(A), t(B)), 1), d.Independent(d.Normal(t(-A), t(B)), 1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_kl(name):
    assert_close(both(lambda d, t, lib: d.kl_divergence(*PAIRS[name](d, t))))


ERRORS = {
    "negative scale": lambda d, t: d.Normal(t(A), t(-B)),
    "empty range": lambda d, t: d.Uniform(t(A), t(A)),
    "probability over 1": lambda d, t: d.Bernoulli(t(B)),
    "both": lambda d, t: d.Categorical(t(P), logits=t(P)),
    "none": lambda d, t: d.Bernoulli(),
    "value outside": lambda d, t: d.Categorical(t(P)).log_prob(t(np.array([3.0, 0]))),
    "value negative": lambda d, t: d.Exponential(t(B)).log_prob(t(-B)),
    "value of another shape": lambda d, t: d.Normal(t(A), t(B)).log_prob(t(np.zeros(5))),
    "too many dims": lambda d, t: d.Independent(d.Normal(t(A), t(B)), 3),
    "no such pair": lambda d, t: d.kl_divergence(d.Bernoulli(t(P)), d.Categorical(t(P))),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(name):
    for lib, kind in ((torch, Exception), (fastgrad, None)):
        with pytest.raises(kind or theirs.type) as raised:
            ERRORS[name](lib.distributions, lambda x: lib.tensor(x))
        if kind:
            theirs = raised
    assert str(raised.value)[:30] == str(theirs.value)[:30]


def test_sample_n():
    def draws(lib):
        lib.manual_seed(3)
        with pytest.warns(FutureWarning, match="sample_n"):
            return lib.distributions.Normal(lib.tensor(A), lib.tensor(B)).sample_n(2).numpy()

    np.testing.assert_array_equal(draws(fastgrad), draws(torch))


@pytest.mark.parametrize("make", [lambda d: d.Gamma(2.0, 3.0), lambda d: d.Chi2(2.5)], ids=["Gamma", "Chi2"])
def test_density_of_a_number(make):
    ours, theirs = (make(lib.distributions).log_prob(1.5).item() for lib in (fastgrad, torch))
    assert ours == pytest.approx(theirs, rel=1e-6)
    for lib in (fastgrad, torch):
        with pytest.raises(ValueError):
            lib.distributions.Normal(0.0, 1.0).log_prob(1.5)
