"""Every operation fastgrad claims agrees with PyTorch on PyTorch's own samples, or differs for a written reason.

claimed.txt lists the operations, complex.txt those that are claimed for complex dtypes, known_differences.toml the reasons. A crash is never
excused. Only the selected operations run (`-k add`); the totals are asserted when all of them do.
"""

from fnmatch import fnmatchcase

import pytest
import torch

from tests.conformance.run import COMPLEX_DTYPES, HERE, listed, pass_rate, run, summary_line

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

CLAIMED = listed(HERE / "claimed.txt")
COMPLEX = listed(HERE / "complex.txt")
COMPLEX_SAMPLES = 6
REQUIRED_RATE = 0.97
PATTERNS = ("variant", "dtype", "kind", "status")
FRAGMENTS = ("sample", "message")


def known_differences():
    entries = tomllib.loads((HERE / "known_differences.toml").read_text()).get("difference", [])
    for entry in entries:
        unknown = set(entry) - {"op", "reason", *PATTERNS, *FRAGMENTS}
        assert not unknown, f"known_differences.toml: unknown key {unknown.pop()!r}"
        assert entry.get("reason", "").strip(), f"known_differences.toml: {entry['op']} has no reason"
    return entries


def covers(entry, result):
    """Whether a written reason applies to a failing result."""
    return (
        (fnmatchcase(result.op, entry["op"]) or fnmatchcase(result.label, entry["op"]))
        and all(fnmatchcase(getattr(result, key), entry[key]) for key in PATTERNS if key in entry)
        and all(entry[key] in getattr(result, key) for key in FRAGMENTS if key in entry)
    )


def selected(request, parameter):
    """The values of a parameter among the tests that are to run."""
    here = (item for item in request.session.items if item.module is request.module and hasattr(item, "callspec"))
    return [item.callspec.params[parameter] for item in here if parameter in item.callspec.params]


@pytest.fixture(scope="module")
def found(request):
    return run(selected(request, "op") or CLAIMED)


@pytest.fixture(scope="module")
def found_complex(request):
    return run(selected(request, "complex_op") or COMPLEX, COMPLEX_DTYPES, COMPLEX_SAMPLES)


@pytest.fixture(scope="module")
def everything(found, found_complex):
    if set(found) != set(CLAIMED) or set(found_complex) != set(COMPLEX):
        pytest.skip("totals need every claimed operation")
    return [result for results in (*found.values(), *found_complex.values()) for result in results]


@pytest.mark.parametrize("op", CLAIMED)
def test_operation(found, op):
    assert_explained(op, found[op])


@pytest.mark.parametrize("complex_op", COMPLEX)
def test_complex_operation(found_complex, complex_op):
    assert_explained(complex_op, found_complex[complex_op])


def assert_explained(op, results):
    assert results, "an operation without a single sample proves nothing"
    failed = [result for result in results if result.status != "pass"]
    crashed = [result for result in failed if result.status == "crash"]
    assert not crashed, crashed[0]
    entries = known_differences()
    unexplained = [result for result in failed if not any(covers(entry, result) for entry in entries)]
    assert not unexplained, f"{summary_line(op, results)}\n{len(unexplained)} unexplained, first {unexplained[0]}"


def test_total_rate(everything):
    assert pass_rate(everything) >= REQUIRED_RATE
    samples = [result for result in everything if result.kind == "sample"]
    assert pass_rate(samples) >= REQUIRED_RATE


def test_page_of_differences_is_true():
    """docs/differences.md says what claimed.txt and known_differences.toml say: `run --write-page` writes it."""
    from tests.conformance import page

    if f"PyTorch {torch.__version__.partition('+')[0]}" not in page.PAGE.read_text():
        pytest.skip("the page is about another PyTorch, whose table lists other operations")
    assert page.PAGE.read_text() == page.text()


def test_no_reason_is_stale(everything):
    failed = [result for result in everything if result.status != "pass"]
    assert [entry for entry in known_differences() if not any(covers(entry, result) for result in failed)] == []
