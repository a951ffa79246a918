"""How the engine thinks, in about 100 lines: a reverse-mode autograd engine in plain Python and NumPy.

Not part of the package. Read it before src/: every part of the compiled engine is here in its simplest form. The tests use
it as an oracle. An operation is one function that computes a result and says, for a given gradient of the result, what the
gradient of each input is. `backward` walks the recorded graph once, from the result to the leaves.
"""

import numpy as np


class Tensor:
    """An array, the gradient of the loss by it, and how it was made.

    Invariants:
    1. A leaf has no inputs; only leaves keep `grad` after backward.
    2. `grad`, where there is one, has the shape and dtype of `data`.
    """

    def __init__(self, data, requires_grad=False, inputs=(), gradients=None):
        self.data = np.asarray(data)
        self.requires_grad = requires_grad or any(x.requires_grad for x in inputs)
        self.inputs = inputs if self.requires_grad else ()  # the edges of the graph
        self.gradients = gradients  # gradient of the result -> one gradient for each input
        self.grad = None

    def backward(self, grad=1.0):
        """Adds dself/dleaf to the grad of every leaf that self was made from."""
        grads = {self: np.broadcast_to(np.asarray(grad, self.data.dtype), self.data.shape)}
        for node in reversed(topological_order(self)):
            grad = grads.pop(node)
            if not node.inputs:
                node.grad = grad.copy() if node.grad is None else node.grad + grad
                continue
            for x, grad_x in zip(node.inputs, node.gradients(grad)):
                if x.requires_grad:  # a tensor used twice gets the sum of both gradients
                    grad_x = unbroadcast(grad_x, x.data.shape)
                    grads[x] = grads[x] + grad_x if x in grads else grad_x

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return mul(self, other)

    def __sub__(self, other):
        return add(self, mul(other, -1))

    def __matmul__(self, other):
        return matmul(self, other)

    __radd__, __rmul__ = __add__, __mul__


def topological_order(result):
    """The tensors `result` was made from, inputs first. With a stack of our own: a graph may be deeper than Python's."""
    order, seen, stack = [], set(), [(result, False)]
    while stack:
        node, inputs_done = stack.pop()
        if inputs_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((x, False) for x in node.inputs if x.requires_grad)
    return order


def unbroadcast(grad, shape):
    """The gradient of broadcasting: sums over the dimensions along which an input of this shape was repeated."""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    repeated = tuple(i for i, size in enumerate(shape) if size == 1 and grad.shape[i] != 1)
    return grad.sum(axis=repeated, keepdims=True)


def operation(rule):
    """Makes a function of Tensors from a rule on arrays, which returns the result and its `gradients` function."""

    def apply(*inputs, **attributes):
        dtype = next(x.data.dtype for x in inputs if isinstance(x, Tensor))
        inputs = tuple(x if isinstance(x, Tensor) else Tensor(np.asarray(x, dtype)) for x in inputs)
        result, gradients = rule(*(x.data for x in inputs), **attributes)
        return Tensor(result, inputs=inputs, gradients=gradients)

    return apply


@operation
def add(a, b):
    return a + b, lambda grad: (grad, grad)


@operation
def mul(a, b):
    return a * b, lambda grad: (grad * b, grad * a)


@operation
def matmul(a, b):  # (n, k) (k, m) -> (n, m)
    return a @ b, lambda grad: (grad @ b.T, a.T @ grad)


@operation
def relu(x):
    return np.maximum(x, 0), lambda grad: (grad * (x > 0),)


@operation
def exp(x):
    result = np.exp(x)  # saved: the derivative of exp is its result
    return result, lambda grad: (grad * result,)


@operation
def log(x):
    return np.log(x), lambda grad: (grad / x,)


@operation
def tanh(x):
    result = np.tanh(x)
    return result, lambda grad: (grad * (1 - result * result),)


@operation
def sigmoid(x):
    result = 1 / (1 + np.exp(-x))
    return result, lambda grad: (grad * result * (1 - result),)


@operation
def sum(x, axis=None, keepdims=False):
    def gradients(grad):
        spread = grad if axis is None or keepdims else np.expand_dims(grad, axis)
        return (np.broadcast_to(spread, x.shape),)

    return x.sum(axis=axis, keepdims=keepdims), gradients


class Linear:
    """x -> x W^T + b, W (outputs, inputs) and b (outputs,)."""

    def __init__(self, weight_oi, bias_o):
        self.weight, self.bias = Tensor(weight_oi.T, requires_grad=True), Tensor(bias_o, requires_grad=True)

    def __call__(self, x):
        return x @ self.weight + self.bias


class SGD:
    """Steps against the gradient: p - lr * dloss/dp."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = list(parameters), lr

    def zero_grad(self):
        for p in self.parameters:
            p.grad = None

    def step(self):
        for p in self.parameters:
            p.data = p.data - p.data.dtype.type(self.lr) * p.grad
