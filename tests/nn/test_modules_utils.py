"""nn.modules.utils: what layers that programs bring import from there."""

import copy

import pytest
import torch

import fastgrad as fg
from tests.nn.both import assert_same, assert_same_error


@pytest.mark.parametrize("name", ["_single", "_pair", "_triple", "_quadruple"])
def test_a_size_for_each_dimension(name):
    assert_same(lambda lib: [getattr(lib.nn.modules.utils, name)(x) for x in (3, [1, 2], (4,), "ab", None, range(2))])


def test_paddings_and_defaults():
    assert_same(lambda lib: [lib.nn.modules.utils._reverse_repeat_tuple((1, 2, 3), 2), lib.nn.modules.utils._ntuple(5)(1),
                             lib.nn.modules.utils._list_with_default([None, 3], [5, 6, 7]), lib.nn.modules.utils._list_with_default(2, [4])])
    assert_same_error(lambda lib: lib.nn.modules.utils._list_with_default([1, None], [5, 6]))


def test_prefixes_go():
    def observe(lib):
        state = lib.nn.DataParallel(lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.BatchNorm1d(2))).state_dict()
        state["other"] = lib.zeros(1)
        same = copy.copy(state)
        lib.nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
        lib.nn.Sequential(lib.nn.Linear(2, 2), lib.nn.BatchNorm1d(2)).load_state_dict(state, strict=False)
        return list(same), list(state), {k: str(v) for k, v in state._metadata.items()}

    assert_same(observe)
