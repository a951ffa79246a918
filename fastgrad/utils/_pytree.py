"""torch.utils._pytree: containers flattened to their leaves, and put together again.

A leaf is what is of no registered class; None is one. Dicts keep the order of their keys.
"""

from collections import OrderedDict, defaultdict, deque

__all__ = ["TreeSpec", "register_pytree_node", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map", "tree_map_",
           "tree_map_only", "tree_structure", "tree_unflatten"]

# class -> (container -> (parts, context), (parts, context) -> container)
registered = {
    tuple: (lambda t: (list(t), None), lambda parts, context: tuple(parts)),
    list: (lambda t: (list(t), None), lambda parts, context: list(parts)),
    dict: (lambda t: (list(t.values()), list(t)), lambda parts, context: dict(zip(context, parts))),
    OrderedDict: (lambda t: (list(t.values()), list(t)), lambda parts, context: OrderedDict(zip(context, parts))),
    defaultdict: (lambda t: (list(t.values()), [t.default_factory, list(t)]),
                  lambda parts, context: defaultdict(context[0], zip(context[1], parts))),
    deque: (lambda t: (list(t), t.maxlen), lambda parts, context: deque(parts, maxlen=context)),
}


def functions_of(tree):
    """(flatten, unflatten) of a container, None for a leaf."""
    kind = type(tree)
    if kind in registered:
        return registered[kind]
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return (lambda t: (list(t), kind)), (lambda parts, context: context(*parts))
    if isinstance(tree, tuple) and hasattr(tree, "n_fields"):
        return (lambda t: (list(t), kind)), (lambda parts, context: context(parts))
    return None


class TreeSpec:
    """The structure of a tree without its leaves; type is None for a leaf."""

    def __init__(self, type=None, context=None, children=(), unflatten=None):
        self.type, self.context, self.children_specs, self.join = type, context, list(children), unflatten
        self.num_leaves = 1 if type is None else sum(c.num_leaves for c in self.children_specs)

    @property
    def num_children(self):
        return len(self.children_specs)

    @property
    def num_nodes(self):
        return 1 + sum(c.num_nodes for c in self.children_specs)

    def is_leaf(self):
        return self.type is None

    def __eq__(self, other):
        return (isinstance(other, TreeSpec) and self.type is other.type and self.context == other.context
                and self.children_specs == other.children_specs)

    def __hash__(self):
        return hash((self.type, self.num_leaves, self.num_children))

    def __repr__(self):
        if self.type is None:
            return "*"
        return f"TreeSpec({self.type.__name__}, {self.context}, [{', '.join(map(repr, self.children_specs))}])"


def register_pytree_node(cls, flatten_fn, unflatten_fn, **names):
    """Make cls a container: flatten_fn(container) gives (parts, context), unflatten_fn(parts, context) a container."""
    if cls in registered:
        raise ValueError(f"{cls} is already registered as pytree node.")
    registered[cls] = flatten_fn, unflatten_fn


def tree_flatten(tree, is_leaf=None):
    """(the leaves, the TreeSpec)."""
    found = None if is_leaf is not None and is_leaf(tree) else functions_of(tree)
    if found is None:
        return [tree], TreeSpec()
    parts, context = found[0](tree)
    pairs = [tree_flatten(part, is_leaf) for part in parts]
    return [leaf for leaves, _ in pairs for leaf in leaves], TreeSpec(type(tree), context, [spec for _, spec in pairs], found[1])


def tree_unflatten(leaves, treespec):
    """The tree of that structure with these leaves."""
    leaves = list(leaves)
    if len(leaves) != treespec.num_leaves:
        raise ValueError(f"tree_unflatten(leaves, treespec): `leaves` has length {len(leaves)} but the spec refers to a pytree that holds "
                         f"{treespec.num_leaves} items ({treespec}).")
    if treespec.is_leaf():
        return leaves[0]
    parts, start = [], 0
    for spec in treespec.children_specs:
        parts.append(tree_unflatten(leaves[start : start + spec.num_leaves], spec))
        start += spec.num_leaves
    return treespec.join(parts, treespec.context)


def tree_leaves(tree, is_leaf=None):
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree, is_leaf=None):
    return tree_flatten(tree, is_leaf)[1]


def tree_map(func, tree, *rests, is_leaf=None):
    """The tree of func(leaf, ...), the other arguments being leaves at the same places of further trees of this structure."""
    leaves, spec = tree_flatten(tree, is_leaf)
    others = []
    for rest in rests:
        more, its = tree_flatten(rest, is_leaf)
        if its != spec:
            raise ValueError(f"Node type mismatch; expected {spec}, but got {its}.")
        others.append(more)
    return tree_unflatten([func(*row) for row in zip(leaves, *others)], spec)


def tree_map_(func, tree, *rests, is_leaf=None):
    """As tree_map, for what func does: gives the tree itself."""
    tree_map(func, tree, *rests, is_leaf=is_leaf)
    return tree


def tree_map_only(kind, func, tree, is_leaf=None):
    """tree_map of the leaves of a class (or several, or that a function accepts); the others stay."""
    test = kind if callable(kind) and not isinstance(kind, type) else lambda leaf: isinstance(leaf, kind)
    return tree_map(lambda leaf: func(leaf) if test(leaf) else leaf, tree, is_leaf=is_leaf)


def tree_all(pred, tree, is_leaf=None):
    return all(map(pred, tree_leaves(tree, is_leaf)))


def tree_any(pred, tree, is_leaf=None):
    return any(map(pred, tree_leaves(tree, is_leaf)))
