"""The same lesson with a Module, a loss and an optimizer in place of the steps by hand.

Runs on PyTorch and on fastgrad, and prints the same: the seed gives both the same first weights.
"""

import torch

torch.manual_seed(1)

x_data = torch.tensor([[1.0], [2.0], [3.0]])
y_data = torch.tensor([[2.0], [4.0], [6.0]])


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(1, 1)

    def forward(self, x):
        return self.linear(x)


model = Model()
criterion = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

new_x = torch.tensor([[4.0]])
print("predict before training, x = 4:", model(new_x).item())

for epoch in range(500):
    y_pred = model(x_data)
    loss = criterion(y_pred, y_data)
    print("epoch", epoch, " loss", loss.item())

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

print("weight", model.linear.weight.item(), " bias", model.linear.bias.item())
print("predict after training, x = 4:", model(new_x).item())
