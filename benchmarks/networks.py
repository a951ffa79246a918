"""One training step of a dense network, the same on every peer: forward, mean squared error or cross entropy, backward, SGD with momentum.

A Network is sizes, batch, activation and loss.  Weights start as each library likes: the time does not depend on them.
"""

import importlib
from dataclasses import dataclass

RATE, MOMENTUM = 0.01, 0.5


@dataclass(frozen=True)
class Network:
    sizes: tuple
    batch: int
    activation: str = "relu"        # or "sigmoid"
    classes: bool = False           # cross entropy of classes instead of the mean squared error

    def data(self):
        """Input, target and the layers' (weight, bias), as float32 arrays; weights are in x out."""
        import numpy
        rng = numpy.random.default_rng(0)
        x = rng.standard_normal((self.batch, self.sizes[0]), dtype="f4")
        y = rng.integers(0, self.sizes[-1], self.batch) if self.classes else rng.random((self.batch, self.sizes[-1]), dtype="f4")
        layers = [(rng.standard_normal((i, o), dtype="f4") / numpy.float32(i**0.5), numpy.zeros(o, "f4"))
                  for i, o in zip(self.sizes, self.sizes[1:])]
        return x, y, layers


def with_modules(name, network):
    lib = importlib.import_module(name)
    layers = []
    for inputs, outputs in zip(network.sizes, network.sizes[1:]):
        layers += [lib.nn.Linear(inputs, outputs), lib.nn.ReLU() if network.activation == "relu" else lib.nn.Sigmoid()]
    model, loss = lib.nn.Sequential(*layers[:-1]), lib.nn.CrossEntropyLoss() if network.classes else lib.nn.MSELoss()
    optimizer = lib.optim.SGD(model.parameters(), lr=RATE, momentum=MOMENTUM)
    x, y = (lib.from_numpy(a) for a in network.data()[:2])

    def step():
        optimizer.zero_grad()
        loss(model(x), y).backward()
        optimizer.step()
    return step


def loss_in(np, network, layers, x, target):
    """The loss in an interface like NumPy's; of classes the target is one-hot."""
    for i, (weight, bias) in enumerate(layers):
        x = np.dot(x, weight) + bias
        if i < len(layers) - 1:
            x = np.maximum(x, 0.0) if network.activation == "relu" else 1.0 / (1.0 + np.exp(-x))
    if not network.classes:
        return np.mean((x - target) ** 2)
    shifted = x - np.max(x, axis=1, keepdims=True)
    return -np.mean(np.sum((shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))) * target, axis=1))


def data_one_hot(network):
    import numpy
    x, y, layers = network.data()
    return x, numpy.eye(network.sizes[-1], dtype="f4")[y] if network.classes else y, layers


def in_jax(network):
    import jax
    import jax.numpy as jnp
    x, target, layers = data_one_hot(network)
    x, target, layers = jnp.array(x), jnp.array(target), [(jnp.array(w), jnp.array(b)) for w, b in layers]
    state = [layers, jax.tree.map(jnp.zeros_like, layers)]

    @jax.jit
    def update(layers, velocity):
        grads = jax.grad(lambda layers: loss_in(jnp, network, layers, x, target))(layers)
        velocity = jax.tree.map(lambda v, g: MOMENTUM * v + g, velocity, grads)
        return jax.tree.map(lambda p, v: p - RATE * v, layers, velocity), velocity

    def step():
        state[:] = update(*state)
        jax.block_until_ready(state)
    return step


def in_autograd(network):
    import autograd
    import autograd.numpy as anp
    import numpy
    x, target, layers = data_one_hot(network)
    velocity = [[numpy.zeros_like(p) for p in layer] for layer in layers]
    gradient = autograd.grad(lambda layers: loss_in(anp, network, layers, x, target))

    def step():
        for layer, speeds, grads in zip(layers, velocity, gradient(layers)):
            for p, v, g in zip(layer, speeds, grads):
                v *= MOMENTUM
                v += g
                p -= RATE * v
    return step


def in_micrograd(network):
    if network.classes or sum(network.sizes) * network.batch > 2000:
        raise NotImplementedError("too slow to wait for, or a loss it lacks")
    from micrograd.nn import MLP
    x, y, _ = network.data()
    model, rows, targets = MLP(network.sizes[0], list(network.sizes[1:])), x.tolist(), y.tolist()

    def step():
        loss = 0.0
        for row, target in zip(rows, targets):
            out = model(row)
            for value, wanted in zip(out if isinstance(out, list) else [out], target):
                loss = loss + (value - wanted) ** 2
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= RATE * p.grad
    return step


def by_hand(network):
    """Forward and backward written out in NumPy, in place: what people do who leave a framework."""
    import numpy as np
    x, target, layers = data_one_hot(network)
    velocity = [[np.zeros_like(p) for p in layer] for layer in layers]
    last = len(layers) - 1

    def activated(z):
        if network.activation == "relu":
            return np.maximum(z, 0, out=z)
        np.negative(z, out=z)
        np.exp(z, out=z)
        z += 1
        return np.reciprocal(z, out=z)

    def step():
        hidden = [x]
        for i, (weight, bias) in enumerate(layers):
            z = hidden[-1] @ weight
            z += bias
            hidden.append(activated(z) if i < last else z)
        delta = hidden.pop()
        if network.classes:
            delta -= delta.max(1, keepdims=True)
            np.exp(delta, out=delta)
            delta /= delta.sum(1, keepdims=True)
            delta -= target
            delta /= network.batch
        else:
            delta -= target
            delta *= 2 / delta.size
        for i in range(last, -1, -1):
            grads = hidden[i].T @ delta, delta.sum(0)
            if i:
                delta = delta @ layers[i][0].T
                delta *= hidden[i] > 0 if network.activation == "relu" else hidden[i] * (1 - hidden[i])
            for p, v, g in zip(layers[i], velocity[i], grads):
                v *= MOMENTUM
                v += g
                p -= RATE * v
    return step


OTHERS = {"jax": in_jax, "autograd": in_autograd, "micrograd": in_micrograd, "numpy": by_hand}


def on_every_peer(libraries, network):
    """The work of a Case."""
    return {name: lambda name=name: OTHERS[name](network) if name in OTHERS else with_modules(name, network) for name in libraries}
