"""How long does a training step take?"""
import pytest

import fastgrad
from fastgrad import nn, optim

NETWORKS = {       # sizes, batch, activation, loss
    "xor 2-16-1": ((2, 16, 1), 4, nn.Sigmoid, nn.MSELoss),
    "lesson 5-6-7-7-6-5": ((5, 6, 7, 7, 6, 5), 32, nn.Sigmoid, nn.MSELoss),
    "digits 64-32-10": ((64, 32, 10), 32, nn.ReLU, nn.CrossEntropyLoss),
    "mnist 784-512-256-128-64-10": ((784, 512, 256, 128, 64, 10), 64, nn.ReLU, nn.CrossEntropyLoss),
}


def network(sizes, activation):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize("name", NETWORKS)
def test_step(benchmark, name):
    sizes, batch, activation, loss = NETWORKS[name]
    fastgrad.manual_seed(0)
    model, criterion = network(sizes, activation), loss()
    optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.5)
    x = fastgrad.randn(batch, sizes[0])
    y = fastgrad.randint(sizes[-1], (batch,)) if loss is nn.CrossEntropyLoss else fastgrad.rand(batch, sizes[-1])

    def step():
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    benchmark(step)


def test_lesson_epoch(benchmark):
    """Three points, one weight, the update by hand."""
    w = fastgrad.Tensor([1.0])
    w.requires_grad = True

    def epoch():
        for x, y in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)):
            loss = (x * w - y) ** 2
            loss.backward()
            w.data = w.data - 0.01 * w.grad.data
            w.grad.data.zero_()

    benchmark(epoch)


def test_adam_step(benchmark):
    """Adam over 200 parameters of 16x16."""
    parameters = [fastgrad.randn(16, 16).requires_grad_() for _ in range(200)]
    for p in parameters:
        p.grad = fastgrad.randn(16, 16)
    benchmark(optim.Adam(parameters, lr=1e-3).step)
