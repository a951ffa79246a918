"""vmap itself: batches in, batches out."""

from functools import wraps

import fastgrad as fg
from fastgrad import _engine, _ops
from fastgrad._engine import Tensor
from fastgrad.autograd import function

from .batching import Batched, Level, batched, levels, map_function
from .tree import broadcast_prefix, tree_flatten, tree_unflatten

__all__ = ["vmap"]

def vmap(func, in_dims=0, out_dims=0, randomness="error", *, chunk_size=None):
    """A function that runs func on each example of a batch, and stacks what it returns.

    Keyword arguments are passed on to each example as they are.

    Args:
        in_dims: for each argument the dimension of the batch, None where it has none; an int for all, or a tree.
        out_dims: where the batch goes in each result.
        randomness: "error", "same" (one draw for all examples) or "different".
        chunk_size: how many examples to take at once.
    """
    if randomness not in ("error", "same", "different"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and not chunk_size > 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @wraps(func, assigned=("__name__", "__doc__"))
    def mapped(*args, **kwargs):
        leaves, spec, dims, size = read(func, in_dims, args)
        step = chunk_size or size or 1
        pieces = []
        state = fg.get_rng_state() if randomness == "same" and step < size else None
        for start in range(0, max(size, 1), step):
            if state is not None:
                fg.set_rng_state(state)         # one draw for all chunks
            part = [t if d is None else t.movedim(d, 0)[start : start + step] for t, d in zip(leaves, dims)]
            pieces.append(run(func, part, dims, out_dims, spec, kwargs, min(step, size - start), randomness))
        first, outs, out_spec = pieces[0]
        result = []
        for i, (value, d) in enumerate(zip(first, outs)):
            if d is None:
                result.append(value)
                continue
            whole = value if len(pieces) == 1 else fg.cat([piece[0][i] for piece in pieces])
            result.append(whole.movedim(0, d))
        return tree_unflatten(result, out_spec)

    return mapped


def read(func, in_dims, args):
    """(leaves, their spec, the batch's dimension in each, its size), checked."""
    name = getattr(func, "__name__", repr(func))
    if not isinstance(in_dims, (int, tuple, list)):
        raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): expected `in_dims` to be int or a (potentially nested) tuple "
                         f"matching the structure of inputs, got: {type(in_dims)}.")
    if not args:
        raise ValueError(f"vmap({name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a "
                         "function with no inputs. The latter is unsupported.")
    leaves, spec = tree_flatten(args)
    dims = broadcast_prefix(tuple(in_dims) if isinstance(in_dims, list) else in_dims, args)
    if dims is None:
        raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible with the structure of `inputs`.")
    found = []
    for i, (t, d) in enumerate(zip(leaves, dims)):
        if d is None:
            continue
        if not isinstance(t, Tensor):
            raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={d} for an input but the input is of type "
                             f"{type(t)}. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim")
        if not -t.dim() <= d < t.dim():
            raise ValueError(f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={d} for some input, but that input is a Tensor of "
                             f"dimensionality {t.dim()} so expected in_dim to satisfy -{t.dim()} <= in_dim < {t.dim()}.")
        found.append(t.shape[d])
    if not found:
        raise ValueError("vmap: at least one input must be mapped over, but in_dims is None for all of them.")
    if len(set(found)) > 1:
        raise ValueError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {found} for the mapped "
                         "dimension")
    return leaves, spec, dims, found[0]


def where_batches_go(func, out_dims, outputs):
    """One of out_dims for each of func's outputs."""
    name = getattr(func, "__name__", func)
    if not all(d is None or isinstance(d, int) for d in tree_flatten(out_dims)[0]):
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims}): `out_dims` must be an int, None or a python collection of ints representing "
                         "where in the outputs the vmapped dimension should appear.")
    found = broadcast_prefix(out_dims, outputs)
    if found is None:
        raise ValueError(f"vmap({name}, ..., out_dims={out_dims})(<inputs>): out_dims is not compatible with the structure of `outputs`. out_dims "
                         f"has structure {tree_flatten(out_dims)[1]} but outputs has structure {tree_flatten(outputs)[1]}.")
    return found


def run(func, leaves, dims, out_dims, spec, kwargs, size, randomness):
    """(values of func's results with the batch first, but for those without one; where the batch goes in each; their spec)."""
    level = len(levels)
    given = [t if d is None else batched(t, level) for t, d in zip(leaves, dims)]
    enter(Level(size, randomness))
    try:
        result = func(*tree_unflatten(given, spec), **kwargs)
    finally:
        leave()
    outs, out_spec = tree_flatten(result)
    places = where_batches_go(func, out_dims, result)
    values = []
    for one, place in zip(outs, places):
        if not isinstance(one, Tensor):
            raise ValueError(f"vmap({getattr(func, '__name__', func)}, ...): `{getattr(func, '__name__', func)}` must only return Tensors, got "
                             f"type {type(one)}. Did you mean to set out_dims= to None for output?")
        own = type(one) is Batched and one._level == level
        if own and place is None:
            raise ValueError(f"vmap({getattr(func, '__name__', func)}, ...): `{getattr(func, '__name__', func)}` can not return a BatchedTensor when "
                             "out_dim is None")
        values.append(one._value if own else one if place is None else one.expand((size, *one.shape)))
    return values, places, out_spec


def enter(level):
    levels.append(level)
    function.mapper = map_function
    _engine._interpose(True)
    _engine._override_all(True)


def leave():
    levels.pop()
    if not levels:
        function.mapper = None
    _engine._override_all(False)
    _engine._interpose(False)
