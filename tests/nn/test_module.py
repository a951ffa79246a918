"""Module: members, walks, attributes, modes, repr, copying, pickling, conversion."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import LIBRARIES, assert_same, assert_same_error


def sample(lib):
    """A module with every kind of member, one shared parameter and one shared child."""

    class Inner(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = lib.nn.Linear(2, 2, bias=False)
            self.register_buffer("steps", lib.zeros(1))

    class Outer(lib.nn.Module):
        def __init__(self):
            super().__init__()
            self.plain = 5
            self.scale = lib.nn.Parameter(lib.ones(2))
            self.register_parameter("absent", None)
            self.register_buffer("mean", lib.ones(2))
            self.register_buffer("hidden", lib.ones(1), persistent=False)
            self.register_buffer("nothing", None)
            self.inner = Inner()
            self.again = self.inner
            self.act = lib.nn.ReLU()
            self.tied = self.scale
            self.empty = None
            self.add_module("missing", None)

        def forward(self, x):
            return self.inner.linear(x) * self.scale

    lib.manual_seed(0)
    return Outer()


def names(pairs):
    return [name for name, _ in pairs]


WALKS = {
    "named_parameters": lambda m: names(m.named_parameters()),
    "named_parameters, prefixed": lambda m: names(m.named_parameters(prefix="top")),
    "named_parameters, own": lambda m: names(m.named_parameters(recurse=False)),
    "named_parameters, duplicates": lambda m: names(m.named_parameters(remove_duplicate=False)),
    "parameters": lambda m: list(m.parameters()),
    "parameters, own": lambda m: list(m.parameters(recurse=False)),
    "named_buffers": lambda m: list(m.named_buffers()),
    "named_buffers, duplicates": lambda m: names(m.named_buffers("p", True, False)),
    "buffers": lambda m: list(m.buffers()),
    "named_modules": lambda m: names(m.named_modules()),
    "named_modules, prefixed": lambda m: names(m.named_modules(prefix="x")),
    "named_modules, duplicates": lambda m: names(m.named_modules(remove_duplicate=False)),
    "modules": lambda m: list(m.modules()),
    "named_children": lambda m: names(m.named_children()),
    "children": lambda m: list(m.children()),
    "state_dict": lambda m: dict(m.state_dict()),
    "repr": lambda m: m,
}


@pytest.mark.parametrize("walk", WALKS.values(), ids=WALKS)
def test_walks(walk):
    assert_same(lambda lib: walk(sample(lib)))


def test_parameters_is_an_iterator():
    parameters = sample(fastgrad).parameters()
    assert next(parameters).shape == (2,)
    assert len(list(parameters)) == 1


def test_parameters_follows_an_overridden_named_parameters():
    def observe(lib):
        class OnlyBias(lib.nn.Linear):
            def named_parameters(self, *args, **kwargs):
                yield from (pair for pair in super().named_parameters(*args, **kwargs) if pair[0] == "bias")

        lib.manual_seed(0)
        return list(OnlyBias(2, 3).parameters())

    assert_same(observe)


ERRORS = {
    "unknown attribute": lambda lib, m: m.unknown,
    "delete unknown": lambda lib, m: delattr(m, "unknown"),
    "parameter name not str": lambda lib, m: m.register_parameter(3, None),
    "parameter name with dot": lambda lib, m: m.register_parameter("a.b", None),
    "parameter name empty": lambda lib, m: m.register_parameter("", None),
    "parameter name taken": lambda lib, m: m.register_parameter("plain", None),
    "parameter name of a method": lambda lib, m: m.register_parameter("forward", lib.nn.Parameter(lib.ones(1))),
    "parameter from tensor": lambda lib, m: m.register_parameter("p", lib.ones(1)),
    "parameter from list": lambda lib, m: m.register_parameter("p", [1]),
    "buffer name not str": lambda lib, m: m.register_buffer(None, None),
    "buffer name with dot": lambda lib, m: m.register_buffer("a.b", None),
    "buffer name empty": lambda lib, m: m.register_buffer("", None),
    "buffer name taken": lambda lib, m: m.register_buffer("inner", None),
    "buffer from int": lambda lib, m: m.register_buffer("b", 3),
    "Buffer over a plain attribute": lambda lib, m: setattr(m, "plain", lib.nn.Buffer(lib.ones(1))),
    "module from int": lambda lib, m: m.add_module("c", 3),
    "module from class": lambda lib, m: m.register_module("c", dict),
    "module name not str": lambda lib, m: m.add_module(3, lib.nn.ReLU()),
    "module name with dot": lambda lib, m: m.add_module("a.b", lib.nn.ReLU()),
    "module name empty": lambda lib, m: m.add_module("", lib.nn.ReLU()),
    "module name taken": lambda lib, m: m.add_module("scale", lib.nn.ReLU()),
    "tensor over parameter": lambda lib, m: setattr(m, "scale", lib.ones(2)),
    "int over parameter": lambda lib, m: setattr(m, "scale", 2),
    "module over parameter": lambda lib, m: setattr(m, "scale", lib.nn.ReLU()),
    "str over module": lambda lib, m: setattr(m, "inner", "text"),
    "tensor over module": lambda lib, m: setattr(m, "inner", lib.ones(1)),
    "int over buffer": lambda lib, m: setattr(m, "mean", 1),
    "get_submodule unknown": lambda lib, m: m.get_submodule("inner.none"),
    "get_submodule not a module": lambda lib, m: m.get_submodule("scale.x"),
    "get_parameter unknown": lambda lib, m: m.get_parameter("inner.none"),
    "get_parameter of a buffer": lambda lib, m: m.get_parameter("mean"),
    "get_buffer unknown": lambda lib, m: m.get_buffer("none"),
    "get_buffer of a parameter": lambda lib, m: m.get_buffer("inner.linear.weight"),
    "set_submodule without name": lambda lib, m: m.set_submodule("", lib.nn.ReLU()),
    "set_submodule no module": lambda lib, m: m.set_submodule("inner", 3),
    "set_submodule strict": lambda lib, m: m.set_submodule("inner.new", lib.nn.ReLU(), strict=True),
    "set_submodule over a parameter": lambda lib, m: m.set_submodule("inner.linear.weight", lib.nn.ReLU()),
    "train(1)": lambda lib, m: m.train(1),
    "to(int64)": lambda lib, m: m.to(lib.int64),
    "to(copy=True)": lambda lib, m: m.to("cpu", copy=True),
    "to a copy by position": lambda lib, m: m.to("cpu", lib.float64, False, True),
    "no forward": lambda lib, m: lib.nn.Module()(1),
    "positional argument": lambda lib, m: lib.nn.Module(1),
    "keyword argument": lambda lib, m: lib.nn.Module(size=1),
    "cuda": lambda lib, m: m.cuda(),
}


@pytest.mark.parametrize("act", ERRORS.values(), ids=ERRORS)
def test_errors(act):
    assert_same_error(lambda lib: act(lib, sample(lib)))


@pytest.mark.parametrize("args", [("cpu", "cpu"), ("cpu", 1.5), ("cpu", None, False, False, 1)])
def test_to_refuses_other_arguments(args):
    for lib in LIBRARIES.values():
        with pytest.raises(TypeError):
            sample(lib).to(*args)


@pytest.mark.parametrize("kind", ["Parameter", "ReLU", "Buffer"])
def test_members_before_init_are_refused(kind):
    def act(lib):
        class Early(lib.nn.Module):
            def __init__(self):
                self.member = lib.nn.ReLU() if kind == "ReLU" else getattr(lib.nn, kind)(lib.ones(1))

        Early()

    assert_same_error(act)


def test_plain_attributes_before_init_are_allowed():
    class Early(nn.Module):
        def __init__(self):
            self.size = 3
            super().__init__()

    assert Early().size == 3


CHANGES = {
    "parameter over plain": lambda lib, m: setattr(m, "plain", lib.nn.Parameter(lib.zeros(1))),
    "parameter over buffer": lambda lib, m: setattr(m, "mean", lib.nn.Parameter(lib.zeros(1))),
    "parameter over module": lambda lib, m: setattr(m, "act", lib.nn.Parameter(lib.zeros(1))),
    "parameter over parameter": lambda lib, m: setattr(m, "scale", lib.nn.Parameter(lib.zeros(1))),
    "None over parameter": lambda lib, m: setattr(m, "scale", None),
    "module over plain": lambda lib, m: setattr(m, "plain", lib.nn.Tanh()),
    "module over buffer": lambda lib, m: setattr(m, "hidden", lib.nn.Tanh()),
    "module over module": lambda lib, m: setattr(m, "act", lib.nn.Tanh()),
    "None over module": lambda lib, m: setattr(m, "act", None),
    "tensor over buffer": lambda lib, m: setattr(m, "mean", lib.zeros(3)),
    "tensor over hidden buffer": lambda lib, m: setattr(m, "hidden", lib.zeros(3)),
    "None over buffer": lambda lib, m: setattr(m, "mean", None),
    "Buffer over hidden buffer": lambda lib, m: setattr(m, "hidden", lib.nn.Buffer(lib.zeros(3))),
    "new Buffer": lambda lib, m: setattr(m, "fresh", lib.nn.Buffer(lib.zeros(3), persistent=False)),
    "tensor stays plain": lambda lib, m: setattr(m, "fresh", lib.zeros(3)),
    "delete parameter": lambda lib, m: delattr(m, "scale"),
    "delete buffer": lambda lib, m: delattr(m, "hidden"),
    "delete module": lambda lib, m: delattr(m, "inner"),
    "delete plain": lambda lib, m: delattr(m, "plain"),
    "register over None": lambda lib, m: m.register_parameter("absent", lib.nn.Parameter(lib.zeros(1))),
    "set_submodule": lambda lib, m: m.set_submodule("inner.linear", lib.nn.Tanh()),
    "set_submodule new": lambda lib, m: m.set_submodule("inner.extra", lib.nn.Tanh()),
    "table written": lambda lib, m: m._parameters.__setitem__("scale", lib.nn.Parameter(lib.zeros(4))),
    "table deleted": lambda lib, m: m._parameters.__delitem__("scale"),
    "table popped": lambda lib, m: m._buffers.pop("mean"),
    "table updated": lambda lib, m: m._buffers.update(mean=lib.zeros(1), extra=lib.ones(1)),
    "table cleared": lambda lib, m: m._modules.clear(),
    "table setdefault": lambda lib, m: m._buffers.setdefault("extra", lib.ones(1)),
    "table replaced": lambda lib, m: setattr(m, "_modules", {"only": lib.nn.Tanh()}),
    "deleted, then plain": lambda lib, m: (m._parameters.pop("scale"), setattr(m, "scale", lib.zeros(5))),
    "shadowed": lambda lib, m: object.__setattr__(m, "scale", 7),
}
ATTRIBUTES = (
    "plain scale absent mean hidden nothing inner again act tied empty missing fresh extra only training".split()
)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_changes(change):
    """After a change the module shows the same attributes, tables and state as PyTorch's."""

    def observe(lib):
        m = sample(lib)
        change(lib, m)
        attributes = [getattr(m, name, "none") for name in ATTRIBUTES]
        tables = [dict(m._parameters), dict(m._buffers), dict(m._modules), sorted(m._non_persistent_buffers_set)]
        return attributes, tables, dict(m.state_dict()), m

    assert_same(observe)


def test_dir_lists_members():
    def observe(lib):
        listed = dir(sample(lib))
        return [name in listed for name in ATTRIBUTES], any(name[0].isdigit() for name in listed)

    assert_same(observe)
    assert "0" not in dir(nn.Sequential(nn.ReLU()))


def test_access_by_dotted_name():
    m = sample(fastgrad)
    assert m.get_submodule("") is m
    assert m.get_submodule("inner.linear") is m.inner.linear
    assert m.get_parameter("inner.linear.weight") is m.inner.linear.weight
    assert m.get_buffer("inner.steps") is m.inner.steps


def test_modes_reach_all_modules_once_and_through_overrides():
    def observe(lib):
        calls = []

        class Loud(lib.nn.Module):
            def train(self, mode=True):
                calls.append(mode)
                return super().train(mode)

        m = lib.nn.Sequential(Loud(), lib.nn.Sequential(Loud()))
        first = m.eval()
        modes = [child.training for child in m.modules()]
        return calls, modes, first is m, m.train().training

    assert_same(observe)


def test_apply_goes_children_first():
    def observe(lib):
        seen = []
        sample(lib).apply(lambda m: seen.append(type(m).__name__))
        return seen

    assert_same(observe)


@pytest.mark.parametrize("set_to_none", [True, False])
def test_zero_grad(set_to_none):
    def observe(lib):
        m = sample(lib)
        m(lib.ones(3, 2)).sum().backward()
        before = [p.grad for p in m.parameters()]
        m.zero_grad(set_to_none)
        return [grad is None for grad in before], [p.grad for p in m.parameters()]

    assert_same(observe)


def test_requires_grad_():
    m = sample(fastgrad)
    assert m.requires_grad_(False) is m
    assert not any(p.requires_grad for p in m.parameters())


CONVERSIONS = {
    "double": lambda lib, m: m.double(),
    "float": lambda lib, m: m.double().float(),
    "to dtype": lambda lib, m: m.to(lib.float64),
    "to device": lambda lib, m: m.to("cpu"),
    "to device object, dtype": lambda lib, m: m.to(lib.device("cpu"), lib.float64),
    "to device, dtype, non_blocking": lambda lib, m: m.to("cpu", lib.float64, True),
    "to keywords": lambda lib, m: m.to(device="cpu", dtype=lib.float64),
    "to tensor": lambda lib, m: m.to(lib.ones(1, dtype=lib.float64)),
    "to None": lambda lib, m: m.to(None),
    "type": lambda lib, m: m.type(lib.float64),
    "cpu": lambda lib, m: m.cpu(),
}


@pytest.mark.parametrize("convert", CONVERSIONS.values(), ids=CONVERSIONS)
def test_conversion_is_in_place_and_keeps_gradients(convert):
    def observe(lib):
        m = sample(lib)
        m.register_buffer("count", lib.tensor(3))
        m(lib.ones(3, 2)).sum().backward()
        held = list(m.parameters())
        result = convert(lib, m)
        same = [a is b for a, b in zip(held, m.parameters())]
        return result is m, same, dict(m.state_dict()), [p.grad for p in held]

    assert_same(observe)


def test_to_empty_keeps_shapes():
    m = sample(fastgrad)
    shapes = [p.shape for p in m.parameters()]
    assert [p.shape for p in m.to_empty(device="cpu").parameters()] == shapes


def test_deepcopy_copies_all_and_keeps_sharing():
    m = sample(fastgrad)
    m.register_forward_hook(lambda module, args, output: output + 1)
    twin = copy.deepcopy(m)
    assert twin.inner is twin.again and twin.scale is twin.tied
    assert not {id(p) for p in m.parameters()} & {id(p) for p in twin.parameters()}
    x = fastgrad.ones(3, 2)
    np.testing.assert_array_equal(twin(x).detach().numpy(), m(x).detach().numpy())
    with fastgrad.no_grad():
        twin.scale.zero_()
    assert twin._parameters["scale"] is twin.scale
    np.testing.assert_array_equal(m.scale.detach().numpy(), [1, 1])


def test_pickle_gives_the_same_module():
    m = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).eval()
    twin = pickle.loads(pickle.dumps(m))
    assert repr(twin) == repr(m) and not twin.training
    for (name, a), (other, b) in zip(m.state_dict().items(), twin.state_dict().items()):
        assert name == other
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    twin[0].weight = nn.Parameter(fastgrad.zeros(3, 2))
    assert twin[0]._parameters["weight"] is twin[0].weight


def test_a_pickled_module_holds_its_members_once():
    state = nn.Linear(2, 3).__getstate__()
    assert "weight" not in state and set(state["_parameters"]) == {"weight", "bias"}


def test_setstate_fills_in_what_older_states_lack():
    state = nn.Linear(2, 3).__getstate__()
    for name in ("_forward_pre_hooks", "_state_dict_hooks", "_non_persistent_buffers_set", "_is_full_backward_hook"):
        del state[name]
    m = nn.Linear.__new__(nn.Linear)
    m.__setstate__(state)
    assert m(fastgrad.ones(1, 2)).shape == (1, 3)
    assert list(m.state_dict()) == ["weight", "bias"]


def test_a_module_is_freed_with_its_last_reference():
    gc.collect()
    gc.disable()
    try:
        m = sample(fastgrad)
        m.register_forward_pre_hook(lambda module, args: None)
        m(fastgrad.ones(1, 2))
        dead, dead_parameter = weakref.ref(m), weakref.ref(m.inner.linear.weight)
        del m
        assert dead() is None and dead_parameter() is None
    finally:
        gc.enable()


def test_a_table_outlives_its_module():
    table = nn.Linear(2, 3)._parameters
    table["extra"] = None
    assert set(table) == {"weight", "bias", "extra"}


def test_a_replaced_table_no_longer_writes_to_the_module():
    """It keeps its members and can be put back."""
    m = nn.Linear(2, 3)
    weight, table = m.weight, m._parameters
    m._parameters = {"other": nn.Parameter(fastgrad.ones(1))}
    table["more"] = None
    assert not hasattr(m, "weight") and not hasattr(m, "more") and m.other.shape == (1,)
    m._parameters = table
    assert m.weight is weight and m.more is None and not hasattr(m, "other")


def test_walks_end_where_modules_contain_each_other():
    def observe(lib):
        lib.manual_seed(0)
        m = lib.nn.Sequential(lib.nn.Linear(1, 1))
        m[0].owner = m
        return list(m.parameters()), len(list(m.modules())), [name for name, _ in m[0].named_parameters()]

    assert_same(observe)


def test_call_super_init_passes_arguments_on():
    def observe(lib):
        class Mixin:
            def __init__(self, size):
                self.size = size

        class Net(lib.nn.Module, Mixin):
            call_super_init = True

        return Net(size=4).size

    assert_same(observe)


def test_register_buffer_may_be_overridden_without_persistent():
    def observe(lib):
        class Old(lib.nn.Module):
            def register_buffer(self, name, tensor):
                super().register_buffer(name, tensor)

        m = Old()
        m.register_buffer("b", lib.ones(1))
        m.b = lib.zeros(1)
        return dict(m.state_dict())

    assert_same(observe)


def test_getattr_of_a_subclass_may_fall_back_to_another_object():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self.module, name)

    wrapper = Wrapper(nn.Linear(2, 3))
    assert wrapper.in_features == 2 and wrapper.weight is wrapper.module.weight


def test_repr_of_nested_modules():
    def observe(lib):
        class Two(lib.nn.Module):
            def extra_repr(self):
                return "first=1\nsecond=2"

        class OneAndChild(lib.nn.Module):
            def __init__(self):
                super().__init__()
                self.child = Two()
                self.none = None
                self.add_module("gone", None)

            def extra_repr(self):
                return "one"

        return repr(lib.nn.Module()), repr(Two()), repr(lib.nn.Sequential(OneAndChild(), lib.nn.Sequential()))

    assert_same(observe)


def test_modules_may_have_a_metaclass():
    import abc

    class Meta(type):
        pass

    class Base(fastgrad.nn.Module, abc.ABC):
        @abc.abstractmethod
        def width(self): ...

        def forward(self, x):
            return x * self.scale * self.width()

    class Twice(Base):
        def __init__(self):
            super().__init__()
            self.scale = fastgrad.nn.Parameter(fastgrad.tensor(3.0))

        def width(self):
            return 2

    class Same(fastgrad.nn.Module, metaclass=Meta):
        def forward(self, x):
            return x

    assert Twice()(fastgrad.tensor(1.0)).item() == 6.0
    assert Same()(5) == 5
    with pytest.raises(TypeError, match="abstract"):
        Base()
