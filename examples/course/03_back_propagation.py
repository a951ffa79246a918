"""The gradients come from backward(): first y = w x, then y = w2 x^2 + w1 x + b, which nobody wants to differentiate by hand."""

import sys

import torch

epochs = 10 if "--quick" in sys.argv else 100
data = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]

w = torch.tensor([1.0], requires_grad=True)
for epoch in range(epochs):
    for x, y in data:
        loss = (x * w - y) ** 2
        loss.backward()
        print(f"  x {x}  y {y}  gradient {w.grad.item():.4f}")
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
    print(f"epoch {epoch}  loss {loss.item():.6f}")
print(f"linear: predict 4 -> {(4 * w).item():.3f}")

w1, w2, b = (torch.tensor(value, requires_grad=True) for value in (1.0, 1.0, 1.0))
for epoch in range(epochs):
    for x, y in data:
        loss = (w2 * x**2 + w1 * x + b - y) ** 2
        loss.backward()
        with torch.no_grad():
            for parameter in (w1, w2, b):
                parameter -= 0.01 * parameter.grad
                parameter.grad = None
    if epoch % 5 == 0:
        print(f"epoch {epoch}  loss {loss.item():.6f}")
print(f"quadratic: w2 {w2:.3f}  w1 {w1:.3f}  b {b:.3f}  predict 4 -> {w2 * 16 + w1 * 4 + b:.3f}")
