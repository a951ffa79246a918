"""The same program on PyTorch and on fastgrad prints the same text: what beginners print, and what they see when they err.

Each program runs in an interpreter of its own, by `python` and by `python -m fastgrad`.
"""

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip("torch")
PACKAGE_PARENT = Path(importlib.util.find_spec("fastgrad").origin).parents[1]

PROGRAMS = {
    "types and parameters": """
        import torch
        from torch import nn
        x = torch.ones(2, 3)
        weight = nn.Parameter(torch.tensor([0.5, -1.5]))
        print(type(x), type(x).__name__, type(x) is torch.Tensor, x.shape, x.dtype, x.device)
        print(weight); print(str(weight), f"{weight}", "%s" % weight, [weight])
        print(f"{torch.tensor(2.5):.2f} {torch.tensor(3):03d}")
        class Plain(torch.Tensor):
            def __repr__(self):
                return "plain"
        print(x.as_subclass(Plain), str(x.as_subclass(Plain)))
        """,
    "nodes": """
        import torch
        import torch.nn.functional as F
        layer = torch.nn.Linear(2, 2)
        torch.nn.init.constant_(layer.weight, 0.5); torch.nn.init.zeros_(layer.bias)
        out = layer(torch.tensor([[1.0, 2.0]]))
        print(out, out.relu(), out.mean(), out[0], out[0, 1], out.T, out * 2 - 1, -out)
        print(F.cross_entropy(out, torch.tensor([1])), F.mse_loss(out, torch.zeros(1, 2)), F.log_softmax(out, 1))
        """,
    "conversions": """
        import torch
        def attempt(function):
            try:
                print(function())
            except Exception as error:
                print(type(error).__name__, error)
        for many in (torch.ones(2), torch.ones(0), torch.ones(2, dtype=torch.int64)):
            for kind in (float, int, complex, bool):
                attempt(lambda: kind(many))
            attempt(many.item)
        w = torch.ones(2, requires_grad=True)
        attempt(lambda: setattr(w, "data", torch.ones(2, dtype=torch.int64)))
        print(w)
        """,
    "curve": """
        import math, torch
        x = torch.linspace(-math.pi, math.pi, 50)
        y = x.sin()
        powers = x.unsqueeze(-1) ** torch.arange(1, 4)
        model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
        with torch.no_grad():
            model[0].weight.copy_(torch.tensor([[0.1, -0.2, 0.05]])); model[0].bias.fill_(0.05)
        print(model)
        for make in (lambda p: torch.optim.SGD(p, lr=1e-4, momentum=0.9), lambda p: torch.optim.AdamW(p, lr=1e-2, amsgrad=True)):
            optimizer = make(model.parameters())
            print(optimizer)
            for step in range(60):
                loss = (model(powers) - y).square().mean()
                if step % 20 == 0:
                    print(step, f"{loss:.3f}")
                optimizer.zero_grad(); loss.backward(); optimizer.step()
        """,
    "gradcheck": """
        import torch
        from torch.utils.checkpoint import checkpoint
        class Wrong(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x
            @staticmethod
            def backward(ctx, grad):
                return 3 * grad
        x = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
        for function, at in ((Wrong.apply, x), (torch.sin, x), (torch.sin, torch.ones(2))):
            try:
                print(torch.autograd.gradcheck(function, at))
            except Exception as error:
                print(type(error).__name__, error)
        print(checkpoint(torch.sin, x, use_reentrant=True))
        """,
    "handles": """
        import torch
        from torch.utils.hooks import RemovableHandle
        x = torch.ones(2, requires_grad=True)
        module = torch.nn.ReLU()
        handles = [x.register_hook(lambda g: 2 * g), module.register_forward_hook(lambda m, i, o: o + 1),
                   torch.optim.SGD([x], lr=1.0).register_step_pre_hook(print), (x * 2).grad_fn.register_hook(print)]
        print([isinstance(handle, RemovableHandle) for handle in handles], len({handle.id for handle in handles}))
        module(x).sum().backward(); print(x.grad)
        with handles[0], handles[1]:
            pass
        module(x).sum().backward(); print(x.grad)
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_same_text_as_pytorch(name, tmp_path):
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAMS[name]))
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE_PARENT)}
    texts = []
    for runner in ((), ("-m", "fastgrad")):
        command = [sys.executable, *runner, "program.py"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        texts.append(done.stdout)
    assert texts[0] and texts[1] == texts[0]
