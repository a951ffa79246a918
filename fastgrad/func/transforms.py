"""grad, vjp, jvp and the Jacobians, as walks over the engine's graph."""

from functools import wraps
from weakref import WeakValueDictionary

import fastgrad as fg
from fastgrad._engine import Tensor, grad as walk

from .batching import DRAWN, Batched, batched, levels
from .tree import tree_flatten, tree_map, tree_unflatten

__all__ = ["grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp"]


def fresh(t, level=None):
    """A view of t that nobody else has seen, one for each example of every vmap that runs."""
    level = len(levels) - 1 if level is None else level
    if level < 0:
        return t.view_as(t) if t.requires_grad else t.detach().requires_grad_()
    if type(t) is Batched and t._level == level:
        return batched(fresh(t._value, level - 1), level)
    return batched(fresh(t.expand((levels[level].size, *t.shape)), level - 1), level)


def pull(outputs, inputs, cotangents, create_graph):
    """The gradients of <outputs, cotangents>; None where there is none."""
    every = [t for t in (*outputs, *inputs, *cotangents) if type(t) is Batched]
    if not every:
        live = [(o, u) for o, u in zip(outputs, cotangents) if o.requires_grad]
        if not live:
            return [None] * len(inputs)
        return list(walk([o for o, _ in live], inputs, [u for _, u in live], retain_graph=True, create_graph=create_graph,
                         allow_unused=True))
    level = max(t._level for t in every)
    size = levels[level].size

    def own(t):
        return type(t) is Batched and t._level == level

    def value(t):
        return t._value if own(t) else t.expand((size, *t.shape))

    if any(own(t) for t in inputs):
        live = [(o, u) for o, u in zip(outputs, cotangents) if own(o)]
        found = pull([o._value for o, _ in live], [value(t) for t in inputs], [value(u) for _, u in live], create_graph)
    elif any(own(t) for t in outputs):
        raise NotImplementedError("vmap: the gradient of a mapped output with respect to an input that is not mapped")
    else:                               # one graph, many cotangents
        each = [pull(outputs, inputs, [u._value[i] if own(u) else u for u in cotangents], create_graph) for i in range(size)]
        found = [None if column[0] is None else fg.stack(column) for column in zip(*each)]
    return [None if g is None else batched(g, level) for g in found]


def bottom(t):
    while type(t) is Batched:
        t = t._value
    return t


finished = WeakValueDictionary()        # id -> leaf of a function that was traced, by which nobody outside of its transform differentiates


def finish(tensors):
    for t in map(bottom, tensors):
        if t.is_leaf and t.requires_grad:
            finished[id(t)] = t


def others(outputs, inputs):
    """Whether the outputs depend on anything else that wants a gradient."""
    ends = {id(bottom(t)) for t in inputs}
    seen, waiting = set(), [bottom(o).grad_fn for o in outputs if isinstance(o, Tensor)]

    def counts(leaf):
        return id(leaf) not in ends and id(leaf) not in finished

    if any(isinstance(o, Tensor) and bottom(o).requires_grad and bottom(o).is_leaf and counts(bottom(o)) for o in outputs):
        return True
    while waiting:
        node = waiting.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if hasattr(node, "variable"):
            if counts(node.variable):
                return True
            continue
        waiting += [following for following, _ in node.next_functions]
    return False


def chosen(args, argnums):
    """(the numbers of the arguments to differentiate by, these arguments: one, or a tuple)."""
    many = isinstance(argnums, (tuple, list))
    if argnums is not None and not many and not isinstance(argnums, int):
        raise RuntimeError(f"argnums must be int or Tuple[int, ...], got: {type(argnums)}")
    places = list(argnums) if many else list(range(len(args))) if argnums is None else [argnums]
    if many and not places:
        raise RuntimeError("argnums must be non-empty")
    if len(set(places)) < len(places):
        raise RuntimeError(f"argnums elements must be unique, got {tuple(places)}")
    for p in places:
        if not -len(args) <= p < len(args):
            raise RuntimeError(f"Got argnum={p}, but only {len(args)} positional inputs")
    wanted = tuple(args[p] for p in places)
    return places, wanted if many or argnums is None else wanted[0]


def with_parts(args, places, argnums, parts):
    """args with these in the chosen places."""
    given = list(args)
    for p, part in zip(places, (parts,) if isinstance(argnums, int) else parts):
        given[p] = part
    return given


def differentiable(t):
    return t.dtype.is_floating_point or t.dtype.is_complex


FORWARD = ("jvp", "jacfwd", "linearize")


def writable(t):
    """t's memory as a tensor that is no leaf: what is differentiated forward may be written into."""
    return t if type(t) is Batched else fg._ops._linked(t, t.detach())


class Traced:
    """func at fresh views of its arguments, with what it takes to walk back."""

    def __init__(self, func, args, argnums, kwargs, has_aux, name):
        self.outer = fg.is_grad_enabled()
        places, self.tree = chosen(args, argnums)
        leaves, self.spec = tree_flatten(self.tree)
        for t in leaves:
            if not isinstance(t, Tensor):
                raise ValueError(f"{name}: Expected all inputs to be Tensors, got {type(t)}")
            if not differentiable(t):
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
        with fg.enable_grad():
            self.inputs = [fresh(t) for t in leaves]
            given = [writable(t) for t in self.inputs] if name in FORWARD else self.inputs
            result = func(*with_parts(args, places, argnums, tree_unflatten(given, self.spec)), **kwargs)
        self.aux = None
        if has_aux:
            if not (isinstance(result, tuple) and len(result) == 2):
                raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
            result, self.aux = result
        self.outputs, self.out_spec = tree_flatten(result)
        for o in self.outputs:
            if not isinstance(o, Tensor):
                raise RuntimeError(f"{name}: Expected f to return only tensors, got {type(o)}")
        self.graph = self.outer and (any(t.requires_grad for t in leaves) or others(self.outputs, self.inputs))
        finish(self.inputs)

    def severed(self, tree):
        """Free of the views, if nothing outside wants a gradient."""
        return tree if self.graph else tree_map(lambda t: t.detach() if isinstance(t, Tensor) else t, tree)

    def result(self):
        return self.severed(tree_unflatten(self.outputs, self.out_spec))

    def gradients(self, cotangents, create_graph=None):
        with fg.enable_grad():
            found = pull(self.outputs, self.inputs, cotangents, self.graph if create_graph is None else create_graph)
            return [fg.zeros_like(t) if g is None else g for g, t in zip(found, self.inputs)]

    def linear(self):
        """tangents -> J tangents."""
        with fg.enable_grad():
            outputs = [o for o in self.outputs if differentiable(o)]
            u = [fresh(fg.ones_like(o.detach())) for o in outputs]
            finish(u)
            backward = pull(outputs, self.inputs, u, True)

        def push(tangents, strict=False):
            with fg.enable_grad():
                live = [(g, t) for g, t in zip(backward, tangents) if g is not None and bottom(g).requires_grad]
                found = pull([g for g, _ in live], u, [t for _, t in live], self.graph) if live else [None] * len(u)
                if strict and any(g is None for g in found):
                    raise RuntimeError("jvp(f, primals, tangents, strict=True): The output of f is independent of the inputs. This is not "
                                       "allowed with strict=True.")
                moved = iter(found)
                found = [next(moved) if differentiable(o) else None for o in self.outputs]
                return [fg.zeros_like(o) if g is None else g for g, o in zip(found, self.outputs)]

        return push


def grad_and_value(func, argnums=0, has_aux=False):
    """As grad; the new function returns (gradient, value), or (gradient, (value, aux))."""
    @wraps(func, assigned=("__name__", "__doc__"))
    def both(*args, **kwargs):
        traced = Traced(func, args, argnums, kwargs, has_aux, "grad")
        output = traced.outputs[0] if traced.out_spec.is_leaf() else None
        if output is None:
            raise RuntimeError(f"grad_and_value(f)(*args): Expected f(*args) to return a Tensor, got {type(traced.result())}")
        if output.dtype.is_complex:
            raise RuntimeError(f"grad can be implicitly created only for real scalar outputs but got {output.dtype}")
        if output.dim() != 0:
            raise RuntimeError(f"Expected f(*args) to return a scalar tensor, got tensor with {output.dim()} dims. Maybe you forgot to return "
                               "the loss instead?")
        found = tree_unflatten(traced.severed(traced.gradients([fg.ones_like(output.detach())])), traced.spec)
        value = traced.result()
        return found, (value, traced.severed(traced.aux)) if has_aux else value

    return both


def grad(func, argnums=0, has_aux=False):
    """The function that gives the gradient of func, which returns a 0-d tensor, with respect to its arguments `argnums`."""
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func, assigned=("__name__", "__doc__"))
    def gradient(*args, **kwargs):
        found, value = both(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def vjp(func, *primals, has_aux=False):
    """(func(*primals), a function of cotangents that gives a tuple of gradients); with has_aux a third: aux.

    The function of cotangents keeps the graph, and gives gradients that have one of their own unless create_graph=False.
    """
    traced = Traced(func, primals, None, {}, has_aux, "vjp")
    refuse_integers(traced)

    def pullback(cotangents, retain_graph=True, create_graph=None):
        if not retain_graph:
            raise NotImplementedError("vjp: retain_graph=False is not supported")
        given, spec = tree_flatten(cotangents)
        if spec != traced.out_spec:
            raise RuntimeError("Expected pytree structure of cotangents to be the same as pytree structure of outputs to the function.")
        graph = (fg.is_grad_enabled() if create_graph is None else create_graph) and (traced.graph or any(u.requires_grad for u in given))
        found = tree_unflatten(traced.gradients(given, graph), traced.spec)
        return found if graph else tree_map(lambda t: t.detach(), found)

    return (traced.result(), pullback, traced.severed(traced.aux)) if has_aux else (traced.result(), pullback)


def linearize(func, *primals):
    """(func(*primals), the function that multiplies tangents with the Jacobian there)."""
    traced = Traced(func, primals, None, {}, False, "linearize")
    push = traced.linear()
    shapes = [t.shape for t in traced.inputs]

    def pushforward(*tangents):
        given, spec = tree_flatten(tangents)
        if spec != traced.spec:
            raise RuntimeError(f"Expected the tangents {spec} to have the same argspec as the primals {traced.spec}")
        for i, (t, shape) in enumerate(zip(given, shapes)):
            if t.shape != shape:
                raise RuntimeError(f"tangent:{i} with shape {t.shape} in flattened pytree doesn't match the shape {shape} of the corresponding "
                                   "primal.")
        return tree_unflatten(traced.severed(push(given)), traced.out_spec)

    return traced.result(), pushforward


def refuse_integers(traced):
    for o in traced.outputs:
        if not differentiable(o):
            raise RuntimeError(f"vjp(f, ...): All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {o.dtype}")


def refuse_complex(name, traced):
    for i, t in enumerate(traced.inputs):
        if t.dtype.is_complex:
            raise RuntimeError(f"{name}: Expected all inputs to be real but received complex tensor at flattened input idx: {i}")


def jvp(func, primals, tangents, *, strict=False, has_aux=False):
    """(func(*primals), the product of its Jacobian with tangents); with has_aux a third: aux.

    Raises: RuntimeError with strict=True for an output that does not depend on the primals.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples. E.g. it should be valid to call f(*primals).")
    given, spec = tree_flatten(tangents)
    leaves, wanted = tree_flatten(primals)
    if not leaves:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals to contain at least one Tensor.")
    if spec != wanted:
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the same python structure. For example, if primals is "
                           f"a tuple of 3 tensors, tangents also must be. Got primals with structure {wanted} and tangents with structure {spec}")
    for what, tensors in (("primals", leaves), ("tangents", given)):
        for t in tensors:
            if not isinstance(t, Tensor):
                raise RuntimeError(f"jvp(f, primals, tangents): Expected {what} to only contain Tensors, got {type(t)}")
    refuse_tangents(leaves, given)
    traced = Traced(func, primals, None, {}, has_aux, "jvp")
    result, aux = traced.result(), traced.severed(traced.aux)
    traced.graph = traced.graph or (traced.outer and any(t.requires_grad for t in given))
    found = tree_unflatten(traced.severed(traced.linear()(given, strict)), traced.out_spec)
    return (result, found, aux) if has_aux else (result, found)


def refuse_tangents(primals, tangents):
    for t, v in zip(primals, tangents):
        if not differentiable(t):
            raise ValueError(f"Expected primal to be floating point or complex, but got: {t.dtype}")
        if t.shape != v.shape:
            raise RuntimeError("Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
                               f"supported. Tensor is of size {list(t.shape)} while the given forward gradient is of size {list(v.shape)}.")


def units(t):
    """The unit vectors of t's elements, along dimension 0."""
    n = t.numel()
    return fg.eye(n, dtype=t.dtype).reshape((n, *t.shape))


def jacobians(traced, table, has_aux):
    rows = [tree_unflatten(traced.severed(row), traced.spec) for row in table]
    result = tree_unflatten(rows, traced.out_spec)
    return (result, traced.severed(traced.aux)) if has_aux else result


def jacrev(func, argnums=0, *, has_aux=False, chunk_size=None, _preallocate_and_copy=False):
    """The function that gives the Jacobian of func, a walk for each element of its outputs.

    Args:
        chunk_size, _preallocate_and_copy: of walks side by side; walks are done one after the other.
    """
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")
    @wraps(func, assigned=("__name__", "__doc__"))
    def jacobian(*args, **kwargs):
        traced = Traced(func, args, argnums, kwargs, has_aux, "jacrev")
        refuse_complex("jacrev", traced)
        refuse_integers(traced)
        table = []
        for i, o in enumerate(traced.outputs):
            rows = [traced.gradients([u if j == i else fg.zeros_like(p) for j, p in enumerate(traced.outputs)]) for u in units(o).unbind(0)]
            table.append([(fg.stack([row[k] for row in rows]) if rows else t.new_zeros(0)).reshape((*o.shape, *t.shape))
                          for k, t in enumerate(traced.inputs)])
        return jacobians(traced, table, has_aux)

    return jacobian


def jacfwd(func, argnums=0, has_aux=False, *, randomness="error"):
    """The function that gives the Jacobian of func, a product for each element of its inputs.

    Args:
        randomness: of what func draws: "error" refuses; "same" draws once for all products; with "different" func runs once for
            each product, with draws of its own.
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")

    @wraps(func, assigned=("__name__", "__doc__"))
    def jacobian(*args, **kwargs):
        if randomness == "different":
            return drawn_for_each(func, args, argnums, kwargs, has_aux)
        before = fg.get_rng_state() if randomness == "error" else None
        traced = Traced(func, args, argnums, kwargs, has_aux, "jacfwd")
        if before is not None and not fg.equal(before, fg.get_rng_state()):
            fg.set_rng_state(before)
            raise RuntimeError(DRAWN)
        refuse_complex("jacfwd", traced)
        push, table = traced.linear(), [[] for _ in traced.outputs]
        for k, t in enumerate(traced.inputs):
            columns = [push([v if j == k else fg.zeros_like(p) for j, p in enumerate(traced.inputs)]) for v in units(t).unbind(0)]
            for i, o in enumerate(traced.outputs):
                table[i].append((fg.stack([c[i] for c in columns], -1) if columns else o.new_zeros(0)).reshape((*o.shape, *t.shape)))
        return jacobians(traced, table, has_aux)

    return jacobian


def drawn_for_each(func, args, argnums, kwargs, has_aux):
    """jacfwd with randomness="different": a vmap over the unit vectors of all inputs."""
    from .vmapping import vmap

    places, tree = chosen(args, argnums)
    leaves, spec = tree_flatten(tree)
    sizes = [t.numel() for t in leaves]
    basis = [part.reshape(-1, *t.shape).to(t.dtype) for t, part in zip(leaves, fg.eye(sum(sizes)).split(sizes, 1))]

    def push(*tangents):
        return jvp(lambda *parts: func(*with_parts(args, places, argnums, tree_unflatten(list(parts), spec)), **kwargs), tuple(leaves), tangents,
                   has_aux=has_aux)[1:]

    pushed, *aux = vmap(push, randomness="different")(*basis)
    outputs, out_spec = tree_flatten(pushed)
    rows = [tree_unflatten([c.movedim(0, -1).reshape(*o.shape[1:], *t.shape) for t, c in zip(leaves, o.split(sizes))], spec) for o in outputs]
    result = tree_unflatten(rows, out_spec)
    return (result, tree_map(lambda t: t[0], aux[0])) if has_aux else result


def hessian(func, argnums=0):
    """The function that gives the Hessian of func: jacfwd of jacrev."""
    return jacfwd(jacrev(func, argnums), argnums)
