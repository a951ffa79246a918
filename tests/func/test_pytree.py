"""torch.utils._pytree's functions, against torch's."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest
import torch.utils._pytree as theirs

from fastgrad.utils import _pytree as mine

Point = namedtuple("Point", "x y")
TREES = [1, None, (), [1, (2, 3)], {"b": 1, "a": [2, None]}, Point(1, [2]), OrderedDict(z=1, a=2), deque([1, 2], maxlen=3),
         defaultdict(list, a=[1, 2]), (1, {"k": Point(2, (3, 4))}, [])]


@pytest.mark.parametrize("tree", TREES, ids=str)
def test_same_as_torch(tree):
    (a, spec), (b, expected) = mine.tree_flatten(tree), theirs.tree_flatten(tree)
    assert a == b and spec.num_leaves == expected.num_leaves and spec.num_nodes == expected.num_nodes
    again = mine.tree_unflatten(a, spec)
    assert again == tree and type(again) is type(tree)
    assert mine.tree_map(str, tree) == theirs.tree_map(str, tree)
    assert mine.tree_map_only(int, lambda n: n + 1, tree) == theirs.tree_map_only(int, lambda n: n + 1, tree)
    assert spec == mine.tree_structure(tree)


def test_several_trees_and_errors():
    assert mine.tree_map(lambda a, b: a + b, {"a": 1}, {"a": 2}) == {"a": 3}
    with pytest.raises(ValueError):
        mine.tree_map(lambda a, b: a, [1], (1,))
    with pytest.raises(ValueError, match="has length 1 but the spec"):
        mine.tree_unflatten([1], mine.tree_structure([1, 2]))
    assert mine.tree_leaves([1, [2]], is_leaf=lambda t: t == [2]) == [1, [2]]


def test_registering():
    class Box:
        def __init__(self, x):
            self.x = x

    mine.register_pytree_node(Box, lambda b: ([b.x], None), lambda parts, context: Box(*parts))
    assert mine.tree_leaves([Box((1, 2)), 3]) == [1, 2, 3] and mine.tree_map(str, Box(1)).x == "1"
    with pytest.raises(ValueError, match="already registered"):
        mine.register_pytree_node(Box, None, None)
