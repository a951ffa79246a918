"""Writes whose operands share memory: what PyTorch refuses is refused, with nothing changed; what it leaves undefined comes out as if the
operand that is read had been copied first."""
import numpy as np
import pytest

import fastgrad
from tests.snippets import is_error, outcome, torch

BASE = "x = torch.arange(16.0).reshape(4, 4)\n"
PAIRS = {
    "the same": ("x", "x"), "the same rows": ("x[1:]", "x[1:]"), "shifted rows": ("x[1:]", "x[:-1]"), "shifted columns": ("x[:, 1:]", "x[:, :-1]"),
    "other rows": ("x[:2]", "x[2:]"), "transposed": ("x", "x.t()"), "interleaved": ("x[:, ::2]", "x[:, 1::2]"), "detached": ("x", "x.detach()"),
    "data": ("x[1:]", "x.data[:-1]"), "one row": ("x", "x[:1].expand(4, 4)"), "empty": ("x[:0]", "x[1:1]"), "half as wide": ("x[:2]", "x[1:3]"),
}
ROWS = "torch.arange(a.shape[0])"
WHERE = "torch.zeros(b.shape, dtype=torch.int64)"
WRITES = [
    "a.add_(b)", "a.mul_(b)", "a.copy_(b)", "a.pow_(b)", "a.clamp_(b, b + 1)", "a.addcmul_(b, b)", "a.lerp_(b, 0.5)", "a.eq_(b)",
    "a.logical_and_(b)", "a[...] = b", "a.fill_(b.sum())", "a.masked_fill_(a > 5, b.sum())", "a.masked_fill_(b > 5, 1.0)",
    f"a.index_add_(0, {ROWS}, b)", f"a.index_copy_(0, {ROWS}, b)", f"a.scatter_(0, {WHERE}, b)", f"a.scatter_add_(0, {WHERE}, b)",
    f"a.scatter_(0, {WHERE}, b, reduce='add')", f"a.scatter_reduce_(0, {WHERE}, b, 'amax')", f"a.index_put_(({ROWS},), b)",
    f"a.index_put_(({ROWS},), b, accumulate=True)", f"a[{ROWS}] = b", "a.put_(torch.arange(a.numel()), b)", "a.masked_scatter_(a > -1, b)",
    "a[a > 5] = b[b > -1][:int((a > 5).sum())]", "torch.add(b, 1, out=a)", "torch.maximum(a, b, out=a)",
    f"torch.gather(b, 0, {WHERE}, out=a)", f"torch.index_select(b, 0, {ROWS}, out=a)", "torch.cat([b], out=a)", f"torch.take(b, {WHERE}, out=a)",
    "torch.cumsum(b, 0, out=a)", "torch.matmul(b, torch.eye(b.shape[1]), out=a)", "torch.tril(b, out=a)", "a.cumsum_(0)",
]
# PyTorch reads and writes at the same time there, so its values have no meaning
SILENT = {"shifted columns", "one row"}



@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("write", WRITES)
def test_operands_that_share_memory(write, pair):
    a, b = PAIRS[pair]
    source = f"{BASE}a = {a}; b = {b}\n{write}\nr = x"
    found, wanted = outcome(fastgrad, source), outcome(torch, source)
    if pair == "shifted columns" and "index_select" in write:
        pytest.skip("refused by PyTorch alone, though one of the tensors has gaps")
    assert is_error(found) == is_error(wanted), (found, wanted)
    if is_error(wanted):
        assert found[0] is wanted[0] and ("single memory location" in found[1]) == ("single memory location" in wanted[1])
        unchanged = outcome(fastgrad, f"{BASE}a = {a}; b = {b}\ntry:\n    {write}\nexcept Exception:\n    r = x")
        assert unchanged == outcome(fastgrad, f"{BASE}r = x")
    else:
        apart = outcome(torch, f"{BASE}a = {a}; b = {b}.clone()\n{write}\nr = x")
        assert found == (apart if pair in SILENT or "masked_scatter" in write or "out=" in write else wanted), (found, wanted, apart)


@pytest.mark.parametrize("write", [
    "a.add_(1)", "a.zero_()", "a.fill_(2)", "a.fill_(torch.tensor(2.0))", "a.masked_fill_(torch.ones(3, 4) > 0, 5)", "a.masked_fill_(torch.ones(4) > 0, 5)",
    "a.masked_fill_(torch.zeros(3, 4) > 0, 5)", "a.copy_(torch.ones(3, 4))", "a.copy_(2)", "a.exp_()", "a.relu_()", "a[0] = 1", "a[1, 2] = 5", "a[:, 1:] = 7",
    "a[:, 0] = 3", "a[torch.tensor([0])] = 2.0", "a[torch.tensor([0, 1])] = torch.arange(4.0)", "a[a == 0] = 5.0", "a[a == 0] = torch.ones(12)",
    "a.index_fill_(0, torch.tensor([0]), 1.0)", "a.index_add_(0, torch.tensor([0]), torch.ones(1, 4))", "a.index_copy_(0, torch.tensor([0]), torch.ones(1, 4))",
    "a.scatter_(0, torch.zeros(1, 4, dtype=torch.int64), 1.0)", "a.scatter_add_(0, torch.zeros(1, 4, dtype=torch.int64), torch.ones(1, 4))",
    "a.put_(torch.tensor([0]), torch.tensor([1.0]))", "a.masked_scatter_(torch.ones(3, 4) > 0, torch.ones(12))",
    "a.index_put_((torch.tensor([0, 1]),), torch.ones(2, 4))", "a.index_put_((torch.tensor([0]),), torch.tensor(1.0), accumulate=True)",
    "a.uniform_()", "a.normal_()", "a.bernoulli_()", "a.cumsum_(0)", "a.clamp_(0, 1)", "a.tril_()", "torch.add(torch.ones(3, 4), 1, out=a)",
    "torch.cat([torch.ones(3, 4)], out=a)", "torch.mm(torch.ones(3, 2), torch.ones(2, 4), out=a)",
])
def test_writing_to_an_expanded_tensor(write):
    source = f"c = torch.zeros(4); a = c.expand(3, 4)\n{write}\nr = [a, c]"
    found, wanted = outcome(fastgrad, source), outcome(torch, source)
    assert is_error(found) == is_error(wanted), (found, wanted)
    assert found[0] == wanted[0] and (not is_error(wanted) or "single memory location" in found[1]) and (is_error(wanted) or found == wanted)


def test_arrays_that_share_memory_with_a_tensor():
    array = np.arange(6, dtype="float32")
    x = fastgrad.from_numpy(array)
    x[1:].add_(fastgrad.from_numpy(array[:-1]))
    assert x.tolist() == [0.0, 1.0, 3.0, 5.0, 7.0, 9.0]
