"""Hours of study and whether the exam was passed: a probability from one input."""

import sys

import torch
import torch.nn.functional as F
from torch import nn, optim, sigmoid, tensor

torch.manual_seed(2)
epochs = 200 if "--quick" in sys.argv else 1000
x_data = tensor([[1.0], [2.0], [3.0], [4.0]])
y_data = tensor([[0.0], [0.0], [1.0], [1.0]])


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        return sigmoid(self.linear(x))


model = Model()
criterion = nn.BCELoss(reduction="mean")
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(epochs):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    if epoch % 50 == 0:
        print(f"epoch {epoch + 1}/{epochs}  loss {loss.item():.4f}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

logits = model.linear(x_data)
print(f"the same loss from the logits: {F.binary_cross_entropy_with_logits(logits, y_data).item():.4f}")
for hours in (1.0, 7.0):
    chance = model(tensor([[hours]])).item()
    print(f"{hours:.0f} hours: chance {chance:.4f}  pass: {chance > 0.5}")
