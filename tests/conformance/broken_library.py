"""PyTorch with faults put in on purpose, one a function: the library that shows the harness sees what it must see.

Everything not named here is PyTorch's. test_harness.py says which fault must be found under which operation.
"""

import os
import signal
import time

import torch


def __getattr__(name):
    return getattr(torch, name)


def sin(x):
    """A value wrong in the tenth digit."""
    return torch.sin(x) * (1 + 1e-10)


def trunc(x):
    """Zero without its sign."""
    return torch.trunc(x) + 0


def neg(x):
    """Writes its argument."""
    result = torch.neg(x)
    x.data.zero_()
    return result


def chunk(x, *args, **kwargs):
    """A list where a tuple is promised."""
    return list(torch.chunk(x, *args, **kwargs))


def cummax(x, *args, **kwargs):
    """A plain tuple without `.values`."""
    return tuple(torch.cummax(x, *args, **kwargs))


def cos(x):
    return torch.cos(x).double()


def tan(x):
    return torch.tan(x).unsqueeze(0)


def transpose(x, *args, **kwargs):
    """A copy where a view is promised."""
    return torch.transpose(x, *args, **kwargs).clone()


def permute(x, *args, **kwargs):
    """The right strides, in memory of its own."""
    return torch.permute(x, *args, **kwargs).clone(memory_format=torch.preserve_format)


def clone(x, **kwargs):
    """A view where a copy is promised."""
    return x.view_as(x)


def atan(x):
    """Forgets the graph."""
    return torch.atan(x.detach())


class WrongExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.exp(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * torch.exp(x) * (1 + 1e-7)


def exp(x):
    """A gradient wrong in the seventh digit."""
    return WrongExp.apply(x)


class HalfLog(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.log(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad / x.detach()


def log(x):
    """The right gradient, whose own gradient lacks a term."""
    return HalfLog.apply(x)


def gather(*args, **kwargs):
    """Answers where it must raise."""
    try:
        return torch.gather(*args, **kwargs)
    except (RuntimeError, IndexError):
        return torch.zeros(1)


def dot(*args, **kwargs):
    """Raises the wrong class."""
    try:
        return torch.dot(*args, **kwargs)
    except RuntimeError as error:
        raise KeyError(str(error)) from None


def sqrt(x):
    raise NotImplementedError("sqrt")


def erf(x):
    raise ValueError("erf: raises where it must not")


def ceil(x):
    """Ends the process on some inputs."""
    if x.dtype == torch.float64 and x.shape == (20, 20):
        os.kill(os.getpid(), signal.SIGSEGV)
    return torch.ceil(x)


def floor(x):
    """Never returns on some inputs."""
    if x.dtype == torch.float64 and x.shape == (20, 20):
        time.sleep(3600)
    return torch.floor(x)


def topk(x, *args, **kwargs):
    """The right values, with the first index for each."""
    values, indices = torch.topk(x, *args, **kwargs)
    return torch.return_types.topk((values, torch.zeros_like(indices)))
