"""What does an operation cost where there is nothing to compute?"""

from .harness import Case
from .libraries import torch_like

ONE = {
    "add, no graph": lambda x, y, m: y + y,
    "add, a node": lambda x, y, m: x + y,
    "multiply by a float": lambda x, y, m: y * 2.0,
    "exp": lambda x, y, m: y.exp(),
    "sum": lambda x, y, m: m.sum(),
    "sum along a dimension": lambda x, y, m: m.sum(0),
    "matrix product 2x2": lambda x, y, m: m @ m,
    "view": lambda x, y, m: m.view(4),
    "transpose": lambda x, y, m: m.t(),
    "index by an int": lambda x, y, m: m[0],
    "add in place": lambda x, y, m: y.add_(0.0),
    "item": lambda x, y, m: y.item(),
    "detach": lambda x, y, m: x.detach(),
    "shape": lambda x, y, m: m.shape,
}


def operation(function):
    def make(lib):
        x, y, m = lib.tensor([1.0], requires_grad=True), lib.tensor([2.0]), lib.ones(2, 2)
        return lambda: function(x, y, m)
    return make


def no_grad(lib):
    def work():
        with lib.no_grad():
            pass
    return work


def chain(length):
    """Additions in a row, forward, backward and release."""
    def make(lib):
        x, y = lib.tensor([1.0], requires_grad=True), lib.tensor([2.0])

        def work():
            z = x
            for _ in range(length):
                z = z + y
            z.backward()
        return work
    return make


def adam(lib):
    parameters = [lib.randn(16, 16).requires_grad_() for _ in range(200)]
    for p in parameters:
        p.grad = lib.randn(16, 16)
    return lib.optim.Adam(parameters, lr=1e-3).step


def cases(libraries):
    for name, function in ONE.items():
        yield Case(name, torch_like(libraries, operation(function)))
    yield Case("no_grad block", torch_like(libraries, no_grad))
    for length in (1_000, 100_000):
        yield Case(f"add forward and backward, of {length:,}", torch_like(libraries, chain(length)), per=length)
    yield Case("Adam over 200 parameters", torch_like(libraries, adam))
