"""Nodes and edges as programs see them (types, calls, edges in place of tensors) and hooks on several gradients: as in PyTorch."""
import gc
import weakref

import pytest

import fastgrad
from tests.snippets import same_outcome, torch

GRAPH = "import gc\nG = torch.autograd.graph\na = torch.ones(2, requires_grad=True)\nb = a * 2\nc = a * 3\nlog = []\n"
CUBE = """
class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x ** 3
    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.saved_tensors[0] ** 2 * g
"""


@pytest.mark.parametrize("source", [
    "r = [(type(t.grad_fn).__name__, type(t.grad_fn).__module__) for t in (b, a.exp(), a.sum(), torch.cat([a, b]))]",
    "b[0] = 1; r = type(b.grad_fn).__name__, b.grad_fn.name(), repr(b.grad_fn).partition(' ')[0]",
    "r = type(b.grad_fn) is type(c.grad_fn), type(b.grad_fn) is type(a.exp().grad_fn), b.grad_fn is b.grad_fn",
    CUBE + "n = Cube.apply(a).grad_fn; r = type(n).__name__, type(n).__module__, n.name(), repr(n).partition(' ')[0]",
    "n = b.grad_fn; end = n.next_functions[0][0]; r = type(end).__name__, end is c.grad_fn.next_functions[0][0], end.variable is a",
    "n = b.grad_fn; r = isinstance(n, G.Node), isinstance(n.next_functions[0][0], G.Node), isinstance(a, G.Node), n.requires_grad",
    "n = b.grad_fn; n.metadata['k'] = 1; e = n.next_functions[0][0]; e.metadata['l'] = 2; r = b.grad_fn.metadata, e.metadata",
    CUBE + "r = [hasattr(t.grad_fn, 'saved_tensors') for t in (b, Cube.apply(a))], Cube.apply(a).grad_fn.saved_tensors",
    "b.grad_fn.other = 1",
    "class Mine(type(b.grad_fn)): pass",
    "type(b.grad_fn)()",
    "import copy; copy.copy(b.grad_fn)",
    "import pickle; pickle.dumps(b.grad_fn)",
    # hooks on a node that was shown, and a graph whose nodes were shown
    "b.grad_fn.register_hook(lambda i, o: (i[0] * 5, *i[1:])); (b * c).sum().backward(); r = a.grad.clone()",
    "y = (b * c).exp().sum()\nn = y.grad_fn\nwhile n is not None:\n    log.append(type(n).__name__)\n    n = (n.next_functions or ((None, 0),))[0][0]\n"
    "y.backward()\nr = log, a.grad.clone()",
])
def test_nodes(source):
    same_outcome(GRAPH + source)


@pytest.mark.parametrize("source", [
    "r = b.grad_fn(torch.ones(2))[0]",
    "r = (a * b).grad_fn(torch.full((2,), 3.0))",
    "r = torch.cat([a, b]).grad_fn(torch.arange(4.0))",
    "r = a.exp().grad_fn(torch.ones(2))",
    "g = (b * b * a).grad_fn(torch.ones(2))[1]; r = g, torch.autograd.grad(g.sum(), a)",
    "b.grad_fn()", "b.grad_fn(1)", "b.grad_fn(torch.ones(2), torch.ones(2))",
    "y = a.exp(); y.sum().backward(); y.grad_fn(torch.ones(2))",
])
def test_calling_a_node(source):
    same_outcome(GRAPH + source)


@pytest.mark.parametrize("source", [
    "e = G.get_gradient_edge(b); r = type(e).__name__, e.node is b.grad_fn, e.output_nr, len(e), e == G.GradientEdge(b.grad_fn, 0)",
    "e = G.get_gradient_edge(a); r = e.node.name(), e.node.variable is a, e.output_nr",
    "e = G.get_gradient_edge((a * 2).split(1)[1]); r = e.output_nr, e.node.name()",
    "x, y = (a * 2).split(1); r = torch.autograd.grad((x * y).sum(), [G.get_gradient_edge(y), x])",
    "r = [g.clone() for g in torch.autograd.grad((b * c).sum(), [G.get_gradient_edge(b), a, G.get_gradient_edge(a)])]",
    "e = G.get_gradient_edge((b * c).sum()); b = c = None; r = torch.autograd.grad(e, a)[0].clone()",
    "r = torch.autograd.grad(G.get_gradient_edge(b * c), a, torch.ones(2))[0].clone()",
    "torch.autograd.backward([G.get_gradient_edge(b * c), b.sum()], [torch.ones(2), None]); r = a.grad.clone()",
    "b.sum().backward(inputs=[G.get_gradient_edge(a)]); r = a.grad.clone()",
    "b.sum().backward(inputs=G.get_gradient_edge(a)); r = a.grad.clone()",
    "torch.autograd.grad(G.get_gradient_edge(b), a)",
    "torch.autograd.grad(G.get_gradient_edge(b), a, torch.ones(3))",
    "r = torch.autograd.grad(b.sum(), G.get_gradient_edge(c), allow_unused=True)",
    "torch.autograd.grad(b.sum(), G.get_gradient_edge(c))",
    "torch.autograd.grad(b.sum(), G.get_gradient_edge(c), materialize_grads=True)",
    "G.get_gradient_edge(torch.ones(1))",
])
def test_edges(source):
    same_outcome(GRAPH + source)


@pytest.mark.parametrize("source", [
    "G.register_multi_grad_hook((b, c), log.append); (b * c).sum().backward(); r = log, a.grad.clone()",
    "G.register_multi_grad_hook((b, c), log.append); b.sum().backward(); r = log",
    "G.register_multi_grad_hook((a,), log.append); b.sum().backward(); a.sum().backward(); r = log",
    "G.register_multi_grad_hook((a, b, c), lambda g: log.append([t.clone() for t in g])); (b + c).sum().backward(); r = log",
    "G.register_multi_grad_hook((a, b, c), log.append); torch.autograd.grad((b + c).sum(), b); r = log",
    "G.register_multi_grad_hook((b, b), log.append); b.sum().backward(); r = log",
    "h = G.register_multi_grad_hook((b, c), log.append); h.remove(); b.sum().backward(); r = log",
    "with G.register_multi_grad_hook([b, c], log.append):\n    b.sum().backward(retain_graph=True)\nb.sum().backward(); r = log",
    "G.register_multi_grad_hook((b, c), log.append, mode='any'); (b * c).sum().backward(retain_graph=True); c.sum().backward(); r = log",
    "G.register_multi_grad_hook((a,), log.append, mode='any'); a.sum().backward(); a.sum().backward(); r = log",
    # a walk within a walk
    "x = torch.ones(1, requires_grad=True); y = x * 2; z = x * 3\nG.register_multi_grad_hook((y, z), lambda g: log.append(('inner', g)))\n"
    "b.register_hook(lambda g: (y * z).sum().backward())\nG.register_multi_grad_hook((b, c), lambda g: log.append(('outer', g)))\n"
    "(b * c).sum().backward(); r = log, x.grad",
    "G.register_multi_grad_hook((b,), log.append, mode='first')",
    "G.register_multi_grad_hook((b, torch.ones(1)), log.append)",
])
def test_hooks_on_several(source):
    same_outcome(GRAPH + source)


@pytest.mark.parametrize("source", [
    "x = torch.ones(2); G.increment_version(x); G.increment_version([x, x]); r = x._version",
    "y = (b * b).sum(); G.increment_version(b); y.backward()",
    "with G.allow_mutation_on_saved_tensors():\n    y = (b ** 2).sum(); b.sin_(); y.backward()\nr = a.grad.clone()",
    "with G.allow_mutation_on_saved_tensors():\n    y = (b ** 2).sum(); b.sin_()\ny.backward()",
])
def test_versions(source):
    same_outcome(GRAPH + source)


def test_what_was_shown_is_released():
    """A node that was looked at goes with its graph, and the next one in its place is as new."""
    a = fastgrad.ones(2, requires_grad=True)
    for _ in range(3):
        y = a.exp()
        for _ in range(50):
            y = y * 2
            assert type(y.grad_fn).__name__ == "MulBackward0"
        y.sum().backward()
    del y
    assert {type(t.grad_fn).__name__ for t in [a.sin() for _ in range(200)]} == {"SinBackward0"}


def test_a_deep_graph_that_was_shown_is_released():
    y = fastgrad.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.0
    node, n = y.grad_fn, 0
    while node is not None and node.next_functions:
        node, n = node.next_functions[0][0], n + 1
    assert n == 100_000
    del node, y


def test_a_leaf_keeps_no_end_of_an_edge():
    a = fastgrad.ones(2, requires_grad=True)
    end = weakref.ref((a * 2).grad_fn.next_functions[0][0])
    gc.collect()
    assert end() is None


class Mixed(fastgrad.autograd.Function):
    """Has an output that is no tensor."""

    @staticmethod
    def forward(ctx, x):
        return x * 2, 5

    @staticmethod
    def backward(ctx, g, _):
        return g * 2


def test_nodes_are_not_made_or_changed_by_programs():
    x = fastgrad.ones(2, requires_grad=True)
    node, other = (x * 2).grad_fn, x.exp().grad_fn
    for make in (type(node), type(node).__base__, lambda: object.__reduce__(node)):
        with pytest.raises(TypeError):
            make()
    with pytest.raises(TypeError):
        object.__dict__["__class__"].__set__(node, type(other))
    with pytest.raises(TypeError):
        type(node).mine = 1
    y, five = Mixed.apply(x)
    with pytest.raises(TypeError, match="argument 1"):
        y.grad_fn(fastgrad.ones(2), fastgrad.ones(2))
    assert five == 5 and y.grad_fn(fastgrad.ones(2), None).tolist() == [2, 2]
