"""y = x * w: which w has the least mean squared error? Try them all."""

import sys

import torch

step = 0.5 if "--quick" in sys.argv else 0.1
x = torch.tensor([1.0, 2.0, 3.0])
y = torch.tensor([2.0, 4.0, 6.0])


def forward(x, w):
    return x * w


def loss(w):
    return ((forward(x, w) - y) ** 2).mean()


weights = torch.arange(0.0, 4.0 + step / 2, step)
losses = torch.stack([loss(w) for w in weights])
for w, value in zip(weights.tolist(), losses.tolist()):
    print(f"w {w:.1f}  mean squared error {value:.4f}")

best = losses.argmin()
print(f"best w {weights[best]:.1f} with error {losses[best]:.4f}")
