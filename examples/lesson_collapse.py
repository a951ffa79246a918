"""Why a network needs its sigmoids: without them its layers are one affine map, whatever their number.

y = W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2). Shown here for the layers of a 5-6-7-7-6-5 network: the outputs and all
the gradients are those of the one map, to the rounding of float64. With the sigmoids back, the best affine map misses.
"""

import numpy
import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)

SIZES = [5, 6, 7, 7, 6, 5]
layers = [torch.nn.Linear(inputs, outputs) for inputs, outputs in zip(SIZES, SIZES[1:])]
for layer in layers:  # weights large enough for the sigmoids to bend
    torch.nn.init.normal_(layer.weight, std=2.0)


def linear_network(x):
    for layer in layers:
        x = layer(x)
    return x


def sigmoid_network(x):
    for layer in layers:
        x = torch.sigmoid(layer(x))
    return x


def collapse():
    """W and b of the one affine map that the layers make without sigmoids."""
    weight, bias = torch.eye(SIZES[0]), torch.zeros(SIZES[0])
    for layer in layers:
        weight = layer.weight @ weight
        bias = layer.weight @ bias + layer.bias
    return weight, bias


def difference(a, b):
    """The largest difference, relative to the size of the numbers."""
    return ((a - b).abs().max() / b.abs().max()).item()


def loss_of(y):
    return ((y - 1) ** 2).sum()


def check(what, a, b):
    assert difference(a, b) < 1e-13, what
    print(f"  {what:50} the same to {1e-13:.0e}")


# 1. Without sigmoids: the same outputs and the same gradients as one map of 30 numbers.
x = torch.randn(200, SIZES[0], requires_grad=True)
y = linear_network(x)
loss_of(y).backward()

W, b = (t.detach().requires_grad_() for t in collapse())
x_one = x.detach().requires_grad_()
y_one = x_one @ W.t() + b
loss_of(y_one).backward()

weights, biases = (sum(p.numel() for p in kind) for kind in zip(*((layer.weight, layer.bias) for layer in layers)))
print(f"without sigmoids: {weights} weights and {biases} biases are one map of {W.numel()} weights and {b.numel()} biases")
check("outputs", y, y_one)
check("gradient of the loss by the input", x.grad, x_one.grad)

# The chain rule gives each layer's gradient from the map's: dLoss/dW_k = A^T (dLoss/dW) B^T + A^T (dLoss/db) c^T, where A is
# what comes after layer k, and x -> B x + c what comes before.
for k, layer in enumerate(layers):
    before, shift = torch.eye(SIZES[0]), torch.zeros(SIZES[0])
    for earlier in layers[:k]:
        before, shift = earlier.weight @ before, earlier.weight @ shift + earlier.bias
    after = torch.eye(SIZES[k + 1])
    for later in layers[k + 1 :]:
        after = later.weight @ after
    by_chain = after.t() @ (W.grad @ before.t() + torch.outer(b.grad, shift))
    check(f"gradient by the weight of layer {k + 1}, by chain rule", layer.weight.grad, by_chain)
    check(f"gradient by the bias of layer {k + 1}, by chain rule", layer.bias.grad, after.t() @ b.grad)


# 2. With sigmoids: the best affine map, by least squares, leaves an error.
def least_squares(inputs, outputs):
    return torch.from_numpy(numpy.linalg.lstsq(inputs.numpy(), outputs.numpy(), rcond=None)[0])


def share_left(f, x):
    """Of the outputs' variance, the share that the best affine map of the inputs does not explain."""
    with torch.no_grad():
        y = f(x)
        inputs = torch.cat([x, torch.ones(len(x), 1)], dim=1)
        best = least_squares(inputs, y)
        return ((y - inputs @ best) ** 2).sum().item() / ((y - y.mean(dim=0)) ** 2).sum().item()


x = torch.randn(2000, SIZES[0])
without, with_sigmoids = share_left(linear_network, x), share_left(sigmoid_network, x)
assert without < 1e-20 and with_sigmoids > 0.1
print("\nthe best affine map leaves unexplained")
print(f"  without sigmoids   {without:.0%} of the outputs' variance")
print(f"  with sigmoids      {with_sigmoids:.1%}")


# 3. The first output along a line through the inputs, and the best affine map (.) of it.
def draw(title, f, width=61, height=13):
    with torch.no_grad():
        t = torch.linspace(-3, 3, width)
        direction = torch.tensor([1.0, -1.0, 0.5, 1.0, -0.5])
        y = f(torch.outer(t, direction))[:, 0]
        inputs = torch.stack([t, torch.ones(width)], dim=1)
        line = (inputs @ least_squares(inputs, y.unsqueeze(1)))[:, 0]
        low, high = min(y.min(), line.min()), max(y.max(), line.max())
        rows = [((curve - low) / (high - low) * (height - 1)).round().long().tolist() for curve in (line, y)]
    picture = [[" "] * width for _ in range(height)]
    for mark, curve in zip(".#", rows):
        for column, row in enumerate(curve):
            picture[height - 1 - row][column] = mark
    print(f"\n{title}")
    print("\n".join("  |" + "".join(row).rstrip() for row in picture))
    print("  +" + "-" * width)


draw("without sigmoids: the output (#) is its own best affine map", linear_network)
draw("with sigmoids: the output (#) and the best affine map (.)", sigmoid_network)
