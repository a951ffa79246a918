"""`python -m benchmarks` runs, and saves what it printed with the machine beside it; the same cases run under pytest-benchmark."""

import json
import os
import subprocess
import sys
from pathlib import Path

import fastgrad

ROOT = Path(__file__).parents[2]


def run(*arguments):
    path = os.pathsep.join([str(ROOT), str(Path(fastgrad.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_a_few_cases(tmp_path):
    saved = tmp_path / "figures.json"
    printed = run("benchmarks", "overhead", "training", "scaling", "--cases", "16-1", "--libs", "fastgrad,numpy", "--rounds", "2",
                  "--seconds", "0.001", "--save", str(saved))
    figures = json.loads(saved.read_text())
    assert figures["machine"]["empty compiled call, ns"] > 0 and figures["machine"]["versions"]["numpy"]
    result = next(r for r in figures["results"] if r["case"] == "2-16-1, batch 4")
    assert set(result["values"]) == set(result["ratios"]) == {"fastgrad", "numpy"} and not result["missing"]
    assert f"{result['values']['numpy']:.2f}" in printed


def test_cases_under_pytest_benchmark(tmp_path):
    saved = tmp_path / "figures.json"
    run("pytest", "benchmarks/bench_cases.py", "-k", "16-1 or detach", "--benchmark-max-time=0.01", f"--benchmark-json={saved}")
    figures = json.loads(saved.read_text())["benchmarks"]
    assert any("2-16-1" in f["name"] for f in figures) and any("detach" in f["name"] for f in figures)
    assert all(f["stats"]["min"] > 0 for f in figures)
