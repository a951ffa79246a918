"""Ten classes: cross-entropy on the softmax of ten scores, on handwritten digits."""

import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

import digits

# Cross-entropy of one answer by hand: the class is right with probability 0.7, then 0.1.
truth = np.array([1, 0, 0])
for guess in (np.array([0.7, 0.2, 0.1]), np.array([0.1, 0.3, 0.6])):
    print(f"by hand {np.sum(-truth * np.log(guess)):.4f}  nll_loss {F.nll_loss(torch.from_numpy(guess).log()[None], torch.tensor([0])):.4f}")

torch.manual_seed(5)
quick = "--quick" in sys.argv
images, labels = digits.load()
train_loader = DataLoader(TensorDataset(images[:1500], labels[:1500]), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(images[1500:], labels[1500:]), batch_size=64)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(64, 120)
        self.l2 = nn.Linear(120, 60)
        self.l3 = nn.Linear(60, 10)

    def forward(self, x):
        x = x.view(-1, 64)
        x = F.relu(self.l1(x))
        x = F.relu(self.l2(x))
        return self.l3(x)


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(model.parameters(), lr=0.2, momentum=0.5)


def train(epoch):
    model.train()
    for batch, (data, target) in enumerate(train_loader):
        optimizer.zero_grad()
        loss = criterion(model(data), target)
        loss.backward()
        optimizer.step()
        if batch % 10 == 0:
            print(f"epoch {epoch}  [{batch * len(data)}/{len(train_loader.dataset)}]  loss {loss.item():.4f}")


def test():
    model.eval()
    loss = correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            output = model(data)
            loss += F.cross_entropy(output, target, reduction="sum").item()
            correct += output.argmax(dim=1, keepdim=True).eq(target.view_as(output.argmax(1, keepdim=True))).sum().item()
    count = len(test_loader.dataset)
    print(f"test: loss {loss / count:.4f}, right {correct} of {count} ({100 * correct / count:.0f}%)")


for epoch in range(1, 3 if quick else 10):
    train(epoch)
    test()
