"""Transforms, their registry and constraints: PyTorch's values, log-determinants, shapes and texts; determinants also by autograd."""

import pytest
import torch
import torch.distributions as T

import fastgrad as fg
import fastgrad.distributions as D

pytestmark = pytest.mark.usefixtures("doubles")

MATRIX = [[0.3, 9.0, 9.0], [-0.2, 0.5, 9.0], [0.7, 0.1, -0.4]]
CASES = {               # what makes the transform, and an argument
    "exp": (lambda d, t: d.ExpTransform(), [[0.3, -1.0], [2.0, 0.0]]),
    "power": (lambda d, t: d.PowerTransform(t([2.0, -0.5])), [[0.3, 1.0], [2.0, 0.2]]),
    "sigmoid": (lambda d, t: d.SigmoidTransform(), [0.3, -20.0, 4.0]),
    "softplus": (lambda d, t: d.SoftplusTransform(), [0.3, -2.0, 4.0]),
    "tanh": (lambda d, t: d.TanhTransform(), [0.3, -2.0, 1.0]),
    "affine": (lambda d, t: d.AffineTransform(t([1.0, 2.0]), -3.0), [[0.3, -1.0], [2.0, 0.0]]),
    "affine_event": (lambda d, t: d.AffineTransform(0.5, t([1.0, 2.0]), event_dim=1), [[0.3, -1.0], [2.0, 0.0]]),
    "corr_cholesky": (lambda d, t: d.CorrCholeskyTransform(), [[0.3, -0.7, 0.2], [1.0, 0.1, -0.4]]),
    "stick_breaking": (lambda d, t: d.StickBreakingTransform(), [[0.3, -0.7, 0.2], [1.0, 0.1, -0.4]]),
    "compose": (lambda d, t: d.ComposeTransform([d.AffineTransform(1.0, 2.0), d.StickBreakingTransform()]), [[0.3, -0.7], [1.0, 0.1]]),
    "independent": (lambda d, t: d.IndependentTransform(d.TanhTransform(), 1), [[0.3, -0.7], [1.0, 0.1]]),
    "reshape": (lambda d, t: d.ReshapeTransform((4,), (2, 2)), [[0.3, -0.7, 1.0, 0.1]]),
    "cat": (lambda d, t: d.CatTransform([d.ExpTransform(), d.TanhTransform()], dim=-1, lengths=[2, 1]), [[0.3, -0.7, 1.0]]),
    "stack": (lambda d, t: d.StackTransform([d.ExpTransform(), d.TanhTransform()], dim=0), [[0.3, -0.7], [1.0, 0.1]]),
    "cdf": (lambda d, t: d.CumulativeDistributionTransform(d.Exponential(t(2.0))), [0.3, 0.7]),
}
RIGHT_INVERSE = {
    "abs": (lambda d, t: d.AbsTransform(), [0.3, -1.0]),
    "softmax": (lambda d, t: d.SoftmaxTransform(), [[0.3, -0.7, 0.2], [1.0, 0.1, -0.4]]),
    "lower_cholesky": (lambda d, t: d.LowerCholeskyTransform(), MATRIX),
}


def same(ours, theirs):
    torch.testing.assert_close(torch.from_numpy(ours.detach().numpy().copy()), theirs, rtol=1e-12, atol=1e-13, equal_nan=True)


@pytest.mark.parametrize("cache_size", [0, 1])
@pytest.mark.parametrize("name", {**CASES, **RIGHT_INVERSE})
def test_values_inverses_and_determinants_are_pytorch_s(name, cache_size):
    make, argument = {**CASES, **RIGHT_INVERSE}[name]
    theirs, ours = make(T, torch.tensor).with_cache(cache_size), make(D, fg.tensor).with_cache(cache_size)
    a, b = torch.tensor(argument), fg.tensor(argument)
    y, z = theirs(a), ours(b)
    same(z, y)
    same(ours.inv(z), theirs.inv(y))
    assert (ours.inv(z) is b) == (theirs.inv(y) is a)
    fresh = fg.tensor(y.tolist())                       # not in the cache: worked out
    same(ours.inv(fresh), theirs.inv(y.clone()))
    if name not in RIGHT_INVERSE:
        same(ours.log_abs_det_jacobian(b, z), theirs.log_abs_det_jacobian(a, y))
        same(ours.inv.log_abs_det_jacobian(z, b), theirs.inv.log_abs_det_jacobian(y, a))
    assert ours.bijective == theirs.bijective
    assert tuple(ours.forward_shape(tuple(b.shape))) == tuple(theirs.forward_shape(a.shape))
    assert tuple(ours.inverse_shape(tuple(z.shape))) == tuple(theirs.inverse_shape(y.shape))
    assert (ours.domain.event_dim, ours.codomain.event_dim) == (theirs.domain.event_dim, theirs.codomain.event_dim)
    assert repr(ours) == repr(theirs)
    assert ours.inv.inv is ours or name == "compose"


@pytest.mark.parametrize("name", ["stick_breaking", "corr_cholesky", "affine_event"])
def test_log_determinant_is_that_of_the_jacobian(name):
    make, argument = CASES[name]
    transform = make(D, fg.tensor)
    x = fg.tensor(argument[0])
    jacobian = torch.tensor(fg.autograd.functional.jacobian(transform, x).tolist())
    if name == "stick_breaking":
        jacobian = jacobian[:-1]                        # the last probability follows
    if name == "corr_cholesky":
        jacobian = jacobian[torch.tril_indices(3, 3, -1).unbind()]
    wanted = jacobian.det().abs().log().item()
    assert transform.log_abs_det_jacobian(x, transform(x)).item() == pytest.approx(wanted, rel=1e-10)


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("constraint", [
    "real", "positive", "nonnegative", "unit_interval", "simplex", "real_vector", "lower_cholesky", "corr_cholesky",
    lambda c: c.greater_than(2.0), lambda c: c.less_than(2.0), lambda c: c.interval(-1.0, 3.0), lambda c: c.half_open_interval(1.0, 3.0),
    lambda c: c.independent(c.positive, 1), lambda c: c.cat([c.positive, c.real], -1, [1, 2]), lambda c: c.stack([c.positive, c.real, c.real], -1)])
def test_registries_map_onto_the_region(registry, constraint):
    if (registry, constraint) == ("biject_to", "lower_cholesky"):
        pytest.skip("registered for transform_to only, as in PyTorch")
    pick = (lambda c: getattr(c, constraint)) if isinstance(constraint, str) else constraint
    theirs, ours = getattr(T, registry)(pick(T.constraints)), getattr(D, registry)(pick(D.constraints))
    assert repr(ours) == repr(theirs)
    x = MATRIX if constraint == "lower_cholesky" else [[0.3, -0.7, 0.2], [1.0, 0.1, -0.4]]
    y = ours(fg.tensor(x))
    same(y, theirs(torch.tensor(x)))
    assert pick(D.constraints).check(y).all()


def test_a_constraint_without_a_transform_is_refused_with_pytorch_s_words():
    with pytest.raises(NotImplementedError) as error:
        T.biject_to(T.constraints.boolean)
    with pytest.raises(NotImplementedError) as ours:
        D.biject_to(D.constraints.boolean)
    assert str(ours.value) == str(error.value)
    with pytest.raises(TypeError):
        D.biject_to.register(3, lambda constraint: None)


@pytest.mark.parametrize("pick, values", [
    (lambda c: c.one_hot, [[0.0, 1.0], [1.0, 1.0], [0.5, 0.5]]),
    (lambda c: c.multinomial(3), [[0.0, 3.0], [2.0, 2.0], [-1.0, 1.0]]),
    (lambda c: c.nonnegative_integer, [0.0, -1.0, 1.5, 2.0]), (lambda c: c.positive_integer, [0.0, 1.0, 1.5]),
    (lambda c: c.half_open_interval(0.0, 1.0), [0.0, 0.5, 1.0]), (lambda c: c.greater_than_eq(1.0), [0.0, 1.0, float("nan")]),
    (lambda c: c.lower_triangular, [[[1.0, 0.0], [2.0, -1.0]], [[1.0, 3.0], [2.0, 1.0]]]),
    (lambda c: c.lower_cholesky, [[[1.0, 0.0], [2.0, -1.0]], [[1.0, 0.0], [2.0, 1.0]]]),
    (lambda c: c.corr_cholesky, [[[1.0, 0.0], [0.6, 0.8]], [[1.0, 0.0], [0.6, 0.7]]]),
    (lambda c: c.symmetric, [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 2.0], [2.1, 1.0]]]), (lambda c: c.square, [[1.0, 2.0]]),
    (lambda c: c.cat([c.positive, c.real], -1, [1, 1]), [[1.0, -2.0], [-1.0, 2.0]]),
    (lambda c: c.stack([c.positive, c.real], -1), [[1.0, -2.0], [-1.0, 2.0]]),
    (lambda c: c.MixtureSameFamilyConstraint(c.positive), [1.0, -2.0])])
def test_constraints_judge_as_pytorch_s(pick, values):
    ours, theirs = pick(D.constraints), pick(T.constraints)
    assert ours.check(fg.tensor(values)).tolist() == theirs.check(torch.tensor(values)).tolist()
    assert (ours.event_dim, ours.is_discrete) == (theirs.event_dim, theirs.is_discrete)


def test_dependent_constraints_are_known_by_the_class():
    assert D.constraints.is_dependent(D.Pareto.support) and D.constraints.is_dependent(D.constraints.dependent)
    assert not D.constraints.is_dependent(D.constraints.real)
    assert D.Pareto.support.event_dim == 0
    with pytest.raises(NotImplementedError):
        D.constraints.dependent.event_dim
