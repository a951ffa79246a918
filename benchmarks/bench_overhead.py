"""What does one operation cost when there is nothing to compute?"""
import pytest

import fastgrad

X = fastgrad.tensor([1.0], requires_grad=True)
Y = fastgrad.tensor([2.0])
M = fastgrad.ones(2, 2)

CASES = {
    "add, no graph": lambda: Y + Y,
    "add, a node": lambda: X + Y,
    "multiply by a float": lambda: Y * 2.0,
    "exp method": lambda: Y.exp(),
    "exp function": lambda: fastgrad.exp(Y),
    "sum": lambda: M.sum(),
    "sum(dim=0)": lambda: M.sum(0),
    "matmul 2x2": lambda: M @ M,
    "view": lambda: M.view(4),
    "transpose": lambda: M.t(),
    "index with an int": lambda: M[0],
    "add_ in place": lambda: Y.add_(0.0),
    "item": lambda: Y.item(),
    "detach": lambda: X.detach(),
    "shape": lambda: M.shape,
    "no_grad block": lambda: no_grad_block(),
}


def no_grad_block():
    with fastgrad.no_grad():
        pass


@pytest.mark.parametrize("name", CASES)
def test_operation(benchmark, name):
    benchmark(CASES[name])


@pytest.mark.parametrize("length", [1_000, 10_000, 1_000_000])
def test_chain(benchmark, length):
    """Additions in a row, forward, backward and release; divide by the length."""
    def chain():
        z = X
        for _ in range(length):
            z = z + Y
        z.backward()
    benchmark.extra_info["nodes"] = length
    benchmark.pedantic(chain, rounds=3 if length > 100_000 else 20, warmup_rounds=1)
