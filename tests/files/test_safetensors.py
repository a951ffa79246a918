"""The safetensors library, made for PyTorch, over fastgrad: what it writes it reads, under both; npz by NumPy."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastgrad as fg

pytest.importorskip("safetensors")
ROOT = Path(__file__).parents[2]
DATA = """
import sys
import torch
from safetensors.torch import load, load_file, load_model, safe_open, save, save_file, save_model

def data():
    made = {name: torch.tensor([0, 1, 3]).to(getattr(torch, name)) for name in ("float64", "float32", "float16", "bfloat16", "int64", "int32",
                                                                                "int16", "int8", "uint8", "bool", "complex64")}
    return {"matrix": torch.arange(12.0).reshape(3, 4), "empty": torch.zeros(0, 2), "scalar": torch.tensor(2.5), **made}

def check(found):
    assert set(found) == set(data())
    for name, value in data().items():
        assert found[name].dtype == value.dtype and found[name].shape == value.shape and torch.equal(found[name], value), name
"""
WRITE = DATA + """
save_file(data(), sys.argv[1], metadata={"made by": "a test"})
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 4))
model[1].bias = model[0].bias                    # shared: save_model keeps one
save_model(model, sys.argv[1] + ".model")
try:
    save_file({"a": model[0].bias, "b": model[1].bias}, sys.argv[1] + ".not")
except RuntimeError as error:
    assert "share memory" in str(error)
"""
READ = DATA + """
for backend in ("mmap", "pread"):
    check(load_file(sys.argv[1], backend=backend))
check(load(save(data())))
with safe_open(sys.argv[1], framework="pt") as file:
    check({name: file.get_tensor(name) for name in file.keys()})
    assert file.metadata() == {"made by": "a test"}
    part = file.get_slice("matrix")
    assert part.get_shape() == [3, 4] and torch.equal(part[1:, :2], data()["matrix"][1:, :2])
torch.manual_seed(0)
expected = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 4))
model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 4))
model[1].bias = model[0].bias
assert load_model(model, sys.argv[1] + ".model") == (set(), [])
assert torch.equal(model[0].weight, expected[0].weight) and model[1].bias is model[0].bias
loaded = load_file(sys.argv[1])
loaded["matrix"][0, 0] = 50                      # of its own: the file stays as it is
check(load_file(sys.argv[1]))
"""


def run(text, library, path):
    runner = [] if library == "torch" else ["-m", "fastgrad"]
    script = path.with_suffix(".py")
    script.write_text(text)
    done = subprocess.run([sys.executable, *runner, script, str(path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("writer, reader", [("fastgrad", "fastgrad"), ("fastgrad", "torch"), ("torch", "fastgrad")])
def test_files_go_both_ways(tmp_path, writer, reader):
    run(WRITE, writer, tmp_path / "a.safetensors")
    run(READ, reader, tmp_path / "a.safetensors")


def test_npz(tmp_path):
    model = fg.nn.Linear(3, 2)
    np.savez(tmp_path / "a.npz", **model.state_dict(), steps=fg.tensor(7))
    with np.load(tmp_path / "a.npz") as file:
        other = fg.nn.Linear(3, 2)
        other.load_state_dict({name: fg.from_numpy(file[name]) for name in ("weight", "bias")})
        assert int(file["steps"]) == 7 and file["weight"].dtype == np.float32
    assert fg.equal(other.weight, model.weight) and fg.equal(other.bias, model.bias)
