"""The graph: its nodes and edges, hooks on several gradients, and hooks on what nodes save."""

from abc import ABC

from fastgrad import _engine
from fastgrad._engine import GradientEdge, RemovableHandle, Tensor

__all__ = ["GradientEdge", "Node", "allow_mutation_on_saved_tensors", "disable_saved_tensors_hooks", "get_gradient_edge",
           "increment_version", "register_multi_grad_hook", "save_on_cpu", "saved_tensors_hooks"]


class Node(ABC):
    """A node of the graph, what `grad_fn` gives: `name()`, `next_functions`, `metadata`, `register_hook`, `register_prehook`.

    For isinstance; nodes have a type for each operation.
    """


Node.register(_engine.Node)
Node.register(_engine.AccumulateGrad)


def get_gradient_edge(tensor):
    """Where the gradient of a tensor goes: a GradientEdge, which keeps the graph alive but not the tensor's memory.

    Raises:
        RuntimeError: the tensor requires no gradient.
    Example:
        >>> edge = get_gradient_edge(hidden)
        >>> fastgrad.autograd.grad(loss, edge)
    """
    return _engine._gradient_edge(tensor)


def increment_version(tensor):
    """Say that a tensor, or each of several, was written in place by what the engine does not see."""
    for one in (tensor,) if isinstance(tensor, Tensor) else tensor:
        _engine._increment_version(one)


def register_multi_grad_hook(tensors, fn, *, mode="all"):
    """Call fn with the gradients of several tensors, in each backward.

    Args:
        tensors: tensors that require gradients.
        fn: with "all", gets a list of the gradients, None for a tensor that this backward does not reach, when the last
            has come; with "any", the first gradient that comes. It must not return a value or change them.
    Returns:
        a handle, whose `remove()` takes the hook away.
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    for tensor in tensors:
        assert tensor.requires_grad, "register_multi_grad_hook: each tensor must require a gradient"
    gather = (_Gathered if mode == "all" else _First)(fn, [get_gradient_edge(tensor).node for tensor in tensors])
    return _Handles([tensor.register_hook(gather.hook(i)) for i, tensor in enumerate(tensors)])


class _Handles(RemovableHandle):
    """Several handles as one."""

    def __init__(self, handles):
        self.handles = handles

    def remove(self):
        for handle in self.handles:
            handle.remove()

    def __getstate__(self):
        return self.handles

    def __setstate__(self, handles):
        self.handles = handles


class _Gathered:
    """Gradients of one walk, until all that it gives have come."""

    def __init__(self, fn, nodes):
        self.fn, self.nodes = fn, nodes
        self.walks = {}  # number of a walk -> how many are to come, and what has come

    def hook(self, i):
        def arrived(grad):
            walk = _engine._walk_number()
            if walk not in self.walks:  # a walk straight to one leaf has no number, and gives one gradient
                self.walks[walk] = [_engine._run_in_walk(self.nodes) if walk else 1, [None] * len(self.nodes)]
            state = self.walks[walk]
            state[0] -= 1
            state[1][i] = grad
            if state[0] == 0:
                self.fn(self.walks.pop(walk)[1])

        return arrived


class _First:
    """The first gradient of a walk."""

    def __init__(self, fn, nodes):
        self.fn, self.latest = fn, None

    def hook(self, i):
        def arrived(grad):
            walk = _engine._walk_number()
            if walk == 0 or walk != self.latest:
                self.latest = walk
                self.fn(grad)

        return arrived


class saved_tensors_hooks:
    """In the block, a tensor saved for backward is kept as pack_hook(tensor), and got back by unpack_hook(what it returned).

    Args:
        pack_hook: a function of a tensor, which it must not change in place.
        unpack_hook: a function of what pack_hook returned; gives a tensor of the same values.
    """

    def __init__(self, pack_hook, unpack_hook):
        self.hooks = pack_hook, unpack_hook

    def __enter__(self):
        _engine._push_saved_hooks(*self.hooks)

    def __exit__(self, *exc):
        _engine._pop_saved_hooks()


class save_on_cpu(saved_tensors_hooks):
    """Keep saved tensors as copies in main memory, where all tensors are anyway."""

    def __init__(self, pin_memory=False, device_type="cuda"):
        super().__init__(lambda tensor: tensor.clone(), lambda copy: copy)


class disable_saved_tensors_hooks:
    """In the block, saved_tensors_hooks raises RuntimeError with this message."""

    def __init__(self, error_message):
        self.message = error_message

    def __enter__(self):
        self.before = _engine._refuse_saved_hooks(self.message)

    def __exit__(self, *exc):
        _engine._refuse_saved_hooks(self.before)


class allow_mutation_on_saved_tensors:
    """In the block, what a node saved may be written in place: it keeps copies.  Backward must run in the block too."""

    def __enter__(self):
        self.active = True
        self.hooks = saved_tensors_hooks(lambda tensor: tensor.clone(), self.given_back)
        self.hooks.__enter__()
        return self

    def given_back(self, copy):
        assert self.active, "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was recorded."
        return copy

    def __exit__(self, *exc):
        self.active = False
        self.hooks.__exit__(*exc)
