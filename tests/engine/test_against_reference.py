"""fastgrad, the reference engine of docs/internals and PyTorch: the same networks, the same values and gradients.

The reference is itself held against finite differences, so that it may serve as an oracle where PyTorch is missing.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import fastgrad

try:
    import torch
except ImportError:
    torch = None

PATH = Path(__file__).parents[2] / "docs" / "internals" / "reference_engine.py"
spec = importlib.util.spec_from_file_location("reference_engine", PATH)
reference = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)

needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch is not installed")
# An element may be the small sum of terms that cancel, so errors are measured against the largest element of all.
TOLERANCE = {"float32": 5e-7, "float64": 1e-15}
ACTIVATIONS = ["relu", "tanh", "sigmoid"]


class Reference:
    """The reference engine under the names that the programs below use."""

    add, mul, matmul, relu, tanh, sigmoid = (getattr(reference, n) for n in "add mul matmul relu tanh sigmoid".split())
    exp, log = reference.exp, reference.log

    @staticmethod
    def sum(x, dim=None, keepdim=False):
        return reference.sum(x, axis=dim, keepdims=keepdim)

    @staticmethod
    def leaf(array):
        return reference.Tensor(array, requires_grad=True)

    @staticmethod
    def array(value):
        return value if isinstance(value, np.ndarray) else value.data


class Library:
    """fastgrad or PyTorch, likewise."""

    def __init__(self, library):
        self.library = library

    def __getattr__(self, name):
        return getattr(self.library, name)

    def leaf(self, array):
        return self.library.tensor(array, requires_grad=True)

    @staticmethod
    def array(value):
        return value.detach().numpy()


def engines():
    yield "fastgrad", Library(fastgrad)
    if torch is not None:
        yield "torch", Library(torch)


def assert_close(actual, expected, dtype, name):
    """Compares a loss and its gradients, arrays each."""
    scale = max(np.abs(array).max(initial=0) for array in expected)
    for index, (a, e) in enumerate(zip(actual, expected, strict=True)):
        what = f"{name}, gradient {index - 1}" if index else f"{name}, loss"
        assert a.shape == e.shape and a.dtype == e.dtype == np.dtype(dtype), what
        error = np.abs(a - e).max(initial=0)
        assert error <= TOLERANCE[dtype] * scale, f"{what}: off by {error / scale:.1e} of the largest element"


def compare(program, arrays, dtype):
    """Runs `program(engine, *leaves)`, a scalar loss, on every engine; compares the loss and the leaves' gradients."""
    arrays = [array.astype(dtype) for array in arrays]

    def run(engine):
        leaves = [engine.leaf(array) for array in arrays]
        loss = program(engine, *leaves)
        loss.backward()
        return [np.asarray(engine.array(result)) for result in (loss, *(leaf.grad for leaf in leaves))]

    expected = run(Reference)
    for name, engine in engines():
        assert_close(run(engine), expected, dtype, name)


def random_network(seed):
    """Activation and arrays of a random small network, scaled so that it does not saturate: 1 - tanh^2 would cancel."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, size=rng.integers(2, 6)).tolist()
    arrays = [rng.standard_normal((rng.integers(1, 7), sizes[0]))]
    for inputs, outputs in zip(sizes, sizes[1:]):
        arrays += [rng.standard_normal((inputs, outputs)) / inputs**0.5, rng.standard_normal(outputs) / 2]
    return ACTIVATIONS[seed % 3], arrays


def network_loss(activation):
    """A program: layers with an activation between, then log(1 + sum exp), which does not cancel as a cross-entropy would."""

    def program(engine, x, *layers):
        for index in range(0, len(layers), 2):
            if index:
                x = getattr(engine, activation)(x)
            x = engine.add(engine.matmul(x, layers[index]), layers[index + 1])
        return engine.sum(engine.log(engine.add(engine.sum(engine.exp(x), dim=1, keepdim=True), 1.0)))

    return program


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(24))
def test_random_networks(seed, dtype):
    activation, arrays = random_network(seed)
    compare(network_loss(activation), arrays, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "shapes", [((3, 4), (4,)), ((3, 1), (1, 4)), ((1,), (2, 3)), ((), (2, 3)), ((2, 1, 3), (4, 1)), ((0, 3), (3,))]
)
def test_broadcasting_is_undone(shapes, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    compare(lambda engine, a, b: engine.sum(engine.mul(engine.add(a, b), engine.mul(a, b))), arrays, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tensor_used_many_times(dtype):
    def program(engine, x):
        y = engine.tanh(x)
        for _ in range(5):
            y = engine.add(engine.mul(y, x), engine.mul(y, 0.5))
        return engine.sum(engine.mul(y, y))

    compare(program, [np.random.default_rng(1).standard_normal((3, 2))], dtype)


@pytest.mark.parametrize("dim, keepdim", [(None, False), (0, False), (1, True), (-1, False)])
def test_sums(dim, keepdim):
    def program(engine, x):
        total = engine.sum(x) if dim is None else engine.sum(x, dim=dim, keepdim=keepdim)
        return engine.sum(engine.exp(total))

    compare(program, [np.random.default_rng(2).standard_normal((3, 4))], "float64")


def test_gradients_accumulate():
    x = np.array([1.5, -2.0])
    for engine in [Reference, *(engine for _, engine in engines())]:
        leaf = engine.leaf(x)
        for _ in range(2):
            engine.sum(engine.mul(leaf, leaf)).backward()
        assert engine.array(leaf.grad).tolist() == (4 * x).tolist()


def test_training_takes_the_same_steps():
    rng = np.random.default_rng(3)
    w, b, v, c = (rng.standard_normal(shape) for shape in [(5, 3), (5,), (1, 5), (1,)])
    x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))

    layers = [reference.Linear(w, b), reference.Linear(v, c)]
    parameters = [p for layer in layers for p in (layer.weight, layer.bias)]
    optimizer, expected = reference.SGD(parameters, lr=0.01), []
    for _ in range(30):
        error = layers[1](reference.tanh(layers[0](reference.Tensor(x)))) - reference.Tensor(y)
        loss = reference.sum(error * error)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(float(loss.data))
    assert expected[-1] < expected[0] / 1.5

    for library in [fastgrad] + ([torch] if torch is not None else []):
        network = library.nn.Sequential(library.nn.Linear(3, 5), library.nn.Tanh(), library.nn.Linear(5, 1)).double()
        with library.no_grad():
            for p, array in zip(network.parameters(), (w, b, v, c)):
                p.copy_(library.tensor(array))
        optimizer = library.optim.SGD(network.parameters(), lr=0.01)
        criterion = library.nn.MSELoss(reduction="sum")
        inputs, targets = library.tensor(x), library.tensor(y)
        for loss_expected in expected:
            loss = criterion(network(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            assert loss.item() == pytest.approx(loss_expected, rel=1e-12, abs=0)


# --- the reference itself ---


@pytest.mark.parametrize("seed", range(6))
def test_reference_agrees_with_finite_differences(seed):
    activation, arrays = random_network(seed)
    arrays = [array.astype("float64") for array in arrays]
    program = network_loss(activation)
    leaves = [Reference.leaf(array) for array in arrays]
    program(Reference, *leaves).backward()
    rng, h = np.random.default_rng(seed), 1e-6
    directions = [rng.standard_normal(array.shape) for array in arrays]

    def loss(t):
        return float(program(Reference, *(Reference.leaf(a + t * d) for a, d in zip(arrays, directions))).data)

    slope = float(np.sum([np.sum(leaf.grad * d) for leaf, d in zip(leaves, directions)]))
    assert (loss(h) - loss(-h)) / (2 * h) == pytest.approx(slope, rel=1e-6)


def test_reference_walks_deep_graphs():
    x = reference.Tensor(np.float64(1.0), requires_grad=True)
    y = x
    for _ in range(20_000):
        y = y + x
    y.backward()
    assert x.grad == 20_001


def test_reference_is_readable_at_one_sitting():
    code = [line for line in PATH.read_text().splitlines() if line.strip()]
    assert len(code) <= 120
