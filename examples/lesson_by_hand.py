"""A first lesson in gradients: fit y = w x to three points, every step by hand.

Runs on PyTorch (python lesson_by_hand.py) and on fastgrad (python -m fastgrad lesson_by_hand.py), and prints the same.
"""

import torch

x_data = [1.0, 2.0, 3.0]
y_data = [2.0, 4.0, 6.0]

w = torch.Tensor([1.0])
w.requires_grad = True


def forward(x):
    return x * w


def loss(x, y):
    y_pred = forward(x)
    return (y_pred - y) ** 2


print("predict before training, x = 4:", forward(4).item())

for epoch in range(100):
    for x, y in zip(x_data, y_data):
        l = loss(x, y)
        l.backward()
        print("  x", x, " y", y, " grad", w.grad.item())
        w.data = w.data - 0.01 * w.grad.data
        w.grad.data.zero_()
    print("epoch", epoch, " loss", l.item(), " w", w.item())

print("predict after training, x = 4:", forward(4).item())
