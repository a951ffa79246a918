"""Batching rules, one for each kind of operation.

A rule gets the operation, a function that gives a Batched argument's value (None for any other argument), the batch's size and the
arguments. It returns the operation on all examples at once, or NotImplemented. The batch is dimension 0 of every value, so a
dimension d >= 0 of an example is d + 1 of the value, and negative ones are the same (`shifted`).
"""

import fastgrad as fg
from fastgrad._engine import Tensor

__all__ = ["RULES"]


def elementwise(call, value, size, args, kwargs):
    """Dimensions of size 1 after the batch make all values as deep as the deepest example."""
    tensors = [t for t in args if isinstance(t, Tensor)]
    if any(isinstance(t, Tensor) for t in kwargs.values()) or any(isinstance(a, (tuple, list)) for a in args):
        return NotImplemented
    if len({t.dtype for t in tensors}) > 1 and any(t.dim() == 0 for t in tensors):
        return NotImplemented           # a 0-d example takes part in promotion as a number does
    depth = max(t.dim() for t in tensors)
    given = []
    for a in args:
        v = value(a) if isinstance(a, Tensor) else None
        if v is not None and v.dim() - 1 < depth:
            v = v.reshape((size,) + (1,) * (depth - v.dim() + 1) + tuple(v.shape[1:]))
        given.append(a if v is None else v)
    return call(*given, **kwargs)


def one(call, value, size, args, kwargs):
    """The first argument alone is batched, and the operation asks for no dimension."""
    return call(value(args[0]), *args[1:], **kwargs)


def only_first(value, args, kwargs):
    """The value of the first argument, if that is the one batched tensor."""
    rest = [*args[1:], *kwargs.values()]
    nested = [t for a in rest if isinstance(a, (tuple, list)) for t in a]
    if any(isinstance(t, Tensor) for t in rest + nested) or not isinstance(args[0], Tensor):
        return None
    return value(args[0])


def shifted(dim, depth):
    """An example's dimension as one of a value of `depth` dimensions, the batch among them, which no example can name."""
    if isinstance(dim, (tuple, list)):
        return tuple(shifted(d, depth) for d in dim)
    if dim == -depth:
        raise IndexError(f"Dimension out of range (expected to be in range of [{1 - depth}, {depth - 2}], but got {dim})")
    return dim + 1 if dim >= 0 else dim


def along(*names, whole=False, default=None, new=0):
    """Rule of operations over dimensions.

    Args:
        whole: without a dimension they reduce over all of the example.
        default: the dimension where none is given.
        new: how many dimensions the result has more, among which they count.
    """
    def rule(call, value, size, args, kwargs):
        v = only_first(value, args, kwargs)
        if v is None or v.dim() < 2:
            return NotImplemented
        signature = list(call.names)
        given = dict(zip(signature, args)) | {("dim" if k == "axis" else "keepdim" if k == "keepdims" else k): a for k, a in kwargs.items()}
        if len(args) > len(signature):
            given[signature[1]], args = tuple(args[1:]), args[:1]
        del given[signature[0]]
        found = [n for n in names if given.get(n) is not None]
        if not found:
            if default is not None:
                given[names[0]] = default
            elif not whole or given.get("keepdim"):
                return NotImplemented
            else:
                v = v.flatten(1)
                given[names[0]] = 0
            found = names[:1]
        for n in found:
            if isinstance(given[n], Tensor) or isinstance(given[n], (bool, str)):
                return NotImplemented
            given[n] = shifted(given[n], v.dim() + new)
            if given[n] == ():
                return NotImplemented
        return call(v, **given)
    return rule


def sizes(call, value, size, args, kwargs):
    """reshape, view, expand: the sizes follow the batch's."""
    v = only_first(value, args, kwargs)
    if v is None or kwargs or len(args) < 2:
        return NotImplemented
    shape = tuple(args[1]) if isinstance(args[1], (tuple, list)) else tuple(args[1:])
    if not all(isinstance(n, int) for n in shape):
        return NotImplemented
    if call.__name__ == "expand" and len(shape) > v.dim() - 1:
        v = v.reshape((size,) + (1,) * (len(shape) - v.dim() + 1) + tuple(v.shape[1:]))
    if call.__name__ != "expand" and -1 in shape:
        rest = 1
        for n in shape:
            rest *= n if n >= 0 else 1
        if rest == 0:
            return NotImplemented
        shape = tuple(v.numel() // size // rest if n == -1 else n for n in shape) if size else shape
    return call(v, (size, *shape))


def product(call, value, size, args, kwargs):
    """matmul and its like, as one product of stacks of matrices."""
    if kwargs or len(args) != 2:
        return NotImplemented
    a, b = args
    va, vb = value(a), value(b)
    if a.dim() == 0 or b.dim() == 0:
        return NotImplemented
    x, y = (a if va is None else va), (b if vb is None else vb)
    if vb is None and b.dim() <= 2:
        if a.dim() == 1:                # rows of one matrix
            return fg.matmul(x, y)
        return fg.matmul(x, y)
    lead = max(a.dim(), b.dim(), 2) - 2
    x = matrices(x, va is not None, a.dim(), lead, row=True, size=size)
    y = matrices(y, vb is not None, b.dim(), lead, row=False, size=size)
    out = fg.matmul(x, y)
    if a.dim() == 1:
        out = out.squeeze(-2)
    if b.dim() == 1:
        out = out.squeeze(-1)
    return out


def matrices(t, is_batched, dim, lead, row, size):
    """t as a stack of matrices, `lead` dimensions deep behind the batch's."""
    if dim == 1:
        t = t.unsqueeze(-2 if row else -1)
        dim = 2
    if is_batched and dim - 2 < lead:
        t = t.reshape((size,) + (1,) * (lead - dim + 2) + tuple(t.shape[1:]))
    return t


def linear(call, value, size, args, kwargs):
    """input @ weight.T + bias."""
    x, weight, *rest = args
    bias = rest[0] if rest else kwargs.get("bias")
    if value(weight) is None and (bias is None or value(bias) is None):
        return call(value(x), weight, bias)
    if x.dim() == 0 or weight.dim() != 2:
        return NotImplemented
    v, w = value(x), value(weight)
    w = weight.t() if w is None else w.transpose(-1, -2)
    v = x if v is None else v
    if x.dim() == 1:
        out = fg.matmul(v.unsqueeze(-2), w).squeeze(-2)
    elif x.dim() == 2 or value(weight) is None:
        out = fg.matmul(v, w)
    else:
        return NotImplemented
    if bias is None:
        return out
    b = value(bias)
    return out + (bias if b is None else b.reshape((size,) + (1,) * (x.dim() - 1) + tuple(b.shape[1:])))


def joined(call, value, size, args, kwargs):
    """cat and stack."""
    tensors = args[0]
    dim = args[1] if len(args) > 1 else kwargs.get("dim", 0)
    if not isinstance(tensors, (tuple, list)) or len(args) > 2 or set(kwargs) - {"dim"}:
        return NotImplemented
    if call.__name__ == "cat" and any(t.dim() > 1 for t in tensors):
        tensors = [t for t in tensors if t.shape != (0,)]           # cat passes over vectors without elements
    given = [t.expand((size, *t.shape)) if value(t) is None else value(t) for t in tensors]
    return call(given, shifted(dim, given[0].dim() + (call.__name__ == "stack")))


def fixed(call, value, size, args, kwargs):
    """Without dimensions, of an example of at least two: T."""
    v = only_first(value, args, kwargs)
    return NotImplemented if v is None or v.dim() != 3 or len(args) > 1 or kwargs else v.transpose(1, 2)


def permuted(call, value, size, args, kwargs):
    v = only_first(value, args, kwargs)
    if v is None or kwargs or len(args) < 2:
        return NotImplemented
    dims = args[1] if isinstance(args[1], (tuple, list)) else args[1:]
    return v.permute((0, *shifted(tuple(dims), v.dim())))


RULES = {"elementwise": elementwise, "linear": linear, "cat": joined, "stack": joined, "t": fixed,
         "permute": permuted}
RULES |= dict.fromkeys(("clone", "detach", "zeros_like", "ones_like", "float", "double", "contiguous"), one)
RULES |= dict.fromkeys(("reshape", "view", "expand"), sizes)
RULES |= dict.fromkeys(("matmul", "mm", "mv", "dot", "bmm"), product)
RULES |= dict.fromkeys(("sum", "mean", "prod", "amax", "amin", "any", "all", "logsumexp", "argmax", "argmin"), along("dim", whole=True))
RULES |= dict.fromkeys(("softmax", "log_softmax", "cumsum", "cumprod", "squeeze", "select", "narrow"), along("dim"))
RULES |= dict.fromkeys(("unsqueeze",), along("dim", new=1))
RULES |= dict.fromkeys(("flip",), along("dims"))
RULES |= dict.fromkeys(("transpose",), along("dim0", "dim1"))
