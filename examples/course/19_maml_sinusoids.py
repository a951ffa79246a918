"""Learning to learn: after five points of a sine wave it has never seen, and one step of gradient descent, the model knows the wave.

The outer step differentiates through the inner one (MAML: C. Finn, P. Abbeel, S. Levine, 2017).
"""

import math
import sys

import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F

torch.manual_seed(6)
quick = "--quick" in sys.argv
model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
INNER_RATE = 0.02


def wave():
    """A sine wave of random height and phase."""
    height, phase = 0.5 + 4 * torch.rand(1), math.pi * torch.rand(1)
    return lambda x: height * torch.sin(x + phase)


def points(task, count):
    x = 10 * torch.rand(count, 1) - 5
    return x, task(x)


def adapted(parameters, x, y, steps=1, create_graph=True):
    """The parameters after `steps` of gradient descent on one task."""
    for _ in range(steps):
        loss = F.mse_loss(functional_call(model, parameters, x), y)
        gradients = torch.autograd.grad(loss, list(parameters.values()), create_graph=create_graph)
        parameters = {name: p - INNER_RATE * g for (name, p), g in zip(parameters.items(), gradients)}
    return parameters


rounds, tasks = (20, 4) if quick else (2000, 8)
for turn in range(rounds):
    total = 0.0
    optimizer.zero_grad()
    for _ in range(tasks):
        task = wave()
        learned = adapted(dict(model.named_parameters()), *points(task, 10))
        x, y = points(task, 10)
        loss = F.mse_loss(functional_call(model, learned, x), y) / tasks
        loss.backward()
        total += loss.item()
    optimizer.step()
    if turn % (rounds // 10) == 0:
        print(f"round {turn}  error after one step on a new wave {total:.4f}")

x = torch.linspace(-5, 5, 50)[:, None]
for steps in (0, 1, 5):
    torch.manual_seed(7)
    errors = []
    for _ in range(20):
        task = wave()
        learned = adapted(dict(model.named_parameters()), *points(task, 5), steps, create_graph=False)
        errors.append(F.mse_loss(functional_call(model, learned, x), task(x)).item())
    print(f"new waves, five points, {steps} steps: error {sum(errors) / len(errors):.3f}")
