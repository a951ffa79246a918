"""state_dict and load_state_dict: contents, metadata, reports, assign, extra state, hooks."""

from collections import OrderedDict

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error, neutral, plain


def net(lib, seed=0):
    lib.manual_seed(seed)
    m = lib.nn.Sequential(
        OrderedDict(
            first=lib.nn.Linear(2, 3),
            act=lib.nn.Tanh(),
            block=lib.nn.Sequential(lib.nn.Linear(3, 3, bias=False), lib.nn.Linear(3, 1)),
        )
    )
    m.block.register_buffer("count", lib.tensor(0))
    m.block.register_buffer("scratch", lib.ones(2), persistent=False)
    return m


def test_contents_order_and_metadata():
    def observe(lib):
        state = net(lib).state_dict()
        return type(state).__name__, dict(state), {key: dict(value) for key, value in state._metadata.items()}

    assert_same(observe)


def test_state_shares_memory_and_keep_vars_gives_the_parameters():
    m = net(fastgrad)
    state = m.state_dict()
    state["first.bias"].fill_(7)
    np.testing.assert_array_equal(m.first.bias.detach().numpy(), [7, 7, 7])
    assert not state["first.bias"].requires_grad
    assert m.state_dict(keep_vars=True)["first.bias"] is m.first.bias


def test_destination_prefix_and_positional_arguments():
    def observe(lib):
        destination = {"already": 1}
        result = net(lib).state_dict(destination=destination, prefix="top.")
        positional = net(lib).state_dict(OrderedDict(), "old.", True)
        return result is destination, list(result), list(positional)

    assert_same(observe)


def test_version_is_saved_and_given_on_loading():
    def observe(lib):
        seen = []

        class Versioned(lib.nn.Linear):
            _version = 7

            def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
                seen.append(dict(local_metadata))
                super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)

        m = lib.nn.Sequential(Versioned(1, 1))
        m.load_state_dict(m.state_dict())
        m.load_state_dict(dict(m.state_dict()))
        return seen

    assert_same(observe)


def test_loading_copies_values_in_place():
    def observe(lib):
        m, other = net(lib, 0), net(lib, 1)
        other.block.count += 5
        held = list(m.parameters())
        report = m.load_state_dict(other.state_dict())
        same = [a is b for a, b in zip(held, m.parameters())]
        return repr(report), str(report), list(report), same, dict(m.state_dict()), [p.requires_grad for p in held]

    assert_same(observe)


def test_loading_with_assign_takes_the_tensors():
    def observe(lib):
        m, other = net(lib, 0), net(lib, 1)
        m.first.requires_grad_(False)
        state = other.double().state_dict()
        metadata = {key: dict(value) for key, value in state._metadata.items()}
        m.load_state_dict(state, assign=True)
        shares = [a.data_ptr() == b.data_ptr() for a, b in zip(m.state_dict().values(), state.values())]
        kinds = [type(value).__name__ for value in m.state_dict(keep_vars=True).values()]
        return dict(m.state_dict()), shares, kinds, [p.requires_grad for p in m.parameters()], metadata

    assert_same(observe)


def test_loading_with_assign_takes_parameters_themselves():
    m, other = net(fastgrad), net(fastgrad, 1)
    m.load_state_dict(other.state_dict(keep_vars=True), assign=True)
    assert m.first.weight is other.first.weight


def test_assign_does_not_stick_to_the_state_dict():
    m, state = net(fastgrad), net(fastgrad, 1).state_dict()
    net(fastgrad).load_state_dict(state, assign=True)
    weight = m.first.weight
    m.load_state_dict(state)
    assert m.first.weight is weight


def broken(lib, change):
    state = net(lib, 1).state_dict()
    change(lib, state)
    return state


BROKEN = {
    "missing": lambda lib, s: (s.pop("first.bias"), s.pop("block.count")),
    "unexpected": lambda lib, s: s.update({"extra": lib.ones(1), "first.more": lib.ones(1), "other.x": lib.ones(1)}),
    "scratch is unexpected": lambda lib, s: s.update({"block.scratch": lib.ones(2)}),
    "size": lambda lib, s: s.update({"first.weight": lib.ones(5, 2), "block.1.bias": lib.ones(2, 2)}),
    "not a tensor": lambda lib, s: s.update({"first.weight": [1, 2, 3]}),
    "all at once": lambda lib, s: (s.pop("first.bias"), s.update({"x": lib.ones(1), "first.weight": lib.ones(1)})),
    "extra state": lambda lib, s: s.update({"first._extra_state": 1}),
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_strict_loading_reports_everything(change):
    assert_same_error(lambda lib: net(lib).load_state_dict(broken(lib, change)))


@pytest.mark.parametrize("change", [BROKEN["missing"], BROKEN["unexpected"]])
def test_lenient_loading_gives_the_names(change):
    def observe(lib):
        m = net(lib)
        report = m.load_state_dict(broken(lib, change), strict=False)
        return report.missing_keys, report.unexpected_keys, repr(report), dict(m.state_dict())

    assert_same(observe)


def test_sizes_must_match_even_if_lenient():
    assert_same_error(lambda lib: net(lib).load_state_dict(broken(lib, BROKEN["size"]), strict=False))


def test_state_must_be_a_mapping():
    assert_same_error(lambda lib: net(lib).load_state_dict([("first.weight", 1)]))


def test_one_element_goes_into_a_scalar():
    def observe(lib):
        m = lib.nn.Module()
        m.register_buffer("value", lib.tensor(1.0))
        m.load_state_dict({"value": lib.tensor([3.0])})
        return m.value

    assert_same(observe)


def test_given_mapping_is_not_changed():
    state = net(fastgrad).state_dict()
    before = list(state)

    def drop(module, state_dict, *args):
        state_dict.pop("first.bias", None)

    m = net(fastgrad)
    m.register_load_state_dict_pre_hook(drop)
    m.load_state_dict(state, strict=False)
    assert list(state) == before


def test_loading_casts_to_the_modules_dtype():
    assert_same(lambda lib: (m := net(lib), m.load_state_dict(net(lib, 1).double().state_dict()), dict(m.state_dict()))[2])


class TestExtraState:
    @staticmethod
    def make(lib):
        class WithExtra(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.history = []

            def get_extra_state(self):
                return {"history": self.history}

            def set_extra_state(self, state):
                self.history = state["history"]

        return lib.nn.Sequential(WithExtra())

    def test_round_trip(self):
        def observe(lib):
            m, other = self.make(lib), self.make(lib)
            other[0].history = [1, 2]
            state = other.state_dict()
            m.load_state_dict(state)
            return dict(state), m[0].history

        assert_same(observe)

    def test_missing(self):
        assert_same_error(lambda lib: self.make(lib).load_state_dict({}))


def test_hooks_run_in_order():
    def observe(lib):
        log = []
        m = net(lib)

        def note(name):
            return lambda *args: log.append([name, [type(arg).__name__ for arg in args], plain(args[1])])

        m.block.register_state_dict_pre_hook(note("pre"))
        m.block.register_state_dict_post_hook(note("post"))
        m.block._register_state_dict_hook(note("old post"))
        m.block.register_load_state_dict_pre_hook(note("load pre"))
        m.block._register_load_state_dict_pre_hook(lambda *args: log.append(["old load pre", args[1], args[3]]))
        m.block.register_load_state_dict_post_hook(note("load post"))
        m.load_state_dict(m.state_dict())
        return [[entry[0], entry[1]] for entry in log]

    assert_same(observe)


def test_old_post_hook_may_replace_the_result():
    def observe(lib):
        m = net(lib)
        m._register_state_dict_hook(lambda module, state, prefix, metadata: {"only": len(state)})
        return m.state_dict()

    assert_same(observe)


def test_load_pre_hook_may_rename_keys():
    def observe(lib):
        m = lib.nn.Linear(1, 1)
        m.register_load_state_dict_pre_hook(
            lambda module, state, prefix, *rest: state.update({prefix + "weight": state.pop(prefix + "old")})
        )
        m.load_state_dict({"old": lib.zeros(1, 1), "bias": lib.ones(1)})
        return dict(m.state_dict())

    assert_same(observe)


def test_load_post_hook_may_forgive():
    def observe(lib):
        m = net(lib)
        m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
        return list(m.load_state_dict(broken(lib, BROKEN["missing"])))

    assert_same(observe)


BAD_HOOKS = {
    "post hook returns": lambda lib, m: (
        m.register_state_dict_post_hook(lambda module, state, prefix, metadata: state),
        m.state_dict(),
    ),
    "load post hook returns": lambda lib, m: (
        m.register_load_state_dict_post_hook(lambda module, keys: keys),
        m.load_state_dict(m.state_dict()),
    ),
    "same hook twice": lambda lib, m: (
        m.register_state_dict_post_hook(bad_hook),
        m._register_state_dict_hook(bad_hook),
    ),
}


def bad_hook(module, state, prefix, metadata):
    pass


@pytest.mark.parametrize("act", BAD_HOOKS.values(), ids=BAD_HOOKS)
def test_hooks_that_break_the_rules(act):
    assert_same_error(lambda lib: act(lib, net(lib)))


def test_copy_that_fails_is_reported_with_its_name():
    m = nn.Linear(2, 2)

    class Unwritable(nn.Parameter):
        def copy_(self, other):
            raise ValueError("cannot be written")

    m.weight = Unwritable(fastgrad.ones(2, 2))
    with pytest.raises(RuntimeError) as caught:
        m.load_state_dict(nn.Linear(2, 2).state_dict())
    assert neutral(str(caught.value)) == (
        "Error(s) in loading state_dict for Linear:\n\t"
        'While copying the parameter named "weight", whose dimensions in the model are Size([2, 2]) and whose dimensions '
        "in the checkpoint are Size([2, 2]), an exception occurred : ('cannot be written',)."
    )
