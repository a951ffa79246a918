"""What does memory cost: allocation, and bytes a node?"""
import resource
import subprocess
import sys

import pytest

import fastgrad


@pytest.mark.parametrize("elements", [1, 1_000, 1_000_000])
def test_allocate(benchmark, elements):
    benchmark(fastgrad.empty, elements)


CHAIN = """
import resource, fastgrad
x, y = fastgrad.tensor([1.0], requires_grad=True), fastgrad.tensor([2.0])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
z = x
for _ in range(1_000_000):
    z = z + y
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1_000_000)
"""


def test_bytes_per_node(benchmark):
    """In extra_info: growth of the process by a chain of a million additions, per addition."""
    out = subprocess.run([sys.executable, "-c", CHAIN], check=True, capture_output=True, text=True).stdout
    benchmark.extra_info["bytes a node"] = float(out)
    benchmark(lambda: resource.getrusage(resource.RUSAGE_SELF))
