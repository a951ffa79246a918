"""Pytrees: tensors in tuples, lists, dicts and named tuples, flattened and put together again."""

__all__ = ["tree_flatten", "tree_map", "tree_unflatten"]


def children(tree):
    """(the parts, a function that makes such a container of new parts), or None for a leaf."""
    if isinstance(tree, dict):
        keys, kind = list(tree), type(tree)
        return list(tree.values()), lambda parts: kind(zip(keys, parts))
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return list(tree), lambda parts: type(tree)(*parts)
    if isinstance(tree, tuple) and hasattr(tree, "n_fields"):      # of torch.return_types
        return list(tree), type(tree)
    if type(tree) in (tuple, list):
        return list(tree), type(tree)
    return None


def tree_flatten(tree):
    """(the leaves, a spec for tree_unflatten)."""
    found = children(tree)
    if found is None:
        return [tree], None
    parts = [tree_flatten(part) for part in found[0]]
    return [leaf for leaves, _ in parts for leaf in leaves], (found[1], [(len(leaves), spec) for leaves, spec in parts])


def tree_unflatten(leaves, spec):
    """The tree of that spec with these leaves."""
    leaves = list(leaves)
    if spec is None:
        return leaves[0]
    parts, start = [], 0
    for count, inner in spec[1]:
        parts.append(tree_unflatten(leaves[start : start + count], inner))
        start += count
    return spec[0](parts)


def tree_map(function, tree):
    """The tree of function(leaf)."""
    leaves, spec = tree_flatten(tree)
    return tree_unflatten([function(leaf) for leaf in leaves], spec)


def broadcast_prefix(prefix, tree, is_leaf=lambda x: x is None or isinstance(x, int)):
    """One leaf of prefix for each leaf of tree; None if prefix does not fit."""
    if is_leaf(prefix):
        return [prefix] * len(tree_flatten(tree)[0])
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
