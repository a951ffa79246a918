"""Operations that are Python functions: their values, and that their arguments are handled as every operation's."""

import pytest
import torch

import fastgrad as fg
from fastgrad._composite import composite
from tests.gradients import check_gradients


def pair(shape, dtype=torch.float64):
    t = torch.randn(shape, dtype=dtype)
    return t, fg.from_numpy(t.numpy())


@pytest.mark.parametrize("a, b", [((2, 3), (4, 2)), ((3,), (2, 2)), ((2, 1, 3), (2, 2)), ((), (3,)), ((0, 2), (2, 2))])
def test_kron(a, b):
    (ta, a), (tb, b) = pair(a), pair(b)
    expected = torch.kron(ta, tb)
    assert a.kron(b).shape == expected.shape
    assert (a.kron(b).numpy() == expected.numpy()).all()


def test_kron_gradients():
    check_gradients(fg.kron, [fg.randn(n, m, dtype=fg.float64, requires_grad=True) for n, m in ((2, 2), (1, 3))])


def test_arguments():
    _, x = pair((2, 2))
    out = fg.empty(4, 4, dtype=fg.float64)
    assert fg.kron(x, x, out=out) is out and (out.numpy() == fg.kron(x, other=x).numpy()).all()
    with pytest.raises(TypeError, match=r"kron\(\) missing required argument 'other' \(position 2\)"):
        fg.kron(x)
    with pytest.raises(TypeError, match=r"takes 2 positional arguments but 3"):
        fg.kron(x, x, x)
    with pytest.raises(TypeError, match=r"kron\(\): argument 'other' \(position 2\) must be Tensor, not int"):
        fg.kron(x, 3)


def test_more_parameters_than_an_operation_has_are_refused():
    names = ", ".join(f"p{i}: int = 0" for i in range(64))
    scope = {}
    exec(f"def many(input, {names}): ...", scope)
    with pytest.raises(SystemError, match="many: more than 16 parameters"):
        composite(function=False)(scope["many"])
