"""Eight inputs and three layers, trained on the whole table at once."""

import sys

import torch
from torch import nn

from health import patients

torch.manual_seed(3)
epochs = 40 if "--quick" in sys.argv else 400
x_data, y_data = patients(500)
x_new, y_new = patients(200, seed=1)
print(f"X {tuple(x_data.shape)}  Y {tuple(y_data.shape)}")


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(8, 24)
        self.l2 = nn.Linear(24, 12)
        self.l3 = nn.Linear(12, 1)
        self.sigmoid = nn.Sigmoid()
        self.tanh = nn.Tanh()

    def forward(self, x):
        return self.sigmoid(self.l3(self.tanh(self.l2(self.tanh(self.l1(x))))))


def right(x, y):
    with torch.no_grad():
        return ((model(x) > 0.5) == y.bool()).float().mean().item()


model = Model()
criterion = nn.BCELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(epochs):
    loss = criterion(model(x_data), y_data)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(f"epoch {epoch}  loss {loss.item():.4f}  right {right(x_data, y_data):.3f}")

print(f"right on the patients seen {right(x_data, y_data):.3f}, on new ones {right(x_new, y_new):.3f}")
