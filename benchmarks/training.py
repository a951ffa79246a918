"""How long does a training step take?"""

import math

from .harness import Case
from .libraries import torch_like
from .networks import Network, on_every_peer

NETWORKS = {
    "2-16-1, batch 4": Network((2, 16, 1), 4, "sigmoid"),
    "5-6-7-7-6-5, batch 32": Network((5, 6, 7, 7, 6, 5), 32, "sigmoid"),
    "64-32-10, batch 32": Network((64, 32, 10), 32, classes=True),
    "784-512-256-128-64-10, batch 64": Network((784, 512, 256, 128, 64, 10), 64, classes=True),
    "1024-1024-1024-1024, batch 256": Network((1024,) * 4, 256, "sigmoid"),
}


def lesson(lib):
    """Three points, one weight, the update by hand."""
    w = lib.Tensor([1.0])
    w.requires_grad = True

    def epoch():
        for x, y in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)):
            loss = (x * w - y) ** 2
            loss.backward()
            w.data = w.data - 0.01 * w.grad.data
            w.grad.data.zero_()
    return epoch


def trained(loss_of, optimizer):
    def step():
        optimizer.zero_grad()
        loss_of().backward()
        optimizer.step()
    return step


def convolutional(lib):
    """Two convolutions and a pooling after each, on 28x28."""
    nn = lib.nn
    model = nn.Sequential(nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
                          nn.Linear(320, 10))
    x, y = lib.randn(64, 1, 28, 28), lib.randint(0, 10, (64,))
    return trained(lambda: nn.functional.cross_entropy(model(x), y),
                   lib.optim.SGD(model.parameters(), lr=0.01, momentum=0.5))


def recurrent(lib):
    """Characters of names: embedding, GRU, linear."""
    nn = lib.nn
    embedding, gru, out = nn.Embedding(128, 100), nn.GRU(100, 100), nn.Linear(100, 18)
    parameters = [*embedding.parameters(), *gru.parameters(), *out.parameters()]
    x, y = lib.randint(0, 128, (12, 64)), lib.randint(0, 18, (64,))
    return trained(lambda: nn.functional.cross_entropy(out(gru(embedding(x))[1][-1]), y), lib.optim.Adam(parameters, lr=1e-3))


def transformer(lib):
    """Two blocks, 64 wide, context 64, attention written out."""
    nn, F, width, heads, length = lib.nn, lib.nn.functional, 64, 4, 64
    above = lib.triu(lib.ones(length, length), 1) > 0

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
            self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x):
            batch = x.shape[0]
            q, k, v = (part.view(batch, length, heads, width // heads).transpose(1, 2)
                       for part in self.project(self.norms[0](x)).split(width, dim=2))
            scores = (q @ k.transpose(-2, -1) / math.sqrt(width // heads)).masked_fill(above, float("-inf"))
            mixed = (F.softmax(scores, dim=-1) @ v).transpose(1, 2).reshape(batch, length, width)
            x = x + self.out(mixed)
            return x + self.feed(self.norms[1](x))

    tokens, places, head = nn.Embedding(65, width), nn.Embedding(length, width), nn.Linear(width, 65)
    blocks = nn.Sequential(Block(), Block(), nn.LayerNorm(width))
    parameters = [p for module in (tokens, places, blocks, head) for p in module.parameters()]
    x, y = lib.randint(0, 65, (8, length)), lib.randint(0, 65, (8 * length,))
    return trained(lambda: F.cross_entropy(head(blocks(tokens(x) + places(lib.arange(length)))).view(-1, 65), y),
                   lib.optim.AdamW(parameters, lr=1e-3))


def cases(libraries):
    yield Case("one weight, an epoch of three points", torch_like(libraries, lesson))
    for name, network in NETWORKS.items():
        yield Case(name, on_every_peer(libraries, network))
    yield Case("two convolutions, 28x28, batch 64", torch_like(libraries, convolutional))
    yield Case("GRU 100, 12 steps, batch 64", torch_like(libraries, recurrent))
    yield Case("transformer, 2 blocks of 64", torch_like(libraries, transformer))
