"""Linear regression with the three parts of every later program: a Module, a loss with an optimizer, and the training loop."""

import sys

import torch
from torch import nn, optim, tensor

torch.manual_seed(1)
epochs = 50 if "--quick" in sys.argv else 500
x_data = tensor([[1.0], [2.0], [3.0]])
y_data = tensor([[2.0], [4.0], [6.0]])


class Model(nn.Module):
    def __init__(self):
        super(Model, self).__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x):
        return self.linear(x)


for name in ("SGD", "Adam", "Adagrad", "RMSprop", "Adamax", "ASGD", "Rprop", "LBFGS"):
    torch.manual_seed(1)
    model = Model()
    criterion = nn.MSELoss(reduction="sum")
    optimizer = getattr(optim, name)(model.parameters(), lr=0.01)

    def closure():
        optimizer.zero_grad()
        loss = criterion(model(x_data), y_data)
        loss.backward()
        return loss

    for epoch in range(epochs):
        loss = optimizer.step(closure)
    print(f"{name:8} loss {loss.item():.4f}  predict 4 -> {model(tensor([[4.0]])).item():.4f}")
    if name == "SGD":
        print(model)
