"""Blocks of layers: Inception (branches side by side, joined along the channels) and residual (a way around)."""

import sys

import torch
import torch.nn.functional as F
from torch import nn, optim

import digits

quick = "--quick" in sys.argv
images, labels = digits.load()


class InceptionA(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.branch1x1 = nn.Conv2d(in_channels, 8, kernel_size=1)
        self.branch5x5_1 = nn.Conv2d(in_channels, 8, kernel_size=1)
        self.branch5x5_2 = nn.Conv2d(8, 12, kernel_size=5, padding=2)
        self.branch3x3dbl_1 = nn.Conv2d(in_channels, 8, kernel_size=1)
        self.branch3x3dbl_2 = nn.Conv2d(8, 12, kernel_size=3, padding=1)
        self.branch3x3dbl_3 = nn.Conv2d(12, 12, kernel_size=3, padding=1)
        self.branch_pool = nn.Conv2d(in_channels, 8, kernel_size=1)

    def forward(self, x):
        branch1x1 = self.branch1x1(x)
        branch5x5 = self.branch5x5_2(self.branch5x5_1(x))
        branch3x3dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        branch_pool = self.branch_pool(F.avg_pool2d(x, kernel_size=3, stride=1, padding=1))
        return torch.cat([branch1x1, branch5x5, branch3x3dbl, branch_pool], 1)


class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + x)


class Net(nn.Module):
    def __init__(self, block, channels):
        super().__init__()
        self.conv = nn.Conv2d(1, 16, 3, padding=1)
        self.block = block
        self.pool = nn.AdaptiveAvgPool2d(2)
        self.fc = nn.Linear(4 * channels, 10)

    def forward(self, x):
        x = self.block(F.relu(F.max_pool2d(self.conv(x), 2)))
        return self.fc(torch.flatten(self.pool(x), 1))


for name in ("Inception", "residual"):
    torch.manual_seed(7)
    model = Net(InceptionA(16), 40) if name == "Inception" else Net(nn.Sequential(Residual(16), Residual(16)), 16)
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    for step in range(12 if quick else 150):
        batch = torch.randint(1500, (64,))
        loss = F.cross_entropy(model(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % (3 if quick else 25) == 0:
            print(f"{name}: step {step}  loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        right = (model(images[1500:]).argmax(1) == labels[1500:]).float().mean()
    print(f"{name}: right {100 * right:.1f}%")
