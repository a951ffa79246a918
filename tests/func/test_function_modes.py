"""TorchFunctionMode, and what else overrides offers, against torch."""

import pytest
import torch

import fastgrad as fg


def logged(lib, program):
    """The names of the functions a mode is shown."""
    import torch.overrides

    Base = (fg.overrides if lib is fg else torch.overrides).TorchFunctionMode
    names = []

    class Log(Base):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    x = lib.ones(2)
    with Log():
        program(lib, x)
    x.sin()
    return names


@pytest.mark.parametrize("program", [lambda t, x: t.sin(x), lambda t, x: x.cos(), lambda t, x: t.add(x, x), lambda t, x: x.sum(0)])
def test_a_mode_sees_operations(program):
    assert logged(fg, program) == logged(torch, program)


def test_a_mode_replaces_results_and_nests():
    class Plus(fg.overrides.TorchFunctionMode):
        def __init__(self, n):
            self.n = n

        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            return result + self.n if func.__name__ == "exp" else result

    x = fg.zeros(1)
    with Plus(1), Plus(10):
        assert fg.exp(x).item() == 12
    with Plus(1):
        assert fg.vmap(fg.exp)(x).item() == 2
        assert fg.exp(x).item() == 2
    assert fg.exp(x).item() == 1


def test_a_mode_ends_with_an_error():
    class Refuse(fg.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            raise KeyError(func.__name__)

    x = fg.ones(1)
    with pytest.raises(KeyError, match="sin"):
        with Refuse():
            x.sin()
    x.sin()


def test_names():
    over = fg.overrides
    functions = over.get_overridable_functions()
    assert fg.add in functions[fg] and fg.Tensor.add in functions[fg.Tensor] and fg.ones not in functions[fg.nn.functional]
    assert over.resolve_name(fg.sin) == torch.overrides.resolve_name(torch.sin) == "torch.sin"
    assert over.is_tensor_method_or_property(fg.Tensor.add) and over.resolve_name(3) is None
    assert over.has_torch_function_unary(fg.ones(1)) is False
