"""Constructors of layers that only keep their arguments: PyTorch's names, order and defaults; and what users derive from them."""

import copy
import inspect
import pickle

import pytest
import torch

import fastgrad as fg
from fastgrad.nn.modules.configured import Configured

NAMES = sorted(name for name in dir(fg.nn) if isinstance(getattr(fg.nn, name), type) and issubclass(getattr(fg.nn, name), Configured)
               and name != "NLLLoss2d")         # a deprecated name, which PyTorch gives (*args, **kwargs)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_pytorch_s(name):
    def arguments(library):
        return [(p.name, p.kind, p.default) for p in inspect.signature(getattr(library.nn, name)).parameters.values()]

    assert arguments(fg) == arguments(torch)


def test_there_are_such_layers():
    assert {"Softplus", "CrossEntropyLoss", "MaxPool2d", "Dropout"} <= set(NAMES)


@pytest.mark.parametrize("make", [lambda nn: nn.Threshold(1.0), lambda nn: nn.ELU(1.0, False, 3), lambda nn: nn.Softplus(slope=1.0),
                                  lambda nn: nn.GaussianNLLLoss(True)])
def test_other_arguments_are_refused(make):
    for library in (torch, fg):
        with pytest.raises(TypeError):
            make(library.nn)


def test_a_layer_of_the_user_s_with_a_constructor():
    class Steep(fg.nn.Softplus):
        def __init__(self, steepness):
            super().__init__(beta=steepness)

    layer = Steep(3.0)
    assert repr(layer) == "Steep(beta=3.0, threshold=20.0)"
    assert list(inspect.signature(Steep).parameters) == ["steepness"]
    assert list(inspect.signature(layer.forward).parameters) == ["input"]
    assert layer(fg.tensor(0.5)).item() == pytest.approx(torch.nn.Softplus(3.0)(torch.tensor(0.5)).item(), rel=1e-6)


@pytest.mark.parametrize("make", [lambda nn: nn.ReLU(), lambda nn: nn.CrossEntropyLoss(label_smoothing=0.25), lambda nn: nn.MaxPool2d(2)])
def test_copies_and_pickles_are_the_same_layer(make):
    layer = make(fg.nn)
    for twin in (copy.copy(layer), copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert type(twin) is type(layer) and repr(twin) == repr(layer) == repr(make(torch.nn))
