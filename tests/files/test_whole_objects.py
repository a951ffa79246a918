"""Whole modules, tensors of subclasses and functions in files: what fastgrad writes PyTorch loads, and the other way round."""

import io
import pickle
import warnings

import pytest
import torch

import fastgrad as fg
from fastgrad.serialization.names import torch_name
from tests.conformance.convert import build, tensors_in, to_torch

module_db = pytest.importorskip("torch.testing._internal.common_modules").module_db
PLACES = ["nn", "nn.utils.rnn", "nn.utils.parametrize", "nn.utils.prune", "nn.parallel", "optim", "optim.lr_scheduler", "optim.swa_utils",
          "utils.data", "nn.parameter"]


def passed(there, here, thing, **options):
    """`thing` saved by one library and loaded by the other."""
    file = io.BytesIO()
    there.save(thing, file)
    return here.load(io.BytesIO(file.getvalue()), **options)


def classes(library, place):
    for part in place.split("."):
        library = getattr(library, part)
    return {name: value for name, value in vars(library).items() if isinstance(value, type)}


@pytest.mark.parametrize("place", PLACES)
def test_a_class_is_named_as_in_pytorch(place):
    __import__(f"torch.{place}"), __import__(f"fastgrad.{place}")
    theirs = classes(torch, place)
    both = {name: mine for name, mine in classes(fg, place).items() if name in theirs and mine.__module__.startswith("fastgrad")}
    assert both
    for name, mine in both.items():
        assert torch_name(mine) == (theirs[name].__module__, theirs[name].__qualname__)


def output(library, layer, given):
    library.manual_seed(0)
    return tensors_in(layer(*build(library, given.args), **build(library, given.kwargs)), library.Tensor)


@pytest.mark.parametrize("name", [info.name.removeprefix("nn.") for info in module_db])
def test_whole_modules_both_ways(name):
    info = next(info for info in module_db if info.name.removeprefix("nn.") == name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sample = info.module_inputs_func(info, device="cpu", dtype=torch.float64, requires_grad=False, training=False)[0]
        if name == "TransformerEncoder":            # made from a layer, which a sample cannot carry over; test_functions_in_modules has one
            return
        made, given = sample.constructor_input, sample.forward_input
        for there, here in ((fg, torch), (torch, fg)):
            layer = getattr(there.nn, name)(*build(there, made.args), **build(there, made.kwargs)).to(there.float64).eval()
            loaded = passed(there, here, layer, weights_only=False).to(here.float64)     # PyTorch's lazy parameters forget their dtype
            assert type(loaded) is getattr(here.nn, name)
            assert repr(loaded) == repr(layer)
            expected, got = (output(L, m, given) for L, m in ((there, layer), (here, loaded)))
            for a, b in zip(expected, got, strict=True):
                torch.testing.assert_close(to_torch(a), to_torch(b), equal_nan=True)


def attributed(library):
    library.manual_seed(0)
    layer = library.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
    tensor, parameter = library.ones(2), library.nn.Parameter(library.ones(3))
    tensor.note, parameter.note = {"origin": library.zeros(1)}, "mine"
    F = library.nn.functional
    return {"encoder": library.nn.TransformerEncoder(layer, 2).eval(), "functions": [F.relu, F.gelu, library.sin, F.cross_entropy, F.pad],
            "method": library.Tensor.relu, "tensor": tensor, "parameter": parameter, "buffer": library.nn.Buffer(library.ones(1)),
            "spectral": library.nn.utils.parametrizations.weight_norm(library.nn.Linear(2, 2)).weight.detach()}


@pytest.mark.parametrize("there, here", [(fg, torch), (torch, fg), (fg, fg)])
def test_functions_and_attributes(there, here):
    given = attributed(there)
    loaded, wanted = passed(there, here, given, weights_only=False), attributed(here)
    assert all(a is b for a, b in zip(loaded["functions"], wanted["functions"], strict=True))
    assert loaded["method"](here.tensor([-1.0, 2.0])).tolist() == [0, 2]
    assert loaded["tensor"].note["origin"].tolist() == [0] and loaded["parameter"].note == "mine"
    assert isinstance(loaded["parameter"], here.nn.Parameter) and isinstance(loaded["buffer"], here.nn.Buffer)
    x = torch.linspace(-1, 1, 8).reshape(1, 2, 4)
    torch.testing.assert_close(to_torch(loaded["encoder"](build(here, x))), to_torch(given["encoder"](build(there, x))))


@pytest.mark.parametrize("there", [fg, torch])
def test_attributes_and_functions_among_data_only(there):
    with fg.serialization.safe_globals([fg.nn.functional.relu]):
        loaded = passed(there, fg, [attributed(there)[name] for name in ("tensor", "parameter", "buffer")] + [there.nn.functional.relu])
    assert loaded[0].note["origin"].tolist() == [0] and loaded[1].note == "mine" and loaded[2]._is_buffer
    assert loaded[3] is fg.nn.functional.relu


class Kind(fg.Tensor):
    pass


def test_a_subclass_needs_leave():
    tensor = fg.ones(2).as_subclass(Kind)
    tensor.note = 1
    assert (type(passed(fg, fg, tensor, weights_only=False)), passed(fg, fg, tensor, weights_only=False).note) == (Kind, 1)
    with pytest.raises(pickle.UnpicklingError, match="Kind"):
        passed(fg, fg, tensor)
    with fg.serialization.safe_globals([Kind]):
        assert type(passed(fg, fg, tensor)) is Kind
