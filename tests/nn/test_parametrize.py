"""nn.utils.parametrize and parametrizations against PyTorch: values, gradients, states, text, errors."""

import copy
import pickle

import pytest

import fastgrad
from tests.nn.both import assert_same, assert_same_error


def parametrization(lib, forward, right_inverse=None):
    members = {"forward": lambda self, x: forward(x)}
    if right_inverse is not None:
        members["right_inverse"] = lambda self, x: right_inverse(x)
    return type("Made", (lib.nn.Module,), members)()


def trained(lib, module, steps=3):
    x = lib.linspace(-1, 1, 2 * module.in_features).reshape(2, -1)
    optimizer = lib.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        module(x).square().sum().backward()
        optimizer.step()
    return repr(module), module.state_dict(), module(x), module.eval()(x)


READY = {
    "weight_norm": lambda n, m: n.weight_norm(m),
    "weight_norm(dim=1)": lambda n, m: n.weight_norm(m, dim=1),
    "weight_norm(dim=None)": lambda n, m: n.weight_norm(m, dim=None),
    "spectral_norm": lambda n, m: n.spectral_norm(m),
    "spectral_norm(3, dim=1)": lambda n, m: n.spectral_norm(m, n_power_iterations=3, dim=1),
    "spectral_norm of the bias": lambda n, m: n.spectral_norm(m, "bias"),
    "orthogonal": lambda n, m: n.orthogonal(m),
    "orthogonal(cayley)": lambda n, m: n.orthogonal(m, orthogonal_map="cayley"),
    "orthogonal(matrix_exp)": lambda n, m: n.orthogonal(m, orthogonal_map="matrix_exp"),
    "orthogonal(householder)": lambda n, m: n.orthogonal(m, orthogonal_map="householder"),
}


@pytest.mark.parametrize("sizes", [(3, 3), (3, 5), (5, 3)], ids=str)
@pytest.mark.parametrize("make", READY.values(), ids=READY)
def test_ready_parametrizations(make, sizes):
    def observe(lib):
        lib.manual_seed(0)
        module = make(lib.nn.utils.parametrizations, lib.nn.Linear(*sizes))
        return module.weight, trained(lib, module)

    assert_same(observe, rtol=2e-4, atol=2e-5)


OLD = {
    "weight_norm": lambda u, m: u.weight_norm(m),
    "weight_norm(dim=None)": lambda u, m: u.weight_norm(m, dim=None),
    "spectral_norm": lambda u, m: u.spectral_norm(m, n_power_iterations=2),
}


@pytest.mark.parametrize("make", OLD.values(), ids=OLD)
def test_old_forms(make):
    def observe(lib):
        lib.manual_seed(0)
        module = make(lib.nn.utils, lib.nn.Linear(4, 3))
        result = trained(lib, module)
        getattr(lib.nn.utils, "remove_weight_norm" if hasattr(module, "weight_g") else "remove_spectral_norm")(module)
        return result, repr(module), module.state_dict(), len(module._forward_pre_hooks)

    assert_same(observe, rtol=2e-5, atol=2e-6)


def test_own_parametrizations_one_after_another():
    def observe(lib):
        P = lib.nn.utils.parametrize
        lib.manual_seed(0)
        module = lib.nn.Linear(3, 3)
        P.register_parametrization(module, "weight", parametrization(lib, lambda x: x.exp(), lambda x: x.log().nan_to_num(0.0)))
        P.register_parametrization(module, "weight", parametrization(lib, lambda x: x * 2, lambda x: x / 2))
        P.register_parametrization(module, "bias", parametrization(lib, lambda x: x * x))
        module.weight = lib.full((3, 3), 4.0)
        texts = [repr(module), P.is_parametrized(module), P.is_parametrized(module, "bias"), P.type_before_parametrizations(module).__name__]
        state, value = module.state_dict(), module.weight
        with P.cached():
            same = module.weight is module.weight
        P.remove_parametrizations(module, "bias", leave_parametrized=False)
        P.remove_parametrizations(module, "weight")
        return texts, state, value, same, repr(module), module.state_dict(), P.is_parametrized(module)

    assert_same(observe, rtol=1e-6)


def test_several_originals():
    def observe(lib):
        P = lib.nn.utils.parametrize
        lib.manual_seed(0)
        rank_one = parametrization(lib, lambda x: x, None)
        type(rank_one).forward = lambda self, u, v: u[:, None] * v
        type(rank_one).right_inverse = lambda self, x: (x[:, 0], x[0])
        module = P.register_parametrization(lib.nn.Linear(3, 2), "weight", rank_one)
        result = trained(lib, module)
        P.remove_parametrizations(module, "weight")
        return result, module.state_dict()

    assert_same(observe, rtol=1e-5, atol=1e-6)


BAD = {
    "shape": lambda lib: parametrization(lib, lambda x: x[:1]),
    "type": lambda lib: parametrization(lib, lambda x: 3),
    "dtype": lambda lib: parametrization(lib, lambda x: x.double()),
    "inverse's type": lambda lib: parametrization(lib, lambda x: x, lambda x: 3),
    "inverse's dtype": lambda lib: parametrization(lib, lambda x: x, lambda x: x.double()),
}


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_parametrizations_that_do_not_fit(make, again):
    def observe(lib):
        module = lib.nn.Linear(2, 2)
        if again:
            lib.nn.utils.parametrize.register_parametrization(module, "weight", parametrization(lib, lambda x: x))
        lib.nn.utils.parametrize.register_parametrization(module, "weight", make(lib))

    assert_same_error(observe)


ERRORS = {
    "no such tensor": lambda lib, u, m: u.parametrize.register_parametrization(m, "w", parametrization(lib, abs)),
    "nothing to remove": lambda lib, u, m: u.parametrize.remove_parametrizations(m, "weight"),
    "several originals": lambda lib, u, m: u.parametrize.remove_parametrizations(u.parametrizations.weight_norm(m), "weight", False),
    "no inverse": lambda lib, u, m: setattr(u.parametrize.register_parametrization(m, "bias", parametrization(lib, abs)), "bias",
                                            lib.ones(2)),
    "a vector": lambda lib, u, m: u.parametrizations.orthogonal(m, "bias"),
    "unknown map": lambda lib, u, m: u.parametrizations.orthogonal(m, orthogonal_map="x"),
    "missing": lambda lib, u, m: u.parametrizations.spectral_norm(m, "w"),
    "iterations": lambda lib, u, m: u.parametrizations.spectral_norm(m, n_power_iterations=0),
    "twice": lambda lib, u, m: u.weight_norm(u.weight_norm(m)),
    "no weight norm": lambda lib, u, m: u.remove_weight_norm(m),
    "no spectral norm": lambda lib, u, m: u.remove_spectral_norm(m),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_errors(call):
    assert_same_error(lambda lib: call(lib, lib.nn.utils, lib.nn.Linear(3, 2)))


def test_copies_and_no_pickle():
    module = fastgrad.nn.utils.parametrizations.weight_norm(fastgrad.nn.Linear(3, 2))
    other = copy.deepcopy(module)
    with fastgrad.no_grad():
        other.parametrizations.weight.original0.mul_(2)
    assert fastgrad.allclose(other.weight, module.weight * 2)
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(module)


def test_state_of_the_old_form_loads_into_the_new_one():
    def observe(lib):
        lib.manual_seed(0)
        old = lib.nn.utils.weight_norm(lib.nn.Linear(3, 2))
        new = lib.nn.utils.parametrizations.weight_norm(lib.nn.Linear(3, 2))
        return repr(new.load_state_dict(old.state_dict())), new.weight, old.weight

    assert_same(observe, rtol=1e-6)
