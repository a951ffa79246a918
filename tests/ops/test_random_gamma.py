"""Gamma, Dirichlet, Poisson and binomial draws are PyTorch's for a seed; gradients are those of the quantile at a fixed probability."""

import numpy as np
import pytest
import torch

import fastgrad as fg

SEEDS = (0, 7, 123)
RATES = [0.05, 0.4, 1.0, 3.7, 9.99, 10.0, 35.5, 1e3, 1e6]


def drawn(name, *arguments, dtype="float64", seed=0, layout=None):
    """(PyTorch's, ours), and one number of each generator after it."""
    results = []
    for lib in (torch, fg):
        tensors = [lib.tensor(a, dtype=getattr(lib, dtype)) for a in arguments]
        if layout == "transposed":
            tensors = [t.t() for t in tensors]
        if layout == "strided":
            tensors = [t[..., ::2] for t in tensors]
        lib.manual_seed(seed)
        results.append((getattr(lib, name)(*tensors).detach().numpy(), lib.rand(1).item()))
    return results


@pytest.mark.parametrize("layout", [None, "transposed", "strided"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name, arguments", [
    ("_standard_gamma", [[[0.01, 0.3, 0.999, 1.0] * 20, [1.5, 7.0, 100.0, 1e5] * 20]]),
    ("_sample_dirichlet", [[[0.01, 0.3, 0.999, 1.0], [1.5, 7.0, 100.0, 1e5]] * 10]),
    ("poisson", [[RATES * 20, RATES[::-1] * 20]]),
    ("binomial", [[[0.0, 5.0, 40.0, 1000.0] * 30] * 2, [[0.5, 0.01, 0.9, 0.3] * 30, [0.0, 1.0, 0.5, 0.97] * 30]]),
])
def test_draws_are_pytorch_s(name, arguments, seed, dtype, layout):
    (theirs, after), (ours, after_ours) = drawn(name, *arguments, seed=seed, dtype=dtype, layout=layout)
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=1e-14 if dtype == "float64" else 2e-7)
    assert after_ours == after


@pytest.mark.parametrize("name, arguments, error", [
    ("poisson", [[-1.0]], RuntimeError), ("poisson", [[float("nan")]], RuntimeError)])
def test_what_has_no_distribution_is_refused(name, arguments, error):
    with pytest.raises(error) as theirs:
        getattr(torch, name)(*map(torch.tensor, arguments))
    with pytest.raises(error) as ours:
        getattr(fg, name)(*map(fg.tensor, arguments))
    assert str(ours.value).split("\n")[0] == str(theirs.value).split("\n")[0]


@pytest.mark.parametrize("a", [0.05, 0.5, 1.0, 3.0, 20.0, 500.0])
@pytest.mark.parametrize("deviations", [-1.5, -0.3, 0.0, 1.0, 2.9, 3.5, 6.0])
def test_a_gamma_draw_moves_as_its_quantile(a, deviations):
    x = a + deviations * a**0.5
    if x <= 0:
        x = a * 0.3

    upper = x > a               # Q there: P is 1 to many digits

    def probability(a):
        side = torch.special.gammaincc if upper else torch.special.gammainc
        return side(torch.tensor(a, dtype=torch.float64), torch.tensor(x, dtype=torch.float64)).item() * (-1 if upper else 1)

    h = 1e-3 * min(a, a**0.5)                # five points: the error of the difference is of order h^4
    slope = (8 * (probability(a + h) - probability(a - h)) - probability(a + 2 * h) + probability(a - 2 * h)) / (12 * h)
    density = torch.distributions.Gamma(torch.tensor(a, dtype=torch.float64), 1.0).log_prob(torch.tensor(x, dtype=torch.float64)).exp().item()
    ours = fg._ops._standard_gamma_grad(fg.tensor(a, dtype=fg.float64), fg.tensor(x, dtype=fg.float64)).item()
    assert ours == pytest.approx(-slope / density, rel=2e-6)


@pytest.mark.parametrize("name", ["Gamma", "Dirichlet"])
def test_gradients_are_pytorch_s_to_its_approximation(name):
    concentration = np.random.default_rng(0).uniform(0.2, 30, (50, 4))
    weight = np.random.default_rng(1).normal(size=(50, 4))
    grads = []
    for lib in (torch, fg):
        a = lib.tensor(concentration, requires_grad=True)
        lib.manual_seed(2)
        distribution = lib.distributions.Gamma(a, 1.0) if name == "Gamma" else lib.distributions.Dirichlet(a)
        (distribution.rsample() * lib.tensor(weight)).sum().backward()
        grads.append(a.grad.numpy())
    np.testing.assert_allclose(grads[1], grads[0], rtol=2e-3, atol=2e-3 * np.abs(grads[0]).max())     # PyTorch's has 3 digits


def test_second_gradients_are_refused():
    a = fg.tensor([2.0], requires_grad=True)
    (grad,) = fg.autograd.grad(fg._standard_gamma(a).sum(), a, create_graph=True)
    with pytest.raises(RuntimeError):
        grad.sum().backward()


def test_randint_takes_its_bounds_by_keyword():
    for arguments, keywords in (((), {"high": 10, "size": (5,)}), ((), {"low": 3, "high": 10, "size": (5,)}), ((10,), {"size": (5,)}),
                                ((3,), {"high": 10, "size": (5,)}), ((3, 10), {"size": (5,)}), ((10, (5,)), {})):
        torch.manual_seed(4)
        fg.manual_seed(4)
        assert fg.randint(*arguments, **keywords).tolist() == torch.randint(*arguments, **keywords).tolist()
    with pytest.raises(TypeError):
        fg.randint(high=3)
