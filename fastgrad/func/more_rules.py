"""More batching rules (see rules.py): losses, indexing with tensors, what gives several results, shapes."""

import fastgrad as fg
from fastgrad._engine import Tensor

from .rules import RULES, along, elementwise, only_first, shifted

__all__ = []


def bound(call, args, kwargs):
    """The arguments by name; None if they do not fit."""
    return dict(zip(call.names, args)) | kwargs if len(args) <= len(call.names) else None


def whole(value, size, t):
    """The value of t, repeated if it is the same for all examples."""
    v = value(t)
    return t.expand((size, *t.shape)) if v is None else v


def reduced(per, size, reduction, count=None):
    if reduction == "none":
        return per
    total = per.reshape((size, -1)).sum(1)
    return total if reduction == "sum" else total / (per.numel() // size if count is None else count)


def arguments_of_loss(call, args, kwargs):
    """(input, target, reduction, the rest), or None where there are weights or the old names of reductions."""
    given = bound(call, args, kwargs)
    if given is None:
        return None
    x, y, reduction = given.pop("input", None), given.pop("target", None), given.pop("reduction", "mean")
    rest = {key: a for key, a in given.items() if a is not None}
    if not isinstance(x, Tensor) or not isinstance(y, Tensor) or reduction not in ("none", "mean", "sum") or x.numel() == 0:
        return None
    return None if set(rest) & {"weight", "pos_weight", "size_average", "reduce"} else (x, y, reduction, rest)


def loss(call, value, size, args, kwargs):
    """Elementwise losses: each element's, then the reduction for each example."""
    found = arguments_of_loss(call, args, kwargs)
    if found is None or size == 0 or found[0].shape != found[1].shape:
        return NotImplemented
    x, y, reduction, rest = found
    return reduced(call(whole(value, size, x), whole(value, size, y), reduction="none", **rest), size, reduction)


def class_loss(call, value, size, args, kwargs):
    """nll_loss and cross_entropy of (N, C) and N classes, as one of (batch N, C)."""
    found = arguments_of_loss(call, args, kwargs)
    if found is None or size == 0:
        return NotImplemented
    x, y, reduction, rest = found
    if x.dim() != 2 or y.dim() != 1 or y.dtype.is_floating_point:
        return NotImplemented
    v, target = whole(value, size, x), whole(value, size, y)
    per = call(v.reshape((size * x.shape[0], x.shape[1])), target.reshape(-1), reduction="none", **rest).reshape((size, -1))
    return reduced(per, size, reduction, (target != rest.get("ignore_index", -100)).sum(1))


def indexed(call, value, size, args, kwargs):
    """x[...]: numbers, slices, None, `...`; tensors next to each other that are the same for all; or tensors alone, of each example."""
    t, index = args
    v = value(t)
    index = index if isinstance(index, tuple) else (index,)
    if not all(i is None or i is Ellipsis or isinstance(i, (slice, Tensor)) or (isinstance(i, int) and not isinstance(i, bool)) for i in index):
        return NotImplemented
    places = [k for k, i in enumerate(index) if isinstance(i, (int, Tensor))]
    tensors = [i for i in index if isinstance(i, Tensor)]
    if not any(value(i) is not None for i in tensors):
        if v is None or (tensors and places != list(range(places[0], places[0] + len(places)))):
            return NotImplemented
        return v[(slice(None), *index)]
    if len(tensors) != len(index) or any(i.dtype in (fg.bool, fg.uint8) for i in tensors):
        return NotImplemented
    depth = max(i.dim() for i in tensors)
    rows = []
    for i in tensors:
        one = value(i)
        rows.append(i if one is None else one.reshape((size,) + (1,) * (depth - i.dim()) + tuple(i.shape)))
    if v is None:
        return t[tuple(rows)]
    return v[(fg.arange(size).reshape((size,) + (1,) * depth), *rows)]


def gathered(call, value, size, args, kwargs):
    """gather: both with the batch in front."""
    given = bound(call, args, kwargs)
    t, dim, index = (given.get(key) for key in ("input", "dim", "index")) if given else (None, None, None)
    if not isinstance(t, Tensor) or not isinstance(index, Tensor) or not isinstance(dim, int) or t.dim() == 0 or t.dim() != index.dim():
        return NotImplemented
    return call(whole(value, size, t), shifted(dim, t.dim() + 1), whole(value, size, index))


def selected(call, value, size, args, kwargs):
    """index_select by indices that are the same for all."""
    given = bound(call, args, kwargs)
    v = value(given["input"]) if given and isinstance(given.get("input"), Tensor) else None
    if v is None or v.dim() < 2 or value(given["index"]) is not None:
        return NotImplemented
    return call(v, shifted(given["dim"], v.dim()), given["index"])


def made(call, value, size, args, kwargs):
    """new_zeros and its like: for each example its own."""
    v = only_first(value, args, kwargs)
    if v is None or "size" in kwargs or len(args) < 2:
        return NotImplemented
    if call.__name__ == "new_full":
        return call(v, (size, *args[1]), *args[2:], **kwargs)
    shape = tuple(args[1]) if isinstance(args[1], (tuple, list)) else tuple(args[1:])
    return call(v, (size, *shape), **kwargs)


def converted(call, value, size, args, kwargs):
    v = only_first(value, args, kwargs)
    return NotImplemented if v is None else call(v, *args[1:], **kwargs)


def matrix(call, value, size, args, kwargs):
    """tril, triu: of the last two dimensions."""
    v = only_first(value, args, kwargs)
    return NotImplemented if v is None or v.dim() < 3 else call(v, *args[1:], **kwargs)


def flattened(call, value, size, args, kwargs):
    v = only_first(value, args, kwargs)
    given = bound(call, args, kwargs)
    if v is None or v.dim() < 2 or given is None:
        return NotImplemented
    start, end = given.get("start_dim", 0), given.get("end_dim", -1)
    return call(v, shifted(start, v.dim()), shifted(end, v.dim()))


def padded(call, value, size, args, kwargs):
    """pad by a constant: dimensions are numbered from the last."""
    v = only_first(value, args, kwargs)
    given = bound(call, args, kwargs)
    return NotImplemented if v is None or given is None or given.get("mode", "constant") != "constant" else call(v, *args[1:], **kwargs)


def pooled(call, value, size, args, kwargs):
    """Pooling: the examples join the batch, or are it."""
    v = only_first(value, args, kwargs)
    if v is None or size == 0:
        return NotImplemented
    n = int(call.__name__[-2])
    if v.dim() == n + 2:
        return call(v, *args[1:], **kwargs)
    out = call(v.flatten(0, 1), *args[1:], **kwargs)
    parts = [t.unflatten(0, v.shape[:2]) for t in (out if isinstance(out, tuple) else (out,))]
    return tuple(parts) if isinstance(out, tuple) else parts[0]


def convolved(call, value, size, args, kwargs):
    """Convolutions: examples join the batch; with weights of their own they become groups of channels."""
    given = bound(call, args, kwargs)
    if given is None or size == 0 or not all(isinstance(given.get(key), Tensor) for key in ("input", "weight")):
        return NotImplemented
    x, weight, bias = given.pop("input"), given.pop("weight"), given.pop("bias", None)
    n = int(call.__name__[-2])
    v, w = value(x), value(weight)
    b = None if bias is None else value(bias)
    single = x.dim() == n + 1                   # without a batch of its own
    if w is None and b is None:
        if single:
            return call(v, weight, bias, **given)
        out = call(v.flatten(0, 1), weight, bias, **given)
        return out.unflatten(0, v.shape[:2])
    v = whole(value, size, x)
    v = v.flatten(0, 1).unsqueeze(0) if single else v.movedim(0, 1).flatten(1, 2)
    if bias is not None:
        bias = whole(value, size, bias).flatten()
    given["groups"] = size * given.get("groups", 1)
    out = call(v, whole(value, size, weight).flatten(0, 1), bias, **given)
    out = out.unflatten(1, (size, -1)).movedim(1, 0)
    return out.squeeze(1) if single else out


def normalized(call, value, size, args, kwargs):
    """Norms of each example's rows (_layer_norm, _rms_norm) or samples (_group_norm): more of them."""
    v = only_first(value, args, kwargs)
    if v is None or size == 0 or v.dim() < 2:
        return NotImplemented
    joined = v.flatten(0, 1) if call.__name__ == "_group_norm" else v
    out, stats = call(joined, *args[1:], **kwargs)
    return out.reshape(v.shape), stats.unflatten(0, (size, -1))


def strided(call, value, size, args, kwargs):
    """as_strided: an example's elements are counted from where its batch begins."""
    given = bound(call, args, kwargs)
    v = value(given["input"]) if given else None
    if v is None:
        return NotImplemented
    return call(v, (size, *given["size"]), (v.stride(0), *given["stride"]), given.get("storage_offset"))


RULES |= dict.fromkeys(("as_strided", "as_strided_copy"), strided)
RULES |= dict.fromkeys(("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"), loss)
RULES |= dict.fromkeys(("nll_loss", "cross_entropy"), class_loss)
RULES |= dict.fromkeys(("clamp", "clamp_min", "clamp_max", "masked_fill", "where"), elementwise)
RULES |= dict.fromkeys(("max", "min", "median", "mode", "cummax", "cummin", "unflatten", "kthvalue"), along("dim"))
RULES |= dict.fromkeys(("sort", "argsort", "topk"), along("dim", default=-1))
RULES |= dict.fromkeys(("unbind", "chunk", "split", "tensor_split"), along("dim", default=0))
RULES |= dict.fromkeys(("var", "std"), along("dim", whole=True))
RULES |= dict.fromkeys(("roll",), along("dims"))
RULES |= dict.fromkeys(("movedim", "moveaxis"), along("source", "destination"))
RULES |= dict.fromkeys(("new_zeros", "new_ones", "new_empty", "new_full"), made)
RULES |= dict.fromkeys(("to", "bool", "long", "int", "half", "bfloat16"), converted)
RULES |= dict.fromkeys(("tril", "triu"), matrix)
RULES |= {"__getitem__": indexed, "gather": gathered, "index_select": selected, "flatten": flattened, "pad": padded}
RULES |= dict.fromkeys((f"{name}_pool{n}d" for name in ("max", "avg") for n in (1, 2, 3)), pooled)
RULES |= dict.fromkeys((f"{name}{n}d" for name in ("conv", "conv_transpose") for n in (1, 2, 3)), convolved)
RULES |= dict.fromkeys(("_layer_norm", "_rms_norm", "_group_norm"), normalized)
