"""A network that knows no solution, only the equation: damped oscillation, m x'' + c x' + k x = 0, with x(0) = 1 and x'(0) = 0.

Its loss is how far it is from obeying the equation, by second derivatives with respect to its input; then the same again with the
damping unknown, to be found from a few measurements.
"""

import math
import sys

import torch
from torch import nn

torch.manual_seed(9)
quick = "--quick" in sys.argv
MASS, DAMPING, STIFFNESS = 1.0, 0.8, 16.0


def exact(t):
    decay = DAMPING / (2 * MASS)
    frequency = math.sqrt(STIFFNESS / MASS - decay**2)
    return torch.exp(-decay * t) * (torch.cos(frequency * t) + decay / frequency * torch.sin(frequency * t))


def network():
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def derivative(y, t):
    return torch.autograd.grad(y.sum(), t, create_graph=True)[0]


def residual(model, t, damping):
    """What the equation leaves over at the times t, in units of the stiffness."""
    x = model(t)
    speed = derivative(x, t)
    return (MASS * derivative(speed, t) + damping * speed + STIFFNESS * x) / STIFFNESS


def initial_error(model):
    t = torch.zeros(1, 1, requires_grad=True)
    x = model(t)
    return (x - 1).pow(2).sum() + 0.1 * derivative(x, t).pow(2).sum()


times = torch.linspace(0, 2, 60)[:, None].requires_grad_()
rounds = 30 if quick else 3000
model = network()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for turn in range(rounds):
    loss = residual(model, times, DAMPING).pow(2).mean() + initial_error(model)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if turn % (rounds // 10) == 0:
        print(f"round {turn}  loss {loss.item():.5f}")
with torch.no_grad():
    error = (model(times) - exact(times)).abs().max()
print(f"largest distance from the exact solution {error:.4f}")

model, damping = network(), nn.Parameter(torch.tensor(0.0))
seen = torch.linspace(0, 2, 12)[:, None]
measured = exact(seen) + 0.01 * torch.randn(12, 1)
optimizer = torch.optim.Adam([{"params": model.parameters(), "lr": 3e-3}, {"params": [damping], "lr": 1e-2}])
for turn in range(rounds):
    loss = residual(model, times, damping).pow(2).mean() + (model(seen) - measured).pow(2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(f"damping found {damping.item():.3f}, true {DAMPING}")
