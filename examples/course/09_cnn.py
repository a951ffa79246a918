"""A basic convolutional network on the digits; a scheduler lowers the rate; the weights are saved and read back."""

import io
import sys

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

import digits

torch.manual_seed(6)
quick = "--quick" in sys.argv
images, labels = digits.load()
count = 600 if quick else 1500
train_loader = DataLoader(TensorDataset(images[:count], labels[:count]), batch_size=50, shuffle=True)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 10, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(10, 20, kernel_size=3, padding=1)
        self.mp = nn.MaxPool2d(2)
        self.drop = nn.Dropout2d(0.0)
        self.fc = nn.Linear(80, 10)

    def forward(self, x):
        in_size = x.size(0)
        x = F.relu(self.mp(self.conv1(x)))
        x = F.relu(self.mp(self.drop(self.conv2(x))))
        x = x.view(in_size, -1)
        return F.log_softmax(self.fc(x), dim=1)


def right(model):
    model.eval()
    with torch.no_grad():
        return (model(images[1500:]).argmax(1) == labels[1500:]).sum().item()


model = Net()
print(f"{sum(p.numel() for p in model.parameters())} weights")
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
for epoch in range(1, 3 if quick else 11):
    model.train()
    for data, target in train_loader:
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
    scheduler.step()
    print(f"epoch {epoch}  loss {loss.item():.4f}  rate {scheduler.get_last_lr()[0]:.4f}  right {right(model)} of {len(images) - 1500}")

file = io.BytesIO()
torch.save(model.state_dict(), file)
file.seek(0)
copy = Net()
copy.load_state_dict(torch.load(file))
print(f"the copy read back is right {right(copy)} times as well: {right(copy) == right(model)}")
