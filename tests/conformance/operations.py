"""The operations under test: PyTorch's samples for each, and the same call in PyTorch and in the library.

An operation has variants (function, method, in-place method, operator, aliases); a variant is a pair of callables taking
the same arguments. Names are found by PyTorch's dotted name; where PyTorch's table holds a lambda, the lambda itself is
run with `torch` bound to the library.
"""

import functools
import operator
import types
from dataclasses import dataclass, field

import torch
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.opinfo.core import SampleInput

from tests.conformance.convert import tensors_in

# Names users call that PyTorch's table lacks, with the operation whose samples suit them.
EXTRA = {
    "relu": "nn.functional.relu",
    "nn.functional.softmax": "softmax",
    "nn.functional.log_softmax": "log_softmax",
    "nn.functional.sigmoid": "sigmoid",
    "nn.functional.tanh": "tanh",
    "ger": "outer",
    "moveaxis": "movedim",
    "swapaxes": "transpose",
    "detach": "neg",
    "tolist": "neg",
    "type_as": "neg",
    "zero_": "neg",
}

REFLECTED = {
    "__radd__": operator.add,
    "__rsub__": operator.sub,
    "__rmul__": operator.mul,
    "__rdiv__": operator.truediv,
    "__rpow__": operator.pow,
    "__rmod__": operator.mod,
    "__rand__": operator.and_,
    "__ror__": operator.or_,
    "__rxor__": operator.xor,
    "__rmatmul__": operator.matmul,
}

# Aliases run on this many samples only: they are the same function under a second name.
ALIAS_SAMPLES = 3

# Reference inputs with more elements than this are left out.
LARGEST = 20_000


@dataclass
class Variant:
    name: str
    theirs: object
    ours: object
    inplace: bool = False
    most: int = 10**9


@dataclass
class Operation:
    name: str
    info: object
    variants: list = field(default_factory=list)

    @property
    def label(self):
        suffix = self.info.variant_test_name
        return f"{self.name}.{suffix}" if suffix else self.name

    def supports(self, dtype):
        return dtype in self.info.supported_dtypes("cpu")

    def samples(self, dtype):
        torch.manual_seed(0)
        differentiable = self.info.supports_autograd and (dtype.is_floating_point or dtype.is_complex)
        samples = list(self.info.sample_inputs("cpu", dtype, requires_grad=differentiable))
        if self.name != "type_as":
            return samples
        others = [torch.empty(2, dtype=other) for other in (torch.float32, torch.float64, torch.int64, torch.bool)]
        return [SampleInput(sample.input, args=(other,)) for sample in samples for other in others]

    def reference_inputs(self, dtype):
        """PyTorch's wider set for values alone: extremal, large, denormal, non-contiguous and broadcast inputs."""
        if self.info.reference_inputs_func is None or self.name in EXTRA:
            return []
        torch.manual_seed(0)
        samples = self.info.reference_inputs("cpu", dtype, requires_grad=False)
        parts = ((sample, (sample.input, sample.args, sample.kwargs)) for sample in samples)
        return [sample for sample, held in parts if sum(t.numel() for t in tensors_in(held, torch.Tensor)) <= LARGEST]

    def error_inputs(self):
        if self.info.error_inputs_func is None or self.name in EXTRA:
            return []
        torch.manual_seed(0)
        return list(self.info.error_inputs("cpu"))


def dotted(root, path):
    for name in path.split("."):
        root = getattr(root, name)
    return root


def found_late(library, path):
    """Call `library.path`, looked up at each call so that a missing name counts against the sample that needs it."""
    return lambda *args, **kwargs: dotted(library, path)(*args, **kwargs)


def method(name):
    return lambda self, *args, **kwargs: getattr(self, name)(*args, **kwargs)


def variant_of(name, function, library, inplace):
    """A method or in-place method of PyTorch's table; where that is a function with `inplace=True`, the library's."""
    if isinstance(function, functools.partial):
        return Variant(name, function, functools.partial(found_late(library, f"nn.functional.{function.func.__name__}"), **function.keywords), inplace=inplace)
    called = method(function.__name__)
    return Variant(name, called, called, inplace=inplace)


def attribute(name):
    return lambda self: getattr(self, name)


def reflected(function):
    return lambda self, other: function(other, self)


def seeded(library):
    """PyTorch's `wrapper_set_seed`, for the library: random operations start from one seed."""

    def call(function, *args, **kwargs):
        library.manual_seed(42)
        return function(*args, **kwargs)

    return call


def rebound(function, library):
    """The lambda of PyTorch's table with `torch` meaning the library."""

    def call(*args, **kwargs):
        names = {**function.__globals__, "torch": library, "wrapper_set_seed": seeded(library)}
        same = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
        return same(*args, **kwargs)

    return call


def main_variant(name, info, library):
    if name in REFLECTED:
        call = reflected(REFLECTED[name])
        return Variant("operator", call, call)
    if name == "__getitem__":
        return Variant("operator", operator.getitem, operator.getitem)
    if name in ("T", "mT", "H", "mH"):
        return Variant("attribute", attribute(name), attribute(name))
    if name in ("tolist", "type_as", "item", "zero_", "cfloat", "cdouble"):
        return Variant("method", method(name), method(name), inplace=name.endswith("_"))
    if name in EXTRA:
        return Variant("function", dotted(torch, name), found_late(library, name))
    if isinstance(info.op, types.FunctionType) and info.op.__name__ == "<lambda>":
        return Variant("function", info.op, rebound(info.op, library))
    return Variant("function", info.op, found_late(library, name))


def other_variants(name, info, library):
    made = []
    if name in EXTRA and "." not in name and hasattr(torch, name) and not name.endswith("_"):
        made.append(Variant("method", method(name), method(name)))
    if name in EXTRA or name in REFLECTED or name in ("T", "mT", "H", "mH", "__getitem__", "item", "cfloat", "cdouble"):
        return made
    if info.method_variant is not None and not name.startswith("nn.functional"):
        made.append(variant_of("method", info.method_variant, library, inplace=False))
    if info.inplace_variant is not None:
        made.append(variant_of("inplace", info.inplace_variant, library, inplace=True))
    if info.operator_variant is not None:
        made.append(Variant("operator", info.operator_variant, info.operator_variant))
    if info.inplace_operator_variant is not None:
        call = info.inplace_operator_variant
        made.append(Variant("inplace operator", call, call, inplace=True))
    for alias in info.aliases:
        if alias.op is not None and hasattr(torch, alias.name.partition(".")[0]):
            made.append(Variant(f"alias {alias.name}", alias.op, found_late(library, alias.name.removeprefix("torch.")), most=ALIAS_SAMPLES))
    return made


@functools.lru_cache(maxsize=1)
def table():
    by_name = {}
    for info in op_db:
        by_name.setdefault(info.name, []).append(info)
    return by_name


def all_names():
    return [*table(), *(name for name in EXTRA if name not in table())]


def operations(name, library):
    """Every entry of PyTorch's table under `name`, with its variants, most telling first."""
    infos = table().get(name) or table().get(EXTRA.get(name, ""))
    if not infos:
        raise KeyError(f"no operation {name!r} in PyTorch's table")
    made = []
    for info in infos:
        main = main_variant(name, info, library)
        made.append(Operation(name, info, [main, *other_variants(name, info, library)]))
    return made
