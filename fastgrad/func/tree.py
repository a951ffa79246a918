"""The trees of func: those of utils._pytree, and prefixes of them."""

from fastgrad.utils._pytree import functions_of, tree_flatten, tree_leaves, tree_map, tree_unflatten

__all__ = ["broadcast_prefix", "tree_flatten", "tree_map", "tree_unflatten"]


def children(tree):
    """(the parts, what else the container is made of), or None for a leaf."""
    functions = functions_of(tree)
    return None if functions is None else functions[0](tree)


def broadcast_prefix(prefix, tree, is_leaf=lambda x: x is None or isinstance(x, int)):
    """One leaf of prefix for each leaf of tree; None if prefix does not fit."""
    if is_leaf(prefix):
        return [prefix] * len(tree_leaves(tree))
    mine, theirs = children(prefix), children(tree)
    if mine is None or theirs is None or len(mine[0]) != len(theirs[0]):
        return None
    if isinstance(prefix, dict):
        if not isinstance(tree, dict) or set(prefix) != set(tree):
            return None
        parts = [broadcast_prefix(prefix[key], tree[key]) for key in tree]
    else:
        parts = [broadcast_prefix(a, b) for a, b in zip(mine[0], theirs[0])]
    return None if any(part is None for part in parts) else [leaf for part in parts for leaf in part]
