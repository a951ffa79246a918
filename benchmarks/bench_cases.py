"""fastgrad's own figures under pytest-benchmark, which keeps and compares them between revisions:

    python -m pytest benchmarks/bench_cases.py --benchmark-autosave --benchmark-compare -k overhead
"""

import pytest

from .__main__ import TIMED

CASES = [pytest.param(case, id=f"{question}: {case.name}") for question, module in TIMED.items() for case in module.cases(["fastgrad"])
         if "fastgrad" in case.work]


@pytest.mark.parametrize("case", CASES)
def test_case(benchmark, case):
    benchmark(case.work["fastgrad"]())
