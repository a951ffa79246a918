"""repr, str and format of a Tensor equal PyTorch's, character for character.

Each test builds the same tensor in both libraries from one list of numbers. Random cases are seeded by their number, so a
failing case repeats. What may not be here: any expected text written by hand that PyTorch could have been asked for.
"""

import math
import random

import fastgrad
import pytest
import torch

FLOATS = ["float32", "float64", "float16", "bfloat16"]
INTEGERS = ["int64", "int32", "int16", "int8", "uint8"]
EDGES = [1000.0, 999.0, 1001.0, 1e8, 1e8 + 8, 1e-4, 9.9999e-5, 1.0, 0.1, -1e-4]


@pytest.fixture(autouse=True)
def restored_options():
    """Every test starts and ends with the default options and dtype in both libraries."""
    yield
    for library in (fastgrad, torch):
        library.set_printoptions(profile="default")
        library.set_default_dtype(library.float32)


def set_options(**options):
    fastgrad.set_printoptions(**options)
    torch.set_printoptions(**options)


def random_shape(rng, longest=12):
    if rng.random() < 0.1:
        return ()
    rank = rng.choice([1, 1, 2, 2, 3, 4])
    sizes = [rng.randint(0 if rng.random() < 0.05 else 1, longest if rank < 3 else 4) for _ in range(rank)]
    return tuple(sizes)


def random_float(rng, kind, scale):
    if rng.random() < 0.1:
        return rng.choice([math.nan, math.inf, -math.inf, 0.0, -0.0])
    number = rng.gauss(0, 1)
    return {
        "plain": number,
        "whole": float(round(number * 10)),
        "tenths": round(number, 1),
        "scaled": number * scale,
        "spread": number * 10.0 ** rng.uniform(-6, 6),
        "edge": rng.choice(EDGES),
        "zero": 0.0,
    }[kind]


def random_values(rng, dtype, count):
    """Numbers exact in `dtype`, so that both libraries hold the same bits."""
    if dtype == "bool":
        return [rng.random() < 0.5 for _ in range(count)]
    if dtype in INTEGERS:
        info = torch.iinfo(getattr(torch, dtype))
        largest = min(info.max, 10 ** rng.randint(1, 18))
        return [rng.randint(max(info.min, -largest), largest) for _ in range(count)]
    kind = rng.choice(["plain", "whole", "tenths", "scaled", "spread", "edge", "zero"])
    scale = 10.0 ** rng.uniform(-8, 10)
    values = [random_float(rng, kind, scale) for _ in range(count)]
    return torch.tensor(values, dtype=getattr(torch, dtype)).tolist()


def build(library, values, shape, dtype, layout, graph):
    tensor = library.tensor(values, dtype=getattr(library, dtype)).reshape(shape)
    if layout == "transposed" and len(shape) > 1:
        tensor = tensor.transpose(0, -1)
    elif layout == "strided" and shape:
        tensor = tensor[..., ::2]
    elif layout == "expanded" and shape:
        tensor = tensor.unsqueeze(0).expand(2, *tensor.shape)
    if graph != "none" and dtype in FLOATS:
        tensor.requires_grad_()
        if graph == "node":
            tensor = tensor * 2
    return tensor


def random_pair(rng):
    """The same random tensor in fastgrad and in PyTorch."""
    dtype = rng.choice(FLOATS * 3 + INTEGERS + ["bool"])
    shape = random_shape(rng)
    values = random_values(rng, dtype, math.prod(shape))
    layout = rng.choice(["plain", "plain", "transposed", "strided", "expanded"])
    graph = rng.choice(["none", "none", "leaf", "node"])
    return [build(library, values, shape, dtype, layout, graph) for library in (fastgrad, torch)]


def random_options(rng):
    options = {"profile": rng.choice(["default", "short", "full"])}
    for name, choices in [
        ("precision", [0, 1, 2, 6, 10]),
        ("threshold", [0, 5, 20, 1000]),
        ("edgeitems", [0, 1, 2, 5]),
        ("linewidth", [1, 20, 60, 120, 200]),
        ("sci_mode", [True, False]),
    ]:
        if rng.random() < 0.4:
            options[name] = rng.choice(choices)
    return options


def result(function):
    """The text, or the exception's class and message: both must agree."""
    try:
        return function()
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize("block", range(20))
def test_random_tensors(block):
    for case in range(50):
        rng = random.Random(block * 50 + case)
        ours, theirs = random_pair(rng)
        assert repr(ours) == repr(theirs), f"case {block * 50 + case}"
        assert str(ours) == str(theirs)


@pytest.mark.parametrize("block", range(20))
def test_random_options(block):
    for case in range(25):
        rng = random.Random(10_000 + block * 25 + case)
        options = random_options(rng)
        set_options(**options)
        ours, theirs = random_pair(rng)
        assert repr(ours) == repr(theirs), f"case {10_000 + block * 25 + case}, {options}"


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS, "bool"])
@pytest.mark.parametrize("shape", [(2000,), (100, 30), (3, 700), (20, 20, 20), (2, 1100, 1), (1001, 1)])
def test_summaries(dtype, shape):
    values = random_values(random.Random(str((dtype, shape))), dtype, math.prod(shape))
    ours, theirs = (build(lib, values, shape, dtype, "plain", "none") for lib in (fastgrad, torch))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("default", FLOATS)
@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "int32", "bool"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0), (), (2,)])
def test_dtype_is_named_unless_implied(default, dtype, shape):
    for library in (fastgrad, torch):
        library.set_default_dtype(getattr(library, default))
    ours, theirs = (lib.zeros(shape, dtype=getattr(lib, dtype)) for lib in (fastgrad, torch))
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("spec", ["", ".4f", ".2e", ">12", "08.3f", "d", "x", "s", "%", ",.1f", "?"])
@pytest.mark.parametrize("value", [0.123456, -3.0, math.nan, math.inf, 5, True, [1.5], [[1, 2]]])
def test_format(spec, value):
    assert result(lambda: format(fastgrad.tensor(value), spec)) == result(lambda: format(torch.tensor(value), spec))


def test_format_of_a_tensor_in_a_graph():
    loss = fastgrad.tensor(0.25, requires_grad=True) * 2
    assert f"{loss:.4f}" == "0.5000"
    assert f"{loss}" == "0.5"


@pytest.mark.parametrize(
    "expression",
    ["x + 1", "x * x", "(x / 4).exp()", "x.sum()", "x[0]", "x.t()", "x.reshape(-1)", "x.detach()", "x @ x", "x.mean(0)"],
)
def test_node_names(expression):
    texts = []
    for library in (fastgrad, torch):
        x = library.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        texts.append(repr(eval(expression)))
    assert texts[0] == texts[1]


def test_printing_leaves_no_trace():
    x = fastgrad.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    repr(y), str(y), format(y)
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
