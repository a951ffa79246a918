"""Forward mode: what an operation does to tangents.  The names users call are in forward_ad.py.

A dual is a tensor with a tangent, in its attribute `_tangent`; its mark makes operations show it (src/core/override.pxi). There are
rules for kinds of operations: a linear one is applied to the tangent; an elementwise one multiplies it with the gradient, its Jacobian
being diagonal; any other is pushed by the derivative of its vjp, which is linear in the cotangent: J v = d/du <J' u, v>.
A carrier is what stands for a dual in a graph of our own: a leaf, or a view where the user's graph must go on. Gradients that `grad`
computes in a level are functions of the carriers, hence have tangents.
"""

from contextlib import contextmanager
from weakref import ref

import fastgrad as fg
from fastgrad import _engine
from fastgrad._engine import Tensor, _apply_function
from fastgrad.func import batching
from fastgrad.func.transforms import fresh, pull

__all__ = ["Level", "levels"]

# Linear in the first argument; the tangent of a view is a view of the tangent, so that writes through one reach the other.
LINEAR = set("""T H mT mH __getitem__ broadcast_to chunk clone contiguous cumsum diag_embed diagonal div_by double expand flatten flip fliplr
flipud float gather half hsplit index_select mean moveaxis movedim narrow neg permute positive ravel repeat repeat_interleave reshape roll
rot90 select split split_with_sizes squeeze sum swapaxes swapdims t take take_along_dim tensor_split tile transpose tril triu unbind
unflatten unfold unsqueeze view vsplit""".split())
WITHOUT = {"detach", "detach_", "requires_grad_", "retain_grad", "zeros_like", "ones_like", "empty_like", "full_like", "is_leaf", "backward"}

levels = []         # one at most, as in PyTorch
pauses = 0          # above 0, tangents are left alone


class Level:
    """What has a tangent: cleared when the level ends."""

    def __init__(self):
        self.depth = len(batching.levels)
        self.duals, self.carriers, self.roots = {}, {}, []

    def note(self, held, t):
        key = id(t)
        held[key] = ref(t, lambda _: held.pop(key, None))

    def clear(self):
        for held in list(self.duals.values()):
            t = held()
            if t is not None:
                forget(t)


@contextmanager
def paused():
    global pauses
    pauses += 1
    hook = _engine._set_grad_hook(None)
    try:
        yield
    finally:
        _engine._set_grad_hook(hook)
        pauses -= 1


def tangent_of(t):
    return getattr(t, "_tangent", None)


def attach(t, tangent):
    """Make t a dual."""
    t._tangent, t._carrier = tangent, None
    _engine._mark(t, True)
    levels[-1].note(levels[-1].duals, t)
    return t


def forget(t):
    del t._tangent, t._carrier
    if type(t) is not batching.Batched:
        _engine._mark(t, False)


def below(operation, args, kwargs):
    """The operation, as if there were no tangents."""
    with paused():
        if batching.levels:
            return batching.dispatch(operation, args, kwargs)
        return _engine._call_plainly(operation, args, kwargs)


def alias(t):
    """t, not marked: a view where it wants a gradient."""
    if type(t) is batching.Batched:
        return batching.batched(t._value, t._level)
    return below(Tensor.view_as, (t, t), {}) if t.requires_grad else below(Tensor.detach, (t,), {})


def carrier(t):
    """What stands for a dual in the graph; levels know which tangent it has."""
    if t._carrier is not None:
        return t._carrier
    with paused(), fg.enable_grad():
        if t.requires_grad:
            return fresh(alias(t), levels[-1].depth - 1)
        made = t._carrier = fresh(alias(t), levels[-1].depth - 1)
    made._pushes = t._tangent
    levels[-1].note(levels[-1].carriers, made)
    return made


def dispatch(operation, args, kwargs):
    """What an operation gives, with its tangent; NotImplemented where no dual takes part, or a vmap inside the level comes first."""
    level = levels[-1]
    every = list(batching.tensors_of(args, kwargs))
    if any(type(t) is batching.Batched and t._level >= level.depth for t in every):
        return NotImplemented
    duals = {id(t): t for t in every if tangent_of(t) is not None}
    name = operation if isinstance(operation, str) else operation.__name__
    if not duals or name in WITHOUT:
        return NotImplemented
    if name == "__setitem__" or (name.endswith("_") and not name.endswith("__")):
        return written(operation, name, args, kwargs, every, duals)
    if name in LINEAR and list(duals) == [id(args[0])]:
        return linear(operation, name, args, kwargs)
    graph = wants_graph(every, duals)
    with paused(), fg.enable_grad():
        carriers = {key: carrier(t) for key, t in duals.items()}
        given, named = replaced(args, kwargs, carriers)
        result = below(operation, given, named)
        outputs = []
        batching.mapped(outputs.append, result)
        live = [o for o in outputs if o.requires_grad and not any(o is c for c in carriers.values())]
        tangents = pushed_one(operation, live, list(carriers.values()), [t._tangent for t in duals.values()], graph)
    found = {id(o): (o, t) for o, t in zip(live, tangents)}
    same = {id(c): duals[key] for key, c in carriers.items()}

    def finished(o):
        if id(o) in same:
            return same[id(o)]
        tangent = found.get(id(o), (o, None))[1]
        out = o if graph or not o.requires_grad else o.detach()
        return out if tangent is None else attach(out, laid(tangent, out))

    return batching.mapped(finished, result)


def wants_graph(every, duals):
    return fg.is_grad_enabled() and (any(t.requires_grad for t in every) or any(t._tangent.requires_grad for t in duals.values()))


def replaced(args, kwargs, by):
    def swap(t):
        return by.get(id(t), t)

    return tuple(batching.mapped(swap, a) for a in args), {key: batching.mapped(swap, a) for key, a in kwargs.items()}


def laid(tangent, t):
    """The tangent in t's layout, which views may need."""
    return tangent if tangent.stride() == t.stride() or not t.is_contiguous() else tangent.contiguous()


def linear(operation, name, args, kwargs):
    result = below(operation, args, kwargs)
    if result is args[0]:
        return result
    moved = below(Tensor.reshape if name == "view" else operation, (args[0]._tangent, *args[1:]), kwargs)
    if isinstance(result, Tensor):
        return attach(result, moved) if result.dtype.is_floating_point or result.dtype.is_complex else result
    for one, tangent in zip(result, moved):
        attach(one, tangent)
    return result


def pushed_one(operation, outputs, inputs, tangents, graph):
    """The tangents of one operation's outputs."""
    if not outputs:
        return []
    diagonal = len(outputs) == 1 and isinstance(operation, _engine.Operation) and _engine._row_of(operation)[1] > 0
    diagonal = diagonal and not outputs[0].is_complex()           # there the gradient multiplies by the conjugate
    if diagonal and all(t.shape == outputs[0].shape and t.dtype == outputs[0].dtype for t in inputs):
        parts = [pull(outputs, [c], [t], graph)[0] for c, t in zip(inputs, tangents)]
        parts = [p for p in parts if p is not None]
        return [sum(parts[1:], parts[0])] if parts else [fg.zeros_like(outputs[0].detach())]
    return [fg.zeros_like(o.detach()) if t is None else t for o, t in zip(outputs, pushed(outputs, inputs, tangents, graph))]


def pushed(outputs, inputs, tangents, graph):
    """J tangents, as the derivative of J' u with respect to u; None where nothing depends."""
    u = [fresh(fg.ones_like(o.detach()), levels[-1].depth - 1) for o in outputs]
    back = pull(outputs, inputs, u, True)
    live = [(g, t) for g, t in zip(back, tangents) if g is not None and g.requires_grad]
    return pull([g for g, _ in live], u, [t for _, t in live], graph) if live else [None] * len(u)


def written(operation, name, args, kwargs, every, duals):
    """An in-place operation: its tangent is computed on a copy first."""
    target = args[0]
    if not target.dtype.is_floating_point and not target.dtype.is_complex:
        return below(operation, args, kwargs)
    random = name in batching.RANDOM or "dropout" in name
    state = fg.get_rng_state() if random else None
    graph = wants_graph(every, duals)
    with paused(), fg.enable_grad():
        carriers = {key: carrier(t) for key, t in duals.items()}
        start = carriers.get(id(target), target if graph else target.detach())
        work = below(Tensor.clone, (start,), {})
        given, named = replaced(args[1:], kwargs, carriers)
        batching.caller(operation)(work, *given, **named)
        found = pushed([work], list(carriers.values()), [t._tangent for t in duals.values()], graph)[0] if work.requires_grad else None
        new = fg.zeros_like(work.detach()) if found is None else found
    if random:
        fg.set_rng_state(state)
    result = below(operation, args, kwargs)
    own = tangent_of(target)
    if own is None:
        own = beside(target)
    if graph or own.requires_grad or own.shape != new.shape:
        attach(target, laid(new, target))
        return result
    for held in list(levels[-1].carriers.values()):
        made = held()
        if made is not None and getattr(made, "_pushes", None) is own:
            made._pushes = own.clone()
    target._carrier = None
    with fg.no_grad():
        own.copy_(new)
    return result


def beside(t):
    """Zeros as t's tangent; those of a view are a view of its base's."""
    base = t._base
    if base is not None and base.is_contiguous():
        whole = tangent_of(base)
        if whole is None:
            whole = attach(base, fg.zeros_like(base.detach()))._tangent
        attach(t, whole.as_strided(t.shape, t.stride(), t.storage_offset() - base.storage_offset()))
    else:
        attach(t, fg.zeros_like(t.detach()))
    return t._tangent


def dual_grad(outputs, inputs, grad_outputs, retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched, materialize_grads):
    """autograd.grad in a level: forward over reverse."""
    level = levels[-1]
    with paused():
        given = [grad_outputs] if isinstance(grad_outputs, Tensor) else list(grad_outputs or ())
        special = any(isinstance(u, Tensor) and tangent_of(u) is not None for u in given)
        if is_grads_batched or not (special or level.carriers or level.roots):
            return _engine.grad(outputs, inputs, grad_outputs, retain_graph, create_graph, only_inputs, allow_unused, is_grads_batched,
                                materialize_grads)
        given = [carrier(u) if isinstance(u, Tensor) and tangent_of(u) is not None else u for u in given]
        with fg.enable_grad():
            found = _engine.grad(outputs, inputs, given or None, True, True, only_inputs, allow_unused, False, materialize_grads)
        ends = [made for made in (held() for held in list(level.carriers.values())) if made is not None]
        starts = [*ends, *level.roots]
        tangents = [t._pushes for t in ends] + [t._tangent for t in level.roots]
        live = [g for g in found if g is not None and g.requires_grad]
        with fg.enable_grad():
            moved = pushed(live, starts, tangents, create_graph) if live else []
    moved = {id(g): t for g, t in zip(live, moved) if t is not None}
    result = []
    for g in found:
        out = g if g is None or create_graph else g.detach()
        result.append(attach(out, laid(moved[id(g)], out)) if id(g) in moved else out)
    return tuple(result)


def push_function(cls, args, separate):
    """Function.apply in a level: its jvp gives the tangents."""
    contexts = []
    with paused():
        result = _apply_function(cls, args, separate, contexts)
    if pauses or not any(isinstance(t, Tensor) and tangent_of(t) is not None for t in args):
        return result
    ctx, = contexts
    given = [tangent_of(t) if isinstance(t, Tensor) else None for t in args]
    if ctx.materialize_grads:
        given = [fg.zeros_like(t.detach()) if g is None and isinstance(t, Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex) else g
                 for t, g in zip(args, given)]
    ctx.pushing = True
    try:
        found = cls.jvp(ctx, *given)
    finally:
        ctx.pushing = False
    outputs = result if isinstance(result, tuple) else (result,)
    found = found if isinstance(found, tuple) else (found,)
    if len(found) != len(outputs):
        raise RuntimeError(f"Function's jvp returned an invalid number of forward gradients (expected {len(outputs)} but got {len(found)})")
    for out, tangent in zip(outputs, found):
        if tangent is None or not isinstance(out, Tensor):
            continue
        if tangent.shape != out.shape:
            raise RuntimeError("Trying to set a forward gradient that has a different size than that of the original Tensor, this is not "
                               f"supported. Tensor is of size {list(out.shape)} while the given forward gradient is of size "
                               f"{list(tangent.shape)}.")
        dirty = any(out is t for t in args)
        if dirty and tangent_of(out) is not None and tangent is not out._tangent:
            raise RuntimeError("An inplace custom Function is not modifying the forward mode gradients inplace. If the forward is "
                               "modifying an input inplace, then the jvp function must modify the corresponding gradient inplace.")
        attach(out, tangent)
    return result
