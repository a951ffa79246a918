"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict against PyTorch's: results, names, reprs, errors."""

from collections import OrderedDict

import pytest

import fastgrad
from fastgrad import nn
from tests.nn.both import assert_same, assert_same_error


def layers(lib):
    return lib.nn.ReLU(), lib.nn.Tanh(), lib.nn.Sigmoid(), lib.nn.Identity()


def contents(container):
    return container, list(container._modules), [type(module).__name__ for module in container._modules.values()]


SEQUENCES = {
    "index": lambda s, lib: (s[0], s[-1], len(s)),
    "iterate": lambda s, lib: list(s),
    "slice": lambda s, lib: contents(s[1:3]),
    "slice with step": lambda s, lib: contents(s[::2]),
    "slice backwards": lambda s, lib: contents(s[::-1]),
    "empty slice": lambda s, lib: contents(s[4:]),
    "set": lambda s, lib: (s.__setitem__(1, lib.nn.SiLU()), contents(s)),
    "set last": lambda s, lib: (s.__setitem__(-1, lib.nn.SiLU()), contents(s)),
    "delete": lambda s, lib: (s.__delitem__(1), contents(s)),
    "delete last": lambda s, lib: (s.__delitem__(-1), contents(s)),
    "delete slice": lambda s, lib: (s.__delitem__(slice(0, 4, 2)), contents(s)),
    "delete, then append": lambda s, lib: (s.__delitem__(0), s.append(lib.nn.SiLU()), contents(s)),
    "append": lambda s, lib: contents(s.append(lib.nn.SiLU())),
    "insert": lambda s, lib: (s.insert(1, lib.nn.SiLU()), contents(s)),
    "insert at the end": lambda s, lib: (s.insert(4, lib.nn.SiLU()), contents(s)),
    "insert at the front": lambda s, lib: (s.insert(0, lib.nn.SiLU()), contents(s)),
    "extend": lambda s, lib: contents(s.extend([lib.nn.SiLU(), lib.nn.GELU()])),
    "pop": lambda s, lib: (s.pop(1), contents(s)),
    "pop last": lambda s, lib: (s.pop(-1), contents(s)),
    "pop slice": lambda s, lib: (s.pop(slice(1, 3)), contents(s)),
    "same module twice": lambda s, lib: (s.append(s[0]), len(list(s.modules())), contents(s)),
    "is iadd in place": lambda s, lib: (s.__iadd__(type(s)()) is s, contents(s)),
    "index too large": lambda s, lib: s[4],
    "index too small": lambda s, lib: s[-5],
    "index no int": lambda s, lib: s["0"],
    "set out of range": lambda s, lib: s.__setitem__(4, lib.nn.SiLU()),
    "delete out of range": lambda s, lib: s.__delitem__(7),
    "append no module": lambda s, lib: s.append(3),
    "pop out of range": lambda s, lib: s.pop(9),
}


@pytest.mark.parametrize("kind", ["Sequential", "ModuleList"])
@pytest.mark.parametrize("act", SEQUENCES.values(), ids=SEQUENCES)
def test_sequences(kind, act):
    def observe(lib):
        cls = getattr(lib.nn, kind)
        return act(cls(*layers(lib)) if kind == "Sequential" else cls(layers(lib)), lib)

    assert_same(observe)


SEQUENTIALS = {
    "from an OrderedDict": lambda s, lib: contents(lib.nn.Sequential(OrderedDict(a=lib.nn.ReLU(), b=lib.nn.Tanh()))),
    "slice of named": lambda s, lib: contents(lib.nn.Sequential(OrderedDict(a=lib.nn.ReLU(), b=lib.nn.Tanh()))[:1]),
    "empty": lambda s, lib: contents(lib.nn.Sequential()),
    "empty call": lambda s, lib: lib.nn.Sequential()(lib.ones(2)),
    "call": lambda s, lib: s(lib.ones(2)),
    "add": lambda s, lib: contents(s + lib.nn.Sequential(lib.nn.SiLU())),
    "iadd": lambda s, lib: contents(s.__iadd__(lib.nn.Sequential(lib.nn.SiLU()))),
    "mul": lambda s, lib: contents(s * 2),
    "rmul": lambda s, lib: contents(2 * s),
    "imul": lambda s, lib: (s.__imul__(2) is s, contents(s)),
    "mul shares": lambda s, lib: len(list((s * 3).modules())),
    "insert negative": lambda s, lib: contents(s.insert(-1, lib.nn.SiLU())),
    "add a list": lambda s, lib: s + [lib.nn.SiLU()],
    "iadd a list": lambda s, lib: s.__iadd__([lib.nn.SiLU()]),
    "mul by 0": lambda s, lib: s * 0,
    "mul by float": lambda s, lib: s * 1.5,
    "imul by -1": lambda s, lib: s.__imul__(-1),
    "insert no module": lambda s, lib: s.insert(0, 3),
    "insert out of range": lambda s, lib: s.insert(9, lib.nn.SiLU()),
    "no module": lambda s, lib: lib.nn.Sequential(3),
}


@pytest.mark.parametrize("act", SEQUENTIALS.values(), ids=SEQUENTIALS)
def test_sequential(act):
    assert_same(lambda lib: act(lib.nn.Sequential(*layers(lib)), lib))


def test_sequential_subclass_keeps_its_class_when_sliced():
    class Mine(nn.Sequential):
        pass

    assert type(Mine(*layers(fastgrad))[:2]) is Mine


LISTS = {
    "from generator": lambda lib: contents(lib.nn.ModuleList(lib.nn.Linear(2, 2) for _ in range(3))),
    "repr in runs": lambda lib: lib.nn.ModuleList(
        [lib.nn.ReLU(), lib.nn.Linear(1, 2), lib.nn.Linear(1, 2), lib.nn.ReLU(), lib.nn.ReLU(), lib.nn.ReLU()]
    ),
    "repr nested": lambda lib: lib.nn.ModuleList(
        lib.nn.Sequential(lib.nn.Linear(1, 1), lib.nn.ModuleList([lib.nn.Tanh()] * 2)) for _ in range(2)
    ),
    "empty": lambda lib: contents(lib.nn.ModuleList()),
    "add": lambda lib: contents(lib.nn.ModuleList(layers(lib)) + [lib.nn.SiLU()]),
    "not iterable": lambda lib: lib.nn.ModuleList(3),
    "extend not iterable": lambda lib: lib.nn.ModuleList().extend(3),
    "call": lambda lib: lib.nn.ModuleList(layers(lib))(1),
}


@pytest.mark.parametrize("act", LISTS.values(), ids=LISTS)
def test_module_list(act):
    assert_same(act)


def module_dict(lib):
    return lib.nn.ModuleDict({"a": lib.nn.ReLU(), "b": lib.nn.Tanh()})


DICTS = {
    "repr": lambda d, lib: d,
    "from pairs": lambda d, lib: lib.nn.ModuleDict([["x", lib.nn.ReLU()], ("y", lib.nn.Tanh())]),
    "from another": lambda d, lib: lib.nn.ModuleDict(d),
    "keys values items": lambda d, lib: (list(d.keys()), list(d.values()), list(d.items()), list(d), len(d)),
    "contains": lambda d, lib: ("a" in d, "z" in d),
    "get": lambda d, lib: d["a"],
    "set": lambda d, lib: (d.__setitem__("c", lib.nn.SiLU()), d, d.c),
    "delete": lambda d, lib: (d.__delitem__("a"), d, hasattr(d, "a")),
    "pop": lambda d, lib: (d.pop("a"), d),
    "clear": lambda d, lib: (d.clear(), d),
    "update": lambda d, lib: (d.update({"a": lib.nn.SiLU(), "z": lib.nn.GELU()}), d),
    "get unknown": lambda d, lib: d["z"],
    "pop unknown": lambda d, lib: d.pop("z"),
    "set a method's name": lambda d, lib: d.__setitem__("forward", lib.nn.ReLU()),
    "update with int": lambda d, lib: d.update(3),
    "pair of three": lambda d, lib: d.update([("a", lib.nn.ReLU(), 1)]),
    "call": lambda d, lib: d(1),
}


@pytest.mark.parametrize("act", DICTS.values(), ids=DICTS)
def test_module_dict(act):
    assert_same(lambda lib: act(module_dict(lib), lib))


def parameter_list(lib):
    return lib.nn.ParameterList([lib.nn.Parameter(lib.ones(2)), lib.zeros(1, 3), "text", 4])


PARAMETER_LISTS = {
    "repr": lambda p, lib: p,
    "empty": lambda p, lib: lib.nn.ParameterList(),
    "values": lambda p, lib: list(p),
    "registered": lambda p, lib: [name for name, _ in p.named_parameters()],
    "length": lambda p, lib: len(p),
    "index": lambda p, lib: (p[0], p[-1]),
    "slice": lambda p, lib: p[1:3],
    "set": lambda p, lib: (p.__setitem__(1, lib.ones(2, 2)), p),
    "append": lambda p, lib: p.append(lib.ones(2, 2)),
    "extend": lambda p, lib: p.extend([lib.ones(1), None]),
    "iadd": lambda p, lib: p.__iadd__([lib.ones(1)]),
    "index out of range": lambda p, lib: p[9],
    "extend tensor": lambda p, lib: p.extend(lib.ones(2)),
    "extend int": lambda p, lib: p.extend(3),
    "call": lambda p, lib: p(1),
}


@pytest.mark.parametrize("act", PARAMETER_LISTS.values(), ids=PARAMETER_LISTS)
def test_parameter_list(act):
    assert_same(lambda lib: act(parameter_list(lib), lib))


def parameter_dict(lib):
    return lib.nn.ParameterDict({"b": lib.nn.Parameter(lib.ones(2)), "a": lib.zeros(1, 3), "n": 4})


PARAMETER_DICTS = {
    "repr": lambda p, lib: p,
    "empty": lambda p, lib: lib.nn.ParameterDict(),
    "keys values items": lambda p, lib: (list(p.keys()), list(p.values()), list(p.items()), list(p), len(p)),
    "reversed": lambda p, lib: list(reversed(p)),
    "ordered": lambda p, lib: lib.nn.ParameterDict(OrderedDict(z=lib.ones(1), y=lib.ones(1))),
    "pairs": lambda p, lib: lib.nn.ParameterDict([("z", lib.ones(1)), ("y", lib.ones(1))]),
    "registered": lambda p, lib: [name for name, _ in p.named_parameters()],
    "contains": lambda p, lib: ("a" in p, "z" in p),
    "get": lambda p, lib: (p.get("a"), p.get("z"), p.get("z", 3)),
    "set": lambda p, lib: (p.__setitem__("z", lib.ones(1)), p),
    "setdefault": lambda p, lib: (p.setdefault("a", 1), p.setdefault("z", lib.ones(1)), p),
    "delete": lambda p, lib: (p.__delitem__("a"), p),
    "pop": lambda p, lib: (p.pop("a"), p),
    "popitem": lambda p, lib: (p.popitem(), p),
    "clear": lambda p, lib: (p.clear(), p),
    "copy": lambda p, lib: (p.copy(), p.copy()["b"] is p["b"]),
    "fromkeys": lambda p, lib: p.fromkeys(["x", "y"], 2),
    "or": lambda p, lib: p | lib.nn.ParameterDict({"z": lib.ones(1)}),
    "ror": lambda p, lib: p.__ror__(lib.nn.ParameterDict({"z": lib.ones(1)})),
    "ior": lambda p, lib: (p.__ior__(lib.nn.ParameterDict({"a": lib.ones(1)})) is p, p),
    "get unknown": lambda p, lib: p["z"],
    "delete unknown": lambda p, lib: p.__delitem__("z"),
    "update with int": lambda p, lib: p.update(3),
    "pair of three": lambda p, lib: p.update([("a", 1, 2)]),
    "call": lambda p, lib: p(1),
}


@pytest.mark.parametrize("act", PARAMETER_DICTS.values(), ids=PARAMETER_DICTS)
def test_parameter_dict(act):
    assert_same(lambda lib: act(parameter_dict(lib), lib))


def test_parameter_dict_keys_are_strings():
    with pytest.raises(TypeError, match="cannot be used as a key as it is not a string"):
        parameter_dict(fastgrad)[3] = fastgrad.ones(1)


def test_update_sequence_elements_are_checked():
    for container in (nn.ModuleDict(), nn.ParameterDict()):
        with pytest.raises(TypeError, match="sequence element #0 should be Iterable"):
            container.update([3])


def test_replacing_a_layer_changes_the_output():
    def observe(lib):
        s = lib.nn.Sequential(lib.nn.ReLU(), lib.nn.Identity())
        before = s(lib.tensor([-1.0, 2.0]))
        s[0] = lib.nn.Identity()
        return before, s(lib.tensor([-1.0, 2.0]))

    assert_same(observe)
    assert_same_error(lambda lib: lib.nn.Sequential(lib.nn.Module())(1))


def test_layers_of_settings_are_copied_and_pickled():
    import copy
    import pickle

    layer = fastgrad.nn.Dropout(0.25)
    assert repr(copy.deepcopy(layer)) == repr(pickle.loads(pickle.dumps(layer))) == repr(layer)
