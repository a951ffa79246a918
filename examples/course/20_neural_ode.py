"""A neural network as the right side of a differential equation: it learns a pendulum from where it is, not from how it moves.

The solver is a classical Runge-Kutta method of order four, written in tensors; the gradient goes back through its steps.
"""

import sys

import torch
from torch import nn

torch.manual_seed(8)
quick = "--quick" in sys.argv
times = torch.linspace(0.0, 10.0, 101)


def pendulum(y):
    """Speed and acceleration, with friction, from angle and speed."""
    angle, speed = y.unbind(-1)
    return torch.stack([speed, -0.3 * speed - 2 * torch.sin(angle)], -1)


def solve(slope, y, times):
    """The solution of y' = slope(y) from y on, at each of the times: (times, ...)."""
    values = [y]
    for step in times.diff():
        k1 = slope(y)
        k2 = slope(y + step / 2 * k1)
        k3 = slope(y + step / 2 * k2)
        k4 = slope(y + step * k3)
        y = y + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        values.append(y)
    return torch.stack(values)


class Slope(nn.Module):
    def __init__(self, width=50):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2))

    def forward(self, y):
        return self.layers(y)


with torch.no_grad():
    truth = solve(pendulum, torch.tensor([2.5, 0.0]), times)
slope = Slope()
optimizer = torch.optim.Adam(slope.parameters(), lr=1e-2)
rounds, length = (20, 10) if quick else (1000, 10)
for turn in range(rounds):
    begins = torch.randperm(len(times) - length)[:20]
    piece = torch.stack([truth[i : i + length] for i in begins], dim=1)  # (length, 20, 2)
    predicted = solve(slope, piece[0], times[:length])
    loss = (predicted - piece).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if turn % (rounds // 10) == 0:
        print(f"round {turn}  mean distance on a short piece {loss.item():.5f}")

with torch.no_grad():
    whole = solve(slope, truth[0], times)
for i in range(0, len(times), 25):
    print(f"t {times[i]:.1f}  truth ({truth[i, 0]:.3f}, {truth[i, 1]:.3f})  learned ({whole[i, 0]:.3f}, {whole[i, 1]:.3f})")
print(f"mean distance on the whole way {(whole - truth).abs().mean():.4f}")
