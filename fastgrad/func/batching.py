"""vmap: a function of one example, over a batch of them.

A Batched tensor stands for one example: it has the example's shape, and its `_value` holds all of them along dimension 0. While a
vmap runs, operations show their arguments to `dispatch` (src/core/override.pxi). A rule for a kind of operation computes on the
values; whatever has no rule runs example by example and is stacked (`one_by_one`), which is right for every operation.
The graph is recorded below: between the values. So gradients need no rules.
"""

from typing import NamedTuple

import fastgrad as fg
from fastgrad import _engine, _ops
from fastgrad._engine import Tensor
from fastgrad._methods import disabled_torch_function

from . import more_rules  # noqa: F401  (adds its own)
from .rules import RULES, shifted

__all__ = ["Batched", "levels"]

CONTROL_FLOW = ("vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow. We don't support that yet, "
                "please shout over at https://github.com/pytorch/functorch/issues/257 .")
ITEM = ("vmap: It looks like you're calling .item() on a Tensor. We don't support vmap over calling .item() on a Tensor, please try to "
        "rewrite what you're doing with other operations. If error is occurring somewhere inside PyTorch internals, please file a bug "
        "report.")

DRAWN = ("vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' randomness flags on vmap "
         "or perform the randomness operation out of vmap")

RANDOM = {"rand", "randn", "rand_like", "randn_like", "bernoulli", "bernoulli_", "normal", "normal_", "uniform_", "exponential_",
          "geometric_", "cauchy_", "log_normal_", "binomial",
          "multinomial", "dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout", "poisson", "random_", "randint", "randint_like", "randperm"}

# of these, what is drawn for an element depends on nothing but the element and numbers
FILLING = {"rand_like", "randn_like", "randint_like", "bernoulli", "bernoulli_", "normal_", "uniform_", "exponential_", "geometric_", "cauchy_",
           "log_normal_", "random_", "poisson"}

levels = []         # of the vmaps that run, the outermost first


class Level:
    def __init__(self, size, randomness):
        self.size, self.randomness, self.drawing = size, randomness, False


class Batched(Tensor):
    """One example of a batch."""

    __torch_function__ = disabled_torch_function

    def __bool__(self):
        raise RuntimeError(CONTROL_FLOW)

    def item(self):
        raise RuntimeError(ITEM)

    __int__ = __float__ = __index__ = __complex__ = tolist = numpy = item

    @property
    def data(self):
        return batched(self._value.data, self._level)

    @data.setter
    def data(self, value):
        raise NotImplementedError("vmap: `x.data = ...` is not supported; write `x.copy_(...)`")

    @property
    def requires_grad(self):
        return self._value.requires_grad

    def requires_grad_(self, requires_grad=True):
        raise RuntimeError("You are attempting to call Tensor.requires_grad_() (or perhaps using torch.autograd.functional.* APIs) inside "
                           "of a function being transformed by a functorch transform. This is unsupported, please attempt to use the "
                           "functorch transforms (e.g. grad, vjp, jacrev, jacfwd, hessian) or call requires_grad_() outside of a "
                           "function being transformed instead.")

    def t_(self):
        if self.dim() > 2:
            raise RuntimeError(f"t_() expects a tensor with <= 2 dimensions, but self is {self.dim()}D")
        return self if self.dim() < 2 else self.transpose_(0, 1)

    def __repr__(self):
        return f"BatchedTensor(lvl={self._level + 1}, bdim=0, value={self._value!r})"


def refused(name):
    """A method that reads or changes the tensor's memory itself, not through operations: it would see one example only."""

    def method(self, *args, **kwargs):
        raise NotImplementedError(f"vmap: Tensor.{name} is not supported inside of vmap")

    method.__name__ = name
    return method


def reshaped(name):
    """An in-place change of shape by dimensions: that of the value, whose dimensions are one further."""

    def method(self, *args, **kwargs):
        new = name == "unsqueeze_"
        if self.dim() == 0 and not new:             # dimension 0 of a number is as good as none, but the value has others
            return one_by_one(getattr(Tensor, name), name, self._level, (self, *args), kwargs)
        if name == "squeeze_" and not args and not kwargs:
            args = (tuple(d for d, n in enumerate(self.shape) if n == 1),)
        depth = self._value.dim() + new
        getattr(self._value, name)(*(shifted(d, depth) for d in args), **{key: shifted(d, depth) for key, d in kwargs.items()})
        return _engine._rewrapped(self, self._value)

    method.__name__ = name
    return method


for name in ("__array__", "__dlpack__", "__format__", "apply_", "as_strided_", "as_subclass", "data_ptr", "detach_", "map_", "resize_",
             "resize_as_", "set_", "storage", "untyped_storage"):
    setattr(Batched, name, refused(name))
for name in ("squeeze_", "unsqueeze_", "transpose_", "swapaxes_", "swapdims_"):
    setattr(Batched, name, reshaped(name))


def batched(value, level):
    t = _engine._wrapped(Batched, value)
    t._value, t._level = value, level
    return t


def tensors_of(args, kwargs):
    for one in (*args, *kwargs.values()):
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, (tuple, list)):
            yield from (t for t in one if isinstance(t, Tensor))


def deepest(args, kwargs):
    """The innermost level of the Batched arguments; -1 if there are none."""
    return max((t._level for t in tensors_of(args, kwargs) if type(t) is Batched), default=-1)


def mapped(function, one):
    if isinstance(one, Tensor):
        return function(one)
    if isinstance(one, (tuple, list)) and any(isinstance(t, Tensor) for t in one):
        parts = [mapped(function, t) for t in one]
        if type(one) in (tuple, list):
            return type(one)(parts)
        return type(one)(*parts) if hasattr(one, "_fields") else type(one)(parts)
    return one


def dispatch(operation, args, kwargs):
    """What an operation gives for arguments of which some are Batched."""
    level = deepest(args, kwargs)
    name = operation if isinstance(operation, str) else operation.__name__
    if name in RANDOM and not (name.endswith("dropout") and draws_nothing(*args[1:], **kwargs)):
        undrawn = [i for i, one in enumerate(levels) if not one.drawing]
        if undrawn:
            return randomly(operation, name, undrawn[-1], args, kwargs)
    if level < 0:
        return _engine._call_plainly(operation, args, kwargs)
    rule = RULES.get(name)
    call = caller(operation)
    if rule is None and not isinstance(operation, str) and not name.endswith("_") and _engine._row_of(operation)[1]:
        rule = RULES["elementwise"]
    if rule is not None:
        result = rule(call, lambda t: t._value if type(t) is Batched and t._level == level else None, levels[level].size, args, kwargs)
        if result is not NotImplemented:
            return mapped(lambda t: batched(t, level), result)
    return one_by_one(call, name, level, args, kwargs)


def draws_nothing(*args, **kwargs):
    """Whether a dropout's arguments after the first leave its input as it is: p = 0, or training=False."""
    p, training = (*args, *(0.5, True)[len(args):])[:2]
    return kwargs.get("training", training) is False or kwargs.get("p", p) == 0


def caller(operation):
    if operation == "__getitem__":
        return lambda t, index: t[index]
    if operation == "__setitem__":
        return lambda t, index, value: t.__setitem__(index, value)
    return operation


def one_by_one(call, name, level, args, kwargs):
    """The operation for each example; results are stacked. Of a batch of none, an example of zeros tells the results' shapes."""
    size = levels[level].size

    def example(i):
        def pick(t):
            if type(t) is not Batched or t._level != level:
                return t
            return t._value[i] if size else t._value.new_zeros(t._value.shape[1:])
        return [mapped(pick, a) for a in args], {key: mapped(pick, a) for key, a in kwargs.items()}

    written = name == "__setitem__" or (name.endswith("_") and not name.endswith("__"))
    if written and not (type(args[0]) is Batched and args[0]._level == level):
        raise RuntimeError(f"vmap: {name}(self, *extra_args) is not possible because there exists a Tensor `other` in extra_args that has "
                           "more elements than `self`. This happened due to `other` being vmapped over but `self` not being vmapped over "
                           "in a vmap. Please try to use out-of-place operators instead of " f"{name}.")
    results = []
    if written and not size:
        return args[0]
    for i in range(size or 1):
        picked, named = example(i)
        results.append(call(*picked, **named))
    if written:
        return args[0]
    return stacked(results, level)


def stacked(results, level):
    first = results[0]
    if isinstance(first, Tensor):
        return batched(fg.stack(results)[: levels[level].size], level)
    if isinstance(first, (tuple, list)):
        parts = [stacked(list(column), level) for column in zip(*results)]
        return type(first)(*parts) if hasattr(first, "_fields") else type(first)(parts)
    if any(one != first for one in results):
        raise RuntimeError(CONTROL_FLOW)
    return first


def randomly(operation, name, level, args, kwargs):
    """Random numbers: refused, drawn once for all, or drawn for each example."""
    how = levels[level].randomness
    if how == "error":
        raise RuntimeError(DRAWN)
    levels[level].drawing = True
    try:
        if how == "different":
            whole = drawn_together(operation, name, level, args, kwargs)
            return one_by_one(operation, name, level, args, kwargs) if whole is NotImplemented else whole
        if not any(type(t) is Batched and t._level == level for t in tensors_of(args, kwargs)):
            return operation(*args, **kwargs)
        state = fg.get_rng_state()

        def call(*args, **kwargs):
            fg.set_rng_state(state)
            return operation(*args, **kwargs)

        return one_by_one(call, name, level, args, kwargs)
    finally:
        levels[level].drawing = False


def drawn_together(operation, name, level, args, kwargs):
    """Draws of all examples in one go, in PyTorch's order; NotImplemented where an example's arguments are not the others'."""
    size = levels[level].size
    own = [t for t in tensors_of(args, kwargs) if type(t) is Batched and t._level == level]
    if name in ("rand", "randn", "randint", "normal") and not list(tensors_of(args, kwargs)):
        sizes = {key: (size, *a) if key == "size" else a for key, a in kwargs.items()}
        if "size" not in kwargs and name in ("rand", "randn"):
            args = ((size, *(args[0] if args and isinstance(args[0], (tuple, list)) else args)),)
        elif "size" not in kwargs:
            args = tuple((size, *a) if isinstance(a, (tuple, list)) else a for a in args)
        return batched(operation(*args, **sizes), level)
    if name in FILLING and own and own[0] is args[0] and len(own) == 1:
        drawn = operation(args[0]._value, *args[1:], **kwargs)
        return args[0] if name.endswith("_") else batched(drawn, level)
    return NotImplemented


def looped(function, call, args, kwargs):
    """`call`, which is `function` at the next outer level, for each example; see _each_example.py."""
    level = deepest(args, kwargs)
    return function(*args, **kwargs) if level < 0 else one_by_one(call, function.__name__, level, args, kwargs)


def map_function(cls, apply, args):
    """Function.apply of Batched arguments: by the class's `vmap`, or example by example if it allows that."""
    level = max((t._level for t in args if type(t) is Batched), default=-1)
    if level < 0:
        return apply(*args)
    own = [type(t) is Batched and t._level == level for t in args]
    size = levels[level].size
    rule = getattr(cls, "vmap", None)
    if cls.generate_vmap_rule:
        if rule is not None:
            raise RuntimeError(f"You tried to vmap over {cls.__name__}, but it has both generate_vmap_rule=True and an overriden vmap "
                               "staticmethod. Please set generate_vmap_rule=False or delete the overriden vmap staticmethod to avoid "
                               "ambiguity.")
        return one_by_one(cls.apply, cls.__name__, level, args, {})
    if rule is None:
        raise RuntimeError(f"You tried to vmap over {cls.__name__}, but it does not have vmap support. Please override and implement the "
                           "vmap staticmethod or set generate_vmap_rule=True.")
    info = VmapInfo(size, levels[level].randomness)
    result, dims = rule(info, tuple(0 if o else None for o in own), *(t._value if o else t for t, o in zip(args, own)))

    def back(t, d):
        return t if d is None or not isinstance(t, Tensor) else batched(t.movedim(d, 0), level)

    if isinstance(result, tuple):
        dims = dims if isinstance(dims, tuple) else (dims,) * len(result)
        return tuple(back(t, d) for t, d in zip(result, dims))
    return back(result, dims)


class VmapInfo(NamedTuple):
    """What a Function's vmap is told."""

    batch_size: int
    randomness: str
