"""torch.distributions.utils: each function gives what PyTorch's gives."""

import pytest
import torch
import torch.distributions.utils  # noqa: F401

import fastgrad as fg
import fastgrad.distributions.utils  # noqa: F401
from tests.conformance.convert import to_torch

CALLS = {
    "broadcast_all": lambda u, L: u.broadcast_all(L.ones(2, 1), 3, L.zeros(4)),
    "binary probabilities": lambda u, L: [u.logits_to_probs(L.tensor([-1.0, 3.0]), True), u.probs_to_logits(L.tensor([0.0, 0.3, 1.0]), True)],
    "categories": lambda u, L: [u.logits_to_probs(L.tensor([[-1.0, 3.0]])), u.probs_to_logits(L.tensor([0.0, 0.3, 0.7])), u.clamp_probs(L.ones(1))],
    "to vector": lambda u, L: [u.tril_matrix_to_vec(L.arange(18.0).reshape(2, 3, 3), d) for d in (-1, 0, 1)],
    "to matrix": lambda u, L: [u.vec_to_tril_matrix(L.arange(2.0 * n).reshape(2, n), d) for n, d in ((3, -1), (6, 0), (8, 1))],
    "normal": lambda u, L: [L.manual_seed(3), u._standard_normal((2, 5), L.float64, L.device("cpu"))][1:],
    "sum": lambda u, L: [u._sum_rightmost(L.arange(24.0).reshape(2, 3, 4), n) for n in (0, 1, 2)],
}


@pytest.mark.parametrize("call", CALLS)
def test_as_pytorch(call):
    theirs, ours = (CALLS[call](L.distributions.utils, L) for L in (torch, fg))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(to_torch(a), b)


def test_errors_and_laziness():
    for u in (torch.distributions.utils, fg.distributions.utils):
        with pytest.raises(ValueError, match="outside"):
            u.tril_matrix_to_vec(u.broadcast_all(1.0)[0].expand(3, 3), 3)
        with pytest.raises(ValueError, match="lower triangular"):
            u.vec_to_tril_matrix(u.broadcast_all(1.0)[0].expand(5))
    for L in (torch, fg):
        class Twice:
            def __init__(self):
                self.x, self.calls = L.ones(1, requires_grad=True), 0

            @L.distributions.utils.lazy_property
            def double(self):
                self.calls += 1
                return self.x * 2

        made = Twice()
        with L.no_grad():
            assert made.double.requires_grad and made.double is made.double
        assert made.calls == 1 and isinstance(Twice.double, property)
