"""What the graph shows of itself: the names of nodes, and next_functions in PyTorch's order and number."""
import pytest

import fastgrad
from tests.ops.rows import ELEMENTWISE
from tests.snippets import torch

LEAVES = "abcdefg"


def graph(lib, source):
    """The name of the node, and for each edge the leaf or the name of the node it leads to."""
    scope = {"torch": lib, "F": lib.nn.functional}
    for i, name in enumerate(LEAVES):
        scope[name] = (lib.arange(9.0).view(3, 3) / 10 + 0.1 * (i + 1)).requires_grad_()
    scope.update(v=(lib.arange(3.0) / 5 + 0.1).requires_grad_(), w=(lib.arange(3.0) + 1).requires_grad_(), i=lib.tensor([0, 2]),
                 m=lib.ones(3, 3) > 0, n=lib.zeros(3, 3, dtype=lib.int64))
    y = eval(source, scope)
    node = (y[0] if isinstance(y, tuple) else y).grad_fn
    leaves = {id(scope[name]): name for name in (*LEAVES, "v", "w")}
    edges = [None if f is None else leaves.get(id(f.variable), "?") if f.name().endswith("AccumulateGrad") else f.name()
             for f, _ in node.next_functions]
    return node.name(), edges


@pytest.mark.parametrize("source", [
    "a + 1", "1 + a", "a - 1", "1 - a", "a - b", "a * 2", "2 * a", "a * b", "a / 2", "a / b", "a ** 2", "a ** b", "2 ** a", "a @ b", "a @ v", "v @ w", "-a",
    "a.abs()", "a.clamp(0, 1)", "a.clamp(min=0.5)", "a.clamp(b, c)", "torch.maximum(a, b)",
    "torch.where(m, a, b)", "torch.where(m, a, 0.0)", "a.lerp(b, 0.5)", "a.lerp(b, c)", "torch.addcmul(a, b, c)", "a.sum()", "a.sum(0)", "a.mean()",
    "a.mean(1)", "a.prod()", "a.max()", "a.max(0)", "a.amax(0)", "a.sort()", "a.topk(2)", "a.cumsum(0)", "a.var()", "a.std(0)", "a.norm()", "a.logsumexp(0)", "a.softmax(0)",
    "a.log_softmax(0)", "torch.mm(a, b)", "torch.mv(a, v)", "torch.dot(v, w)", "a.t()", "a.T", "a.view(9)", "a.reshape(9)",
    "a.transpose(0, 1)", "a.permute(1, 0)", "a[0]", "a[:, 1]", "a[1:]", "a[None]", "a[..., None]", "a[i]", "a[m]", "a.squeeze()", "a.squeeze(0)", "a.unsqueeze(0)", "a.expand(2, 3, 3)",
    "a.split(2)", "a.split([1, 2])", "a.chunk(2)", "a.unbind()", "a.narrow(0, 0, 1)", "a.select(0, 1)", "a.diagonal()", "a.unfold(0, 2, 1)", "a.flip(0)", "a.repeat(2, 1)",
    "torch.cat([a, b])", "torch.stack([a, b])", "a.gather(0, n)", "a.index_select(0, i)", "a.index_add(0, i, b[:2])", "a.index_copy(0, i, b[:2].detach())", "a.scatter(0, n, b)",
    "a.scatter_add(0, n, b)", "a.take(i)", "a.tril()", "a.clone()", "a.contiguous().double()", "(a * 1).copy_(b)", "(a * 1).zero_()", "(a * 1)[0].mul_(2)",
    "a.exp()", "a.sigmoid()", "F.relu(a)", "F.gelu(a)", "F.elu(a)", "F.softplus(a)", "F.mse_loss(a, b)", 
    "F.binary_cross_entropy(a.sigmoid(), b.sigmoid())", "a.round(decimals=1)",
    "a.fmod(b)", "a.fmod(2)", "a % b", "a % 2", "a.masked_fill(m, 0.0)", "a.masked_fill(m, v[0])", "torch.fill(a, 2.0)", "torch.fill(a, v[0])",
    "a.index_fill(0, i, 2.0)", "a.index_fill(0, i, v[0])", "a.clamp_min(0.5)", "a.clamp_min(b)", "a.clamp_max(0.5)", "a.clamp_max(b)",
    "torch.div(a, b, rounding_mode='floor')", "torch.div(a, 2, rounding_mode='trunc')", "a // b", "torch.nextafter(a, b)", "(a * 1).masked_fill_(m, 0)",
    "(a * 1).t_()", "(a * 1).transpose_(0, 1)", "(a * 1).swapdims_(0, 1)", "(a * 1).unsqueeze_(0)", "(a * 1).squeeze_()", "(a * 1).squeeze_(0)",
    "(a * 1).squeeze_((0, 1))", "(a * 1).as_strided_((3,), (1,))",
    "(a * 1).clamp_min_(0.5)", "(a * 1).fmod_(2)",
])
def test_as_in_pytorch(source):
    assert graph(fastgrad, source) == graph(torch, source)


def test_linear():
    """PyTorch transposes the weight in a node of its own; otherwise its order: the bias, the input, the weight."""
    assert graph(torch, "F.linear(a, b, v)") == ("AddmmBackward0", ["v", "a", "TBackward0"])
    assert graph(fastgrad, "F.linear(a, b, v)") == ("AddmmBackward0", ["v", "a", "b"])
    assert graph(torch, "F.linear(a, b)") == ("MmBackward0", ["a", "TBackward0"])
    assert graph(fastgrad, "F.linear(a, b)") == ("MmBackward0", ["a", "b"])


@pytest.mark.parametrize("source", ["t @ b", "t @ t", "t[:, None] @ t", "torch.bmm(t, t)", "F.linear(t, b)", "F.linear(t, b, v)", "F.linear(v, b)",
                                    "F.linear(v, b, v)", "F.linear(t.mT, b, v)", "F.linear(t[:, None], b)", "torch.mm(a, b)"])
def test_products_of_batches_say_the_view_that_pytorch_takes(source):
    def name(lib):
        a, b, v, t = lib.ones(3, 3), lib.ones(3, 3), lib.ones(3), lib.ones(2, 3, 3)
        for x in (a, b, v, t):
            x.requires_grad_()
        return eval(source, {"torch": lib, "F": lib.nn.functional, "a": a, "b": b, "v": v, "t": t}).grad_fn.name()

    assert name(fastgrad) == name(torch)


@pytest.mark.parametrize("source", ["torch.where(m, a, b)", "a.scatter(0, n, b)", "F.linear(a, b, v)", "1 - a", "a * 2"])
def test_hooks_of_a_node_get_a_gradient_for_each_edge_shown(source):
    seen = []
    for lib in (fastgrad, torch):
        scope = {"torch": lib, "F": lib.nn.functional, "a": lib.ones(3, 3, requires_grad=True), "b": lib.ones(3, 3, requires_grad=True),
                 "v": lib.ones(3, requires_grad=True), "m": lib.eye(3) > 0, "n": lib.zeros(3, 3, dtype=lib.int64)}
        y = eval(source, scope)
        y.grad_fn.register_hook(lambda grads, outer: seen.append([None if g is None else g.sum().item() for g in grads]) or
                                tuple(None if g is None else g * 2 for g in grads))
        y.sum().backward()
        seen.append([scope[name].grad.sum().item() for name in "abv" if scope[name].grad is not None])
    assert seen[:2] == seen[2:]


def test_a_row_with_a_formula_has_one_for_every_floating_input():
    """Where there is none the node raises, so that no row may be without one by oversight; PyTorch has none for these either."""
    without = {"zeta": ["input"], "igamma": ["input"], "igammac": ["input"]}
    rows = [r for r in ELEMENTWISE.values() if any(r.grads.values())]
    assert len(rows) > 50
    for r in rows:
        assert [name for name, formula in r.grads.items() if formula is None and name not in r.bools] == without.get(r.name, []), r.name
