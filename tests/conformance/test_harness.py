"""The harness itself: PyTorch against PyTorch passes everything, and every planted fault is found and named."""

from collections import Counter

import pytest

from tests.conformance.run import run

# operation -> what its fault in broken_library.py must be reported as
FAULTS = {
    "sin": "value",
    "trunc": "value",
    "neg": "value",
    "chunk": "value",
    "cummax": "value",
    "cos": "dtype",
    "tan": "shape",
    "transpose": "stride",
    "permute": "stride",
    "clone": "stride",
    "atan": "grad",
    "exp": "grad",
    "log": "gradgrad",
    "gather": "not-raised",
    "dot": "wrong-class",
    "sqrt": "missing",
    "erf": "raised",
    "topk": "value",
    "ceil": "crash",
    "floor": "crash",
}


@pytest.fixture(scope="module")
def found():
    return run(list(FAULTS), most=10, timeout=5, library="tests.conformance.broken_library")


@pytest.mark.parametrize("op", FAULTS)
def test_planted_fault_is_found(found, op):
    counts = Counter(result.status for result in found[op] if result.variant == "function")
    assert counts[FAULTS[op]] > 0, counts
    others = {status for status in counts if status not in ("pass", FAULTS[op])}
    assert not others, "a fault must be reported as what it is"


@pytest.mark.parametrize("op", ["ceil", "floor"])
def test_an_operation_goes_on_after_a_crash(found, op):
    counts = Counter((result.dtype, result.status) for result in found[op])
    assert counts["float64", "crash"] > 0
    assert counts["float32", "pass"] > 0
    assert counts["int64", "pass"] > 0


def test_pytorch_agrees_with_itself():
    ops = "add where matmul max sort __getitem__ as_strided nn.functional.dropout to T relu".split()
    results = [result for found in run(ops, most=20, library="torch").values() for result in found]
    assert len(results) > 500
    assert [result for result in results if result.status != "pass"] == []
