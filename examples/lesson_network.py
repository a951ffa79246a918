"""A small deep network: 5-6-7-7-6-5 units, sigmoids between them, 193 weights, learns to correct errors.

The task: 5 bits of which at most one has been flipped. Four words, each three bits away from the others or more, are sent;
the network sees the word with its error and is to give the word that was sent.
"""

import torch

torch.manual_seed(0)

SIZES = [5, 6, 7, 7, 6, 5]


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(inputs, outputs, bias=False) for inputs, outputs in zip(SIZES, SIZES[1:])
        )

    def forward(self, x):
        x = 2 * x - 1  # bits as -1 and 1: without biases a 0 would say nothing
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return x


def received(words):
    """Every word as it was sent and with each one of its bits flipped, and the words that were sent."""
    flips = torch.cat([torch.zeros(1, 5), torch.eye(5)])
    words = words.repeat_interleave(len(flips), dim=0)
    flips = flips.repeat(len(words) // len(flips), 1)
    return (words - flips).abs(), words


words = torch.tensor([[0.0, 0, 0, 0, 0], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 1, 0, 1, 1]])
x, y = received(words)

network = Network()
count = sum(p.numel() for p in network.parameters())
print("-".join(str(size) for size in SIZES), "units,", count, "weights")

criterion = torch.nn.BCELoss()
optimizer = torch.optim.Adam(network.parameters(), lr=0.05)

for epoch in range(1001):
    y_pred = network(x)
    loss = criterion(y_pred, y)
    if epoch % 100 == 0:
        right = ((y_pred > 0.5) == (y > 0.5)).all(dim=1).sum().item()
        print(f"epoch {epoch:4}   loss {loss.item():.4f}   words right: {right} of {len(x)}")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

with torch.no_grad():
    for sent, got, out in list(zip(y, x, network(x)))[::5]:
        print("sent", sent.int().tolist(), " received", got.int().tolist(), " read as", out.round().int().tolist())
