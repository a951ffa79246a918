"""Gradient descent with the gradient of (x w - y)^2 written by hand: all examples at once, then one at a time."""

import sys

import torch

epochs = 10 if "--quick" in sys.argv else 100
x = torch.tensor([1.0, 2.0, 3.0])
y = torch.tensor([2.0, 4.0, 6.0])


def gradient(x, y, w):
    return 2 * x * (x * w - y)


w = torch.tensor(1.0)
for epoch in range(epochs):
    w = w - 0.01 * gradient(x, y, w).mean()
    print(f"batch: epoch {epoch}  w {w:.4f}  loss {((x * w - y) ** 2).mean():.6f}")
print(f"batch: predict 4 -> {4 * w:.4f}")

w = torch.tensor(1.0)
for epoch in range(epochs):
    for one_x, one_y in zip(x, y):
        w -= 0.01 * gradient(one_x, one_y, w)
    print(f"stochastic: epoch {epoch}  w {w.item():.4f}")
print(f"stochastic: predict 4 -> {4 * w.item():.4f}")
