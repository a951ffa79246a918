"""Dataset and DataLoader: shuffled batches instead of the whole table."""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

from health import patients

torch.manual_seed(4)
epochs = 3 if "--quick" in sys.argv else 30


class Patients(Dataset):
    """The table as a data set: how many rows, and one row."""

    def __init__(self):
        self.x, self.y = patients(600)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


train, test = random_split(Patients(), [500, 100])
train_loader = DataLoader(train, batch_size=32, shuffle=True)
test_loader = DataLoader(test, batch_size=50)

model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 12), nn.ReLU(), nn.Linear(12, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for epoch in range(epochs):
    for i, (inputs, labels) in enumerate(train_loader, 1):
        loss = criterion(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 8 == 0:
            print(f"epoch {epoch + 1}  batch {i}/{len(train_loader)}  loss {loss.item():.4f}")

model.eval()
correct = 0
with torch.no_grad():
    for inputs, labels in test_loader:
        correct += ((model(inputs) > 0) == labels.bool()).sum().item()
print(f"right: {correct} of {len(test)}")
